"""The town that the forgers attack."""

from __future__ import annotations

import pytest

from tests.spoofing.town import Town


@pytest.fixture
def town() -> Town:
    """Five services; made outside the event loop, because loading their references needs one of its own."""
    return Town()
