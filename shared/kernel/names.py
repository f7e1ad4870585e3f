"""How alike two names are (contracts.md 3): upper case, punctuation and titles dropped, token-sort ratio. Pure."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

_NOT_LETTERS = re.compile(r"[^A-Z0-9 ]")
_APOSTROPHES = re.compile(r"['`\u2018\u2019]")
_FRONT_TITLES = frozenset({"H", "HJ", "HAJI", "HAJJAH", "DR", "DRS", "DRA", "IR", "PROF", "KH", "USTADZ", "USTADZAH"})
_BACK_TITLES = frozenset(
    {"SE", "SH", "ST", "SPD", "SAG", "SIP", "SKM", "SKEP", "SPDI", "MM", "MSI", "MPD", "MH", "AMD"}
)
# S.Pd and A.Md. fall apart at their dots; they are joined before the dots go.
_DOTTED = re.compile(r"\b([A-Z])\.\s?([A-Z][A-Z]?[A-Z]?)\b\.?(?=$|[\s,])")


def normalise(name: str) -> str:
    """A name as names are compared; a name made of titles alone is left as it is."""
    upper = _APOSTROPHES.sub("", name.upper())
    joined = _DOTTED.sub(lambda found: found[1] + found[2] if found[1] + found[2] in _BACK_TITLES else found[0], upper)
    tokens = _NOT_LETTERS.sub(" ", joined).split()
    kept = list(tokens)
    while kept and kept[0] in _FRONT_TITLES:
        kept.pop(0)
    while kept and kept[-1] in _BACK_TITLES:
        kept.pop()
    return " ".join(kept or tokens)


def score(left: str, right: str) -> float:
    """0 to 100."""
    return fuzz.token_sort_ratio(normalise(left), normalise(right))
