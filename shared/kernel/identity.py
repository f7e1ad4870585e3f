"""Identifies a worker without revealing who it is: the keyed hash of a NIK (docs/contracts.md#workers-and-their-forms),
and the form of a NIK (docs/rules.md#nik-and-civil-register).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date
from typing import TypeGuard

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_TWO_LETTERS = [first + second for first in _LETTERS for second in _LETTERS]
# 128 bits plus two bits of padding, taken ten bits at a time.
_PLACES = range(120, -1, -10)
# Area, day (plus 40 for women), month, year and serial. Other numbers of sixteen digits, for example of an account, are
# not NIKs.
_NIK_IN_TEXT = re.compile(r"(?<!\d)[1-9]\d{5}(?:[04][1-9]|[1256]\d|[37][01])(?:0[1-9]|1[0-2])\d{6}(?!\d)", re.ASCII)


def worker_id(key: bytes, nik: str) -> str:
    """Lower-case base32 without padding of the first 16 bytes of HMAC-SHA256(key, NIK): 26 characters."""
    return keyed(key, nik)


def keyed(key: bytes, text: str) -> str:
    """The keyed name of a text, in the form of a worker_id: the same for the same text, and it reveals nothing about
    it."""
    bits = int.from_bytes(hmac.digest(key, text.encode(), hashlib.sha256)[:16], "big") << 2
    # Written out: base64.b32encode takes twice as long, and this runs once per input.
    return "".join([_TWO_LETTERS[bits >> place & 0x3FF] for place in _PLACES])


def is_nik(text: object) -> bool:
    """Whether this is sixteen ASCII digits with a serial other than 0000; the date in it is not checked."""
    return isinstance(text, str) and len(text) == 16 and text.isascii() and text.isdigit() and text[12:] != "0000"


def may_be_shown(identifier: object) -> TypeGuard[str]:
    """Whether an identifier is a text without a NIK, so that open topics may repeat it."""
    return isinstance(identifier, str) and bool(identifier.strip()) and not _NIK_IN_TEXT.search(identifier)


def niks_in(text: str) -> list[str]:
    """Everything in a text that looks like a NIK."""
    return _NIK_IN_TEXT.findall(text)


def masked(nik: str) -> str:
    """A NIK in the form that may be shown: the area and the last two digits."""
    return f"{nik[:4]}{'*' * 10}{nik[-2:]}"


def without_niks(text: str) -> str:
    """A free text with its NIKs masked: clerks write NIKs into numbers and remarks that others may read."""
    return _NIK_IN_TEXT.sub(lambda found: masked(found[0]), text)


def nik_birth_date(nik: str, today: date) -> date | None:
    """The birth date that a NIK states (women: day + 40), or None when no such date exists.

    The NIK does not contain the century: the latest year that is not in the future is taken.
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
