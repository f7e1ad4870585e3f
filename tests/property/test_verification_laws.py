"""Laws of verification: `decide` is total and deterministic, a pending check has due work, and every order of the
topics has the same end.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.verification.adapters.dukcapil import PERFORMERS
from services.verification.documents import STORED
from services.verification.domain import policy, rules
from services.verification.domain.decide import Facts, decide, route
from services.verification.domain.policy import Policies
from services.verification.domain.rules import OtherSources, Poverty, SnapshotPerson, SourceAnswer
from services.verification.domain.state import CheckStatus, Identity
from shared.contracts.claims import WorkerDied
from shared.contracts.reasons import Reason
from shared.contracts.registration import IdentityCheckRequested, WorkerEmployed, WorkerJobEnded, WorkerWithdrawn
from shared.contracts.verification import DecideIdentity
from shared.contracts.verification_work import DukcapilAnswered, GivenBack, SourceChanged
from shared.kernel.event import Event
from tests.toy import CIPHER

PLACE: dict[str, Any] = {"regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001", "sector": "trade"}
days = st.dates(date(1930, 1, 1), date(2026, 12, 31)).map(date.isoformat)
names = st.one_of(st.sampled_from(["SITI AMINAH", "SITI RAHMAH", "H. SITI, S.Pd", "JOKO"]), st.text(max_size=12))
statuses = st.sampled_from(["alive", "deceased", "double", "inactive"])
scores = st.one_of(st.none(), st.sampled_from([0, 59, 60, 84, 85, 100]), st.integers(0, 100))
answers = st.sampled_from(["alive", "deceased", "double", "inactive", "not-found", "malformed"])
instants = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants naive bounds

checks = st.builds(
    IdentityCheckRequested,
    worker_id=st.just("w"),
    nik=st.just("6408044107850002"),
    name=names,
    birth_date=days,
    sex=st.sampled_from(["F", "M"]),
    birth_place=st.one_of(st.none(), st.text(max_size=5)),
    income_base=st.just(1_000_000),
    attestations=st.just([]),
    registration_version=st.integers(1, 4),
    **{field: st.just(value) for field, value in PLACE.items()},
)
replies = st.builds(
    DukcapilAnswered,
    worker_id=st.just("w"),
    registration_version=st.integers(1, 4),
    status=answers,
    score=scores,
    birth_date_matches=st.one_of(st.none(), st.booleans()),
    sex_matches=st.one_of(st.none(), st.booleans()),
)
employed = st.builds(WorkerEmployed, worker_id=st.just("w"), nik=st.just("n"), employer=st.just("e"), started_on=days)
job_ended = st.builds(WorkerJobEnded, worker_id=st.just("w"), employer=st.just("e"), ended_on=days)
died = st.builds(WorkerDied, worker_id=st.just("w"), regency=st.just("64.08"), died_on=days)
withdrawn = st.builds(
    WorkerWithdrawn,
    worker_id=st.just("w"),
    reason=st.just("moved"),
    effective_on=days,
    **{field: st.just(value) for field, value in PLACE.items()},
)
learnt = st.builds(
    SourceChanged,
    worker_id=st.just("w"),
    change=st.sampled_from(["deceased", "double", "inactive", "outside", "wage-earner", "state-employee", "poverty"]),
    version=st.just("2"),
    effective_on=st.one_of(st.none(), days),
)
given_back = st.builds(GivenBack, worker_id=st.just("w"), registration_version=st.integers(1, 4))
policies = st.builds(
    policy.read,
    st.fixed_dictionaries(
        {
            "regency": st.sampled_from(["*", "64.08"]),
            "valid_from": st.just("2026-01-01"),
            "legal_basis": st.just("Perbup"),
            "sources": st.permutations(["snapshot", "dukcapil"]).flatmap(lambda two: st.sampled_from([two, two[:1]])),
            "required": st.sets(st.sampled_from(["attestation", "dinsos"])).map(sorted),
            "excluded": st.sets(st.sampled_from(["wage-earner", "state-employee"])).map(sorted),
            "four_eyes": st.sampled_from([[], ["*"], ["duplicate-identity"]]),
            "give_back": st.booleans(),
            "residence_required": st.booleans(),
        }
    ),
)
junk = st.one_of(st.none(), st.text(max_size=4), st.integers(), st.lists(st.integers(), max_size=1))
words = st.builds(
    DecideIdentity,
    st.dictionaries(st.sampled_from(["worker_id", "decision", "officer", "reason"]), junk)
    | st.fixed_dictionaries(
        {
            "worker_id": st.just("w"),
            "decision": st.sampled_from(["verified", "rejected"]),
            "officer": st.just("Ani"),
            "reason": st.just("x"),
        }
    ),
)
people = st.builds(
    SnapshotPerson, status=statuses, name=names, birth_date=days, sex=st.sampled_from(["F", "M"]), version=st.just("1")
)
KEY = ("64.08", "w")
facts = st.one_of(st.just(Facts({})), people.map(lambda one: Facts({KEY: one})))
whole_facts = st.builds(
    Facts,
    people=st.one_of(st.just({}), people.map(lambda one: {KEY: one})),
    policies=st.lists(policies, max_size=2).map(
        lambda some: Policies(tuple((datetime(2026, 1, 1, tzinfo=UTC), one) for one in some))
    ),
    snapshots=st.sampled_from([{}, {"64.08": "1"}]),
    rosters=st.sampled_from([{}, {KEY: ("state-employee",)}]),
    poverty=st.sampled_from([{}, {KEY: Poverty(source="DTSEN", version="1", decile=3)}]),
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Anything in any order."""
    events = []
    for number, data in enumerate(
        draw(
            st.lists(
                st.one_of(checks, checks, replies, employed, job_ended, died, withdrawn, words, learnt, given_back),
                max_size=8,
            )
        )
    ):
        source = draw(st.sampled_from(["officer/ani", "agency/64.08/dinsos"]))
        events.append(an_event(f"e{number}", data, draw(instants), draw(st.integers(1, 6)), source))
    return events


def an_event(name: str, data: Any, at: datetime, sequence: int, source: str = "payung/x") -> Event:
    return Event(id=name, source=source, type="t", data=data, at=at, topic="t", content_hash="h", sequence=sequence)


def told(state: Any, event: Event, known: Facts) -> Any:
    """One decision, made twice, on a state that was saved and loaded again."""
    (part,) = route(event, None)
    seen = event.with_data(part.data)
    made = decide(state, seen, known)
    assert made == decide(state, seen, known)
    if made.state is not None:
        codec = STORED[part.address.collection]
        assert codec.decode(codec.encode(made.state, CIPHER), CIPHER) == made.state
    return part.address.collection, made


@given(histories(), whole_facts)
def test_decide_is_total_and_leaves_pending_exactly_what_is_due(events: list[Event], known: Facts) -> None:
    state: Any = None
    for event in events:
        collection, made = told(None if _is_word_amiss(event) else state, event, known)
        if collection == "refusals":
            assert [one.type for one in made.outcomes] == ["identity.decide.refused.v1"]
            continue
        waits = isinstance(made.state, Identity) and made.state.status is CheckStatus.PENDING
        owes = isinstance(made.state, Identity) and made.state.give_back
        assert (made.due is not None) == (waits or owes)
        if made.due is not None:
            kind = "dukcapil" if waits else "give-back"
            assert made.due.id == f"{kind}:w:{made.state.asked.registration_version}"
            assert made.due.kind in PERFORMERS
        if made.ignored is not None:
            assert made.outcomes == ()
        verdicts = [one for one in made.outcomes if ".decide." not in one.type]
        if verdicts:
            (one,) = verdicts
            assert one.type == f"identity.{made.state.status}.v1"
            assert made.state.told is made.state.status
            assert one.data.policy == made.state.policy
        state = made.state if made.state is not None else state


def _is_word_amiss(event: Event) -> bool:
    return isinstance(event.data, DecideIdentity) and route(event, None)[0].address.collection == "refusals"


@given(checks, people, employed, died, withdrawn, st.permutations(range(4)), st.sets(st.integers(1, 3)), st.booleans())
def test_any_order_of_the_topics_ends_with_the_same_identity(
    check: Any,
    person: SnapshotPerson,
    job: Any,
    death: Any,
    leave: Any,
    order: list[int],
    which: set[int],
    returned: bool,
) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    # A withdrawal follows the check that it ends, or precedes the check of a worker who came back.
    lanes = [
        an_event("c", check, at, 3 if returned else 1),
        an_event("e", job, at, 1),
        an_event("d", death, at, 1),
        an_event("w", leave, at, 2),
    ]
    events = [one for number, one in enumerate(lanes) if number == 0 or number in which]
    known = Facts({("64.08", "w"): person})

    def standing(ordered: list[Event]) -> str:
        state: Any = None
        for event in ordered:
            state = told(state, event, known)[1].state
        assert isinstance(state, Identity)
        return str(state.status) if state.status in (CheckStatus.VERIFIED, CheckStatus.HELD) else "out"

    shuffled = [lanes[number] for number in order if lanes[number] in events]
    assert standing(shuffled) == standing(events)


@given(replies, days, days, st.booleans())
def test_a_verdict_follows_the_order_of_the_contract(
    reply: DukcapilAnswered, born: str, checked_on: str, wage_earner: bool
) -> None:
    score = None if reply.score is None else float(reply.score)
    finding = SourceAnswer(
        status=reply.status,
        score=score,
        birth_date_matches=reply.birth_date_matches,
        sex_matches=reply.sex_matches,
        born=None,
        evidence="x",
    )
    day = date.fromisoformat(checked_on)
    found = rules.verdict(finding, born, day, OtherSources(wage_earner=wage_earner), policy.shipped())
    assert (found.status is CheckStatus.VERIFIED) == (found.reasons == ())
    if finding.status != "alive":
        assert len(found.reasons) == 1
    elif found.status is CheckStatus.HELD:
        assert found.reasons == (Reason.NAME_MISMATCH,)
        assert score is not None
        assert 60 <= score < 85
    elif found.status is CheckStatus.VERIFIED:
        assert score is not None
        assert score >= 85
        assert not wage_earner
    assert (Reason.WAGE_EARNER in found.reasons) == (wage_earner and finding.status == "alive")
