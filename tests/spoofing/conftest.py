"""The town that the forgers attack."""

from __future__ import annotations

import pytest

from tests.spoofing.town import Town


@pytest.fixture
def town() -> Town:
    """Five services; made outside the loop, as their references are loaded."""
    return Town()
