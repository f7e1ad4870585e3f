"""`payung budget what-if`: asks billing what another budget, number of workers or table of rates would do to a year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from payung import rates
from payung.installations import CommandError, Installation, Refused

PATH = "/v1/budgets/what-if"


async def ask(
    installation: Installation, given: Mapping[str, str | None], compare: Sequence[str], rate_file: Path | None
) -> dict[str, Any]:
    """Billing's answer, with saved scenarios beside it. Raises CommandError with one line in Indonesian.

    A plain question is a GET; one with a table of rates, or one to save, is a POST.
    """
    asked = {name: value for name, value in given.items() if value}
    try:
        if rate_file is None and "save" not in asked:
            answer = await installation.get("billing", PATH, **asked, compare=list(compare))
        else:
            table = {} if rate_file is None else {"rates": rates.text_of(rate_file)}
            answer = await installation.post("billing", PATH, {**asked, **table, "compare": list(compare)})
    except Refused as error:
        reasons = ", ".join(map(str, error.problem.get("reasons") or ()))
        title = str(error.problem.get("title") or error)
        raise CommandError(f"{title} ({reasons})" if reasons else title) from error
    found: dict[str, Any] = answer.json()
    return found
