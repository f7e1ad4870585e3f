"""The wiring of registration: topics, event types and functions that make up this service. No logic."""

from __future__ import annotations

import asyncio

from services.registration import adapters, api, facts, settings
from services.registration.compliance import documents as compliance
from services.registration.domain import decide
from services.registration.imports.background import running as sending
from services.registration.intake import documents as intake
from services.registration.outreach import documents as outreach
from services.registration.participants import documents as participants
from services.registration.stickers import documents as stickers
from services.registration.suspects import documents as suspects
from services.registration.suspects.background import running as scanning
from services.registration.workers import documents as workers
from shared.contracts import (
    registration,
    registration_duties,
    registration_participants,
    registration_stickers,
    registration_work,
    topics,
    worker_ids,
)
from shared.contracts.billing import PremiumBilled, PremiumPaid, RunCompleted
from shared.contracts.verification import IdentityEnded, IdentityHeld, IdentityRejected, IdentityVerified
from shared.runtime.service_context import ServiceContext
from shared.runtime.spec import ServiceSpec


async def _background(context: ServiceContext) -> None:
    await asyncio.gather(sending.run(context), scanning.run(context))


SPEC = ServiceSpec(
    name="registration",
    names_workers="leads",
    description="Takes the agencies' worker lists: checks the form, finds who is known, answers every submission.",
    topics=(
        "^registration-intake-.*",
        topics.REGISTRATION_OFFICERS,
        topics.work("registration"),
        topics.events("verification"),
        topics.events("billing"),
    ),
    inputs={
        **registration.COMMANDS,
        **registration.DECISIONS,
        **registration_duties.DECISIONS,
        **registration_participants.DECISIONS,
        **registration_duties.WORK,
        **registration_work.WORK,
        **registration_stickers.WORK,
        "premium.billed.v1": PremiumBilled,
        "premium.paid.v1": PremiumPaid,
        "billing.run-completed.v1": RunCompleted,
        "identity.verified.v1": IdentityVerified,
        "identity.rejected.v1": IdentityRejected,
        "identity.held.v1": IdentityHeld,
        "identity.ended.v1": IdentityEnded,
    },
    route=decide.route,
    decide=decide.decide,
    facts=facts.facts,
    stored={
        **intake.STORED,
        **workers.STORED,
        **suspects.STORED,
        **stickers.STORED,
        **participants.STORED,
        **compliance.STORED,
        **outreach.STORED,
    },
    indexes={**suspects.INDEXES, **participants.INDEXES, **compliance.INDEXES, **outreach.INDEXES},
    reference=facts.reference,
    conflicting=decide.conflicting,
    performers=adapters.PERFORMERS,
    outcomes={
        **registration.OUTCOMES,
        **registration_duties.OUTCOMES,
        **registration_stickers.OUTCOMES,
        **registration_participants.OUTCOMES,
        **worker_ids.OUTCOMES,
    },
    routes=api.routes,
    background=_background,
    settings=settings.SETTINGS,
)
