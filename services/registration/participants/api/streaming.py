"""The participants of an invoice as lines of JSON, one page of workers at a time, so that any number takes the same
memory.

The first line names the columns. Then comes a line for each worker in priority order: the cells of a row for BPJS, or a
worker who is left out with the reasons. The last line sums up, so that a stream that broke off cannot pass as a whole
one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson

from services.registration.participants.domain import rules
from services.registration.participants.domain.rows import Sheet
from services.registration.participants.domain.state import Participant
from services.registration.workers.domain.state import Worker
from shared.runtime.ports import Reader

# A page is opened in one piece, and the service's other work waits for it: some 30 ms.
PAGE_WORKERS = 200


class ParticipantStream:
    """One pass over an invoice. A worker is in the file or left out, and counts once."""

    def __init__(self, reader: Reader, sheet: Sheet) -> None:
        self._reader, self._sheet = reader, sheet
        self._rows = self._left_out = self._rupiah = 0

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines, some hundreds at a time."""
        edition, bill = self._sheet.edition, self._sheet.bill
        yield _line(
            {
                "invoice_id": bill.invoice_id,
                "period": bill.period,
                "edition": edition.name,
                "delimiter": edition.delimiter,
                "columns": [column.name for column in edition.columns],
            }
        )
        after = 0
        while page := await self._page(after):
            workers = await self._reader.states("workers", [one.worker_id for one in page])
            yield b"".join(_line(self._told(one, workers.get(one.worker_id))) for one in page)
            after = page[-1].number
        yield _line({"rows": self._rows, "left_out": self._left_out, "rupiah": self._rupiah})

    async def _page(self, after: int) -> list[Participant]:
        """The participants behind this number. Several share a number only in invoices of an older release; such a
        group is read as a whole."""
        where: dict[str, Any] = {"state.invoice_id": self._sheet.bill.invoice_id, "state.number": {"$gt": after}}
        # Ordered by the number alone, as the index is: with a further field the store would sort the rest of the
        # invoice for every page. One more than a page shows whether the last number goes on behind it.
        page = await self._found(where, PAGE_WORKERS + 1)
        if len(page) <= PAGE_WORKERS:
            return page
        last = page[-2].number
        if page[-1].number != last:
            return page[:-1]
        where["state.number"] = last
        group = await self._found(where, await self._reader.count("participants", where))
        return [*(one for one in page if one.number < last), *group]

    async def _found(self, where: Mapping[str, Any], limit: int) -> list[Participant]:
        found = await self._reader.find("participants", where, order=("state.number",), limit=limit)
        return [one for _, one in found if isinstance(one, Participant)]

    def _told(self, one: Participant, worker: Any) -> dict[str, Any]:
        self._rupiah += one.total
        reasons = rules.left_out(worker)
        if not reasons and isinstance(worker, Worker):
            row = self._sheet.row(one, worker.form)
            reasons = self._sheet.lacking(row)
            if not reasons:
                self._rows += 1
                return {"row": row}
        self._left_out += 1
        return {"worker_id": one.worker_id, "number": one.number, "reasons": list(reasons), "rupiah": one.total}


def _line(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE)
