"""`payung trace`: the causes and effects of a name; of very many effects only the first few."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from payung.tracing.story import EFFECTS_SHOWN, Branch, EventName, Kin, Step, indented, shown_fields, tell, walk

START = datetime(2026, 1, 5, tzinfo=UTC)
AGENCY, REGISTRATION, BILLING = "agency/64.08/dinsos", "payung/registration", "payung/billing"


class Log:
    """Records in the order in which they were written; every one has the same first cause."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, identifier: str, source: str = REGISTRATION, cause: Any = None, **says: str) -> Step:
        at = START + timedelta(seconds=len(self.steps))
        cause = cause.name if isinstance(cause, Step) else cause
        step = Step(EventName(source, identifier), "any.v1", "topic", 0, len(self.steps), at, cause, "first", says)
        self.steps.append(step)
        return step

    def told(self, name: str) -> list[Branch]:
        """Read as the command reads: backwards, because the topics have no common order."""
        kin = Kin(name, {one.cause for one in self.steps if one.cause is not None})
        for one in reversed(self.steps):
            kin.take(one)
        return tell(kin)


def ids(branches: list[Branch]) -> list[str]:
    return [one.step.name[1] for one in walk(branches)]


def test_an_events_causes_and_effects_are_one_tree() -> None:
    log = Log()
    sent = log.add("row", AGENCY)
    registered = log.add("registered", cause=sent)
    log.add("answered", cause=sent)
    verified = log.add("verified", "payung/verification", cause=registered)
    log.add("settled", cause=verified)
    (tree,) = log.told("verified")
    assert ids([tree]) == ["row", "registered", "verified", "settled"]
    assert [one.step.name[1] for one in walk([tree]) if one.asked] == ["verified"]
    assert ids(log.told("row")) == ["row", "registered", "verified", "settled", "answered"]


def test_a_name_in_data_is_found_without_the_rest_of_its_run() -> None:
    log = Log()
    run = log.add("run", "treasury/64.08")
    step = log.add("step", BILLING, cause=run)
    for number in range(100):
        log.add(f"premium-{number}", BILLING, cause=step, worker_id=f"w{number}")
    assert ids(log.told("w77")) == ["run", "step", "premium-77"]


def test_the_first_effects_are_shown_and_the_others_counted() -> None:
    log = Log()
    run = log.add("run", "treasury/64.08")
    for number in range(100):
        log.add(f"premium-{number}", BILLING, cause=run, run_id="RUN-1")
    for name in ("run", "RUN-1"):
        (tree,) = log.told(name)
        assert len(tree.effects) == EFFECTS_SHOWN
    (tree,) = log.told("run")
    assert tree.more == {"any.v1": 100 - EFFECTS_SHOWN}


def test_an_event_that_was_published_twice_is_shown_once() -> None:
    log = Log()
    sent = log.add("row", AGENCY)
    for _ in range(2):
        log.add("registered", cause=sent)
    assert ids(log.told("row")) == ["row", "registered"]


def test_an_answer_from_outside_is_traced_to_its_first_cause() -> None:
    log = Log()
    log.add("first", AGENCY)
    answer = log.add("dukcapil:1", "payung/verification", cause=("payung/verification", "dukcapil:1"))
    log.add("verified", "payung/verification", cause=answer)
    assert ids(log.told("verified")) == ["first", "dukcapil:1", "verified"]


def test_a_missing_cause_leaves_a_tree_without_it() -> None:
    log = Log()
    log.add("registered", cause=(AGENCY, "long ago"))
    (tree,) = log.told("registered")
    assert tree.step.cause == (AGENCY, "long ago")
    assert ids([tree]) == ["registered"]


def test_a_nik_that_stands_in_a_name_is_not_shown() -> None:
    step = Log().add("6408044107850002", AGENCY, submission_id="row/6408044107850002")
    assert "6408044107850002" not in str(step.as_json(asked=True))


def test_a_run_of_a_thousand_pages_is_shown_whole_within_the_screen() -> None:
    log = Log()
    at = log.add("run", "treasury/64.08")
    for number in range(2_000):
        at = log.add(f"page-{number}", BILLING, cause=at)
    log.add("premium", BILLING, cause=at, worker_id="w1")
    told = list(indented(log.told("w1")))
    assert len(told) == 2_002
    assert {depth for _, depth in told} == {0}


def test_only_names_of_foreign_records_are_shown() -> None:
    written = {"submission_id": "S-1", "identity": "SITI AMINAH", "outcome": "x", "reasons": ["y"]}
    assert shown_fields(written, ours=False) == {"submission_id": "S-1"}
    assert set(shown_fields(written, ours=True)) == {"submission_id", "identity", "outcome", "reasons"}
