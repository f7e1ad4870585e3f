"""Who a worker is without saying it: the keyed hash of a NIK (contracts.md 3), and the shape of a NIK (rules.md 6a)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import date
from typing import TypeGuard

_NIK_IN_TEXT = re.compile(r"(?<!\d)\d{16}(?!\d)")


def worker_id(key: bytes, nik: str) -> str:
    """Lower-case base32 without padding of the first 16 bytes of HMAC-SHA256(key, NIK): 26 characters."""
    digest = hmac.digest(key, nik.encode("ascii"), hashlib.sha256)[:16]
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def is_nik(text: object) -> bool:
    """Sixteen ASCII digits with a serial other than 0000; says nothing about the date in it."""
    return isinstance(text, str) and len(text) == 16 and text.isascii() and text.isdigit() and text[12:] != "0000"


def may_be_shown(identifier: object) -> TypeGuard[str]:
    """Whether what stands where an id belongs is a text without a NIK, so that the open topics may say it again."""
    return isinstance(identifier, str) and bool(identifier.strip()) and not _NIK_IN_TEXT.search(identifier)


def masked(nik: str) -> str:
    """A NIK as it may be shown: the area and the last two digits."""
    return f"{nik[:4]}{'*' * 10}{nik[-2:]}"


def without_niks(text: str) -> str:
    """A free text with the NIKs in it masked: clerks write them into numbers and remarks that others may read."""
    return _NIK_IN_TEXT.sub(lambda found: masked(found[0]), text)


def nik_birth_date(nik: str, today: date) -> date | None:
    """The birth date that a NIK states (women: day + 40), or None when no such date exists.

    The century is not in the NIK: the latest year not in the future is taken.
    """
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    if day > 40:
        day -= 40
    for century in (today.year // 100 * 100, today.year // 100 * 100 - 100):
        try:
            stated = date(century + year, month, day)
        except ValueError:
            continue
        if stated <= today:
            return stated
    return None
