"""A TCP proxy that disturbs traffic: latency, jitter, low bandwidth, silence, resets, lost answers.

It runs in a thread with an event loop of its own, so that a test may block. Any thread may set the switches; they apply
to open and to new connections. Of the two protocols it knows only how they frame their bytes, and which answer belongs
to which request.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from dataclasses import dataclass, field
from typing import Protocol

_LINGER_NONE = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Way:
    """What happens to the bytes of one direction."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float | None = None
    swallow: bool = False

    def delay_s(self, chance: random.Random) -> float:
        """How long a frame travels; low bandwidth adds to it."""
        return self.latency_s + chance.uniform(0, self.jitter_s)


class Wire(Protocol):
    """How a protocol frames its bytes, and which answer belongs to which request."""

    def size(self, head: bytes) -> int: ...
    def request_id(self, frame: bytes) -> bytes: ...
    def answered_id(self, frame: bytes) -> bytes: ...
    def is_kind(self, frame: bytes, kind: str) -> bool: ...


class KafkaWire:
    """A frame begins with its length (big-endian, without itself). A request names its API; an answer repeats the
    correlation id."""

    _APIS = {"produce": 0, "fetch": 1, "offset-commit": 8, "metadata": 3, "heartbeat": 12}

    def size(self, head: bytes) -> int:
        """Bytes of the frame that begins so."""
        return 4 + int(struct.unpack(">i", head)[0])

    def request_id(self, frame: bytes) -> bytes:
        """The correlation id."""
        return frame[8:12]

    def answered_id(self, frame: bytes) -> bytes:
        """The correlation id that it answers."""
        return frame[4:8]

    def is_kind(self, frame: bytes, kind: str) -> bool:
        """Whether the frame's API number is of this kind."""
        return int(struct.unpack(">h", frame[4:6])[0]) == self._APIS[kind]


class MongoWire:
    """A frame begins with its length (little-endian, with itself). An answer's responseTo is the request's id."""

    def size(self, head: bytes) -> int:
        """Bytes of the frame that begins so."""
        return int(struct.unpack("<i", head)[0])

    def request_id(self, frame: bytes) -> bytes:
        """requestID."""
        return frame[4:8]

    def answered_id(self, frame: bytes) -> bytes:
        """responseTo."""
        return frame[8:12]

    def is_kind(self, frame: bytes, kind: str) -> bool:
        """Whether the command is of this kind: the first field of an OP_MSG's body."""
        name = frame[26 : 26 + len(kind) + 1]
        return name == kind.encode() + b"\0"


@dataclass(slots=True)
class _Loss:
    """Answers to lose: the number and the kind of their requests; silently, or with a reset of the connection."""

    kind: str
    left: int
    silent: bool


@dataclass(eq=False, slots=True)
class _Connection:
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    lost: set[bytes] = field(default_factory=set)

    def abort(self) -> None:
        """Both ends see a reset, not an orderly close."""
        for writer in (self.client, self.server):
            found = writer.get_extra_info("socket")
            if found is not None:
                with contextlib.suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
            writer.transport.abort()


class Proxy:
    """One listening port in front of one server. `up` is the direction from the client, `down` from the server."""

    def __init__(self, target: int, wire: Wire, *, seed: int = 1) -> None:
        self.up, self.down = Way(), Way()
        self.refuse = False
        self.accepted = 0
        self.lost = 0
        self._target = target
        self._wire = wire
        self._chance = random.Random(seed)
        self._losses: list[_Loss] = []
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    @property
    def port(self) -> int:
        """The port for clients."""
        return int(self._listening.getsockname()[1])

    # -- switches, from any thread ----------------------------------------------------------------------------------

    def half_open(self) -> None:
        """Connections stay open and new ones are accepted, but no bytes pass in either direction."""
        self.up.swallow = self.down.swallow = True

    def heal(self) -> None:
        """Ends all disturbances. Connections that lost bytes are reset, because their streams have holes."""
        holes = self.up.swallow or self.down.swallow
        self.up, self.down, self.refuse = Way(), Way(), False
        self._losses.clear()
        if holes:
            self.reset()

    def reset(self) -> int:
        """Resets every connection and returns their number."""

        async def all_of_them() -> int:
            standing = list(self._connections)
            for one in standing:
                one.abort()
            return len(standing)

        return asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result(10)

    def lose_answers(self, kind: str, count: int, *, silent: bool = False) -> None:
        """The next `count` requests of that kind reach the server; their answers do not come back."""
        self._losses.append(_Loss(kind, count, silent))

    # -- start and stop ---------------------------------------------------------------------------------------------

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._take, sock=self._listening))
        self._loop.run_forever()
        server.close()
        for one in list(self._connections):
            one.abort()
        for task in self._tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
        self._loop.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.refuse:
                return
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
            connection = _Connection(writer, forth)
            self._connections.add(connection)
            try:
                ways = (
                    self._pump(reader, forth, connection, upward=True),
                    self._pump(back, writer, connection, upward=False),
                )
                pumps = [asyncio.ensure_future(one) for one in ways]
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
            finally:
                self._connections.discard(connection)
                forth.close()
        except OSError:
            return
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: _Connection, *, upward: bool
    ) -> None:
        """Passes frame by frame. A late frame delays the following ones of its connection, as on a real line."""
        queue: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue(256)
        sending = asyncio.ensure_future(self._send(queue, writer))
        try:
            while not sending.done():
                frame = await self._frame(reader)
                if frame is None:
                    await queue.put(None)  # frames in transit arrive before the end
                    await sending
                    return
                way = self.up if upward else self.down
                if way.swallow:
                    continue
                if self._is_lost(frame, connection, upward=upward):
                    continue
                due = self._loop.time() + way.delay_s(self._chance)
                if way.bytes_per_s:
                    await asyncio.sleep(len(frame) / way.bytes_per_s)
                await queue.put((due, frame))
        except OSError:
            return
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, queue: asyncio.Queue[tuple[float, bytes] | None], writer: asyncio.StreamWriter) -> None:
        while (found := await queue.get()) is not None:
            due, frame = found
            await asyncio.sleep(max(0.0, due - self._loop.time()))
            writer.write(frame)
            await writer.drain()

    async def _frame(self, reader: asyncio.StreamReader) -> bytes | None:
        """One frame; None when the other side has ended."""
        try:
            head = await reader.readexactly(4)
            return head + await reader.readexactly(self._wire.size(head) - 4)
        except asyncio.IncompleteReadError:
            return None

    def _is_lost(self, frame: bytes, connection: _Connection, *, upward: bool) -> bool:
        if upward:
            loss = next((one for one in self._losses if one.left and self._wire.is_kind(frame, one.kind)), None)
            if loss is not None:
                loss.left -= 1
                connection.lost.add(self._wire.request_id(frame) + bytes([loss.silent]))
            return False
        answered = self._wire.answered_id(frame)
        for silent in (False, True):
            if answered + bytes([silent]) in connection.lost:
                connection.lost.discard(answered + bytes([silent]))
                self.lost += 1
                if not silent:
                    connection.abort()
                return True
        return False
