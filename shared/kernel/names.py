"""Names of people: which texts can be one, and how alike two are (upper case, without punctuation and titles,
token-sort ratio). Pure."""

from __future__ import annotations

import re

from rapidfuzz import fuzz

# Letters of any alphabet stay: dropping the É of JOSÉ would leave another name.
_PUNCTUATION = re.compile(r"[^\w\s]|_")
# NUR'AINI and NURAINI are one name; every other mark separates two words.
_APOSTROPHES = re.compile(r"['`\u2018\u2019]")
# Never part of a name, so dropped anywhere (SITI AMINAH, HJ).
_TITLES = frozenset({"HJ", "HAJI", "HAJJAH", "DRS", "DRA", "PROF"})
# These may also be initials or names. They count as titles only where titles stand: before or after the name.
_FRONT_TITLES = frozenset({"H", "DR", "IR", "KH", "USTADZ", "USTADZAH"})
_BACK_TITLES = frozenset(
    {"SE", "SH", "ST", "SPD", "SAG", "SIP", "SKM", "SKEP", "SPDI", "SKOM", "SSOS", "SSI", "SPT", "SPI", "STP", "SHUT"}
    | {"SFARM", "MM", "MSI", "MPD", "MH", "MT", "MAP", "MKES", "MKOM", "AMD"}
)
# S.Pd and A.Md. would be split at their dots, so they are joined before the dots are removed.
_DOTTED = re.compile(r"\b([A-Z])\.\s?([A-Z]{1,4})\b\.?(?=$|[\s,])")

# Six digits in a row, also in groups: a NIK, a telephone or a date, and no part of a name (ANDI 2 is one).
_LONG_NUMBER = re.compile(r"\d(?:[ .\-]?\d){5}")


def is_name(text: str) -> bool:
    """Whether a text can be the name of a person: it has a letter and no long number."""
    return _LONG_NUMBER.search(text) is None and any(character.isalpha() for character in text)


def normalise(name: str) -> str:
    """A name in the form used for comparison; a name of titles alone keeps them."""
    upper = name.upper()
    tokens = upper.split()
    # Most names are only letters and blanks. The expressions below would not change them, at ten times the cost.
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
    """0 to 100; a name without a letter matches no other."""
    ours = normalise(left)
    if left == right:
        return 100.0 if ours else 0.0
    theirs = normalise(right)
    return fuzz.token_sort_ratio(ours, theirs) if ours and theirs else 0.0
