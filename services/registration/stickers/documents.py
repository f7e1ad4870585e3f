"""How covers, paid invoices and stickers are stored. No personal data, so nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.registration.intake.documents import RefusalCodec
from services.registration.intake.domain.state import Refusal
from services.registration.stickers.domain.state import BilledMonths, PaidInvoice, Sticker
from shared.runtime.ports import Cipher, Codec


class CoverCodec:
    """Stores one cover per worker: months and invoices only, as pairs."""

    def encode(self, state: BilledMonths, cipher: Cipher) -> dict[str, Any]:
        return {"months": [list(month) for month in state.months]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> BilledMonths:
        return BilledMonths(months=tuple((period, invoice) for period, invoice in body["months"]))


class PaidInvoiceCodec:
    """Stores paid invoices."""

    def encode(self, state: PaidInvoice, cipher: Cipher) -> dict[str, Any]:
        return {"period": state.period}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> PaidInvoice:
        return PaidInvoice(period=body["period"])


class StickerCodec:
    """Stores stickers. A refusal may occupy a number that was never issued."""

    def encode(self, state: Sticker | Refusal, cipher: Cipher) -> dict[str, Any]:
        return RefusalCodec().encode(state, cipher) if isinstance(state, Refusal) else asdict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Sticker | Refusal:
        return Sticker(**body) if "worker_id" in body else RefusalCodec().decode(body, cipher)


STORED: Mapping[str, Codec] = {"covers": CoverCodec(), "invoices": PaidInvoiceCodec(), "stickers": StickerCodec()}
