"""Forms: one change to a good form gives exactly these reasons; one line for each rule."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from services.registration.intake.domain.fields import Given
from services.registration.workers.domain import forms, rules, sources
from services.registration.workers.domain.state import WorkerForm
from shared.contracts.forms import Form
from shared.kernel.calendar import parse_date
from tests.property.registration_world import FORM, KEY, PERSONAL, REFERENCE

TODAY = date(2026, 2, 1)
ABSENT = object()


def with_change(field: str, value: Any, base: Any = FORM) -> dict[str, Any]:
    """A good form with one field changed or left out."""
    changed = {**base, field: value}
    if value is ABSENT:
        del changed[field]
    return changed


def problems(fields: Any, regency: str = "64.08", form: Form[Any, Given] = forms.REGISTRATION) -> list[str]:
    """Why a form is refused."""
    return list(form.read(fields, Given(regency, "dinsos", TODAY, REFERENCE)).reasons)


def form_of(fields: Any, regency: str = "64.08") -> WorkerForm:
    """What is kept of a registration form."""
    read = forms.REGISTRATION.read(fields, Given(regency, "dinsos", TODAY, REFERENCE))
    assert read.value is not None, read.reasons
    return read.value


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("submission_id", ABSENT, "field-missing:submission_id"),
        ("submission_id", " ", "field-missing:submission_id"),
        ("submission_id", 17, "field-invalid:submission_id"),
        ("nik", ABSENT, "field-missing:nik"),
        ("nik", None, "field-missing:nik"),
        ("nik", 6408044107850002, "nik-malformed"),
        ("nik", "640804410785000", "nik-malformed"),
        ("nik", "64080441078500021", "nik-malformed"),
        ("nik", "6408044107850000", "nik-malformed"),
        ("nik", "6.40E+15", "nik-malformed"),
        ("nik", "٦٤٠٨٠٤٤١٠٧٨٥٠٠٠٢", "nik-malformed"),
        ("nik", "6408040007850002", "nik-date-impossible"),
        ("nik", "6408043207850002", "nik-date-impossible"),
        ("nik", "6408047207850002", "nik-date-impossible"),
        ("nik", "6408044113850002", "nik-date-impossible"),
        ("nik", "6408043002850002", "nik-date-impossible"),
        ("name", ABSENT, "name-missing"),
        ("name", None, "name-missing"),
        ("name", "  ", "name-missing"),
        ("name", 5, "field-invalid:name"),
        ("birth_date", ABSENT, "field-missing:birth_date"),
        ("birth_date", "1985-02-30", "field-invalid:birth_date"),
        ("birth_date", "01/07/1985", "field-invalid:birth_date"),
        ("birth_date", "1985-W01-1", "field-invalid:birth_date"),
        ("birth_date", "19850701  ", "field-invalid:birth_date"),
        ("birth_date", 19850701, "field-invalid:birth_date"),
        ("birth_date", "2026-02-02", "field-invalid:birth_date"),
        ("sex", ABSENT, "field-missing:sex"),
        ("sex", "P", "field-invalid:sex"),
        ("sex", ["F"], "field-invalid:sex"),
        ("village", ABSENT, "field-missing:village"),
        ("village", "64.08.99.2001", "village-unknown"),
        ("village", "6404010001", "village-unknown"),
        ("village", "64.08.04", "village-unknown"),
        ("village", "64.02.01.2001", "village-outside"),
        ("village", 64, "field-invalid:village"),
        ("sector", ABSENT, "field-missing:sector"),
        ("sector", "mining", "sector-unknown"),
        ("sector", [], "field-invalid:sector"),
        ("occupation", "", "field-missing:occupation"),
        ("occupation", {}, "field-invalid:occupation"),
        ("monthly_income", -1, "field-invalid:monthly_income"),
        ("monthly_income", "1.000.000", "field-invalid:monthly_income"),
        ("monthly_income", 1000000.5, "field-invalid:monthly_income"),
        ("monthly_income", True, "field-invalid:monthly_income"),
        ("monthly_income", 2**63, "field-invalid:monthly_income"),
        ("consent", ABSENT, "consent-missing"),
        ("consent", None, "consent-missing"),
        ("consent", {}, "consent-missing"),
        ("consent", False, "consent-missing"),
        ("consent", {"given_at": ""}, "consent-missing"),
        ("consent", "2026-01-04", "field-invalid:consent"),
        ("consent", {"given_at": "4 Jan"}, "field-invalid:consent"),
        ("consent", {"given_at": "2026-02-02"}, "field-invalid:consent"),
        ("phone", 62812, "field-invalid:phone"),
        ("address", ["RT 003"], "field-invalid:address"),
        ("heir", "Rahmat", "field-invalid:heir"),
        ("heir", {"relation": "spouse"}, "field-invalid:heir"),
        ("heir", {"name": 5}, "field-invalid:heir"),
        ("name", "SITI 6408054107850001", "field-invalid:name"),
        ("name", "6408 0541 0785 0001", "field-invalid:name"),
        ("name", "SITI (0812-3456-7890)", "field-invalid:name"),
        ("name", "...", "field-invalid:name"),
        ("name", "12345", "field-invalid:name"),
        ("mother_name", "HALIMAH 640805410785", "field-invalid:mother_name"),
        ("heir", {"name": "RAHMAT 081234567890"}, "field-invalid:heir"),
    ],
)
def test_one_wrong_field_gives_its_one_reason(field: str, value: Any, expected: str) -> None:
    assert problems(with_change(field, value)) == [expected]


@pytest.mark.parametrize("name", ["ANDI 2", "H. ANDI, S.Pd.", "NUR'AINI", "M 12", "DG. 12345", "D", "ÉMILE", "李明"])
def test_a_name_may_have_a_short_number(name: str) -> None:
    assert problems({**with_change("name", name), "mother_name": name, "heir": {"name": name}}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_income", None),
        ("monthly_income", ""),
        ("monthly_income", 0),
        ("phone", None),
        ("phone", ""),
        ("heir", None),
        ("heir", ""),
        ("heir", {"name": "", "relation": "", "phone": None}),
        ("birth_date", "2026-01-04"),
        ("nik", "3201044107850002"),
        ("nik", "6408042902000001"),
        ("favourite_colour", 5),
    ],
)
def test_optional_and_differing_parts_are_accepted(field: str, value: Any) -> None:
    assert problems(with_change(field, value)) == []


def test_every_reason_that_holds_is_given_in_the_order_of_the_fields() -> None:
    assert problems({}) == [
        "field-missing:submission_id",
        "field-missing:nik",
        "name-missing",
        "field-missing:birth_date",
        "field-missing:sex",
        "field-missing:village",
        "field-missing:sector",
        "field-missing:occupation",
        "consent-missing",
    ]
    assert problems({**FORM, "consent": None, "nik": "x", "village": "x", "phone": 1}) == [
        "nik-malformed",
        "village-unknown",
        "consent-missing",
        "field-invalid:phone",
    ]


def test_a_moved_village_is_resolved_before_it_is_judged() -> None:
    moved = with_change("village", "64.02.08.2001")
    assert problems(moved, "64.02") == []
    assert problems(moved) == ["village-outside"]
    form = form_of(moved, "64.02")
    assert (form.village, form.district) == ("64.02.19.2001", "64.02.19")


def test_a_form_is_kept_without_outer_blanks_and_with_the_default_income() -> None:
    form = form_of({**FORM, **PERSONAL, "name": " SITI AMINAH ", "phone": " "})
    assert (form.name, form.phone, form.monthly_income) == ("SITI AMINAH", None, 1_000_000)
    assert form.heir is not None
    assert form.heir.name == "Rahmat Hidayat"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ()),
        ({"nik": "3201044107850002"}, ()),
        ({"birth_date": "1985-07-02"}, ("birth-date-mismatch",)),
        ({"sex": "M"}, ("sex-mismatch",)),
        ({"sex": "M", "birth_date": "1984-07-01"}, ("birth-date-mismatch", "sex-mismatch")),
        # A NIK does not contain the century: 1925 and 2025 look alike.
        ({"nik": "6408044107250002", "birth_date": "1925-07-01"}, ()),
    ],
)
def test_digits_of_the_nik_that_differ_warn_and_never_refuse(changes: dict[str, Any], expected: tuple[str]) -> None:
    fields = {**FORM, **changes}
    assert rules.form_warnings(form_of(fields)) == expected


BASE = {"submission_id": "S", "nik": FORM["nik"]}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"phone": "0812"}, []),
        ({"name": None, "sector": ""}, []),
        ({"nik": None}, ["field-missing:nik"]),
        ({"sector": "mining", "name": 5}, ["field-invalid:name", "sector-unknown"]),
        ({"village": "64.02.01.2001"}, ["village-outside"]),
        ({"birth_date": "2030-01-01", "phone": 1}, ["field-invalid:birth_date", "field-invalid:phone"]),
        ({"monthly_income": "x"}, ["field-invalid:monthly_income"]),
        ({"heir": 1}, ["field-invalid:heir"]),
    ],
)  # fmt: skip
def test_an_update_is_judged_by_the_fields_it_names(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems({**BASE, **changes}, form=forms.UPDATE) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reason": "moved", "date": "2026-02-01"}, []),
        ({"reason": "moved", "date": "2026-06-30"}, []),
        ({"reason": "deceased", "date": "2026-02-01"}, []),
        ({"reason": "deceased", "date": "2026-12-31"}, ["field-invalid:date"]),
        ({"reason": "other", "date": "9999-12-31"}, ["field-invalid:date"]),
        ({}, ["field-missing:reason", "field-missing:date"]),
        ({"reason": "tired", "date": "tomorrow"}, ["field-invalid:reason", "field-invalid:date"]),
        ({"reason": ["moved"], "date": 2026}, ["field-invalid:reason", "field-invalid:date"]),
    ],
)
def test_a_withdrawal_names_its_reason_and_its_date(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems({**BASE, **changes}, form=forms.WITHDRAWAL) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sector": "trade", "occupation": "pedagang", "attested_on": "2026-02-01"}, []),
        ({}, ["field-missing:sector", "field-missing:occupation", "field-missing:attested_on"]),
        (
            {"sector": [], "occupation": 5, "attested_on": "2026-02-02"},
            ["field-invalid:sector", "field-invalid:occupation", "field-invalid:attested_on"],
        ),
        ({"sector": "mining", "occupation": "x", "attested_on": "2026-01-01"}, ["sector-unknown"]),
    ],
)
def test_an_attestation_names_sector_occupation_and_day(changes: dict[str, Any], expected: list[str]) -> None:
    assert problems({**BASE, **changes}, form=forms.ATTESTATION) == expected


@pytest.mark.parametrize("field", ["name", "birth_date", "village", "sector", "occupation", "monthly_income", "phone"])
def test_the_fingerprint_tells_forms_apart_but_not_by_their_consent(field: str) -> None:
    form = form_of({**FORM, **PERSONAL})
    other = {"birth_date": "1985-07-02", "village": "64.08.04.2011", "sector": "trade", "monthly_income": 2_000_000}
    changed = form_of({**FORM, **PERSONAL, field: other.get(field, "LAIN")})
    renewed = form_of({**FORM, **PERSONAL, "consent": {"given_at": "2026-01-05"}})
    assert forms.fingerprint(form, KEY) != forms.fingerprint(changed, KEY)
    assert forms.fingerprint(form, KEY) == forms.fingerprint(renewed, KEY)
    assert forms.fingerprint(form, KEY) != forms.fingerprint(form, bytes(32))
    assert rules.same_but_consent(form, renewed)
    assert not rules.same_but_consent(form, changed)


@pytest.mark.parametrize(
    ("changes", "stored"),
    [
        ({}, "2f3217fa9dd6c962b9b9de6add6b1dbe"),
        (dict.fromkeys(PERSONAL), "430bbb48dc43ff9c9574d569b93bc765"),
        ({"name": " SITI AMINAH ", "phone": " ", "birth_place": " Sangatta "}, "7e900344804ceaaecd12270da0b51634"),
        ({**dict.fromkeys(PERSONAL), "heir": {"name": "Rahmat"}}, "527e3d319c554df540b9912c6471ad98"),
        (
            {"village": "64.02.08.2001", "monthly_income": 2_500_000, "family_card": "6408041234567890"},
            "8d09e0569d7a290110c40fb4c7c08a3f",
        ),
    ],
)
def test_a_fingerprint_stays_as_it_was_stored(changes: dict[str, Any], stored: str) -> None:
    # Recorded from earlier versions: with another value, every form that is sent again would count as changed.
    form = form_of({**FORM, **PERSONAL, **changes}, "64.02" if "village" in changes else "64.08")
    assert forms.fingerprint(form, KEY) == stored


def test_an_update_may_name_every_field_that_sources_differ_on() -> None:
    named = {**FORM, **PERSONAL, "monthly_income": 5, "family_card": "6408"}
    read = forms.UPDATE.read(named, Given("64.08", "dinsos", TODAY, REFERENCE))
    assert read.value is not None
    # Warnings name, in this order, the fields for which another agency's value is in force.
    assert list(read.value) == [
        "name",
        "birth_place",
        "birth_date",
        "sex",
        "mother_name",
        "phone",
        "address",
        "family_card",
        "village",
        "district",
        "sector",
        "occupation",
        "monthly_income",
        "heir",
    ]
    assert set(read.value) == {*sources.FIELDS, "district"}


def test_only_year_month_day_is_a_date() -> None:
    assert parse_date("2026-02-28") == date(2026, 2, 28)
    assert [parse_date(text) for text in ("2026-W01-1", "20260228  ", "2026-2-28", "2026-02-30", None)] == [None] * 5
