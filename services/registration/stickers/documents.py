"""How covers, paid invoices and stickers stand in the store. No personal data: nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from services.registration.documents import RefusalCodec
from services.registration.domain.state import Refusal
from services.registration.domain.stickers import Cover, PaidInvoice, Sticker
from shared.runtime.ports import Cipher, Codec


class CoverCodec:
    """One of them for every worker: months and invoices only."""

    def encode(self, state: Cover, cipher: Cipher) -> dict[str, Any]:
        """As pairs."""
        return {"months": [list(month) for month in state.months]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Cover:
        """From pairs."""
        return Cover(months=tuple((period, invoice) for period, invoice in body["months"]))


class PaidInvoiceCodec:
    """Paid invoices."""

    def encode(self, state: PaidInvoice, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return {"period": state.period}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> PaidInvoice:
        """From plain fields."""
        return PaidInvoice(period=body["period"])


class StickerCodec:
    """Stickers; a refusal may stand where one may come."""

    def encode(self, state: Sticker | Refusal, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return RefusalCodec().encode(state, cipher) if isinstance(state, Refusal) else asdict(state)

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Sticker | Refusal:
        """From plain fields."""
        return Sticker(**body) if "worker_id" in body else RefusalCodec().decode(body, cipher)


STORED: Mapping[str, Codec] = {"covers": CoverCodec(), "invoices": PaidInvoiceCodec(), "stickers": StickerCodec()}
