"""Folds `decide` over the inputs of one document. Pure: no I/O, no clock; the pipeline stores and publishes the result.

Invariants
* An input whose name the document knows is never decided again.
* Each input raises the version by one; its outcomes carry that version.
* An exception from `decide` is a defect: that input and the later ones of the document in this batch are put aside, and
  the fold keeps the state before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.contracts import tokens, topics
from shared.contracts.envelope import caused_by, origin, outcome_id, write_outcome
from shared.kernel.decision import Address, Decision, Due
from shared.kernel.event import Event
from shared.kernel.identity import without_niks

Decide = Callable[[Any, Event, Any], Decision[Any]]


# Not frozen, although they never change: one of each is made for every record, and frozen dataclasses cost three times
# as much.
@dataclass(slots=True)
class SavedOutcome:
    """An outcome as it is saved and published: complete with its envelope, never built again."""

    id: str
    topic: str
    key: str
    type: str
    value: bytes
    personal: bool


@dataclass(slots=True)
class Taken:
    """One input that a document took, and its outcomes."""

    name: str
    content_hash: str
    version: int
    outcomes: tuple[SavedOutcome, ...]


@dataclass(slots=True)
class Stored:
    """A document as loaded: `taken` maps the names of its inputs to their content hashes.

    `kept` is the store's own note on the document, which the store gets back with the write.
    """

    version: int
    state: Any
    due: Due | None
    taken: Mapping[str, str]
    kept: Any = None


@dataclass(slots=True)
class Folded:
    """The result of a batch for one document."""

    address: Address
    base: int
    version: int
    state: Any
    due: Due | None
    taken: list[Taken] = field(default_factory=list)
    redelivered: list[Event] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    failed: list[tuple[Event, Exception]] = field(default_factory=list)
    kept: Any = None

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.taken)


def fold(
    service: str,
    address: Address,
    stored: Stored | None,
    events: Sequence[Event],
    decide: Decide,
    facts: Any,
    key: bytes = b"",
) -> Folded:
    """Decides the new inputs of one document in offset order. `key` hides, in open topics, names that others chose
    freely.
    """
    known: Mapping[str, str] = stored.taken if stored else {}
    result = Folded(
        address=address,
        base=stored.version if stored else 0,
        version=stored.version if stored else 0,
        state=stored.state if stored else None,
        due=stored.due if stored else None,
        kept=stored.kept if stored else None,
    )
    fresh: set[str] = set()
    for position, event in enumerate(events):
        name = event.name
        # A document may have taken the cause itself from a release that did not pass it on.
        if name in known or name in fresh or (event.for_cause and "|".join(event.cause) in known):
            result.redelivered.append(event)
            continue
        try:
            decision = decide(result.state, event, facts)
            taken = _take(service, address, event, decision, result.version + 1, key)
        except Exception as error:  # noqa: BLE001  # a defect of ours must not stop the line: it is put aside and alerts
            result.failed.append((event, error))
            result.failed.extend((later, error) for later in events[position + 1 :] if later.name not in known)
            result.redelivered.extend(later for later in events[position + 1 :] if later.name in known)
            break
        if decision.ignored is not None:
            result.ignored.append(decision.ignored)
        if decision.state is None:
            continue
        fresh.add(name)
        result.version += 1
        result.state = decision.state
        result.due = decision.due
        result.taken.append(taken)
    return result


def _take(service: str, address: Address, event: Event, decision: Decision[Any], version: int, naming: bytes) -> Taken:
    if decision.state is None and decision.outcomes:
        raise ValueError("a decision with outcomes must leave a document that remembers them")
    if not decision.outcomes:
        return Taken(event.name, event.content_hash, version, ())
    outcomes = []
    work = topics.work(service)
    caused = caused_by(event, version, naming)
    has_steps = any(outcome.topic == work for outcome in decision.outcomes)
    saved = origin(address, event, naming) if has_steps else b""
    for index, outcome in enumerate(decision.outcomes):
        # More people see keys than records, and some keys are names of inputs.
        key = without_niks(outcome.key)
        if event.id in (outcome.key, outcome.subject) and not topics.is_feedback(outcome.topic):
            name = tokens.shown(event.source, event.id, naming)
            key = name if outcome.key == event.id else key
            outcome = replace(outcome, subject=name) if outcome.subject == event.id else outcome
        identifier = outcome_id(service, event, address.id, outcome.type, index)
        value = write_outcome(service, identifier, outcome, caused, saved if outcome.topic == work else b"")
        outcomes.append(SavedOutcome(identifier, outcome.topic, key, outcome.type, value, outcome.personal))
    return Taken(event.name, event.content_hash, version, tuple(outcomes))
