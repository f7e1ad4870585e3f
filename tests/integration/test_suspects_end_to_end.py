"""One person under two NIKs, both alive in the register: suspected, billed by none, merged, billed once."""

from __future__ import annotations

import asyncio
import csv
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from payung import commands, installations, publish
from payung.embedded import ports
from payung.installations import Installation
from shared.kernel.calendar import business_day, period_of
from shared.runtime import clock
from tests.integration.test_end_to_end import HEADER, eventually, quiet

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]

REGENCY = "64.08"
TODAY = business_day(clock.now())
SAME = {"birth_date": "1985-07-01", "sex": "F", "village": "64.08.04.2001", "sector": "fisheries"}
PEOPLE = (
    {"nik": "6408044107850002", "name": "SITI AMINAH", **SAME},
    {"nik": "6408044107850072", "name": "ST. AMINA", **SAME},
    {"nik": "6408040303790001", "name": "RUSLI HAMZAH", **SAME, "birth_date": "1979-03-03", "sex": "M"},
)


def write(path: Path, header: tuple[str, ...], rows: list[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """`payung up` with a register that knows all three NIKs, and frequent scans."""
    where = tmp_path_factory.mktemp("suspects")
    known = [{**one, "birth_place": "Sangatta", "status": "alive"} for one in PEOPLE]
    columns = ("nik", "name", "birth_place", "birth_date", "sex", "village", "status")
    population = write(where / "population.csv", columns, known)
    argv = ["payung", "up", "--data", str(where / "data"), "--port-base", str(ports.free_base())]
    log = where / "up.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *argv, "--population", str(population)],
            stdout=out,
            stderr=out,
            env={**os.environ, "PAYUNG_SUSPECTS_QUIET_S": "1"},
        )

        async def ready() -> bool:
            assert process.poll() is None, log.read_text()
            return "\nready\n" in log.read_text()

        try:
            asyncio.run(eventually(ready, 300))
            yield where
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=90)


async def test_a_suspected_double_costs_no_money_until_an_officer_has_looked(folder: Path) -> None:
    at = installations.find(folder / "data")
    consent = TODAY.isoformat()
    rows = [
        {**one, "submission_id": f"S-{number}", "occupation": "nelayan", "consent": consent}
        for number, one in enumerate(PEOPLE)
    ]
    path = write(folder / "list.csv", HEADER, rows)
    await publish.publish(at, path, f"{REGENCY}/perikanan", "workers", wait=True)

    async def queue() -> list[Any]:
        found: list[Any] = (await at.get("registration", "/v1/suspects", regency=REGENCY)).json()["suspects"]
        return found

    async def queued() -> bool:
        return len(await queue()) == 1

    await eventually(queued)
    await eventually(lambda: quiet(at))
    (pair,) = await queue()
    first, second = pair["first"], pair["second"]
    assert "name-same" in pair["reasons"]
    for worker in (first, second):
        shown = (await at.get("registration", f"/v1/workers/{worker}")).json()
        assert (shown["status"], shown["reasons"]) == ("held", ["duplicate-identity"])
    budget = {"regency": REGENCY, "year": TODAY.year, "funding": "apbd-regency", "jkk": 10**9, "jkm": 10**9}
    await commands.set_budget(at, {**budget, "decree_no": "T", "target_workers": 3})
    assert await billed(at) == 1
    decision = {"decision": "merge", "keep": first, "officer": "Rina", "reason": "satu orang, KTP lama"}
    async with httpx.AsyncClient(base_url=at.url("registration")) as client:
        answer = await client.post(f"/v1/suspects/{second}/{first}", json=decision)
    assert answer.status_code == 202

    async def merged() -> bool:
        one, other = [
            (await at.get("registration", f"/v1/workers/{worker}")).json()["status"] for worker in (first, second)
        ]
        return (one, other) == ("verified", "merged")

    await eventually(merged)
    await eventually(lambda: quiet(at))
    assert await billed(at) == 1


async def billed(at: Installation) -> int:
    """How many workers a run of this month bills whom no earlier run billed."""
    given = {"regency": REGENCY, "period": period_of(TODAY), "funding": "apbd-regency"}
    return int((await commands.run_billing(at, given))["billed_workers"])
