"""Workers who are verified and still not billed for a month: too young or too old on its first day, or verified too
long ago.
"""

from __future__ import annotations

from typing import Any

import pytest

from services.billing import documents
from services.billing.domain import eligibility
from services.billing.domain.state import Enrolment
from tests.property.billing_world import CIPHER, World
from tests.unit.billing.test_billing_runs import bill, billed, on, verdict, with_budget


def worker(born: str, verified: str = "2026-01-10", valid_until: str = "2027-01-10") -> Enrolment:
    """A worker verified on a day."""
    return Enrolment(regency="64.08", birth_month=born, place=f"{verified}|w", valid_until=valid_until)


@pytest.mark.parametrize(
    ("born", "period", "expected"),
    [
        # Born in July 2008: 17 on 1 July 2026, 18 on 1 August.
        ("2008-07", "2026-06", "too-young"),
        ("2008-07", "2026-07", "too-young"),
        ("2008-07", "2026-08", None),
        # Eight years old in 2016.
        ("2008-01", "2016-03", "too-young"),
        ("2020-01", "2016-03", "too-young"),
        # Born in July 1961: 64 on 1 July 2026, 65 on 1 August.
        ("1961-07", "2026-07", None),
        ("1961-07", "2026-08", "too-old"),
        ("1930-01", "2026-08", "too-old"),
        ("1985-07", "2026-08", None),
        # Verified as a child, by whatever policy.
        ("2018-01", "2026-08", "too-young"),
    ],
)
def test_of_age_on_the_first_day_of_the_period(born: str, period: str, expected: str | None) -> None:
    one = worker(born, verified="2026-07-20", valid_until="2030-01-01")
    assert eligibility.barred(one, eligibility.month(period)) == expected


@pytest.mark.parametrize(
    ("valid_until", "period", "expected"),
    [
        # The day before the identity must be verified again.
        ("2026-07-01", "2026-06", None),
        ("2026-07-01", "2026-07", "verification-expired"),
        ("2026-07-02", "2026-07", None),
        ("2026-07-31", "2026-08", "verification-expired"),
        ("", "2026-08", None),
    ],
)
def test_a_worker_is_billed_as_long_as_the_verdict_is_valid(
    valid_until: str, period: str, expected: str | None
) -> None:
    assert eligibility.barred(worker("1985-07", valid_until=valid_until), eligibility.month(period)) == expected


@pytest.mark.parametrize(
    ("born", "verified", "period", "expected"),
    [
        # Verified at 17: the regency's own policy accepts workers from 17 on.
        ("2008-12", "2026-03-05", "2026-03", None),
        ("2008-12", "2026-03-05", "2026-01", None),
        ("2008-12", "2026-03-05", "2025-12", "too-young"),
        # Verified at 66, or at 15: no policy allows that.
        ("1960-01", "2026-03-05", "2026-04", "too-old"),
        ("2011-01", "2026-03-05", "2026-04", "too-young"),
    ],
)
def test_a_worker_verified_at_17_is_billed(born: str, verified: str, period: str, expected: str | None) -> None:
    one = worker(born, verified, valid_until="2027-03-05")
    assert eligibility.barred(one, eligibility.month(period)) == expected


def test_a_run_counts_each_reason_and_bills_the_others() -> None:
    world = with_budget(20_000, 13_600)
    verdict(world, "a", birth_month="2010-01")
    verdict(world, "b", birth_month="1950-01", valid_until="2030-01-01")
    verdict(world, "c", valid_until="2026-01-31")
    for one in "def":
        verdict(world, one)
    on(world, "2026-01-11")
    verdict(world, "g", birth_month="1950-01", valid_until="2030-01-01")
    verdict(world, "h", "held", "2026-01-11")
    verdict(world, "i")
    verdict(world, "i", "ended", "2025-12-31", 2)
    done = bill(world, "2026-02")
    assert billed(world) == ["d", "e"]
    assert done["not_billed"] == {
        "budget-exhausted": 1,
        "not-eligible": 1,
        "too-old": 2,
        "too-young": 1,
        "verification-expired": 1,
    }


def test_a_birthday_ends_billing() -> None:
    world = with_budget()
    verdict(world, "a", birth_month="1961-02", valid_until="2030-01-01")
    results = [bill(world, period) for period in ("2026-02", "2026-03")]
    assert [(one["billed_workers"], one["not_billed"]) for one in results] == [(1, {}), (0, {"too-old": 1})]


def test_the_counts_are_right_when_a_run_continues_after_its_stop() -> None:
    """Two funders bill the same month: the second gets money back and continues where it stopped."""
    world = World(step_workers=2, polite=False)
    for name, born in (("a", "1990-01"), ("b", "2012-01"), ("c", "1990-01"), ("d", "2012-01"), ("e", "1990-01")):
        verdict(world, name, birth_month=born)
    for funding, jkk, jkm in (("apbd-regency", 20_000, 13_600), ("csr", 20_000, 13_600)):
        order = {"regency": "64.08", "year": 2026, "funding": funding, "jkk": jkk, "jkm": jkm}
        world.command("budget.set.v1", {**order, "decree_no": "SK", "target_workers": 5})
    world.settle_all()
    for funding in ("apbd-regency", "csr"):
        world.command("billing.run.v1", {"regency": "64.08", "period": "2026-01", "funding": funding})
    world.settle_all(batch=2)
    for done in world.of_type("billing.run-completed.v1"):
        assert done["not_billed"]["too-young"] == 2
        assert done["billed_workers"] + sum(done["not_billed"].values()) == 5
    assert sorted(billed(world)) == ["a", "c", "e"]


def test_an_enrolment_of_an_older_release_is_read_and_used() -> None:
    world = with_budget()
    verdict(world, "a")
    world.settle_all()
    codec = documents.STORED["enrolments"]
    body: dict[str, Any] = codec.encode(world.state("enrolments", "a"), CIPHER)
    for name in ("verdicts", "valid_until"):
        del body[name]
    body |= {"registration_version": 1, "sequence": 4}
    old = codec.decode(body, CIPHER)
    assert (old.place, old.until, old.valid_until) == ("2026-01-10|a", "9999-12", "")
    assert eligibility.barred(old, eligibility.month("2026-08")) is None
    for kept in (kept for at, kept in world.reader.kept.items() if at.collection == "enrolments"):
        kept.body = body
    on(world, "2026-03-01")
    verdict(world, "a", version=1)
    verdict(world, "a", version=2)
    world.settle_all()
    new = world.state("enrolments", "a")
    assert (new.place, new.valid_until) == ("2026-01-10|a", "2027-01-01")
    assert [one.registration_version for one in new.verdicts] == [1, 2]
