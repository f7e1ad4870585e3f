"""Names that outsiders chose, as they appear on open topics."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts import tokens
from shared.reference import occupations

KEY, OTHER_KEY = b"k" * 32, b"o" * 32
AGENCY = "agency/64.08/dinsos"


@pytest.mark.parametrize(
    "name",
    [
        str(uuid.UUID(int=7, version=4)),
        str(uuid.uuid5(uuid.NAMESPACE_URL, "x")),
        "e1",
        "SUB-000123",
        "run-2026-11",
        "17",
    ],
)
def test_a_code_that_cannot_be_a_name_is_shown_as_it_is(name: str) -> None:
    assert tokens.shown(AGENCY, name, KEY) == name


@pytest.mark.parametrize(
    "name",
    [
        "SITI AMINAH",
        "siti-aminah-1",
        "Budi",
        "081234567890",
        "0812-3456-7890",
        "6408044107850002",
        "6408 0441 0785 0002",
        "64080441-0785-0002-0000-000000000000",
        "row/6408044107850002",
        "ani-eko",
        "é",
        "\x00",
        "x" * 4_000,
    ],
)
def test_a_possible_name_is_replaced_by_its_key(name: str) -> None:
    shown = tokens.shown(AGENCY, name, KEY)
    assert shown == tokens.shown(AGENCY, name, KEY) != name
    assert shown not in (tokens.shown(AGENCY, name, OTHER_KEY), tokens.shown("agency/64.02/dinsos", name, KEY))
    # A token may be shown unchanged: the next service that repeats it does not hash it again.
    assert tokens.shown(AGENCY, shown, KEY) == shown


@given(st.text(min_size=5, alphabet=st.characters(categories=["L", "Z"])))
def test_no_word_of_five_or_more_letters_is_shown(name: str) -> None:
    shown = tokens.shown(AGENCY, name, KEY)
    assert shown != name or set(tokens._BETWEEN.split(name)) <= tokens._WORDS


@pytest.mark.parametrize(
    ("text", "is_number"),
    [
        ("KLM-001/2026", True),
        ("027/PK/XI.2026", True),
        ("SK-12/2026", True),
        ("SK Bupati 12", False),
        ("KLM", False),
        ("6408044107850002", False),
        ("6408.0441.0785.0002", False),
        ("KLM-0812-3456-7890", False),
        ("+6281234567890", False),
        ("", False),
    ],
)
def test_a_number_is_letters_digits_and_marks(text: str, is_number: bool) -> None:
    assert tokens.is_number(text) is is_number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("nelayan", "nelayan"),
        ("  NELAYAN ", "nelayan"),
        ("Petani padi", "petani"),
        ("Ojek Online", "ojol"),
        ("pelaku UMKM", "pelaku-umkm"),
        ("nelayan (Siti, 0812345678)", "other"),
        ("astronaut", "other"),
        ("", "other"),
    ],
)
def test_an_occupation_is_a_code_of_the_shipped_list(text: str, code: str) -> None:
    assert occupations.code_of(text) == code
    assert code in occupations.known()


def test_the_list_knows_what_the_programme_names() -> None:
    named = (
        "petani, buruh tani, nelayan, pembudidaya tambak, peternak, pedagang kaki lima, pedagang kecil, pelaku UMKM, "
        "industri rumahan, buruh harian lepas, tukang bangunan, tukang kebun, ojek, ojol, tukang parkir, "
        "buruh pelabuhan, tukang urut, guru les, pemulung, pemuka agama, marbot"
    )
    assert [one for one in named.split(", ") if occupations.code_of(one) == "other"] == []
