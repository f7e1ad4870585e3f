"""How refused submissions are stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from services.registration.intake.domain.state import Refusal
from shared.runtime.codecs import Codecs
from shared.runtime.ports import Codec

STORED: Mapping[str, Codec] = {"refusals": Codecs().of(Refusal)}
