"""House stickers: numbers, until when, signatures, sheets, what a scan is told, and the reports of installers."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain import stickers
from services.registration.domain.stickers import Cover
from services.registration.stickers import sheets, web
from services.registration.stickers.printing import rt_of
from services.registration.stickers.signing import BadToken, Claim, Signer
from shared.runtime import clock
from shared.runtime.pipeline import Message
from tests.property.registration_world import FORM, KEY, REFERENCE
from tests.unit.imports.imports_house import MemoryHouse

VILLAGE = "64.08.04.2001"
NOW = datetime(2026, 2, 10, 3, 0, tzinfo=UTC)
KEYS = {"PAYUNG_ID_KEY": base64.b64encode(KEY).decode()}
SIGNER = Signer.from_environment(KEYS)
CLAIM = Claim("6408-7F3KQ-9M2XA", VILLAGE, date(2026, 12, 31))


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


class StickerHouse(MemoryHouse):
    """Registration in memory with its stickers; `say` is a word of another service."""

    def __init__(self) -> None:
        super().__init__(**KEYS)
        self.topics.now_ms = int(NOW.timestamp() * 1000)
        self._count = 0

    async def say(self, topic: str, source: str, kind: str, data: Mapping[str, Any]) -> list[dict[str, Any]]:
        mark = len(self.topics.published)
        self._count += 1
        one = {"specversion": "1.0", "id": f"e{self._count}", "source": source, "type": kind, "data": dict(data)}
        await self.publish([Message(topic, b"k", orjson.dumps(one))])
        return [orjson.loads(sent.value or b"") for sent in self.topics.published[mark + 1 :]]

    async def worker(self, number: int = 1, address: str = "Jl. Pelita RT 3") -> str:
        """A verified worker."""
        nik = f"640804410785{number:04d}"
        form = {**FORM, "nik": nik, "submission_id": str(number), "address": address, "name": f"PEKERJA {number}"}
        said = await self.say("registration-intake-6408-dinsos", "agency/64.08/dinsos", "worker.register.v1", form)
        worker_id = str(said[0]["data"]["worker_id"])
        await self.say("verification-events", "payung/verification", "identity.verified.v1", _verified(worker_id))
        return worker_id

    async def billed(self, worker_id: str, *periods: str) -> None:
        for period in periods:
            await self.say("billing-events", "payung/billing", "premium.billed.v1", _billed(worker_id, period))

    async def paid(self, *periods: str) -> None:
        for period in periods:
            await self.say("billing-events", "payung/billing", "premium.paid.v1", _paid(period))

    async def install(self, number: str, **changes: Any) -> list[dict[str, Any]]:
        data = {"submission_id": "P1", "sticker_no": number, "installed_on": "2026-02-09", "by": "Rina", **changes}
        return await self.say(
            "registration-intake-6408-desa", "agency/64.08/desa", "sticker.install.v1", {**data, **changes}
        )

    def http(self) -> httpx.AsyncClient:
        app = FastAPI()
        house: Any = self
        app.include_router(web.routes(house))
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://payung.test")

    def _waiting(self) -> list[Any]:
        found = super()._waiting()
        for place, log in self.topics.logs.items():
            if place[0] in ("verification-events", "billing-events"):
                found += log[self.settled.get(place, 0) :]
                self.settled[place] = len(log)
        return found


def _verified(worker_id: str) -> dict[str, Any]:
    return {
        "worker_id": worker_id,
        "regency": "64.08",
        "district": "64.08.04",
        "village": VILLAGE,
        "sector": "fisheries",
        "sex": "F",
        "birth_month": "1985-07",
        "income_base": 1_000_000,
        "segment": "BPU",
        "evidence": ["snapshot"],
        "score": 100,
        "valid_until": "2027-02-01",
        "registration_version": 1,
    }


def _billed(worker_id: str, period: str) -> dict[str, Any]:
    lines = [{"programme": "JKK", "amount": 10_000, "rule": "r"}, {"programme": "JKM", "amount": 6_800, "rule": "r"}]
    place = {key: value for key, value in _verified(worker_id).items() if key in _PLACE}
    run = {"run_id": f"run-{period}", "invoice_id": f"inv-{period}", "funding": "apbd-regency"}
    return {**place, **run, "period": period, "lines": lines, "total": 16_800}


_PLACE = ("worker_id", "regency", "district", "village", "sector", "sex", "birth_month", "income_base")


def _paid(period: str) -> dict[str, Any]:
    money = {"total": 16_800, "workers": 1, "reference": "SP2D", "paid_on": "2026-02-01", "funding": "apbd-regency"}
    return {"invoice_id": f"inv-{period}", "regency": "64.08", "period": period, **money}


def _text(pdf: bytes) -> bytes:
    found = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            found += zlib.decompress(base64.a85decode(stream.strip().removesuffix(b"~>")))
        except (ValueError, zlib.error):
            continue
    return found


@pytest.mark.parametrize(
    ("months", "paid", "until"),
    [
        (("2026-02",), {"2026-02"}, date(2026, 2, 28)),
        (("2026-02", "2026-03", "2026-04"), {"2026-02", "2026-03", "2026-04"}, date(2026, 4, 30)),
        (("2026-02", "2026-03", "2026-04"), {"2026-02", "2026-04"}, date(2026, 2, 28)),
        (("2026-03", "2026-04"), {"2026-03", "2026-04"}, date(2026, 4, 30)),
        (("2026-01",), {"2026-01"}, None),
        (("2026-02",), set(), None),
        ((), set(), None),
    ],
)
def test_until_when_a_worker_is_paid(months: tuple[str, ...], paid: set[str], until: date | None) -> None:
    cover = Cover(months=tuple((month, month) for month in months))
    assert stickers.paid_until(cover, paid, date(2026, 2, 10)) == until


@pytest.mark.parametrize(
    ("address", "rt"),
    [
        ("RT 003 Gang Buntu", "003"),
        ("Jl. A No.5 RT.12/RW 02", "012"),
        ("rt7", "007"),
        ("Jl. Kartini 3", ""),
        (None, ""),
    ],
)
def test_the_rt_of_an_address(address: str | None, rt: str) -> None:
    assert rt_of(address) == rt


@given(st.binary(min_size=1, max_size=40), st.sampled_from(["2026-01-01", ""]))
def test_a_number_is_shaped_like_one_and_is_the_same_again(seed: bytes, opened_on: str) -> None:
    number = stickers.sticker_no(KEY, "64.08", seed.hex(), opened_on)
    assert stickers.is_sticker_no(number)
    assert stickers.sticker_no(KEY, "64.08", seed.hex(), opened_on) == number
    assert stickers.sticker_no(KEY, "64.08", seed.hex(), "2027-01-01") != number


@given(st.integers(0, 110), st.integers(0, 255))
def test_a_token_is_whole_or_nothing(place: int, byte: int) -> None:
    token = SIGNER.token(CLAIM)
    assert (len(token), SIGNER.open(token)) == (111, CLAIM)
    raw = bytearray(base64.urlsafe_b64decode(token + "="))
    if raw[place % len(raw)] == byte:
        return
    raw[place % len(raw)] = byte
    with pytest.raises(BadToken):
        SIGNER.open(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_a_changed_key_still_takes_what_the_old_one_signed() -> None:
    (old,) = SIGNER.public_keys().values()
    seed = base64.b64encode(b"7" * 32).decode()
    fresh = Signer.from_environment({"PAYUNG_STICKER_KEY": seed, "PAYUNG_STICKER_OLD_KEYS": old})
    assert fresh.open(SIGNER.token(CLAIM)) == CLAIM
    with pytest.raises(BadToken):
        SIGNER.open(fresh.token(CLAIM))


async def test_only_the_verified_and_paid_get_a_sticker_and_no_sheet_names_anybody() -> None:
    house = StickerHouse()
    first, second, unpaid = [await house.worker(number) for number in (1, 2, 3)]
    # The payment may be heard of before the premium.
    await house.paid("2026-02")
    for worker in (first, second):
        await house.billed(worker, "2026-02")
    await house.billed(unpaid, "2026-03")
    async with house.http() as client:
        answer = await client.get(f"/v1/stickers/{VILLAGE}.pdf")
        listed = await client.get(f"/v1/stickers/{VILLAGE}.csv")
        assert (await client.get(f"/v1/stickers/{VILLAGE}.pdf?rt=4")).status_code == 404
        assert (await client.get("/v1/stickers/64.08.99.2001.pdf")).status_code == 404
    assert answer.headers["content-type"] == "application/pdf"
    text = _text(answer.content)
    numbers = re.findall(rb"No\. ([0-9A-Z-]+)", text)
    assert len(numbers) == 2
    assert b"28 Februari 2026" in text
    assert b"RT 003" in text
    assert not re.search(rb"PEKERJA|\d{16}|Pelita", text)
    assert listed.text.count("PEKERJA") == 2
    assert all(number.decode() in listed.text for number in numbers)


async def test_what_is_printed_is_issued_once_and_again_only_with_a_later_day() -> None:
    house = StickerHouse()
    worker = await house.worker()
    await house.billed(worker, "2026-02", "2026-03")
    await house.paid("2026-02")
    async with house.http() as client:
        for _ in range(2):
            assert (await client.get(f"/v1/stickers/{VILLAGE}.pdf")).status_code == 200
        await house.paid("2026-03")
        await client.get(f"/v1/stickers/{VILLAGE}.pdf")
    events = [orjson.loads(one.value or b"") for one in house.topics.published if one.topic == "registration-events"]
    issued = {one["id"]: one["data"] for one in events if one["type"] == "sticker.issued.v1"}.values()
    assert [one["valid_until"] for one in issued] == ["2026-02-28", "2026-03-31"]
    assert len({one["sticker_no"] for one in issued}) == 1
    assert set(next(iter(issued))) == {
        "sticker_no",
        "regency",
        "district",
        "village",
        "issued_on",
        "valid_until",
    }
    assert worker not in str(list(issued))


async def test_a_scan_says_valid_expired_revoked_or_invalid(monkeypatch: pytest.MonkeyPatch) -> None:
    house = StickerHouse()
    worker = await house.worker()
    await house.billed(worker, "2026-02")
    await house.paid("2026-02")
    number = stickers.sticker_no(REFERENCE.id_key, "64.08", worker, "2026-02-10")
    token = SIGNER.token(Claim(number, VILLAGE, date(2026, 2, 28)))
    async with house.http() as client:
        await client.get(f"/v1/stickers/{VILLAGE}.pdf")

        async def scan(what: str) -> tuple[int, str]:
            answer = await client.get(f"/s/{what}", headers={"accept": "application/json"})
            return answer.status_code, answer.json()["status"]

        assert await scan(token) == (200, "valid")
        assert await scan(token[:-4] + "AAAA") == (404, "invalid")
        assert await scan("apa-saja") == (404, "invalid")
        monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=30))
        assert await scan(token) == (200, "expired")
        monkeypatch.setattr(clock, "now", lambda: NOW)
        page = (await client.get(f"/s/{token}")).text
        assert 'data-status="valid"' in page
        assert "PEKERJA" not in page
        data = {"submission_id": "W1", "nik": "6408044107850001", "reason": "moved", "date": "2026-02-10"}
        await house.say("registration-intake-6408-dinsos", "agency/64.08/dinsos", "worker.withdraw.v1", data)
        assert await scan(token) == (200, "revoked")
    # A page that is loaded now carries the number for phones that will be offline.
    async with house.http() as client:
        page = (await client.get("/s/")).text
    assert f'"revoked": ["{number}"]' in page


async def test_an_installed_sticker_is_told_once_without_the_installers_name() -> None:
    house = StickerHouse()
    worker = await house.worker()
    await house.billed(worker, "2026-02")
    await house.paid("2026-02")
    number = stickers.sticker_no(KEY, "64.08", worker, "2026-02-10")
    (answer,) = await house.install(number)
    assert answer["data"]["reasons"] == ["sticker-unknown"]
    async with house.http() as client:
        await client.get(f"/v1/stickers/{VILLAGE}.pdf")
    installed, answer = await house.install(number.lower())
    assert installed["type"] == "sticker.installed.v1"
    assert installed["data"] == {
        "sticker_no": number,
        "regency": "64.08",
        "district": "64.08.04",
        "village": VILLAGE,
        "installed_on": "2026-02-09",
        "agency": "desa",
    }
    assert answer["data"]["outcome"] == "accepted"
    (again,) = await house.install(number)
    assert again["data"]["outcome"] == "accepted"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sticker_no": "6408-1"}, "field-invalid:sticker_no"),
        ({"sticker_no": " "}, "field-missing:sticker_no"),
        ({"installed_on": "2026-02-11"}, "field-invalid:installed_on"),
        ({"installed_on": None}, "field-missing:installed_on"),
        ({"by": None}, "field-missing:by"),
        ({"submission_id": None}, "field-missing:submission_id"),
    ],
)
async def test_a_report_that_says_too_little_is_refused(changes: dict[str, Any], reason: str) -> None:
    (answer,) = await StickerHouse().install("6408-7F3KQ-9M2XA", **changes)
    assert answer["data"]["reasons"] == [reason]


def test_a_full_sheet_holds_ten_and_every_rt_begins_a_page() -> None:
    printed = [
        sheets.Printed(rt, f"6408-{n:05d}-00000", date(2026, 12, 31), f"http://x/s/{n}")
        for rt, count in (("", 1), ("001", 11), ("002", 3))
        for n in range(count)
    ]
    pdf = sheets.pdf(printed, "Swarga Bara", VILLAGE, "Kabupaten Kutai Timur", date(2026, 2, 10))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 4
