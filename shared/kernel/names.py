"""How alike two names are (contracts.md 3): upper case, punctuation and titles dropped, token-sort ratio. Pure."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

# Letters of any alphabet stay: dropping the É of JOSÉ would leave another name.
_PUNCTUATION = re.compile(r"[^\w\s]|_")
# NUR'AINI and NURAINI are one name; every other mark parts two words.
_APOSTROPHES = re.compile(r"['`\u2018\u2019]")
# Never a name, so dropped wherever they stand (SITI AMINAH, HJ).
_TITLES = frozenset({"HJ", "HAJI", "HAJJAH", "DRS", "DRA", "PROF"})
# Also initials or names, so a title only where titles stand: before the name, or behind it.
_FRONT_TITLES = frozenset({"H", "DR", "IR", "KH", "USTADZ", "USTADZAH"})
_BACK_TITLES = frozenset(
    {"SE", "SH", "ST", "SPD", "SAG", "SIP", "SKM", "SKEP", "SPDI", "SKOM", "SSOS", "SSI", "SPT", "SPI", "STP", "SHUT"}
    | {"SFARM", "MM", "MSI", "MPD", "MH", "MT", "MAP", "MKES", "MKOM", "AMD"}
)
# S.Pd and A.Md. fall apart at their dots; they are joined before the dots go.
_DOTTED = re.compile(r"\b([A-Z])\.\s?([A-Z]{1,4})\b\.?(?=$|[\s,])")


def normalise(name: str) -> str:
    """A name as names are compared; a name made of titles alone is left as it is."""
    upper = name.upper()
    tokens = upper.split()
    # Most names are letters and blanks, which the expressions below would leave as they are, at ten times the cost.
    if not "".join(tokens).isalpha():
        bare = _APOSTROPHES.sub("", upper)
        joined = _DOTTED.sub(_joined_title, bare)
        tokens = _PUNCTUATION.sub(" ", joined).split()
    first, last = 0, len(tokens)
    while first < last and (tokens[first] in _FRONT_TITLES or tokens[first] in _TITLES):
        first += 1
    while last > first and (tokens[last - 1] in _BACK_TITLES or tokens[last - 1] in _TITLES):
        last -= 1
    kept = [token for token in tokens[first:last] if token not in _TITLES]
    return " ".join(kept or tokens)


def _joined_title(found: re.Match[str]) -> str:
    title = found[1] + found[2]
    return title if title in _BACK_TITLES else found[0]


def score(left: str, right: str) -> float:
    """0 to 100; a name without a letter is like no other."""
    ours = normalise(left)
    if left == right:
        return 100.0 if ours else 0.0
    theirs = normalise(right)
    return fuzz.token_sort_ratio(ours, theirs) if ours and theirs else 0.0
