"""Which journal entries a start may close: those of its dead predecessor at once, those of another process only when
all their inputs are saved.
"""

from __future__ import annotations

import pytest

from shared.kernel.decision import Address
from shared.runtime.fold import Folded, SavedOutcome, Taken
from shared.runtime.store.driver import connect
from shared.runtime.store.mongo import MongoStore
from tests.toy import CIPHER, SPEC

pytestmark = pytest.mark.connected
DATABASE = "conformance_journals"


def store_of(url: str, instance: str | None) -> MongoStore:
    return MongoStore(connect(url, "motor"), DATABASE, SPEC.stored, {}, CIPHER, instance)


async def test_an_unsaved_batch_is_closed_for_its_own_successor_only(mongo_url: str) -> None:
    outcome = SavedOutcome("o", "out", "k", "said", b"said", personal=False)
    batch = [Folded(Address("counters", "a"), 0, 1, {"sum": 1}, None, [Taken("e1", "h", 1, (outcome,))])]
    dead = store_of(mongo_url, "one")
    await dead.open_journal("j1", batch)
    await dead.close()
    for instance, complete in (("two", False), (None, False), ("one", True)):
        other = store_of(mongo_url, instance)
        (owed,) = await other.unpublished()
        assert (owed.journal, owed.outcomes, owed.complete) == ("j1", [], complete), instance
        await other.close()
