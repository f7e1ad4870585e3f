"""F25: the broker no longer knows a service's password, or shows an expired certificate. Both end the service with a
line that says so. Nothing is lost, and the service continues by itself when the fault is repaired."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from payung.embedded import ports
from payung.installations import Installation
from shared.runtime import app
from tests.authority import Authority
from tests.faults.processes import eventually
from tests.faults.submissions import holds, submit
from tests.faults.world import SERVICES, World

pytestmark = [pytest.mark.connected, pytest.mark.timeout(600)]
USER, PASSWORD = "registration", "sandi-rahasia"
# A service notices silence after a minute; a start retries for the whole retry budget.
ENDS_WITHIN_S = app.RETRY_BUDGET_S + 90


class Guarded(World):
    """A world whose services use a listener with log-ins, over `protocol`."""

    def __init__(self, folder: Path, protocol: str) -> None:
        self._secret: dict[str, str] = {}
        self.keys = folder / "server.pem"
        super().__init__(
            folder,
            kafka_settings={
                "listener.security.protocol.map": f"PLAINTEXT:PLAINTEXT,BEHIND:{protocol},CONTROLLER:PLAINTEXT",
                "sasl.enabled.mechanisms": "SCRAM-SHA-256",
                "listener.name.behind.scram-sha-256.sasl.jaas.config": (
                    "org.apache.kafka.common.security.scram.ScramLoginModule required;"
                ),
            },
        )
        if protocol == "SASL_SSL":
            direct = f"PLAINTEXT://{self.kafka},BEHIND://{ports.HOST}:{self.behind}"
            settings = {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(self.keys),
                # Bypass the proxy: it reads the frames, and TLS hides them.
                "advertised.listeners": direct,
            }
            self.kafka_node = replace(self.kafka_node, settings={**self.kafka_node.settings, **settings})

    def present(self, **environ: str) -> None:
        """Sets the services' log-in from their next start on."""
        self._secret = environ

    @property
    def environ(self) -> dict[str, str]:
        return {**super().environ, **self._secret}

    @property
    def place(self) -> Installation:
        """The tests use a listener without log-ins."""
        found = super().place
        environ = {name: value for name, value in found.environ.items() if name not in self._secret}
        return Installation(found.data_dir, {**environ, "PAYUNG_KAFKA": self.kafka}, found.urls)

    async def user(self, password: str | None) -> None:
        """Makes the user, or removes it."""
        change: UserScramCredentialUpsertion | UserScramCredentialDeletion
        if password is None:
            change = UserScramCredentialDeletion(USER, ScramMechanism.SCRAM_SHA_256)
        else:
            info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096)
            change = UserScramCredentialUpsertion(USER, info, password.encode())
        client = AdminClient({"bootstrap.servers": self.kafka})
        changed = client.alter_user_scram_credentials([change])
        await asyncio.to_thread(lambda: [one.result(30) for one in changed.values()])

    def log(self, name: str) -> str:
        """A service's whole log, of all its processes."""
        return (self.folder / "logs" / f"{name}.log").read_text("utf-8")


@pytest.fixture
def by_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    with Guarded(tmp_path_factory.mktemp("password"), "SASL_PLAINTEXT") as world:
        world.present(PAYUNG_KAFKA_USER=USER, PAYUNG_KAFKA_PASSWORD=PASSWORD)
        yield world


async def _goes_on_when(world: Guarded, codes: list[int], line: str, before: list[str], prefix: str) -> list[str]:
    """Sends records during the fault. No service reads them; both services end with the line. Returns the ids."""
    identifiers = await submit(world, prefix, 50)
    await eventually(lambda: len(codes) >= len(SERVICES), ENDS_WITHIN_S, "both services end")
    for name in SERVICES:
        # Its last line gives the reason.
        ends = [one for one in world.log(name).splitlines() if '"event": "stopped' in one]
        assert ends, world.log(name)[-2_000:]
        assert all(line in one for one in ends), ends
    return before + identifiers


async def test_revoked_credentials(by_password: Guarded) -> None:
    world = by_password
    await world.user(PASSWORD)
    async with world.supervised(*SERVICES) as codes:
        before = await submit(world, "known", 50)
        await holds(world, before)
        assert "SaslAuthenticationFailed" not in world.log("registration")
        await world.user(None)
        # Open connections stay; the fault begins with the next connection, as after a broker's restart.
        world.kafka_proxy.reset()
        sent = await _goes_on_when(world, codes, "SaslAuthenticationFailed", before, "unknown")
        assert PASSWORD not in world.log("registration")
        await world.user(PASSWORD)
        await holds(world, sent, 240)
        assert set(codes) <= {app.EXIT_UNAVAILABLE}


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def by_certificate(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("certificate")
    trusted = folder / "authority.pem"
    authority.publish(trusted)
    authority.issue(folder / "server.pem", days=1)
    with Guarded(folder, "SASL_SSL") as world:
        world.present(
            PAYUNG_KAFKA_USER=USER,
            PAYUNG_KAFKA_PASSWORD=PASSWORD,
            PAYUNG_KAFKA_CA=str(trusted),
            PAYUNG_KAFKA=f"{ports.HOST}:{world.behind}",
        )
        yield world


async def test_a_certificate_that_ran_out(by_certificate: Guarded, authority: Authority) -> None:
    world = by_certificate
    await world.user(PASSWORD)
    async with world.supervised(*SERVICES) as codes:
        before = await submit(world, "valid", 50)
        await holds(world, before)
        await _restarted_with(world, authority, days=-1)
        sent = await _goes_on_when(world, codes, "certificate has expired", before, "expired")
        await _restarted_with(world, authority, days=1)
        await holds(world, sent, 240)
        assert set(codes) <= {app.EXIT_UNAVAILABLE}


async def _restarted_with(world: Guarded, authority: Authority, *, days: int) -> None:
    """The broker reads its certificate when it starts."""
    authority.issue(world.keys, days=days)
    await world.restart("kafka")
