"""Reading records: every dead-letter case by its code, both modes of CloudEvents, redelivery and conflict."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import envelope, tokens, topics
from shared.contracts.claims import WorkerDied
from shared.contracts.envelope import Unreadable
from shared.kernel.decision import Address, Outcome
from shared.kernel.event import Event, Intake
from shared.runtime.store.hashes import ContentHashes

TOPIC = "registration-intake-6408-dinsos"
SOURCE = "agency/64.08/dinsos"
KEY = b"k" * 32


class Command(Intake):
    """Any command."""


INPUTS: dict[str, type] = {"worker.register.v1": Command, "worker.died.v1": WorkerDied}


def event(**changes: Any) -> dict[str, Any]:
    base = {"specversion": "1.0", "id": "e1", "source": SOURCE, "type": "worker.register.v1", "data": {"a": 1}}
    return {key: value for key, value in (base | changes).items() if value is not ...}


def read(value: bytes | None, headers: Any = (), topic: str = TOPIC) -> Event[Any]:
    found = envelope.read(value, headers, topic, 1_767_571_200_000, INPUTS, hashed=ContentHashes(b"0" * 32).of)
    assert found is not None
    return found


def nested(depth: int) -> Any:
    """An array nested so deep that a record with it as a field of `data` has `depth` levels."""
    value: Any = []
    for _ in range(depth - 3):
        value = [value]
    return {"a": value}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty"),
        (b"", "not-json"),
        (b"{", "not-json"),
        (b'{"a":NaN}', "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[" * 5_000, "not-json"),
        (b"[]", "bad-envelope"),
        (b'"text"', "bad-envelope"),
        (orjson.dumps(event(specversion="0.3")), "bad-envelope"),
        (orjson.dumps(event(specversion=...)), "bad-envelope"),
        (orjson.dumps(event(id="")), "bad-envelope"),
        (orjson.dumps(event(id=7)), "bad-envelope"),
        (orjson.dumps(event(source=...)), "bad-envelope"),
        (orjson.dumps(event(type=None)), "bad-envelope"),
        (orjson.dumps(event(time="yesterday")), "bad-envelope"),
        (orjson.dumps(event(time="2026-01-05T08:00:00")), "bad-envelope"),
        (orjson.dumps(event(time="2026-13-05T08:00:00Z")), "bad-envelope"),
        (orjson.dumps(event(time="2026-01-32T08:00:00Z")), "bad-envelope"),
        (orjson.dumps(event(time="2026-01-05T24:61:00Z")), "bad-envelope"),
        (orjson.dumps(event(time="2026-01-05T08:00:00+99:00")), "bad-envelope"),
        (orjson.dumps(event(time="٢٠٢٦-01-05T08:00:00Z")), "bad-envelope"),
        (orjson.dumps(event(subject=1)), "bad-envelope"),
        (orjson.dumps(event(sequence="1")), "bad-envelope"),
        (orjson.dumps(event(type="unknown.v1")), "unknown-type"),
        (orjson.dumps(event(source="agency/64.02/dinsos")), "foreign-source"),
        (orjson.dumps(event(source="agency/64.08/perikanan")), "foreign-source"),
        (orjson.dumps(event(data={"a": "x" * 4_001})), "too-large"),
        (orjson.dumps(event(data={"x" * 4_001: 1})), "too-large"),
        (orjson.dumps(event(data={str(n): "x" * 3_000 for n in range(100)})), "too-large"),
        (orjson.dumps(event(data=nested(17))), "too-deep"),
        (orjson.dumps(event(type="worker.died.v1", data={"worker_id": "w"})), "unknown-type"),
    ],
)
def test_an_unreadable_record_has_a_code(value: bytes | None, code: str) -> None:
    with pytest.raises(Unreadable) as found:
        read(value)
    assert found.value.code == code


@pytest.mark.parametrize("data", [{"a": "x" * 4_000}, nested(16), {str(n): "x" * 2_500 for n in range(100)}])
def test_values_at_the_limits_are_read(data: Any) -> None:
    assert read(orjson.dumps(event(data=data))).data.fields == data


@pytest.mark.parametrize(("data", "problem"), [(..., False), (None, False), ([], True), ("text", True), (5, True)])
def test_data_that_is_no_object_is_left_to_the_service(data: Any, problem: bool) -> None:
    found = read(orjson.dumps(event(data=data)))
    assert found.data.fields == {}
    assert (found.data.problem is not None) == problem


def test_binary_mode_reads_the_same_event() -> None:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"e1"),
        ("ce_source", SOURCE.encode()),
        ("ce_type", b"worker.register.v1"),
        ("content-type", b"application/json"),
    ]
    binary, structured = read(b'{"a":1}', headers), read(orjson.dumps(event()))
    assert (binary.name, binary.data, binary.content_hash) == (
        structured.name,
        structured.data,
        structured.content_hash,
    )


def test_a_redelivery_has_the_same_hash_in_any_spelling_and_other_content_another() -> None:
    first = read(
        b'{"specversion":"1.0","id":"e1","source":"agency/64.08/dinsos","type":"worker.register.v1","data":{"a":1,"b":2}}'
    )
    spelled = read(
        b'{ "data": {"b":2, "a":1}, "time":"2026-01-05T08:00:00+08:00","type":"worker.register.v1",'
        b'"source":"agency/64.08/dinsos","id":"e1","specversion":"1.0","unknown":true}'
    )
    other = read(orjson.dumps(event(data={"a": 1, "b": 3})))
    assert first.name == spelled.name == other.name
    assert first.content_hash == spelled.content_hash != other.content_hash


def test_an_event_of_ours_that_does_not_fit_its_model_is_put_aside() -> None:
    value = orjson.dumps(event(type="worker.died.v1", source="payung/claims", data={"worker_id": "w"}))
    with pytest.raises(Unreadable) as found:
        read(value, topic="claims-events")
    assert found.value.code == "bad-data"


def test_types_meant_for_others_are_skipped_on_our_streams() -> None:
    value = orjson.dumps(event(type="premium.paid.v1", source="payung/billing"))
    assert envelope.read(value, (), "billing-events", 0, INPUTS) is None


def test_the_id_of_an_outcome_is_that_of_the_contract() -> None:
    cause = read(orjson.dumps(event()))
    expected = uuid.uuid5(envelope.NAMESPACE, f"billing|{SOURCE}|e1|agg|premium.billed.v1|3")
    assert envelope.outcome_id("billing", cause, "agg", "premium.billed.v1", 3) == str(expected)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_unreadable(value: bytes) -> None:
    with suppress(Unreadable):
        envelope.read(value, (), TOPIC, 0, INPUTS)


@pytest.mark.parametrize("name", ["row/6408044107850002", "\x006408044107850002"])
def test_only_the_sender_sees_an_event_name_with_a_nik(name: str) -> None:
    nik = "6408044107850002"
    raw = orjson.dumps(event(id=name, correlationid=nik))
    found = envelope.read(raw, (), TOPIC, 0, INPUTS, key=KEY)
    assert found is not None
    cause = found
    died = WorkerDied(worker_id="w", regency="64.08", died_on="2026-01-05")
    said = {}
    for topic in (topics.events("registration"), topics.work("billing"), topics.feedback("64.08", "dinsos")):
        outcome = Outcome(topic, "key", "any.v1", died)
        said[topic] = envelope.write_outcome("registration", "o1", outcome, envelope.caused_by(cause, 1, KEY))
    answer = orjson.loads(said.pop(topics.feedback("64.08", "dinsos")))
    assert answer["causationid"] == name
    for value in said.values():
        assert nik.encode() not in value
        assert orjson.loads(value)["causationid"] == tokens.shown(SOURCE, name, KEY)
        assert orjson.loads(value)["correlationid"] == answer["correlationid"] == tokens.shown(SOURCE, nik, KEY)


@pytest.mark.parametrize(
    ("name", "shown"), [("run-2", True), ("BUDI SANTOSO 1985", False), ("6408044107850002", False)]
)
def test_a_step_names_no_document_that_a_sender_named_after_a_person(name: str, shown: bool) -> None:
    cause = read(orjson.dumps(event(id=name)))
    saved = envelope.origin(Address("commands", cause.name), cause, KEY)
    assert (name.encode() in saved) == shown
    assert bool(saved) == shown


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*event(), "time", "subject", "sequence"), _JSON)))
def test_any_json_is_read_or_unreadable(document: dict[str, Any]) -> None:
    with suppress(Unreadable):
        envelope.read(orjson.dumps(event() | document), (), TOPIC, 0, INPUTS)
