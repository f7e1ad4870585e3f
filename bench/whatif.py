"""`python -m bench.whatif [--workers N]`: a what-if over a whole year on a real MongoDB, beside the plain reading.

Fills billing's own store with verified workers in all districts of the regency: some end in the year, some come of age,
some verdicts expire. Asks twelve months with less money and more workers, once when no month is billed and once when
January is. The floor is the driver that reads the same documents in the same order and does nothing with them, in the
same run; only the ratio is comparable between machines. Nothing here passes or fails.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient

from payung.embedded import ports, stack
from services.billing.domain import rules
from services.billing.domain.state import Accounts, Budget, Enrolment, IdentityStatus, Premium, Run, RunStatus, Verdict
from services.billing.plans import whatif
from services.billing.stream import SPEC
from shared.kernel.decision import Address
from shared.reference import areas
from shared.runtime.app import open_store
from shared.runtime.fold import Folded, Taken
from shared.runtime.ports import StateStore

REGENCY, YEAR = "64.08", 2027
JANUARY = f"{YEAR}-01"
# The day before the year, so that the question begins in January.
TODAY = date(YEAR - 1, 12, 31)
PRICE = Accounts(10_000, 6_800)
SECTORS = ("agriculture", "plantation", "fisheries", "livestock", "trade", "transport", "construction", "services")
ONCE = 2_000


def enrolments(seed: int, workers: int) -> Iterator[tuple[str, Enrolment]]:
    """Made-up workers, verified on the days of one year."""
    rng = random.Random(f"whatif/{seed}")
    districts = areas.load().districts(REGENCY)
    for number in range(workers):
        name = base64.b32encode(rng.randbytes(16)).decode().lower().rstrip("=")
        day = f"{YEAR - 1}-{rng.randrange(1, 13):02d}-{rng.randrange(1, 29):02d}"
        until = f"{YEAR}-{rng.randrange(1, 13):02d}" if rng.random() < 0.02 else rules.NO_END
        valid_until = f"{YEAR + rng.randrange(0, 3)}{day[4:]}"
        place, income = rules.place_of(day, name), rng.randrange(10, 40) * 100_000
        yield (
            name,
            Enrolment(
                regency=REGENCY,
                district=districts[number % len(districts)],
                village=f"{districts[number % len(districts)]}.2001",
                sector=rng.choice(SECTORS),
                sex=rng.choice("FM"),
                birth_month=f"{rng.randrange(YEAR - 66, YEAR - 16)}-{rng.randrange(1, 13):02d}",
                income_base=income,
                standing=IdentityStatus.VERIFIED,
                place=place,
                until=until,
                valid_until=valid_until,
                verdicts=(Verdict(1, 1, IdentityStatus.VERIFIED, REGENCY, day, valid_until, income, place, until),),
            ),
        )


async def _fill(store: StateStore, seed: int, workers: int) -> None:
    money = Accounts(PRICE.jkk * workers * 12, PRICE.jkm * workers * 12)
    head = Budget(regency=REGENCY, year=YEAR, funding="apbd-regency", ceilings=money)
    await store.save([_saved("budgets", rules.year_key(REGENCY, YEAR, "apbd-regency"), head)])
    known = list(enrolments(seed, workers))
    for start in range(0, workers, ONCE):
        await store.save([_saved("enrolments", name, one) for name, one in known[start : start + ONCE]])


async def _bill_january(store: StateStore, seed: int, workers: int) -> None:
    run_id = rules.run_id(REGENCY, JANUARY, "csr", 1)
    run = Run(
        run_id=run_id,
        invoice_id="INV",
        regency=REGENCY,
        period=JANUARY,
        funding="csr",
        cutoff=TODAY.isoformat(),
        status=RunStatus.CLOSED,
        billed=workers,
    )
    await store.save([_saved("runs", run_id, run)])
    paid = Premium(run_id=run_id, invoice_id="INV", regency=REGENCY, funding="csr", jkk=PRICE.jkk, jkm=PRICE.jkm)
    keys = [rules.premium_key(name, JANUARY) for name, _ in enrolments(seed, workers)]
    for start in range(0, workers, ONCE):
        await store.save([_saved("premiums", key, paid) for key in keys[start : start + ONCE]])


def _saved(collection: str, name: str, state: Any) -> Folded:
    return Folded(Address(collection, name), 0, 1, state, None, [Taken("bench|0", "0" * 24, 1, ())])


class Watch:
    """The time since it was made: seconds, and the processor seconds of this process. On a machine that others use too,
    only the second is a measure of the code."""

    def __init__(self) -> None:
        self._at, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Both so far."""
        return time.perf_counter() - self._at, time.process_time() - self._cpu


async def _floor(url: str) -> tuple[float, float]:
    """The time in which the driver alone reads the workers in priority order."""
    client: Any = AsyncIOMotorClient(url)
    watch, cursor = Watch(), ""
    while True:
        where = {"state.regency": REGENCY, "state.place": {"$gt": cursor}}
        found = client["payung_billing"]["enrolments"].find(where, {"state": 1}).sort("state.place", 1)
        rows = await found.limit(whatif.PAGE_WORKERS).to_list(None)
        if len(rows) < whatif.PAGE_WORKERS:
            client.close()
            return watch.read()
        cursor = rows[-1]["state"]["place"]


async def _asked(store: StateStore, what: str, floor: tuple[float, float]) -> None:
    question = whatif.Question(
        regency=REGENCY, year=YEAR, funding="apbd-regency", first=JANUARY, cut="20%", workers="+2000"
    )
    watch = Watch()
    found = await whatif.answer(store, question, TODAY)
    took, cpu = watch.read()
    print(
        f"{what}: {took:.1f} s ({cpu:.1f} s of one core), {took / floor[0]:.1f} ({cpu / floor[1]:.1f}) of the floor; "
        f"{found.then.lose:,} of {found.workers:,} lose cover"
    )


async def bench(workers: int, seed: int) -> None:
    """Prints the figures."""
    key = base64.b64encode(bytes(range(32))).decode()
    with tempfile.TemporaryDirectory(prefix="payung-bench-") as folder:
        async with stack.servers(Path(folder), ports.free_base()) as (_, url):
            environ = {**os.environ, "PAYUNG_MONGO_URL": url, "PAYUNG_FIELD_KEYS_BILLING": f"k1:{key}"}
            store = open_store(SPEC, environ)
            await store.check()
            await _fill(store, seed, workers)
            floor = await _floor(url)
            print(f"what-if of {workers:,} workers over twelve months, -20 % and +2,000 workers")
            print(f"plain reading: {floor[0]:.1f} s ({floor[1]:.1f} s of one core)")
            await _asked(store, "no month billed", floor)
            await _bill_january(store, seed, workers)
            await _asked(store, "January billed", floor)
            await store.close()


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.whatif")
    parser.add_argument("--workers", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.workers, given.seed))


if __name__ == "__main__":
    main()
