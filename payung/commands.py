"""The monthly cycle from the command line: each command publishes an event and waits for the event that answers it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from payung import wire
from payung.access.table import OPERATOR, treasury_name
from payung.installations import CommandError, Installation
from shared.contracts import topics
from shared.contracts.reasons import messages
from shared.reference import areas as area_files

ANSWER_WAIT_S = 60.0
RUN_WAIT_S = 900.0


async def set_budget(installation: Installation, data: Mapping[str, Any]) -> dict[str, Any]:
    """Publishes budget.set.v1 and returns the accepted ceilings; CommandError with reasons when refused."""
    return await _command(installation, "budget.set.v1", data, "budget.set-accepted.v1", ANSWER_WAIT_S)


async def run_billing(installation: Installation, data: Mapping[str, Any]) -> dict[str, Any]:
    """Publishes billing.run.v1 and returns the completed run."""
    return await _command(installation, "billing.run.v1", data, "billing.run-completed.v1", RUN_WAIT_S)


async def pay_invoice(installation: Installation, data: Mapping[str, Any]) -> dict[str, Any]:
    """Publishes invoice.pay.v1 and returns the payment."""
    return await _command(installation, "invoice.pay.v1", data, "premium.paid.v1", ANSWER_WAIT_S)


async def _command(
    installation: Installation, kind: str, data: Mapping[str, Any], done: str, wait_s: float
) -> dict[str, Any]:
    given = {name: value for name, value in data.items() if value is not None}
    regency = _regency(given)
    command = wire.event(f"treasury/{regency}", kind, given)
    refused = kind.removesuffix(".v1") + ".refused.v1"
    answer = await wire.ask(
        installation.acting_as(treasury_name(regency), OPERATOR),
        topics.BILLING_INTAKE,
        regency,
        command,
        topics.events("billing"),
        (done, refused),
        wait_s,
    )
    result: dict[str, Any] = answer["data"]
    if answer["type"] == refused:
        reasons = result["reasons"]
        raise CommandError(f"{kind} was refused: {', '.join(reasons)}. {messages(reasons, 'en')}")
    return result


def _regency(data: Mapping[str, Any]) -> str:
    """The regency whose treasury sends the command. CommandError when there is none: the event would be a dead letter
    and remain unanswered."""
    invoice_id = data.get("invoice_id")
    regency = str(data.get("regency") or _regency_of(str(invoice_id or "")))
    if area_files.load().is_regency(regency):
        return regency
    if invoice_id is not None:
        raise CommandError(f"there is no invoice {invoice_id}; `payung invoice list` names them (INV-6408-...)")
    raise CommandError(f"--regency {regency} is not known; it is a Kemendagri code with a dot, e.g. 64.08")


def _regency_of(invoice_id: str) -> str:
    """The regency in an invoice id, which has it without the dot (INV-6408-...)."""
    digits = next((part for part in invoice_id.split("-") if len(part) == 4 and part.isdigit()), "")
    return f"{digits[:2]}.{digits[2:]}" if digits else "unknown"
