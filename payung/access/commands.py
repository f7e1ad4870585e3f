"""An operator's work with log-ins: apply the table, admit an agency, rotate a password."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from payung import configuration
from payung.access import applying, table
from payung.access.applying import Administrator
from payung.access.files import Addresses, Files
from payung.access.table import OPERATOR, User
from payung.embedded import locks
from payung.embedded.private import write_private
from payung.installations import LOCKS, CommandError, Installation
from shared.contracts.topics import Topic
from shared.runtime.ops import credentials
from shared.runtime.store import login

# The addresses for the log-in files, when the process that writes them reaches the servers by other addresses.
PUBLISHED_KAFKA, PUBLISHED_MONGO = configuration.PUBLISHED_KAFKA.name, configuration.PUBLISHED_MONGO_URL.name


async def apply(installation: Installation, more: Sequence[Topic] = ()) -> list[User]:
    """Makes users, rules and files for every existing topic; does nothing when no log-ins are kept here."""
    if installation.credentials is None:
        return []
    files, at, admin = _of(installation)
    return await applying.apply(files, at, admin, [one.name for one in more])


async def admit(installation: Installation, regency: str, agency: str, made: Sequence[Topic]) -> Path | None:
    """Gives an agency its user and rules. Returns its log-in file; None when no log-ins are kept here."""
    if installation.credentials is None:
        return None
    await apply(installation, made)
    return installation.credentials / f"{table.agency_name(regency, agency)}.json"


async def rotate(installation: Installation, name: str) -> Path:
    """Sets a new password for a user, whose process restarts with it. Returns the log-in file."""
    if installation.credentials is None:
        raise CommandError("no log-ins are kept here: rotate it where the users of this broker are made")
    files, at, admin = _of(installation)
    user = _named(files, name)
    await applying.rotate(files, at, admin, user)
    if name == OPERATOR:
        _tell_run(installation, files, at, user)
    return files.path(user)


def _of(installation: Installation) -> tuple[Files, Addresses, Administrator]:
    assert installation.credentials is not None
    if installation.environ.get(LOCKS):
        return _of_servers(installation, installation.credentials)
    own = credentials.of(installation.environ)
    if own is None:
        raise CommandError(f"{installation.credentials} has no log-in of the {OPERATOR}; who else may make users?")
    at = Addresses(bootstrap=own.bootstrap or installation.environ["PAYUNG_KAFKA"], ca=own.ca, mongo=own.mongo)
    url = login.url(installation.environ) if own.mongo is not None else None
    return Files(installation.credentials), at, Administrator(kafka=installation.environ, mongo_url=url)


def _of_servers(installation: Installation, folder: Path) -> tuple[Files, Addresses, Administrator]:
    """Logs in as the servers themselves, before there are users; the files name the addresses that people reach."""
    environ = installation.environ
    standing = locks.standing(Path(environ[LOCKS]))
    at = Addresses(
        bootstrap=environ.get(PUBLISHED_KAFKA) or environ["PAYUNG_KAFKA"],
        ca=standing.ca,
        mongo=environ.get(PUBLISHED_MONGO) or environ["PAYUNG_MONGO_URL"],
    )
    admin = Administrator(kafka=environ, mongo_url=environ["PAYUNG_MONGO_URL"], mongo_options=standing.mongo_options())
    return Files(folder), at, admin


def _named(files: Files, name: str) -> User:
    """The user whose log-in file has this name."""
    if name not in (known := files.names()):
        raise CommandError(f"there is no log-in {name!r}; there are {', '.join(sorted(known))}")
    found = {one.name: one for one in table.users((), table.consumed())}
    return found.get(name, User(name=name))


def _tell_run(installation: Installation, files: Files, at: Addresses, user: User) -> None:
    """Writes the operator's password into the database URL of run.json, for the other commands."""
    path, password = installation.data_dir / "run.json", files.password(user)
    if at.mongo is None or password is None or not installation.launched:
        return
    run: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    write_private(path, {**run, "mongo_url": login.with_login(at.mongo, user.name, password, at.ca)})
