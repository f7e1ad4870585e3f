"""How tests that know only an address come in at its broker: as the operator where it asks who they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.runtime.kafka_server import Server

_KNOWN: dict[str, Mapping[str, str]] = {}


def know(environ: Mapping[str, str]) -> None:
    """From now on the broker of this environment is entered as it says."""
    _KNOWN[environ["PAYUNG_KAFKA"]] = environ


def of(bootstrap: str) -> dict[str, Any]:
    """Connection options of aiokafka's clients."""
    return Server(_KNOWN.get(bootstrap, {"PAYUNG_KAFKA": bootstrap})).options()
