"""The keys of an OIDC issuer: fetched outside every lock, by one request at a time, and kept while the issuer is
silent.

Invariants
* A token that is signed with a known key never waits, whatever other callers send and whatever the issuer does.
* All requests that need the issuer's answer share one question, which ends after `ask_s`.
* An answer and a failure are both remembered for `again_s`, so that unknown keys cannot make us ask more often.
* Known keys are used for at most `last_good_s` while the issuer is silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from shared.runtime import clock
from shared.runtime.errors import Unavailable

Fetch = Callable[[str], Any]
# No answer, or an answer that is not a valid one of an issuer.
_UNANSWERED = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, KeyError, TypeError, jwt.PyJWTError)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTimes:
    """All in seconds.

    `kept_s`: older keys are fetched again, while requests still use them. `last_good_s`: older keys are no longer used.
    `again_s`: the least time between two questions. `ask_s`: the longest question.
    """

    kept_s: float = 600.0
    last_good_s: float = 3_600.0
    again_s: float = 10.0
    ask_s: float = 5.0


DEFAULT = KeyTimes()


class IssuerKeys:
    """The signing keys of one issuer, as this process knows them."""

    def __init__(self, issuer: str, fetch: Fetch | None = None, bounds: KeyTimes = DEFAULT) -> None:
        self._issuer = issuer
        self._fetch = fetch or _get
        self._bounds = bounds
        self._keys: list[jwt.PyJWK] = []
        self._learned_s: float | None = None
        self._asked_s: float | None = None
        self._failure = ""
        self._asking: asyncio.Task[None] | None = None

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """The key of this name; None when the issuer has none. Raises Unavailable while this cannot be determined."""
        age_s = _age(self._learned_s)
        if age_s is not None and age_s > self._bounds.last_good_s:
            self._keys, self._learned_s, age_s = [], None, None
        found = self._known(kid)
        if found is not None:
            if age_s is not None and age_s > self._bounds.kept_s:
                self._ask_once()
            return found
        asking = self._ask_once()
        if asking is not None:
            # `wait` does not cancel the question when this request is cancelled: others wait for the same answer.
            await asyncio.wait({asking})
        found = self._known(kid)
        if found is None and self._failure:
            raise Unavailable(f"the issuer of PAYUNG_AUTH does not answer: {self._failure}")
        return found

    def _known(self, kid: str | None) -> jwt.PyJWK | None:
        if kid is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((one for one in self._keys if one.key_id == kid), None)

    def _ask_once(self) -> asyncio.Task[None] | None:
        """The question that is under way, or a new one when the last is at least `again_s` old; None when it is too
        early."""
        if self._asking is not None and not self._asking.done():
            return self._asking
        since_s = _age(self._asked_s)
        if since_s is not None and since_s < self._bounds.again_s:
            return None
        self._asking = asyncio.create_task(self._ask())
        return self._asking

    async def _ask(self) -> None:
        try:
            async with asyncio.timeout(self._bounds.ask_s):
                found = await self._fetch(f"{self._issuer}/.well-known/openid-configuration")
                keys = jwt.PyJWKSet.from_dict(await self._fetch(found["jwks_uri"])).keys
        except _UNANSWERED as error:
            self._failure = type(error).__name__
        else:
            self._failure = ""
            self._keys, self._learned_s = keys, clock.monotonic()
        finally:
            self._asked_s = clock.monotonic()


def _age(since_s: float | None) -> float | None:
    return None if since_s is None else clock.monotonic() - since_s


async def _get(url: str) -> Any:
    async with httpx.AsyncClient(timeout=DEFAULT.ask_s, trust_env=False) as client:
        answer = await client.get(url)
    answer.raise_for_status()
    return answer.json()
