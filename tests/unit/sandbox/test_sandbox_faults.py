"""Faults on demand, seen from the other end of a real connection where that matters."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.sandbox import bpjs
from deploy.sandbox.dukcapil import MATCH_PATH
from tests.unit.sandbox.sandbox_process import LIMIT_S, PROJECT, Running, started

NIK, NAME, SECRET = "6408044107850002", "SITI AMINAH", "s3cret-word"
ASKED = {
    "NIK": NIK,
    "NAMA_LGKP": NAME,
    "TMPT_LHR": "Sangatta",
    "TGL_LHR": "01-07-1985",
    "JENIS_KLMIN": "Perempuan",
    "TRESHOLD": "90",
    "USER_ID": "user",
    "PASSWORD": SECRET,
    "IP_USER": "10.0.0.1",
}
BENEFIT = {"claim": "K-1", "worker_id": "w", "benefits": [], "total": 1_000, "account": "1234567890"}


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("population") / "population.csv"
    header = "nik,name,birth_place,birth_date,sex,village,status\n"
    path.write_text(f"{header}{NIK},{NAME},Sangatta,1985-07-01,F,64.08.04.2001,alive\nbroken,row\n")
    return path


@pytest.fixture(scope="module")
def dukcapil(population: Path) -> Iterator[Running]:
    with started("dukcapil", ["--population", str(population)]) as running:
        yield running


@pytest.fixture
def client(dukcapil: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=dukcapil.url, timeout=LIMIT_S, trust_env=False) as client:
        client.delete("/_control")
        yield client
        client.delete("/_control")


def set_faults(client: httpx.Client, **faults: Any) -> None:
    assert client.post("/_control", json=faults).status_code == 200


def calls(client: httpx.Client) -> dict[str, int]:
    counted: dict[str, int] = client.get("/_control/log").json()["calls"]
    return counted


def test_without_faults_it_answers(client: httpx.Client) -> None:
    assert client.post(MATCH_PATH, json=ASKED).json()["content"][0]["NAMA_LGKP"] == "Sesuai (100)"
    assert client.get("/healthz").json() == {"status": "ok", "people": 1, "skipped": 1}


def test_down_refuses_the_calls_but_not_the_control(client: httpx.Client) -> None:
    set_faults(client, down=True)
    assert client.post(MATCH_PATH, json=ASKED).status_code == 503
    assert client.get("/healthz").status_code == 200
    set_faults(client, down=False)
    assert client.post(MATCH_PATH, json=ASKED).status_code == 200
    assert calls(client) == {"down": 1, "match": 1}


def test_errors_are_500_or_503_at_their_rate(client: httpx.Client) -> None:
    set_faults(client, error_rate=0.5, seed=7)
    seen = [client.post(MATCH_PATH, json=ASKED).status_code for _ in range(100)]
    assert set(seen) == {200, 500, 503}
    assert 30 <= seen.count(200) <= 70


def test_the_same_seed_draws_the_same_faults(client: httpx.Client) -> None:
    def fates() -> list[int]:
        set_faults(client, error_rate=0.5, seed=11)
        return [client.post(MATCH_PATH, json=ASKED).status_code for _ in range(30)]

    assert fates() == fates()


def test_a_reset_is_a_broken_connection_and_the_next_call_is_served(client: httpx.Client) -> None:
    set_faults(client, reset_rate=1)
    with pytest.raises(httpx.ReadError, match="reset"):
        client.post(MATCH_PATH, json=ASKED)
    set_faults(client, reset_rate=0)
    assert client.post(MATCH_PATH, json=ASKED).status_code == 200
    assert calls(client) == {"reset": 1, "match": 1}


def test_a_hanging_call_ends_when_its_caller_gives_up(client: httpx.Client) -> None:
    set_faults(client, hang_rate=1)
    with pytest.raises(httpx.ReadTimeout):
        client.post(MATCH_PATH, json=ASKED, timeout=0.1)
    assert calls(client) == {"hang": 1}


def test_malformed_and_wrong_content_are_200_that_cannot_be_read(client: httpx.Client) -> None:
    set_faults(client, malformed_rate=1)
    malformed = client.post(MATCH_PATH, json=ASKED)
    set_faults(client, malformed_rate=0, wrong_content_rate=1)
    page = client.post(MATCH_PATH, json=ASKED)
    assert (malformed.status_code, page.status_code) == (200, 200)
    for answer in (malformed, page):
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    assert page.headers["content-type"].startswith("text/html")


def test_latency_delays_the_answer(client: httpx.Client) -> None:
    set_faults(client, latency_ms=30_000)
    with pytest.raises(httpx.ReadTimeout):
        client.post(MATCH_PATH, json=ASKED, timeout=0.1)
    set_faults(client, latency_ms=60, jitter_ms=10)
    assert client.post(MATCH_PATH, json=ASKED).elapsed.total_seconds() >= 0.06


def test_unnamed_faults_keep_their_value_and_bad_ones_change_nothing(client: httpx.Client) -> None:
    set_faults(client, latency_ms=5, quota_left=7)
    set_faults(client, jitter_ms=2)
    for bad in ({"error_rate": 2}, {"unknown": 1}, {"latency_ms": -1}):
        assert client.post("/_control", json=bad).status_code == 422
    assert client.post("/_control", content=b"[]").status_code == 422
    now = client.get("/_control").json()
    assert (now["latency_ms"], now["jitter_ms"], now["quota_left"], now["error_rate"]) == (5, 2, 7, 0)


def call_in_thread(url: str) -> threading.Thread:
    def call() -> None:
        with suppress(httpx.HTTPError):
            httpx.post(url, json=ASKED, timeout=LIMIT_S)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean_even_with_a_hanging_call_and_nothing_personal_is_written(
    population: Path, number: signal.Signals
) -> None:
    with (
        started("dukcapil", ["--population", str(population)]) as running,
        httpx.Client(base_url=running.url, timeout=LIMIT_S, trust_env=False) as client,
    ):
        client.post(MATCH_PATH, json=ASKED)
        client.post(MATCH_PATH, content=b'{"NIK": "6408044107850002", ')
        set_faults(client, hang_rate=1)
        hanging = call_in_thread(running.url + MATCH_PATH)
        while not calls(client).get("hang"):
            pass
        status, written = running.stop(number)
        hanging.join(LIMIT_S)
    assert status == 0
    assert written == "population: 1 rows skipped, the first is row 2\n"
    for personal in (NIK, NAME, SECRET):
        assert personal not in written


def test_an_unreadable_population_is_reported_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    path.write_text("nik,nama\n")
    argv = [sys.executable, "-m", "deploy.sandbox.dukcapil", "--port", "1", "--population", str(path)]
    ended = subprocess.run(argv, cwd=PROJECT, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert ended.returncode == 2
    assert ended.stderr == "population: columns missing: name, birth_place, birth_date, sex, village, status\n"


def test_a_killed_bpjs_pays_no_key_twice(tmp_path: Path) -> None:
    headers = {"Idempotency-Key": "due-1"}
    answers = []
    for _ in range(2):
        with started("bpjs", ["--data", str(tmp_path)]) as running:
            answer = httpx.post(running.url + bpjs.BENEFITS_PATH, json=BENEFIT, headers=headers, timeout=LIMIT_S)
            assert answer.status_code == 200
            answers.append(answer.content)
            assert httpx.get(running.url + "/healthz", timeout=LIMIT_S).json()["payments"] == 1
            running.stop(signal.SIGKILL)
    assert answers[0] == answers[1]
