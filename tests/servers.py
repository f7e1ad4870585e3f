"""A real Kafka and a real MongoDB, started once for all connected tests. They die when pytest is killed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from payung.embedded import ports, stack
from tests.threads import Kept


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    data = tmp_path_factory.mktemp("servers")
    kept = Kept("servers", lambda: stack.servers(data, ports.free_base()))
    try:
        yield kept.open()
    finally:
        kept.close()


@pytest.fixture(scope="session")
def kafka(_servers: tuple[str, str]) -> str:
    """The bootstrap address of a real broker without topics; each test makes topics with its own names."""
    return _servers[0]


@pytest.fixture(scope="session")
def mongo_url(_servers: tuple[str, str]) -> str:
    """The URL of a real replica set; each test uses databases with its own names."""
    return _servers[1]
