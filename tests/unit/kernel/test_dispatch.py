"""The table of events: each cell finds its handler, and a table with a gap or a double cannot be built."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest

from shared.kernel.decision import Address, Decision, Due
from shared.kernel.dispatch import Documents, Kind, Table
from shared.kernel.event import Event, Routed

AT = datetime(2026, 1, 5, tzinfo=UTC)


class Light(StrEnum):
    GREEN = "green"
    RED = "red"


@dataclass(frozen=True)
class Lamp:
    light: Light = Light.GREEN


@dataclass(frozen=True)
class Grave:
    """A lamp that is gone."""


@dataclass(frozen=True)
class Put:
    id: str


@dataclass(frozen=True)
class Turn:
    id: str


@dataclass(frozen=True)
class Order:
    text: str


States = Lamp | Grave
LAMP = Kind(Lamp, Light, lambda lamp: lamp.light)
GRAVE = Kind(Grave)


def put(state: None, event: Event[Put], facts: int) -> Decision[Lamp]:
    return Decision(state=Lamp())


def turned(state: Lamp, event: Event[Turn], facts: int) -> Decision[Lamp]:
    return Decision(state=Lamp(Light.RED))


def any_turn(state: States | None, event: Event[Turn], facts: int) -> Decision[States]:
    return Decision(state=Lamp(Light.RED) if facts else state)


def lamps(due: Any = None) -> Documents[States, int]:
    return Documents[States, int]("lamps", LAMP, GRAVE, due=due)


def event(data: Any) -> Event[Any]:
    return Event(id="1", source="s", type="t", data=data, at=AT, topic="t", content_hash="h")


def table(due: Any = None) -> Table[int, str]:
    rows = lamps(due)
    rows.on(Put, lambda one: one.id).absent(put).ignored("is-there")
    rows.on(Turn).at(LAMP, turned, Light.GREEN).ignored("is-red", Light.RED).ignored("no-lamp", remember=False)
    return Table[int, str](rows)


@pytest.mark.parametrize(
    ("state", "data", "after", "ignored"),
    [
        (None, Put("a"), Lamp(), None),
        (Lamp(), Put("a"), Lamp(), "is-there"),
        (Lamp(), Turn("a"), Lamp(Light.RED), None),
        (Lamp(Light.RED), Turn("a"), Lamp(Light.RED), "is-red"),
        (Grave(), Turn("a"), None, "no-lamp"),
        (None, Turn("a"), None, "no-lamp"),
    ],
)
def test_a_stage_and_a_part_find_their_cell(state: Any, data: Any, after: Any, ignored: str | None) -> None:
    made = table().decide(state, event(data), 1)
    assert (made.state, made.ignored) == (after, ignored)


def test_work_stays_due_in_a_document_that_ignores_an_event() -> None:
    due = Due("d", "kind", AT)
    assert table(lambda state, event: due).decide(Lamp(Light.RED), event(Turn("a")), 1).due is due
    assert table().decide(Lamp(Light.RED), event(Turn("a")), 1).due is None


def test_what_follows_from_every_decision_is_added_in_one_place() -> None:
    def finish(state: States | None, event: Event, facts: int, made: Decision[States]) -> Decision[States]:
        return Decision(state=made.state, ignored=f"{made.ignored} of {facts}, after {state}")

    rows = Documents[States, int]("lamps", LAMP, GRAVE, finish=finish)
    rows.on(Turn).at(LAMP, turned, Light.GREEN).ignored("is-red")
    made = Table[int, str](rows)
    assert made.decide(Lamp(Light.RED), event(Turn("a")), 7).ignored == f"is-red of 7, after {Lamp(Light.RED)}"
    assert made.decide(Lamp(), event(Turn("a")), 7).ignored == f"None of 7, after {Lamp()}"


def test_tables_of_parts_are_joined_and_share_no_input() -> None:
    def read(order: Event[Order], reference: object) -> tuple[Routed, ...]:
        return (Routed(Address("graves", order.data.text), Turn(order.data.text)),)

    graves = Documents[Grave, object]("graves", GRAVE)
    graves.on(Order).ignored("too-late")
    part: Table[object, object] = Table(graves)
    part.reads(Order, read)
    made: Table[int, str] = Table.joined(table(), part)
    assert made.inputs == {Put, Order}
    assert list(made.matrix()) == ["lamps", "graves"]
    assert made.decide(None, event(Order("a")), 1).ignored == "too-late"
    with pytest.raises(ValueError, match="Put stands in the table twice"):
        Table.joined(table(), table())


def test_one_handler_for_all_stages_needs_no_look_at_the_state() -> None:
    rows = lamps()
    rows.on(Turn).always(any_turn)
    assert Table[int, str](rows).decide("not a lamp", event(Turn("a")), 0).state == "not a lamp"


def test_an_input_is_routed_by_its_key_or_by_its_reader() -> None:
    def read(order: Event[Order], reference: str) -> tuple[Routed, ...]:
        return (Routed(Address("lamps", reference), Turn(order.data.text)),)

    made = table().reads(Order, read)
    assert made.route(event(Put("a")), "ref") == (Routed(Address("lamps", "a"), Put("a")),)
    assert made.route(event(Order("b")), "ref") == (Routed(Address("lamps", "ref"), Turn("b")),)
    assert made.inputs == {Put, Order}
    with pytest.raises(ValueError, match="Put stands in the table twice"):
        made.reads(Put, lambda event, reference: ())


def test_an_unknown_input_and_an_unknown_part_are_defects() -> None:
    with pytest.raises(KeyError):
        table().route(event(Turn("a")), "ref")
    with pytest.raises(KeyError):
        table().decide(None, event(Order("b")), 1)


def test_the_matrix_names_every_cell() -> None:
    assert table().matrix() == {
        "lamps": {
            "Put": {"absent": "test_dispatch.put", "green": "(is-there)", "red": "(is-there)", "Grave": "(is-there)"},
            "Turn": {
                "absent": "(no-lamp, not remembered)",
                "green": "test_dispatch.turned",
                "red": "(is-red)",
                "Grave": "(no-lamp, not remembered)",
            },
        }
    }


def test_a_table_with_a_gap_cannot_be_built() -> None:
    rows = lamps()
    rows.on(Turn).at(LAMP, turned)
    with pytest.raises(ValueError, match="lamps: Turn says nothing of absent, Grave"):
        Table[int, str](rows)


def test_a_stage_is_named_once() -> None:
    row = lamps().on(Turn).always(any_turn)
    with pytest.raises(ValueError, match="Turn cannot name red"):
        row.at(LAMP, turned, Light.RED)
    with pytest.raises(ValueError, match="Turn cannot name blue"):
        lamps().on(Turn).ignored("no-such-stage", "blue")
    with pytest.raises(ValueError, match="Lamp has not all stages Grave"):
        lamps().on(Turn).at(LAMP, turned, "Grave")


def test_a_part_has_one_row() -> None:
    one, other = lamps(), lamps()
    one.on(Turn).always(any_turn)
    other.on(Turn).always(any_turn)
    with pytest.raises(ValueError, match="Turn has a row already"):
        one.on(Turn)
    with pytest.raises(ValueError, match="Turn stands in the table twice"):
        Table[int, str](one, other)
