"""Pairs of workers who may be one person: a scan finds them, an officer decides, and both workers' documents get the
result.

Invariants
* While a pair is open, both of its workers are suspected. A decision clears them, and so do forms that changed until
  they are no longer alike.
* No later scan changes a decision; only an officer opens the pair again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.registration.intake.domain.state import Refusal
from services.registration.suspects.domain import outcomes
from services.registration.suspects.domain.state import Pair, PairDecision, PairStatus
from shared.contracts import officers, tokens
from shared.contracts.forms import INVALID, MISSING, Field, Form, Read, Values, Wrong, invalid, never
from shared.contracts.reasons import Reason
from shared.contracts.registration_work import SuspicionFound, SuspicionGone
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

KNOWN = "pair-known"
DECISIONS = ("merge", "different", "unmerge", "reopen")
# The decisions that each status of a pair allows.
_OPEN_TO = {
    PairStatus.OPEN: ("merge", "different"),
    PairStatus.GONE: ("merge", "different"),
    PairStatus.DIFFERENT: ("reopen",),
    PairStatus.MERGED: ("unmerge",),
}


@value(frozen=True, slots=True, kw_only=True)
class PairDecisionForm:
    """A well-formed decision on a pair."""

    first: str
    second: str
    decision: str
    officer: str
    reason: str
    keep: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RefusedDecision:
    """An officer's input that is not a valid decision."""

    first: str | None
    second: str | None
    officer: str | None
    reasons: tuple[str, ...]


def pair_id(one: str, other: str) -> str:
    """The id of a pair; the order of the two workers does not matter."""
    return "|".join(sorted((one, other)))


def route_officer(event: Event[Intake], reference: object) -> tuple[Routed, ...]:
    """An officer's decision, or a refusal with every reason that holds."""
    read = _DECISION.of(event.data, event.source)
    part = read.value
    if part is None or not part.officer:
        unsigned = () if officers.name_of(event.source) else (invalid("source"),)
        return (Routed(Address("refusals", event.name), _refused(read, *unsigned, *read.reasons)),)
    return (Routed(Address("suspects", pair_id(part.first, part.second)), part),)


def conflicting(event: Event[Intake]) -> Routed:
    """Refuses a decision whose name was used before with other content."""
    address = Address("refusals", f"{event.name}|{event.content_hash}")
    read = _DECISION.of(event.data, event.source)
    return Routed(address, _refused(read, Reason.CONFLICTING_DUPLICATE))


def found(state: Refusal | None, event: Event[SuspicionFound], facts: object) -> Decision[Pair]:
    """A scan finds that two workers are alike."""
    part = event.data
    fresh = Pair(
        workers=(part.first, part.second),
        regencies=tuple(part.regencies),
        villages=tuple(part.villages),
        status=PairStatus.OPEN,
        score=part.score,
        reasons=tuple(part.reasons),
        found_at=event.at,
    )
    return Decision(state=fresh, outcomes=_both(fresh, is_open=True))


def found_after_gone(state: Pair, event: Event[SuspicionFound], facts: object) -> Decision[Pair]:
    """Two workers who were no longer alike are alike again."""
    opened = replace(_with_scan(state, event.data), status=PairStatus.OPEN, found_at=event.at)
    return Decision(state=opened, outcomes=_both(opened, is_open=True))


def found_again(state: Pair, event: Event[SuspicionFound], facts: object) -> Decision[Pair]:
    """The pair is open already; what the scan sees of it may have changed."""
    seen = _with_scan(state, event.data)
    return Decision(state=seen) if seen != state else Decision(state=state, ignored=KNOWN)


def _with_scan(pair: Pair, part: SuspicionFound) -> Pair:
    return replace(
        pair,
        regencies=tuple(part.regencies),
        villages=tuple(part.villages),
        score=part.score,
        reasons=tuple(part.reasons),
    )


def gone(state: Pair, event: Event[SuspicionGone], facts: object) -> Decision[Pair]:
    """A scan finds that the two are no longer alike, so nothing is left to decide."""
    closed = replace(state, status=PairStatus.GONE)
    return Decision(state=closed, outcomes=_both(closed, is_open=False))


def decided(state: Pair, event: Event[PairDecisionForm], facts: object) -> Decision[Pair]:
    """Applies an officer's decision: one person, two persons, or an earlier decision taken back."""
    part = event.data
    key = pair_id(part.first, part.second)
    if part.decision not in _OPEN_TO[state.status]:
        refused = outcomes.decision_refused(key, part.first, part.second, part.officer, (Reason.NOT_ELIGIBLE,))
        return Decision(state=state, outcomes=(refused,))
    made = PairDecision(
        decision=part.decision, officer=part.officer, reason=part.reason, decided_at=event.at, keep=part.keep
    )
    noted = replace(state, decisions=(*state.decisions, made))
    said = outcomes.decided(key, noted, made)
    if part.decision == "merge":
        merged = replace(noted, status=PairStatus.MERGED, kept=part.keep)
        step = outcomes.merge(merged.dropped, merged.kept, business_day(event.at).isoformat())
        return Decision(state=merged, outcomes=(said, step, *_both(merged, is_open=False)))
    if part.decision == "unmerge":
        apart = replace(noted, status=PairStatus.DIFFERENT, kept="")
        return Decision(state=apart, outcomes=(said, outcomes.unmerge(state.dropped, state.kept)))
    status = PairStatus.DIFFERENT if part.decision == "different" else PairStatus.OPEN
    settled = replace(noted, status=status)
    return Decision(state=settled, outcomes=(said, *_both(settled, is_open=status is PairStatus.OPEN)))


def no_pair(state: Refusal | None, event: Event[PairDecisionForm], facts: object) -> Decision[Refusal]:
    """Refuses a decision on two workers whom no scan found alike."""
    part, reasons = event.data, (Reason.NOT_REGISTERED,)
    key = pair_id(part.first, part.second)
    refused = outcomes.decision_refused(key, part.first, part.second, part.officer, reasons)
    return Decision(state=state or Refusal(submission_id=None, reasons=reasons), outcomes=(refused,))


def refuse(state: Refusal | None, event: Event[RefusedDecision], facts: object) -> Decision[Refusal]:
    """Answers an input that is not a valid decision."""
    part = event.data
    refused = outcomes.decision_refused(event.id, part.first, part.second, part.officer, part.reasons)
    return Decision(state=Refusal(submission_id=None, reasons=part.reasons), outcomes=(refused,))


def _both(pair: Pair, *, is_open: bool) -> tuple[Outcome, ...]:
    first, second = pair.workers
    return (
        outcomes.suspicion_changed(first, second, pair, is_open=is_open),
        outcomes.suspicion_changed(second, first, pair, is_open=is_open),
    )


def _refused(read: Read[PairDecisionForm], *reasons: str) -> RefusedDecision:
    values = read.values
    officer = officers.name_of(values.given)
    return RefusedDecision(first=values.get(_FIRST), second=values.get(_SECOND), officer=officer, reasons=reasons)


def _worker(raw: Any, _: object) -> str | Wrong:
    return raw if isinstance(raw, str) and tokens.is_worker_id(raw) else INVALID


def _word(raw: Any, _: object) -> str | Wrong:
    return next((one for one in DECISIONS if one == raw), INVALID)


def _officer(raw: Any, values: Values[str]) -> str | Wrong:
    is_own = isinstance(raw, str) and not officers.is_signed_by_another(raw, values.given)
    return officers.name_of(values.given) or "" if is_own else INVALID


def _reason(raw: Any, _: object) -> str | Wrong:
    return raw.strip() if isinstance(raw, str) else INVALID


def _keep(raw: Any, values: Values[str]) -> str | Wrong | None:
    """The worker who stays, in a merge."""
    if values.reasons or values[_WORD] != "merge" or officers.name_of(values.given) is None:
        return None
    if raw is None:
        return MISSING
    return next((one for one in (values[_FIRST], values[_SECOND]) if one == raw), INVALID)


def _decision(values: Values[str]) -> PairDecisionForm:
    first, second = sorted((values[_FIRST], values[_SECOND]))
    return PairDecisionForm(
        first=first,
        second=second,
        decision=values[_WORD],
        officer=values[_OFFICER],
        reason=values[_REASON],
        keep=values.get(_KEEP) or "",
    )


_FIRST = Field("first", _worker)
_SECOND = Field("second", _worker)
_WORD = Field("decision", _word)
_OFFICER = Field("officer", _officer)
_REASON = Field("reason", _reason)
_KEEP = Field("keep", _keep, empty=never)
# What the readers know besides the form is the event's source, which names the officer.
_DECISION: Form[PairDecisionForm, str] = Form(_decision, _FIRST, _SECOND, _WORD, _OFFICER, _REASON, _KEEP)
