"""The verification policy that the product ships, as plain data; verification decides what it means."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def text() -> str:
    """The file's text with its comments: a regency copies it as the start of its own policy."""
    return resources.files("shared.reference").joinpath("policy.toml").read_text(encoding="utf-8")


def shipped() -> dict[str, Any]:
    """The file's only entry."""
    (entry,) = tomllib.loads(text())["policy"]
    return dict(entry)
