"""The whole main job on a real Kafka and MongoDB, with faults in between: from lists to covered, reported workers."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from payung import commands, installations, publish, rebuilding, reference, status, whatif, wire
from payung.bpjs import answering, filing
from payung.demo import audit
from payung.demo.population import Inhabitant, generate, population_csv
from payung.demo.story import JKM_DOCUMENTS
from payung.embedded import ports
from payung.installations import CommandError, Installation
from payung.tracing import finding
from payung.tracing.story import walk
from shared.contracts import topics
from shared.kernel.calendar import business_day, first_day, period_of, shift_period
from shared.kernel.identity import worker_id
from shared.lists.answers import read_answers
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.store.crypto import id_key_from
from shared.runtime.store.mongo import MongoStore

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]

KUTIM, KUKAR = "64.08", "64.02"
AREAS = area_files.load()
TODAY = business_day(clock.now())
PERIOD = period_of(TODAY)
HEADER = ("submission_id", "nik", "name", "birth_date", "sex", "village", "sector", "occupation", "consent")


class LiveInstallation:
    """`payung up` as a user runs it, in a process of its own."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """`environ`: settings in addition to this process's own."""
        self.folder = folder
        self.people = {
            KUTIM: list(generate(1, 400, KUTIM, AREAS, TODAY)),
            KUKAR: list(generate(2, 60, KUKAR, AREAS, TODAY)),
        }
        population = folder / "population.csv"
        population_csv([one for people in self.people.values() for one in people], population)
        argv = [
            sys.executable,
            "-m",
            "payung",
            "up",
            "--data",
            str(folder / "data"),
            "--port-base",
            str(ports.free_base()),
        ]
        self._log = (folder / "up.log").open("w")
        self.process = subprocess.Popen(
            [*argv, "--population", str(population)],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **(environ or {})},
        )

    def pid_of(self, service: str) -> int:
        """The process that runs a service now."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", f"services.{service}"],
            capture_output=True,
            text=True,
            check=True,
        )
        return int(found.stdout.split()[0])

    def kill(self, service: str) -> None:
        """kill -9 of a service."""
        os.kill(self.pid_of(service), signal.SIGKILL)

    def stop(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=90)
        self._log.close()
        return code

    @property
    def at(self) -> Installation:
        return installations.find(self.folder / "data")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstallation]:
    yield from installed(LiveInstallation(tmp_path_factory.mktemp("installation")))


def installed(installation: LiveInstallation) -> Iterator[LiveInstallation]:
    """The installation, once it is ready; afterwards it must stop cleanly."""
    log = installation.folder / "up.log"

    async def ready() -> bool:
        if installation.process.poll() is not None:
            raise AssertionError(log.read_text())
        return "\nready\n" in log.read_text()

    asyncio.run(eventually(ready, 300))
    yield installation
    assert installation.stop() == 0, log.read_text()


async def eventually(condition: Callable[[], Awaitable[bool]], within_s: float = 120) -> None:
    """Waits for a condition."""
    async with asyncio.timeout(within_s):
        while not await condition():  # noqa: ASYNC110  # other processes have no event to wait for
            await asyncio.sleep(0.2)


async def quiet(at: Installation) -> bool:
    """Whether nothing waits in any service, at two looks in a row."""
    for _ in range(2):
        for service in topics.SERVICES:
            try:
                if (await at.get(service, "/readyz")).json()["lag"]:
                    return False
            except CommandError:
                return False
        await asyncio.sleep(0.5)
    return True


async def coverage(at: Installation, regency: str, period: str | None = None) -> dict[str, Any]:
    """The totals of a month, or those of now."""
    period = period or period_of(business_day(clock.now()))
    answer = await at.get("reporting", "/v1/coverage", regency=regency, period=period, format="json")
    found: dict[str, Any] = answer.json()["totals"]
    return found


def row(number: int, one: Inhabitant) -> dict[str, str]:
    return {
        "submission_id": f"S-{number:04d}",
        "nik": one.nik,
        "name": one.name,
        "birth_date": one.birth_date.isoformat(),
        "sex": one.sex,
        "village": one.village,
        "sector": one.sector,
        "occupation": one.occupation,
        "consent": TODAY.isoformat(),
    }


# Every tenth row has another fault; this is its answer.
BROKEN: list[tuple[dict[str, str], str]] = [
    ({"nik": "6.40E+15"}, "nik-malformed"),
    ({"nik": "640804410785000"}, "nik-malformed"),
    ({"nik": "6408043113850002"}, "nik-date-impossible"),
    ({"birth_date": "1985-02-30"}, "field-invalid:birth_date"),
    ({"village": "64.08.99.2001"}, "village-unknown"),
    ({"village": "64.02.06.1001"}, "village-outside"),
    ({"name": ""}, "name-missing"),
    ({"consent": ""}, "consent-missing"),
    ({"sector": "mining"}, "sector-unknown"),
    ({"sex": "X"}, "field-invalid:sex"),
    ({"occupation": ""}, "field-missing:occupation"),
    ({"birth_date": ""}, "field-missing:birth_date"),
]


def write_list(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, HEADER, delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    return path


def alive(people: list[Inhabitant]) -> list[Inhabitant]:
    return [one for one in people if one.status == "alive"]


@pytest.fixture(scope="module")
def messy(running: LiveInstallation) -> tuple[Path, dict[int, str]]:
    """120 rows of Kutai Timur, every tenth broken; the reason expected by spreadsheet row number."""
    rows, expected = [], {}
    for number, one in enumerate(alive(running.people[KUTIM])[:120], start=1):
        cells = row(number, one)
        if number % 10 == 0:
            change, reason = BROKEN[number // 10 - 1]
            cells |= change
            expected[number + 1] = reason
        rows.append(cells)
    return write_list(running.folder / "messy.csv", rows), expected


async def test_every_row_of_a_messy_list_is_answered_and_sending_it_again_changes_nothing(
    running: LiveInstallation, messy: tuple[Path, dict[int, str]]
) -> None:
    path, expected = messy
    running.kill("registration")
    result = await publish.publish(running.at, path, f"{KUTIM}/dinsos", "workers", wait=True)
    assert sum(result.by_outcome().values()) == result.rows == 120
    answers = list(read_answers(path.with_name(path.name + ".answers.csv")))
    for number, answer in enumerate(answers, start=2):
        if number in expected:
            assert (answer["outcome"], answer["reasons"]) == ("rejected", expected[number]), number
            assert answer["message"]
        else:
            assert answer["outcome"] == "registered", (number, answer["reasons"])
    assert result.by_outcome() == {"registered": 108, "rejected": 12}
    await _the_same_file_again_changes_nothing(running.at, path)


async def _the_same_file_again_changes_nothing(at: Installation, path: Path) -> None:
    """The same file again changes nothing, and a resumed run gives the same answers."""
    await eventually(lambda: quiet(at))
    before = await coverage(at, KUTIM)
    again = await publish.publish(at, path, f"{KUTIM}/dinsos", "workers", wait=True)
    unverified = before["rejected"]
    outcomes = again.by_outcome()
    assert outcomes["already-registered"] + outcomes.get("registered", 0) == 108
    assert outcomes.get("registered", 0) <= unverified, "only a rejected identity opens a new check"
    resumed = await publish.publish(at, path, f"{KUTIM}/dinsos", "workers", wait=True, resume=again.run.id)
    assert resumed.answers == again.answers
    await eventually(lambda: quiet(at))
    assert await coverage(at, KUTIM) == before


async def test_answers_and_dead_letters_add_up_to_the_records_sent(running: LiveInstallation) -> None:
    at = running.at
    target = topics.registration_intake(KUTIM, "desa")
    source = f"agency/{KUTIM}/desa"
    person = alive(running.people[KUTIM])[130]
    good = wire.event(source, "worker.register.v1", {**row(1, person), "consent": {"given_at": TODAY.isoformat()}})
    sent = {
        "good": json.dumps(good).encode(),
        "not-json": b"\xff\xfe{",
        "bad-envelope": b'{"id":"x","data":{}}',
        "unknown-type": json.dumps(wire.event(source, "worker.befriend.v1", {})).encode(),
        "foreign-source": json.dumps(wire.event(f"agency/{KUKAR}/desa", "worker.register.v1", {})).encode(),
        "too-large": json.dumps(wire.event(source, "worker.register.v1", {"name": "x" * 5000})).encode(),
        "empty-form": json.dumps(wire.event(source, "worker.register.v1", {})).encode(),
    }
    async with wire.reader(at) as consumer:
        places = await wire.ends(at, consumer, [topics.feedback(KUTIM, "desa")])
        letters = await wire.ends(at, consumer, [topics.dead_letters("registration")])
        async with wire.sender(at) as out:
            for value in sent.values():
                await out.send(target, "k", value)
            await out.flush()
        answered = []
        async for one in wire.follow(consumer, places, 30):
            if one["type"] == "submission.answered.v1":
                answered.append(one)
            if len(answered) == 2:
                break
        consumer.assign(list(letters))
        for partition, offset in letters.items():
            consumer.seek(partition, offset)
        put_aside: list[Any] = []
        while len(put_aside) < 5:
            for records in (await consumer.getmany(timeout_ms=30_000)).values():
                put_aside.extend(records)
    assert len(answered) + len(put_aside) == len(sent)
    by_error = {dict(one.headers)["dlq_error"].decode(): one.value for one in put_aside}
    assert by_error == {code: sent[code] for code in by_error}
    assert set(by_error) == {"not-json", "bad-envelope", "unknown-type", "foreign-source", "too-large"}
    rejected = next(one["data"] for one in answered if one["data"]["outcome"] == "rejected")
    assert "name-missing" in rejected["reasons"]
    assert "consent-missing" in rejected["reasons"]
    assert "field-missing:nik" in rejected["reasons"]
    # Count the kept letters, not those since the last start, because a killed service forgets that number.
    running.kill("registration")
    kept = {one.service: one.dead_letters for one in (await status.look(at)).services}
    assert (kept["registration"] or 0) >= 5
    assert not kept["reporting"]
    await eventually(lambda: quiet(at))


@pytest.fixture
async def second_regency(running: LiveInstallation) -> int:
    rows = [row(number, one) for number, one in enumerate(alive(running.people[KUKAR])[:40], start=1)]
    path = write_list(running.folder / "kukar.csv", rows)
    result = await publish.publish(running.at, path, f"{KUKAR}/perikanan", "workers", wait=True)
    return sum(count for outcome, count in result.by_outcome().items() if outcome != "rejected")


async def test_months_claims_and_two_regencies_are_correct_although_every_service_is_killed(
    running: LiveInstallation, second_regency: int
) -> None:
    at = running.at
    snapshot = running.folder / "snapshot.csv"
    population_csv(running.people[KUTIM][:200], snapshot)
    await reference.load_snapshot(at, snapshot, KUTIM)
    # Half of them are in the snapshot; for the others Payung asks Dukcapil over HTTP.
    rows = [row(number, one) for number, one in enumerate(alive(running.people[KUTIM][150:250]), start=1)]
    path = write_list(running.folder / "kutim.csv", rows)
    result = await publish.publish(at, path, f"{KUTIM}/perkebunan", "workers", wait=True)
    assert sum(result.by_outcome().values()) == len(rows)
    await eventually(lambda: quiet(at))
    months = [shift_period(PERIOD, back) for back in (-2, -1, 0)]
    for year in sorted({int(month[:4]) for month in months}):
        for regency in (KUTIM, KUKAR):
            budget = {"regency": regency, "year": year, "funding": "apbd-regency", "jkk": 10**9, "jkm": 10**9}
            await commands.set_budget(at, {**budget, "decree_no": "SK-1", "target_workers": 100})
    runs: list[dict[str, Any]] = []
    said = 0
    for month, victim in zip(months, ("billing", "claims", "reporting"), strict=True):
        if month == PERIOD:
            said = await _what_if(at)
        running.kill(victim)
        for regency in (KUTIM, KUKAR):
            run = await commands.run_billing(at, {"regency": regency, "period": month, "funding": "apbd-regency"})
            runs.append(run)
            paid = {"invoice_id": run["invoice_id"], "amount": run["total"], "reference": f"SP2D-{month}"}
            await commands.pay_invoice(at, {**paid, "paid_on": min(first_day(month), TODAY).isoformat()})
    for run in runs:
        assert run["total"] == run["billed_workers"] * 16_800
        assert [line["amount"] for line in run["lines"]] == [
            run["billed_workers"] * 10_000,
            run["billed_workers"] * 6_800,
        ]
    assert {run["billed_workers"] for run in runs if run["regency"] == KUKAR} <= {*range(30, second_regency + 1)}
    assert said == runs[-1]["billed_workers"]
    # A claim that comes before the premiums are known waits for them; then they are among its causes.
    await eventually(lambda: quiet(at))
    await _claim(at, running, months[0])
    running.kill("verification")
    await eventually(lambda: quiet(at))
    for regency in (KUTIM, KUKAR):
        for month in months:
            billed = next(run for run in runs if run["regency"] == regency and run["period"] == month)
            totals = await coverage(at, regency, month)
            assert (totals["billed"], totals["covered"]) == (billed["billed_workers"], billed["billed_workers"])
    again = await commands.run_billing(at, {"regency": KUTIM, "period": PERIOD, "funding": "apbd-regency"})
    assert again["billed_workers"] == 0
    assert again["invoice_id"] is None
    await _participants(at, running.folder, next(run for run in runs if run["regency"] == KUTIM))


async def _participants(at: Installation, folder: Path, run: Mapping[str, Any]) -> None:
    """The file for BPJS adds up to the invoice, and BPJS's answers come back once for each row, however often."""
    invoice, out = run["invoice_id"], folder / "bpjs.csv"
    filed = await filing.write_file(at, invoice, out)
    assert filed.rows + filed.left_out == run["billed_workers"]
    assert filed.rupiah == run["total"]
    niks = [line.split(";")[0] for line in out.read_text("utf-8-sig").splitlines()[1:]]
    assert len({*niks}) == filed.rows
    answers = folder / "jawaban.csv"
    cells = [(nik, f"{24_000_000_000 + place}", "") for place, nik in enumerate(niks[2:])]
    cells += [(niks[0], "", "NIK tidak ditemukan"), (niks[1], "", ""), ("6408044107850002", "24999999999", "")]
    answers.write_text("nik;kpj;alasan\n" + "".join(";".join(one) + "\n" for one in cells), "utf-8")
    result = await answering.hand_in(at, answers, invoice, "rina")
    assert result.by_outcome() == {"enrolled": filed.rows - 2, "refused": 1, "rejected": 2}
    assert (await answering.hand_in(at, answers, invoice, "rina")).answers == result.answers
    counted = (await at.get("registration", f"/v1/participants/{invoice}")).json()
    assert (counted["enrolled"], counted["refused"]) == (filed.rows - 2, 1)


async def _what_if(at: Installation) -> int:
    """The workers of Kukar whom this month would bill; a cut to the last rupiah that is billed misses them all."""
    asked = {"regency": KUKAR, "year": PERIOD[:4], "from": PERIOD}
    budgets = (await at.get("billing", "/v1/budgets", regency=KUKAR, year=PERIOD[:4])).json()["budgets"]
    spent = {account: str(budgets[0]["committed"][account]) for account in ("jkk", "jkm")}
    await whatif.ask(at, {**asked, **spent, "save": "tanpa sisa"}, [], None)
    with pytest.raises(CommandError, match="Sudah ada skenario bernama tanpa sisa"):
        await whatif.ask(at, {**asked, "save": "tanpa sisa"}, [], None)
    found = await whatif.ask(at, {**asked, "workers": "+5"}, ["tanpa sisa"], None)
    now, then, saved = (one["figures"] for one in ({"figures": found["now"]}, found["scenario"], found["compared"][0]))
    assert (now["lose"], then["keep"]) == (0, now["keep"] + 5)
    assert (saved["keep"], saved["lose"], saved["exposed"]) == (0, now["keep"], now["keep"] * 42_000_000)
    billed: int = now["months"][0]["billed"]
    return billed


async def _claim(at: Installation, running: LiveInstallation, first_month: str) -> None:
    """Two agencies claim one death; it is paid once, in full."""
    billed = await audit.billed_workers(at, first_month)
    key = id_key_from(at.environ)
    key_of = {worker_id(key, one.nik): one for one in running.people[KUTIM]}
    dead = key_of[sorted(billed & set(key_of))[0]]
    claim = {
        "nik": dead.nik,
        "kind": "jkm",
        "event_date": TODAY.isoformat(),
        "cause": "natural",
        "details": {"outcome": "death"},
        "documents": list(JKM_DOCUMENTS),
        "claimant": {"name": "Ahli Waris", "relation": "spouse", "account": "123456789"},
    }
    for agency in ("distransnaker", "rumahsakit"):
        path = running.folder / f"claim-{agency}.jsonl"
        path.write_text(json.dumps({**claim, "claim_no": f"K-1-{agency}"}) + "\n", "utf-8")
        await publish.publish(at, path, f"{KUTIM}/{agency}", "claims", wait=True)

    async def settled() -> bool:
        stages = await audit.claim_stages(at)
        return sorted(stages.values()) == ["paid", "rejected"]

    await eventually(settled)
    paid = [one["data"] async for one in audit.events(at, topics.events("claims")) if one["type"] == "claim.paid.v1"]
    assert [one["total"] for one in paid] == [42_000_000]
    refused = [
        one["data"] async for one in audit.events(at, topics.events("claims")) if one["type"] == "claim.rejected.v1"
    ]
    assert [one["reasons"] for one in refused] == [["duplicate-claim"]]
    await _whole_story(at, worker_id(key, dead.nik), dead.nik)


async def _whole_story(at: Installation, who: str, nik: str) -> None:
    """The trace runs from the agency's row to the last premium, through every service, and names nobody."""
    trees = await finding.trace(at, who)
    # One row, three months' premiums, two claims: each tree begins with its first cause. When the claims service hears
    # late of a payment, it judges an existing claim again, and then the payment is also a first cause.
    began = {one.step.type for one in trees}
    assert began - {"invoice.pay.v1"} == {"worker.register.v1", "billing.run.v1", "claim.submit.v1"}
    told = list(walk(trees))
    services = {"identity.verified.v1", "premium.billed.v1", "claim.paid.v1", "worker.died.v1", "submission.settled.v1"}
    assert services <= {one.step.type for one in told}
    assert nik not in json.dumps([one.step.as_json(asked=one.asked) for one in told])


async def test_rebuilt_figures_repair_damage_while_lists_come_in(
    running: LiveInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = running.at
    more = [row(number, one) for number, one in enumerate(alive(running.people[KUTIM])[260:320], start=1)]
    path = write_list(running.folder / "more.csv", more)
    sending = asyncio.create_task(publish.publish(at, path, f"{KUTIM}/perikanan", "workers", wait=True))
    during = await rebuilding.rebuild(at, accept=False, read=lambda _: None)
    assert (during.put_in_place, during.differences) == (True, [])
    await sending
    await eventually(lambda: quiet(at))
    after = await rebuilding.rebuild(at, accept=False, read=lambda _: None)
    assert (after.put_in_place, after.differences) == (True, [])
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.environ["PAYUNG_MONGO_URL"])
    workers = client["payung_reporting"]["registrations"]
    damaged = await workers.find_one_and_delete({})
    assert damaged is not None
    refused = await rebuilding.rebuild(at, accept=False, read=lambda _: None)
    assert not refused.put_in_place
    assert "coverage now, totals" in [name for name, _, _ in refused.differences]
    assert await workers.find_one({"_id": damaged["_id"]}) is None
    assert (await rebuilding.rebuild(at, accept=True, read=lambda _: None)).put_in_place
    healed = await workers.find_one({"_id": damaged["_id"]})
    assert healed is not None
    assert healed["state"] == damaged["state"]
    put_in_place = MongoStore.put_in_place

    async def and_die(self: MongoStore) -> None:
        # The backup lacks what reporting settled later, and no process runs that could settle it.
        await self._database["registrations"].delete_many({})
        await put_in_place(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MongoStore, "put_in_place", and_die)
        begin = {f"registration-events/{number}": 0 for number in range(6)}
        patch.setattr(rebuilding._Reading, "places", lambda _: begin)
        with pytest.raises(KeyboardInterrupt):
            await rebuilding.rebuild(at, accept=True, read=lambda _: None)
    assert await workers.count_documents({}) == 0
    after = await rebuilding.rebuild(at, accept=False, read=lambda _: None)
    assert (after.put_in_place, after.differences) == (True, [])
    await client.close()


async def test_no_nik_in_any_open_topic_key_log_or_metric(running: LiveInstallation) -> None:
    at = running.at
    niks = {one.nik for people in running.people.values() for one in people}

    def leaks(text: str) -> bool:
        return any(text[start : start + 16] in niks for start in range(len(text) - 15) if text[start].isdigit())

    for service in ("registration", "verification", "billing", "claims"):
        async for one in audit.events(at, topics.events(service)):
            assert not leaks(json.dumps(one)), (service, one["type"])
    for service in topics.SERVICES:
        assert not leaks((await at.get(service, "/metrics")).text)
    for log in (running.folder / "data" / "logs").glob("*.log"):
        if log.stem in (*topics.SERVICES, "dukcapil", "bpjs"):
            assert not leaks(log.read_text("utf-8", "replace")), log.name
