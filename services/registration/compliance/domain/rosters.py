"""An employer's roster: each line gets its own answer and goes on to its employment. Pure.

The roster's own document only records that the roster was taken; no NIK stays in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from services.registration.compliance.domain.state import Roster
from services.registration.intake.domain import rules
from services.registration.intake.domain.answers import key_of
from services.registration.intake.domain.outcomes import work_event
from services.registration.intake.domain.state import Reference, RefusedSubmission, Sender
from services.registration.intake.domain.submissions import sender_of, unreadable
from shared.contracts import tokens, topics
from shared.contracts.registration_duties import RosterLine, RosterLineAnswered
from shared.kernel.calendar import business_day, parse_date
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
    """A roster on its way: each line is a valid line, or the reasons why it is not."""

    sender: Sender
    employer_id: str
    lines: tuple[RosterLine | tuple[str, ...], ...]


def route(event: Event[Intake], reference: Reference) -> tuple[Routed, ...]:
    """The roster's own document, or a refusal document when the roster as a whole cannot be read."""
    intake = event.data
    sender = sender_of(event)
    problems = _problems(intake, sender)
    if problems:
        return (Routed(Address("refusals", event.name), RefusedSubmission(sender=sender, reasons=problems)),)
    fields, today = intake.fields, business_day(event.at)
    lines = tuple(_line(fields, one, sender, reference, today) for one in fields["workers"])
    employer = fields["employer_id"].strip()
    return (Routed(Address("rosters", event.name), RosterReport(sender=sender, employer_id=employer, lines=lines)),)


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


def _problems(intake: Intake, sender: Sender) -> tuple[str, ...]:
    if unread := unreadable(intake, sender):
        return unread
    fields = intake.fields
    found = rules.submission_problems(fields)
    for name in ("employer_id", "employer_name"):
        found += rules.text_problems(name, fields.get(name))
    # A private household that employs people has no NPP; its report may carry a NIK here, which is refused.
    number = rules.text_of(fields.get("employer_id")) or ""
    if not found and not (_NPP.fullmatch(number) and tokens.is_number(number)):
        found.append(rules.invalid("employer_id"))
    if not rules.is_absent(fields.get("regency")) and fields["regency"] != sender.regency:
        found.append(rules.invalid("regency"))
    lines = fields.get("workers")
    if rules.is_absent(lines) or lines == []:
        found.append(rules.missing("workers"))
    elif not isinstance(lines, list) or len(lines) > LINES_MAX:
        found.append(rules.invalid("workers"))
    return tuple(found)


def _line(
    fields: Mapping[str, Any], line: Any, sender: Sender, reference: Reference, today: date
) -> RosterLine | tuple[str, ...]:
    if not isinstance(line, Mapping):
        return (rules.invalid("workers"),)
    found = rules.nik_problems(line.get("nik"), today)
    if rules.is_absent(line.get("started_on")):
        found.append(rules.missing("started_on"))
    ends = _end_of(line.get("contract_ends_on"))
    days = {**line, "contract_ends_on": ends}
    for name in ("started_on", "contract_ends_on", "registered_with_bpjs_on"):
        if not rules.is_absent(days.get(name)) and rules.day_of(days[name]) is None:
            found.append(rules.invalid(name))
    number = line.get("contract_no")
    if number is not None and not rules.is_text(number):
        found.append(rules.invalid("contract_no"))
    started = line.get("started_on")
    if not found and not rules.is_absent(ends) and str(ends) < str(started):
        found.append(rules.invalid("contract_ends_on"))
    if found:
        return tuple(found)
    nik = line["nik"].strip()
    return RosterLine(
        employer_id=fields["employer_id"].strip(),
        employer_name=fields["employer_name"].strip(),
        regency=sender.regency,
        worker_id=worker_id(reference.id_key, nik),
        nik=nik,
        started_on=str(started),
        contract_ends_on=ends or None,
        contract_no=rules.text_of(number),
        registered_on=line.get("registered_with_bpjs_on") or None,
    )


def _end_of(value: Any) -> Any:
    """The last day of a contract; payroll programs write 9999-12-31 when there is none."""
    day = parse_date(value)
    return None if day is not None and day.year >= rules.YEARS.stop else value
