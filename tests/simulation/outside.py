"""Dukcapil and BPJS as the services see them: Dukcapil answers, BPJS pays once for each key. No HTTP, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any

import httpx

from shared.runtime.errors import Unavailable

Trouble = Callable[[str], Awaitable[None]]


async def _no_trouble(_: str) -> None:
    return None


# The faults of the calling process: every call runs in a task of its host.
CALLER: ContextVar[Trouble] = ContextVar("caller", default=_no_trouble)


class Outside:
    """Replaces the adapters' HTTP clients."""

    def __init__(self, register: Mapping[str, str | None]) -> None:
        self._register = register
        self.paid: dict[str, dict[str, Any]] = {}
        # The number of calls of each piece of due work.
        self.called: Counter[str] = Counter()

    async def post(self, url: str, *, json: dict[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        """Answers, unless a fault cuts the connection before or after."""
        trouble = CALLER.get()
        try:
            await trouble("outside")
            self.called[headers["Idempotency-Key"]] += 1
            answer = self._pay(json, headers["Idempotency-Key"]) if "/v1/benefits" in url else self._verify(json)
            await trouble("outside done")
        except Unavailable as error:
            raise httpx.ConnectError("simulated") from error
        return answer

    def _verify(self, question: Mapping[str, Any]) -> httpx.Response:
        known = self._register.get(question["NIK"]) or "13"
        entry = {"NIK": "Sesuai", "NAMA_LGKP": "Sesuai (100)", "TGL_LHR": "Sesuai", "JENIS_KLMIN": "Sesuai"}
        if known == "other-name":
            entry["NAMA_LGKP"] = "Tidak Sesuai (75)"
        elif known != "alive":
            entry = {"RESPONSE_CODE": known, "RESPON": "x"}
        return httpx.Response(200, json={"content": [entry]})

    def _pay(self, body: dict[str, Any], key: str) -> httpx.Response:
        if body["account"].endswith("0000"):
            return httpx.Response(422)
        if self.paid.setdefault(key, body) != body:
            return httpx.Response(409)
        return httpx.Response(200, json={"reference": f"BPJS-{body['claim']}", "paid_on": body["requested_on"]})
