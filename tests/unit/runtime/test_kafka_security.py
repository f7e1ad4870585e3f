"""Log-ins from the environment: each kind is accepted, and a setting that would be ignored is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from payung.embedded import certificates
from shared.runtime import clock
from shared.runtime.errors import StartRefused
from shared.runtime.kafka.security import read
from shared.runtime.ops import credentials
from shared.runtime.store import login

FAR = {"PAYUNG_KAFKA": "kafka.example:9092"}
NEAR = {"PAYUNG_KAFKA": "127.0.0.1:9092,localhost:9093"}
LOGIN = {"PAYUNG_KAFKA_USER": "u", "PAYUNG_KAFKA_PASSWORD": "rahasia"}


@pytest.fixture
def ca(tmp_path: Path) -> dict[str, str]:
    return {"PAYUNG_KAFKA_CA": str(certificates.kept(tmp_path / "tls", "127.0.0.1", clock.now()).authority)}


@pytest.fixture
def certificate(tmp_path: Path, ca: dict[str, str]) -> dict[str, str]:
    server = str(tmp_path / "tls" / "server.pem")
    return {**ca, "PAYUNG_KAFKA_CERT": server, "PAYUNG_KAFKA_KEY": server}


def test_no_log_in_is_needed_on_this_machine_or_where_declared() -> None:
    assert read({}).protocol == read(NEAR).protocol == "PLAINTEXT"
    assert read({**FAR, "PAYUNG_KAFKA_AUTH": "none"}).protocol == "PLAINTEXT"
    with pytest.raises(StartRefused, match="PAYUNG_KAFKA_AUTH=none"):
        read(FAR)
    with pytest.raises(StartRefused, match="PAYUNG_KAFKA_AUTH=none"):
        read({"PAYUNG_KAFKA": "127.0.0.1:9092,kafka.example:9092"})


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN"])
def test_mechanisms_by_password(mechanism: str, ca: dict[str, str]) -> None:
    found = read({**FAR, **LOGIN, **ca, "PAYUNG_KAFKA_MECHANISM": mechanism})
    assert (found.protocol, found.options()["sasl_mechanism"]) == ("SASL_SSL", mechanism)
    assert found.librdkafka()["sasl.mechanism"] == mechanism
    assert found.faststream() is not None
    assert "rahasia" not in repr(found)


def test_a_clients_certificate_needs_no_password(certificate: dict[str, str]) -> None:
    found = read({**FAR, **certificate})
    assert found.protocol == "SSL"
    assert found.options()["ssl_context"] is not None


async def test_tokens_from_a_file(tmp_path: Path, ca: dict[str, str]) -> None:
    file = tmp_path / "token"
    file.write_text("pertama\n")
    found = read({**FAR, **ca, "PAYUNG_KAFKA_TOKEN_PATH": str(file)})
    assert (found.protocol, found.mechanism) == ("SASL_SSL", "OAUTHBEARER")
    assert found.tokens is not None
    assert await found.tokens.token() == "pertama"
    file.write_text("kedua")
    assert await found.tokens.token() == "kedua"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"PAYUNG_KAFKA_USER": "u"}, "PASSWORD"),
        ({"PAYUNG_KAFKA_PASSWORD": "rahasia"}, "would be ignored"),
        ({"PAYUNG_KAFKA_MECHANISM": "SCRAM-SHA-512"}, "USER"),
        ({**LOGIN, "PAYUNG_KAFKA_MECHANISM": "GSSAPI"}, "known are"),
        ({**LOGIN, "PAYUNG_KAFKA_AUTH": "none"}, "one of them would be ignored"),
        ({**LOGIN, "PAYUNG_KAFKA_AUTH": "yes"}, "can only be"),
        ({**LOGIN, "PAYUNG_KAFKA_CA": "/no/such.pem"}, "cannot be used"),
        ({"PAYUNG_KAFKA_CERT": "/a.pem"}, "belong together"),
        ({"PAYUNG_KAFKA_CERT": "/a.pem", "PAYUNG_KAFKA_KEY": "/a.pem"}, "needs PAYUNG_KAFKA_CA"),
        ({**LOGIN, "PAYUNG_KAFKA_TOKEN_PATH": "/no/such"}, "must name a file"),
        ({"PAYUNG_KAFKA_MECHANISM": "OAUTHBEARER"}, "TOKEN"),
        ({**LOGIN, "PAYUNG_KAFKA_MECHANISMS": "PLAIN"}, "not a setting of Payung"),
        ({**LOGIN, "PAYUNG_CREDENTIALS": "/no/such.json"}, "cannot be read"),
        ({"PAYUNG_KAFKA_TOKEN_URL": "http://issuer.example/token"}, "https"),
        ({**FAR, **LOGIN, "PAYUNG_KAFKA_MECHANISM": "PLAIN"}, "unencrypted"),
    ],
)
def test_ignored_or_unencrypted_settings_are_refused(given: dict[str, str], why: str) -> None:
    with pytest.raises(StartRefused, match=why) as refused:
        read({**NEAR, **given})
    assert "rahasia" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read"), (b"", "is empty"), (b"\n", "is empty"), ("rahasia".encode("utf-16"), "is no text")],
)
def test_a_password_file_without_a_password_is_refused_by_name(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "password"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    with pytest.raises(StartRefused, match=f"PAYUNG_KAFKA_PASSWORD_FILE: .* {why}") as refused:
        read({**NEAR, "PAYUNG_KAFKA_USER": "u", "PAYUNG_KAFKA_PASSWORD_FILE": str(file)})
    assert "rahasia" not in str(refused.value)


def test_a_ca_without_a_log_in_is_refused_unless_auth_is_none(ca: dict[str, str]) -> None:
    with pytest.raises(StartRefused, match="no log-in"):
        read({**NEAR, **ca})
    assert read({**NEAR, **ca, "PAYUNG_KAFKA_AUTH": "none"}).protocol == "SSL"


def test_the_credentials_file_gives_the_user_and_the_environment_the_address(tmp_path: Path) -> None:
    file = tmp_path / "billing.json"
    kept = {"bootstrap": "127.0.0.1:1", "mechanism": "SCRAM-SHA-512", "user": "billing", "password": "a/b@c"}
    file.write_text(json.dumps({**kept, "mongo": "mongodb://127.0.0.1:2/?replicaSet=rs0"}))
    environ = {"PAYUNG_CREDENTIALS": str(file)}
    found = read(environ)
    assert (found.bootstrap, found.user, found.mechanism) == ("127.0.0.1:1", "billing", "SCRAM-SHA-512")
    assert read({**environ, "PAYUNG_KAFKA": "127.0.0.1:3"}).bootstrap == "127.0.0.1:3"
    with pytest.raises(StartRefused, match="beside PAYUNG_CREDENTIALS"):
        read({**environ, **LOGIN})
    url = login.url({**environ, "PAYUNG_MONGO_URL": "mongodb://127.0.0.1:4/"})
    assert url == "mongodb://billing:a%2Fb%40c@127.0.0.1:4/?authSource=admin"
    login.check(environ)
    for broken in ("{", "[]", '{"user":"u"}'):
        file.write_text(broken)
        with pytest.raises(StartRefused, match="credentials file"):
            read(environ)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("mongodb://db.example/?replicaSet=rs0", "names no user"),
        ("mongodb://u@127.0.0.1/", "without a password"),
        ("mongodb://u:rahasia@db.example/?tlsCAFile=/ca.pem", "tls=true"),
        ("mongodb://u:rahasia@db.example/?tls=true&tlsCAFile=/no/ca.pem", "no|none"),
        ("mongodb://u:rahasia@db.example/?tls=true&tlsInsecure=true", "tlsinsecure"),
        ("mongodb://u:rahasia@db.example/?tls=true&tlsAllowInvalidCertificates=true", "tlsallowinvalid"),
    ],
)
def test_unsafe_urls_of_mongodb_are_refused(url: str, why: str) -> None:
    with pytest.raises(StartRefused, match=why) as refused:
        login.check({"PAYUNG_MONGO_URL": url})
    assert "rahasia" not in str(refused.value)


def test_a_database_without_log_ins_must_be_declared() -> None:
    login.check({})
    login.check({"PAYUNG_MONGO_URL": "mongodb://db.example/", "PAYUNG_MONGO_AUTH": "none"})
    with pytest.raises(StartRefused, match="one of them"):
        login.check({"PAYUNG_MONGO_URL": "mongodb://u:p@db.example/", "PAYUNG_MONGO_AUTH": "none"})
    assert credentials.is_near("[::1]:9092")
