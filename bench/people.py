"""The lists of the benches: invented people whom every rule accepts, so that only the processing is measured."""

from __future__ import annotations

import csv
from itertools import islice
from pathlib import Path

from payung.demo.population import Inhabitant, generate
from shared.kernel.calendar import business_day
from shared.reference import areas as area_files
from shared.runtime import clock

REGENCY = "64.08"
AGENCY = f"{REGENCY}/dinsos"
COLUMNS = (
    "submission_id",
    "nik",
    "name",
    "birth_place",
    "birth_date",
    "sex",
    "mother_name",
    "phone",
    "village",
    "sector",
    "occupation",
    "monthly_income",
    "consent",
)
# So many people are generated for each one that is needed; the others are dead or of no insurable age.
INVENTED_EACH = 1.4


def insurable(seed: int, count: int) -> list[Inhabitant]:
    """`count` people of the regency; each seed gives other people."""
    today = business_day(clock.now())
    everybody = generate(seed, int(count * INVENTED_EACH), REGENCY, area_files.load(), today)
    fit = (one for one in everybody if one.status == "alive" and 19 <= today.year - one.birth_date.year < 65)
    return list(islice(fit, count))


def write_list(path: Path, people: list[Inhabitant], prefix: str = "B") -> None:
    """Writes a list without faults, because the bench does not measure refusals. `prefix` makes row names unique."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number, one in enumerate(people, start=1):
            born = one.birth_date.isoformat()
            known = (f"{prefix}-{number}", one.nik, one.name, one.birth_place, born, one.sex, one.mother, one.phone)
            writer.writerow((*known, one.village, one.sector, one.occupation, one.income, "2026-01-02"))
