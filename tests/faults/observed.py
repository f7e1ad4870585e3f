"""What stands on Kafka and in MongoDB after a fault, as the laws see it, and small questions to it. Pure.

Shares no code with the services, `shared/` or the command line: the names of topics are written down here again, from
the contract.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# The readers of each topic, from the contract's table of topics.
SUBSCRIPTIONS: Mapping[str, re.Pattern[str]] = {
    "registration": re.compile(
        r"registration-intake-.+|registration-officers|registration-work|(verification|billing)-events"
    ),
    "verification": re.compile(
        r"identity-checks|verification-intake|verification-work|registration-events|claims-events"
    ),
    "billing": re.compile(r"billing-intake|billing-work|(registration|verification|claims)-events"),
    "claims": re.compile(r"claims-intake-.+|claims-officers|claims-work|(registration|billing)-events"),
    "reporting": re.compile(r"(registration|verification|billing|claims)-events|feedback-.+"),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One record; `event` is its CloudEvent, or None."""

    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Mapping[str, bytes]
    event: Mapping[str, Any] | None

    @property
    def place(self) -> tuple[str, int, int]:
        """Its topic, partition and offset."""
        return self.topic, self.partition, self.offset


@dataclass(slots=True)
class Observed:
    """Everything that the laws are checked on."""

    records: list[Seen] = field(default_factory=list)
    # By service, then collection: the aggregates as stored.
    documents: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)
    journals: dict[str, int] = field(default_factory=dict)
    # By service: the records of its topics that its group has not committed.
    lags: dict[str, dict[str, int]] = field(default_factory=dict)
    # By regency and period: the totals that reporting shows.
    figures: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def of(self, topics: str) -> list[Seen]:
        """The readable records of the topics whose whole name matches."""
        wanted = re.compile(topics)
        return [one for one in self.records if one.event is not None and wanted.fullmatch(one.topic)]


Event = Mapping[str, Any]
Complaints = Iterator[str]
# What the services write for each other and for the agencies.
OWN_TOPICS = r".+-events|feedback-.+|identity-checks|.+-work"


def event_of(one: Seen) -> Event:
    """The event of a record from `of`."""
    assert one.event is not None
    return one.event


def name_of(one: Seen) -> tuple[str, str, str]:
    """Topic, source and id."""
    return one.topic, str(event_of(one)["source"]), str(event_of(one)["id"])


def cause_of(event: Event) -> tuple[str, str]:
    """Source and id of the event that caused this one."""
    return str(event.get("causationsource")), str(event.get("causationid"))


def distinct(found: Observed, topics: str, *types: str) -> list[Event]:
    """The events of these types, each once by topic, source and id, in the order of their first appearance."""
    kept: dict[tuple[str, str, str], Event] = {}
    for one in found.of(topics):
        if event_of(one)["type"] in types:
            kept.setdefault(name_of(one), event_of(one))
    return list(kept.values())


def put_aside(found: Observed) -> set[tuple[str, int, int]]:
    """The topic, partition and offset of each record that is now a dead letter."""
    return {
        (one.headers["dlq_topic"].decode(), int(one.headers["dlq_partition"]), int(one.headers["dlq_offset"]))
        for one in found.records
        if one.topic.endswith("-dlq") and "dlq_topic" in one.headers
    }


def content_of(one: Seen) -> str:
    """The content that a redelivery must repeat."""
    return json.dumps([event_of(one)["type"], event_of(one).get("data")], sort_keys=True)
