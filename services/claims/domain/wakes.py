"""News that was saved wakes the claims it concerns: each is looked at again, many of them page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from services.claims.domain import outcomes
from services.claims.domain.state import Claim
from shared.kernel.decision import Decision, Outcome

S = TypeVar("S")

# More than this are woken in several steps, so that one document never grows too large.
WAKE_MAX = 500


def woken(state: S | None, found: Sequence[tuple[str, Claim]], further: Callable[[str], Outcome]) -> Decision[S]:
    """Asks for a look at each of the claims found; `further` asks for those behind the last one."""
    if state is None:
        return Decision(state=None, ignored="news-unknown")
    if not found:
        # Remembered although nothing came of it: the same wake again must not find who began to wait since.
        return Decision(state=state, ignored="nobody-waits")
    told = [outcome for _, claim in found for outcome in outcomes.look(claim)]
    if len(found) >= WAKE_MAX:
        told.append(further(found[-1][0]))
    return Decision(state=state, outcomes=tuple(told))
