"""A stand-in for BPJS Ketenagakerjaan's payments: `python -m deploy.sandbox.bpjs --port P [--data DIR]`.

`POST /v1/benefits` pays a benefit under an `Idempotency-Key` header: the same key and body always give the very same
answer, the same key with another body is 409. An account that ends in 0000 is refused with 422. `requested_on` (a day)
is taken as the day of payment, so that a story told about past months is coherent. Nothing personal is logged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox.faults import Trouble, control


class Ledger:
    """What was paid under which key; in a file when there is a folder, so that a restart does not pay twice."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._rows = sqlite3.connect(str(folder / "bpjs.sqlite") if folder else ":memory:", isolation_level=None)
        self._rows.execute("create table if not exists paid (key text primary key, body text, answer text)")

    def pay(self, key: str, body: str, fresh: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Pays once: the status and the answer that stands under this key."""
        self._rows.execute("insert or ignore into paid values (?, ?, ?)", (key, body, json.dumps(fresh)))
        standing, answer = self._rows.execute("select body, answer from paid where key = ?", (key,)).fetchone()
        if standing != body:
            return 409, {"detail": "this Idempotency-Key was used for another payment"}
        found: dict[str, Any] = json.loads(answer)
        return 200, found

    def total(self) -> int:
        """How many payments were made."""
        return int(self._rows.execute("select count(*) from paid").fetchone()[0])


def create_app(folder: Path | None = None) -> Starlette:
    """The stand-in as an ASGI application."""
    ledger, trouble = Ledger(folder), Trouble()

    async def pay(request: Request) -> Response:
        instead = await trouble.before()
        if instead is not None:
            return instead
        key = request.headers.get("idempotency-key", "")
        body = await request.json()
        if not key or not isinstance(body, dict) or not body.get("total"):
            trouble.counts["bad-request"] += 1
            return JSONResponse({"detail": "an Idempotency-Key header and a total are needed"}, 400)
        if str(body.get("account", "")).endswith("0000"):
            trouble.counts["account-refused"] += 1
            return JSONResponse({"detail": "rekening tidak dikenal (unknown account)"}, 422)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        today = datetime.now(UTC).date().isoformat()  # noqa: TID251  # another system has a clock of its own
        fresh = {
            "reference": f"BPJS-{hashlib.sha256(key.encode()).hexdigest()[:12].upper()}",
            "paid_on": body.get("requested_on") or today,
            "status": "paid",
        }
        status, answer = ledger.pay(key, digest, fresh)
        trouble.counts["paid" if status == 200 else "conflict"] += 1
        trouble.distinct.add(key)
        return trouble.after() or JSONResponse(answer, status)

    async def confirm(request: Request) -> Response:
        instead = await trouble.before()
        if instead is not None:
            return instead
        body = await request.json()
        trouble.counts["confirmed"] += 1
        return JSONResponse({"invoice_id": body.get("invoice_id"), "status": "confirmed"})

    async def log(_: Request) -> Response:
        return JSONResponse({**trouble.log(), "payments": ledger.total()})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"payments": ledger.total()})

    return Starlette(
        routes=[
            Route("/v1/benefits", pay, methods=["POST"]),
            Route("/v1/payments/confirm", confirm, methods=["POST"]),
            Route("/_control", lambda request: control(request, trouble), methods=["GET", "POST"]),
            Route("/_control/log", log, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    uvicorn.run(create_app(given.data), host=given.host, port=given.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
