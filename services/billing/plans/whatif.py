"""A what-if over this service's store: reads the workers once, and counts the rest of the year now and with a change.

It writes nothing but a scenario that somebody asks to save: one plain row in `scenarios`, beside the documents.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.billing import facts
from services.billing.domain import rules, whatif, whatif_inputs
from services.billing.domain.rolls import Roll
from services.billing.domain.state import NOTHING, Accounts, Budget, RunStatus
from services.billing.domain.whatif import Change, Headcount
from services.billing.domain.whatif_figures import Figures
from shared.contracts.base import Funding
from shared.contracts.reasons import Reason
from shared.kernel.calendar import is_period, period_of, shift_period
from shared.kernel.money import rupiah
from shared.persons.facts import everybody
from shared.reference import edited_rates, rates
from shared.reference.rates import Rates
from shared.runtime.ports import Reader
from shared.runtime.store import editions

SCENARIOS = "scenarios"
# Scenarios of one regency; more means that a program saves in a loop.
SCENARIOS_MAX = 1_000
PAGE_WORKERS = 2_000
# A budget changes a few times a month, and a reading takes seconds.
READINGS_MAX = 3
_OPEN = (RunStatus.RUNNING.value, RunStatus.ASKING.value)


class Refused(Exception):
    """A question that cannot be answered: one line for a person, the reason codes, the HTTP status."""

    def __init__(self, title: str, *reasons: str, status: int = 422) -> None:
        super().__init__(title)
        self.title, self.reasons, self.status = title, reasons, status


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What somebody asks, as they wrote it; empty texts were not given. `rates` is the text of an edited table."""

    regency: str
    year: int
    funding: Funding
    first: str = ""
    cut: str = ""
    jkk: str = ""
    jkm: str = ""
    workers: str = ""
    rates: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The rest of the year as it is `now`, and with the change; `rates` names the edited table."""

    months: tuple[str, ...]
    workers: int
    now: Figures
    then: Figures
    rates: str | None


async def answer(reader: Reader, question: Question, today: date) -> Answer:
    """Counts. Raises Refused with the reason; changes nothing.

    Money and workers are read one after the other. When a run or a revision changed the budget meanwhile, both are read
    again, so that no premium counts twice.
    """
    for _ in range(READINGS_MAX):
        head = await _head(reader, question)
        found = await _answer(reader, question, head, today)
        if await _head(reader, question) == head:
            return found
    raise Refused("Anggaran sedang berubah; ulangi sesudah penagihan selesai", status=409)


async def _answer(reader: Reader, question: Question, head: Budget, today: date) -> Answer:
    ceilings = _ceilings(question, head)
    headcount = _headcount(question)
    known = await editions.load(reader)
    standing = known.named(known.newest)
    edited, version = await _edited(reader, question.rates)
    months = await _months(reader, question, head, today)
    tables = [standing] if edited is None else [standing, edited]
    roll = await read(reader, question.regency, question.funding, months, tables, today.isoformat())
    # Seconds of counting must not stop the service's other work.
    return await asyncio.to_thread(
        _count, roll, head, Change(ceilings=ceilings, rates=edited or standing, headcount=headcount), standing, version
    )


def _count(roll: Roll, head: Budget, change: Change, standing: Rates, version: str | None) -> Answer:
    unchanged = Change(ceilings=head.ceilings or NOTHING, rates=standing)
    try:
        now = whatif.figures(roll, head, unchanged)
        then = now if change == unchanged else whatif.figures(roll, head, change)
    except ValueError:
        raise Refused("Pekerja yang keluar lebih banyak daripada yang ada", _invalid("workers")) from None
    return Answer(months=roll.months, workers=whatif.present(roll, standing), now=now, then=then, rates=version)


async def read(
    reader: Reader, regency: str, funding: Funding, months: Sequence[str], tables: Sequence[Rates], cutoff: str
) -> Roll:
    """The workers whom runs of these months would look at, in the order of runs: verified on or before the cutoff.
    Workers who were merged into another one are left out: they are nobody's family."""
    roll = Roll(funding, months, tables)
    billed, known = await facts.months_with_runs(reader, months), await everybody(reader)
    nothing, cursor = frozenset[str](), ""
    while True:
        page = await facts.candidates(
            reader, regency=regency, period=months[0], cutoff=cutoff, cursor=cursor, limit=PAGE_WORKERS
        )
        taken = await facts.taken_months(reader, known, [worker for worker, _ in page], billed)
        for worker, one in page:
            if worker not in taken.merged:
                roll.add(one, taken.months.get(worker, nothing))
        if len(page) < PAGE_WORKERS:
            return roll
        cursor = page[-1][1].place


async def _head(reader: Reader, question: Question) -> Budget:
    key = rules.year_key(question.regency, question.year, question.funding)
    head: Budget | None = (await reader.states("budgets", [key])).get(key)
    if head is None or head.ceilings is None:
        what = f"{question.funding} {question.year} untuk {question.regency}"
        raise Refused(f"Anggaran {what} belum dimasukkan", Reason.BUDGET_MISSING.value)
    return head


def _ceilings(question: Question, head: Budget) -> Accounts:
    """The ceilings that are asked about; refused as a revision to them would be."""
    ceilings = head.ceilings or NOTHING
    if question.cut and (question.jkk or question.jkm):
        raise Refused("Pakai potongan atau pagu baru, jangan keduanya", _invalid("cut"))
    if question.cut:
        cut = whatif_inputs.percent(question.cut)
        if cut is None:
            raise Refused("Potongan ditulis dalam persen, dari 0% sampai 100%, misalnya 20%", _invalid("cut"))
        ceilings = whatif_inputs.after_cut(ceilings, cut)
    ceilings = Accounts(
        _rupiah("jkk", question.jkk, ceilings.jkk),
        _rupiah("jkm", question.jkm, ceilings.jkm),
    )
    if whatif.is_below_committed(head, ceilings):
        bound = head.committed + head.reserved
        raise Refused(
            f"Pagu JKK {rupiah(ceilings.jkk)} dan JKM {rupiah(ceilings.jkm)} lebih kecil daripada yang sudah ditagih "
            f"atau dicadangkan: JKK {rupiah(bound.jkk)}, JKM {rupiah(bound.jkm)}",
            Reason.BUDGET_BELOW_COMMITTED.value,
        )
    return ceilings


def _rupiah(name: str, text: str, otherwise: int) -> int:
    amount = whatif_inputs.whole_rupiah(text) if text else otherwise
    if amount is None:
        raise Refused(f"Pagu {name.upper()} ditulis dalam rupiah bulat, nol atau lebih", _invalid(name))
    return amount


def _headcount(question: Question) -> Headcount | None:
    if not question.workers:
        return None
    found = whatif_inputs.headcount(question.workers)
    if found is None:
        raise Refused("Jumlah pekerja ditulis seperti +2000, -500 atau 95000", _invalid("workers"))
    return found


async def _edited(reader: Reader, text: str) -> tuple[Rates | None, str | None]:
    """The table of rates with the edited part, checked by the same code as one that is loaded, and its name."""
    if not text:
        return None, None
    try:
        texts = edited_rates.beside(text, await editions.latest(reader))
    except ValueError as error:
        raise Refused(f"Tabel tarif tidak dapat dipakai: {error}", _invalid("rates")) from error
    return rates.parse(*texts), editions.version_of(texts)


async def _months(reader: Reader, question: Question, head: Budget, today: date) -> tuple[str, ...]:
    """The months that are asked: by default from the one after the latest billed month; if none is billed, from the
    current month, or January of a coming year."""
    january, december = f"{question.year:04d}-01", f"{question.year:04d}-12"
    rows = await facts.runs_of_year(reader, question.regency, question.funding, question.year)
    billed = [str(row["period"]) for row in rows if row["billed"] or row["status"] in _OPEN]
    first = question.first
    if not first:
        first = shift_period(max(billed), 1) if billed else max(january, period_of(today))
        if first > december:
            raise Refused(f"Semua bulan {question.year} sudah ditagih; sebutkan bulan mulai (--from)", _invalid("from"))
    if not is_period(first) or not january <= first <= december:
        raise Refused(
            f"Bulan mulai harus bulan dalam {question.year}, misalnya {question.year:04d}-07", _invalid("from")
        )
    running = sorted(str(row["period"]) for row in rows if row["status"] in _OPEN and row["period"] >= first)
    if running and head.reserved != NOTHING:
        raise Refused(f"Penagihan {running[0]} sedang berjalan; ulangi sesudah selesai", status=409)
    return tuple(f"{question.year:04d}-{month:02d}" for month in range(int(first[5:]), 13))


async def saved(reader: Reader, regency: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """Saved scenarios of a regency by name, in this order. Raises Refused when there is none of a name."""
    found = await reader.rows(SCENARIOS, [_key(regency, name) for name in names])
    for name in names:
        if _key(regency, name) not in found:
            there = ", ".join(one["name"] for one in await listed(reader, regency))
            raise Refused(f"Skenario {name[:60]} tidak ada; yang tersimpan: {there or '-'}", status=404)
    return [found[_key(regency, name)] for name in names]


async def listed(reader: Reader, regency: str) -> list[dict[str, Any]]:
    """All saved scenarios of a regency, the oldest first."""
    rows = await reader.find_rows(SCENARIOS, {"regency": regency}, order=("as_of", "_id"), limit=SCENARIOS_MAX)
    return [{name: value for name, value in row.items() if name != "_id"} for row in rows]


async def check_name(reader: Reader, regency: str, name: str) -> None:
    """Raises Refused when a scenario cannot be saved under this name."""
    if not whatif_inputs.is_name(name):
        raise Refused("Nama skenario: huruf, angka dan spasi, paling banyak 60", _invalid("save"))
    there = await listed(reader, regency)
    if any(one["name"] == name for one in there):
        raise _name_taken(name)
    if len(there) >= SCENARIOS_MAX:
        raise Refused(f"Sudah ada {SCENARIOS_MAX} skenario untuk {regency}", status=409)


async def save(store: Any, row: Mapping[str, Any]) -> None:
    """Saves a scenario under its name. Raises Refused when another one has that name by now."""
    kept = await store.keep_first(SCENARIOS, _key(row["regency"], row["name"]), row)
    if any(kept.get(name) != value for name, value in row.items()):
        raise _name_taken(row["name"])


def _name_taken(name: str) -> Refused:
    return Refused(f"Sudah ada skenario bernama {name}; pakai nama lain", status=409)


def _key(regency: str, name: str) -> str:
    return f"{regency}|{name}"


def _invalid(name: str) -> str:
    return f"{Reason.FIELD_INVALID}:{name}"
