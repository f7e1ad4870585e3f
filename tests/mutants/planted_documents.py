"""Defects in the store's content: documents, names, journal entries."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from shared.kernel.decision import Address
from shared.runtime.fold import Folded
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch
from shared.runtime.store import documents
from tests.fakes.memory import MemoryStore
from tests.mutants.registry import mutant
from tests.unit.runtime import test_pipeline


@mutant("documents are written without compare-and-set")
def no_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    save = MemoryStore.save

    async def forced(self: MemoryStore, writes: Sequence[Folded]) -> set[Address]:
        for one in writes:
            standing = self.collections[one.address.collection].get(one.address.id)
            one.base = standing["version"] if standing else 0
        return await save(self, writes)

    patch.setattr(MemoryStore, "save", forced)


@mutant("a version conflict counts as a success")
def conflict_ignored(patch: pytest.MonkeyPatch) -> None:
    save = Pipeline._save

    async def optimistic(self: Pipeline, writes: list[Folded], batch: Batch) -> set[Address]:
        await save(self, writes, batch)
        return set()

    patch.setattr(Pipeline, "_save", optimistic)


@mutant("a document forgets which inputs it took")
def inputs_forgotten(patch: pytest.MonkeyPatch) -> None:
    stored_from = documents.stored_from

    def forgetful(*given: Any) -> Any:
        stored = stored_from(*given)
        stored.taken = {}
        return stored

    patch.setattr(documents, "stored_from", forgetful)


@mutant("names of inputs from outside are not fenced")
def names_not_fenced(patch: pytest.MonkeyPatch) -> None:
    async def unfenced(self: Pipeline, decoded: Any) -> set[int]:
        return set()

    patch.setattr(Pipeline, "_claim_names", unfenced)


@mutant("due work is not saved with its document")
def due_work_lost(patch: pytest.MonkeyPatch) -> None:
    new_document = documents.new_document

    def without(*given: Any) -> dict[str, Any]:
        document = new_document(*given)
        document.pop("due", None)
        return document

    patch.setattr(documents, "new_document", without)


@mutant("a start does not look for outcomes that an earlier process saved and did not publish")
def sweep_skipped(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Pipeline) -> int:
        return 0

    patch.setattr(Pipeline, "sweep", nothing)


@mutant("the journal entry is removed before the acks")
def journal_closed_early(patch: pytest.MonkeyPatch) -> None:
    settle = Pipeline.settle

    async def after_closing(self: Pipeline, batch: Batch) -> None:
        await _close(self, batch)
        await settle(self, batch)

    patch.setattr(Pipeline, "settle", after_closing)


@mutant("the end of a batch also removes the journal entries of the next batch, which is not published yet")
def next_journal_closed(patch: pytest.MonkeyPatch) -> None:
    take, settle = Pipeline.take, Pipeline.settle
    taken: dict[Pipeline, list[Batch]] = {}

    async def remembered(self: Pipeline, batch: Batch) -> None:
        taken.setdefault(self, []).append(batch)
        await take(self, batch)

    async def with_the_next(self: Pipeline, batch: Batch) -> None:
        await settle(self, batch)
        for one in taken[self]:
            await _close(self, one)

    patch.setattr(Pipeline, "take", remembered)
    patch.setattr(Pipeline, "settle", with_the_next)


@mutant("the journal entry is written after the documents")
def journal_opened_late(patch: pytest.MonkeyPatch) -> None:
    open_journal, save = MemoryStore.open_journal, MemoryStore.save

    async def skipped(self: MemoryStore, journal: str, writes: Sequence[Folded]) -> None:
        waiting[id(writes)] = journal

    async def then_opened(self: MemoryStore, writes: Sequence[Folded]) -> set[Address]:
        unsettled = await save(self, writes)
        journal = waiting.pop(id(writes), None)
        if journal is not None:
            await open_journal(self, journal, writes)
        return unsettled

    waiting: dict[int, str] = {}
    patch.setattr(MemoryStore, "open_journal", skipped)
    patch.setattr(MemoryStore, "save", then_opened)


async def a_start_between_entry_and_save() -> None:
    """Runs the test of tests/unit/runtime/test_pipeline.py with its own context."""
    await test_pipeline.test_a_start_leaves_the_entry_of_a_batch_that_another_process_is_about_to_save(
        test_pipeline.Setup()
    )


@mutant(
    "a start removes the journal entry of a batch that another process is about to save", a_start_between_entry_and_save
)
def foreign_journal_closed(patch: pytest.MonkeyPatch) -> None:
    unpublished = MemoryStore.unpublished

    async def all_complete(self: MemoryStore) -> Any:
        return [dataclasses.replace(one, complete=True) for one in await unpublished(self)]

    patch.setattr(MemoryStore, "unpublished", all_complete)


async def _close(pipeline: Pipeline, batch: Batch) -> None:
    while batch.journals:
        await pipeline._store.close_journal(batch.journals.pop())
