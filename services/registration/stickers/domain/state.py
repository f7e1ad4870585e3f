"""Covers, paid invoices and stickers. Defines shapes only; no rule, no store."""

from __future__ import annotations

from shared.kernel.values import value


@value(frozen=True, slots=True, kw_only=True)
class BilledMonths:
    """A worker's billed months, each with its invoice: (period, invoice_id), the latest last."""

    months: tuple[tuple[str, str], ...]


@value(frozen=True, slots=True, kw_only=True)
class PaidInvoice:
    """An invoice whose premiums are all paid."""

    period: str


@value(frozen=True, slots=True, kw_only=True)
class Sticker:
    """A sticker as last issued, and the day on which it was reported as put up."""

    worker_id: str
    opened_on: str
    regency: str
    district: str
    village: str
    issued_on: str
    valid_until: str
    installed_on: str = ""
    installed_for: str = ""
