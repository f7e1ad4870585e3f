"""The launcher's only error: its text tells the operator what to do."""

from __future__ import annotations


class LaunchError(Exception):
    """A start failed. The operator sees the text without a traceback."""
