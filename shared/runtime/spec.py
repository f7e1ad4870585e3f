"""What a service tells the shell, and the shapes of its due work. Knows no Kafka, no MongoDB, no service."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel

from shared.contracts import admission, topics
from shared.kernel.decision import Decision, Due
from shared.kernel.event import Event, Routed
from shared.runtime.ports import Codec, Index, Reader, Rows
from shared.runtime.settings import Setting


@dataclass(frozen=True, slots=True)
class WorkResult:
    """The answer of due work: the event to publish on the service's `-work` topic, keyed for its next aggregate."""

    type: str
    key: str
    data: BaseModel


class Workplace(Protocol):
    """What a performer of due work may use."""

    reader: Rows
    reference: Any

    async def caught_up(self, topics: Sequence[str]) -> bool:
        """Whether this service has read and settled everything that stood in these topics at the call."""
        ...


# Performs one piece of due work (its document's id, state and Due) and returns the answer. Raises Unavailable when the
# other system cannot answer now: the work stays due and is tried again later, without blocking the consumer.
Performer = Callable[[str, Any, Due, Workplace], Awaitable[WorkResult]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """Everything that differs between services.

    `topics` are literal names or `^` patterns. `inputs` maps event types to their data model: `Intake` subclasses get
    the raw object, pydantic models are validated. `stored` gives each collection's codec. `reference` is loaded once at
    start (areas, policy, keys) and handed to route, facts and performers. `conflicting` makes the part that refuses an
    input whose name was used before with other content. `table` says which events each topic may carry, and from whom.
    `first_only`: own events of which only the first content under a name counts; they carry the result of a look into
    the store, which may differ when a restored store decides again. `after_cause`: own steps that ask what the store
    knows; they are ignored while the store does not know the input for which they were saved. Other steps hold all that
    they need, and are taken in the order of the log. `names_workers`: it turns NIKs into worker ids, and so needs the
    key of worker ids. The service that `leads` publishes which key it has; one that `follows` refuses to run with
    another (`ops/key_guard.py`). `settings`: the environment variables of this service alone.
    """

    name: str
    description: str
    topics: tuple[str, ...]
    inputs: Mapping[str, type]
    route: Callable[[Event, Any], tuple[Routed, ...]]
    decide: Callable[[Any, Event, Any], Decision[Any]]
    facts: Callable[[Reader, Sequence[tuple[Routed, Event]], Any], Awaitable[Any]]
    stored: Mapping[str, Codec]
    indexes: Mapping[str, Sequence[Index]]
    reference: Callable[[Reader, Mapping[str, str]], Awaitable[Any]]
    conflicting: Callable[[Event[Any]], Routed] | None = None
    performers: Mapping[str, Performer] = field(default_factory=dict)
    outcomes: Mapping[str, type[BaseModel]] = field(default_factory=dict)
    routes: Callable[[Any], Any] | None = None
    background: Callable[[Any], Awaitable[None]] | None = None
    table: admission.RuleOfTopic = admission.rule_of
    first_only: frozenset[str] = frozenset()
    after_cause: frozenset[str] = frozenset()
    names_workers: Literal["leads", "follows"] | None = None
    settings: tuple[Setting, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The topics of its inputs, and the topics that it reads beside them, without a consumer group."""
        return (*self.topics, topics.REGISTRATION_KEY_CHECK) if self.names_workers else self.topics
