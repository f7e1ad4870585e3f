"""Sends one uploaded list: rows become events on the agency's own topic; answers are read from the service's documents.

Theory of operation
Rows go out in batches. Each row's event id follows from the import and the row's number, so a batch that is sent again
after a crash is a redelivery and changes nothing. A batch is done when every row has its answer and the answers are
saved; they are read from the documents that the service's own consumer wrote. Only `done_batches` counts as progress: a
restart reads the file from the start, skips the done batches, and sends the rest again.

Only a few batches are in progress at a time. A list of any length therefore takes the same memory, and waits behind
other work instead of flooding the topic.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice
from typing import Any

import orjson

from services.registration.imports.background.figures import UNREADABLE, Figures
from services.registration.imports.documents.records import (
    ANSWERS,
    IMPORTS,
    Import,
    ImportStatus,
    answers_row,
    part_id,
    row_of,
)
from services.registration.imports.documents.spool import SealedSource
from shared.contracts import envelope, topics
from shared.contracts.catalogue import COMMANDS
from shared.contracts.envelope import Unreadable
from shared.contracts.reasons import Reason
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.lists import ListError, ListFile, Row, RowAnswer, open_list, villages
from shared.lists.rows import refused_row
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext
from shared.runtime.store.crypto import FieldCipher

BATCH_ROWS = 1_000
BATCHES_AHEAD = 4
# A row still unanswered this long after the service has nothing left to read has become a dead letter.
GIVE_UP_S = 60.0
# After this long an unanswered row is given up, even if the service still reads.
GIVE_UP_SURELY_S = 900.0
# Clocks that differ by more are a fault of their own.
_DAY = timedelta(days=1)
LOOK_FIRST_S = 0.05
LOOK_MAX_S = 1.0
_COMMANDS: Mapping[str, type[Intake]] = COMMANDS["registration"]


@dataclass(slots=True)
class _Batch:
    """The rows of one batch that was sent: the unanswered ones by event name, and the answers so far."""

    number: int
    rows: int
    refused_here: list[Row] = field(default_factory=list)
    waiting: dict[str, tuple[int, tuple[Address, ...]]] = field(default_factory=dict)
    answers: dict[int, RowAnswer] = field(default_factory=dict)
    villages: Counter[str] = field(default_factory=Counter)
    published_s: float = 0.0


class Sending:
    """Carries one import to its end. It may be cancelled anywhere and started again."""

    def __init__(self, context: ServiceContext, cipher: FieldCipher, one: Import, figures: Figures) -> None:
        self._context = context
        self._cipher = cipher
        self._one = one
        self._figures = figures
        self._namespace = uuid.UUID(one.id)
        # The time of the last progress: a batch sent or an answer found.
        self.moved_s = clock.monotonic()
        self._topic = topics.REGISTRATION_OFFICERS if one.officer else topics.registration_intake(*_agency(one))

    async def run(self) -> None:
        """Sends every row and collects its answer. An unreadable file ends as failed, with the reason."""
        loop = asyncio.get_running_loop()
        source = SealedSource(self._one, self._context.reader, self._cipher, loop)
        try:
            found = await asyncio.to_thread(open_list, source, self._one.kind)
            if not self._one.batch_rows:
                await self._save(
                    status=ImportStatus.RUNNING, batch_rows=BATCH_ROWS, notices=found.notices, rows=found.count
                )
            await self._carry(found)
        except ListError as error:
            self._figures.failed(UNREADABLE)
            await self._save(
                status=ImportStatus.FAILED, error=(error.message_id, error.message_en), finished_at=clock.now()
            )
            return
        told = (*self._one.notices, *villages.notices(self._one.villages, self._context.reference.areas))
        await self._save(status=ImportStatus.DONE, finished_at=clock.now(), rows=self._one.answered, notices=told)

    async def _carry(self, found: ListFile) -> None:
        ahead: asyncio.Queue[_Batch | None] = asyncio.Queue(BATCHES_AHEAD)
        sending = asyncio.create_task(self._send(found.rows(), ahead))
        try:
            while (batch := await ahead.get()) is not None:
                await self._answered(batch)
                await self._settle(batch)
            await sending
        finally:
            sending.cancel()
            await asyncio.wait([sending])

    async def _send(self, rows: Iterator[Row], ahead: asyncio.Queue[_Batch | None]) -> None:
        number = 0
        try:
            while taken := await asyncio.to_thread(lambda: list(islice(rows, self._one.batch_rows))):
                if number >= self._one.done_batches:
                    batch, messages = self._batch(number, taken)
                    if messages:
                        await self._publish_with_retries(messages)
                        self._figures.sent(len(messages))
                    batch.published_s = self.moved_s = clock.monotonic()
                    await ahead.put(batch)
                number += 1
        except asyncio.CancelledError:
            raise
        except BaseException:
            # The file breaks off in the middle: rows already sent get their answers first, then the error is raised.
            await ahead.put(None)
            raise
        await ahead.put(None)

    def _batch(self, number: int, rows: Sequence[Row]) -> tuple[_Batch, list[Message]]:
        batch = _Batch(number, len(rows))
        messages = []
        now = clock.now()
        at_ms, time = int(now.timestamp() * 1000), envelope.rfc3339(now)
        for row in rows:
            identifier, value = self._event(row, row.sent, time)
            if row.problems:
                # The answer is known, but the row is sent too, because it counts in the agency's quality.
                batch.refused_here.append(row)
                messages.append(Message(self._topic, identifier.encode(), value))
                continue
            try:
                event = envelope.read(value, (), self._topic, at_ms, _COMMANDS)
            except Unreadable as error:
                # As an event it would only become a dead letter; as an answer the clerk can correct it.
                reason = f"{Reason.FIELD_INVALID}:{error.code}"
                batch.answers[row.number] = RowAnswer("rejected", (reason,))
                _, value = self._event(row, refused_row(row, reason), time)
                messages.append(Message(self._topic, identifier.encode(), value))
                continue
            assert event is not None
            routed = self._context.spec.route(event, self._context.reference)
            batch.waiting[event.name] = (row.number, self._places(value, event, routed))
            batch.villages.update(code for one in routed for code in villages.taken_by(one.data))
            messages.append(Message(self._topic, identifier.encode(), value))
        return batch, messages

    def _event(self, row: Row, data: Mapping[str, Any], time: str) -> tuple[str, bytes]:
        """The event of a row. From a JSONL line that was a whole event only the data is used: the import names
        the sender.
        """
        identifier = str(uuid.uuid5(self._namespace, str(row.number)))
        # An officer's decision names the agency to answer. An agency's list needs no such field.
        full = {**data, "agency": self._one.agency} if self._one.officer else data
        return identifier, orjson.dumps(envelope.command(self._one.source, identifier, row.type, full, time))

    def _places(self, value: bytes, event: Event, routed: Sequence[Routed]) -> tuple[Address, ...]:
        """The documents that may hold the answer: those to which the event is routed, and its own refusal.

        The service judges a form by the day on which the broker received it, and around midnight, or where a clock is
        wrong, that is another day than the one used here. So a form that is refused today is also routed as of the
        days around it.
        """
        refusal = Address("refusals", event.name)
        found = [one.address for one in routed]
        if refusal in found:
            for away in (_DAY, -_DAY):
                at_ms = int((event.at + away).timestamp() * 1000)
                other = envelope.read(value, (), self._topic, at_ms, _COMMANDS)
                assert other is not None, "the same bytes as of another day"
                found += [one.address for one in self._context.spec.route(other, self._context.reference)]
        return tuple(dict.fromkeys((*found, refusal)))

    async def _publish_with_retries(self, messages: Sequence[Message]) -> None:
        """Publishes, and retries while the broker does not answer. Only this list waits."""
        while True:
            try:
                await self._context.publish(messages)
                return
            except Unavailable:
                await asyncio.sleep(LOOK_MAX_S)

    async def _answered(self, batch: _Batch) -> None:
        """Waits until each row of a batch has its answer, or certainly gets none."""
        pause_s = LOOK_FIRST_S
        while batch.waiting:
            try:
                await self._look(batch)
                waited_s = clock.monotonic() - batch.published_s
                # Asks about all processes of the service, because another one may read the partitions with these rows.
                idle = waited_s > GIVE_UP_S and (
                    waited_s > GIVE_UP_SURELY_S or await self._context.caught_up([self._topic])
                )
                if batch.waiting and idle:
                    # Look once more: the last records may have been settled between the look and the question.
                    await self._look(batch)
                    return
            except Unavailable:
                pause_s = LOOK_MAX_S
            if batch.waiting:
                await asyncio.sleep(pause_s)
                pause_s = min(LOOK_MAX_S, pause_s * 1.5)

    async def _look(self, batch: _Batch) -> None:
        wanted: dict[Address, list[str]] = {}
        for name, (_, places) in batch.waiting.items():
            for place in places:
                wanted.setdefault(place, []).append(name)
        for by_name in (await self._context.reader.outcomes(wanted)).values():
            for name, outcomes in by_name.items():
                answer = next((one.value for one in outcomes if one.type == "submission.answered.v1"), None)
                if answer is not None and name in batch.waiting:
                    self.moved_s = clock.monotonic()
                    number, _ = batch.waiting.pop(name)
                    data = orjson.loads(answer)["data"]
                    batch.answers[number] = RowAnswer(
                        data["outcome"],
                        tuple(data["reasons"]),
                        data.get("worker_id"),
                        warnings=tuple(data.get("warnings", ())),
                    )

    async def _settle(self, batch: _Batch) -> None:
        """Saves a batch's answers, then the progress. A crash between the two only repeats the batch."""
        outcomes, reasons = dict(self._one.outcomes), dict(self._one.reasons)
        answers = batch.answers | {number: RowAnswer("") for number, _ in batch.waiting.values()}
        refused_here = (RowAnswer("rejected", tuple(one.reason for one in row.problems)) for row in batch.refused_here)
        for answer in (*answers.values(), *refused_here):
            outcomes[answer.outcome] = outcomes.get(answer.outcome, 0) + 1
            for reason in answer.reasons:
                reasons[reason] = reasons.get(reason, 0) + 1
        in_order = dict(sorted(answers.items()))
        await self._stored(ANSWERS, {part_id(self._one.id, batch.number): answers_row(in_order)})
        await self._save(
            done_batches=batch.number + 1,
            answered=self._one.answered + batch.rows,
            sent=self._one.sent + batch.rows - len(batch.refused_here),
            outcomes=outcomes,
            reasons=reasons,
            villages=Counter(self._one.villages) + batch.villages,
        )

    async def _save(self, **changes: Any) -> None:
        self._one = replace(self._one, **changes)
        self.moved_s = clock.monotonic()
        await self._stored(IMPORTS, {self._one.id: row_of(self._one, self._cipher)})

    async def _stored(self, collection: str, rows: Mapping[str, Mapping[str, Any]]) -> None:
        while True:
            try:
                await self._context.reader.save_rows(collection, rows)
                return
            except Unavailable:
                await asyncio.sleep(LOOK_MAX_S)


def _agency(one: Import) -> tuple[str, str]:
    found = topics.agency_of_source(f"agency/{one.agency}")
    assert found is not None, "checked when the file was taken"
    return found
