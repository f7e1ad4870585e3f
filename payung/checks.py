"""`payung check`: the services' own form rules over a list, offline.

Each row becomes the event that `publish` would send. The envelope's own reader reads it, and the service's own table
routes it. So both refuse the same rows for the same reasons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from services.claims.domain import forms
from services.claims.domain.state import Reference as ClaimsReference
from services.registration.compliance.domain import explanations, rosters
from services.registration.domain import decide
from services.registration.intake.domain import fields
from services.registration.intake.domain.state import Reference, RefusedSubmission
from services.registration.participants.domain.forms import RefusedAnswer
from shared.contracts import envelope, topics
from shared.contracts.catalogue import COMMANDS, DECISIONS
from shared.contracts.envelope import Unreadable
from shared.contracts.reasons import Reason, field_of, speaks_of_a_code
from shared.kernel.calendar import business_day
from shared.kernel.event import Event, Intake
from shared.lists import villages
from shared.lists.answers import reason_message
from shared.lists.columns import ListKind
from shared.lists.reader import open_list
from shared.lists.rows import ListFile, Row
from shared.reference import areas as area_files
from shared.reference import rates
from shared.reference.areas import Areas
from shared.runtime import clock

# Only shapes are checked here: finding the worker of a NIK needs the installation's secret key.
_NO_KEY = bytes(32)
# A made-up agency: the rules need only its regency.
_AGENCY = "check"
_CLAIMS = "claims"


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why a row would be refused; `place` says where a clerk finds it."""

    row: int
    column: str
    reason: str
    message: str
    place: str = ""

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return asdict(self)


@dataclass(slots=True)
class CheckResult:
    """The number of rows, the faults of some, and notices about the file (Indonesian, English)."""

    rows: int = 0
    refused: list[RowFault] = field(default_factory=list)
    notices: tuple[tuple[str, str], ...] = ()


# Reasons and warnings of an event.
RowReasons = tuple[tuple[str, ...], tuple[str, ...]]
Judge = Callable[[Event[Intake]], RowReasons]


def check(path: Path, regency: str, kind: ListKind) -> CheckResult:
    """Judges every row as the service would today. It cannot know who is registered; only the services know that."""
    return checked(open_list(path, kind), regency, clock.now())


def checked(listed: ListFile, regency: str, now: datetime) -> CheckResult:
    """The result for an opened list, as of an instant."""
    areas = area_files.load()
    judge = _judge(listed.kind, areas)
    found, taken = CheckResult(), Counter[str]()
    for row in listed.rows():
        found.rows += 1
        if row.problems:
            found.refused.extend(
                RowFault(row.number, one.column, one.reason, one.message_id, row.place) for one in row.problems
            )
            continue
        reasons, warnings = _verdict(row, listed.kind, regency, now, judge)
        hints = " ".join(reason_message(one, 0) for one in warnings if reasons and speaks_of_a_code(one))
        for reason in reasons:
            message = reason_message(reason, 0, row.remarks)
            if hints and reason == Reason.VILLAGE_UNKNOWN:
                message = f"{message} {hints}"
            found.refused.append(RowFault(row.number, field_of(reason), reason, message, row.place))
        taken.update(villages.taken(reasons, warnings))
    found.notices = (*listed.notices, *villages.notices(taken, areas))
    return found


class VillageCodes:
    """Counts the villages that a list names and that the service takes by their codes, while the list is sent."""

    def __init__(self) -> None:
        self._reference = Reference(area_files.load(), _NO_KEY)
        self._rows = Counter[str]()

    def see(self, event: Event) -> None:
        """Looks at the event of one row; an event of a refused form counts nothing."""
        named = event.data.fields.get(fields.VILLAGE.name) if isinstance(event.data, Intake) else None
        # Most rows have codes. Only a row with a name is judged as a whole.
        if isinstance(named, str) and not fields.is_code(named, self._reference.areas):
            for routed in decide.route(event, self._reference):
                self._rows.update(villages.taken_by(routed.data))

    @property
    def notices(self) -> tuple[tuple[str, str], ...]:
        """The notices about the rows so far (Indonesian, English)."""
        return villages.notices(self._rows, self._reference.areas)


def _verdict(row: Row, kind: ListKind, regency: str, now: datetime, judge: Judge) -> RowReasons:
    # An officer signs explanations; an agency signs every other kind of list.
    decides = row.type in DECISIONS
    source = "officer/check" if decides else f"agency/{regency}/{_AGENCY}"
    data = row.data if row.envelope is None else row.envelope.get("data")
    one = envelope.command(source, str(row.number), row.type, data)
    service = _CLAIMS if kind == _CLAIMS else "registration"
    intake = topics.claims_intake if kind == _CLAIMS else topics.registration_intake
    topic = topics.REGISTRATION_OFFICERS if decides else intake(regency, _AGENCY)
    try:
        at_ms = int(now.timestamp() * 1000)
        event = envelope.read(orjson.dumps(one), (), topic, at_ms, COMMANDS[service])
    except Unreadable as error:
        return (f"{Reason.FIELD_INVALID}:{error.code}",), ()
    assert event is not None, "every type of a list is a command of its service"
    return judge(event)


def _judge(kind: ListKind, areas: Areas) -> Judge:
    if kind == _CLAIMS:
        reference = ClaimsReference(rates.load(), _NO_KEY)
        return lambda event: (forms.problems(event.data.fields, reference, business_day(event.at)), ())
    ours = Reference(areas, _NO_KEY)
    return lambda event: _refusals(event, ours)


def _refusals(event: Event[Intake], reference: Reference) -> RowReasons:
    """The reasons for which the service would refuse an event; the service's own routing finds them."""
    reasons: list[str] = []
    warnings: list[str] = []
    for routed in decide.route(event, reference):
        warnings += getattr(routed.data, "warnings", ())
        if isinstance(routed.data, RefusedSubmission | explanations.RefusedExplanation | RefusedAnswer):
            reasons += routed.data.reasons
        elif isinstance(routed.data, rosters.RosterReport):
            reasons += [reason for line in routed.data.lines if isinstance(line, tuple) for reason in line]
    return tuple(reasons), tuple(warnings)
