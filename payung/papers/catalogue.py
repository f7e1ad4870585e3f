"""The page of topics, services and events: who writes, who reads, what they contain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from payung import contracts
from payung.papers.markdown import GENERATED, code, table
from shared.contracts import admission, catalogue, topics
from shared.contracts.topics import Topic

_DASH = "–"


@dataclass(frozen=True, slots=True)
class _EventEntry:
    """One event type: its topic, who publishes it, which services consume it.

    `answers_too`: the agencies' feedback topics carry it as well.
    """

    topic: str
    producer: str
    consumers: tuple[str, ...]
    answers_too: bool = False


def page() -> str:
    """The whole page."""
    spoken = _event_entries()
    parts = [
        "# Catalogue: topics, services, events\n\n" + GENERATED,
        "Who may say what on a topic is enforced by the decoder of every service (`shared/contracts/admission.py`) and,"
        " where log-ins are on, by the broker (`payung topics apply`).\n",
        "## Topics\n\n" + _topics(),
        "## Services\n\n" + "\n".join(_service(name) for name in topics.SERVICES),
        "## Events\n\n" + "\n".join(_event(kind, spoken) for kind in sorted(contracts.all_types())),
    ]
    return "\n".join(parts)


def _topics() -> str:
    readers = _readers()
    head = ("topic", "writes", "reads", "key", "partitions", "kept")
    rows = [
        (
            f"`{topic.name}`" + (" (restricted)" if topic.restricted else ""),
            topic.producer,
            ", ".join(readers.get(topic.name, ())) or _DASH,
            topic.key,
            str(topic.partitions),
            _kept(topic),
        )
        for topic in contracts.table().values()
    ]
    return table(head, rows)


def _readers() -> dict[str, list[str]]:
    """The readers of each topic: services, and who else the contract names."""
    found: dict[str, list[str]] = {}
    for name in topics.SERVICES:
        found[topics.dead_letters(name)] = ["the operator (`payung dlq`)"]
        for topic in contracts.received(contracts.spec_of(name)):
            found.setdefault(topic.name, []).append(name)
    found[contracts.FEEDBACK.name].append("that agency")
    found[topics.REPORTING_COVERAGE] = ["whoever wants the figures"]
    return found


def _kept(topic: Topic) -> str:
    if topic.compacted:
        return "compacted"
    return "for ever" if topic.retention_ms == topics.FOREVER else f"{topic.retention_ms // topics.DAY_MS} d"


def _service(name: str) -> str:
    spec = contracts.spec_of(name)
    return (
        f"### {name}\n\n{spec.description}\n\n- consumes: {code(topic.name for topic in contracts.received(spec))}\n"
        f"- publishes: {code(sorted(spec.outcomes))}\n"
        f"- stores (database `payung_{name}`): {code(sorted(spec.stored))}\n"
        f"- details: [services/{name}/README.md](../services/{name}/README.md)\n"
    )


def _event_entries() -> dict[str, _EventEntry]:
    takes = {name: contracts.spec_of(name) for name in topics.SERVICES}
    found: dict[str, _EventEntry] = {}
    for topic in contracts.table().values():
        rule = admission.rule_of(topic.name.replace("{regency}-{agency}", "0000-agency"))
        for kind in sorted(rule.types if rule is not None else ()):
            if kind in found and topic.name.startswith("feedback-"):
                found[kind] = replace(found[kind], answers_too=True)
                continue
            readers = tuple(
                name
                for name, spec in takes.items()
                if contracts.takes(spec, kind) and topic.name in {one.name for one in contracts.received(spec)}
            )
            found[kind] = _EventEntry(topic.name, topic.producer, readers)
    return found


def _event(kind: str, spoken: Mapping[str, _EventEntry]) -> str:
    where = spoken.get(kind)
    model = contracts.all_types()[kind]
    said = (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    command = kind in {one for by_type in catalogue.COMMANDS.values() for one in by_type}
    lines = [f"### `{kind}`\n", " ".join(said.split()) + "\n"]
    if where is not None:
        takers = ", ".join(where.consumers) or "no service; named readers"
        also = " Also on the agency's `feedback-{regency}-{agency}`." if where.answers_too else ""
        lines.append(f"On `{where.topic}`, by {where.producer}; taken by {takers}.{also}\n")
    schema = model.model_json_schema()
    rows = [
        (f"`{name}`", _form(one), "yes" if name in schema.get("required", ()) else "", str(one.get("description", "")))
        for name, one in schema.get("properties", {}).items()
    ]
    lines.append(table(("field", "form", "required" if command else "always", "meaning"), rows) if rows else "")
    return "\n".join(lines)


def _form(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_form(one) for one in schema["anyOf"]))
    if "enum" in schema:
        return " \\| ".join(str(one) for one in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_form(schema.get('items', {}))}"
    return str(schema.get("type", "any"))
