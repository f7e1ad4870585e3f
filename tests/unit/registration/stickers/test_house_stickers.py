"""House stickers: numbers, validity, signatures, sheets, what a scan shows, and the reports of installers."""

from __future__ import annotations

import base64
import re
import zlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reportlab.pdfbase.pdfmetrics import stringWidth

from services.registration.stickers.api import sheets
from services.registration.stickers.api.address import address_of
from services.registration.stickers.api.printed import Printed
from services.registration.stickers.api.printing import rt_of
from services.registration.stickers.api.signing import BadToken, Signer, StickerContent
from services.registration.stickers.domain import rules
from services.registration.stickers.domain.state import BilledMonths
from shared.runtime import clock
from tests.property.registration_world import KEY, REFERENCE
from tests.unit.registration.stickers.sticker_context import KEYS, VILLAGE, StickerContext

NOW = datetime(2026, 2, 10, 3, 0, tzinfo=UTC)
SIGNER = Signer.from_environment(KEYS)
NAMES = ("Swarga Bara", "Sangatta Utara", "Kabupaten Kutai Timur")
CLAIM = StickerContent("6408-7F3KQ-9M2XA", VILLAGE, date(2026, 12, 31))


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)


def _http(context: StickerContext) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(context.stickers_app()), base_url="http://payung.test")


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
    cover = BilledMonths(months=tuple((month, month) for month in months))
    assert rules.paid_until(cover, paid, date(2026, 2, 10)) == until


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
def test_a_number_has_its_form_and_is_always_the_same(seed: bytes, opened_on: str) -> None:
    number = rules.sticker_no(KEY, "64.08", seed.hex(), opened_on)
    assert rules.is_sticker_no(number)
    assert rules.sticker_no(KEY, "64.08", seed.hex(), opened_on) == number
    assert rules.sticker_no(KEY, "64.08", seed.hex(), "2027-01-01") != number


@given(st.integers(0, 110), st.integers(0, 255))
def test_a_changed_token_is_refused(place: int, byte: int) -> None:
    token = SIGNER.token(CLAIM)
    assert (len(token), SIGNER.open(token)) == (111, CLAIM)
    raw = bytearray(base64.urlsafe_b64decode(token + "="))
    if raw[place % len(raw)] == byte:
        return
    raw[place % len(raw)] = byte
    with pytest.raises(BadToken):
        SIGNER.open(base64.urlsafe_b64encode(raw).decode().rstrip("="))


def test_signatures_of_the_old_key_stay_valid_after_a_change() -> None:
    (old,) = SIGNER.public_keys().values()
    seed = base64.b64encode(b"7" * 32).decode()
    fresh = Signer.from_environment({"PAYUNG_STICKER_KEY": seed, "PAYUNG_STICKER_OLD_KEYS": old})
    assert fresh.open(SIGNER.token(CLAIM)) == CLAIM
    with pytest.raises(BadToken):
        SIGNER.open(fresh.token(CLAIM))


async def test_only_the_verified_and_paid_get_a_sticker_and_no_sheet_names_anybody() -> None:
    context = StickerContext(NOW)
    first, second, unpaid = [await context.worker(number) for number in (1, 2, 3)]
    # The payment may be read before the premium.
    await context.paid("2026-02")
    for worker in (first, second):
        await context.billed(worker, "2026-02")
    await context.billed(unpaid, "2026-03")
    async with _http(context) as client:
        assert (await client.get(f"/v1/stickers/{VILLAGE}.pdf")).status_code == 404
        before = len(context.topics.published)
        asked = await client.post(f"/v1/stickers/{VILLAGE}")
        assert (asked.status_code, asked.json()["stickers"]) == (201, 2)
        issued = len(context.topics.published)
        answer = await client.get(asked.json()["sheets"])
        assert before < issued == len(context.topics.published), "a GET issues nothing"
        listed = await client.get(f"/v1/stickers/{VILLAGE}.csv")
        assert (await client.get(f"/v1/stickers/{VILLAGE}.pdf?rt=4")).status_code == 404
        assert (await client.get("/v1/stickers/64.08.99.2001.pdf")).status_code == 404
    assert answer.headers["content-type"] == "application/pdf"
    text = _text(answer.content)
    numbers = re.findall(rb"No\. ([0-9A-Z-]+)", text)
    assert len(numbers) == 2
    assert b"28 Februari 2026" in text
    assert b"RT 003" in text
    # What the page of a scan asks people to compare.
    assert all(name in text for name in (b"(Sangatta Utara)", b"Kec. Sangatta Utara", b"Kabupaten Kutai Timur"))
    assert b"CONTOH" not in text
    assert not re.search(rb"PEKERJA|\d{16}|Pelita", text)
    assert listed.text.count("PEKERJA") == 2
    assert all(number.decode() in listed.text for number in numbers)


async def test_a_sticker_is_issued_once_and_again_only_with_a_later_day() -> None:
    context = StickerContext(NOW)
    worker = await context.worker()
    await context.billed(worker, "2026-02", "2026-03")
    await context.paid("2026-02")
    async with _http(context) as client:
        for _ in range(2):
            assert (await client.post(f"/v1/stickers/{VILLAGE}")).status_code == 201
        await context.paid("2026-03")
        await client.post(f"/v1/stickers/{VILLAGE}")
    events = [orjson.loads(one.value or b"") for one in context.topics.published if one.topic == "registration-events"]
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
    context = StickerContext(NOW)
    worker = await context.worker()
    await context.billed(worker, "2026-02")
    await context.paid("2026-02")
    number = rules.sticker_no(REFERENCE.id_key, "64.08", worker, "2026-02-10")
    token = SIGNER.token(StickerContent(number, VILLAGE, date(2026, 2, 28)))
    async with _http(context) as client:
        await client.post(f"/v1/stickers/{VILLAGE}")

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
        await context.withdraw()
        assert await scan(token) == (200, "revoked")
    # A page that is loaded now contains the number, for phones that will be offline later.
    async with _http(context) as client:
        page = (await client.get("/s/")).text
    assert f'"revoked": ["{number}"]' in page


async def test_an_installed_sticker_is_published_once_without_the_installers_name() -> None:
    context = StickerContext(NOW)
    worker = await context.worker()
    await context.billed(worker, "2026-02")
    await context.paid("2026-02")
    number = rules.sticker_no(KEY, "64.08", worker, "2026-02-10")
    (answer,) = await context.install(number)
    assert answer["data"]["reasons"] == ["sticker-unknown"]
    async with _http(context) as client:
        await client.post(f"/v1/stickers/{VILLAGE}")
    installed, answer = await context.install(number.lower())
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
    (again,) = await context.install(number)
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
async def test_an_incomplete_report_is_refused(changes: dict[str, Any], reason: str) -> None:
    (answer,) = await StickerContext(NOW).install("6408-7F3KQ-9M2XA", **changes)
    assert answer["data"]["reasons"] == [reason]


def test_a_full_sheet_holds_ten_and_every_rt_begins_a_page() -> None:
    printed = [
        Printed(rt, f"6408-{n:05d}-00000", date(2026, 12, 31), f"http://x/s/{n}")
        for rt, count in (("", 1), ("001", 11), ("002", 3))
        for n in range(count)
    ]
    pdf = sheets.pdf(printed, NAMES, VILLAGE, date(2026, 2, 10))
    assert len(re.findall(rb"/Type /Page\b", pdf)) == 4


def test_a_long_name_does_not_cover_the_code() -> None:
    names = ("Desa Persiapan Kampung Baru Seberang Sungai Mahakam Hulu", "Muara Ancalong", "Kabupaten Kutai Timur")
    one = Printed("001", "6408-7F3KQ-9M2XA", date(2026, 12, 31), "https://x.go.id/s/1")
    text = _text(sheets.pdf([one], names, VILLAGE, date(2026, 2, 10)))
    (size,) = re.findall(rb"/F\d+ ([\d.]+) Tf[^()]*\(" + names[0].encode() + rb"\)", text)
    assert stringWidth(names[0], "Helvetica-Bold", float(size)) <= sheets.TEXT + 0.1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://127.0.0.1:8101",
        "http://localhost:8101",
        "https://0.0.0.0",
        "http://[::1]/",
        "payung",
        "ftp://a.go.id",
    ],
)
async def test_no_code_leads_to_this_machine_or_to_the_host_of_a_request(url: str) -> None:
    context = StickerContext(NOW, PAYUNG_PUBLIC_URL=url)
    worker = await context.worker()
    await context.billed(worker, "2026-02")
    await context.paid("2026-02")
    before = len(context.topics.published)
    async with _http(context) as client:
        for answer in (await client.post(f"/v1/stickers/{VILLAGE}"), await client.get(f"/v1/stickers/{VILLAGE}.pdf")):
            assert answer.status_code == 409
            assert "PAYUNG_PUBLIC_URL" in answer.json()["detail"]
    assert len(context.topics.published) == before
    sample = address_of({"PAYUNG_PUBLIC_URL": url, "PAYUNG_STICKER_SAMPLES": "yes"})
    assert (sample.url, sample.sample) == ("https://contoh.invalid", True)


async def test_every_sample_sticker_says_that_it_is_a_sample() -> None:
    context = StickerContext(NOW, PAYUNG_PUBLIC_URL="", PAYUNG_STICKER_SAMPLES="yes")
    for number in (1, 2):
        await context.billed(await context.worker(number), "2026-02")
    await context.paid("2026-02")
    async with _http(context) as client:
        await client.post(f"/v1/stickers/{VILLAGE}")
        text = _text((await client.get(f"/v1/stickers/{VILLAGE}.pdf")).content)
    assert text.count(b"(CONTOH)") == 2
    assert b"CONTOH, jangan dipasang" in text


def test_an_address_that_phones_reach_is_taken() -> None:
    assert (
        address_of({"PAYUNG_PUBLIC_URL": "https://payung.kab.go.id/stiker/"}).url == "https://payung.kab.go.id/stiker"
    )
    assert not address_of({"PAYUNG_PUBLIC_URL": "http://10.1.2.3:8101", "PAYUNG_STICKER_SAMPLES": "yes"}).sample


async def test_an_officer_issues_from_a_page_and_finds_the_sheets_there() -> None:
    context = StickerContext(NOW)
    for number in (1, 2):
        await context.billed(await context.worker(number), "2026-02")
    await context.paid("2026-02")
    page = {"accept": "text/html"}
    async with _http(context) as client:
        first = (await client.get("/v1/stickers", headers=page)).text
        assert '<form method="post" action="/v1/stickers">' in first
        assert f'<option value="{VILLAGE}">Sangatta Utara ({VILLAGE}): 2 terverifikasi, 0 stiker' in first
        assert f"/v1/stickers/{VILLAGE}.pdf" not in first
        done = await client.post("/v1/stickers", data={"village": VILLAGE, "rt": "3"}, headers=page)
        assert done.status_code == 200
        assert "2 stiker diterbitkan." in done.text
        assert f'href="/v1/stickers/{VILLAGE}.pdf?rt=003"' in done.text
        assert "2 terverifikasi, 2 stiker" in done.text
        assert not re.search(r"PEKERJA|\d{16}|Pelita", first + done.text)
        assert "form-action 'self'" in done.headers["content-security-policy"]
        none = await client.post("/v1/stickers", data={"village": VILLAGE, "rt": "9"}, headers=page)
        assert (none.status_code, "belum ada peserta" in none.text) == (404, True)
        assert (await client.post("/v1/stickers", data={"village": "64.08.99.2001"})).status_code == 404
        listed = (await client.get("/v1/stickers")).json()["villages"]
    assert listed == [{"village": VILLAGE, "workers": 2, "stickers": 2}]


async def test_the_page_issues_nothing_for_a_page_of_another_site_and_without_an_address() -> None:
    context = StickerContext(NOW, PAYUNG_PUBLIC_URL="")
    await context.billed(await context.worker(), "2026-02")
    await context.paid("2026-02")
    before = len(context.topics.published)
    async with _http(context) as client:
        page = {"accept": "text/html"}
        assert "PAYUNG_PUBLIC_URL belum diatur" in (await client.get("/v1/stickers", headers=page)).text
        refused = await client.post("/v1/stickers", data={"village": VILLAGE}, headers=page)
        assert refused.status_code == 409
        foreign = {**page, "sec-fetch-site": "cross-site"}
        assert (await client.post("/v1/stickers", data={"village": VILLAGE}, headers=foreign)).status_code == 403
        nothing = await client.post("/v1/stickers", data={"village": ""}, headers=page)
        assert nothing.status_code == 404
    assert len(context.topics.published) == before
