"""How meetings are stored. No personal data, so nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from services.registration.outreach.domain.state import Meeting
from shared.runtime.codecs import Codecs
from shared.runtime.ports import Codec, Index

INDEXES: Mapping[str, Sequence[Index]] = {"meetings": (Index(fields=("state.regency", "-state.held_on")),)}
STORED: Mapping[str, Codec] = {"meetings": Codecs(exact=True).of(Meeting)}
