"""Writes one worker in the columns of an edition of BPJS's file. Pure: the edition is data, this gives the values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from services.registration.participants.domain.state import Bill, Participant
from services.registration.workers.domain.state import WorkerForm
from shared.contracts.forms import missing
from shared.kernel.calendar import first_day, parse_date, shift_period
from shared.kernel.values import value
from shared.reference import occupations
from shared.reference.areas import Areas
from shared.reference.bpjs_files import Edition, Held

# `RT 3`, `RT.003`, `RT003/RW 01`: the first number after the word.
_RT = re.compile(r"\bRT\W{0,3}(\d{1,3})", re.IGNORECASE)
_RW = re.compile(r"\bRW\W{0,3}(\d{1,3})", re.IGNORECASE)


@value(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What is the same for every row of a file: its edition, the invoice, the decree, and the names of areas."""

    edition: Edition
    bill: Bill
    decree: str
    areas: Areas

    def row(self, participant: Participant, form: WorkerForm) -> tuple[str, ...]:
        """The cells of a worker, in the order of the edition's columns."""
        return tuple(_VALUES[column.holds](self, participant, form) for column in self.edition.columns)

    def lacking(self, row: tuple[str, ...]) -> tuple[str, ...]:
        """The reasons why a row cannot be in the file: its required columns that are empty."""
        pairs = zip(self.edition.columns, row, strict=True)
        return tuple(missing(column.name) for column, cell in pairs if column.required and not cell)


_Value = Callable[[Sheet, Participant, WorkerForm], str]


def _day(sheet: Sheet, text: str) -> str:
    day = parse_date(text)
    return sheet.edition.day(day) if day is not None else ""


def _village(sheet: Sheet, code: str) -> str:
    village = sheet.areas.village(code)
    return village.name if village is not None else ""


def _number_after(pattern: re.Pattern[str], address: str | None) -> str:
    found = pattern.search(address or "")
    return found[1].zfill(3) if found else ""


def _phone(text: str | None) -> str:
    """A telephone as people in the country dial it: 0812..."""
    return "0" + text.removeprefix("+62") if text and text.startswith("+62") else text or ""


def _occupation(text: str) -> str:
    """The name of a known occupation, else the agency's own word."""
    known = occupations.known().get(occupations.code_of(text))
    return known.name if known is not None else text


def _heir(sheet: Sheet, form: WorkerForm, name: Held) -> str:
    heir = form.heir
    if heir is None:
        return ""
    if name == "heir_relation":
        return sheet.edition.word(name, heir.relation) if heir.relation else ""
    return heir.name if name == "heir_name" else _phone(heir.phone)


_VALUES: Mapping[Held, _Value] = {
    "": lambda sheet, one, form: "",
    "nik": lambda sheet, one, form: form.nik,
    "name": lambda sheet, one, form: form.name,
    "birth_place": lambda sheet, one, form: form.birth_place or "",
    "birth_date": lambda sheet, one, form: _day(sheet, form.birth_date),
    "sex": lambda sheet, one, form: sheet.edition.word("sex", form.sex),
    "mother_name": lambda sheet, one, form: form.mother_name or "",
    "address": lambda sheet, one, form: form.address or "",
    "rt": lambda sheet, one, form: _number_after(_RT, form.address),
    "rw": lambda sheet, one, form: _number_after(_RW, form.address),
    "village_code": lambda sheet, one, form: form.village,
    "village_name": lambda sheet, one, form: _village(sheet, form.village),
    "district_name": lambda sheet, one, form: sheet.areas.name(form.district) or "",
    "phone": lambda sheet, one, form: _phone(form.phone),
    "occupation": lambda sheet, one, form: _occupation(form.occupation),
    "income": lambda sheet, one, form: str(one.income_base),
    "programmes": lambda sheet, one, form: "+".join(sheet.bill.programmes),
    "heir_name": lambda sheet, one, form: _heir(sheet, form, "heir_name"),
    "heir_relation": lambda sheet, one, form: _heir(sheet, form, "heir_relation"),
    "heir_phone": lambda sheet, one, form: _heir(sheet, form, "heir_phone"),
    "decree": lambda sheet, one, form: sheet.decree,
    "period_start": lambda sheet, one, form: sheet.edition.day(first_day(sheet.bill.period)),
    "period_end": lambda sheet, one, form: sheet.edition.day(
        first_day(shift_period(sheet.bill.period, 1)) - timedelta(days=1)
    ),
}
