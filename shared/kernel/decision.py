"""The types that a pure decision uses to tell the shell what to do.

They contain no rule, no I/O, no clock and no ids: a service says *what* should happen, the shell does it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from shared.kernel.values import value

S_co = TypeVar("S_co", covariant=True)


class Address(NamedTuple):
    """The address of one document: the collection of the service's own store, and the key in it."""

    collection: str
    id: str


@value(frozen=True, slots=True)
class Outcome:
    """An event to publish: where, by which key, of which type, with which data. The shell adds the envelope.

    `personal` encrypts the saved bytes at rest; it is required for every restricted topic with personal data.
    """

    topic: str
    key: str
    type: str
    data: BaseModel
    subject: str | None = None
    personal: bool = False


@value(frozen=True, slots=True)
class Due:
    """Work that must happen outside the decision (a call to another system, a wait), started only from saved state.

    `id` is the idempotency key of the call and the id of the event that answers it; `kind` picks the performer;
    `at` is the earliest start; `data` is plain JSON-like data for the performer (no personal data: read it from state).
    """

    id: str
    kind: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)


@value(frozen=True, slots=True, kw_only=True)
class Decision(Generic[S_co]):
    """The result of one input for one document.

    `state` None leaves no document (then there are no outcomes either). `due` replaces the document's due work: None
    means that nothing is due any more. `ignored` says why an input had no effect; it is counted by that code.
    """

    state: S_co | None
    outcomes: tuple[Outcome, ...] = ()
    due: Due | None = None
    ignored: str | None = None
