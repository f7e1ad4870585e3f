"""An officer settles a held case: alone, or together with a second officer when the policy wants four eyes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from services.verification.domain import outcomes, rules
from services.verification.domain.parts import IdentityDecisionForm
from services.verification.domain.policy import Policy
from services.verification.domain.standing import Facts, leave, publish_verdict
from services.verification.domain.state import CheckStatus, Identity, Proposal, Ruling, SideFacts
from shared.contracts.officers import same_person
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day
from shared.kernel.decision import Decision, Outcome
from shared.kernel.event import Event


def not_registered(state: SideFacts | None, event: Event[IdentityDecisionForm], facts: Facts) -> Decision[SideFacts]:
    """Refuses a decision on a worker whom no check has asked about."""
    return Decision(state=state or SideFacts(), outcomes=(_refused(event.data, Reason.NOT_REGISTERED),))


def not_held(state: Identity, event: Event[IdentityDecisionForm], facts: Facts) -> Decision[Identity]:
    """Refuses a decision on a case that does not wait for one."""
    return leave(state, event.at, (_refused(event.data, Reason.NOT_ELIGIBLE),))


def settle(state: Identity, event: Event[IdentityDecisionForm], facts: Facts) -> Decision[Identity]:
    """Settles a case by the officers' rules of the day of the decision, not of the day on which the case was held."""
    identity, part, now = state, event.data, event.at
    policy = facts.policies.at(identity.asked.regency, now)
    if not policy.may_decide(part.signed_by):
        return leave(identity, now, (_refused(part, Reason.OFFICER_NOT_ALLOWED),))
    first = identity.proposal
    ruling = Ruling(officer=part.signed_by, reason=part.reason, decided_on=business_day(now).isoformat())
    if policy.needs_two(identity.reasons):
        if first is not None and same_person(first.signed_by, part.signed_by):
            return leave(identity, now, (_refused(part, Reason.SECOND_OFFICER_NEEDED),))
        if first is None or first.verified != part.verified:
            # This is the first proposal, or it contradicts the first: it now waits for another officer who agrees.
            waiting = replace(
                identity, proposal=Proposal(ruling=ruling, signed_by=part.signed_by, verified=part.verified)
            )
            return leave(waiting, now, (outcomes.proposed(identity, part.verified),))
    return _ruled(identity, part.verified, ruling, now, policy)


def _ruled(identity: Identity, verified: bool, ruling: Ruling, now: datetime, policy: Policy) -> Decision[Identity]:
    evidence = (*identity.evidence, *(("officer", "second-officer") if identity.proposal else ("officer",)))
    changed = replace(identity, ruling=ruling, evidence=evidence)
    today = ruling.decided_on
    if not verified:
        return publish_verdict(changed, now, CheckStatus.REJECTED, identity.reasons, today, policy)
    jobs: list[str] = []
    if identity.known.wage_earner or rules.WAGE_EARNER in identity.listed.rosters:
        jobs.append(Reason.WAGE_EARNER)
    if rules.STATE_EMPLOYEE in identity.listed.rosters:
        jobs.append(Reason.STATE_EMPLOYEE)
    barring = tuple(one for one in jobs if one in policy.excluded)
    if barring:
        # The officer confirms the identity, but the employer must still pay the premium, so the job rejects.
        return publish_verdict(changed, now, CheckStatus.REJECTED, barring, today, policy)
    return publish_verdict(changed, now, CheckStatus.VERIFIED, (), today, policy)


def _refused(part: IdentityDecisionForm, reason: Reason) -> Outcome:
    return outcomes.refused(part.worker_id, part.signed_by, (reason,), part.worker_id)
