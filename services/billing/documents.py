"""How billing's aggregates are stored, and the indexes over them. Pure; knows no driver.

There is no personal data, so nothing is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.billing.domain.state import (
    Accounts,
    Budget,
    Enrolment,
    ForwardedCommand,
    IdentityStatus,
    Invoice,
    Premium,
    Refusal,
    Run,
    Skip,
    Skipped,
    Stop,
    Verdict,
)
from shared.contracts.base import PremiumLine
from shared.persons import documents as persons
from shared.runtime.codecs import Codecs, record, row
from shared.runtime.ports import Codec, Index


def _with_verdicts(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Earlier releases kept only the last verdict."""
    if "verdicts" in body:
        return body
    if body["standing"] == IdentityStatus.UNSEEN:
        return {**body, "verdicts": []}
    version, sequence, standing = body["registration_version"], body["sequence"], body["standing"]
    last = [version, sequence, standing, body["regency"], "", "", body["income_base"], body["place"], body["until"]]
    return {**body, "verdicts": [last]}


CODECS = Codecs(
    row(Accounts),
    row(PremiumLine),
    record(Enrolment, later=("valid_until",), upgrade=_with_verdicts),
    row(Verdict, later=("valid_until", "income_base", "place", "until")),
    record(Run, inline=("skipped",), ordered=("barred",), later=("edition", "barred", "asked")),
    record(Skipped, names={"workers": "skipped", "lines": "skipped_lines"}),
    record(Stop, ordered=("barred",), later=("barred",)),
)
STORED: Mapping[str, Codec] = {
    "enrolments": CODECS.of(Enrolment),
    "premiums": CODECS.of(Premium),
    "skips": CODECS.of(Skip),
    "budgets": CODECS.of(Budget),
    "runs": CODECS.of(Run),
    "invoices": CODECS.of(Invoice),
    "commands": CODECS.of(ForwardedCommand),
    "refusals": CODECS.of(Refusal),
    persons.COLLECTION: persons.CODEC,
}
INDEXES: Mapping[str, Sequence[Index]] = {
    # A page of a run is one range of this index, in priority order.
    "enrolments": (Index(fields=("state.regency", "state.place")),),
    persons.COLLECTION: persons.INDEXES,
    "skips": (Index(fields=("state.run_id",)),),
    "budgets": (Index(fields=("state.regency", "state.year")),),
    "runs": (Index(fields=("state.regency", "state.period")),),
    "invoices": (Index(fields=("state.regency", "state.period")),),
}
