"""F1, F24: kill -9 of every service at each of the six seams of the shell, in the middle of a load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.runtime import seams
from tests.faults.checker import SERVICES
from tests.faults.harness import FaultInstallation

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(tmp_path_factory.mktemp("seams")) as installation:
        yield installation


# `make test` runs one seam: after it the outcomes are saved, and nothing is published yet.
CI = {"saved": pytest.mark.ci}
SEAMS = [pytest.param(seam, marks=CI.get(seam, ())) for seam in seams.SEAMS]


@pytest.mark.parametrize("seam", SEAMS)
async def test_a_service_killed_at_a_seam_has_each_effect_once(installation: FaultInstallation, seam: str) -> None:
    killed = {service: installation.deaths(service).count("killed by signal 9") for service in SERVICES}
    for service in SERVICES:
        # Use the first pass, because a fast service takes a whole list in one batch.
        await installation.arm(service, seam)
    done = await installation.load(300, claims=1)
    await installation.holds()
    for service in SERVICES:
        times = installation.deaths(service).count("killed by signal 9") - killed[service]
        assert times == 1, f"{service} was to die once at {seam}, and died {times} times"
    assert done.run["billed_workers"] > 200
