"""The faults of real lists, made on purpose: each function spoils one row in one way.

Names the kinds of faults and the reason that the services should answer. Pure except for the random source.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from rapidfuzz import fuzz

from payung.demo.population import Inhabitant
from shared.reference.areas import Areas

_LETTERS = "ABDEGHIKLMNOPRSTUWY"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a list before it is written in the agency's format. Dates are text: they may be impossible."""

    person: Inhabitant
    nik: str
    name: str
    birth_date: str
    sex: str
    village: str
    consent: str


@dataclass(frozen=True, slots=True)
class FaultContext:
    """What a spoiling function needs: the random source, all existing NIKs, the areas, the regency of the lists."""

    rng: random.Random
    niks: frozenset[str]
    areas: Areas
    regency: str
    outside: tuple[str, ...] = field(default=())
    old_codes: tuple[str, ...] = field(default=())


def entry_of(person: Inhabitant, consent: date) -> Entry:
    """A correct row."""
    return Entry(
        person,
        person.nik,
        person.name,
        person.birth_date.isoformat(),
        person.sex,
        person.village,
        consent.isoformat(),
    )


def _nik_typo(entry: Entry, world: FaultContext) -> Entry | None:
    at = world.rng.randrange(12, 16)
    digit = str((int(entry.nik[at]) + world.rng.randrange(1, 10)) % 10)
    nik = entry.nik[:at] + digit + entry.nik[at + 1 :]
    return None if nik in world.niks or nik.endswith("0000") else replace(entry, nik=nik)


def _unregistered_nik(entry: Entry, world: FaultContext) -> Entry | None:
    nik = f"{entry.nik[:12]}{world.rng.randrange(9_000, 10_000)}"
    return None if nik in world.niks else replace(entry, nik=nik)


def _nik_impossible(entry: Entry, world: FaultContext) -> Entry:
    return replace(entry, nik=f"{entry.nik[:6]}{world.rng.choice(('32', '39', '72'))}{entry.nik[8:]}")


def _nik_short(entry: Entry, world: FaultContext) -> Entry:
    return replace(entry, nik=entry.nik[: world.rng.choice((12, 14, 15))])


def _nik_scientific(entry: Entry, _: FaultContext) -> Entry:
    return replace(entry, nik=f"{int(entry.nik):.2E}")


def _date_impossible(entry: Entry, world: FaultContext) -> Entry:
    return replace(entry, birth_date=f"{entry.birth_date[:4]}-{world.rng.choice(('02-30', '04-31', '13-01'))}")


def _date_differs(entry: Entry, _: FaultContext) -> Entry:
    born = date.fromisoformat(entry.birth_date)
    return replace(entry, birth_date=born.replace(day=born.day % 28 + 1).isoformat())


def _village_unknown(entry: Entry, _: FaultContext) -> Entry:
    return replace(entry, village=f"{entry.village[:-3]}999")


def _village_outside(entry: Entry, world: FaultContext) -> Entry | None:
    return replace(entry, village=world.rng.choice(world.outside)) if world.outside else None


def _village_old(entry: Entry, world: FaultContext) -> Entry | None:
    # The same person and village, with the village's old code; only for villages whose code changed.
    return replace(entry, village=world.rng.choice(world.old_codes)) if world.old_codes else None


def _consent_missing(entry: Entry, _: FaultContext) -> Entry:
    return replace(entry, consent="")


def _name_missing(entry: Entry, _: FaultContext) -> Entry:
    return replace(entry, name="")


def _name_swapped(entry: Entry, _: FaultContext) -> Entry | None:
    words = entry.name.split()
    return replace(entry, name=" ".join([*words[1:], words[0]])) if len(words) == 2 and _is_plain(entry.name) else None


def _name_small(entry: Entry, world: FaultContext) -> Entry | None:
    return _misspelt(entry, world, 64, 80)


def _name_large(entry: Entry, world: FaultContext) -> Entry | None:
    return _misspelt(entry, world, 10, 45)


def _misspelt(entry: Entry, world: FaultContext, low: int, high: int) -> Entry | None:
    if not _is_plain(entry.name) or len(entry.name) < 6:
        return None
    letters = list(entry.name)
    for _ in range(40):
        at = world.rng.randrange(len(letters))
        if letters[at] != " ":
            letters[at] = world.rng.choice(_LETTERS)
        score = fuzz.token_sort_ratio("".join(letters), entry.name)
        if low <= score <= high:
            return replace(entry, name="".join(letters))
    return None


def _is_plain(name: str) -> bool:
    # The comparison of names drops titles and punctuation. A name without them has a score that we know here.
    return name.replace(" ", "").isalpha()


def _sex_differs(entry: Entry, _: FaultContext) -> Entry:
    return replace(entry, sex="F" if entry.sex == "M" else "M")


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault: its share of rows, the function that makes it, and the expected reason (None: accepted)."""

    name: str
    share: float
    spoil: Callable[[Entry, FaultContext], Entry | None]
    reason: str | None


KINDS = (
    FaultKind("nik-typo", 0.006, _nik_typo, "not-found"),
    FaultKind("not-in-population", 0.004, _unregistered_nik, "not-found"),
    FaultKind("nik-date-impossible", 0.002, _nik_impossible, "nik-date-impossible"),
    FaultKind("nik-short", 0.003, _nik_short, "nik-malformed"),
    FaultKind("nik-scientific", 0.003, _nik_scientific, "nik-malformed"),
    FaultKind("date-impossible", 0.003, _date_impossible, "field-invalid:birth_date"),
    FaultKind("date-differs", 0.003, _date_differs, "birth-date-mismatch"),
    FaultKind("village-unknown", 0.004, _village_unknown, "village-unknown"),
    FaultKind("village-outside", 0.003, _village_outside, "village-outside"),
    FaultKind("village-old", 0.005, _village_old, None),
    FaultKind("consent-missing", 0.008, _consent_missing, "consent-missing"),
    FaultKind("name-missing", 0.002, _name_missing, "name-missing"),
    FaultKind("name-swapped", 0.004, _name_swapped, None),
    FaultKind("name-misspelt-small", 0.008, _name_small, "name-mismatch"),
    FaultKind("name-misspelt-large", 0.004, _name_large, "name-mismatch"),
    FaultKind("sex-mismatch", 0.003, _sex_differs, "sex-mismatch"),
)
