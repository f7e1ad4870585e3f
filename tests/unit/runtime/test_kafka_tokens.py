"""Tokens of OAUTHBEARER from a real HTTPS endpoint: renewed before they expire, kept while the issuer is silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.runtime import clock
from shared.runtime.errors import StartRefused
from shared.runtime.kafka import tokens as kafka_tokens
from shared.runtime.kafka.security import read
from shared.runtime.kafka.tokens import NoToken, TokenSource
from tests.authority import Authority
from tests.issuer import CLIENT, SECRET, TestIssuer


class Hand:
    """A monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    found = Hand()
    monkeypatch.setattr(clock, "monotonic", found.monotonic)
    return found


@pytest.fixture
def issuer() -> TestIssuer:
    return TestIssuer(lifetime_s=300)


@pytest.fixture
def settings(tmp_path: Path, issuer: TestIssuer) -> Iterator[dict[str, str]]:
    authority = Authority()
    with issuer.served(authority.issue(tmp_path / "issuer.pem", days=1)) as url:
        yield {
            "PAYUNG_KAFKA_TOKEN_URL": url,
            "PAYUNG_KAFKA_TOKEN_CA": str(authority.publish(tmp_path / "ca.pem")),
            "PAYUNG_KAFKA_CLIENT_ID": CLIENT,
            "PAYUNG_KAFKA_CLIENT_SECRET": SECRET,
        }


def source(settings: dict[str, str]) -> TokenSource:
    found = read(settings).tokens
    assert found is not None
    return found


async def test_a_token_is_renewed_before_its_end(settings: dict[str, str], issuer: TestIssuer, hand: Hand) -> None:
    tokens = source(settings)
    assert await tokens.token() == await tokens.token()
    hand.now_s += issuer.lifetime_s - kafka_tokens.EARLY_S - 1
    await tokens.token()
    assert issuer.asked == 1
    hand.now_s += 2
    await tokens.token()
    assert issuer.asked == 2
    token, ends_s = tokens.for_librdkafka("")
    assert token == await tokens.token()
    assert 0 < ends_s - clock.now().timestamp() <= issuer.lifetime_s


async def test_a_silent_issuer_is_no_trouble_before_the_tokens_end(
    settings: dict[str, str], issuer: TestIssuer, hand: Hand
) -> None:
    tokens = source(settings)
    held = await tokens.token()
    issuer.status = 503
    hand.now_s += issuer.lifetime_s - kafka_tokens.EARLY_S / 2
    assert await tokens.token() == held
    assert await tokens.token() == held
    assert issuer.asked == 2  # the endpoint is not asked at each connection
    hand.now_s += kafka_tokens.EARLY_S
    with pytest.raises(NoToken, match="answered 503"):
        await tokens.token()
    issuer.status = 200
    hand.now_s += kafka_tokens.AGAIN_S
    await tokens.token()


@pytest.mark.parametrize(
    ("settings_of_one", "why"),
    [
        ({"PAYUNG_KAFKA_CLIENT_SECRET": "salah"}, "answered 401"),
        ({"PAYUNG_KAFKA_TOKEN_CA": None}, "ConnectError"),
        ({"PAYUNG_KAFKA_TOKEN_URL": "https://127.0.0.1:1/token"}, "ConnectError"),
    ],
)
async def test_no_token_is_trouble_of_a_connection(
    settings: dict[str, str], settings_of_one: dict[str, str | None], why: str
) -> None:
    wanted = {**settings, **settings_of_one}
    tokens = source({name: value for name, value in wanted.items() if value is not None})
    with pytest.raises(NoToken, match=why) as refused:
        await tokens.token()
    assert not {SECRET, "salah"} & set(str(refused.value).split())


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"access_token": 7},
        {"access_token": "a b", "expires_in": 60},
        {"access_token": "a\r\nb", "expires_in": 60},
        {"access_token": "a", "expires_in": float("nan")},
        {"access_token": "a", "expires_in": -5},
        {"access_token": "a", "expires_in": "lama"},
    ],
)
async def test_an_unusable_answer_is_trouble(settings: dict[str, str], issuer: TestIssuer, answer: Any) -> None:
    issuer.answer = answer
    with pytest.raises(NoToken):
        await source(settings).token()


async def test_a_file_without_a_token(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("utuh")
    tokens = source({"PAYUNG_KAFKA_TOKEN_PATH": str(file)})
    assert await tokens.token() == "utuh"
    for broken in (b"", b"a b", b"\xff"):
        file.write_bytes(broken)
        with pytest.raises(NoToken):
            await tokens.token()
    file.unlink()
    with pytest.raises(NoToken, match="FileNotFoundError"):
        await tokens.token()


def test_an_authority_that_cannot_be_used_is_refused(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("kosong")
    with pytest.raises(StartRefused, match="PAYUNG_KAFKA_TOKEN_CA"):
        read(settings)
    with pytest.raises(StartRefused, match="allows no other token setting"):
        read({"PAYUNG_KAFKA_TOKEN_PATH": str(tmp_path / "ca.pem"), "PAYUNG_KAFKA_TOKEN_CA": str(tmp_path / "ca.pem")})
