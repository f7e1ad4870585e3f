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
    Was,
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


class Dated(Plain):
    """A flat dataclass with the words that it replaced. Most have none, which costs them nothing."""

    _was = Plain(Was)

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Earlier words as a list of objects, absent where there are none."""
        body = super().encode(state, cipher)
        past = body.pop("past")
        if past:
            body["past"] = [self._was.encode(one, cipher) for one in past]
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """The dataclass again."""
        return super().decode({**body, "past": tuple(Was(**one) for one in body.get("past", ()))}, cipher)


class BudgetCodec(Plain):
    """District codes have dots, so targets are pairs and not keys of an object."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Targets as a list of pairs, earlier words as a list."""
        body = super().encode(state, cipher)
        past = [self.encode(one, cipher) for one in state.past]
        return {**body, "targets": [list(pair) for pair in state.targets], "past": past}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """Targets and earlier words as tuples again."""
        targets = tuple((code, count) for code, count in body["targets"])
        past = tuple(self.decode(one, cipher) for one in body.get("past", ()))
        return super().decode({**body, "targets": targets, "past": past}, cipher)


class AnswerCodec(Plain):
    """Reasons are an array in the store."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Reasons as a list."""
        return {**super().encode(state, cipher), "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        """Reasons as a tuple again."""
        return super().decode({**body, "reasons": tuple(body["reasons"])}, cipher)


STORED: dict[str, Codec] = {
    "registrations": Dated(Registration),
    "identities": Dated(Identity),
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
    "registrations": (_index("regency", "active", "district", "village", "sector", "sex", "birth_month", "at"),),
    "identities": (_index("regency", "status", "district", "village", "sector", "sex", "birth_month", "at"),),
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
