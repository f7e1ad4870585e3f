"""The answers file of an import, built while it is sent: the sealed file with its saved answers, batch by batch."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from services.registration.imports.documents.records import ANSWERS, Import, answers_of, part_id
from services.registration.imports.documents.spool import SealedSource
from services.registration.workers.domain.state import Worker
from shared.files.separated import BOM
from shared.files.workbook import text_workbook
from shared.lists import RowAnswer, answer_lines, answer_rows, open_list
from shared.runtime import clock
from shared.runtime.service_context import ServiceContext
from shared.runtime.store.crypto import FieldCipher

_ASK_TIMEOUT_S = 60.0
_ASKED_AT_ONCE = 2_000
# Counting visits every worker of a list, so it is not repeated at every refresh of a page.
LOOKED_UP_S = 20.0
KNOWN_MAX = 20
_PIECE_BYTES = 64 * 1024


def csv_pieces(
    context: ServiceContext, cipher: FieldCipher, one: Import, loop: asyncio.AbstractEventLoop
) -> Iterator[bytes]:
    """The file as CSV, in pieces. Iterate it in a thread beside the event loop."""
    found = open_list(SealedSource(one, context.reader, cipher, loop), one.kind)
    gathered = io.StringIO()
    # Spreadsheets need the byte order mark to read a CSV as UTF-8; the reader of lists accepts it.
    if not found.bom:
        gathered.write(BOM)
    for line in answer_lines(found, _saved(context, one, loop)):
        gathered.write(line)
        if gathered.tell() >= _PIECE_BYTES:
            yield gathered.getvalue().encode("utf-8")
            gathered = io.StringIO()
    yield gathered.getvalue().encode("utf-8")


def xlsx_pieces(
    context: ServiceContext, cipher: FieldCipher, one: Import, loop: asyncio.AbstractEventLoop
) -> Iterator[bytes]:
    """The file as a workbook whose cells are all text, so that no NIK loses a digit."""
    found = open_list(SealedSource(one, context.reader, cipher, loop), one.kind)
    with TemporaryFile() as file:
        target: BinaryIO = file
        text_workbook(answer_rows(found, _saved(context, one, loop)), target)
        target.seek(0)
        while piece := target.read(_PIECE_BYTES):
            yield piece


def _saved(context: ServiceContext, one: Import, loop: asyncio.AbstractEventLoop) -> Callable[[int], RowAnswer]:
    """A function that gives answers by row number. It keeps one batch in memory, because rows are asked for in
    order.
    """
    held: dict[int, RowAnswer] = {}
    batches = iter(range(one.done_batches))

    def answer_of(number: int) -> RowAnswer:
        # Batches hold every sent row in the order of the file, so the wanted row is in this batch or a later one.
        while number not in held:
            batch = next(batches, None)
            if batch is None:
                return RowAnswer("")
            asked = asyncio.run_coroutine_threadsafe(_batch(context, one, batch), loop)
            held.clear()
            held.update(asked.result(_ASK_TIMEOUT_S))
        return held[number]

    return answer_of


async def _batch(context: ServiceContext, one: Import, batch: int) -> dict[int, RowAnswer]:
    """The saved answers of one batch, with the current verdicts on its workers."""
    key = part_id(one.id, batch)
    row = (await context.reader.rows(ANSWERS, [key])).get(key)
    answers = answers_of(row) if row is not None else {}
    ids = {answer.worker_id for answer in answers.values() if answer.worker_id}
    verdicts = {
        worker_id: worker.verdict
        for worker_id, worker in (await context.reader.states("workers", sorted(ids))).items()
        if isinstance(worker, Worker)
    }
    for number, answer in answers.items():
        verdict = verdicts.get(answer.worker_id or "")
        if verdict is not None:
            answers[number] = replace(answer, identity=verdict.identity.value, identity_reasons=verdict.reasons)
    return answers


class _Counted(NamedTuple):
    """Workers by status, and when they were counted."""

    at_s: float
    counts: dict[str, int]


class Identities:
    """Counts the identity checks of whole imports. Results are kept for LOOKED_UP_S seconds."""

    def __init__(self, context: ServiceContext) -> None:
        self._context = context
        self._known: dict[str, _Counted] = {}

    async def of(self, one: Import) -> dict[str, int]:
        """The number of an import's workers by status; each worker counts once."""
        known = self._known.get(one.id)
        if known is not None and clock.monotonic() - known.at_s < LOOKED_UP_S:
            return known.counts
        ids: set[str] = set()
        for batch in range(one.done_batches):
            key = part_id(one.id, batch)
            row = (await self._context.reader.rows(ANSWERS, [key])).get(key, {"rows": []})
            ids.update(answer.worker_id for answer in answers_of(row).values() if answer.worker_id)
        counts: dict[str, int] = {}
        wanted = sorted(ids)
        for start in range(0, len(wanted), _ASKED_AT_ONCE):
            where = {"_id": {"$in": wanted[start : start + _ASKED_AT_ONCE]}}
            for group in await self._context.reader.tally("workers", where, ["state.status"]):
                counts[str(group["status"])] = counts.get(str(group["status"]), 0) + group["count"]
        self._known.pop(one.id, None)
        while len(self._known) >= KNOWN_MAX:
            del self._known[next(iter(self._known))]
        self._known[one.id] = _Counted(clock.monotonic(), counts)
        return counts
