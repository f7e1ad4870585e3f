"""State <-> document, and the indexes that let figures be counted without reading documents. Knows no driver.

There is nothing to encrypt: reporting holds no personal data.
"""

from __future__ import annotations

from collections.abc import Sequence

from services.reporting.domain.state import (
    Budget,
    Claim,
    Exhaustion,
    Finding,
    Identity,
    Invoice,
    Meeting,
    Premium,
    Project,
    Registration,
    Risk,
    Run,
    Settlement,
    SubmissionAnswer,
)
from shared.runtime.codecs import Codecs, record
from shared.runtime.ports import Codec, Index

CODECS = Codecs(
    # Most documents replaced no earlier state, which then takes no space.
    record(Registration, later=("since",), seldom=("past",)),
    record(Identity, later=("deceased_on",), seldom=("past",)),
    record(Run, later=("missed",)),
    record(Budget, later=("past",)),
    record(Claim, later=("worker_id",)),
    record(Risk, later=("invoice_id",)),
    exact=True,
)
STORED: dict[str, Codec] = {
    "registrations": CODECS.of(Registration),
    "identities": CODECS.of(Identity),
    "premiums": CODECS.of(Premium),
    "invoices": CODECS.of(Invoice),
    "runs": CODECS.of(Run),
    "budgets": CODECS.of(Budget),
    "claims": CODECS.of(Claim),
    "exhaustions": CODECS.of(Exhaustion),
    "risks": CODECS.of(Risk),
    "answers": CODECS.of(SubmissionAnswer),
    "settlements": CODECS.of(Settlement),
    "findings": CODECS.of(Finding),
    "projects": CODECS.of(Project),
    "meetings": CODECS.of(Meeting),
}


def _index(*names: str) -> Index:
    return Index(fields=tuple(f"-state.{name[1:]}" if name.startswith("-") else f"state.{name}" for name in names))


# The wide indexes contain every field by which a figure is grouped: the index alone gives the count, and no document is
# read.
INDEXES: dict[str, Sequence[Index]] = {
    "registrations": (_index("regency", "active", "district", "village", "sector", "sex", "birth_month", "at"),),
    "identities": (_index("regency", "status", "district", "village", "sector", "sex", "birth_month", "at"),),
    "premiums": (
        _index(
            "period",
            "regency",
            "invoice_id",
            "district",
            "village",
            "sector",
            "sex",
            "birth_month",
            "funding",
            "jkk",
            "jkm",
        ),
    ),
    "answers": (_index("regency", "outcome", "agency"),),
    "settlements": (_index("regency", "refuted", "agency"),),
    "findings": (_index("regency", "employer"),),
    "projects": (_index("regency"),),
    "meetings": (_index("regency", "-held_on"),),
}
