"""Every number of the table of rates changes a decision, or is listed here as waiting for an issue."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from payung import rates as files
from payung.installations import CommandError
from services.billing.domain import rules as billing
from services.claims.domain import assessments
from services.claims.domain.assessments import AssessmentInput
from services.claims.domain.state import (
    Child,
    Claimant,
    ClaimForm,
    Cover,
    CoverHistory,
    Entitlement,
    PaidEvent,
    RunsKnown,
)
from services.registration.compliance.domain import projects
from services.registration.workers.domain import lifecycle
from shared.contracts.base import Funding
from shared.kernel.calendar import shift_period
from shared.reference import policies, rates
from shared.reference.rates import Rates
from shared.runtime.store import editions
from tests.property.claims_world import SCHOOL_DOCUMENTS, World, child, death

RATES, BRACKETS = rates.texts()
SHIPPED = rates.load()
# The issue that will read each waiting number. A row leaves this list together with the code that reads it.
WAITING = {
    "16 (billing: old age, construction)": {
        "bpu.jht.rate",
        *(f"construction.slice{number}.{what}" for number in range(1, 5) for what in ("top", "jkk", "jkm")),
        *(f"construction.slice5.{what}" for what in ("jkk", "jkm")),
    },
    "17 (claims: aids, care at home, report in time)": {
        *(f"jkk.{what}" for what in ("home_care", "dentures", "hearing_aid", "glasses", "report_hours")),
    },
}


def altered(key: str, change: Callable[[Fraction], Fraction]) -> str:
    """The table with every row of a key changed."""
    rows = list(csv.DictReader(RATES.splitlines()))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        value = change(Fraction(row["value"])) if row["key"] == key else Fraction(row["value"])
        writer.writerow({**row, "value": str(value)})
    return out.getvalue()


def premiums(table: Rates) -> list[Any]:
    """Billing: prices of who pays, what trade and which month."""
    payers: tuple[Funding, ...] = ("apbd-regency", "self")
    months = ("2020-09", "2026-05")
    return [
        billing.price_of(table, funding, 1_000_000, sector, month)
        for funding in payers
        for sector in ("transport", "trade")
        for month in months
    ]


def _form(event_date: str, **changed: Any) -> ClaimForm:
    said: dict[str, Any] = {"kind": "jkm", "cause": "illness", "outcome": "death"}
    about = {"worker_id": "w", "documents": (), "claimant": Claimant("A", "spouse", "1")}
    return ClaimForm(event_date=event_date, **{**about, **said, **changed})


def _child(name: str, level: str = "sd", year: str = "2025/2026", born: str = "2008-01-01") -> Child:
    return Child(name, name, born, level, year)


def _years(level: str) -> tuple[Child, ...]:
    """So many school years of one child at one level that no law pays for all of them."""
    return tuple(_child("one", level, f"{year}/{year + 1}") for year in range(2024, 2032))


def _standing(last: str, months: int, unpaid: int = 0, paid_on: str = "") -> CoverHistory:
    """Covered for this many months up to this one; the earliest `unpaid` of them are not paid."""
    covers, paid = {}, {}
    for back in range(months):
        month = shift_period(last, -back)
        covers[month] = Cover("64.08", "64.08.04", "F", "apbd-regency", 1_000_000, month, month)
        if back < months - unpaid:
            paid[month] = paid_on or f"{month}-01"
    return CoverHistory(covers, paid, RunsKnown.FULLY)


def _accident(outcome: str, event_date: str = "2026-04-20", **more: Any) -> ClaimForm:
    return _form(event_date, kind="jkk", cause="accident", outcome=outcome, **more)


LONG, SHORT = _standing("2026-04", 40), _standing("2026-04", 3)
LEVELS = tuple(_child(level, level) for level in ("tk", "sd", "smp", "sma", "higher"))
CLAIMS: tuple[tuple[ClaimForm, CoverHistory, str], ...] = (
    (_form("2026-04-20"), SHORT, "2026-05-01"),
    (_form("2026-04-20"), _standing("2026-04", 2), "2026-05-01"),
    (_form("2026-04-20"), _standing("2026-04", 4, unpaid=2), "2026-05-01"),
    (_form("2026-04-20"), _standing("2026-04", 4, unpaid=3), "2026-05-01"),
    (_form("2019-04-20"), _standing("2019-04", 3), "2019-05-01"),
    (_accident("death", "2019-04-20", children=LEVELS), _standing("2019-04", 3), "2019-05-01"),
    (_form("2026-04-20", children=(_child("grown", born="2003-06-01"),)), _standing("2026-04", 36), "2026-05-01"),
    *((_form("2026-04-20", children=(one,)), LONG, "2026-05-01") for one in LEVELS),
    (_form("2026-04-20", children=LEVELS), LONG, "2026-05-01"),
    (_form("2026-04-20", kind="scholarship", children=(_child("x", year="2023/2024"),)), LONG, "2026-05-01"),
    (_accident("death"), SHORT, "2026-05-01"),
    (_accident("total"), SHORT, "2026-05-01"),
    (_accident("partial", loss_percent="10"), SHORT, "2026-05-01"),
    (_accident("temporary", days_off_work=400, transport=(10**8,) * 3), SHORT, "2027-06-01"),
    *(
        (_form("2026-04-20", children=_years(level)), LONG, "2026-05-01")
        for level in ("tk", "sd", "smp", "sma", "higher")
    ),
    (_accident("death"), SHORT, "2031-04-20"),
)


def verdicts(table: Rates) -> list[Any]:
    """Claims: the outcomes of some claims, and the rules that they name."""
    others = Entitlement(paid={"a death": PaidEvent("jkm", "death", "2026-04-20")})
    return [
        assessments.judge(
            AssessmentInput(
                rates=table,
                form=form,
                regency="64.08",
                submitted_on=submitted,
                first_on=submitted,
                today=submitted,
                standing=standing,
                others=others,
            )
        )
        for form, standing, submitted in CLAIMS
    ]


def terms(table: Rates) -> list[Any]:
    """Registration: the days by which a construction project, and a change of it, must be reported."""
    day = date(2026, 3, 2)
    return [projects._due(table, f"construction.{what}_days", day) for what in ("register", "change")]


def test_unread_rates_are_listed_with_the_issue_that_reads_them() -> None:
    assert set().union(*WAITING.values()) == rates.WAITING
    assert SHIPPED.numbers >= rates.WAITING


@pytest.mark.parametrize("key", sorted(SHIPPED.numbers - rates.WAITING))
def test_a_change_of_the_table_changes_a_decision(key: str) -> None:
    changes: tuple[Callable[[Fraction], Fraction], ...] = (lambda value: value * 2, lambda value: value / 2)
    if SHIPPED.says(key) and all(value.denominator == 1 and value < 100 for value, _, _ in SHIPPED.says(key)):
        changes = (lambda value: value + 1, lambda value: value - 1)
    seen = 0
    for change in changes:
        try:
            table = rates.parse(altered(key, change), BRACKETS)
        except ValueError:
            # The printed premiums are no longer this share of their bases: the whole table is refused.
            seen += key == "bpu.jkk.rate"
            continue
        seen += any(judge(table) != judge(SHIPPED) for judge in (premiums, verdicts, terms))
    assert seen


@pytest.mark.parametrize("key", sorted(rates.WAITING))
def test_a_table_that_changes_unread_rows_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "tarif.csv"
    path.write_text(altered(key, lambda value: value + 1), "utf-8")
    with pytest.raises(CommandError, match=f"{key}: not used yet"):
        files.read(path, (RATES, BRACKETS))


def test_a_table_that_names_an_unknown_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tarif.csv"
    key, rest = RATES.splitlines()[-1].split(",", 1)
    assert key in SHIPPED.numbers
    path.write_text(f"{RATES}jkm.bonus,{rest}\n", "utf-8")
    with pytest.raises(CommandError, match=r"no decision reads jkm\.bonus"):
        files.read(path, (RATES, BRACKETS))


def test_the_age_at_which_cover_ends_stands_in_the_policy_alone() -> None:
    assert policies.shipped()["age_max_exclusive"] == lifecycle.SUBSIDY_ENDS_AT_AGE
    assert not any(key.startswith("age.") for key in SHIPPED.keys)


@pytest.mark.parametrize(("most", "paid"), [(1, 1), (2, 2), (3, 3)])
async def test_a_law_for_more_children_pays_them_and_the_death(most: int, paid: int) -> None:
    """Another number of children once made the check refuse the whole claim."""
    world = World()
    table = altered("scholarship.children_max", lambda _: Fraction(most))
    assert await editions.save(world.store, (table, BRACKETS))
    world.cover(*(shift_period("2026-04", -back) for back in range(36)))
    children = [child(name) for name in ("ANI", "BUDI", "CICI", "DEDI")]
    details = {"outcome": "death", "children": children}
    world.submit(death(details=details, documents=[*death()["documents"], *SCHOOL_DOCUMENTS]))
    await world.settle()
    assert world.kinds()[-1] == "paid"
    assert world.bank.total == 42_000_000 + paid * 1_500_000
