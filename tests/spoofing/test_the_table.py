"""On every topic, a pair of type and source is refused unless the table names it."""

from __future__ import annotations

from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payung import contracts
from shared.contracts import admission, catalogue, envelope, topics
from shared.contracts.envelope import Unreadable

TOPICS = [one.name for one in topics.default_topics() if not one.name.endswith("-dlq")]
TYPES = sorted(
    {kind for by_type in catalogue.COMMANDS.values() for kind in by_type}
    | catalogue.PUBLISHED_TYPES
    | {kind for by_type in catalogue.WORK.values() for kind in by_type}
)
SOURCES = [
    *(f"payung/{service}" for service in topics.SERVICES),
    *("agency/64.08/dinsos", "agency/64.08/rumahsakit", "agency/64.02/dinsos", "agency/64.08/dinsos/x", "agency/64.08"),
    *("officer/rina", "officer/", "officer", "officer/ ", "treasury/64.08", "treasury/64", "treasury/", "treasury"),
    *("payung/", "payung", "payung/registration ", "PAYUNG/registration", "payung/registration\n", "bpjs", "", " "),
]
INPUTS: dict[str, type] = {}
for _service in topics.SERVICES:
    INPUTS |= contracts.spec_of(_service).inputs


def expected(topic: str, kind: str, source: str) -> bool:
    """Who may say what on which topic, written a second time (docs/contracts.md#topics-who-may-write-and-read)."""
    service, _, road = topic.partition("-")
    agency = topics.agency_of_topic(topic)
    if agency is not None:
        own = f"agency/{agency[0]}/{agency[1]}"
        decided = kind in ("suspect.decide.v1", "finding.explain.v1", "participant.answer.v1", "claim.decide.v1")
        return source == own and kind in catalogue.COMMANDS[service] and not decided
    if topic.startswith("feedback-"):
        answers = kind in ("submission.answered.v1", "submission.settled.v1")
        told = kind.startswith("claim.") and kind in catalogue.OUTCOMES["claims"]
        return (source == "payung/registration" and answers) or (source == "payung/claims" and told)
    if topic == "identity-checks":
        asked = kind in ("identity.check-requested.v1", "worker.employed.v1", "worker.job-ended.v1")
        return source == "payung/registration" and asked
    if topic == "registration-key-check":
        return (source, kind) == ("payung/registration", "worker-ids.keyed.v1")
    if topic == "reporting-coverage":
        return (source, kind) == ("payung/reporting", "coverage.counted.v1")
    if topic == "billing-intake":
        speaks = source in ("treasury/64.08", "treasury/64", "officer/rina")
        return speaks and kind in ("budget.set.v1", "billing.run.v1", "invoice.pay.v1")
    officers = {
        "verification-intake": ("identity.decide.v1",),
        "claims-officers": ("claim.decide.v1",),
        "registration-officers": ("suspect.decide.v1", "finding.explain.v1", "participant.answer.v1"),
    }
    if topic in officers:
        return source == "officer/rina" and kind in officers[topic]
    if source != f"payung/{service}":
        return False
    if road == "work":
        return kind in catalogue.WORK.get(service, {})
    return (
        kind in catalogue.OUTCOMES[service]
        and not kind.startswith(("submission.", "identity.check-"))
        and (kind not in ("worker.employed.v1", "worker.job-ended.v1", "worker-ids.keyed.v1"))
    )


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic_type_and_source_is_admitted_or_refused_as_the_contract_says(topic: str) -> None:
    rule = admission.rule_of(topic)
    assert rule is not None
    wrong = [
        (kind, source)
        for kind, source in product(TYPES, SOURCES)
        if rule.admits(source, kind) != expected(topic, kind, source)
    ]
    assert wrong == []


def record(kind: str, source: str, data: Any = None) -> bytes:
    event = {"specversion": "1.0", "id": "e1", "source": source, "type": kind, "data": data or {}}
    return orjson.dumps(event)


@given(st.sampled_from(TOPICS), st.sampled_from(TYPES), st.sampled_from([one for one in SOURCES if one]))
@settings(max_examples=500, deadline=None)
def test_the_decoder_refuses_what_the_table_does_not_name(topic: str, kind: str, source: str) -> None:
    rule = admission.rule_of(topic)
    assert rule is not None
    if rule.admits(source, kind):
        return
    with pytest.raises(Unreadable) as found:
        envelope.read(record(kind, source), (), topic, 0, INPUTS)
    assert found.value.code == ("foreign-source" if kind in rule.types else "unknown-type")


@given(st.text(min_size=1, max_size=40), st.sampled_from(TYPES), st.sampled_from([one for one in SOURCES if one]))
def test_no_event_is_admitted_on_a_foreign_topic(topic: str, kind: str, source: str) -> None:
    if admission.rule_of(topic) is None:
        with pytest.raises(Unreadable):
            envelope.read(record(kind, source), (), topic, 0, INPUTS)


@given(st.sampled_from(TOPICS), st.sampled_from(TYPES), st.text(min_size=1, max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_other_source_is_refused(topic: str, kind: str, source: str) -> None:
    rule = admission.rule_of(topic)
    assert rule is not None
    if source.startswith(("officer/", "treasury/", "agency/", "payung/")):
        return
    assert not rule.admits(source, kind)


def test_every_topic_of_the_table_of_topics_has_a_rule_and_every_event_a_topic() -> None:
    rules = [rule for name in TOPICS if (rule := admission.rule_of(name)) is not None]
    assert len(rules) == len(TOPICS)
    placed = {kind for rule in rules for kind in rule.types}
    assert placed == set(TYPES)
    assert all(admission.rule_of(topics.dead_letters(one)) is None for one in topics.SERVICES)


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_service_takes_only_types_admitted_on_its_topics(service: str) -> None:
    spec = contracts.spec_of(service)
    read = [name.replace("^", "").replace(".*", "6408-dinsos") for name in spec.topics]
    carried: set[str] = set()
    for name in read:
        rule = admission.rule_of(name)
        assert rule is not None, name
        carried |= rule.types
    assert set(spec.inputs) <= carried
