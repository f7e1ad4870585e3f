"""Reporting over a store in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.kernel.event import Event
from tests.unit.reporting.reporting_context import FakeContext, event


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture
def make() -> Callable[..., Event]:
    return event
