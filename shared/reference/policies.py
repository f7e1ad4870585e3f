"""The verification policy that the product ships, as plain data; verification decides what it means."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple


class Ages(NamedTuple):
    """Completed years of life: `least` may take part, `most_exclusive` no longer."""

    least: int
    most_exclusive: int


def text() -> str:
    """The file's text with its comments: a regency copies it as the start of its own policy."""
    return resources.files("shared.reference").joinpath("policy.toml").read_text(encoding="utf-8")


def shipped() -> dict[str, Any]:
    """The file's only entry."""
    (entry,) = tomllib.loads(text())["policy"]
    return dict(entry)


@lru_cache(maxsize=1)
def ages() -> Ages:
    """The ages that hold where a regency has set no others."""
    entry = shipped()
    return Ages(int(entry["age_min"]), int(entry["age_max_exclusive"]))
