"""Codecs derive from classes: what is stored, what is sealed, and what is refused when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import pytest

from shared.kernel.values import Personal
from shared.runtime.codecs import Codecs, record, row
from tests.states import Marker


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Child:
    name: Annotated[str, Personal]
    born: Annotated[str | None, Personal]
    colour: Colour = Colour.RED
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Family:
    street: Annotated[str, Personal]
    town: str
    children: tuple[Child, ...] = ()
    by_name: Mapping[str, Child] = field(default_factory=dict)
    elder: Family | None = None


class Pair(NamedTuple):
    left: int
    right: int = 0


@dataclass(frozen=True)
class Holder:
    pair: Pair
    marks: tuple[str, ...]


@dataclass(frozen=True)
class Said:
    field: str
    value: Any


@dataclass(frozen=True)
class Talk:
    said: tuple[Said, ...]


class Named:
    """A cipher that shows by which call a field was sealed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def seal(self, text: str) -> bytes:
        return f"{self.name}:{text}".encode()

    def open(self, sealed: bytes) -> str:
        name, _, text = sealed.decode().partition(":")
        assert name == self.name
        return text


CIPHER = Marker()
ANI = Child("Ani", None)


def test_a_marked_field_is_sealed_wherever_it_stands() -> None:
    codec = Codecs(row(Child)).of(Family)
    state = Family(street="Jl. A", town="b", children=(ANI,), by_name={"x.y": ANI})
    child = [b"Ani", None, "red", ""]
    assert codec.encode(state, CIPHER) == {
        "street": b"Jl. A",
        "town": "b",
        "children": [child],
        "by_name": [["x.y", *child]],
        "elder": None,
    }


def test_a_class_may_hold_objects_of_its_own_kind() -> None:
    codec = Codecs(record(Family, seldom=("elder",))).of(Family)
    state = Family(street="a", town="b", elder=Family(street="c", town="d", children=(ANI,)))
    assert codec.decode(codec.encode(state, CIPHER), CIPHER) == state


def test_each_call_seals_with_its_own_cipher() -> None:
    codec = Codecs().of(Family)
    state = Family(street="a", town="b", children=(ANI,))
    for cipher in (Named("one"), Named("two")):
        body = codec.encode(state, cipher)
        assert body["street"] == f"{cipher.name}:a".encode()
        assert codec.decode(body, cipher) == state


def test_a_seldom_field_takes_space_only_when_it_differs_from_its_default() -> None:
    codec = Codecs(record(Family, seldom=("children", "by_name", "elder"))).of(Family)
    assert codec.encode(Family(street="a", town="b"), CIPHER) == {"street": b"a", "town": "b"}


def test_a_row_leaves_out_only_its_last_values() -> None:
    codec = Codecs(row(Child, seldom=("colour", "note"))).of(Family)
    state = Family(street="a", town="b", children=(ANI, Child("Budi", None, note="x")))
    body = codec.encode(state, CIPHER)
    assert body["children"] == [[b"Ani", None], [b"Budi", None, "red", "x"]]
    assert codec.decode(body, CIPHER) == state


@pytest.mark.parametrize("lacking", ["street", "town", "children"])
def test_a_missing_field_is_an_error_although_its_class_has_a_default(lacking: str) -> None:
    codec = Codecs(record(Family, later=("elder",))).of(Family)
    body = codec.encode(Family(street="a", town="b"), CIPHER)
    del body[lacking]
    with pytest.raises(KeyError, match=lacking):
        codec.decode(body, CIPHER)


def test_a_later_field_may_be_missing_and_is_always_written() -> None:
    codec = Codecs(row(Pair, later=("right",))).of(Holder)
    state = Holder(Pair(1), (Colour.RED,))
    assert codec.encode(state, CIPHER) == {"pair": [1, 0], "marks": ["red"]}
    assert codec.decode({"pair": [1], "marks": ["red"]}, CIPHER) == state


@pytest.mark.parametrize("stored", [[], [1, 2, 3]])
def test_a_row_of_another_length_is_an_error(stored: list[int]) -> None:
    with pytest.raises(ValueError, match="Pair"):
        Codecs(row(Pair, later=("right",))).of(Holder).decode({"pair": stored, "marks": []}, CIPHER)


def test_a_row_without_later_fields_must_be_whole() -> None:
    with pytest.raises(ValueError, match="Pair"):
        Codecs(row(Pair)).of(Holder).decode({"pair": [1], "marks": []}, CIPHER)


def test_values_are_read_as_they_were_stored() -> None:
    codec = Codecs().of(Said)
    assert codec.decode({"field": None, "value": 5}, CIPHER) == Said(None, 5)  # type: ignore[arg-type]  # an old document


def test_a_value_is_sealed_as_the_field_that_it_is_of() -> None:
    codec = Codecs(row(Said, typed_by=("value", "field", Family))).of(Talk)
    state = Talk((Said("street", "Jl. A"), Said("town", "b"), Said("status", "c"), Said("street", None)))
    body = codec.encode(state, CIPHER)
    assert body == {"said": [["street", b"Jl. A"], ["town", "b"], ["status", "c"], ["street", None]]}
    assert codec.decode(body, CIPHER) == state


def test_an_exact_codec_refuses_a_field_that_its_class_lacks() -> None:
    body = {"field": "a", "value": 1, "later": 2}
    assert Codecs().of(Said).decode(body, CIPHER) == Said("a", 1)
    with pytest.raises(ValueError, match="later"):
        Codecs(exact=True).of(Said).decode(body, CIPHER)


def test_a_field_that_may_be_missing_needs_a_default() -> None:
    with pytest.raises(TypeError, match=r"Said\.value"):
        Codecs(record(Said, later=("value",))).of(Said)


@pytest.mark.parametrize(
    "hint",
    [
        complex,
        Annotated[int, Personal],
        Annotated[Child, Personal],
        Mapping[Annotated[str, Personal], int],
        tuple[Annotated[str, Personal], str],
    ],
    ids=str,
)
def test_what_cannot_be_stored_or_sealed_is_refused_when_the_codec_is_made(hint: Any) -> None:
    with pytest.raises(TypeError):
        Codecs().of(make_dataclass("Odd", [("one", hint)]))


def test_a_list_of_personal_texts_is_sealed_one_by_one() -> None:
    names = make_dataclass("Names", [("names", tuple[Annotated[str, Personal], ...])])
    codec = Codecs().of(names)
    assert codec.encode(names(("Ani", "Budi")), CIPHER) == {"names": [b"Ani", b"Budi"]}
    assert codec.decode({"names": [b"Ani", b"Budi"]}, CIPHER) == names(("Ani", "Budi"))
