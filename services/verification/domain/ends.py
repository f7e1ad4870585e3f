"""Ends eligibility by facts that arrive at any time: a death, a double, a move, a job, a withdrawal. The leak stopper.

Facts that are told only once (a death from a claim, an employer's roster line, a withdrawal) are kept as side facts and
outweigh every later check; a job does so until registration says that it is over. A regency's loaded lists are looked
up again by every check, so they change only today's verdict. The policy of the day on which a fact is learnt says
whether it excludes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.verification.domain import rules
from services.verification.domain.policy import Policy
from services.verification.domain.rules import Finding
from services.verification.domain.standing import Facts, judge, leave, note, tell
from services.verification.domain.state import Identity, SideFacts, Status
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import WorkerCleared, WorkerEmployed, WorkerSuspected, WorkerWithdrawn
from shared.contracts.verification_work import SourceChanged
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

UNKNOWN = "worker-unknown"
_OVER = (Status.REJECTED, Status.ENDED)
_JOBS = {rules.WAGE_EARNER: Reason.WAGE_EARNER, rules.STATE_EMPLOYEE: Reason.STATE_EMPLOYEE}


def withdrawn(
    identity: Identity | None, known: SideFacts, part: WorkerWithdrawn, event: Event, facts: Facts
) -> Decision[Any]:
    """Ends any verdict, given or still open, unless registration has asked for a newer check since."""
    noted = replace(known, withdrawn_sequence=max(known.withdrawn_sequence, event.sequence or 0))
    if identity is None or identity.sequence > noted.withdrawn_sequence or identity.status in _OVER:
        return note(identity, noted, event.at)
    changed = replace(identity, known=noted)
    if identity.told in (Status.VERIFIED, Status.HELD):
        policy = facts.policy_of(identity, event.at)
        return tell(changed, event.at, Status.ENDED, (Reason.WITHDRAWN,), part.effective_on, policy)
    return leave(replace(changed, status=Status.ENDED, reasons=(Reason.WITHDRAWN,)), event.at)


def died(identity: Identity | None, known: SideFacts, part: WorkerDied, now: datetime, facts: Facts) -> Decision[Any]:
    """A death ends a verified identity and rejects a pending or held one."""
    noted = replace(known, died_on=min(known.died_on or part.died_on, part.died_on))
    if identity is None or identity.status in _OVER:
        return note(identity, noted, now)
    changed = replace(identity, known=noted)
    policy, died_on = facts.policy_of(identity, now), noted.died_on or part.died_on
    if identity.status is Status.VERIFIED:
        return tell(changed, now, Status.ENDED, (Reason.DECEASED,), died_on, policy)
    return judge(changed, rules.DECEASED_BY_CLAIM, now, died_on, policy)


def employed(
    identity: Identity | None, known: SideFacts, part: WorkerEmployed, now: datetime, facts: Facts
) -> Decision[Any]:
    """A wage job: from now on the employer pays the premium."""
    noted = replace(known, wage_earner=True)
    if identity is None:
        return Decision(state=noted)
    policy = facts.policies.at(identity.asked.regency, now)
    return _job(replace(identity, known=noted), rules.WAGE_EARNER, part.started_on, now, policy)


def job_ended(identity: Identity | None, known: SideFacts, now: datetime) -> Decision[Any]:
    """The last job is over: the verdict stays, and the next check no longer counts the job."""
    return note(identity, replace(known, wage_earner=False), now)


def suspected(
    identity: Identity | None, known: SideFacts, part: WorkerSuspected | WorkerCleared, event: Event, facts: Facts
) -> Decision[Any]:
    """Registration suspects, or no longer suspects, that this is the same person as another worker: the verdict stays,
    but payments wait.
    """
    sequence = event.sequence or 0
    if sequence <= known.suspicion_sequence:
        return note(identity, known, event.at)
    noted = replace(known, suspected=isinstance(part, WorkerSuspected), suspicion_sequence=sequence)
    if identity is None or identity.status is not Status.VERIFIED or noted.suspected == known.suspected:
        return note(identity, noted, event.at)
    policy = facts.policy_of(identity, event.at)
    since = business_day(event.at).isoformat() if noted.suspected else identity.checked_on
    return tell(replace(identity, known=noted), event.at, Status.VERIFIED, (), since, policy)


def learnt(identity: Identity | None, part: SourceChanged, now: datetime, facts: Facts) -> Decision[Any]:
    """A newly loaded list says something about a worker that no check has seen yet."""
    if identity is None:
        # A worker whose check comes later is looked up in that list then.
        return Decision(state=None, ignored=UNKNOWN)
    policy, today = facts.policies.at(identity.asked.regency, now), business_day(now).isoformat()
    if part.change == "poverty":
        return _listed(identity, now, today, facts)
    if part.change == "register":
        return _looked_up_again(identity, now, today, facts)
    if part.change == "outside":
        if identity.status is Status.VERIFIED and policy.residence_required:
            return tell(identity, now, Status.ENDED, (Reason.VILLAGE_OUTSIDE,), today, policy)
        return leave(identity, now)
    if part.change == "wage-earner" or part.change == "state-employee":
        rosters = (*(one for one in identity.listed.rosters if one != part.change), part.change)
        changed = replace(identity, listed=replace(identity.listed, rosters=rosters))
        return _job(changed, part.change, part.effective_on or today, now, policy)
    if identity.status in _OVER:
        return leave(identity, now)
    finding = rules.settled(part.change, f"snapshot:{part.version}")
    if part.change == "deceased" and identity.status is Status.VERIFIED:
        return tell(identity, now, Status.ENDED, (Reason.DECEASED,), today, policy)
    if part.change == "deceased" or identity.status in (Status.VERIFIED, Status.PENDING):
        return judge(identity, finding, now, today, policy)
    return leave(identity, now)


def _listed(identity: Identity, now: datetime, today: str, facts: Facts) -> Decision[Any]:
    """The poverty data has arrived for a held case that lacked it: judged again with the register's earlier answer."""
    found = identity.found
    if identity.status is not Status.HELD or Reason.POVERTY_DATA_MISSING not in identity.reasons or found is None:
        return leave(identity, now)
    policy = facts.policy_of(identity, now)
    line = facts.poverty.get((identity.asked.regency, identity.asked.worker_id))
    listed = rules.listed(identity.listed.rosters, line, policy)
    if not listed.poor:
        return leave(identity, now)
    finding = Finding(
        status=found.register,
        score=float(identity.score or 0),
        birth_date_matches=found.birth_date_matches,
        sex_matches=found.sex_matches,
        born=None,
        evidence=identity.evidence[0],
    )
    return judge(replace(identity, listed=listed), finding, now, today, policy)


def _looked_up_again(identity: Identity, now: datetime, today: str, facts: Facts) -> Decision[Any]:
    """Judges a held case again with the newly loaded register.

    A correction in the register then needs no officer, and otherwise the officer sees the register's present content. A
    first officer's proposal stays as long as status and reasons stay the same.
    """
    person = facts.people.get((identity.asked.regency, identity.asked.worker_id))
    if person is None or not rules.waits_for_register(identity.status, identity.reasons, identity.evidence):
        return leave(identity, now)
    again = judge(identity, rules.compare(person, identity.asked), now, today, facts.policy_of(identity, now))
    after: Any = again.state
    if (after.status, after.reasons) != (identity.status, identity.reasons):
        return again
    return leave(replace(after, told=identity.told, proposal=identity.proposal), now)


def _job(identity: Identity, job: str, since: str, now: datetime, policy: Policy) -> Decision[Any]:
    if job not in policy.excluded:
        return leave(identity, now)
    reasons = (_JOBS[job],)
    if identity.status is Status.VERIFIED:
        return tell(identity, now, Status.ENDED, reasons, since, policy)
    if identity.status is Status.HELD and rules.yields_to_job(identity.reasons):
        return tell(identity, now, Status.REJECTED, reasons, business_day(now).isoformat(), policy)
    return leave(identity, now)
