"""Options that many commands take, worded once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DataOption = Annotated[Path | None, typer.Option("--data", help="Data folder of the installation.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="For a machine to read.")]
