"""How single values are written and read. None in place of a function: the value is stored as it is."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from shared.runtime.ports import Cipher

Hook = Callable[[Any], Any]

# The cipher of the document that is being written or read. Generated functions are given the value and nothing else.
CIPHER: ContextVar[Cipher] = ContextVar("cipher")


@dataclass(frozen=True, slots=True)
class Hooks:
    """How the values of one type are written and read; `width`: the length of the list, for rows."""

    write: Hook | None = None
    read: Hook | None = None
    width: int = 0

    @property
    def writing(self) -> Hook:
        """The function that writes."""
        return self.write or _same

    @property
    def reading(self) -> Hook:
        """The function that reads."""
        return self.read or _same


def _same(value: Any) -> Any:
    return value


AS_IT_IS = Hooks()


def _seal(text: str | None) -> bytes | None:
    return None if text is None else CIPHER.get().seal(text)


def _open(sealed: bytes | None) -> str | None:
    return None if sealed is None else CIPHER.get().open(sealed)


SEALED = Hooks(_seal, _open)


def optional(inner: Hooks) -> Hooks:
    """Values of a type, or None."""

    def unless_none(hook: Hook | None) -> Hook | None:
        return hook and (lambda value: None if value is None else hook(value))

    return Hooks(unless_none(inner.write), unless_none(inner.read))


def items(inner: Hooks, kind: type[Any]) -> Hooks:
    """A tuple or list of values of one type."""
    write, read = inner.write, inner.read
    return Hooks(
        write=(lambda values: [write(one) for one in values]) if write else list,
        read=(lambda values: kind([read(one) for one in values])) if read else kind,
    )


def texts(kind: type[Any]) -> Hooks:
    """A tuple or list of texts. A code of a StrEnum is stored as a plain text."""
    return Hooks(write=lambda values: [str(one) for one in values], read=kind)


def pairs(inner: Hooks) -> Hooks:
    """A mapping as pairs of key and value; a row follows its key in the same list."""
    write, read = inner.write, inner.read
    if write is None or read is None:
        return Hooks(lambda mapping: [[key, value] for key, value in mapping.items()], dict)
    if inner.width:
        return Hooks(
            lambda mapping: [[key, *write(value)] for key, value in mapping.items()],
            lambda rows: {key: read(row) for key, *row in rows},
        )
    return Hooks(
        lambda mapping: [[key, write(value)] for key, value in mapping.items()],
        lambda rows: {key: read(value) for key, value in rows},
    )


def ordered(inner: Hooks) -> Hooks:
    """A mapping as pairs in the order of their keys."""
    write = inner.write or list
    return Hooks(lambda mapping: sorted(write(mapping)), inner.read)
