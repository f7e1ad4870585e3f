"""Addresses of what billing publishes: open events by worker or regency, its own steps by the document that they
change."""

from __future__ import annotations

from pydantic import BaseModel

from services.billing.domain import rules
from shared.contracts import topics
from shared.contracts.base import Data
from shared.contracts.billing import CommandRefused, RunCompleted
from shared.kernel.decision import Outcome

EVENTS = topics.events("billing")
WORK = topics.work("billing")


def issued(kind: str, key: str, data: BaseModel, subject: str | None = None) -> Outcome:
    return Outcome(EVENTS, key, kind, data, subject)


def completed(data: RunCompleted) -> Outcome:
    return issued("billing.run-completed.v1", data.regency, data, data.run_id)


def refusal(command: str, answer: CommandRefused) -> Outcome:
    """`<command>.refused.v1`; the key is the regency if the command names one."""
    kind = f"{command.removesuffix('.v1')}.refused.v1"
    return Outcome(EVENTS, answer.regency or answer.invoice_id or "unknown", kind, answer, answer.invoice_id)


def step(kind: str, regency: str, period: str, data: Data) -> Outcome:
    """A step for a run or its premiums."""
    return Outcome(WORK, rules.work_key(regency, period), kind, data)


def for_budget(kind: str, key: str, data: Data) -> Outcome:
    """A step for a budget, by its key."""
    return Outcome(WORK, key, kind, data)


def for_invoice(kind: str, invoice_id: str, data: Data) -> Outcome:
    """A step for an invoice."""
    return Outcome(WORK, rules.invoice_work_key(invoice_id), kind, data)
