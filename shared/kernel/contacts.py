"""Telephones and relations as agencies write them, in the contract's form. The same for every way in. Pure.

A text that is not understood is returned unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_BETWEEN_DIGITS = re.compile(r"[\s\-.()']")
_RELATIONS: Mapping[str, str] = {
    **dict.fromkeys(("suami", "istri", "isteri", "pasangan", "husband", "wife", "widow", "widower"), "spouse"),
    **dict.fromkeys(("anak", "anak kandung", "son", "daughter"), "child"),
    **dict.fromkeys(("orang tua", "ayah", "bapak", "ibu", "father", "mother"), "parent"),
    "cucu": "grandchild",
    **dict.fromkeys(("kakek", "nenek"), "grandparent"),
    **dict.fromkeys(("saudara", "saudara kandung", "kakak", "adik", "brother", "sister"), "sibling"),
    **dict.fromkeys(("mertua", "parent in law"), "parent-in-law"),
    "wasiat": "will",
    **dict.fromkeys(("wali", "guardian of the child"), "guardian"),
}


def phone(text: str) -> str:
    """A telephone number with +62; a spreadsheet may have dropped its leading zero."""
    number = _BETWEEN_DIGITS.sub("", text)
    if not number.removeprefix("+").isdigit():
        return text
    if number.startswith("0"):
        return "+62" + number[1:]
    if number.startswith("62"):
        return "+" + number
    if number.startswith("8"):
        return "+62" + number
    return number if number.startswith("+") else text


def relation(text: str) -> str:
    """How an heir or payee is related: a code when the word is known, else the word in lower case."""
    word = " ".join(text.lower().split())
    return _RELATIONS.get(word, word)
