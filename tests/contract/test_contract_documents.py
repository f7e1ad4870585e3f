"""The documents that are built from the code say what every consumer needs; the committed pages are up to date."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from payung import contracts, papers
from payung.papers import interface, rules
from shared.contracts import catalogue, envelope, topics
from shared.contracts.admission import Rule
from shared.contracts.base import Data
from shared.contracts.intake_schemas import SCHEMAS
from shared.kernel.decision import Outcome
from shared.kernel.event import Event, Intake
from shared.reference import rates

SPECS = {service: contracts.spec_of(service) for service in topics.SERVICES}


def test_committed_pages_are_those_of_the_code() -> None:
    made = papers.committed()
    assert {
        "docs/catalogue.md",
        "docs/rules.md",
        "docs/configuration.md",
        *(f"services/{one}/README.md" for one in topics.SERVICES),
    } == set(made)
    stale = [name for name, text in made.items() if (papers.ROOT / name).read_text("utf-8") != text]
    assert not stale, "run: make papers"


@pytest.mark.parametrize("service", topics.SERVICES)
def test_a_readme_shows_all_that_its_spec_names(service: str) -> None:
    shown = interface.block(SPECS[service])
    own_steps = {kind for by_type in catalogue.WORK.values() for kind in by_type}
    for name in {*SPECS[service].outcomes, *SPECS[service].stored, *(set(SPECS[service].inputs) - own_steps)}:
        assert f"`{name}`" in shown, name


def test_a_readme_without_its_marks_is_an_error() -> None:
    for page in ("# Claims\n", interface.BEGIN, interface.END, f"{interface.BEGIN}{interface.END}{interface.BEGIN}"):
        with pytest.raises(ValueError, match="marks"):
            interface.replaced(page, SPECS["claims"])


def test_the_export_writes_every_document(tmp_path: Path) -> None:
    written = {str(path.relative_to(tmp_path)) for path in papers.export(tmp_path)}
    assert written == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    for name in written:
        text = (tmp_path / name).read_text("utf-8")
        assert json.loads(text) if name.endswith(".json") else text.startswith("# ")
    kinds = {f"schemas/{kind}.json" for kind in (*SCHEMAS, *catalogue.PUBLISHED_TYPES)}
    assert kinds <= written


def test_every_number_of_the_law_that_is_in_force_is_read_somewhere() -> None:
    table = "shared/reference/rates.py"
    for key in rates.load().numbers:
        readers = rules.read_in(key, papers.ROOT)
        assert (set(readers) <= {table}) if key in rates.WAITING else readers, f"{key} is read in {readers}"


def test_every_other_rule_has_its_law_its_confidence_and_a_reader() -> None:
    known = {"rule", "value", "from", "to", "law", "confidence", "read"}
    found = [one for section in rules.others().values() for one in section]
    assert len(found) > 40
    for one in found:
        assert known - {"from", "to"} <= one.keys() <= known, one
        assert one["confidence"].startswith(("verified", "derived", "from model knowledge", "unknown")), one
        assert one["read"], one
        assert all(rules.file_of(symbol, papers.ROOT) for symbol in one["read"])


def test_a_missing_or_repeated_symbol_is_an_error() -> None:
    for symbol in ("services.claims:no_such_rule", "services.claims:decide"):
        with pytest.raises(LookupError):
            rules.file_of(symbol, papers.ROOT)


@pytest.mark.parametrize("service", topics.SERVICES)
def test_asyncapi_refers_only_to_what_it_holds(service: str) -> None:
    document = contracts.asyncapi(SPECS[service])
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
