"""Base of all published models: frozen, tolerant when read, strict when built (mypy plugin)."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Regency = Annotated[str, Field(pattern=r"^\d{2}\.\d{2}$", description="Kemendagri code with dots, e.g. 64.08")]
Period = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", description="a month, YYYY-MM")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", description="a business day in Asia/Makassar, YYYY-MM-DD")]
Rupiah = Annotated[int, Field(description="whole rupiah")]
Sex = Literal["F", "M"]
Funding = Literal["apbd-regency", "apbd-province", "self", "csr"]
Programme = Literal["JKK", "JKM"]
Sector = Literal[
    "agriculture",
    "plantation",
    "fisheries",
    "livestock",
    "trade",
    "transport",
    "construction",
    "crafts",
    "services",
    "other",
]
FUNDINGS: tuple[Funding, ...] = get_args(Funding)
SECTORS: tuple[Sector, ...] = get_args(Sector)


class Data(BaseModel):
    """The `data` of an event that Payung produces. Unknown fields are ignored when read, so that contracts can grow."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PremiumLine(Data):
    """One programme's amount with the key of the rule that made it (shared/reference/rates.csv)."""

    programme: Programme
    amount: Rupiah
    rule: str


class BenefitLine(Data):
    """One benefit's amount with the key of the rule that made it."""

    benefit: str
    amount: Rupiah
    rule: str
