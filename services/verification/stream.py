"""The wiring of verification: topics, event types and functions that make up this service. No logic."""

from __future__ import annotations

from services.verification import api, documents, facts, settings
from services.verification.adapters import dukcapil, sweep
from services.verification.domain import decide
from shared.contracts import topics, verification, verification_work
from shared.contracts.claims import WorkerDied
from shared.contracts.registration import (
    IdentityCheckRequested,
    WorkerCleared,
    WorkerEmployed,
    WorkerJobEnded,
    WorkerSuspected,
    WorkerWithdrawn,
)
from shared.runtime.spec import ServiceSpec

SPEC = ServiceSpec(
    name="verification",
    description="Finds whether a registered worker is a living, single, eligible person.",
    topics=(
        topics.IDENTITY_CHECKS,
        topics.VERIFICATION_INTAKE,
        topics.work("verification"),
        topics.events("registration"),
        topics.events("claims"),
    ),
    inputs={
        **verification.COMMANDS,
        **verification_work.WORK,
        "identity.check-requested.v1": IdentityCheckRequested,
        "worker.employed.v1": WorkerEmployed,
        "worker.job-ended.v1": WorkerJobEnded,
        "worker.withdrawn.v1": WorkerWithdrawn,
        "worker.suspected.v1": WorkerSuspected,
        "worker.cleared.v1": WorkerCleared,
        "worker.died.v1": WorkerDied,
    },
    route=decide.route,
    decide=decide.decide,
    facts=facts.facts,
    stored=documents.STORED,
    indexes=documents.INDEXES,
    reference=facts.reference,
    conflicting=decide.conflicting,
    performers=dukcapil.PERFORMERS,
    outcomes=verification.OUTCOMES,
    routes=api.routes,
    background=sweep.run,
    settings=settings.SETTINGS,
)
