"""Wakes the claims that a saved event concerns: each is looked at again, page by page when there are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.claims.domain import outcomes
from services.claims.domain.state import Claim
from shared.kernel.decision import Decision, Outcome

S = TypeVar("S")

# More claims than this are woken in several steps, so that one document never grows too large.
WAKE_MAX = 500
UNKNOWN = "news-unknown"


def wake_claims(state: S, found: Sequence[tuple[str, Claim]], further: Callable[[str], Outcome]) -> Decision[S]:
    """Asks for a look at each claim that was found; `further` asks for the claims after the last one."""
    if not found:
        # Saved although no claim was found: when this wake is redelivered, it must not find claims that began to wait
        # later.
        return Decision(state=state, ignored="nobody-waits")
    told = [outcome for _, claim in found for outcome in outcomes.look(claim)]
    if len(found) >= WAKE_MAX:
        told.append(further(found[-1][0]))
    return Decision(state=state, outcomes=tuple(told))
