"""What is stored about a person is sealed: every state of every service is filled, stored and read for it.

A field that is named like a person's must be marked `Personal`, so a new field cannot be forgotten.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

import pytest

from services.registration.workers.domain.state import Heir, Worker, WorkerForm
from shared.kernel.values import Personal
from shared.runtime.spec import ServiceSpec
from tests.states import STATES, Filler, Marker, fields_of, has_fields

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
FILLER = Filler(
    text=lambda kind, field, _: f"{PREFIX}{kind.__name__}.{field}",
    # The value is that of any field of the form.
    value=("phone", f"{PREFIX}WorkerForm.phone"),
)


def is_personal(hint: Any) -> bool:
    """Whether a field is marked."""
    return get_origin(hint) is Annotated and Personal in hint.__metadata__


def parts_of(hint: Any) -> Iterator[type]:
    """The classes of state inside a type."""
    if isinstance(hint, type) and has_fields(hint):
        yield hint
    for inner in get_args(hint):
        yield from parts_of(inner)


def reachable(kind: type, seen: set[type]) -> set[type]:
    """This class of state and all classes inside it."""
    if kind not in seen:
        seen.add(kind)
        for _, hint in fields_of(kind):
            for part in parts_of(hint):
                reachable(part, seen)
    return seen


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
def test_a_personal_field_is_never_stored_in_clear(name: str, collection: str, state: type) -> None:
    spec: ServiceSpec = importlib.import_module(f"services.{name}.stream").SPEC
    stored = spec.stored[collection].encode(FILLER.state(state), Marker())
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
