"""The contract as documents: AsyncAPI 3 documents and JSON Schemas, generated from the code that runs.

Channels come from the topics table, messages from the event models, operations from each service's SPEC.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from shared.contracts import admission, catalogue, topics
from shared.contracts.envelope import CONTENT_TYPE
from shared.contracts.intake_schemas import SCHEMAS
from shared.contracts.topics import Topic
from shared.runtime.spec import ServiceSpec

ASYNCAPI_VERSION = "3.0.0"
KAFKA_BINDING = "0.5.0"
_TEXT: dict[str, Any] = {"type": "string"}
_ENVELOPE: dict[str, Any] = {
    "specversion": {"const": "1.0"},
    "id": _TEXT,
    "source": _TEXT,
    "subject": _TEXT,
    "time": {"type": "string", "format": "date-time"},
    "datacontenttype": {"const": "application/json"},
    "correlationid": _TEXT,
    "causationid": _TEXT,
    "causationsource": _TEXT,
    "sequence": {"type": "integer", "description": "the aggregate's version"},
}
# The topics of all agencies appear once, with parameters.
FEEDBACK = Topic(
    name="feedback-{regency}-{agency}",
    producer="registration, claims",
    key="submission id, else event id",
    partitions=1,
    retention_ms=30 * topics.DAY_MS,
)


def spec_of(service: str) -> ServiceSpec:
    """The SPEC of a service."""
    found: ServiceSpec = importlib.import_module(f"services.{service}.stream").SPEC
    return found


def all_types() -> dict[str, type[BaseModel]]:
    """Every type with a published shape: commands by their documented form, outcomes by their model."""
    outcomes = {kind: model for by_type in catalogue.OUTCOMES.values() for kind, model in by_type.items()}
    return {**SCHEMAS, **outcomes}


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one whole event."""
    data = all_types()[kind].model_json_schema()
    definitions = data.pop("$defs", {})
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {**_ENVELOPE, "type": {"const": kind}, "data": data},
    }
    if definitions:
        schema["$defs"] = definitions
    return schema


def documents() -> dict[str, str]:
    """Every generated file: path below the folder -> text."""
    files = {f"schemas/{kind}.json": _json(schema_of(kind)) for kind in sorted(all_types())}
    for service in topics.SERVICES:
        files[f"asyncapi/{service}.json"] = _json(asyncapi(spec_of(service)))
    return files


def asyncapi(spec: ServiceSpec) -> dict[str, Any]:
    """The AsyncAPI 3 document of one service."""
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in received(spec):
        kinds = kinds_on(topic.name, spec)
        if kinds:
            _add(channels, operations, topic, kinds, "receive")
    for topic, kinds in sent(spec):
        _add(channels, operations, topic, kinds, "send")
    used = sorted({kind for channel in channels.values() for kind in channel["messages"]})
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {"title": f"Payung {spec.name}", "version": "1", "description": spec.description},
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": {kind: _message(kind) for kind in used}},
    }


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def table() -> dict[str, Topic]:
    """Every topic by name. The topics of agencies appear once, with `{regency}-{agency}` in their names."""
    found = {topic.name: topic for topic in topics.fixed_topics()}
    for claims in (False, True):
        sample = topics.agency_topics("00.00", "agency", claims=claims)[1]
        name = sample.name.replace("0000-agency", "{regency}-{agency}")
        found[name] = Topic(
            name=name,
            producer="agency/{regency}/{agency}",
            key=sample.key,
            partitions=sample.partitions,
            retention_ms=sample.retention_ms,
            restricted=True,
        )
    found[FEEDBACK.name] = FEEDBACK
    return found


def received(spec: ServiceSpec) -> Iterable[Topic]:
    """The topics that a service reads."""
    known = table()
    for name in spec.reads:
        if name.startswith("^"):
            prefix = name.removeprefix("^").removesuffix(".*")
            yield from (topic for key, topic in known.items() if "{" in key and key.startswith(prefix))
        else:
            yield known[name]


def kinds_on(topic: str, spec: ServiceSpec) -> list[str]:
    """Types of this service's inputs that may come on a topic; its own work steps are internal."""
    known = all_types()
    if topic.endswith("-work"):
        return []
    rule = admission.rule_of(topic.replace("{regency}-{agency}", "0000-agency"))
    return sorted(kind for kind in rule.types if kind in known and takes(spec, kind)) if rule is not None else []


def takes(spec: ServiceSpec, kind: str) -> bool:
    """Whether a service reads events of this type: as an input, or beside its inputs."""
    return kind in spec.inputs or (kind in catalogue.KEYS and spec.names_workers is not None)


def sent(spec: ServiceSpec) -> Iterable[tuple[Topic, list[str]]]:
    own: Mapping[str, Mapping[str, object]] = {
        topics.events(spec.name): catalogue.EVENTS.get(spec.name, {}),
        FEEDBACK.name: catalogue.FEEDBACK.get(spec.name, {}),
        topics.IDENTITY_CHECKS: catalogue.CHECKS,
        topics.REPORTING_COVERAGE: catalogue.COVERAGE,
        topics.REGISTRATION_KEY_CHECK: catalogue.KEYS,
    }
    for topic in table().values():
        kinds = sorted(kind for kind in own.get(topic.name, ()) if kind in spec.outcomes)
        if kinds:
            yield topic, kinds


def _add(channels: dict[str, Any], operations: dict[str, Any], topic: Topic, kinds: list[str], action: str) -> None:
    name = topic.name.replace("{", "").replace("}", "")
    channel = channels.setdefault(name, _channel(topic))
    channel["messages"].update({kind: {"$ref": f"#/components/messages/{kind}"} for kind in kinds})
    operations[f"{action}-{name}"] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{kind}"} for kind in kinds],
    }


def _channel(topic: Topic) -> dict[str, Any]:
    channel: dict[str, Any] = {
        "address": topic.name,
        "description": f"Written by {topic.producer}; key: {topic.key}." + (" Restricted." if topic.restricted else ""),
        "messages": {},
        "bindings": {
            "kafka": {
                "bindingVersion": KAFKA_BINDING,
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": ["compact" if topic.compacted else "delete"],
                    "retention.ms": topic.retention_ms,
                    "max.message.bytes": topic.bytes_max,
                },
            }
        },
    }
    if "{" in topic.name:
        channel["parameters"] = {
            "regency": {"description": "Kemendagri code without the dot, e.g. 6408"},
            "agency": {"description": "the agency's short name, e.g. dinsos"},
        }
    return channel


def _message(kind: str) -> dict[str, Any]:
    schema = schema_of(kind)
    schema.pop("$schema")
    return {
        "name": kind,
        "contentType": CONTENT_TYPE,
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": schema},
    }
