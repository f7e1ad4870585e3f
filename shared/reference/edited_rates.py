"""A table of rates or brackets that somebody has edited: read, checked, and put beside the other table. Pure."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Literal

from shared.reference import rates

RatesTable = Literal["rates", "brackets"]
TABLES: tuple[RatesTable, ...] = ("rates", "brackets")


def beside(text: str, standing: tuple[str, str]) -> tuple[str, str]:
    """The texts of both tables, one of them the edited one; `standing` are the ones in force.

    Raises ValueError with what is wrong: columns, a value, a contradiction, a missing rule.
    """
    text = text.removeprefix("\ufeff")
    found = (text, standing[1]) if _table(text) == "rates" else (standing[0], text)
    try:
        made, shipped = rates.parse(*found), rates.load()
        rates.check(made)
    except (TypeError, KeyError, csv.Error) as error:
        raise ValueError(str(error)) from error
    missing = sorted(shipped.keys - made.keys)
    if missing:
        raise ValueError(f"no row of {', '.join(missing)}; what has ended keeps its row, with its end")
    return found


def _table(text: str) -> RatesTable:
    """Which table a text is, by its columns."""
    given = _columns(text)
    for name, shipped in zip(TABLES, rates.texts(), strict=True):
        if set(_columns(shipped)) <= set(given):
            return name
    needed = " or ".join(",".join(_columns(one)) for one in rates.texts())
    raise ValueError(f"columns {needed} are needed; `payung rates show` prints a table to start from")


def _columns(text: str) -> Sequence[str]:
    try:
        return next(csv.reader(text.splitlines()), [])
    except csv.Error as error:
        raise ValueError(str(error)) from error
