"""Five services, a thousand runs with faults: every run ends like the straight fold.

A failure names its seed: `pytest tests/simulation --seed N` plays exactly that run again.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.simulation.chaos import Kind
from tests.simulation.counters import play_counters
from tests.simulation.play import SEEDS_A_STORY, Broken, expected, play

ROOT = Path(__file__).parents[2]
FAILURES_SHOWN = 5
# Outcomes that the stories must cause; otherwise the simulation proves less than it claims.
TYPES = {
    "worker.registered.v1",
    "worker.updated.v1",
    "submission.answered.v1",
    "submission.settled.v1",
    "identity.verified.v1",
    "identity.rejected.v1",
    "identity.ended.v1",
    "budget.exhausted.v1",
    "premium.billed.v1",
    "billing.run-completed.v1",
    "premium.paid.v1",
    "invoice.pay.refused.v1",
    "claim.registered.v1",
    "claim.held.v1",
    "claim.rejected.v1",
    "claim.approved.v1",
    "claim.paid.v1",
    "worker.died.v1",
}


@pytest.mark.timeout(0)
def test_every_run_ends_like_the_reference_fold(seeds: range, summary: list[str]) -> None:
    struck: Counter[str] = Counter()
    broken: list[str] = []
    awaits = 0
    expected(seeds.start // SEEDS_A_STORY)
    started, worked = time.perf_counter(), time.process_time()
    gc.collect()
    gc.freeze()
    try:
        for seed in seeds:
            try:
                run = play(seed)
            except Broken as error:
                broken.append(str(error))
                continue
            struck += run.struck
            awaits += run.steps
    finally:
        gc.unfreeze()
    took, busy = time.perf_counter() - started, time.process_time() - worked
    summary.append(
        f"simulation: {len(seeds)} seeds from {seeds.start} in {took:.1f} s, {len(seeds) / took:.0f} a second"
        f" ({len(seeds) / busy:.0f} a second of processor); {awaits / max(1, len(seeds)):.0f} steps a run; "
        + ", ".join(f"{kind} {count}" for kind, count in sorted(struck.items()))
    )
    shown = "\n".join(broken[:FAILURES_SHOWN])
    assert not broken, f"{len(broken)} of {len(seeds)} seeds broke a promise (replay one with --seed N):\n{shown}"


@pytest.mark.timeout(0)
def test_many_owners_of_a_few_counters_add_every_amount_once(seeds: range) -> None:
    for seed in range(seeds.start, seeds.start + max(1, len(seeds) // 2)):
        play_counters(seed)


def test_the_stories_cause_every_outcome_that_the_promise_covers() -> None:
    types: Counter[str] = Counter()
    letters: Counter[str] = Counter()
    paid = 0
    for number in range(60):
        story = expected(number)
        paid += len(story.paid)
        letters.update(letter.code for letter in story.fold.letters)
        types.update(event["type"] for by_id in story.fold.events.values() for _, event in by_id.values())
    assert types.keys() >= TYPES, sorted(TYPES - types.keys())
    assert letters.keys() >= {"empty", "not-json", "bad-envelope", "unknown-type", "foreign-source"}
    assert "defect" not in letters
    assert paid >= 3


def test_every_kind_of_trouble_occurs() -> None:
    struck: Counter[str] = Counter()
    for seed in range(0, 2_000, 20):
        struck += play(seed).struck
    assert struck.keys() == set(Kind)


def test_a_seed_replays_its_run_exactly_in_another_process_too() -> None:
    seeds = range(100, 130)
    told = [f"{play(seed).steps} {play(seed).records}" for seed in seeds]
    code = (
        "from tests.simulation.play import play\n"
        f"for seed in {seeds!r}:\n    run = play(seed)\n    print(run.steps, run.records)"
    )
    # With another hash seed, because the order of sets of names must not matter.
    environ = {**os.environ, "PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)}
    other = subprocess.run([sys.executable, "-c", code], env=environ, cwd=ROOT, capture_output=True, check=True)
    assert other.stdout.decode().splitlines() == told
