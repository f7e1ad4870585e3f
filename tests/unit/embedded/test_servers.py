"""Choosing and configuring the servers, without starting one."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from payung.embedded import kafka, mongo, ports, servers
from payung.embedded.console import Console
from payung.embedded.errors import LaunchError
from payung.embedded.kafka import KafkaNode
from payung.embedded.mongo import MongoNode
from payung.embedded.supervisor import Supervisor


def settings(node: KafkaNode) -> dict[str, str]:
    return dict(line.split("=", 1) for line in kafka.properties(node, Path("/data/log")).splitlines())


def test_broker_listens_on_loopback_only_and_makes_no_topics(tmp_path: Path) -> None:
    found = settings(KafkaNode(folder=tmp_path, port=8192, controller_port=8193))
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:8192,CONTROLLER://127.0.0.1:8193"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:8192"
    assert found["auto.create.topics.enable"] == "false"
    assert found["log.message.timestamp.type"] == "LogAppendTime"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:8193"


def test_broker_of_a_cluster_names_all_voters_and_replicates(tmp_path: Path) -> None:
    voters = ("1@127.0.0.1:8193", "2@127.0.0.1:8293", "3@127.0.0.1:8393")
    found = settings(
        KafkaNode(folder=tmp_path, port=8292, controller_port=8293, node_id=2, replication=3, voters=voters)
    )
    assert found["node.id"] == "2"
    assert found["controller.quorum.voters"] == ",".join(voters)
    assert (found["default.replication.factor"], found["min.insync.replicas"]) == ("3", "2")


def test_three_servers_of_a_kind_know_each_other_and_share_one_cluster(tmp_path: Path) -> None:
    brokers = servers.kafka_nodes(tmp_path, 8100, 3)
    assert [one.port for one in brokers] == [8192, 8194, 8196]
    assert {one.voters for one in brokers} == {("1@127.0.0.1:8193", "2@127.0.0.1:8195", "3@127.0.0.1:8197")}
    assert len({one.cluster for one in brokers}) == 1
    assert {one.cluster for one in servers.kafka_nodes(tmp_path, 8100, 3)} == {brokers[0].cluster}, "kept"
    members = servers.mongo_nodes(tmp_path, 8100, 3)
    assert [one.folder.name for one in members] == ["mongo", "mongo-2", "mongo-3"]
    assert {one.members for one in members} == {("127.0.0.1:8117", "127.0.0.1:8118", "127.0.0.1:8119")}


def test_one_server_of_a_kind_is_as_before_and_two_are_refused(tmp_path: Path) -> None:
    (broker,) = servers.kafka_nodes(tmp_path, 8100, 1)
    assert (broker.port, broker.voters, broker.cluster) == (8192, (), None)
    assert servers.embedded_ports({}) == ["kafka", "kafka-controller", "mongo"]
    with pytest.raises(LaunchError, match="not 2"):
        servers.mongo_nodes(tmp_path, 8100, 2)


def test_settings_of_a_node_win_over_payungs_own() -> None:
    node = KafkaNode(folder=Path("/data"), port=8192, controller_port=8193, settings={"message.max.bytes": "1000"})
    assert settings(node)["message.max.bytes"] == "1000"


def test_cluster_ids_differ_and_never_look_like_an_option() -> None:
    made = {kafka._cluster_id() for _ in range(200)}
    assert len(made) == 200
    assert all(len(one) == 22 and not one.startswith("-") for one in made)


def test_replica_set_url_names_every_member(tmp_path: Path) -> None:
    assert MongoNode(folder=tmp_path, port=8117).url == "mongodb://127.0.0.1:8117/?replicaSet=rs0"
    two = MongoNode(folder=tmp_path, port=8117, members=("127.0.0.1:8117", "127.0.0.1:8217"))
    assert two.url == "mongodb://127.0.0.1:8117,127.0.0.1:8217/?replicaSet=rs0"


def test_mongod_on_the_path_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "mongod"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert mongo.find_mongod(tmp_path) == own


def test_shipped_mongod_gets_its_run_bit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "mongod"
    shipped.write_text("#!/bin/sh\n")
    shipped.chmod(0o644)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(mongo, "_of_wheel", lambda: shipped)
    assert mongo.find_mongod(tmp_path / "cache") == shipped
    assert shipped.stat().st_mode & 0o111 == 0o111


def test_shipped_mongod_in_a_read_only_place_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = tmp_path / "mongod"
    shipped.write_text("#!/bin/sh\n")
    shipped.chmod(0o644)

    def refuse(self: Path, mode: int) -> None:
        if self == shipped:
            raise PermissionError
        chmod(self, mode)

    chmod = Path.chmod
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(mongo, "_of_wheel", lambda: shipped)
    monkeypatch.setattr(Path, "chmod", refuse)
    found = mongo.find_mongod(tmp_path / "cache")
    assert found.parent == tmp_path / "cache"
    assert found.read_text() == shipped.read_text()
    assert found.stat().st_mode & 0o111 == 0o111


def test_a_platform_without_mongod_is_referred_to_compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(mongo, "_WHEEL", "no-such-wheel")
    with pytest.raises(LaunchError, match="docker compose up"):
        mongo.find_mongod(tmp_path)


def test_port_in_use_is_named_with_a_solution() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        base = other.getsockname()[1] - ports.OFFSETS["billing"]
        with pytest.raises(LaunchError, match=r"\(for billing\) is already in use.*--port-base"):
            ports.Reservation().take(base, ["billing"])


def test_two_installations_do_not_take_the_same_ports_before_they_listen() -> None:
    base = ports.free_base()
    with ports.reserved(base, ["kafka", "mongo"]):
        # Both find the ports free: nobody listens on them yet.
        assert ports.is_free(ports.port(base, "mongo"))
        other = ports.Reservation()
        with pytest.raises(LaunchError, match=r"\(for mongo\) is reserved by another installation"):
            other.take(base, ["registration", "mongo"])
        other.release()
        assert ports.free_base() != base
    with ports.reserved(base, ["registration", "kafka", "mongo"]):
        """A process that gives up or ends leaves nothing reserved."""


@pytest.mark.parametrize(
    ("environment", "taken"),
    [
        ({}, ["kafka", "kafka-controller", "mongo"]),
        ({"PAYUNG_KAFKA": "k:9092"}, ["mongo"]),
        ({"PAYUNG_MONGO_URL": "mongodb://m"}, ["kafka", "kafka-controller"]),
        ({"PAYUNG_KAFKA": "k:9092", "PAYUNG_MONGO_URL": "mongodb://m"}, []),
    ],
)
def test_own_servers_take_no_port_of_ours(environment: dict[str, str], taken: list[str]) -> None:
    assert servers.embedded_ports(environment) == taken


async def test_own_broker_that_does_not_answer_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "_OWN_SERVER_WAIT_S", 0.1)
    with socket.socket() as closed:  # bound but not listening: connections are refused at once
        closed.bind(("127.0.0.1", 0))
        own = {"PAYUNG_KAFKA": f"127.0.0.1:{closed.getsockname()[1]}", "PAYUNG_MONGO_URL": "mongodb://u:secret@m"}
        with pytest.raises(LaunchError, match=r"PAYUNG_KAFKA .* does not answer") as raised:
            await servers.start(Supervisor(print), tmp_path, 20000, own, Console())
    assert "secret" not in str(raised.value)
