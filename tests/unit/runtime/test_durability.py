"""Which copies in Kafka the environment asks for, and settings that must be a mistake."""

from __future__ import annotations

import pytest

from shared.runtime.errors import StartRefused
from shared.runtime.kafka.durability import Durability


@pytest.mark.parametrize(
    ("environ", "brokers", "copies", "in_step"),
    [
        ({}, 1, 1, 1),
        ({}, 2, 2, 2),
        ({}, 3, 3, 2),
        ({}, 7, 3, 2),
        ({"PAYUNG_KAFKA_REPLICATION": "5"}, 7, 5, 2),
        ({"PAYUNG_KAFKA_REPLICATION": "5", "PAYUNG_KAFKA_MIN_INSYNC": "3"}, 7, 5, 3),
        ({"PAYUNG_KAFKA_REPLICATION": " 3 ", "PAYUNG_KAFKA_MIN_INSYNC": ""}, 3, 3, 2),
    ],
)
def test_copies_and_how_many_must_have_a_record(
    environ: dict[str, str], brokers: int, copies: int, in_step: int
) -> None:
    asked = Durability.of(environ)
    assert asked.copies(brokers) == copies
    assert asked.in_step(copies) == in_step
    assert not asked.one_broker


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"PAYUNG_KAFKA_REPLICATION": "three"}, "PAYUNG_KAFKA_REPLICATION is a whole number from 1 to 99; got 'three'"),
        ({"PAYUNG_KAFKA_REPLICATION": "0"}, "PAYUNG_KAFKA_REPLICATION is a whole number from 1"),
        ({"PAYUNG_KAFKA_MIN_INSYNC": "-1"}, "PAYUNG_KAFKA_MIN_INSYNC is a whole number from 1"),
        ({"PAYUNG_KAFKA_MIN_INSYNC": "3", "PAYUNG_KAFKA_REPLICATION": "2"}, "nothing could be written"),
        ({"PAYUNG_KAFKA_ONE_BROKER": "maybe"}, "PAYUNG_KAFKA_ONE_BROKER is yes or no; got 'maybe'"),
    ],
)
def test_contradicting_settings_are_refused(environ: dict[str, str], told: str) -> None:
    with pytest.raises(StartRefused, match=told):
        Durability.of(environ)


@pytest.mark.parametrize(("given", "meant"), [("yes", True), ("TRUE", True), ("1", True), ("no", False), ("", False)])
def test_one_broker_must_be_declared(given: str, meant: bool) -> None:
    assert Durability.of({"PAYUNG_KAFKA_ONE_BROKER": given}).one_broker is meant
