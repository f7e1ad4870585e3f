"""How many copies Kafka keeps of a topic, and how many must have a record before it is acknowledged.

A record on only one disk is lost with that disk, even if it was acknowledged. So a service starts only on topics that
survive the loss of any one disk: at least two copies, and two of them in sync before a record counts. An operator who
wants only one broker must say so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.runtime import configuration
from shared.runtime.errors import StartRefused

REPLICATION = configuration.REPLICATION.name
MIN_INSYNC = configuration.MIN_INSYNC.name
ONE_BROKER = configuration.ONE_BROKER.name
SETTING = "min.insync.replicas"
USUAL_COPIES = 3
_TIMEOUT_S = 30.0
_NAMED_MAX = 3


@dataclass(frozen=True, slots=True)
class Durability:
    """What the environment asks for; None where it does not say. `one_broker`: the operator accepts that a lost disk
    may lose everything."""

    replication: int | None = None
    min_insync: int | None = None
    one_broker: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Durability:
        """From the environment; raises StartRefused for values that contradict each other."""
        copies, in_step = configuration.REPLICATION.optional(environ), configuration.MIN_INSYNC.optional(environ)
        asked = cls(copies, in_step, configuration.ONE_BROKER.of(environ))
        if copies is not None and in_step is not None and in_step > copies:
            raise StartRefused(f"{MIN_INSYNC}={in_step} is more than {REPLICATION}={copies}: nothing could be written")
        return asked

    def copies(self, brokers: int) -> int:
        """Copies of a new topic: as asked for, else three, or as many as there are brokers if fewer."""
        return self.replication if self.replication is not None else min(USUAL_COPIES, brokers)

    def in_step(self, copies: int) -> int:
        """How many copies must have a record before it counts: as asked for, else two, or one when there is one
        copy."""
        return self.min_insync if self.min_insync is not None else min(2, copies)


async def brokers(admin: AIOKafkaAdminClient) -> int:
    """How many brokers there are now."""
    found = await asyncio.wait_for(admin.describe_cluster(), _TIMEOUT_S)
    return len(found["brokers"])


async def require(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    """Raises StartRefused when one lost disk may lose one of these topics."""
    if not names:
        return
    described = await asyncio.wait_for(admin.describe_topics(list(names)), _TIMEOUT_S)
    copies = {one["topic"]: min(len(part["replicas"]) for part in one["partitions"]) for one in described}
    settings = await in_step(admin, names)
    weak = sorted(name for name in names if copies.get(name, 0) < 2 or settings.get(name, 0) < 2)
    if weak:
        first = weak[0]
        shown = ", ".join(weak[:_NAMED_MAX]) + (f" and {len(weak) - _NAMED_MAX} more" if len(weak) > _NAMED_MAX else "")
        raise StartRefused(
            f"one lost disk may lose topic {shown} ({first}: {copies.get(first, 0)} copies, {SETTING} "
            f"{settings.get(first, 0)}). Use three brokers, {REPLICATION}=3 and {MIN_INSYNC}=2 (payung topics apply); "
            f"if one broker is meant, say so: {ONE_BROKER}=yes"
        )


async def in_step(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """min.insync.replicas of each of these topics, set for the topic or by the broker's default."""
    found = await _configs(admin, names, [SETTING])
    return {name: int(value) for name, entries in found.items() for key, value, *_ in entries if key == SETTING}


async def raise_in_step(admin: AIOKafkaAdminClient, wanted: Mapping[str, int]) -> list[str]:
    """Sets min.insync.replicas where it differs; other settings of a topic stay as the operator set them."""
    standing = await in_step(admin, list(wanted))
    wrong = [name for name, number in wanted.items() if standing.get(name) != number]
    if not wrong:
        return []
    kept = await _configs(admin, wrong, None)
    resources = []
    for name in wrong:
        # Entries of an answer: name, value, read only, source (1 means set for the topic itself).
        own = {key: value for key, value, _, source, *_ in kept.get(name, ()) if source == 1}
        resources.append(ConfigResource(ConfigResourceType.TOPIC, name, {**own, SETTING: str(wanted[name])}))
    for answer in await asyncio.wait_for(admin.alter_configs(resources), _TIMEOUT_S):
        for code, text, _, name, *_ in answer.resources:
            if code:
                raise StartRefused(f"{SETTING} of topic {name} could not be set: {text or code}")
    return wrong


async def _configs(
    admin: AIOKafkaAdminClient, names: Sequence[str], keys: Sequence[str] | None
) -> dict[str, list[Sequence[Any]]]:
    asked = dict.fromkeys(keys) if keys is not None else None
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, asked) for name in names]
    found: dict[str, list[Sequence[Any]]] = {}
    for answer in await asyncio.wait_for(admin.describe_configs(resources), _TIMEOUT_S):
        for code, text, _, name, entries in answer.resources:
            if code:
                raise StartRefused(
                    f"Kafka does not tell the settings of topic {name} (DescribeConfigs): {text or code}"
                )
            found[name] = entries
    return found
