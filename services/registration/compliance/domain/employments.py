"""One person with one employer: the contracts that rosters reported, and the duties that were not kept. Pure.

Duties (docs/rules.md#employers-and-contractors): a worker is registered by the first day of work. Short contracts that
follow one another, none of them registered, are one employment. A worker insured from the regency's budget may not be
on a payroll.

A job also ends: a worker who was reported as employed and has no running contract with any employer is reported as
free. Otherwise one season on a plantation would exclude them from the subsidy for ever.

Invariant: findings follow only from the contracts, the day and the worker's standing. Reports in any order that leave
the same contracts leave the same findings.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from services.registration.compliance.domain.findings import issued, merged
from services.registration.compliance.domain.state import NO_END, Contract, Employment, Facts, Finding
from services.registration.intake.domain.state import Refusal
from shared.contracts import topics
from shared.contracts.registration import WorkerEmployed, WorkerJobEnded
from shared.contracts.registration_duties import FirstDayOver, RosterLine
from shared.kernel.calendar import WITA, business_day
from shared.kernel.decision import Decision, Due, Outcome
from shared.kernel.event import Event
from shared.kernel.identity import without_niks

FIRST_DAY = "first-day"
# A roster that is read before the check of that morning replaces the check, so it publishes the end of the job itself.
# The end may be published twice.
TOLD_AGAIN_DAYS = 31
# A contract that starts within so many days after the last one continues it.
CHAIN_GAP_DAYS = 30
CHAIN_LENGTH_MIN = 2


def reported(state: Employment | Refusal | None, event: Event[RosterLine], facts: Facts) -> Decision[Employment]:
    """Takes a line: a contract is new, or better known than before.

    When the employment was unknown, its document may be the refusal of an explanation that came too early.
    """
    line = event.data
    contract = _contract_of(line)
    known = state if isinstance(state, Employment) else None
    before = known.contracts if known else ()
    subsidised = line.worker_id in facts.subsidised
    employment = Employment(
        employer_id=line.employer_id,
        employer_name=line.employer_name,
        regency=line.regency,
        worker_id=line.worker_id,
        contracts=_with(before, contract),
        subsidised=subsidised,
        findings=known.findings if known else (),
    )
    today = business_day(event.at)
    said: tuple[Outcome, ...] = ()
    if contract not in before and contract.runs_on(today.isoformat()):
        # Verification ends the subsidy, because the employer must insure a wage earner.
        said = (_employed(line),)
    elif known is not None and known.until >= _plus(today.isoformat(), -TOLD_AGAIN_DAYS):
        said = _over(employment, today.isoformat(), facts)
    return _judged(employment, today, said)


def first_day_over(state: Employment, event: Event[FirstDayOver], facts: Facts) -> Decision[Employment]:
    """A first day has passed: a worker without a registration is now registered late. Or the last contract has
    ended.
    """
    part = event.data
    today = business_day(event.at)
    employment = replace(state, subsidised=part.worker_id in facts.subsidised)
    return _judged(employment, today, _over(employment, today.isoformat(), facts))


def _over(employment: Employment, today: str, facts: Facts) -> tuple[Outcome, ...]:
    """Reports that the job ended, if no employer has a running contract with the worker."""
    jobs = {**facts.jobs.get(employment.worker_id, {}), employment.employer_id: employment.until}
    return () if any(until >= today for until in jobs.values()) else (_job_ended(employment),)


def judge(employment: Employment, today: date) -> list[Finding]:
    """The duties not kept, as of a day."""
    return [
        *_registered_late(employment.contracts, today.isoformat()),
        *_chains(employment.contracts, today.isoformat()),
        *_subsidised(employment, today.isoformat()),
    ]


def _judged(employment: Employment, today: date, before: tuple[Outcome, ...] = ()) -> Decision[Employment]:
    findings, changed = merged(employment.findings, judge(employment, today))
    after = replace(employment, findings=findings)
    return Decision(
        state=after, outcomes=(*before, *(issued(after.about, one) for one in changed)), due=next_look(after, today)
    )


def next_look(employment: Employment, today: date) -> Due | None:
    """The morning after the next first day without a registration, or after the last contract's end."""
    coming = [one.started_on for one in employment.contracts if not one.registered_on]
    if employment.until != NO_END:
        coming.append(employment.until)
    coming = [day for day in coming if day >= today.isoformat()]
    if not coming:
        return None
    first = date.fromisoformat(min(coming))
    at = datetime.combine(first + timedelta(days=1), time(), WITA)
    return Due(f"{employment.about.prefix}|{first.isoformat()}", FIRST_DAY, at)


def _contract_of(line: RosterLine) -> Contract:
    return Contract(
        started_on=line.started_on,
        ends_on=line.contract_ends_on,
        number=line.contract_no,
        registered_on=line.registered_on,
    )


def with_line(contracts: tuple[Contract, ...], line: RosterLine) -> tuple[Contract, ...]:
    """The contracts after a line, in order."""
    return _with(contracts, _contract_of(line))


def _with(contracts: tuple[Contract, ...], contract: Contract) -> tuple[Contract, ...]:
    """Replaces the contract with the same number or the same first day: a report may have corrected the number or the
    day, and a worker starts only once a day with one employer. A registration that was reported once is kept.
    """

    def same(one: Contract) -> bool:
        return (one.number == contract.number and bool(one.number)) or one.started_on == contract.started_on

    stood = next((one for one in contracts if same(one)), None)
    if stood is not None and contract.registered_on is None:
        contract = replace(contract, registered_on=stood.registered_on)
    rest = (one for one in contracts if not same(one))
    return tuple(sorted((*rest, contract), key=lambda one: (one.started_on, one.number or "")))


def _registered_late(contracts: tuple[Contract, ...], today: str) -> list[Finding]:
    found = []
    for one in contracts:
        late = one.started_on < today if one.registered_on is None else one.registered_on > one.started_on
        if not late:
            continue
        evidence = [("started_on", one.started_on)]
        if one.number:
            evidence.append(("contract_no", without_niks(one.number)))
        if one.registered_on:
            days = date.fromisoformat(one.registered_on) - date.fromisoformat(one.started_on)
            evidence += [("registered_on", one.registered_on), ("days_late", str(days.days))]
        found.append(
            Finding(
                kind="registered-late",
                subject=one.started_on,
                due_on=one.started_on,
                state="cured" if one.registered_on else "open",
                evidence=tuple(evidence),
            )
        )
    return found


def _chains(contracts: tuple[Contract, ...], today: str) -> list[Finding]:
    """Rows of unregistered contracts, each soon after the other. A row is cured when the contract that continues it is
    registered.
    """
    found, row = [], list[Contract]()
    for one in contracts:
        if one.started_on > today:
            continue
        goes_on = _goes_on(row, one)
        if goes_on and not one.registered_on:
            row.append(one)
            continue
        found += _chain(row, one.registered_on if goes_on else None)
        row = [] if one.registered_on else [one]
    return found + _chain(row, None)


def _goes_on(row: list[Contract], one: Contract) -> bool:
    ends = [before.ends_on for before in row]
    last = max((end for end in ends if end is not None), default="")
    return bool(last) and None not in ends and one.started_on <= _plus(last, CHAIN_GAP_DAYS)


def _chain(row: list[Contract], registered_on: str | None) -> list[Finding]:
    if len(row) < CHAIN_LENGTH_MIN:
        return []
    evidence = [
        ("contracts", str(len(row))),
        ("first_started_on", row[0].started_on),
        ("last_ends_on", row[-1].ends_on or ""),
    ]
    if registered_on:
        evidence.append(("registered_on", registered_on))
    return [
        Finding(
            kind="contract-chain",
            subject=row[0].started_on,
            due_on=row[1].started_on,
            state="cured" if registered_on else "open",
            evidence=tuple(evidence),
        )
    ]


def _subsidised(employment: Employment, today: str) -> list[Finding]:
    if not employment.subsidised:
        return []
    running = [one for one in employment.contracts if one.started_on <= today and one.runs_on(today)]
    return [
        Finding(
            kind="subsidised-worker",
            subject=one.started_on,
            due_on=one.started_on,
            state="open",
            evidence=(("started_on", one.started_on),),
        )
        for one in running
        if not one.registered_on
    ]


def _plus(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def _employed(line: RosterLine) -> Outcome:
    return Outcome(
        topics.IDENTITY_CHECKS,
        line.worker_id,
        "worker.employed.v1",
        WorkerEmployed(worker_id=line.worker_id, nik=line.nik, employer=line.employer_id, started_on=line.started_on),
        personal=True,
    )


def _job_ended(employment: Employment) -> Outcome:
    return Outcome(
        topics.IDENTITY_CHECKS,
        employment.worker_id,
        "worker.job-ended.v1",
        WorkerJobEnded(worker_id=employment.worker_id, employer=employment.employer_id, ended_on=employment.until),
        personal=True,
    )
