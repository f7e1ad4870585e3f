"""What a worker was at any earlier moment. Kept as steps back from the present state. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from services.registration.workers.domain import sources
from services.registration.workers.domain.state import Change, FormerValue, Worker, WorkerStatus
from shared.reference.precedence import Precedence

# Beyond this the oldest steps are dropped, because a document must not grow without limit.
STEPS_MAX = 200


def remember(before: Worker, after: Worker, at: datetime, precedence: Precedence) -> Worker:
    """The worker after a change, with a step added that leads back to the earlier values."""
    was: list[FormerValue] = []
    if after.form is not before.form and after.form != before.form:
        origins = sources.origins(before, precedence)
        for name in sources.FIELDS:
            value = getattr(before.form, name)
            if value == getattr(after.form, name):
                continue
            one = origins.get(name)
            was.append(
                FormerValue(name, value, one.agency, one.submission_id, one.said_on)
                if one
                else FormerValue(name, value)
            )
    if after.status is not before.status:
        was.append(FormerValue("status", before.status.value))
    if _reasons(after) != _reasons(before):
        was.append(FormerValue("reasons", _reasons(before)))
    if after.opened_on != before.opened_on:
        was.append(FormerValue("opened_on", before.opened_on))
    if after.regency != before.regency:
        was.append(FormerValue("regency", before.regency))
    if not was:
        return after
    return replace(after, history=(*after.history, Change(at, tuple(was)))[-STEPS_MAX:])


def as_of(worker: Worker, at: datetime) -> tuple[Worker, dict[str, FormerValue]]:
    """The worker as known at that moment, and for each field that has changed since, its old value and the agency that
    stated it.
    """
    values: dict[str, Any] = {}
    whose: dict[str, FormerValue] = {}
    for change in reversed(worker.history):
        if change.at <= at:
            break
        for one in change.was:
            values[one.field] = one.value
            whose[one.field] = one
    fields = {name: values[name] for name in sources.FIELDS if name in values}
    if "village" in fields:
        fields["district"] = fields["village"][:8]
    status = WorkerStatus(values["status"]) if "status" in values else worker.status
    verdict = worker.verdict
    if "reasons" in values or "status" in values:
        verdict = None if verdict is None else replace(verdict, reasons=tuple(values.get("reasons", verdict.reasons)))
    form = replace(worker.form, **fields)
    regency, opened_on = values.get("regency", worker.regency), values.get("opened_on", worker.opened_on)
    then = replace(worker, form=form, status=status, regency=regency, opened_on=opened_on, verdict=verdict)
    return then, whose


def known_since(worker: Worker) -> str:
    """The day on which this worker's first registration was opened. `opened_on` is the day of the latest one."""
    opened = (one.value for change in worker.history for one in change.was if one.field == "opened_on")
    return str(next(opened, worker.opened_on))


def _reasons(worker: Worker) -> list[str]:
    return list(worker.verdict.reasons) if worker.verdict else []
