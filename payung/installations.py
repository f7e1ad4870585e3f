"""Finds the installation of a command: the environment first, then run.json of `payung up`."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from payung import configuration
from payung.access.table import OPERATOR
from payung.embedded import locks
from payung.embedded.data import DataFolder, keys_of
from payung.embedded.stack import default_data_dir, read_run
from shared.contracts import topics
from shared.contracts.reasons import messages
from shared.runtime.ops import credentials, secrets

DEFAULT_PORT_BASE = 8100
# The folder of the log-ins of an installation that `payung up` did not start (docker-compose.yml).
FOLDER = configuration.CREDENTIALS_FOLDER.name
# The folder of the servers' own secrets. With it a command logs in as the servers and makes the first users.
LOCKS = configuration.LOCKS.name
# The address that the compose file publishes. It bypasses the replica set's own name, which only its network knows.
DEFAULT_MONGO_URL = f"mongodb://127.0.0.1:{DEFAULT_PORT_BASE + 17}/?directConnection=true"


class CommandError(Exception):
    """A command cannot be carried out; the text says what to do next."""


class Refused(CommandError):
    """A service refused a request; `problem` is the body of its answer, empty when that is no object."""

    def __init__(self, text: str, problem: Mapping[str, Any]) -> None:
        super().__init__(text)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation: its data folder, the environment that reaches it, and its services' URLs."""

    data_dir: Path
    environ: Mapping[str, str]
    urls: Mapping[str, str]
    # The folder of its log-ins, when this machine has them.
    credentials: Path | None = None
    # Whether `payung up` started it and keeps its addresses in run.json.
    launched: bool = False

    def url(self, service: str) -> str:
        """The HTTP address of a service."""
        return self.urls[service]

    def acting_as(self, *names: str) -> Installation:
        """The same installation with another log-in: the first of these users that has a file here. Without log-in
        files (the environment names a log-in, or the broker has none) nothing changes."""
        if self.credentials is None:
            return self
        for name in names:
            if (self.credentials / f"{name}.json").is_file():
                return self._with(self.credentials / f"{name}.json")
        raise CommandError(
            f"there is no log-in of {names[0]} in {self.credentials}; an agency gets one by: payung agency add"
        )

    def _with(self, file: Path) -> Installation:
        return replace(self, environ={**self.environ, credentials.VARIABLE: str(file)})

    def _headers(self) -> dict[str, str]:
        """The caller's token, for an installation with log-ins (PAYUNG_AUTH names an issuer)."""
        token = configuration.TOKEN.text(self.environ)
        return {"authorization": f"Bearer {token}"} if token else {}

    async def get(self, service: str, path: str, **params: str | list[str] | None) -> httpx.Response:
        """GETs a service; raises CommandError when it does not answer, Refused when it refuses."""
        given = {name: value for name, value in params.items() if value is not None}
        return await self._ask("GET", service, path, params=given)

    async def post(self, service: str, path: str, body: Mapping[str, Any]) -> httpx.Response:
        """POSTs JSON to a service; raises CommandError when it does not answer, Refused when it refuses."""
        return await self._ask("POST", service, path, json=dict(body))

    async def _ask(self, method: str, service: str, path: str, **content: Any) -> httpx.Response:
        try:
            async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
                answer = await client.request(method, self.url(service) + path, headers=self._headers(), **content)
        except httpx.HTTPError as error:
            raise CommandError(
                f"{service} does not answer at {self.url(service)} ({type(error).__name__}); is `payung up` running?"
            ) from error
        if answer.status_code >= 400:
            raise _refused(service, path, answer)
        return answer

    async def lines(self, service: str, path: str, **params: str) -> AsyncIterator[str]:
        """The lines of a service's answer as they arrive; raises CommandError as `get` does, also when it breaks
        off."""
        async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
            try:
                url = self.url(service) + path
                async with client.stream("GET", url, params=params, headers=self._headers()) as answer:
                    if answer.status_code >= 400:
                        await answer.aread()
                        raise _refused(service, path, answer)
                    async for line in answer.aiter_lines():
                        yield line
            except httpx.HTTPError as error:
                raise CommandError(f"{service} broke off at {path} ({type(error).__name__}); run it again") from error


def _refused(service: str, path: str, answer: httpx.Response) -> Refused:
    try:
        body = answer.json()
    except ValueError:
        body = None
    problem = body if isinstance(body, dict) else {}
    return Refused(f"{service} refused {path}: {_problem(problem, answer.status_code)}", problem)


def _problem(body: Mapping[str, Any], status: int) -> str:
    """The reason in words for which a service refused a request."""
    errors = body.get("errors")
    if isinstance(errors, list):
        return "; ".join(_one_error(one) for one in errors)
    reasons = body.get("reasons")
    if isinstance(reasons, list):
        return f"{body.get('title', 'refused')}: {', '.join(map(str, reasons))}. {messages(reasons, 'id')}"
    return str(body.get("detail") or body.get("title") or f"HTTP {status}")


def _one_error(one: Any) -> str:
    if not isinstance(one, dict):
        return str(one)
    where, what = str(one.get("pointer") or "").strip("/"), str(one.get("detail") or one.get("code") or "")
    return f"{where}: {what}" if where else what


def find(data: Path | None) -> Installation:
    """The installation of a data folder, or the one that the environment names.

    Raises CommandError when nothing runs there, StartRefused for an environment variable of another form.
    """
    data_dir = data if data is not None else default_data_dir()
    environ = _resolved()
    run = read_run(data_dir)
    if run is not None and data is None and _names_another(environ, run):
        # The environment names another installation, so the addresses and keys of this one do not fit.
        run = None
    urls = {name: f"http://127.0.0.1:{DEFAULT_PORT_BASE + n}" for n, name in enumerate(topics.SERVICES, start=1)}
    kept = _credentials(run, environ)
    if run is not None:
        urls.update(run["urls"])
        if data is not None or "PAYUNG_KAFKA" not in environ:
            environ["PAYUNG_KAFKA"] = run["kafka"]
            environ["PAYUNG_MONGO_URL"] = run["mongo_url"]
        _add_keys(environ, Path(run["keys"]))
    _log_in(environ, kept)
    if run is None and "PAYUNG_KAFKA" not in environ:
        raise CommandError(
            f"nothing runs on {data_dir}: start it with `payung up`, name its folder with --data, "
            "or set PAYUNG_KAFKA to the broker of a running installation"
        )
    environ.setdefault("PAYUNG_MONGO_URL", DEFAULT_MONGO_URL)
    return Installation(data_dir, environ, urls, kept, launched=run is not None)


def _names_another(environ: Mapping[str, str], run: Mapping[str, Any]) -> bool:
    """Whether the environment means another installation than the one of run.json."""
    folder = environ.get(FOLDER)
    return environ.get("PAYUNG_KAFKA", run["kafka"]) != run["kafka"] or (
        folder is not None and folder != run.get("credentials")
    )


def _credentials(run: Mapping[str, Any] | None, environ: Mapping[str, str]) -> Path | None:
    """Where the log-ins are kept; None where this machine has none."""
    named = run.get("credentials") if run is not None else environ.get(FOLDER)
    return Path(named) if named else None


def _log_in(environ: dict[str, str], kept: Path | None) -> None:
    """Chooses the log-in: the servers' own where their secrets are given, else the one that the environment names, else
    the operator's. The operator's file also says where the broker is."""
    if environ.get(LOCKS):
        environ |= locks.standing(Path(environ[LOCKS])).kafka_environ(environ.get("PAYUNG_KAFKA", ""))
        return
    if kept is None or _logs_in(environ):
        return
    file = kept / f"{OPERATOR}.json"
    environ[credentials.VARIABLE] = str(file)
    if "PAYUNG_KAFKA" not in environ:
        own = credentials.read(file)
        environ["PAYUNG_KAFKA"] = own.bootstrap or ""
        environ.setdefault("PAYUNG_MONGO_URL", own.mongo or DEFAULT_MONGO_URL)


def _logs_in(environ: Mapping[str, str]) -> bool:
    """Whether the environment itself names a log-in."""
    return any(environ.get(name) for name in (credentials.VARIABLE, "PAYUNG_KAFKA_USER", "PAYUNG_KAFKA_CERT"))


def _resolved() -> dict[str, str]:
    """The environment with its secrets read from their files; raises StartRefused for a variable of another form."""
    found = secrets.resolved(os.environ)
    configuration.check_command(found)
    return found


def _add_keys(environ: dict[str, str], keys_file: Path) -> None:
    """Adds the keys of an installation of `payung up` that the environment lacks."""
    environ.setdefault(secrets.ID_KEY, keys_of(json.loads(keys_file.read_text("utf-8"))).id_key)
    if not any(name.startswith(secrets.FIELD_KEYS) for name in environ):
        folder = DataFolder(keys_file.parent)
        for service in topics.SERVICES:
            environ[f"{secrets.field_keys_of(service)}_FILE"] = str(folder.field_keys_file(service))
