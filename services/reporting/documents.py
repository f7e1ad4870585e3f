"""State <-> document, and the indexes that let figures be counted without reading documents. Knows no driver.

There is nothing to encrypt: reporting holds no personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.reporting.domain.state import (
    Budget,
    Claim,
    Exhaustion,
    Finding,
    FormerState,
    Identity,
    Invoice,
    Meeting,
    Premium,
    Project,
    Registration,
    Risk,
    Run,
    Settlement,
    SubmissionAnswer,
)
from shared.runtime.ports import Cipher, Codec, Index


class Plain:
    """The codec of a flat dataclass: its fields unchanged. Its names are prepared once, because encoding is on
    the hot path.
    """

    def __init__(self, kind: type[Any]) -> None:
        self._kind = kind
        self._names = tuple(one.name for one in fields(kind))
        self._values = attrgetter(*self._names)

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return dict(zip(self._names, self._values(state), strict=True))

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return self._kind(**body)


class Dated(Plain):
    """A flat dataclass with the earlier states that it replaced. Most documents have none, which takes no space."""

    _was = Plain(FormerState)

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        """Earlier states as a list of objects; absent when there are none."""
        body = super().encode(state, cipher)
        past = body.pop("past")
        if past:
            body["past"] = [self._was.encode(one, cipher) for one in past]
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        return super().decode({**body, "past": tuple(FormerState(**one) for one in body.get("past", ()))}, cipher)


class BudgetCodec(Plain):
    """Stores budgets. Targets are pairs and not keys of an object, because district codes contain dots."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        body = super().encode(state, cipher)
        past = [self.encode(one, cipher) for one in state.past]
        return {**body, "targets": [list(pair) for pair in state.targets], "past": past}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
        targets = tuple((code, count) for code, count in body["targets"])
        past = tuple(self.decode(one, cipher) for one in body.get("past", ()))
        return super().decode({**body, "targets": targets, "past": past}, cipher)


class AnswerCodec(Plain):
    """Stores reasons as an array."""

    def encode(self, state: Any, cipher: Cipher) -> dict[str, Any]:
        return {**super().encode(state, cipher), "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Any:
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
    "answers": AnswerCodec(SubmissionAnswer),
    "settlements": AnswerCodec(Settlement),
    "findings": Plain(Finding),
    "projects": Plain(Project),
    "meetings": Plain(Meeting),
}


def _index(*names: str) -> Index:
    return Index(fields=tuple(f"-state.{name[1:]}" if name.startswith("-") else f"state.{name}" for name in names))


# The wide indexes contain every field by which a figure is grouped: the index alone gives the count, and no document is
# read.
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
