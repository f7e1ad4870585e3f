"""The committed AsyncAPI documents and JSON Schemas are those of the code, and say what every consumer needs."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from payung import contracts, papers
from shared.contracts import catalogue, envelope, topics
from shared.contracts.admission import Rule
from shared.contracts.base import Data
from shared.contracts.intake_schemas import SCHEMAS
from shared.kernel.decision import Outcome
from shared.kernel.event import Event, Intake
from shared.reference import rates

DOCS = Path(__file__).parents[2] / "docs"
SPECS = {service: contracts.spec_of(service) for service in topics.SERVICES}


def test_committed_documents_are_those_of_the_code() -> None:
    made = papers.documents()
    stale = [name for name, text in made.items() if not (DOCS / name).exists() or (DOCS / name).read_text() != text]
    assert not stale, "run: payung contracts export docs"
    committed = {
        str(path.relative_to(DOCS)) for kind in ("asyncapi", "schemas") for path in (DOCS / kind).glob("*.json")
    }
    assert committed == set(contracts.documents()), "a file is left over from an event that is gone"


def test_every_number_of_the_law_is_read_where_the_page_says() -> None:
    for key in rates.load().numbers - rates.WAITING:
        source = (DOCS.parent / papers.read_in(key)).read_text("utf-8")
        # Some names are put together, as f"scholarship.{child.level}.years".
        assert key in source or f'"{key.split(".")[0]}.' in source, f"{key} is not in {papers.read_in(key)}"


@pytest.mark.parametrize("service", topics.SERVICES)
def test_asyncapi_refers_only_to_what_it_holds(service: str) -> None:
    document = json.loads((DOCS / "asyncapi" / f"{service}.json").read_text())
    assert document["asyncapi"] == "3.0.0"
    assert document["operations"]
    for operation in document["operations"].values():
        assert operation["action"] in ("send", "receive")
        for reference in (operation["channel"]["$ref"], *(one["$ref"] for one in operation["messages"])):
            assert _resolved(document, reference) is not None
    for channel in document["channels"].values():
        for message in channel["messages"].values():
            assert _resolved(document, message["$ref"])["payload"]["schema"]["properties"]["data"]


def _resolved(document: Any, reference: str) -> Any:
    for step in reference.removeprefix("#/").split("/"):
        document = document[step]
    return document


@pytest.mark.parametrize("service", topics.SERVICES)
def test_every_outcome_type_has_its_channel(service: str) -> None:
    document = contracts.asyncapi(SPECS[service])
    sent = {
        one["$ref"].rsplit("/", 1)[1]
        for operation in document["operations"].values()
        if operation["action"] == "send"
        for one in operation["messages"]
    }
    assert sent == set(SPECS[service].outcomes)


def test_every_command_has_a_documented_form() -> None:
    commands = {kind for by_type in catalogue.COMMANDS.values() for kind in by_type}
    assert commands == set(SCHEMAS)


@pytest.mark.parametrize("service", topics.SERVICES)
def test_what_one_service_emits_the_next_accepts(service: str) -> None:
    """The model that a consumer validates by is the producer's own: no mirror classes to drift."""
    published = {kind: model for by_type in catalogue.OUTCOMES.values() for kind, model in by_type.items()}
    for kind, model in SPECS[service].inputs.items():
        if kind in published and not issubclass(model, Intake):
            assert model is published[kind], kind


def ANY(topic: str) -> Rule:  # noqa: N802  # a table, as the one of the code
    """Lets every service say what it publishes, wherever."""
    said = {f"payung/{service}": frozenset(types) for service, types in catalogue.OUTCOMES.items()}
    return Rule(catalogue.PUBLISHED_TYPES, said)


GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("kind", sorted(catalogue.PUBLISHED_TYPES))
def test_golden_events_of_earlier_releases_still_decode(kind: str) -> None:
    model = next(by_type[kind] for by_type in catalogue.OUTCOMES.values() if kind in by_type)
    path = GOLDEN / f"{kind}.json"
    event = envelope.read(path.read_bytes(), (), "any-events", 0, {kind: model}, ANY)
    assert event is not None
    assert isinstance(event.data, Data)
    grown = orjson.loads(path.read_bytes())
    grown["data"]["a_field_of_tomorrow"] = 1
    assert envelope.read(orjson.dumps(grown), (), "any-events", 0, {kind: model}, ANY) is not None
    needed = [name for name, field in model.model_fields.items() if field.is_required()]
    for name in needed:
        broken = orjson.loads(path.read_bytes())
        del broken["data"][name]
        with pytest.raises(envelope.Unreadable):
            envelope.read(orjson.dumps(broken), (), "any-events", 0, {kind: model}, ANY)


@pytest.mark.parametrize("kind", sorted(catalogue.PUBLISHED_TYPES))
def test_golden_events_are_made_byte_for_byte(kind: str) -> None:
    service, model = next((name, by_type[kind]) for name, by_type in catalogue.OUTCOMES.items() if kind in by_type)
    golden = (GOLDEN / f"{kind}.json").read_bytes()
    known = orjson.loads(golden)
    cause = Event(
        id=known["causationid"],
        source=known["causationsource"],
        type="any",
        data=None,
        at=datetime.fromisoformat(known["time"]),
        topic="any",
        content_hash="",
    )
    outcome = Outcome("any", "key", kind, model.model_validate(known["data"]))
    assert envelope.write_outcome(service, known["id"], outcome, envelope.caused_by(cause, known["sequence"])) == golden
    assert envelope.outcome_id(service, cause, "agg", kind, 0) == known["id"]
