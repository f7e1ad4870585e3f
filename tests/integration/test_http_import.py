"""A list over HTTP into the real service on a real Kafka and MongoDB, which is killed in the middle of it."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from payung.embedded import ports
from payung.embedded.console import Console
from payung.embedded.stack import Stack, StackConfig, read_run
from shared.runtime.kafka import topics_admin
from tests import dates

pytestmark = [pytest.mark.connected, pytest.mark.timeout(300)]

HEADER = "nik;nama;tanggal_lahir;jenis_kelamin;desa;sektor;pekerjaan;persetujuan"
ROWS = 12_000


def _list() -> bytes:
    """Every tenth row has a village that does not exist."""
    lines = [HEADER]
    for number in range(1, ROWS + 1):
        village = "64.08.99.9999" if number % 10 == 0 else "64.08.04.2001"
        lines.append(
            f"64080441{number % 12 + 1:02d}{50 + number // 12_000:02d}{number % 9_999 + 1:04d};PEKERJA {number};"
            f"01/{number % 12 + 1:02d}/1985;P;{village};perikanan;nelayan;04/01/2026"
        )
    return ("\r\n".join(lines) + "\r\n").encode("utf-8-sig")


@pytest.fixture
async def stack(tmp_path: Path, kafka: str, mongo_url: str) -> AsyncIterator[Stack]:
    environment = {**dates.bare(os.environ), "PAYUNG_KAFKA": kafka, "PAYUNG_MONGO_URL": mongo_url}
    environment["PAYUNG_KAFKA_ONE_BROKER"] = "yes"
    config = StackConfig(
        data_dir=tmp_path,
        port_base=ports.free_base(),
        services=("registration",),
        stand_ins=(),
        environment=environment,
    )
    async with Stack(config, topics_admin.apply, console=Console(io.StringIO())) as running:
        yield running


async def _progress(client: httpx.AsyncClient, identifier: str) -> dict[str, Any]:
    """The progress of an import; the service may be starting again."""
    while True:
        try:
            answer = await client.get(f"/v1/imports/{identifier}")
        except httpx.TransportError:
            await asyncio.sleep(0.1)
            continue
        found: dict[str, Any] = answer.json()
        return found


async def test_a_list_survives_the_kill_of_the_service_and_is_answered_whole(stack: Stack, tmp_path: Path) -> None:
    run = read_run(tmp_path)
    assert run is not None
    async with httpx.AsyncClient(base_url=run["urls"]["registration"], timeout=60, trust_env=False) as client:
        files = {"file": ("daftar.csv", _list(), "text/csv")}
        answer = await client.post("/v1/imports", files=files, data={"agency": "64.08/perikanan"})
        assert answer.status_code == 202, answer.text
        identifier = answer.json()["id"]
        while not 0 < (found := await _progress(client, identifier))["answered"] < ROWS:  # another process
            assert found["status"] != "done", "too quick to be killed in the middle"
            await asyncio.sleep(0.01)
        pid = stack.pids()["registration"]
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while (found := await _progress(client, identifier))["status"] != "done":  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.2)
        assert (found["rows"], found["outcomes"]) == (ROWS, {"registered": ROWS * 9 // 10, "rejected": ROWS // 10})
        whole = (await client.get(f"/v1/imports/{identifier}/answers.csv")).content
        answers = list(csv.DictReader(io.StringIO(whole.decode("utf-8-sig")), delimiter=";"))
        assert len(answers) == ROWS
        assert {one["reasons"] for one in answers if one["outcome"] == "rejected"} == {"village-unknown"}

        mended = whole.replace(b"64.08.99.9999", b"64.08.04.2001")
        url = "/v1/imports?agency=64.08/perikanan&filename=jawaban.csv"
        identifier = (await client.post(url, content=mended)).json()["id"]
        while (found := await _progress(client, identifier))["status"] != "done":  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.2)
        assert found["outcomes"] == {"already-registered": ROWS * 9 // 10, "registered": ROWS // 10}
