"""Keys and log-ins, rotated while the services run. With keys of another store no service starts."""

from __future__ import annotations

import asyncio
import base64
import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from payung import keys
from payung.access import commands, files
from payung.access.table import agency_name
from payung.embedded.data import keys_of
from payung.installations import CommandError
from shared.runtime.app import EXIT_REFUSED
from shared.runtime.kafka.server import Server
from shared.runtime.ops import credentials
from shared.runtime.store import login
from tests.faults.harness import AGENCY, REGENCY, FaultInstallation
from tests.faults.processes import eventually
from tests.faults.world import KEYS, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
OTHER = base64.b64encode(b"another key of thirty-two bytes!").decode()
REFUSED = "PAYUNG_ID_KEY is not the key that registration makes worker ids with"


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("otherkeys")) as world:
        yield world


@pytest.mark.ci
async def test_no_service_starts_with_other_keys_than_its_store(world: World) -> None:
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


@pytest.mark.ci
async def test_claims_waits_for_registrations_key_and_neither_begins_with_another(world: World) -> None:
    wrong = world.start("claims", PAYUNG_ID_KEY=OTHER)
    await eventually(lambda: "no service has said on registration-key-check yet" in wrong.said(), 60, "it waits")
    assert not await wrong.ready()
    (registration,) = await world.start_ready("registration")
    assert await wrong.exit_code(120) == EXIT_REFUSED
    assert REFUSED in wrong.said()
    assert not [one for one in (OTHER[:6], KEYS["PAYUNG_ID_KEY"][:6]) if one in wrong.said()]
    # The refused process has left nothing in the new store that would keep out the right key.
    (right,) = await world.start_ready("claims")
    # Registration on a new store: with another key every known worker would get a second id.
    assert await registration.stop() == 0
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(world.mongo_url)
    await client.drop_database("payung_registration")
    await client.close()
    begun = world.start("registration", PAYUNG_ID_KEY=OTHER)
    assert await begun.exit_code(120) == EXIT_REFUSED
    assert "PAYUNG_ID_KEY is not the key that the worker ids in Kafka were made with" in begun.said()
    assert OTHER[:6] not in begun.said()
    await world.start_ready("registration")
    assert await right.ready()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultInstallation]:
    with FaultInstallation(tmp_path_factory.mktemp("rotated")) as installation:
        yield installation


async def test_a_killed_rotation_under_load_continues_and_loses_nothing(installation: FaultInstallation) -> None:
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


SERVICE, SENDER = "registration", agency_name(REGENCY, AGENCY)
AUTHENTICATION_FAILED = 18


def _log_in(installation: FaultInstallation, user: str) -> dict[str, str]:
    """The environment of a client with the user's present log-in, kept as values: the file changes later."""
    folder = installation.place.credentials
    assert folder is not None
    found = credentials.read(files.Files(folder).names()[user])
    return {
        "PAYUNG_KAFKA": installation.kafka,
        "PAYUNG_KAFKA_USER": found.user,
        "PAYUNG_KAFKA_PASSWORD": found.password,
    }


async def _connects(environ: dict[str, str]) -> None:
    """Raises when the broker refuses the log-in."""
    producer = AIOKafkaProducer(**Server(environ).options())
    try:
        await producer.start()
    finally:
        await producer.stop()


async def _opens(url: str) -> None:
    """Raises when the database refuses the log-in."""
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(url)
    try:
        await client.payung_registration.command("ping")
        await client.payung_registration.list_collection_names()
    finally:
        await client.close()


async def test_log_ins_rotated_under_load_lose_nothing_and_the_old_ones_are_refused(
    installation: FaultInstallation,
) -> None:
    place, file = installation.place, installation.environment(SERVICE)
    store_before = login.url(file)
    await _opens(store_before)
    async with installation.loading(400, claims=1) as load:
        before = {name: _log_in(installation, name) for name in (SERVICE, SENDER)}
        pid = installation.pid(SERVICE)
        assert pid is not None
        await commands.rotate(place, SENDER)
        await commands.rotate(place, SERVICE)
        assert not load.done(), "the load ended before the rotation"
        await installation.replaced(SERVICE, pid)
        # The agency sends its next list with the new password while the first list is in progress.
        again = await installation.load(100, bill=False)
        assert again.outcomes["registered"] == 90
    await installation.holds()
    assert installation.deaths(SERVICE)[-1] == "exit 0"
    for name, old in before.items():
        new = _log_in(installation, name)
        await _connects(new)
        with pytest.raises((KafkaConnectionError, SaslAuthenticationFailed)):
            await _connects(old)
        assert not [one for one in (old, new) if one["PAYUNG_KAFKA_PASSWORD"] in installation.log(SERVICE)]
    with pytest.raises(OperationFailure) as refused:
        await _opens(store_before)
    assert refused.value.code == AUTHENTICATION_FAILED
    await _opens(login.url(file))
