"""A sticker's number, the day until which a worker is paid, and when a sticker is no longer valid. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from datetime import date, timedelta
from typing import Any

from services.registration.stickers.domain.state import BilledMonths, Sticker
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.kernel.calendar import first_day, period_of, shift_period

# Crockford's digits: no two of them look alike on a wet sticker.
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


NUMBER_DIGITS = 10


LEFT = (WorkerStatus.WITHDRAWN, WorkerStatus.REJECTED, WorkerStatus.MERGED)


def sticker_no(key: bytes, regency: str, worker_id: str, opened_on: str) -> str:
    """The number of a worker's sticker, such as `6408-7F3KQ-9M2XA`. Without the key it does not reveal the worker."""
    digest = hmac.digest(key, f"sticker|{worker_id}|{opened_on}".encode(), hashlib.sha256)
    value = int.from_bytes(digest[:7], "big") >> 6
    digits = "".join(DIGITS[value >> (5 * place) & 31] for place in reversed(range(NUMBER_DIGITS)))
    return f"{regency.replace('.', '')}-{digits[:5]}-{digits[5:]}"


def is_sticker_no(text: object) -> bool:
    """Whether a text has the shape of a sticker number."""
    if not isinstance(text, str) or len(text) != 16 or text[4] != "-" or text[10] != "-":
        return False
    return text[:4].isascii() and text[:4].isdigit() and all(digit in DIGITS for digit in text[5:10] + text[11:])


def paid_until(cover: BilledMonths, paid: Collection[str], today: date) -> date | None:
    """The last day of the unbroken row of paid months that includes today or begins next; None when there is none."""
    now = period_of(today)
    months = sorted(period for period, invoice in cover.months if invoice in paid and period >= now)
    if not months:
        return None
    last = months[0]
    for period in months[1:]:
        if period != shift_period(last, 1):
            break
        last = period
    return first_day(shift_period(last, 1)) - timedelta(days=1)


def revoked(sticker: Sticker, worker: Any) -> bool:
    """Whether a sticker is no longer valid: its worker left, or left and was registered anew."""
    if not isinstance(worker, Worker):
        return True
    return worker.status in LEFT or worker.opened_on != sticker.opened_on
