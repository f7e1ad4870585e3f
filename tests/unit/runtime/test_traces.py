"""A defect leaves a useful traceback without personal data or secrets."""

from __future__ import annotations

import dataclasses
import io
import json
import logging
from typing import Any

import orjson
import pytest
import structlog
from prometheus_client import generate_latest
from pydantic import BaseModel

from shared.kernel.decision import Decision
from shared.kernel.event import Event, Routed
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.errors import Unavailable
from shared.runtime.ops import logs, traces
from shared.runtime.ops.metrics import Metrics
from shared.runtime.pipeline import Pipeline
from tests.batches import settle
from tests.fakes.memory import MemoryStore, MemoryTopics
from tests.toy import CIPHER, SPEC, record

NAME, NIK, KEY = "SITI AMINAH", "6408044107850002", "c2VjcmV0LWtleS1vZi1hLXRlc3Q="
PERSONAL = (NAME, "SITI", NIK, KEY)


class Form(BaseModel):
    """A form whose values pydantic's errors would repeat."""

    age: int


def _by_key(name: str, nik: str) -> Any:
    known: dict[str, str] = {}
    return known[nik]


def _by_text(name: str, nik: str) -> Any:
    raise ValueError(f"{name} {nik} cannot be {KEY}")


def _by_model(name: str, nik: str) -> Any:
    return Form.model_validate({"age": name})


def _by_cause(name: str, nik: str) -> Any:
    try:
        return _by_text(name, nik)
    except ValueError as error:
        raise RuntimeError(f"because of {nik}") from error


DEFECTS = [_by_key, _by_text, _by_model, _by_cause]


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The log of a service in its JSON form."""
    kept = logging.getLogger().handlers[:]
    logging.getLogger().handlers.clear()
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure("claims", {"PAYUNG_LOG": "json"})
    # Loggers that other tests have used keep their own settings.
    monkeypatch.setattr("shared.runtime.pipeline.log", structlog.get_logger())
    yield stream.getvalue
    logging.getLogger().handlers[:] = kept
    structlog.reset_defaults()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: one.__name__)
@pytest.mark.parametrize("step", ["route", "decide"])
async def test_no_log_dead_letter_or_metric_names_a_person(defect: Any, step: str, shown: Any) -> None:
    def decide(state: Any, event: Event, facts: Any) -> Decision[Any]:
        found: Decision[Any] = defect(NAME, NIK)
        return found

    def route(event: Event, reference: Any) -> tuple[Routed, ...]:
        found: tuple[Routed, ...] = defect(NAME, NIK)
        return found

    spec = dataclasses.replace(SPEC, decide=decide) if step == "decide" else dataclasses.replace(SPEC, route=route)
    topics, metrics = MemoryTopics(), Metrics("claims")
    shell = Pipeline(spec, MemoryStore(spec.stored, CIPHER), topics, DeadLetterTopic("claims", topics), metrics, None)
    await settle(shell, [record(f"e{n}", offset=n, counter="a", amount=1) for n in range(3)])
    letters = [one for one in topics.published if one.topic == "claims-dlq"]
    details = {dict(one.headers)["dlq_detail"].decode() for one in letters}
    said = shown()
    assert len(letters) == 3
    (detail,) = details
    assert detail.startswith(f"{step}: ")
    assert "tests/unit/runtime/test_traces.py:" in detail
    (line,) = [json.loads(one) for one in said.splitlines() if '"a defect"' in one]
    assert any("test_traces.py" in frame and defect.__name__ in frame for frame in line["exception"])
    for text in (said, detail, generate_latest(metrics.registry).decode()):
        assert not [one for one in PERSONAL if one in text]


def test_the_loggers_of_dependencies_name_no_person(shown: Any) -> None:
    try:
        _by_cause(NAME, NIK)
    except RuntimeError as error:
        logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=error)
        logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %r", error, exc_info=error)
    said = shown()
    assert "RuntimeError" in said
    assert "caused by" in said
    assert "_by_text" in said
    assert not [one for one in PERSONAL if one in said]


def test_messages_for_the_operator_are_shown() -> None:
    assert traces.safe_text(Unavailable("Kafka: away")) == "Unavailable: Kafka: away"
    with pytest.raises(orjson.JSONDecodeError) as raised:
        orjson.loads("{")
    assert traces.short(raised.value).startswith("JSONDecodeError at tests/unit/runtime/test_traces.py:")


async def test_a_malformed_type_is_not_repeated() -> None:
    topics, metrics = MemoryTopics(), Metrics("claims")
    shell = Pipeline(SPEC, MemoryStore(SPEC.stored, CIPHER), topics, DeadLetterTopic("claims", topics), metrics, None)
    one = record("e1", offset=1, counter="a", amount=1)
    body = orjson.loads(one.value or b"")
    one.value = orjson.dumps({**body, "type": f"{NAME} {NIK}"})
    await settle(shell, [one])
    (letter,) = [found for found in topics.published if found.topic == "claims-dlq"]
    assert dict(letter.headers)["dlq_detail"] == b"on this topic there may be no type like this"
