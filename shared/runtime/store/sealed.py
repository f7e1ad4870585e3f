"""Finds which values of a document are sealed and by which key, and seals them again with the first key. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shared.runtime.store.crypto import FieldCipher

_NAME = re.compile(rb"[A-Za-z0-9._-]{1,32}")
# A nonce of 12 bytes and a tag of 16.
_REST_MIN = 28


def key_of(value: Any) -> str | None:
    """The name of the key that sealed a value; None for a value that is not sealed."""
    if not isinstance(value, bytes) or not value or len(value) < 1 + value[0] + _REST_MIN:
        return None
    name = bytes(value[1 : 1 + value[0]])
    return name.decode() if _NAME.fullmatch(name) else None


def mark_of(name: str) -> bytes:
    """The first bytes of a value that the key of this name sealed."""
    return bytes([len(name)]) + name.encode()


def sealed_in(value: Any) -> Iterator[bytes]:
    """Every sealed value in a document."""
    if isinstance(value, Mapping):
        for item in value.values():
            yield from sealed_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from sealed_in(item)
    elif key_of(value) is not None:
        yield bytes(value)


def keys_in(document: Any) -> set[str]:
    """The names of the keys that sealed something in a document."""
    return {name for one in sealed_in(document) if (name := key_of(one)) is not None}


def resealed(value: Any, cipher: FieldCipher) -> Any:
    """The same document; values that an older key of this cipher sealed are sealed with its first key.

    Values that are not sealed, or that were sealed with a key the cipher does not have, stay unchanged.
    """
    if isinstance(value, Mapping):
        return {name: resealed(item, cipher) for name, item in value.items()}
    if isinstance(value, list):
        return [resealed(item, cipher) for item in value]
    name = key_of(value)
    if name is None or name not in cipher.names or cipher.is_current(value):
        return value
    return cipher.seal_bytes(cipher.open_bytes(value))
