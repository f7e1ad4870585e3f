"""Reads the fields of a command from outside, one by one. Knows no command: its service decides which fields it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.contracts.forms import is_empty
from shared.contracts.reasons import Reason
from shared.contracts.yes_no import parse
from shared.kernel.calendar import day_of
from shared.kernel.debris import fault

TEXT_MAX = 200
LIST_MAX = 100


class Fields:
    """Reads fields one by one and collects what is wrong with them, in the order of reading. A wrong field reads as the
    empty value of its type."""

    def __init__(self, fields: Any, problem: str | None = None, prefix: str = "") -> None:
        self.fields: Mapping[str, Any] = fields if isinstance(fields, Mapping) else {}
        self.prefix = prefix
        # If `data` is not an object, there are no single fields to report.
        self.readable = problem is None
        self.reasons: list[str] = [] if self.readable else [f"{Reason.FIELD_INVALID}:data"]

    def missing(self, name: str) -> bool:
        """Whether a field is missing or empty (blank, a dash)."""
        return is_empty(self.fields.get(name))

    def wrong(self, name: str) -> None:
        """Notes that a field is missing or invalid."""
        if self.readable:
            reason = Reason.FIELD_MISSING if self.missing(name) else Reason.FIELD_INVALID
            self.reasons.append(f"{reason}:{self.prefix}{name}")

    def text(self, name: str, most: int = TEXT_MAX) -> str:
        """A text without outer blanks; a spreadsheet error or a text with a control character is invalid."""
        value = self.fields.get(name)
        if self.missing(name) or not isinstance(value, str) or len(value.strip()) > most or fault(value):
            self.wrong(name)
            return ""
        return value.strip()

    def one_of(self, name: str, known: Sequence[str]) -> str:
        """One of these words, in any capitalisation."""
        value = self.fields.get(name)
        word = value.strip().lower() if isinstance(value, str) else None
        if word in known:
            return str(word)
        self.wrong(name)
        return ""

    def whole(self, name: str, least: int, most: int) -> int:
        """A whole number within these bounds."""
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.wrong(name)
        return 0

    def optional_whole(self, name: str, most: int) -> int:
        """A whole number from 0 up; 0 when it is missing."""
        return 0 if self.missing(name) else self.whole(name, 0, most)

    def day(self, name: str) -> str:
        """A day, YYYY-MM-DD; for an instant, its day in WITA."""
        found = day_of(self.fields.get(name))
        if found is None:
            self.wrong(name)
            return ""
        return found.isoformat()

    def optional_day(self, name: str) -> str | None:
        """A day; None when it is missing."""
        return None if self.missing(name) else self.day(name)

    def codes(self, name: str) -> tuple[str, ...]:
        """A list of codes, in lower case, each once."""
        value = self.fields.get(name)
        if isinstance(value, list) and len(value) <= LIST_MAX and all(_is_code(one) for one in value):
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


def _is_code(value: Any) -> bool:
    # "belum" next to a document's code means that the document is missing: a list with such a word is invalid.
    if not isinstance(value, str) or not 0 < len(value.strip()) <= TEXT_MAX:
        return False
    return fault(value) is None and parse(value) is not False
