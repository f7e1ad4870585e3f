"""How rosters, employments and projects are stored. Nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.compliance.domain.state import Employment, Project, Roster, Terms
from services.registration.intake.domain.state import Refusal
from shared.runtime.codecs import Codecs, record
from shared.runtime.ports import Codec, Index

INDEXES: Mapping[str, Sequence[Index]] = {
    "employments": (Index(fields=("state.regency", "state.open")), Index(fields=("state.worker_id",))),
    "projects": (Index(fields=("state.regency",)),),
}
CODECS = Codecs(
    # `open` counts the open findings, for the index.
    record(Employment, later=("subsidised",), derived=("open",)),
    record(Terms, later=("contractor_key",)),
    exact=True,
)
STORED: Mapping[str, Codec] = {
    "rosters": CODECS.of(Roster),
    # The refusal of an explanation may occupy an employment's key.
    "employments": CODECS.either(Employment, Refusal, tell="contracts"),
    "projects": CODECS.of(Project),
}
