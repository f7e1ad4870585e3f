"""The launcher against a real broker and a real database: kills, restarts, moves, and a clean end."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient

from payung.embedded import ports, stack
from payung.embedded.console import Console
from payung.embedded.stack import LaunchError, Stack, StackConfig
from shared.runtime.errors import StartRefused
from tests import dates

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]
LIMIT_S = 120

_FAKE_SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path in ("/readyz", "/livez", "/seen") else 404)
        self.end_headers()
        seen = {"argv": sys.argv[1:], "env": {k: v for k, v in os.environ.items() if k.startswith("PAYUNG_")}}
        self.wfile.write(json.dumps(seen).encode())

    def log_message(self, *_):
        pass

port = int(os.environ["PAYUNG_HTTP_PORT"] if "--port" not in sys.argv else sys.argv[sys.argv.index("--port") + 1])
HTTPServer(("127.0.0.1", port), Handler).serve_forever()
"""


def fake_project(root: Path) -> None:
    """Makes services and stand-ins that only answer, so that the launcher starts without the real system."""
    for package, modules in (("services", stack.SERVICES), ("deploy/sandbox", stack.STAND_INS)):
        folder = root / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        for module in modules:
            (folder / f"{module}.py").write_text(_FAKE_SERVER)
    (root / "deploy" / "__init__.py").touch()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():  # noqa: ASYNC110  # another process's state sends no event
            await asyncio.sleep(0.05)


async def write(bootstrap: str, mongo_url: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await producer.send_and_wait("kept", b"record")
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url, w="majority", journal=True)
    await client["kept"]["documents"].insert_one({"_id": "document"})
    await client.close()


async def read(bootstrap: str, mongo_url: str) -> tuple[bytes | None, str]:
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        partition = TopicPartition("kept", 0)
        consumer.assign([partition])
        await consumer.seek_to_beginning(partition)
        record = await asyncio.wait_for(consumer.getone(partition), LIMIT_S)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(mongo_url)
    found = await client["kept"]["documents"].find_one({})
    await client.close()
    assert found is not None
    return record.value, found["_id"]


def processes_of(data: Path) -> dict[str, psutil.Process]:
    """The broker and the database processes of that folder, found through the operating system."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if str(data) in line and "child.py" not in line:
            if "kafka.Kafka" in line:
                found["kafka"] = process
            elif "--replSet" in line:
                found["mongo"] = process
    return found


async def test_servers_killed_by_9_come_back_with_their_data(tmp_path: Path) -> None:
    out = io.StringIO()
    async with stack.servers(tmp_path, ports.free_base(), environment={}, console=Console(out)) as (bootstrap, url):
        await write(bootstrap, url)
        for name, process in processes_of(tmp_path).items():
            process.kill()
            await until(lambda name=name: f"{name} is back" in out.getvalue())  # type: ignore[misc]
        assert await read(bootstrap, url) == (b"record", "document")
    assert "kafka stopped (killed by signal 9); restarting in 1 s" in out.getvalue()
    assert "mongo stopped (killed by signal 9); restarting in 1 s" in out.getvalue()
    assert processes_of(tmp_path) == {}


async def test_data_survives_a_restart_on_other_ports(tmp_path: Path) -> None:
    base = ports.free_base()
    async with stack.servers(tmp_path, base, environment={}) as addresses:
        await write(*addresses)
    async with stack.servers(tmp_path, base + 50, environment={}) as moved:
        assert moved != addresses
        assert await read(*moved) == (b"record", "document")


class Launched:
    """A stack of fake services on the session's real servers."""

    def __init__(self, tmp_path: Path, environment: dict[str, str]) -> None:
        self.out = io.StringIO()
        self.base = ports.free_base()
        self.data = tmp_path / "data"
        self.topics_made_on: list[str] = []
        (tmp_path / "people.csv").touch()
        config = StackConfig(
            data_dir=self.data, port_base=self.base, population=tmp_path / "people.csv", environment=environment
        )
        self.stack = Stack(config, self.make_topics, console=Console(self.out))

    async def make_topics(self, environ: Mapping[str, str]) -> None:
        self.topics_made_on.append(environ["PAYUNG_KAFKA"])
        assert self.stack.pids() == {}, "topics come before the services"

    def keys(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data / "keys.json").read_text())
        return found

    def seen(self, name: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{ports.port(self.base, name)}/seen", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@pytest.fixture
def launched(tmp_path: Path, kafka: str, mongo_url: str, monkeypatch: pytest.MonkeyPatch) -> Launched:
    fake_project(tmp_path / "project")
    monkeypatch.setattr(stack, "_PROJECT", tmp_path / "project")
    return Launched(tmp_path, {**dates.bare(os.environ), "PAYUNG_KAFKA": kafka, "PAYUNG_MONGO_URL": mongo_url})


async def test_stack_starts_all_reports_all_and_cleans_up(launched: Launched, kafka: str, mongo_url: str) -> None:
    async with launched.stack:
        run = stack.read_run(launched.data)
        assert run is not None
        assert launched.topics_made_on == [kafka]
        assert list(run["urls"]) == [
            "registration",
            "verification",
            "billing",
            "claims",
            "reporting",
            "dukcapil",
            "bpjs",
        ]
        lines = launched.out.getvalue().splitlines()
        assert lines[-1] == "ready"
        assert [line.split() for line in lines[-8:-1]] == [[name, url] for name, url in run["urls"].items()]
        keys = launched.keys()
        env = launched.seen("claims")["env"]
        assert env == {
            "PAYUNG_KAFKA": kafka,
            "PAYUNG_MONGO_URL": mongo_url,
            "PAYUNG_DUKCAPIL_URL": run["urls"]["dukcapil"],
            "PAYUNG_BPJS_URL": run["urls"]["bpjs"],
            "PAYUNG_ID_KEY": keys["id_key"],
            "PAYUNG_FIELD_KEYS_FILE": str(launched.data / "keys/claims"),
            "PAYUNG_HTTP_PORT": str(launched.base + 4),
            "PAYUNG_LOG": "json",
            "PAYUNG_AUTH": "none",
            "PAYUNG_STICKER_SAMPLES": "yes",
            "PAYUNG_INSTANCE": f"up-{socket.gethostname()}",
        }
        assert "--population" in launched.seen("dukcapil")["argv"]
        assert (launched.data / "keys/claims").read_text().strip() == keys["field_keys"]["claims"]
        assert len(set(keys["field_keys"].values())) == 5, "no service has another's key"
        for without in ("verification", "billing", "reporting", "bpjs"):
            assert "PAYUNG_ID_KEY" not in launched.seen(without)["env"]
        pids = [pid for pid in launched.stack.pids().values() if pid is not None]
        assert len(pids) == 7
    assert stack.read_run(launched.data) is None
    assert not any(psutil.pid_exists(pid) for pid in pids)


async def test_second_stack_on_the_same_folder_is_refused(launched: Launched, tmp_path: Path) -> None:
    async with launched.stack:
        second = Launched(tmp_path, dict(launched.stack._config.environment))
        with pytest.raises(LaunchError, match="already runs"):
            await second.stack.start()
        await second.stack.stop()
        assert stack.read_run(launched.data) is not None


async def test_topics_that_cannot_be_made_are_reported_in_one_line(launched: Launched) -> None:
    async def refuse(environ: Mapping[str, str]) -> None:
        raise StartRefused("topic billing-events has 3 partitions, the table says 6")

    failing = Stack(launched.stack._config, refuse, console=Console(launched.out))
    with pytest.raises(LaunchError, match="billing-events has 3 partitions"):
        await failing.__aenter__()
    assert stack.read_run(launched.data) is None


async def test_killed_service_is_restarted_under_the_same_address(launched: Launched) -> None:
    async with launched.stack:
        pid = launched.stack.pids()["billing"]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: "billing is back" in launched.out.getvalue())
        assert launched.seen("billing")["env"]["PAYUNG_HTTP_PORT"] == str(launched.base + 3)


_UP = """
import asyncio, sys
from pathlib import Path
from payung.embedded import stack
stack._PROJECT = Path(sys.argv[1])
async def no_topics(environ): pass
sys.exit(asyncio.run(stack.up(stack.StackConfig(data_dir=Path(sys.argv[2]), port_base=int(sys.argv[3])), no_topics)))
"""


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_up_leaves_nothing_behind_however_it_ends(tmp_path: Path, end: signal.Signals) -> None:
    fake_project(tmp_path / "project")
    data, base = tmp_path / "data", ports.free_base()
    command = [sys.executable, "-c", _UP, str(tmp_path / "project"), str(data), str(base)]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PAYUNG_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as running:
        assert running.stdout is not None
        assert "ready\n" in iter(running.stdout.readline, ""), "up ended before it was ready"
        left = psutil.Process(running.pid).children(recursive=True)
        assert len(left) == 10  # two servers, five services, two stand-ins, the orphan watch
        assert stack.read_run(data) is not None
        running.send_signal(end)
        assert running.wait(LIMIT_S) == (-signal.SIGKILL if end == signal.SIGKILL else 0)
    _, alive = psutil.wait_procs(left, timeout=LIMIT_S)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert stack.read_run(data) is None
