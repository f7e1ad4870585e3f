"""Schedules new checks as time passes: at the 65th birthday and for the yearly re-verification, as due work. Pure.

Both end in the same step: registration asks for a new check, and verification judges by the day of that request.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.kernel.calendar import WITA, business_day, parse_date, years_later
from shared.kernel.decision import Due
from shared.reference import policies

RECHECK = "recheck"
# The age limit of the shipped policy: the subsidy ends on that birthday, in WITA. When a regency's own policy ends it
# earlier, the verdict's `valid_until` carries the earlier day.
SUBSIDY_ENDS_AT_AGE: int = policies.shipped()["age_max_exclusive"]
# A verdict is renewed two to four weeks before it lapses, so that a slow register interrupts no cover. The days are
# spread by worker: a regency that was verified in one day must not be rechecked in one day.
LEAD_DAYS = 14
SPREAD_DAYS = 14


def due_of(worker_id: str, worker: Worker) -> Due | None:
    """The next moment at which a verified or held worker must be checked again."""
    verdict = worker.verdict
    if verdict is None or worker.status not in (WorkerStatus.VERIFIED, WorkerStatus.HELD):
        return None
    given = parse_date(verdict.given_on)
    if given is None:
        return None
    coming = (_birthday(worker, _asked_on(worker, given)), _renewal(worker_id, worker, verdict.valid_until))
    days = [day for day in coming if day is not None]
    if not days:
        return None
    # At the earliest the day after the verdict: a policy with a short validity must not cause an endless loop of
    # checks.
    day = max(min(days), given + timedelta(days=1))
    at = datetime.combine(day, time.min, WITA)
    name = f"{RECHECK}:{worker_id}:{worker.registration_version}:{day.isoformat()}"
    return Due(name, RECHECK, at, {"registration_version": worker.registration_version})


def _asked_on(worker: Worker, given: date) -> date:
    """The day by which the standing verdict judged ages: the day when the check was requested.

    Dukcapil may answer days later. A birthday between the request and the answer must still lead to a new check.
    """
    asked = since = parse_date(worker.opened_on) or given
    for change in worker.history:
        for one in change.was:
            if one.field == "status":
                asked = since if one.value == WorkerStatus.CHECKING else asked
                since = business_day(change.at)
    return asked


def _birthday(worker: Worker, asked: date) -> date | None:
    day = _anniversary(worker, int(worker.form.birth_date[:4]) + SUBSIDY_ENDS_AT_AGE)
    return day if day > asked else None


def _anniversary(worker: Worker, year: int) -> date:
    born = date.fromisoformat(worker.form.birth_date)
    return years_later(born, year - born.year)


def _renewal(worker_id: str, worker: Worker, valid_until: str) -> date | None:
    until = parse_date(valid_until)
    if until is None:
        return None
    if until == _anniversary(worker, until.year):
        # The verdict ends on a birthday, possibly at the policy's own age limit. An earlier check would give the same
        # verdict.
        return until
    return until - timedelta(days=LEAD_DAYS + sum(worker_id.encode()) % SPREAD_DAYS)
