"""Counts, tries and renews sealed values in all documents of a database on MongoDB.

Documents are read as raw bytes and searched for the mark of a key; only documents that contain it are decoded. A write
is a compare-and-set on exactly the values that were read: another writer wins, and the next pass looks at the document
again. The version of a document does not change, because its meaning does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from bson import CodecOptions, decode
from bson.raw_bson import RawBSONDocument
from pymongo import UpdateOne

from shared.runtime.store import sealed
from shared.runtime.store.crypto import FieldCipher

PAGE = 500
# A pause after each written page gives the services priority.
PAUSE_S = 0.01
_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
_PLAIN: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
# BSON: the byte before the bytes of a value of subtype 0.
_SUBTYPE = b"\x00"


async def count(database: Any, names: Sequence[str]) -> dict[str, int]:
    """How many documents each of these keys still seals something in."""
    found = dict.fromkeys(names, 0)
    async for _, page in _pages(database, names):
        for document in page:
            for name in sealed.keys_in(document) & found.keys():
                found[name] += 1
    return found


async def check_opens(database: Any, cipher: FieldCipher) -> None:
    """Raises Defect when the cipher cannot open a value of some collection; tries the first few documents of each."""
    for name in await _collections(database):
        async for document in database[name].find({}).limit(3):
            for value in sealed.sealed_in(document):
                cipher.open_bytes(value)
                break


async def reseal(database: Any, cipher: FieldCipher) -> tuple[int, int]:
    """One pass over the database. Returns how many documents were sealed anew, and how many another writer changed
    meanwhile."""
    done = missed = 0
    async for collection, page in _pages(database, cipher.names[1:]):
        operations = [one for document in page if (one := _update(document, cipher)) is not None]
        if operations:
            result = await database[collection].bulk_write(operations, ordered=False)
            done += result.matched_count
            missed += len(operations) - result.matched_count
            await asyncio.sleep(PAUSE_S)
    return done, missed


def _update(document: Mapping[str, Any], cipher: FieldCipher) -> UpdateOne | None:
    """Sets the changed values if they still are as they were read.

    Inputs are compared one by one: all of them together may take half of what one MongoDB command can hold.
    """
    stood: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    for name, value in document.items():
        if name == "inputs" and isinstance(value, list):
            parts = {f"inputs.{number}": item for number, item in enumerate(value)}
        else:
            parts = {name: value}
        for path, part in parts.items():
            new = sealed.resealed(part, cipher)
            if new != part:
                stood[path], changed[path] = part, new
    return UpdateOne({"_id": document["_id"], **stood}, {"$set": changed}) if changed else None


async def _pages(database: Any, names: Sequence[str]) -> AsyncIterator[tuple[str, list[dict[str, Any]]]]:
    """Pages of the documents that contain a value sealed with one of these keys, with their collection."""
    marks = [_SUBTYPE + sealed.mark_of(name) for name in names]
    if not marks:
        return
    for collection in await _collections(database):
        page: list[dict[str, Any]] = []
        async for raw in database[collection].with_options(codec_options=_RAW).find({}).batch_size(PAGE):
            # Long documents come as a memoryview, in which `in` looks for one number and finds no mark.
            data = bytes(raw.raw)
            if any(mark in data for mark in marks):
                page.append(decode(data, _PLAIN))
                if len(page) >= PAGE:
                    yield collection, page
                    page = []
        if page:
            yield collection, page


async def _collections(database: Any) -> list[str]:
    return sorted(name for name in await database.list_collection_names() if not name.startswith("system."))
