"""How an event finds its handler: one table for each service, part of an event x stage of a document -> handler. Pure.

Theory of operation
* A `Kind` is a class of state with its stages (the values of its status). `Documents` are one collection: its documents
  are absent, or at a stage of one of its kinds.
* A `Row` says what one part of an event does to such a document: a handler, or the reason for which the event is
  ignored, at every stage. `on(Part, key)` opens a row. Its methods fill the row's cells, and mypy checks each handler
  against the part and against the state of that stage.
* A `Table` is complete or it cannot be built: an unnamed stage, a stage named twice and a part with two rows raise
  ValueError when the service is imported. `matrix` shows the whole table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, NamedTuple, TypeVar

from shared.kernel.decision import Address, Decision, Due
from shared.kernel.event import Event, Routed

S = TypeVar("S")  # the states of a collection
T = TypeVar("T")  # one class of them
P = TypeVar("P")  # the part of an event
F = TypeVar("F")  # what the decisions look up
# The same of a table: one that looks up little may join one that looks up more.
F_contra = TypeVar("F_contra", contravariant=True)
R_contra = TypeVar("R_contra", contravariant=True)  # the reference data of a table

ABSENT = "absent"


class Kind(Generic[T]):
    """A class of state and its stages; without a status its only stage is the name of the class."""

    def __init__(self, of: type[T], stages: Iterable[str] = (), stage: Callable[[T], str] | None = None) -> None:
        self.of = of
        self.stages = tuple(str(one) for one in stages) or (of.__name__,)
        self.stage = stage or (lambda _: of.__name__)


class Cell(NamedTuple):
    """What a row does at one stage; `label` is the handler's name, or the reason of an ignored event in brackets."""

    label: str
    decide: Callable[[Any, Any, Any], Decision[Any]]


class Row(Generic[S, P, F]):
    """What one part of an event does to the documents of one collection, stage by stage."""

    def __init__(self, documents: Documents[S, F], part: type[P]) -> None:
        self.cells: dict[str, Cell] = {}
        self._documents, self._part = documents, part

    def always(self, handler: Callable[[S | None, Event[P], F], Decision[S]]) -> Row[S, P, F]:
        """One handler for all stages and for an absent document."""
        return self._fill(self._documents.stages, _cell(handler))

    def absent(self, handler: Callable[[None, Event[P], F], Decision[S]]) -> Row[S, P, F]:
        """The handler that opens a document."""
        return self._fill((ABSENT,), _cell(handler))

    def at(self, kind: Kind[T], handler: Callable[[T, Event[P], F], Decision[S]], *stages: str) -> Row[S, P, F]:
        """The handler at these stages of a kind; without stages, at those that have no cell yet."""
        if not set(stages) <= set(kind.stages):
            raise ValueError(f"{self._documents.collection}: {kind.of.__name__} has not all stages {', '.join(stages)}")
        return self._fill(stages or self._left(kind.stages), _cell(handler))

    def ignored(self, reason: str, *stages: str, remember: bool = True) -> Row[S, P, F]:
        """These stages ignore the event; without stages, those that have no cell yet. A document remembers the event
        as taken and stays as it is, unless `remember` is False: then nothing is written.
        """
        due = self._documents.due

        def ignore(state: Any, event: Event, facts: object) -> Decision[Any]:
            if not remember or state is None:
                return Decision(state=None, ignored=reason)
            return Decision(state=state, due=due(state, event) if due else None, ignored=reason)

        label = f"({reason})" if remember else f"({reason}, not remembered)"
        return self._fill(stages or self._left(self._documents.stages), Cell(label, ignore))

    def compiled(self) -> Callable[[Any, Any, Any], Decision[Any]]:
        """The row as one function. Raises ValueError when a stage has no cell."""
        left = self._left(self._documents.stages)
        if left:
            raise ValueError(f"{self._documents.collection}: {self._part.__name__} says nothing of {', '.join(left)}")
        decide, finish = self._by_stage(), self._documents.finish
        if finish is None:
            return decide
        return lambda state, event, facts: finish(state, event, facts, decide(state, event, facts))

    def _by_stage(self) -> Callable[[Any, Any, Any], Decision[Any]]:
        # The stage is looked up only where it makes a difference. Most rows ask at most whether there is a document.
        decides = {stage: cell.decide for stage, cell in self.cells.items()}
        absent, present = decides[ABSENT], {decide for stage, decide in decides.items() if stage != ABSENT}
        if present == {absent}:
            return absent
        if len(present) == 1:
            other = present.pop()
            return lambda state, event, facts: (absent if state is None else other)(state, event, facts)
        stage_of = self._documents.stage_of
        return lambda state, event, facts: decides[stage_of(state)](state, event, facts)

    def _left(self, stages: Iterable[str]) -> tuple[str, ...]:
        return tuple(one for one in stages if one not in self.cells)

    def _fill(self, stages: Iterable[str], cell: Cell) -> Row[S, P, F]:
        for stage in stages:
            if stage in self.cells or stage not in self._documents.stages:
                raise ValueError(f"{self._documents.collection}: {self._part.__name__} cannot name {stage} (again)")
            self.cells[str(stage)] = cell
        return self


class Documents(Generic[S, F]):
    """The rows of one collection.

    `due` is the work that stays due in a document that ignores an event. `finish` adds what follows from every decision
    on these documents, in one place: (state before, event, facts, decision) -> decision.
    """

    def __init__(
        self,
        collection: str,
        *kinds: Kind[Any],
        due: Callable[[S, Event], Due | None] | None = None,
        finish: Callable[[S | None, Event, F, Decision[S]], Decision[S]] | None = None,
    ) -> None:
        self.collection = collection
        self.states = tuple(kind.of for kind in kinds)
        self.due, self.finish = due, finish
        self.stages = (ABSENT, *(stage for kind in kinds for stage in kind.stages))
        self.rows: dict[type, Row[S, Any, F]] = {}
        self.keys: dict[type, Callable[[Any], str]] = {}
        self._stage = {kind.of: kind.stage for kind in kinds}

    def on(self, part: type[P], key: Callable[[P], str] | None = None) -> Row[S, P, F]:
        """Opens the row of a part. With `key` the part is an input itself, and `key` names its document."""
        if part in self.rows:
            raise ValueError(f"{self.collection}: {part.__name__} has a row already")
        if key is not None:
            self.keys[part] = key
        self.rows[part] = row = Row(self, part)
        return row

    def stage_of(self, state: S | None) -> str:
        """The name of the stage of a document."""
        return ABSENT if state is None else self._stage[type(state)](state)


class Table(Generic[F_contra, R_contra]):
    """All rows of a service, and the readers of those inputs that must be read before their parts are known."""

    def __init__(self, *documents: Documents[Any, F_contra]) -> None:
        self._documents = documents
        self._readers: dict[type, Callable[[Any, R_contra], tuple[Routed, ...]]] = {}
        self._routes: dict[type, Callable[[Any, R_contra], tuple[Routed, ...]]] = {}
        self._rows: dict[type, Callable[[Any, Any, F_contra], Decision[Any]]] = {}
        for one in documents:
            for part, row in one.rows.items():
                _add(self._rows, part, row.compiled())
            for part, key in one.keys.items():
                _add(self._routes, part, _addressed(one.collection, key))

    def reads(
        self, data: type[P], reader: Callable[[Event[P], R_contra], tuple[Routed, ...]]
    ) -> Table[F_contra, R_contra]:
        """The function that finds the documents of an input and makes its parts."""
        _add(self._routes, data, reader)
        self._readers[data] = reader
        return self

    @classmethod
    def joined(cls, *tables: Table[F_contra, R_contra]) -> Table[F_contra, R_contra]:
        """One table of all these: the parts of a service may share the refusals, but no input and no part."""
        made = cls(*(one for table in tables for one in table._documents))
        for table in tables:
            for data, reader in table._readers.items():
                made.reads(data, reader)
        return made

    @property
    def inputs(self) -> frozenset[type]:
        """The inputs that find a document."""
        return frozenset(self._routes)

    def route(self, event: Event, reference: R_contra) -> tuple[Routed, ...]:
        """The documents that an input changes, each with its part. Raises KeyError for an unknown input."""
        return self._routes[type(event.data)](event, reference)

    def decide(self, state: Any, event: Event, facts: F_contra) -> Decision[Any]:
        """Decides one part on its document. Raises KeyError for a part without a row."""
        return self._rows[type(event.data)](state, event, facts)

    @property
    def states(self) -> dict[str, tuple[type, ...]]:
        """Collection -> the classes of state that its documents hold."""
        found: dict[str, tuple[type, ...]] = {}
        for one in self._documents:
            found[one.collection] = tuple(dict.fromkeys((*found.get(one.collection, ()), *one.states)))
        return found

    def matrix(self) -> dict[str, dict[str, dict[str, str]]]:
        """Collection -> part -> stage -> the label of its cell."""
        found: dict[str, dict[str, dict[str, str]]] = {}
        for one in self._documents:
            rows = found.setdefault(one.collection, {})
            for part, row in one.rows.items():
                rows[part.__name__] = {stage: row.cells[stage].label for stage in one.stages}
        return found


def _cell(handler: Callable[[Any, Any, Any], Decision[Any]]) -> Cell:
    return Cell(f"{handler.__module__.rsplit('.', 1)[-1]}.{handler.__qualname__}", handler)


def _addressed(collection: str, key: Callable[[Any], str]) -> Callable[[Event[Any], object], tuple[Routed, ...]]:
    return lambda event, reference: (Routed(Address(collection, key(event.data)), event.data),)


def _add(table: dict[type, T], part: type, entry: T) -> None:
    if part in table:
        raise ValueError(f"{part.__name__} stands in the table twice")
    table[part] = entry
