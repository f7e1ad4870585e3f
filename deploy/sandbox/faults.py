"""How the stand-ins misbehave on demand, as the real systems do by themselves: slow, wrong, down, out of quota."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

# A hanging call is let go after this, so that a stand-in can always be stopped.
HANG_S = 600.0


class Faults(BaseModel):
    """What is wrong at present. Rates are shares of the calls, 0 to 1, drawn from `seed`."""

    model_config = ConfigDict(extra="forbid")

    latency_ms: int = Field(0, ge=0)
    jitter_ms: int = Field(0, ge=0)
    error_rate: float = Field(0.0, ge=0, le=1)
    hang_rate: float = Field(0.0, ge=0, le=1)
    malformed_rate: float = Field(0.0, ge=0, le=1)
    wrong_rate: float = Field(0.0, ge=0, le=1)
    lost_answer_rate: float = Field(0.0, ge=0, le=1)
    down: bool = False
    quota_left: int | None = None
    seed: int = 1


class Trouble:
    """Draws the fate of each call; keeps counts without any personal data."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.counts: Counter[str] = Counter()
        self.distinct: set[str] = set()
        self._random = random.Random(1)

    def set(self, faults: Faults) -> None:
        """Changes what is wrong from now on."""
        self.faults = faults
        self._random = random.Random(faults.seed)

    def drawn(self, rate: float) -> bool:
        """Whether a thing of this rate happens to this call."""
        return rate > 0 and self._random.random() < rate

    async def before(self) -> Response | None:
        """Trouble that comes instead of an answer; None when the call is answered."""
        faults = self.faults
        if faults.latency_ms or faults.jitter_ms:
            await asyncio.sleep((faults.latency_ms + self._random.random() * faults.jitter_ms) / 1000)
        if faults.down:
            return self._said("down", Response("service unavailable", 503))
        if self.drawn(faults.hang_rate):
            self.counts["hang"] += 1
            await asyncio.sleep(HANG_S)
            return Response("gateway timeout", 504)
        if self.drawn(faults.error_rate):
            return self._said("error", Response("internal error", 500 if self._random.random() < 0.5 else 503))
        if self.drawn(faults.malformed_rate):
            return self._said("malformed", Response('{"content":[{"NIK":', 200, media_type="application/json"))
        return None

    def after(self) -> Response | None:
        """Trouble once the call took effect: the answer is lost on its way."""
        if self.drawn(self.faults.lost_answer_rate):
            return self._said("lost-answer", Response("bad gateway", 502))
        return None

    def _said(self, what: str, response: Response) -> Response:
        self.counts[what] += 1
        return response

    def log(self) -> dict[str, Any]:
        """Counts of calls by outcome, and of distinct pieces of work."""
        return {"calls": dict(self.counts), "distinct": len(self.distinct)}


async def control(request: Request, trouble: Trouble) -> Response:
    """`GET` shows and `POST` changes what is wrong; unnamed settings keep their value, `{}` changes nothing."""
    if request.method == "POST":
        given = await request.json()
        try:
            trouble.set(Faults(**{**trouble.faults.model_dump(), **given}))
        except ValueError as error:
            return JSONResponse({"detail": str(error)}, 422)
    return JSONResponse(trouble.faults.model_dump())
