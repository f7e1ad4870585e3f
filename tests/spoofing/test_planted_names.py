"""Errors whose texts name a person, planted wherever an error can come from. No log line, audit line, dead letter's
form, metric or HTTP answer repeats a name, a NIK or an account."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import httpx
import orjson
import pytest
import structlog
from fastapi import APIRouter, FastAPI
from prometheus_client import generate_latest
from pydantic import BaseModel

from services.claims.adapters import bpjs
from services.verification.adapters import dukcapil
from shared.contracts.billing import RunCompleted
from shared.runtime import app
from shared.runtime.errors import Unavailable
from shared.runtime.http import endpoints
from shared.runtime.ops import logs, traces
from shared.runtime.ops.metrics import Metrics
from shared.runtime.store import driver
from tests.simulation.cast import ENVIRON, SPECS
from tests.spoofing import test_hostile_words as words
from tests.spoofing.planted import ERRORS, NAME, NIK, found_in, raised
from tests.spoofing.test_edge_requests import served
from tests.spoofing.town import Town
from tests.toy import SPEC

Said = Callable[[], str]


@pytest.fixture
def said(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Said]:
    """The log of a service so far: as JSON, unless a test asks for the form for people."""
    root = logging.getLogger()
    kept, level, stream = root.handlers[:], root.level, io.StringIO()
    for place, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        monkeypatch.setattr(place, name, getattr(place, name))
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)
    monkeypatch.setattr("sys.stderr", stream)
    root.handlers.clear()
    # A command that another test ran in this process may have silenced the libraries (payung/troubles.py).
    library = logging.getLogger("faststream")
    library_level = library.level
    library.setLevel(logging.NOTSET)
    logs.configure("registration", {"PAYUNG_LOG": getattr(request, "param", "json")})
    yield stream.getvalue
    root.handlers[:] = kept
    root.setLevel(level)
    library.setLevel(library_level)


def events(text: str, event: str) -> list[dict[str, Any]]:
    """The log lines of this event."""
    lines = [json.loads(one) for one in text.splitlines() if one.startswith("{")]
    return [one for one in lines if one["event"] == event]


# -- decisions --------------------------------------------------------------------------------------------------------


@pytest.fixture(params=SPECS, ids=lambda spec: spec.name)
def broken(request: pytest.FixtureRequest) -> tuple[str, Town]:
    """A service of which every decision raises one of the planted errors in turn, beside the other four services."""
    errors = cycle(ERRORS.values())

    def decide(state: Any, event: Any, facts: Any) -> Any:
        next(errors)()

    name = request.param.name
    specs = [dataclasses.replace(one, decide=decide) if one.name == name else one for one in SPECS]
    return name, Town(specs)


async def test_no_service_names_a_person_when_its_decision_fails(broken: tuple[str, Town], said: Said) -> None:
    service, town = broken
    for number in range(2):
        words.agency_words(town, words.WORDS[number], number)
        words.claims_words(town, words.WORDS[number], number)
        words.officials_words(town, words.WORDS[number], number)
    # More inputs than errors, so that each error was raised.
    for number in range(len(ERRORS)):
        budget = {"regency": "64.08", "year": 2026, "funding": "csr", "jkk": number + 1, "jkm": 1, "decree_no": "SK-1"}
        town.write("billing-intake", words.TREASURY, "budget.set.v1", {**budget, "target_workers": 1})
        decided = {"worker_id": words.WORKER, "decision": "verified", "officer": "petugas-1", "reason": f"{number}"}
        town.write("verification-intake", words.OFFICER, "identity.decide.v1", decided)
    await town.settle()
    forms = [
        " ".join(f"{name}={(value or b'').decode()}" for name, value in one.headers if name.startswith("dlq_"))
        for one in town.topics.published
        if one.topic == f"{service}-dlq"
    ]
    defects = [one for one in forms if "dlq_error=defect" in one]
    assert len(defects) > len(ERRORS), f"too few decisions of {service} failed"
    assert all("at tests/spoofing/planted.py:" in one for one in defects)
    kinds = {one["exception"][-1].split()[0] for one in events(said(), "a defect")}
    assert {"KeyError", "ValidationError", "BulkWriteError", "HTTPStatusError"} <= kinds
    assert [one for one in events(said(), "audit") if one["what"] == "put aside"]
    for text in (said(), *forms, generate_latest(town.metrics[service].registry).decode()):
        assert words.found_in(text) == found_in(text) == []


async def test_a_key_that_a_sender_chose_is_not_repeated(town: Town) -> None:
    done = {"run_id": "r", "invoice_id": None, "regency": "64.08", "period": "2026-01", "funding": "csr"}
    more = {"billed_workers": 0, "total": 0, "lines": [], "not_billed": {f"{NAME} {NIK}": NAME}, "budget_left": {}}
    assert RunCompleted.model_fields.keys() == {*done, *more}
    town.write("billing-events", "payung/billing", "billing.run-completed.v1", {**done, **more})
    await town.settle()
    letters = [dict(one.headers) for one in town.topics.published if one.topic.endswith("-dlq")]
    details = {(one["dlq_error"], one["dlq_detail"]) for one in letters}
    assert details == {(b"bad-data", b"of our own making, wrong in not_billed")}


# -- the shell's own lines --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ERRORS)
async def test_the_log_line_of_a_part_that_ends_contains_no_personal_data(name: str, said: Said) -> None:
    async def part() -> None:
        ERRORS[name]()

    process = app.Process(SPEC, {})
    await process._guard(part(), "background")
    assert process._failure is not None
    logs_line = traces.safe_text(process._failure)
    app._tell(process._failure)
    structlog.get_logger().warning("a field", why=process._failure)
    assert events(said(), "the error that ended the service")
    assert found_in(logs_line + said()) == []


@pytest.mark.parametrize("name", [one for one in ERRORS if one.startswith("mongo")])
async def test_the_driver_of_the_database_names_nobody(name: str, said: Said) -> None:
    async def asked() -> None:
        ERRORS[name]()

    with pytest.raises(Exception) as found:  # noqa: PT011  # Unavailable, or the driver's own error
        await driver.answered(asked())
    if isinstance(found.value, Unavailable):
        assert found_in(str(found.value)) == []
    structlog.get_logger().error("stopped after an error", why=traces.safe_text(found.value), exc_info=found.value)
    assert found_in(traces.short(found.value) + said()) == []


@pytest.mark.parametrize("name", ["httpx_connection", "httpx_status"])
async def test_calls_of_other_systems_name_nobody(name: str, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if name == "httpx_connection":
            ERRORS[name]()
        return httpx.Response(500, text=f"{NAME} {NIK}")

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(dukcapil, "_client", lambda _: client)
    monkeypatch.setattr(bpjs, "_client", lambda: client)
    settings: Any = SimpleNamespace(timeout_s=1.0, url="http://dukcapil")
    with pytest.raises(Unavailable) as found:
        await dukcapil._post(settings, "/check", {"NIK": NIK, "NAMA_LGKP": NAME}, "call")
    structlog.get_logger().warning("retrying", why=str(found.value), exc_info=found.value)
    assert events(said(), "retrying")
    assert found_in(said()) == []


@pytest.mark.parametrize("name", ERRORS)
def test_messages_of_libraries_name_nobody(name: str, said: Said) -> None:
    error, logger = raised(name), logging.getLogger("faststream")
    logger.error("%s", error)
    logger.error(error)
    logger.error("failed: %(why)s", {"why": error})
    logger.error(f"{type(error).__name__}: {error}", exc_info=error)
    logger.error(repr(error), exc_info=error)
    logger.error("Task exception was never retrieved\nfuture: %r", error)
    assert len([one for one in map(json.loads, said().splitlines()) if one["logger"] == "faststream"]) == 6
    assert found_in(said()) == []
    wrong = logging.LogRecord("faststream", logging.ERROR, "", 0, "%d of %d", (str(error),), None)
    assert traces.message(wrong) == "%d of %d"


@pytest.mark.parametrize("said", ["console"], indirect=True)
def test_the_log_for_people_shows_a_defect_and_names_nobody(said: Said) -> None:
    app._tell(raised("cause"))
    assert "the error that ended the service" in said()
    assert "tests/spoofing/planted.py" in said()
    assert "caused by\n" in said()
    assert found_in(said()) == []


def test_messages_of_python_name_nobody(said: Said) -> None:
    class Row(BaseModel):
        age: int

    warnings.simplefilter("always")
    wrong: Any = f"{NAME} {NIK}"
    Row.model_construct(age=wrong).model_dump_json()
    warnings.warn(f"{NAME} {NIK}", stacklevel=1)
    thread = threading.Thread(target=ERRORS["text"])
    thread.start()
    thread.join()
    error = raised("cause")
    sys.excepthook(type(error), error, error.__traceback__)
    assert len(events(said(), "a warning of Python")) == 2
    assert len(events(said(), "an error that nobody caught")) == 2
    assert found_in(said()) == []


def test_the_process_that_compares_people_names_nobody() -> None:
    program = (
        "from services.registration.suspects.background import scan\n"
        "from tests.spoofing.planted import ERRORS\n"
        "async def failing(environ): ERRORS['pydantic']()\n"
        "scan._scan = failing\n"
        "scan.main()\n"
    )
    # The process ends when its standard input ends, so the input stays open.
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.wait(60) == 1
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.close()
    told = child.stderr.read()
    assert "ValidationError" in told
    assert "tests/spoofing/planted.py" in told
    assert found_in(told) == []


# -- HTTP -------------------------------------------------------------------------------------------------------------


def application(spec: Any, name: str) -> FastAPI:
    """A service's endpoints, and one more that raises."""

    def routes(context: Any) -> APIRouter:
        router = APIRouter()

        @router.get("/v1/broken")
        async def broken() -> None:
            ERRORS[name]()

        return router

    metrics = Metrics(spec.name)
    planted = dataclasses.replace(spec, routes=routes)
    context: Any = SimpleNamespace(name=spec.name, spec=planted, environ={**ENVIRON, "PAYUNG_AUTH": "none"})
    watch: Any = None
    return endpoints.build(context, watch, metrics)


@pytest.mark.parametrize("name", ERRORS)
async def test_an_endpoint_that_fails_names_nobody(name: str, said: Said) -> None:
    async with (
        served(application(SPECS[0], name)) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        plain = await client.get("/v1/broken", params={"nik": NIK})
        page = await client.get("/v1/broken", headers={"accept": "text/html"})
    assert plain.status_code == page.status_code == 500
    assert "tests/spoofing/planted.py" in said()
    assert found_in(plain.text + page.text + repr(plain.headers) + said()) == []


@pytest.mark.parametrize(
    "body",
    [
        f"{NAME} {NIK}",
        f'{{"name": "{NAME}", "nik": {NIK}',
        f'{{"nik": "{NIK}" "{NAME}"}}',
        f'["{NAME}", "{NIK}"]',
        orjson.dumps({"specversion": "1.0", "id": NIK, "source": f"agency/{NAME}", "type": NAME, "data": {"nik": NIK}}),
        orjson.dumps({"specversion": "1.0", "id": NIK, "source": "agency/64.08/dinsos", "type": f"{NAME} {NIK}"}),
    ],
    ids=range(6),
)
async def test_a_body_that_is_refused_is_not_repeated(body: bytes | str, said: Said) -> None:
    async with (
        served(application(SPECS[0], "text")) as address,
        httpx.AsyncClient(base_url=f"http://{address}", trust_env=False) as client,
    ):
        answer = await client.post(f"/v1/events?who={NIK}", content=body)
    assert answer.status_code == 400
    assert found_in(answer.text + said()) == []
