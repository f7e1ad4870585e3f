"""The sex in two columns, `L` and `P`, with a tick in one of them."""

from __future__ import annotations

from collections.abc import Sequence

from shared.kernel.debris import says_nothing
from shared.lists import values

_MALE = frozenset({"l", "lk", "laki", "laki_laki"})
_FEMALE = frozenset({"p", "pr", "perempuan"})
_TICKS = frozenset({"v", "\u221a", "\u2713", "\u2714", "x", "1", "ya", "*"})


def places_of(names: Sequence[str]) -> tuple[int, int] | None:
    """The places of the two columns among the plain names of a heading; None unless each is there once."""
    male = [place for place, name in enumerate(names) if name in _MALE]
    female = [place for place, name in enumerate(names) if name in _FEMALE]
    return (male[0], female[0]) if len(male) == len(female) == 1 else None


def of(male: str, female: str) -> str:
    """L or P, by the only cell with a tick or its own letter; both cells as they are when it is not plain, so that the
    service refuses them; empty when both are empty."""
    ours, theirs = values.bare(male), values.bare(female)
    if _is_empty(ours, theirs) and _is_empty(theirs, ours):
        return ""
    if _is_empty(theirs, ours) and _says(ours, "M"):
        return "L"
    if _is_empty(ours, theirs) and _says(theirs, "F"):
        return "P"
    return f"L: {ours or '-'}, P: {theirs or '-'}"


def _is_empty(cell: str, other: str) -> bool:
    return says_nothing(cell) or (cell == "0" and other == "1")


def _says(cell: str, sex: str) -> bool:
    return cell.lower() in _TICKS or values.sex(cell) == sex
