"""`python -m bench.imports [--rows N]`: measures sending lists to Kafka, in rows a second and memory.

Starts Kafka, MongoDB and registration, and sends one list three times, each time with other people: as CSV and as XLSX
by `payung publish` (a process of its own; for the CSV registration is stopped meanwhile), and as CSV by upload to
registration, which sends and judges at the same time. Memory is the peak resident memory of the command and of
registration. It only measures.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import openpyxl
import psutil
from rich.table import Table

from bench.people import AGENCY, insurable, write_list
from bench.stage import alone, out, until_said
from payung.installations import Installation
from shared.runtime import clock

LOOK_S = 0.5
ANSWERED = ("submission.answered.v1",)


@dataclass(frozen=True, slots=True)
class Sent:
    """One list: its duration, and the peak resident memory in bytes."""

    what: str
    rows: int
    elapsed_s: float
    resident: int


async def _by_command(at: Installation, path: Path, rows: int) -> Sent:
    """Sends by `payung publish`."""
    argv = [sys.executable, "-P", "-m", "payung", "publish", str(path), "--agency", AGENCY, "--data", str(at.data_dir)]
    started = clock.monotonic()
    sending = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.DEVNULL)
    resident = 0
    while sending.returncode is None:
        resident = max(resident, _resident(sending.pid))
        try:
            await asyncio.wait_for(asyncio.shield(sending.wait()), LOOK_S / 5)
        except TimeoutError:
            continue
    elapsed_s = clock.monotonic() - started
    assert sending.returncode == 0, f"payung publish ended with {sending.returncode}"
    return Sent(f"{path.suffix[1:]} by payung publish", rows, elapsed_s, resident)


async def _by_upload(at: Installation, pid: int, path: Path, rows: int) -> list[Sent]:
    """Sends by HTTP; measures until all rows are in Kafka, and until all are answered."""
    sent: list[Sent] = []
    started = clock.monotonic()
    async with httpx.AsyncClient(base_url=at.urls["registration"], timeout=600) as http:

        async def pieces() -> AsyncIterator[bytes]:
            with path.open("rb") as file:
                while piece := await asyncio.to_thread(file.read, 65_536):
                    yield piece

        taken = await http.post(
            "/v1/imports", params={"agency": AGENCY, "kind": "workers", "filename": path.name}, content=pieces()
        )
        taken.raise_for_status()
        identifier, resident = taken.json()["id"], 0
        while len(sent) < 2:
            await asyncio.sleep(LOOK_S)
            one = (await http.get(f"/v1/imports/{identifier}")).raise_for_status().json()
            resident = max(resident, _resident(pid))
            passed = clock.monotonic() - started
            if not sent and one["sent"] >= rows:
                sent.append(Sent("csv by upload, sent", rows, passed, resident))
            if one["answered"] >= rows:
                sent.append(Sent("csv by upload, answered", rows, passed, resident))
    return sent


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _workbook(path: Path, source: Path) -> None:
    """The rows of a CSV list as a workbook of text cells."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("workers")
    with source.open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            sheet.append(cells)
    book.save(path)


async def bench(rows: int, seed: int) -> None:
    """Prints the table."""
    async with alone("registration") as (stack, at):
        csv_list, other, upload = (at.data_dir / f"{name}.csv" for name in ("list", "other", "upload"))
        for number, path in enumerate((csv_list, other, upload)):
            write_list(path, insurable(seed + number, rows), prefix=f"I{number}")
        book = at.data_dir / "book.xlsx"
        _workbook(book, other)
        # Stopped, not paused: a paused service is restarted by its supervisor, or ends by itself, after a minute.
        async with stack.without("registration"):
            lists = [await _by_command(at, csv_list, rows)]
        pid = stack.pids()["registration"]
        assert pid is not None
        before = _resident(pid)
        await until_said("registration", ANSWERED, rows, at)
        # Reading a workbook is so slow that registration keeps up on the other core.
        lists.append(await _by_command(at, book, rows))
        await until_said("registration", ANSWERED, 2 * rows, at)
        lists += await _by_upload(at, pid, upload, rows)
        _print(lists, before)


def _print(lists: list[Sent], before: int) -> None:
    table = Table("list", "rows", "s", "rows/s", "resident MB", box=None)
    for one in lists:
        figures_of = (f"{one.rows:,}", f"{one.elapsed_s:.1f}", f"{one.rows / one.elapsed_s:,.0f}")
        table.add_row(one.what, *figures_of, f"{one.resident / 1e6:.0f}")
    out.print(table)
    out.print(f"registration when it started: {before / 1e6:.0f} MB")


def main() -> None:
    """Parses and runs."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports")
    parser.add_argument("--rows", type=int, default=150_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    asyncio.run(bench(given.rows, given.seed))


if __name__ == "__main__":
    main()
