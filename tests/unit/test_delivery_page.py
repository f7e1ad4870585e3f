"""docs/delivery.md names tests as proof: each of them must exist, and every fault must have a row."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs/delivery.md").read_text("utf-8")
ROW = re.compile(r"^\| (F\d+) \|[^|]+\|(.+)\|$", re.MULTILINE)
FILE = re.compile(r"(test_\w+\.py)(?:::(test_\w+?)(\.\.\.)?)?`")


def sources() -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in TESTS.rglob("test_*.py")}


def test_every_test_that_is_named_exists() -> None:
    known = sources()
    named = FILE.findall(PAGE)
    assert len(named) > 50
    for file, name, shortened in named:
        assert file in known, f"{file} is named, and is not there"
        wanted = rf"def {name}" + (r"\w*\(" if shortened else r"\(")
        assert not name or re.search(wanted, known[file]), f"{file}::{name} is named, and is not there"


def test_every_way_to_lose_or_double_names_the_test_that_proves_it() -> None:
    """The row must name the test itself: when only a file is named, nobody notices that the test was removed."""
    table = PAGE.split("| a record or its outcome could be ...")[1].split("\n\n")[0].splitlines()[2:]
    assert len(table) > 25
    for line in table:
        cells = line.strip("| ").split(" | ")
        assert len(cells) == 3, f"a row of three cells, without a bar within: {line}"
        named = [name for _, name, shortened in FILE.findall(cells[2] + " ") if name and not shortened]
        assert named, f"no test is named: {line}"


def test_every_fault_has_its_row_with_a_proof_or_a_reason() -> None:
    rows = ROW.findall(PAGE)
    assert [fault for fault, _ in rows] == [f"F{number}" for number in range(1, 31)]
    for fault, told in rows:
        assert FILE.search(told) or "not covered, because" in told, f"{fault} has neither a test nor a reason"
