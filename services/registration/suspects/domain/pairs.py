"""Pairs of workers who may be one person: a scan finds them, an officer decides, both workers are told.

Invariants
* While a pair is open, both of its workers are suspected. A decision clears them, and so do forms that changed until
  they are no longer alike.
* A decision stands over every later scan; only an officer opens the pair again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.intake.domain.state import Refusal
from services.registration.suspects.domain import outcomes
from services.registration.suspects.domain.state import Pair, PairDecision, PairStatus
from shared.contracts import officers, tokens
from shared.contracts.reasons import Reason
from shared.contracts.registration_work import SuspicionFound
from shared.kernel.calendar import business_day
from shared.kernel.decision import Address, Decision, Outcome
from shared.kernel.event import Event, Intake, Routed
from shared.kernel.values import value

DECISIONS = ("merge", "different", "unmerge", "reopen")
# The decisions that each status of a pair allows.
_OPEN_TO = {
    PairStatus.OPEN: ("merge", "different"),
    PairStatus.GONE: ("merge", "different"),
    PairStatus.DIFFERENT: ("reopen",),
    PairStatus.MERGED: ("unmerge",),
}


@value(frozen=True, slots=True, kw_only=True)
class OfficerDecision:
    """A well-formed decision on a pair."""

    first: str
    second: str
    decision: str
    officer: str
    reason: str
    keep: str = ""


@value(frozen=True, slots=True, kw_only=True)
class RefusedDecision:
    """An officer's input that is no valid decision."""

    first: str | None
    second: str | None
    officer: str | None
    reasons: tuple[str, ...]


def pair_id(one: str, other: str) -> str:
    """The id of a pair; the order of the two workers does not matter."""
    return "|".join(sorted((one, other)))


def route_step(event: Event, reference: Any) -> tuple[Routed, ...]:
    """Routes a scan's finding to its pair."""
    return (Routed(Address("suspects", pair_id(event.data.first, event.data.second)), event.data),)


def route_officer(event: Event, reference: Any) -> tuple[Routed, ...]:
    """An officer's decision, or a refusal with every reason that holds."""
    intake: Intake = event.data
    fields = intake.fields
    signed_by = officers.name_of(event.source)
    problems: list[str] = [] if signed_by else [f"{Reason.FIELD_INVALID}:source"]
    if intake.problem:
        problems.append(f"{Reason.FIELD_INVALID}:data")
    else:
        for name in ("first", "second", "decision", "officer", "reason"):
            value = fields.get(name)
            if value is None or (isinstance(value, str) and not value.strip()):
                problems.append(f"{Reason.FIELD_MISSING}:{name}")
            elif (
                not isinstance(value, str)
                or (name == "decision" and value not in DECISIONS)
                or (name in ("first", "second") and not tokens.is_worker_id(value))
                or (name == "officer" and officers.is_signed_by_another(value, event.source))
            ):
                problems.append(f"{Reason.FIELD_INVALID}:{name}")
        if not problems and fields["decision"] == "merge":
            problems += _keep_problems(fields)
    if problems:
        return (Routed(Address("refusals", event.name), _refused(event, *problems)),)
    part = OfficerDecision(
        first=min(fields["first"], fields["second"]),
        second=max(fields["first"], fields["second"]),
        decision=fields["decision"],
        officer=signed_by or "",
        reason=fields["reason"].strip(),
        keep=fields["keep"] if fields["decision"] == "merge" else "",
    )
    return (Routed(Address("suspects", pair_id(part.first, part.second)), part),)


def conflicting(event: Event) -> Routed:
    """Refuses a decision whose name was used before with other content."""
    address = Address("refusals", f"{event.name}|{event.content_hash}")
    return Routed(address, _refused(event, Reason.CONFLICTING_DUPLICATE))


def found(state: Pair | Refusal | None, event: Event, facts: object, now: datetime) -> Decision[Any]:
    """A scan finds that two workers are alike."""
    part: SuspicionFound = event.data
    if not isinstance(state, Pair):
        fresh = Pair(
            workers=(part.first, part.second),
            regencies=tuple(part.regencies),
            villages=tuple(part.villages),
            status=PairStatus.OPEN,
            score=part.score,
            reasons=tuple(part.reasons),
            found_at=now,
        )
        return Decision(state=fresh, outcomes=_both(fresh, is_open=True))
    seen = replace(
        state,
        regencies=tuple(part.regencies),
        villages=tuple(part.villages),
        score=part.score,
        reasons=tuple(part.reasons),
    )
    if state.status is PairStatus.GONE:
        opened = replace(seen, status=PairStatus.OPEN, found_at=now)
        return Decision(state=opened, outcomes=_both(opened, is_open=True))
    if state.status is PairStatus.OPEN and seen != state:
        return Decision(state=seen)
    return Decision(state=state, ignored="pair-known")


def gone(state: Pair | Refusal | None, event: Event, facts: object, now: datetime) -> Decision[Any]:
    """A scan finds that the two are no longer alike, so nothing is left to decide."""
    if not isinstance(state, Pair) or state.status is not PairStatus.OPEN:
        return Decision(state=state, ignored="pair-not-open")
    closed = replace(state, status=PairStatus.GONE)
    return Decision(state=closed, outcomes=_both(closed, is_open=False))


def decided(state: Pair | Refusal | None, event: Event, facts: object, now: datetime) -> Decision[Any]:
    """Applies an officer's decision: one person, two persons, or an earlier decision taken back."""
    part: OfficerDecision = event.data
    key = pair_id(part.first, part.second)
    if not isinstance(state, Pair) or part.decision not in _OPEN_TO[state.status]:
        reason = Reason.NOT_ELIGIBLE if isinstance(state, Pair) else Reason.NOT_REGISTERED
        refused = outcomes.decision_refused(key, part.first, part.second, part.officer, (reason,))
        return Decision(state=state or Refusal(submission_id=None, reasons=(reason,)), outcomes=(refused,))
    made = PairDecision(
        decision=part.decision, officer=part.officer, reason=part.reason, decided_at=now, keep=part.keep
    )
    noted = replace(state, decisions=(*state.decisions, made))
    said = outcomes.decided(key, noted, made)
    if part.decision == "merge":
        merged = replace(noted, status=PairStatus.MERGED, kept=part.keep)
        step = outcomes.merge(merged.dropped, merged.kept, business_day(now).isoformat())
        return Decision(state=merged, outcomes=(said, step, *_both(merged, is_open=False)))
    if part.decision == "unmerge":
        apart = replace(noted, status=PairStatus.DIFFERENT, kept="")
        return Decision(state=apart, outcomes=(said, outcomes.unmerge(state.dropped, state.kept)))
    status = PairStatus.DIFFERENT if part.decision == "different" else PairStatus.OPEN
    settled = replace(noted, status=status)
    return Decision(state=settled, outcomes=(said, *_both(settled, is_open=status is PairStatus.OPEN)))


def refuse(state: Pair | Refusal | None, event: Event, facts: object, now: datetime) -> Decision[Any]:
    """Answers an input that is no valid decision."""
    part: RefusedDecision = event.data
    refused = outcomes.decision_refused(event.id, part.first, part.second, part.officer, part.reasons)
    return Decision(state=Refusal(submission_id=None, reasons=part.reasons), outcomes=(refused,))


def _both(pair: Pair, *, is_open: bool) -> tuple[Outcome, ...]:
    first, second = pair.workers
    return (
        outcomes.stands(first, second, pair, is_open=is_open),
        outcomes.stands(second, first, pair, is_open=is_open),
    )


def _keep_problems(fields: Any) -> list[str]:
    keep = fields.get("keep")
    if keep is None:
        return [f"{Reason.FIELD_MISSING}:keep"]
    return [] if keep in (fields["first"], fields["second"]) else [f"{Reason.FIELD_INVALID}:keep"]


def _refused(event: Event, *reasons: str) -> RefusedDecision:
    said = {name: event.data.fields.get(name) for name in ("first", "second")}
    texts = {name: value if tokens.is_worker_id(value) else None for name, value in said.items()}
    officer = officers.name_of(event.source)
    return RefusedDecision(first=texts["first"], second=texts["second"], officer=officer, reasons=reasons)
