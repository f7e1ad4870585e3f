"""`payung publish`: publishes a list file to an agency's topic and collects the answers, row by row.

A run has a kept id, and the rows are named by it. So an interrupted run continues with the same names: a row that was
taken before is a redelivery and gets the same answer again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from payung import checks, wire
from payung.access.table import agency_name
from payung.installations import CommandError, Installation
from shared.contracts import envelope, officers, topics
from shared.contracts.catalogue import COMMANDS, DECISIONS
from shared.contracts.envelope import Unreadable
from shared.contracts.reasons import Reason
from shared.kernel.event import Event, Intake
from shared.kernel.identity import without_niks
from shared.lists import answers as answer_files
from shared.lists.answers import RowAnswer
from shared.lists.columns import LAYOUTS, ListKind
from shared.lists.reader import open_list
from shared.lists.rows import Row, refused_row
from shared.runtime import clock

# The wait for answers ends after this long without any. The answers so far are kept; --resume continues.
QUIET_S = 60.0
CLAIM_KINDS = ("claims",)
_COMMANDS: Mapping[str, type[Intake]] = {**COMMANDS["registration"], **COMMANDS["claims"]}
_CLAIM_OUTCOMES = {
    "claim.registered.v1": "accepted",
    "claim.held.v1": "held",
    "claim.reopened.v1": "accepted",
    "claim.approved.v1": "approved",
    "claim.paid.v1": "paid",
    "claim.rejected.v1": "rejected",
    "claim.submit.refused.v1": "rejected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One publication of a file, kept so that it can be resumed. `officer` signs a file of decisions."""

    id: str
    file: str
    sha256: str
    agency: str
    kind: ListKind
    feedback: dict[str, int]
    officer: str = ""

    @property
    def source(self) -> str:
        """The sender: the agency, or the officer who signs the file's decisions."""
        return officers.source_of(self.officer) if self.officer else f"agency/{self.agency}"

    @property
    def name(self) -> uuid.UUID:
        """The namespace of its rows' ids."""
        return uuid.UUID(self.id)


@dataclass(slots=True)
class Published:
    """The results of a file: rows read, sent, refused locally; answers by row number."""

    run: Publication
    rows: int = 0
    sent: int = 0
    refused_here: int = 0
    answers: dict[int, RowAnswer] = field(default_factory=dict)
    notices: tuple[tuple[str, str], ...] = ()

    def by_outcome(self) -> dict[str, int]:
        """The number of rows by outcome, including rows refused here."""
        counts: dict[str, int] = {}
        for one in self.answers.values():
            counts[one.outcome] = counts.get(one.outcome, 0) + 1
        if self.refused_here:
            counts["rejected"] = counts.get("rejected", 0) + self.refused_here
        return counts


Progress = Callable[[str, int], None]


async def publish(
    installation: Installation,
    path: Path,
    agency: str,
    kind: ListKind,
    *,
    wait: bool,
    officer: str = "",
    resume: str | None = None,
    progress: Progress = lambda what, count: None,
    announce: Callable[[Publication], None] = lambda run: None,
) -> Published:
    """Publishes a file and, with `wait`, follows the feedback until every row has its answer."""
    regency, name = parse_agency(agency)
    installation = installation.acting_as(agency_name(regency, name))
    feedback = topics.feedback(regency, name)
    target = _target(regency, name, kind)
    if (target == topics.REGISTRATION_OFFICERS) != bool(officer):
        raise CommandError("an officer signs a list of explanations, and no other: --officer NAME")
    found = open_list(path, kind)
    async with wire.reader(installation) as consumer:
        await wire.require(installation, [feedback, target])
        # An agency may not read its own intake.
        places = await wire.ends(installation, consumer, [feedback])
        here = {str(at.partition): offset for at, offset in places.items()}
        run = (
            _load(installation, resume, path, agency, kind)
            if resume
            else _begin(installation, path, agency, kind, here, officer)
        )
        announce(run)
        result = Published(run, notices=found.notices)
        await _send(installation, run, found.rows(), target, result, progress)
        if wait:
            for at in places:
                places[at] = run.feedback.get(str(at.partition), 0)
            await _await_answers(consumer, places, run, result, progress)
            await asyncio.to_thread(answer_files.write, path, kind, result.answers)
    return result


def _target(regency: str, name: str, kind: ListKind) -> str:
    if LAYOUTS[kind].type in DECISIONS:
        return topics.REGISTRATION_OFFICERS
    return topics.claims_intake(regency, name) if kind in CLAIM_KINDS else topics.registration_intake(regency, name)


def parse_agency(agency: str) -> tuple[str, str]:
    """`64.08/dinsos` as regency and name; raises CommandError."""
    found = topics.agency_of_source(f"agency/{agency}")
    if found is None:
        raise CommandError(f"--agency is REGENCY/NAME, for example 64.08/dinsos; got {agency!r}")
    return found


def row_id(run: Publication, number: int) -> str:
    """The event id of a row: uuid5(run, row)."""
    return str(uuid.uuid5(run.name, str(number)))


def row_event(run: Publication, row: Row) -> dict[str, Any]:
    """The CloudEvent of a row. A JSONL line that is already a whole event keeps its own name."""
    if row.envelope is not None:
        return row.envelope
    return _event(run, row, row.sent)


def _refused_event(run: Publication, row: Row, reason: str) -> dict[str, Any]:
    """The event of a row refused here. It lets the row count in the agency's quality like a row refused there."""
    return _event(run, row, refused_row(row, reason))


def _event(run: Publication, row: Row, data: Mapping[str, Any]) -> dict[str, Any]:
    # An officer's decision names the agency that gets the answer.
    told = {**data, "agency": run.agency} if run.officer else data
    return wire.event(run.source, row.type, told, row_id(run, row.number))


async def _send(
    installation: Installation,
    run: Publication,
    rows: Iterator[Row],
    target: str,
    result: Published,
    progress: Progress,
) -> None:
    villages = checks.VillageCodes()
    async with wire.sender(installation) as out:
        for row in rows:
            result.rows += 1
            one = row_event(run, row)
            value = orjson.dumps(one)
            event, reason = _read(row, value, target)
            if event is None:
                if row.problems:
                    result.refused_here += 1
                else:
                    result.answers[row.number] = RowAnswer("rejected", (reason,))
                refused = _refused_event(run, row, reason)
                await out.send(target, str(refused["id"]), orjson.dumps(refused))
                continue
            villages.see(event)
            await out.send(target, without_niks(str(one["id"])), value)
            result.sent += 1
            if result.sent % 500 == 0:
                progress("sent", result.sent)
        await out.flush()
    result.notices = (*result.notices, *villages.notices)
    progress("sent", result.sent)


def _read(row: Row, value: bytes, target: str) -> tuple[Event | None, str]:
    """The event of a row as its service will read it; or None, and why the row is not sent. It would only become a dead
    letter; here the clerk can correct it."""
    if row.problems:
        return None, row.problems[0].reason
    try:
        return envelope.read(value, (), target, int(clock.now().timestamp() * 1000), _COMMANDS), ""
    except Unreadable as error:
        return None, f"{Reason.FIELD_INVALID}:{error.code}"


async def _await_answers(
    consumer: Any, places: dict[Any, int], run: Publication, result: Published, progress: Progress
) -> None:
    waiting = {str(row_event(run, row)["id"]): row.number for row in _sent_rows(run, result)}
    known = len(result.answers)
    if not waiting:
        return
    async for one in wire.follow(consumer, places, QUIET_S):
        number = waiting.get(str(one.get("causationid")))
        if number is None or one.get("causationsource") != run.source:
            continue
        answer = answer_of(one)
        if answer is None or number in result.answers:
            continue
        result.answers[number] = answer
        progress("answered", len(result.answers) - known)
        if len(result.answers) - known == len(waiting):
            return
    unanswered = len(waiting) - (len(result.answers) - known)
    raise CommandError(f"{unanswered} rows have no answer yet; see `payung status`, then go on with: --resume {run.id}")


def _sent_rows(run: Publication, result: Published) -> Iterator[Row]:
    for row in open_list(Path(run.file), run.kind).rows():
        if not row.problems and row.number not in result.answers:
            yield row


def answer_of(one: dict[str, Any]) -> RowAnswer | None:
    """The answer to a row in a feedback event; None when the event answers no row."""
    data = one["data"]
    if one["type"] == "submission.answered.v1":
        warnings = tuple(data.get("warnings", ()))
        return RowAnswer(data["outcome"], tuple(data["reasons"]), data.get("worker_id"), warnings=warnings)
    outcome = _CLAIM_OUTCOMES.get(one["type"])
    if outcome is None:
        return None
    return RowAnswer(outcome, tuple(data.get("reasons", ())), data.get("worker_id"))


def _runs(installation: Installation) -> Path:
    folder = installation.data_dir / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _begin(
    installation: Installation, path: Path, agency: str, kind: ListKind, feedback: dict[str, int], officer: str
) -> Publication:
    run = Publication(
        id=clock.new_id(),
        file=str(path.resolve()),
        sha256=_digest(path),
        agency=agency,
        kind=kind,
        feedback=feedback,
        officer=officer,
    )
    target = _runs(installation) / f"{run.id}.json"
    text = {name: getattr(run, name) for name in ("id", "file", "sha256", "agency", "kind", "feedback", "officer")}
    target.write_text(json.dumps(text), "utf-8")
    return run


def _load(installation: Installation, resume: str, path: Path, agency: str, kind: ListKind) -> Publication:
    kept = _runs(installation) / f"{resume}.json"
    if "/" in resume or not kept.exists():
        raise CommandError(f"no run {resume} was kept in {kept.parent}; publish the file again without --resume")
    run = Publication(**json.loads(kept.read_text("utf-8")))
    if run.agency != agency or run.kind != kind:
        raise CommandError(f"run {resume} was for --agency {run.agency} --kind {run.kind}")
    if run.sha256 != _digest(path):
        raise CommandError(f"{path} has changed since run {resume}; publish it again without --resume")
    return Publication(**{**json.loads(kept.read_text("utf-8")), "file": str(path.resolve())})
