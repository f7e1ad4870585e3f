"""The bytes of an uploaded list: sealed, in chunks, in the service's store; readable from any position.

They are in the store and not on a disk, so that any instance of the service can continue an import of another one.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from services.registration.imports.documents.records import ANSWERS, CHUNKS, Import, part_id
from shared.files import seekable
from shared.runtime.ports import Reader, Rows
from shared.runtime.store.crypto import FieldCipher

CHUNK_BYTES = 1024 * 1024
CHUNKS_MAX = 128
FILE_BYTES_MAX = CHUNK_BYTES * CHUNKS_MAX
# Seconds that the reader of a file waits for one chunk.
_CHUNK_TIMEOUT_S = 60.0
_CHUNKS_HELD = 4
_BUFFER_BYTES = 64 * 1024


class FileTooLarge(Exception):
    """The file has more bytes than a list may have."""


class Spool:
    """Stores a file while it arrives, one chunk at a time."""

    def __init__(self, identifier: str, store: Rows, cipher: FieldCipher) -> None:
        self._id = identifier
        self._store = store
        self._cipher = cipher
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self.chunks = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """The digest of the whole content."""
        return self._digest.hexdigest()

    async def add(self, data: bytes) -> None:
        """Takes more bytes; raises FileTooLarge."""
        self.size += len(data)
        if self.size > FILE_BYTES_MAX:
            raise FileTooLarge
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) >= CHUNK_BYTES:
            await self._save(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    async def finish(self) -> None:
        """Saves the last, incomplete chunk."""
        if self._waiting:
            await self._save(bytes(self._waiting))
            self._waiting.clear()

    async def _save(self, plain: bytes) -> None:
        sealed = self._cipher.seal_bytes(plain)
        await self._store.save_rows(CHUNKS, {part_id(self._id, self.chunks): {"data": sealed}})
        self.chunks += 1


async def forget(store: Rows, identifier: str, batches: int = 0) -> None:
    """Deletes a file's bytes and the answers of its first `batches` batches. Also works for a broken-off upload."""
    await store.delete_rows(CHUNKS, [part_id(identifier, number) for number in range(CHUNKS_MAX)])
    await store.delete_rows(ANSWERS, [part_id(identifier, number) for number in range(batches)])


@dataclass(frozen=True, slots=True)
class SealedSource:
    """A spooled file for the reader of lists, opened in a thread beside the event loop of the store."""

    of: Import
    store: Reader
    cipher: FieldCipher
    loop: asyncio.AbstractEventLoop

    @property
    def name(self) -> str:
        """The name under which the file was sent."""
        return self.of.name

    def open(self) -> BinaryIO:
        """The bytes from the start; each chunk is fetched and decrypted when it is read."""
        return seekable.opened(self.of.size, _Chunks(self).piece, _BUFFER_BYTES)

    def chunk(self, number: int) -> bytes:
        """One decrypted chunk; raises OSError when it was deleted."""
        key = part_id(self.of.id, number)
        asked = asyncio.run_coroutine_threadsafe(self.store.rows(CHUNKS, [key]), self.loop)
        found = asked.result(_CHUNK_TIMEOUT_S).get(key)
        if found is None:
            raise OSError("the file was deleted")
        return self.cipher.open_bytes(bytes(found["data"]))


class _Chunks:
    """The last chunks that were read: a workbook's parts are read in turns."""

    def __init__(self, source: SealedSource) -> None:
        self._source = source
        self._held: dict[int, bytes] = {}

    def piece(self, at: int, length: int) -> bytes:
        """At most `length` bytes from `at`, within one chunk."""
        number, within = divmod(at, CHUNK_BYTES)
        held = self._held.get(number)
        if held is None:
            held = self._held[number] = self._source.chunk(number)
            while len(self._held) > _CHUNKS_HELD:
                del self._held[next(iter(self._held))]
        return held[within : within + length]
