"""How workers and refusals stand in the store; every personal field is sealed by itself. Pure, knows no driver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.registration.domain.state import Heir, Refusal, Status, Verdict, Word, Worker, WorkerForm
from shared.runtime.ports import Cipher, Codec, Index

_PERSONAL = ("nik", "name", "birth_date", "birth_place", "mother_name", "phone", "address")
_PLAIN = ("sex", "village", "district", "sector", "occupation", "monthly_income", "consent_on")
_HEIR = ("name", "relation", "phone")

# Workers are found by their key only; an index would cost every insert and every verdict.
INDEXES: Mapping[str, Sequence[Index]] = {}


class WorkerCodec:
    """Workers. Absent personal fields take no room; a refusal may stand where a worker may come."""

    def encode(self, state: Worker | Refusal, cipher: Cipher) -> dict[str, Any]:
        """As plain and sealed fields."""
        if isinstance(state, Refusal):
            return RefusalCodec().encode(state, cipher)
        form, verdict = state.form, state.verdict
        kept: dict[str, Any] = {name: getattr(form, name) for name in _PLAIN}
        for name in _PERSONAL:
            value = getattr(form, name)
            if value is not None:
                kept[name] = cipher.seal(value)
        if form.heir is not None:
            heir = form.heir
            kept["heir"] = {name: cipher.seal(value) for name in _HEIR if (value := getattr(heir, name)) is not None}
        return {
            "regency": state.regency,
            "status": state.status.value,
            "registration_version": state.registration_version,
            "form": kept,
            "words": [
                [word.agency, word.submission_id, word.sector, word.occupation, word.said_on, word.fingerprint]
                for word in state.words
            ],
            "waiting": [list(one) for one in state.waiting],
            "verdict": verdict and [verdict.identity.value, list(verdict.reasons), verdict.registration_version],
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Worker | Refusal:
        """From plain and sealed fields."""
        if "form" not in body:
            return RefusalCodec().decode(body, cipher)
        kept, verdict = body["form"], body["verdict"]
        fields: dict[str, Any] = {name: kept[name] for name in _PLAIN}
        for name in _PERSONAL:
            if name in kept:
                fields[name] = cipher.open(kept[name])
        if "heir" in kept:
            sealed = kept["heir"]
            fields["heir"] = Heir(**{name: cipher.open(sealed[name]) if name in sealed else None for name in _HEIR})  # type: ignore[arg-type]  # an heir without a name is refused at the form
        return Worker(
            regency=body["regency"],
            status=Status(body["status"]),
            registration_version=body["registration_version"],
            form=WorkerForm(**fields),
            words=tuple(
                Word(
                    agency=agency,
                    submission_id=submission,
                    sector=sector,
                    occupation=occupation,
                    said_on=said_on,
                    fingerprint=print_,
                )
                for agency, submission, sector, occupation, said_on, print_ in body["words"]
            ),
            waiting=tuple((agency, submission) for agency, submission in body["waiting"]),
            verdict=verdict
            and Verdict(identity=Status(verdict[0]), reasons=tuple(verdict[1]), registration_version=verdict[2]),
        )


class RefusalCodec:
    """Refusals: reasons only."""

    def encode(self, state: Refusal, cipher: Cipher) -> dict[str, Any]:
        """As plain fields."""
        return {"submission_id": state.submission_id, "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        """From plain fields."""
        return Refusal(submission_id=body["submission_id"], reasons=tuple(body["reasons"]))


STORED: Mapping[str, Codec] = {"workers": WorkerCodec(), "refusals": RefusalCodec()}
