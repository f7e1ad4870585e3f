"""The files of the log-ins: `DIR/credentials/<name>.json` for people, `DIR/credentials/services/<name>/<name>.json` for
our services, so that a container gets the folder of its service and nothing else.

Contacts no server. A password is made once and kept; the file is rewritten when the addresses or the CA changed. A
copy of the CA's certificate lies beside each file, so that the two files together are enough for a client.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from payung.access.table import User
from payung.embedded.private import private_folder, write_private, write_private_text

MECHANISM = "SCRAM-SHA-256"
FOLDER = "credentials"
INTERNAL = "services"
CA = "ca.pem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The servers of a log-in; `mongo` None: the database has no log-ins."""

    bootstrap: str
    ca: str | None = None
    mongo: str | None = None


class Files:
    """The log-ins of one installation."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the one that run.json names."""
        self.folder = folder

    def path(self, user: User) -> Path:
        """The log-in file of a user."""
        return (self.folder / INTERNAL / user.name if user.internal else self.folder) / f"{user.name}.json"

    def names(self) -> dict[str, Path]:
        """Every log-in that is kept here, and its file."""
        found = (*self.folder.glob("*.json"), *(self.folder / INTERNAL).glob("*/*.json"))
        return {one.stem: one for one in found}

    def password(self, user: User) -> str | None:
        """The kept password; None when there is none, or the file cannot be read."""
        try:
            found = json.loads(self.path(user).read_text("utf-8"))["password"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found if isinstance(found, str) and found else None

    def kept(self, user: User, at: Addresses) -> str:
        """The kept password of a user, else a new one. Writes it to the file with the addresses."""
        return self.write(user, at, self.password(user) or fresh())

    def write(self, user: User, at: Addresses, password: str) -> str:
        """Writes a user's file unless its content is the same, and returns the password."""
        path = self.path(user)
        for folder in (self.folder, *([path.parent.parent, path.parent] if user.internal else [])):
            private_folder(folder)
        found: dict[str, str] = {
            "bootstrap": at.bootstrap,
            "mechanism": MECHANISM,
            "user": user.name,
            "password": password,
        }
        if at.ca is not None:
            found["ca"] = CA
            _copy(Path(at.ca), path.parent / CA)
        if at.mongo is not None and (user.database or user.super_user):
            found["mongo"] = at.mongo
        if self._standing(path) != found:
            write_private(path, found)
        path.chmod(0o600)
        return password

    @staticmethod
    def _standing(path: Path) -> Mapping[str, str] | None:
        try:
            found: Mapping[str, str] = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found


def _copy(authority: Path, beside: Path) -> None:
    text = authority.read_text("ascii")
    if not beside.is_file() or beside.read_text("ascii") != text:
        write_private_text(beside, text)


def fresh() -> str:
    """A new password: 256 bits, without characters that are special in a URL or a shell."""
    return secrets.token_urlsafe(32)
