"""A whole installation to do harm to: the product's own launcher, a small load, and the checker at the end.

`Installation` runs in a thread with a loop of its own, so that it goes on supervising between tests and while a test
waits. State gathers over the tests of a module: each load sends people of its own, and the laws hold over all that ever
was. Only the checker judges; what this file asks of the product is to be used as a user uses it.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import queue
import random
import signal
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

from payung import commands, place, publish, reference, wire
from payung.demo.population import Person, generate, population_csv
from payung.demo.story import JKM_DOCUMENTS
from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.process import ProcessSpec
from payung.embedded.servers import SINGLE, Shape
from payung.embedded.stack import SERVICES, Stack, StackConfig
from payung.place import Place
from shared.contracts import topics
from shared.kernel.calendar import business_day, period_of
from shared.reference import areas as area_files
from shared.runtime import clock, failpoints, topics_admin
from tests.faults import checker
from tests.faults.observed import grown, quiet
from tests.faults.world import Service

T = TypeVar("T")

REGENCY = "64.08"
FUNDING = "apbd-regency"
TODAY = business_day(clock.now())
PERIOD = period_of(TODAY)
AGENCY = "dinsos"
INTAKE = topics.registration_intake(REGENCY, AGENCY)
FEEDBACK = topics.feedback(REGENCY, AGENCY)
START_S = 300.0
QUIET_S = 180.0
_POPULATION = 15_000
_RESTART_S = (0.5,)
_STRIKE_WITHIN_S = 0.6
_HEADER = ("submission_id", "nik", "name", "birth_date", "sex", "village", "sector", "occupation", "consent")
_JUNK = (b"\xff\xfe{", b'{"id":"x","data":{}}', b"")


async def eventually(condition: Callable[[], Awaitable[object] | object], within_s: float, what: str) -> None:
    """Waits for a condition, plain or awaitable; AssertionError names it when it does not come."""
    until = clock.monotonic() + within_s
    while True:
        found = condition()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return
        assert clock.monotonic() < until, f"not within {within_s:.0f} s: {what}"
        await asyncio.sleep(0.05)


@dataclass(slots=True)
class Load:
    """What one load did."""

    rows: int
    outcomes: Mapping[str, int]
    run: Mapping[str, Any] = field(default_factory=dict)
    claims: int = 0


class _Stack(Stack):
    """The product's stack; services restart soon, and their environment can be changed for the next start."""

    def __init__(self, config: StackConfig, console: Console) -> None:
        replicas = config.shape.brokers
        super().__init__(config, lambda kafka: topics_admin.apply(kafka, replicas=replicas), console=console)
        self.environments: dict[str, dict[str, str]] = {}

    def _service(self, name: str, shared: Mapping[str, str]) -> ProcessSpec:
        spec = super()._service(name, shared)
        self.environments[name] = dict(spec.env or {})
        return replace(spec, env=self.environments[name], backoff_s=_RESTART_S)


class _Said(Console):
    """Keeps what the launcher says."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def progress(self, text: str) -> None:
        """Nobody watches."""


class Installation(threading.Thread):
    """`payung up` between `with` and its end: servers (one or three of a kind), services, stand-ins, supervised."""

    def __init__(
        self,
        folder: Path,
        *,
        shape: Shape = SINGLE,
        services: tuple[str, ...] = SERVICES,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(name="installation", daemon=True)
        self.folder = folder
        self.base = ports.free_base()
        self.services = services
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYUNG_")}
        config = StackConfig(
            data_dir=folder / "data",
            port_base=self.base,
            services=services,
            shape=shape,
            environment={**inherited, **(environ or {})},
        )
        self._said = _Said()
        self._stack = _Stack(config, self._said)
        self._loop = asyncio.new_event_loop()
        self._answer: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._done = asyncio.Event()
        self._people: Iterator[Person] = iter(())
        self._loads = 0
        self._seconds = 0

    # -- life ---------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """The thread."""
        try:
            self._loop.run_until_complete(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again in the one who waits
            self._answer.put(error)
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        async with self._stack:
            self._answer.put(None)
            await self._done.wait()

    def __enter__(self) -> Self:
        self.start()
        error = self._answer.get(timeout=START_S)
        if error is not None:
            raise error
        asyncio.run(self._furnish())
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_alive():
            self._loop.call_soon_threadsafe(self._done.set)
            self.join(120)

    async def _furnish(self) -> None:
        """A population that the snapshot knows: no identity check needs HTTP."""
        found = generate(random.randrange(1_000_000), _POPULATION, REGENCY, area_files.load(), TODAY)
        people = [one for one in found if one.status == "alive"]
        self._people = iter(people)
        path = self.folder / "population.csv"
        population_csv(people, path)
        await reference.load_snapshot(self.place, path, REGENCY)

    async def inside(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine in the installation's own loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    # -- addresses ----------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """For the commands of the product."""
        return place.find(self.folder / "data")

    @property
    def kafka(self) -> str:
        """The brokers."""
        return self.place.environ["PAYUNG_KAFKA"]

    @property
    def mongo_url(self) -> str:
        """The database."""
        return self.place.environ["PAYUNG_MONGO_URL"]

    def environment(self, service: str) -> dict[str, str]:
        """What the service gets at its next start; changing it changes that."""
        return self._stack.environments[service]

    def log(self, service: str) -> str:
        """All that the service logged."""
        return (self.folder / "data" / "logs" / f"{service}.log").read_text("utf-8", "replace")

    # -- harm ---------------------------------------------------------------------------------------------------------

    def pid(self, name: str) -> int | None:
        """The process of a service or server now; None while it is down."""
        return self._stack.pids()[name]

    def signal(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Sends a signal and returns the process id that it went to."""
        pid = self.pid(name)
        assert pid is not None, f"{name} is down already"
        os.kill(pid, number)
        return pid

    def deaths(self, name: str) -> list[str]:
        """How each process of that name ended so far, in the launcher's words."""
        start = f"{name} stopped ("
        return [line[len(start) :].split(")")[0] for line in self._said.lines if line.startswith(start)]

    async def replaced(self, name: str, pid: int, within_s: float = 60.0) -> None:
        """Waits until another process runs under that name."""
        await eventually(lambda: self.pid(name) not in (None, pid), within_s, f"{name} is started again")

    async def ready(self, *names: str, within_s: float = 120.0) -> None:
        """Waits until these services say that they have partitions and move."""
        for name in names:
            number = ports.port(self.base, name)
            await eventually(lambda number=number: ports.http_ok(number, "/readyz"), within_s, f"{name} ready")  # type: ignore[misc]

    async def arm(self, service: str, failpoint: str) -> None:
        """Restarts a service (SIGTERM) with a failpoint that only this one start has."""
        self.environment(service)[failpoints.VARIABLE] = failpoint
        try:
            await self.replaced(service, self.signal(service, signal.SIGTERM))
        finally:
            del self.environment(service)[failpoints.VARIABLE]

    async def paused(self, pid: int, within_s: float = 60.0) -> None:
        """Waits until the process has stopped itself at its failpoint."""
        await eventually(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "T", within_s, f"{pid} is paused")

    async def metric(self, service: str, name: str) -> float:
        """The sum of a metric over its labels, as the service shows it."""
        lines = (await self.place.get(service, "/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name)

    @asynccontextmanager
    async def second(self, service: str, *, instance: str | None = None) -> AsyncIterator[Service]:
        """One more process of a service, ready, which nobody supervises; without `instance` it is a passing member."""
        environ = {name: value for name, value in self.environment(service).items() if name != "PAYUNG_INSTANCE"}
        if instance is not None:
            environ["PAYUNG_INSTANCE"] = instance
        self._seconds += 1
        log = self.folder / f"{service}-{self._seconds}.log"
        more = Service(service, environ, log, self.base + 30 + self._seconds % 20)
        try:
            await eventually(more.ready, 90, f"another {service} ready")
            yield more
        finally:
            if more.running():
                more.kill()

    # -- load ---------------------------------------------------------------------------------------------------------

    def people(self, count: int) -> list[Person]:
        """People whom no load has sent yet."""
        return [next(self._people) for _ in range(count)]

    async def load(self, workers: int, *, agency: str = AGENCY, bill: bool = True, claims: int = 0) -> Load:
        """A list of so many workers with every tenth row broken and some unreadable records between, answered; then
        budget, billing run, payment and death claims, each through the product's own commands."""
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
        """Sets the budget, bills all who are verified, and pays the invoice."""
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

    def _list(self, people: list[Person]) -> Path:
        path = self.folder / f"list-{self._loads}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(_HEADER)
            for number, one in enumerate(people, start=1):
                sector = "mining" if number % 10 == 0 else one.sector
                cells = (f"S-{self._loads}-{number}", one.nik, one.name, one.birth_date.isoformat(), one.sex)
                writer.writerow((*cells, one.village, sector, one.occupation, TODAY.isoformat()))
        return path

    async def _claim(self, dead: Person, number: str) -> None:
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
        """Lets the load go on for a moment that the seed chooses, so that runs strike at different places."""
        await asyncio.sleep(random.uniform(0.0, _STRIKE_WITHIN_S))

    @asynccontextmanager
    async def loading(
        self, workers: int, *, until: str = FEEDBACK, claims: int = 0
    ) -> AsyncIterator[asyncio.Task[Load]]:
        """A load that is under way inside the block (the topic `until` grows since a moment) and done behind it."""
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

    # -- judgement ----------------------------------------------------------------------------------------------------

    async def calm(self, within_s: float = QUIET_S) -> None:
        """Waits until nothing moves; what a paused process holds open does not count."""
        await quiet(self.kafka, self.mongo_url, self.services, within_s, journals=False)

    async def holds(self, within_s: float = QUIET_S) -> checker.Report:
        """Lag returns to zero by itself, and every law holds over all that ever was."""
        url = self.place.url("reporting") if "reporting" in self.services else None
        return await checker.check_when_quiet(self.kafka, self.mongo_url, url, self.services, within_s=within_s)
