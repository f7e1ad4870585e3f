"""Makes users and rules at the broker equal to the table. The only file that knows confluent-kafka's admin client.

It leaves the rules of foreign users alone, and removes rules of our users that the table does not contain.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # its stub names them in a private module
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)

from payung.access.table import Grant, User
from shared.runtime.errors import Unavailable
from shared.runtime.kafka import security

TIMEOUT_S = 30.0
ITERATIONS = 4096
_KINDS: Mapping[str, Any] = {"topic": ResourceType.TOPIC, "group": ResourceType.GROUP}
_OPERATIONS: Mapping[str, Any] = {
    "read": AclOperation.READ,
    "write": AclOperation.WRITE,
    "describe-configs": AclOperation.DESCRIBE_CONFIGS,
}


class BrokerAccess:
    """One administrator's connection. Its calls block, so use it in a thread."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._options = security.read(environ).librdkafka()
        self._client = _client(self._options)

    def topics(self) -> list[str]:
        """The names of all topics; Unavailable when the broker does not answer."""
        with _broker_errors():
            return sorted(self._client.list_topics(timeout=TIMEOUT_S).topics)

    def set_passwords(self, passwords: Mapping[str, str]) -> None:
        """Sets the passwords of these users, new or existing, for both SCRAM mechanisms."""
        with _broker_errors():
            # One request may contain each user only once.
            for mechanism in (ScramMechanism.SCRAM_SHA_256, ScramMechanism.SCRAM_SHA_512):
                info = ScramCredentialInfo(mechanism, ITERATIONS)
                changes: list[UserScramCredentialAlteration] = [
                    UserScramCredentialUpsertion(name, info, one.encode()) for name, one in passwords.items()
                ]
                for changed in self._client.alter_user_scram_credentials(changes).values():
                    changed.result(TIMEOUT_S)

    def wait_for(self, name: str, password: str) -> None:
        """Returns when every broker accepts this user. Brokers learn of a new password a moment after it is set."""
        for server in str(self._options["bootstrap.servers"]).split(","):
            login = {"sasl.mechanism": "SCRAM-SHA-256", "sasl.username": name, "sasl.password": password}
            client = _client({**self._options, **login, "bootstrap.servers": server})
            with _broker_errors():
                client.list_topics(timeout=TIMEOUT_S)

    def set_rules(self, users: Iterable[User]) -> tuple[int, int]:
        """Makes the rules of these users equal to the table. Returns how many it made and removed."""
        wanted = {user.name: {_key(user.name, one) for one in user.grants} for user in users}
        with _broker_errors():
            found = self._client.describe_acls(_any()).result(TIMEOUT_S)
            standing = {_key_of(one): one for one in found}
            ours = {key for key, one in standing.items() if _user_of(one) in wanted}
            all_wanted = set().union(*wanted.values())
            made, gone = all_wanted - ours, ours - all_wanted
            self._make(made)
            self._take_away(standing[key] for key in gone)
        return len(made), len(gone)

    def _make(self, keys: Iterable[tuple[Any, ...]]) -> None:
        bindings = [AclBinding(*key) for key in sorted(keys, key=str)]
        if bindings:
            for one in self._client.create_acls(bindings).values():
                one.result(TIMEOUT_S)

    def _take_away(self, bindings: Iterable[AclBinding]) -> None:
        filters = [AclBindingFilter(*_key_of(one)) for one in bindings]
        if filters:
            for one in self._client.delete_acls(filters).values():
                one.result(TIMEOUT_S)


def _client(options: Mapping[str, Any]) -> AdminClient:
    # The caller reports failed connections once; the client would repeat them.
    quiet = logging.getLogger("payung.access.broker")
    quiet.propagate = False
    more: dict[str, Any] = {"client.id": "payung-access", "socket.timeout.ms": 10_000, "reconnect.backoff.ms": 50}
    return AdminClient({**options, **more}, logger=quiet)


def _key(user: str, grant: Grant) -> tuple[Any, ...]:
    pattern = ResourcePatternType.PREFIXED if grant.prefixed else ResourcePatternType.LITERAL
    operation = _OPERATIONS[grant.operation]
    return (_KINDS[grant.kind], grant.name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _key_of(one: AclBinding) -> tuple[Any, ...]:
    return (
        one.restype,
        one.name,
        one.resource_pattern_type,
        one.principal,
        one.host,
        one.operation,
        one.permission_type,
    )


def _user_of(one: AclBinding) -> str:
    return str(one.principal).removeprefix("User:")


def _any() -> AclBindingFilter:
    whoever: Any = None  # its stub knows texts only
    return AclBindingFilter(
        ResourceType.ANY,
        whoever,
        ResourcePatternType.ANY,
        whoever,
        whoever,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )


class _broker_errors:  # noqa: N801  # reads as a word at its place
    """Surrounds requests to the broker: every failure becomes Unavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, KafkaException):
            raise Unavailable(f"Kafka: {error.args[0].str()}") from error
