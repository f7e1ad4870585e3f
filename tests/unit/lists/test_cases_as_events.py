"""Files that real offices sent (tests/cases), sent by a program instead: each cell verbatim as the field of an event.

A program that sends events is judged by the contract's formats: a NIK of 16 digits, an ISO day, F or M. So a cell leads
to the value that the list reader takes from it, or to a refusal that names the field and says what to write. It never
gives another value, and a wrong field never makes a dead letter.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import pytest

from services.registration.domain import decide
from services.registration.intake.domain.state import RefusedSubmission
from services.registration.workers.domain.commands import RegistrationForm
from shared.contracts import envelope, topics
from shared.contracts.catalogue import COMMANDS
from shared.contracts.envelope import Unreadable
from shared.contracts.reasons import field_of, message
from shared.lists import Row, open_list
from shared.lists.columns import LAYOUTS, Column, match
from shared.runtime import clock
from tests.property.registration_world import REFERENCE
from tests.unit.lists.test_cases_of_offices import CASES, EXPECTED

INTAKE = topics.registration_intake("64.08", "dinsos")
GOOD: Mapping[str, Any] = {
    "submission_id": "1",
    "nik": "6408044107850002",
    "name": "SITI AMINAH",
    "birth_date": "1985-07-01",
    "sex": "F",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "occupation": "nelayan",
    "heir": {"name": "RAHMAT"},
    "consent": {"given_at": "2026-01-04", "method": "form"},
}
Cell = tuple[tuple[str, ...], str, str]


def judged(data: Mapping[str, Any]) -> RefusedSubmission | RegistrationForm:
    """What registration makes of an event's data; raises Unreadable where it would be a dead letter."""
    one = {
        "specversion": "1.0",
        "id": "program-1",
        "source": "agency/64.08/dinsos",
        "type": "worker.register.v1",
        "data": data,
    }
    event = envelope.read(orjson.dumps(one), (), INTAKE, int(clock.now().timestamp() * 1000), COMMANDS["registration"])
    assert event is not None
    (routed,) = decide.route(event, REFERENCE)
    assert isinstance(routed.data, RefusedSubmission | RegistrationForm)
    return routed.data


def put(data: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """The same data with another value at this path; None removes the value."""
    made = copy.deepcopy(dict(data))
    inside = made
    for step in path[:-1]:
        inside = inside.setdefault(step, {})
    inside.pop(path[-1], None)
    if value is not None:
        inside[path[-1]] = value
    return made


def at(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """The value at this path, None when there is none."""
    inside: Any = data
    for step in path:
        inside = inside.get(step) if isinstance(inside, Mapping) else None
    return inside


def columns(row: Row) -> Iterator[tuple[Column, str]]:
    """The columns of a row that the reader uses, each with its cell as it is in the file."""
    for column, cell in zip(match(row.header, LAYOUTS["workers"]).columns, row.cells, strict=True):
        if column is not None:
            yield column, cell


def verbatim(row: Row) -> dict[str, Any]:
    """A row as a program would send it that copies each cell."""
    data: dict[str, Any] = {"submission_id": row.name}
    for column, cell in columns(row):
        data = put(data, column.path, cell)
    return data


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_a_row_sent_verbatim_is_the_same_worker_or_refused(case: str) -> None:
    for row, reasons in zip(open_list(CASES / case, "workers").rows(), EXPECTED[case], strict=True):
        if reasons == ("field-invalid:too-large",):
            # Over the limit of every event, so it is a dead letter (docs/contracts.md#dead-letter-or-refusal).
            with pytest.raises(Unreadable):
                judged(verbatim(row))
            continue
        found = judged(verbatim(row))
        if isinstance(found, RegistrationForm):
            ours = judged(row.sent)
            assert isinstance(ours, RegistrationForm), f"row {row.number} is refused in a list and taken from a program"
            assert found.form == ours.form, f"row {row.number}"
        else:
            assert all(field_of(reason) for reason in found.reasons), found.reasons


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_a_cell_sent_verbatim_means_the_same_or_its_field_is_refused(case: str) -> None:
    for row in open_list(CASES / case, "workers").rows():
        if row.problems:
            # The reader refuses such a row as a whole, so there are no values to compare.
            continue
        for column, cell in columns(row):
            # A kecamatan only says which village is meant.
            base = put(GOOD, ("district",), at(verbatim(row), ("district",))) if column.name == "village" else GOOD
            if len(cell) <= envelope.STRING_CHARACTERS_MAX:
                holds(put(base, column.path, cell), put(base, column.path, at(row.data, column.path)), column)


def holds(raw: Mapping[str, Any], read: Mapping[str, Any], column: Column) -> None:
    """The law for one field: `raw` as a program sends it, `read` as the list reader does."""
    found, wanted = judged(raw), judged(read)
    if isinstance(found, RegistrationForm):
        assert isinstance(wanted, RegistrationForm), f"{column.name} is refused in a list only: {wanted}"
        assert found.form == wanted.form, column.name
        return
    assert {field_of(reason).split(".")[0] for reason in found.reasons} == {column.path[0]}
    for reason in found.reasons:
        assert says_what_to_do(message(reason)), reason


def says_what_to_do(text: str) -> bool:
    """Whether a refusal ends with what to write, and not only with `correct it`."""
    return any(word in text for word in ("isi ", "isi.", "tulis ", "pilih ", "pakai ", "harus ", "periksa "))


def test_the_reason_for_a_grouped_nik_names_the_marks() -> None:
    found = judged({**GOOD, "nik": "6408.0441.0785.0002"})
    assert isinstance(found, RefusedSubmission)
    assert found.reasons == ("nik-malformed",)
    assert "titik, spasi" in message("nik-malformed")
    assert "dots, blanks" in message("nik-malformed", "en")
