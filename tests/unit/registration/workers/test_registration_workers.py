"""Workers: given the history, an event of an agency or of verification leads to exactly these events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from services.registration.domain import decide
from services.registration.intake.domain.state import Refusal, RefusedSubmission
from services.registration.stream import SPEC
from services.registration.workers.domain.registrations import WAITING_MAX
from services.registration.workers.domain.state import Worker
from shared.contracts.registration import SubmissionAnswered, WorkerRegistered
from shared.contracts.tokens import keyed_name
from shared.kernel.decision import Address
from tests.property.registration_world import (
    FACTS,
    FORM,
    NIK,
    PERSONAL,
    REFERENCE,
    WORKER,
    World,
    intake,
    shown,
)

UPDATED = ["worker.updated", "6408-dinsos updated"]
NEW = ["worker.registered", "check 1", "6408-dinsos registered"]
DINSOS, DESA, KUKAR = "64.08/dinsos", "64.08/desa", "64.02/dinsos"


def told(*steps: tuple[str, Any]) -> list[Any]:
    """The events of the last of these steps."""
    world, said = World(), []
    for name, what in steps:
        if name in ("verified", "held", "rejected", "ended"):
            said = world.verdict(name, *what)
            continue
        agency, changes = what if isinstance(what, tuple) else (DINSOS, what)
        said = world.register(agency, **changes) if name == "register" else world.send(name, agency, **changes)
    return said


REGISTER: tuple[str, Any] = ("register", {})
BY_DESA: tuple[str, Any] = ("register", (DESA, {}))
BY_DESA_NAMED: tuple[str, Any] = ("update", (DESA, {"name": "SITI"}))
BY_KUKAR: tuple[str, Any] = ("register", (KUKAR, {"village": "64.02.01.2001"}))
LEAVE: tuple[str, Any] = ("withdraw", {"reason": "moved", "date": "2026-02-01"})
VERIFIED_2: tuple[str, Any] = ("verified", (2,))
VERIFIED: tuple[str, Any] = ("verified", (1,))
REJECTED: tuple[str, Any] = ("rejected", (1, "birth-date-mismatch"))
HELD: tuple[str, Any] = ("held", (1, "name-mismatch"))
ENDED: tuple[str, Any] = ("ended", (1, "wage-earner"))
ATTEST: tuple[str, Any] = ("attest", (DESA, {"sector": "fisheries", "occupation": "n", "attested_on": "2026-01-05"}))


def test_a_row_numbered_by_its_nik_does_not_publish_the_nik() -> None:
    world = World()
    world.register(submission_id=f"row {NIK}")
    world.register(submission_id=f"row {NIK}", sector="trade")
    told = [str(one.data) + one.key for one in world.said if one.topic == "registration-events"]
    assert len(told) == 2
    assert not any(NIK in one for one in told)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        # The same agency
        ((REGISTER,), NEW),
        ((("register", {"sex": "M"}),), [*NEW[:2], "6408-dinsos registered !sex-mismatch"]),
        ((REGISTER, REGISTER), ["6408-dinsos already-registered"]),
        ((REGISTER, ("register", {"consent": {"given_at": "2026-01-05"}})), ["6408-dinsos already-registered"]),
        ((REGISTER, ("register", {"phone": "1"})), UPDATED),
        ((REGISTER, ("register", {"name": "SITI"})), ["worker.updated", "check 2", "6408-dinsos updated"]),
        ((REGISTER, ("update", {"phone": "1"}), ("register", {"phone": "1"})), ["6408-dinsos already-registered"]),
        ((REGISTER, VERIFIED, REGISTER), ["6408-dinsos already-registered", "6408-dinsos S3 is verified"]),
        # Another agency of the regency
        ((REGISTER, BY_DESA), ["6408-desa attested"]),
        (
            (REGISTER, ("register", (DESA, {"name": "SITI"}))),
            ["worker.disputed", "6408-desa attested !field-overruled:name"],
        ),
        ((REGISTER, BY_DESA, BY_DESA), ["6408-desa already-registered"]),
        ((REGISTER, BY_DESA, ("register", (DESA, {"phone": "1"}))), ["worker.updated", "6408-desa updated"]),
        ((REGISTER, VERIFIED, BY_DESA), ["6408-desa attested", "6408-desa S3 is verified"]),
        ((REGISTER, HELD, BY_DESA), ["6408-desa attested", "6408-desa S3 is held name-mismatch"]),
        ((REGISTER, ATTEST, BY_DESA), ["6408-desa attested"]),
        # Another regency
        ((REGISTER, BY_KUKAR), ["6402-dinsos rejected registered-elsewhere"]),
        ((REGISTER, HELD, BY_KUKAR), ["6402-dinsos rejected registered-elsewhere"]),
        ((REGISTER, LEAVE, BY_KUKAR), ["worker.registered", "check 3", "6402-dinsos registered"]),
        ((REGISTER, REJECTED, BY_KUKAR), ["worker.registered", "check 2", "6402-dinsos registered"]),
        ((REGISTER, LEAVE, BY_KUKAR, REGISTER), ["6408-dinsos rejected registered-elsewhere"]),
        # Again after a withdrawal or a rejection
        ((REGISTER, LEAVE, REGISTER), ["worker.registered", "check 3", "6408-dinsos registered"]),
        ((REGISTER, REJECTED, REGISTER), ["worker.registered", "check 2", "6408-dinsos registered"]),
        ((REGISTER, VERIFIED, ENDED, REGISTER), ["worker.registered", "check 2", "6408-dinsos registered"]),
        ((REGISTER, REJECTED, BY_DESA), ["worker.registered", "check 2", "6408-desa registered"]),
        ((REGISTER, BY_DESA, REJECTED, REGISTER, BY_DESA), ["6408-desa already-registered"]),
        ((REGISTER, BY_DESA, LEAVE, REGISTER, BY_DESA), ["6408-desa attested"]),
        # Updates
        ((("update", {"phone": "1"}),), ["6408-dinsos rejected not-registered"]),
        ((REGISTER, ("update", (KUKAR, {"phone": "1"}))), ["6402-dinsos rejected not-registered"]),
        ((REGISTER, LEAVE, ("update", {"phone": "1"})), ["6408-dinsos rejected not-registered"]),
        ((REGISTER, ("update", {})), ["6408-dinsos already-registered"]),
        ((REGISTER, ("update", {"name": FORM["name"]})), ["6408-dinsos already-registered"]),
        ((REGISTER, ("update", {"occupation": "petani"})), UPDATED),
        ((REGISTER, ("update", {"sex": "M"})), ["worker.updated", "check 2", "6408-dinsos updated !sex-mismatch"]),
        ((REGISTER, VERIFIED, ("update", {"phone": "1"})), [*UPDATED, "6408-dinsos S3 is verified"]),
        ((REGISTER, REJECTED, ("update", {"sex": "F"})), ["worker.registered", "check 2", "6408-dinsos registered"]),
        # Withdrawals
        ((LEAVE,), ["6408-dinsos rejected not-registered"]),
        ((REGISTER, LEAVE), ["worker.withdrawn", "6408-dinsos withdrawn"]),
        ((REGISTER, REJECTED, LEAVE), ["worker.withdrawn", "6408-dinsos withdrawn"]),
        ((REGISTER, LEAVE, LEAVE), ["6408-dinsos rejected not-registered"]),
        # Attestations
        ((ATTEST,), ["6408-desa rejected not-registered"]),
        ((REGISTER, ATTEST), ["6408-desa attested"]),
        ((REGISTER, ATTEST, ATTEST), ["6408-desa attested"]),
        ((REGISTER, REJECTED, ATTEST), ["6408-desa attested", "6408-desa S3 is rejected birth-date-mismatch"]),
        # Verdicts
        ((VERIFIED,), []),
        ((REGISTER, VERIFIED), ["6408-dinsos S1 is verified"]),
        ((REGISTER, VERIFIED, VERIFIED), []),
        ((REGISTER, BY_DESA, HELD), ["6408-dinsos S1 is held name-mismatch", "6408-desa S2 is held name-mismatch"]),
        ((REGISTER, HELD, VERIFIED), ["6408-dinsos S1 is verified"]),
        ((REGISTER, REGISTER, VERIFIED), ["6408-dinsos S1 is verified", "6408-dinsos S2 is verified"]),
        ((REGISTER, HELD, BY_DESA, VERIFIED), ["6408-dinsos S1 is verified", "6408-desa S3 is verified"]),
        ((REGISTER, VERIFIED, ENDED), ["6408-dinsos S1 is rejected wage-earner"]),
        ((REGISTER, ATTEST, VERIFIED), ["6408-dinsos S1 is verified", "6408-desa S2 is verified"]),
        ((REGISTER, BY_DESA, ENDED, REGISTER, VERIFIED_2), ["6408-dinsos S4 is verified", "6408-desa S2 is verified"]),
        ((REGISTER, VERIFIED, ("update", {"name": "SITI"}), VERIFIED_2), ["6408-dinsos S3 is verified"]),
        ((REGISTER, VERIFIED, BY_DESA_NAMED, VERIFIED_2), ["6408-desa S3 is verified", "6408-dinsos S1 is verified"]),
        # Verdicts on a registration that is no longer in force
        ((REGISTER, ("update", {"name": "SITI"}), VERIFIED), []),
        ((REGISTER, LEAVE, VERIFIED), []),
        ((REGISTER, LEAVE, VERIFIED_2), []),
    ],
)  # fmt: skip
def test_every_event_has_its_expected_content(steps: tuple[tuple[str, Any], ...], expected: list[str]) -> None:
    assert told(*steps) == expected


def test_a_nik_in_a_remark_or_a_key_is_not_published() -> None:
    world = World()
    other = "6408040303790001"
    sent = {**FORM, "submission_id": NIK, "occupation": f"nelayan ({other})"}
    registered, _, answer = world.take(intake("worker.register.v1", sent)).outcomes
    assert isinstance(registered.data, WorkerRegistered)
    assert registered.data.occupation == "nelayan"
    assert len(registered.data.submission) == 26
    assert NIK not in registered.data.submission
    assert isinstance(answer.data, SubmissionAnswered)
    assert answer.data.submission_id == NIK
    world.verdict("verified", 1)
    assert not [one for one in world.said if NIK in one.key]


def test_a_new_worker_is_published_without_personal_data_and_checked_with_them() -> None:
    made = World().take(intake("worker.register.v1", {**FORM, **PERSONAL}))
    registered, check, answer = made.outcomes
    assert (registered.topic, registered.key, registered.personal) == ("registration-events", WORKER, False)
    assert registered.data == WorkerRegistered(
        worker_id=WORKER,
        regency="64.08",
        district="64.08.04",
        village="64.08.04.2001",
        sector="fisheries",
        occupation="nelayan",
        sex="F",
        birth_month="1985-07",
        income_base=1_000_000,
        agency="dinsos",
        submission=keyed_name(REFERENCE.id_key, "submission", "agency/64.08/dinsos", "SUB-1"),
    )
    assert (check.topic, check.key, check.personal) == ("identity-checks", WORKER, True)
    asked: Any = check.data
    assert (asked.nik, asked.name, asked.registration_version) == (NIK, "SITI AMINAH", 1)
    assert [(word.agency, word.attested_on) for word in asked.attestations] == [("dinsos", "2026-02-01")]
    assert (answer.topic, answer.key) == ("feedback-6408-dinsos", "SUB-1")
    assert answer.data == SubmissionAnswered(
        submission_id="SUB-1", outcome="registered", reasons=[], warnings=[], worker_id=WORKER
    )


def test_a_new_check_carries_the_attestations_of_all_agencies() -> None:
    world = World()
    world.register()
    world.send("attest", DESA, sector="trade", occupation="pedagang", attested_on="2026-01-05")
    world.send("update", name="SITI")
    words = [(one.agency, one.sector, one.attested_on) for one in world.checks()[-1].attestations]
    assert words == [("dinsos", "fisheries", "2026-02-01"), ("desa", "trade", "2026-01-05")]


def test_the_first_agencys_form_counts() -> None:
    world = World()
    world.register()
    world.register(DESA, name="SITI", occupation="petani")
    world.send("update", birth_place="Bontang")
    check = world.checks()[-1]
    assert (check.name, check.birth_place) == ("SITI AMINAH", "Bontang")


def test_a_refused_row_is_answered_by_its_number_or_by_its_event_and_may_come_again() -> None:
    world = World()
    bad = world.take(intake("worker.register.v1", {**FORM, "name": ""}))
    assert shown(bad) == ["6408-dinsos rejected name-missing"]
    assert bad.outcomes[0].key == "SUB-1"
    assert list(world.documents) == [Address("refusals", "agency/64.08/dinsos|e1")]
    nameless = world.take(intake("worker.register.v1", {**FORM, "submission_id": 5}, event_id="e2"))
    assert nameless.outcomes[0].key == "e2"
    assert shown(world.take(intake("worker.register.v1", FORM, event_id="e3"))) == NEW


def test_data_that_is_no_object_is_answered() -> None:
    made = World().take(intake("worker.register.v1", ["a", "list"]))
    assert shown(made) == ["6408-dinsos rejected field-invalid:data"]


def test_the_same_name_with_other_content_is_refused_beside_the_first() -> None:
    event = intake("worker.register.v1", FORM)
    assert SPEC.conflicting is not None
    routed = SPEC.conflicting(event)
    assert routed.address == Address("refusals", "agency/64.08/dinsos|e1|hash")
    made = decide.decide(None, event.with_data(routed.data), FACTS)
    assert shown(made) == ["6408-dinsos rejected conflicting-duplicate"]


def test_an_input_of_no_agency_gets_no_feedback() -> None:
    event = replace(intake("worker.register.v1", FORM), source="officer/x", topic="registration-intake-test")
    (routed,) = decide.route(event, REFERENCE)
    assert isinstance(routed.data, RefusedSubmission)
    made = decide.decide(None, event.with_data(routed.data), FACTS)
    assert (made.outcomes, made.ignored) == ((), "no-agency")
    assert isinstance(made.state, Refusal)


def test_a_flooding_agency_keeps_a_bounded_list_and_every_agency_is_answered() -> None:
    world = World()
    last = world.register(DESA)
    for _ in range(3 * WAITING_MAX):
        last = world.register()
    assert last == ["6408-dinsos already-registered"]
    said = world.verdict("verified")
    assert len(said) == WAITING_MAX + 1
    assert f"6408-dinsos S{world.events - 1} is verified" in said
    assert "6408-desa S1 is verified" in said


def test_personal_data_is_nowhere_in_the_clear() -> None:
    world = World()
    made = world.take(intake("worker.register.v1", {**FORM, **PERSONAL}))
    world.take(intake("worker.register.v1", {**FORM, **PERSONAL}, DESA, "e2"))
    assert isinstance(made.state, Worker)
    stored = repr(world.documents)
    open_events = " ".join(one.data.model_dump_json() + one.key for one in world.said if not one.personal)
    secrets = [NIK, "SITI AMINAH", "1985-07-01", "Sangatta", "Halimah", "+62812000111", "Gang Buntu", "Rahmat"]
    assert [secret for secret in secrets if secret in stored or secret in open_events] == []
