"""Keyed hashes of content: they tell whether two inputs have the same content, and reveal nothing without the key.

Before release 0.2 a hash had no key, and a NIK could be found from it by trying all possible values. The keyed hash is
made from the unkeyed one. So hashes that an older release saved can still be compared, and can be turned into keyed
ones without the content.
"""

from __future__ import annotations

import hashlib
import re

BYTES = 12
# The purpose for which a store's key of content hashes is derived.
PURPOSE = "payung content hashes"
_MARK = "k"
# The form of older releases. A keyed hash begins with a letter that is no hex digit.
UNKEYED = re.compile(r"[0-9a-f]{24}")


class ContentHashes:
    """The hashes of one store, under one key of 32 bytes."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, content: bytes) -> str:
        """The hash of some content: 25 characters."""
        return self._keyed(hashlib.blake2b(content, digest_size=BYTES).hexdigest())

    def current(self, saved: str) -> str:
        """A saved hash in its current form; anything but a hash of an older release is returned unchanged."""
        return self._keyed(saved) if UNKEYED.fullmatch(saved) else saved

    def _keyed(self, unkeyed: str) -> str:
        return _MARK + hashlib.blake2b(unkeyed.encode(), digest_size=BYTES, key=self._key).hexdigest()
