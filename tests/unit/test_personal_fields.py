"""What is stored about a person is sealed: every state of every service is filled, stored and read for it.

A field that is named like a person's must be marked `Personal`, so a new field cannot be forgotten.
"""

from __future__ import annotations

import dataclasses
import importlib
import types
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from services.registration.workers.domain.state import Heir, Statement, Was, Worker, WorkerForm
from shared.kernel.values import Personal
from shared.runtime.spec import ServiceSpec
from tests.tables import TABLES

STATES = [
    (name, collection, state)
    for name, table in TABLES.items()
    for collection, states in table.states.items()
    for state in states
]
# Names of fields that say something about a person.
OF_A_PERSON = frozenset(
    {"nik", "name", "phone", "address", "account", "mother_name", "birth_place", "birth_date", "family_card", "officer"}
    | {"signed_by", "relation", "explained_by", "employer_name", "contractor"}
)
# Fields of such a name that are not marked, each with the reason.
NOT_MARKED = {
    ("Claimant", "relation"): "a code: spouse, child, ...",
    ("Exhaustion", "account"): "reporting: JKK or JKM, an account of the budget",
    ("Finding", "name"): "reporting: an employer's number, or a contractor's keyed name",
    ("Project", "contractor"): "reporting: a contractor's keyed name",
    # Stored in clear since the first release. To seal them, the store needs a step of its schema.
    ("Finding", "explained_by"): "registration: the officer who explained a finding",
    ("Employment", "employer_name"): "registration: a firm, or a private household",
    ("Terms", "contractor"): "registration: a firm, or a person who builds",
}
PREFIX = "clear text of "


class Marker:
    """A cipher whose sealed values are bytes, as the real one's are: no text of a sealed field stays a text."""

    def seal(self, text: str) -> bytes:
        return text.encode()

    def open(self, sealed: bytes) -> str:
        return sealed.decode()


def fields_of(kind: type) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass, a named tuple or a contract model, with their types."""
    hints = get_type_hints(kind, include_extras=True)
    if dataclasses.is_dataclass(kind):
        names = [one.name for one in dataclasses.fields(kind)]
    else:
        names = list(kind.model_fields if issubclass(kind, BaseModel) else getattr(kind, "_fields", ()))
    yield from ((name, hints[name]) for name in names)


def is_personal(hint: Any) -> bool:
    """Whether a field is marked."""
    return get_origin(hint) is Annotated and Personal in hint.__metadata__


def parts_of(hint: Any) -> Iterator[type]:
    """The classes of state inside a type."""
    if isinstance(hint, type) and _has_fields(hint):
        yield hint
    for inner in get_args(hint):
        yield from parts_of(inner)


def _has_fields(kind: type) -> bool:
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields") or issubclass(kind, BaseModel)


def reachable(kind: type, seen: set[type]) -> set[type]:
    """This class of state and all classes inside it."""
    if kind not in seen:
        seen.add(kind)
        for _, hint in fields_of(kind):
            for part in parts_of(hint):
                reachable(part, seen)
    return seen


def filled(kind: type, within: tuple[type, ...] = ()) -> Any:
    """A state with every field set, and a text in each text field that names it; `within`: the states around it."""
    if kind in (Statement, Was):
        # The value is that of a field of the form, whichever it is.
        return kind(agency="dinsos", field="phone", value=f"{PREFIX}WorkerForm.phone", submission_id="", said_on="")
    made = {name: value_of(hint, f"{kind.__name__}.{name}", (*within, kind)) for name, hint in fields_of(kind)}
    return kind.model_construct(**made) if issubclass(kind, BaseModel) else kind(**made)


def value_of(hint: Any, path: str, within: tuple[type, ...]) -> Any:
    """A value of a type; a text says where it stands."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return value_of(arguments[0], path, within)
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        return value_of(next(one for one in arguments if one is not types.NoneType), path, within)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        # A state that holds earlier ones of its kind holds them once.
        return () if arguments[0] in within else (value_of(arguments[0], path, within),)
    if origin is tuple:
        return tuple(value_of(one, path, within) for one in arguments)
    if origin is list:
        return [value_of(arguments[0], path, within)]
    if origin is not None and issubclass(origin, Mapping):
        return {"key": value_of(arguments[1], path, within)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    plain = {str: f"{PREFIX}{path}", int: 1, bool: True, datetime: datetime(2026, 1, 5, tzinfo=UTC)}
    return plain[hint] if hint in plain else filled(hint, within)


def texts_in(stored: Any) -> Iterator[str]:
    """Every text in a document, its keys included."""
    if isinstance(stored, str):
        yield stored
    elif isinstance(stored, Mapping):
        for key, inner in stored.items():
            yield key
            yield from texts_in(inner)
    elif isinstance(stored, list | tuple):
        for inner in stored:
            yield from texts_in(inner)


def bytes_in(stored: Any) -> Iterator[str]:
    """Every sealed value in a document, opened."""
    if isinstance(stored, bytes):
        yield stored.decode()
    elif isinstance(stored, Mapping):
        for inner in stored.values():
            yield from bytes_in(inner)
    elif isinstance(stored, list | tuple):
        for inner in stored:
            yield from bytes_in(inner)


@pytest.mark.parametrize(("name", "collection", "state"), STATES)
def test_a_personal_field_never_stands_in_clear(name: str, collection: str, state: type) -> None:
    spec: ServiceSpec = importlib.import_module(f"services.{name}.stream").SPEC
    stored = spec.stored[collection].encode(filled(state), Marker())
    personal = {
        f"{PREFIX}{kind.__name__}.{field}"
        for kind in reachable(state, set())
        for field, hint in fields_of(kind)
        if is_personal(hint)
    }
    assert personal.isdisjoint(texts_in(stored))
    assert personal <= set(bytes_in(stored)), "a personal field is not stored at all"


@pytest.mark.parametrize(("name", "collection", "state"), STATES)
def test_a_field_named_like_a_persons_is_marked(name: str, collection: str, state: type) -> None:
    unmarked = {
        (kind.__name__, field)
        for kind in reachable(state, set())
        for field, hint in fields_of(kind)
        if field in OF_A_PERSON and not is_personal(hint)
    }
    assert unmarked <= set(NOT_MARKED), "mark it `Annotated[..., Personal]` and seal it, or say here why not"


def test_the_walk_sees_a_field_inside_a_field() -> None:
    assert {WorkerForm, Heir} <= reachable(Worker, set())
    assert Worker in {state for name, collection, state in STATES if collection == "workers"}
