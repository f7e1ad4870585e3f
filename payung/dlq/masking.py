"""Shows an operator a dead letter with only the shape of its personal data. Pure.

A closed list of fields is shown. All others are masked: letters become `x`, digits `9`, the rest stays. So a NIK that
Excel spoiled is still recognisable (`9.99x+99`), and no person is named on a screen, in a ticket or in a log.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENVELOPE = _names(
    """specversion id source type subject time datacontenttype dataschema correlationid causationid causationsource
    sequence"""
)
# Fields whose values cannot name a person.
_OPEN = _names(
    """submission_id worker_id sex village regency district sector occupation monthly_income income_base employer_id
    contract_no started_on contract_ends_on registered_with_bpjs_on project_no contract_value starts_on ends_on
    meeting_id held_on attendees agency sticker_no installed_on decision reasons year funding jkk jkm decree_no
    target_workers targets period cutoff due_date invoice_id run_id amount paid_on reference claim_no kind event_date
    cause outcome days_off_work loss_percent land sea air treatment_cost documents attested_on date birth_month policy
    score stage method given_at relation level school_year programme rule total benefit registration_version evidence
    segment valid_until"""
)
_OTHERS = _names(
    """data nik name birth_place birth_date mother_name phone address heir consent children claimant account details
    workers attestations reason officer by contractor employer_name transport lines benefits true false null"""
)
_KNOWN = ENVELOPE | _OPEN | _OTHERS
_FIELD = re.compile(r"[a-z_]{1,40}")
_NIK = re.compile(r"\d{16}")
_WORD = re.compile(r"[^\W_][\w.]*")
TEXT_MAX = 2_000


def shape(text: str) -> str:
    """The form of a text without its content."""
    return "".join("9" if one.isdigit() else "x" if one.isalpha() else one for one in text)


def blurred(text: str) -> str:
    """A text of an open field. A NIK in the wrong field is masked here too."""
    return _NIK.sub(lambda found: shape(found[0]), text)


def masked(value: Any, name: str = "") -> Any:
    """Masks a decoded value by the name of its field; items of a list have the list's name."""
    if isinstance(value, dict):
        return {_field(field): masked(one, field) for field, one in value.items()}
    if isinstance(value, list):
        return [masked(one, name) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if name in _OPEN or name in ENVELOPE:
        text = blurred(str(value))
        return value if text == str(value) else text
    return shape(str(value))


def _field(name: str) -> str:
    """A field's name, also a mistyped one. Other text is masked: it may be a value in the wrong place."""
    return name if _FIELD.fullmatch(name) else shape(name)


def original(value: bytes | None) -> Any:
    """The value of a record: decoded and masked when it is JSON, else its text with every unknown word masked."""
    if value is None:
        return None
    try:
        return masked(orjson.loads(value))
    except orjson.JSONDecodeError:
        text = value[: 4 * TEXT_MAX].decode("utf-8", "replace")[:TEXT_MAX]
        return _WORD.sub(lambda found: found[0] if found[0].lower() in _KNOWN else shape(found[0]), text)


def headers(given: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, str | None]]:
    """Headers: CloudEvents headers and the content type are shown, others are masked."""
    shown: list[tuple[str, str | None]] = []
    for name, value in given:
        known = name == "content-type" or name.removeprefix("ce_") in ENVELOPE
        text = None if value is None else value.decode("utf-8", "replace")
        shown.append((blurred(name), None if text is None else blurred(text) if known else shape(text)))
    return shown


def key(given: bytes | None) -> str | None:
    """The masked key of a record. By contract it is never a NIK; if it is, it stays hidden."""
    return None if given is None else blurred(given.decode("utf-8", "replace"))
