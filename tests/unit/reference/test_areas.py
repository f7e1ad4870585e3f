"""The areas: shapes, moved villages, and agreement with the official counts."""

from __future__ import annotations

import json

import pytest

from shared.reference import areas as reference
from shared.reference.areas import Village

AREAS = reference.load()


def test_village_knows_its_district_and_regency() -> None:
    assert AREAS.village("64.08.04.2001") == Village(
        "64.08.04.2001", AREAS.name("64.08.04.2001") or "", "64.08.04", "64.08"
    )
    assert AREAS.district_of("64.08.04.2001") == "64.08.04"
    assert AREAS.regency_of("64.08.04.2001") == "64.08"
    assert AREAS.regency_of("64.08.04") == "64.08"
    assert AREAS.regency_of("64.08") == "64.08"


@pytest.mark.parametrize("code", ["", "64", "64.08", "64.08.04", "64.08.04.9999", "6408042001", "64.03.01.2001", "abc"])
def test_unknown_codes_are_no_village(code: str) -> None:
    assert AREAS.village(code) is None


@pytest.mark.parametrize(
    ("regency", "districts", "villages"), [("64.02", 20, 237), ("64.08", 18, 141), ("64.09", 4, 54), ("64.74", 3, 15)]
)
def test_official_counts(regency: str, districts: int, villages: int) -> None:
    assert AREAS.is_regency(regency)
    assert len(AREAS.districts(regency)) == districts
    assert sum(len(AREAS.villages(district)) for district in AREAS.districts(regency)) == villages


def test_moved_village_resolves_across_districts() -> None:
    assert AREAS.village("64.02.08.2001") is None
    assert AREAS.resolve("64.02.08.2001") == "64.02.19.2001"
    assert AREAS.district_of("64.02.08.2001") == "64.02.19"
    assert AREAS.regency_of("64.02.08.2001") == "64.02"
    assert AREAS.name(AREAS.resolve("64.02.13.1001")) == "Salok Api Darat"


def test_other_codes_resolve_to_themselves() -> None:
    assert AREAS.resolve("64.08.04.2001") == "64.08.04.2001"
    assert AREAS.resolve("no code") == "no code"


def test_names_and_regencies() -> None:
    assert AREAS.name("64") == "Kalimantan Timur"
    assert AREAS.name("64.08") == "Kabupaten Kutai Timur"
    assert AREAS.name("64.74") == "Kota Bontang"
    assert AREAS.name("64.08.04") == "Sangatta Utara"
    assert AREAS.name("99") is None
    assert AREAS.regencies() == ("64.02", "64.08", "64.09", "64.74")
    assert not AREAS.is_regency("64.03")
    assert not AREAS.is_regency("64")
    assert AREAS.districts("64") == ()


def test_every_outline_and_point_belongs_to_a_district() -> None:
    outlines = {feature["properties"]["code"] for feature in json.loads(reference.outlines())["features"]}
    pointed = {d for regency in AREAS.regencies() for d in AREAS.districts(regency) if AREAS.point(d)}
    assert outlines == pointed
    assert set(AREAS.districts("64.08")) <= pointed
    lat, lon = AREAS.point("64.08.04") or (0.0, 0.0)
    assert 0 < lat < 2
    assert 117 < lon < 118


@pytest.mark.parametrize(
    ("areas", "moved"),
    [
        ("code,name,level,parent\n64,A,province,\n64,B,province,", ""),
        ("code,name,level,parent\n64.08,A,regency,64", ""),
        ("code,name,level,parent\n64,A,province,", "old_code,new_code\n64.02.08.2001,64.02.19.2001"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(areas: str, moved: str) -> None:
    with pytest.raises(ValueError, match=r"64"):
        reference.parse(areas, moved)
