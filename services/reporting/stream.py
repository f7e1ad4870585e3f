"""The wiring of reporting: topics, event types and functions that make up this service. No logic."""

from __future__ import annotations

from services.reporting import documents, facts, settings
from services.reporting.api import board, web
from services.reporting.domain import decide
from shared.contracts import reporting, topics
from shared.contracts.catalogue import OUTCOMES
from shared.runtime.spec import ServiceSpec

SPEC = ServiceSpec(
    name="reporting",
    description="Coverage, budget, claims and data quality, counted from the open events; holds no personal data.",
    topics=(
        topics.events("registration"),
        topics.events("verification"),
        topics.events("billing"),
        topics.events("claims"),
        "^feedback-.*",
    ),
    inputs={
        kind: model for outcomes in OUTCOMES.values() for kind, model in outcomes.items() if decide.counted(kind, model)
    },
    route=decide.route,
    decide=decide.decide,
    facts=facts.facts,
    stored=documents.STORED,
    indexes=documents.INDEXES,
    reference=facts.load_reference,
    outcomes=reporting.OUTCOMES,
    routes=web.routes,
    background=board.keep_publishing,
    settings=settings.SETTINGS,
)
