"""`payung demo`: plays three months of a regency through the product's own commands and checks the result on Kafka.

It does what an office would do: publish list files, set a budget, bill runs, pay invoices, submit claims. At the end it
compares the dashboard's figures with the events (payung/demo/audit.py), and fails when they differ.
"""

from __future__ import annotations

import asyncio
import csv
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from payung import commands, installations, publish, reference, wire
from payung.demo import audit, running
from payung.demo.agency_lists import AgencyLists, agency_lists
from payung.demo.population import Inhabitant, generate, population_csv
from payung.embedded.stack import Stack, StackConfig, default_data_dir
from payung.installations import CommandError, Installation
from payung.terminal import console, progress_bars
from services.claims.domain.rules import DOCUMENTS, RECEIPTS
from shared.contracts import topics
from shared.kernel.calendar import business_day, first_day, period_of, shift_period
from shared.kernel.identity import worker_id
from shared.kernel.money import rupiah
from shared.reference import areas as area_files
from shared.runtime import clock
from shared.runtime.kafka import topics_admin
from shared.runtime.store.crypto import id_key_from

REGENCY = "64.08"
MONTHS = 3
PREMIUM_JKK, PREMIUM_JKM = 10_000, 6_800
# One person in so many is left out of the loaded snapshot, so that Payung also asks Dukcapil over HTTP.
ASKED_OVER_HTTP_EVERY = 50
SETTLE_TIMEOUT_S = 900.0
LOOK_S = 0.5
SHARE_OF_TARGET = 0.9

JKM_DOCUMENTS = DOCUMENTS["jkm"]
JKK_DOCUMENTS = (*DOCUMENTS["jkk"], RECEIPTS)


@dataclass(slots=True)
class DemoResult:
    """What the demo did, for the closing tables."""

    lists: AgencyLists
    published: list[publish.Published] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    payments: list[dict[str, Any]] = field(default_factory=list)
    claims_sent: int = 0


async def demo(*, workers: int, leave: bool, data: Path | None, port_base: int, seed: int) -> int:
    """Starts the stack, plays the story, checks the figures; 0 when they are equal."""
    out = console(markup=True)
    today = business_day(clock.now())
    folder = data if data is not None else default_data_dir() / "demo"
    work = _work_folder(folder)
    people = _people(workers, seed, today, out)
    population = work / "population.csv"
    population_csv(people, population)
    config = StackConfig(data_dir=folder, port_base=port_base, population=population)
    stack = Stack(config, topics_admin.apply)
    async with stack:
        good = await _run_story(installations.find(folder), people, work, seed, today, out)
        if not leave:
            out.print("Tekan Ctrl-C untuk berhenti (press Ctrl-C to stop)")
            await _until_interrupted()
    return 0 if good else 1


async def demo_against(at: Installation, *, workers: int, seed: int) -> int:
    """Plays the story on an installation that keeps running; 0 when the figures are equal."""
    out = console(markup=True)
    today = business_day(clock.now())
    people = _people(workers, seed, today, out)
    # First: this refuses an installation whose Dukcapil is no stand-in, before made-up data get there.
    await running.fill_register(at, people)
    return 0 if await _run_story(at, people, _work_folder(at.data_dir / "demo"), seed, today, out) else 1


def _work_folder(folder: Path) -> Path:
    work = folder / "demo-files"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _people(workers: int, seed: int, today: date, out: Console) -> list[Inhabitant]:
    areas = area_files.load()
    out.print(f"[bold]Payung demo[/]: {workers} orang rekaan di {areas.name(REGENCY)} (made-up people)")
    return list(generate(seed, workers, REGENCY, areas, today))


async def _run_story(
    at: Installation, people: Sequence[Inhabitant], work: Path, seed: int, today: date, out: Console
) -> bool:
    lists = agency_lists(work / "lists", people, REGENCY, area_files.load(), seed, today)
    told = await _live(at, people, lists, work, today, out)
    good = await _close(at, told, today, out)
    out.print(f"\nDasbor (dashboard): [bold]{at.url('reporting')}/?regency={REGENCY}[/]")
    return good


async def _until_interrupted() -> None:
    import signal

    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await asked.wait()


async def _live(
    at: Installation, people: Sequence[Inhabitant], lists: AgencyLists, work: Path, today: date, out: Console
) -> DemoResult:
    told = DemoResult(lists)
    with progress_bars(out, transient=False) as bars:
        await _load_snapshot(at, people, work, bars)
        await _publish_lists(at, told, bars)
        await _await_verdicts(at, bars)
        await _set_budgets(at, len(people), people, today)
        await _bill_and_pay(at, told, today, bars)
        await _claims(at, told, people, work, today, bars)
    return told


async def _load_snapshot(at: Installation, people: Sequence[Inhabitant], work: Path, bars: Progress) -> None:
    task = bars.add_task("Data kependudukan (population snapshot)", total=len(people))
    path = work / "snapshot.csv"
    known = [one for number, one in enumerate(people) if number % ASKED_OVER_HTTP_EVERY]
    population_csv(known, path)
    await reference.load_snapshot(at, path, REGENCY)
    bars.update(task, completed=len(people))


async def _publish_lists(at: Installation, told: DemoResult, bars: Progress) -> None:
    for one in told.lists.files:
        task = bars.add_task(f"Daftar {one.agency} (list)", total=one.rows)

        def show(what: str, count: int, task: Any = task) -> None:
            if what == "answered":
                bars.update(task, completed=count)

        result = await publish.publish(at, one.path, f"{REGENCY}/{one.agency}", "workers", wait=True, progress=show)
        bars.update(task, completed=result.rows)
        told.published.append(result)


async def _coverage(at: Installation, period: str) -> dict[str, Any]:
    answer = await at.get("reporting", "/v1/coverage", regency=REGENCY, by="district", period=period, format="json")
    found: dict[str, Any] = answer.json()
    return found


async def _await_verdicts(at: Installation, bars: Progress) -> None:
    task = bars.add_task("Verifikasi identitas (identity checks)", total=None)

    async def settled() -> bool:
        totals = (await _coverage(at, period_of(business_day(clock.now()))))["totals"]
        done = totals["verified"] + totals["held"] + totals["rejected"]
        bars.update(task, total=totals["registered"], completed=done)
        return bool(totals["registered"]) and done >= totals["registered"] and await _quiet(at)

    await _until(settled, "not every registered worker has a verdict")


async def _quiet(at: Installation) -> bool:
    """Whether nothing waits anywhere. It looks twice, because the work of one service becomes the lag of the next."""
    for _ in range(2):
        for service in topics.SERVICES:
            try:
                vitals = (await at.get(service, "/readyz")).json()
            except CommandError:
                return False
            if vitals["lag"]:
                return False
        await asyncio.sleep(LOOK_S)
    return True


async def _until(condition: Any, trouble: str) -> None:
    try:
        async with asyncio.timeout(SETTLE_TIMEOUT_S):
            while True:
                try:
                    if await condition():
                        return
                except CommandError:
                    # A killed service comes back; the figures must still be equal.
                    pass
                await asyncio.sleep(LOOK_S)
    except TimeoutError as error:
        raise CommandError(f"{trouble} within {SETTLE_TIMEOUT_S:.0f} s; see `payung status`") from error


def periods(today: date) -> list[str]:
    """The months that the demo bills, the current one last."""
    this = period_of(today)
    return [shift_period(this, back) for back in range(1 - MONTHS, 1)]


async def _set_budgets(at: Installation, workers: int, people: Sequence[Inhabitant], today: date) -> None:
    areas = area_files.load()
    by_district = Counter(areas.district_of(one.village) for one in people)
    targets = {code: max(1, int(count * SHARE_OF_TARGET)) for code, count in by_district.items() if code}
    for year in sorted({int(period[:4]) for period in periods(today)}):
        await commands.set_budget(
            at,
            {
                "regency": REGENCY,
                "year": year,
                "funding": "apbd-regency",
                "jkk": workers * PREMIUM_JKK * 12,
                "jkm": workers * PREMIUM_JKM * 12,
                "decree_no": f"SK-BUPATI/{year}/DEMO",
                "target_workers": sum(targets.values()),
                "targets": targets,
            },
        )


def paid_on(period: str, today: date) -> date:
    """The payment day of the demo's treasury: the fifth, or today when the fifth is in the future."""
    return min(first_day(period) + timedelta(days=4), today)


async def _bill_and_pay(at: Installation, told: DemoResult, today: date, bars: Progress) -> None:
    task = bars.add_task("Tagihan dan pembayaran (billing)", total=MONTHS)
    for number, period in enumerate(periods(today), start=1):
        run = await commands.run_billing(at, {"regency": REGENCY, "period": period, "funding": "apbd-regency"})
        told.runs.append(run)
        if run["invoice_id"] is not None:
            told.payments.append(
                await commands.pay_invoice(
                    at,
                    {
                        "invoice_id": run["invoice_id"],
                        "amount": run["total"],
                        "paid_on": paid_on(period, today).isoformat(),
                        "reference": f"SP2D-{period}-{run['run_id']}",
                    },
                )
            )
        bars.update(task, completed=number)


async def _claims(
    at: Installation, told: DemoResult, people: Sequence[Inhabitant], work: Path, today: date, bars: Progress
) -> None:
    billed = await audit.billed_workers(at, periods(today)[0])
    key = id_key_from(at.environ)
    covered = [one for one in people if worker_id(key, one.nik) in billed][:40]
    uncovered = [one for one in people if one.status == "double"][:1]
    batches = claim_lists(covered, uncovered, today)
    task = bars.add_task("Klaim (claims)", total=sum(len(rows) for rows in batches.values()))
    done = 0
    for agency, rows in batches.items():
        path = work / f"claims-{agency}.jsonl"
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
        await publish.publish(at, path, f"{REGENCY}/{agency}", "claims", wait=True)
        done += len(rows)
        bars.update(task, completed=done)
    told.claims_sent = done
    await _decide_held(at)
    expected_open = 1  # the one without its death certificate stays held

    async def settled() -> bool:
        stages = await audit.claim_stages(at)
        waiting = [name for name, stage in stages.items() if stage not in ("paid", "rejected")]
        return len(stages) >= done and len(waiting) <= expected_open and await _quiet(at)

    await _until(settled, "not every claim is settled")


async def _decide_held(at: Installation) -> None:
    """An officer approves the claims above the limit."""

    async def found() -> bool:
        return bool(await audit.awaiting_officer(at))

    await _until(found, "no claim above the officer's limit was held")
    held = await audit.awaiting_officer(at)
    async with wire.sender(at) as out:
        for claim_no, agency in sorted(held):
            name = agency.rsplit("/", 1)[-1]
            event = wire.event(
                f"{topics.OFFICER}petugas.demo",
                "claim.decide.v1",
                {
                    "agency": f"{REGENCY}/{name}",
                    "claim_no": claim_no,
                    "decision": "approved",
                    "reason": "Berkas lengkap",
                },
            )
            await out.send(topics.CLAIMS_OFFICERS, f"{REGENCY}/{name}/{claim_no}", json.dumps(event).encode())
        await out.flush()


def claim_lists(
    covered: Sequence[Inhabitant], uncovered: Sequence[Inhabitant], today: date
) -> dict[str, list[dict[str, Any]]]:
    """A few claims of every kind: full and limited death benefit, accident, missing papers, duplicate, not covered."""
    months = periods(today)
    this_month = max(first_day(months[2]), min(today, first_day(months[2]) + timedelta(days=9)))
    second_month = first_day(months[1]) + timedelta(days=9)
    full = [
        _claim(f"JKM-{n:03d}", one, "jkm", this_month, "natural", JKM_DOCUMENTS) for n, one in enumerate(covered[:5], 1)
    ]
    limited = _claim("JKM-101", covered[5], "jkm", second_month, "illness", JKM_DOCUMENTS)
    papers = _claim(
        "JKM-102", covered[6], "jkm", this_month, "natural", [d for d in JKM_DOCUMENTS if d != "death-certificate"]
    )
    outside = [_claim("JKM-103", one, "jkm", this_month, "natural", JKM_DOCUMENTS) for one in uncovered]
    accident = _claim("JKK-001", covered[7], "jkk", this_month, "accident", [*JKK_DOCUMENTS, "death-certificate"])
    accident["details"] = {"outcome": "death"}
    treatment = _claim("JKK-002", covered[8], "jkk", this_month, "accident", JKK_DOCUMENTS)
    # In the first days of a month, not even these days have passed.
    days = min(12, (today - this_month).days + 1)
    treatment["details"] = {"outcome": "temporary", "days_off_work": days, "treatment_cost": 3_250_000}
    twice = _claim("RS-001", covered[0], "jkm", this_month, "natural", JKM_DOCUMENTS)
    return {"distransnaker": [*full, limited, papers, *outside, accident], "rumahsakit": [twice, treatment]}


def _claim(number: str, one: Inhabitant, kind: str, day: date, cause: str, documents: Sequence[str]) -> dict[str, Any]:
    return {
        "claim_no": number,
        "nik": one.nik,
        "kind": kind,
        "event_date": day.isoformat(),
        "cause": cause,
        "details": {"outcome": "death"},
        "documents": list(documents),
        "claimant": {"name": one.heir, "relation": one.heir_relation, "account": f"BANK-{one.nik[-6:-1]}1"},
    }


async def _close(at: Installation, told: DemoResult, today: date, out: Console) -> bool:
    out.print()
    out.print(_lists_table(told))
    out.print(_reasons_table(told))
    await _until(lambda: _quiet(at), "the services did not come to rest")
    period = periods(today)[-1]
    coverage = await _coverage(at, period)
    out.print(_coverage_table(coverage, period))
    findings = await audit.audit(at, REGENCY, told.published, told.runs, told.payments, periods(today))
    out.print(_money_table(told, findings.benefits))
    table = Table("Pemeriksaan (check)", "hitungan (counted)", "dasbor (reported)", "", title="Cocok?", box=None)
    for one in findings.checks:
        mark = "[green]cocok[/]" if one.good else "[bold red]BEDA[/]"
        table.add_row(one.what, f"{one.counted:,}", f"{one.reported:,}", mark)
    out.print(table)
    good = all(one.good for one in findings.checks)
    out.print("[green]Semua angka cocok (the figures add up).[/]" if good else "[bold red]Angka tidak cocok.[/]")
    return good


def _lists_table(told: DemoResult) -> Table:
    outcomes = sorted({outcome for one in told.published for outcome in one.by_outcome()})
    table = Table("dinas (agency)", "baris (rows)", *outcomes, title="Yang dikirim (sent)", box=None)
    for one in told.published:
        counts = one.by_outcome()
        agency = one.run.agency.rsplit("/", 1)[1]
        table.add_row(agency, str(one.rows), *(str(counts.get(outcome, 0)) for outcome in outcomes))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _reasons_table(told: DemoResult) -> Table:
    counts: Counter[str] = Counter()
    for one in told.published:
        with Path(one.run.file + ".answers.csv").open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            for row in csv.DictReader(file, delimiter=first.rstrip("\r\n")[-len("worker_id") - 1]):
                counts.update(row["reasons"].split())
    table = Table("alasan (reason)", "baris (rows)", title="Ditolak karena (refused because)", box=None)
    for reason, count in counts.most_common():
        table.add_row(reason, str(count))
    return table


def _coverage_table(report: Mapping[str, Any], period: str) -> Table:
    names = ("registered", "verified", "held", "rejected", "billed", "covered", "target")
    table = Table("kecamatan (district)", *names, "%", title=f"Cakupan {period} (coverage)", box=None, show_footer=True)
    for row in report["rows"]:
        share = f"{100 * row['covered'] / row['target']:.1f}".replace(".", ",") if row["target"] else "-"
        table.add_row(str(row["name"]), *("-" if row[name] is None else str(row[name]) for name in names), share)
    for column, name in zip(table.columns[1:], names, strict=False):
        column.justify = "right"
        column.footer = str(report["totals"][name])
    return table


def _money_table(told: DemoResult, benefits: int) -> Table:
    table = Table("uang (money)", "", title="Uang (money)", box=None)
    for run in told.runs:
        lines = " + ".join(f"{line['programme']} {rupiah(line['amount'])}" for line in run["lines"])
        table.add_row(f"iuran {run['period']}: {run['billed_workers']} pekerja", f"{rupiah(run['total'])} = {lines}")
    if told.runs:
        left = " + ".join(f"{name} {rupiah(amount)}" for name, amount in sorted(told.runs[-1]["budget_left"].items()))
        table.add_row("sisa anggaran (budget left)", left)
    table.add_row("manfaat dibayar (benefits paid)", rupiah(benefits))
    return table
