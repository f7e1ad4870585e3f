"""Log-ins for tests that know only a broker's address: they use the operator's, if the broker has log-ins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.runtime.kafka.server import Server

_KNOWN: dict[str, Mapping[str, str]] = {}


def know(environ: Mapping[str, str]) -> None:
    """From now on tests use this environment's log-in at its broker."""
    _KNOWN[environ["PAYUNG_KAFKA"]] = environ


def forget(environ: Mapping[str, str]) -> None:
    """This broker has stopped; the next one on its port may have no log-ins."""
    del _KNOWN[environ["PAYUNG_KAFKA"]]


def of(bootstrap: str) -> dict[str, Any]:
    """Connection options of aiokafka's clients."""
    return Server(_KNOWN.get(bootstrap, {"PAYUNG_KAFKA": bootstrap})).options()
