"""The checks can fail: they catch every planted defect. A surviving defect is a gap in the checks, not in this test."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.mutants.hunt import REPORT, hunt
from tests.mutants.mutants import MUTANTS, Mutant

MUTANTS_MIN = 12


@pytest.mark.parametrize("mutant", MUTANTS, ids=[one.name for one in MUTANTS])
def test_the_defect_is_caught(mutant: Mutant, record_property: Callable[[str, object], None]) -> None:
    caught = hunt(mutant)
    assert caught is not None, f"nothing objects when {mutant.defect}"
    record_property("caught by", f"{caught.by} ({caught.where})")


def test_the_report_lists_every_defect_and_no_other() -> None:
    listed = re.findall(r"^\| ([a-z-]+) \| (.+?) \| (.+?) \|", REPORT.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: defect for name, defect, _ in listed if name != "planted"}
    assert told == {one.name: one.defect for one in MUTANTS}, "write it anew: python -m tests.mutants.hunt"
    assert len(told) >= MUTANTS_MIN
    assert all("**nothing**" not in by for _, _, by in listed)
