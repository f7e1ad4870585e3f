"""Villages that a list writes by name and that were taken by their codes: told once for the file, with their rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from shared.contracts.reasons import Reason
from shared.reference.areas import Areas

_TAKEN = f"{Reason.VILLAGE_TAKEN}:"


def taken(reasons: Collection[str], warnings: Iterable[str]) -> list[str]:
    """The codes that were taken for a row, by the warnings of its form; none for a form that is refused."""
    return [] if reasons else [one.removeprefix(_TAKEN) for one in warnings if one.startswith(_TAKEN)]


def taken_by(part: Any) -> list[str]:
    """The codes that were taken for a row, from the part of the service's document that its event became."""
    return taken(getattr(part, "reasons", ()), getattr(part, "warnings", ()))


def notices(rows: Mapping[str, int], areas: Areas) -> tuple[tuple[str, str], ...]:
    """The notices (Indonesian, English) about the codes that were taken; `rows` counts the rows of each."""
    return tuple(
        (
            f"Desa {areas.name(code)} dicatat sebagai {code} ({count} baris).",
            f"The village {areas.name(code)} is taken as {code} ({count} rows).",
        )
        for code, count in sorted(rows.items())
    )
