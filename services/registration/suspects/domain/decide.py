"""Names the functions that route and decide each event about a suspect pair (`suspects`, worker_id|worker_id). Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from services.registration.suspects.domain import pairs
from shared.contracts.registration import DecideSuspect
from shared.contracts.registration_work import SuspicionFound, SuspicionGone
from shared.kernel.decision import Decision
from shared.kernel.event import Event, Routed

ROUTES: Mapping[type, Callable[[Event, object], tuple[Routed, ...]]] = {
    DecideSuspect: pairs.route_officer,
    SuspicionFound: pairs.route_step,
    SuspicionGone: pairs.route_step,
}
DECISIONS: Mapping[type, Callable[[Any, Event, object, datetime], Decision[Any]]] = {
    SuspicionFound: pairs.found,
    SuspicionGone: pairs.gone,
    pairs.OfficerDecision: pairs.decided,
    pairs.RefusedDecision: pairs.refuse,
}
CONFLICTING: Mapping[type, Callable[[Event], Routed]] = {DecideSuspect: pairs.conflicting}
