"""The participants of an invoice, what BPJS answered about each, and the invoice itself. Defines shapes only; no rule,
no store.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from shared.kernel.values import Personal, value


@value(frozen=True, slots=True, kw_only=True)
class BpjsAnswer:
    """One answer of BPJS: the number of the participant's card (KPJ), or a reason code with BPJS's own words."""

    answered_at: datetime
    kpj: Annotated[str, Personal] = ""
    reason: str = ""
    words: Annotated[str, Personal] = ""

    @property
    def is_enrolled(self) -> bool:
        """Whether BPJS took the worker in."""
        return bool(self.kpj)


@value(frozen=True, slots=True, kw_only=True)
class Participant:
    """A worker on an invoice, and BPJS's answers about them, the latest last.

    `number` is the worker's place in the invoice, from 1; 0 while the premium is not known yet, because an answer came
    first.
    """

    worker_id: str
    invoice_id: str
    number: int = 0
    regency: str = ""
    period: str = ""
    income_base: int = 0
    total: int = 0
    answers: tuple[BpjsAnswer, ...] = ()

    @property
    def standing(self) -> BpjsAnswer | None:
        """The answer that counts."""
        return self.answers[-1] if self.answers else None

    @property
    def outcome(self) -> str:
        """What BPJS's answer came to, for counting: `enrolled`, the code of a refusal, or empty without an answer."""
        answer = self.standing
        return "" if answer is None else "enrolled" if answer.is_enrolled else answer.reason


@value(frozen=True, slots=True, kw_only=True)
class Bill:
    """An invoice as billing closed it: how many workers it has, and their premiums in rupiah."""

    invoice_id: str
    regency: str
    period: str
    funding: str
    workers: int
    total: int
    programmes: tuple[str, ...]


# Without slots, so that the service's facts can inherit the facts of several features.
@value(frozen=True, kw_only=True)
class Facts:
    """What decisions on answers know besides their document: which of the workers are registered at all."""

    registered: frozenset[str] = frozenset()
