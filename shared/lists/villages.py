"""The notices about the villages of a file, given once for the file: names for which a code was taken, with the number
of rows, and rows that name another kecamatan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from shared.contracts.reasons import Reason
from shared.reference import areas as area_files
from shared.reference.areas import Areas

_TAKEN = f"{Reason.VILLAGE_TAKEN}:"
_DISTRICT = f"{Reason.DISTRICT_DIFFERS}:"


def contradicts(code: str, name: str) -> bool:
    """Whether a name is that of other villages of the code's regency: one of the two is a mistake. False for a name
    that no village has."""
    known = area_files.load()
    village = known.village(known.resolve(code))
    named = known.called(name, "", village.regency) if village is not None else ()
    return bool(named) and village not in named


def taken(reasons: Collection[str], warnings: Iterable[str]) -> list[str]:
    """What a notice says about a row's village, by the warnings of its form: the code that was taken, or the whole
    warning about its kecamatan. Nothing for a form that is refused.
    """
    if reasons:
        return []
    return [one.removeprefix(_TAKEN) for one in warnings if one.startswith((_TAKEN, _DISTRICT))]


def taken_by(part: Any) -> list[str]:
    """The same, from the part of the service's document that a row's event became."""
    return taken(getattr(part, "reasons", ()), getattr(part, "warnings", ()))


def notices(rows: Mapping[str, int], areas: Areas) -> tuple[tuple[str, str], ...]:
    """The notices (Indonesian, English) about the results of `taken`; `rows` counts the rows of each."""
    told = [
        (
            f"Desa {areas.name(code)} dicatat sebagai {code} ({count} baris).",
            f"The village {areas.name(code)} is taken as {code} ({count} rows).",
        )
        for code, count in sorted(rows.items())
        if not code.startswith(_DISTRICT)
    ]
    differ = sum(count for one, count in rows.items() if one.startswith(_DISTRICT))
    if differ:
        told.append(
            (
                f"Kecamatan di {differ} baris berbeda dengan kecamatan desanya; desanya yang dipakai. Periksa "
                "keduanya.",
                f"The kecamatan of {differ} rows is not that of the village; the village is used. Check both.",
            )
        )
    return tuple(told)
