"""Verdicts: a source's answer to a check gives exactly this verdict; one line for each rule, by precedence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.verification.domain import decide, policy
from services.verification.domain.decide import Facts
from services.verification.domain.rules import SnapshotPerson
from services.verification.domain.state import CheckStatus, Identity, SideFacts
from shared.contracts.claims import WorkerDied
from shared.contracts.registration import IdentityCheckRequested, WorkerEmployed, WorkerJobEnded, WorkerWithdrawn
from shared.contracts.verification_work import DukcapilAnswered
from shared.kernel.decision import Decision
from shared.kernel.event import Event

# 30 June 2026, 23:30 UTC is 1 July in WITA.
AT = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
LATER = datetime(2026, 7, 20, tzinfo=UTC)
NAME = "SITI AMINAH"
NOBODY = Facts({})
EMPLOYED = WorkerEmployed(worker_id="w", nik="6408044107850002", employer="NPP1", started_on="2026-07-03")
JOB_ENDED = WorkerJobEnded(worker_id="w", employer="NPP1", ended_on="2026-07-19")
DIED = WorkerDied(worker_id="w", regency="64.08", died_on="2026-07-02")
WITHDRAWN = WorkerWithdrawn(
    worker_id="w",
    regency="64.08",
    district="64.08.04",
    village="64.08.04.2001",
    sector="fisheries",
    reason="moved",
    effective_on="2026-07-09",
)


def check(version: int = 1, **changed: Any) -> IdentityCheckRequested:
    fields: dict[str, Any] = {
        "worker_id": "w",
        "regency": "64.08",
        "nik": "6408044107850002",
        "name": NAME,
        "birth_date": "1985-07-01",
        "sex": "F",
        "district": "64.08.04",
        "village": "64.08.04.2001",
        "sector": "fisheries",
        "income_base": 1_000_000,
        "registration_version": version,
    }
    return IdentityCheckRequested(**{**fields, **changed})


def snapshot(**changed: str) -> Facts:
    fields: dict[str, Any] = {"status": "alive", "name": NAME, "birth_date": "1985-07-01", "sex": "F", "version": "7"}
    return Facts({("64.08", "w"): SnapshotPerson(**{**fields, **changed})})


def answer(status: Any = "alive", version: int = 1, score: int | None = 100, **changed: Any) -> DukcapilAnswered:
    matched: dict[str, Any] = {"birth_date_matches": True, "sex_matches": True, **changed}
    return DukcapilAnswered(worker_id="w", registration_version=version, status=status, score=score, **matched)


def when(state: Any, data: Any, facts: Facts = NOBODY, at: datetime = AT, sequence: int | None = None) -> Any:
    event = Event(
        id="e1",
        source="payung/registration",
        type="t",
        data=data,
        at=at,
        topic="t",
        content_hash="h",
        correlation_id="first",
        sequence=sequence,
    )
    (part,) = decide.route(event, None)
    assert (part.address.collection, part.address.id) == ("identities", "w")
    made = decide.decide(state, event, facts)
    pending = isinstance(made.state, Identity) and made.state.status is CheckStatus.PENDING
    assert (made.due is not None) == pending or made.state is None, "pending exactly when due"
    return made


def said(made: Decision[Any]) -> list[tuple[str, list[str]]]:
    return [(one.type, list(getattr(one.data, "reasons", []))) for one in made.outcomes]


def verified() -> Identity:
    found = when(None, check(), snapshot(), sequence=2).state
    assert isinstance(found, Identity)
    return found


def held(status: str = "double", name: str = NAME) -> Identity:
    found = when(None, check(), snapshot(status=status, name=name), sequence=2).state
    assert isinstance(found, Identity)
    assert found.status is CheckStatus.HELD
    return found


def pending(version: int = 1) -> Identity:
    found = when(None, check(version), sequence=2).state
    assert isinstance(found, Identity)
    assert found.status is CheckStatus.PENDING
    return found


WRONG = {"birth_date": "1985-07-02", "sex": "M", "name": "JOKO WIDODO"}
MISMATCHES = ["birth-date-mismatch", "sex-mismatch", "name-mismatch"]


@pytest.mark.parametrize(
    ("register", "kind", "reasons"),
    [
        ({"status": "deceased", **WRONG}, "rejected", ["deceased"]),
        ({"status": "double", **WRONG}, "held", ["duplicate-identity"]),
        ({"status": "inactive", **WRONG}, "held", ["inactive-identity"]),
        (WRONG, "rejected", MISMATCHES),
        ({**WRONG, "birth_date": "2010-01-01"}, "rejected", [*MISMATCHES, "too-young"]),
        ({**WRONG, "birth_date": "1940-01-01"}, "rejected", [*MISMATCHES, "too-old"]),
        ({"birth_date": "1985-07-02"}, "rejected", ["birth-date-mismatch"]),
        ({"sex": "M", "name": "SITI AMIN"}, "rejected", ["sex-mismatch"]),
        ({"name": "SITI AMIN"}, "verified", []),
        ({"name": "Hj. Siti Aminah, S.Pd."}, "verified", []),
        ({"name": "AMINAH SITI"}, "verified", []),
        ({"name": "SITI RAHMAH"}, "held", ["name-mismatch"]),
        ({}, "verified", []),
    ],
)
def test_a_snapshot_settles_a_check_at_once(register: dict[str, str], kind: str, reasons: list[str]) -> None:
    made = when(None, check(), snapshot(**register))
    assert said(made) == [(f"identity.{kind}.v1", reasons)]
    assert made.state.evidence == ("snapshot:7",)


@pytest.mark.parametrize(
    ("answered", "kind", "reasons"),
    [
        (answer("malformed", score=None), "rejected", ["nik-malformed"]),
        (answer("not-found", score=None), "rejected", ["not-found"]),
        (answer("deceased", score=None), "rejected", ["deceased"]),
        (answer("double", score=None), "held", ["duplicate-identity"]),
        (answer("inactive", score=None), "held", ["inactive-identity"]),
        (answer(score=59, birth_date_matches=False, sex_matches=False), "rejected", MISMATCHES),
        (answer(score=0), "rejected", ["name-mismatch"]),
        (answer(score=59), "rejected", ["name-mismatch"]),
        (answer(score=60), "held", ["name-mismatch"]),
        (answer(score=84), "held", ["name-mismatch"]),
        (answer(score=85), "verified", []),
    ],
)
def test_dukcapil_is_asked_about_workers_in_no_snapshot(
    answered: DukcapilAnswered, kind: str, reasons: list[str]
) -> None:
    waiting = when(None, check())
    assert waiting.outcomes == ()
    assert waiting.due is not None
    assert (waiting.due.id, waiting.due.kind, waiting.due.at) == ("dukcapil:w:1", "dukcapil", AT)
    assert waiting.due.data == {"correlation_id": "first"}
    made = when(waiting.state, answered, at=LATER)
    assert said(made) == [(f"identity.{kind}.v1", reasons)]
    assert made.state.evidence == ("dukcapil",)


@pytest.mark.parametrize(
    ("born", "reasons"),
    [
        ("2008-07-01", []),  # 18 on the day of the check, in WITA
        ("2008-07-02", ["too-young"]),
        ("1961-07-02", []),
        ("1961-07-01", ["too-old"]),  # 65 on that day
        ("1961-02-29", ["birth-date-mismatch"]),  # no such day; its age is not guessed
    ],
)
def test_age_is_judged_on_the_day_of_the_check_even_if_the_answer_is_late(born: str, reasons: list[str]) -> None:
    by_snapshot = when(None, check(birth_date=born), snapshot(birth_date="1985-07-01" if "02-29" in born else born))
    assert said(by_snapshot)[0][1] == reasons
    waiting = when(None, check(birth_date=born)).state
    late = when(waiting, answer(birth_date_matches="02-29" not in born), at=LATER)
    assert said(late)[0][1] == reasons


def test_the_birth_date_of_the_register_gives_the_age() -> None:
    made = when(None, check(birth_date="1985-07-01"), snapshot(birth_date="2015-07-01"))
    assert said(made)[0][1] == ["birth-date-mismatch", "too-young"]


def test_a_verified_identity_carries_what_the_others_need() -> None:
    (outcome,) = when(None, check(), snapshot(name="SITI AMINA")).outcomes
    assert (outcome.topic, outcome.key) == ("verification-events", "w")
    assert outcome.data.model_dump() == {
        "worker_id": "w",
        "regency": "64.08",
        "district": "64.08.04",
        "village": "64.08.04.2001",
        "sector": "fisheries",
        "sex": "F",
        "birth_month": "1985-07",
        "income_base": 1_000_000,
        "segment": "BPU",
        "evidence": ["snapshot:7"],
        "score": 95,
        "valid_until": "2027-07-01",
        "registration_version": 1,
        "warnings": [],
        "policy": policy.shipped().version,
    }


def test_two_versions_in_one_batch_are_each_judged_by_their_own_name() -> None:
    facts = snapshot()
    first = when(None, check(1, name="JOKO WIDODO"), facts)
    second = when(first.state, check(2), facts)
    assert said(first) == [("identity.rejected.v1", ["name-mismatch"])]
    assert said(second) == [("identity.verified.v1", [])]


def test_a_snapshot_of_another_regency_does_not_count() -> None:
    made = when(None, check(regency="64.02"), snapshot())
    assert made.state.status is CheckStatus.PENDING


@pytest.mark.parametrize("late", [check(1), check(2), answer(version=1)])
def test_a_newer_request_waits_although_an_older_one_is_answered(late: Any) -> None:
    waiting = pending(version=2)
    made = when(waiting, late)
    assert (made.state, made.outcomes, made.ignored) == (waiting, (), "older-registration-version")
    assert made.due is not None
    assert made.due.id == "dukcapil:w:2"


def test_an_answer_before_its_question_is_not_remembered() -> None:
    """A restored store may read the answer first. The question is then asked again, and its answer has the same name
    and must be taken.
    """
    assert when(pending(version=2), answer(version=3)) == Decision(state=None, ignored="worker-unknown")


def test_a_newer_request_replaces_the_old_one_and_is_judged_again() -> None:
    made = when(held(), check(2, sector="trade"), snapshot())
    assert said(made) == [("identity.verified.v1", [])]
    assert made.outcomes[0].data.registration_version == 2
    assert made.outcomes[0].data.sector == "trade"


def test_a_second_answer_changes_nothing() -> None:
    done = when(pending(), answer()).state
    assert when(done, answer(score=0)) == Decision(state=done, ignored="older-registration-version")


def test_an_answer_about_an_unknown_worker_leaves_no_document() -> None:
    assert when(None, answer()) == Decision(state=None, ignored="worker-unknown")


@pytest.mark.parametrize(
    ("given", "fact", "expected", "effective_on"),
    [
        (verified(), EMPLOYED, ("identity.ended.v1", ["wage-earner"]), "2026-07-03"),
        (verified(), DIED, ("identity.ended.v1", ["deceased"]), "2026-07-02"),
        (verified(), WITHDRAWN, ("identity.ended.v1", ["withdrawn"]), "2026-07-09"),
        (held(), DIED, ("identity.rejected.v1", ["deceased"]), "2026-07-02"),
        (held(), WITHDRAWN, ("identity.ended.v1", ["withdrawn"]), "2026-07-09"),
        (held(name="SITI RAHMAH", status="alive"), EMPLOYED, ("identity.rejected.v1", ["wage-earner"]), "2026-07-20"),
        (pending(), DIED, ("identity.rejected.v1", ["deceased"]), "2026-07-02"),
        (replace(pending(), told=CheckStatus.VERIFIED), WITHDRAWN, ("identity.ended.v1", ["withdrawn"]), "2026-07-09"),
    ],
)
def test_what_ends_eligibility(given: Identity, fact: Any, expected: Any, effective_on: str) -> None:
    made = when(given, fact, at=LATER, sequence=3)
    assert said(made) == [expected]
    assert made.outcomes[0].data.effective_on == effective_on


@pytest.mark.parametrize(
    ("given", "fact", "status"),
    [
        (held("double"), EMPLOYED, CheckStatus.HELD),  # the double record decides first
        (held("inactive"), EMPLOYED, CheckStatus.HELD),
        (pending(), EMPLOYED, CheckStatus.PENDING),  # Dukcapil's answer may decide first
        (
            when(verified(), EMPLOYED).state,
            JOB_ENDED,
            CheckStatus.ENDED,
        ),  # only a new registration brings the worker back
        (verified(), JOB_ENDED, CheckStatus.VERIFIED),
        (pending(), WITHDRAWN, CheckStatus.ENDED),  # no verdict was published
        (when(verified(), DIED).state, EMPLOYED, CheckStatus.ENDED),
        (when(verified(), EMPLOYED).state, DIED, CheckStatus.ENDED),
        (when(None, check(), snapshot(status="deceased"), sequence=2).state, WITHDRAWN, CheckStatus.REJECTED),
    ],
)
def test_what_is_only_noted(given: Identity, fact: Any, status: CheckStatus) -> None:
    made = when(given, fact, at=LATER, sequence=3)
    assert made.outcomes == ()
    assert made.state.status is status


def test_a_wage_job_known_first_rejects_with_every_reason() -> None:
    early = when(None, EMPLOYED).state
    assert early == SideFacts(wage_earner=True)
    assert said(when(early, check(), snapshot())) == [("identity.rejected.v1", ["wage-earner"])]
    wrong = when(early, check(), snapshot(sex="M"))
    assert said(wrong) == [("identity.rejected.v1", ["sex-mismatch", "wage-earner"])]
    waiting = when(when(None, check()).state, EMPLOYED).state
    assert said(when(waiting, answer(score=70))) == [("identity.rejected.v1", ["wage-earner"])]


def test_a_worker_comes_back_after_the_job_is_over() -> None:
    ended = when(verified(), EMPLOYED).state
    assert said(when(ended, check(2), snapshot(), sequence=6)) == [("identity.rejected.v1", ["wage-earner"])]
    free = when(ended, JOB_ENDED, at=LATER).state
    assert said(when(free, check(2), snapshot(), sequence=6)) == [("identity.verified.v1", [])]
    # Also when both were read before any check; a new job excludes them again.
    early = when(when(None, EMPLOYED).state, JOB_ENDED).state
    assert said(when(early, check(), snapshot())) == [("identity.verified.v1", [])]
    assert said(when(when(early, EMPLOYED).state, check(), snapshot())) == [("identity.rejected.v1", ["wage-earner"])]


def test_a_death_known_first_rejects_without_asking() -> None:
    early = when(None, DIED).state
    assert said(when(early, check())) == [("identity.rejected.v1", ["deceased"])]


def test_a_check_older_than_a_withdrawal_is_void_and_a_newer_one_is_not() -> None:
    gone = when(None, WITHDRAWN, sequence=5).state
    void = when(gone, check(1), snapshot(), sequence=4)
    assert (void.state.status, void.outcomes, void.ignored) == (CheckStatus.ENDED, (), "withdrawn-since")
    assert said(when(void.state, check(2), snapshot(), sequence=6)) == [("identity.verified.v1", [])]
    back = when(None, check(2), snapshot(), sequence=6).state
    assert when(back, WITHDRAWN, sequence=5).state.status is CheckStatus.VERIFIED
