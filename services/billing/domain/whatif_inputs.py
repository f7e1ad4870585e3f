"""The forms in which people write a what-if: a cut in percent, workers, ceilings, a scenario's name. Pure."""

from __future__ import annotations

import re
from fractions import Fraction

from services.billing.domain.state import Accounts
from services.billing.domain.whatif import Headcount

# More than twice the workers of the largest regency of Indonesia.
WORKERS_MAX = 5_000_000
# As for `payung budget set`: far below the limit of 64 bits.
RUPIAH_MAX = 10**18

_PERCENT = re.compile(r"(\d{1,3})(?:[.,](\d{1,4}))? ?%", re.ASCII)
_NUMBER = r"\d{1,18}|\d{1,3}(?:\.\d{3}){1,6}"
_WHOLE = re.compile(rf"(?:{_NUMBER})", re.ASCII)
_HEADCOUNT = re.compile(rf"([+-]?)({_NUMBER})", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._+%-]{0,58}[A-Za-z0-9%]|[A-Za-z0-9]", re.ASCII)


def percent(text: str) -> Fraction | None:
    """A part of the whole, from 0 to 1: `20%`, `12,5%`; None for anything else, also for a number without the sign."""
    found = _PERCENT.fullmatch(text.strip())
    if found is None:
        return None
    part = Fraction(f"{found[1]}.{found[2] or 0}") / 100
    return part if part <= 1 else None


def headcount(text: str) -> Headcount | None:
    """`+2000` and `-500` are so many more or fewer workers, `95000` or `95.000` is how many there would be; None for
    anything else."""
    found = _HEADCOUNT.fullmatch(text.strip())
    if found is None:
        return None
    number = int(found[2].replace(".", ""))
    if number > WORKERS_MAX:
        return None
    return Headcount(-number if found[1] == "-" else number, total=not found[1])


def whole_rupiah(text: str) -> int | None:
    """`18000000000` or `18.000.000.000`; None for anything else."""
    if _WHOLE.fullmatch(text.strip()) is None:
        return None
    amount = int(text.strip().replace(".", ""))
    return amount if amount <= RUPIAH_MAX else None


def is_name(text: str) -> bool:
    """Whether a scenario may have this name: up to 60 letters, digits and blanks, as `pangkas 20%`."""
    return _NAME.fullmatch(text) is not None


def after_cut(ceilings: Accounts, cut: Fraction) -> Accounts:
    """Both ceilings less a part of them, rounded down to whole rupiah."""
    kept = 1 - cut
    return Accounts(int(ceilings.jkk * kept), int(ceilings.jkm * kept))
