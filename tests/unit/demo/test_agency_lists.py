"""The six agencies' lists of the demo: readable, and with exactly as many wrong rows as the tally says."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from payung.demo.agency_lists import AgencyLists, agency_lists
from payung.demo.mess import KINDS
from payung.demo.population import Inhabitant, generate
from shared.lists import Row, read
from shared.reference import areas as reference

AREAS = reference.load()


@pytest.fixture(scope="module")
def people() -> dict[str, Inhabitant]:
    return {person.nik: person for person in generate(3, 5_000, "64.02", AREAS)}


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory, people: dict[str, Inhabitant]) -> AgencyLists:
    return agency_lists(tmp_path_factory.mktemp("lists"), list(people.values()), "64.02", AREAS, seed=3)


@pytest.fixture(scope="module")
def rows(lists: AgencyLists) -> dict[str, list[Row]]:
    return {file.agency: list(read(file.path, "workers")) for file in lists.files}


def test_every_agency_has_a_readable_list_with_all_its_rows(lists: AgencyLists, rows: dict[str, list[Row]]) -> None:
    assert {file.agency for file in lists.files} == {
        "distransnaker",
        "dinsos",
        "perikanan",
        "perkebunan",
        "perdagangan",
        "desa",
    }
    assert {file.agency: file.rows for file in lists.files} == {agency: len(found) for agency, found in rows.items()}
    assert {file.path.suffix for file in lists.files} == {".csv", ".xlsx", ".jsonl"}
    assert lists.rows == sum(len(found) for found in rows.values())


def test_clean_rows_equal_the_person(rows: dict[str, list[Row]], people: dict[str, Inhabitant]) -> None:
    for found in rows.values():
        same = 0
        for row in found:
            person = people.get(str(row.data.get("nik")))
            same += (
                person is not None
                and not row.problems
                and row.data.get("name") == person.name
                and row.data.get("birth_date") == person.birth_date.isoformat()
                and row.data.get("sex") == person.sex
                and row.data.get("village") == person.village
                and row.data.get("sector") == person.sector
                and row.data.get("monthly_income") == person.income
                and "consent" in row.data
            )
        assert 0.9 < same / len(found) < 1


def test_the_tally_equals_the_lists(
    lists: AgencyLists, rows: dict[str, list[Row]], people: dict[str, Inhabitant]
) -> None:
    every = [row for found in rows.values() for row in found]
    seen = Counter(
        {
            "consent-missing": sum("consent" not in row.data for row in every),
            "name-missing": sum("name" not in row.data for row in every),
            "nik-scientific": sum("E+" in str(row.data["nik"]) for row in every),
            "village-outside": sum(AREAS.regency_of(row.data["village"]) not in ("64.02", None) for row in every),
            "village-unknown": sum(AREAS.regency_of(row.data["village"]) is None for row in every),
            "village-old": sum(AREAS.resolve(row.data["village"]) != row.data["village"] for row in every),
        }
    )
    # A double of a spoiled row is spoiled, too, and the tally counts both rows as one spoiling.
    for kind, count in seen.items():
        assert lists.injected[kind] <= count <= lists.injected[kind] + lists.injected["double-in-list"]


def test_every_kind_of_fault_occurs(lists: AgencyLists) -> None:
    assert {kind.name for kind in KINDS} <= set(lists.injected)
    assert {"too-young", "too-old", "person-deceased", "double-in-list", "in-several-lists"} <= set(lists.injected)
    assert all(count > 0 for count in lists.injected.values())
    assert {"not-found", "name-mismatch", "too-young", "nik-malformed", "duplicate-identity"} <= set(lists.expected)
    assert lists.persons_listed == 5_000


def test_the_same_seed_writes_the_same_lists(tmp_path: Path, people: dict[str, Inhabitant]) -> None:
    some = list(people.values())[:300]
    first, second = (agency_lists(tmp_path / name, some, "64.02", AREAS, seed=3) for name in ("a", "b"))
    for one, other in zip(first.files, second.files, strict=True):
        assert list(read(one.path, "workers")) == list(read(other.path, "workers"))
