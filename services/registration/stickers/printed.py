"""What is printed of one sticker, and how a day is written for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)


@dataclass(frozen=True, slots=True)
class Printed:
    """One sticker to print: its RT (`003`, empty when the address names none), number, last day, and its link."""

    rt: str
    sticker_no: str
    valid_until: date
    url: str


def long_date(day: date) -> str:
    """31 Desember 2026."""
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
