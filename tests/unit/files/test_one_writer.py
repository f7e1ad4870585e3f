"""One module writes every CSV file and every workbook for people."""

from __future__ import annotations

from pathlib import Path

import shared

ROOT = Path(shared.__file__).parents[1]
# The demo invents agencies' lists.
OTHERS = ("payung/demo/",)


def test_only_one_module_writes_csv_and_workbooks() -> None:
    found = []
    for path in sorted((*ROOT.glob("shared/**/*.py"), *ROOT.glob("services/**/*.py"), *ROOT.glob("payung/**/*.py"))):
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        writes = any(word in text for word in ("csv.writer(", "csv.DictWriter(", "Workbook("))
        if writes and not name.startswith(("shared/files/", *OTHERS)):
            found.append(name)
    assert found == []
