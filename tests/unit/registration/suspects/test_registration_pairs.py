"""Two workers who may be one person: blocked, merged, separated again; and time passing in a worker's life."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.registration.stickers.domain.rules import revoked
from services.registration.stickers.domain.state import Sticker
from services.registration.stream import SPEC
from services.registration.suspects.domain.pairs import pair_id
from services.registration.suspects.domain.state import Pair
from services.registration.workers.domain import history, lifecycle
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.contracts.registration import DecideSuspect
from shared.contracts.registration_work import RecheckDue, SuspicionFound, SuspicionGone
from shared.kernel.calendar import WITA
from shared.kernel.decision import Address
from shared.kernel.event import Event
from shared.kernel.identity import worker_id
from tests.property.registration_world import AT, KEY, NIK, WORKER, World, shown
from tests.toy import CIPHER

NIK_2 = "6408044107850003"
OTHER = worker_id(KEY, NIK_2)
FIRST, SECOND = sorted((WORKER, OTHER))
DINSOS, DESA = "64.08/dinsos", "64.08/desa"
MERGE = {"decision": "merge", "keep": WORKER}


def found(world: World, score: int = 90) -> list[Any]:
    part = SuspicionFound(
        first=FIRST, second=SECOND, score=score, reasons=["name"], regencies=["64.08"], villages=["64.08.04.2001"]
    )
    return shown(world.take(world.step("suspicion.found.v1", part, f"f{score}-{world.events}"))) + world.settle()


def gone(world: World) -> list[Any]:
    part = SuspicionGone(first=FIRST, second=SECOND)
    return shown(world.take(world.step("suspicion.gone.v1", part, f"g{world.events}"))) + world.settle()


def decide(world: World, source: str = "officer/rina", **fields: Any) -> list[Any]:
    world.events += 1
    given = {"first": SECOND, "second": FIRST, "officer": "rina", "reason": "KTP dilihat", **fields}
    event = Event(
        id=f"d{world.events}",
        source=source,
        type="suspect.decide.v1",
        data=DecideSuspect(given),
        at=world.at,
        topic="registration-work",
        content_hash="h",
    )
    return shown(world.take(event)) + world.settle()


def two(world: World) -> None:
    world.register()
    world.register(DESA, nik=NIK_2, name="ST. AMINAH")


def worker(world: World, key: str = WORKER) -> Worker:
    state = SPEC.stored["workers"].decode(world.documents[Address("workers", key)], CIPHER)
    assert isinstance(state, Worker)
    return state


def pair(world: World) -> Pair:
    state = SPEC.stored["suspects"].decode(world.documents[Address("suspects", pair_id(WORKER, OTHER))], CIPHER)
    assert isinstance(state, Pair)
    return state


def test_a_suspicion_blocks_both_and_a_decision_clears_both() -> None:
    world = World()
    two(world)
    assert found(world)[2:] == ["worker.suspected", "worker.suspected"]
    assert worker(world).suspected == (OTHER,)
    assert found(world) == []
    said = decide(world, decision="different")
    assert said[0] == "suspect.decided"
    assert said[3:] == ["worker.cleared", "worker.cleared"]
    assert found(world, 95) == []
    made = pair(world).decisions[0]
    assert (made.decision, made.officer, made.reason, made.decided_at) == ("different", "rina", "KTP dilihat", AT)
    assert decide(world, decision="reopen")[3:] == ["worker.suspected", "worker.suspected"]


def test_forms_that_differ_again_clear_both_until_they_are_alike() -> None:
    world = World()
    two(world)
    found(world)
    assert gone(world)[2:] == ["worker.cleared", "worker.cleared"]
    world.events += 1
    assert found(world)[2:] == ["worker.suspected", "worker.suspected"]


def test_an_older_message_about_a_suspicion_changes_nothing() -> None:
    world = World()
    two(world)
    found(world)
    opened: list[Any] = [one.data for one in world.said if one.type == "suspicion.stands.v1"]
    gone(world)
    stale = next(one for one in opened if one.worker_id == WORKER)
    assert shown(world.take(world.step("suspicion.stands.v1", stale, "late", 1))) == []
    assert worker(world).suspected == ()


def test_a_merge_withdraws_one_worker_and_an_unmerge_restores_them() -> None:
    world = World()
    two(world)
    world.verdict("verified")
    found(world)
    said = decide(world, **MERGE)
    assert "worker.withdrawn" in said
    assert "6408-desa S2 is rejected duplicate-identity" in said
    left: Any = next(one.data for one in world.said if one.type == "worker.withdrawn.v1")
    assert (left.worker_id, left.merged_into, left.reason) == (OTHER, WORKER, "other")
    assert left.effective_on == "2026-01-31", "no month is billed of a worker who never was"
    assert (worker(world, OTHER).status, worker(world, OTHER).merged_into) == (WorkerStatus.MERGED, WORKER)
    assert [(one.agency, one.via) for one in worker(world).words] == [("dinsos", ""), ("desa", OTHER)]
    assert worker(world).status is WorkerStatus.VERIFIED
    back = decide(world, decision="unmerge")
    assert "worker.registered" in back
    assert "check 3" in back
    assert [one.agency for one in worker(world).words] == ["dinsos"]
    assert worker(world, OTHER).status is WorkerStatus.CHECKING
    assert pair(world).status == "different"


def test_a_merged_worker_is_answered_with_the_worker_who_stays() -> None:
    world = World()
    two(world)
    found(world)
    decide(world, **MERGE)
    assert world.register(DESA, nik=NIK_2) == ["6408-desa already-registered !duplicate-identity"]
    assert world.register(DINSOS, nik=NIK_2) == ["6408-dinsos attested !duplicate-identity"]
    answer: Any = world.said[-1].data
    assert answer.worker_id == WORKER
    assert world.send("update", nik=NIK_2, phone="1") == ["6408-dinsos rejected duplicate-identity"]
    assert world.register("64.02/dinsos", nik=NIK_2, village="64.02.01.2001") == [
        "6402-dinsos rejected registered-elsewhere"
    ]


@pytest.mark.parametrize(
    ("fields", "reasons"),
    [
        ({"decision": "merge"}, ["field-missing:keep"]),
        ({"decision": "merge", "keep": "x"}, ["field-invalid:keep"]),
        ({"decision": "perhaps"}, ["field-invalid:decision"]),
        ({"decision": "different", "reason": " "}, ["field-missing:reason"]),
        ({"decision": "unmerge"}, ["not-eligible"]),
        ({"decision": "different", "first": "a" * 26, "second": "b" * 26}, ["not-registered"]),
        ({"decision": "different", "source": "agency/64.08/dinsos"}, ["field-invalid:source"]),
    ],
)
def test_a_decision_that_cannot_be_taken_is_refused_with_its_reasons(fields: Any, reasons: list[str]) -> None:
    world = World()
    two(world)
    found(world)
    assert decide(world, **fields) == ["suspect.decide.refused"]
    refused: Any = world.said[-1].data
    assert refused.reasons == reasons
    assert pair(world).status == "open"


def test_a_nik_in_place_of_a_worker_id_is_not_published() -> None:
    world = World()
    assert decide(world, first="6408044107850002", decision="different", reason="x") == ["suspect.decide.refused"]
    refused: Any = world.said[-1].data
    assert (refused.first, refused.reasons) == (None, ["field-invalid:first"])


def test_an_officers_words_are_sealed() -> None:
    world = World()
    two(world)
    found(world)
    decide(world, decision="different", officer="Rina Marlina", reason="ibu Halimah kenal keduanya")
    assert not [one for one in ("Rina", "Halimah") if one in repr(world.documents)]


def due(world: World) -> Any:
    return lifecycle.due_of(WORKER, worker(world))


def test_a_verified_worker_is_checked_again_before_the_verdict_lapses() -> None:
    world = World()
    world.register()
    assert due(world) is None
    world.verdict("verified")  # valid until 2027-01-01
    assert "2026-12-05" <= due(world).at.astimezone(WITA).date().isoformat() <= "2026-12-18"
    assert due(world).at.astimezone(WITA).hour == 0
    data = RecheckDue(worker_id=WORKER, registration_version=1)
    assert shown(world.take(world.step("worker.recheck-due.v1", data, due(world).id))) == ["check 2"]
    assert due(world) is None
    assert shown(world.take(world.step("worker.recheck-due.v1", data, "again"))) == []
    assert world.verdict("rejected", 2, "too-old") == ["6408-dinsos S1 is rejected too-old"]
    assert due(world) is None


@pytest.mark.parametrize(
    ("born", "day"),
    [("1961-02-02", "2026-02-02"), ("1961-06-30", "2026-06-30"), ("1964-02-29", "2026-12-05")],
)
def test_the_65th_birthday_comes_first_in_wita(born: str, day: str) -> None:
    world = World()
    world.register(birth_date=born)
    world.verdict("verified")
    assert due(world).at.astimezone(WITA).date().isoformat() <= "2026-12-18"
    if day != "2026-12-05":
        assert due(world).at.astimezone(WITA).isoformat() == f"{day}T00:00:00+08:00"


def test_a_65th_birthday_during_silence_of_dukcapil_is_checked_the_day_after_its_answer() -> None:
    world = World()
    world.register(birth_date="1961-02-03")
    world.at = AT + timedelta(days=10)
    world.verdict("verified")
    assert due(world).at.astimezone(WITA).isoformat() == "2026-02-12T00:00:00+08:00"
    world.at = AT + timedelta(days=11)
    data = RecheckDue(worker_id=WORKER, registration_version=1)
    assert shown(world.take(world.step("worker.recheck-due.v1", data, due(world).id))) == ["check 2"]
    # A regency whose policy keeps older workers: this check was requested after the birthday, so it is not requested
    # again.
    world.verdict("verified", 2)
    assert due(world).at.astimezone(WITA).date().isoformat() >= "2026-12-05"


def test_a_verdict_that_lapses_on_a_birthday_is_requested_again_on_that_day() -> None:
    # A policy's own age limit appears in the last day of its verdicts. In this world that is 1 January 2027.
    world = World()
    world.register(birth_date="1967-01-01")
    world.verdict("verified")
    assert due(world).at.astimezone(WITA).isoformat() == "2027-01-01T00:00:00+08:00"


# 330 days after 1 February is 28 December: the renewal of 1 January is over.
def test_a_short_validity_causes_no_endless_loop() -> None:
    world = World()
    world.register(birth_date="1950-01-02")
    world.at = AT + timedelta(days=330)
    world.verdict("verified")
    assert due(world).at.astimezone(WITA).date().isoformat() == "2026-12-29"


def test_other_inputs_leave_the_due_work_as_it_is() -> None:
    world = World()
    world.register()
    world.verdict("verified")
    before = due(world)
    world.register(DESA)
    found(world)
    assert due(world) == before
    world.send("withdraw", reason="moved", date="2026-02-01")
    assert due(world) is None


def test_a_worker_moves_to_another_regency_and_comes_back() -> None:
    world = World()
    world.register()
    world.verdict("verified")
    assert world.send("update", village="64.08.04.2011")[:2] == ["worker.updated", "check 2"]
    assert world.register("64.02/dinsos", village="64.02.01.2001") == ["6402-dinsos rejected registered-elsewhere"]
    world.send("withdraw", reason="moved", date="2026-02-01")
    assert world.register("64.02/dinsos", village="64.02.01.2001")[0] == "worker.registered"
    assert (worker(world).regency, worker(world).opened_on) == ("64.02", "2026-02-01")
    assert worker(world).form.nik == NIK


def test_a_returning_worker_has_a_new_registration_and_the_old_sticker_stays_revoked() -> None:
    world = World()
    world.register()
    world.verdict("verified")
    first = worker(world)
    hung = Sticker(
        worker_id=WORKER,
        opened_on=first.opened_on,
        regency="64.08",
        district="64.08.04",
        village="64.08.04.2001",
        issued_on="2026-02-01",
        valid_until="2026-12-31",
    )
    assert not revoked(hung, first)
    world.at = AT + timedelta(days=5)
    world.send("withdraw", reason="moved", date="2026-02-05")
    assert revoked(hung, worker(world))
    world.at = AT + timedelta(days=20)
    world.register()
    back = worker(world)
    assert (back.opened_on, history.known_since(back)) == ("2026-02-21", "2026-02-01")
    assert history.as_of(back, AT + timedelta(days=1))[0].opened_on == "2026-02-01"
    assert revoked(hung, back)
    # Sent again or changed, it is the same registration.
    world.at = AT + timedelta(days=30)
    world.register(name="SITI AMINAH R")
    assert worker(world).opened_on == "2026-02-21"


def test_a_returned_worker_who_was_a_double_is_billed_for_no_month() -> None:
    world = World()
    two(world)
    world.send("withdraw", DESA, nik=NIK_2, reason="moved", date="2026-02-05")
    world.at = AT + timedelta(days=40)
    world.register(DESA, nik=NIK_2, name="ST. AMINAH")
    found(world)
    decide(world, **MERGE)
    left: Any = next(one.data for one in reversed(world.said) if one.type == "worker.withdrawn.v1")
    assert left.effective_on == "2026-01-31"
