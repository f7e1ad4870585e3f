"""The shell: decode -> load -> decide -> save, then publish. The caller commits offsets afterwards.

Theory of operation
A batch is taken when all of its records are decided and saved. It is settled when the broker has also acknowledged its
outcomes, and the dead letters of records that could not be taken. The next batch is taken while the one before is
published, so that deciding never waits for the broker's acknowledgement. Batches are settled in order. Either step may
be repeated with the same batch (by this process in a retry, by another process after a crash) and gives the same
result, because:
* an insert fences the names of inputs from outside (same name with other content: refused as conflicting-duplicate),
  and those of our own events that hold what a decision found in the store (`first_only`: a later content under the name
  is ignored, for example after the restore of an older store);
* a document remembers the inputs it took and their outcomes: they are not decided again, their outcomes are published
  again;
* compare-and-set on the version is the only guard against another writer; a write that is not confirmed is loaded and
  checked again, for a bounded number of rounds;
* a step that asks what the store knows (`after_cause`) is taken only when the store knows the input for which it was
  saved. After the restore of an older store it may be read before that input; it is ignored, because the decision
  of the input publishes it again;
* a copy of a step that this process has settled is not answered again: what it caused stands in the log. Otherwise each
  copy that a restored store publishes would travel along all later steps of its chain;
* a journal entry names the documents that may owe outcomes. It is written before the documents and removed after the
  acks, so that a start finds them even when the input has expired from its topic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import structlog

from shared.contracts import envelope
from shared.contracts.envelope import Unreadable
from shared.kernel.decision import Address
from shared.kernel.event import Event, Intake, Routed
from shared.runtime import clock, seams
from shared.runtime.errors import Unavailable
from shared.runtime.fold import Folded, SavedOutcome, Stored, fold
from shared.runtime.ops import audit_trail, traces
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ports import DeadLetters, Publisher, StateStore
from shared.runtime.records import Batch, Message, Record
from shared.runtime.spec import ServiceSpec

log = structlog.get_logger()

ROUNDS_MAX = 8
# The most defects that are logged with their traceback. Every dead letter says where its own defect was raised.
DEFECTS_MAX = 100
# The number of settled steps whose names a process keeps, some 200 bytes each.
STEPS_MAX = 50_000
# MongoDB limits a document to 16 MiB; no single input may add more than this to a document.
WRITE_BYTES_MAX = 8 * 1024 * 1024
# The bytes of a document that the names of its inputs may take; names are never removed. Together with one write and
# the outcomes that a store retains, this stays under 16 MiB. Names are counted only in documents with many inputs.
NAMES_BYTES_MAX = 7 * 1024 * 1024
_NAMES_FEW = 1_000
_NAME_OVERHEAD = 100


@dataclass(slots=True)
class _Part:
    """One part of one input, and the document it goes to."""

    address: Address
    event: Event
    record: Record


class Pipeline:
    """One service's shell. Not reentrant: it takes one batch at a time, and settles one at a time."""

    def __init__(
        self,
        spec: ServiceSpec,
        store: StateStore,
        publisher: Publisher,
        dead_letters: DeadLetters,
        metrics: Metrics,
        reference: Any,
        naming: bytes = b"",
    ) -> None:
        """`naming` is the key under which names that others chose appear in open topics."""
        self._spec = spec
        self._naming = naming
        self._store = store
        self._publisher = publisher
        self._dead_letters = dead_letters
        self._metrics = metrics
        self._reference = reference
        self._defects: set[str] = set()
        # The names of steps that this process has settled, the oldest first.
        self._steps: dict[str, None] = {}
        self.changes = 0
        self.latest_ms = 0

    async def take(self, batch: Batch) -> None:
        """Decides and saves a batch; raises Unavailable when the store does not answer."""
        watch = _Stopwatch(self._metrics)
        letters: list[tuple[Record, str, str]] = []
        batch.letters = letters
        if batch.log_went_back:
            # What the steps caused may be missing from the log.
            self._steps.clear()
        decoded = self._decode(batch.records, letters)
        watch.lap("decode")
        seams.hit("decoded")
        conflicts = self._claim_names(decoded)
        routed = self._route(decoded)
        parts = self._parts(decoded, routed, await conflicts, letters)
        batch.outcomes = await self._decide_and_save(parts, batch, watch)

    async def settle(self, batch: Batch) -> None:
        """Settles a batch that is taken; raises Unavailable when the broker or the store does not answer."""
        watch = _Stopwatch(self._metrics)
        if batch.letters:
            # Must be acked before the rest of the batch goes on: a lost dead letter would be a lost row.
            await self._dead_letters.put(batch.letters)
            for _, code, _ in batch.letters:
                self._metrics.dead_letter(code)
            batch.letters = []
        await self._publish(batch.outcomes)
        seams.hit("published")
        self._keep(batch.steps)
        while batch.journals:
            await self._store.close_journal(batch.journals[-1])
            batch.journals.pop()
        self.latest_ms = max(self.latest_ms, *(record.timestamp_ms for record in batch.records), 0)
        watch.lap("publish")

    def _keep(self, steps: AbstractSet[str]) -> None:
        self._steps.update(dict.fromkeys(steps))
        while len(self._steps) > STEPS_MAX:
            del self._steps[next(iter(self._steps))]

    async def sweep(self) -> int:
        """Publishes what an earlier process saved but may not have published; returns how many outcomes.

        An entry with inputs that are not saved stays open: another process may have written it and may be about to save
        them. If that process dies and its inputs expire, only this entry leads to their outcomes.
        """
        swept = 0
        for owed in await self._store.unpublished():
            await self._publish(owed.outcomes)
            if owed.complete:
                await self._store.close_journal(owed.journal)
            swept += len(owed.outcomes)
        return swept

    def _decode(self, records: Sequence[Record], letters: list[tuple[Record, str, str]]) -> list[tuple[Record, Event]]:
        decoded = []
        inputs, table, hashed = self._spec.inputs, self._spec.table, self._store.content_hash
        passed_over = 0
        for record in records:
            try:
                event = envelope.read(
                    record.value, record.headers, record.topic, record.timestamp_ms, inputs, table, hashed, self._naming
                )
            except Unreadable as error:
                letters.append((record, error.code, error.detail))
                continue
            if event is None:
                passed_over += 1
            else:
                decoded.append((record, event))
        if passed_over:
            self._metrics.record("other", "passed-over", passed_over)
        return decoded

    def _claim_names(self, decoded: Sequence[tuple[Record, Event]]) -> Awaitable[set[int]]:
        """The positions of inputs whose name is taken with other content. The store is asked at once; the answer is
        awaited after routing."""
        names: dict[str, str] = {}
        conflicting: set[int] = set()
        positions: list[int] = []
        for position, (_, event) in enumerate(decoded):
            if not isinstance(event.data, Intake) and event.type not in self._spec.first_only:
                continue
            positions.append(position)
            if names.setdefault(event.name, event.content_hash) != event.content_hash:
                conflicting.add(position)
        claimed = self._store.claim_names(names) if names else None
        return self._conflicting(decoded, positions, conflicting, claimed)

    async def _conflicting(
        self,
        decoded: Sequence[tuple[Record, Event]],
        positions: Sequence[int],
        conflicting: set[int],
        claimed: Awaitable[Mapping[str, str]] | None,
    ) -> set[int]:
        if claimed is None:
            return conflicting
        taken = await claimed
        for position in positions:
            _, event = decoded[position]
            standing = taken.get(event.name)
            if standing is not None:
                if standing == event.content_hash:
                    conflicting.discard(position)
                else:
                    conflicting.add(position)
        return conflicting

    def _route(self, decoded: Sequence[tuple[Record, Event]]) -> list[Sequence[Routed] | Exception]:
        route, reference = self._spec.route, self._reference
        routed: list[Sequence[Routed] | Exception] = []
        for _, event in decoded:
            try:
                routed.append(route(event, reference))
            except Exception as error:  # noqa: BLE001  # a defect of ours: this record is put aside, the line goes on
                routed.append(error)
        return routed

    def _parts(
        self,
        decoded: Sequence[tuple[Record, Event]],
        routed: Sequence[Sequence[Routed] | Exception],
        conflicting: set[int],
        letters: list[tuple[Record, str, str]],
    ) -> list[_Part]:
        parts: list[_Part] = []
        refuse = self._spec.conflicting
        for position, ((record, event), found) in enumerate(zip(decoded, routed, strict=True)):
            if position in conflicting and event.type in self._spec.first_only:
                self._metrics.record(event.type, "conflicting")
                continue
            if position in conflicting and refuse is not None:
                self._metrics.record(event.type, "conflicting")
                try:
                    found = (refuse(event),)
                except Exception as error:  # noqa: BLE001  # as in `_route`
                    found = error
            if isinstance(found, Exception):
                letters.append((record, "defect", self._defect("route", event, found)))
                self._metrics.record(event.type, "failed")
                continue
            parts.extend([_Part(one.address, _seen_as(event, one), record) for one in found])
        return parts

    async def _decide_and_save(self, parts: list[_Part], batch: Batch, watch: _Stopwatch) -> list[SavedOutcome]:
        """Repeats load, fold and save until every document is settled; returns the outcomes in the order of their
        inputs."""
        made: dict[tuple[Address, str], Sequence[SavedOutcome]] = {}
        waiting: dict[Address, list[_Part]] = {}
        for part in parts:
            waiting.setdefault(part.address, []).append(part)
        failed: set[tuple[str, int, int]] = set()
        steps = {part.event.name for part in parts if part.event.origin is not None}
        rounds = 0
        while waiting and rounds < ROUNDS_MAX:
            stored = await self._store.load([*waiting, *self._origins(waiting)])
            now_waiting = [
                (Routed(part.address, part.event.data), part.event) for ps in waiting.values() for part in ps
            ]
            facts = await self._spec.facts(self._store, now_waiting, self._reference)
            watch.lap("load")
            folded, left = self._fold(waiting, stored, facts, failed, batch.letters)
            watch.lap("decide")
            unsettled = await self._save([one for one in folded if one.changed], batch)
            await self._collect(folded, unsettled, made)
            if steps:
                batch.steps |= steps & _names_taken(folded, unsettled)
            watch.lap("save")
            self._count(folded, unsettled)
            # Only version conflicts count as retries; splitting a large write is progress.
            rounds = rounds + 1 if unsettled else 0
            waiting = left | {address: ps for address, ps in waiting.items() if address in unsettled}
        if waiting:
            raise Unavailable(f"{len(waiting)} documents did not settle in {ROUNDS_MAX} rounds")
        ordered: list[SavedOutcome] = []
        for part in parts:
            ordered.extend(made.pop((part.address, part.event.name), ()))
        return ordered

    def _fold(
        self,
        waiting: Mapping[Address, list[_Part]],
        stored: Mapping[Address, Any],
        facts: Any,
        failed: set[tuple[str, int, int]],
        letters: list[tuple[Record, str, str]],
    ) -> tuple[list[Folded], dict[Address, list[_Part]]]:
        """The writes of this round, and the parts that wait for the next because they do not fit into one write."""
        results: list[Folded] = []
        left: dict[Address, list[_Part]] = {}
        for address, read in waiting.items():
            parts = [part for part in read if not self._is_early(part.event, stored)]
            one, later = self._fold_what_fits(address, stored.get(address), parts, facts)
            if later:
                left[address] = later
            if one.failed:
                self._put_aside(parts, one.failed, failed, letters)
            results.append(one)
        return results, left

    def _origins(self, waiting: Mapping[Address, Sequence[_Part]]) -> list[Address]:
        """The documents that saved the steps which `_is_early` judges, and that no part changes."""
        after = self._spec.after_cause
        named = (
            part.event.origin.address
            for ps in waiting.values()
            for part in ps
            if part.event.origin and part.event.type in after
        )
        return [address for address in dict.fromkeys(named) if address not in waiting]

    def _is_early(self, event: Event, stored: Mapping[Address, Stored]) -> bool:
        """Whether this step was read before the input for which it was saved."""
        origin = event.origin
        if origin is None or event.type not in self._spec.after_cause:
            return False
        document = stored.get(origin.address)
        taken = () if document is None else document.taken
        if origin.cause in taken or any(envelope.known_as(name, self._naming) == origin.cause for name in taken):
            return False
        self._metrics.ignored("early-step")
        return True

    def _fold_what_fits(
        self, address: Address, stored: Stored | None, parts: list[_Part], facts: Any
    ) -> tuple[Folded, list[_Part]]:
        """Folds as many parts as fit into one write. An input that is too large alone, or that comes to a full
        document, is put aside.

        The result must not depend on how batches are cut: inputs that are too large only together are all taken, over
        several writes.
        """
        service, decide = self._spec.name, self._spec.decide
        now = parts
        while True:
            one = fold(service, address, stored, [part.event for part in now], decide, facts, self._naming)
            large = one.changed and self._store.measure(one) > WRITE_BYTES_MAX
            if not large or len(one.taken) == 1:
                break
            now = now[: len(now) // 2]
        if large or (one.changed and _is_full(stored)):
            error = ValueError("too-large")
            fresh = {taken.name for taken in one.taken}
            one.failed = [*one.failed, *((part.event, error) for part in now if part.event.name in fresh)]
            one.taken = []
        return one, parts[len(now) :]

    def _put_aside(
        self,
        parts: Sequence[_Part],
        failures: Sequence[tuple[Event, Exception]],
        failed: set[tuple[str, int, int]],
        letters: list[tuple[Record, str, str]],
    ) -> None:
        errors = {id(event): error for event, error in failures}
        for part in parts:
            error = errors.get(id(part.event))
            place = (part.record.topic, part.record.partition, part.record.offset)
            if error is not None and place not in failed:
                failed.add(place)
                letters.append((part.record, "defect", self._defect("decide", part.event, error)))
                self._metrics.record(part.event.type, "failed")

    def _defect(self, step: str, event: Event, error: Exception) -> str:
        """The dead letter's text for a defect of ours. Its traceback is logged only the first time: a thousand records
        that fail in the same line are one defect."""
        short = traces.short(error)
        if short not in self._defects and len(self._defects) < DEFECTS_MAX:
            self._defects.add(short)
            log.error("a defect", step=step, type=event.type, exc_info=error)
        return f"{step}: {short}"

    async def _save(self, writes: list[Folded], batch: Batch) -> set[Address]:
        if not writes:
            return set()
        if any(taken.outcomes for one in writes for taken in one.taken):
            journal = clock.new_id()
            batch.journals.append(journal)
            await self._store.open_journal(journal, writes)
        seams.hit("journaled")
        unsettled = await self._store.save(writes)
        seams.hit("saved")
        self.changes += 1
        if unsettled:
            self._metrics.conflicts(len(unsettled))
        return unsettled

    async def _collect(
        self,
        folded: Sequence[Folded],
        unsettled: set[Address],
        made: dict[tuple[Address, str], Sequence[SavedOutcome]],
    ) -> None:
        """Collects the outcomes to publish: those just saved, and those that a redelivered input saved earlier, unless
        it is a step that this process has settled."""
        again: dict[Address, list[str]] = {}
        for one in folded:
            if one.address in unsettled:
                continue
            for taken in one.taken:
                made[one.address, taken.name] = taken.outcomes
            names = [event.name for event in one.redelivered]
            known = [name for name in names if (one.address, name) not in made and name not in self._steps]
            if known:
                again[one.address] = known
        if again:
            for address, by_name in (await self._store.outcomes(again)).items():
                for name, outcomes in by_name.items():
                    made[address, name] = outcomes

    def _count(self, folded: Sequence[Folded], unsettled: set[Address]) -> None:
        decided = redelivered = 0
        for one in folded:
            if one.address in unsettled:
                continue
            decided += len(one.taken)
            redelivered += len(one.redelivered)
            for reason in one.ignored:
                self._metrics.ignored(reason)
        if decided:
            self._metrics.record("all", "decided", decided)
        if redelivered:
            self._metrics.record("all", "redelivered", redelivered)

    async def _publish(self, outcomes: Sequence[SavedOutcome]) -> None:
        if not outcomes:
            return
        await self._publisher.send_all([Message(one.topic, one.key.encode(), one.value) for one in outcomes])
        audit_trail.commands_refused(outcomes)
        for kind, count in Counter(one.type for one in outcomes).items():
            self._metrics.outcome(kind, count)


def _names_taken(folded: Sequence[Folded], unsettled: AbstractSet[Address]) -> set[str]:
    """The names of the inputs that the settled documents have taken, now or earlier."""
    settled = [one for one in folded if one.address not in unsettled]
    return {taken.name for one in settled for taken in one.taken} | {
        event.name for one in settled for event in one.redelivered
    }


def _is_full(stored: Stored | None) -> bool:
    if stored is None or len(stored.taken) < _NAMES_FEW:
        return False
    return sum(len(name.encode()) + _NAME_OVERHEAD for name in stored.taken) > NAMES_BYTES_MAX


class _Stopwatch:
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._last = clock.monotonic()

    def lap(self, stage: str) -> None:
        """Observes the time since the last lap."""
        now = clock.monotonic()
        self._metrics.stage(stage, now - self._last)
        self._last = now


def _seen_as(event: Event, routed: Routed) -> Event:
    if routed.data is event.data and routed.for_cause == event.for_cause:
        return event
    return event.with_data(routed.data, for_cause=routed.for_cause)
