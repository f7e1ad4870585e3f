"""The bytes of an uploaded list: sealed, in chunks, in the service's store; read again from any place in them.

In the store and not on a disk, so that any instance of the service can go on with an import that another one began.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from services.registration.imports.records import ANSWERS, CHUNKS, Import, part_id
from shared.runtime.crypto import FieldCipher
from shared.runtime.ports import Reader

CHUNK_BYTES = 1024 * 1024
CHUNKS_MAX = 128
FILE_BYTES_MAX = CHUNK_BYTES * CHUNKS_MAX
# How long the reader of a file waits for one chunk of it.
_CHUNK_TIMEOUT_S = 60.0
_CHUNKS_HELD = 4


class TooLarge(Exception):
    """More bytes than a list may have."""


class Spool:
    """Takes a file as it comes, a chunk at a time."""

    def __init__(self, identifier: str, store: Reader, cipher: FieldCipher) -> None:
        self._id = identifier
        self._store = store
        self._cipher = cipher
        self._waiting = bytearray()
        self._digest = hashlib.sha256()
        self.chunks = 0
        self.size = 0

    @property
    def sha256(self) -> str:
        """Names the content."""
        return self._digest.hexdigest()

    async def add(self, data: bytes) -> None:
        """Takes more bytes; raises TooLarge."""
        self.size += len(data)
        if self.size > FILE_BYTES_MAX:
            raise TooLarge
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) >= CHUNK_BYTES:
            await self._save(bytes(self._waiting[:CHUNK_BYTES]))
            del self._waiting[:CHUNK_BYTES]

    async def finish(self) -> None:
        """Saves what is left."""
        if self._waiting:
            await self._save(bytes(self._waiting))
            self._waiting.clear()

    async def _save(self, plain: bytes) -> None:
        sealed = self._cipher.seal_bytes(plain)
        await self._store.save_rows(CHUNKS, {part_id(self._id, self.chunks): {"data": sealed}})
        self.chunks += 1


async def forget(store: Reader, identifier: str, batches: int = 0) -> None:
    """Deletes the bytes of a file and its answers, those of a broken-off upload too."""
    await store.delete_rows(CHUNKS, [part_id(identifier, number) for number in range(CHUNKS_MAX)])
    await store.delete_rows(ANSWERS, [part_id(identifier, number) for number in range(batches)])


@dataclass(frozen=True, slots=True)
class SealedSource:
    """A spooled file as the reader of lists opens it, in a thread beside the loop that the store lives on."""

    of: Import
    store: Reader
    cipher: FieldCipher
    loop: asyncio.AbstractEventLoop

    @property
    def name(self) -> str:
        """The name under which it was sent."""
        return self.of.name

    def open(self) -> BinaryIO:
        """Its bytes from the start; a chunk is fetched and opened when it is read."""
        return cast("BinaryIO", io.BufferedReader(_SealedFile(self), buffer_size=64 * 1024))

    def chunk(self, number: int) -> bytes:
        """One chunk in the clear; OSError when it is gone."""
        key = part_id(self.of.id, number)
        asked = asyncio.run_coroutine_threadsafe(self.store.rows(CHUNKS, [key]), self.loop)
        found = asked.result(_CHUNK_TIMEOUT_S).get(key)
        if found is None:
            raise OSError("the file was deleted")
        return self.cipher.open_bytes(bytes(found["data"]))


class _SealedFile(io.RawIOBase):
    """Seekable; a spreadsheet is read from its end first."""

    def __init__(self, source: SealedSource) -> None:
        self._source = source
        self._at = 0
        self._held: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._source.of.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        if self._at >= self._source.of.size:
            return 0
        number, within = divmod(self._at, CHUNK_BYTES)
        part = self._chunk(number)[within : within + len(view)]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)

    def _chunk(self, number: int) -> bytes:
        held = self._held.get(number)
        if held is None:
            held = self._held[number] = self._source.chunk(number)
            while len(self._held) > _CHUNKS_HELD:
                del self._held[next(iter(self._held))]
        return held
