"""A link in a service's own store."""

from __future__ import annotations

from shared.persons.links import Link
from shared.runtime.codecs import Codecs
from shared.runtime.ports import Index

COLLECTION = "links"
INDEXES = (Index(fields=("state.into",)),)
CODEC = Codecs().of(Link)
