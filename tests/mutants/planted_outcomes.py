"""Defects in outcomes, due work, and a service's own counting."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from services.claims.adapters import bpjs
from services.claims.stream import SPEC as CLAIMS
from services.reporting.domain import decide as reporting
from services.reporting.domain import rules as reporting_rules
from shared.contracts.registration import SubmissionAnswered
from shared.kernel.decision import Address
from shared.kernel.event import Routed
from shared.runtime import due, fold
from shared.runtime.due import DueRunner
from shared.runtime.fold import Folded
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch, Message
from tests.fakes.memory import MemoryStore
from tests.mutants.registry import later, mutant


@mutant("outcomes have random ids instead of ids that follow from their cause")
def random_outcome_ids(patch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(1)
    patch.setattr(fold, "outcome_id", lambda *_: f"outcome-{next(numbers)}")


@mutant("outcomes are published before they are saved")
def publish_before_save(patch: pytest.MonkeyPatch) -> None:
    save = Pipeline._save

    async def eager(self: Pipeline, writes: list[Folded], batch: Batch) -> set[Address]:
        outcomes = [said for one in writes for taken in one.taken for said in taken.outcomes]
        await self._publisher.send_all([Message(one.topic, one.key.encode(), one.value) for one in outcomes])
        return await save(self, writes, batch)

    patch.setattr(Pipeline, "_save", eager)


@mutant("a redelivered input is ignored: its saved outcomes are not published again")
def redelivery_not_re_emitted(patch: pytest.MonkeyPatch) -> None:
    collect = Pipeline._collect

    async def silent(self: Pipeline, folded: Sequence[Folded], unsettled: Any, made: Any) -> None:
        for one in folded:
            one.redelivered = []
        await collect(self, folded, unsettled, made)

    patch.setattr(Pipeline, "_collect", silent)


@mutant("outcomes are published without their keys")
def keys_dropped(patch: pytest.MonkeyPatch) -> None:
    async def keyless(self: Pipeline, outcomes: Sequence[Any]) -> None:
        for one in outcomes:
            one.key = ""
        await publish(self, outcomes)

    publish = Pipeline._publish
    patch.setattr(Pipeline, "_publish", keyless)


@mutant("the broker's acks are not awaited")
def acks_not_awaited(patch: pytest.MonkeyPatch) -> None:
    publish = Pipeline._publish

    async def hasty(self: Pipeline, outcomes: Sequence[Any]) -> None:
        later(publish(self, outcomes))

    patch.setattr(Pipeline, "_publish", hasty)


@mutant("every call to BPJS carries a new idempotency key")
def new_key_each_call(patch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(1)

    async def pay(key: str, claim: Any, due: Any, place: Any) -> Any:
        return await bpjs.pay(key, claim, dataclasses.replace(due, id=f"{due.id}-{next(numbers)}"), place)

    assert isinstance(CLAIMS.performers, dict)
    patch.setitem(CLAIMS.performers, _kind_of(CLAIMS.performers, bpjs.pay), pay)


@mutant("the answer to due work has a random id")
def random_answer_ids(patch: pytest.MonkeyPatch) -> None:
    message = DueRunner._message
    numbers = itertools.count(1)

    def renamed(self: DueRunner, one: Any, answer: Any) -> Message:
        return message(self, dataclasses.replace(one, due=dataclasses.replace(one.due, id=f"d{next(numbers)}")), answer)

    patch.setattr(DueRunner, "_message", renamed)


@mutant("reporting counts deliveries, not events")
def counter_without_dedupe(patch: pytest.MonkeyPatch) -> None:
    numbers = itertools.count(1)
    patch.setitem(
        reporting.TABLE._routes,
        SubmissionAnswered,
        lambda event, reference: (Routed(Address("answers", f"{event.name}|{next(numbers)}"), event.data),),
    )


def _kind_of(performers: Mapping[str, Any], performer: Any) -> str:
    return next(kind for kind, one in performers.items() if one is performer)


@mutant("reporting ignores the newer event of an aggregate instead of the older one")
def newer_word_ignored(patch: pytest.MonkeyPatch) -> None:
    def newer(state: Any, event: Any) -> bool:
        return state is not None and event.sequence is not None and event.sequence > state.sequence

    patch.setattr(reporting_rules, "older", newer)


@mutant("every process that asks for a lease gets it")
def lease_for_everybody(patch: pytest.MonkeyPatch) -> None:
    async def granted(self: MemoryStore, names: Sequence[str], *_: Any) -> set[str]:
        return set(names)

    patch.setattr(MemoryStore, "take_leases", granted)
    patch.setattr(MemoryStore, "renew_leases", granted)


@mutant("work whose answer was published but not taken yet is performed again")
def answer_not_waited_for(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(due, "TAKEN_WITHIN_S", 0.0)
