"""Employers' duties, projects and meetings: given the reports, exactly these events follow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from services.registration import facts
from services.registration.adapters import PERFORMERS
from services.registration.compliance.domain.state import Contract, Employment
from services.registration.domain import decide as table
from services.registration.domain.decide import Facts
from services.registration.intake.domain.state import Reference
from services.registration.stream import SPEC
from shared.contracts.catalogue import COMMANDS, DECISIONS
from shared.contracts.registration_duties import FirstDayOver, RosterLine
from shared.kernel.decision import Address, Decision, Due
from shared.kernel.event import Event, Routed
from shared.kernel.identity import worker_id
from shared.reference import areas
from shared.reference.workdays import after_working_days
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER

KEY = bytes(range(32))
REFERENCE = Reference(areas.load(), KEY)
NIK = "6408044107850002"
WORKER = worker_id(KEY, NIK)
CODECS = SPEC.stored
MODELS = COMMANDS["registration"]


@dataclass(slots=True)
class World:
    """The documents, the published events, and the day."""

    day: str = "2026-03-10"
    subsidised: frozenset[str] = frozenset()
    jobs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    documents: dict[Address, dict[str, Any]] = field(default_factory=dict)
    due: Due | None = None
    events: int = 0

    def take(self, kind: str, data: Any, source: str = "agency/64.08/distransnaker") -> list[dict[str, Any]]:
        """Processes one input and the work that follows from it; returns all published events without the work."""
        self.events += 1
        at = datetime.fromisoformat(f"{self.day}T02:00:00+00:00").astimezone(UTC)
        if kind in DECISIONS:
            # An officer of the agency's regency explains.
            data, source = {"agency": source.removeprefix("agency/"), **data}, "officer/rina"
        event = Event(
            id=f"e{self.events}",
            source=source,
            type=kind,
            data=MODELS[kind](data) if kind in MODELS else data,
            at=at,
            topic="registration-intake-6408-distransnaker",
            content_hash="h",
        )
        said: list[dict[str, Any]] = []
        for routed in table.route(event, REFERENCE):
            made = self._decide(routed.address, event.with_data(routed.data))
            for outcome in made.outcomes:
                if outcome.type == "roster.line.v1":
                    said += self.take(outcome.type, outcome.data)
                else:
                    said.append({"type": outcome.type, "key": outcome.key, **outcome.data.model_dump()})
        return said

    def _decide(self, address: Address, event: Event) -> Decision[Any]:
        codec = CODECS[address.collection]
        body = self.documents.get(address)
        state = codec.decode(body, CIPHER) if body is not None else None
        made = table.decide(state, event, Facts(subsidised=self.subsidised, jobs=self.jobs))
        assert made.state is not None
        self.documents[address] = codec.encode(made.state, CIPHER)
        assert codec.decode(self.documents[address], CIPHER) == made.state
        self.due = made.due
        return made

    def roster(self, *lines: Any, **changes: Any) -> list[dict[str, Any]]:
        """A roster of one employer."""
        fields = {"submission_id": "R-1", "employer_id": "NPP-1", "employer_name": "CV Maju", "workers": list(lines)}
        return self.take("employer.report-workers.v1", {**fields, **changes})


def line(started: str, ends: str | None = None, registered: str | None = None, no: str | None = None) -> dict[str, Any]:
    """One line of a roster."""
    return {
        "nik": NIK,
        "started_on": started,
        "contract_ends_on": ends,
        "registered_with_bpjs_on": registered,
        "contract_no": no,
    }


def findings(said: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Kind, state and due day of each finding."""
    return [(one["kind"], one["state"], one["due_on"]) for one in said if "kind" in one]


def answers(said: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(one.get("line"), one["outcome"], one["reasons"]) for one in said if "outcome" in one]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Registered on the first day, or the first day is today or in the future: no finding.
        ([line("2026-01-05", registered="2026-01-05")], []),
        ([line("2026-03-10")], []),
        ([line("2026-04-01")], []),
        # Not registered on the day after the first day.
        ([line("2026-03-09")], [("registered-late", "open", "2026-03-09")]),
        # Registered late: a finding that is already cured.
        ([line("2026-01-05", registered="2026-01-20")], [("registered-late", "cured", "2026-01-05")]),
        # Two short contracts in a row without registration count as one employment.
        (
            [line("2025-10-01", "2025-12-31"), line("2026-01-15", "2026-03-31")],
            [
                ("contract-chain", "open", "2026-01-15"),
                ("registered-late", "open", "2025-10-01"),
                ("registered-late", "open", "2026-01-15"),
            ],
        ),
        # More than thirty days between them: two employments.
        (
            [line("2025-06-01", "2025-08-31"), line("2026-01-15", "2026-03-31")],
            [("registered-late", "open", "2025-06-01"), ("registered-late", "open", "2026-01-15")],
        ),
    ],
)
def test_the_duties_of_one_roster(lines: list[dict[str, Any]], expected: list[tuple[str, str, str]]) -> None:
    world = World()
    world.roster(*lines)
    body = next(doc for at, doc in world.documents.items() if at.collection == "employments")
    standing = [(one["kind"], one["state"], one["due_on"]) for one in body["findings"]]
    assert sorted(standing) == sorted(expected)


def test_a_registration_cures_open_findings_and_is_published_once() -> None:
    world = World()
    assert findings(world.roster(line("2026-02-02"))) == [("registered-late", "open", "2026-02-02")]
    assert findings(world.roster(line("2026-02-02"))) == []
    assert findings(world.roster(line("2026-02-02", registered="2026-03-01"))) == [
        ("registered-late", "cured", "2026-02-02")
    ]
    assert findings(world.roster(line("2026-02-02"))) == [], "a registration once reported is not forgotten"


def test_a_chain_is_cured_when_one_of_its_contracts_is_registered() -> None:
    world = World()
    world.roster(line("2025-10-01", "2025-12-31"), line("2026-01-15", "2026-03-31"))
    said = findings(world.roster(line("2026-01-15", "2026-03-31", registered="2026-03-01")))
    assert ("contract-chain", "cured", "2026-01-15") in said


def test_the_order_of_lines_does_not_matter() -> None:
    lines = [
        line("2025-10-01", "2025-12-31", no="A"),
        line("2026-01-15", "2026-02-28", no="B"),
        line("2026-03-01", registered="2026-03-04", no="C"),
    ]
    ends = set()
    for order in permutations(lines):
        world = World()
        for one in order:
            world.roster(one)
        body = next(doc for at, doc in world.documents.items() if at.collection == "employments")
        ends.add(repr((body["contracts"], body["findings"])))
    assert len(ends) == 1


def test_a_subsidised_worker_on_a_payroll_is_a_finding_and_published_to_verification() -> None:
    world = World(subsidised=frozenset({WORKER}))
    said = world.roster(line("2026-03-10"))
    assert ("subsidised-worker", "open", "2026-03-10") in findings(said)
    (employed,) = [one for one in said if one["type"] == "worker.employed.v1"]
    assert (employed["nik"], employed["employer"], employed["key"]) == (NIK, "NPP-1", WORKER)


def jobs_ended(said: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["employer"], one["ended_on"]) for one in said if one["type"] == "worker.job-ended.v1"]


def test_a_job_is_over_the_morning_after_its_last_contract() -> None:
    world = World()
    world.roster(line("2026-01-05", "2026-03-31", registered="2026-01-05"))
    assert world.due is not None
    assert world.due.at.isoformat() == "2026-04-01T00:00:00+08:00"
    world.day = "2026-04-01"
    over = FirstDayOver(employer_id="NPP-1", worker_id=WORKER)
    assert jobs_ended(world.take("roster.first-day-over.v1", over)) == [("NPP-1", "2026-03-31")]
    assert world.due is None


@pytest.mark.parametrize(
    ("jobs", "ended"),
    [
        ({}, True),
        # For its own contracts an employment uses its own document, not the facts.
        ({WORKER: {"NPP-1": "2027-12-31"}}, True),
        ({WORKER: {"NPP-2": "2026-03-09"}}, True),
        ({WORKER: {"NPP-2": "2026-03-10"}}, False),
        ({WORKER: {"NPP-2": "9999-12-31"}}, False),
    ],
)
def test_a_contract_that_was_ended_earlier_ends_the_job_unless_another_runs(jobs: Any, ended: bool) -> None:
    world = World()
    world.roster(line("2026-01-05", registered="2026-01-05"))
    world.jobs = jobs
    said = world.roster(line("2026-01-05", "2026-03-05", registered="2026-01-05"))
    assert jobs_ended(said) == ([("NPP-1", "2026-03-05")] if ended else [])
    # A month later the same line changes nothing.
    world.day = "2026-04-06"
    assert jobs_ended(world.roster(line("2026-01-05", "2026-03-05", registered="2026-01-05"))) == []


def test_a_roster_read_before_the_morning_check_reports_the_end_of_a_job() -> None:
    world = World()
    world.roster(line("2026-01-05", "2026-03-31", registered="2026-01-05"))
    world.day = "2026-04-01"
    said = world.roster(line("2026-01-05", "2026-03-31", registered="2026-01-05"))
    assert jobs_ended(said) == [("NPP-1", "2026-03-31")]


def test_a_worker_of_two_employers_is_looked_up_by_the_one_that_ends() -> None:
    context = MemoryStore(CODECS, CIPHER)
    other = Employment(
        employer_id="NPP-2",
        employer_name="PT Dua",
        regency="64.08",
        worker_id=WORKER,
        contracts=(Contract(started_on="2026-01-05", ends_on=None, number=None, registered_on=None),),
    )
    context.collections["employments"][f"NPP-2|{WORKER}"] = {
        "_id": f"NPP-2|{WORKER}",
        "version": 1,
        "state": CODECS["employments"].encode(other, CIPHER),
    }
    fields = {"employer_name": "CV", "regency": "64.08", "worker_id": WORKER, "nik": NIK, "started_on": "2026-01-05"}
    parts = [
        RosterLine(employer_id="NPP-1", contract_ends_on="2026-03-05", **fields),
        RosterLine(employer_id="NPP-3", contract_ends_on="2026-06-30", **fields),
    ]
    at = datetime(2026, 3, 10, tzinfo=UTC)
    event = Event(id="e", source="s", type="t", data=None, at=at, topic="registration-work", content_hash="h")
    routed = [(Routed(Address("employments", f"{one.employer_id}|{WORKER}"), one), event) for one in parts]
    found = asyncio.run(facts.facts(context, routed, REFERENCE))
    assert found.jobs == {WORKER: {"NPP-1": "2026-03-05", "NPP-2": "9999-12-31", "NPP-3": "2026-06-30"}}
    # Both employers report the end in one batch; neither end waits for the other.
    parts[1] = RosterLine(employer_id="NPP-2", contract_ends_on="2026-03-06", **fields)
    routed = [(Routed(Address("employments", f"{one.employer_id}|{WORKER}"), one), event) for one in parts]
    found = asyncio.run(facts.facts(context, routed, REFERENCE))
    assert found.jobs == {WORKER: {"NPP-1": "2026-03-05", "NPP-2": "2026-03-06"}}


def test_a_worker_whose_contract_is_over_has_no_employer() -> None:
    said = World().roster(line("2025-01-01", "2025-12-31", registered="2025-01-01"))
    assert [one["type"] for one in said] == ["submission.answered.v1"]


def test_a_first_day_that_passes_is_looked_at_the_next_morning() -> None:
    world = World()
    assert findings(world.roster(line("2026-03-12"))) == []
    assert world.due is not None
    assert world.due.at.isoformat() == "2026-03-13T00:00:00+08:00"
    assert world.due.kind in PERFORMERS
    world.day = "2026-03-13"
    said = world.take("roster.first-day-over.v1", FirstDayOver(employer_id="NPP-1", worker_id=WORKER))
    assert findings(said) == [("registered-late", "open", "2026-03-12")]
    assert world.due is None


def test_an_explanation_holds_until_the_duty_is_kept() -> None:
    world = World()
    (found,) = [one for one in world.roster(line("2026-02-02")) if "finding_id" in one]
    explain = {"submission_id": "X-1", "finding_id": found["finding_id"], "explanation": "magang"}
    said = world.take("finding.explain.v1", explain)
    assert findings(said) == [("registered-late", "explained", "2026-02-02")]
    assert answers(said) == [(None, "accepted", [])]
    assert findings(world.roster(line("2026-02-02"))) == []
    again = world.take("finding.explain.v1", explain)
    assert answers(again) == [(None, "rejected", ["finding-unknown"])]
    assert [one["reasons"] for one in again if one["type"] == "finding.explain.refused.v1"] == [["finding-unknown"]]
    assert findings(world.roster(line("2026-02-02", registered="2026-03-09"))) == [
        ("registered-late", "cured", "2026-02-02")
    ]


def test_an_explanation_leaves_due_what_the_employment_waits_for() -> None:
    world = World()
    (found,) = [one for one in world.roster(line("2026-02-02", "2026-12-31")) if "finding_id" in one]
    due = world.due
    assert due is not None
    explain = {"submission_id": "X-1", "finding_id": found["finding_id"], "explanation": "magang"}
    for expected in ("accepted", "rejected"):
        assert [outcome for _, outcome, _ in answers(world.take("finding.explain.v1", explain))] == [expected]
        assert world.due == due


@pytest.mark.parametrize(
    "finding",
    ["", "nothing", "employment/NPP-9/x/registered-late/2026-01-01", "project/64.08/P/project-late/2026-01-01"],
)
def test_an_unknown_finding_is_refused(finding: str) -> None:
    said = World().take("finding.explain.v1", {"submission_id": "X", "finding_id": finding, "explanation": "a"})
    assert answers(said)[0][1] == "rejected"


def test_another_regency_explains_nothing() -> None:
    world = World()
    (found,) = [one for one in world.roster(line("2026-02-02")) if "finding_id" in one]
    explain = {"submission_id": "X", "finding_id": found["finding_id"], "explanation": "a"}
    said = world.take("finding.explain.v1", explain, "agency/64.02/distransnaker")
    assert answers(said) == [(None, "rejected", ["finding-unknown"])]


@pytest.mark.parametrize(
    ("then", "state"),
    [
        (line("2026-03-01", "2026-12-31", registered="2026-03-01", no="3"), "cured"),
        # One more contract without registration: the same chain, longer.
        (line("2026-03-01", "2026-12-31", no="3"), "open"),
        # Registered after a pause of months: that is another employment.
        (line("2026-03-05", "2026-12-31", registered="2026-03-05", no="3"), None),
    ],
)
def test_a_chain_is_cured_by_the_registration_that_continues_it(then: dict[str, Any], state: str | None) -> None:
    world = World()
    world.roster(line("2025-10-01", "2025-12-31", no="1"), line("2026-01-15", "2026-01-31", no="2"))
    said = [one for one in world.roster(then) if one.get("kind") == "contract-chain"]
    assert [one["state"] for one in said] == ([state] if state else [])


def test_a_short_contract_inside_a_long_one_does_not_break_the_chain() -> None:
    world = World()
    world.roster(line("2025-01-06", "2026-01-31", no="1"), line("2025-02-03", "2025-02-28", no="2"))
    said = world.roster(line("2026-02-10", "2026-12-31", no="3"))
    assert [one["evidence"]["contracts"] for one in said if one.get("kind") == "contract-chain"] == ["3"]


def test_an_explanation_holds_when_the_number_of_a_contract_is_corrected() -> None:
    world = World()
    (found,) = (one for one in world.roster(line("2026-02-02", no="K/1")) if "finding_id" in one)
    explain = {"submission_id": "X", "finding_id": found["finding_id"], "explanation": "magang"}
    world.take("finding.explain.v1", explain)
    assert findings(world.roster(line("2026-02-02", no="K-1"))) == [("registered-late", "explained", "2026-02-02")]
    assert findings(world.roster(line("2026-02-02", no="K-1"))) == []


def test_a_roster_is_taken_after_an_explanation_that_came_too_early() -> None:
    world = World()
    finding = f"employment/NPP-1/{WORKER}/registered-late/2026-02-02"
    world.take("finding.explain.v1", {"submission_id": "X", "finding_id": finding, "explanation": "a"})
    assert findings(world.roster(line("2026-02-02"))) == [("registered-late", "open", "2026-02-02")]


def test_a_contract_without_an_end_may_be_written_as_a_payroll_program_does() -> None:
    world = World()
    world.roster(line("2025-01-06", "9999-12-31", registered="2025-01-06"))
    said = world.roster(line("2026-01-05", "2026-12-31", registered="2026-01-05", no="2"))
    assert answers(said) == [(1, "accepted", [])]
    (document,) = (body for address, body in world.documents.items() if address.collection == "employments")
    assert [one["ends_on"] for one in document["contracts"]] == [None, "2026-12-31"]


def test_every_line_of_a_roster_has_its_own_answer() -> None:
    said = World().roster(
        line("2026-03-01", registered="2026-03-01"),
        {**line("2026-03-01"), "nik": "6.40E+15"},
        {**line("2026-02-30")},
        "not an object",
        {**line("2026-03-05", "2026-03-01")},
        {**line("9999-12-31")},
    )
    assert answers(said) == [
        (1, "accepted", []),
        (2, "rejected", ["nik-malformed"]),
        (3, "rejected", ["field-invalid:started_on"]),
        (4, "rejected", ["field-invalid:workers"]),
        (5, "rejected", ["field-invalid:contract_ends_on"]),
        (6, "rejected", ["field-invalid:started_on"]),
    ]


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"employer_id": None}, ["field-missing:employer_id"]),
        ({"employer_id": "a|b"}, ["field-invalid:employer_id"]),
        ({"employer_id": NIK}, ["field-invalid:employer_id"]),
        ({"workers": []}, ["field-missing:workers"]),
        ({"workers": {}}, ["field-invalid:workers"]),
        ({"regency": "64.02"}, ["field-invalid:regency"]),
        ({"submission_id": None, "employer_name": 3}, ["field-missing:submission_id", "field-invalid:employer_name"]),
    ],
)
def test_a_roster_that_cannot_be_read_is_answered_whole(changes: Mapping[str, Any], reasons: list[str]) -> None:
    assert answers(World().roster(line("2026-03-01"), **changes)) == [(None, "rejected", reasons)]


def test_no_nik_stays_with_an_employer() -> None:
    world = World()
    world.roster(line("2026-03-01"))
    assert NIK not in repr(world.documents)


def test_a_contract_number_that_is_a_nik_is_not_published() -> None:
    (told,) = [one for one in World().roster(line("2026-03-01", no=f"PKWT/{NIK}")) if "finding_id" in one]
    assert told["evidence"] == {"started_on": "2026-03-01"}


PROJECT: Mapping[str, Any] = {
    "submission_id": "P-1",
    "project_no": "PRJ-1",
    "contractor": "PT Bangun",
    "contract_value": 750_000_000,
    "starts_on": "2026-03-02",
    "ends_on": "2026-12-31",
    "village": "64.08.04.2001",
}


def test_working_days_leave_out_weekends_and_holidays() -> None:
    from datetime import date

    # 19 March 2026 is Nyepi, 21 and 22 March Idul Fitri (a weekend).
    assert after_working_days(date(2026, 3, 18), 1) == date(2026, 3, 20)
    assert after_working_days(date(2026, 3, 20), 1) == date(2026, 3, 23)
    assert after_working_days(date(2026, 3, 2), 14) == date(2026, 3, 23)


@pytest.mark.parametrize(("day", "late"), [("2026-03-23", False), ("2026-03-24", True)])
def test_a_project_is_due_within_fourteen_working_days(day: str, late: bool) -> None:
    world = World(day=day)
    said = world.take("project.register.v1", PROJECT)
    registered = next(one for one in said if one["type"] == "project.registered.v1")
    assert (registered["late"], registered["due_on"], registered["district"]) == (late, "2026-03-23", "64.08.04")
    assert findings(said) == ([("project-late", "cured", "2026-03-23")] if late else [])
    assert answers(said) == [(None, "accepted", [])]
    assert [one["type"] for one in world.take("project.register.v1", PROJECT)] == ["submission.answered.v1"]


def test_a_change_is_due_within_seven_working_days() -> None:
    world = World(day="2026-03-03")
    world.take("project.register.v1", PROJECT)
    world.day = "2026-06-30"
    change = {**PROJECT, "contract_value": 900_000_000, "changed_on": "2026-06-01"}
    said = world.take("project.register.v1", change)
    # 1 June (Pancasila) and 16 June are holidays; seven working days after them end on 10 June.
    assert findings(said) == [("project-change-late", "cured", "2026-06-10")]
    assert findings(world.take("project.register.v1", {**change, "contract_value": 1, "changed_on": None})) == []


def test_a_late_project_is_not_in_time_after_a_change() -> None:
    world = World(day="2026-03-24")
    world.take("project.register.v1", PROJECT)
    (registered, _) = world.take("project.register.v1", {**PROJECT, "contractor": "PT Bangun Jaya"})
    assert (registered["late"], registered["due_on"]) == (True, "2026-03-23")
    (registered, _) = world.take("project.register.v1", {**PROJECT, "contract_value": 1, "changed_on": "2026-03-24"})
    assert (registered["late"], registered["due_on"]) == (True, "2026-04-02")


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"contract_value": "750"}, ["field-invalid:contract_value"]),
        ({"contract_value": 0}, ["field-invalid:contract_value"]),
        ({"ends_on": "2026-01-01"}, ["field-invalid:ends_on"]),
        ({"village": "64.02.01.2001"}, ["village-outside"]),
        ({"village": None, "contractor": " "}, ["field-missing:contractor", "field-missing:village"]),
        ({"changed_on": "soon"}, ["field-invalid:changed_on"]),
        # Values that the store cannot hold, and days so late that no term can be counted from them.
        ({"contract_value": 2**63}, ["field-invalid:contract_value"]),
        ({"contract_date": "9999-12-31"}, ["field-invalid:contract_date"]),
        ({"ends_on": "9999-12-31"}, ["field-invalid:ends_on"]),
    ],
)
def test_a_project_that_cannot_be_read_is_refused(changes: Mapping[str, Any], reasons: list[str]) -> None:
    assert answers(World().take("project.register.v1", {**PROJECT, **changes})) == [(None, "rejected", reasons)]


MEETING: Mapping[str, Any] = {
    "submission_id": "M-1",
    "meeting_id": "RAPAT-1",
    "held_on": "2026-03-09",
    "village": "64.08.04.2001",
    "sector": "fisheries",
    "attendees": 42,
    "agency": "perikanan",
}


def test_a_meeting_is_planned_then_held() -> None:
    world = World(day="2026-03-01")
    (planned, _) = world.take("outreach.report.v1", {**MEETING, "attendees": None})
    assert (planned["type"], planned["held_on"], "attendees" in planned) == ("outreach.planned.v1", "2026-03-09", False)
    world.day = "2026-03-10"
    (held, answer) = world.take("outreach.report.v1", MEETING)
    assert (held["type"], held["attendees"], answer["outcome"]) == ("outreach.held.v1", 42, "accepted")
    assert [one["type"] for one in world.take("outreach.report.v1", MEETING)] == ["submission.answered.v1"]


def test_only_the_number_of_listed_people_is_kept() -> None:
    world = World()
    (held, _) = world.take("outreach.report.v1", {**MEETING, "attendees": ["SITI", "AMIN"]})
    assert held["attendees"] == 2
    assert "SITI" not in repr(world.documents)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({"attendees": None}, ["field-missing:attendees"]),
        ({"attendees": -1}, ["field-invalid:attendees"]),
        ({"attendees": True}, ["field-invalid:attendees"]),
        ({"attendees": 2**63}, ["field-invalid:attendees"]),
        ({"held_on": "9999-12-31"}, ["field-invalid:held_on"]),
        ({"sector": "mining"}, ["sector-unknown"]),
        ({"held_on": "2026-02-30", "meeting_id": 7}, ["field-invalid:meeting_id", "field-invalid:held_on"]),
    ],
)
def test_a_meeting_that_cannot_be_read_is_refused(changes: Mapping[str, Any], reasons: list[str]) -> None:
    assert answers(World().take("outreach.report.v1", {**MEETING, **changes})) == [(None, "rejected", reasons)]


def test_a_roster_line_is_sealed_in_the_store() -> None:
    world = World()
    event = Event(
        id="e",
        source="agency/64.08/desa",
        type="employer.report-workers.v1",
        data=MODELS["employer.report-workers.v1"](
            {"submission_id": "R", "employer_id": "N1", "employer_name": "CV", "workers": [line("2026-03-01")]}
        ),
        at=datetime(2026, 3, 10, tzinfo=UTC),
        topic="registration-intake-6408-desa",
        content_hash="h",
    )
    (routed,) = table.route(event, REFERENCE)
    made = table.decide(None, event.with_data(routed.data), Facts())
    carried = [one for one in made.outcomes if isinstance(one.data, RosterLine)]
    assert [(one.personal, one.topic) for one in carried] == [(True, "registration-work")]
    assert world.documents == {}
