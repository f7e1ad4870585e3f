"""All five services in their real shell over topics in memory, and a writer for any topic."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from shared.contracts import topics
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.kafka.consumer import pattern_of
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Message, Record
from shared.runtime.spec import ServiceSpec
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.simulation.cast import SPECS, reference_of
from tests.toy import CIPHER

NAMING = b"n" * 32
ROUNDS_MAX = 50


class Town:
    """Five services. `write` puts any record on any topic, which everybody could do at a broker without rules."""

    def __init__(self, specs: Sequence[ServiceSpec] = SPECS) -> None:
        """`specs`: the five services in the order of the cast, with what a test has changed in them."""
        self.topics = MemoryTopics(partitions=1)
        self.stores = {spec.name: MemoryStore(spec.stored, CIPHER) for spec in SPECS}
        self.metrics = {spec.name: Metrics(spec.name) for spec in SPECS}
        self._pipelines = {
            spec.name: Pipeline(
                spec,
                self.stores[spec.name],
                self.topics,
                DeadLetterTopic(spec.name, self.topics),
                self.metrics[spec.name],
                reference_of(number),
                NAMING,
            )
            for number, spec in enumerate(specs)
        }
        self._reads = {spec.name: re.compile(pattern_of(spec.topics)) for spec in SPECS}
        self._seen = 0
        self._names = 0

    def write(self, topic: str, source: str, kind: str, data: Any, name: str = "", **more: Any) -> None:
        """Puts one event on a topic."""
        self._names += 1
        event = {"specversion": "1.0", "id": name or f"e{self._names}", "source": source, "type": kind, "data": data}
        self.topics.append(Message(topic, b"k", orjson.dumps({**event, **more}), ()))

    async def settle(self) -> None:
        """Lets every service read its topics until nothing new appears."""
        for _ in range(ROUNDS_MAX):
            fresh = self.topics.published[self._seen :]
            self._seen = len(self.topics.published)
            if not fresh:
                return
            for service, pipeline in self._pipelines.items():
                for offset, one in enumerate(fresh):
                    if self._reads[service].match(one.topic):
                        at_ms = self.topics.now_ms
                        place = self._seen - len(fresh) + offset
                        await settle(pipeline, [Record(one.topic, 0, place, one.key, one.value, one.headers, at_ms)])
        raise AssertionError("the services go on for ever")

    def said(self, *kinds: str) -> list[dict[str, Any]]:
        """The events of these types that services published on any topic."""
        found = []
        for one in self.topics.published:
            if one.topic.endswith("-dlq"):
                continue
            event = orjson.loads(one.value or b"{}")
            if event["type"] in kinds and dict(one.headers).get("content-type"):
                found.append(event)
        return found

    def letters(self) -> list[tuple[str, str]]:
        """The dead letters: service and error code."""
        return [
            (one.topic.removesuffix("-dlq"), (dict(one.headers)["dlq_error"] or b"").decode())
            for one in self.topics.published
            if one.topic.endswith("-dlq")
        ]

    def documents(self, service: str) -> Mapping[str, Mapping[str, Any]]:
        """A service's documents by collection, without empty collections."""
        return {name: found for name, found in self.stores[service].collections.items() if found}

    def open_records(self) -> list[Message]:
        """The records on unrestricted topics, without feedback, which repeats an agency's own words to it."""
        restricted = {one.name for one in topics.default_topics() if one.restricted}
        return [
            one
            for one in self.topics.published
            if one.topic not in restricted
            and not topics.is_from_outside(one.topic)
            and not one.topic.startswith("feedback-")
        ]
