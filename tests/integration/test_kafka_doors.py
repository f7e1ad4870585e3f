"""Every way to log in at a broker, set by environment alone: the service's own publisher and consumer are let in and
have the rights of the table; everybody else is refused, and the operator's line says why.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiokafka.errors import TopicAuthorizationFailedError

from payung.access import table
from payung.access.broker import BrokerAccess
from payung.embedded import jars, kafka, ports
from payung.embedded.process import ProcessSpec
from shared.contracts import topics
from shared.runtime import app
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import refusals, topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.ops.metrics import Metrics
from shared.runtime.records import Message, Record
from tests.authority import Authority
from tests.batches import one_step
from tests.faults.processes import PROJECT, supervised
from tests.issuer import AUDIENCE, CLIENT, ISSUER, SECRET, TestIssuer
from tests.threads import Kept

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

USER, OWN, FOREIGN = "registration", topics.work("registration"), topics.events("billing")
PASSWORD = "sandi-yang-panjang"
# The broker ends a session of a token after this time, at the latest; the client must then show a token again.
SESSION_S = 2
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_BEARER = "org.apache.kafka.common.security.oauthbearer"
_numbers = itertools.count()


@dataclass
class Doors:
    """One broker with a listener for each way to log in, and one without log-ins for the test itself."""

    folder: Path
    authority: Authority = field(default_factory=Authority)
    issuer: TestIssuer = field(default_factory=lambda: TestIssuer(lifetime_s=4))

    def __post_init__(self) -> None:
        self.base = ports.free_base()
        self.ca = str(self.authority.publish(self.folder / "ca.pem"))
        self.authority.issue(self.folder / "server.pem", days=1)
        self.issuer_certificate = self.authority.issue(self.folder / "issuer.pem", days=1)
        self.keys = self.folder / "keys.json"
        self.keys.write_text(json.dumps(self.issuer.keys()))
        self.plain = f"{ports.HOST}:{ports.port(self.base, 'kafka')}"
        self.node = kafka.KafkaNode(
            folder=self.folder / "kafka",
            port=ports.port(self.base, "kafka"),
            controller_port=ports.port(self.base, "kafka-controller"),
            settings=self._settings(),
        )

    def at(self, door: str) -> str:
        """The address of a listener."""
        return f"{ports.HOST}:{self.base + {'password': 51, 'certificate': 52, 'token': 53}[door]}"

    def _settings(self) -> dict[str, str]:
        open_to_all = {"PLAINTEXT": self.plain}
        locked = {one.upper(): self.at(one) for one in ("password", "certificate", "token")}
        advertised = ",".join(f"{name}://{address}" for name, address in {**open_to_all, **locked}.items())
        return {
            "listeners": f"{advertised},CONTROLLER://{ports.HOST}:{ports.port(self.base, 'kafka-controller')}",
            "advertised.listeners": advertised,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PASSWORD:SASL_SSL,"
            "CERTIFICATE:SSL,TOKEN:SASL_SSL",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(self.folder / "server.pem"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.ca,
            "listener.name.password.sasl.enabled.mechanisms": "SCRAM-SHA-512",
            "listener.name.password.scram-sha-512.sasl.jaas.config": _SCRAM,
            "listener.name.certificate.ssl.client.auth": "required",
            # The table's users have plain names; by default a principal is the certificate's whole subject.
            "listener.name.certificate.ssl.principal.mapping.rules": "RULE:^CN=(.*)$/$1/",
            "listener.name.token.sasl.enabled.mechanisms": "OAUTHBEARER",
            "listener.name.token.oauthbearer.sasl.jaas.config": f"{_BEARER}.OAuthBearerLoginModule required;",
            "listener.name.token.oauthbearer.sasl.server.callback.handler.class": (
                f"{_BEARER}.OAuthBearerValidatorCallbackHandler"
            ),
            "listener.name.token.oauthbearer.connections.max.reauth.ms": str(SESSION_S * 1000),
            "sasl.oauthbearer.jwks.endpoint.url": self.keys.as_uri(),
            "sasl.oauthbearer.expected.audience": AUDIENCE,
            "sasl.oauthbearer.expected.issuer": ISSUER,
            "sasl.oauthbearer.clock.skew.seconds": "0",
        }

    def spec(self) -> ProcessSpec:
        """The broker's process; Kafka reads a key set from a file only if that file is allowed."""
        folder = jars.ensure(jars.KAFKA_VERSION, progress=lambda text: None)
        asyncio.run(kafka.prepare(self.node, folder))
        allowed = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={self.keys.as_uri()}"
        found = kafka.spec(self.node, folder, self.folder / "kafka.log")
        return replace(found, env={**os.environ, "JAVA_TOOL_OPTIONS": allowed})

    def by_password(self) -> dict[str, str]:
        """SCRAM-SHA-512 over TLS."""
        login = {"PAYUNG_KAFKA_USER": USER, "PAYUNG_KAFKA_PASSWORD": PASSWORD}
        return self._tls("password") | login | {"PAYUNG_KAFKA_MECHANISM": "SCRAM-SHA-512"}

    def by_certificate(self, authority: Authority | None = None, days: int = 1) -> dict[str, str]:
        """mTLS with a new certificate for the user."""
        name = f"client-{next(_numbers)}.pem"
        file = str((authority or self.authority).issue(self.folder / name, days=days, name=USER))
        return self._tls("certificate") | {"PAYUNG_KAFKA_CERT": file, "PAYUNG_KAFKA_KEY": file}

    def by_token(self, token: str) -> dict[str, str]:
        """OAUTHBEARER with a token from a file."""
        file = self.folder / f"token-{next(_numbers)}"
        file.write_text(token)
        return self._tls("token") | {"PAYUNG_KAFKA_TOKEN_PATH": str(file)}

    def by_issuer(self, url: str) -> dict[str, str]:
        """OAUTHBEARER with tokens from the issuer's endpoint."""
        client = {"PAYUNG_KAFKA_CLIENT_ID": CLIENT, "PAYUNG_KAFKA_CLIENT_SECRET": SECRET}
        return self._tls("token") | client | {"PAYUNG_KAFKA_TOKEN_URL": url, "PAYUNG_KAFKA_TOKEN_CA": self.ca}

    def _tls(self, door: str) -> dict[str, str]:
        return {"PAYUNG_KAFKA": self.at(door), "PAYUNG_KAFKA_CA": self.ca}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    found = Doors(tmp_path_factory.mktemp("doors"))
    spec = found.spec()
    kept = Kept("doors", lambda: supervised(spec))
    kept.open()
    try:
        wanted = [one for one in topics.fixed_topics() if one.name in (OWN, FOREIGN)]
        asyncio.run(topics_admin.apply(found.plain, wanted))
        access = BrokerAccess({"PAYUNG_KAFKA": found.plain})
        access.set_rules(table.users([], table.consumed()))
        access.set_passwords({USER: PASSWORD})
        yield found
    finally:
        kept.close()


class Reading:
    """The service's own consumer, and what it has read."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.values: list[bytes] = []
        self._more = asyncio.Event()
        self._consumer = KafkaConsumer(
            Server(environ), USER, [OWN], *one_step(self._take), self._failed, Metrics(f"doors{next(_numbers)}"), None
        )

    async def __aenter__(self) -> Reading:
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def _take(self, records: Sequence[Record]) -> None:
        self.values += [one.value or b"" for one in records]
        self._more.set()

    @staticmethod
    def _failed(error: BaseException) -> None:
        raise AssertionError(error)

    async def until(self, wanted: set[bytes]) -> None:
        """Waits until all of these were read."""
        async with asyncio.timeout(60):
            while not wanted <= set(self.values):
                await self._more.wait()
                self._more.clear()


async def refused(environ: Mapping[str, str]) -> str:
    """Connects a publisher that the broker refuses, and returns the line for the operator."""
    refusals.listen()
    publisher = KafkaPublisher(Server(environ), "refused")
    try:
        with pytest.raises(Unavailable) as found:
            await publisher.start()
        return str(found.value)
    finally:
        await publisher.stop()


@pytest.mark.parametrize("door", ["password", "certificate", "token"])
async def test_a_service_is_let_in_with_the_rights_of_the_table(doors: Doors, door: str) -> None:
    environ = {
        "password": doors.by_password(),
        "certificate": doors.by_certificate(),
        "token": doors.by_token(doors.issuer.sign(USER, 300)),
    }[door]
    publisher = KafkaPublisher(Server(environ), "doors")
    sent = {f"{door}-{number}".encode() for number in range(20)}
    async with Reading(environ) as reading:
        await publisher.send_all([Message(OWN, one, one) for one in sent])
        await reading.until(sent)
    with pytest.raises(Unavailable) as denied:
        await publisher.send_all([Message(FOREIGN, b"k", b"v")])
    assert isinstance(denied.value.__cause__, TopicAuthorizationFailedError)
    await publisher.stop()


async def test_tokens_are_renewed_while_a_service_works(doors: Doors) -> None:
    """Each token lives for 4 s, and the broker ends each session after 2 s."""
    with doors.issuer.served(doors.issuer_certificate) as url:
        environ = doors.by_issuer(url)
        publisher = KafkaPublisher(Server(environ), "doors")
        sent: set[bytes] = set()
        before = doors.issuer.asked
        async with Reading(environ) as reading:
            while doors.issuer.asked < before + 8:
                more = {f"renewed-{len(sent) + number}".encode() for number in range(5)}
                # The shell sends a batch again when its connection broke.
                async with asyncio.timeout(30):
                    while True:
                        try:
                            await publisher.send_all([Message(OWN, one, one) for one in more])
                            break
                        except Unavailable:
                            continue
                sent |= more
                await reading.until(sent)
        await publisher.stop()


async def test_a_refused_client_is_logged_with_the_reason(doors: Doors) -> None:
    stranger, other_issuer = Authority(), TestIssuer()
    elsewhere = str(stranger.publish(doors.folder / "elsewhere.pem"))
    without = {name: one for name, one in doors.by_certificate().items() if not name.endswith(("_CERT", "_KEY"))}
    cases: dict[str, tuple[Mapping[str, str], str]] = {
        "wrong password": ({**doors.by_password(), "PAYUNG_KAFKA_PASSWORD": "salah"}, "SaslAuthenticationFailed"),
        "another mechanism": (
            {**doors.by_password(), "PAYUNG_KAFKA_MECHANISM": "SCRAM-SHA-256"},
            "UnsupportedSaslMechanism",
        ),
        "wrong CA": ({**doors.by_password(), "PAYUNG_KAFKA_CA": elsewhere}, "CERTIFICATE_VERIFY_FAILED"),
        "a stranger's certificate": (doors.by_certificate(stranger), "ALERT"),
        "an expired certificate": (doors.by_certificate(days=-1), "ALERT"),
        "no certificate": ({**without, "PAYUNG_KAFKA_AUTH": "none"}, "CERTIFICATE_REQUIRED|ALERT"),
        "an expired token": (doors.by_token(doors.issuer.sign(USER, -10)), "the broker refuses the token"),
        "a foreign token": (doors.by_token(other_issuer.sign(USER, 300)), "the broker refuses the token"),
        "a token for others": (doors.by_token(doors.issuer.sign(USER, 300, "lain")), "the broker refuses the token"),
        "no token": (doors.by_issuer("https://127.0.0.1:1/token"), "the issuer of Kafka's tokens gave none"),
    }
    for name, (environ, why) in cases.items():
        refusals._listener.last = None
        line = await refused(environ)
        assert any(one in line for one in why.split("|")), (name, line)
        assert not [one for one in (PASSWORD, SECRET, "salah", "eyJ") if one in line], name


WRONG: tuple[dict[str, str], ...] = (
    {"PAYUNG_KAFKA_CA": "ca.pem"},
    {"PAYUNG_KAFKA_USER": "registration", "PAYUNG_KAFKA_MECHANISM": "SCRAM-SHA-512"},
    {"PAYUNG_KAFKA_USER": "u", "PAYUNG_KAFKA_PASSWORD": "rahasia", "PAYUNG_KAFKA_TOKEN_PATH": "ca.pem"},
    {"PAYUNG_KAFKA_CERT": "ca.pem", "PAYUNG_KAFKA_KEY": "ca.pem"},
    {"PAYUNG_KAFKA_CA": "none.pem", "PAYUNG_KAFKA_USER": "u", "PAYUNG_KAFKA_PASSWORD": "rahasia"},
)


def test_a_service_refuses_settings_that_would_be_ignored(tmp_path: Path) -> None:
    """The other combinations: tests/unit/runtime/test_kafka_security.py."""
    Authority().publish(tmp_path / "ca.pem")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PAYUNG_")}
    keys = {"PAYUNG_FIELD_KEYS": "k1:" + "QkJC" * 10 + "QkI=", "PAYUNG_AUTH": "none"}
    environ = {**inherited, **keys, "PYTHONPATH": str(PROJECT), "PAYUNG_LOG": "json"}
    started = []
    for wrong in WRONG:
        settings = {name: str(tmp_path / one) if one.endswith(".pem") else one for name, one in wrong.items()}
        command = [sys.executable, "-P", "-m", "services.reporting"]
        out, given = subprocess.PIPE, {**environ, **settings}
        started.append(subprocess.Popen(command, env=given, stdout=out, stderr=subprocess.STDOUT, text=True))
    for process in started:
        said, _ = process.communicate(timeout=120)
        assert process.returncode == app.EXIT_REFUSED, said
        assert "refused to start" in said
        assert "kafka" in said.casefold()
        assert "rahasia" not in said
