"""Billing over HTTP: runs, invoices, budgets, the plan of a run and what-ifs. All changes come through Kafka; only a
scenario of a what-if is saved here.

Only callers of the regency may read (PAYUNG_AUTH): no person is named, but it shows a regency's money, plans and debts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request

from services.billing import plans
from services.billing.api import whatif
from services.billing.domain import rules
from services.billing.domain.state import Accounts, Budget, Invoice, InvoiceStatus, Run
from shared.contracts.base import Funding, Period, PremiumLine, Regency
from shared.contracts.reasons import Reason
from shared.kernel.calendar import business_day, day_of, parse_date
from shared.runtime import clock
from shared.runtime.http.auth import Caller, Guard

LIST_MAX = 1000


def routes(context: Any) -> APIRouter:
    """The endpoints of billing over one service's store."""
    router = APIRouter(prefix="/v1", tags=["billing"])
    guard = Guard(context.environ)

    @router.get("/runs/{run_id}")
    async def one_run(run_id: str, request: Request) -> dict[str, Any]:
        """One run with its figures so far."""
        caller = await guard.caller(request)
        found = (await context.reader.states("runs", [run_id])).get(run_id)
        if found is None or not caller.may_read(found.regency):
            raise _not_found("run")
        return run_view(found)

    @router.get("/runs")
    async def all_runs(
        request: Request,
        regency: Regency | None = None,
        period: Period | None = None,
        last: Annotated[int | None, Query(ge=1, le=LIST_MAX)] = None,
    ) -> dict[str, Any]:
        """Runs, by regency and period; `last` limits them to that many of the newest, ordered by cutoff."""
        where = _where(await guard.caller(request), regency, period=period)
        if last is None:
            return {"runs": [run_view(run) for run in await _listed(context, "runs", where)]}
        newest = await context.reader.find("runs", where, order=("-state.cutoff", "-state.period", "-_id"), limit=last)
        return {"runs": [run_view(run) for _, run in newest]}

    @router.get("/invoices/{invoice_id}")
    async def one_invoice(invoice_id: str, request: Request) -> dict[str, Any]:
        """One invoice with its lines."""
        caller = await guard.caller(request)
        found = (await context.reader.states("invoices", [invoice_id])).get(invoice_id)
        if found is None or found.status is InvoiceStatus.UNKNOWN or not caller.may_read(found.regency):
            raise _not_found("invoice")
        return invoice_view(found)

    @router.get("/invoices")
    async def all_invoices(
        request: Request, regency: Regency | None = None, period: Period | None = None
    ) -> dict[str, Any]:
        """Invoices, by regency and period."""
        found = await _listed(context, "invoices", _where(await guard.caller(request), regency, period=period))
        return {"invoices": [invoice_view(one) for one in found if one.status is not InvoiceStatus.UNKNOWN]}

    @router.get("/budgets")
    async def all_budgets(request: Request, regency: Regency | None = None, year: int | None = None) -> dict[str, Any]:
        """Budgets with the committed and the remaining money."""
        found = await _listed(context, "budgets", _where(await guard.caller(request), regency, year=year))
        return {"budgets": [budget_view(one) for one in found if one.ceilings is not None]}

    @router.get("/plan")
    async def plan(
        request: Request,
        regency: Regency,
        period: Period,
        funding: Annotated[Funding, Query()] = "apbd-regency",
        cutoff: str | None = None,
    ) -> dict[str, Any]:
        """What a run would bill and cost now; changes nothing. Raises 422 with reasons when an argument is wrong."""
        await guard.reader(request, regency)
        asked = business_day(clock.now()) if cutoff is None else day_of(cutoff)
        day = asked.isoformat() if asked is not None else str(cutoff)
        return await _plan(context, regency, period, funding, day)

    whatif.add(router, guard, context)
    return router


async def _plan(context: Any, regency: str, period: str, funding: Funding, cutoff: str) -> dict[str, Any]:
    reference = context.reference
    wrong = [
        f"{Reason.FIELD_INVALID}:{name}"
        for name, right in (
            ("regency", reference.areas.is_regency(regency)),
            (
                "period",
                rules.has_premium(reference.rates, funding, period)
                and not rules.is_too_far_ahead(period, business_day(clock.now())),
            ),
            ("cutoff", parse_date(cutoff) is not None),
        )
        if not right
    ]
    if wrong:
        raise HTTPException(422, {"title": "The plan cannot be made", "status": 422, "reasons": wrong})
    key = rules.budget_key(regency, period, funding)
    budget: Budget | None = (await context.reader.states("budgets", [key])).get(key)
    free = budget.free if budget is not None else Accounts()
    number = (budget.runs.get(period, 0) if budget is not None else 0) + 1
    start = Run(
        run_id=rules.run_id(regency, period, funding, number),
        invoice_id=rules.invoice_id(regency, period, funding, number),
        regency=regency,
        period=period,
        funding=funding,
        cutoff=cutoff,
        left=free,
    )
    missing = budget is None or budget.ceilings is None
    missed = Reason.BUDGET_MISSING if missing else Reason.BUDGET_EXHAUSTED
    planned = await plans.plan(context.reader, reference, start, missed)
    end = planned.run
    needed = rules.drawn(end.lines) + end.short
    return {
        "regency": regency,
        "period": period,
        "funding": funding,
        "cutoff": cutoff,
        "reasons": [Reason.BUDGET_MISSING.value] if missing else [],
        "candidates": end.billed + end.missed,
        "needed": _accounts(needed),
        "billed_workers": end.billed,
        "total": rules.drawn(end.lines).total,
        "lines": _lines(end.lines),
        "not_billed": planned.by_reason,
        "left_out": _left_out(planned),
        "left_out_workers": [
            {"worker_id": one.worker_id, "district": one.district, "reason": one.reason, "total": one.cost.total}
            for one in planned.named
        ],
        "budget_left": _accounts(end.left),
    }


def _left_out(planned: plans.Plan) -> list[dict[str, Any]]:
    """By district and reason: how many workers, and the rupiah of two accounts that they would have cost."""
    return [
        {"district": district, "reason": reason, "workers": count, **_accounts(cost), "total": cost.total}
        for (district, reason), count in sorted(planned.counts.items())
        for cost in (planned.costs[district, reason],)
    ]


def _where(caller: Caller, regency: str | None, **wanted: Any) -> dict[str, Any]:
    """The filter for the requested documents, limited to this caller's regencies."""
    where = {f"state.{name}": value for name, value in wanted.items() if value is not None}
    regencies = caller.regencies(regency)
    if regencies is not None:
        where["state.regency"] = {"$in": regencies}
    return where


async def _listed(context: Any, collection: str, where: dict[str, Any]) -> list[Any]:
    found = await context.reader.find(collection, where, order=("_id",), limit=LIST_MAX)
    return [state for _, state in found]


def run_view(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "invoice_id": run.invoice_id if run.billed else None,
        "regency": run.regency,
        "period": run.period,
        "funding": run.funding,
        "cutoff": run.cutoff,
        "due_date": run.due_date,
        "status": run.status.value,
        "billed_workers": run.billed,
        "total": rules.drawn(run.lines).total,
        "lines": _lines(run.lines),
        "not_billed": _not_billed(run, run.not_eligible),
    }


def invoice_view(invoice: Invoice) -> dict[str, Any]:
    return {
        "invoice_id": invoice.invoice_id,
        "run_id": invoice.run_id,
        "status": invoice.status.value,
        "regency": invoice.regency,
        "period": invoice.period,
        "funding": invoice.funding,
        "workers": invoice.workers,
        "lines": _lines(invoice.lines),
        "total": invoice.total,
        "opened_on": invoice.opened_on,
        "due_date": invoice.due_date,
        "paid_on": invoice.paid_on,
        "reference": invoice.reference,
    }


def budget_view(budget: Budget) -> dict[str, Any]:
    """A budget as JSON; `reserved` is the money set aside for an open run."""
    ceilings = budget.ceilings or Accounts()
    return {
        "regency": budget.regency,
        "year": budget.year,
        "funding": budget.funding,
        **_accounts(ceilings),
        "committed": _accounts(budget.committed),
        "reserved": _accounts(budget.reserved),
        "left": _accounts(budget.free),
        "decree_no": budget.decree_no,
        "target_workers": budget.target_workers,
        "targets": dict(budget.targets),
        "open_runs": list(budget.queue),
    }


def _not_billed(run: Run, not_eligible: int) -> dict[str, int]:
    counts = {
        Reason.BUDGET_EXHAUSTED.value: run.missed,
        Reason.ALREADY_BILLED.value: run.already,
        Reason.NOT_ELIGIBLE.value: not_eligible,
        **run.barred,
    }
    return {reason: count for reason, count in counts.items() if count}


def _accounts(accounts: Accounts) -> dict[str, int]:
    return {"jkk": accounts.jkk, "jkm": accounts.jkm}


def _lines(lines: Sequence[PremiumLine]) -> list[dict[str, Any]]:
    return [line.model_dump() for line in lines]


def _not_found(what: str) -> HTTPException:
    return HTTPException(404, {"title": f"There is no such {what}", "status": 404})
