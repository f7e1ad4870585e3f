"""An older billing store under a newer log."""

from __future__ import annotations

from typing import Any

import orjson

from services.billing.stream import SPEC
from shared.contracts.topics import BILLING_INTAKE
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch, Record
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import CIPHER

INVOICE = "INV-6408-2026-02-apbd-regency-1"
LINES = [
    {"programme": "JKK", "amount": 10_000, "rule": "bpu.jkk.row1"},
    {"programme": "JKM", "amount": 6_800, "rule": "bpu.jkm.flat"},
]
OPENED = {
    "run_id": "RUN-6408-2026-02-apbd-regency-1",
    "regency": "64.08",
    "period": "2026-02",
    "funding": "apbd-regency",
    "cutoff": "2026-02-04",
    "invoice_id": INVOICE,
    "workers": 1,
    "lines": LINES,
}


# 5 February 2026.
AT_MS = 1_770_300_000_000


def record(topic: str, offset: int, value: bytes) -> Record:
    return Record(topic, 0, offset, b"k", value, (), AT_MS)


def event(name: str, source: str, kind: str, data: dict[str, Any]) -> bytes:
    return orjson.dumps({"specversion": "1.0", "id": name, "source": source, "type": kind, "data": data})


def payment(name: str, reference: str) -> bytes:
    data = {"invoice_id": INVOICE, "amount": 16_800, "paid_on": "2026-02-05", "reference": reference}
    return event(name, "treasury/64", "invoice.pay.v1", data)


async def process(store: MemoryStore, topics: MemoryTopics) -> Pipeline:
    letters = DeadLetterTopic(SPEC.name, topics)
    reference = await SPEC.reference(store, {})
    return Pipeline(SPEC, store, topics, letters, Metrics(SPEC.name), reference)


async def started(topics: MemoryTopics) -> tuple[Pipeline, MemoryStore]:
    store = MemoryStore(SPEC.stored, CIPHER)
    pipeline = await process(store, topics)
    await settle(pipeline, [record("billing-work", 0, event("o", "payung/billing", "invoice.opened", OPENED))])
    return pipeline, store


async def paid(topics: MemoryTopics) -> tuple[Pipeline, MemoryStore, bytes]:
    """A process that has settled one payment, its store, and the step that ordered the payment."""
    pipeline, store = await started(topics)
    await settle(pipeline, [record(BILLING_INTAKE, 0, payment("e1", "SP2D-1"))])
    (order,) = [one.value or b"" for one in topics.published if one.topic == "billing-work"]
    await settle(pipeline, [record("billing-work", 1, order)])
    return pipeline, store, order


def answers(topics: MemoryTopics) -> list[tuple[str, str]]:
    events = [orjson.loads(one.value or b"") for one in topics.published if one.topic == "billing-events"]
    return [(one["type"], one["data"]["reference"]) for one in events]


async def test_of_two_payments_the_first_in_the_log_counts_wherever_a_restored_store_begins() -> None:
    first, again = MemoryTopics(), MemoryTopics()
    commands = [record(BILLING_INTAKE, 0, payment("e1", "SP2D-1")), record(BILLING_INTAKE, 1, payment("e2", "SP2D-2"))]
    pipeline, _ = await started(first)
    await settle(pipeline, commands)
    ordered = [one.value or b"" for one in first.published if one.topic == "billing-work"]
    orders = [record("billing-work", n, value) for n, value in enumerate(ordered, start=1)]
    await settle(pipeline, orders)
    paid = [("premium.paid.v1", "SP2D-1"), ("invoice.pay.refused.v1", "SP2D-2")]
    assert answers(first) == paid
    restored, _ = await started(again)
    await settle(restored, orders[:1])
    await settle(restored, commands)
    await settle(restored, orders[1:])
    assert answers(again) == paid


async def test_a_copy_of_a_settled_step_is_answered_again_only_by_another_process() -> None:
    topics = MemoryTopics()
    pipeline, store, order = await paid(topics)
    await settle(pipeline, [record("billing-work", 2, order)])
    assert answers(topics) == [("premium.paid.v1", "SP2D-1")]
    other = await process(store, topics)
    await settle(other, [record("billing-work", 2, order)])
    assert answers(topics) == 2 * [("premium.paid.v1", "SP2D-1")]


async def test_a_log_that_went_back_is_answered_again() -> None:
    topics = MemoryTopics()
    pipeline, _, order = await paid(topics)
    again = Batch([record("billing-work", 1, order)], log_went_back=True)
    await pipeline.take(again)
    await pipeline.settle(again)
    assert answers(topics) == 2 * [("premium.paid.v1", "SP2D-1")]
