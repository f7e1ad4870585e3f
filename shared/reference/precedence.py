"""Which source takes precedence for a field (precedence.toml): checks the file and gives the ranks."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Stands for a verified identity instead of an agency; an order may name it too.
VERIFICATION = "verification"
# The rank behind all named sources.
UNNAMED = 1_000
# The fields of a worker on which sources may differ, in the order in which their statements are kept. Three are left
# out: the district follows the village, consent belongs to a submission, and the NIK names the worker.
FIELDS = (
    "name",
    "birth_date",
    "birth_place",
    "sex",
    "mother_name",
    "phone",
    "address",
    "family_card",
    "village",
    "sector",
    "occupation",
    "monthly_income",
    "heir",
)

_Voice = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*[a-z0-9](:[a-z]+)?$")]


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fields: Annotated[list[str], Field(min_length=1)]
    order: Annotated[list[_Voice | list[_Voice]], Field(min_length=1)]
    regency: Annotated[str, Field(pattern=r"^\d{2}\.\d{2}$")] | None = None


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Annotated[str, Field(min_length=1)]
    basis: Annotated[str, Field(min_length=1)]
    rule: list[_Rule] = []


class PrecedenceError(ValueError):
    """The file is invalid; the text says where."""


@dataclass(frozen=True, slots=True)
class Precedence:
    """Ranks by (regency or empty, field) and source; a smaller rank takes precedence."""

    version: str
    ranks: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)

    def rank(self, regency: str, name: str, agency: str, sector: str | None = None) -> int:
        """The rank of an agency's value for a field, given the sector that the agency states for the worker."""
        by_voice = self.ranks.get((regency, name)) or self.ranks.get(("", name))
        if not by_voice:
            return UNNAMED
        return min(by_voice.get(agency, UNNAMED), by_voice.get(f"{agency}:{sector}", UNNAMED) if sector else UNNAMED)


def read(text: str) -> Precedence:
    """The precedence that a file defines; raises PrecedenceError."""
    try:
        given = _File.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise PrecedenceError(str(error)) from error
    ranks: dict[tuple[str, str], dict[str, int]] = {}
    for rule in given.rule:
        unknown = sorted(set(rule.fields).difference(FIELDS))
        if unknown:
            raise PrecedenceError(f"no such fields: {', '.join(unknown)}; known are {', '.join(sorted(FIELDS))}")
        by_voice = {
            voice: rank for rank, tier in enumerate(rule.order) for voice in ([tier] if isinstance(tier, str) else tier)
        }
        for name in rule.fields:
            if ranks.setdefault((rule.regency or "", name), by_voice) is not by_voice:
                raise PrecedenceError(f"two rules rank {name} of {rule.regency or 'every regency'}")
    return Precedence(given.version, ranks)


@cache
def shipped() -> Precedence:
    """The default that the product ships."""
    return read(resources.files("shared.reference").joinpath("precedence.toml").read_text(encoding="utf-8"))


def load(path: str | None) -> Precedence:
    """A regency's own file, or the default when none is named."""
    return read(Path(path).read_text(encoding="utf-8")) if path else shipped()
