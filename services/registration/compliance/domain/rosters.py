"""An employer's roster: each line gets its own answer and goes on to its employment. Pure.

The roster's own document only records that the roster was taken; no NIK stays in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.registration.compliance.domain.state import Roster
from services.registration.intake.domain import submissions
from services.registration.intake.domain.answers import key_of
from services.registration.intake.domain.fields import NIK, SUBMISSION, Given
from services.registration.intake.domain.outcomes import work_event
from services.registration.intake.domain.state import Reference, Sender
from services.registration.intake.domain.submissions import Submission
from shared.contracts import readers, tokens, topics
from shared.contracts.forms import INVALID, MISSING, Field, Form, Noted, Rule, Values, Wrong, invalid
from shared.contracts.registration_duties import RosterLine, RosterLineAnswered
from shared.kernel.calendar import day_of
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.identity import worker_id
from shared.kernel.values import value

LINES_MAX = 1_000
# NPP, the employer's number. Its exact form is not published, so only text that would break a key or a finding's id is
# refused.
_NPP = re.compile(r"[0-9A-Za-z.-]{1,32}")


@value(frozen=True, slots=True, kw_only=True)
class RosterReport:
    """The report of a roster: each line is a valid line, or the reasons why it is not."""

    sender: Sender
    employer_id: str
    lines: tuple[RosterLine | tuple[str, ...], ...]


@value(frozen=True, slots=True)
class _Line:
    """A readable line; it does not know its employer yet."""

    nik: str
    started_on: str
    ends_on: str | None
    number: str | None
    registered_on: str | None


@value(frozen=True, slots=True)
class _Roster:
    """A readable roster. Its lines may be unreadable."""

    employer_id: str
    employer_name: str
    lines: tuple[_Line | tuple[str, ...], ...]


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The roster's own document, or a refusal document when the roster as a whole cannot be read."""
    return submissions.read(event, reference, _ROSTER, _report)


def _report(submission: Submission[_Roster]) -> Routed:
    sender, roster, key = submission.sender, submission.form, submission.values.given.reference.id_key
    lines = tuple(
        one
        if isinstance(one, tuple)
        else RosterLine(
            employer_id=roster.employer_id,
            employer_name=roster.employer_name,
            regency=sender.regency,
            worker_id=worker_id(key, one.nik),
            nik=one.nik,
            started_on=one.started_on,
            contract_ends_on=one.ends_on,
            contract_no=one.number,
            registered_on=one.registered_on,
        )
        for one in roster.lines
    )
    report = RosterReport(sender=sender, employer_id=roster.employer_id, lines=lines)
    return Routed(Address("rosters", submission.event.name), report)


def decide(state: Roster | None, event: Event[RosterReport], facts: object) -> Decision[Roster]:
    """Answers every line, in order, and sends the valid ones on."""
    part = event.data
    said: list[Outcome] = []
    for number, line in enumerate(part.lines, start=1):
        said.append(_answer(event, part.sender, number, line))
        if isinstance(line, tuple):
            continue
        key = f"{line.employer_id}|{line.worker_id}"
        said.append(work_event(key, "roster.line.v1", line, personal=True))
    accepted = sum(not isinstance(line, tuple) for line in part.lines)
    roster = Roster(
        employer_id=part.employer_id,
        regency=part.sender.regency,
        agency=part.sender.agency,
        lines=len(part.lines),
        accepted=accepted,
    )
    return Decision(state=roster, outcomes=tuple(said))


def _answer(event: Event, sender: Sender, number: int, line: RosterLine | tuple[str, ...]) -> Outcome:
    return Outcome(
        topics.feedback(sender.regency, sender.agency),
        key_of(sender.submission_id, event.id),
        "submission.answered.v1",
        RosterLineAnswered(
            submission_id=sender.submission_id,
            outcome="accepted" if isinstance(line, RosterLine) else "rejected",
            reasons=[] if isinstance(line, RosterLine) else list(line),
            worker_id=line.worker_id if isinstance(line, RosterLine) else None,
            line=number,
        ),
    )


def _line(line: Any, values: Values[Given]) -> _Line | tuple[str, ...]:
    if not isinstance(line, Mapping):
        return (invalid("workers"),)
    read = _LINE.read(line, values.given)
    return read.reasons if read.value is None else read.value


def _line_of(values: Values[Given]) -> _Line:
    return _Line(
        nik=values[NIK],
        started_on=values[_STARTED_ON].isoformat(),
        ends_on=_text(values.get(_ENDS_ON)),
        number=values.get(_CONTRACT_NO),
        registered_on=_text(values.get(_REGISTERED_ON)),
    )


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _last_day(raw: Any, _: object) -> date | Noted[date] | None:
    """The last day of a contract; payroll programs write 9999-12-31 when there is none."""
    found = day_of(raw)
    return None if found is not None and found.year >= readers.YEARS.stop else readers.day_in_years(raw, _)


def _ends_after_it_starts(values: Values[Given]) -> Wrong | None:
    started, ends = values.get(_STARTED_ON), values.get(_ENDS_ON)
    if values.reasons or started is None or ends is None:
        return None
    return INVALID if ends < started else None


def _is_number(values: Values[Given]) -> Wrong | None:
    """A private household that employs people has no NPP; its report may carry a NIK here, which is refused."""
    if values.reasons:
        return None
    number = values[_EMPLOYER_ID]
    return None if _NPP.fullmatch(number) and tokens.is_number(number) else INVALID


def _regency(raw: Any, values: Values[Given]) -> Wrong | None:
    return None if raw == values.given.regency else INVALID


def _workers(raw: Any, values: Values[Given]) -> tuple[_Line | tuple[str, ...], ...] | Wrong:
    if raw == []:
        return MISSING
    if not isinstance(raw, list) or len(raw) > LINES_MAX:
        return INVALID
    return tuple(_line(one, values) for one in raw)


def _roster(values: Values[Given]) -> _Roster:
    return _Roster(values[_EMPLOYER_ID], values[_EMPLOYER_NAME], values[_WORKERS])


_STARTED_ON = Field("started_on", readers.day_in_years)
_ENDS_ON = Field("contract_ends_on", _last_day, optional=True)
_REGISTERED_ON = Field("registered_with_bpjs_on", readers.day_in_years, optional=True)
_CONTRACT_NO = Field("contract_no", readers.text, optional=True)
_LINE = Form(
    _line_of,
    NIK,
    _STARTED_ON,
    _ENDS_ON,
    _REGISTERED_ON,
    _CONTRACT_NO,
    Rule("ends_after_it_starts", _ends_after_it_starts, called=_ENDS_ON.name),
)
_EMPLOYER_ID = Field("employer_id", readers.text)
_EMPLOYER_NAME = Field("employer_name", readers.text)
_WORKERS = Field("workers", _workers)
_ROSTER = Form(
    _roster,
    SUBMISSION,
    _EMPLOYER_ID,
    _EMPLOYER_NAME,
    Rule("is_number", _is_number, called=_EMPLOYER_ID.name),
    Field("regency", _regency, optional=True),
    _WORKERS,
)
