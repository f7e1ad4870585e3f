"""Keys: rotated while the services run, counted, removed. With keys of another store no service starts."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections.abc import Iterator

import pytest

from payung import keys
from payung.embedded.data import keys_of
from payung.place import CommandError
from shared.runtime.app import EXIT_REFUSED
from tests.faults.harness import Installation
from tests.faults.processes import eventually
from tests.faults.world import KEYS, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
OTHER = base64.b64encode(b"another key of thirty-two bytes!").decode()


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("otherkeys")) as world:
        yield world


@pytest.mark.ci
async def test_other_keys_than_the_stores_start_nothing(world: World) -> None:
    service = world.start("registration")
    await eventually(service.ready, 60, "ready")
    assert await service.stop() == 0
    wrong = {
        "PAYUNG_ID_KEY is not the key that this store was written with": {"PAYUNG_ID_KEY": OTHER},
        "the key named k1 is not the one that this store was written with": {"PAYUNG_FIELD_KEYS": f"k1:{OTHER}"},
        "documents are still sealed with k1": {"PAYUNG_FIELD_KEYS": f"k2:{OTHER}"},
    }
    for line, environ in wrong.items():
        refused = world.start("registration", **environ)
        assert await refused.exit_code(60) == EXIT_REFUSED
        [why] = [one["why"] for text in refused.said().splitlines() if (one := json.loads(text)).get("why")]
        assert line in why
        assert OTHER[:6] not in refused.said()
    again = world.start("registration", PAYUNG_FIELD_KEYS=f"k2:{OTHER},{KEYS['PAYUNG_FIELD_KEYS']}")
    await eventually(again.ready, 60, "a new key in front is taken")


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with Installation(tmp_path_factory.mktemp("rotated")) as installation:
        yield installation


async def test_a_rotation_under_load_that_is_killed_goes_on_and_loses_nothing(installation: Installation) -> None:
    said: list[str] = []
    place = installation.place
    before = keys_of(json.loads((place.data_dir / "keys.json").read_text())).field_keys
    async with installation.loading(600, claims=1):
        first = asyncio.create_task(keys.rotate(place, said.append))
        await eventually(lambda: any("documents" in one for one in said), 60, "one service is sealed anew")
        first.cancel()
        await asyncio.wait({first})
        with pytest.raises(CommandError, match="still needed, so nothing was taken away"):
            keys.retire(place, {one.service: one.left for one in await keys.look(place)})
        await installation.replaced("claims", installation.signal("claims"))
        await keys.rotate(place, said.append)
    await installation.holds()
    # A batch in progress when the service took the new key may still be sealed with the old key.
    await keys.rotate(place, said.append)
    found = await keys.look(place)
    assert {one.service: (one.sealing, dict(one.left), one.trouble) for one in found} == {
        name: ("k2", {"k1": 0}, "") for name in before
    }
    gone = keys.retire(place, {one.service: one.left for one in found})
    assert sorted(gone) == sorted(f"{name}/k1" for name in before)
    after = keys_of(json.loads((place.data_dir / "keys.json").read_text())).field_keys
    assert len(set(after.values())) == 5
    assert not any(text.split(":", 1)[1] in new for text in before.values() for new in after.values())
    for service in before:
        await installation.replaced(service, installation.signal(service, signal.SIGTERM))
    await installation.load(60)
    await installation.holds()
    assert all(one.sealing == "k2" and not any(one.left.values()) for one in await keys.look(place))
