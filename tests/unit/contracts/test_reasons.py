"""Every reason code has its texts in both languages."""

from __future__ import annotations

import pytest

from shared.contracts.catalogue import DECISIONS
from shared.contracts.field_hints import HINTS
from shared.contracts.intake_schemas import SCHEMAS, RosterLine
from shared.contracts.reasons import COLUMNS_ID, Reason, message, messages
from shared.lists.columns import LAYOUTS, ListKind

# The codes that outsiders may rely on, written a second time.
CLOSED_LIST = [
    "nik-malformed",
    "nik-date-impossible",
    "birth-date-mismatch",
    "sex-mismatch",
    "village-unknown",
    "village-outside",
    "sector-unknown",
    "name-missing",
    "consent-missing",
    "field-missing",
    "field-invalid",
    "too-young",
    "too-old",
    "already-registered",
    "registered-elsewhere",
    "not-registered",
    "not-found",
    "deceased",
    "duplicate-identity",
    "inactive-identity",
    "name-mismatch",
    "attestation-missing",
    "wage-earner",
    "state-employee",
    "source-unavailable",
    "budget-missing",
    "budget-exhausted",
    "budget-below-committed",
    "already-billed",
    "invoice-unknown",
    "amount-differs",
    "already-paid",
    "not-covered",
    "awaiting-premium",
    "claim-expired",
    "documents-missing",
    "qualifying-period",
    "duplicate-claim",
    "not-eligible",
    "conflicting-duplicate",
]


def test_the_list_holds_every_code_of_the_contract() -> None:
    assert set(CLOSED_LIST) <= {reason.value for reason in Reason}


@pytest.mark.parametrize("reason", list(Reason))
def test_each_code_has_a_text_in_both_languages(reason: Reason) -> None:
    indonesian, english = message(reason, "id"), message(reason, "en")
    assert indonesian.endswith(".")
    assert english.endswith(".")
    assert indonesian != english
    assert reason.value not in indonesian


def test_fields_are_named_as_the_columns_are() -> None:
    assert "tanggal_lahir" in message("field-missing:birth_date", "id")
    assert "birth_date" in message("field-missing:birth_date", "en")
    assert "penghasilan" in message("field-invalid:monthly_income")
    assert "ahli_waris" in message("field-invalid:heir.name")


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_every_field_of_a_list_is_named_in_indonesian(kind: ListKind) -> None:
    # The fields that a service may report as missing or invalid: those of the events and of a roster's lines.
    schema = SCHEMAS[LAYOUTS[kind].type]
    fields = {*schema.model_fields, *(RosterLine.model_fields if kind == "roster" else ())}
    assert sorted(name for name in fields if name not in COLUMNS_ID) == []
    # A list must be able to carry every optional date; otherwise an agency could not report it.
    fields -= {"agency", "officer"} if LAYOUTS[kind].type in DECISIONS else set()  # added by the way in: the sender
    carried = {step for column in LAYOUTS[kind].columns for step in column.path}
    assert sorted(name for name in fields if name not in carried) == []


def test_the_message_for_an_invalid_field_says_what_to_write() -> None:
    assert "isi L (laki-laki) atau P (perempuan)" in message("field-invalid:sex")
    assert "for example 01/07/1985" in message("field-invalid:birth_date", "en")
    assert message("field-invalid:heir.name").startswith(
        "Isi kolom ahli_waris tidak dapat dipakai; isi nama ahli waris"
    )
    assert message("field-invalid:occupation").startswith("Isi kolom pekerjaan tidak dapat dipakai; tulis ulang")
    assert message("field-invalid:contract_no") == "Isi kolom no_kontrak tidak dapat dipakai; perbaiki."
    # The field must be in a list or in billing's commands; otherwise its hint would never be shown.
    carried = {step for layout in LAYOUTS.values() for column in layout.columns for step in column.path}
    assert sorted(set(HINTS) - carried) == ["due_date", "paid_on", "too-large"]


def test_an_unknown_code_is_its_own_message() -> None:
    assert message("something-new", "en") == "something-new"


def test_messages_have_no_repetitions() -> None:
    assert messages(["too-old", "too-old"], "en") == message("too-old", "en")
    assert messages(()) == ""
