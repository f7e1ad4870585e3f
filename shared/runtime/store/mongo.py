"""The store on MongoDB. Only this room knows a driver (driver.py)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bson.codec_options import CodecOptions
from pymongo import ASCENDING, InsertOne, UpdateOne
from pymongo.errors import (
    BulkWriteError,
)
from pymongo.write_concern import WriteConcern

from shared.kernel.decision import Address
from shared.runtime.errors import Defect, StartRefused, Unavailable
from shared.runtime.fold import Folded, SavedOutcome, Stored
from shared.runtime.ports import Codec, DueWork, Holder, Index, Noted, PendingOutcomes, Settled
from shared.runtime.store import documents, hashes, lease_rows, sealed_values, upgrade
from shared.runtime.store.crypto import FieldCipher
from shared.runtime.store.driver import aggregated, answered, duplicates, keeps_majorities
from shared.runtime.store.hashes import ContentHashes
from shared.runtime.store.rows import MongoRows, order_of

NAMES = "_names"
JOURNAL = "_journal"
LEASES = "_leases"
META = "_meta"
SCHEMA_VERSION = 2
HASH_KEY = "hash-key"
SETTLED = "settled"
# A store has a row of this name while a backup is being restored into it.
RESTORING = "restoring"
TRIM_ASKS_OF = 64
TRIM_INPUTS_MIN = 16
INSERTS_AT_ONCE = 500


class MongoStore(MongoRows):
    """The documents of one service in a database of its own."""

    def __init__(
        self,
        client: Any,
        database: str,
        stored: Mapping[str, Codec],
        indexes: Mapping[str, Sequence[Index]],
        cipher: FieldCipher,
        instance: str | None = None,
        shelf: str | None = None,
    ) -> None:
        """`instance` names this process, and after its end its successor; two living processes never share it. With a
        `shelf`, a model is built beside the one in use, under other names, until `put_in_place`."""
        self._instance = instance
        self._client = client
        self._in_use = client.get_database(database, codec_options=CodecOptions(tz_aware=True, tzinfo=UTC))
        # The driver lets a collection have sub-collections: next.premiums.
        super().__init__(self._in_use[shelf] if shelf else self._in_use, stored, cipher)
        self._indexes = indexes
        self._hashes: ContentHashes | None = None
        self._closed: list[str] = []

    async def check(self) -> None:
        """Refuses a standalone server and a newer schema; creates the indexes."""
        if not keeps_majorities(await answered(self._client.admin.command("hello"))):
            raise StartRefused(
                "MongoDB runs standalone; Payung needs a replica set (one member is enough): --replSet rs0"
            )
        meta = await answered(self._database[META].find_one({"_id": "schema"}))
        if meta is not None and meta["version"] > SCHEMA_VERSION:
            raise StartRefused(f"the database has schema {meta['version']}, newer than this program's {SCHEMA_VERSION}")
        if await answered(self._database[META].find_one({"_id": RESTORING})) is not None:
            raise StartRefused("a restore of this store was broken off or is under way: call payung restore again")
        if meta is None:
            # The count first: a store without a schema is new, so its count of settled offsets is complete.
            await self._keep_first(self._database[META], SETTLED, {"whole": True, "at": {}})
            await self._keep_first(self._database[META], "schema", {"version": SCHEMA_VERSION})
        for name in self._stored:
            collection = self._database[name]
            # Sparse, not partial: a partial filter is evaluated at every insert and doubles its cost.
            await answered(collection.create_index([("due.at", ASCENDING)], name="due", sparse=True))
            for index in self._indexes.get(name, ()):
                options: dict[str, Any] = {"unique": index.unique} if index.unique else {}
                if index.partial is not None:
                    options["partialFilterExpression"] = dict(index.partial)
                await answered(collection.create_index(order_of(index.fields), **options))

    async def bring_up(self) -> None:
        """Call it once the keys are checked. Learns the key of content hashes, and upgrades what an older release
        saved."""
        await self.learn_hash_key()
        await self._keep_first(self._database[META], SETTLED, {"whole": False, "at": {}})
        meta = await answered(self._database[META].find_one({"_id": "schema"}))
        if meta is not None and meta["version"] < SCHEMA_VERSION:
            await answered(upgrade.hashes_keyed(self._database, list(self._stored), self._known_hashes()))
            newer = {"$set": {"version": SCHEMA_VERSION}}
            await answered(self._database[META].update_one({"_id": "schema"}, newer))

    async def learn_hash_key(self) -> None:
        """Learns the key of content hashes. It is made once per store, from the oldest field key at that time, and kept
        sealed in the store.

        So it survives a key rotation, and a store that is created again under the same keys has the same hashes.
        """
        made = {"sealed": self._cipher.seal_bytes(self._cipher.derived(hashes.PURPOSE))}
        kept = await self._keep_first(self._in_use[META], HASH_KEY, made)
        self._hashes = ContentHashes(self._cipher.open_bytes(bytes(kept["sealed"])))

    def _known_hashes(self) -> ContentHashes:
        if self._hashes is None:
            raise Defect("the key of content hashes is not known yet: call `bring_up` first")
        return self._hashes

    def _current(self, saved: str) -> str:
        return self._known_hashes().current(saved) if hashes.UNKEYED.fullmatch(saved) else saved

    def content_hash(self, content: bytes) -> str:
        """The hash under this store's own key."""
        return self._known_hashes().of(content)

    async def close(self) -> None:
        closed = self._client.close()
        if closed is not None:
            await closed

    # -- names, load, save ------------------------------------------------------------------------------------------

    def claim_names(self, names: Mapping[str, str]) -> Awaitable[dict[str, str]]:
        """Inserts the names; reads those that are taken. Motor starts at once, in a thread of its own."""
        operations = [InsertOne({"_id": name, "h": content}) for name, content in names.items()]
        return self._claimed(names, self._database[NAMES].bulk_write(operations, ordered=False))

    async def _claimed(self, names: Mapping[str, str], inserting: Awaitable[Any]) -> dict[str, str]:
        collection = self._database[NAMES]
        try:
            await answered(inserting)
        except BulkWriteError as error:
            standing = duplicates(error, list(names))
            if standing is None:
                raise Unavailable("MongoDB did not take the names of a batch") from error
            rows = await answered(collection.find({"_id": {"$in": standing}}).to_list(None))
            others = [row for row in rows if row["h"] != names[row["_id"]]]
            return {row["_id"]: row["h"] for row in others if self._current(row["h"]) != names[row["_id"]]}
        return {}

    async def load(self, addresses: Sequence[Address]) -> dict[Address, Stored]:
        """One find per collection."""
        found: dict[Address, Stored] = {}
        for name, ids in _by_collection(addresses).items():
            codec = self._stored[name]
            rows = await answered(
                self._database[name].find({"_id": {"$in": ids}}, documents.LOAD_PROJECTION).to_list(None)
            )
            for row in rows:
                found[Address(name, row["_id"])] = documents.stored_from(row, codec, self._cipher)
        return found

    async def outcomes(self, wanted: Mapping[Address, Sequence[str]]) -> dict[Address, dict[str, list[SavedOutcome]]]:
        """Reads the whole documents of redelivered inputs."""
        found: dict[Address, dict[str, list[SavedOutcome]]] = {}
        for name, ids in _by_collection(list(wanted)).items():
            rows = await answered(self._database[name].find({"_id": {"$in": ids}}, {"inputs": 1}).to_list(None))
            for row in rows:
                address = Address(name, row["_id"])
                names = set(wanted[address])
                found[address] = {
                    one["n"]: documents.outcomes_from(one, self._cipher) for one in row["inputs"] if one["n"] in names
                }
        return found

    def measure(self, folded: Folded) -> int:
        """Outcome bytes of this write (the shape of the aggregate limits the size of the state)."""
        return sum(len(outcome.value) for taken in folded.taken for outcome in taken.outcomes)

    async def save(self, writes: Sequence[Folded]) -> set[Address]:
        """Inserts for version 0, compare-and-set updates for the rest, all in unordered bulks."""
        unsettled: set[Address] = set()
        by_collection: dict[str, list[Folded]] = {}
        for one in writes:
            by_collection.setdefault(one.address.collection, []).append(one)
        for name, group in by_collection.items():
            new = [one for one in group if one.base == 0]
            # In slices that run concurrently: one is encoded while the server takes the one before.
            slices = [new[at : at + INSERTS_AT_ONCE] for at in range(0, len(new), INSERTS_AT_ONCE)]
            for settled in await asyncio.gather(*[self._save_inserts(name, one) for one in slices]):
                unsettled |= settled
            unsettled |= await self._save_updates(name, [one for one in group if one.base > 0])
        return unsettled

    async def _save_inserts(self, name: str, group: Sequence[Folded]) -> set[Address]:
        codec = self._stored[name]
        operations = [InsertOne(documents.new_document(one, codec, self._cipher)) for one in group]
        try:
            await answered(self._database[name].bulk_write(operations, ordered=False))
        except BulkWriteError as error:
            addresses = [one.address for one in group]
            standing = duplicates(error, addresses)
            return set(addresses) if standing is None else set(standing)
        except Unavailable:
            # It is unknown whether the write was applied. The next round reads it back.
            return {one.address for one in group}
        return set()

    async def _save_updates(self, name: str, group: Sequence[Folded]) -> set[Address]:
        if not group:
            return set()
        codec = self._stored[name]
        trimmable = await self._trimmable(name, group)
        operations = [self._update(one, codec, trim=one.address.id in trimmable) for one in group]
        try:
            result = await answered(self._database[name].bulk_write(operations, ordered=False))
        except (BulkWriteError, Unavailable):
            return {one.address for one in group}
        # A bulk write reports how many matched, not which. When one missed, the next round reads all of them back.
        return set() if result.matched_count == len(group) else {one.address for one in group}

    def _update(self, one: Folded, codec: Codec, *, trim: bool) -> UpdateOne:
        added = [documents.input_document(taken, self._cipher) for taken in one.taken]
        changed, gone = documents.changed_state(one, codec, self._cipher)
        changed["version"] = one.version
        if trim:
            emptied = {"$map": {"input": "$inputs", "in": {"$mergeObjects": ["$$this", {"o": [], "b": 0}]}}}
            steps: list[Mapping[str, Any]] = [
                {"$set": {name: {"$literal": value} for name, value in changed.items()}},
                {"$set": {"inputs": {"$concatArrays": [emptied, {"$literal": added}]}}},
                {"$unset": ["due", *gone]},
            ]
            if one.due is not None:
                steps.append({"$set": {"due": {"$literal": documents.due_document(one.due)}}})
            return UpdateOne({"_id": one.address.id, "version": one.base}, steps)
        update: dict[str, Any] = {"$set": changed, "$push": {"inputs": {"$each": added}}}
        if one.due is None:
            gone.append("due")
        else:
            changed["due"] = documents.due_document(one.due)
        if gone:
            update["$unset"] = dict.fromkeys(gone, "")
        return UpdateOne({"_id": one.address.id, "version": one.base}, update)

    async def _trimmable(self, name: str, group: Sequence[Folded]) -> set[str]:
        """Large documents whose saved outcomes are all surely published: no open journal except ours names them."""
        # Only for small groups, or for documents with many inputs: for a whole batch of young documents this query
        # would cost more than it saves.
        ids = [one.address.id for one in group if len(group) <= TRIM_ASKS_OF or one.base >= TRIM_INPUTS_MIN]
        if not ids:
            return set()
        pipeline: list[dict[str, Any]] = [
            {"$match": {"_id": {"$in": ids}}},
            {"$project": {"held": {"$sum": "$inputs.b"}}},
            {"$match": {"held": {"$gt": documents.RETAINED_BYTES_MAX}}},
        ]
        heavy = [row["_id"] for row in await aggregated(self._database[name], pipeline)]
        if not heavy:
            return set()
        ours = {f"{name}/{one.address.id}/{taken.name}" for one in group for taken in one.taken}
        owing: set[str] = set()
        rows = await answered(self._database[JOURNAL].find({}, {"entries": 1}).to_list(None))
        for row in rows:
            for entry in row["entries"]:
                collection, document, taken = entry
                if collection == name and f"{collection}/{document}/{taken}" not in ours:
                    owing.add(document)
        return set(heavy) - owing

    # -- journal and due work ---------------------------------------------------------------------------------------

    async def open_journal(self, journal: str, writes: Sequence[Folded]) -> None:
        """One small insert per batch."""
        entries = [
            [one.address.collection, one.address.id, taken.name]
            for one in writes
            for taken in one.taken
            if taken.outcomes
        ]
        chunks = [entries[at : at + 50_000] for at in range(0, len(entries), 50_000)]
        for number, chunk in enumerate(chunks):
            document = {"_id": f"{journal}/{number}", "journal": journal, "entries": chunk, "by": self._instance}
            await answered(self._database[JOURNAL].insert_one(document))

    async def close_journal(self, journal: str) -> None:
        """Removes the entry at once, but not durably: `confirm_closed` does that outside the path of a batch."""
        await answered(
            self._database[JOURNAL]
            .with_options(write_concern=WriteConcern(w=1))
            .delete_many({"_id": re.compile(f"^{re.escape(journal)}/")})
        )
        self._closed.append(journal)

    async def confirm_closed(self) -> None:
        """Removes again, with majority write concern, what was closed since the last call.

        A killed server may have forgotten the first removal. An entry that is left over would keep the outcomes of its
        documents from ever being dropped.
        """
        closed = self._closed[:]
        if closed:
            await answered(self._database[JOURNAL].delete_many({"journal": {"$in": closed}}))
            del self._closed[: len(closed)]

    async def unpublished(self) -> list[PendingOutcomes]:
        """Reads every open journal and the outcomes it names. The rows of a large journal count as one journal."""
        entries: dict[str, list[tuple[Address, str]]] = {}
        of_the_dead: set[str] = set()
        for row in await answered(self._database[JOURNAL].find({}).sort("$natural", ASCENDING).to_list(None)):
            named = entries.setdefault(row["journal"], [])
            named.extend((Address(collection, document), name) for collection, document, name in row["entries"])
            if self._instance is not None and row.get("by") == self._instance:
                of_the_dead.add(row["journal"])
        owed = []
        for journal, named in entries.items():
            wanted: dict[Address, list[str]] = {}
            for address, name in named:
                wanted.setdefault(address, []).append(name)
            saved = await self.outcomes(wanted)
            outcomes = [saved.get(address, {}).get(name) for address, name in named]
            listed = [outcome for one in outcomes if one is not None for outcome in one]
            owed.append(PendingOutcomes(journal, listed, complete=None not in outcomes or journal in of_the_dead))
        return owed

    async def note_settled(self, offsets: Mapping[Noted, int]) -> dict[Noted, int] | None:
        """One small update."""
        raised = {f"at.{topic}.{number}": offset for (topic, number), offset in offsets.items()}
        before = await answered(self._database[META].find_one_and_update({"_id": SETTLED}, {"$max": raised}))
        return None if before is None else _noted(before)

    async def set_settled(self, offsets: Mapping[Noted, int]) -> None:
        """One small update."""
        given = {f"at.{topic}.{number}": offset for (topic, number), offset in offsets.items()}
        await answered(self._database[META].update_one({"_id": SETTLED}, {"$set": given}))

    async def settled(self) -> Settled:
        row = await answered(self._database[META].find_one({"_id": SETTLED}))
        return Settled({}, whole=False) if row is None else Settled(_noted(row), bool(row["whole"]))

    async def due(self, until: datetime, limit: int) -> list[DueWork]:
        """Due documents of every collection, oldest first."""
        found: list[DueWork] = []
        for name, codec in self._stored.items():
            rows = await answered(
                self._database[name]
                .find({"due.at": {"$lte": until}}, {"state": 1, "due": 1})
                .sort("due.at", ASCENDING)
                .limit(limit)
                .to_list(None)
            )
            for row in rows:
                due = documents.due_from(row["due"])
                if due is not None:
                    state = codec.decode(row["state"], self._cipher)
                    found.append(DueWork(Address(name, row["_id"]), state, due))
        return sorted(found, key=lambda one: one.due.at)[:limit]

    async def count_due(self, until: datetime, limit: int) -> int:
        """Counts in the index of every collection."""
        found = 0
        for name in self._stored:
            if found < limit:
                counting = self._database[name].count_documents({"due.at": {"$lte": until}}, limit=limit - found)
                found += int(await answered(counting))
        return found

    # -- leases -----------------------------------------------------------------------------------------------------

    async def take_leases(self, names: Sequence[str], holder: Holder, for_s: float, at_most: int) -> set[str]:
        """Uses the server's own clock."""
        return await answered(lease_rows.take(self._database[LEASES], names, holder, for_s, at_most))

    async def renew_leases(self, names: Sequence[str], holder: Holder, for_s: float) -> set[str]:
        return await answered(lease_rows.renew(self._database[LEASES], names, holder, for_s))

    async def release_leases(self, names: Sequence[str], holder: Holder, rest_s: float, *, forget: bool) -> None:
        await answered(lease_rows.release(self._database[LEASES], names, holder, rest_s, forget=forget))

    async def sealed_with(self, names: Sequence[str]) -> dict[str, int]:
        """Reads every document of the database once."""
        return await answered(sealed_values.count(self._in_use, names))

    async def reseal(self) -> tuple[int, int]:
        """One pass: values that an older key sealed are sealed with the first key.

        Returns how many documents were changed, and how many must be looked at again because another writer changed
        them meanwhile.
        """
        return await answered(sealed_values.reseal(self._in_use, self._cipher))

    async def check_opens(self) -> None:
        """Tries one sealed value of each collection."""
        await answered(sealed_values.check_opens(self._in_use, self._cipher))

    # -- a second model that replaces the first ------------------------------------------------------------------------

    async def clear(self) -> None:
        """Drops everything on this shelf."""
        assert self._database is not self._in_use, "only a shelf is cleared"
        for name in (*self._stored, NAMES, JOURNAL, META):
            await answered(self._database[name].drop())

    async def carry_over(self, names: Sequence[str]) -> None:
        """Copies from the model in use the documents of these collections that this shelf does not have."""
        for name in names:
            merge = {"into": self._database[name].name, "whenMatched": "keepExisting", "whenNotMatched": "insert"}
            await aggregated(self._in_use[name], [{"$merge": merge}])

    async def put_in_place(self) -> None:
        """Replaces each collection in use with the one of this shelf, one after the other, each atomically. A process
        that writes meanwhile finds other versions, loads again and continues."""
        for name in self._stored:
            await answered(self._database[name].rename(name, dropTarget=True))
        await self.clear()


def _by_collection(addresses: Sequence[Address]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for address in addresses:
        grouped.setdefault(address.collection, []).append(address.id)
    return grouped


def _noted(row: Mapping[str, Any]) -> dict[Noted, int]:
    return {(topic, int(number)): int(offset) for topic, of in row["at"].items() for number, offset in of.items()}
