"""How workers are stored; every personal field is sealed on its own. Pure.

Workers are found by their key only, because an index would slow down every insert and every verdict.
"""

from __future__ import annotations

from collections.abc import Mapping

from services.registration.intake.domain.state import Refusal
from services.registration.workers.domain.state import (
    Change,
    FormerValue,
    Heir,
    LatestSubmission,
    Statement,
    Suspicion,
    Verdict,
    Worker,
    WorkerForm,
)
from shared.runtime.codecs import Codecs, record, row
from shared.runtime.ports import Codec

CODECS = Codecs(
    # Most workers lack these fields; they take space only when present.
    record(Worker, seldom=("said", "history", "suspects", "merged_into", "asked"), later=("opened_on",)),
    record(WorkerForm, seldom=("birth_place", "mother_name", "phone", "address", "family_card", "heir")),
    record(Heir, seldom=("relation", "phone")),
    row(LatestSubmission, seldom=("via",)),
    row(Verdict, later=("given_on", "valid_until")),
    # The value is that of a field of the form: it is sealed when that field is personal.
    row(Statement, typed_by=("value", "field", WorkerForm), later=("corrected", "refuted", "doubted")),
    row(Change),
    row(FormerValue, typed_by=("value", "field", WorkerForm), later=("agency", "submission_id", "said_on")),
    row(Suspicion),
)
# A refusal may occupy a worker's key before the worker registers.
STORED: Mapping[str, Codec] = {"workers": CODECS.either(Worker, Refusal, tell="form")}
