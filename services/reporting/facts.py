"""What reporting reads from its own store: tallies for the reports. `decide` itself needs only its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.reporting.domain import coverage, history, reports, rules, warnings, wording
from services.reporting.domain.coverage import GroupBy
from services.reporting.domain.state import ClaimStatus, Identity, VerdictStatus
from services.reporting.settings import Settings
from shared.contracts.base import SECTORS
from shared.kernel.calendar import shift_period
from shared.kernel.event import Event, Routed
from shared.reference import areas
from shared.reference.areas import Areas
from shared.runtime.ports import Reader, Where

Row = dict[str, Any]

# A filter that every document matches. It lets the store count from an index that starts with this field.
ANY: Where = {"$gt": ""}
ANY_YEAR: Where = {"$gt": 0}
BUDGETS_MAX = 1_000
WARNINGS_MAX = 20_000
MEETINGS_MAX = 1_000
DEATHS_MAX = 20_000
COLLECTIONS = ("registrations", "identities", "premiums", "answers")
SMALL_COLLECTIONS = (
    "invoices",
    "runs",
    "budgets",
    "claims",
    "exhaustions",
    "risks",
    "findings",
    "projects",
    "meetings",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """Data that is loaded once at start."""

    areas: Areas
    settings: Settings


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a report. A field that is None does not restrict."""

    regency: str | None = None
    by: GroupBy = "district"
    period: str | None = None


@dataclass(frozen=True, slots=True)
class ReportRows:
    """A report's rows with their totals, and the filters after defaults were filled in."""

    key: str
    filters: Row
    rows: Sequence[Row]
    totals: Row


async def load_reference(reader: Reader, environ: Mapping[str, str]) -> Reference:
    """The shipped areas, and the settings."""
    return Reference(areas.load(), Settings.from_environment(environ))


async def facts(reader: Reader, routed: Sequence[tuple[Routed, Event]], reference: Reference) -> None:
    """Returns nothing: the events need only their document."""
    return


async def as_of(reader: Reader) -> str | None:
    """When the last counted event happened, RFC 3339 in WITA; None when there was none."""
    latest = [
        await reader.find(collection, {}, order=("-state.at",), limit=1)
        for collection in (*COLLECTIONS, *SMALL_COLLECTIONS)
    ]
    return max((state.at for found in latest for _, state in found), default=None)


async def default_period(reader: Reader, regency: str | None, this_month: str) -> str | None:
    """The latest paid month that is not after this one; if nothing is paid the latest billed one; else the month of the
    last event.
    """
    where: Where = {**({"state.regency": regency} if regency else {}), "state.period": {"$lte": this_month}}
    for collection in ("invoices", "premiums"):
        # Sorted by period: without a regency in the filter the index on periods answers with one look.
        found = await reader.find(collection, where, order=("-state.period",), limit=1)
        for _, state in found:
            return str(state.period)
    latest = await as_of(reader)
    return min(latest[:7], this_month) if latest else None


async def read_coverage(reader: Reader, known: Areas, ask: Filters, this_month: str) -> ReportRows:
    """Counts by group, inside the store. A past month shows what was known at its end; `this_month` and later ones show
    what is known now.
    """
    period = ask.period or await default_period(reader, ask.regency, this_month)
    tallies = await _tallies(reader, Filters(ask.regency, ask.by, period), this_month)
    groups = _groups(known, ask, tallies)
    rows, totals = coverage.assemble(
        ask.by, period, tallies, groups, lambda code: known.name(code) or wording.name(code, "id")
    )
    filters = {"regency": ask.regency, "by": ask.by, "period": period}
    return ReportRows(coverage.key_of(ask.by), filters, rows, totals)


async def read_areas(reader: Reader, known: Areas, period: str, this_month: str) -> list[Row]:
    """The rows of every district and regency that has any data, from one count by district."""
    by_district = await _tallies(reader, Filters(None, "district", period), this_month)
    found: list[Row] = []
    views: tuple[tuple[GroupBy, coverage.Tallies], ...] = (
        ("district", by_district),
        ("regency", coverage.by_regency(by_district)),
    )
    for by, tallies in views:
        groups = _groups(known, Filters(None, by, period), tallies)
        found.extend(coverage.assemble(by, period, tallies, groups, lambda code: known.name(code) or code)[0])
    return found


class _Month(NamedTuple):
    """The sums of a month, and how many premiums it had then."""

    premiums: int
    rows: list[Row]


class Ledger:
    """Sums of premiums by invoice, month by month.

    Premiums are only inserted. A month that holds as many as when it was summed is therefore unchanged, and only grown
    months are read again.
    """

    def __init__(self) -> None:
        self._months: dict[str, _Month] = {}

    async def premiums(self, reader: Reader, year: int | None) -> list[Row]:
        """Rows of regency, year, funding, invoice_id, jkk, jkm; of one year or of all."""
        rows: list[Row] = []
        after = f"{year - 1}-99" if year else ""
        while found := await reader.find(
            "premiums", {"state.period": {"$gt": after}}, order=("state.period",), limit=1
        ):
            ((_, premium),) = found
            after = premium.period
            if year and int(after[:4]) != year:
                break
            rows.extend(await self._month(reader, after))
        return rows

    async def _month(self, reader: Reader, period: str) -> list[Row]:
        where: Where = {"state.period": period}
        # Counted before the sum: a premium that arrives in between makes the next count differ, so it is never missed.
        count = await reader.count("premiums", where)
        known = self._months.get(period)
        if known is not None and known.premiums == count:
            return known.rows
        by = ["state.regency", "state.funding", "state.invoice_id"]
        rows = await reader.tally("premiums", where, by, sums=["state.jkk", "state.jkm"])
        rows = [{**row, "year": int(period[:4])} for row in rows]
        self._months[period] = _Month(count, rows)
        return rows


async def read_budget(reader: Reader, ledger: Ledger, ask: Filters) -> ReportRows:
    """Budgets of the requested period's year, or of all years."""
    year = int(ask.period[:4]) if ask.period else None
    premiums = [row for row in await ledger.premiums(reader, year) if ask.regency in (None, row["regency"])]
    paid = await _paid_invoices(reader, {"state.regency": ask.regency or ANY})
    rows, totals = reports.budget(await _budgets(reader, ask.regency, year), premiums, paid)
    return ReportRows("funding", {"regency": ask.regency, "period": ask.period}, rows, totals)


async def read_claims(reader: Reader, ask: Filters) -> ReportRows:
    by = ["state.kind", "state.stage", "state.status"]
    where: Where = {"state.regency": ask.regency or ANY}
    rows, totals = reports.claims(await reader.tally("claims", where, by, sums=["state.total", "state.paid"]))
    return ReportRows("kind", {"regency": ask.regency}, rows, totals)


async def read_quality(reader: Reader, ask: Filters) -> ReportRows:
    where: Where = {"state.regency": ask.regency or ANY}
    agency = ["state.regency", "state.agency"]
    outcomes = await reader.tally("answers", where, [*agency, "state.outcome"])
    refused = {**where, "state.outcome": reports.REFUSED}
    reasons = await reader.tally("answers", refused, [*agency, "state.reasons[]"])
    wrong = {**where, "state.refuted": True}
    refuted = await reader.tally("settlements", wrong, agency)
    found = await reader.tally("settlements", wrong, [*agency, "state.reasons[]"])
    rows, totals = reports.quality(outcomes, [*reasons, *found], refuted)
    return ReportRows("agency", {"regency": ask.regency}, rows, totals)


async def read_compliance(reader: Reader, ask: Filters) -> ReportRows:
    """Employers' duties and contractors' projects."""
    where: Where = {"state.regency": ask.regency or ANY}
    by = ["state.regency", "state.employer", "state.name", "state.kind", "state.status"]
    findings = await reader.tally("findings", where, by)
    projects = await reader.tally("projects", where, ["state.regency", "state.contractor", "state.late"])
    rows, totals = reports.compliance(findings, projects)
    return ReportRows("employer", {"regency": ask.regency}, rows, totals)


async def read_outreach(reader: Reader, ask: Filters) -> ReportRows:
    """Meetings, the latest first, with the registrations that followed."""
    where: Where = {"state.regency": ask.regency or ANY}
    order = ("state.regency", "-state.held_on")
    meetings = [state for _, state in await reader.find("meetings", where, order=order, limit=MEETINGS_MAX)]
    registrations: list[Row] = []
    if meetings:
        villages = {"state.village": {"$in": sorted({one.village for one in meetings})}}
        since = {"state.since": {"$gte": min(one.held_on for one in meetings)}}
        by = ["state.village", "state.sector", "state.since"]
        registrations = await reader.tally("registrations", {**where, **villages, **since}, by)
    rows, totals = reports.outreach(meetings, registrations)
    return ReportRows("meeting", {"regency": ask.regency}, rows, totals)


async def read_deaths(reader: Reader, known: Areas, ask: Filters) -> ReportRows:
    """Insured workers who died, and for how many of them no death was claimed."""
    where: Where = {
        "state.regency": ask.regency or ANY,
        "state.status": {"$in": [VerdictStatus.REJECTED.value, VerdictStatus.ENDED.value]},
        "state.deceased_on": ANY,
    }
    died: dict[str, Identity] = dict(await reader.find("identities", where, order=("_id",), limit=DEATHS_MAX))
    months = {
        f"{worker}|{shift_period(one.deceased_on[:7], -back)}": worker
        for worker, one in died.items()
        if one.deceased_on is not None
        for back in range(reports.INSURED_MONTHS)
    }
    billed = await reader.find("premiums", {"_id": {"$in": sorted(months)}}, limit=len(months) + 1)
    of_death: Where = {"state.regency": ask.regency or ANY, "state.kind": {"$in": ["jkm", "jkk"]}}
    claims = await reader.find("claims", of_death, order=("_id",), limit=DEATHS_MAX)
    insured = {months[key] for key, _ in billed}
    claimed = {one.worker_id for _, one in claims if one.status != ClaimStatus.REJECTED}
    rows, totals = reports.deaths(died, insured, claimed, known)
    return ReportRows("area", {"regency": ask.regency}, rows, totals)


async def read_months(reader: Reader, regency: str | None) -> list[Row]:
    """Billed and covered workers by month, the earliest first."""
    where: Where = {"state.regency": regency or ANY}
    runs = await reader.tally("runs", where, ["state.period"], sums=["state.billed_workers"])
    invoices = await reader.tally("invoices", where, ["state.period"], sums=["state.workers"])
    return reports.months(runs, invoices)


async def read_warnings(reader: Reader, regency: str | None) -> list[Row]:
    """What puts cover at risk now, of any month: rows of kind, regency, period, workers and further known figures."""
    where: Where = {"state.regency": regency or ANY}
    risks = await _all(reader, "risks", where)
    late = [one for one in risks if one.invoice_id is not None]
    paid = await reader.states("invoices", [one.invoice_id for one in late])
    return warnings.still_open(
        late, frozenset(paid), await _all(reader, "runs", where), await _all(reader, "exhaustions", where)
    )


async def _all(reader: Reader, collection: str, where: Where) -> list[Any]:
    return [state for _, state in await reader.find(collection, where, order=("_id",), limit=WARNINGS_MAX)]


async def _tallies(reader: Reader, ask: Filters, this_month: str) -> coverage.Tallies:
    """The tallies for a coverage report of this grouping. Without a period no premium is counted."""
    regency: Any = ask.regency or ANY
    field = coverage.field_of(ask.by)
    of_period = {"state.period": ask.period or "", "state.regency": regency}
    over = ask.period if ask.period is not None and ask.period < this_month else None
    budgets = await _budgets(reader, ask.regency, int(ask.period[:4]) if ask.period else None)
    return coverage.Tallies(
        registrations=await _known(reader, "registrations", {"state.active": True}, regency, [field], over),
        identities=await _known(reader, "identities", {}, regency, [field, "status"], over),
        premiums=await reader.tally("premiums", of_period, [f"state.{field}", "state.invoice_id"]),
        paid_invoices=await _paid_invoices(reader, of_period),
        budgets=history.budgets_known(budgets, over) if over else budgets,
    )


async def _known(
    reader: Reader, collection: str, counted: Where, regency: Any, by: Sequence[str], month: str | None
) -> list[Row]:
    """Workers by group, as they stood at the end of a past month, or as they stand now."""
    where: Where = {"state.regency": regency, **counted}
    groups = [f"state.{name}" for name in by]
    if month is None:
        return await reader.tally(collection, where, groups)
    # `at` is RFC 3339 in WITA: it sorts as text, and a month sorts before all of its days.
    later = shift_period(month, 1)
    stood = await reader.tally(collection, {**where, "state.at": {"$lt": later}}, groups)
    # Workers who changed since then count by their state at that time, which may have been in another regency.
    replaced: Where = {
        "state.regency": ANY,
        "state.at": {"$gte": later},
        "state.past[].month": {"$lte": month},
        "state.past[].until": {"$gt": month},
        "state.past[].regency": regency,
    }
    return [*stood, *await reader.tally(collection, replaced, [f"state.past[].{name}" for name in by])]


async def _paid_invoices(reader: Reader, where: Where) -> frozenset[str]:
    return frozenset(row["invoice_id"] for row in await reader.tally("invoices", where, ["state.invoice_id"]))


async def _budgets(reader: Reader, regency: str | None, year: int | None) -> list[Any]:
    where = {"state.regency": regency or ANY, "state.year": year or ANY_YEAR}
    return [state for _, state in await reader.find("budgets", where, limit=BUDGETS_MAX)]


def _groups(known: Areas, ask: Filters, tallies: coverage.Tallies) -> list[str]:
    """Every group that the report names, also empty ones: a village without workers is important to see."""
    if ask.by == "sector":
        return list(SECTORS)
    if ask.by == "sex":
        return list(rules.SEXES)
    if ask.by == "age":
        return list(rules.AGES)
    regencies = [ask.regency] if ask.regency else sorted(_regencies_seen(known, ask.by, tallies))
    if ask.by == "regency":
        return regencies
    districts = [district for regency in regencies for district in known.districts(regency)]
    if ask.by == "district":
        return districts
    return [village.code for district in districts for village in known.villages(district)]


def _regencies_seen(known: Areas, by: GroupBy, tallies: coverage.Tallies) -> set[str]:
    rows = (*tallies.registrations, *tallies.identities, *tallies.premiums)
    seen = {known.regency_of(str(row[by])) for row in rows if row[by] is not None}
    return {code for code in seen if code} | {budget.regency for budget in tallies.budgets}
