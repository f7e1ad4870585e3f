"""Every page of docs/ that code, tests or pages name exists, and so does the section that they name."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("bench", "deploy", "docs", "payung", "services", "shared", "tests")
KINDS = (".py", ".md", ".toml", ".html", ".js", ".yml", ".sh")
CITED = re.compile(r"(?<![\w/.])docs/[\w/.-]+\.md(?:#[\w-]+)?")
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(#[\w-]+)?\)")
# A page that is named without its folder belongs to another repository.
STRAY = re.compile(r"(?<![\w/.-])(?:contracts|rules|design|engine|style|delivery|architecture|catalogue)\.md")


def sources() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in KINDS]
    return [
        ROOT / "README.md",
        *(path for path in found if path != Path(__file__) and "node_modules" not in path.parts),
    ]


@lru_cache(maxsize=64)
def sections(page: Path) -> frozenset[str]:
    """The anchors of a page, as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ +(.+?) *$", page.read_text("utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings)


def broken(page: Path, section: str) -> bool:
    return not page.is_file() or (bool(section) and section not in sections(page))


def test_every_cited_page_and_section_exists() -> None:
    found = [(path, cited) for path in sources() for cited in CITED.findall(path.read_text("utf-8"))]
    assert len(found) > 60
    wrong = [(str(path), cited) for path, cited in found if broken(ROOT / cited.split("#")[0], cited.partition("#")[2])]
    assert not wrong


def prose(page: Path) -> str:
    """A page without its blocks of code, because brackets and parentheses in code are not links."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def test_every_link_of_a_page_leads_somewhere() -> None:
    pages = [path for path in sources() if path.suffix == ".md" and "cases" not in path.parts]
    links = [(page, target, anchor) for page in pages for target, anchor in LINK.findall(prose(page))]
    assert len(links) > 20
    for page, target, anchor in links:
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page}: {target}"
        if there.suffix == ".md":
            assert not broken(there, anchor.lstrip("#")), f"{page}: {target}{anchor}"


def test_code_names_a_page_with_its_folder() -> None:
    code = [path for path in sources() if path.suffix in (".py", ".toml") and "papers" not in path.parts]
    assert not [(str(path), found) for path in code for found in STRAY.findall(path.read_text("utf-8"))]


@pytest.mark.parametrize(
    ("title", "anchor"),
    [("## When a day is covered", "when-a-day-is-covered"), ("### Two `words`, once", "two-words-once")],
)
def test_an_anchor_is_that_of_github(title: str, anchor: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n\n{title}\n", "utf-8")
    assert sections(page) == {"page", anchor}
    assert broken(page, "gone")
    assert broken(tmp_path / "gone.md", "")
