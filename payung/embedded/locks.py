"""Protects the embedded servers: the log-in that the servers use among themselves, and their certificates.

Knows only the user of the servers and their launcher; `payung.access` makes the users of people and services. A lost
file is made again, because the launcher sets every user's password at each start.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payung.embedded.certificates import Certificates
from payung.embedded.errors import LaunchError
from payung.embedded.private import private_folder, write_private_text
from shared.runtime.kafka import security

# The user that brokers use among themselves, and the launcher uses before other users exist.
BROKER_USER = "payung-servers"
OPERATOR = "operator"
_MONGO_USER = "__system"
BROKER, MONGO_KEY, SERVER, AUTHORITY = "broker", "mongo.key", "server.pem", "ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """`broker_password` belongs to BROKER_USER; `mongo_key` is the key file of the replica set; with `tls` all
    connections are encrypted."""

    broker_password: str
    mongo_key: Path
    tls: Certificates | None = None

    @property
    def super_users(self) -> tuple[str, ...]:
        """The users who may do everything at the broker."""
        return (BROKER_USER, OPERATOR)

    @property
    def ca(self) -> str | None:
        """The file of the authority that clients trust."""
        return None if self.tls is None else str(self.tls.authority)

    def kafka_environ(self, bootstrap: str) -> dict[str, str]:
        """The launcher's own log-in at the broker."""
        found = {
            "PAYUNG_KAFKA": bootstrap,
            "PAYUNG_KAFKA_USER": BROKER_USER,
            "PAYUNG_KAFKA_PASSWORD": self.broker_password,
            "PAYUNG_KAFKA_MECHANISM": "PLAIN",
        }
        return found if self.ca is None else {**found, "PAYUNG_KAFKA_CA": self.ca}

    def kafka_options(self) -> dict[str, Any]:
        """The same for aiokafka's clients."""
        return security.read(self.kafka_environ("")).options()

    def mongo_options(self) -> dict[str, Any]:
        """The launcher's log-in at a member of the set: it logs in as a member."""
        found: dict[str, Any] = {
            "username": _MONGO_USER,
            "password": "".join(self.mongo_key.read_text("ascii").split()),
            "authSource": "local",
            "authMechanism": "SCRAM-SHA-256",
        }
        return {**found, **self.tls_options()}

    def tls_options(self) -> dict[str, Any]:
        """The options with which a MongoDB client checks the server's certificate."""
        return {} if self.ca is None else {"tls": True, "tlsCAFile": self.ca}


def kept(folder: Path, tls: Certificates | None) -> Locks:
    """The locks of an installation, kept in a folder that only the launcher reads; made when they are missing."""
    private_folder(folder)
    password = _secret(folder / BROKER, secrets.token_urlsafe(32))
    # MongoDB accepts 6 to 1,024 base64 characters, in a file that no other user may read.
    _secret(folder / MONGO_KEY, secrets.token_hex(64))
    return Locks(broker_password=password, mongo_key=folder / MONGO_KEY, tls=tls)


def standing(folder: Path) -> Locks:
    """The locks of the servers in docker-compose.yml: the files `broker`, `mongo.key`, `server.pem` and `ca.pem` of
    this folder. It makes nothing; raises LaunchError when a file is missing."""
    missing = [name for name in (BROKER, MONGO_KEY, SERVER, AUTHORITY) if not (folder / name).is_file()]
    if missing:
        raise LaunchError(f"{folder} has no {', '.join(missing)}: run deploy/make-keys.sh and deploy/make-certs.sh")
    return Locks(
        broker_password=(folder / BROKER).read_text("ascii").strip(),
        mongo_key=folder / MONGO_KEY,
        tls=Certificates(authority=folder / AUTHORITY, server=folder / SERVER),
    )


def _secret(file: Path, fresh: str) -> str:
    if not file.is_file():
        write_private_text(file, fresh)
    file.chmod(0o600)
    return file.read_text("ascii").strip()
