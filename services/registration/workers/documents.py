"""How workers are stored; every personal field is sealed on its own. Pure.

Workers are found by their key only, because an index would slow down every insert and every verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.intake.documents import RefusalCodec
from services.registration.intake.domain.state import Refusal
from services.registration.workers.domain.state import (
    Change,
    FormerValue,
    Heir,
    Statement,
    Suspicion,
    Verdict,
    Word,
    Worker,
    WorkerForm,
    WorkerStatus,
)
from shared.runtime.ports import Cipher, Codec

_PERSONAL = ("nik", "name", "birth_date", "birth_place", "mother_name", "phone", "address", "family_card")
_PLAIN = ("sex", "village", "district", "sector", "occupation", "monthly_income", "consent_on")
_HEIR = ("name", "relation", "phone")


class WorkerCodec:
    """Stores workers. Absent personal fields take no space. A refusal may occupy a worker's key before the
    worker registers.
    """

    def encode(self, state: Worker | Refusal, cipher: Cipher) -> dict[str, Any]:
        if isinstance(state, Refusal):
            return RefusalCodec().encode(state, cipher)
        form, verdict = state.form, state.verdict
        kept: dict[str, Any] = {name: getattr(form, name) for name in _PLAIN}
        for name in _PERSONAL:
            value = getattr(form, name)
            if value is not None:
                kept[name] = cipher.seal(value)
        if form.heir is not None:
            kept["heir"] = _sealed("heir", form.heir, cipher)
        return {
            "regency": state.regency,
            "status": state.status.value,
            "registration_version": state.registration_version,
            "form": kept,
            "words": [
                [word.agency, word.submission_id, word.sector, word.occupation, word.said_on, word.fingerprint]
                + ([word.via] if word.via else [])
                for word in state.words
            ],
            "waiting": [list(one) for one in state.waiting],
            "verdict": verdict
            and [
                verdict.identity.value,
                list(verdict.reasons),
                verdict.registration_version,
                verdict.given_on,
                verdict.valid_until,
            ],
            "opened_on": state.opened_on,
            **_seldom(state, cipher),
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Worker | Refusal:
        if "form" not in body:
            return RefusalCodec().decode(body, cipher)
        kept = body["form"]
        fields: dict[str, Any] = {name: kept[name] for name in _PLAIN}
        for name in _PERSONAL:
            if name in kept:
                fields[name] = cipher.open(kept[name])
        if "heir" in kept:
            fields["heir"] = _opened("heir", kept["heir"], cipher)
        return Worker(
            regency=body["regency"],
            status=WorkerStatus(body["status"]),
            registration_version=body["registration_version"],
            form=WorkerForm(**fields),
            words=tuple(_word(one) for one in body["words"]),
            waiting=tuple((agency, submission) for agency, submission in body["waiting"]),
            verdict=_verdict(body["verdict"]),
            opened_on=body.get("opened_on", ""),
            said=tuple(
                Statement(who, name, _opened(name, value, cipher), submission, said_on, *marks)
                for who, name, value, submission, said_on, *marks in body.get("said", ())
            ),
            history=tuple(
                Change(
                    at, tuple(FormerValue(name, _opened(name, value, cipher), *whose) for name, value, *whose in was)
                )
                for at, was in body.get("history", ())
            ),
            suspects=tuple(Suspicion(*one) for one in body.get("suspects", ())),
            merged_into=body.get("merged_into", ""),
            asked=body.get("asked", 1),
        )


def _seldom(state: Worker, cipher: Cipher) -> dict[str, Any]:
    """The fields that most workers lack; they take space only when present."""
    kept: dict[str, Any] = {}
    if state.said:
        kept["said"] = [
            [
                one.agency,
                one.field,
                _sealed(one.field, one.value, cipher),
                one.submission_id,
                one.said_on,
                one.corrected,
                one.refuted,
                one.doubted,
            ]
            for one in state.said
        ]
    if state.history:
        kept["history"] = [
            [
                change.at,
                [
                    [one.field, _sealed(one.field, one.value, cipher), one.agency, one.submission_id, one.said_on]
                    for one in change.was
                ],
            ]
            for change in state.history
        ]
    if state.suspects:
        kept["suspects"] = [[one.other, one.sequence, one.open] for one in state.suspects]
    if state.merged_into:
        kept["merged_into"] = state.merged_into
    if state.asked != 1:
        kept["asked"] = state.asked
    return kept


def _sealed(name: str, value: Any, cipher: Cipher) -> Any:
    """The value of one field as it may be stored: sealed when personal."""
    if value is None:
        return None
    if name == "heir":
        return {part: cipher.seal(text) for part in _HEIR if (text := getattr(value, part)) is not None}
    return cipher.seal(value) if name in _PERSONAL else value


def _opened(name: str, value: Any, cipher: Cipher) -> Any:
    if value is None:
        return None
    if name == "heir":
        return Heir(**{part: cipher.open(value[part]) if part in value else None for part in _HEIR})  # type: ignore[arg-type]  # an heir without a name is refused at the form
    return cipher.open(value) if name in _PERSONAL else value


def _word(one: Sequence[Any]) -> Word:
    agency, submission, sector, occupation, said_on, fingerprint, *via = one
    return Word(
        agency=agency,
        submission_id=submission,
        sector=sector,
        occupation=occupation,
        said_on=said_on,
        fingerprint=fingerprint,
        via=via[0] if via else "",
    )


def _verdict(one: Sequence[Any] | None) -> Verdict | None:
    if one is None:
        return None
    identity, reasons, version, *days = one
    given_on, valid_until = days or ("", "")
    return Verdict(
        identity=WorkerStatus(identity),
        reasons=tuple(reasons),
        registration_version=version,
        given_on=given_on,
        valid_until=valid_until,
    )


STORED: Mapping[str, Codec] = {"workers": WorkerCodec()}
