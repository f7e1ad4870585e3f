"""Dukcapil over HTTP: what is sent, and what each kind of answer means. The other side is a function here."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from services.verification.adapters import dukcapil, gate
from services.verification.domain.state import SideFacts
from services.verification.facts import Reference
from services.verification.settings import Settings
from shared.contracts.verification_work import DukcapilAnswered
from shared.kernel.decision import Due
from shared.runtime.errors import Unavailable
from tests.toy import AT, CIPHER
from tests.unit.verification.test_verification_decide import check, pending

DUE = Due("dukcapil:w:1", "dukcapil", AT)
SECRETS = {"PAYUNG_DUKCAPIL_URL": "http://d/", "PAYUNG_DUKCAPIL_USER": "u1", "PAYUNG_DUKCAPIL_PASSWORD": "s3cret"}
MATCH = {"NIK": "Sesuai", "NAMA_LGKP": "Sesuai (100)", "TGL_LHR": "Sesuai", "JENIS_KLMIN": "Sesuai"}
Ask = Callable[[Callable[[httpx.Request], httpx.Response]], Any]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Performs one check against this other side."""

    async def performed(other_side: Callable[[httpx.Request], httpx.Response]) -> Any:
        client = httpx.AsyncClient(transport=httpx.MockTransport(other_side))
        monkeypatch.setattr(dukcapil, "_client", lambda _: client)
        monkeypatch.setattr(gate, "REPEAT_FIRST_S", 0)
        place: Any = SimpleNamespace(reference=Reference(CIPHER, Settings.from_environment(SECRETS)), reader=None)
        return await dukcapil.ask("w", pending(), DUE, place)

    return performed


def page(entry: Any) -> httpx.Response:
    return httpx.Response(200, json={"content": [entry], "quotaLimiter": 56616})


async def test_the_question_has_the_shape_that_public_clients_use(ask: Ask) -> None:
    asked: list[httpx.Request] = []

    def other_side(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return page(MATCH)

    answer = await ask(other_side)
    (request,) = asked
    assert str(request.url) == "http://d/dukcapil/get_json/verify_by_elemen"
    assert request.headers["idempotency-key"] == DUE.id
    assert json.loads(request.content) == {
        "NIK": "6408044107850002",
        "NAMA_LGKP": "SITI AMINAH",
        "TMPT_LHR": "",
        "TGL_LHR": "01-07-1985",
        "JENIS_KLMIN": "Perempuan",
        "NO_PROP": "64",
        "NO_KAB": "08",
        "TRESHOLD": "90",
        "USER_ID": "u1",
        "PASSWORD": "s3cret",
        "IP_USER": "127.0.0.1",
    }
    assert (answer.type, answer.key) == ("dukcapil.answered.v1", "w")
    assert set(answer.data.model_dump()) == {
        "worker_id",
        "registration_version",
        "status",
        "score",
        "birth_date_matches",
        "sex_matches",
        "resident",
        "evidence",
    }


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (MATCH, ("alive", 100, True, True)),
        ({**MATCH, "NIK": "6408044107850002"}, ("alive", 100, True, True)),
        ({**MATCH, "NAMA_LGKP": "Sesuai"}, ("alive", 100, True, True)),
        ({**MATCH, "NAMA_LGKP": "Sesuai (72)"}, ("alive", 72, True, True)),
        ({**MATCH, "NAMA_LGKP": "Sesuai (84.9)"}, ("alive", 84, True, True)),
        ({**MATCH, "NAMA_LGKP": "Sesuai (0)"}, ("alive", 0, True, True)),
        ({**MATCH, "NAMA_LGKP": "Tidak Sesuai"}, ("alive", 0, True, True)),
        ({**MATCH, "NAMA_LGKP": "Tidak Sesuai (72)"}, ("alive", 72, True, True)),
        ({**MATCH, "TGL_LHR": "Tidak Sesuai"}, ("alive", 100, False, True)),
        ({**MATCH, "JENIS_KLMIN": "Tidak Sesuai"}, ("alive", 100, True, False)),
        ({"RESPONSE_CODE": "11"}, ("deceased", None, None, None)),
        ({"RESPONSE_CODE": "12"}, ("double", None, None, None)),
        ({"RESPONSE_CODE": 13}, ("not-found", None, None, None)),
        ({"RESPONSE_CODE": "14"}, ("inactive", None, None, None)),
        ({"RESPONSE_CODE": "15"}, ("malformed", None, None, None)),
    ],
)
async def test_what_an_answer_means(ask: Ask, entry: Any, expected: tuple[Any, ...]) -> None:
    said = (await ask(lambda _: page(entry))).data
    assert isinstance(said, DukcapilAnswered)
    assert (said.status, said.score, said.birth_date_matches, said.sex_matches) == expected
    assert (said.worker_id, said.registration_version) == ("w", check().registration_version)


def hangs(_: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("PASSWORD s3cret 6408044107850002")


def unreachable(_: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route")


@pytest.mark.parametrize(
    "other_side",
    [
        hangs,
        unreachable,
        lambda _: httpx.Response(503, text="service unavailable"),
        lambda _: httpx.Response(401, json={}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json=[]),
        lambda _: httpx.Response(200, json={"content": []}),
        lambda _: httpx.Response(200, json={"content": ["x"]}),
        lambda _: page({"RESPON": "Kuota Akses Hari ini telah Habis"}),
        lambda _: page({"RESPONSE_CODE": "99"}),
        lambda _: page({**MATCH, "NAMA_LGKP": None}),
        lambda _: page({**MATCH, "NIK": "6402010101900001"}),
    ],
)
async def test_a_missing_answer_keeps_the_check_due_and_shows_nothing(ask: Ask, other_side: Any) -> None:
    with pytest.raises(Unavailable) as raised:
        await ask(other_side)
    told = f"{raised.value!r} {raised.value.__cause__!r}"
    assert "s3cret" not in told
    assert "6408044107850002" not in told


@pytest.mark.parametrize(
    ("said", "resident"),
    [
        ({}, None),
        ({"NO_PROP": "Sesuai"}, None),
        ({"NO_PROP": "Sesuai", "NO_KAB": "Sesuai"}, True),
        ({"NO_PROP": "Sesuai", "NO_KAB": "Tidak Sesuai"}, False),
    ],
)
async def test_residence_is_known_when_the_register_gives_it(ask: Ask, said: Any, resident: Any) -> None:
    assert (await ask(lambda _: page({**MATCH, **said}))).data.resident is resident


async def test_a_check_that_no_longer_exists_is_not_asked() -> None:
    place: Any = SimpleNamespace(reference=None)
    with pytest.raises(Unavailable):
        await dukcapil.ask("w", SideFacts(), DUE, place)


def test_credentials_are_not_shown() -> None:
    assert "s3cret" not in repr(Settings.from_environment(SECRETS))
    assert "u1" not in repr(Settings.from_environment(SECRETS))


@pytest.mark.parametrize(
    "body",
    [
        {"content": [], "quotaLimiter": 0},
        {"quotaLimiter": 0, "message": "Forbidden"},
        {"content": [{"RESPONSE_CODE": "05", "RESPON": "Kuota Akses Hari ini telah Habis"}], "quotaLimiter": 0},
    ],
)
def test_an_empty_quota_differs_from_an_unusable_answer(body: dict[str, Any]) -> None:
    with pytest.raises(dukcapil.QuotaUsedUp):
        dukcapil.read(body, "w", check())
    with pytest.raises(Unavailable) as trouble:
        dukcapil.read({"content": []}, "w", check())
    assert not isinstance(trouble.value, dukcapil.QuotaUsedUp)
    # The last question of the day was answered.
    assert dukcapil.read({"content": [MATCH], "quotaLimiter": 0}, "w", check()).status == "alive"
