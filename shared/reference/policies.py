"""The verification policy that the product ships, as plain data: what it means is verification's to say."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def text() -> str:
    """The file itself, with its comments: a regency starts its own from it."""
    return resources.files("shared.reference").joinpath("policy.toml").read_text(encoding="utf-8")


def shipped() -> dict[str, Any]:
    """The one entry of the file."""
    (entry,) = tomllib.loads(text())["policy"]
    return dict(entry)
