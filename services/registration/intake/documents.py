"""How the documents are stored that several parts have alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from shared.runtime.ports import Cipher


class Flat:
    """Stores a flat dataclass with its fields unchanged."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return asdict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return self._kind(**body)
