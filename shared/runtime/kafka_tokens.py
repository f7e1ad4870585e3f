"""Tokens for OAUTHBEARER, read from a file that another program keeps fresh, or requested from an OIDC issuer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from aiokafka.abc import AbstractTokenProvider

from shared.runtime import clock
from shared.runtime.errors import Refused

ASK_TIMEOUT_S = 10.0
# A token is requested again this long before it ends. A token of unknown lifetime is kept for this long.
EARLY_S = 30.0


class TokenSource(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka is untyped
    """Reads a file, or asks an issuer with a client's id and secret (client credentials). All clients of a process
    share it."""

    SETTINGS = ("TOKEN_PATH", "TOKEN_URL", "CLIENT_ID", "CLIENT_SECRET", "SCOPE")

    def __init__(self, file: str | None, url: str | None, client_id: str, secret: str, scope: str | None) -> None:
        self._file = Path(file) if file else None
        self._url = url
        self._login = (client_id, secret)
        self._scope = scope
        self._held = ""
        self._until_s = 0.0

    @classmethod
    def of(cls, given: Mapping[str, str]) -> TokenSource | None:
        """Built from the settings, whose prefix is removed; None when none is set, Refused when they are incomplete."""
        named = {name: given[name] for name in cls.SETTINGS if name in given}
        if not named:
            return None
        file, url = named.get("TOKEN_PATH"), named.get("TOKEN_URL")
        if (file is None) == (url is None):
            raise Refused("tokens for Kafka come from PAYUNG_KAFKA_TOKEN_PATH or from PAYUNG_KAFKA_TOKEN_URL: name one")
        if file is not None and (len(named) > 1 or not Path(file).is_file()):
            raise Refused(f"PAYUNG_KAFKA_TOKEN_PATH stands alone, and names a file: {file}")
        if url is not None and not (url.startswith("https://") and {"CLIENT_ID", "CLIENT_SECRET"} <= named.keys()):
            raise Refused("PAYUNG_KAFKA_TOKEN_URL is https, with PAYUNG_KAFKA_CLIENT_ID and PAYUNG_KAFKA_CLIENT_SECRET")
        return cls(file, url, named.get("CLIENT_ID", ""), named.get("CLIENT_SECRET", ""), named.get("SCOPE"))

    async def token(self) -> str:
        """For aiokafka, at each connection."""
        return (await asyncio.to_thread(self._fresh))[0]

    def for_librdkafka(self, _: str) -> tuple[str, float]:
        """For confluent-kafka: the token, and when it ends (seconds since 1970)."""
        token, left_s = self._fresh()
        return token, clock.now().timestamp() + left_s

    def _fresh(self) -> tuple[str, float]:
        if self._file is not None:
            return self._file.read_text("ascii").strip(), EARLY_S
        now = clock.monotonic()
        if now >= self._until_s:
            found = self._asked()
            self._held = str(found["access_token"])
            self._until_s = now + max(0.0, float(found.get("expires_in", 2 * EARLY_S)) - EARLY_S)
        return self._held, max(self._until_s - now, 1.0)

    def _asked(self) -> Mapping[str, Any]:
        form = {"grant_type": "client_credentials", **({"scope": self._scope} if self._scope else {})}
        with httpx.Client(timeout=ASK_TIMEOUT_S, trust_env=False) as client:
            answer = client.post(str(self._url), data=form, auth=self._login)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict) or "access_token" not in found:
            raise OSError("the issuer of Kafka's tokens gave none")
        return found
