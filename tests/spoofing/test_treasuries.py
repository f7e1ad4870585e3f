"""A treasury commands its own regency. All treasuries write one topic, `billing-intake`, so billing judges by the
source; each refusal is answered, leaves an audit line, and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from shared.contracts import topics
from shared.runtime.ops import audit_trail
from tests.spoofing.town import Town

BUDGET = {
    "regency": "64.08",
    "year": 2026,
    "funding": "apbd-regency",
    "jkk": 1_000_000,
    "jkm": 1_000_000,
    "decree_no": "SK-1/2026",
    "target_workers": 10,
}
RUN = {"regency": "64.08", "period": "2026-01", "funding": "apbd-regency"}
PAY = {"invoice_id": "INV-1", "amount": 16_800, "paid_on": "2026-01-05", "reference": "SP2D-1"}
OPENED = {
    "invoice_id": "INV-1",
    "run_id": "RUN-1",
    "regency": "64.08",
    "period": "2026-01",
    "funding": "apbd-regency",
    "cutoff": "2026-01-02",
    "workers": 1,
    "lines": [
        {"programme": "JKK", "amount": 10_000, "rule": "x"},
        {"programme": "JKM", "amount": 6_800, "rule": "x"},
    ],
}


@pytest.fixture(autouse=True)
def _log(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test may have set up logging; a logger keeps what was set up when it was used first.
    monkeypatch.setattr(audit_trail, "log", structlog.get_logger())


async def audited(town: Town) -> list[tuple[str, str, list[str], int]]:
    """The audit lines about refused commands while the services read what was written."""
    with capture_logs() as lines:
        await town.settle()
    return [
        (one["type"], one["speaker"], one["codes"], one["records"])
        for one in lines
        if one["event"] == "audit" and one["what"] == "command refused"
    ]


async def opened(town: Town) -> dict[str, Any]:
    """The town with an open invoice of 64.08."""
    town.write(topics.work("billing"), "payung/billing", "invoice.opened", OPENED)
    await town.settle()
    return invoice(town)


def invoice(town: Town) -> dict[str, Any]:
    found: dict[str, Any] = town.documents("billing")["invoices"]["INV-1"]["state"]
    return found


@pytest.mark.parametrize("source", ["treasury/64.02", "treasury/65", "treasury/63.08"])
async def test_another_regencys_treasury_commands_nothing(town: Town, source: str) -> None:
    before = await opened(town)
    assert before["status"] == "open"
    for kind, data in (("budget.set.v1", BUDGET), ("billing.run.v1", RUN), ("invoice.pay.v1", PAY)):
        town.write(topics.BILLING_INTAKE, source, kind, data)
        town.write(topics.BILLING_INTAKE, source, kind, data)
    foreign = ["field-invalid:regency"]
    assert sorted(await audited(town)) == [
        ("billing.run.refused.v1", source, foreign, 1),
        ("billing.run.refused.v1", source, foreign, 1),
        ("budget.set.refused.v1", source, foreign, 1),
        ("budget.set.refused.v1", source, foreign, 1),
        ("invoice.pay.refused.v1", source, ["invoice-unknown"], 1),
        ("invoice.pay.refused.v1", source, ["invoice-unknown"], 1),
    ]
    assert invoice(town)["status"] == "open"
    assert town.said("premium.paid.v1", "budget.set-done.v1") == []
    told = town.said("budget.set.refused.v1", "billing.run.refused.v1", "invoice.pay.refused.v1")
    assert {one["causationsource"] for one in told} == {source}
    assert town.letters() == []


@pytest.mark.parametrize("source", ["treasury/64.08", "treasury/64", "officer/Rina%20Wati"])
async def test_the_regencys_own_treasury_its_province_and_an_officer_pay(town: Town, source: str) -> None:
    await opened(town)
    town.write(topics.BILLING_INTAKE, source, "invoice.pay.v1", PAY)
    assert await audited(town) == []
    assert invoice(town)["status"] == "paid"


async def test_an_officer_is_not_named_in_the_audit_line(town: Town) -> None:
    town.write(topics.BILLING_INTAKE, "officer/Rina%20Wati", "budget.set.v1", {**BUDGET, "jkk": -1})
    name = audit_trail.fingerprint("Rina Wati")
    assert await audited(town) == [("budget.set.refused.v1", f"officer/{name}", ["field-invalid:jkk"], 1)]


async def test_refused_claims_of_an_agency_are_not_audited(town: Town) -> None:
    town.write("claims-intake-6408-rumahsakit", "agency/64.08/rumahsakit", "claim.withdraw.v1", {"claim_no": "K-1"})
    assert await audited(town) == []
    assert len(town.said("claim.withdraw.refused.v1")) >= 1
