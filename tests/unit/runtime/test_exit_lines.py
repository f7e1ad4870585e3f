"""How a process ends when it cannot continue: one line that says why, and an exit code for the kind."""

from __future__ import annotations

import pytest
from pymongo.errors import OperationFailure

from shared.runtime import app
from shared.runtime.app import Process
from shared.runtime.errors import StartRefused, Unavailable
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
