"""Cleans texts of what programs leave in them: marks without width, odd blanks, control characters, spreadsheet errors.
Pure.

The same rule for every way in: characters without meaning are dropped (`clean`). Characters that stand for something
lost are reported (`fault`), and the service refuses the field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# Zero-width and direction marks, the soft hyphen, the byte order mark, variation selectors, tags.
_NO_WIDTH = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0001\U000e0020-\U000e007f"
)
_BLANKS = "\t\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_SURROGATES = "\ud800-\udfff"
_DROPPED = re.compile(f"[{_NO_WIDTH}]")
_BLANK = re.compile(f"[{_BLANKS}]")
_LINE_ENDS = re.compile("\r\n?")
_HALVES = re.compile(f"[{_SURROGATES}]")
# XLSX writes a control character as _x000D_, and the underscore of a text that already looks like this as _x005F_.
_ESCAPED = re.compile(r"_x(00[01][0-9A-F]|005F(?=_x)|007F|00[89][0-9A-F]|00A0|200[B-F]|202[A-E]|FEFF)_", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd-\uffff" + _SURROGATES + "]")
# A quick check whether cleaning is needed: it runs for every text, and nearly every text is plain.
_SUSPECT = re.compile(f"[{_NO_WIDTH}{_BLANKS}{_SURROGATES}\r]|_x[0-9A-Fa-f]{{4}}_")

# Programs write ="0812" so that a spreadsheet keeps the text.
_EQUALS_QUOTED = re.compile(r'="((?:[^"]|"")*)"')

_ERROR_VALUE = re.compile(
    r"#(N/A|NA|REF!?|VALUE!?|NAME\??|DIV/0!?|NUM!?|NULL!?|SPILL!?|CALC!?|FIELD!?|CONNECT!?|BLOCKED!?|UNKNOWN!?"
    r"|BUSY!?|EXTERNAL!?|TIMEOUT!?|PYTHON!?|ERROR!?|GETTING_DATA|#+)|ERR:\d{3}",
    re.IGNORECASE,
)
# A spreadsheet shows a long number as 8.12E+10 and writes it so into a CSV: its last digits are lost.
_SHORTENED = re.compile(r"\d(?:[.,]\d+)?E\+\d{2,3}", re.IGNORECASE | re.ASCII)
# What people write in an empty field.
_NOTHING = frozenset({"", "-", "--", "---", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2212", ".", "n/a"})

_TEXT_MARKS = "'’`"


def clean(text: str) -> str:
    """The text without characters that have no meaning. Odd blanks and line ends become plain ones. Outer blanks
    stay."""
    if _SUSPECT.search(text) is None:
        return text
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    text = _BLANK.sub(" ", _DROPPED.sub("", _LINE_ENDS.sub("\n", text)))
    # Half of a surrogate pair: UTF-8 cannot encode it.
    return _HALVES.sub("\ufffd", text)


def bare(text: str) -> str:
    """A text without what programs put around and into it: marks without width, odd blanks, `="..."`."""
    return _unquoted(clean(text).strip())


def _unquoted(text: str) -> str:
    quoted = _EQUALS_QUOTED.fullmatch(text.strip()) if '="' in text else None
    return quoted[1].replace('""', '"').strip() if quoted else text


def cleaned(value: Any) -> Any:
    """A JSON value with every text inside it cleaned; parts that need no cleaning are returned unchanged."""
    if isinstance(value, str):
        return _unquoted(clean(value))
    if isinstance(value, Mapping):
        made = {name: cleaned(item) for name, item in value.items()}
        return made if any(made[name] is not item for name, item in value.items()) else value
    if isinstance(value, list):
        items = [cleaned(item) for item in value]
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    return value


def says_nothing(text: str) -> bool:
    """Whether a text means an empty cell: blank, a dash, a dot, n/a."""
    bare = text.strip()
    return len(bare) <= 3 and bare.lower() in _NOTHING


def without_text_mark(text: str) -> str:
    """A text without the apostrophe with which a spreadsheet keeps a number as a text."""
    bare = text.strip()
    return bare.lstrip(_TEXT_MARKS).strip() if bare[:1] in tuple(_TEXT_MARKS) else text


def error_value(text: str) -> str | None:
    """The spreadsheet error in a text (#N/A, #REF! and similar); None when there is none."""
    bare = text.strip()
    return bare.upper() if bare[:1] in ("#", "E", "e") and _ERROR_VALUE.fullmatch(bare) else None


def is_shortened(text: str) -> bool:
    """Whether a text is a number that a spreadsheet has shortened to 8.12E+10."""
    return "+" in text and _SHORTENED.fullmatch(text.strip()) is not None


def stray_mark(text: str) -> str | None:
    """The first control character or lost letter in a cleaned text, as U+0000; None when there is none."""
    found = _CONTROL.search(text)
    return f"U+{ord(found[0]):04X}" if found else None


def fault(text: str) -> str | None:
    """Why a text cannot be the intended value: the spreadsheet error or shortened number that it is, or a mark inside
    it; None when it is fine."""
    return error_value(text) or (text.strip() if is_shortened(text) else stray_mark(text))
