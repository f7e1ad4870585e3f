"""Policy as data: what is accepted, what is refused and why, which policy judges, and what each field changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from payung import policy as files
from payung.installations import CommandError
from services.verification.adapters import loading
from services.verification.domain import policy
from services.verification.domain.policy import Policies, Policy, PolicyError
from services.verification.domain.rules import Poverty, identity_valid_until, valid_until
from services.verification.domain.standing import Facts
from services.verification.domain.state import CheckStatus
from services.verification.facts import policies
from shared.contracts.registration import Attestation
from shared.runtime import clock
from tests.fakes.memory import MemoryStore
from tests.toy import CIPHER
from tests.unit.verification.test_verification_decide import AT, EMPLOYED, check, said, snapshot, when

LAW = {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup 29/2024"}
BEFORE = AT - timedelta(days=1)


def own(**changed: Any) -> Policy:
    return policy.read({**LAW, **changed})


def under(given: Policy, facts: Facts | None = None, **more: Any) -> Facts:
    base = facts or snapshot()
    return Facts(people=base.people, policies=Policies(((BEFORE, given),)), **more)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"legal_basis": None}, "legal_basis"),
        ({"regency": "6408"}, "regency"),
        ({"regency": "6408", "legal_basis": "x"}, "regency"),
        ({"name_pass_from": 101}, "name_pass_from"),
        ({"name_hold_from": 90}, "name_hold_from"),
        ({"age_min": 70}, "age_min"),
        ({"sources": []}, "sources"),
        ({"sources": ["internet"]}, "sources"),
        ({"sources": ["dukcapil", "dukcapil"]}, "sources"),
        ({"valid_from": "2026-02-30"}, "valid_from"),
        ({"valid_months": 0}, "valid_months"),
        ({"treshold": 90}, "treshold"),
        ({"four_eyes": ["wage-earner"]}, "four_eyes"),
        ({"four_eyes": ["*"], "deciders": ["ani"]}, "deciders"),
        ({"attesting": {"mining": ["esdm"]}}, "attesting.mining"),
        ({"version": "mine"}, "version"),
    ],
)
def test_an_impossible_policy_is_refused_with_the_wrong_place(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        own(**changed)


def test_missing_fields_are_the_shipped_ones_and_a_version_names_the_content() -> None:
    given = own(age_min=17)
    assert (given.name_pass_from, given.age_max_exclusive, given.sources) == (85, 65, ("snapshot", "dukcapil"))
    assert given.version.startswith("64.08@2026-01-01#")
    assert given.version == own(age_min=17).version != own().version
    assert policy.read(policy.plain(given)) == given
    assert json.loads(json.dumps(policy.plain(given)))["valid_from"] == "2026-01-01"


def test_the_regencys_own_policy_comes_first_then_the_latest_start_then_the_latest_load() -> None:
    def at(day: int) -> datetime:
        return datetime(2026, 1, day, tzinfo=UTC)

    everyone = policy.read({**LAW, "regency": "*", "age_min": 15})
    first, second, later = own(age_min=16), own(age_min=17), own(age_min=18, valid_from="2026-02-01")
    known = Policies(((at(1), everyone), (at(2), first), (at(3), second), (at(4), later)))
    for now, expected in [
        (at(1) - timedelta(seconds=1), policy.shipped()),
        (at(1), everyone),
        (at(2), first),
        (at(3), second),
        (at(30), second),
        (datetime(2026, 1, 31, 16, tzinfo=UTC), later),  # midnight in WITA
    ]:
        assert known.at("64.08", now) == expected
    assert known.at("64.02", at(30)) == everyone
    newest = policy.read({**LAW, "regency": "*", "valid_from": "2026-02-15"})
    own_still = Policies((*known.loaded, (at(5), newest)))
    assert own_still.at("64.08", at(31) + timedelta(days=30)) == later, "its own outranks a later one of everyone's"
    assert own_still.at("64.02", at(31) + timedelta(days=30)) == newest
    assert known.named(first.version) == first
    assert known.named("x") is None
    assert known.named(policy.shipped().version) == policy.shipped()


@pytest.mark.parametrize(
    ("changed", "register", "verdict", "reasons"),
    [
        ({"name_pass_from": 75}, {"name": "SITI RAHMAH"}, "verified", []),
        ({"name_hold_from": 82}, {"name": "SITI RAHMAH"}, "rejected", ["name-mismatch"]),
        ({"age_min": 41}, {}, "verified", []),
        ({"age_min": 42}, {}, "rejected", ["too-young"]),
        ({"age_max_exclusive": 41}, {}, "rejected", ["too-old"]),
        ({"residence_required": True}, {"village": "64.02.01.2001"}, "rejected", ["village-outside"]),
        ({"residence_required": True}, {"village": "64.08.01.2001"}, "verified", []),
        ({}, {"village": "64.02.01.2001"}, "verified", []),
    ],
)
def test_each_number_of_the_policy_decides(
    changed: dict[str, Any], register: dict[str, str], verdict: str, reasons: list[str]
) -> None:
    given = own(**changed)
    made = when(None, check(), under(given, snapshot(**register)))
    assert said(made) == [(f"identity.{verdict}.v1", reasons)]
    assert made.outcomes[0].data.policy == given.version


@pytest.mark.parametrize(
    ("born", "limit", "until"),
    [
        ("1985-07-01", 65, "2027-01-05"),
        ("1961-05-20", 65, "2026-05-20"),
        ("1966-05-20", 60, "2026-05-20"),
        # On the last day of the verdict, and after it: the verdict ends first.
        ("1962-01-05", 65, "2027-01-05"),
        ("1962-01-06", 65, "2027-01-05"),
        ("1964-02-29", 62, "2026-03-01"),
    ],
)
def test_a_verdict_is_valid_until_the_birthday_of_the_policys_age_limit(born: str, limit: int, until: str) -> None:
    assert identity_valid_until("2026-01-05", born, own(age_max_exclusive=limit)) == until


def test_another_regencys_policy_does_not_judge() -> None:
    made = when(None, check(), under(policy.read({**LAW, "regency": "64.02", "age_min": 60})))
    assert said(made) == [("identity.verified.v1", [])]
    assert made.outcomes[0].data.policy == policy.shipped().version


def test_a_check_is_judged_by_the_policy_of_its_request_even_if_the_answer_is_late() -> None:
    from tests.unit.verification.test_verification_decide import LATER, answer

    old, new = own(), own(name_pass_from=100)
    known = Policies(((BEFORE, old), (AT + timedelta(seconds=1), new)))
    waiting = when(None, check(), Facts({}, known)).state
    assert waiting.policy == old.version
    made = when(waiting, answer(score=85), Facts({}, known), at=LATER)
    assert (said(made), made.outcomes[0].data.policy) == ([("identity.verified.v1", [])], old.version)


def test_the_order_of_the_registers_is_the_policys() -> None:
    first = when(None, check(), under(own(sources=["dukcapil", "snapshot"])))
    assert first.state.status is CheckStatus.PENDING
    alone = own(sources=["snapshot"])
    assert said(when(None, check(), Facts({}, Policies(((BEFORE, alone),))))) == [
        ("identity.held.v1", ["source-unavailable"])
    ]
    known = Facts({}, Policies(((BEFORE, alone),)), snapshots={"64.08": "7"})
    made = when(None, check(), known)
    assert (said(made), made.state.evidence) == ([("identity.rejected.v1", ["not-found"])], ("snapshot:7",))


def attested(agency: str) -> Attestation:
    return Attestation(agency=agency, sector="fisheries", occupation="nelayan", attested_on="2026-01-01")


def test_an_attestation_is_required_when_the_policy_says_so() -> None:
    given = own(required=["attestation"], attesting={"fisheries": ["perikanan"]})
    missing = when(None, check(attestations=[attested("desa")]), under(given))
    assert said(missing) == [("identity.held.v1", ["attestation-missing"])]
    there = when(None, check(attestations=[attested("desa"), attested("perikanan")]), under(given))
    assert there.outcomes[0].data.evidence == ["snapshot:7", "attestation:perikanan"]
    anyone = own(required=["attestation"])
    assert said(when(None, check(attestations=[attested("desa")]), under(anyone))) == [("identity.verified.v1", [])]


@pytest.mark.parametrize(
    ("decile", "limit", "reasons"), [(4, 4, []), (5, 4, ["poverty-data-missing"]), (None, 4, ["poverty-data-missing"])]
)
def test_poverty_data_counts_up_to_the_policys_decile(decile: int | None, limit: int, reasons: list[str]) -> None:
    line = Poverty(source="DTSEN", version="2026-1", decile=decile)
    facts = under(own(required=["dinsos"], decile_max=limit), poverty={("64.08", "w"): line})
    made = when(None, check(), facts)
    assert said(made)[0][1] == reasons
    assert made.outcomes[0].type == ("identity.held.v1" if reasons else "identity.verified.v1")
    assert made.state.evidence == ("snapshot:7", "dinsos:DTSEN:2026-1")


def test_a_worker_on_no_list_is_held_when_the_list_is_required() -> None:
    assert said(when(None, check(), under(own(required=["dinsos"])))) == [
        ("identity.held.v1", ["poverty-data-missing"])
    ]


@pytest.mark.parametrize("job", ["wage-earner", "state-employee"])
def test_a_roster_excludes_when_the_policy_says_so(job: str) -> None:
    rosters = {("64.08", "w"): (job,)}
    assert said(when(None, check(), under(own(), rosters=rosters))) == [("identity.rejected.v1", [job])]
    assert said(when(None, check(), under(own(excluded=[]), rosters=rosters))) == [("identity.verified.v1", [])]


def test_a_wage_job_ends_no_identity_when_the_policy_does_not_exclude_it() -> None:
    facts = under(own(excluded=["state-employee"]))
    made = when(when(None, check(), facts).state, EMPLOYED, facts)
    assert (made.outcomes, made.state.status) == ((), CheckStatus.VERIFIED)


@pytest.mark.parametrize(
    ("months", "day", "until"),
    [
        (12, "2026-07-01", "2027-07-01"),
        (12, "2028-02-29", "2029-03-01"),
        (6, "2026-08-31", "2027-03-01"),
        (4, "2026-08-31", "2026-12-31"),
    ],
)
def test_a_verdict_is_valid_as_long_as_the_policy_says(months: int, day: str, until: str) -> None:
    assert valid_until(day, months) == until


def test_a_file_is_read_and_written_and_wrong_ones_are_named(tmp_path: Path) -> None:
    file = tmp_path / "kebijakan.toml"
    given = own(attesting={"fisheries": ["perikanan"]}, deciders=['I "Gede"'])
    file.write_text(files.as_toml([given]), encoding="utf-8")
    assert files.read(file) == [given]
    as_json = tmp_path / "kebijakan.json"
    as_json.write_text(json.dumps([policy.plain(given)]), encoding="utf-8")
    assert files.read(as_json) == [given]
    for text, says in [
        ("[[policy]", "cannot be read"),
        ("a = 1", "entries are needed"),
        (files.as_toml([own(regency="99.99")]), "policy 1: regency"),
        (files.as_toml([own(), own(age_min=17)]), "same regency"),
        (files.as_toml([own(), own(regency="64.02")]).replace("age_min = 18", "age_min = -1"), "policy 1: age_min"),
    ]:
        file.write_text(text, encoding="utf-8")
        with pytest.raises(CommandError, match=says):
            files.read(file)


async def test_policies_are_appended_and_the_same_file_is_not_loaded_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instants = iter([AT + timedelta(minutes=number) for number in range(9)])
    monkeypatch.setattr(clock, "now", lambda: next(instants))
    store = MemoryStore({}, CIPHER)
    old, new = own(), own(age_min=17)
    assert await loading.save_policies(store, [old]) == [old]
    assert await loading.save_policies(store, [old]) == []
    assert await loading.save_policies(store, [new]) == [new]
    assert await loading.save_policies(store, [old]) == [old], "going back is a change too"
    known = await policies.load(store)
    assert [one.version for _, one in known.loaded] == [old.version, new.version, old.version]
    assert known.at("64.08", AT + timedelta(minutes=2, seconds=1)) == new
    assert known.at("64.08", AT + timedelta(days=1)) == old
