"""Defects that somebody could write tomorrow, planted one at a time into the shell, its ports and the services.

Each defect is a patch for the duration of one run; the product does not contain it. One of the simulation's laws must
fail; a defect that no law finds is a gap in the checks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

Plant = Callable[[pytest.MonkeyPatch], None]


class Law(StrEnum):
    """A law that a check enforces; `LAWS` holds the words of its failures."""

    COMMIT = "no offset is committed before its effects exist"
    SAVED = "nothing is published before it is saved"
    TWICE = "the same id, the same bytes"
    DOCUMENTS = "documents equal those of the straight fold"
    EVENTS = "events equal those of the straight fold"
    LETTERS = "dead letters are complete and unchanged"
    MONEY = "BPJS pays once"
    ALONE = "only one process performs due work, and only once"
    REST = "the world comes to rest with no record unread"


LAWS: Mapping[Law, tuple[str, ...]] = {
    Law.COMMIT: ("committed past",),
    Law.SAVED: ("before it was saved",),
    Law.TWICE: ("was said twice, with other bytes",),
    Law.DOCUMENTS: ("documents of", "inputs of", "version of", "state of", "due work of"),
    Law.EVENTS: ("events on", "topics with events", "v1 on "),
    Law.LETTERS: ("dead letter",),
    Law.MONEY: ("BPJS paid",),
    Law.ALONE: ("perform due work at once", "calls that nothing had cut short"),
    Law.REST: ("there is no rest", "does not come to rest", "nothing is left to run"),
}


def broken_law(text: str) -> Law | None:
    """The law that a failure names; None when it is no failure of a check."""
    found = text.partition("AssertionError: ")[2] or text.partition("Stuck: ")[2]
    return next((law for law, words in LAWS.items() if found and any(word in found for word in words)), None)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One planted defect."""

    name: str
    defect: str
    plant: Plant
    # A test that must fail, for a defect that the simulation meets too seldom.
    named_test: Callable[[], Awaitable[None]] | None = None


MUTANTS: list[Mutant] = []


def mutant(defect: str, named_test: Callable[[], Awaitable[None]] | None = None) -> Callable[[Plant], Plant]:
    """Registers a defect by the name of the function that plants it."""

    def listed(plant: Plant) -> Plant:
        MUTANTS.append(Mutant(plant.__name__.replace("_", "-"), defect, plant, named_test))
        return plant

    return listed


def later(work: Any) -> None:
    """Starts the work and ignores its result; that is the defect."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
