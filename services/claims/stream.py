"""The wiring of claims: topics, event types and functions that make up this service. No logic."""

from __future__ import annotations

from services.claims import api, documents, facts, settings
from services.claims.adapters import bpjs, waits
from services.claims.domain import decide, outcomes
from shared.contracts import claims, claims_work, topics
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.registration import WorkerRegistered, WorkerWithdrawn
from shared.runtime.spec import ServiceSpec

SPEC = ServiceSpec(
    name="claims",
    names_workers="follows",
    description="Assesses death, accident and scholarship claims by the cover of their month, and pays each once.",
    topics=(
        "^claims-intake-.*",
        topics.CLAIMS_OFFICERS,
        topics.work("claims"),
        topics.events("billing"),
        topics.events("registration"),
    ),
    inputs={
        **claims.COMMANDS,
        **claims.DECISIONS,
        **claims_work.WORK,
        "premium.billed.v1": PremiumBilled,
        "premium.paid.v1": PremiumPaid,
        "billing.run-completed.v1": RunCompleted,
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
    after_cause=frozenset(claims_work.WORK),
    performers={**waits.PERFORMERS, outcomes.PAYMENT: bpjs.pay},
    outcomes=claims.OUTCOMES,
    routes=api.routes,
    settings=settings.SETTINGS,
)
