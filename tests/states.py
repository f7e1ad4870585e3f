"""States of every service, made from their classes: with every field set, or only with the required ones."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

from services.registration.workers.domain.state import FormerValue, Statement
from tests.tables import TABLES

# (service, collection, class) of each state that is stored.
STATES = [
    (name, collection, state)
    for name, table in TABLES.items()
    for collection, states in table.states.items()
    for state in states
]


class Marker:
    """A cipher whose sealed values are bytes, as the real one's are: no text of a sealed field stays a text."""

    def seal(self, text: str) -> bytes:
        return text.encode()

    def open(self, sealed: bytes) -> str:
        return sealed.decode()


def fields_of(kind: type) -> Iterator[tuple[str, Any]]:
    """The fields of a dataclass, a named tuple or a contract model, with their types."""
    hints = get_type_hints(kind, include_extras=True)
    yield from ((name, hints[name]) for name in _defaults(kind))


def _defaults(kind: type) -> dict[str, bool]:
    """The names of the fields, and whether they may be left out."""
    if dataclasses.is_dataclass(kind):
        missing = dataclasses.MISSING
        return {
            one.name: one.default is not missing or one.default_factory is not missing
            for one in dataclasses.fields(kind)
        }
    if issubclass(kind, BaseModel):
        return {name: not one.is_required() for name, one in kind.model_fields.items()}
    return {name: name in getattr(kind, "_field_defaults", {}) for name in getattr(kind, "_fields", ())}


def has_fields(kind: type) -> bool:
    """Whether a class is a dataclass, a named tuple or a contract model."""
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields") or issubclass(kind, BaseModel)


@dataclasses.dataclass(frozen=True)
class Filler:
    """Makes states. `text` gives the text of a field from its class, its name and its type; `bare`: fields with a
    default keep it; `value`: the field and the value in a worker's statements and changes."""

    text: Callable[[type, str, Any], str]
    value: tuple[str, Any]
    bare: bool = False

    def state(self, kind: type, within: tuple[type, ...] = ()) -> Any:
        """A state of a class; `within`: the classes of the states around it."""
        field, said = self.value
        if kind is Statement:
            return Statement("dinsos", field, said, "s-1", "2026-01-05", True, True, True)
        if kind is FormerValue:
            return FormerValue(field, said, "dinsos", "s-1", "2026-01-05")
        optional = _defaults(kind)
        made = {
            name: self._of(kind, name, hint, (*within, kind))
            for name, hint in fields_of(kind)
            if not (self.bare and optional[name])
        }
        return kind.model_construct(**made) if issubclass(kind, BaseModel) else kind(**made)

    def _of(self, kind: type, name: str, hint: Any, within: tuple[type, ...]) -> Any:
        """A value of a field's type."""
        return self._value(hint, lambda whole: self.text(kind, name, whole), within)

    def _value(self, hint: Any, text: Callable[[Any], str], within: tuple[type, ...]) -> Any:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._value(arguments[0], lambda _: text(hint), within)
        if origin is Literal:
            return arguments[0]
        if origin in (Union, types.UnionType):
            return self._value(next(one for one in arguments if one is not types.NoneType), text, within)
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            # A state may hold earlier states of its kind; those hold none.
            return () if arguments[0] in within else (self._value(arguments[0], text, within),)
        if origin is tuple:
            return tuple(self._value(one, text, within) for one in arguments)
        if origin is list:
            return [self._value(arguments[0], text, within)]
        if origin is not None and issubclass(origin, Mapping):
            return {"key": self._value(arguments[1], text, within)}
        if isinstance(hint, type) and issubclass(hint, Enum):
            return next(iter(hint))
        if hint is str:
            return text(hint)
        plain = {int: 1, bool: True, datetime: datetime(2026, 1, 5, tzinfo=UTC)}
        return plain[hint] if hint in plain else self.state(hint, within)
