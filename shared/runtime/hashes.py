"""Keyed hashes of content: they tell whether two inputs say the same, and nothing to whoever has no key.

Before release 0.2 a hash had no key, and a NIK could be found from it by trying all. The keyed hash is made from that
one, so that what an older release saved can still be compared, and is turned into the keyed one without the content.
"""

from __future__ import annotations

import hashlib
import re

BYTES = 12
# What a store's key of content hashes is derived for.
PURPOSE = "payung content hashes"
_MARK = "k"
# What older releases saved. A keyed hash begins with a letter that is no digit of theirs.
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
        """A saved hash as it is saved now; what is no hash of an older release is given back as it is."""
        return self._keyed(saved) if UNKEYED.fullmatch(saved) else saved

    def _keyed(self, unkeyed: str) -> str:
        return _MARK + hashlib.blake2b(unkeyed.encode(), digest_size=BYTES, key=self._key).hexdigest()
