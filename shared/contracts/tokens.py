"""Decides how names that outsiders chose may appear in topics that more people than the sender read. Pure.

Agencies choose the names of events, submissions, claims and projects freely, and put personal names, telephone numbers
and NIKs there. Open streams keep their content for ever. So such a name appears unchanged only when it cannot identify
a person. Otherwise a keyed name replaces it: it is the same every time and reveals nothing without the key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from functools import lru_cache

from shared.contracts import catalogue
from shared.kernel.identity import keyed, niks_in

# A UUID of RFC 9562, by its version and variant.
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_BETWEEN = re.compile(r"[-_./:|]")
# Three letters are not a name, and so few digits are not a telephone number.
_SHORT = re.compile(r"([A-Za-z]{0,3})\d{0,6}", re.ASCII)
_DIGITS_MAX = 8
_CODE_MAX = 64
# Words that programs combine with numbers; no person has such a name.
_PLAIN = frozenset({"batch", "case", "event", "import", "item", "line", "list", "message", "row", "test"})
_WORDS = _PLAIN | {
    word
    for by_type in (*catalogue.COMMANDS.values(), *catalogue.OUTCOMES.values())
    for kind in by_type
    for word in _BETWEEN.split(kind)
}
NUMBER_MAX = 40
_NUMBER = re.compile(rf"(?=.*\d)[A-Za-z0-9./_-]{{1,{NUMBER_MAX}}}", re.ASCII)
_SEPARATED = re.compile(r"[\s./_-]")
_PHONE = re.compile(r"(?<!\d)(?:\+?62|0)8\d{8,11}(?!\d)", re.ASCII)
_WORKER = re.compile(r"[a-z2-7]{26}")


def shown(source: str, identifier: str, key: bytes) -> str:
    """The name of an event as others may see it: unchanged when it cannot identify a person or is ours, else a keyed
    UUID."""
    if _UUID.fullmatch(identifier) or source.startswith("payung/") or _is_code(identifier):
        return identifier
    return _keyed(source, identifier, key)


@lru_cache(maxsize=4_096)
def _keyed(source: str, identifier: str, key: bytes) -> str:
    # The source is hashed too: a sender who learns the keyed name of its own event learns nothing about events of
    # others.
    digest = hmac.digest(key, f"name|{source}|{identifier}".encode(), hashlib.sha256).hex()
    # In the form of custom UUIDs of RFC 9562, so that this name may itself be shown.
    return f"{digest[:8]}-{digest[8:12]}-8{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


@lru_cache(maxsize=4_096)
def _is_code(identifier: str) -> bool:
    """Words of our own event types, short codes and numbers: `run-2`, `e17`, `SUB-000123`, `2026-11`."""
    if len(identifier) > _CODE_MAX or sum(one.isdigit() for one in identifier) > _DIGITS_MAX:
        return False
    codes = [part for part in _BETWEEN.split(identifier) if part not in _WORDS]
    found = [_SHORT.fullmatch(part) for part in codes]
    return None not in found and sum(bool(one and one[1]) for one in found) <= 1


def keyed_name(key: bytes, *parts: str) -> str:
    """A keyed name made from these parts: 26 characters of base32, like a worker_id."""
    return keyed(key, "|".join(parts))


def is_number(text: str) -> bool:
    """Whether an agency's own number (of a claim, a project, a meeting, an employer) may be shown to everyone.

    Allowed are letters, digits and `. / _ -` with at least one digit, but no NIK and no telephone number, however they
    are separated.
    """
    return is_number_of_a_claim(text) and not hidden_niks(text)


def is_number_of_a_claim(text: str) -> bool:
    """Like `is_number`, for claims, where the only possible owner of a NIK is known.

    Digits that look like a NIK may be an agency's code, a day and a serial number. So claims look only for the worker's
    own NIK.
    """
    return _NUMBER.fullmatch(text) is not None and not has_phone(text)


def number_or_nothing(text: str) -> str:
    """A number as others may read it; empty when the text is more than a number. The sender still sees its own
    words."""
    return text if is_number(text) else ""


def hidden_niks(text: str) -> list[str]:
    """Everything in a text that looks like a NIK, also with blanks, dots or dashes between its digits."""
    return niks_in(text) + [one for one in niks_in(_SEPARATED.sub("", text)) if one not in text]


def has_phone(text: str) -> bool:
    """Whether a text contains an Indonesian mobile number, however it is separated."""
    return _PHONE.search(text) is not None or _PHONE.search(_SEPARATED.sub("", text)) is not None


def is_worker_id(text: object) -> bool:
    """Whether this has the form of a worker_id."""
    return isinstance(text, str) and _WORKER.fullmatch(text) is not None
