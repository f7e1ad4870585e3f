"""`python -m bench.hardening [--runs N] [--rows N]`: measures the throughput cost of the delivery shell's guards.

It runs registration alone, once as it is and once without guards: no journal, no sizes, no flood gate, no guard of the
topics, nothing around the reads. Each variant is a process of its own over the same servers. They take lists of the
same size in turn, and the medians are compared. With `--locks` it compares three installations instead: `open` has no
log-ins, no rules and no sealed fields; `locked` has all three; `tls` has encrypted connections besides. It only
measures; `bare`, `unsealed` and `open` are for nothing else.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.people import AGENCY, insurable, write_list
from bench.stage import Measured, measure_processes, out
from payung import installations, publish
from payung.access.files import INTERNAL
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import CommandError, Installation
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.durability import ONE_BROKER
from shared.runtime.ops import credentials

ANSWERED = ("submission.answered.v1",)
VARIANTS = ("guarded", "bare")
UNSEALED = "unsealed"
READY_S = 60.0


def take_guards_off() -> None:
    """Removes the guards of the shell in this process."""
    from shared.runtime import app, seams
    from shared.runtime.kafka import consumer as kafka
    from shared.runtime.ops import floodgate, guards
    from shared.runtime.store import mongo

    async def nothing(*_: Any, **__: Any) -> None:
        return None

    async def for_ever(*_: Any, **__: Any) -> None:
        await asyncio.Event().wait()

    def as_it_is(_: Any, consumer: Any) -> Any:
        return consumer

    async def known(*_: Any) -> bool:
        return True

    def weightless(*_: Any) -> int:
        return 0

    off: tuple[tuple[Any, str, Any], ...] = (
        (mongo.MongoStore, "open_journal", nothing),
        (mongo.MongoStore, "close_journal", nothing),
        (mongo.MongoStore, "measure", weightless),
        (mongo.MongoStore, "_trimmable", _none_to_trim),
        (floodgate.FloodGate, "settled", nothing),
        (floodgate.FloodGate, "look", nothing),
        (floodgate.FloodGate, "run", for_ever),
        (guards.TopicGuard, "run", for_ever),
        (guards.NameGuard, "run", for_ever),
        (kafka.KafkaConsumer, "_guarded", as_it_is),
        (kafka.KafkaConsumer, "_noted", known),
        (seams, "hit", weightless),
        (app, "_confirm_journals", for_ever),
        (app, "_beat", for_ever),
    )
    for owner, name, instead in off:
        assert hasattr(owner, name), f"{owner.__name__} has no {name} any more"
        setattr(owner, name, instead)


def take_sealing_off() -> None:
    """Writes personal fields in the clear in this process, in the same places and of the same type."""
    from shared.runtime.store.crypto import FieldCipher

    def clear(_: Any, text: str) -> bytes:
        return text.encode()

    def clear_bytes(_: Any, plain: bytes) -> bytes:
        return plain

    def read(_: Any, stored: bytes) -> str:
        return bytes(stored).decode()

    def read_bytes(_: Any, stored: bytes) -> bytes:
        return bytes(stored)

    def current(_: Any, __: bytes) -> bool:
        return True

    off: dict[str, Any] = {
        "seal": clear,
        "seal_bytes": clear_bytes,
        "open": read,
        "open_bytes": read_bytes,
        "is_current": current,
    }
    for name, instead in off.items():
        assert hasattr(FieldCipher, name), f"FieldCipher has no {name} any more"
        setattr(FieldCipher, name, instead)


async def _none_to_trim(*_: Any) -> set[str]:
    return set()


def serve(variant: str) -> None:
    """Runs registration until it is told to stop."""
    from services.registration.stream import SPEC
    from shared.runtime import app

    if variant == "bare":
        take_guards_off()
    if variant == UNSEALED:
        take_sealing_off()
    app.main(SPEC)


@contextlib.asynccontextmanager
async def served(at: Installation, variant: str, log: Path) -> AsyncIterator[int]:
    """Starts a process of the variant and gives its pid when it is ready."""
    environ = {**at.environ, "PAYUNG_INSTANCE": "bench", "PAYUNG_LOG": "json", "MALLOC_ARENA_MAX": "2"}
    # The launcher sets this for the services that it starts itself.
    environ[ONE_BROKER] = "yes"
    environ["PAYUNG_HTTP_PORT"] = at.url("registration").rsplit(":", 1)[1]
    command = (sys.executable, "-m", "bench.hardening", "--serve", variant)
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=file, stderr=file)
        try:
            async with asyncio.timeout(READY_S):
                while not await _ready(at):  # noqa: ASYNC110  # another process has no event
                    await asyncio.sleep(0.1)
            yield process.pid
        finally:
            process.terminate()
            await process.wait()


async def _ready(at: Installation) -> bool:
    try:
        return (await at.get("registration", "/readyz")).is_success
    except CommandError:
        return False


async def bench(runs: int, rows: int) -> None:
    """Prints every run and the medians."""
    with tempfile.TemporaryDirectory(prefix="payung-hardening-") as name:
        folder = Path(name)
        config = StackConfig(data_dir=folder / "data", port_base=ports.free_base(), services=(), stand_ins=())
        async with Stack(config, topics_admin.apply):
            at = installations.find(folder / "data")
            found: dict[str, list[Measured]] = {variant: [] for variant in VARIANTS}
            # The first run of each warms the servers and is not counted. The variant that begins alternates.
            for number in range(runs + 1):
                for variant in VARIANTS if number % 2 else reversed(VARIANTS):
                    run = number * len(VARIANTS) + VARIANTS.index(variant)
                    measured = await _one(at, folder, variant, run, rows)
                    if number:
                        found[variant].append(measured)
            _print(found)


LOCKS: dict[str, dict[str, bool]] = {"open": {"locked": False}, "locked": {}, "tls": {"tls": True}}


async def bench_locks(runs: int, rows: int) -> None:
    """Measures the same service in turn over three running pairs of servers: without log-ins and sealing, with both
    (SCRAM, rules, sealed fields), and with both and TLS. Prints every run and the medians, as parts of `open`."""
    with tempfile.TemporaryDirectory(prefix="payung-locks-") as name:
        folder = Path(name)
        async with contextlib.AsyncExitStack() as stacks:
            places = {}
            for kind, how in LOCKS.items():
                config = StackConfig(
                    data_dir=folder / kind,
                    port_base=ports.free_base(),
                    services=(),
                    stand_ins=(),
                    locked=how.get("locked", True),
                    tls=how.get("tls", False),
                )
                await stacks.enter_async_context(Stack(config, topics_admin.apply))
                places[kind] = _as_service(installations.find(folder / kind))
            found: dict[str, list[Measured]] = {kind: [] for kind in LOCKS}
            for number in range(runs + 1):
                for kind in sorted(LOCKS, reverse=bool(number % 2)):
                    run = number * len(LOCKS) + list(LOCKS).index(kind)
                    variant = UNSEALED if kind == "open" else "guarded"
                    measured = await _one(places[kind], folder, variant, run, rows, kind)
                    if number:
                        found[kind].append(measured)
        for what, attribute in (("on the clock", "rate"), ("a processor second", "by_cpu")):
            medians = {kind: statistics.median(getattr(one, attribute) for one in found[kind]) for kind in LOCKS}
            shares = ", ".join(f"{kind} {one:,.0f} ({one / medians['open']:.2f})" for kind, one in medians.items())
            out.print(f"median rows {what}: {shares}")


def _as_service(at: Installation) -> Installation:
    """The place with registration's log-in, if there are log-ins. The operator's log-in cannot be used here, because no
    rule applies to the operator.
    """
    if at.credentials is None:
        return at
    own = str(at.credentials / INTERNAL / "registration" / "registration.json")
    url = at.environ["PAYUNG_MONGO_URL"]
    return replace(at, environ={**at.environ, credentials.VARIABLE: own, "PAYUNG_MONGO_URL": _without_login(url)})


def _without_login(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('@')[2].partition('&authSource')[0]}"


async def _one(at: Installation, folder: Path, variant: str, run: int, rows: int, kind: str = "") -> Measured:
    # Each run has other people, the same number each time.
    people = insurable(1_000 + run, rows)
    path = folder / f"list-{run}.csv"
    write_list(path, people, prefix=f"H{run}")

    async def feed() -> None:
        await publish.publish(at, path, AGENCY, "workers", wait=False)

    async with served(at, variant, folder / "service.log") as pid:
        measured = await measure_processes({pid: at}, "registration", feed, ANSWERED, len(people))
    out.print(
        f"{kind or variant:8} {measured.rate:7,.0f} rows/s on the clock, {measured.by_cpu:7,.0f} a processor second"
    )
    return measured


def _print(found: dict[str, list[Measured]]) -> None:
    for what, name in (("on the clock", "rate"), ("a processor second", "by_cpu")):
        guarded, bare = (statistics.median(getattr(one, name) for one in found[variant]) for variant in VARIANTS)
        cost = 100 * (1 - guarded / bare)
        out.print(f"median rows {what}: guarded {guarded:,.0f}, bare {bare:,.0f}; the guards cost {cost:.1f} %")


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.hardening")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--locks", action="store_true", help="what log-ins, sealing and TLS cost instead")
    parser.add_argument("--serve", choices=(*VARIANTS, UNSEALED), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        serve(given.serve)
    elif given.locks:
        asyncio.run(bench_locks(given.runs, given.rows))
    else:
        asyncio.run(bench(given.runs, given.rows))


if __name__ == "__main__":
    main()
