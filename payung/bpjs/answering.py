"""`payung invoice answers`: hands in BPJS's answers about the participants of an invoice and collects what came of
each row.

A row's event is named by the invoice, the officer, the file's content, the time of the answer and the row's number. So
the same file again is a redelivery: it changes nothing, and the answers are the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from payung import wire
from payung.access.table import OFFICER
from payung.installations import CommandError, Installation
from shared.contracts import envelope, officers, topics
from shared.contracts.catalogue import COMMANDS
from shared.contracts.envelope import Unreadable
from shared.contracts.reasons import Reason
from shared.kernel.calendar import WITA
from shared.lists import answers as answer_files
from shared.lists.answers import RowAnswer
from shared.lists.reader import open_list
from shared.lists.rows import ListFile, Row
from shared.runtime import clock

KIND = "participant.answer.v1"
QUIET_S = 60.0
_NAMESPACE = uuid.UUID("5b1f7a0e-6f0a-5c3e-9a55-2f6f3d1c7b84")
_OUTCOMES = {
    "participant.enrolled.v1": "enrolled",
    "participant.refused.v1": "refused",
    "participant.answer.refused.v1": "rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One file of answers: the invoice it is about, who hands it in, and when BPJS gave it (RFC 3339)."""

    path: Path
    invoice_id: str
    source: str
    answered_at: str
    sha256: str

    def event(self, row: Row) -> dict[str, Any]:
        """The event of a row."""
        name = f"{self.invoice_id}|{self.source}|{self.sha256}|{self.answered_at}|{row.number}"
        data = {"answered_at": self.answered_at, **row.data, "invoice_id": self.invoice_id}
        return wire.event(self.source, KIND, data, str(uuid.uuid5(_NAMESPACE, name)))


@dataclass(slots=True)
class Answers:
    """What came of a file: its rows, and the answer to each by row number."""

    rows: int = 0
    answers: dict[int, RowAnswer] = field(default_factory=dict)
    refused_here: int = 0
    notices: tuple[tuple[str, str], ...] = ()
    path: Path | None = None

    def by_outcome(self) -> dict[str, int]:
        """The number of rows by outcome."""
        counts = {"rejected": self.refused_here} if self.refused_here else {}
        for one in self.answers.values():
            counts[one.outcome] = counts.get(one.outcome, 0) + 1
        return counts


async def hand_in(
    installation: Installation, path: Path, invoice_id: str, officer: str, answered_at: datetime | None = None
) -> Answers:
    """Hands the file in and writes FILE.answers.csv. CommandError when registration does not know the whole invoice."""
    await _require_whole(installation, invoice_id)
    found = open_list(path, "participants")
    handed = Handed(
        path=path,
        invoice_id=invoice_id,
        source=officers.source_of(officer),
        # The time of the file's last change belongs to the file: handed in again, it is the same answer.
        answered_at=envelope.rfc3339((answered_at or _changed(path)).astimezone(WITA).replace(microsecond=0)),
        sha256=_digest(path),
    )
    result = Answers(notices=found.notices, answers=contradictions(found, invoice_id))
    acting = installation.acting_as(OFFICER)
    events = topics.events("registration")
    async with wire.reader(acting) as consumer:
        places = await wire.ends(acting, consumer, [events])
        waiting = await _send(acting, handed, found, result)
        await _await(consumer, places, handed, waiting, result)
    result.path = await asyncio.to_thread(answer_files.write, path, "participants", result.answers)
    return result


async def _require_whole(installation: Installation, invoice_id: str) -> None:
    """Raises CommandError while registration does not know every worker of the invoice."""
    known = (await installation.get("registration", f"/v1/participants/{invoice_id}")).json()
    if known["known_workers"] != known["workers"]:
        raise CommandError(
            f"registration knows {known['known_workers']} of {known['workers']} workers of {invoice_id} yet; "
            "see `payung status`, then run it again"
        )


def contradictions(found: ListFile, invoice_id: str) -> dict[int, RowAnswer]:
    """The rows that are not sent, because other rows of the file make them doubtful: repeated ones, all rows of a
    person or of a card about whom the file says two things, and rows that name another invoice.
    """
    seen: dict[str, tuple[int, int]] = {}
    cards: dict[str, str] = {}
    doubtful: set[str] = set()
    refused: dict[int, RowAnswer] = {}
    for row in _readable(found):
        nik, said = str(row.data.get("nik")), _said(row)
        first = seen.setdefault(nik, (said, row.number))
        if first[0] != said:
            doubtful.add(nik)
        elif first[1] != row.number:
            refused[row.number] = RowAnswer("rejected", (Reason.ANSWER_REPEATED,))
        card = str(row.data.get("kpj") or "")
        if card and cards.setdefault(card, nik) != nik:
            doubtful |= {nik, cards[card]}
        if row.data.get("invoice_id") not in (None, invoice_id):
            refused[row.number] = RowAnswer("rejected", (Reason.NOT_ON_INVOICE,))
    for row in _readable(found) if doubtful else ():
        if str(row.data.get("nik")) in doubtful:
            refused[row.number] = RowAnswer("rejected", (Reason.ANSWER_CONTRADICTING,))
    return refused


def _readable(found: ListFile) -> Iterator[Row]:
    return (row for row in found.rows() if not row.problems)


def _said(row: Row) -> int:
    """What a row says, to be compared with another row of the same person. A number, because a file may have many
    rows."""
    words = (row.data.get(name) for name in ("kpj", "status", "refused", "invoice_id", "answered_at"))
    return hash(tuple(" ".join(str(word or "").lower().split()) for word in words))


async def _send(at: Installation, handed: Handed, found: ListFile, result: Answers) -> dict[str, int]:
    """Publishes every row that can be sent; returns the numbers of the rows that wait for an answer, by event id."""
    waiting: dict[str, int] = {}
    async with wire.sender(at) as out:
        for row in found.rows():
            result.rows += 1
            if row.problems:
                result.refused_here += 1
                continue
            if row.number in result.answers:
                continue
            one = handed.event(row)
            value = orjson.dumps(one)
            reason = _unreadable(value)
            if reason:
                result.answers[row.number] = RowAnswer("rejected", (reason,))
                continue
            waiting[str(one["id"])] = row.number
            await out.send(topics.REGISTRATION_OFFICERS, str(one["id"]), value)
        await out.flush()
    return waiting


def _unreadable(value: bytes) -> str:
    """Why registration could not read an event; it would only become a dead letter."""
    try:
        at_ms = int(clock.now().timestamp() * 1000)
        envelope.read(value, (), topics.REGISTRATION_OFFICERS, at_ms, COMMANDS["registration"])
    except Unreadable as error:
        return f"{Reason.FIELD_INVALID}:{error.code}"
    return ""


async def _await(
    consumer: Any, places: Mapping[Any, int], handed: Handed, waiting: dict[str, int], result: Answers
) -> None:
    left = len(waiting)
    if not left:
        return
    async for one in wire.follow(consumer, places, QUIET_S):
        number = waiting.get(str(one.get("causationid")))
        outcome = _OUTCOMES.get(one["type"])
        if number is None or outcome is None or one.get("causationsource") != handed.source or number in result.answers:
            continue
        data = one["data"]
        result.answers[number] = RowAnswer(outcome, tuple(data.get("reasons", ())), data.get("worker_id"))
        left -= 1
        if not left:
            return
    raise CommandError(f"{left} rows have no answer yet; see `payung status`, then hand the same file in again")


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
