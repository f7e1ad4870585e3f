"""Indonesian names as they are compared for suspects: many spellings of one name fold to the same letters. Pure.

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
# Whose child somebody is says nothing of the name itself; the parent's name behind it does.
_BETWEEN = frozenset({"BIN", "BINTI", "BINTE", "BT", "BTE"})
_WHOLE = {"ST": "SITI", "ABD": "ABDUL", "ABDOEL": "ABDUL", "SY": "SAYID", "DG": "DAENG", "NUR": "NUR", "NOER": "NUR"}
# Carried by so many that they tell hardly anybody apart.
COMMON = frozenset({"MUHAMAD", "SITI", "ABDUL", "NUR", "AHMAD", "SRI", "ANDI", "DAENG", "HAJI", "AJI", "DWI", "EKO"})
_OLD = re.compile(r"OE|DJ|TJ")
_OLD_J = re.compile(r"(?<![DT])J")
# The likeness of a name that is written shorter: all that is there agrees.
PART = 0.845
# The most that two names can have in common that are two names.
OTHER = 0.55
# Left out or put before a name as people please: to lack one says nothing.
_OPTIONAL = frozenset({"MUHAMAD", "SITI", "ABDUL", "HAJI", "AJI", "DAENG", "SAYID"})
# Two words that are less alike than this are two words, not one mistyped.
_MISTYPED = 60
# In this order: what stands first must not be undone by what follows.
_SOUNDS = (
    (re.compile(r"OE|OO"), "U"),
    (re.compile(r"DJ"), "J"),
    (re.compile(r"TJ"), "C"),
    (re.compile(r"SJ|SY|SH|TS"), "S"),
    (re.compile(r"CH|KH"), "H"),
    # By ear one sound each: Yusuf and Yusup, Faisal and Paisal; Azis and Ajis.
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
    """The words of a name, folded, in their order."""
    plain = normalise(name)
    # Where the old spelling shows itself, a J alone is today's Y.
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
            folded.extend(_sound(part) for part in _apart(word))
    return tuple(word for word in folded if word)


def _apart(word: str) -> tuple[str, ...]:
    """ABDURRAHMAN and ABDURAHMAN are ABDUL RAHMAN; ABDULLAH is a name of its own."""
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
    """A folded word by its consonants, behind its first letter."""
    return word[:1] + word[1:].translate(_VOWELS)


def alike(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """0 to 1: how far two folded names are one name; 1 is the same words in any order."""
    if not ours or not theirs:
        return 0.0
    if ours == theirs or "".join(ours) == "".join(theirs):
        return 1.0
    whole = max(
        fuzz.ratio(" ".join(sorted(ours)), " ".join(sorted(theirs))), fuzz.ratio("".join(ours), "".join(theirs))
    )
    ours_number, theirs_number = _number(ours), _number(theirs)
    if ours_number and theirs_number and ours_number != theirs_number:
        # SITI 1 and SITI 2: whoever numbered them knew them to be two.
        return min(whole / 100, OTHER)
    if _lacking(ours, theirs) and _lacking(theirs, ours):
        # EKO PRASETYO and DWI PRASETYO: each has a name that the other has not; brothers, or strangers.
        return min(whole / 100, OTHER)
    ours_own, theirs_own = _own(ours), _own(theirs)
    if ours_own and theirs_own:
        # MUHAMMAD HASAN and MUHAMMAD HUSIN: what most people share must not lift what tells them apart.
        joined = fuzz.ratio("".join(ours_own), "".join(theirs_own))
        whole = min(whole, max(fuzz.ratio(" ".join(sorted(ours_own)), " ".join(sorted(theirs_own))), joined))
        worst = _worst(ours_own, theirs_own)
        if joined < 85 and worst < 62:
            return max(min(whole / 100, OTHER), _part(ours, theirs))
        # MERANG LESTARI and MASRAN LESTARI: one word alike does not make the other so.
        whole = min(whole, (whole + worst) / 2)
    return whole / 100 if whole >= 100 * PART else max(whole / 100, _part(ours, theirs))


def _lacking(ours: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
    """Whether some word of ours is nowhere in theirs: not mistyped, not as a letter, not written together."""
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
    """How alike the other name's nearest word is, for the word of the shorter name that has the least of it."""
    short, long = (ours, theirs) if len(ours) <= len(theirs) else (theirs, ours)
    return min(
        max(100.0 if len(one) == 1 and one == word[0] else fuzz.ratio(word, one) for one in long) for word in short
    )


def _part(ours: tuple[str, ...], theirs: tuple[str, ...]) -> float:
    """A name written shorter: every word of the one in the other, or its first letter there."""
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
        # ABDUL is no short ABDULLAH.
        return word == other
    return word == other or fuzz.ratio(word, other) >= 80
