"""One decoded input, as `route` and `decide` see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple

from typing_extensions import TypeVar

from shared.kernel.decision import Address
from shared.kernel.values import value

D = TypeVar("D")
D_co = TypeVar("D_co", covariant=True, default=object)


class Origin(NamedTuple):
    """Where one of a service's own steps was saved: the document, and the name of the input for which it was saved."""

    address: Address
    cause: str


@value(frozen=True, slots=True, kw_only=True)
class Event(Generic[D_co]):
    """An input with its envelope read. `data` is a contract model, or the part that `route` made of it: `Event[Part]`.

    `at` is the record's own timestamp on the broker (the `now` of every decision, aware, UTC). `content_hash` tells a
    redelivery (same name, same hash) from a conflicting duplicate (same name, other hash).

    `origin` says where a step of the service's own work topic was saved; other events have none.

    `for_cause`: the event only passes on the input that caused it, so its outcomes name that input as their cause.
    """

    id: str
    source: str
    type: str
    data: D_co
    at: datetime
    topic: str
    content_hash: str
    subject: str | None = None
    time: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    causation_source: str | None = None
    sequence: int | None = None
    origin: Origin | None = None
    for_cause: bool = False

    @property
    def name(self) -> str:
        """The permanent name of this event: source and id."""
        return f"{self.source}|{self.id}"

    @property
    def cause(self) -> tuple[str, str]:
        """Source and id of the input that its outcomes name as their cause."""
        if self.for_cause and self.causation_source and self.causation_id:
            return self.causation_source, self.causation_id
        return self.source, self.id

    def with_data(self, data: D, *, for_cause: bool = False) -> Event[D]:
        """The same event, seen as one of its parts."""
        # Written out: dataclasses.replace takes four times as long, and this runs once per input.
        return Event(
            id=self.id,
            source=self.source,
            type=self.type,
            data=data,
            at=self.at,
            topic=self.topic,
            content_hash=self.content_hash,
            subject=self.subject,
            time=self.time,
            correlation_id=self.correlation_id,
            causation_id=self.causation_id,
            causation_source=self.causation_source,
            sequence=self.sequence,
            origin=self.origin,
            for_cause=for_cause,
        )


class Routed(NamedTuple):
    """One part of an input and the document it changes. `for_cause`: the input passes on the one that caused it, and
    the outcomes answer that one."""

    address: Address
    data: Any
    for_cause: bool = False


@value(frozen=True, slots=True)
class Intake:
    """Lenient data of an event from outside: the raw object, judged field by field by the service that takes it.

    `problem` is set when `data` was not a JSON object. Subclass it once per command type.
    """

    fields: Mapping[str, Any]
    problem: str | None = None
