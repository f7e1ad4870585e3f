"""CloudEvents 1.0 on the wire: reads a record, names and writes an outcome. Pure.

A record that cannot be read at all raises `Unreadable` (it becomes a dead letter). The `data` of an event from outside
is judged by the service that takes it, not here.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import BaseModel, ValidationError

from shared.contracts import admission, tokens, topics
from shared.kernel.calendar import WITA
from shared.kernel.debris import cleaned
from shared.kernel.decision import Address, Outcome
from shared.kernel.event import Event, Intake, Origin
from shared.kernel.identity import without_niks

CONTENT_TYPE = "application/cloudevents+json"
HEADERS: Sequence[tuple[str, bytes]] = (("content-type", CONTENT_TYPE.encode()),)
NESTING_MAX = 16
STRING_CHARACTERS_MAX = 4_000

# The namespace of every outcome id; changing it would rename all outcomes of the past.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:payung:outcome")
_NAMESPACE_BYTES = NAMESPACE.bytes
# The hex digit of a UUID that carries the two variant bits.
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}

_TYPE = re.compile(r"[a-z][a-z.-]{0,70}\.v\d{1,3}")
_TIME = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)


# Makes the keyed hash of some content (`runtime.hashes`). An unkeyed hash would reveal a NIK to anyone who tries all
# NIKs.
Hashed = Callable[[bytes], str]


def unhashed(content: bytes) -> str:
    """No hash; for an event that is only read, not taken."""
    return ""


class Unreadable(Exception):
    """One record cannot be read at all. `code` is a closed, short word; `detail` names no personal data."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


def _shown(kind: str) -> str:
    """A type as a dead letter may show it: a text that is not a valid type may be a name."""
    return kind if len(kind) <= 80 and _TYPE.fullmatch(kind) else "type like this"


def read(
    value: bytes | None,
    headers: Sequence[tuple[str, bytes]],
    topic: str,
    at_ms: int,
    inputs: Mapping[str, type],
    table: admission.RuleOfTopic = admission.rule_of,
    hashed: Hashed = unhashed,
    key: bytes = b"",
) -> Event[Any] | None:
    """Reads one record. Events from outside (an Intake model) keep their raw data, without the debris of programs
    (`debris`); our own events are validated. `hashed` makes the content hash; a caller that only looks at an event
    needs none.

    `table` says which events the topic may carry, and from whom. `key` makes the keyed name of a first cause that must
    not be shown as its sender named it (`tokens.shown`). None: the type is allowed here but meant for other consumers,
    so it is skipped.
    """
    if value is None:
        raise Unreadable("empty", "the record has no value")
    rule = table(topic)
    if rule is None:
        raise Unreadable("unknown-type", "no event may stand on this topic")
    attributes, data, has_data = attributes_of(value, headers)
    kind, source = attributes["type"], attributes["source"]
    if kind not in rule.types:
        raise Unreadable("unknown-type", f"on this topic there may be no {_shown(kind)}")
    model = inputs.get(kind)
    outside = model is not None and issubclass(model, Intake)
    if outside:
        _check_limits(value, attributes, data)
    if not rule.admits(source, kind):
        raise Unreadable("foreign-source", f"only {rule.allowed_sources} may say this here")
    if model is None:
        return None
    if outside:
        content = orjson.dumps([kind, data if has_data else None], option=orjson.OPT_SORT_KEYS)
        payload: Any = _intake(model, data if _is_plain(value) else cleaned(data), has_data)
    else:
        content = value
        payload = _validated(model, data)
    return Event(
        id=attributes["id"],
        source=source,
        type=kind,
        data=payload,
        at=datetime.fromtimestamp(at_ms / 1000, UTC),
        topic=topic,
        content_hash=hashed(content),
        subject=attributes.get("subject"),
        time=attributes.get("time"),
        correlation_id=_first_cause(attributes, key) if outside else attributes.get("correlationid"),
        causation_id=attributes.get("causationid"),
        causation_source=attributes.get("causationsource"),
        sequence=attributes.get("sequence"),
        origin=None if outside else _origin(attributes),
    )


def _origin(attributes: Mapping[str, Any]) -> Origin | None:
    """Where a step was saved. Steps of earlier releases do not contain it."""
    document, cause = attributes.get("savedin"), attributes.get("savedfor")
    if not (isinstance(document, str) and isinstance(cause, str)):
        return None
    collection, _, key = document.partition("/")
    return Origin(Address(collection, key), cause)


def attributes_of(value: bytes, headers: Sequence[tuple[str, bytes]]) -> tuple[dict[str, Any], Any, bool]:
    """Context attributes, data, and whether there is data; from structured or binary mode; raises Unreadable."""
    # A header may be null on the wire; it then counts as missing.
    binary = {name[3:]: raw for name, raw in headers if name.startswith("ce_") and raw is not None}
    if "specversion" in binary and "id" in binary:
        try:
            attributes: dict[str, Any] = {name: raw.decode("utf-8") for name, raw in binary.items()}
        except UnicodeDecodeError as error:
            raise Unreadable("bad-envelope", "a ce_ header is not UTF-8") from error
        data, has_data = (_json(value), True) if value else (None, False)
        if isinstance(attributes.get("sequence"), str) and attributes["sequence"].isdigit():
            attributes["sequence"] = int(attributes["sequence"])
    else:
        document = _json(value)
        if not isinstance(document, dict):
            raise Unreadable("bad-envelope", "the record is no JSON object")
        has_data = "data" in document
        data = document.pop("data", None)
        attributes = document
    _check_envelope(attributes)
    return attributes, data, has_data


def _json(value: bytes) -> Any:
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Unreadable("not-json", str(error)[:120]) from error


def _check_envelope(attributes: Mapping[str, Any]) -> None:
    if attributes.get("specversion") != "1.0":
        raise Unreadable("bad-envelope", "specversion is not 1.0")
    for name in ("id", "source", "type"):
        text = attributes.get(name)
        if not isinstance(text, str) or not text or len(text) > STRING_CHARACTERS_MAX:
            raise Unreadable("bad-envelope", f"{name} is missing or no text")
    for name in ("subject", "correlationid", "causationid", "causationsource"):
        text = attributes.get(name)
        if text is not None and not isinstance(text, str):
            raise Unreadable("bad-envelope", f"{name} is no text")
    time = attributes.get("time")
    if time is not None and not (isinstance(time, str) and _TIME.fullmatch(time)):
        raise Unreadable("bad-envelope", "time is not RFC 3339 with an offset")
    sequence = attributes.get("sequence")
    if sequence is not None and (not isinstance(sequence, int) or isinstance(sequence, bool)):
        raise Unreadable("bad-envelope", "sequence is no integer")


def _check_limits(value: bytes, attributes: Mapping[str, Any], data: Any) -> None:
    if len(value) > topics.INTAKE_BYTES_MAX:
        raise Unreadable("too-large", f"{len(value)} bytes; {topics.INTAKE_BYTES_MAX} are allowed")
    if len(value) <= STRING_CHARACTERS_MAX and value.count(b"{") + value.count(b"[") < NESTING_MAX:
        # Nearly every record is too short for a longer text and has too few brackets for deeper nesting, so it needs no
        # walk.
        return
    for part in attributes.values():
        _check_depth(part, 2)
    _check_depth(data, 2)


def _check_depth(value: Any, depth: int) -> None:
    """The envelope object is level 1, `data` level 2."""
    if isinstance(value, str):
        if len(value) > STRING_CHARACTERS_MAX:
            raise Unreadable("too-large", f"a text of {len(value)} characters; {STRING_CHARACTERS_MAX} are allowed")
    elif isinstance(value, dict):
        if depth > NESTING_MAX:
            raise Unreadable("too-deep", f"nested deeper than {NESTING_MAX}")
        for name, item in value.items():
            _check_depth(name, depth + 1)
            _check_depth(item, depth + 1)
    elif isinstance(value, list):
        if depth > NESTING_MAX:
            raise Unreadable("too-deep", f"nested deeper than {NESTING_MAX}")
        for item in value:
            _check_depth(item, depth + 1)


def _is_plain(value: bytes) -> bool:
    """Whether no text of a record can need cleaning: only ASCII without escapes. Nearly every record is like this and
    needs no walk."""
    return value.isascii() and b"\\" not in value and b"_x" not in value


def _first_cause(attributes: Mapping[str, Any], key: bytes) -> str:
    return tokens.shown(attributes["source"], attributes.get("correlationid") or attributes["id"], key)


def _intake(model: type[Intake], data: Any, has_data: bool) -> Intake:
    if isinstance(data, dict):
        return model(data)
    return model({}, problem=None if not has_data or data is None else "data is no JSON object")


def _validated(model: type, data: Any) -> Any:
    try:
        return model.model_validate(data)  # type: ignore[attr-defined]  # every model that is no Intake is pydantic's
    except ValidationError as error:
        # Only the model's own fields: deeper names may be keys that the sender chose.
        fields = ", ".join(sorted({str(item["loc"][0]) for item in error.errors() if item["loc"]}))
        raise Unreadable("bad-data", f"of our own making, wrong in {fields[:200]}") from error


def outcome_id(service: str, cause: Event, aggregate: str, kind: str, index: int) -> str:
    """The id of an outcome, derived from what caused it (docs/contracts.md#events)."""
    source, identifier = cause.cause
    name = f"{service}|{source}|{identifier}|{aggregate}|{kind}|{index}"
    text = hashlib.sha1(_NAMESPACE_BYTES + name.encode(), usedforsecurity=False).hexdigest()
    # RFC 4122 version 5, computed directly: uuid.uuid5 takes three times as long, and this runs once per outcome.
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


@lru_cache(maxsize=4_096)
def rfc3339(at: datetime) -> str:
    """An instant as outcomes carry it, in WITA."""
    return at.astimezone(WITA).isoformat(timespec="milliseconds")


class Caused(NamedTuple):
    """The part that the envelopes of all outcomes of one input share, as the inner part of a JSON object.

    `within` is for the agency's own feedback topic. `openly` is for every other topic: a name that may hold personal
    data is replaced by a keyed one.
    """

    within: bytes
    openly: bytes


def caused_by(cause: Event, version: int, key: bytes = b"") -> Caused:
    """The shared envelope part for the outcomes of an input; `key` makes keyed names for those that must not be
    shown."""
    source, identifier = cause.cause
    shown = tokens.shown(source, identifier, key)
    first = cause.correlation_id or shown
    within = _caused(cause, version, first, identifier)
    return Caused(within, within if shown == identifier else _caused(cause, version, first, shown))


def _caused(cause: Event, version: int, first: str, last: str) -> bytes:
    source, _ = cause.cause
    return orjson.dumps(
        {
            "time": rfc3339(cause.at),
            "datacontenttype": "application/json",
            "correlationid": first,
            "causationid": last,
            "causationsource": source,
            "sequence": version,
        }
    )[1:-1]


def origin(address: Address, event: Event, key: bytes) -> bytes:
    """The document that saved a step, and the input for which it was saved: the inner part of a JSON object. Empty when
    the document's key holds a name that may not be shown.
    """
    named_by_sender = event.id in address.id and tokens.shown(event.source, event.id, key) != event.id
    if named_by_sender or without_niks(address.id) != address.id:
        return b""
    saved = {"savedin": "/".join(address), "savedfor": known_as(event.name, key)}
    return b"," + orjson.dumps(saved)[1:-1]


def known_as(name: str, key: bytes) -> str:
    """The name of an input as `origin` writes it. A keyed name replaces one that may hold personal data."""
    source, _, identifier = name.partition("|")
    return f"{source}|{tokens.shown(source, identifier, key)}"


def write_outcome(service: str, identifier: str, outcome: Outcome, cause: Caused, saved: bytes = b"") -> bytes:
    """One outcome as CloudEvents JSON; `saved` is its `origin`. The same cause and decision always give the same
    bytes."""
    is_open = not topics.is_feedback(outcome.topic)
    caused = cause.openly if is_open else cause.within
    # The values inserted without the encoder are made by us and need no escapes.
    named = f'{{"specversion":"1.0","id":"{identifier}","source":"payung/{service}","type":"{outcome.type}",'.encode()
    subject = b""
    if outcome.subject is not None:
        subject = b',"subject":' + orjson.dumps(outcome.subject)
    return named + caused + subject + saved + b',"data":' + _data(outcome.data) + b"}"


def internal(
    service: str,
    identifier: str,
    kind: str,
    data: BaseModel,
    at: datetime,
    *,
    first_cause: str | None = None,
    cause: str | None = None,
) -> bytes:
    """An event of a service that is not an outcome of an input: a snapshot, a step, an answer of due work.

    `identifier` names it by its content or its cause, so a repeat has the same id. `first_cause` is the event itself
    unless another one is known. `cause` is something of the same service.
    """
    source = f"payung/{service}"
    attributes = {
        "specversion": "1.0",
        "id": identifier,
        "source": source,
        "type": kind,
        "time": rfc3339(at),
        "datacontenttype": "application/json",
        "correlationid": identifier if first_cause is None else first_cause,
    }
    if cause is not None:
        attributes |= {"causationid": cause, "causationsource": source}
    return orjson.dumps(attributes)[:-1] + b',"data":' + _data(data) + b"}"


def command(
    source: str,
    identifier: str,
    kind: str,
    data: Mapping[str, Any] | None,
    time: str | None = None,
    *,
    subject: str | None = None,
) -> dict[str, Any]:
    """A command in the name of an agency, an officer or a treasury; `time` in RFC 3339."""
    one: dict[str, Any] = {"specversion": "1.0", "id": identifier, "source": source, "type": kind}
    if subject is not None:
        one["subject"] = subject
    if time is not None:
        one["time"] = time
    return {**one, "datacontenttype": "application/json", "data": data}


def _data(data: BaseModel) -> bytes:
    return data.__pydantic_serializer__.to_json(data)
