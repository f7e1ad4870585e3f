"""The wiring of billing: topics, event types and functions that make up this service. No logic."""

from __future__ import annotations

from services.billing import adapters, api, documents, facts, settings
from services.billing.domain import decide
from shared.contracts import billing, billing_work, topics
from shared.contracts.claims import WorkerDied
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.runtime.spec import ServiceSpec

SPEC = ServiceSpec(
    name="billing",
    description="Bills each verified worker once a month across all funders, within the budget's two accounts.",
    topics=(
        topics.BILLING_INTAKE,
        topics.work("billing"),
        topics.events("verification"),
        topics.events("claims"),
        topics.events("registration"),
    ),
    inputs={
        **billing.COMMANDS,
        **billing_work.WORK,
        "identity.verified.v1": IdentityVerified,
        "identity.rejected.v1": IdentityRejected,
        "identity.held.v1": IdentityHeld,
        "identity.ended.v1": IdentityEnded,
        "worker.died.v1": WorkerDied,
        "worker.withdrawn.v1": WorkerWithdrawn,
        "worker.registered.v1": WorkerRegistered,
    },
    route=decide.route,
    decide=decide.decide,
    facts=facts.facts,
    stored=documents.STORED,
    indexes=documents.INDEXES,
    reference=facts.reference,
    conflicting=decide.conflicting,
    first_only=billing_work.FIRST_ONLY,
    performers=adapters.PERFORMERS,
    outcomes=billing.OUTCOMES,
    routes=api.routes,
    settings=settings.SETTINGS,
)
