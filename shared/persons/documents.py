"""A link in a service's own store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.persons.links import Link
from shared.runtime.ports import Cipher, Index

COLLECTION = "links"
INDEXES = (Index(fields=("state.into",)),)


class LinkCodec:
    """Codec of a link: the worker that another was merged into."""

    def encode(self, state: Link, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return {"into": state.into, "sequence": state.sequence}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Link:
        """From plain fields."""
        return Link(body["into"], body["sequence"])
