"""Tokens for OAUTHBEARER, read from a file that another program keeps fresh, or requested from an OIDC issuer."""

from __future__ import annotations

import asyncio
import math
import re
import ssl
import threading
from collections.abc import Mapping
from pathlib import Path

import httpx
from aiokafka.abc import AbstractTokenProvider

from shared.runtime import clock
from shared.runtime.errors import StartRefused

ASK_TIMEOUT_S = 10.0
# A token is requested again this long before it ends. A token of unknown lifetime is kept for twice this long.
EARLY_S = 30.0
# The least time between two questions to an issuer that gives no token.
AGAIN_S = 1.0
# Kafka's message puts the token between signs of its own, so a token contains neither spaces nor control characters.
_TOKEN = re.compile(r"[\x21-\x7e]+")
# No answer, or an answer that is not a valid one of an issuer.
_UNANSWERED = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, TypeError)


class NoToken(OSError):
    """There is no token now. To the Kafka client this is trouble of a connection, which it tries again."""


class TokenSource(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Reads a file, or asks an issuer with a client's id and secret (client credentials). All clients of a process
    share it. While the issuer is silent, a token is used until its end."""

    SETTINGS = ("TOKEN_PATH", "TOKEN_URL", "TOKEN_CA", "CLIENT_ID", "CLIENT_SECRET", "SCOPE")

    def __init__(self, file: Path | None, issuer: Issuer | None) -> None:
        self._file = file
        self._issuer = issuer
        self._lock = threading.Lock()
        self._held = ""
        self._renew_s = self._ends_s = self._again_s = float("-inf")
        self._failure = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> TokenSource | None:
        """Built from the settings, whose prefix is removed; None when none is set, StartRefused when they are
        incomplete."""
        named = {name: given[name] for name in cls.SETTINGS if name in given}
        if not named:
            return None
        file, url = named.get("TOKEN_PATH"), named.get("TOKEN_URL")
        if (file is None) == (url is None):
            raise StartRefused(
                "tokens for Kafka come from PAYUNG_KAFKA_TOKEN_PATH or from PAYUNG_KAFKA_TOKEN_URL: name one"
            )
        if url is not None:
            return cls(None, Issuer(url, named))
        assert file is not None
        if len(named) > 1 or not Path(file).is_file():
            raise StartRefused(f"PAYUNG_KAFKA_TOKEN_PATH allows no other token setting and must name a file: {file}")
        return cls(Path(file), None)

    async def token(self) -> str:
        """For aiokafka, at each connection. Raises NoToken."""
        return (await asyncio.to_thread(self._fresh))[0]

    def for_librdkafka(self, _: str) -> tuple[str, float]:
        """For confluent-kafka: the token, and when it ends (seconds since 1970). Raises NoToken."""
        token, left_s = self._fresh()
        return token, clock.now().timestamp() + left_s

    def _fresh(self) -> tuple[str, float]:
        if self._issuer is None:
            return self._from_file(), EARLY_S
        with self._lock:  # connections that need a token at the same moment share one question
            if clock.monotonic() >= max(self._renew_s, self._again_s):
                self._renew(self._issuer)
            left_s = self._ends_s - clock.monotonic()
            if left_s <= 0:
                raise NoToken(self._failure or "the issuer of Kafka's tokens gave an expired one")
            return self._held, left_s

    def _renew(self, issuer: Issuer) -> None:
        asked_s = clock.monotonic()
        try:
            self._held, lifetime_s = issuer.ask()
        except _UNANSWERED as error:
            self._again_s = clock.monotonic() + AGAIN_S
            self._failure = f"the issuer of Kafka's tokens gave none: {_failure_kind(error)}"
        else:
            self._ends_s = asked_s + lifetime_s
            self._renew_s = self._ends_s - EARLY_S

    def _from_file(self) -> str:
        assert self._file is not None
        try:
            found = self._file.read_text("ascii").strip()
        except (OSError, ValueError) as error:
            raise NoToken(f"PAYUNG_KAFKA_TOKEN_PATH cannot be read: {type(error).__name__}") from None
        if not _TOKEN.fullmatch(found):
            raise NoToken("the file of PAYUNG_KAFKA_TOKEN_PATH holds no token")
        return found


class Issuer:
    """The token endpoint of an OIDC issuer, and our log-in there."""

    def __init__(self, url: str, named: Mapping[str, str]) -> None:
        """Raises StartRefused for settings that are incomplete, or that would show the secret to others."""
        if not (url.startswith("https://") and {"CLIENT_ID", "CLIENT_SECRET"} <= named.keys()):
            raise StartRefused(
                "PAYUNG_KAFKA_TOKEN_URL is https, with PAYUNG_KAFKA_CLIENT_ID and PAYUNG_KAFKA_CLIENT_SECRET"
            )
        self._url = url
        self._login = (named["CLIENT_ID"], named["CLIENT_SECRET"])
        self._scope = named.get("SCOPE")
        self._trust: ssl.SSLContext | bool = True
        if "TOKEN_CA" in named:
            try:
                self._trust = ssl.create_default_context(cafile=named["TOKEN_CA"])
            except OSError as error:  # an SSLError is an OSError
                raise StartRefused(f"PAYUNG_KAFKA_TOKEN_CA cannot be used ({named['TOKEN_CA']}): {error}") from None

    def ask(self) -> tuple[str, float]:
        """A new token, and its lifetime in seconds."""
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        with httpx.Client(timeout=ASK_TIMEOUT_S, trust_env=False, verify=self._trust) as client:
            answer = client.post(self._url, data=form, auth=self._login)
        answer.raise_for_status()
        found = answer.json()
        if not (isinstance(found, dict) and _TOKEN.fullmatch(found["access_token"])):
            raise ValueError("no token")
        lifetime_s = float(found.get("expires_in", 2 * EARLY_S))
        if not 0 < lifetime_s < math.inf:
            raise ValueError("no lifetime")
        return found["access_token"], lifetime_s


def _failure_kind(error: Exception) -> str:
    """The kind of a failure, without what the issuer said: it may repeat what it was sent."""
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answered {error.response.status_code}"
    return type(error).__name__
