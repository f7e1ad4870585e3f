"""The monthly commands: a command is refused before it is sent when no service would answer it."""

from __future__ import annotations

from pathlib import Path

import pytest

from payung import commands
from payung.installations import CommandError, Installation

# Nothing listens at this address, so a command that is sent would fail with another text.
NOWHERE = Installation(Path("nowhere"), {"PAYUNG_KAFKA": "127.0.0.1:1"}, {})


@pytest.mark.parametrize("invoice", ["INV-x", "", "12345", "INV-9999-2026-11-apbd-regency-1"])
async def test_a_payment_of_no_treasury_is_not_sent(invoice: str) -> None:
    """Such a payment once became a dead letter, and after a minute the command said that it would be carried out."""
    with pytest.raises(CommandError, match="there is no invoice"):
        await commands.pay_invoice(NOWHERE, {"invoice_id": invoice, "amount": 5, "reference": "SP2D-1"})


@pytest.mark.parametrize("regency", ["6408", "kutai timur", "99.99", "64.08.04", "64"])
async def test_a_run_or_budget_of_no_regency_is_not_sent(regency: str) -> None:
    with pytest.raises(CommandError, match="Kemendagri code"):
        await commands.run_billing(NOWHERE, {"regency": regency, "period": "2026-11"})
    with pytest.raises(CommandError, match="Kemendagri code"):
        await commands.set_budget(NOWHERE, {"regency": regency, "year": 2026})
