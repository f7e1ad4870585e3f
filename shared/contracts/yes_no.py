"""Yes and no as people and programs write them. Only a known yes is a yes; an unknown word never counts as consent."""

from __future__ import annotations

from typing import Any

_YES = frozenset({"ya", "y", "yes", "iya", "true", "1", "setuju", "bersedia", "sudah", "menyetujui"})
_NO = frozenset(
    {"tidak", "tdk", "tak", "no", "n", "not", "false", "0", "belum", "blm", "menolak", "ditolak", "tolak"}
    | {"keberatan", "batal", "dicabut", "none", "null", "nihil", "tanpa", "kosong", "refused", "withdrawn"}
)


def parse(value: Any) -> bool | None:
    """True for a known yes, False for a known no (`tidak setuju`, `belum`, `menolak`, 0), None when it is unknown."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return bool(value) if value in (0, 1) else None
    if not isinstance(value, str):
        return None
    words = value.lower().replace("-", " ").replace(".", " ").replace(",", " ").split()
    if not words or (len(words) > 1 and any(not word.isalpha() for word in words)):
        return None
    if words[0] in _NO:
        # "tidak setuju": the first word negates the others. A double negative such as "tidak keberatan" counts as
        # unknown.
        return None if any(word in _NO for word in words[1:]) else False
    return True if all(word in _YES for word in words) else None
