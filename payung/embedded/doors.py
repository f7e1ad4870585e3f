"""The log-ins of the embedded servers: makes the users at every start, and tells each process and command its log-in.
When a server is the user's own, the user also manages its log-ins."""

from __future__ import annotations

from pathlib import Path

from payung.access import applying
from payung.access.applying import Administrator
from payung.access.files import FOLDER, Addresses, Files
from payung.access.table import OPERATOR, User
from payung.embedded.locks import Locks
from payung.embedded.servers import Servers
from shared.runtime.ops import credentials
from shared.runtime.store import login


class Doors:
    """The log-ins of one running installation."""

    def __init__(self, data: Path, servers: Servers, locks: Locks | None) -> None:
        self._servers = servers
        self._locks = locks
        self._files = Files(data / FOLDER)
        self._addresses = Addresses(
            bootstrap=servers.kafka,
            ca=None if locks is None else locks.ca,
            mongo=servers.mongo_url if servers.locked_mongo else None,
        )

    @property
    def folder(self) -> Path | None:
        """The folder of the log-ins, for run.json; None when the broker's users are not ours."""
        return self._files.folder if self._servers.locked_kafka else None

    async def open(self) -> None:
        """Makes every user and rule; Unavailable when a server does not answer."""
        if self._locks is None:
            return
        servers = self._servers
        admin = Administrator(
            kafka=self._locks.kafka_environ(servers.kafka) if servers.locked_kafka else None,
            mongo_url=servers.mongo_url if servers.locked_mongo else None,
            mongo_options=self._locks.mongo_options() if servers.locked_mongo else None,
        )
        await applying.apply(self._files, self._addresses, admin)

    def service(self, name: str) -> dict[str, str]:
        """The variables that a service gets in place of passwords."""
        return self._environ(User(name=name, internal=True, database=name))

    def operator(self) -> dict[str, str]:
        """The same for the operator, who makes topics."""
        return {"PAYUNG_KAFKA": self._servers.kafka, **self._environ(User(name=OPERATOR, super_user=True))}

    def operator_mongo_url(self) -> str:
        """The URL that commands use for the database."""
        user = User(name=OPERATOR, super_user=True)
        password = self._files.password(user)
        if not self._servers.locked_mongo or password is None:
            return self._servers.mongo_url
        return login.with_login(self._servers.mongo_url, user.name, password, self._addresses.ca)

    def _environ(self, user: User) -> dict[str, str]:
        if self._servers.locked_kafka:
            return {credentials.VARIABLE: str(self._files.path(user))}
        if self._servers.locked_mongo:
            # The user's own broker has its own log-ins; only the database needs ours.
            url = login.with_login(
                self._servers.mongo_url, user.name, str(self._files.password(user)), self._addresses.ca
            )
            return {"PAYUNG_MONGO_URL": url}
        return {}
