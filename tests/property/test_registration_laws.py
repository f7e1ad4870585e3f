"""Laws of registration: every input of an agency is answered once, and every history obeys the rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.workers.documents import STORED
from services.registration.workers.domain.state import Worker
from shared.contracts.base import SECTORS
from shared.contracts.registration import SubmissionAnswered, SubmissionSettled
from shared.kernel.decision import Address
from tests.property.registration_world import FORM, NIK, PERSONAL, WORKER, World, intake
from tests.toy import CIPHER

KINDS = ("worker.register.v1", "worker.update.v1", "worker.withdraw.v1", "worker.attest.v1")
FIELDS = (*FORM, *PERSONAL, "monthly_income", "reason", "date", "attested_on")
AGENCIES = ("64.08/dinsos", "64.08/desa", "64.02/dinsos")

near_misses = st.sampled_from(
    ["", " ", "2026-W01-1", "1985-07-01", NIK, "64.08.04.2001", "trade", "moved", "F", {"given_at": "2026-01-01"}]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text() | near_misses,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
good = {**FORM, **PERSONAL, "reason": "moved", "date": "2026-02-01", "attested_on": "2026-01-01"}
# Often correct except for a few fields, so that odd values pass the earlier checks.
anything = st.one_of(
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=4).map(lambda odd: {**good, **odd}),
    st.dictionaries(st.sampled_from(FIELDS) | st.text(), values, max_size=8),
    values,
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(AGENCIES), anything), min_size=1, max_size=4))
def test_whatever_an_agency_sends_is_answered_once_to_itself(sent: list[tuple[str, str, Any]]) -> None:
    world = World()
    for number, (kind, agency, data) in enumerate(sent):
        made = world.take(intake(kind, data, agency, f"e{number}"))
        (answer,) = [one for one in made.outcomes if isinstance(one.data, SubmissionAnswered)]
        assert answer.topic == "feedback-" + agency.replace(".", "").replace("/", "-")
        said: Any = answer.data
        assert (said.outcome == "rejected") == bool(said.reasons)
        assert (said.outcome == "rejected") == (said.worker_id is None)
        assert len(set(said.reasons)) == len(said.reasons)


changes = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["SITI AMINAH", "SITI"]),
        "sex": st.sampled_from(["F", "M"]),
        "phone": st.sampled_from(["1", "2"]),
        "sector": st.sampled_from(SECTORS),
    },
)
steps: st.SearchStrategy[tuple[str, Any, dict[str, Any]]] = st.one_of(
    st.tuples(st.sampled_from(["register", "update", "withdraw", "attest"]), st.sampled_from(AGENCIES), changes),
    st.tuples(st.sampled_from(["verified", "held", "rejected", "ended"]), st.integers(-1, 0), st.just({})),
)
VILLAGES = {"64.08": "64.08.04.2001", "64.02": "64.02.01.2001"}


def state_of(world: World) -> Any:
    """The worker's document, if there is one."""
    body = world.documents.get(Address("workers", WORKER))
    return STORED["workers"].decode(body, CIPHER) if body is not None else None


def play(world: World, name: str, who: Any, what: dict[str, Any]) -> list[Any]:
    """One step of a history; a verdict is on the version that stands, or on an older one."""
    if name == "register":
        return world.register(who, village=VILLAGES[who[:5]], **what)
    if name == "update":
        return world.send("update", who, **what)
    if name == "withdraw":
        return world.send("withdraw", who, reason="moved", date="2026-02-01")
    if name == "attest":
        return world.send("attest", who, sector="trade", occupation="x", attested_on="2026-01-05")
    before = state_of(world)
    version = before.registration_version if isinstance(before, Worker) else 1
    return world.verdict(name, version + who)


@given(st.lists(steps, max_size=14))
def test_versions_rise_with_each_check_and_old_verdicts_have_no_effect(history: list[tuple[str, Any, Any]]) -> None:
    world = World()
    before: Any = None
    for name, who, what in history:
        asked = len(world.checks())
        said = play(world, name, who, what)
        after = state_of(world)
        if isinstance(before, Worker):
            assert isinstance(after, Worker)
            assert after.registration_version >= before.registration_version
            if before.active and before.regency != after.regency:
                raise AssertionError("an active worker changed regency")
        if isinstance(who, int) and who < 0:
            assert said == []
            assert after == before
        if len(world.checks()) > asked:
            assert world.checks()[-1].registration_version == after.registration_version
        before = after
    versions = [one.registration_version for one in world.checks()]
    assert versions == sorted(set(versions))


@given(st.lists(steps, max_size=14), st.sampled_from(["verified", "rejected"]))
def test_a_verdict_is_answered_to_every_agency_accepted_since_the_check(
    history: list[tuple[str, Any, Any]], last: str
) -> None:
    world = World()
    open_since: dict[str, str] = {}
    for name, who, what in history:
        play(world, name, who, what)
        answers = [one.data for one in world.said if isinstance(one.data, SubmissionAnswered)]
        if isinstance(who, int) or answers[-1].outcome == "rejected":
            continue
        if answers[-1].outcome == "withdrawn":
            open_since = {}
        elif name != "update":
            if answers[-1].outcome == "registered" and open_since and not any(a[:5] == who[:5] for a in open_since):
                open_since = {}
            open_since[who] = str(answers[-1].submission_id)
    worker = state_of(world)
    if not isinstance(worker, Worker) or worker.status != "checking":
        return
    mark = len(world.said)
    world.verdict(last, worker.registration_version)
    told = {one.topic for one in world.said[mark:] if isinstance(one.data, SubmissionSettled)}
    expected = {f"feedback-{who.replace('.', '').replace('/', '-')}" for who in open_since}
    assert expected <= told


def test_a_verdict_before_its_question_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A restored store may read the verdict first. The verdict's repeat has the same name and must be taken then."""
    world, made, take = World(), [], World.take

    def seen(world: World, event: Any) -> Any:
        made.append(take(world, event))
        return made[-1]

    world.register()
    before = state_of(world)
    monkeypatch.setattr(World, "take", seen)
    assert world.verdict("verified", 2) == []
    assert [(one.state, one.ignored) for one in made] == [(None, "early-verdict")]
    assert state_of(world) == before
