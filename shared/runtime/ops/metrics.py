"""Every metric of the shell, in one place. Each comment says what to do when it rises. Labels never contain ids."""

from __future__ import annotations

import math
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from shared.runtime import clock

# Otherwise there are twice as many series, for a start time that process_start_time_seconds already gives.
disable_created_metrics()  # type: ignore[no-untyped-call]  # its library has no types

STAGES = ("decode", "load", "decide", "save", "publish", "commit")
_STAGE_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
_LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


_outside: dict[str, float] = {}


def note_external(figure: str, value: float) -> None:
    """Notes a figure of an outside system that an adapter calls (the rest of a quota, an open breaker)."""
    _outside[figure] = value


class _ExternalMetrics(Collector):
    """The figures of outside systems. They are global, because adapters set them before and after any one Metrics
    object exists."""

    def __init__(self, service: str) -> None:
        self._service = service

    def collect(self) -> Iterable[Metric]:
        # Quota below a day's need: ask for more, or lower the rate. Open breaker: check the other system.
        family = GaugeMetricFamily("payung_outside", "Figures of outside systems", labels=("service", "figure"))
        for figure, value in _outside.items():
            family.add_metric((self._service, figure), value)
        yield family


class Metrics:
    """The metrics of one service process; every series has the label `service`."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(_ExternalMetrics(service))
        label = ("service",)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, (*label, *labels), registry=self.registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(name, text, (*label, *labels), registry=self.registry)

        # Inputs by type and fate. `failed` is a defect of ours: read the dead letter, mend, replay.
        self._records = counter("payung_records_total", "Inputs by type and fate", "type", "fate")
        # Refusals and ignored inputs by reason: a rise for one agency means a bad list, for all of them a bad release.
        self._ignored = counter("payung_ignored_total", "Inputs without effect, by reason", "reason")
        self._outcomes = counter("payung_outcomes_total", "Outcome events published, by type", "type")
        # Look at each: `payung dlq list`.
        self._dead = counter("payung_dead_letters_total", "Records put aside, by error class", "code")
        # A flood of an agency is a bad export: talk to them, `payung dlq list`. On a topic of our own: a bad release.
        self._floods = counter("payung_floods_total", "Floods of dead letters, by topic", "topic")
        # 1 while records of an agency wait unread: `payung dlq resume` when the flood is over.
        self._paused = gauge("payung_topic_paused", "Topics that a flood of dead letters paused", "topic")
        # Each skipped record is lost to this service: docs/runbooks/offsets-lost.md.
        self._skipped = counter("payung_records_skipped_total", "Records deleted before they were read", "topic")
        # A log was restored or cut off. Records that are read twice have no second effect; records that it lost have
        # none at all.
        self._places_lost = counter("payung_places_lost_total", "Partitions that ended before our place", "topic")
        # A few conflicts are normal in a rebalance; a steady rate means that a partition has two owners.
        self._conflicts = counter("payung_compare_and_set_conflicts_total", "Writes that met another version")
        # The store or the broker does not answer: see their own alerts first.
        self._retries = counter("payung_retries_total", "Transient trouble retried in place", "what")
        self._stage = Histogram(
            "payung_stage_seconds",
            "Time per batch and stage",
            (*label, "stage"),
            buckets=_STAGE_BUCKETS,
            registry=self.registry,
        )
        self._batch = Histogram(
            "payung_batch_records",
            "Records per batch",
            label,
            buckets=(1, 10, 50, 100, 500, 1000, 2000, 3000),
            registry=self.registry,
        )
        # From the broker's timestamp to the acks of the outcomes: the service's own promise to the agencies.
        self._latency = Histogram(
            "payung_end_to_end_seconds",
            "Broker timestamp to outcomes acked, oldest record of a batch",
            label,
            buckets=_LATENCY_BUCKETS,
            registry=self.registry,
        )
        # NaN while Kafka does not answer; payung_backlog_known_timestamp_seconds tells since when.
        self._lag = gauge("payung_consumer_lag_records", "Records not yet read, all assigned partitions")
        self._known = gauge("payung_backlog_known_timestamp_seconds", "When Kafka last told the lag")
        # 0 means frozen, not reachable, full or without a majority: docs/runbooks/store-silent.md.
        self._store = gauge("payung_store_answers", "1 while the store takes a write and answers a read")
        self._oldest = gauge("payung_oldest_waiting_seconds", "Age of the oldest record not yet settled")
        self._progress = gauge("payung_last_progress_timestamp_seconds", "When a batch was last settled")
        self._partitions = gauge("payung_assigned_partitions", "Partitions assigned to this process")
        # All due work, counted every ten seconds. When it grows, the other system is slower than the work that comes
        # in.
        self._due = gauge("payung_due_work_waiting", "Documents with due work that may start, up to 100,000")
        self._performed = counter("payung_due_work_total", "Due work by kind and fate", "kind", "fate")
        self.service = service
        self.records = self._records
        self._label = service
        for one in (self._oldest, self._progress, self._partitions, self._due, self._known, self._store):
            one.labels(service).set(0)
        self._lag.labels(service).set(math.nan)
        self._conflicts.labels(service)

    def record(self, kind: str, fate: str, count: int = 1) -> None:
        """Counts inputs by type and fate: decided, redelivered, conflicting, failed."""
        self._records.labels(self._label, kind, fate).inc(count)

    def ignored(self, reason: str) -> None:
        self._ignored.labels(self._label, reason).inc()

    def outcome(self, kind: str, count: int) -> None:
        self._outcomes.labels(self._label, kind).inc(count)

    def dead_letter(self, code: str) -> None:
        """Counts a record put aside."""
        self._dead.labels(self._label, code).inc()

    def flood(self, topic: str) -> None:
        self._floods.labels(self._label, topic).inc()

    def paused(self, topic: str, now: bool) -> None:
        self._paused.labels(self._label, topic).set(int(now))

    def skipped(self, topic: str, records: int) -> None:
        """Counts records that were deleted before they were read."""
        self._skipped.labels(self._label, topic).inc(records)

    def place_lost(self, topic: str) -> None:
        """Counts a partition that ended before the place to read on."""
        self._places_lost.labels(self._label, topic).inc()

    def dead_letters(self) -> int:
        """Records put aside since this process started."""
        return int(
            sum(
                sample.value
                for family in self._dead.collect()
                for sample in family.samples
                if sample.name.endswith("_total")
            )
        )

    def conflicts(self, count: int) -> None:
        """Counts writes that met another version."""
        self._conflicts.labels(self._label).inc(count)

    def retry(self, what: str) -> None:
        """Counts one retry of transient trouble."""
        self._retries.labels(self._label, what).inc()

    def stage(self, stage: str, seconds: float) -> None:
        """Observes the time of one stage of one batch."""
        self._stage.labels(self._label, stage).observe(seconds)

    def batch(self, records: int, oldest_age_s: float) -> None:
        """Observes a settled batch."""
        self._batch.labels(self._label).observe(records)
        self._latency.labels(self._label).observe(max(0.0, oldest_age_s))

    def settled(self, at_s: float) -> None:
        self._progress.labels(self._label).set(at_s)

    def backlog_unknown(self, partitions: int) -> None:
        """Kafka does not report the lag: no figure is better than an old one."""
        self._lag.labels(self._label).set(math.nan)
        self._partitions.labels(self._label).set(partitions)

    def store_answered(self, now: bool) -> None:
        self._store.labels(self._label).set(int(now))

    def backlog(self, *, lag: int, oldest_s: float, partitions: int) -> None:
        """Notes the lag: its records, its age in seconds, and the partitions."""
        self._lag.labels(self._label).set(lag)
        self._known.labels(self._label).set(clock.now().timestamp())
        self._oldest.labels(self._label).set(oldest_s)
        self._partitions.labels(self._label).set(partitions)

    def due_work(self, waiting: int) -> None:
        """Notes how much due work waits."""
        self._due.labels(self._label).set(waiting)

    def performed(self, kind: str, fate: str) -> None:
        """Counts one piece of due work: answered, unavailable, failed."""
        self._performed.labels(self._label, kind, fate).inc()
