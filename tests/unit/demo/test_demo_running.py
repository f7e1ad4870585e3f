"""The demo on a running installation: which addresses it uses, and that it refuses a real register."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from payung.demo import running
from payung.demo.population import generate
from payung.embedded.data import DataFolder
from payung.installations import DEFAULT_MONGO_URL, CommandError, Installation, find
from shared.reference import areas

PEOPLE = list(generate(1, 50, "64.08", areas.load(), date(2026, 11, 21)))


@contextmanager
def register(status: int) -> Iterator[tuple[str, list[Any]]]:
    """An HTTP server that records its requests and answers with one status."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            taken.append((self.path, json.loads(body)))
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


def place(url: str) -> Installation:
    return Installation(Path("/nowhere"), {"PAYUNG_DUKCAPIL_URL": url}, {})


async def test_the_stand_in_gets_everyone_in_the_columns_of_a_population_file() -> None:
    with register(200) as (url, taken):
        await running.fill_register(place(url), PEOPLE)
    [(path, body)] = taken
    assert path == "/_control/population"
    assert len(body["rows"]) == len(PEOPLE)
    assert set(body["rows"][0]) == {"nik", "name", "birth_place", "birth_date", "sex", "village", "status"}


async def test_a_server_without_a_control_endpoint_counts_as_a_real_register() -> None:
    with register(404) as (url, _), pytest.raises(CommandError, match="no real installation"):
        await running.fill_register(place(url), PEOPLE)


def test_the_environment_wins_over_what_the_running_installation_says() -> None:
    urls = {"dukcapil": "http://127.0.0.1:9106"}
    assert running.register_url(Installation(Path("/nowhere"), {}, urls)) == "http://127.0.0.1:9106"
    assert running.register_url(Installation(Path("/nowhere"), {"PAYUNG_DUKCAPIL_URL": "http://d"}, urls)) == "http://d"
    assert running.register_url(Installation(Path("/nowhere"), {}, {})) == "http://127.0.0.1:8106"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory with an installation in its default folder, and an environment without Payung's settings."""
    for name in ("PAYUNG_KAFKA", "PAYUNG_MONGO_URL", "PAYUNG_ID_KEY", "PAYUNG_FIELD_KEYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = DataFolder(tmp_path / ".local/share/payung")
    folder.take()
    folder.keys({"PAYUNG_ID_KEY": "its-key"})
    folder.publish_run(
        port_base=9100, kafka="127.0.0.1:9192", mongo_url="mongodb://its", urls={"billing": "http://127.0.0.1:9103"}
    )
    yield tmp_path
    folder.release()


def test_an_environment_that_names_another_broker_takes_nothing_from_run_json(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYUNG_KAFKA", "127.0.0.1:8192")
    found = find(None)
    assert found.url("billing") == "http://127.0.0.1:8103"
    assert found.environ["PAYUNG_MONGO_URL"] == DEFAULT_MONGO_URL
    assert "PAYUNG_ID_KEY" not in found.environ


def test_run_json_is_used_when_the_environment_is_silent_or_agrees(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert find(None).environ["PAYUNG_MONGO_URL"] == "mongodb://its"
    monkeypatch.setenv("PAYUNG_KAFKA", "127.0.0.1:9192")
    found = find(None)
    assert found.url("billing") == "http://127.0.0.1:9103"
    assert found.environ["PAYUNG_ID_KEY"] == "its-key"
