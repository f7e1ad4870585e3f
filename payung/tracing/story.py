"""The trace of a name: its events, their causes and their effects, as trees. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from payung.dlq import masking
from shared.contracts import envelope

# Effects kept for each cause. A step of a billing run has a thousand effects that all look the same here.
EFFECTS_SHOWN = 20
# Fields of `data` that name something; a user may trace their values.
NAMING = (
    *("worker_id", "submission_id", "claim_no", "run_id", "invoice_id", "employer_id", "project_no", "meeting_id"),
    *("sticker_no", "finding_id"),
)
SHOWN_FIELDS = (*NAMING, "outcome", "identity", "stage", "period", "total")


class EventName(NamedTuple):
    """The name of an event: its source, and its id there."""

    source: str
    id: str


@dataclass(frozen=True, slots=True)
class Step:
    """One event, or one dead letter (`error`). `name` is its source and id, `cause` the name of its cause, both as on
    open topics; `own` is the id that its sender gave."""

    name: EventName
    type: str
    topic: str
    partition: int
    offset: int
    at: datetime
    cause: EventName | None
    first_cause: str
    shown_fields: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    own: str = ""

    def bears(self, name: str) -> bool:
        """Whether its own id or a field of its data is the name."""
        return name in (self.name.id, self.own) or any(self.shown_fields.get(one) == name for one in NAMING)

    def as_json(self, *, asked: bool) -> dict[str, Any]:
        """For a machine. `asked`: it has the name itself, and is not only a cause or an effect."""
        shown: dict[str, Any] = {
            "source": masking.blurred(self.name.source),
            "id": masking.blurred(self.name.id),
            "type": self.type,
            "place": f"{self.topic}/{self.partition}/{self.offset}",
            "at": envelope.rfc3339(self.at),
            "causationsource": None if self.cause is None else masking.blurred(self.cause.source),
            "causationid": None if self.cause is None else masking.blurred(self.cause.id),
            "asked": asked,
            **{name: masking.blurred(text) for name, text in self.shown_fields.items()},
        }
        return shown if self.error is None else {**shown, "error": self.error}


@dataclass(slots=True)
class Branch:
    """A step and its effects, in the order of their arrival."""

    step: Step
    asked: bool
    effects: list[Branch]
    # Effects that are not shown, by type.
    more: Mapping[str, int]


@dataclass(slots=True)
class Kin:
    """The kept records of one first cause."""

    name: str
    causes: set[EventName]
    steps: list[Step] = field(default_factory=list)
    _shown: dict[tuple[EventName, bool], set[EventName]] = field(default_factory=dict)
    more: dict[EventName, Counter[str]] = field(default_factory=dict)

    def take(self, step: Step) -> None:
        """Keeps a step that caused something. Of the other effects of one cause it keeps the first few, and the first
        few with the name: it finds a worker's premium among a thousand, and does not keep the thousand of a run."""
        if step.name in self.causes or step.cause is None:
            self.steps.append(step)
            return
        shown = self._shown.setdefault((step.cause, step.bears(self.name)), set())
        if len(shown) < EFFECTS_SHOWN:
            shown.add(step.name)
            self.steps.append(step)
        elif step.name not in shown:
            self.more.setdefault(step.cause, Counter())[step.type] += 1


def tell(kin: Kin) -> list[Branch]:
    """The events with the name, with causes and effects. Every tree begins with a step without a known cause. A cause
    shows no other effects: the trace of one worker does not show what else a billing run did."""
    # An event that was published again under the same name appears once.
    steps = {one.name: one for one in sorted(kin.steps, key=_order, reverse=True)}
    parents = _parents(steps)
    effects: dict[EventName, list[Step]] = {}
    for one in sorted(steps.values(), key=_order):
        if one.name in parents:
            effects.setdefault(parents[one.name], []).append(one)
    asked = {one.name for one in steps.values() if one.bears(kin.name)}
    below = _reached(asked, lambda at: [one.name for one in effects.get(at, ())])
    told = below | _reached(asked, lambda at: [parents[at]] if at in parents else [])

    branches = {
        name: Branch(step, name in asked, [], kin.more.get(name, {}) if name in below else {})
        for name, step in sorted(steps.items(), key=lambda one: _order(one[1]))
        if name in told
    }
    first: list[Branch] = []
    for name, branch in branches.items():
        (branches[parents[name]].effects if name in parents else first).append(branch)
    return first


def _order(step: Step) -> tuple[datetime, str, int, int]:
    return step.at, step.topic, step.partition, step.offset


def _parents(steps: Mapping[EventName, Step]) -> dict[EventName, EventName]:
    """The known cause of each step. An answer from outside (Dukcapil, BPJS) names itself as its cause; it goes under
    the first cause."""
    origins = {one.name.id: one.name for one in steps.values() if one.cause is None}
    found = {one.name: one.cause if one.cause != one.name else origins.get(one.first_cause) for one in steps.values()}
    return {name: cause for name, cause in found.items() if cause is not None and cause in steps and cause != name}


def _reached(start: set[EventName], beyond: Callable[[EventName], list[EventName]]) -> set[EventName]:
    found, at = set(start), list(start)
    while at:
        more = [one for one in beyond(at.pop()) if one not in found]
        found.update(more)
        at.extend(more)
    return found


def walk(branches: Sequence[Branch]) -> Iterator[Branch]:
    """Every branch, a cause before its effects. Not recursive, because a run can be as deep as it has pages."""
    for one, _ in indented(branches):
        yield one


def indented(branches: Sequence[Branch]) -> Iterator[tuple[Branch, int]]:
    """Like `walk`, with the shown depth: an only effect has the same depth as its cause."""
    waiting = [(one, 0) for one in reversed(branches)]
    while waiting:
        one, depth = waiting.pop()
        yield one, depth
        deeper = depth + (len(one.effects) + len(one.more) > 1)
        waiting.extend((effect, deeper) for effect in reversed(one.effects))


def shown_fields(data: Any, *, ours: bool) -> dict[str, str]:
    """The fields of an event's data that may be shown; for outsiders' events only those that name it."""
    if not isinstance(data, dict):
        return {}
    said = {
        name: str(data[name]) for name in (SHOWN_FIELDS if ours else NAMING) if isinstance(data.get(name), str | int)
    }
    reasons = data.get("reasons")
    if ours and isinstance(reasons, list) and reasons:
        said["reasons"] = ", ".join(str(one) for one in reasons)
    return said
