"""The reports on budgets, claims, data quality, duties, outreach and months, made from the store's tallies. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from services.reporting.domain import rules
from services.reporting.domain.state import Budget, ClaimStatus, Identity, Meeting
from shared.reference.areas import Areas

Row = dict[str, Any]
Tally = Sequence[Mapping[str, Any]]

STAGES = ("agenda", "penetapan", "persetujuan", "pembayaran", "selesai")
KINDS = ("jkk", "jkm", "scholarship")
REFUSED = "rejected"


def budget(budgets: Sequence[Budget], premiums: Tally, paid_invoices: frozenset[str]) -> tuple[list[Row], Row]:
    """Ceilings, the committed (billed) and absorbed (paid) money, and the rest; whole rupiah.

    `premiums` are rows of regency, year, funding, invoice_id, jkk, jkm. Premiums without a budget are shown, too.
    """
    rows: dict[tuple[str, int, str], Row] = {}
    for one in sorted(budgets, key=lambda item: (item.regency, item.year, item.funding)):
        row = _budget_row(rows, one.regency, one.year, one.funding)
        row.update(ceiling_jkk=one.jkk, ceiling_jkm=one.jkm, decree_no=one.decree_no)
    for tally in premiums:
        row = _budget_row(rows, tally["regency"], tally["year"], tally["funding"])
        for account in ("jkk", "jkm"):
            row[f"committed_{account}"] += tally[account]
            if tally["invoice_id"] in paid_invoices:
                row[f"absorbed_{account}"] += tally[account]
    listed = [_with_sums(rows[key]) for key in sorted(rows)]
    totals = _with_sums({name: sum(row[name] for row in listed) for name in _AMOUNTS})
    return listed, totals


_AMOUNTS = ("ceiling_jkk", "ceiling_jkm", "committed_jkk", "committed_jkm", "absorbed_jkk", "absorbed_jkm")


def _budget_row(rows: dict[tuple[str, int, str], Row], regency: str, year: int, funding: str) -> Row:
    fresh: Row = {"regency": regency, "year": year, "funding": funding, "decree_no": None, **dict.fromkeys(_AMOUNTS, 0)}
    return rows.setdefault((regency, year, funding), fresh)


def _with_sums(row: Row) -> Row:
    ceiling = row["ceiling_jkk"] + row["ceiling_jkm"]
    committed = row["committed_jkk"] + row["committed_jkm"]
    absorbed = row["absorbed_jkk"] + row["absorbed_jkm"]
    return {
        **row,
        "ceiling": ceiling,
        "committed": committed,
        "absorbed": absorbed,
        "left": ceiling - committed,
        "percent_committed": rules.percent(committed, ceiling),
        "percent": rules.percent(absorbed, ceiling),
    }


def claims(tally: Tally) -> tuple[list[Row], Row]:
    """Claims by kind and stage, from rows of kind, stage, status, count, total and paid; whole rupiah."""
    rows: dict[tuple[str, str], Row] = {}
    for one in tally:
        kind, stage = one["kind"] or rules.UNKNOWN, one["stage"]
        row = rows.setdefault((kind, stage), {"kind": kind, "stage": stage, **dict.fromkeys(_CLAIM_FIGURES, 0)})
        row["claims"] += one["count"]
        if one["status"] in (ClaimStatus.HELD, ClaimStatus.REJECTED):
            row[one["status"]] += one["count"]
        row["total"] += one["total"]
        row["paid"] += one["paid"]
    listed = [rows[key] for key in sorted(rows, key=_claim_order)]
    return listed, {name: sum(row[name] for row in listed) for name in _CLAIM_FIGURES}


_CLAIM_FIGURES = ("claims", "held", "rejected", "total", "paid")


def _claim_order(key: tuple[str, str]) -> tuple[int, str, int]:
    kind, stage = key
    return (
        KINDS.index(kind) if kind in KINDS else len(KINDS),
        kind,
        STAGES.index(stage) if stage in STAGES else len(STAGES),
    )


def quality(outcomes: Tally, reasons: Tally, refuted: Tally = ()) -> tuple[list[Row], Row]:
    """The results of each agency's rows. `score` is the share that was accepted and not refuted by the civil registry
    since.

    `outcomes` are rows of regency, agency, outcome and count. `refuted` are rows of regency, agency and count, of
    workers whose data the registry found wrong. `reasons` are rows of regency, agency, reasons and count, of both. A
    row has one outcome and may have several reasons.
    """
    rows: dict[tuple[str, str], Row] = {}
    for one in outcomes:
        row = _agency_row(rows, one["regency"], one["agency"])
        row["sent"] += one["count"]
        row["outcomes"][one["outcome"]] = row["outcomes"].get(one["outcome"], 0) + one["count"]
        row["rejected" if one["outcome"] == REFUSED else "accepted"] += one["count"]
    for one in reasons:
        row = _agency_row(rows, one["regency"], one["agency"])
        row["reasons"][one["reasons"]] = row["reasons"].get(one["reasons"], 0) + one["count"]
    for one in refuted:
        _agency_row(rows, one["regency"], one["agency"])["refuted"] += one["count"]
    listed = [_scored(rows[key]) for key in sorted(rows)]
    totals: Row = {name: sum(row[name] for row in listed) for name in ("sent", "accepted", "rejected", "refuted")}
    totals["outcomes"] = _added([row["outcomes"] for row in listed])
    totals["reasons"] = _added([row["reasons"] for row in listed])
    return listed, _scored(totals)


def _agency_row(rows: dict[tuple[str, str], Row], regency: str, agency: str) -> Row:
    fresh: Row = {"regency": regency, "agency": agency, "name": f"{regency}/{agency}"}
    fresh.update(sent=0, accepted=0, rejected=0, refuted=0, outcomes={}, reasons={})
    return rows.setdefault((regency, agency), fresh)


def _scored(row: Row) -> Row:
    commonest = sorted(row["reasons"].items(), key=lambda item: (-item[1], item[0]))
    return {
        **row,
        "outcomes": dict(sorted(row["outcomes"].items())),
        "reasons": dict(commonest),
        "score": rules.share(max(0, row["accepted"] - row["refuted"]), row["sent"]),
    }


def _added(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for one in counts:
        for code, count in one.items():
            added[code] = added.get(code, 0) + count
    return added


def months(runs: Tally, invoices: Tally) -> list[Row]:
    """Workers billed (from completed runs) and covered (from paid invoices), month by month."""
    rows: dict[str, Row] = {}
    for tally, source, figure in ((runs, "billed_workers", "billed"), (invoices, "workers", "covered")):
        for one in tally:
            row = rows.setdefault(one["period"], {"period": one["period"], "billed": 0, "covered": 0})
            row[figure] += one[source]
    return [rows[period] for period in sorted(rows)]


def compliance(findings: Tally, projects: Tally) -> tuple[list[Row], Row]:
    """Employers and contractors with duties not kept; the most open findings first.

    `findings` are rows of regency, employer, name, kind, status and count; `projects` of regency, contractor, late and
    count.
    """
    rows: dict[tuple[str, str], Row] = {}
    for one in findings:
        row = _employer_row(rows, one["regency"], one["employer"], one["name"])
        row[one["status"]] += one["count"]
        row["kinds"][one["kind"]] = row["kinds"].get(one["kind"], 0) + one["count"]
    for one in projects:
        row = _employer_row(rows, one["regency"], one["contractor"], one["contractor"])
        row["projects"] += one["count"]
        row["projects_late"] += one["count"] if one["late"] else 0
    listed = sorted(rows.values(), key=lambda row: (-row["open"], row["regency"], row["employer"]))
    totals: Row = {name: sum(row[name] for row in listed) for name in _DUTIES}
    totals.update(employers=len(listed), noncompliant=sum(row["open"] > 0 for row in listed))
    totals["kinds"] = _added([row["kinds"] for row in listed])
    return listed, totals


_DUTIES = ("open", "explained", "cured", "projects", "projects_late")


def _employer_row(rows: dict[tuple[str, str], Row], regency: str, employer: str, name: str) -> Row:
    fresh: Row = {"employer": employer, "name": name, "regency": regency, **dict.fromkeys(_DUTIES, 0), "kinds": {}}
    return rows.setdefault((regency, employer), fresh)


FOLLOWED_WITHIN_DAYS = 30


def outreach(meetings: Sequence[Meeting], registrations: Tally) -> tuple[list[Row], Row]:
    """Meetings with the registrations of their village and sector within thirty days from the day of the meeting.

    `registrations` are rows of village, sector, since (a day) and count. Two meetings may count the same registration:
    a row says what followed a meeting, not what it caused.
    """
    rows: list[Row] = []
    for one in meetings:
        last = (date.fromisoformat(one.held_on) + timedelta(days=FOLLOWED_WITHIN_DAYS)).isoformat()
        followed = sum(
            tally["count"]
            for tally in registrations
            if (tally["village"], tally["sector"]) == (one.village, one.sector)
            and one.held_on <= (tally["since"] or "") <= last
        )
        rows.append(
            {
                "meeting": one.meeting_id,
                "regency": one.regency,
                "village": one.village,
                "sector": one.sector,
                "agency": one.agency,
                "held_on": one.held_on,
                "state": "planned" if one.attendees is None else "held",
                "attendees": one.attendees or 0,
                "registered_within_30_days": 0 if one.attendees is None else followed,
            }
        )
    totals: Row = {
        "meetings": len(rows),
        "held": sum(row["state"] == "held" for row in rows),
        "attendees": sum(row["attendees"] for row in rows),
    }
    return rows, totals


# A register learns of a death weeks late, so the month of its report and the two before it count.
INSURED_MONTHS = 3


def deaths(
    died: Mapping[str, Identity], insured: Collection[str], claimed: Collection[str | None], areas: Areas
) -> tuple[list[Row], Row]:
    """Insured workers who died, by district, and for how many of them no death was claimed.

    `died` are dead workers' verdicts by worker; `insured` and `claimed` are worker ids.
    """
    rows: dict[str, Row] = {}
    for worker in sorted(set(died) & set(insured)):
        area = died[worker].district
        fresh: Row = {"area": area, "name": areas.name(area) or area, **dict.fromkeys(_DEATHS, 0)}
        row = rows.setdefault(area, fresh)
        row["deaths"] += 1
        row["claimed" if worker in claimed else "unclaimed"] += 1
    listed = sorted(rows.values(), key=lambda row: (-row["unclaimed"], row["area"]))
    return listed, {name: sum(row[name] for row in listed) for name in _DEATHS}


_DEATHS = ("deaths", "claimed", "unclaimed")
