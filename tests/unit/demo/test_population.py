"""The synthetic population: plausible, unique, the same for the same seed."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from payung.demo.population import DEMO_DAY, OCCUPATIONS, generate, population_csv
from shared.kernel.calendar import age_on
from shared.kernel.identity import is_nik, nik_birth_date
from shared.reference import areas as reference

AREAS = reference.load()
PERSONS = list(generate(7, 4_000, "64.08", AREAS))


def test_the_same_seed_gives_the_same_people() -> None:
    assert list(generate(7, 200, "64.08", AREAS)) == PERSONS[:200]
    assert list(generate(8, 200, "64.08", AREAS)) != PERSONS[:200]
    assert list(generate(7, 200, "64.02", AREAS)) != PERSONS[:200]


def test_every_nik_is_valid_unique_and_says_birth_and_sex() -> None:
    assert len({person.nik for person in PERSONS}) == len(PERSONS)
    for person in PERSONS:
        assert is_nik(person.nik)
        assert nik_birth_date(person.nik, DEMO_DAY) == person.birth_date
        assert (int(person.nik[6:8]) > 40) == (person.sex == "F")


def test_about_one_in_seven_was_first_registered_elsewhere() -> None:
    elsewhere = sum(not person.nik.startswith("6408") for person in PERSONS) / len(PERSONS)
    assert 0.12 < elsewhere < 0.18


def test_everyone_lives_and_works_somewhere_known() -> None:
    for person in PERSONS:
        assert AREAS.regency_of(person.village) == "64.08"
        assert AREAS.village(person.village) is not None
        assert person.occupation in OCCUPATIONS[person.sector]
    districts = Counter(AREAS.district_of(person.village) for person in PERSONS)
    assert set(districts) == set(AREAS.districts("64.08"))
    assert districts.most_common(1)[0][0] == "64.08.04"


def test_ages_and_statuses_are_mostly_ordinary_with_every_exception_present() -> None:
    ages = Counter(
        "young" if (age := age_on(person.birth_date, DEMO_DAY)) < 18 else "old" if age >= 65 else "working"
        for person in PERSONS
    )
    assert ages["working"] / len(PERSONS) > 0.96
    assert ages["young"] > 0
    assert ages["old"] > 0
    statuses = Counter(person.status for person in PERSONS)
    assert set(statuses) == {"alive", "deceased", "double", "inactive"}
    assert statuses["alive"] / len(PERSONS) > 0.98


def test_names_come_in_every_form() -> None:
    names = [person.name for person in PERSONS]
    assert any(" " not in name for name in names)
    assert any("'" in name for name in names)
    assert any(name.startswith(("H. ", "Hj. ".upper())) for name in names)
    assert any(", " in name for name in names)


def test_population_file(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    assert population_csv(PERSONS[:50], path) == 50
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["nik", "name", "birth_place", "birth_date", "sex", "village", "status"]
    assert rows[0]["nik"] == PERSONS[0].nik
    assert date.fromisoformat(rows[0]["birth_date"]) == PERSONS[0].birth_date


def test_an_unknown_regency_has_no_people() -> None:
    with pytest.raises(ValueError, match=r"99\.99"):
        next(generate(1, 1, "99.99", AREAS))
