"""The stored parts of an uploaded list: its record, its sealed bytes, its answers. Knows no HTTP and no Kafka.

The file holds personal data. Its bytes and its name are sealed, and both are deleted KEPT_DAYS after the last row was
answered, just as the intake topic deletes its records. The answers hold codes and worker_ids only; they are deleted
with the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, cast

from shared.contracts import officers
from shared.lists import RowAnswer
from shared.lists.columns import ListKind
from shared.runtime.ports import Cipher

IMPORTS = "imports"
CHUNKS = "import_chunks"
ANSWERS = "import_answers"
# An intake topic forgets its records after 14 days.
KEPT_DAYS = 14
# A broken-off upload can never be finished. Its bytes are deleted once it is certainly dead.
RECEIVING_HOURS = 6


class ImportStatus(StrEnum):
    """The status of an import."""

    RECEIVING = "receiving"
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"


UNFINISHED = (ImportStatus.WAITING.value, ImportStatus.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One uploaded list. `officer` signs it when it holds decisions.

    `done_batches` batches of `batch_rows` rows have their final answers; a restart continues after them.
    """

    id: str
    agency: str
    kind: ListKind
    name: str
    received_at: datetime
    status: ImportStatus = ImportStatus.RECEIVING
    sha256: str = ""
    size: int = 0
    chunks: int = 0
    batch_rows: int = 0
    rows: int | None = None
    sent: int = 0
    done_batches: int = 0
    answered: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    # The rows of each village that was written by name and taken by its code.
    villages: Mapping[str, int] = field(default_factory=dict)
    notices: tuple[tuple[str, str], ...] = ()
    error: tuple[str, str] | None = None
    finished_at: datetime | None = None
    officer: str = ""

    @property
    def source(self) -> str:
        """The source of its events: the agency, or the officer whose decisions the list holds."""
        return officers.source_of(self.officer) if self.officer else f"agency/{self.agency}"

    @property
    def kept_until(self) -> datetime | None:
        """When the file and its answers are deleted; None while the import is unfinished."""
        return self.finished_at + timedelta(days=KEPT_DAYS) if self.finished_at else None


def row_of(one: Import, cipher: Cipher) -> dict[str, Any]:
    return {
        "agency": one.agency,
        "kind": one.kind,
        "name": cipher.seal(one.name),
        "received_at": one.received_at,
        "status": one.status.value,
        # Sealed, because the content of a one-row list could be found from its digest by trying.
        "sha256": cipher.seal(one.sha256),
        "size": one.size,
        "chunks": one.chunks,
        "batch_rows": one.batch_rows,
        "rows": one.rows,
        "sent": one.sent,
        "done_batches": one.done_batches,
        "answered": one.answered,
        # As pairs: a reason may contain a dot (field-invalid:heir.name), and a field name in the store should not.
        "outcomes": [list(pair) for pair in one.outcomes.items()],
        "reasons": [list(pair) for pair in one.reasons.items()],
        "villages": [list(pair) for pair in one.villages.items()],
        "notices": [list(pair) for pair in one.notices],
        "error": list(one.error) if one.error else None,
        "finished_at": one.finished_at,
        "officer": cipher.seal(one.officer) if one.officer else None,
    }


def import_of(identifier: str, row: Mapping[str, Any], cipher: Cipher) -> Import:
    finished = row["finished_at"]
    return Import(
        id=identifier,
        agency=row["agency"],
        kind=cast("ListKind", row["kind"]),
        name=cipher.open(row["name"]),
        received_at=_aware(row["received_at"]),
        status=ImportStatus(row["status"]),
        sha256=_sealed_text(row["sha256"], cipher),
        size=row["size"],
        chunks=row["chunks"],
        batch_rows=row["batch_rows"],
        rows=row["rows"],
        sent=row["sent"],
        done_batches=row["done_batches"],
        answered=row["answered"],
        outcomes=dict(row["outcomes"]),
        reasons=dict(row["reasons"]),
        # Imports of an earlier release have no villages.
        villages=dict(row.get("villages", ())),
        notices=tuple((text, english) for text, english in row["notices"]),
        error=tuple(row["error"]) if row["error"] else None,
        finished_at=_aware(finished) if finished else None,
        officer=cipher.open(row["officer"]) if row.get("officer") else "",
    )


def answers_row(answers: Mapping[int, RowAnswer]) -> dict[str, Any]:
    """The answers of one batch as a plain row."""
    rows = [[n, one.outcome, list(one.reasons), one.worker_id, list(one.warnings)] for n, one in answers.items()]
    return {"rows": rows}


def answers_of(row: Mapping[str, Any]) -> dict[int, RowAnswer]:
    """The answers of one batch, by row number."""
    # Batches of an earlier release have no warnings after the worker.
    return {
        n: RowAnswer(outcome, tuple(reasons), worker, warnings=tuple(more[0]) if more else ())
        for n, outcome, reasons, worker, *more in row["rows"]
    }


def part_id(identifier: str, number: int) -> str:
    """The key of one chunk, or of one batch of answers."""
    return f"{identifier}|{number:05d}"


def _sealed_text(kept: Any, cipher: Cipher) -> str:
    """The text of a sealed field. Older releases stored it as plain text."""
    return kept if isinstance(kept, str) else cipher.open(kept)


def _aware(at: datetime) -> datetime:
    # Some drivers return an instant without its zone; the store always holds UTC.
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
