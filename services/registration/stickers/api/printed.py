"""The content of one printed sticker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Printed:
    """One sticker to print: its RT (`003`; empty when the address names none), number, last day and link."""

    rt: str
    sticker_no: str
    valid_until: date
    url: str
