"""The data folder of an installation: its lock, its keys, and run.json, by which other commands find it.

Knows nothing of processes. Only one `payung up` holds the lock of a folder. A run.json without a held lock remains from
a kill and is ignored.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from payung.embedded.errors import LaunchError
from payung.embedded.private import write_private, write_private_text
from shared.contracts import topics
from shared.runtime import clock
from shared.runtime.ops.secrets import FIELD_KEYS, ID_KEY, field_keys_of

_LOCK = "up.lock"
_RUN = "run.json"
_KEYS = "keys.json"
_FIELD_KEYS = "keys"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningInstallation:
    """The contents of run.json: the addresses and folders of a running installation."""

    pid: int
    port_base: int
    kafka: str
    mongo_url: str
    urls: Mapping[str, str]
    keys: str
    started_at: str
    # The folder of the log-ins; None when the servers have none.
    credentials: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The installation's secrets: the key of worker ids, and each service's own field keys as `name:base64`, the
    sealing key first."""

    id_key: str
    field_keys: Mapping[str, str]


def default_data_dir() -> Path:
    """The default data folder of an installation."""
    return Path.home() / ".local" / "share" / "payung"


def read_run(data_dir: Path) -> dict[str, Any] | None:
    """The running installation's run.json; None when nothing runs on that folder."""
    try:
        with (data_dir / _LOCK).open() as lock:
            if _try_lock(lock, fcntl.LOCK_SH):
                return None
        found = json.loads((data_dir / _RUN).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


class DataFolder:
    """A data folder that one process holds, from `take` to `release`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: TextIO | None = None
        self._started_at = ""

    def take(self) -> bool:
        """Locks the folder, or raises LaunchError. True when the previous holder ended without cleaning up."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)  # personal data and keys
            lock = (self.path / _LOCK).open("a")
        except OSError as error:
            raise LaunchError(f"The data folder {self.path} cannot be used: {error.strerror}.") from error
        if not _try_lock(lock, fcntl.LOCK_EX):
            lock.close()
            raise LaunchError(
                f"Payung already runs on {self.path}. Stop it first, or choose another folder and ports: "
                "--data, --port-base"
            )
        self._lock = lock
        self._started_at = clock.now().isoformat(timespec="seconds")
        left_over = (self.path / _RUN).exists()
        (self.path / _RUN).unlink(missing_ok=True)
        return left_over

    def release(self) -> None:
        """Removes run.json and unlocks the folder."""
        if self._lock is not None:
            (self.path / _RUN).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def keys(self, environment: Mapping[str, str]) -> Keys:
        """The kept keys. The first start makes them, or takes them from the environment."""
        if self.keys_file.is_file():
            return self._kept(environment)
        if (self.path / "mongo").is_dir():
            raise LaunchError(
                f"{self.keys_file} is missing, but {self.path} holds data made with it. Put it back from your backup: "
                "without it names and NIK cannot be read, and new worker ids would not match the old ones."
            )
        made = {name: _given(environment, name) or f"k1:{random_key()}" for name in topics.SERVICES}
        keys = Keys(id_key=environment.get(ID_KEY) or random_key(), field_keys=made)
        self.keep(keys)
        return keys

    def keep(self, keys: Keys) -> None:
        """Saves the keys, and for each service the file with its own keys."""
        write_private(self.keys_file, asdict(keys))
        self._hand_out(keys)

    def _hand_out(self, keys: Keys) -> None:
        folder = self.path / _FIELD_KEYS
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        for service, text in keys.field_keys.items():
            write_private_text(folder / service, text + "\n")

    def field_keys_file(self, service: str) -> Path:
        """The file with a service's own field keys; the service also reads it while it runs."""
        return self.path / _FIELD_KEYS / service

    @property
    def keys_file(self) -> Path:
        """The file of all keys, readable by the owner only."""
        return self.path / _KEYS

    def _kept(self, environment: Mapping[str, str]) -> Keys:
        try:
            kept = json.loads(self.keys_file.read_text("utf-8"))
            keys = keys_of(kept)
        except (ValueError, KeyError, TypeError) as error:
            raise LaunchError(f"{self.keys_file} is damaged. Put it back from your backup.") from error
        if environment.get(ID_KEY, keys.id_key) != keys.id_key:
            raise LaunchError(
                f"{ID_KEY} is not the key in {self.keys_file}: the same worker would get a second id. Unset it."
            )
        _only_ours(self.keys_file)
        self._hand_out(keys)
        # Field keys rotate: the environment may name a new key in front of the old one.
        given = {name: _given(environment, name) or kept for name, kept in keys.field_keys.items()}
        return Keys(id_key=keys.id_key, field_keys=given)

    def publish_run(
        self, *, port_base: int, kafka: str, mongo_url: str, urls: Mapping[str, str], credentials: Path | None = None
    ) -> RunningInstallation:
        """Writes run.json for the other commands in one step; nobody sees half of it."""
        run = RunningInstallation(
            pid=os.getpid(),
            port_base=port_base,
            kafka=kafka,
            mongo_url=mongo_url,
            urls=dict(urls),
            keys=str(self.keys_file),
            started_at=self._started_at,
            credentials=None if credentials is None else str(credentials),
        )
        write_private(self.path / _RUN, asdict(run))
        return run


def keys_of(kept: Mapping[str, Any]) -> Keys:
    """The keys in the content of keys.json. An older release kept one set for all services. Raises ValueError,
    KeyError or TypeError when the content is damaged."""
    field_keys = kept["field_keys"]
    if isinstance(field_keys, str):
        return Keys(id_key=str(kept["id_key"]), field_keys=dict.fromkeys(topics.SERVICES, field_keys))
    return Keys(id_key=str(kept["id_key"]), field_keys={name: str(field_keys[name]) for name in topics.SERVICES})


def _given(environment: Mapping[str, str], service: str) -> str:
    """A service's field keys in the environment; its own variable wins over the common one."""
    return environment.get(field_keys_of(service)) or environment.get(FIELD_KEYS) or ""


def _only_ours(path: Path) -> None:
    """Makes the keys unreadable for other users of this machine."""
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def random_key() -> str:
    """A fresh secret of 32 bytes, as base64."""
    return base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _try_lock(file: TextIO, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
