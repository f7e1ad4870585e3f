"""The figures of uploaded lists for Prometheus. Labels hold no list, agency or name."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

# Why a list ended without its answers: its sender must mend the file, or we must mend the code.
UNREADABLE, DEFECT = "unreadable", "defect"
_LABEL = ("service",)


class Figures:
    """What one process knows of uploaded lists. All lists that wait are a figure of the service: every process shows
    the same."""

    def __init__(self, service: str, registry: CollectorRegistry) -> None:
        # A list that waits for an hour: docs/runbooks/lists.md.
        self._waiting = Gauge(
            "payung_imports_waiting", "Uploaded lists that are not finished, up to 1,000", _LABEL, registry=registry
        ).labels(service)
        self._oldest = Gauge(
            "payung_import_oldest_waiting_seconds", "Age of the oldest unfinished list", _LABEL, registry=registry
        ).labels(service)
        # Rows are published again after a restart, so this may be more than all rows of the lists.
        self._rows = Counter(
            "payung_import_rows_sent", "Rows of uploaded lists that were published", _LABEL, registry=registry
        ).labels(service)
        failed = Counter(
            "payung_imports_failed", "Uploaded lists that ended without answers", (*_LABEL, "code"), registry=registry
        )
        # Both counters exist from the start: a counter that first appears with the value 1 shows no increase.
        self._failed = {code: failed.labels(service, code) for code in (UNREADABLE, DEFECT)}

    def wait(self, lists: int, oldest: datetime | None, now: datetime) -> None:
        """Notes the unfinished lists, and when the oldest of them came."""
        self._waiting.set(lists)
        self._oldest.set(max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0)

    def sent(self, rows: int) -> None:
        """Counts published rows."""
        self._rows.inc(rows)

    def failed(self, code: str) -> None:
        """Counts a list that ended without answers: UNREADABLE or DEFECT."""
        self._failed[code].inc()
