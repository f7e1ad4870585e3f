"""Measures how well and how fast suspects are found, on a synthetic register with planted duplicates and look-alikes.

    python -m bench.suspects [--workers 150000] [--seed 1] [--store]

`--store` fills a real MongoDB with these workers, sealed like the service's own, and times the service's own scan.

A careless matcher takes look-alikes for one person: twins, siblings, a father and son with one name, namesakes in one
village, namesakes born on one day. The rules that make the errors are not the rules of the matcher, so the result is
fair.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import random
import resource
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from payung.demo.population import generate
from payung.embedded import ports, stack
from services.registration.stream import SPEC
from services.registration.suspects.background import running
from services.registration.suspects.domain import likeness
from services.registration.suspects.domain.likeness import Traits
from services.registration.suspects.domain.naming import fold
from services.registration.workers.domain.state import LatestSubmission, Worker, WorkerForm, WorkerStatus
from shared.kernel.decision import Address
from shared.kernel.identity import worker_id
from shared.reference import areas
from shared.runtime.app import open_store
from shared.runtime.fold import Folded, SavedOutcome, Taken

DUPLICATES = 0.02
LOOK_ALIKES = 0.02
DEFAULT_BIRTHS = 0.06

_SPELLINGS = (
    (("MUHAMMAD ",), ("MUH. ", "MOH. ", "MOHAMMAD ", "MUHAMAD ", "M. ", "MOCHAMAD ")),
    (("ABDUL ",), ("ABD. ", "ABDOEL ")),
    (("SITI ",), ("ST. ", "SITTI ", "SITIE ")),
    (("AHMAD",), ("ACHMAD", "AKHMAD", "AMAD")),
    (("U",), ("OE", "OU", "O")),
    (("J",), ("DJ",)),
    (("Y",), ("J", "I")),
    (("F",), ("P", "V")),
    (("SY",), ("S", "SJ")),
    (("AH ", "IYAH"), ("A ", "IA")),
    (("NUR",), ("NOER", "NOR", "NOOR")),
    (("Z",), ("J", "S")),
    (("I",), ("IE", "Y")),
    (("LL", "MM", "SS"), ("L", "M", "S")),
)


@dataclass(slots=True)
class Form:
    """One person on one agency's form."""

    nik: str
    name: str
    born: date
    sex: str
    village: str
    mother: str
    phone: str
    address: str
    card: str


@dataclass(frozen=True, slots=True)
class Corpus:
    """The forms, and the pairs of forms of one person."""

    traits: list[Traits]
    forms: list[Form]
    truth: set[tuple[str, str]]


def corpus(seed: int, workers: int, regency: str = "64.08") -> Corpus:
    """`workers` people and, in addition, a share of duplicates and of look-alikes."""
    rng = random.Random(f"suspects/{seed}")
    forms = list(_people(rng, seed, workers, regency))
    truth: set[tuple[str, str]] = set()
    villages = sorted({one.village for one in forms})
    for place in rng.sample(range(workers), int(workers * DUPLICATES)):
        forms.append(_again(rng, forms[place], villages))
        truth.add((_key(place), _key(len(forms) - 1)))
    for place in rng.sample(range(workers), int(workers * LOOK_ALIKES)):
        forms.append(_look_alike(rng, forms[place], forms, villages))
    shown = [_as_sent(rng, one) for one in forms]
    traits = [_traits(_key(place), one, regency) for place, one in enumerate(shown)]
    return Corpus(traits, shown, truth)


def measure(given: Corpus) -> tuple[float, float, set[tuple[str, str]], set[tuple[str, str]]]:
    """Precision, recall, the wrongly found pairs and the missed pairs."""
    found = {(one.first.key, one.second.key) for one in likeness.find(given.traits)}
    right = found & given.truth
    precision = len(right) / len(found) if found else 1.0
    return precision, len(right) / len(given.truth), found - given.truth, given.truth - found


def _key(place: int) -> str:
    return f"{place:07d}"


def _people(rng: random.Random, seed: int, workers: int, regency: str) -> Iterator[Form]:
    for person in generate(seed, workers, regency, areas.load()):
        born = person.birth_date
        if rng.random() < DEFAULT_BIRTHS:
            month, day = rng.choice(((1, 1), (7, 1), (12, 31)))
            born = date(born.year, month, day)
        yield Form(
            nik=_nik(rng, person.nik[:6], born, person.sex),
            name=person.name,
            born=born,
            sex=person.sex,
            village=person.village,
            mother=person.mother,
            phone=f"+62{rng.randrange(811, 859)}{rng.randrange(10**7, 10**8)}",
            address=f"RT {rng.randrange(1, 30):03d}",
            card=f"{person.nik[:6]}{rng.randrange(10**9, 10**10)}",
        )


def _nik(rng: random.Random, area: str, born: date, sex: str) -> str:
    # Real serials are low, because a district rarely has ten births on one day.
    day = born.day + 40 if sex == "F" else born.day
    return f"{area}{day:02d}{born.month:02d}{born.year % 100:02d}{min(rng.randrange(1, 20), rng.randrange(1, 20)):04d}"


def _again(rng: random.Random, one: Form, villages: list[str]) -> Form:
    """The same person again, with another NIK and one to three fields written differently."""
    other = replace(one)
    kind = rng.random()
    if kind < 0.35:
        other.nik = _wrong_digit(rng, one.nik)
    elif kind < 0.75:
        other.nik = f"{one.nik[:12]}{(int(one.nik[12:]) + rng.randrange(2, 60)):04d}"
    else:
        other.nik = _nik(
            rng, f"{rng.choice(('6402', '6472', '7308', '3515'))}{rng.randrange(1, 20):02d}", one.born, one.sex
        )
    for change in rng.sample(_CHANGES, rng.choice((1, 1, 2, 2, 3))):
        change(rng, other, villages)
    return other


def _respell(rng: random.Random, one: Form, _: list[str]) -> None:
    text = f"{one.name} "
    able = [(found, to) for froms, tos in _SPELLINGS for found in froms if found in text for to in tos]
    if able:
        found, to = rng.choice(able)
        one.name = text.replace(found, to, 1).strip()


def _typo(rng: random.Random, one: Form, _: list[str]) -> None:
    place = rng.randrange(1, len(one.name))
    kind = rng.random()
    if kind < 0.4:
        one.name = one.name[:place] + one.name[place + 1 :] or one.name
    elif kind < 0.7:
        one.name = one.name[:place] + rng.choice("AEIOURNSTLM") + one.name[place:]
    else:
        one.name = (
            one.name[: place - 1] + one.name[place : place + 1] + one.name[place - 1 : place] + one.name[place + 1 :]
        )


def _shorter(rng: random.Random, one: Form, _: list[str]) -> None:
    words = one.name.split()
    if len(words) > 1:
        one.name = " ".join(words[:-1]) if rng.random() < 0.6 else " ".join((*words[:-1], words[-1][0]))
    else:
        one.name = f"{one.name} {rng.choice(('BIN', 'BINTI'))} {rng.choice(('SALEH', 'DULLAH', 'KADIR', 'MUSA'))}"


def _titled(rng: random.Random, one: Form, _: list[str]) -> None:
    one.name = f"{'HJ.' if one.sex == 'F' else 'H.'} {one.name}"


def _turned(rng: random.Random, one: Form, _: list[str]) -> None:
    one.name = " ".join(reversed(one.name.split()))


def _day_for_month(rng: random.Random, one: Form, _: list[str]) -> None:
    if one.born.day <= 12:
        one.born = date(one.born.year, one.born.day, one.born.month)


def _wrong_day(rng: random.Random, one: Form, _: list[str]) -> None:
    year = one.born.year + rng.choice((-10, -1, 0, 0, 1, 10))
    day = one.born.day if year != one.born.year else 1 + (one.born.day + rng.choice((1, 9, 18))) % 28
    one.born = date(year, one.born.month, min(day, 28))


def _moved(rng: random.Random, one: Form, villages: list[str]) -> None:
    one.village, one.address = rng.choice(villages), f"RT {rng.randrange(1, 30):03d}"


def _new_phone(rng: random.Random, one: Form, _: list[str]) -> None:
    one.phone = f"+62{rng.randrange(811, 859)}{rng.randrange(10**7, 10**8)}"


def _mother_respelt(rng: random.Random, one: Form, villages: list[str]) -> None:
    child = one.name
    one.name = one.mother
    _respell(rng, one, villages)
    one.mother, one.name = one.name, child


_CHANGES = (
    _respell,
    _respell,
    _typo,
    _shorter,
    _titled,
    _turned,
    _day_for_month,
    _wrong_day,
    _moved,
    _new_phone,
    _mother_respelt,
)


def _look_alike(rng: random.Random, one: Form, forms: list[Form], villages: list[str]) -> Form:
    """Another person who is very similar."""
    other = replace(one, phone=f"+62{rng.randrange(811, 859)}{rng.randrange(10**7, 10**8)}")
    stranger = forms[rng.randrange(len(forms))]
    kind = rng.choice(("twin", "twin", "sibling", "sibling", "parent", "namesake", "namesake", "nik"))
    words, others = one.name.split(), stranger.name.split()
    if kind == "twin":
        other.nik = f"{one.nik[:12]}{int(one.nik[12:]) + 1:04d}"
        other.name = " ".join((words[0], others[-1])) if rng.random() < 0.3 and len(words) > 1 else stranger.name
    elif kind == "sibling":
        other.born = date(
            max(1940, one.born.year - rng.choice((2, 3, 5))), stranger.born.month, min(stranger.born.day, 28)
        )
        other.nik = _nik(rng, one.nik[:6], other.born, one.sex)
        other.name = " ".join((others[0], words[-1]))
    elif kind == "parent":
        other.born = date(
            max(1930, one.born.year - rng.randrange(19, 35)), stranger.born.month, min(stranger.born.day, 28)
        )
        other.nik = _nik(rng, one.nik[:6], other.born, one.sex)
        other.mother = stranger.mother
    elif kind == "namesake":
        other.born = stranger.born
        other.nik = _nik(rng, one.nik[:6], other.born, one.sex)
        other.mother, other.address, other.card = stranger.mother, stranger.address, stranger.card
    else:
        # A stranger whose NIK is almost the same.
        other = replace(stranger, nik=_wrong_digit(rng, one.nik), born=one.born, sex=one.sex)
        other.mother, other.phone, other.card, other.address = "", "", "", f"RT {rng.randrange(1, 30):03d}"
        other.village = rng.choice(villages)
    return other


def _wrong_digit(rng: random.Random, nik: str) -> str:
    place = rng.randrange(16)
    return nik[:place] + str((int(nik[place]) + rng.randrange(1, 10)) % 10) + nik[place + 1 :]


def _as_sent(rng: random.Random, one: Form) -> Form:
    """The form as agencies send it: with many fields missing."""
    return replace(
        one,
        mother=one.mother if rng.random() < 0.6 else "",
        phone=one.phone if rng.random() < 0.5 else "",
        address=one.address if rng.random() < 0.8 else "",
        card=one.card if rng.random() < 0.3 else "",
    )


def _traits(key: str, one: Form, regency: str) -> Traits:
    return Traits(
        key=key,
        nik=one.nik,
        name=fold(one.name),
        born=one.born.isoformat(),
        sex=one.sex,
        village=one.village,
        regency=regency,
        mother=fold(one.mother) if one.mother else (),
        phone=one.phone[-9:],
        address=one.address,
        card=one.card,
    )


async def scan_of_a_store(given: Corpus) -> tuple[running.Scan, float, float, int]:
    """The service's scan in its own process on a real MongoDB: its duration, processor time and memory (MB)."""
    key = base64.b64encode(bytes(range(32))).decode()
    with tempfile.TemporaryDirectory() as folder:
        async with stack.servers(Path(folder), ports.free_base()) as (_, url):
            environ = {**os.environ, "PAYUNG_MONGO_URL": url, "PAYUNG_ID_KEY": key, "PAYUNG_FIELD_KEYS": f"k1:{key}"}
            store = open_store(SPEC, environ)
            await store.check()
            for start in range(0, len(given.forms), 2_000):
                await store.save([_saved(one) for one in given.forms[start : start + 2_000]])
            await store.close()
            context: Any = SimpleNamespace(environ=environ)
            started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            scan = await running.in_a_process(context)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            return scan, time.perf_counter() - started, cpu_s, after.ru_maxrss // 1024


def _saved(one: Form) -> Folded:
    form = WorkerForm(
        nik=one.nik,
        name=one.name,
        birth_date=one.born.isoformat(),
        sex="F" if one.sex == "F" else "M",
        village=one.village,
        district=one.village[:8],
        sector="fisheries",
        occupation="nelayan",
        monthly_income=1_000_000,
        consent_on="2026-01-05",
        mother_name=one.mother or None,
        phone=one.phone or None,
        address=one.address or None,
        family_card=one.card or None,
    )
    word = LatestSubmission(
        agency="dinsos",
        submission_id=one.nik[-6:],
        sector="fisheries",
        occupation="nelayan",
        said_on="2026-01-05",
        fingerprint="0" * 32,
    )
    worker = Worker(
        regency="64.08",
        status=WorkerStatus.VERIFIED,
        registration_version=1,
        form=form,
        words=(word,),
        waiting=(),
        opened_on="2026-01-05",
    )
    name = worker_id(bytes(range(32)), f"{one.nik}{one.name}")
    # As large as in production: three outcomes of some hundred bytes stay with each worker.
    outcome = SavedOutcome("0" * 36, "registration-events", name, "worker.registered.v1", b"x" * 700, False)
    taken = Taken("agency/64.08/dinsos|0", "0" * 24, 1, (outcome, outcome, outcome))
    return Folded(Address("workers", name), 0, 1, worker, None, [taken])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints precision, recall, time and memory."""
    options = argparse.ArgumentParser(prog="bench.suspects")
    options.add_argument("--workers", type=int, default=150_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--show", type=int, default=0, help="so many wrong and missed pairs")
    options.add_argument("--store", action="store_true", help="also the service's own scan of a real MongoDB")
    chosen = options.parse_args(arguments)
    given = corpus(chosen.seed, chosen.workers)
    started, cpu_started = time.perf_counter(), time.process_time()
    precision, recall, wrong, missed = measure(given)
    took_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"suspects: {len(given.traits):,} forms, {len(given.truth):,} planted duplicates: precision {precision:.3f}, "
        f"recall {recall:.3f}, {took_s:.1f} s ({cpu_s:.1f} s of one core), {memory_mb} MB"
    )
    if chosen.store:
        scan, took_s, cpu_s, memory_mb = asyncio.run(scan_of_a_store(given))
        print(
            f"scan of the store: {scan.people:,} workers, {len(scan.pairs):,} pairs, {took_s:.1f} s "
            f"({cpu_s:.1f} s of one core), {memory_mb} MB in a process of its own"
        )
    places = {one.key: place for place, one in enumerate(given.traits)}
    for title, pairs in (("wrong", wrong), ("missed", missed)):
        for left, right in sorted(pairs)[: chosen.show]:
            for key in (left, right):
                one = given.traits[places[key]]
                mother = " ".join(one.mother)
                print(title, given.forms[places[key]].name, one.born, one.nik, one.village, mother, one.phone, one.card)
            print()


if __name__ == "__main__":
    main()
