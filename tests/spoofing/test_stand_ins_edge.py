"""The stand-ins for Dukcapil and BPJS do not authenticate callers, so only this machine may call them. They refuse
pages of other sites, foreign host names that lead to 127.0.0.1, other machines, and calls without end.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.sandbox import bpjs, dukcapil, faults
from tests.unit.sandbox.sandbox_process import LIMIT_S, PROJECT, Running, started

CALLS = {"dukcapil": dukcapil.MATCH_PATH, "bpjs": bpjs.BENEFITS_PATH}


@pytest.fixture(scope="module", params=["dukcapil", "bpjs"])
def running(request: pytest.FixtureRequest) -> Iterator[tuple[str, Running]]:
    with started(request.param) as found:
        yield request.param, found


@pytest.fixture
def client(running: tuple[str, Running]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running[1].url, timeout=LIMIT_S, trust_env=False) as found:
        yield found


@pytest.mark.parametrize("host", ["rebound.example:8106", "10.0.0.7", "payung"])
def test_a_name_that_is_not_this_machine_is_not_answered(client: httpx.Client, host: str) -> None:
    for method, path in (("GET", "/_control/log"), ("GET", "/healthz"), ("POST", "/_control"), ("DELETE", "/_control")):
        assert client.request(method, path, headers={"host": host}).status_code == 421
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "same-site"}])
def test_pages_of_others_change_nothing(
    client: httpx.Client, running: tuple[str, Running], headers: dict[str, str]
) -> None:
    for path in (CALLS[running[0]], "/_control", "/_control/population"):
        assert client.post(path, json={"down": True}, headers=headers).status_code == 403
    assert client.delete("/_control", headers=headers).status_code == 403
    assert client.get("/_control").json()["down"] is False


def test_a_call_without_end_is_refused(client: httpx.Client, running: tuple[str, Running]) -> None:
    long = b'{"x": "' + b"x" * faults.CALL_BYTES_MAX + b'"}'
    for path in (CALLS[running[0]], "/_control"):
        assert client.post(path, content=long).status_code == 413


@pytest.mark.parametrize("name", ["dukcapil", "bpjs"])
def test_other_machines_must_not_reach_it(name: str) -> None:
    argv = [sys.executable, "-m", f"deploy.sandbox.{name}", "--host", "0.0.0.0", "--port", "1"]
    ended = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == 2
    assert "PAYUNG_HTTP_PUBLISHED=loopback" in ended.stderr


@pytest.mark.parametrize("name", ["dukcapil", "bpjs"])
def test_compose_publishes_it_on_loopback_and_says_so(name: str) -> None:
    composed: dict[str, Any] = yaml.safe_load((Path(PROJECT) / "docker-compose.yml").read_text("utf-8"))["services"]
    found = composed[name]
    assert all(one.startswith("127.0.0.1:") for one in found["ports"])
    # The services call it by its name in compose's network.
    assert found["environment"] == {"PAYUNG_HTTP_PUBLISHED": "loopback", "PAYUNG_HTTP_NAMES": name}
