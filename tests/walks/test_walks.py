"""The pages docs/adding-*.md work as they stand: their changes are made in a copy, and their commands succeed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.walks import walking
from tests.walks.walking import Change

DOCS = walking.ROOT / "docs"
PAGES = sorted(path.name for path in DOCS.glob("adding-*.md"))
# A new event or reason changes at most this many files by hand; tests and the changelog are counted, too.
BY_HAND_MAX = 6


def test_there_is_a_page_for_each_addition() -> None:
    assert PAGES == ["adding-a-reason.md", "adding-a-service.md", "adding-an-event.md"]


# The commands check types over the whole project, which takes minutes without the checkout's cache.
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_followed_to_its_end(name: str, tmp_path: Path) -> None:
    changed = walking.walk(DOCS / name, tmp_path)
    if name != "adding-a-service.md":
        assert len(changed) <= BY_HAND_MAX, changed


PAGE = """
In `a.py`, after `x = 1`:

```python
y = 2
```

New file `b.py`:

```python
z = 3
```

```sh
true
```
"""


def test_a_page_is_read_step_by_step() -> None:
    assert list(walking.steps(PAGE)) == [
        Change("a.py", "after", "x = 1", "y = 2\n"),
        Change("b.py", "new", "", "z = 3\n"),
        ["true"],
    ]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("after", "if a:\n    x = 1\n    y = 2\n"),
        ("before", "if a:\n    y = 2\n    x = 1\n"),
        ("instead of", "if a:\n    y = 2\n"),
    ],
)
def test_a_change_is_made_at_its_line_with_its_indentation(where: str, wanted: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("if a:\n    x = 1\n", "utf-8")
    walking.make(tmp_path, Change("a.py", where, "x = 1", "y = 2\n"))
    assert (tmp_path / "a.py").read_text("utf-8") == wanted


@pytest.mark.parametrize("text", ["x = 2\n", "x = 1\nx = 1\n"])
def test_a_missing_or_repeated_line_fails(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text, "utf-8")
    with pytest.raises(AssertionError, match="has the line"):
        walking.make(tmp_path, Change("a.py", "after", "x = 1", "y = 2\n"))


def test_a_command_that_fails_fails_the_walk(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="false"):
        walking.run(tmp_path, "false")
