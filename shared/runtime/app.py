"""Composes one process of one service, from its environment to its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import logging
import os
import random
import resource
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from typing import Any

import structlog
import uvicorn

from shared.contracts import topics
from shared.runtime import clock, configuration, settings
from shared.runtime.deadletters import DeadLetterTopic
from shared.runtime.due import DueRunner, DueWorkplace
from shared.runtime.errors import StartRefused, Unavailable
from shared.runtime.http import edge, endpoints
from shared.runtime.kafka import refusals, settled, small_topic, topic_ids, topics_admin
from shared.runtime.kafka.consumer import KafkaConsumer, pattern_of
from shared.runtime.kafka.durability import Durability
from shared.runtime.kafka.patches import cancelled_from_outside
from shared.runtime.kafka.publisher import KafkaPublisher
from shared.runtime.kafka.server import Server
from shared.runtime.ops import credentials, guards, key_guard, logs, secrets, traces
from shared.runtime.ops.floodgate import FloodGate, OwnFlood
from shared.runtime.ops.floods import limits_of
from shared.runtime.ops.health import Watch
from shared.runtime.ops.key_guard import KeyGuard
from shared.runtime.ops.metrics import Metrics
from shared.runtime.ops.pulse import Pulse
from shared.runtime.pipeline import Pipeline
from shared.runtime.records import Batch
from shared.runtime.service_context import ServiceContext
from shared.runtime.spec import ServiceSpec
from shared.runtime.store import key_checks, login, opening
from shared.runtime.store.crypto import FieldCipher, cipher_from, id_check_value, id_key_from, naming_key_from
from shared.runtime.store.leases import Leases
from shared.runtime.store.mongo import MongoStore

log = structlog.get_logger()

# Transient trouble is retried for this long; then the process ends and its supervisor starts it again. This is well
# below the consumer's max_poll_interval, so that the partitions are not taken away during a retry.
RETRY_BUDGET_S = 90.0
RETRY_FIRST_S = 0.2
RETRY_MAX_S = 5.0
CONFIRM_S = 2.0
KEYS_LOOK_S = 2.0
OPEN_FILES = 8_192
# An event loop that runs no other task for this long hangs in a computation. No task of the loop can notice that, only
# a thread.
BLOCKED_AFTER_S = 120.0
_BEAT_S = 5.0
EXIT_REFUSED = 78
EXIT_UNAVAILABLE = 75
EXIT_DEFECT = 70
DEFAULT_PORT_BASE = 8100


def open_store(spec: ServiceSpec, environ: Mapping[str, str], shelf: str | None = None) -> MongoStore:
    """The store of a service. Commands that load its reference data or rebuild its model (`shelf`) use it too."""
    instance = configuration.INSTANCE.text(environ) or None
    return opening.opened(spec.name, spec.stored, spec.indexes, environ, instance=instance, shelf=shelf)


def main(spec: ServiceSpec) -> None:
    """Runs a service until it is told to stop; exits 0 after a clean stop, non-zero when it must be started again."""
    logs.configure(spec.name, os.environ)
    # aiokafka logs every retry at ERROR while a broker is away; our own line says it once, with the reason.
    refusals.listen()
    _raise_open_files()
    # Exclude the long-lived modules from garbage collection. Batches die young and need no early full collections.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        code = runner.run(_run(spec, os.environ))
    sys.exit(code)


def _raise_open_files() -> None:
    """Allows OPEN_FILES, or as many as the system lets this process have. In a flood the HTTP edge accepts more
    connections than the usual 1,024 files, and those to Kafka and MongoDB would fail."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(most, OPEN_FILES)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _uncollected(batch: Awaitable[None]) -> None:
    """Runs a batch without garbage collection.

    A batch makes some hundred thousand objects that die with it. Searching them for cycles while they live costs about
    seven percent of a batch's time; once it is taken, most of them are gone.
    """
    gc.disable()
    try:
        await batch
    finally:
        gc.enable()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed, because every record crosses the loop several times."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


async def _run(spec: ServiceSpec, environ: Mapping[str, str]) -> int:
    try:
        process = Process(spec, secrets.resolved(environ))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, process.ask_to_stop)
        return await process.run()
    except StartRefused as error:
        log.error("refused to start", why=str(error))
        return EXIT_REFUSED
    except Unavailable as error:
        log.error("stopped: a server does not answer", why=str(error))
        return EXIT_UNAVAILABLE
    except Exception as error:  # noqa: BLE001  # any other error gives the operator one line and the exit code of a defect
        log.error("ended by a defect", why=traces.safe_text(error))
        _tell(error)
        return EXIT_DEFECT


def _tell(error: BaseException) -> None:
    """Logs the traceback without its values (traces)."""
    if not isinstance(error, StartRefused | Unavailable):
        log.error("the error that ended the service", exc_info=error)


class Process:
    """The life of one service process."""

    def __init__(self, spec: ServiceSpec, environ: Mapping[str, str]) -> None:
        self._spec = spec
        self._environ = environ
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None

    def ask_to_stop(self) -> None:
        """Requests a clean stop: work under way is finished first."""
        self._stopping.set()

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, asyncio.CancelledError):
            error = Unavailable("a server's client cancelled what we waited for")
        if self._failure is None:
            self._failure = error
        self._stopping.set()

    async def run(self) -> int:
        """Starts the parts in order, serves, and stops them in reverse; returns the exit code."""
        spec, environ = self._spec, self._environ
        settings.check((*configuration.SHELL, *spec.settings), environ)
        metrics = Metrics(spec.name)
        server = Server(environ)
        guards.check_store_url(environ)
        login.check(environ)
        edge.check(environ)
        limits = limits_of(environ)
        store = open_store(spec, environ)
        publisher = KafkaPublisher(server, f"payung-{spec.name}")
        await self._retry_transient(store.check)
        cipher = cipher_from(environ, spec.name)
        id_key = id_key_from(environ) if spec.names_workers else None
        reads, asked = pattern_of(spec.topics), Durability.of(environ)
        await self._retry_transient(lambda: topics_admin.check(server, _topics_of(spec), reads, asked))
        id_guard = _key_guard(spec, id_key, server, publisher, store)
        # Before the store notes its keys: a new store would keep the wrong one for ever.
        await self._retry_transient(id_guard.compare)
        await self._retry_transient(lambda: key_checks.check(store, cipher, id_key))
        await self._retry_transient(store.bring_up)
        topic_guard = _topic_guard(spec, server, store, environ)
        await self._retry_transient(topic_guard.check)
        instance = configuration.INSTANCE.text(environ) or None
        name_guard = guards.NameGuard(store, instance)
        await self._retry_transient(name_guard.claim)
        reference = await self._retry_transient(lambda: spec.reference(store, environ))
        await self._retry_transient(publisher.start)
        # After the store's own check, so that only the store's own key is published.
        await self._retry_transient(id_guard.tell)

        async def take(batch: Batch) -> None:
            await self._retry_transient(lambda: _uncollected(pipeline.take(batch)), metrics)

        async def settle(batch: Batch) -> None:
            await self._retry_transient(lambda: pipeline.settle(batch), metrics)
            await gate.settled(batch.records)
            runner.wake()

        accept = configuration.ACCEPT_AHEAD.of(environ) == "all"
        offsets = settled.SettledOffsets(store, lambda: topic_ids.read(server), accept=accept)
        consumer = KafkaConsumer(server, spec.name, spec.topics, take, settle, self._fail, metrics, instance, offsets)
        letters = DeadLetterTopic(spec.name, publisher, lambda: topic_ids.read(server))
        gate = FloodGate(spec.name, letters, store, consumer, metrics, limits)
        pipeline = Pipeline(spec, store, publisher, gate, metrics, reference, naming_key_from(environ))
        swept = await self._retry_transient(pipeline.sweep)
        if swept:
            log.warning("published outcomes that an earlier process had saved", outcomes=swept)
        await gate.look()
        leases = Leases(store, instance or "")
        runner = DueRunner(spec, store, publisher, metrics, DueWorkplace(store, reference, consumer.caught_up), leases)
        pulse = Pulse(store, instance, lambda: watch.vitals.as_json(), metrics)
        watch = Watch(consumer, metrics, self._fail, pulse)
        context = ServiceContext(
            spec,
            store,
            reference,
            publisher,
            pipeline,
            lambda: watch.lag,
            environ,
            consumer.caught_up,
            leases,
            watch.parts,
            metrics.registry,
        )
        web = self._web(context, watch, metrics)
        tasks: list[asyncio.Task[Any]] = []
        try:
            tasks.append(asyncio.create_task(self._guard(web.serve(), "http")))
            await consumer.start()
            tasks.append(asyncio.create_task(self._guard(leases.run(), "leases")))
            tasks.append(asyncio.create_task(self._guard(runner.run(), "due work")))
            tasks.append(asyncio.create_task(self._guard(watch.run(), "watch")))
            tasks.append(asyncio.create_task(self._guard(_beat(), "beat")))
            tasks.append(asyncio.create_task(self._guard(pulse.run(), "pulse")))
            tasks.append(asyncio.create_task(self._guard(topic_guard.run(), "topics")))
            tasks.append(asyncio.create_task(self._guard(id_guard.run(), "key of worker ids")))
            tasks.append(asyncio.create_task(self._guard(name_guard.run(), "name")))
            tasks.append(asyncio.create_task(self._guard(gate.run(), "floods")))
            tasks.append(asyncio.create_task(self._guard(_confirm_journals(store), "journals")))
            tasks.append(asyncio.create_task(self._guard(_look_for_keys(cipher), "keys")))
            tasks.append(asyncio.create_task(self._guard(self._stop_when_exchanged(), "credentials")))
            if spec.background is not None:
                tasks.append(asyncio.create_task(self._guard(spec.background(context), "background")))
            log.info("started", topics=list(spec.topics))
            await self._stopping.wait()
        finally:
            if self._failure is None:
                await runner.stop()
                await consumer.stop()
            web.should_exit = True
            for task in tasks[1:]:
                task.cancel()
            await asyncio.wait(tasks, timeout=5)
            await leases.release_all()
            await publisher.stop()
            if self._failure is None:
                await pulse.farewell()
            await store.close()
        if self._failure is not None:
            log.error("stopped after an error", why=traces.safe_text(self._failure))
            if not isinstance(self._failure, OwnFlood):
                _tell(self._failure)
            if isinstance(self._failure, StartRefused):
                return EXIT_REFUSED
            return EXIT_UNAVAILABLE if isinstance(self._failure, Unavailable) else EXIT_DEFECT
        log.info("stopped")
        return 0

    async def _stop_when_exchanged(self) -> None:
        """Stops cleanly when the login of this process was rotated; the supervisor starts it again with the new one."""
        await credentials.exchanged(self._environ)
        log.info("the credentials changed: stopping, so that the next start uses the new ones")
        self._stopping.set()

    async def _guard(self, running: Any, what: str) -> None:
        """A task that ends with an exception ends the process, so that no part ends silently."""
        try:
            await running
        except BaseException as error:  # handed to the main line, which ends the process with it
            if cancelled_from_outside(error):
                raise
            log.error("a part of the service ended with an error", part=what, error=type(error).__name__)
            self._fail(error)

    async def _retry_transient(self, attempt: Any, metrics: Metrics | None = None) -> Any:
        """Retries transient trouble in place for RETRY_BUDGET_S at most; any other error passes through."""
        until = clock.monotonic() + RETRY_BUDGET_S
        pause_s = RETRY_FIRST_S
        while True:
            try:
                return await attempt()
            except Unavailable as error:
                if clock.monotonic() + pause_s > until:
                    raise
                log.warning("retrying", why=str(error), again_in_s=round(pause_s, 1))
                if metrics is not None:
                    metrics.retry("batch")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s * random.uniform(0.7, 1.3))
                raise Unavailable("asked to stop while retrying")
            pause_s = min(RETRY_MAX_S, pause_s * 2)

    def _web(self, context: ServiceContext, watch: Watch, metrics: Metrics) -> uvicorn.Server:
        number = topics.SERVICES.index(context.name) + 1
        port = configuration.HTTP_PORT.optional(self._environ) or DEFAULT_PORT_BASE + number
        config = edge.config(endpoints.build(context, watch, metrics), self._environ, port)
        return _Web(config)


class _Web(uvicorn.Server):
    """Leaves signal handling to us: a service stops its consumer before its HTTP server."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        library = logging.getLogger("uvicorn.error")
        library.addFilter(_no_errors)
        try:
            await super().startup(sockets)
        except SystemExit as end:
            # uvicorn logs the error and ends the process when it cannot listen. That is a wrong setting, and no
            # defect; our own line says what to do.
            error = end.__context__
            raise edge.cannot_listen(self.config, error if isinstance(error, OSError) else None) from end
        finally:
            library.removeFilter(_no_errors)


def _no_errors(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


async def _beat() -> None:
    """Runs until cancelled. When the loop hangs, the process ends and the log shows the line where it hung."""
    try:
        while True:
            faulthandler.dump_traceback_later(BLOCKED_AFTER_S, exit=True)
            await asyncio.sleep(_BEAT_S)
    finally:
        faulthandler.cancel_dump_traceback_later()


async def _confirm_journals(store: MongoStore) -> None:
    """Runs until cancelled; retries while the database does not answer."""
    while True:
        await asyncio.sleep(CONFIRM_S)
        with contextlib.suppress(Unavailable):
            await store.confirm_closed()


async def _look_for_keys(cipher: FieldCipher) -> None:
    """Runs until cancelled. A rotation writes a new key at the front of the key file; from then on that key seals."""
    while True:
        await asyncio.sleep(KEYS_LOOK_S)
        try:
            if cipher.refresh():
                log.info("field keys were read again", keys=list(cipher.names))
        except StartRefused as error:
            log.warning("field keys could not be read again", why=str(error))


def _topic_guard(spec: ServiceSpec, server: Server, store: MongoStore, environ: Mapping[str, str]) -> guards.TopicGuard:
    return guards.TopicGuard(
        store,
        pattern_of(spec.topics),
        [one.name for one in _topics_of(spec)],
        lambda: topic_ids.look(server),
        lambda names: topics_admin.rewind(server, f"payung-{spec.name}", names),
        configuration.ACCEPT_TOPIC.text(environ),
    )


def _key_guard(
    spec: ServiceSpec, id_key: bytes | None, server: Server, publisher: KafkaPublisher, store: MongoStore
) -> KeyGuard:
    check = None if id_key is None else id_check_value(id_key)

    async def new_store() -> bool:
        return key_checks.WORKER_ID not in await key_checks.recorded(store)

    return KeyGuard(spec, check, lambda: small_topic.read(server, key_guard.TOPIC), publisher.send_all, new_store)


def _topics_of(spec: ServiceSpec) -> list[topics.Topic]:
    """The fixed topics that this service reads or writes. Topics of agencies come and go without a release."""
    own = {topics.dead_letters(spec.name), topics.work(spec.name), topics.events(spec.name)}
    wanted = own | {name for name in spec.reads if not name.startswith("^")}
    return [one for one in topics.fixed_topics() if one.name in wanted]
