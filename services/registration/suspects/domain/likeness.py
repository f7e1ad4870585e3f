"""Finds pairs who may be one person under two NIKs: candidates share a key, then the evidence is weighed. Pure.

Theory of operation
A candidate pair shares at least one key (`_KINDS`): a word of the name and the birth date, the name in a village, most
of the NIK, a telephone, a family card. Each trait that they share or do not share then adds or subtracts points: the
binary logarithm of how much likelier one person shows it than two (Fellegi and Sunter). A rare name weighs more than a
common one; the same holds for birth dates and villages. A larger register contains more look-alikes by chance, so the
points needed for a suspect rise with its size. Suspects go to an officer with the reasons; a score alone never merges
anybody.

The keys exist only in memory while a scan runs. Nothing is stored that could be used to look up a name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import log2

from services.registration.suspects.domain.naming import OTHER, PART, alike, fold, skeleton
from services.registration.workers.domain.state import Worker
from shared.kernel.values import value

# Points required in addition to those that make one pair stand out among so many people (`Weights.needed`).
MARGIN = 6.5
# With so many points above the needed ones the shown score is 100; with exactly the needed ones it is 50.
CERTAIN = 16.0
# The assumed frequency of a name, a birth date or a village before any was seen. It weighs like PRIOR_PEOPLE people.
PRIOR_NAME, PRIOR_BIRTH, PRIOR_VILLAGE = 1 / 4096, 1 / 14_000, 1 / 100
PRIOR_PEOPLE = 20_000
# When more people than this share a key, it is a default value (a village head's telephone, 1 January), not a person.
BLOCK_MAX = 60
# In a larger block only neighbours by name are compared.
WINDOW = 12


@value(frozen=True, slots=True)
class Traits:
    """One worker as a scan compares them."""

    key: str
    nik: str
    name: tuple[str, ...]
    born: str
    sex: str
    village: str
    regency: str
    mother: tuple[str, ...] = ()
    phone: str = ""
    address: str = ""
    card: str = ""


@value(frozen=True, slots=True)
class Match:
    """Two workers who may be one. `reasons` name the traits that are alike, never their values."""

    first: Traits
    second: Traits
    score: int
    reasons: tuple[str, ...]


class Weights:
    """How common names, birth dates and villages are in this population, as the points for sharing one."""

    def __init__(self, people: Sequence[Traits]) -> None:
        self.people = len(people)
        self.needed = log2(max(self.people, 500)) + MARGIN
        self._names = Counter("".join(sorted(one.name)) for one in people)
        self._mothers = Counter("".join(sorted(one.mother)) for one in people if one.mother)
        self._words = Counter(word for one in people for word in one.name)
        self._births = Counter(one.born for one in people)
        self._villages = Counter(one.village for one in people)

    def name(self, one: tuple[str, ...], other: tuple[str, ...]) -> float:
        """Points for the name, by the more common of the two."""
        carriers = max(self._names["".join(sorted(one))], self._names["".join(sorted(other))])
        return self._points(carriers, PRIOR_NAME)

    def mother(self, one: tuple[str, ...], other: tuple[str, ...]) -> float:
        """Points for the mother's name, as for a name. Workers without a known mother do not count in its frequency."""
        carriers = max(self._mothers["".join(sorted(one))], self._mothers["".join(sorted(other))])
        return self._points(carriers, PRIOR_NAME)

    def word(self, one: tuple[str, ...], other: tuple[str, ...]) -> float:
        """Points for the rarest word of the shorter name."""
        short = min(one, other, key=len)
        return max(self._points(self._words[word], PRIOR_NAME) for word in short if len(word) > 1 or len(short) == 1)

    def birth(self, born: str) -> float:
        """Points for a birth date, by how many workers have it on their form."""
        return self._points(self._births[born], PRIOR_BIRTH)

    def village(self, village: str) -> float:
        """Points for a village, by the number of its workers."""
        return self._points(self._villages[village], PRIOR_VILLAGE)

    def _points(self, carriers: int, prior: float) -> float:
        # The two compared workers are not counted, because they may be one person.
        return -log2((max(carriers - 2, 0) + PRIOR_PEOPLE * prior) / (self.people + PRIOR_PEOPLE))


def traits_of(worker_id: str, worker: Worker) -> Traits:
    """The traits of a worker that a scan compares."""
    form = worker.form
    return Traits(
        key=worker_id,
        nik=form.nik,
        name=fold(form.name),
        born=form.birth_date,
        sex=form.sex,
        village=form.village,
        regency=worker.regency,
        mother=fold(form.mother_name) if form.mother_name else (),
        phone=_digits(form.phone)[-9:],
        address=" ".join(form.address.upper().split()) if form.address else "",
        card=_digits(form.family_card),
    )


def find(people: Sequence[Traits]) -> list[Match]:
    """Every suspect pair, the likeliest first."""
    weights = Weights(people)
    judged = (judge(people[left], people[right], weights) for left, right in _candidates(people))
    return sorted(
        (match for match in judged if match is not None), key=lambda one: (-one.score, one.first.key, one.second.key)
    )


def judge(one: Traits, other: Traits, weights: Weights) -> Match | None:
    """Weighs the evidence for and against; None when it is too weak for an officer."""
    reasons: list[str] = []
    points = _births(one, other, weights, reasons) + _niks(one.nik, other.nik, reasons)
    points += 1.0 if one.sex == other.sex else -6.0
    points += _places(one, other, weights, reasons) + _households(one, other, reasons)
    points += _mothers(one, other, weights, reasons)
    # Names are compared last, because that costs most, and only when the best name could still make a suspect.
    if points + 12.0 < weights.needed:
        return None
    likeness = alike(one.name, other.name)
    if likeness <= OTHER:
        # Twins share everything except the name, so no household evidence outweighs a different name.
        return None
    points += _names(one, other, likeness, weights, reasons)
    over = points - weights.needed
    if over < 0:
        return None
    first, second = sorted((one, other), key=lambda traits: traits.key)
    return Match(first, second, min(100, round(50 + 50 * over / CERTAIN)), tuple(reasons))


def _names(one: Traits, other: Traits, likeness: float, weights: Weights, reasons: list[str]) -> float:
    if likeness < 0.74:
        return -14.0 if likeness < 0.6 else -8.0
    if likeness >= 0.999:
        reasons.append("name-same")
        return weights.name(one.name, other.name)
    reasons.append("name-alike")
    if likeness == PART:
        return weights.word(one.name, other.name) - 2.0
    return weights.name(one.name, other.name) - (2.0 if likeness >= 0.85 else 5.0)


def _births(one: Traits, other: Traits, weights: Weights, reasons: list[str]) -> float:
    if one.born == other.born:
        reasons.append("birth-date-same")
        return weights.birth(one.born)
    (year, month, day), (other_year, other_month, other_day) = one.born.split("-"), other.born.split("-")
    same = (year == other_year) + (month == other_month) + (day == other_day)
    if year == other_year and (month, day) == (other_day, other_month):
        reasons.append("birth-date-swapped")
        return 9.0
    wrong = _differing(one.born, other.born)
    if wrong == 1 or (wrong == 2 and same == 2 and _turned(one.born, other.born)):
        reasons.append("birth-date-one-digit")
        return 6.0
    if same == 2:
        reasons.append("birth-date-near")
        return 2.5
    return -6.0


def _niks(one: str, other: str, reasons: list[str]) -> float:
    wrong = _differing(one, other)
    if wrong > 2 or (wrong == 2 and not _turned(one, other)):
        return 0.0
    reasons.append("nik-one-digit")
    if one[:6] != other[:6]:
        # Serial numbers are low, so two people born on one day in neighbouring districts often have the same one.
        return 2.0 if one[:4] == other[:4] else 5.0
    if one[6:12] == other[6:12]:
        # Two people born on one day in one district get consecutive numbers, so a close serial proves little.
        return 1.0
    # A different birth year also changes the NIK. That one difference already counted with the birth date.
    return 9.0 if "birth-date-same" in reasons or "birth-date-swapped" in reasons else 3.0


def _mothers(one: Traits, other: Traits, weights: Weights, reasons: list[str]) -> float:
    if not one.mother or not other.mother:
        return 0.0
    likeness = alike(one.mother, other.mother)
    if likeness >= 0.85:
        reasons.append("mother-alike")
        return min(10.0, weights.mother(one.mother, other.mother))
    return 2.0 if likeness >= 0.74 else -5.0


def _places(one: Traits, other: Traits, weights: Weights, reasons: list[str]) -> float:
    if one.village == other.village:
        reasons.append("village-same")
        return weights.village(one.village)
    return 0.0 if one.village[:8] == other.village[:8] else -2.0


def _households(one: Traits, other: Traits, reasons: list[str]) -> float:
    """Points for a shared household. Relatives share these too, so they alone are never enough."""
    points = 0.0
    if one.village == other.village and one.address and other.address:
        points += 2.0 if one.address == other.address else -1.0
        if one.address == other.address:
            reasons.append("address-same")
    if one.card and other.card:
        points += 3.0 if one.card == other.card else -2.0
        if one.card == other.card:
            reasons.append("family-card-same")
    if one.phone and other.phone:
        points += 6.0 if one.phone == other.phone else -1.0
        if one.phone == other.phone:
            reasons.append("phone-same")
    return points


def _differing(one: str, other: str) -> int:
    return sum(left != right for left, right in zip(one, other, strict=True)) if len(one) == len(other) else 99


def _turned(one: str, other: str) -> bool:
    """Whether two neighbouring digits changed places. The texts must have equal length and differ."""
    at = next(place for place, (left, right) in enumerate(zip(one, other, strict=True)) if left != right)
    return one[at : at + 2] == other[at : at + 2][::-1]


def _candidates(people: Sequence[Traits]) -> Iterator[tuple[int, int]]:
    """Pairs that share a key; each pair once."""
    size, seen = len(people), set[int]()
    for keys in _KINDS:
        blocks: dict[int, list[int]] = {}
        for place, one in enumerate(people):
            for key in keys(one):
                blocks.setdefault(hash(key), []).append(place)
        for block in blocks.values():
            if len(block) < 2:
                continue
            for left, right in _pairs(people, block):
                name = left * size + right
                if left != right and name not in seen:
                    seen.add(name)
                    yield left, right


def _pairs(people: Sequence[Traits], block: list[int]) -> Iterable[tuple[int, int]]:
    if len(block) <= BLOCK_MAX:
        return combinations(block, 2)
    near = sorted(set(block), key=lambda place: people[place].name)
    return (
        (min(one, other), max(one, other)) for at, one in enumerate(near) for other in near[at + 1 : at + 1 + WINDOW]
    )


def _by_birth(one: Traits) -> Iterator[tuple[str, ...]]:
    """Each word of the name with the birth date, with day and month in sorted order."""
    year, month, day = one.born.split("-")
    low, high = sorted((month, day))
    for word in one.name:
        if len(word) > 1:
            yield skeleton(word), year, low, high
    yield "".join(one.name), year, low, high


def _by_place(one: Traits) -> Iterator[tuple[str, ...]]:
    """The name within a village, and together with the mother's name: finds pairs whose birth dates differ
    altogether.
    """
    bones = " ".join(sorted(skeleton(word) for word in one.name))
    yield bones, one.village
    if one.mother:
        yield bones, "mother", " ".join(sorted(skeleton(word) for word in one.mother))
        for word in one.name:
            yield skeleton(word), one.born[:4], " ".join(sorted(skeleton(word) for word in one.mother))


def _by_nik(one: Traits) -> Iterator[tuple[str, ...]]:
    """The NIK without one of its parts: one wrong digit leaves all the other parts intact."""
    area, day, month, year, serial = one.nik[:6], one.nik[6:8], one.nik[8:10], one.nik[10:12], one.nik[12:]
    yield "serial", area, day, month, year
    yield "year", area, day, month, serial
    yield "month", area, day, year, serial
    yield "day", area, month, year, serial
    yield "area", day, month, year, serial


def _by_household(one: Traits) -> Iterator[tuple[str, ...]]:
    """A telephone, a family card, an address. Relatives share them too; the other traits separate those."""
    if one.phone:
        yield "phone", one.phone
    if one.card:
        yield "card", one.card
    if one.address and one.name:
        yield one.village, one.address, skeleton(one.name[0])


_KINDS = (_by_birth, _by_place, _by_nik, _by_household)


def _digits(text: str | None) -> str:
    return "".join(one for one in text if one.isdigit()) if text else ""
