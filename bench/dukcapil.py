"""`python -m bench.dukcapil [--seconds N]`: checks that the agreed rate to Dukcapil is kept, and that nothing is lost.

Starts Kafka, MongoDB, verification and the Dukcapil stand-in. Makes the stand-in slow and wrong in the given share of
calls (errors, hangs, resets, broken JSON), and publishes enough checks for the time. At the stand-in it measures calls
a second between the first burst and the last check, and compares them with the configured rate. Then it waits for a
verdict on every check, and counts the verdicts on the topic. Exits 1 when the rate differs by more than 2 % or a
verdict is missing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import httpx
import orjson
import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from rich.console import Console

from bench.people import REGENCY
from payung import installations
from payung.demo.population import Inhabitant, generate, population_csv
from payung.embedded import ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from shared.contracts import topics
from shared.kernel.calendar import business_day
from shared.kernel.identity import worker_id
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.kafka.server import Server
from shared.runtime.store.crypto import id_key_from

# After this time the limiter's burst is used up and the consumer has started.
WARM_S = 5.0
LOOK_S = 1.0
OFF_MAX = 0.02
out = Console(highlight=False)


def a_check(person: Inhabitant, key: bytes) -> tuple[bytes, bytes]:
    """The request as registration would send it."""
    who = worker_id(key, person.nik)
    data = {
        "worker_id": who,
        "regency": REGENCY,
        "nik": person.nik,
        "name": person.name,
        "birth_date": person.birth_date.isoformat(),
        "sex": person.sex,
        "birth_place": person.birth_place,
        "district": person.village[:8],
        "village": person.village,
        "sector": person.sector,
        "income_base": 1_000_000,
        "registration_version": 1,
    }
    event = {
        "specversion": "1.0",
        "id": f"bench-{who}",
        "source": "payung/registration",
        "type": "identity.check-requested.v1",
        "time": "2026-01-05T08:00:00+08:00",
        "sequence": 1,
        "data": data,
    }
    return who.encode(), orjson.dumps(event)


async def publish(at: Installation, people: Sequence[Inhabitant]) -> None:
    """Publishes all checks at once; waiting checks are in the store."""
    key = id_key_from(at.environ)
    producer = AIOKafkaProducer(**Server(at.environ).options(), acks="all", linger_ms=5)
    await producer.start()
    try:
        sent = [
            await producer.send(topics.IDENTITY_CHECKS, value, key=who)
            for who, value in (a_check(one, key) for one in people)
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def calls(client: httpx.AsyncClient) -> dict[str, int]:
    """The results of the calls so far, counted at the stand-in."""
    found: dict[str, int] = (await client.get("/_control/log")).json()["calls"]
    return found


async def rate_kept(client: httpx.AsyncClient, seconds: float) -> tuple[float, float, dict[str, int]]:
    """Calls a second over the middle of the run, calls in the busiest second, and the results."""
    while not sum((await calls(client)).values()):  # noqa: ASYNC110  # another process has no event to wait for
        await asyncio.sleep(LOOK_S / 10)
    await asyncio.sleep(WARM_S)
    first, since = sum((await calls(client)).values()), clock.monotonic()
    last, busiest = first, 0.0
    before, at = first, since
    while clock.monotonic() - since < seconds:
        await asyncio.sleep(LOOK_S)
        fates, now = await calls(client), clock.monotonic()
        last = sum(fates.values())
        busiest = max(busiest, (last - before) / (now - at))
        before, at = last, now
    return (last - first) / (at - since), busiest, await calls(client)


async def verdicts(at: Installation, wanted: int, wait_s: float) -> dict[str, int]:
    """Verdicts by type, each worker once. Returns when all exist or the time is over."""
    consumer = AIOKafkaConsumer(
        topics.events("verification"), **Server(at.environ).options(), auto_offset_reset="earliest"
    )
    await consumer.start()
    found: dict[str, str] = {}
    until = clock.monotonic() + wait_s
    try:
        while len(found) < wanted and clock.monotonic() < until:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for record in batch:
                    event = orjson.loads(record.value)
                    found[event["data"]["worker_id"]] = event["type"]
    finally:
        await consumer.stop()
    kinds = sorted(set(found.values()))
    return {kind: sum(1 for one in found.values() if one == kind) for kind in kinds}


async def bench(given: argparse.Namespace) -> int:
    """Prints the figures; returns 1 when they are not good."""
    rate, seconds = given.rate, given.seconds
    # Repeated calls use a part of the rate; these are enough checks until the end.
    count = int(rate * (seconds + WARM_S + 10))
    people = list(generate(given.seed, count, REGENCY, area_files.load(), business_day(clock.now())))
    with tempfile.TemporaryDirectory(prefix="payung-dukcapil-") as name:
        folder = Path(name)
        population = folder / "population.csv"
        population_csv(people, population)
        base = ports.free_base()
        config = StackConfig(
            data_dir=folder / "data",
            port_base=base,
            population=population,
            services=("verification",),
            environment={**os.environ, "PAYUNG_DUKCAPIL_RATE": str(rate)},
        )
        async with Stack(config, topics_admin.apply) as stack:
            at = installations.find(folder / "data")
            address = f"http://127.0.0.1:{ports.port(base, 'dukcapil')}"
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as client:
                share = given.faults / 4
                faults = dict.fromkeys(("error_rate", "hang_rate", "reset_rate", "malformed_rate"), share)
                latency = {"latency_ms": given.latency_ms, "jitter_ms": given.latency_ms}
                (await client.post("/_control", json={**faults, **latency})).raise_for_status()
                await publish(at, people)
                process = psutil.Process(stack.pids()["verification"])
                spent = -sum(process.cpu_times()[:2])
                kept, busiest, fates = await rate_kept(client, seconds)
                spent += sum(process.cpu_times()[:2])
                found = await verdicts(at, count, wait_s=120 + count / rate)
    judged = sum(found.values())
    off = kept / rate - 1
    out.print(
        f"{rate:g} calls/s agreed, {given.faults:.0%} faults, {given.latency_ms} to {2 * given.latency_ms} ms a call"
    )
    out.print(f"over {seconds} s: {kept:.2f} calls/s ({off:+.2%}), busiest second {busiest:.0f}")
    out.print(
        f"verification: {1000 * spent / sum(fates.values()):.1f} ms of processor a call, intake of all checks included"
    )
    out.print(f"calls by fate: {fates}")
    out.print(f"checks {count}, judged {judged}, lost {count - judged}: {found}")
    return 0 if abs(off) <= OFF_MAX and judged == count else 1


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.dukcapil")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=float, default=50.0)
    parser.add_argument("--faults", type=float, default=0.05)
    parser.add_argument("--latency-ms", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    sys.exit(asyncio.run(bench(parser.parse_args())))


if __name__ == "__main__":
    main()
