"""Raw events over Kafka or HTTP: the plain meaning of their fields, and the fields that are refused because their
meaning is not certain.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.compliance.domain.rosters import RosterReport as RosterReport
from services.registration.domain import decide
from services.registration.intake.domain.state import RefusedSubmission
from shared.contracts import envelope, topics
from shared.contracts.registration import COMMANDS
from shared.kernel.calendar import business_day
from shared.kernel.event import Event
from tests.property.registration_world import AT, FORM, PERSONAL, REFERENCE

INTAKE = topics.registration_intake("64.08", "dinsos")
WHOLE: Mapping[str, Any] = {**FORM, **PERSONAL}
PROJECT: Mapping[str, Any] = {
    "submission_id": "P",
    "project_no": "P-1",
    "contractor": "CV Maju",
    "contract_value": 5_000_000,
    "starts_on": "2026-02-01",
    "ends_on": "2026-03-01",
    "village": "64.08.04.2001",
}


def read(kind: str, data: Any, source: str = "agency/64.08/dinsos", **attributes: Any) -> Event:
    """Reads a record as the shell does."""
    one = {"specversion": "1.0", "id": "e1", "source": source, "type": kind, "data": data, **attributes}
    regency, agency = source.split("/")[1:]
    topic = topics.registration_intake(regency, agency)
    event = envelope.read(
        orjson.dumps(one), (), topic, int(AT.timestamp() * 1000), COMMANDS, hashed=lambda content: content.hex()
    )
    assert event is not None
    return event


def routed(kind: str, data: Any, source: str = "agency/64.08/dinsos") -> Any:
    (one,) = decide.route(read(kind, data, source), REFERENCE)
    return one.data


def reasons(kind: str, data: Any, source: str = "agency/64.08/dinsos") -> list[str]:
    part = routed(kind, data, source)
    return list(part.reasons) if isinstance(part, RefusedSubmission) else []


def register(**changes: Any) -> list[str]:
    return reasons("worker.register.v1", {**WHOLE, **changes})


ZONES = st.integers(-12, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@given(st.datetimes(datetime(1950, 1, 2), datetime(2005, 1, 1), timezones=ZONES))  # noqa: DTZ001
def test_every_day_of_every_command_is_the_day_in_wita(at: datetime) -> None:
    text, day = at.isoformat(), business_day(at).isoformat()
    form = routed("worker.register.v1", {**FORM, "birth_date": text, "consent": {"given_at": text}}).form
    assert (form.birth_date, form.consent_on) == (day, day)
    assert routed("worker.update.v1", {"submission_id": "U", "nik": FORM["nik"], "birth_date": text}).changes == {
        "birth_date": day
    }
    left = {"submission_id": "W", "nik": FORM["nik"], "reason": "moved", "date": text}
    assert routed("worker.withdraw.v1", left).effective_on == day
    word = {"submission_id": "A", "nik": FORM["nik"], "sector": "trade", "occupation": "x", "attested_on": text}
    assert routed("worker.attest.v1", word).attested_on == day
    names = ("started_on", "contract_ends_on", "registered_with_bpjs_on")
    roster = {"submission_id": "R", "employer_id": "NPP-1", "employer_name": "CV", "workers": [
        {"nik": FORM["nik"], **dict.fromkeys(names, text)}]}  # fmt: skip
    report = routed("employer.report-workers.v1", roster)
    assert isinstance(report, RosterReport)
    (line,) = report.lines
    assert not isinstance(line, tuple)
    assert (line.started_on, line.contract_ends_on, line.registered_on) == (day, day, day)
    terms = routed("project.register.v1", {**PROJECT, "starts_on": text, "ends_on": text}).terms
    assert (terms.starts_on, terms.ends_on) == (day, day)
    met = {"submission_id": "M", "meeting_id": "M-1", "held_on": text, "village": FORM["village"],
           "sector": "trade", "attendees": 4, "agency": "dinsos"}  # fmt: skip
    assert routed("outreach.report.v1", met).meeting.held_on == day
    put_up = {"submission_id": "S", "sticker_no": "6408-7F3KQ-9M2XA", "installed_on": text, "by": "Rina"}
    part = routed("sticker.install.v1", put_up)
    assert isinstance(part, RefusedSubmission) or part.installed_on == day


def test_a_local_time_is_its_day() -> None:
    form = routed("worker.register.v1", {**FORM, "birth_date": "1985-07-01T00:00:00"}).form
    assert form.birth_date == "1985-07-01"


NO = ("tidak setuju", "belum", "menolak", False, 0, "0", "false", "Tidak")
YES = (True, 1, "ya", "setuju")
EMPTY = (None, "", " ", "-")
ODD: tuple[Any, ...] = ("mungkin", 2, [], {}, "#N/A")


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        *(({"given_at": "2026-01-04", "given": no}, ["consent-missing"]) for no in NO),
        *(({"given_at": "2026-01-04", "given": yes}, []) for yes in YES),
        *(({"given_at": "2026-01-04", "given": odd}, ["field-invalid:consent"]) for odd in ODD),
        *(({"given_at": "2026-01-04", "given": empty}, ["field-invalid:consent"]) for empty in EMPTY),
        *(({"given": empty}, ["consent-missing"]) for empty in EMPTY),
        ({"given_at": f"{FORM['birth_date']}T08:00:00+08:00"}, []),
        ({"given_at": "1899-12-31"}, ["field-invalid:consent"]),
        ({"given_at": "2026-01-04", "method": "menolak"}, ["consent-missing"]),
        ({"given_at": "belum"}, ["consent-missing"]),
        ({"given_at": "ya"}, ["field-invalid:consent"]),
        ({"given": "ya"}, ["consent-missing"]),
        ("tidak setuju", ["consent-missing"]),
        (0, ["consent-missing"]),
        ("setuju", ["field-invalid:consent"]),
        ("-", ["consent-missing"]),
    ],
)
def test_only_a_known_yes_is_consent(consent: Any, expected: list[str]) -> None:
    assert register(consent=consent) == expected


def test_an_update_with_a_no_to_consent_is_not_ignored() -> None:
    update = {"submission_id": "U", "nik": FORM["nik"], "name": "SITI"}
    assert reasons("worker.update.v1", {**update, "consent": {"given": "tidak"}}) == ["consent-missing"]
    assert reasons("worker.update.v1", {**update, "consent": {"method": "form"}}) == []
    assert reasons("worker.update.v1", {**update, "consent": {"given": ""}}) == [], "an update needs no consent"


TEXTS = ("name", "occupation", "birth_place", "mother_name", "phone", "address")
OTHERS = {
    "nik": "nik-malformed",
    "birth_date": "field-invalid:birth_date",
    "sex": "field-invalid:sex",
    "village": "village-unknown",
    "sector": "sector-unknown",
    "monthly_income": "field-invalid:monthly_income",
    "submission_id": "field-invalid:submission_id",
    "family_card": "field-invalid:family_card",
} | {name: f"field-invalid:{name}" for name in TEXTS}


@pytest.mark.parametrize("field", sorted(OTHERS))
@pytest.mark.parametrize("debris", ["#N/A", "#REF!", "A\x00B", "A\x1bB", "A\ufffdB"])
def test_an_unreadable_value_refuses_only_its_field(field: str, debris: str) -> None:
    assert register(**{field: debris}) == [OTHERS[field]]


@pytest.mark.parametrize("part", ["name", "relation", "phone"])
def test_an_error_value_refuses_the_heir(part: str) -> None:
    heir = {"name": "RAHMAT", "relation": "spouse", "phone": "+62812"}
    assert register(heir={**heir, part: "#N/A"}) == ["field-invalid:heir"]


@pytest.mark.parametrize("field", ["birth_place", "mother_name", "phone", "address", "family_card", "monthly_income"])
@pytest.mark.parametrize("dash", ["-", "\u2013", " - ", ".", "n/a"])
def test_a_dash_in_an_optional_field_counts_as_empty(field: str, dash: str) -> None:
    form = routed("worker.register.v1", {**WHOLE, field: dash}).form
    assert getattr(form, field) == (1_000_000 if field == "monthly_income" else None)
    assert routed("worker.register.v1", {**WHOLE, "heir": {"name": dash}}).form.heir is None


def test_marks_without_width_are_dropped_on_the_wire() -> None:
    form = routed(
        "worker.register.v1", {**WHOLE, "nik": "\u202a6408044107850002\u202c", "name": "SITI\u00a0AMINAH\u200b"}
    ).form
    assert (form.nik, form.name) == ("6408044107850002", "SITI AMINAH")


@pytest.mark.parametrize(
    "spelling", ["SWARGA BARA", "swarga bara", "Desa Swargabara", "Ds. Swarga-Bara", "KEL. SWARGA BARA"]
)
@pytest.mark.parametrize("district", [None, "SANGATTA UTARA", "Kec. Sangatta Utara", "64.08.04", "-"])
def test_a_village_by_name_is_taken_as_its_code(spelling: str, district: str | None) -> None:
    part = routed("worker.register.v1", {**WHOLE, "village": spelling, "district": district})
    assert (part.form.village, part.form.district) == ("64.08.04.2012", "64.08.04")
    assert [one for one in part.warnings if one.startswith("village")] == ["village-taken:64.08.04.2012"]


def test_a_name_that_several_villages_have_is_refused_with_them() -> None:
    form = {**WHOLE, "village": "Sumber Sari"}
    part = routed("worker.register.v1", form, "agency/64.02/dinsos")
    assert part.reasons == ("village-unknown",)
    codes = ("64.02.02.2014", "64.02.07.2007", "64.02.19.2007")
    assert part.warnings == tuple(f"village-candidate:{code}" for code in codes)
    taken = routed("worker.register.v1", {**form, "district": "Loa Kulu"}, "agency/64.02/dinsos")
    assert taken.form.village == "64.02.02.2014"


def test_a_contradicting_district_refuses_the_villages_name() -> None:
    part = routed("worker.register.v1", {**WHOLE, "village": "SWARGA BARA", "district": "BENGALON"})
    assert (part.reasons, part.warnings) == (("village-unknown",), ("village-candidate:64.08.04.2012",))


@pytest.mark.parametrize(
    ("village", "district", "warned"),
    [
        ("64.08.04.2001", "Bengalon", True),
        ("64.08.04.2001", "Kec. BENGALON", True),
        ("64.08.04.2001 Sangatta Utara", "Bengalon", True),
        ("64.08.04.2001", "Sangatta Utara", False),
        ("64.08.04.2001", "64.08.04", False),
        ("64.08.04.2001", "kecamatan kita", False),  # no district of the regency, so it contradicts nothing
        ("64.08.04.2001", "-", False),
        ("64.08.04.2001", None, False),
    ],
)
def test_a_district_that_contradicts_the_villages_code_is_a_warning(
    village: str, district: str | None, warned: bool
) -> None:
    part = routed("worker.register.v1", {**WHOLE, "village": village, "district": district})
    assert part.form.village == "64.08.04.2001"
    warnings = [one for one in part.warnings if one.startswith("district")]
    assert warnings == (["district-differs:64.08.04"] if warned else [])


def test_the_old_district_of_a_village_that_moved_is_accepted() -> None:
    former = REFERENCE.areas.name("64.02.08")
    form = {**WHOLE, "village": "64.02.08.2001", "district": former}
    part = routed("worker.register.v1", form, "agency/64.02/dinsos")
    assert part.form.village == "64.02.19.2001"
    assert not [one for one in part.warnings if one.startswith("district")]


@pytest.mark.parametrize("district", ["Kongbeng", "KOMBENG", "Kec. Kong-beng"])
def test_other_spellings_of_a_district(district: str) -> None:
    village = REFERENCE.areas.villages("64.08.08")[0]
    part = routed("worker.register.v1", {**WHOLE, "village": village.name, "district": district})
    assert part.form.village == village.code


@pytest.mark.parametrize("village", ["6408042012", "6404070009", "64.08.04.12", "SWARGA", "", "64.08"])
def test_an_unknown_village_stays_unknown(village: str) -> None:
    assert register(village=village) == (["village-unknown"] if village else ["field-missing:village"])


def test_projects_and_meetings_know_villages_by_name_too() -> None:
    part = routed("project.register.v1", {**PROJECT, "village": "Swarga Bara"})
    assert (part.terms.village, part.warnings) == ("64.08.04.2012", ("village-taken:64.08.04.2012",))


@pytest.mark.parametrize("kind", sorted(set(COMMANDS) - {"suspect.decide.v1"}))
def test_a_row_that_its_reader_refused_is_refused_with_its_reason(kind: str) -> None:
    assert reasons(kind, {"submission_id": "7", "row_fault": "row-ragged"}) == ["row-ragged"]
    assert reasons(kind, {"submission_id": "7", "row_fault": "anything"}) == ["field-invalid:row_fault"]
    assert reasons(kind, {"submission_id": "7", "row_fault": 5}) == ["field-invalid:row_fault"]


@pytest.mark.parametrize("number", [10**30, 2**63, 2**64 - 1, -(2**63), 1_000_000.0, "1000000", True])
def test_amounts_beyond_the_store_are_invalid(number: Any) -> None:
    form = orjson.dumps({**WHOLE, "monthly_income": 0})
    raw = form.replace(b'"monthly_income":0', b'"monthly_income":' + _json(number))
    one = b'{"specversion":"1.0","id":"e","source":"agency/64.08/dinsos","type":"worker.register.v1","data":%b}' % raw
    event = envelope.read(one, (), INTAKE, int(AT.timestamp() * 1000), COMMANDS)
    assert event is not None
    (part,) = decide.route(event, REFERENCE)
    assert part.data.reasons == ("field-invalid:monthly_income",)


def _json(number: Any) -> bytes:
    return str(number).encode() if isinstance(number, int) and not isinstance(number, bool) else orjson.dumps(number)


def test_a_retry_with_a_new_time_and_another_order_is_the_same_event() -> None:
    first = read("worker.register.v1", WHOLE, time="2026-11-30T12:00:00+00:00")
    again = read("worker.register.v1", dict(reversed(list(WHOLE.items()))), time="2026-11-30T12:09:59+00:00")
    other = read("worker.register.v1", {**WHOLE, "name": "ROHANA"}, time="2026-11-30T12:00:00+00:00")
    assert (first.name, first.content_hash) == (again.name, again.content_hash)
    assert other.content_hash != first.content_hash
