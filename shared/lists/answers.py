"""The answers file: an agency's own list, row for row, with the result of each row beside it.

Defines the five added columns (docs/contracts.md#list-files). The file can be corrected and published again as it
is: the reader of lists leaves those five out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.contracts.reasons import field_of, message, messages, speaks_of_a_code
from shared.files import separated
from shared.lists.columns import ANSWER_COLUMNS, ListKind
from shared.lists.reader import open_list
from shared.lists.rows import PLACE_COLUMNS, ListFile, Remark, Row

_OUTCOMES: dict[str, tuple[str, str]] = {
    "registered": (
        "Terdaftar; identitasnya sedang diperiksa di Dukcapil.",
        "Registered; the identity is being checked with the civil registry.",
    ),
    "already-registered": ("Sudah terdaftar; tidak ada yang berubah.", "Already registered; nothing has changed."),
    "attested": (
        "Sudah terdaftar lewat dinas lain; pengajuan ini dicatat sebagai pengesahan.",
        "Already registered by another agency; this submission is kept as an attestation.",
    ),
    "updated": ("Data pekerja diperbarui.", "The worker's data is updated."),
    "withdrawn": ("Pekerja dikeluarkan dari program.", "The worker is withdrawn from the programme."),
    "accepted": ("Diterima.", "Accepted."),
    "held": ("Klaim ditahan.", "The claim is held."),
    "approved": ("Klaim disetujui dan akan dibayar.", "The claim is approved and will be paid."),
    "paid": ("Klaim sudah dibayar.", "The claim is paid."),
    "rejected": ("Ditolak.", "Rejected."),
    "enrolled": ("Diterima BPJS; nomor kartu peserta dicatat.", "Taken in by BPJS; the card's number is kept."),
    "refused": ("Ditolak BPJS.", "Refused by BPJS."),
    "": ("Belum ada jawaban.", "No answer yet."),
}
# The later result of the identity check, when it is known already.
_IDENTITIES: dict[str, tuple[str, str]] = {
    "verified": ("Identitasnya cocok.", "The identity is verified."),
    "held": ("Identitasnya ditahan sampai diperiksa petugas:", "The identity is held until an officer has looked:"),
    "rejected": ("Identitasnya ditolak:", "The identity is rejected:"),
}
_REGISTERED = ("Terdaftar.", "Registered.")


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The result of one row, as the agency's feedback gives it. An empty outcome means that nothing is known yet.

    `warnings` may name a village's code that was derived from its name, or codes that may be meant. `identity`
    (verified, held, rejected) is the later result of an accepted worker's identity check; `identity_reasons` say why.
    """

    outcome: str
    reasons: tuple[str, ...] = ()
    worker_id: str | None = None
    identity: str = ""
    identity_reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def message(self, lang_index: int, remarks: Sequence[Remark] = ()) -> str:
        """The words for the clerk: 0 Indonesian, 1 English. A cell's remark replaces the words of its reason."""
        words = [reason_message(code, lang_index, remarks) for code in self.reasons]
        told = [code for code in self.warnings if speaks_of_a_code(code)]
        said = " ".join(dict.fromkeys((*words, *(reason_message(code, lang_index) for code in told))))
        if self.reasons and self.outcome == "rejected":
            return said
        opening = _OUTCOMES.get(self.outcome, (self.outcome, self.outcome))[lang_index]
        if self.identity not in _IDENTITIES:
            return f"{opening} {said}".strip()
        if self.outcome == "registered":
            opening = _REGISTERED[lang_index]
        why = messages(self.identity_reasons, "en" if lang_index else "id")
        return " ".join(part for part in (opening, said, _IDENTITIES[self.identity][lang_index], why) if part)


def reason_message(code: str, lang_index: int, remarks: Sequence[Remark] = ()) -> str:
    """The text of a reason for a row: the remark on the cell that it refuses, or the words of its code."""
    name = field_of(code)
    if name:
        for one in remarks:
            if one.field == name or one.field.startswith(f"{name}."):
                return one.message_en if lang_index else one.message_id
    return message(code, "en" if lang_index else "id")


NO_ANSWER = RowAnswer("")


def answers_path(source: Path | str) -> Path:
    """The path of a list's answers file: beside the list, FILE.answers.csv."""
    source = Path(source)
    return source.with_name(source.name + ".answers.csv")


def write(source: Path | str, kind: ListKind, answers: Mapping[int, RowAnswer], target: Path | None = None) -> Path:
    """Writes the answers file of a list, one row per input row, in the same order; `answers` by row number.

    A row with a problem of its own is answered with that problem. The file appears complete or not at all.
    """
    found = open_list(source, kind)
    target = target or answers_path(source)
    partial = target.with_name(target.name + ".part")
    with partial.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines(found, lambda number: answers.get(number, NO_ANSWER)))
    partial.replace(target)
    return target


def rows(found: ListFile, answer_of: Callable[[int], RowAnswer]) -> Iterator[tuple[str, ...]]:
    """The rows of a list's answers file, its header first; `answer_of` is called in the order of the file."""
    # With several sheets, a number alone does not tell where a row is.
    yield (*found.header, *(PLACE_COLUMNS if found.has_places else ()), *ANSWER_COLUMNS)
    for row in found.rows():
        place = (row.sheet, str(row.line)) if found.has_places else ()
        yield (*row.cells, *place, *_answer_cells(row, answer_of))


def lines(found: ListFile, answer_of: Callable[[int], RowAnswer]) -> Iterator[str]:
    """The lines of the answers file of a list."""
    # Excel recognises UTF-8 by this mark; a list that had no mark is answered without one.
    if found.bom:
        yield separated.BOM
    for cells in rows(found, answer_of):
        yield separated.line(cells, found.delimiter)


def _answer_cells(row: Row, answer_of: Callable[[int], RowAnswer]) -> tuple[str, str, str, str, str]:
    if row.problems:
        return (
            "rejected",
            " ".join(problem.reason for problem in row.problems),
            " ".join(problem.message_id for problem in row.problems),
            " ".join(problem.message_en for problem in row.problems),
            "",
        )
    answer = answer_of(row.number)
    return (
        answer.outcome,
        " ".join(answer.reasons),
        answer.message(0, row.remarks),
        answer.message(1, row.remarks),
        answer.worker_id or "",
    )


def read_answers(path: Path | str) -> Iterator[dict[str, str]]:
    """The rows of an answers file as cells by header, its five columns included."""
    path = Path(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        # Every header ends with the five columns, so the character before the last of them is the file's separator.
        for row in csv.DictReader(file, delimiter=first.rstrip("\r\n")[-len("worker_id") - 1]):
            yield {name: separated.unguarded(cell) for name, cell in row.items()}
