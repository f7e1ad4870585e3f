"""How a process ends when it cannot continue: one line with the reason, and the exit code of that kind of failure."""

from __future__ import annotations

import logging
import resource
import socket

import pytest
from pymongo.errors import OperationFailure
from starlette.applications import Starlette

from shared.runtime import app
from shared.runtime.app import Process
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.http import edge
from tests.toy import SPEC


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (StartRefused("no such topic"), app.EXIT_REFUSED, "no such topic"),
        (Unavailable("Kafka: away"), app.EXIT_UNAVAILABLE, "Kafka: away"),
        (
            OperationFailure("Authentication failed.", 18),
            app.EXIT_DEFECT,
            "OperationFailure 18 at tests/unit/runtime/test_exit_lines.py",
        ),
        (
            ValueError("invalid literal for int()"),
            app.EXIT_DEFECT,
            "ValueError at tests/unit/runtime/test_exit_lines.py",
        ),
    ],
)
async def test_one_line_says_why(monkeypatch: pytest.MonkeyPatch, error: Exception, code: int, told: str) -> None:
    async def run(_: Process) -> int:
        raise error

    monkeypatch.setattr(Process, "run", run)
    lines: list[dict[str, str]] = []

    class Log:
        def error(self, event: str, **fields: str) -> None:
            lines.append({"event": event, **fields})

    monkeypatch.setattr(app, "log", Log())
    assert await app._run(SPEC, {"PAYUNG_LOG": "json"}) == code
    # A defect also leaves its traceback.
    line, *more = lines
    assert [one["event"] for one in more] == (["the error that ended the service"] if code == app.EXIT_DEFECT else [])
    assert line["why"].startswith(told)
    assert "\n" not in line["why"]


async def test_a_taken_port_is_a_wrong_setting(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        number = other.getsockname()[1]
        web = app._Web(edge.config(Starlette(), {}, number))
        with pytest.raises(
            StartRefused, match=f"port {number} of 127.0.0.1 is in use by another program: .*PAYUNG_HTTP_PORT"
        ):
            await web.serve()
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == [], "our own line says it once"


async def test_an_address_of_another_machine_is_a_wrong_setting() -> None:
    web = app._Web(edge.config(Starlette(), {"PAYUNG_HTTP_HOST": "192.0.2.1"}, 0))
    with pytest.raises(StartRefused, match="PAYUNG_HTTP_PORT and PAYUNG_HTTP_HOST"):
        await web.serve()


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ((1_024, 524_288), (app.OPEN_FILES, 524_288)),
        ((1_024, 4_096), (4_096, 4_096)),
        ((1_024, resource.RLIM_INFINITY), (app.OPEN_FILES, resource.RLIM_INFINITY)),
        ((20_000, 20_000), None),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), None),
    ],
)
def test_a_service_may_open_more_files_than_the_edge_has_connections(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], wanted: tuple[int, int] | None
) -> None:
    made: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, given: made.append(given))
    app._raise_open_files()
    assert made == ([] if wanted is None else [wanted])
    assert app.OPEN_FILES > 4 * edge.CONNECTIONS_MAX
