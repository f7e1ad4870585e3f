"""The file with a process's login for the broker and the database (PAYUNG_CREDENTIALS), and how its change is noticed.

`{"bootstrap", "mechanism", "user", "password", "ca"?, "mongo"?}`: the first four are for Kafka. `ca` is the file of the
authority that signed the certificates of both servers; a plain name is a file beside this one. `mongo` is the
database's URL, without a user; the same user and password are valid there. The environment may name other addresses
than the file, never another user.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import structlog

from shared.runtime.errors import StartRefused

log = structlog.get_logger()

VARIABLE = "PAYUNG_CREDENTIALS"
LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """The contents of one file; `path` is where it was read."""

    path: Path
    user: str
    password: str
    mechanism: str
    bootstrap: str | None
    ca: str | None
    mongo: str | None


def of(environ: Mapping[str, str]) -> Credentials | None:
    """The file that PAYUNG_CREDENTIALS names; None when it is not set; raises StartRefused when the file cannot be
    read."""
    name = environ.get(VARIABLE)
    return read(Path(name)) if name else None


def read(path: Path) -> Credentials:
    """Reads one file; raises StartRefused, without showing its contents, when it is not valid."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StartRefused(f"the credentials file {path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise StartRefused(f"the credentials file {path} is no JSON") from None
    texts = found if isinstance(found, dict) else {}
    lacking = [name for name in ("user", "password") if not (isinstance(texts.get(name), str) and texts[name])]
    if lacking:
        raise StartRefused(f"the credentials file {path} has no {' and no '.join(lacking)}")
    return Credentials(
        path=path,
        user=texts["user"],
        password=texts["password"],
        mechanism=str(texts.get("mechanism") or "SCRAM-SHA-256"),
        bootstrap=texts.get("bootstrap"),
        ca=str(path.parent / texts["ca"]) if texts.get("ca") else None,
        mongo=texts.get("mongo"),
    )


async def exchanged(environ: Mapping[str, str]) -> None:
    """Returns when the file holds another login than at the call: a process with the old one must start again."""
    before = of(environ)
    while before is not None:
        await asyncio.sleep(LOOK_S)
        try:
            now = of(environ)
        except StartRefused as error:
            log.warning("the credentials file cannot be read any more", why=str(error))
            continue
        if now is not None and (now.user, now.password) != (before.user, before.password):
            return
    await asyncio.Event().wait()


def is_near(bootstrap: str) -> bool:
    """Whether every one of these addresses (host:port, with commas) is on this machine."""
    return all(_is_loopback(one.strip().rpartition(":")[0]) for one in bootstrap.split(","))


def _is_loopback(host: str) -> bool:
    if host in ("localhost", ""):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
