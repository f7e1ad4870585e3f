"""Options that many commands take, worded once, and the moments that options name."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from payung.installations import CommandError
from shared.kernel.calendar import WITA, parse_date

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the installation.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For a machine to read.")]


def moment(text: str | None, name: str, whole_day: timedelta = timedelta()) -> datetime | None:
    """A day in WITA (its beginning, and `whole_day` later) or an instant with an offset; None for None.

    Raises CommandError, which calls the option `name`.
    """
    if text is None:
        return None
    day = parse_date(text)
    if day is not None:
        return datetime.combine(day, time(), WITA) + whole_day
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CommandError(f"{name} is a day (YYYY-MM-DD) or an instant with its offset; got {text!r}")
    return found
