"""The laws of claims: for all inputs of agencies and all orders of the events about cover, decisions are total, and
each benefit is paid once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.claims.domain import decide
from services.claims.domain.state import Claim, ClaimStatus, CoverHistory, Facts, Reference, RunsKnown
from shared.contracts.claims import COMMANDS
from shared.contracts.claims_work import WORK
from shared.kernel.event import Event
from shared.reference import rates
from tests.property.claims_world import AGENCY, ID_KEY, JKM_DOCUMENTS, NIK, WORKER, World, accident, death

PARTS = ("bill", "run", "pay")
REFERENCE = Reference(rates.load(), ID_KEY)
AT = datetime(2026, 5, 6, 4, 0, tzinfo=UTC)
OTHER = "agency/64.08/distransnaker"
MONTHS = ("2026-02", "2026-03", "2026-04")

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=12)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
good = {**death(), "decision": "approved", "officer": "NN", "reason": "ok"}
details = st.fixed_dictionaries(
    {},
    optional={
        "outcome": st.sampled_from(["treatment", "temporary", "partial", "total", "death"]) | anything,
        "days_off_work": st.integers(-1, 500) | anything,
        "loss_percent": st.floats(0.1, 100) | anything,
        "treatment_cost": st.integers(0, 10**8) | anything,
        "transport": st.dictionaries(st.sampled_from(["land", "sea", "air"]), st.integers(0, 10**8)) | anything,
        "children": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.text(max_size=5),
                    "level": st.sampled_from(["sd", "x"]),
                    "birth_date": st.sampled_from(["2016-01-01", "x"]),
                }
            )
            | anything,
            max_size=3,
        )
        | anything,
    },
)


@st.composite
def forms(draw: st.DrawFn) -> dict[str, Any]:
    """A good command with some of its fields dropped or spoilt."""
    fields: dict[str, Any] = {
        **good,
        "details": draw(details),
        "kind": draw(st.sampled_from(["jkk", "jkm", "scholarship"])),
    }
    fields["cause"] = draw(st.sampled_from(["accident", "illness"]))
    for name in draw(st.lists(st.sampled_from(sorted(fields)), max_size=2)):
        if draw(st.booleans()):
            fields[name] = draw(anything)
        else:
            fields.pop(name, None)
    return fields


def event(kind: str, data: Any, name: str = "e1") -> Event:
    """An event as the shell reads it."""
    return Event(
        id=name, source=AGENCY, type=kind, data=data, at=AT, topic="claims-intake-6408-rumahsakit", content_hash="h"
    )


def part_of(command: Event) -> tuple[str, Event]:
    """The document and the part that `route` makes of an event."""
    (routed,) = decide.route(command, REFERENCE)
    return routed.address.collection, command.with_data(routed.data)


@given(
    st.sampled_from(sorted(COMMANDS)),
    forms() | st.dictionaries(st.text(max_size=8), anything, max_size=4),
    st.sampled_from(list(ClaimStatus)),
)
@settings(max_examples=400, deadline=None)
def test_every_command_gets_the_same_answer_in_every_state(
    kind: str, fields: dict[str, Any], status: ClaimStatus
) -> None:
    collection, part = part_of(event(kind, COMMANDS[kind](fields)))
    states: list[Any] = [None]
    if collection == "claims":
        known = decide.decide(
            None, part_of(event("claim.submit.v1", COMMANDS["claim.submit.v1"](death())))[1], Facts(REFERENCE)
        ).state
        assert isinstance(known, Claim)
        states += [known, Claim(claim_no="KLM-1", agency="rumahsakit", regency="64.08")]
    for state in states:
        first = decide.decide(state, part, Facts(REFERENCE))
        assert first == decide.decide(state, part, Facts(REFERENCE))
        assert first.state is not None
        assert first.outcomes, "every command has an answer or a step that gives one"
        for outcome in first.outcomes:
            outcome.data.model_dump_json()
            assert NIK not in outcome.key


@given(forms(), st.sampled_from(list(RunsKnown)), st.booleans())
@settings(max_examples=300, deadline=None)
def test_an_assessment_is_total_and_pays_whole_rupiah(fields: dict[str, Any], runs: RunsKnown, covered: bool) -> None:
    from services.claims.domain.state import Cover

    cover = Cover("64.08", "64.08.04", "F", "apbd-regency", 1_000_000, "R", "I")
    standing = CoverHistory(dict.fromkeys(MONTHS, cover), {"I": "2026-02-01"}) if covered else CoverHistory(runs=runs)
    _, part = part_of(event("claim.submit.v1", COMMANDS["claim.submit.v1"](fields)))
    submitted = decide.decide(None, part, Facts(REFERENCE))
    for outcome in submitted.outcomes:
        if outcome.type != "claim.assess":
            continue
        step = event(outcome.type, outcome.data, "s1")
        assessed = decide.decide(submitted.state, step, Facts(REFERENCE, standings={"s1": standing}))
        claim = assessed.state
        assert isinstance(claim, Claim)
        assert all(line.amount > 0 and line.rule for line in claim.benefits)
        assert claim.status is not ClaimStatus.REGISTERED
        assert (claim.status is ClaimStatus.APPROVED) <= (covered and claim.total > 0)
        assert (assessed.due is None) == (claim.status is not ClaimStatus.APPROVED and not claim.watching)


# `claim.ruled` is not a step of a round. It carries an officer's decision, and is always answered.
@given(
    st.sampled_from(sorted(WORK.keys() - {"claim.ruled"})),
    st.none() | st.just(Claim(claim_no="1", agency="a-b", regency="64.08")),
)
def test_a_step_that_comes_too_late_changes_nothing(kind: str, state: Claim | None) -> None:
    fields = {
        "claim": "64.08/a-b/1",
        "round": 7,
        "worker_id": "w",
        "regency": "64.08",
        "event_date": "2026-04-20",
        "reason": "x",
        "death": True,
        "paid_on": "2026-05-06",
        "reference": "r",
        "collection": "runs",
        "id": "R",
        "period": "2026-04",
        "others": ["v"],
        "kind": "jkm",
        "outcome": "death",
        "look": {"claim": "64.08/a-b/1", "round": 7, "worker_id": "w", "regency": "64.08", "event_date": "2026-04-20"},
    }
    collection, part = part_of(event(kind, WORK[kind].model_validate(fields)))
    if collection == "claims":
        made = decide.decide(state, part, Facts(REFERENCE))
        assert (made.state, made.outcomes) == (None, ())
        assert made.ignored


Act = tuple[str, Any]
acts: list[Act] = [
    *(("bill", month) for month in MONTHS),
    *(("close_run", month) for month in MONTHS),
    *(("pay", month) for month in MONTHS),
    ("submit", (death(), AGENCY, "claim.submit.v1")),
    ("submit", (death(claim_no="RS-9", documents=[]), OTHER, "claim.submit.v1")),
    ("submit", ({"claim_no": "RS-9", "documents": JKM_DOCUMENTS}, OTHER, "claim.add-documents.v1")),
    ("submit", ({"claim_no": "RS-9"}, OTHER, "claim.withdraw.v1")),
    ("submit", (death(claim_no="RS-9", cause="natural"), OTHER, "claim.submit.v1")),
    ("submit", ({**accident(), "claim_no": "KK-1"}, AGENCY, "claim.submit.v1")),
    ("rule", ({"claim_no": "KK-1", "decision": "approved", "reason": "ok"},)),
]


@given(
    st.permutations(acts),
    st.integers(1, 20),
    st.booleans(),
    st.sets(st.integers(0, 20), max_size=5),
    st.sampled_from([200, 503]),
)
@settings(max_examples=60, deadline=None)
def test_a_death_is_paid_once_in_any_order_and_nothing_stays_stuck(
    order: Sequence[Act], cut: int, again: bool, pauses: set[int], bank: int
) -> None:
    async def live() -> World:
        world = World(cut, again)
        world.bank.status = bank
        for position, (what, with_) in enumerate(order):
            getattr(world, what)(*with_ if isinstance(with_, tuple) else (with_,))
            if position in pauses:
                await world.settle()
        await world.settle()
        world.bank.status = 200
        await world.settle()
        return world

    world = asyncio.run(live())
    paid = world.of_type("claim.paid.v1")
    assert len({one["claim_no"] for one in paid}) == 1 == len(world.of_type("worker.died.v1"))
    # The same events in any order pay the whole death benefit, in one payment, or in two with the difference later.
    entitled = {"jkm": 42_000_000, "jkk": 70_000_000}[paid[0]["kind"]]
    assert sum(one["total"] for one in paid) == world.bank.total == entitled
    assert world.told("claims-dlq") == []
    open_claims = [one["state"]["status"] for one in world.store.collections["claims"].values()]
    assert set(open_claims) <= {"paid", "rejected", "held", "unknown"}
    assert all(
        one["state"]["status"] != "held" or "awaiting-officer" in one["state"]["reasons"] or one["state"]["missing"]
        for one in world.store.collections["claims"].values()
    )


STAYED = "b" * 26
merge_acts: list[Act] = [
    *(("bill", (month,)) for month in MONTHS),
    *(("close_run", (month,)) for month in MONTHS),
    *(("pay", (month,)) for month in MONTHS),
    ("merge", (WORKER, STAYED)),
    ("submit", (death(), AGENCY, "claim.submit.v1")),
    ("submit", (death(claim_no="RS-9", worker_id=STAYED, nik=None), OTHER, "claim.submit.v1")),
    ("submit", (death(claim_no="RS-10", cause="natural"), OTHER, "claim.submit.v1")),
]


# Two requests in one batch, one for each number of the person: an earlier release paid both.
_BOTH_ASK = [merge_acts[at] for at in (0, 1, 2, 3, 4, 10, 6, 7, 8, 11, 9, 5, 12)]


@given(st.permutations(merge_acts), st.integers(1, 20), st.booleans(), st.sets(st.integers(0, 14), max_size=5))
@example(_BOTH_ASK, 4, False, {1, 10})
@settings(max_examples=80, deadline=None)
def test_a_person_under_two_numbers_is_paid_once_whenever_the_merge_becomes_known(
    order: Sequence[Act], cut: int, again: bool, pauses: set[int]
) -> None:
    # Premiums under one number only: until the merge is known, no claim by the other can be paid.
    async def live() -> World:
        world = World(cut, again)
        for position, (what, with_) in enumerate(order):
            getattr(world, what)(*with_)
            if position in pauses:
                await world.settle()
        await world.settle()
        # A claim that was refused before the merge was known may come again.
        for claim_no, source in (("RS-9", OTHER), ("KLM-1", AGENCY)):
            world.submit(death(claim_no=claim_no, worker_id=STAYED, nik=None, cause="natural"), source)
        await world.settle()
        return world

    world = asyncio.run(live())
    assert len({body["claim"] for body in world.bank.paid.values()}) == 1
    assert world.bank.total == 42_000_000
    died = {one["data"]["worker_id"] for one in world.told() if one["type"] == "worker.died.v1"}
    assert len(died) == 1
    states = [one["state"] for one in world.store.collections["claims"].values()]
    assert sorted(one["status"] for one in states) == ["paid", "rejected", "rejected"]
    # A claim that is not paid holds nothing.
    (paid,) = (key for key, one in world.store.collections["claims"].items() if one["state"]["status"] == "paid")
    held = {one["state"]["death"] for one in world.store.collections["deaths"].values()}
    assert held <= {paid, None}


OTHER_NUMBER = "c" * 26
NUMBERS = (WORKER, OTHER_NUMBER, STAYED)
# Premiums under every number, all of them one person from the beginning.
person_acts: list[Act] = [
    *(("pay", (month,)) for month in MONTHS),
    ("submit", (death(), AGENCY, "claim.submit.v1")),
    ("submit", (death(claim_no="RS-9", worker_id=OTHER_NUMBER, nik=None), OTHER, "claim.submit.v1")),
    ("submit", (death(claim_no="RS-10", worker_id=STAYED, nik=None), OTHER, "claim.submit.v1")),
]


@given(
    st.permutations(person_acts),
    st.integers(1, 20),
    st.booleans(),
    st.sets(st.integers(0, 6), max_size=3),
    st.sampled_from([None, "KLM-1", "RS-9", "RS-10"]),
    st.integers(0, 6),
)
@settings(max_examples=120, deadline=None)
def test_one_claim_over_all_numbers_of_a_person_is_paid_and_a_withdrawn_one_blocks_none(
    order: Sequence[Act], cut: int, again: bool, pauses: set[int], withdrawn: str | None, at: int
) -> None:
    async def live() -> World:
        world = World(cut, again)
        for number in NUMBERS:
            world.bill(*MONTHS, worker=number)
        world.close_run(*MONTHS, workers=len(NUMBERS))
        world.merge(WORKER, STAYED)
        world.merge(OTHER_NUMBER, STAYED)
        await world.settle()
        for position, (what, with_) in enumerate(order):
            getattr(world, what)(*with_)
            if position in pauses:
                await world.settle()
            if position == at and withdrawn is not None:
                source = AGENCY if withdrawn == "KLM-1" else OTHER
                world.submit({"claim_no": withdrawn}, source, "claim.withdraw.v1")
        await world.settle()
        if withdrawn is None:
            assert len(world.bank.paid) == 1
        # A claim was refused for another claim that was withdrawn afterwards. It may be submitted again.
        for claim_no, number, source in (("KLM-1", WORKER, AGENCY), ("RS-9", OTHER_NUMBER, OTHER)):
            world.submit(death(claim_no=claim_no, worker_id=number, nik=None, cause="natural"), source)
            await world.settle()
        return world

    world = asyncio.run(live())
    assert len(world.bank.paid) == 1
    assert {one["data"]["worker_id"] for one in world.told() if one["type"] == "worker.died.v1"} == {STAYED}
    stages = [one["state"]["status"] for one in world.store.collections["claims"].values()]
    assert set(stages) <= {"paid", "rejected"}


costs_acts: list[Act] = [
    (
        "submit",
        ({**accident("treatment", transport={"land": 3_000_000}), "claim_no": "A-1"}, AGENCY, "claim.submit.v1"),
    ),
    ("submit", ({**accident("treatment", transport={"land": 4_000_000}), "claim_no": "B-1"}, OTHER, "claim.submit.v1")),
    (
        "submit",
        (
            {
                **accident("treatment", transport={"land": 4_500_000}),
                "claim_no": "C-1",
                "worker_id": STAYED,
                "nik": None,
            },
            OTHER,
            "claim.submit.v1",
        ),
    ),
    (
        "submit",
        (
            {**accident("partial", loss_percent=5), "claim_no": "D-1", "worker_id": OTHER_NUMBER, "nik": None},
            AGENCY,
            "claim.submit.v1",
        ),
    ),
    ("submit", ({**accident("partial", loss_percent=8), "claim_no": "E-1"}, AGENCY, "claim.submit.v1")),
    *(("pay", (month,)) for month in MONTHS),
]


@given(st.permutations(costs_acts), st.integers(1, 20), st.booleans(), st.sets(st.integers(0, 8), max_size=4))
@settings(max_examples=80, deadline=None)
def test_an_accident_claimed_in_any_order_and_under_any_number_is_paid_to_its_caps_and_no_further(
    order: Sequence[Act], cut: int, again: bool, pauses: set[int]
) -> None:
    async def live() -> World:
        world = World(cut, again)
        for number in NUMBERS:
            world.bill(*MONTHS, worker=number)
        world.close_run(*MONTHS, workers=len(NUMBERS))
        world.merge(WORKER, STAYED)
        world.merge(OTHER_NUMBER, STAYED)
        await world.settle()
        for position, (what, with_) in enumerate(order):
            getattr(world, what)(*with_)
            if position in pauses:
                await world.settle()
        await world.settle()
        return world

    world = asyncio.run(live())
    # The cap of transport by land, and eight per cent of loss.
    assert world.bank.total == 5_000_000 + 6_400_000
    states = {one["state"]["status"] for one in world.store.collections["claims"].values()}
    assert states <= {"paid", "rejected"}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_store_that_reads_the_log_again_ends_with_the_same_claims(data: st.DataObject) -> None:
    """The topics are read in any order: papers may come after the look that they caused, a payment after its claim."""
    asyncio.run(_read_again(data))


async def test_papers_that_are_read_after_the_look_for_them_still_count() -> None:
    world = World(cut=1)
    world.cover(*MONTHS)
    world.submit(death(documents=JKM_DOCUMENTS[:3]))
    await world.settle()
    world.submit({"claim_no": "KLM-1", "documents": JKM_DOCUMENTS}, kind="claim.add-documents.v1")
    await world.settle()
    paid = dict(world.bank.paid)
    topics = [one.topic for one in world.log]
    papers_last = sorted(topics, key="claims-work".__eq__)
    papers_last.append(papers_last.pop(papers_last.index("claims-work") - 1))
    await world.read_again(papers_last)
    assert world.claims() == {"64.08/rumahsakit/KLM-1": ("paid", 42_000_000)}
    assert world.bank.paid == paid


async def _read_again(data: st.DataObject) -> None:
    world = World(cut=data.draw(st.sampled_from([1, 3, 2000])))
    await world.start()
    todo = [(part, month) for part in PARTS for month in MONTHS] + [("claim", ""), ("papers", ""), ("officer", "")]
    for what, month in data.draw(st.permutations(todo)):
        if data.draw(st.booleans()):
            await world.settle()
        _happens(world, what, month)
    await world.settle()
    found, paid = world.claims(), dict(world.bank.paid)
    await world.read_again(data.draw(st.permutations([one.topic for one in world.log])))
    assert world.claims() == found
    assert world.bank.paid == paid


def _happens(world: World, what: str, month: str) -> None:
    match what:
        case "bill":
            world.bill(month)
        case "run":
            world.close_run(month)
        case "pay":
            world.pay(month)
        case "claim":
            world.submit(death(documents=JKM_DOCUMENTS[:3]))
        case "papers":
            world.submit({"claim_no": "KLM-1", "documents": JKM_DOCUMENTS}, kind="claim.add-documents.v1")
        case _:
            world.rule({"claim_no": "KLM-1", "decision": "approved", "reason": "ok"})
