"""What reading a list gives: the file, its rows, and the problems of rows of which nothing can be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from shared.contracts.reasons import Reason
from shared.lists.columns import Kind
from shared.lists.source import Source
from shared.lists.tables import Fault


@dataclass(frozen=True, slots=True)
class Problem:
    """Why nothing of a row can be sent: the column as in the file, the reason code and the words for the clerk."""

    column: str
    reason: str
    message_id: str
    message_en: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list: where it stands, what it says, and the data of its event.

    `number` counts as a spreadsheet does: the header of a table is row 1, the first line of a JSONL file is row 1.
    `envelope` is the whole event when a JSONL line was one.
    """

    number: int
    header: tuple[str, ...]
    cells: tuple[str, ...]
    type: str
    data: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    envelope: dict[str, Any] | None = None

    @property
    def columns(self) -> dict[str, str]:
        """The original cells by header."""
        return dict(zip(self.header, self.cells, strict=True))


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list file whose header is understood. `rows` reads it from the start each time it is called.

    `notices` are pairs (Indonesian, English) of what the reader assumed or left out.
    """

    source: Source
    kind: Kind
    format: Literal["csv", "xlsx", "jsonl"]
    delimiter: str
    bom: bool
    header: tuple[str, ...]
    notices: tuple[tuple[str, str], ...]
    rows: Callable[[], Iterator[Row]]


FAULTS: dict[Fault, Problem] = {
    "undecodable": Problem(
        "",
        Reason.ROW_UNREADABLE,
        "Baris ini tidak tertulis dalam pengodean yang sama dengan baris lain; simpan berkas sebagai CSV UTF-8.",
        "This row is written in another encoding than the others; save the file as CSV UTF-8.",
    ),
    "open-quote": Problem(
        "",
        Reason.ROW_RAGGED,
        'Tanda kutip (") pada baris ini tidak ditutup; hapus atau tutup tanda kutipnya.',
        'A quotation mark (") of this row is never closed; remove or close it.',
    ),
}
NOT_JSON = Problem(
    "",
    Reason.ROW_UNREADABLE,
    "Baris ini bukan objek JSON yang sah; satu baris harus memuat satu objek.",
    "This line is no valid JSON object; each line must hold one object.",
)


def ragged(count: int, expected: int) -> Problem:
    """A row with another number of cells than the header."""
    return Problem(
        "",
        Reason.ROW_RAGGED,
        f"Baris ini memuat {count} kolom, judulnya {expected}; periksa tanda pemisah.",
        f"This row has {count} columns, the header {expected}; check the separators.",
    )


def lost_digits(column: str, cell: str) -> Problem:
    """A NIK that a spreadsheet has shortened to 6.40E+15."""
    return Problem(
        column,
        Reason.NIK_MALFORMED,
        f"Excel mengubah NIK menjadi {cell} dan angka terakhirnya hilang; format kolom sebagai Teks lalu isi ulang.",
        f"Excel turned the NIK into {cell} and lost its last digits; format the column as Text and enter it again.",
    )


def unused(name: str, meant: str | None) -> tuple[str, str]:
    """The notice about a column that nobody knows, Indonesian and English."""
    hint_id, hint_en = (f" (maksudnya {meant}?)", f" (did you mean {meant}?)") if meant else ("", "")
    return f"Kolom {name} tidak dipakai{hint_id}.", f"The column {name} is not used{hint_en}."
