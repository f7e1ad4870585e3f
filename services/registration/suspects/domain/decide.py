"""Says what each event about two workers who may be one person does to their pair (`suspects`, worker_id|worker_id)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.registration.intake.domain.state import Reference, Refusal
from services.registration.suspects.domain import pairs
from services.registration.suspects.domain.pairs import PairDecisionForm, RefusedDecision
from services.registration.suspects.domain.state import Pair, PairStatus
from shared.contracts.registration import DecideSuspect
from shared.contracts.registration_work import SuspicionFound, SuspicionGone
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Routed


def _pair(step: SuspicionFound | SuspicionGone) -> str:
    return pairs.pair_id(step.first, step.second)


PAIR = Kind(Pair, PairStatus, lambda pair: pair.status)
# A decision on two workers whom no scan found alike leaves a refusal.
REFUSAL = Kind(Refusal)
_suspects = Documents[Pair | Refusal, object]("suspects", PAIR, REFUSAL)
(
    _suspects.on(SuspicionFound, _pair)
    .absent(pairs.found)
    .at(REFUSAL, pairs.found)
    .at(PAIR, pairs.found_again, PairStatus.OPEN)
    .at(PAIR, pairs.found_after_gone, PairStatus.GONE)
    .ignored(pairs.KNOWN)
)
_suspects.on(SuspicionGone, _pair).at(PAIR, pairs.gone, PairStatus.OPEN).ignored("pair-not-open")
_suspects.on(PairDecisionForm).absent(pairs.no_pair).at(REFUSAL, pairs.no_pair).at(PAIR, pairs.decided)

_refusals = Documents[Refusal, object]("refusals", REFUSAL)
_refusals.on(RefusedDecision).always(pairs.refuse)

TABLE = Table[object, Reference](_suspects, _refusals).reads(DecideSuspect, pairs.route_officer)
CONFLICTING: Mapping[type, Callable[[Event[Any]], Routed]] = {DecideSuspect: pairs.conflicting}
