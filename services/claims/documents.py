"""How claims' aggregates are stored, and the indexes over them. Pure; knows no driver.

Personal fields (claimant, children, an officer's name and reason) are sealed. No NIK is stored at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.claims.domain.state import (
    Child,
    Claim,
    Claimant,
    CompletedRun,
    Cover,
    Entitlement,
    PaidEvent,
    PaidInvoice,
    Refusal,
    Ruling,
    SchoolYear,
    Use,
)
from shared.contracts.base import BenefitLine
from shared.persons import documents as persons
from shared.runtime.codecs import Codecs, record, row
from shared.runtime.ports import Codec, Index

CODECS = Codecs(
    record(CompletedRun, later=("seen", "correlation")),
    record(
        Claim,
        # `waiting` is present only while the claim waits, for the partial index.
        seldom=(
            "waiting",
            "person",
            "clearing",
            "waits_until",
            "paid_before",
            "first_on",
            "form",
            "ruling",
            "cover",
            "follows_cover",
        ),
        later=("days_off_work", "lasting", "levels", "seen"),
        # For the index by which news of a month finds the claims that it may change.
        derived=("follows_cover",),
    ),
    row(BenefitLine),
    row(Claimant),
    row(Child),
    row(Ruling),
    # Earlier releases stored only the claims of the death and of each school year.
    record(Entitlement, seldom=("named",), later=("died_on", "uses", "paid", "waiting", "changes")),
    row(SchoolYear, later=("level",)),
    row(Use),
    row(PaidEvent),
)
STORED: Mapping[str, Codec] = {
    "covers": CODECS.of(Cover),
    "invoices": CODECS.of(PaidInvoice),
    "runs": CODECS.of(CompletedRun),
    "claims": CODECS.of(Claim),
    "deaths": CODECS.of(Entitlement),
    persons.COLLECTION: persons.CODEC,
    "refusals": CODECS.of(Refusal),
}
INDEXES: Mapping[str, Sequence[Index]] = {
    # Counts the premiums of a run that are here. A worker's months are a range of ids and need no index.
    "covers": (Index(fields=("state.run_id",)),),
    persons.COLLECTION: persons.INDEXES,
    "runs": (Index(fields=("state.month",)),),
    "claims": (
        Index(fields=("state.waiting", "_id"), partial={"state.waiting": {"$exists": True}}),
        Index(fields=("state.form.event_date", "_id"), partial={"state.follows_cover": {"$exists": True}}),
        Index(fields=("state.claim_no",)),
        # The claims of a worker who was merged or separated.
        Index(fields=("state.form.worker_id", "_id")),
        Index(fields=("state.regency", "state.status")),
    ),
}
