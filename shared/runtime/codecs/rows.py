"""How the objects of a class are written as lists of their fields, and read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from shared.runtime.codecs.hooks import AS_IT_IS, Hook, Hooks
from shared.runtime.codecs.shapes import Shape, default_of

Fields = Mapping[str, Hooks]


def as_row(shape: Shape, fields: Fields, typed: Fields) -> Hooks:
    """A class as a list of its fields in their order. `typed`: the fields that the names in `typed_by` are of."""
    write, read, width = _writer(shape, fields), _reader(shape, fields), len(fields)
    for name in shape.inline:
        write, read = _flat(list(fields).index(name), fields[name].width, write, read)
        width += fields[name].width - 1
    if shape.typed_by is not None:
        value, name, _ = shape.typed_by
        write, read = _typed(list(fields).index(value), list(fields).index(name), typed, write, read)
    return Hooks(write, read, width)


def _writer(shape: Shape, fields: Fields) -> Hook:
    """Objects to lists. The last values are left out while they are seldom and have their default."""
    values = attrgetter(*fields)  # of two names and more, so it gives a tuple
    changes = [(at, hooks.write) for at, hooks in enumerate(fields.values()) if hooks.write is not None]
    tail = [hooks.writing(default_of(shape, name)) for name, hooks in fields.items() if name in shape.seldom]
    least = len(fields) - len(tail)

    def write(one: Any) -> list[Any]:
        row = list(values(one))
        for at, change in changes:
            row[at] = change(row[at])
        while len(row) > least and row[-1] == tail[len(row) - least - 1]:
            row.pop()
        return row

    return write


def _reader(shape: Shape, fields: Fields) -> Hook:
    """Lists to objects. The last values may be missing where the shape says so."""
    make = _constructor(shape.kind, tuple(fields))
    changes = [(at, hooks.read) for at, hooks in enumerate(fields.values()) if hooks.read is not None]
    most, least = len(fields), sum(name not in shape.missing for name in fields)

    def read(row: Sequence[Any]) -> Any:
        if not least <= len(row) <= most:
            raise ValueError(f"{shape.kind.__name__}: {len(row)} stored values, not {least} to {most}")
        if not changes:
            return make(row)
        values = list(row)
        for at, change in changes:
            if at < len(values):
                values[at] = change(values[at])
        return make(values)

    return read


def _constructor(kind: type[Any], names: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    """Makes an object of its first fields: by position if the class allows it, because that takes a quarter of the
    time."""
    if issubclass(kind, tuple):
        return lambda row: kind(*row)
    if dataclasses.is_dataclass(kind) and not any(one.kw_only for one in dataclasses.fields(kind)):
        return lambda row: kind(*row)
    return lambda row: kind(**dict(zip(names, row, strict=False)))


def _flat(at: int, width: int, write: Hook, read: Hook) -> tuple[Hook, Hook]:
    """The row of one field stands among the values of this row."""

    def written(one: Any) -> list[Any]:
        row: list[Any] = write(one)
        row[at : at + 1] = row[at]
        return row

    return written, lambda row: read([*row[:at], row[at : at + width], *row[at + width :]])


def _typed(at: int, by: int, typed: Fields, write: Hook, read: Hook) -> tuple[Hook, Hook]:
    """One value is stored as the field of another class that is named in this row."""

    def written(one: Any) -> list[Any]:
        row: list[Any] = write(one)
        row[at] = typed.get(row[by], AS_IT_IS).writing(row[at])
        return row

    def read_from(row: Sequence[Any]) -> Any:
        values = list(row)
        values[at] = typed.get(row[by], AS_IT_IS).reading(row[at])
        return read(values)

    return written, read_from
