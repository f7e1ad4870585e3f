"""Suspects: spellings of one name, traits that make two forms one person, and a lower bound of hits on a prepared
register.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.suspects import corpus, measure
from services.registration.suspects.domain import likeness
from services.registration.suspects.domain.likeness import Traits, Weights
from services.registration.suspects.domain.naming import OTHER, PART, alike, fold

ONE = Traits(
    key="a",
    nik="6408040107850002",
    name=fold("MUHAMMAD YUSUF"),
    born="1985-07-01",
    sex="M",
    village="64.08.04.2001",
    regency="64.08",
)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Muhammad Yusuf", "MUH. YUSUP"),
        ("Moh Ali", "Mochamad Ali"),
        ("M. Ali", "MOHAMMAD ALI"),
        ("Soeharto", "SUHARTO"),
        ("Djoko Soesilo", "Joko Susilo"),
        ("Joesoef", "Yusuf"),
        ("Tjokro", "Cokro"),
        ("H. Abdurrahman", "ABDUL RAHMAN"),
        ("Abdussalam", "Abd. Salam"),
        ("ST. AMINAH", "Sitti Amina"),
        ("Nur'aini", "NUR AINI"),
        ("Achmad Fauzi", "AHMAD PAUZI"),
        ("Hj. Aisyah, S.Pd", "AISAH"),
        ("Siti Rahmah binti Saleh", "SITI RAHMAH SALEH"),
        ("Rahman Ali", "Ali Rahman"),
    ],
)
def test_spellings_of_one_name_fold_to_one(name: str, other: str) -> None:
    assert alike(fold(name), fold(other)) == 1.0


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("MUHAMMAD HASAN", "MUHAMMAD HUSEIN"),
        ("HAIRUL FIRMANSYAH", "HAIRUL LESTARI"),
        ("LAPANDI KASIM SANTOSO", "LAPANDI JAMAL"),
        ("SITI", "SRI"),
        ("ABDULLAH", "ABDUL LATIF"),
        ("SITI 1", "SITI 2"),
        ("PEKERJA 1", "PEKERJA 11"),
        ("EKO PRASETYO", "DWI PRASETYO"),
        ("BUDI PRATAMA", "SRI PRATAMA"),
        ("BUDI", ""),
    ],
)
def test_names_of_two_people_stay_two(name: str, other: str) -> None:
    assert alike(fold(name), fold(other)) <= max(OTHER, 0.6)


def test_a_name_written_shorter_is_alike_by_a_part() -> None:
    assert alike(fold("SUPARDI"), fold("SUPARDI JAYA")) == PART
    assert alike(fold("AHMAD F."), fold("AHMAD FAUZI")) < PART
    assert alike(fold("RUSLI F."), fold("RUSLI FAUZI")) == PART


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"nik": "6402062203850011", "name": fold("MOH. YUSUP")}, ("birth-date-same", "village-same", "name-same")),
        ({"nik": "6408040107850009", "born": "1985-01-07"}, ("birth-date-swapped", "nik-one-digit", "village-same")),
        ({"nik": "6408040107860002", "village": "64.08.01.2001"}, ("birth-date-same", "nik-one-digit", "name-same")),
        ({"nik": "6408120107850044", "born": "1985-07-11", "mother": fold("HALIMAH")}, ("mother-alike",)),
    ],
)
def test_one_person_under_two_niks_is_found_with_its_reasons(
    changes: dict[str, object], reasons: tuple[str, ...]
) -> None:
    one = replace(ONE, mother=fold("HALIMAH")) if "mother" in changes else ONE
    (match,) = likeness.find([one, replace(one, key="b", **changes)])  # type: ignore[arg-type]  # fields of Traits by name
    assert set(reasons) <= set(match.reasons)
    assert (match.first.key, match.second.key) == ("a", "b")
    assert 50 <= match.score <= 100


@pytest.mark.parametrize(
    "other",
    [
        replace(ONE, key="b", nik="6408040107850003", name=fold("MUHAMMAD HUSEIN"), mother=fold("HALIMAH")),
        replace(ONE, key="b", nik="6408041503600001", born="1960-03-15"),
        replace(ONE, key="b", nik="6408040107850003", name=fold("RUSLI")),
    ],
    ids=["twin", "namesake", "born the same day"],
)
def test_people_with_common_traits_are_no_suspects(other: Traits) -> None:
    assert likeness.find([replace(ONE, mother=fold("HALIMAH")), other]) == []


def test_common_traits_weigh_less() -> None:
    many = [replace(ONE, key=str(n), name=fold("BUDI")) for n in range(5000)]
    weights = Weights([*many, ONE])
    assert weights.name(fold("BUDI"), fold("BUDI")) < 3 < weights.name(ONE.name, ONE.name)


def test_a_default_that_many_share_is_not_compared_all_with_all() -> None:
    crowd = [replace(ONE, key=f"{n:04d}", nik=f"64080401018500{n % 100:02d}", phone="812") for n in range(3000)]
    assert len(list(likeness._candidates(crowd))) < 3000 * 10 * likeness.WINDOW


def test_the_required_score_holds_on_a_planted_register() -> None:
    precision, recall, _, _ = measure(corpus(seed=11, workers=20_000))
    assert precision >= 0.95, precision
    assert recall >= 0.90, recall
