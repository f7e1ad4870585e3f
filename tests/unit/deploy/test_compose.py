"""docker-compose.yml agrees with the table of users: who has which log-in. Nobody connects without one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from payung.access.files import Addresses, Files
from payung.access.table import OPERATOR, consumed, users
from payung.embedded.certificates import Certificates
from payung.embedded.kafka import KafkaNode, properties
from payung.embedded.locks import BROKER_USER, Locks
from shared.contracts import topics
from shared.runtime.kafka import security
from shared.runtime.store import login

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text("utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
PRIVATE = "./deploy/private"


def mounts(name: str) -> dict[str, tuple[str, bool]]:
    """The mounts of a container: source -> (target, whether it is read-only)."""
    found = {}
    for one in SERVICES[name].get("volumes", ()):
        if isinstance(one, str):
            source, target, *mode = one.split(":")
            found[source] = (target, mode == ["ro"])
        else:
            found[one["source"]] = (one["target"], bool(one.get("read_only")))
    return found


def kafka_settings() -> dict[str, str]:
    """The names of settings that the image makes from its environment."""

    def name(variable: str) -> str:
        dotted = variable.removeprefix("KAFKA_").lower().replace("_", ".")
        return dotted.replace("...", "-").replace("..", "_")

    return {name(key): str(value) for key, value in SERVICES["kafka"]["environment"].items()}


def test_every_service_comes_in_as_its_own_user_and_has_no_other_secret() -> None:
    internal = {one.name for one in users((), consumed()) if one.internal}
    assert internal == set(topics.SERVICES)
    for name in internal:
        own = f"{PRIVATE}/credentials/services/{name}"
        assert mounts(name) == {own: ("/run/payung", True)}
        assert SERVICES[name]["environment"]["PAYUNG_CREDENTIALS"] == f"/run/payung/{name}.json"
        keys = set(re.findall(r"\$\{(PAYUNG_FIELD_KEYS\w*)", str(SERVICES[name]["environment"])))
        assert keys == {f"PAYUNG_FIELD_KEYS_{name.upper()}"}


def test_the_file_of_a_service_lies_where_it_is_mounted(tmp_path: Path) -> None:
    files = Files(tmp_path)
    for user in users((), consumed()):
        if user.internal:
            assert files.path(user) == tmp_path / "services" / user.name / f"{user.name}.json"


def test_the_files_that_create_users_are_mounted_only_where_needed() -> None:
    folders = {name: {one for one in mounts(name) if one.startswith(PRIVATE)} for name in SERVICES}
    of_servers, of_people = f"{PRIVATE}/servers", f"{PRIVATE}/credentials"
    assert {name for name, found in folders.items() if of_servers in found} == {"locks", "access"}
    assert {name for name, found in folders.items() if of_people in found} == {"access"}
    assert mounts("access")[of_servers][1], "it reads the servers' secrets, and changes none"
    assert {name for name in SERVICES if "kafka-locks" in mounts(name)} == {"locks", "kafka"}
    assert {name for name in SERVICES if "mongo-locks" in mounts(name)} == {"locks", "mongo"}
    assert mounts("kafka")["kafka-locks"][1]
    assert mounts("mongo")["mongo-locks"][1]


def test_nobody_gets_in_without_a_log_in() -> None:
    for word in ("PAYUNG_KAFKA_AUTH", "PAYUNG_MONGO_AUTH", "PLAINTEXT", "PASSWORD"):
        assert word not in TEXT, word


def test_kafka_is_locked_as_the_embedded_one_is() -> None:
    tls = Certificates(authority=Path("/ca.pem"), server=Path("/server.pem"))
    node = KafkaNode(
        folder=Path("/k"), port=1, controller_port=2, locks=Locks(broker_password="p", mongo_key=Path("/m"), tls=tls)
    )
    lines = properties(node, node.storage).splitlines()
    embedded = {name: value for name, _, value in (line.partition("=") for line in lines)}
    ours = kafka_settings()
    for name in ("authorizer.class.name", "allow.everyone.if.no.acl.found", "super.users", "auto.create.topics.enable"):
        assert ours[name] == embedded[name], name
    for name in ("sasl.mechanism.inter.broker.protocol", "sasl.mechanism.controller.protocol", "ssl.keystore.type"):
        assert ours[name] == embedded[name], name
    assert ours["listener.name.controller.sasl.enabled.mechanisms"] == "PLAIN"
    protocols = dict(one.split(":") for one in ours["listener.security.protocol.map"].split(","))
    assert protocols == dict.fromkeys(("INTERNAL", "HOST", "CONTROLLER"), "SASL_SSL")
    for listener in ("internal", "host"):
        mechanisms = ours[f"listener.name.{listener}.sasl.enabled.mechanisms"].split(",")
        assert {"SCRAM-SHA-256", "SCRAM-SHA-512"} <= set(mechanisms)
        assert ("PLAIN" in mechanisms) is (listener == "internal"), "the published port knows no user of the servers"
        for size in (256, 512):
            for name in ("sasl.jaas.config", "connections.max.reauth.ms"):
                kept = f"listener.name.{{}}.scram-sha-{size}.{name}"
                assert ours[kept.format(listener)] == embedded[kept.format("clients")]


def test_mongo_requires_a_log_in_and_tls() -> None:
    command = set(SERVICES["mongo"]["command"])
    assert {"--auth", "--tlsMode=requireTLS", "--keyFile=/run/locks/mongo.key"} <= command
    assert {"--tlsCAFile=/run/locks/ca.pem", "--tlsCertificateKeyFile=/run/locks/server.pem"} <= command


def test_users_exist_before_a_service_starts() -> None:
    done, healthy = "service_completed_successfully", "service_healthy"
    for name in ("kafka", "mongo"):
        assert SERVICES[name]["depends_on"] == {"locks": {"condition": done}}
        assert SERVICES["access"]["depends_on"][name] == {"condition": healthy}
    for name in topics.SERVICES:
        assert SERVICES[name]["depends_on"]["access"] == {"condition": done}


@pytest.mark.parametrize("name", topics.SERVICES)
def test_a_service_speaks_tls_to_both_servers_under_their_inner_names(name: str, tmp_path: Path) -> None:
    made(tmp_path)
    at = Addresses(
        bootstrap="127.0.0.1:8192",
        ca=str(tmp_path / "servers" / "ca.pem"),
        mongo="mongodb://127.0.0.1:8117/?directConnection=true",
    )
    files = Files(tmp_path / "credentials")
    user = next(one for one in users((), consumed()) if one.name == name)
    files.kept(user, at)
    given = {key: str(value) for key, value in SERVICES[name]["environment"].items()}
    environ = {**given, "PAYUNG_CREDENTIALS": str(files.path(user))}
    found = security.read(environ)
    assert (found.bootstrap, found.protocol, found.user) == ("kafka:9092", "SASL_SSL", name)
    login.check(environ)
    url = login.url(environ)
    assert url.startswith(f"mongodb://{name}:")
    assert "@mongo:27017/" in url
    assert "tls=true" in url


def test_the_servers_secrets_are_handed_out_as_kafka_reads_them() -> None:
    script = (ROOT / "deploy" / "hand-out.sh").read_text("utf-8")
    assert f"user={BROKER_USER}\n" in script
    for listener in ("internal", "controller"):
        assert f"listener.name.{listener}.plain.sasl.jaas.config=" in script
    assert f"User:{BROKER_USER};User:{OPERATOR}" == kafka_settings()["super.users"]


def made(folder: Path) -> None:
    """A private folder as the scripts create it."""
    deploy = ROOT / "deploy"
    subprocess.run(["sh", str(deploy / "make-keys.sh"), str(folder / ".env"), str(folder)], check=True)
    environ = {**os.environ, "PAYUNG_PRIVATE": str(folder)}
    subprocess.run(["sh", str(deploy / "make-certs.sh")], env=environ, check=True)
