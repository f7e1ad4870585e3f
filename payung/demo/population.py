"""A synthetic population of a regency, the same for the same seed.

No real persons: names are combined from lists of common words. NIK serials begin at 7001, which no registry office
reaches in one day. The weights of districts and sectors are invented. Only the shape is real: ages, areas where a NIK
was first issued, occupations from the news about the programme.
"""

from __future__ import annotations

import csv
import random
from bisect import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Literal

from payung.demo.names import BIRTH_PLACES, full_name, words
from shared.contracts.base import Sector, Sex
from shared.reference.areas import Areas, Village

VitalStatus = Literal["alive", "deceased", "double", "inactive"]

# The demo's default "today"; ages are counted from it.
DEMO_DAY = date(2026, 1, 5)

_FIRST_SERIAL = 7001
# Invented: the relative number of workers of a district; the default is 1.0.
_DISTRICT_WEIGHTS = {
    "64.08.04": 6.0,
    "64.08.12": 2.5,
    "64.08.09": 2.5,
    "64.08.05": 2.0,
    "64.08.02": 1.8,
    "64.08.08": 1.6,
    "64.02.06": 4.0,
    "64.02.03": 3.0,
    "64.02.16": 3.0,
    "64.02.05": 2.0,
    "64.02.13": 2.0,
    "64.02.14": 2.0,
}
_COASTAL = frozenset(
    words("64.08.04 64.08.05 64.08.09 64.08.10 64.08.11 64.08.12 64.08.13 64.02.04 64.02.05 64.02.13 64.02.14 64.02.17")
)
# Synthetic shares of sectors, inland and on the coast.
_SECTOR_WEIGHTS: dict[Sector, tuple[float, float]] = {
    "plantation": (30, 12),
    "agriculture": (26, 14),
    "fisheries": (5, 26),
    "trade": (14, 18),
    "services": (8, 10),
    "construction": (7, 9),
    "transport": (3, 5),
    "livestock": (4, 2),
    "crafts": (2, 3),
    "other": (1, 1),
}
OCCUPATIONS: dict[Sector, tuple[str, ...]] = {
    "agriculture": ("petani", "buruh tani", "petani padi"),
    "plantation": ("petani sawit", "buruh kebun", "petani karet"),
    "fisheries": ("nelayan", "pembudidaya tambak", "buruh nelayan"),
    "livestock": ("peternak",),
    "trade": ("pedagang kaki lima", "pedagang kecil", "pelaku UMKM"),
    "transport": ("ojek", "ojol", "sopir angkutan"),
    "construction": ("tukang bangunan", "buruh harian lepas"),
    "crafts": ("industri rumahan", "pengrajin"),
    "services": ("tukang kebun", "tukang parkir", "buruh pelabuhan", "tukang urut", "guru les"),
    "other": ("pemulung", "marbot", "pemuka agama"),
}
# Where NIKs of migrants were first issued: neighbours, old codes of this land, Sulawesi, Java, Banjar.
_OTHER_PREFIXES = words(
    "640201 640206 640213 647201 647205 647102 647401 640304 640112 640501 630305 637101 731103 730805 737109 731302 "
    "760105 350515 350706 351518 352408 357802 530804 531001"
)
_STATUSES: tuple[tuple[float, VitalStatus], ...] = ((0.006, "deceased"), (0.009, "double"), (0.012, "inactive"))


@dataclass(frozen=True, slots=True)
class Inhabitant:
    """One synthetic inhabitant as the civil registry would know them, with the work they do."""

    nik: str
    name: str
    birth_place: str
    birth_date: date
    sex: Sex
    village: str
    sector: Sector
    occupation: str
    income: int
    mother: str
    phone: str
    heir: str
    heir_relation: str
    status: VitalStatus


def generate(seed: int, workers: int, regency: str, areas: Areas, today: date = DEMO_DAY) -> Iterator[Inhabitant]:
    """Yields `workers` persons of a regency: 98 of 100 are of working age, the rest too young or too old."""
    rng = random.Random(f"{seed}/{regency}")
    villages, reach = _villages(regency, areas)
    sectors = {coastal: _sector_table(coastal) for coastal in (False, True)}
    serials: dict[str, int] = {}
    for _ in range(workers):
        village = villages[bisect(reach, rng.random() * reach[-1])]
        sex: Sex = "M" if rng.random() < 0.62 else "F"
        born = _birth_date(rng, today)
        names, sector_reach = sectors[village.district in _COASTAL]
        sector = names[bisect(sector_reach, rng.random() * sector_reach[-1])]
        yield Inhabitant(
            nik=_nik(rng, serials, village, born, sex),
            name=full_name(rng, sex),
            birth_place=rng.choice(BIRTH_PLACES),
            birth_date=born,
            sex=sex,
            village=village.code,
            sector=sector,
            occupation=rng.choice(OCCUPATIONS[sector]),
            income=_income(rng),
            mother=full_name(rng, "F"),
            phone=f"+62812000{rng.randrange(100_000):05d}",
            heir=full_name(rng, "F" if sex == "M" else "M"),
            heir_relation=rng.choice(("spouse", "spouse", "spouse", "child", "parent", "sibling")),
            status=_status(rng),
        )


def population_csv(persons: Iterable[Inhabitant], path: Path) -> int:
    """Writes a population file (docs/contracts.md#list-files) and returns its number of persons."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("nik", "name", "birth_place", "birth_date", "sex", "village", "status"))
        for person in persons:
            writer.writerow(
                (
                    person.nik,
                    person.name,
                    person.birth_place,
                    person.birth_date.isoformat(),
                    person.sex,
                    person.village,
                    person.status,
                )
            )
            count += 1
    return count


def _villages(regency: str, areas: Areas) -> tuple[list[Village], list[float]]:
    villages: list[Village] = []
    weights: list[float] = []
    for district in areas.districts(regency):
        inside = areas.villages(district)
        for village in inside:
            villages.append(village)
            weights.append(_DISTRICT_WEIGHTS.get(district, 1.0) / len(inside))
    if not villages:
        raise ValueError(f"no villages are known in {regency}")
    return villages, list(accumulate(weights))


def _sector_table(coastal: bool) -> tuple[list[Sector], list[float]]:
    return list(_SECTOR_WEIGHTS), list(accumulate(weights[coastal] for weights in _SECTOR_WEIGHTS.values()))


def _birth_date(rng: random.Random, today: date) -> date:
    kind = rng.random()
    if kind < 0.01:
        years = rng.uniform(15, 17.5)
    elif kind < 0.02:
        years = rng.uniform(65.2, 78)
    else:
        years = rng.triangular(18.2, 64, 40)
    return today - timedelta(days=int(years * 365.25))


def _nik(rng: random.Random, serials: dict[str, int], village: Village, born: date, sex: Sex) -> str:
    prefix = village.district.replace(".", "") if rng.random() < 0.85 else rng.choice(_OTHER_PREFIXES)
    of_month = born.day + 40 if sex == "F" else born.day
    stem = f"{prefix}{of_month:02d}{born.month:02d}{born.year % 100:02d}"
    serial = serials.get(stem, _FIRST_SERIAL)
    serials[stem] = serial + 1
    return f"{stem}{serial:04d}"


def _income(rng: random.Random) -> int:
    return 1_000_000 if rng.random() < 0.55 else int(rng.triangular(500_000, 3_500_000, 1_200_000)) // 50_000 * 50_000


def _status(rng: random.Random) -> VitalStatus:
    draw = rng.random()
    return next((status for below, status in _STATUSES if draw < below), "alive")
