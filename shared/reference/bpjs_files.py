"""The forms of the files that are exchanged with BPJS about participants (bpjs_files.toml). Pure once loaded.

An edition is data: which column holds what, in which words, and how BPJS's answers are read. Only the words of `HOLDS`
are code: what a column can hold at all.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from shared.contracts.reasons import Reason

# What a column may hold; blank leaves it empty.
Held = Literal[
    "",
    "nik",
    "name",
    "birth_place",
    "birth_date",
    "sex",
    "mother_name",
    "address",
    "rt",
    "rw",
    "village_code",
    "village_name",
    "district_name",
    "phone",
    "occupation",
    "income",
    "programmes",
    "heir_name",
    "heir_relation",
    "heir_phone",
    "decree",
    "period_start",
    "period_end",
]


class BpjsFilesError(ValueError):
    """The file of editions is invalid; the text says where."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BpjsColumn(_Part):
    """One column: its heading, what it holds, and whether a worker without it is left out of the file."""

    name: Annotated[str, Field(min_length=1)]
    holds: Held
    required: bool = False


class BpjsReason(_Part):
    """BPJS's reason: a part of its text in lower case, and the reason code that it means."""

    says: Annotated[str, Field(min_length=2)]
    code: Reason


class BpjsAnswers(_Part):
    """How BPJS's answers are read: the form of a card number, and the words."""

    kpj: str
    accepted: tuple[str, ...]
    refused: tuple[str, ...]
    reasons: tuple[BpjsReason, ...]

    @field_validator("kpj")
    @classmethod
    def _is_pattern(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern

    def is_card_number(self, text: str) -> bool:
        """Whether a text has the form of a card number."""
        return re.fullmatch(self.kpj, text, re.ASCII) is not None

    def meaning_of(self, status: str) -> bool | None:
        """Whether a word of BPJS says yes or no; None when it is no such word."""
        word = plain(status)
        return True if word in self.accepted else False if word in self.refused else None

    def code_of(self, words: str) -> Reason:
        """The reason code of BPJS's words."""
        said = plain(words)
        return next((one.code for one in self.reasons if one.says in said), Reason.BPJS_REFUSED)


class Edition(_Part):
    """One form of the files, from its first day on."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,39}$")]
    since: date
    basis: Annotated[str, Field(min_length=1)]
    delimiter: Literal[";", ",", "\t", "|"]
    dates: Annotated[str, Field(pattern=r"^[^%]*(%[dmY][^%]*){3}$")]
    columns: Annotated[tuple[BpjsColumn, ...], Field(min_length=1)]
    words: Mapping[Held, Mapping[str, str]] = {}
    answers: BpjsAnswers

    @field_validator("since", mode="before")
    @classmethod
    def _day(cls, value: object) -> object:
        return date.fromisoformat(value) if isinstance(value, str) else value

    def day(self, day: date) -> str:
        """A day as this edition writes it."""
        return day.strftime(self.dates)

    def word(self, holds: Held, code: str) -> str:
        """BPJS's word for a code; the code itself where it has none."""
        return self.words.get(holds, {}).get(code, code)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    edition: Annotated[tuple[Edition, ...], Field(min_length=1)]


class BpjsFiles:
    """The editions by their first day."""

    def __init__(self, editions: tuple[Edition, ...]) -> None:
        self.editions = tuple(sorted(editions, key=lambda one: one.since))

    def on(self, day: date) -> Edition:
        """The newest edition that has begun on this day; the first one for days before all of them."""
        return next((one for one in reversed(self.editions) if one.since <= day), self.editions[0])

    def named(self, name: str) -> Edition | None:
        """The edition of this name."""
        return next((one for one in self.editions if one.name == name), None)


def plain(text: str) -> str:
    """BPJS's words in lower case, with single blanks."""
    return " ".join(text.lower().split()).strip(" .!")


def read(text: str) -> BpjsFiles:
    """The editions of a file; raises BpjsFilesError."""
    try:
        found = _File.model_validate(tomllib.loads(text)).edition
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise BpjsFilesError(str(error)) from error
    for value in ("name", "since"):
        if len({getattr(one, value) for one in found}) != len(found):
            raise BpjsFilesError(f"two editions have the same {value}")
    for one in found:
        names = [column.name for column in one.columns]
        if len(set(names)) != len(names):
            raise BpjsFilesError(f"edition {one.name} names a column twice")
    return BpjsFiles(found)


@cache
def shipped() -> BpjsFiles:
    """The editions that the product ships."""
    return read(resources.files("shared.reference").joinpath("bpjs_files.toml").read_text(encoding="utf-8"))
