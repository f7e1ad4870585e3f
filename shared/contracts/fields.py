"""Reads the fields of a command one by one. Knows no command: which fields there are is domain/forms.py's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.reasons import Reason

TEXT_MAX = 200
LIST_MAX = 100


class Fields:
    """Reads fields one by one and gathers what is wrong with them, in the order of the contract's fields."""

    def __init__(self, fields: Any, problem: str | None = None, prefix: str = "") -> None:
        self.fields: Mapping[str, Any] = fields if isinstance(fields, Mapping) else {}
        self.prefix = prefix
        # Without an object there are no fields to find fault with one by one.
        self.readable = problem is None
        self.reasons: list[str] = [] if self.readable else [f"{Reason.FIELD_INVALID}:data"]

    def missing(self, name: str) -> bool:
        value = self.fields.get(name)
        return value is None or (isinstance(value, str) and not value.strip())

    def wrong(self, name: str) -> None:
        if self.readable:
            reason = Reason.FIELD_MISSING if self.missing(name) else Reason.FIELD_INVALID
            self.reasons.append(f"{reason}:{self.prefix}{name}")

    def text(self, name: str, most: int = TEXT_MAX) -> str:
        value = self.fields.get(name)
        if self.missing(name) or not isinstance(value, str) or len(value.strip()) > most:
            self.wrong(name)
            return ""
        return value.strip()

    def one_of(self, name: str, known: Sequence[str]) -> str:
        value = self.fields.get(name)
        word = value.strip().lower() if isinstance(value, str) else None
        if word in known:
            return str(word)
        self.wrong(name)
        return ""

    def whole(self, name: str, most: int, *, required: bool = False) -> int:
        if self.missing(name) and not required:
            return 0
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and (1 if required else 0) <= value <= most:
            return value
        self.wrong(name)
        return 0

    def codes(self, name: str) -> tuple[str, ...]:
        value = self.fields.get(name)
        if (
            isinstance(value, list)
            and len(value) <= LIST_MAX
            and all(isinstance(one, str) and 0 < len(one.strip()) <= TEXT_MAX for one in value)
        ):
            return tuple(sorted({one.strip().lower() for one in value}))
        self.wrong(name)
        return ()

    def inside(self, name: str) -> Fields | None:
        """The object in a field; None (and a reason) when there is none."""
        value = self.fields.get(name)
        if isinstance(value, Mapping):
            return Fields(value, prefix=f"{name}.")
        self.wrong(name)
        return None
