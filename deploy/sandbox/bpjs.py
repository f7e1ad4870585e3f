"""A stand-in for BPJS Ketenagakerjaan's payments: `python -m deploy.sandbox.bpjs --port P [--data DIR]`.

`POST /v1/benefits` pays a benefit {claim, worker_id, benefits: [{benefit, amount}], total, account, requested_on?}
under an `Idempotency-Key` header. The same key and body always get the same answer {reference, paid_on, status:
"paid"}; the same key with another body gets 409, and `GET /v1/benefits/{key}` says what was paid under it:
{reference, paid_on, benefits, total}. 422 means that the account is rejected (it ends in 0000); its key
stays free. `requested_on` becomes the day of payment, so that a story about past months is coherent; without it the day
is today in WITA. `POST /v1/payments/confirm` confirms the payment of an invoice, once for each invoice_id.
It keeps and logs no personal data.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox import serving
from deploy.sandbox.faults import Faults, Trouble, add_control, json_response, troubled
from shared.kernel.calendar import business_day, parse_date
from shared.runtime import clock

BENEFITS_PATH = "/v1/benefits"
CONFIRM_PATH = "/v1/payments/confirm"
KEY_HEADER = "Idempotency-Key"
REJECTED_ENDING = "0000"
_KEY_MAX = 200


class Ledger:
    """The answers by key. With a folder they are in a file, so that a restart pays nothing twice."""

    def __init__(self, folder: Path | None) -> None:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        # One thread makes it, and the event loop of another thread may use it; two never use it at once.
        self._rows = sqlite3.connect(
            folder / "bpjs.sqlite" if folder else ":memory:", isolation_level=None, check_same_thread=False
        )
        self._rows.execute("pragma journal_mode = wal")
        self._rows.execute("pragma synchronous = normal")  # survives a kill of the process; that is enough here
        self._rows.execute(
            "create table if not exists answers"
            " (kind text, key text, body blob, answer blob, amount integer, primary key (kind, key))"
        )
        self._rows.execute("create table if not exists paid (key text primary key, benefit blob)")

    def standing(self, kind: str, key: str, body: bytes) -> bytes | bool:
        """The answer kept under this key; False when another body has the key, True when the key is free."""
        row = self._rows.execute("select body, answer from answers where kind = ? and key = ?", (kind, key)).fetchone()
        if row is None:
            return True
        return bytes(row[1]) if row[0] == body else False

    def keep(self, kind: str, key: str, body: bytes, answer: bytes, amount: int) -> None:
        """Enters an answer under a free key."""
        self._rows.execute("insert into answers values (?, ?, ?, ?, ?)", (kind, key, body, answer, amount))

    def keep_paid(self, key: str, benefit: bytes) -> None:
        """Enters what is about to be paid under a free key; a repeat after a kill may enter it again."""
        self._rows.execute("insert or replace into paid values (?, ?)", (key, benefit))

    def paid(self, key: str) -> bytes | None:
        """What was paid under a key; None when nothing was."""
        row = self._rows.execute("select benefit from paid where key = ?", (key,)).fetchone()
        return None if row is None else bytes(row[0])

    def sums(self) -> dict[str, int]:
        """The number of paid benefits, and their sum (rupiah)."""
        row = self._rows.execute(
            "select count(*), coalesce(sum(amount), 0) from answers where kind = 'benefit'"
        ).fetchone()
        return {"payments": row[0], "paid_rupiah": row[1]}

    def close(self) -> None:
        """Closes the file."""
        self._rows.close()


def fault_of(body: Mapping[str, Any]) -> str | None:
    """The fault of a benefit request, or None."""
    total, lines = body.get("total"), body.get("benefits", [])
    if type(total) is not int or total <= 0:
        return "total: whole rupiah above 0 are needed"
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        return "benefits: a list of {benefit, amount} is needed"
    amounts = [line.get("amount") for line in lines]
    if any(type(amount) is not int for amount in amounts):
        return "benefits: amounts are whole rupiah"
    if amounts and sum(amounts) != total:
        return "total: the benefits add up to another amount"
    if not body.get("account"):
        return "account: is needed"
    if body.get("requested_on") is not None and parse_date(body["requested_on"]) is None:
        return "requested_on: a day (YYYY-MM-DD) is needed"
    return None


def _digest(key: str, body: Mapping[str, Any]) -> bytes:
    # Hash with the key, so that equal accounts have different hashes.
    return hashlib.sha256(key.encode() + b"\n" + orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


def _rejected(account: Any) -> bool:
    number = account.get("number", "") if isinstance(account, dict) else account
    return "".join(sign for sign in str(number) if sign.isdigit()).endswith(REJECTED_ENDING)


class Bpjs:
    """The two calls over one ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.trouble = Trouble(Faults)

    def pay(self, request: Request, body: dict[str, Any]) -> Response:
        """Pays one benefit once."""
        key = request.headers.get(KEY_HEADER, "")
        if not 0 < len(key) <= _KEY_MAX:
            return self._said("bad-request", 400, f"{KEY_HEADER}: is needed, {_KEY_MAX} signs at most")
        self.trouble.saw("keys", key)
        fault = fault_of(body)
        if fault is not None:
            return self._said("bad-request", 400, fault)
        digest = _digest(key, body)
        standing = self.ledger.standing("benefit", key, digest)
        # Check a used key before the account, because what was paid stays paid.
        if standing is not True:
            return self._again("repeated", standing)
        if _rejected(body["account"]):
            return self._said("account-rejected", 422, "rekening ditolak (account rejected)")
        if self.trouble.drawn(self.trouble.faults.wrong_rate):
            self.trouble.counts["wrong"] += 1
            return json_response({"reference": "", "paid_on": "00-00-0000", "status": "paid"})
        said = {"reference": _reference("BPJS", key), "paid_on": _paid_on(body)}
        fresh = orjson.dumps({**said, "status": "paid"})
        self.ledger.keep_paid(key, orjson.dumps({**said, "benefits": body.get("benefits", []), "total": body["total"]}))
        self.ledger.keep("benefit", key, digest, fresh, body["total"])
        return self._fresh("paid", fresh)

    def show(self, request: Request, _body: dict[str, Any]) -> Response:
        """What was paid under a key."""
        standing = self.ledger.paid(request.path_params["key"])
        if standing is None:
            return self._said("unknown-key", 404, "tidak ada pembayaran dengan kunci ini (no payment under this key)")
        return self._fresh("shown", standing)

    def confirm(self, _request: Request, body: dict[str, Any]) -> Response:
        """Confirms that an invoice's payment arrived, once for each invoice."""
        invoice, amount = body.get("invoice_id"), body.get("amount")
        if not isinstance(invoice, str) or not invoice or type(amount) is not int or amount <= 0:
            return self._said("bad-request", 400, "invoice_id and amount (whole rupiah above 0) are needed")
        digest = _digest(invoice, body)
        standing = self.ledger.standing("invoice", invoice, digest)
        if standing is not True:
            return self._again("confirmed-again", standing)
        fresh = orjson.dumps(
            {
                "invoice_id": invoice,
                "amount": amount,
                "reference": _reference("KONF", invoice),
                "confirmed_on": business_day(clock.now()).isoformat(),
                "status": "confirmed",
            }
        )
        self.ledger.keep("invoice", invoice, digest, fresh, amount)
        return self._fresh("confirmed", fresh)

    def _fresh(self, what: str, answer: bytes) -> Response:
        self.trouble.counts[what] += 1
        return Response(answer, media_type="application/json")

    def _again(self, what: str, standing: bytes | bool) -> Response:
        if isinstance(standing, bytes):
            return self._fresh(what, standing)
        return self._said("conflict", 409, "kunci ini sudah dipakai untuk isi lain (key used for another body)")

    def _said(self, what: str, status: int, detail: str) -> Response:
        self.trouble.counts[what] += 1
        return json_response({"detail": detail}, status)


def _reference(prefix: str, key: str) -> str:
    return f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:16].upper()}"


def _paid_on(body: Mapping[str, Any]) -> str:
    return str(body.get("requested_on") or business_day(clock.now()).isoformat())


def create_app(folder: Path | None = None) -> FastAPI:
    """The stand-in as an ASGI application; without a folder it keeps nothing after its end."""
    house = Bpjs(Ledger(folder))
    app = FastAPI(title="BPJS Ketenagakerjaan stand-in", version="1")
    app.state.ledger = house.ledger
    app.add_api_route(BENEFITS_PATH, troubled(house.trouble, house.pay), methods=["POST"])
    app.add_api_route(BENEFITS_PATH + "/{key}", troubled(house.trouble, house.show), methods=["GET"])
    app.add_api_route(CONFIRM_PATH, troubled(house.trouble, house.confirm), methods=["POST"])
    add_control(app, house.trouble, house.ledger.sums)
    return app


def main() -> None:
    """Serves until it is told to stop."""
    arguments = serving.parser(__doc__)
    arguments.add_argument("--data", type=Path, help="folder that keeps what was paid")
    given = arguments.parse_args()
    serving.leave_on_signals()
    serving.serve(create_app(given.data), given.host, given.port)


if __name__ == "__main__":
    main()
