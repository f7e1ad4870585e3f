"""Rights at the real broker and the real database of `payung up`: of strangers, agencies, people and services."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    for_code,
)
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException
from confluent_kafka import TopicPartition as LibrdkafkaPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stub names them in a private module
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    ResourcePatternType,
    ResourceType,
)
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from payung import installations
from payung.access import commands, table
from payung.access.broker import BrokerAccess
from payung.access.files import INTERNAL
from payung.access.table import Grant, User
from payung.embedded import kafka, ports
from payung.embedded.stack import Stack, StackConfig
from payung.installations import Installation
from shared.contracts import topics
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import security as kafka_security
from shared.runtime.kafka import small_topic, topics_admin
from shared.runtime.kafka.server import Server
from shared.runtime.ops import credentials
from shared.runtime.store import login as mongo_login
from tests.faults.processes import eventually
from tests.threads import Kept

pytestmark = [pytest.mark.connected, pytest.mark.timeout(240)]

DINSOS, DESA = topics.registration_intake("64.08", "dinsos"), topics.registration_intake("64.08", "desa")
FEEDBACK = topics.feedback("64.08", "dinsos")
UNAUTHORIZED, AUTHENTICATION_FAILED = 13, 18
# Every connection of these tests is closed this often, so they also show that our clients work on without loss.
LOG_IN_ENDS_MS = 5_000
ALLOW = AclPermissionType.ALLOW


@dataclass(frozen=True, slots=True)
class GuardedInstallation:
    """`payung up` without its services."""

    folder: Path

    @property
    def at(self) -> Installation:
        """The installation as a command finds it now."""
        return installations.find(self.folder)

    def environ(self, user: str) -> dict[str, str]:
        """The environment with a user's log-in file."""
        folder = self.at.credentials
        assert folder is not None
        file = folder / INTERNAL / user / f"{user}.json" if user in topics.SERVICES else folder / f"{user}.json"
        return {credentials.VARIABLE: str(file)}

    def options(self, user: str) -> dict[str, Any]:
        return Server(self.environ(user)).options()

    def audit(self) -> str:
        """The broker's log."""
        return (self.folder / "logs" / "kafka.log").read_text("utf-8", "replace")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedInstallation]:
    folder = tmp_path_factory.mktemp("locked")
    config = StackConfig(data_dir=folder, port_base=ports.free_base(), services=(), stand_ins=(), environment={})
    kept = Kept("locked servers", lambda: Stack(config, topics_admin.apply))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kafka, "LOG_IN_ENDS_MS", LOG_IN_ENDS_MS)
        kept.open()
    try:
        yield GuardedInstallation(folder)
    finally:
        kept.close()


async def write(options: Mapping[str, Any], topic: str) -> None:
    producer = AIOKafkaProducer(**options, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"{}", key=b"k")
    finally:
        await producer.stop()


async def read(options: Mapping[str, Any], topic: str, group: str | None = None) -> int:
    """The number of records in the topic's first partition; with a group it also tries to commit."""
    consumer = AIOKafkaConsumer(
        **options, group_id=group, enable_auto_commit=False, auto_offset_reset="earliest", request_timeout_ms=10_000
    )
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        found = await consumer.getmany(partition, timeout_ms=2_000)
        if group is not None:
            await consumer.commit({partition: 0})
        return len(found.get(partition, []))
    finally:
        await consumer.stop()


async def may_write(servers: GuardedInstallation, user: str) -> bool:
    try:
        await write(servers.options(user), DINSOS)
    except TopicAuthorizationFailedError:
        return False
    return True


async def may_not_write(servers: GuardedInstallation, user: str) -> bool:
    return not await may_write(servers, user)


async def create(options: Mapping[str, Any], topic: str) -> type[Exception]:
    admin = AIOKafkaAdminClient(**options)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name=topic, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()
    found: type[Exception] = for_code(answer.topic_errors[0][1])
    return found


# -- strangers --------------------------------------------------------------------------------------------------------


async def test_a_client_without_a_log_in_is_refused(servers: GuardedInstallation) -> None:
    with pytest.raises((KafkaConnectionError, KafkaError)):
        await write({"bootstrap_servers": servers.at.environ["PAYUNG_KAFKA"]}, DINSOS)


async def test_a_wrong_password_is_refused_and_logged_by_the_broker(servers: GuardedInstallation) -> None:
    options = {**servers.options("64.08-dinsos"), "sasl_plain_password": "salah"}
    with pytest.raises((KafkaConnectionError, KafkaError)):
        await write(options, DINSOS)
    assert "Failed authentication" in servers.audit()


async def test_the_controller_listener_requires_a_log_in(servers: GuardedInstallation) -> None:
    port = int(servers.at.environ["PAYUNG_KAFKA"].rsplit(":", 1)[1]) + 1
    with pytest.raises((KafkaConnectionError, KafkaError)):
        await write({"bootstrap_servers": f"127.0.0.1:{port}"}, DINSOS)


# -- agencies ---------------------------------------------------------------------------------------------------------


async def test_an_agency_writes_its_intake_and_reads_its_answers_by_its_own_groups(
    servers: GuardedInstallation,
) -> None:
    options = servers.options("64.08-dinsos")
    await write(options, DINSOS)
    await write(servers.options("registration"), FEEDBACK)
    for group in ("64.08-dinsos", "64.08-dinsos.laporan"):
        assert await read(options, FEEDBACK, group) >= 1


@pytest.mark.parametrize(
    "topic",
    [
        DESA,
        topics.claims_intake("64.08", "distransnaker"),
        FEEDBACK,
        topics.BILLING_INTAKE,
        topics.VERIFICATION_INTAKE,
        topics.IDENTITY_CHECKS,
        topics.work("claims"),
        topics.events("billing"),
        topics.dead_letters("registration"),
        topics.REPORTING_COVERAGE,
    ],
)
async def test_an_agency_writes_to_no_other_topic(servers: GuardedInstallation, topic: str) -> None:
    with pytest.raises(TopicAuthorizationFailedError):
        await write(servers.options("64.08-dinsos"), topic)
    assert "Principal = User:64.08-dinsos is Denied" in servers.audit()


@pytest.mark.parametrize(
    "topic",
    [
        DINSOS,
        topics.feedback("64.08", "desa"),
        topics.feedback("64.02", "dinsos"),
        *(topics.events(one) for one in ("registration", "verification", "billing", "claims")),
        topics.IDENTITY_CHECKS,
        topics.dead_letters("registration"),
        topics.REPORTING_COVERAGE,
    ],
)
async def test_an_agency_reads_nothing_else(servers: GuardedInstallation, topic: str) -> None:
    consumer = AIOKafkaConsumer(topic, **servers.options("64.08-dinsos"), group_id="64.08-dinsos.pengintip")

    async def look() -> None:
        await consumer.start()
        await consumer.getone()

    with pytest.raises(TopicAuthorizationFailedError):
        await asyncio.wait_for(look(), 20)
    await consumer.stop()


@pytest.mark.parametrize("group", ["payung-registration", "64.08-desa", "64.08-dinsos-lain", "anything"])
async def test_an_agency_has_only_groups_of_its_own_name(servers: GuardedInstallation, group: str) -> None:
    with pytest.raises(GroupAuthorizationFailedError):
        await read(servers.options("64.08-dinsos"), FEEDBACK, group)


@pytest.mark.parametrize("user", ["64.08-dinsos", "treasury-64.08", "officer", "registration", "reporting"])
async def test_nobody_but_the_operator_makes_topics(servers: GuardedInstallation, user: str) -> None:
    assert "AuthorizationFailed" in (await create(servers.options(user), f"claims-intake-6408-{user}")).__name__


@pytest.mark.parametrize("user", ["64.08-dinsos", "treasury-64.08", "officer"])
def test_nobody_outside_administers_anything(servers: GuardedInstallation, user: str) -> None:
    """This includes the group of a service: an outsider who moved its offsets would repeat or lose records."""
    quiet = {"socket.timeout.ms": 10_000, "log_level": 0}
    client = AdminClient({**kafka_security.read(servers.environ(user)).librdkafka(), **quiet})
    mine, group = TopicPartition(DINSOS, 0), "payung-registration"
    place = LibrdkafkaPartition(DINSOS, 0, 0)
    setting = ConfigEntry("retention.ms", "1", incremental_operation=AlterConfigOpType.SET)
    own = ConfigResource(ConfigResource.Type.TOPIC, DINSOS, incremental_configs=[setting])
    rule = AclBinding(
        ResourceType.TOPIC, DINSOS, ResourcePatternType.LITERAL, f"User:{user}", "*", AclOperation.ALL, ALLOW
    )
    moved = ConsumerGroupTopicPartitions(group, [place])
    tried: dict[str, Callable[[], Mapping[Any, Any]]] = {
        "delete a topic": lambda: client.delete_topics([mine.topic]),
        "add partitions": lambda: client.create_partitions([NewPartitions(mine.topic, 9)]),
        "change a setting": lambda: client.incremental_alter_configs([own]),
        "see a setting": lambda: client.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, DINSOS)]),
        "see the broker's settings": lambda: client.describe_configs([ConfigResource(ConfigResource.Type.BROKER, "1")]),
        "make a rule": lambda: client.create_acls([rule]),
        "see a group": lambda: client.describe_consumer_groups([group]),
        "see a group's offsets": lambda: client.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]),
        "move a group's offsets": lambda: client.alter_consumer_group_offsets([moved]),
        "delete a group": lambda: client.delete_consumer_groups([group]),
    }
    for what, call in tried.items():
        (answer,) = call().values()
        with pytest.raises(KafkaException) as refused:
            answer.result(20)
        assert refused.value.args[0].name().endswith("AUTHORIZATION_FAILED"), what
    groups = {one.group_id for one in client.list_consumer_groups().result(20).valid}
    assert {one for one in groups if one != user and not one.startswith(f"{user}.")} == set()
    seen = set(client.list_topics(timeout=20).topics)
    assert {one for one in seen if "-work" in one or "-dlq" in one or one == topics.IDENTITY_CHECKS} == set()


async def test_nobody_outside_writes_in_transactions(servers: GuardedInstallation) -> None:
    """A transaction that is left open would hold back readers of the topic."""
    for name in ("64.08-dinsos", "payung-registration"):
        producer = AIOKafkaProducer(**servers.options("64.08-dinsos"), transactional_id=name)
        with pytest.raises(TransactionalIdAuthorizationFailed):
            await asyncio.wait_for(producer.start(), 20)
        await producer.stop()


# -- people and services ----------------------------------------------------------------------------------------------


async def test_treasury_and_officers_write_their_commands_and_read_their_answers(servers: GuardedInstallation) -> None:
    await write(servers.options("treasury-64.08"), topics.BILLING_INTAKE)
    await read(servers.options("treasury-64.08"), topics.events("billing"), "treasury-64.08.bank")
    await write(servers.options("officer"), topics.VERIFICATION_INTAKE)
    await read(servers.options("officer"), topics.events("verification"))
    for user, topic in (("treasury-64.08", topics.VERIFICATION_INTAKE), ("officer", topics.BILLING_INTAKE)):
        with pytest.raises(TopicAuthorizationFailedError):
            await write(servers.options(user), topic)


async def test_a_service_writes_no_other_services_topics(servers: GuardedInstallation) -> None:
    for service in topics.SERVICES:
        own = {one.name for one in topics.fixed_topics() if service in one.producer.split(", ")}
        for one in sorted(own):
            await write(servers.options(service), one)
        others = {topics.work(one) for one in topics.SERVICES} | {topics.events("billing"), topics.IDENTITY_CHECKS}
        for one in sorted(others - own):
            with pytest.raises(TopicAuthorizationFailedError):
                await write(servers.options(service), one)
        with pytest.raises(GroupAuthorizationFailedError):
            await read(servers.options(service), topics.work(service) if own else DINSOS, "payung-someone")


async def test_claims_reads_the_key_check_of_registration_and_cannot_publish_one(servers: GuardedInstallation) -> None:
    await write(servers.options("registration"), topics.REGISTRATION_KEY_CHECK)
    for service in ("registration", "claims"):
        [record, *_] = await small_topic.read(Server(servers.environ(service)), topics.REGISTRATION_KEY_CHECK)
        assert record.key == b"k"
    with pytest.raises(TopicAuthorizationFailedError):
        await write(servers.options("claims"), topics.REGISTRATION_KEY_CHECK)
    with pytest.raises(Unavailable):
        await small_topic.read(Server(servers.environ("billing")), topics.REGISTRATION_KEY_CHECK)


async def test_a_service_opens_its_own_database_and_no_other(servers: GuardedInstallation) -> None:
    environ = {**servers.environ("billing"), "PAYUNG_MONGO_URL": _bare(servers)}
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_login.url(environ))
    try:
        await client["payung_billing"]["probe"].insert_one({"_id": "mine"})
        for other in ("payung_registration", "payung_claims", "admin", "local"):
            with pytest.raises(OperationFailure) as refused:
                await client[other]["workers"].find_one({})
            assert refused.value.code == UNAUTHORIZED
        with pytest.raises(OperationFailure):
            await client["payung_claims"]["probe"].insert_one({"_id": "not mine"})
    finally:
        await client.close()


async def test_a_service_has_no_right_beside_its_database(servers: GuardedInstallation) -> None:
    environ = {**servers.environ("billing"), "PAYUNG_MONGO_URL": _bare(servers)}
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_login.url(environ))
    admin, own = client.admin, client["payung_billing"]
    other = {"db": "payung_claims", "coll": "claims"}
    tried: list[tuple[Any, dict[str, Any]]] = [
        (admin, {"usersInfo": {"forAllDBs": True}}),
        (admin, {"grantRolesToUser": "billing", "roles": ["root"]}),
        (admin, {"updateUser": "billing", "pwd": "lain"}),
        (own, {"createUser": "x", "pwd": "x", "roles": []}),
        (admin, {"getLog": "global"}),
        (admin, {"currentOp": 1, "$all": True}),
        (admin, {"getParameter": "*"}),
        (admin, {"shutdown": 1}),
        (admin, {"renameCollection": "payung_billing.probe", "to": "payung_claims.probe"}),
        (own, {"aggregate": "probe", "pipeline": [{"$out": other}], "cursor": {}}),
        (own, {"aggregate": "probe", "pipeline": [{"$merge": {"into": other}}], "cursor": {}}),
        (admin, {"aggregate": 1, "pipeline": [{"$changeStream": {"allChangesForCluster": True}}], "cursor": {}}),
        (client["payung_claims"], {"dbStats": 1}),
        (client["payung_neu"], {"insert": "x", "documents": [{}]}),
    ]
    try:
        await own["probe"].insert_one({"n": 1})
        for database, command in tried:
            with pytest.raises(OperationFailure) as refused:
                await database.command(command)
            assert refused.value.code == UNAUTHORIZED, command
        assert [one["name"] async for one in await client.list_databases()] == ["payung_billing"]
        with pytest.raises(OperationFailure, match=r"\$where|[Jj]ava[Ss]cript|scripting"):
            await own["probe"].find_one({"$where": "while (true) {}"}, max_time_ms=5_000)
    finally:
        await client.close()


async def test_the_database_lets_nobody_in_without_the_right_password(servers: GuardedInstallation) -> None:
    bare: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(_bare(servers))
    wrong: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        mongo_login.with_login(_bare(servers), "operator", "salah", None)
    )
    try:
        for client, code in ((bare, UNAUTHORIZED), (wrong, AUTHENTICATION_FAILED)):
            with pytest.raises(OperationFailure) as refused:
                await client["payung_billing"]["probe"].find_one({})
            assert refused.value.code == code
    finally:
        await bare.close()
        await wrong.close()


def _bare(servers: GuardedInstallation) -> str:
    scheme, _, rest = servers.at.environ["PAYUNG_MONGO_URL"].partition("://")
    return f"{scheme}://{rest.partition('@')[2].partition('&authSource')[0]}"


# -- the operator's commands ------------------------------------------------------------------------------------------


async def test_files_are_for_their_owner_only(servers: GuardedInstallation) -> None:
    folder = servers.at.credentials
    assert folder is not None
    found = [folder, *folder.rglob("*")]
    assert len(found) > 20
    for one in found:
        assert stat.S_IMODE(one.stat().st_mode) == (0o700 if one.is_dir() else 0o600), one
    assert set(json.loads((folder / "64.08-dinsos.json").read_text())) == {"bootstrap", "mechanism", "user", "password"}


async def test_a_further_agency_has_its_own_log_in(servers: GuardedInstallation) -> None:
    wanted = topics.agency_topics("64.08", "pertanian", claims=False)
    await topics_admin.apply(wanted=wanted, environ=servers.at.environ)
    login = await commands.admit(servers.at, "64.08", "pertanian", wanted)
    assert login is not None
    assert login.is_file()
    await write(servers.options("64.08-pertanian"), topics.registration_intake("64.08", "pertanian"))
    with pytest.raises(TopicAuthorizationFailedError):
        await write(servers.options("64.08-pertanian"), DINSOS)


async def test_a_rotated_password_works_and_the_old_one_is_refused(servers: GuardedInstallation) -> None:
    before = servers.options("64.02-desa")
    await commands.rotate(servers.at, "64.02-desa")
    await write(servers.options("64.02-desa"), topics.registration_intake("64.02", "desa"))
    with pytest.raises((KafkaConnectionError, KafkaError)):
        await write(before, topics.registration_intake("64.02", "desa"))


async def test_a_rotation_ends_the_open_connections_of_the_old_password(servers: GuardedInstallation) -> None:
    intake, answers = topics.registration_intake("64.02", "perikanan"), topics.feedback("64.02", "perikanan")
    before = servers.options("64.02-perikanan")
    writer = AIOKafkaProducer(**before, acks="all", request_timeout_ms=3_000)
    reader = AIOKafkaConsumer(**before, enable_auto_commit=False)
    await writer.start()
    await reader.start()
    reader.assign([TopicPartition(answers, 0)])

    async def shut_out() -> bool:
        try:
            await writer.send_and_wait(intake, b"{}")
            return False
        except KafkaError:
            return True

    async def reads_nothing() -> bool:
        try:
            await asyncio.wait_for(reader.end_offsets([TopicPartition(answers, 0)]), 3)
            return False
        except (KafkaError, TimeoutError):
            return True

    try:
        # Until the password is rotated, a connection that the broker closed is opened again without loss.
        until = asyncio.get_running_loop().time() + 2 * LOG_IN_ENDS_MS / 1000
        while asyncio.get_running_loop().time() < until:
            assert not await shut_out()
            assert not await reads_nothing()
        await commands.rotate(servers.at, "64.02-perikanan")
        await eventually(shut_out, 20, "the old password writes nothing more")
        await eventually(reads_nothing, 20, "the old password reads nothing more")
    finally:
        await writer.stop()
        await reader.stop()
    await write(servers.options("64.02-perikanan"), intake)


async def test_the_operators_own_password_is_rotated_at_both_servers(servers: GuardedInstallation) -> None:
    before = servers.at
    await commands.rotate(before, "operator")
    assert servers.at.environ["PAYUNG_MONGO_URL"] != before.environ["PAYUNG_MONGO_URL"]
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(servers.at.environ["PAYUNG_MONGO_URL"])
    try:
        await client.admin.command("replSetGetStatus")
    finally:
        await client.close()
    assert await topics_admin.partitions(Server(servers.at.environ), [DINSOS]) == {DINSOS: 3}


async def test_rules_missing_in_the_table_are_removed(servers: GuardedInstallation) -> None:
    broker = BrokerAccess(servers.at.environ)
    broker.set_rules([User(name="64.02-dinsos", grants=frozenset({Grant("topic", DINSOS, "write")}))])
    # A broker learns of a new rule a moment later.
    await eventually(lambda: may_write(servers, "64.02-dinsos"), 20, "the rule holds")
    await commands.apply(servers.at)
    await eventually(lambda: may_not_write(servers, "64.02-dinsos"), 20, "the rule is gone")
    assert broker.set_rules(table.users(broker.topics(), table.consumed())) == (0, 0)
