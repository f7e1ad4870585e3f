"""How the objects of a class are written as objects of their fields, and read. cattrs makes the functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from cattrs import Converter
from cattrs.fns import identity
from cattrs.gen import make_dict_structure_fn_from_attrs, make_dict_unstructure_fn_from_attrs, override

from shared.runtime.codecs.hooks import AS_IT_IS, Hook, Hooks
from shared.runtime.codecs.shapes import Shape, Upgrade, default_of

_CONVERTER = Converter(detailed_validation=False)


def as_object(shape: Shape, fields: Mapping[str, Hooks]) -> Hooks:
    """A class as an object of its fields."""
    write, read = _writer(shape, fields), _reader(shape, fields)
    if shape.inline:
        write, read = _flat(shape, write, read)
    if shape.upgrade is not None:
        read = _upgraded(shape.upgrade, read)
    return Hooks(write, read)


def _writer(shape: Shape, fields: Mapping[str, Hooks]) -> Hook:
    stored = {**fields, **dict.fromkeys(shape.derived, AS_IT_IS)}
    overrides: dict[str, Any] = {
        name: override(
            unstruct_hook=hooks.write or identity,
            rename=shape.names.get(name),
            omit_if_default=name in shape.seldom,
        )
        for name, hooks in stored.items()
    }
    return make_dict_unstructure_fn_from_attrs(_attributes(shape, stored), shape.kind, _CONVERTER, **overrides)


def _reader(shape: Shape, fields: Mapping[str, Hooks]) -> Hook:
    overrides: dict[str, Any] = {
        name: override(struct_hook=_of_two(hooks.read), rename=shape.names.get(name)) for name, hooks in fields.items()
    }
    return make_dict_structure_fn_from_attrs(
        _attributes(shape, fields), shape.kind, _CONVERTER, _cattrs_prefer_attrib_converters=True, **overrides
    )


def _of_two(hook: Hook | None) -> Any:
    """cattrs calls a hook with the value and its type."""
    if hook is None:
        return None
    return lambda value, _: hook(value)


def _attributes(shape: Shape, fields: Mapping[str, Hooks]) -> list[Any]:
    """The fields as cattrs takes them. Only a field that may be missing has a default; the others must be there."""
    made = {
        name: attrs.field(
            default=default_of(shape, name) if name in shape.missing else attrs.NOTHING,
            # A field with a converter is read as it is: this spares a call.
            converter=identity if hooks.read is None else None,
            kw_only=True,
        )
        for name, hooks in fields.items()
    }
    return list(attrs.fields(attrs.make_class(shape.kind.__name__, made)))


def _flat(shape: Shape, write: Hook, read: Hook) -> tuple[Hook, Hook]:
    """The fields of some fields stand among the others."""

    def written(one: Any) -> dict[str, Any]:
        body: dict[str, Any] = write(one)
        for inner in [body.pop(name) for name in shape.inline]:
            body.update(inner)
        return body

    return written, lambda body: read({**body, **dict.fromkeys(shape.inline, body)})


def _upgraded(upgrade: Upgrade, read: Hook) -> Hook:
    return lambda body: read(upgrade(body))
