"""How covers, paid invoices and stickers are stored. No personal data, so nothing is sealed."""

from __future__ import annotations

from collections.abc import Mapping

from services.registration.intake.domain.state import Refusal
from services.registration.stickers.domain.state import BilledMonths, PaidInvoice, Sticker
from shared.runtime.codecs import Codecs, record
from shared.runtime.ports import Codec

CODECS = Codecs(record(Sticker, later=("installed_on", "installed_for")))
STORED: Mapping[str, Codec] = {
    "covers": CODECS.of(BilledMonths),
    "invoices": CODECS.of(PaidInvoice),
    # A refusal may occupy a number that was never issued.
    "stickers": CODECS.either(Sticker, Refusal, tell="worker_id"),
}
