"""`python -m services.registration.suspects.background.scan`: one scan of all active workers, in its own process.

A scan of a whole regency takes seconds of one core and hundreds of megabytes. Inside the service it would stop the
consumer, and the memory would stay allocated. Pairs go to stdout, one JSON object a line, with `{"people": n}` as the
last line; without that line the scan is incomplete. Names and NIKs never leave this process, and no index of them is
kept anywhere.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Mapping

import orjson

from services.registration.suspects.domain import likeness
from services.registration.suspects.domain.likeness import Match, Traits
from services.registration.workers.documents import STORED
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.runtime.ops import logs, secrets
from shared.runtime.ports import Reader
from shared.runtime.store.opening import opened

SERVICE = "registration"
PAGE = 5_000
# Workers who may cost money now or soon.
ACTIVE = [status.value for status in (WorkerStatus.CHECKING, WorkerStatus.VERIFIED, WorkerStatus.HELD)]
# Lower priority than the consumer.
NICENESS = 10


async def read(reader: Reader) -> list[Traits]:
    """The traits of all active workers, read page by page."""
    people: list[Traits] = []
    last = ""
    while True:
        where = {"_id": {"$gt": last}, "state.status": {"$in": ACTIVE}}
        page = await reader.find("workers", where, order=("_id",), limit=PAGE)
        people.extend(likeness.traits_of(key, one) for key, one in page if isinstance(one, Worker))
        if len(page) < PAGE:
            return people
        last = page[-1][0]


def line(match: Match) -> bytes:
    """One pair as the service reads it; no personal data."""
    both = (match.first, match.second)
    return orjson.dumps(
        {
            "first": match.first.key,
            "second": match.second.key,
            "score": match.score,
            "reasons": list(match.reasons),
            "regencies": sorted({one.regency for one in both}),
            "villages": sorted({one.village for one in both}),
        }
    )


async def _scan(environ: Mapping[str, str]) -> None:
    store = opened(SERVICE, STORED, {}, environ)
    try:
        people = await read(store)
    finally:
        await store.close()
    out = sys.stdout.buffer
    for match in likeness.find(people):
        out.write(line(match) + b"\n")
    out.write(orjson.dumps({"people": len(people)}) + b"\n")
    out.flush()


def _end_with_the_service() -> None:
    """Ends this process when the service ends in any way: the service holds our stdin open, and its end closes
    stdin.
    """
    # Reads the bare descriptor: a daemon thread that holds a buffered stdin aborts the interpreter's own shutdown.
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    # This process writes to the service's log; the text of an error would show the people whom it compares.
    logs.configure("registration", os.environ)
    os.nice(NICENESS)
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    asyncio.run(_scan(secrets.resolved(os.environ)))


if __name__ == "__main__":
    main()
