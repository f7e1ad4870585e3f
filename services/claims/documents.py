"""How claims' aggregates are stored, and the indexes over them. Pure; knows no driver.

Each personal field (claimant, children, an officer's name and reason) is sealed on its own. No NIK is stored at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.claims.domain.state import (
    Child,
    Claim,
    Claimant,
    ClaimStatus,
    CompletedRun,
    Cover,
    Entitlement,
    Form,
    PaidEvent,
    PaidInvoice,
    Refusal,
    Ruling,
    SchoolYear,
    Use,
)
from shared.contracts.base import BenefitLine
from shared.contracts.claims_work import AssessClaim
from shared.persons import documents as persons
from shared.runtime.ports import Cipher, Codec, Index

Body = dict[str, Any]

_CLAIM_PLAIN = (
    "claim_no",
    "agency",
    "regency",
    "stage",
    "fingerprint",
    "correlation",
    "submitted_on",
    "round",
    "looks",
    "watching",
    "months",
    "reserved",
    "account_refused",
    "approved_on",
    "paid_on",
    "reference",
)
_FORM_PLAIN = (
    "worker_id",
    "kind",
    "event_date",
    "cause",
    "outcome",
    "days_off_work",
    "loss_percent",
    "treatment_cost",
)


class CoverCodec:
    """Stores premiums, field by field, because there are hundreds of thousands a month."""

    def encode(self, state: Cover, cipher: Cipher) -> Body:
        return {
            "regency": state.regency,
            "district": state.district,
            "sex": state.sex,
            "funding": state.funding,
            "income_base": state.income_base,
            "run_id": state.run_id,
            "invoice_id": state.invoice_id,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Cover:
        return Cover(
            body["regency"],
            body["district"],
            body["sex"],
            body["funding"],
            body["income_base"],
            body["run_id"],
            body["invoice_id"],
        )


class InvoiceCodec:
    """Stores paid invoices."""

    def encode(self, state: PaidInvoice, cipher: Cipher) -> Body:
        return {"regency": state.regency, "period": state.period, "paid_on": state.paid_on}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> PaidInvoice:
        return PaidInvoice(body["regency"], body["period"], body["paid_on"])


class RunCodec:
    """Stores closed runs."""

    def encode(self, state: CompletedRun, cipher: Cipher) -> Body:
        return {
            "month": state.month,
            "billed_workers": state.billed_workers,
            "seen": state.seen,
            "correlation": state.correlation,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> CompletedRun:
        return CompletedRun(body["month"], body["billed_workers"], body.get("seen", True), body.get("correlation", ""))


class ClaimCodec:
    """Stores claims."""

    def encode(self, state: Claim, cipher: Cipher) -> Body:
        """Plain and sealed fields. `waiting` is present only while the claim waits, for the partial index."""
        body: Body = {name: getattr(state, name) for name in _CLAIM_PLAIN}
        body["status"] = state.status.value
        body["reasons"] = [str(reason) for reason in state.reasons]
        body["missing"] = list(state.missing)
        body["benefits"] = _lines(state.benefits)
        body["school"] = list(state.school)
        if state.waiting is not None:
            body["waiting"] = state.waiting
        if state.person:
            body["person"] = state.person
        if state.clearing:
            body["clearing"] = True
        if state.waits_until is not None:
            body["waits_until"] = state.waits_until
        if state.paid_before:
            body["paid_before"] = _lines(state.paid_before)
        if state.first_on:
            body["first_on"] = state.first_on
        body["days_off_work"] = state.days_off_work
        body["lasting"] = state.lasting
        body["levels"] = list(state.levels)
        body["seen"] = [[number, changes] for number, changes in state.seen.items()]
        # Only for the index by which news of a month finds the claims that it may change.
        if state.follows_cover:
            body["follows_cover"] = True
        if state.form is not None:
            body["form"] = _form(state.form, cipher)
        if state.ruling is not None:
            ruling = state.ruling
            body["ruling"] = [ruling.approved, cipher.seal(ruling.officer), cipher.seal(ruling.reason)]
        if state.cover is not None:
            body["cover"] = CoverCodec().encode(state.cover, cipher)
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Claim:
        ruling, cover, form = body.get("ruling"), body.get("cover"), body.get("form")
        return Claim(
            **{name: body[name] for name in _CLAIM_PLAIN},
            status=ClaimStatus(body["status"]),
            reasons=tuple(body["reasons"]),
            missing=tuple(body["missing"]),
            benefits=_lines_from(body["benefits"]),
            school=tuple(body["school"]),
            waiting=body.get("waiting"),
            person=body.get("person", ""),
            clearing=body.get("clearing", False),
            waits_until=body.get("waits_until"),
            paid_before=_lines_from(body.get("paid_before", ())),
            first_on=body.get("first_on", ""),
            days_off_work=body.get("days_off_work", 0),
            lasting=body.get("lasting", 0),
            levels=tuple(body.get("levels", ())),
            seen=dict(body.get("seen", ())),
            form=None if form is None else _form_from(form, cipher),
            ruling=None if ruling is None else Ruling(ruling[0], cipher.open(ruling[1]), cipher.open(ruling[2])),
            cover=None if cover is None else CoverCodec().decode(cover, cipher),
        )


class EntitlementCodec:
    """Stores entitlements. Maps become lists of rows, because slots contain slashes and claim keys contain dots."""

    def encode(self, state: Entitlement, cipher: Cipher) -> Body:
        body: Body = {
            "death": state.death,
            "died_on": state.died_on,
            "school": [[slot, year.claim, year.level] for slot, year in state.school.items()],
            "uses": [
                [claim, use.event_date, use.days_off_work, _lines(use.lines), use.lasting]
                for claim, use in state.uses.items()
            ],
            "paid": [[claim, one.kind, one.outcome, one.event_date] for claim, one in state.paid.items()],
            "waiting": [[claim, look.model_dump(mode="json")] for claim, look in state.waiting.items()],
            "changes": state.changes,
        }
        if state.named:
            body["named"] = [[claim, worker] for claim, worker in state.named.items()]
        return body

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Entitlement:
        """Reads the fields. Earlier releases stored only the claims of the death and of each school year."""
        return Entitlement(
            death=body["death"],
            died_on=body.get("died_on"),
            school={slot: SchoolYear(claim, *level or [""]) for slot, claim, *level in body["school"]},
            uses={
                claim: Use(event_date, days, _lines_from(lines), lasting)
                for claim, event_date, days, lines, lasting in body.get("uses", ())
            },
            paid={
                claim: PaidEvent(kind, outcome, event_date) for claim, kind, outcome, event_date in body.get("paid", ())
            },
            waiting={claim: AssessClaim.model_validate(look) for claim, look in body.get("waiting", ())},
            changes=body.get("changes", 0),
            named=dict(body.get("named", ())),
        )


class RefusalCodec:
    """Stores refused inputs, under their own names."""

    def encode(self, state: Refusal, cipher: Cipher) -> Body:
        return {"command": state.command, "reasons": [str(reason) for reason in state.reasons]}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        return Refusal(body["command"], tuple(body["reasons"]))


def _lines(lines: Sequence[BenefitLine]) -> list[list[Any]]:
    return [[line.benefit, line.amount, line.rule] for line in lines]


def _lines_from(rows: Sequence[Sequence[Any]]) -> tuple[BenefitLine, ...]:
    return tuple(BenefitLine(benefit=benefit, amount=amount, rule=rule) for benefit, amount, rule in rows)


def _form(form: Form, cipher: Cipher) -> Body:
    claimant = form.claimant
    return {
        **{name: getattr(form, name) for name in _FORM_PLAIN},
        "documents": list(form.documents),
        "transport": list(form.transport),
        "claimant": [cipher.seal(claimant.name), claimant.relation, cipher.seal(claimant.account)],
        "children": [
            [child.key, cipher.seal(child.name), cipher.seal(child.birth_date), child.level, child.school_year]
            for child in form.children
        ],
    }


def _form_from(body: Mapping[str, Any], cipher: Cipher) -> Form:
    name, relation, account = body["claimant"]
    land, sea, air = body["transport"]
    return Form(
        **{name: body[name] for name in _FORM_PLAIN},
        documents=tuple(body["documents"]),
        transport=(land, sea, air),
        claimant=Claimant(cipher.open(name), relation, cipher.open(account)),
        children=tuple(
            Child(key, cipher.open(name), cipher.open(born), level, year)
            for key, name, born, level, year in body["children"]
        ),
    )


STORED: Mapping[str, Codec] = {
    "covers": CoverCodec(),
    "invoices": InvoiceCodec(),
    "runs": RunCodec(),
    "claims": ClaimCodec(),
    "deaths": EntitlementCodec(),
    persons.COLLECTION: persons.LinkCodec(),
    "refusals": RefusalCodec(),
}
INDEXES: Mapping[str, Sequence[Index]] = {
    # Counts the premiums of a run that are here. A worker's months are a range of ids and need no index.
    "covers": (Index(fields=("state.run_id",)),),
    persons.COLLECTION: persons.INDEXES,
    "runs": (Index(fields=("state.month",)),),
    "claims": (
        Index(fields=("state.waiting", "_id"), partial={"state.waiting": {"$exists": True}}),
        Index(fields=("state.form.event_date", "_id"), partial={"state.follows_cover": {"$exists": True}}),
        Index(fields=("state.claim_no",)),
        # The claims of a worker who was merged or separated.
        Index(fields=("state.form.worker_id", "_id")),
        Index(fields=("state.regency", "state.status")),
    ),
}
