"""The answers file of an import, made while it is sent: the sealed file beside the saved answers, batch by batch."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import BinaryIO

from services.registration.imports.records import ANSWERS, Import, answers_of, part_id
from services.registration.imports.spool import SealedSource
from shared.lists import Answer, answer_lines, answer_rows, open_list
from shared.lists.workbooks import text_workbook
from shared.runtime.crypto import FieldCipher
from shared.runtime.house import House

_ASK_TIMEOUT_S = 60.0
_PIECE_BYTES = 64 * 1024


def csv_pieces(house: House, cipher: FieldCipher, one: Import, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The file as CSV, in pieces; iterated in a thread beside the loop."""
    found = open_list(SealedSource(one, house.reader, cipher, loop), one.kind)
    gathered = io.StringIO()
    # Every spreadsheet needs the mark to take a CSV for UTF-8; the reader of lists knows it.
    if not found.bom:
        gathered.write("\ufeff")
    for line in answer_lines(found, _saved(house, one, loop)):
        gathered.write(line)
        if gathered.tell() >= _PIECE_BYTES:
            yield gathered.getvalue().encode("utf-8")
            gathered = io.StringIO()
    yield gathered.getvalue().encode("utf-8")


def xlsx_pieces(house: House, cipher: FieldCipher, one: Import, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
    """The file as a workbook whose cells are all text, so that no NIK loses a digit."""
    found = open_list(SealedSource(one, house.reader, cipher, loop), one.kind)
    with TemporaryFile() as file:
        target: BinaryIO = file
        text_workbook(answer_rows(found, _saved(house, one, loop)), target)
        target.seek(0)
        while piece := target.read(_PIECE_BYTES):
            yield piece


def _saved(house: House, one: Import, loop: asyncio.AbstractEventLoop) -> Callable[[int], Answer]:
    """Answers by row number, a batch of them in memory: rows are asked for in their order."""
    held: dict[int, Answer] = {}
    batches = iter(range(one.done_batches))

    def answer_of(number: int) -> Answer:
        # Batches hold every sent row, in the order of the file: the wanted one is in hand or in a later batch.
        while number not in held:
            batch = next(batches, None)
            if batch is None:
                return Answer("")
            key = part_id(one.id, batch)
            asked = asyncio.run_coroutine_threadsafe(house.reader.rows(ANSWERS, [key]), loop)
            row = asked.result(_ASK_TIMEOUT_S).get(key)
            held.clear()
            held.update(answers_of(row) if row is not None else {})
        return held[number]

    return answer_of
