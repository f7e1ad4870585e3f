"""Log-ins for tests that know only a broker's address: they use the operator's, if the broker has log-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.runtime.kafka_server import Server

_KNOWN: dict[str, Mapping[str, str]] = {}


def know(environ: Mapping[str, str]) -> None:
    """From now on tests use this environment's log-in at its broker."""
    _KNOWN[environ["PAYUNG_KAFKA"]] = environ


def of(bootstrap: str) -> dict[str, Any]:
    """Connection options of aiokafka's clients."""
    return Server(_KNOWN.get(bootstrap, {"PAYUNG_KAFKA": bootstrap})).options()
