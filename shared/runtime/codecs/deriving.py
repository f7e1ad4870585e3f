"""Derives the codec of a document from the class of its state. cattrs generates the functions (ADR 0012)."""

from __future__ import annotations

import types
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from shared.kernel.values import Personal
from shared.runtime.codecs import hooks as how
from shared.runtime.codecs.hooks import AS_IT_IS, CIPHER, Hooks
from shared.runtime.codecs.objects import as_object
from shared.runtime.codecs.rows import as_row
from shared.runtime.codecs.shapes import Body, Shape, defaults, has_fields
from shared.runtime.ports import Cipher, Codec

_PLAIN = (str, int, bool, datetime, Any)


class Codecs:
    """The codecs of one part, and the shapes of those classes whose form does not follow from their fields alone.

    `exact`: a stored field that its class lacks is an error. Otherwise the next write removes it.
    """

    def __init__(self, *shapes: Shape, exact: bool = False) -> None:
        self._shapes = {one.kind: one for one in shapes}
        self._exact = exact
        # Whether any class so far has a personal field.
        self._sealing = False
        self._made: dict[type[Any], Hooks] = {}
        self._begun: set[type[Any]] = set()

    def of(self, kind: type[Any]) -> Codec:
        """The codec of documents that hold a state of this class."""
        names = frozenset(defaults(kind)) | {*self._shape(kind).derived}
        hooks = self._class(kind)
        return (_Sealing if self._sealing else _Document)(hooks, names if self._exact else None)

    def either(self, kind: type[Any], other: type[Any], *, tell: str) -> Codec:
        """The codec of documents that hold a state of either class; only those of the first have the field `tell`."""
        return _Either(kind, self.of(kind), self.of(other), tell)

    def _shape(self, kind: type[Any]) -> Shape:
        return self._shapes.get(kind, Shape(kind=kind))

    def _hooks(self, hint: Any) -> Hooks:
        """How the values of a type are stored."""
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._sealed(arguments[0]) if Personal in arguments else self._hooks(arguments[0])
        if origin in (Union, types.UnionType):
            (inner,) = (one for one in arguments if one is not types.NoneType)
            return how.optional(self._hooks(inner))
        if origin in (tuple, list):
            return self._items(origin, {one for one in arguments if one is not Ellipsis})
        if isinstance(origin, type) and issubclass(origin, Mapping):
            key, value = arguments
            if self._hooks(key) is not AS_IT_IS:
                raise TypeError(f"keys are stored as they are, so {key} cannot be one")
            return how.pairs(self._hooks(value))
        if isinstance(hint, type) and issubclass(hint, Enum):
            return Hooks(attrgetter("value"), hint)
        if has_fields(hint):
            return self._class(hint)
        if origin is Literal or hint in _PLAIN:
            return AS_IT_IS
        raise TypeError(f"no stored form is known for {hint}")

    def _sealed(self, inner: Any) -> Hooks:
        """How a personal field is stored. Only texts can be sealed."""
        if inner not in (str, str | None):
            raise TypeError(f"only a text can be Personal, not {inner}")
        self._sealing = True
        return how.SEALED

    def _items(self, kind: type[Any], kinds: set[Any]) -> Hooks:
        """How a tuple or list is stored: all its values in one way."""
        if kinds == {str}:
            return how.texts(kind)
        found = {self._hooks(one) for one in kinds}
        if len(found) > 1:
            raise TypeError(f"the values of one list are stored alike, so it cannot hold {kinds}")
        return how.items(found.pop(), kind)

    def _class(self, kind: type[Any]) -> Hooks:
        """How the objects of a class are stored. A class within itself looks its functions up when they run."""
        if kind in self._begun:
            return Hooks(lambda one: self._made[kind].writing(one), lambda body: self._made[kind].reading(body))
        if kind not in self._made:
            self._begun.add(kind)
            shape = self._shape(kind)
            self._made[kind] = self._row(shape) if shape.row else as_object(shape, self._fields(shape))
            self._begun.remove(kind)
        return self._made[kind]

    def _row(self, shape: Shape) -> Hooks:
        typed = self._fields(self._shape(shape.typed_by[2])) if shape.typed_by is not None else {}
        return as_row(shape, self._fields(shape), typed)

    def _fields(self, shape: Shape) -> dict[str, Hooks]:
        """How each field of a class is stored."""
        hints = get_type_hints(shape.kind, include_extras=True)
        fields = {name: self._hooks(hints[name]) for name in defaults(shape.kind)}
        return {name: how.ordered(one) if name in shape.ordered else one for name, one in fields.items()}


class _Document:
    """Writes and reads the states of one class. `names`: the only fields that may be stored."""

    __slots__ = ("_names", "_read", "_write")

    def __init__(self, hooks: Hooks, names: frozenset[str] | None) -> None:
        self._write, self._read, self._names = hooks.writing, hooks.reading, names

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        body: dict[str, Any] = self._write(state)
        return body

    def decode(self, body: Body, cipher: Cipher) -> Any:
        if self._names is not None and not body.keys() <= self._names:
            raise ValueError(f"stored fields that their class lacks: {sorted(body.keys() - self._names)}")
        return self._read(body)


class _Sealing(_Document):
    """Writes and reads states with personal fields, with the cipher of the call."""

    __slots__ = ()

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        token = CIPHER.set(cipher)
        try:
            return super().encode(state, cipher)
        finally:
            CIPHER.reset(token)

    def decode(self, body: Body, cipher: Cipher) -> Any:
        token = CIPHER.set(cipher)
        try:
            return super().decode(body, cipher)
        finally:
            CIPHER.reset(token)


class _Either:
    """Writes and reads the states of two classes."""

    __slots__ = ("_first", "_kind", "_second", "_tell")

    def __init__(self, kind: type[Any], first: Codec, second: Codec, tell: str) -> None:
        self._kind, self._first, self._second, self._tell = kind, first, second, tell

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return (self._first if isinstance(state, self._kind) else self._second).encode(state, cipher)

    def decode(self, body: Body, cipher: Cipher) -> Any:
        return (self._first if self._tell in body else self._second).decode(body, cipher)
