"""`payung check`: the services' own form rules over a list, offline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from services.claims.domain import forms
from services.claims.domain.state import Reference
from services.registration.domain import decide, parts, rules
from services.registration.domain.duties import rosters
from shared.contracts import topics
from shared.contracts.catalogue import COMMANDS as COMMANDS_OF
from shared.contracts.reasons import message
from shared.kernel.calendar import business_day
from shared.kernel.event import Event
from shared.lists.columns import LAYOUTS, Kind
from shared.lists.reader import open_list
from shared.reference import areas as area_files
from shared.reference import rates
from shared.reference.areas import Areas
from shared.runtime import clock

# Only shapes are judged here: whom a NIK names needs the installation's secret key.
_NO_KEY = bytes(32)
_COLUMNS = {"nik": "nik", "name": "name", "consent": "consent", "village": "village", "sector": "sector"}


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a row would be refused."""

    row: int
    column: str
    reason: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return asdict(self)


@dataclass(slots=True)
class Findings:
    """How many rows there are, and what is wrong with some."""

    rows: int = 0
    refused: list[Finding] = field(default_factory=list)


Judge = Callable[[Mapping[str, Any]], tuple[str, ...]]


def check(path: Path, regency: str, kind: Kind) -> Findings:
    """Judges every row as the service would, today; what only the services know (who is registered) is not judged."""
    areas, today = area_files.load(), business_day(clock.now())
    judge = _judge(kind, regency, areas, today)
    found = Findings()
    for row in open_list(path, kind).rows():
        found.rows += 1
        if row.problems:
            found.refused.extend(Finding(row.number, one.column, one.reason, one.message_id) for one in row.problems)
            continue
        data = row.data if row.envelope is None else row.envelope.get("data", {})
        for reason in judge(data if isinstance(data, dict) else {}):
            found.refused.append(Finding(row.number, _column(reason), reason, message(reason, "id")))
    return found


def _judge(kind: Kind, regency: str, areas: Areas, today: date) -> Judge:
    if kind == "workers":
        return lambda data: rules.form_problems(data, regency, areas, today)
    if kind == "updates":
        return lambda data: rules.update_problems(data, regency, areas, today)
    if kind == "withdrawals":
        return lambda data: rules.withdrawal_problems(data, today)
    if kind == "attestations":
        return lambda data: rules.attestation_problems(data, today)
    if kind == "claims":
        reference = Reference(rates.load(), _NO_KEY)
        return lambda data: forms.problems(data, reference, today)
    return lambda data: _refusals(kind, data, regency, areas)


def _refusals(kind: Kind, data: Mapping[str, Any], regency: str, areas: Areas) -> tuple[str, ...]:
    """The reasons for which the service would refuse this row, by its own routing of the row's event."""
    layout = LAYOUTS[kind]
    event = Event(
        id="check",
        source=f"agency/{regency}/check",
        type=layout.type,
        data=COMMANDS_OF["registration"][layout.type](data),
        at=clock.now(),
        topic=topics.registration_intake(regency, "check"),
        content_hash="",
    )
    reasons: list[str] = []
    for routed in decide.route(event, parts.Reference(areas, _NO_KEY)):
        if isinstance(routed.data, parts.Refused):
            reasons += routed.data.reasons
        elif isinstance(routed.data, rosters.Report):
            reasons += [reason for line in routed.data.lines if isinstance(line, tuple) for reason in line]
    return tuple(reasons)


def _column(reason: str) -> str:
    code, _, name = reason.partition(":")
    return name or next((column for prefix, column in _COLUMNS.items() if code.startswith(prefix)), "")
