"""The main job in short on PyMongo's own async client (ADR 0001): a list is sent, workers are verified, billed and
reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from payung import commands, publish
from payung.installations import Installation
from shared.contracts import topics
from tests.integration.test_end_to_end import (
    KUTIM,
    PERIOD,
    LiveInstallation,
    alive,
    coverage,
    eventually,
    installed,
    quiet,
    row,
    write_list,
)

pytestmark = [pytest.mark.connected, pytest.mark.timeout(180)]
ROWS = 30


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveInstallation]:
    folder = tmp_path_factory.mktemp("on-pymongo")
    yield from installed(LiveInstallation(folder, {"PAYUNG_MONGO_DRIVER": "pymongo"}))


async def test_a_list_is_verified_billed_and_reported(running: LiveInstallation) -> None:
    at = running.at
    used = await drivers(at)
    assert any("async" in name for name in used), used
    assert not any("Motor" in name for name in used), used
    rows = [row(number, one) for number, one in enumerate(alive(running.people[KUTIM])[:ROWS], start=1)]
    path = write_list(running.folder / "list.csv", rows)
    result = await publish.publish(at, path, f"{KUTIM}/dinsos", "workers", wait=True)
    assert result.by_outcome() == {"registered": ROWS}
    running.kill("registration")
    await eventually(lambda: quiet(at))
    budget = {"regency": KUTIM, "year": int(PERIOD[:4]), "funding": "apbd-regency", "jkk": 10**9, "jkm": 10**9}
    await commands.set_budget(at, {**budget, "decree_no": "SK-1", "target_workers": 100})
    run = await commands.run_billing(at, {"regency": KUTIM, "period": PERIOD, "funding": "apbd-regency"})
    await eventually(lambda: quiet(at))
    totals = await coverage(at, KUTIM, PERIOD)
    assert totals["registered"] == ROWS
    assert totals["verified"] == totals["billed"] == run["billed_workers"] > 0


async def drivers(at: Installation) -> set[str]:
    """The drivers of the services' connections, as the server reports them."""
    asked: dict[str, Any] = {"idleConnections": True, "allUsers": True}
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(at.environ["PAYUNG_MONGO_URL"])
    async with client:
        found = await (await client.admin.aggregate([{"$currentOp": asked}])).to_list(None)
    services = [one for one in found if one.get("appName") == "payung"]
    assert len(services) >= len(topics.SERVICES)
    return {one["clientMetadata"]["driver"]["name"] for one in services}
