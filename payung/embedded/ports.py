"""The ports of a port block, and whether they are free. All are on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterable, Mapping

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


def require_free(base: int, names: Iterable[str]) -> None:
    """Raises LaunchError when another process listens on one of our ports; it names the first."""
    for name in names:
        if not is_free(port(base, name)):
            raise LaunchError(
                f"Port {port(base, name)} (for {name}) is already in use. Stop what uses it, or choose another block "
                f"of ports: --port-base {base + 1000 if base + 1000 <= BASE_MAX else DEFAULT_BASE}"
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
        if all(is_free(base + offset) for offset in OFFSETS.values()):
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
