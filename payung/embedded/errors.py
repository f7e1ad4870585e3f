"""The one error of the launcher: a text that tells the person at the terminal what to do."""

from __future__ import annotations


class LaunchError(Exception):
    """What stops a start; its text is meant for the operator, without a traceback."""
