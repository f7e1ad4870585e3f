"""How a class is stored, where that does not follow from its fields alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import attrs
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

Body = Mapping[str, Any]
Upgrade = Callable[[Body], Body]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the objects of a class are stored.

    * `row`: as a list of the fields in their order, and not as an object.
    * `seldom`: fields that are left out while they have their default; of a row, only the last ones.
    * `later`: fields that documents of earlier releases lack; they are read as their default.
    * `inline`: fields whose own fields are stored among those of this class.
    * `names`: the stored names of fields, where they differ.
    * `derived`: properties that are stored for an index only; they are not read.
    * `ordered`: mappings that are stored in the order of their keys.
    * `typed_by`: (field of any type, field with a name, class): the value is stored as the class's field of that name.
    * `upgrade`: turns a body of an earlier release into one of this release.
    """

    kind: type[Any]
    row: bool = False
    seldom: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    derived: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    typed_by: tuple[str, str, type[Any]] | None = None
    upgrade: Upgrade | None = None

    @property
    def missing(self) -> frozenset[str]:
        """The fields that a stored document may lack."""
        return frozenset((*self.seldom, *self.later))


def record(kind: type[Any], **options: Any) -> Shape:
    """A class whose objects are stored as objects."""
    return Shape(kind=kind, **options)


def row(kind: type[Any], **options: Any) -> Shape:
    """A class whose objects are stored as lists."""
    return Shape(kind=kind, row=True, **options)


def has_fields(kind: Any) -> bool:
    """Whether objects of this type have named fields: a dataclass, a named tuple or a contract model."""
    if not isinstance(kind, type):
        return False
    return dataclasses.is_dataclass(kind) or hasattr(kind, "_fields") or issubclass(kind, BaseModel)


def defaults(kind: type[Any]) -> dict[str, Any]:
    """The fields of a class in their order, each with its default or what makes it; NOTHING: it must be given."""
    if dataclasses.is_dataclass(kind):
        return {one.name: _default(one.default, one.default_factory) for one in dataclasses.fields(kind)}
    if issubclass(kind, BaseModel):
        return {name: _default(one.default, one.default_factory) for name, one in kind.model_fields.items()}
    given = getattr(kind, "_field_defaults", {})
    return {name: given.get(name, attrs.NOTHING) for name in getattr(kind, "_fields", ())}


def default_of(shape: Shape, name: str) -> Any:
    """The default of a field that documents may lack; raises TypeError when its class gives none."""
    found = False if name in shape.derived else defaults(shape.kind)[name]
    if found is attrs.NOTHING:
        raise TypeError(f"{shape.kind.__name__}.{name} may be missing in a document, so it needs a default")
    return found


def _default(value: Any, factory: Any) -> Any:
    if factory not in (dataclasses.MISSING, None):
        return attrs.Factory(factory)
    return attrs.NOTHING if value in (dataclasses.MISSING, PydanticUndefined) else value
