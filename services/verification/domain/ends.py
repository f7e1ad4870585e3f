"""Ends eligibility by facts that arrive at any time: a death, a double, a move, a job, a withdrawal. The leak stopper.

Facts that are published only once (a death from a claim, an employer's roster line, a withdrawal) are kept as side
facts and outweigh every later check; a job does so until registration says that it is over. A regency's loaded lists
are looked up again by every check, so they change only today's verdict. The policy of the day on which a fact is learnt
says whether it excludes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.verification.domain import rules
from services.verification.domain.policy import Policy
from services.verification.domain.rules import SourceAnswer
from services.verification.domain.standing import Facts, judge, leave, note, publish_verdict
from services.verification.domain.state import CheckStatus, Identity, SideFacts
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import (
    WorkerCleared,
    WorkerEmployed,
    WorkerJobEnded,
    WorkerSuspected,
    WorkerWithdrawn,
)
from shared.contracts.verification_work import SourceChanged
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision
from shared.kernel.event import Event

UNKNOWN = "worker-unknown"
SuspicionEvent = WorkerSuspected | WorkerCleared
_OVER = (CheckStatus.REJECTED, CheckStatus.ENDED)
_JOBS = {rules.WAGE_EARNER: Reason.WAGE_EARNER, rules.STATE_EMPLOYEE: Reason.STATE_EMPLOYEE}


def withdrawal_noted(state: SideFacts | None, event: Event[WorkerWithdrawn], facts: Facts) -> Decision[SideFacts]:
    """A withdrawal before any check: it voids those that were requested before it."""
    return Decision(state=_withdrawn(state or SideFacts(), event))


def withdrawn(state: Identity, event: Event[WorkerWithdrawn], facts: Facts) -> Decision[Identity]:
    """Ends any verdict, given or still open, unless registration has asked for a newer check since."""
    noted = _withdrawn(state.known, event)
    if state.sequence > noted.withdrawn_sequence or state.status in _OVER:
        return note(state, noted, event.at)
    changed = replace(state, known=noted)
    if state.told in (CheckStatus.VERIFIED, CheckStatus.HELD):
        policy = facts.policy_of(state, event.at)
        return publish_verdict(
            changed, event.at, CheckStatus.ENDED, (Reason.WITHDRAWN,), event.data.effective_on, policy
        )
    return leave(replace(changed, status=CheckStatus.ENDED, reasons=(Reason.WITHDRAWN,)), event.at)


def _withdrawn(known: SideFacts, event: Event) -> SideFacts:
    return replace(known, withdrawn_sequence=max(known.withdrawn_sequence, event.sequence or 0))


def death_noted(state: SideFacts | None, event: Event[WorkerDied], facts: Facts) -> Decision[SideFacts]:
    """A death before any check."""
    return Decision(state=_died(state or SideFacts(), event.data))


def died(state: Identity, event: Event[WorkerDied], facts: Facts) -> Decision[Identity]:
    """A death ends a verified identity and rejects a pending or held one."""
    noted = _died(state.known, event.data)
    if state.status in _OVER:
        return note(state, noted, event.at)
    changed = replace(state, known=noted)
    policy, died_on = facts.policy_of(state, event.at), noted.died_on or event.data.died_on
    if state.status is CheckStatus.VERIFIED:
        return publish_verdict(changed, event.at, CheckStatus.ENDED, (Reason.DECEASED,), died_on, policy)
    return judge(changed, rules.DECEASED_BY_CLAIM, event.at, died_on, policy)


def _died(known: SideFacts, part: WorkerDied) -> SideFacts:
    return replace(known, died_on=min(known.died_on or part.died_on, part.died_on))


def job_noted(state: SideFacts | None, event: Event[WorkerEmployed], facts: Facts) -> Decision[SideFacts]:
    """A wage job before any check."""
    return Decision(state=replace(state or SideFacts(), wage_earner=True))


def employed(state: Identity, event: Event[WorkerEmployed], facts: Facts) -> Decision[Identity]:
    """A wage job: from now on the employer pays the premium."""
    policy = facts.policies.at(state.asked.regency, event.at)
    noted = replace(state, known=replace(state.known, wage_earner=True))
    return _job(noted, rules.WAGE_EARNER, event.data.started_on, event.at, policy)


def no_job_noted(state: SideFacts | None, event: Event[WorkerJobEnded], facts: Facts) -> Decision[SideFacts]:
    """The end of a job before any check."""
    return Decision(state=replace(state or SideFacts(), wage_earner=False))


def job_ended(state: Identity, event: Event[WorkerJobEnded], facts: Facts) -> Decision[Identity]:
    """The last job is over: the verdict stays, and the next check no longer counts the job."""
    return note(state, replace(state.known, wage_earner=False), event.at)


def suspicion_noted(state: SideFacts | None, event: Event[SuspicionEvent], facts: Facts) -> Decision[SideFacts]:
    """A suspicion, or its end, before any check."""
    return Decision(state=_suspected(state or SideFacts(), event))


def suspected(state: Identity, event: Event[SuspicionEvent], facts: Facts) -> Decision[Identity]:
    """Registration suspects, or no longer suspects, that this is the same person as another worker: the verdict stays,
    but payments wait.
    """
    noted = _suspected(state.known, event)
    if state.status is not CheckStatus.VERIFIED or noted.suspected == state.known.suspected:
        return note(state, noted, event.at)
    policy = facts.policy_of(state, event.at)
    since = business_day(event.at).isoformat() if noted.suspected else state.checked_on
    return publish_verdict(replace(state, known=noted), event.at, CheckStatus.VERIFIED, (), since, policy)


def _suspected(known: SideFacts, event: Event[SuspicionEvent]) -> SideFacts:
    sequence = event.sequence or 0
    if sequence <= known.suspicion_sequence:
        return known
    return replace(known, suspected=isinstance(event.data, WorkerSuspected), suspicion_sequence=sequence)


def learnt(state: Identity, event: Event[SourceChanged], facts: Facts) -> Decision[Identity]:
    """A newly loaded list says something about a worker. A worker who has no check yet is looked up in the list when
    the check comes."""
    identity, part, now = state, event.data, event.at
    policy, today = facts.policies.at(identity.asked.regency, now), business_day(now).isoformat()
    if part.change == "poverty":
        return _listed(identity, now, today, facts)
    if part.change == "register":
        return _looked_up_again(identity, now, today, facts)
    if part.change == "outside":
        if identity.status is CheckStatus.VERIFIED and policy.residence_required:
            return publish_verdict(identity, now, CheckStatus.ENDED, (Reason.VILLAGE_OUTSIDE,), today, policy)
        return leave(identity, now)
    if part.change == "wage-earner" or part.change == "state-employee":
        rosters = (*(one for one in identity.listed.rosters if one != part.change), part.change)
        changed = replace(identity, listed=replace(identity.listed, rosters=rosters))
        return _job(changed, part.change, part.effective_on or today, now, policy)
    if identity.status in _OVER:
        return leave(identity, now)
    finding = rules.settled(part.change, f"snapshot:{part.version}")
    if part.change == "deceased" and identity.status is CheckStatus.VERIFIED:
        return publish_verdict(identity, now, CheckStatus.ENDED, (Reason.DECEASED,), today, policy)
    if part.change == "deceased" or identity.status in (CheckStatus.VERIFIED, CheckStatus.PENDING):
        return judge(identity, finding, now, today, policy)
    return leave(identity, now)


def _listed(identity: Identity, now: datetime, today: str, facts: Facts) -> Decision[Identity]:
    """The poverty data has arrived for a held case that lacked it: judged again with the register's earlier answer."""
    found = identity.found
    if identity.status is not CheckStatus.HELD or Reason.POVERTY_DATA_MISSING not in identity.reasons or found is None:
        return leave(identity, now)
    policy = facts.policy_of(identity, now)
    line = facts.poverty.get((identity.asked.regency, identity.asked.worker_id))
    listed = rules.listed(identity.listed.rosters, line, policy)
    if not listed.poor:
        return leave(identity, now)
    finding = SourceAnswer(
        status=found.register,
        score=float(identity.score or 0),
        birth_date_matches=found.birth_date_matches,
        sex_matches=found.sex_matches,
        born=None,
        evidence=identity.evidence[0],
    )
    return judge(replace(identity, listed=listed), finding, now, today, policy)


def _looked_up_again(identity: Identity, now: datetime, today: str, facts: Facts) -> Decision[Identity]:
    """Judges a held case again with the newly loaded register.

    A correction in the register then needs no officer, and otherwise the officer sees the register's present content. A
    first officer's proposal stays as long as status and reasons stay the same.
    """
    person = facts.people.get((identity.asked.regency, identity.asked.worker_id))
    if person is None or not rules.waits_for_register(identity.status, identity.reasons, identity.evidence):
        return leave(identity, now)
    again = judge(identity, rules.compare(person, identity.asked), now, today, facts.policy_of(identity, now))
    after = again.state
    if after is None or (after.status, after.reasons) != (identity.status, identity.reasons):
        return again
    return leave(replace(after, told=identity.told, proposal=identity.proposal), now)


def _job(identity: Identity, job: str, since: str, now: datetime, policy: Policy) -> Decision[Identity]:
    if job not in policy.excluded:
        return leave(identity, now)
    reasons = (_JOBS[job],)
    if identity.status is CheckStatus.VERIFIED:
        return publish_verdict(identity, now, CheckStatus.ENDED, reasons, since, policy)
    if identity.status is CheckStatus.HELD and rules.yields_to_job(identity.reasons):
        return publish_verdict(identity, now, CheckStatus.REJECTED, reasons, business_day(now).isoformat(), policy)
    return leave(identity, now)
