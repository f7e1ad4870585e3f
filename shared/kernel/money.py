"""Rupiah: whole integers only; wording as Indonesian offices write it (Rp16.800)."""

from __future__ import annotations


def rupiah(amount: int) -> str:
    """An amount in Indonesian prose: `Rp1.234.567`, no decimals, no blank."""
    sign = "-" if amount < 0 else ""
    return f"{sign}Rp{abs(amount):,}".replace(",", ".")
