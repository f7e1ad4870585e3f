"""Folds Indonesian names for the comparison of suspects: many spellings of one name give the same letters. Pure.

Registers, villages and families write one name in many ways: Muh., Moh. or Muhammad; the spelling before 1972 (oe, dj,
tj); Arabic names by ear (Achmad, Akhmad, Ahmad; Aisyah, Aisya); a father's name added or left out.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz import fuzz

from shared.kernel.names import normalise

_MUHAMMAD = re.compile(r"M[OU]{0,2}(?:CH|KH|H|K)?A?M*[AE]?D|M[OU](?:CH|KH|H|K)|MHD?|MD")
_ABDUL = re.compile(r"ABD[UO](?:L|([RSZNTDSJ]))(?=.{3})")
# "Child of" is not part of the name and is dropped; the parent's name after it is kept.
_BETWEEN = frozenset({"BIN", "BINTI", "BINTE", "BT", "BTE"})
_WHOLE = {"ST": "SITI", "ABD": "ABDUL", "ABDOEL": "ABDUL", "SY": "SAYID", "DG": "DAENG", "NUR": "NUR", "NOER": "NUR"}
# Very many people have these names, so they hardly distinguish people.
COMMON = frozenset({"MUHAMAD", "SITI", "ABDUL", "NUR", "AHMAD", "SRI", "ANDI", "DAENG", "HAJI", "AJI", "DWI", "EKO"})
_OLD = re.compile(r"OE|DJ|TJ")
_OLD_J = re.compile(r"(?<![DT])J")
# The likeness of a full name and a shorter form of it, when every word of the shorter one agrees.
PART = 0.845
# The highest likeness that two different names can get.
OTHER = 0.55
# People add or omit these before a name as they like, so a missing one proves nothing.
_OPTIONAL = frozenset({"MUHAMAD", "SITI", "ABDUL", "HAJI", "AJI", "DAENG", "SAYID"})
# Two words that are less alike than this are different words, not one word mistyped.
_MISTYPED = 60
# The order matters: a later replacement must not undo an earlier one.
_SOUNDS = (
    (re.compile(r"OE|OO"), "U"),
    (re.compile(r"DJ"), "J"),
    (re.compile(r"TJ"), "C"),
    (re.compile(r"SJ|SY|SH|TS"), "S"),
    (re.compile(r"CH|KH"), "H"),
    # These sound the same: Yusuf and Yusup, Faisal and Paisal; Azis and Ajis.
    (re.compile(r"PH|V|F"), "P"),
    (re.compile(r"Z"), "J"),
    (re.compile(r"DH|DL|DZ"), "D"),
    (re.compile(r"TH"), "T"),
    (re.compile(r"Q"), "K"),
    (re.compile(r"X"), "KS"),
    (re.compile(r"AE|AY(?![AEIOU])"), "AI"),
    (re.compile(r"IE|IY|EE"), "I"),
    (re.compile(r"(?<=.)Y$"), "I"),
    (re.compile(r"([A-Z])\1+"), r"\1"),
    (re.compile(r"(?<=[AEIOU])H$"), ""),
)
_VOWELS = str.maketrans("", "", "AEIOUYH")


@lru_cache(maxsize=50_000)
def fold(name: str) -> tuple[str, ...]:
    """The words of a name, folded, in their original order."""
    plain = normalise(name)
    # When a name shows the old spelling (oe, dj, tj), a single J in it is today's Y.
    words = (_OLD_J.sub("Y", plain) if _OLD.search(plain) else plain).split()
    folded: list[str] = []
    for place, word in enumerate(words):
        if word in _BETWEEN and place:
            continue
        if (word == "M" and place == 0 and len(words) > 1) or (len(word) > 1 and _MUHAMMAD.fullmatch(word)):
            folded.append("MUHAMAD")
        elif word in _WHOLE:
            folded.append(_WHOLE[word])
        else:
            folded.extend(_sound(part) for part in _split_compounds(word))
    return tuple(word for word in folded if word)


def _split_compounds(word: str) -> tuple[str, ...]:
    """Splits ABDURRAHMAN and ABDURAHMAN into ABDUL RAHMAN; ABDULLAH stays one name."""
    found = _ABDUL.match(word)
    if found is None or word.startswith(("ABDULLA", "ABDULA", "ABDOLA")):
        return (word,)
    rest, sounded = word[found.end() :], found[1]
    if sounded and rest[0] in "AEIOU":
        rest = sounded + rest
    return ("ABDUL", rest)


def _sound(word: str) -> str:
    for pattern, to in _SOUNDS:
        word = pattern.sub(to, word)
    return word


@lru_cache(maxsize=50_000)
def skeleton(word: str) -> str:
    """The first letter of a folded word and its later consonants."""
    return word[:1] + word[1:].translate(_VOWELS)


def alike(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """The likeness of two folded names, 0 to 1; 1 means the same words in any order."""
    if not ours or not theirs:
        return 0.0
    if ours == theirs or "".join(ours) == "".join(theirs):
        return 1.0
    whole = max(
        fuzz.ratio(" ".join(sorted(ours)), " ".join(sorted(theirs))), fuzz.ratio("".join(ours), "".join(theirs))
    )
    ours_number, theirs_number = _number(ours), _number(theirs)
    if ours_number and theirs_number and ours_number != theirs_number:
        # SITI 1 and SITI 2: somebody numbered them because they are two people.
        return min(whole / 100, OTHER)
    if _lacking(ours, theirs) and _lacking(theirs, ours):
        # EKO PRASETYO and DWI PRASETYO: each has a word that the other lacks, so they are brothers or strangers.
        return min(whole / 100, OTHER)
    ours_own, theirs_own = _own(ours), _own(theirs)
    if ours_own and theirs_own:
        # MUHAMMAD HASAN and MUHAMMAD HUSIN: a common word must not raise the likeness of names that differ in their own
        # words.
        joined = fuzz.ratio("".join(ours_own), "".join(theirs_own))
        whole = min(whole, max(fuzz.ratio(" ".join(sorted(ours_own)), " ".join(sorted(theirs_own))), joined))
        worst = _worst(ours_own, theirs_own)
        if joined < 85 and worst < 62:
            return max(min(whole / 100, OTHER), _part(ours, theirs))
        # MERANG LESTARI and MASRAN LESTARI: one equal word does not make the other words equal.
        whole = min(whole, (whole + worst) / 2)
    return whole / 100 if whole >= 100 * PART else max(whole / 100, _part(ours, theirs))


def _lacking(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether a word of `ours` is missing in `theirs`: not even mistyped, as an initial, or joined with another
    word.
    """
    joined = "".join(theirs)
    return any(
        len(word) > 1
        and word not in _OPTIONAL
        and word not in joined
        and not any(_could_be(word, one) for one in theirs)
        for word in ours
    )


def _could_be(word: str, other: str) -> bool:
    return word[0] == other[0] if len(other) == 1 else fuzz.ratio(word, other) >= _MISTYPED or other in word


def _number(words: tuple[str, ...]) -> str:
    return "".join(char for word in words for char in word if char.isdigit())


def _own(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if word not in COMMON)


def _worst(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """For each word of the shorter name, the likeness of the nearest word in the other name; the lowest of these."""
    short, long = (ours, theirs) if len(ours) <= len(theirs) else (theirs, ours)
    return min(
        max(100.0 if len(one) == 1 and one == word[0] else fuzz.ratio(word, one) for one in long) for word in short
    )


def _part(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """The likeness when one name is a shorter form of the other: each of its words, or an initial of it, is in
    the longer one.
    """
    short, long = (ours, theirs) if len(ours) <= len(theirs) else (theirs, ours)
    if len(short) == len(long) and all(len(word) > 1 for word in (*short, *long)):
        return 0.0
    left, own = list(long), 0
    for word in short:
        match = next((one for one in left if _same(word, one)), None)
        if match is None:
            return 0.0
        left.remove(match)
        own += len(word) > 1 and len(match) > 1 and word not in COMMON
    return PART if own else 0.6


def _same(word: str, other: str) -> bool:
    if len(word) == 1 or len(other) == 1:
        return word[0] == other[0]
    if word in COMMON or other in COMMON:
        # ABDUL is not a short form of ABDULLAH.
        return word == other
    return word == other or fuzz.ratio(word, other) >= 80
