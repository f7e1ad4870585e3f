"""Profiles of hypothesis, and the real servers of the connected tests (tests/servers.py)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from hypothesis import settings

from shared.kernel import values

# In every test the values of the domains are really frozen, so code that changes one fails. conftest is imported before
# any module that defines one.
values.value = dataclass
pytest_plugins = ["tests.servers"]

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def _logs_of_one_test(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that sets up the logs does so for itself alone.

    A logger that is cached at its first use keeps its processors for ever, so later tests could not capture its lines.
    """
    configure = structlog.configure

    def uncached(**options: Any) -> None:
        configure(**{**options, "cache_logger_on_first_use": False})

    monkeypatch.setattr(structlog, "configure", uncached)
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
