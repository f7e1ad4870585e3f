"""The stand-in for Dukcapil: every answer in the documented form."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.sandbox import dukcapil, register
from services.verification.adapters import dukcapil as caller

HEADER = "nik,name,birth_place,birth_date,sex,village,status\n"
ROWS = (
    "6408044107850002,SITI AMINAH,Sangatta,1985-07-01,F,64.08.04.2001,alive\n"
    "6408040101800001,Drs. H. AHMAD YANI,Bontang,1980-01-01,M,64.08.04.2001,alive\n"
    "6408040101800003,TIADA,Bontang,1980-01-01,M,64.08.04.2001,deceased\n"
    "6408040101800004,GANDA,Bontang,1980-01-01,M,64.08.04.2001,double\n"
    "6408040101800005,DIAM,Bontang,1980-01-01,M,64.08.04.2001,inactive\n"
)
SITI = {
    "NIK": "6408044107850002",
    "NAMA_LGKP": "Siti Aminah",
    "TMPT_LHR": "SANGATTA",
    "TGL_LHR": "01-07-1985",
    "JENIS_KLMIN": "Perempuan",
    "TRESHOLD": "90",
    "USER_ID": "u",
    "PASSWORD": "p",
    "IP_USER": "10.0.0.1",
}


@pytest.fixture
def population(tmp_path: Path) -> Path:
    path = tmp_path / "population.csv"
    path.write_text(HEADER + ROWS, encoding="utf-8")
    return path


def client_of(population: Path | None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(dukcapil.create_app(population))
    return httpx.AsyncClient(transport=transport, base_url="http://dukcapil")


@pytest.fixture
async def client(population: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(population) as client:
        yield client


async def ask(client: httpx.AsyncClient, **changed: Any) -> dict[str, Any]:
    answer = await client.post(dukcapil.MATCH_PATH, json={**SITI, **changed})
    assert answer.status_code == 200
    page: dict[str, Any] = answer.json()
    return page


async def entry(client: httpx.AsyncClient, **changed: Any) -> dict[str, str]:
    found: dict[str, str] = (await ask(client, **changed))["content"][0]
    return found


def test_the_product_calls_where_the_stand_in_answers() -> None:
    assert caller.PATH == dukcapil.MATCH_PATH


async def test_match_in_the_documented_shape(client: httpx.AsyncClient) -> None:
    assert await ask(client) == {
        "content": [
            {
                "NIK": "Sesuai",
                "NAMA_LGKP": "Sesuai (100)",
                "TMPT_LHR": "Sesuai (100)",
                "TGL_LHR": "Sesuai",
                "JENIS_KLMIN": "Sesuai",
            }
        ],
        "lastPage": True,
        "numberOfElements": 1,
        "sort": None,
        "totalElements": 1,
        "firstPage": True,
        "number": 0,
        "size": 1,
        "quotaLimiter": dukcapil.QUOTA - 1,
    }
    assert (await ask(client))["quotaLimiter"] == dukcapil.QUOTA - 2


async def test_differences_are_reported_per_field(client: httpx.AsyncClient) -> None:
    said = await entry(
        client,
        NAMA_LGKP="SITI AMINA",
        TMPT_LHR="",
        TGL_LHR="02-07-1985",
        JENIS_KLMIN="Laki-Laki",
        NO_KK="6408040000000001",
        ALAMAT="RT 3",
        NO_PROP="64",
        NO_KAB="8",
        NO_KEC="05",
        NO_KEL=2001,
    )
    assert said == {
        "NIK": "Sesuai",
        "NAMA_LGKP": "Sesuai (95)",
        "TMPT_LHR": "Tidak Sesuai (0)",
        "TGL_LHR": "Tidak Sesuai",
        "JENIS_KLMIN": "Tidak Sesuai",
        "NO_KK": "Tidak Sesuai",
        "ALAMAT": "Tidak Sesuai (0)",
        "NO_PROP": "Sesuai",
        "NO_KAB": "Sesuai",
        "NO_KEC": "Tidak Sesuai",
        "NO_KEL": "Sesuai",
    }


async def test_titles_punctuation_and_order_do_not_count(client: httpx.AsyncClient) -> None:
    said = await entry(client, NIK="6408040101800001", NAMA_LGKP=" yani  ahmad, S.Pd. ")
    assert said["NAMA_LGKP"] == "Sesuai (100)"


@pytest.mark.parametrize(
    ("nik", "code", "text"),
    [
        ("6408040101800003", "11", "Data Ditemukan, Meninggal Dunia"),
        ("6408040101800004", "12", "Data Ditemukan, Data Ganda"),
        ("6408040101800009", "13", "Data Tidak Ditemukan, NIK tidak terdapat di database Kependudukan"),
        ("6408040101800005", "14", "Data Ditemukan, Status Non Aktif silahkan hubungi Dinas Dukcapil"),
        ("640804010180000", "15", "Data Tidak Ditemukan, NIK tidak sesuai format Dukcapil"),
        ("6408040101800000", "15", "Data Tidak Ditemukan, NIK tidak sesuai format Dukcapil"),
        (None, "15", "Data Tidak Ditemukan, NIK tidak sesuai format Dukcapil"),
    ],
)
async def test_codes(client: httpx.AsyncClient, nik: str | None, code: str, text: str) -> None:
    assert await entry(client, NIK=nik) == {"RESPONSE_CODE": code, "RESPON": text}


async def test_nobody_is_found_without_a_population() -> None:
    async with client_of(None) as client:
        assert (await entry(client))["RESPONSE_CODE"] == "13"


async def test_a_call_without_credentials_is_refused_and_costs_no_quota(client: httpx.AsyncClient) -> None:
    page = await ask(client, PASSWORD="")
    assert page["content"] == [{"RESPON": "Login gagal"}]
    assert page["quotaLimiter"] == dukcapil.QUOTA


async def test_an_empty_quota_answers_200_without_a_match(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"quota_left": 1})
    assert (await ask(client))["quotaLimiter"] == 0
    page = await ask(client)
    assert page["content"] == [{"RESPON": "Kuota Akses Hari ini telah Habis"}]
    assert (await client.get("/_control/log")).json()["calls"] == {"match": 1, "quota-exhausted": 1}


async def test_quirks_of_known_services(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"echo_nik_rate": 1, "zero_match_rate": 1})
    said = await entry(client, NAMA_LGKP="")
    assert (said["NIK"], said["NAMA_LGKP"]) == (SITI["NIK"], "Sesuai (0)")


async def test_wrong_answers_deny_the_right_and_confirm_the_wrong(client: httpx.AsyncClient) -> None:
    await client.post("/_control", json={"wrong_rate": 1})
    denied = [await entry(client) for _ in range(20)]
    assert {said.get("RESPONSE_CODE", said.get("NAMA_LGKP")) for said in denied} == {"13", "Tidak Sesuai (0)"}
    assert (await entry(client, NIK="6408040101800003"))["NAMA_LGKP"] == "Sesuai (100)"


async def test_give_back_is_taken_once_in_any_order(client: httpx.AsyncClient) -> None:
    data = [{"NIK": SITI["NIK"], "param": "aktif"}, {"NIK": "6408040101800001", "param": "aktif"}]
    body = {"id_lembaga": "6408", "nama_lembaga": "Distransnaker", "data": data}
    first = await client.post(dukcapil.GIVE_BACK_PATH, json=body)
    again = await client.post(dukcapil.GIVE_BACK_PATH, json={**body, "data": data[::-1]})
    other = await client.post(dukcapil.GIVE_BACK_PATH, json={**body, "data": [{**data[0], "param": "keluar"}]})
    empty = await client.post(dukcapil.GIVE_BACK_PATH, json={**body, "data": []})
    assert [one.status_code for one in (first, again, other, empty)] == [200, 400, 200, 400]
    assert again.json() == {"message": "Data sudah pernah dikirim"}


async def test_the_population_is_exchanged_by_file_and_by_rows(client: httpx.AsyncClient, tmp_path: Path) -> None:
    smaller = tmp_path / "smaller.csv"
    smaller.write_text("status;sex;nik;name;birth_date;birth_place;village\nalive;P;6408040101800009;BARU;;;\n")
    loaded = await client.post("/_control/population", json={"path": str(smaller)})
    assert loaded.json() == {"people": 1, "skipped": 0}
    assert (await entry(client))["RESPONSE_CODE"] == "13"
    assert (await entry(client, NIK="6408040101800009", NAMA_LGKP="Baru"))["JENIS_KLMIN"] == "Sesuai"

    row = {"nik": SITI["NIK"], "name": "SITI AMINAH", "birth_date": "1985-07-01", "sex": "F", "status": "alive"}
    loaded = await client.post("/_control/population", json={"rows": [row, {**row, "nik": "1"}]})
    assert loaded.json() == {"people": 1, "skipped": 1}
    assert (await entry(client))["NAMA_LGKP"] == "Sesuai (100)"


async def test_a_bad_population_is_refused_and_the_register_stays(client: httpx.AsyncClient, tmp_path: Path) -> None:
    headless = tmp_path / "headless.csv"
    headless.write_text(ROWS)
    for given_body in ({"path": str(headless)}, {"path": str(tmp_path / "none.csv")}, {"rows": 3}, {}):
        refused = await client.post("/_control/population", json=given_body)
        assert refused.status_code == 422
        assert SITI["NIK"] not in refused.text
    assert (await entry(client))["NIK"] == "Sesuai"


async def test_the_log_counts_people_without_naming_any(client: httpx.AsyncClient) -> None:
    for nik in (SITI["NIK"], SITI["NIK"], "6408040101800003"):
        await ask(client, NIK=nik)
    log = await client.get("/_control/log")
    assert log.json() == {
        "calls": {"match": 2, "deceased": 1},
        "distinct": {"keys": 2},
        "people": 5,
        "skipped": 0,
    }


_FIELDS = st.text(st.characters(codec="utf-8", exclude_characters="\n\r\0"), max_size=12).map(str.strip)


@given(st.dictionaries(st.integers(1, 9999), st.tuples(_FIELDS, _FIELDS), max_size=20))
def test_every_registered_person_is_found_as_written(people: dict[int, tuple[str, str]]) -> None:
    rows = [
        {"nik": f"640804010180{serial:04d}", "name": name, "birth_place": place, "sex": "L", "status": "alive"}
        for serial, (name, place) in people.items()
    ]
    known = register.from_rows(rows)
    for row in rows:
        found = known.find(row["nik"])
        assert found is not None
        assert (found.name, found.birth_place) == (
            row["name"].replace("\t", " "),
            row["birth_place"].replace("\t", " "),
        )
    assert len(known.people) == len(rows)
