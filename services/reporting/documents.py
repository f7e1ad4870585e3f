"""State <-> document, and the indexes that let figures be counted without reading documents. Knows no driver.

There is nothing to encrypt: reporting holds no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.reporting.domain.state import (
    Answer,
    Budget,
    Claim,
    Exhaustion,
    Finding,
    Identity,
    Invoice,
    Meeting,
    Premium,
    Project,
    Registration,
    Risk,
    Run,
    Settlement,
)
from shared.runtime.ports import Cipher, Codec, Index


class Plain:
    """The codec of a flat dataclass: its fields as they are. Built once, lean on the hot path."""

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._names = tuple(one.name for one in fields(kind))
        self._values = attrgetter(*self._names)

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """The fields, by name."""
        return dict(zip(self._names, self._values(state), strict=True))

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """The dataclass again."""
        return self._kind(**body)


class BudgetCodec(Plain):
    """District codes have dots, so targets are pairs and not keys of an object."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Targets as a list of pairs."""
        return {**super().encode(state, cipher), "targets": [list(pair) for pair in state.targets]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """Targets as tuples again."""
        return super().decode({**body, "targets": tuple((code, count) for code, count in body["targets"])}, cipher)


class AnswerCodec(Plain):
    """Reasons are an array in the store."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Reasons as a list."""
        return {**super().encode(state, cipher), "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """Reasons as a tuple again."""
        return super().decode({**body, "reasons": tuple(body["reasons"])}, cipher)


STORED: dict[str, Codec] = {
    "registrations": Plain(Registration),
    "identities": Plain(Identity),
    "premiums": Plain(Premium),
    "invoices": Plain(Invoice),
    "runs": Plain(Run),
    "budgets": BudgetCodec(Budget),
    "claims": Plain(Claim),
    "exhaustions": Plain(Exhaustion),
    "risks": Plain(Risk),
    "answers": AnswerCodec(Answer),
    "settlements": AnswerCodec(Settlement),
    "findings": Plain(Finding),
    "projects": Plain(Project),
    "meetings": Plain(Meeting),
}


def _index(*names: str) -> Index:
    return Index(fields=tuple(f"-state.{name[1:]}" if name.startswith("-") else f"state.{name}" for name in names))


# The wide ones carry every field that a figure is grouped by: the count is made from the index, documents stay unread.
INDEXES: dict[str, Sequence[Index]] = {
    "registrations": (_index("regency", "active", "district", "village", "sector", "sex", "birth_month"),),
    "identities": (_index("regency", "status", "district", "village", "sector", "sex", "birth_month"),),
    "premiums": (
        _index(
            "period",
            "regency",
            "invoice_id",
            "district",
            "village",
            "sector",
            "sex",
            "birth_month",
            "funding",
            "jkk",
            "jkm",
        ),
    ),
    "answers": (_index("regency", "outcome", "agency"),),
    "settlements": (_index("regency", "refuted", "agency"),),
    "findings": (_index("regency", "employer"),),
    "projects": (_index("regency"),),
    "meetings": (_index("regency", "-held_on"),),
}
