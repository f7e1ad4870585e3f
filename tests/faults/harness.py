"""A whole installation for fault tests: the product's own launcher, a small load, and the checker at the end.

The state grows over the tests of a module: each load sends its own people, and the laws are checked over everything so
far. Only the checker judges; this file uses the product as a user does.
"""

from __future__ import annotations

import asyncio
import csv
import json
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from payung import commands, publish, reference, wire
from payung.demo.population import Inhabitant, generate, population_csv
from payung.demo.story import JKM_DOCUMENTS
from payung.embedded.servers import SINGLE, ServerNumbers
from payung.embedded.stack import SERVICES
from shared.contracts import topics
from shared.kernel.calendar import business_day, period_of
from shared.reference import areas as area_files
from shared.runtime import clock
from tests.faults import checker
from tests.faults.launched import Launched
from tests.faults.reading import grown, quiet

REGENCY = "64.08"
FUNDING = "apbd-regency"
TODAY = business_day(clock.now())
PERIOD = period_of(TODAY)
AGENCY = "dinsos"
INTAKE = topics.registration_intake(REGENCY, AGENCY)
FEEDBACK = topics.feedback(REGENCY, AGENCY)
QUIET_S = 180.0
_POPULATION = 15_000
_STRIKE_WITHIN_S = 0.6
_HEADER = ("submission_id", "nik", "name", "birth_date", "sex", "village", "sector", "occupation", "consent")
_JUNK = (b"\xff\xfe{", b'{"id":"x","data":{}}', b"")


@dataclass(slots=True)
class Load:
    """The results of one load."""

    rows: int
    outcomes: Mapping[str, int]
    run: Mapping[str, Any] = field(default_factory=dict)
    claims: int = 0


class FaultInstallation(Launched):
    """`payung up` inside the `with` block, with people to send and a snapshot that contains them."""

    def __init__(
        self,
        folder: Path,
        *,
        shape: ServerNumbers = SINGLE,
        services: tuple[str, ...] = SERVICES,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        # A scan for suspects begins by itself when nothing moves, and the checker reads at that time.
        quietly = {"PAYUNG_SUSPECTS_QUIET_S": "0", **(environ or {})}
        super().__init__(folder, shape=shape, services=services, environ=quietly)
        self._people: Iterator[Inhabitant] = iter(())
        self._loads = 0

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            asyncio.run(self._furnish())
        except BaseException:
            self.__exit__()
            raise
        return self

    async def _furnish(self) -> None:
        """Loads a snapshot with everybody, so that no identity check needs HTTP."""
        found = generate(random.randrange(1_000_000), _POPULATION, REGENCY, area_files.load(), TODAY)
        people = [one for one in found if one.status == "alive"]
        self._people = iter(people)
        path = self.folder / "population.csv"
        population_csv(people, path)
        await reference.load_snapshot(self.place, path, REGENCY)

    # -- load ---------------------------------------------------------------------------------------------------------

    def people(self, count: int) -> list[Inhabitant]:
        """People whom no load has sent so far."""
        return [next(self._people) for _ in range(count)]

    async def load(self, workers: int, *, agency: str = AGENCY, bill: bool = True, claims: int = 0) -> Load:
        """Sends a list of `workers`, with every tenth row broken and some unreadable records between, and waits for the
        answers. Then budget, billing run, payment and death claims, each through the product's own commands."""
        self._loads += 1
        people = self.people(workers)
        await self._junk(agency)
        result = await publish.publish(self.place, self._list(people), f"{REGENCY}/{agency}", "workers", wait=True)
        done = Load(result.rows, result.by_outcome())
        if bill:
            await self.calm()
            done.run = await self.bill()
        for number, one in enumerate(people[:claims]):
            await self._claim(one, f"K-{self._loads}-{number}")
            done.claims += 1
        return done

    async def bill(self, period: str = PERIOD) -> dict[str, Any]:
        """Sets the budget, bills all verified workers, and pays the invoice."""
        year = int(period[:4])
        budget = {"regency": REGENCY, "year": year, "funding": FUNDING, "jkk": 10**10, "jkm": 10**10}
        await commands.set_budget(self.place, {**budget, "decree_no": "SK-1", "target_workers": 10_000})
        run = await commands.run_billing(self.place, {"regency": REGENCY, "period": period, "funding": FUNDING})
        if run["invoice_id"] is not None:
            paid = {"invoice_id": run["invoice_id"], "amount": run["total"], "reference": f"SP2D-{run['run_id']}"}
            await commands.pay_invoice(self.place, {**paid, "paid_on": TODAY.isoformat()})
        return run

    async def _junk(self, agency: str) -> None:
        async with wire.sender(self.place) as out:
            for value in _JUNK:
                await out.send(topics.registration_intake(REGENCY, agency), f"junk-{self._loads}", value)
            await out.flush()

    def _list(self, people: list[Inhabitant]) -> Path:
        path = self.folder / f"list-{self._loads}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(_HEADER)
            for number, one in enumerate(people, start=1):
                sector = "mining" if number % 10 == 0 else one.sector
                cells = (f"S-{self._loads}-{number}", one.nik, one.name, one.birth_date.isoformat(), one.sex)
                writer.writerow((*cells, one.village, sector, one.occupation, TODAY.isoformat()))
        return path

    async def _claim(self, dead: Inhabitant, number: str) -> None:
        claim = {
            "claim_no": number,
            "nik": dead.nik,
            "kind": "jkm",
            "event_date": TODAY.isoformat(),
            "cause": "natural",
            "details": {"outcome": "death"},
            "documents": list(JKM_DOCUMENTS),
            "claimant": {"name": "Ahli Waris", "relation": "spouse", "account": "123456789"},
        }
        path = self.folder / f"{number}.jsonl"
        path.write_text(json.dumps(claim) + "\n", "utf-8")
        await publish.publish(self.place, path, f"{REGENCY}/distransnaker", "claims", wait=True)

    async def sometime(self) -> None:
        """Lets the load continue for a time that the seed chooses, so that runs strike at different places."""
        await asyncio.sleep(random.uniform(0.0, _STRIKE_WITHIN_S))

    @asynccontextmanager
    async def loading(
        self, workers: int, *, until: str = FEEDBACK, claims: int = 0
    ) -> AsyncIterator[asyncio.Task[Load]]:
        """Runs a load: it is in progress inside the block (the topic `until` grows) and finished after it."""
        growing = asyncio.create_task(grown(self.kafka, until))
        await asyncio.sleep(0)
        load = asyncio.create_task(self.load(workers, claims=claims))
        try:
            await asyncio.wait({growing, load}, return_when=asyncio.FIRST_COMPLETED)
            assert growing.done(), f"nothing came to {until}"
            growing.result()
            await self.sometime()
            yield load
            await load
        finally:
            growing.cancel()
            load.cancel()
            await asyncio.wait({growing, load})

    # -- checks -------------------------------------------------------------------------------------------------------

    async def calm(self, within_s: float = QUIET_S) -> None:
        """Waits until nothing moves; work that a paused process holds open does not count."""
        await quiet(self.kafka, self.mongo_url, self.services, within_s, journals=False)

    async def holds(self, within_s: float = QUIET_S) -> checker.Report:
        """Asserts that the lag returns to zero without help, and that every law holds over everything so far."""
        url = self.place.url("reporting") if "reporting" in self.services else None
        return await checker.check_when_quiet(self.kafka, self.mongo_url, url, self.services, within_s=within_s)
