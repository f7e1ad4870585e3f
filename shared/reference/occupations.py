"""The occupations that Payung knows by code (shared/reference/occupations.csv). Pure once loaded.

Agencies write occupations freely. Others than that agency see only the code from the shipped list that a text means, or
`other`: a free text may hold a name or a telephone number, and open streams keep it for ever. The list contains the
occupations that the programme's own reports name, with the words that clerks write for them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from shared.contracts.base import SECTORS, Sector
from shared.kernel.values import value

OTHER = "other"
FILE = Path(__file__).with_name("occupations.csv")
_BETWEEN = re.compile(r"[^a-z]+")


@value(frozen=True, slots=True)
class Occupation:
    """One occupation: its code, its Indonesian name, and the sector it belongs to."""

    code: str
    name: str
    sector: Sector


def code_of(text: str) -> str:
    """The code of an occupation as a clerk writes it; `other` when the list does not know it."""
    found = _codes().get(_plain(text))
    return OTHER if found is None else found


@lru_cache(maxsize=1)
def known() -> Mapping[str, Occupation]:
    """Every occupation by its code."""
    return {row["code"]: Occupation(row["code"], row["name"], _sector(row["sector"])) for row in _rows()}


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in _rows():
        for name in (row["code"], row["name"], *filter(None, row["aliases"].split("|"))):
            if found.setdefault(_plain(name), row["code"]) != row["code"]:
                raise ValueError(f"{FILE.name}: {name!r} is two occupations")
    return found


@lru_cache(maxsize=1)
def _rows() -> tuple[dict[str, str], ...]:
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _sector(text: str) -> Sector:
    return next(one for one in SECTORS if one == text)


@lru_cache(maxsize=4_096)
def _plain(text: str) -> str:
    return _BETWEEN.sub(" ", text.lower()).strip()
