"""One toy service with several processes that write the same few counters: the stories avoid this contention.

In a story one sender at a time changes a document, so that its end can be compared byte by byte. Here many inputs of
many partitions change the same documents, and only the laws are checked: every amount is added once, every input has
one outcome, and the outcomes add up in the order of their versions.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.kernel.decision import Address
from shared.runtime.records import Message
from tests.simulation.chaos import Chaos
from tests.simulation.checker import watch
from tests.simulation.outside import Outside
from tests.simulation.play import Broken, run_on
from tests.simulation.reference import OUTCOME_NAMESPACE, Letter, name_of
from tests.simulation.scheduler import SimLoop
from tests.simulation.stories import Phase
from tests.simulation.world import Service, World, isolated
from tests.toy import CIPHER, OUT, SPEC

AT = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(slots=True)
class Adding:
    """Inputs by name: the counter and the amount. It replaces the straight fold for the laws during the run."""

    amounts: dict[str, tuple[str, int]] = field(default_factory=dict)
    letters: list[Letter] = field(default_factory=list)

    def answers_to(self, service: str, topic: str, value: bytes | None) -> list[str]:
        """One sum for each input."""
        name = name_of(value)
        return [] if name is None else [self.said(name)]

    def said(self, name: str) -> str:
        """The id of an input's outcome."""
        source, _, identifier = name.partition("|")
        counter = self.amounts[name][0]
        return str(uuid.uuid5(OUTCOME_NAMESPACE, f"claims|{source}|{identifier}|{counter}|sum|0"))

    def documents_of(self, service: str) -> Mapping[str, Sequence[Address]]:
        """One counter for each input."""
        return {name: [Address("counters", counter)] for name, (counter, _) in self.amounts.items()}


def play_counters(seed: int, planted: Callable[[], AbstractContextManager[None]] = nullcontext) -> None:
    """Plays one seed; raises Broken when a law is broken."""
    rng = random.Random(f"counters {seed}")
    chaos = Chaos(rng)
    adding, phase = Adding(), Phase(AT)
    for number in range(rng.choice((2, 5, 20))):
        counter, amount = rng.choice("abc"), rng.randint(1, 9)
        data = {"counter": counter, "amount": amount, "personal": rng.random() < 0.2}
        event = {"specversion": "1.0", "id": f"e{number}", "source": "test", "type": "toy.add.v1", "data": data}
        adding.amounts[f"test|e{number}"] = (counter, amount)
        phase.messages.append(Message("toy-intake", b"k%d" % rng.randrange(9), orjson.dumps(event), ()))
    outside = Outside({})
    world = World(chaos, [Service(SPEC, None, CIPHER)], outside, adding.documents_of)
    # A sum depends on the order of partitions, and a rebuilt store sees another order.
    world.restorable = frozenset()
    loop = SimLoop(rng)
    loop.on_idle, loop.describe = world.idle, world.unfinished

    async def main() -> None:
        watch(world, adding)
        # Two owners from the start, because faults appear with two writers.
        world.start(world.services[0])
        world.start(world.services[0])
        try:
            await world.play(phase)
        finally:
            world.end()

    try:
        with isolated(loop, rng, outside, lambda: world.now), planted():
            run_on(loop, main())
        if world.defects:
            raise world.defects[0]
        _check(world, adding)
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        raise Broken(f"seed {seed} of the counters ({dict(chaos.struck)}): {what}") from error


def _check(world: World, adding: Adding) -> None:
    said: dict[str, dict[str, Any]] = {}
    for message in world.topics.published:
        if message.topic == OUT:
            event = orjson.loads(message.value or b"")
            if said.setdefault(event["id"], event) != event:
                raise AssertionError(f"{event['id']} was said twice, with other bytes")
    for counter, document in world.services[0].store.collections["counters"].items():
        mine = {name: amount for name, (of, amount) in adding.amounts.items() if of == counter}
        taken = sorted(one["n"] for one in document["inputs"])
        if taken != sorted(mine) or document["version"] != len(mine):
            raise AssertionError(f"inputs of counter {counter}: {taken} at {document['version']}, not {sorted(mine)}")
        total = 0
        for version, name in enumerate((one["n"] for one in document["inputs"]), start=1):
            total += mine[name]
            event = said.get(adding.said(name))
            if event is None:
                raise AssertionError(f"events on {OUT}: missing what {name} made")
            if (event["sequence"], event["data"]["claim_no"]) != (version, str(total)):
                raise AssertionError(f"state of counter {counter}: {event} does not add up to {total} at {version}")
        if document["state"]["sum"] != total:
            raise AssertionError(f"state of counter {counter}: {document['state']}, not {total}")
