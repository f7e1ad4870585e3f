"""The ports of a port block, and whether they are free. All are on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import Iterable, Iterator, Mapping

from payung.embedded.errors import LaunchError

HOST = "127.0.0.1"
DEFAULT_BASE = 8100
# Added to the base of the block. Users see these ports (`payung up --port-base`).
OFFSETS: Mapping[str, int] = {
    "registration": 1,
    "verification": 2,
    "billing": 3,
    "claims": 4,
    "reporting": 5,
    "dukcapil": 6,
    "bpjs": 7,
    "mongo": 17,
    "mongo-2": 18,
    "mongo-3": 19,
    "kafka": 92,
    "kafka-controller": 93,
    "kafka-2": 94,
    "kafka-controller-2": 95,
    "kafka-3": 96,
    "kafka-controller-3": 97,
}
# Ports below 1024 belong to the system, and 65535 is the last one.
BASE_MIN, BASE_MAX = 1_024, 65_535 - max(OFFSETS.values())
# Servers of a cluster are numbered from 1. The first has the plain name, so a single server is a cluster of one.
NODES_MAX = 3
# Below the kernel's range of local ports for outgoing connections, so that no connection takes our port.
_TEST_BASES = range(20_000, 32_000, 100)


def port(base: int, name: str) -> int:
    """The port of a service, stand-in or server in the block that starts at `base`."""
    return base + OFFSETS[name]


def node(name: str, number: int) -> str:
    """The name of the n-th server of its kind: kafka, kafka-2, kafka-3."""
    return name if number == 1 else f"{name}-{number}"


@contextlib.contextmanager
def reserved(base: int, names: Iterable[str]) -> Iterator[None]:
    """Keeps our ports from other installations that start at the same moment, before anybody listens on them. Raises
    LaunchError when another process listens on one of our ports or has reserved it; it names the first."""
    taken = Reservation()
    try:
        taken.take(base, names)
        yield
    finally:
        taken.release()


class Reservation:
    """The ports that an installation has taken for itself, until `release` or the end of the process."""

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def take(self, base: int, names: Iterable[str]) -> None:
        """Takes the ports; raises LaunchError."""
        for name in names:
            number = port(base, name)
            if not self._reserve(number):
                raise _in_use(base, name, "is reserved by another installation that starts or runs")
            if not is_free(number):
                raise _in_use(base, name, "is already in use")

    def release(self) -> None:
        """Gives them back."""
        for one in self._held:
            one.close()
        self._held.clear()

    def _reserve(self, number: int) -> bool:
        # A name in Linux's abstract namespace belongs to one process and ends with it; like a port it belongs to the
        # network namespace. Other systems have no such names: there two starts at the same moment are not
        # distinguished.
        if sys.platform != "linux":
            return True
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0payung-port-{number}")
        except OSError:
            name.close()
            return False
        self._held.append(name)
        return True


def _in_use(base: int, name: str, how: str) -> LaunchError:
    return LaunchError(
        f"Port {port(base, name)} (for {name}) {how}. Stop what uses it, or choose another block of ports: "
        f"--port-base {base + 1000 if base + 1000 <= BASE_MAX else DEFAULT_BASE}"
    )


def is_free(number: int) -> bool:
    """Whether a server could listen on that port now."""
    with socket.socket() as probe:
        # Like the servers: a port whose last connection is just closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, number))
        except (OSError, OverflowError):
            return False
    return True


def free_base() -> int:
    """A base whose whole block is free now, for tests and benches beside other installations."""
    # Each process starts its search elsewhere, so that two at the same moment do not choose the same block.
    first = os.getpid() % len(_TEST_BASES)
    bases = list(_TEST_BASES)
    for base in bases[first:] + bases[:first]:
        with contextlib.suppress(LaunchError), reserved(base, OFFSETS):
            return base
    raise LaunchError("No free block of ports was found.")


async def accepts(host: str, number: int) -> bool:
    """Whether something accepts a TCP connection there within a second."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, number), 1.0)
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


async def http_ok(number: int, path: str, *, timeout_s: float = 3.0) -> bool:
    """Whether GET of that path on loopback answers 200 in time."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(HOST, number)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                await _close(writer)
    except (OSError, TimeoutError, ValueError):
        return False
    return status.split()[1:2] == [b"200"]


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
