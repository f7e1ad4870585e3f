"""The plain meaning of the fields of claims and of billing's commands, the same over Kafka and HTTP."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from services.billing.domain import forms as billing_forms
from services.billing.domain.state import Reference as BillingReference
from services.claims.domain import forms
from services.claims.domain.state import Reference
from shared.contracts import envelope, topics
from shared.contracts.billing import COMMANDS as BILLING
from shared.contracts.claims import COMMANDS
from shared.kernel.event import Event
from shared.reference import areas, rates
from tests.property.claims_world import accident, child, death

SOURCE = "agency/64.08/distransnaker"
# 30 November 2026 in WITA.
AT_MS = 1_796_000_000_000
REFERENCE = Reference(rates.load(), bytes(range(32)))
PAY = {"invoice_id": "INV-1", "amount": 16_800, "reference": "SP2D-1"}


def submitted(data: Any) -> Any:
    raw = data if isinstance(data, bytes) else orjson.dumps(data)
    one = b'{"specversion":"1.0","id":"c","source":"%b","type":"claim.submit.v1","data":%b}' % (SOURCE.encode(), raw)
    event = envelope.read(one, (), topics.claims_intake("64.08", "distransnaker"), AT_MS, COMMANDS)
    assert event is not None
    return forms.submission(event, REFERENCE)


def reasons(data: Any) -> tuple[str, ...]:
    part = submitted(data)
    return part.reasons if isinstance(part, forms.Rejected) else ()


@pytest.mark.parametrize(
    ("said", "day"),
    [
        # October's cover paid a death of 1 November.
        ("2026-10-31T16:00:00Z", "2026-11-01"),
        ("2026-10-31T15:59:59Z", "2026-10-31"),
        ("2026-11-01T00:00:00+08:00", "2026-11-01"),
        ("2026-11-01T00:00:00", "2026-11-01"),
    ],
)
def test_the_day_of_an_event_is_the_day_in_wita(said: str, day: str) -> None:
    assert submitted(death(event_date=said)).form.event_date == day
    given = {**death(kind="scholarship"), "details": {"outcome": "death", "children": [child(birth_date=said)]}}
    born = submitted({**given, "event_date": "2026-11-20"})
    assert born.form.children[0].birth_date == day


def test_an_instant_of_tomorrow_in_wita_is_in_the_future() -> None:
    assert reasons(death(event_date="2027-01-31T23:00:00Z")) == ("field-invalid:event_date",)


@pytest.mark.parametrize("word", ["belum", "tidak ada", "#N/A", "A\x00"])
def test_a_document_marked_as_missing_does_not_count(word: str) -> None:
    papers = death()["documents"]
    assert reasons(death(documents=[*papers, word])) == ("field-invalid:documents",)


@pytest.mark.parametrize("number", [10**25, 9 * 10**17, 2**63, -1, 1.5, "10"])
def test_numbers_beyond_the_store_are_invalid(number: Any) -> None:
    whole = orjson.dumps(accident("temporary", days_off_work=12345678))
    shown = str(number).encode() if isinstance(number, int) else orjson.dumps(number)
    assert reasons(whole.replace(b"12345678", shown)) == ("field-invalid:details.days_off_work",)
    cost = orjson.dumps(accident("treatment", treatment_cost=12345678))
    assert reasons(cost.replace(b"12345678", shown)) == ("field-invalid:details.treatment_cost",)


@pytest.mark.parametrize("part", ["name", "relation", "account"])
def test_a_spreadsheet_error_as_the_claimant_is_refused(part: str) -> None:
    claimant = {**death()["claimant"], part: "#REF!"}
    assert reasons(death(claimant=claimant)) == (f"field-invalid:claimant.{part}",)
    assert reasons(death(claimant={**claimant, part: "-"})) == (f"field-missing:claimant.{part}",)


@pytest.mark.parametrize(
    ("said", "day"), [("2026-10-31T16:00:00Z", "2026-11-01"), ("2026-10-31T20:00:00", "2026-10-31")]
)
def test_a_payment_is_of_the_day_in_wita(said: str, day: str) -> None:
    one = {
        "specversion": "1.0",
        "id": "p",
        "source": "treasury/64.08",
        "type": "invoice.pay.v1",
        "data": {**PAY, "paid_on": said},
    }
    event: Event[Any] | None = envelope.read(orjson.dumps(one), (), topics.BILLING_INTAKE, AT_MS, BILLING)
    assert event is not None
    part = billing_forms.payment(event, BillingReference(areas.load(), rates.load(), 1000))
    assert isinstance(part, billing_forms.Payment)
    assert part.paid_on == day
