"""Profiles of hypothesis, and the real servers of the connected tests (tests/servers.py)."""

from __future__ import annotations

import os

from hypothesis import settings

pytest_plugins = ["tests.servers"]

settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
