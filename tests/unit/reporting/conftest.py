"""Reporting over a store in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.kernel.event import Event
from tests.unit.reporting.reporting_house import FakeHouse, event


@pytest.fixture
def house() -> FakeHouse:
    return FakeHouse()


@pytest.fixture
def make() -> Callable[..., Event]:
    return event
