"""Decides when to scan, and publishes the result: new, changed and vanished pairs, as events on the work topic.

A scan runs after something was saved and no change has come for a while. Then the process pauses REST_TIMES as long as
the scan took. So a regency of some thousand workers is scanned at once and a regency of 150,000 every few minutes, and
other work is not slowed down. One process of the service scans at a time, under a lease, and the other processes do not
repeat its work. A finding that is published twice has the same event id.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import structlog
from pydantic import BaseModel

from services.registration.settings import Settings
from services.registration.suspects.domain.pairs import pair_id
from services.registration.suspects.domain.state import Pair, PairStatus
from shared.contracts import envelope, topics
from shared.contracts.registration_work import SuspicionFound, SuspicionGone
from shared.runtime import clock
from shared.runtime.errors import Unavailable
from shared.runtime.ports import Reader
from shared.runtime.records import Message
from shared.runtime.service_context import ServiceContext

log = structlog.get_logger()

LOOK_S = 2.0
# A scan uses at most one twentieth of a core.
REST_TIMES = 20.0
SCAN_TIMEOUT_S = 900.0
CHUNK = 1_000
SCANS = "scans"
LAST, WANTED, BEGUN, DONE = "last", "wanted", "begun", "done"
SCANNING = "scan"


class ScanFailed(Exception):
    """The scan did not finish, so its output is not used."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The result of a whole scan: the number of people it saw, and every suspect pair among them."""

    people: int
    pairs: tuple[SuspicionFound, ...]


RunScan = Callable[[], Awaitable[Scan]]


async def run(context: ServiceContext) -> None:
    """Scans repeatedly, until cancelled. Returns at once when scan_quiet_s is 0."""
    settings = Settings.from_environment(context.environ)
    if settings.scan_quiet_s <= 0:
        return
    await Scans(context, settings.scan_quiet_s, lambda: in_a_process(context)).run()


class _Underway(NamedTuple):
    """A scan in progress: its number, and the number of changes that it includes."""

    number: int
    changes: int


class Scans:
    """Schedules the scans of one process. All processes of the service together scan once, under a lease.

    Scans are numbered. A scan that began after this process had last looked includes everything it had saved by then.
    """

    def __init__(self, context: ServiceContext, quiet_s: float, scanner: RunScan) -> None:
        self._context = context
        self._quiet_s = quiet_s
        self._scanner = scanner
        self._seen = -1
        self._scanned = -1
        self._moved_s = clock.monotonic()
        self._rests_until_s = 0.0
        # `_begun` and `_looked` are from the last look: the newest scan that had begun, and the number of own changes
        # saved. `_underway` is a later scan, which includes those changes.
        self._begun = 0
        self._looked = -1
        self._underway: _Underway | None = None

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except (Unavailable, ScanFailed, TimeoutError) as error:
                log.warning("the search for suspects failed; it is repeated later", error=type(error).__name__)
                self._rests_until_s = clock.monotonic() + 10 * self._quiet_s
            await asyncio.sleep(LOOK_S)

    async def look(self) -> bool:
        """Scans once, if it is time for a scan and no other process scans. Returns whether it scanned."""
        now_s, changes = clock.monotonic(), self._context.changes
        if changes != self._seen:
            self._seen, self._moved_s = changes, now_s
        rows = await self._context.reader.rows(SCANS, [LAST, WANTED, BEGUN, DONE])
        self._learn(rows, changes)
        quiet = changes != self._scanned and now_s - self._moved_s >= self._quiet_s and now_s >= self._rests_until_s
        if not is_asked(rows) and not quiet:
            return False
        if not await self._context.leases.mine(SCANNING):
            return False
        try:
            await self._scan(changes)
        finally:
            await self._context.leases.release(SCANNING)
        return True

    def _learn(self, rows: Mapping[str, Any], changes: int) -> None:
        """Notes what another process has scanned, so that this one need not repeat it."""
        begun, done = number_of(rows, BEGUN), number_of(rows, DONE)
        if begun > self._begun:
            self._underway = _Underway(begun, self._looked)
        if self._underway is not None and done >= self._underway.number:
            if self._underway.changes > self._scanned:
                self._scanned = self._underway.changes
                self._rests_until_s = clock.monotonic() + REST_TIMES * float(rows.get(LAST, {}).get("took_s", 0.0))
            self._underway = None
        self._begun, self._looked = begun, changes

    async def _scan(self, changes: int) -> None:
        reader = self._context.reader
        number = number_of(await reader.rows(SCANS, [BEGUN]), BEGUN) + 1
        await reader.save_rows(SCANS, {BEGUN: {"number": number}})
        started_s, at = clock.monotonic(), clock.now().isoformat()
        scan = await self._scanner()
        told = await publish_findings(self._context, scan)
        took_s = clock.monotonic() - started_s
        self._scanned, self._begun = changes, number
        self._rests_until_s = clock.monotonic() + REST_TIMES * took_s
        row = {"at": at, "people": scan.people, "pairs": len(scan.pairs), "took_s": round(took_s, 1)}
        await reader.save_rows(SCANS, {LAST: row, DONE: {"number": number}})
        log.info("looked for suspects", **{**row, "told": told})


def number_of(rows: Mapping[str, Any], name: str) -> int:
    """The number in the row BEGUN or DONE; 0 before the first scan."""
    return int(rows.get(name, {}).get("number", 0))


def is_asked(rows: Mapping[str, Any]) -> bool:
    """Whether a scan was requested, and no scan that began after the request is done."""
    wanted = rows.get(WANTED)
    return wanted is not None and number_of(rows, DONE) <= int(wanted.get("after", -1))


async def ask(context: ServiceContext) -> str:
    """Requests a scan now; returns the time of the request.

    A scan that is already running does not count, because it may have passed the changes in question.
    """
    at, begun = clock.now().isoformat(), number_of(await context.reader.rows(SCANS, [BEGUN]), BEGUN)
    await context.reader.save_rows(SCANS, {WANTED: {"at": at, "after": begun}})
    return at


async def publish_findings(context: ServiceContext, scan: Scan) -> int:
    """Publishes the findings of a scan that are not known yet; returns the number of events."""
    messages: list[Message] = []
    found: set[str] = set()
    for start in range(0, len(scan.pairs), CHUNK):
        chunk = {pair_id(one.first, one.second): one for one in scan.pairs[start : start + CHUNK]}
        found |= set(chunk)
        known = await context.reader.states("suspects", list(chunk))
        messages += [
            _message("suspicion.found.v1", key, one, known.get(key))
            for key, one in chunk.items()
            if _is_new(one, known.get(key))
        ]
    for key, pair in await _open(context.reader):
        if key not in found:
            first, second = pair.workers
            messages.append(_message("suspicion.gone.v1", key, SuspicionGone(first=first, second=second), pair))
    if messages:
        await context.publish(messages)
    return len(messages)


def _is_new(found: SuspicionFound, known: Any) -> bool:
    if not isinstance(known, Pair) or known.status is PairStatus.GONE:
        return True
    return known.status is PairStatus.OPEN and (known.score, list(known.reasons), list(known.villages)) != (
        found.score,
        found.reasons,
        found.villages,
    )


async def _open(reader: Reader) -> list[tuple[str, Pair]]:
    pairs: list[tuple[str, Pair]] = []
    last = ""
    while True:
        where = {"_id": {"$gt": last}, "state.status": PairStatus.OPEN.value}
        page = await reader.find("suspects", where, order=("_id",), limit=CHUNK)
        pairs.extend((key, one) for key, one in page if isinstance(one, Pair))
        if len(page) < CHUNK:
            return pairs
        last = page[-1][0]


def _message(kind: str, key: str, data: BaseModel, known: Any) -> Message:
    """The id follows from the message and the pair's state, so the same message about the same pair is one event."""
    state = [known.status, known.found_at.isoformat(), len(known.decisions)] if isinstance(known, Pair) else []
    digest = hashlib.blake2b(orjson.dumps([kind, data.model_dump(), state]), digest_size=16).hexdigest()
    value = envelope.internal("registration", digest, kind, data, clock.now())
    return Message(topics.work("registration"), key.encode(), value)


async def in_a_process(context: ServiceContext) -> Scan:
    """Runs `scan` as a child process; raises ScanFailed when it does not end well, TimeoutError after
    SCAN_TIMEOUT_S.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.registration.suspects.background.scan",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=dict(context.environ),
    )
    try:
        out, _ = await asyncio.wait_for(_output(child), SCAN_TIMEOUT_S)
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    return read(out.splitlines(), child.returncode)


async def _output(child: asyncio.subprocess.Process) -> tuple[bytes, int | None]:
    # Not communicate(): it would close stdin at once, and a closed stdin tells the child that the service is gone.
    assert child.stdout is not None
    out = await child.stdout.read()
    return out, await child.wait()


def read(lines: Sequence[bytes], code: int | None) -> Scan:
    """The result of a scan from its output; raises ScanFailed when the output is incomplete."""
    rows = [orjson.loads(line) for line in lines]
    if code != 0 or not rows or "people" not in rows[-1]:
        raise ScanFailed(f"the scan ended with {code}")
    return Scan(rows[-1]["people"], tuple(SuspicionFound.model_validate(row) for row in rows[:-1]))
