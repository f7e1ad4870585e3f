"""How billing's aggregates are stored, and the indexes over them. Pure; knows no driver.

There is no personal data, so the cipher is never used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.billing.domain.state import (
    Accounts,
    Budget,
    Enrolment,
    ForwardedCommand,
    IdentityStatus,
    Invoice,
    InvoiceStatus,
    Premium,
    Refusal,
    Run,
    RunStatus,
    Skip,
    Skipped,
    Stop,
    Verdict,
)
from shared.contracts.base import PremiumLine
from shared.persons import documents as persons
from shared.runtime.ports import Cipher, Codec, Index

Body = dict[str, Any]


class EnrolmentCodec:
    """Stores enrolments; a run finds its candidates by regency, place and until."""

    def encode(self, state: Enrolment, cipher: Cipher) -> Body:
        return {
            "regency": state.regency,
            "district": state.district,
            "village": state.village,
            "sector": state.sector,
            "sex": state.sex,
            "birth_month": state.birth_month,
            "income_base": state.income_base,
            "standing": state.standing.value,
            "place": state.place,
            "until": state.until,
            "died_in": state.died_in,
            "valid_until": state.valid_until,
            "verdicts": [[*one] for one in state.verdicts],
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Enrolment:
        return Enrolment(
            regency=body["regency"],
            district=body["district"],
            village=body["village"],
            sector=body["sector"],
            sex=body["sex"],
            birth_month=body["birth_month"],
            income_base=body["income_base"],
            standing=IdentityStatus(body["standing"]),
            place=body["place"],
            until=body["until"],
            died_in=body["died_in"],
            valid_until=body.get("valid_until", ""),
            verdicts=_verdicts_from(body),
        )


def _verdicts_from(body: Mapping[str, Any]) -> tuple[Verdict, ...]:
    rows = body.get("verdicts")
    if rows is not None:
        return tuple(Verdict(row[0], row[1], IdentityStatus(row[2]), *row[3:]) for row in rows)
    # Earlier releases kept only the last verdict.
    standing = IdentityStatus(body["standing"])
    if standing is IdentityStatus.UNSEEN:
        return ()
    known = (body["registration_version"], body["sequence"], standing, body["regency"])
    income = body["income_base"]
    return (Verdict(*known, day="", income_base=income, place=body["place"], until=body["until"]),)


class PremiumCodec:
    """Stores premiums: millions of small documents, found by their key only."""

    def encode(self, state: Premium, cipher: Cipher) -> Body:
        return {
            "run_id": state.run_id,
            "invoice_id": state.invoice_id,
            "regency": state.regency,
            "funding": state.funding,
            "jkk": state.jkk,
            "jkm": state.jkm,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Premium:
        return Premium(
            run_id=body["run_id"],
            invoice_id=body["invoice_id"],
            regency=body["regency"],
            funding=body["funding"],
            jkk=body["jkk"],
            jkm=body["jkm"],
        )


class BudgetCodec:
    """Stores budgets. Maps become lists of pairs, because codes contain dots and periods are many."""

    def encode(self, state: Budget, cipher: Cipher) -> Body:
        return {
            "regency": state.regency,
            "year": state.year,
            "funding": state.funding,
            "ceilings": None if state.ceilings is None else _accounts(state.ceilings),
            "committed": _accounts(state.committed),
            "reserved": _accounts(state.reserved),
            "decree_no": state.decree_no,
            "target_workers": state.target_workers,
            "targets": [[district, number] for district, number in state.targets.items()],
            "queue": list(state.queue),
            "runs": [[period, number] for period, number in state.runs.items()],
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Budget:
        return Budget(
            regency=body["regency"],
            year=body["year"],
            funding=body["funding"],
            ceilings=None if body["ceilings"] is None else _accounts_from(body["ceilings"]),
            committed=_accounts_from(body["committed"]),
            reserved=_accounts_from(body["reserved"]),
            decree_no=body["decree_no"],
            target_workers=body["target_workers"],
            targets=dict(body["targets"]),
            queue=tuple(body["queue"]),
            runs=dict(body["runs"]),
        )


class RunCodec:
    """Stores runs."""

    def encode(self, state: Run, cipher: Cipher) -> Body:
        stop = state.stop
        return {
            "invoice_id": state.invoice_id,
            "run_id": state.run_id,
            "regency": state.regency,
            "period": state.period,
            "funding": state.funding,
            "cutoff": state.cutoff,
            "due_date": state.due_date,
            "requested_at": state.requested_at,
            "edition": state.edition,
            "status": state.status.value,
            "left": _accounts(state.left),
            "cursor": state.cursor,
            "step": state.step,
            "billed": state.billed,
            "lines": _lines(state.lines),
            "skipped": state.skipped.workers,
            "skipped_lines": _lines(state.skipped.lines),
            "already": state.already,
            "barred": _counts(state.barred),
            "missed": state.missed,
            "short": _accounts(state.short),
            "not_eligible": state.not_eligible,
            "asked": state.asked,
            "stop": stop
            and {
                "cursor": stop.cursor,
                "price": _accounts(stop.price),
                "already": stop.already,
                "barred": _counts(stop.barred),
            },
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Run:
        stop = body["stop"]
        return Run(
            run_id=body["run_id"],
            invoice_id=body["invoice_id"],
            regency=body["regency"],
            period=body["period"],
            funding=body["funding"],
            cutoff=body["cutoff"],
            due_date=body["due_date"],
            requested_at=body["requested_at"],
            edition=body.get("edition", ""),
            status=RunStatus(body["status"]),
            left=_accounts_from(body["left"]),
            cursor=body["cursor"],
            step=body["step"],
            billed=body["billed"],
            lines=_lines_from(body["lines"]),
            skipped=Skipped(body["skipped"], _lines_from(body["skipped_lines"])),
            already=body["already"],
            barred=dict(body.get("barred", ())),
            missed=body["missed"],
            short=_accounts_from(body["short"]),
            not_eligible=body["not_eligible"],
            asked=body.get("asked", False),
            stop=stop
            and Stop(
                cursor=stop["cursor"],
                price=_accounts_from(stop["price"]),
                already=stop["already"],
                barred=dict(stop.get("barred", ())),
            ),
        )


class InvoiceCodec:
    """Stores invoices."""

    def encode(self, state: Invoice, cipher: Cipher) -> Body:
        return {
            "invoice_id": state.invoice_id,
            "status": state.status.value,
            "run_id": state.run_id,
            "regency": state.regency,
            "period": state.period,
            "funding": state.funding,
            "workers": state.workers,
            "lines": _lines(state.lines),
            "due_date": state.due_date,
            "opened_on": state.opened_on,
            "paid_on": state.paid_on,
            "reference": state.reference,
            "overdue": state.overdue,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Invoice:
        return Invoice(
            invoice_id=body["invoice_id"],
            status=InvoiceStatus(body["status"]),
            run_id=body["run_id"],
            regency=body["regency"],
            period=body["period"],
            funding=body["funding"],
            workers=body["workers"],
            lines=_lines_from(body["lines"]),
            due_date=body["due_date"],
            opened_on=body["opened_on"],
            paid_on=body["paid_on"],
            reference=body["reference"],
            overdue=body["overdue"],
        )


class SkipCodec:
    """Stores premiums that a run gives back; they are counted by run."""

    def encode(self, state: Skip, cipher: Cipher) -> Body:
        return {
            "run_id": state.run_id,
            "jkk": state.jkk,
            "jkk_rule": state.jkk_rule,
            "jkm": state.jkm,
            "jkm_rule": state.jkm_rule,
        }

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Skip:
        return Skip(
            run_id=body["run_id"],
            jkk=body["jkk"],
            jkk_rule=body["jkk_rule"],
            jkm=body["jkm"],
            jkm_rule=body["jkm_rule"],
        )


class RefusalCodec:
    """Stores refused forms, under the name of their input."""

    def encode(self, state: Refusal, cipher: Cipher) -> Body:
        return {"command": state.command, "reasons": list(state.reasons)}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> Refusal:
        return Refusal(body["command"], tuple(body["reasons"]))


class CommandCodec:
    """Stores commands that were passed on, under the name of their input."""

    def encode(self, state: ForwardedCommand, cipher: Cipher) -> Body:
        return {"command": state.command}

    def decode(self, body: Mapping[str, Any], cipher: Cipher) -> ForwardedCommand:
        return ForwardedCommand(body["command"])


def _accounts(accounts: Accounts) -> list[int]:
    return [accounts.jkk, accounts.jkm]


def _accounts_from(pair: Sequence[int]) -> Accounts:
    return Accounts(pair[0], pair[1])


def _counts(counts: Mapping[str, int]) -> list[list[Any]]:
    return [[reason, count] for reason, count in sorted(counts.items())]


def _lines(lines: Sequence[PremiumLine]) -> list[list[Any]]:
    return [[line.programme, line.amount, line.rule] for line in lines]


def _lines_from(rows: Sequence[Sequence[Any]]) -> tuple[PremiumLine, ...]:
    return tuple(PremiumLine(programme=row[0], amount=row[1], rule=row[2]) for row in rows)


STORED: Mapping[str, Codec] = {
    "enrolments": EnrolmentCodec(),
    "premiums": PremiumCodec(),
    "skips": SkipCodec(),
    "budgets": BudgetCodec(),
    "runs": RunCodec(),
    "invoices": InvoiceCodec(),
    "commands": CommandCodec(),
    "refusals": RefusalCodec(),
    persons.COLLECTION: persons.LinkCodec(),
}
INDEXES: Mapping[str, Sequence[Index]] = {
    # A page of a run is one range of this index, in priority order.
    "enrolments": (Index(fields=("state.regency", "state.place")),),
    persons.COLLECTION: persons.INDEXES,
    "skips": (Index(fields=("state.run_id",)),),
    "budgets": (Index(fields=("state.regency", "state.year")),),
    "runs": (Index(fields=("state.regency", "state.period")),),
    "invoices": (Index(fields=("state.regency", "state.period")),),
}
