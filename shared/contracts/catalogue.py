"""Every event type of Payung in one place, with its model, by the topic that carries it.

A new event is entered once, in its own module, under its topic. The decoder, the contract's documents and the services'
inputs follow from it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from shared.contracts import (
    billing,
    billing_work,
    claims,
    claims_work,
    registration,
    registration_duties,
    registration_participants,
    registration_stickers,
    registration_work,
    reporting,
    topics,
    verification,
    verification_work,
    worker_ids,
)
from shared.kernel.event import Intake

# What an agency may send to a service. Officers' commands have topics of their own.
AGENCY_COMMANDS: Mapping[str, Mapping[str, type[Intake]]] = {
    "registration": registration.COMMANDS,
    "claims": claims.COMMANDS,
}
# By topic. `admission` says who may send there.
FROM_OUTSIDE: Mapping[str, Mapping[str, type[Intake]]] = {
    topics.BILLING_INTAKE: billing.COMMANDS,
    topics.VERIFICATION_INTAKE: verification.COMMANDS,
    topics.CLAIMS_OFFICERS: claims.DECISIONS,
    topics.REGISTRATION_OFFICERS: {
        **registration.DECISIONS,
        **registration_duties.DECISIONS,
        **registration_participants.DECISIONS,
    },
}
# Events that only officers send.
DECISIONS = frozenset(
    kind
    for topic in (topics.VERIFICATION_INTAKE, topics.CLAIMS_OFFICERS, topics.REGISTRATION_OFFICERS)
    for kind in FROM_OUTSIDE[topic]
)
EVENTS: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "registration": {
        **registration.EVENTS,
        **registration_duties.OUTCOMES,
        **registration_stickers.OUTCOMES,
        **registration_participants.OUTCOMES,
    },
    "verification": verification.OUTCOMES,
    "billing": billing.OUTCOMES,
    "claims": claims.OUTCOMES,
}
WORK: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "registration": {**registration_work.WORK, **registration_duties.WORK, **registration_stickers.WORK},
    "verification": verification_work.WORK,
    "billing": billing_work.WORK,
    "claims": claims_work.WORK,
}
# What the feedback topic of an agency carries, by sending service.
FEEDBACK: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "registration": registration.FEEDBACK,
    "claims": claims.FEEDBACK,
}
CHECKS: Mapping[str, type[BaseModel]] = registration.CHECKS
KEYS: Mapping[str, type[BaseModel]] = worker_ids.OUTCOMES
COVERAGE: Mapping[str, type[BaseModel]] = reporting.OUTCOMES

COMMANDS: Mapping[str, Mapping[str, type[Intake]]] = {
    "registration": {**registration.COMMANDS, **FROM_OUTSIDE[topics.REGISTRATION_OFFICERS]},
    "verification": verification.COMMANDS,
    "billing": billing.COMMANDS,
    "claims": {**claims.COMMANDS, **claims.DECISIONS},
}
OUTCOMES: Mapping[str, Mapping[str, type[BaseModel]]] = {
    "registration": {**EVENTS["registration"], **registration.FEEDBACK, **CHECKS, **KEYS},
    "verification": verification.OUTCOMES,
    "billing": billing.OUTCOMES,
    "claims": claims.OUTCOMES,
    "reporting": COVERAGE,
}
# Types that a consumer of our streams may meet and skip. This version never publishes any other type.
PUBLISHED_TYPES = frozenset(kind for by_type in OUTCOMES.values() for kind in by_type)
