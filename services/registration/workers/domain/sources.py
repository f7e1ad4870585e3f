"""One worker, many sources: which agency said what about each field, on what evidence, and which statement counts.

Every agency's statement is kept. The statement that counts is computed from all of them each time, so the order in
which agencies send theirs matters only among agencies of equal rank. Knows no store and no event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.registration.workers.domain.rules import DEFAULT_INCOME
from services.registration.workers.domain.state import LatestSubmission, Statement, Worker, WorkerForm, WorkerStatus
from shared.reference.precedence import FIELDS as FIELDS
from shared.reference.precedence import UNNAMED, VERIFICATION, Precedence


def statements(worker: Worker) -> tuple[Statement, ...]:
    """All agencies' statements on all fields. When `said` is empty, every agency that sent a form stated the present
    values."""
    if worker.said:
        return worker.said
    said: list[Statement] = []
    for place, word in enumerate(one for one in worker.words if not one.via):
        if word.fingerprint or place == 0:
            said += of_form(worker.form, word, opens=place == 0)
        else:
            said += of_work(word)
    return tuple(said)


def of_form(form: WorkerForm, word: LatestSubmission, *, opens: bool) -> list[Statement]:
    """What a form says, field by field. A field that the form leaves out makes no statement."""
    found = []
    for name in FIELDS:
        value = getattr(form, name)
        # A form without an income gets the lowest one. That default must not contradict an income that another agency
        # knows.
        if value is None or (name == "monthly_income" and value == DEFAULT_INCOME and not opens):
            continue
        found.append(Statement(word.agency, name, value, word.submission_id, word.said_on))
    return found


def of_work(word: LatestSubmission) -> list[Statement]:
    """The statements of an attestation: sector and occupation."""
    evidence = (word.submission_id, word.said_on)
    return [
        Statement(word.agency, "sector", word.sector, *evidence),
        Statement(word.agency, "occupation", word.occupation, *evidence),
    ]


def by_form(worker: Worker, form: WorkerForm, word: LatestSubmission) -> tuple[tuple[Statement, ...], frozenset[str]]:
    """The statements after an agency's whole form, and the fields that it corrects. When the agency that opened the
    registration now says something else, it corrects the present value. A form of another agency only adds its
    statements to the others.
    """
    opens = worker.words[0].agency == word.agency
    before = {one.field: one for one in statements(worker) if one.agency == word.agency}
    fresh, corrected = [], set()
    for one in of_form(form, word, opens=opens):
        known = before.get(one.field)
        if known is not None and known.value == one.value:
            fresh.append(replace(known, submission_id=one.submission_id, said_on=one.said_on))
        else:
            fresh.append(replace(one, corrected=opens, doubted=_is_doubted(worker, one)))
            corrected.add(one.field)
    others = [one for one in statements(worker) if one.agency != word.agency]
    return (*others, *fresh), frozenset(corrected if opens else ())


def by_changes(
    worker: Worker, changes: Mapping[str, Any], word: LatestSubmission
) -> tuple[tuple[Statement, ...], frozenset[str]]:
    """The statements after an update, and the fields that it corrects: those that it names."""
    named = frozenset(changes) & frozenset(FIELDS)
    kept = [one for one in statements(worker) if one.agency != word.agency or one.field not in named]
    fresh = [
        Statement(word.agency, name, changes[name], word.submission_id, word.said_on, corrected=True)
        for name in FIELDS
        if name in named
    ]
    return (*kept, *(replace(one, doubted=_is_doubted(worker, one)) for one in fresh)), named


def doubt(worker: Worker, name: str) -> tuple[Statement, ...]:
    """The statements, with the present value of this field marked as doubted. Another agency's value is then checked
    before an officer is asked.
    """
    value = getattr(worker.form, name)
    return tuple(
        replace(one, doubted=True) if (one.field, one.value) == (name, value) else one for one in statements(worker)
    )


def confirm_doubted(worker: Worker, precedence: Precedence) -> Worker:
    """The worker after the present values were verified: they are no longer doubted."""
    said = [replace(one, doubted=False) if one.value == getattr(worker.form, one.field) else one for one in worker.said]
    return with_statements(worker, said, precedence) if any(one.doubted for one in worker.said) else worker


def _is_doubted(worker: Worker, said: Statement) -> bool:
    return any(one.doubted and (one.field, one.value) == (said.field, said.value) for one in worker.said)


def by_work(worker: Worker, word: LatestSubmission) -> tuple[Statement, ...]:
    """The statements after an attestation."""
    fresh = of_work(word)
    named = {one.field for one in fresh}
    kept = [one for one in statements(worker) if one.agency != word.agency or one.field not in named]
    return (*kept, *fresh)


def with_statements(
    worker: Worker, said: Sequence[Statement], precedence: Precedence, corrected: frozenset[str] = frozenset()
) -> Worker:
    """The worker with these statements, and the form that follows from them."""
    standing = _ranked_statements(worker, said, precedence, corrected)
    values: dict[str, Any] = {name: standing[name].value if name in standing else None for name in FIELDS}
    values["monthly_income"] = values["monthly_income"] or DEFAULT_INCOME
    form = replace(worker.form, **values, district=values["village"][:8])
    settled = replace(worker, form=form, said=())
    return settled if set(statements(settled)) == set(said) else replace(settled, said=tuple(said))


def origins(worker: Worker, precedence: Precedence) -> Mapping[str, Statement]:
    """For each field the statement that counts, with its evidence."""
    return _ranked_statements(worker, statements(worker), precedence, frozenset())


def overruled(worker: Worker, agency: str, fields: Iterable[str]) -> list[str]:
    """Those of these fields whose present value differs from what the agency says."""
    mine = {one.field: one.value for one in worker.said if one.agency == agency}
    return [name for name in fields if name in mine and mine[name] != getattr(worker.form, name)]


def _ranked_statements(
    worker: Worker, said: Sequence[Statement], precedence: Precedence, corrected: frozenset[str]
) -> Mapping[str, Statement]:
    places = {word.agency: place for place, word in reversed(list(enumerate(worker.words))) if not word.via}
    sectors = {one.agency: one.value for one in said if one.field == "sector"}
    verified = worker.verdict is not None and worker.verdict.identity is WorkerStatus.VERIFIED
    best: dict[str, tuple[tuple[bool, bool, int, int, int], Statement]] = {}
    for number, one in enumerate(said):
        rank = precedence.rank(worker.regency, one.field, one.agency, sectors.get(one.agency))
        if verified and one.field not in corrected and one.value == getattr(worker.form, one.field):
            rank = min(rank, precedence.rank(worker.regency, one.field, VERIFICATION))
        # Among statements of equal rank the newest correction wins, else the agency that sent its statement first.
        order = (0, -number) if one.corrected else (1, places.get(one.agency, UNNAMED))
        weight = (one.refuted, one.doubted, rank, *order)
        if one.field not in best or weight < best[one.field][0]:
            best[one.field] = (weight, one)
    return {name: one for name, (_, one) in best.items()}
