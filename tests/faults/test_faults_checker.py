"""The checker can fail: each law is checked on a small world that breaks exactly this law."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from shared.contracts import topics
from shared.runtime.kafka.consumer import pattern_of
from shared.runtime.spec import ServiceSpec
from tests.faults.checker import LAWS, judge
from tests.faults.observed import SUBSCRIPTIONS, Observed, Seen
from tests.simulation.cast import SPECS

SOURCE = "agency/64.08/dinsos"
FEEDBACK = "feedback-6408-dinsos"
INTAKE = "registration-intake-6408-dinsos"


def seen(topic: str, offset: int, event: dict[str, Any] | None, **headers: bytes) -> Seen:
    value = b"\xff" if event is None else json.dumps(event).encode()
    return Seen(topic, 0, offset, value, headers, event)


def event(
    source: str, name: str, kind: str, data: dict[str, Any], cause: str = "", sequence: int = 1
) -> dict[str, Any]:
    found = {"id": name, "source": source, "type": kind, "data": data, "sequence": sequence}
    by = SOURCE if cause.startswith("row") else "treasury/64.08"
    return {**found, "causationid": cause, "causationsource": by, "correlationid": cause} if cause else found


def premium(name: str, worker: str, run: str = "R1") -> dict[str, Any]:
    lines = [{"programme": "JKK", "amount": 10}, {"programme": "JKM", "amount": 5}]
    data = {"worker_id": worker, "regency": "64.08", "period": "2026-11", "funding": "apbd-regency", "lines": lines}
    return event("payung/billing", name, "premium.billed.v1", {**data, "total": 15, "run_id": run, "invoice_id": "I1"})


def saved(name: str, outcomes: list[tuple[str, str]], version: int = 1, identifier: str = "d") -> dict[str, Any]:
    taken = {"n": name, "o": [{"i": i, "t": t, "y": "x"} for i, t in outcomes]}
    return {"_id": identifier, "version": version, "inputs": [taken]}


@pytest.fixture
def world() -> Observed:
    """One worker registered, verified, billed and paid for; one unreadable row put aside."""
    worker = {"worker_id": "w1", "regency": "64.08"}
    run = {"run_id": "R1", "invoice_id": "I1", "regency": "64.08", "period": "2026-11", "billed_workers": 1}
    paid = {"invoice_id": "I1", "total": 15, "workers": 1}
    budget = {"ceilings": [100, 100], "committed": [10, 5], "reserved": [0, 0]}
    named = {"regency": "64.08", "year": 2026, "funding": "apbd-regency"}
    records = [
        seen(INTAKE, 0, event(SOURCE, "row1", "worker.register.v1", {"nik": "1"})),
        seen(INTAKE, 1, None),
        seen("registration-dlq", 0, None, dlq_topic=INTAKE.encode(), dlq_partition=b"0", dlq_offset=b"1", dlq_id=b"x"),
        seen(FEEDBACK, 0, event("payung/registration", "a1", "submission.answered.v1", {}, "row1")),
        seen("registration-events", 0, event("payung/registration", "r1", "worker.registered.v1", worker, "row1")),
        seen("registration-events", 1, event("payung/registration", "r1", "worker.registered.v1", worker, "row1")),
        seen("verification-events", 0, event("payung/verification", "v1", "identity.verified.v1", worker)),
        seen("billing-intake", 0, event("treasury/64.08", "run1", "billing.run.v1", {})),
        seen("billing-events", 0, premium("p1", "w1")),
        seen(
            "billing-events", 1, event("payung/billing", "c1", "billing.run-completed.v1", {**run, "total": 15}, "run1")
        ),
        seen("billing-events", 2, event("payung/billing", "y1", "premium.paid.v1", paid)),
    ]
    return Observed(
        records=records,
        documents={
            "registration": {"workers": [saved(f"{SOURCE}|row1", [("a1", FEEDBACK), ("r1", "registration-events")])]},
            "billing": {
                "premiums": [saved("s", [("p1", "billing-events")], identifier="w1|2026-11")],
                "runs": [saved("run", [("c1", "billing-events"), ("y1", "billing-events")])],
                "budgets": [{**saved("b", []), "state": {**budget, **named}}],
            },
        },
        journals={"registration": 0, "billing": 0},
        lags={"registration": {}, "billing": {}},
        figures={
            ("64.08", "2026-11"): {
                "registered": 1, "verified": 1, "held": 0, "rejected": 0, "billed": 1, "covered": 1, "target": 9
            }
        },
    )  # fmt: skip


def test_a_good_world_has_no_complaints_and_a_repeat_is_none(world: Observed) -> None:
    report = judge(world)
    report.hold()
    assert (report.counts["answers"], report.counts["dead_letters"], report.counts["repeats"]) == (1, 1, 1)


def _drop(topic: str, offset: int) -> Callable[[Observed], None]:
    def change(found: Observed) -> None:
        found.records = [one for one in found.records if (one.topic, one.offset) != (topic, offset)]

    return change


def _add(topic: str, *added: dict[str, Any]) -> Callable[[Observed], None]:
    return lambda found: found.records.extend(seen(topic, 90 + n, one) for n, one in enumerate(added))


def _dead_letter_of_our_own(found: Observed) -> None:
    origin = {"dlq_topic": b"verification-events", "dlq_partition": b"0", "dlq_offset": b"0"}
    found.records.append(seen("billing-dlq", 0, None, dlq_error=b"bad-data", **origin))


def _second_answer(found: Observed) -> None:
    _add(FEEDBACK, event("payung/registration", "a2", "submission.answered.v1", {}, "row1"))(found)


def _premium_for_two_runs(found: Observed) -> None:
    _add("billing-events", premium("p2", "w1", "R2"))(found)


def _set(path: str, value: Any) -> Callable[[Observed], None]:
    def change(found: Observed) -> None:
        *way, last = path.split(".")
        at: Any = found.documents
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[last] = value

    return change


def _twice_in_one_document(found: Observed) -> None:
    document = found.documents["registration"]["workers"][0]
    document["inputs"] *= 2


PLANTED: list[tuple[str, Callable[[Observed], None]]] = [
    ("every row is answered once or put aside", _drop(FEEDBACK, 0)),
    ("every row is answered once or put aside", _drop("registration-dlq", 0)),
    ("every row is answered once or put aside", _drop(INTAKE, 0)),
    ("every row is answered once or put aside", _second_answer),
    ("every command is answered once", _drop("billing-events", 1)),
    (
        "an id has one content",
        _add("registration-events", event("payung/registration", "r1", "worker.registered.v1", {"worker_id": "w2"})),
    ),
    ("nobody is billed twice", _premium_for_two_runs),
    ("nobody is billed twice", _drop("billing-events", 0)),
    ("money is conserved", _set("billing.budgets.0.state.committed", [10, 6])),
    ("money is conserved", _set("billing.budgets.0.state.reserved", [1, 0])),
    ("money is conserved", _set("billing.budgets.0.state.ceilings", [9, 5])),
    ("money is conserved", _drop("billing-events", 0)),
    ("money is conserved", _add("billing-events", premium("p2", "w2"))),
    (
        "a death is paid once",
        _add("claims-events", *(event("x", n, "claim.paid.v1", {"kind": "jkm", "worker_id": "w1"}) for n in "ab")),
    ),
    ("a document took each input once", _set("registration.workers.0.version", 2)),
    ("a document took each input once", _twice_in_one_document),
    ("what is saved is published and nothing else", _drop("billing-events", 2)),
    ("what is saved is published and nothing else", _set("registration.workers.0.inputs", [])),
    (
        "outcomes of an aggregate come in order",
        _add("registration-events", *(event("x", str(n), "y", {"worker_id": "w1"}, sequence=n) for n in (3, 2))),
    ),
    ("reporting shows what the topics say", _drop("verification-events", 0)),
    ("nothing of our own is put aside", _dead_letter_of_our_own),
    ("nothing is owed", lambda found: found.journals.update(billing=1)),
    ("nothing waits", lambda found: found.lags.update(billing={"billing-work/0": 3})),
]  # fmt: skip


@pytest.mark.parametrize(("law", "plant"), PLANTED)
def test_a_planted_fault_is_named(world: Observed, law: str, plant: Callable[[Observed], None]) -> None:
    plant(world)
    report = judge(world)
    assert law in report.complaints
    with pytest.raises(AssertionError, match=law):
        report.hold()


def test_every_law_has_a_planted_fault() -> None:
    assert {law for law, _ in PLANTED} == set(LAWS)


@pytest.mark.parametrize("spec", SPECS, ids=[one.name for one in SPECS])
def test_the_checker_knows_what_each_service_reads(spec: ServiceSpec) -> None:
    """The checker shares no code with the services, so the list of read topics exists twice. A topic that is missing in
    the checker's list could lag for ever, and no law would fail."""
    reads = re.compile(pattern_of(spec.topics))
    standing = [one.name for one in topics.default_topics()]
    assert [one for one in standing if SUBSCRIPTIONS[spec.name].fullmatch(one)] == [
        one for one in standing if reads.match(one)
    ]
