"""How the documents are stored that several parts have alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.registration.intake.domain.state import Refusal
from shared.runtime.ports import Cipher, Codec


class Flat:
    """Stores a flat dataclass with its fields unchanged."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return asdict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return self._kind(**body)


class RefusalCodec:
    """Stores refusals: submission number and reasons only."""

    def encode(self, state: Refusal, cipher: Cipher) -> dict[str, Any]:
        return {"submission_id": state.submission_id, "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        return Refusal(submission_id=body["submission_id"], reasons=tuple(body["reasons"]))


STORED: Mapping[str, Codec] = {"refusals": RefusalCodec()}
