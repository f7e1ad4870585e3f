"""The main job on every Kafka that Payung is pinned to, beside the one that all other tests use."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from payung.embedded import jars
from tests.faults.harness import Installation

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
OTHERS = [one for one in jars.pinned() if one != jars.KAFKA_VERSION]


@pytest.fixture(params=OTHERS)
def installation(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    environ = {"PAYUNG_KAFKA_VERSION": request.param}
    with Installation(tmp_path_factory.mktemp("version"), environ=environ) as installation:
        command = " ".join(psutil.Process(installation.pid("kafka")).cmdline())
        assert f"kafka-{request.param}/" in command
        yield installation


async def test_the_main_job_on_another_pinned_kafka(installation: Installation) -> None:
    done = await installation.load(300, claims=1)
    await installation.holds()
    assert done.run["billed_workers"] > 200
    # And once more with the broker killed in the middle.
    async with installation.loading(200):
        installation.signal("kafka")
    await installation.holds()
