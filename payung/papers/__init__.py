"""The documents that are made from the code: AsyncAPI 3 and JSON Schemas for programs, pages and tables for readers.

They are made from the tables that the code itself reads, so they always agree with the code. The pages, and the marked
parts of the services' READMEs, are committed (`make papers`). The JSON is built when somebody needs it
(`payung contracts export DIR`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from payung import configuration, contracts
from payung.papers import catalogue, interface, rules
from shared.contracts import topics

ROOT = Path(__file__).parents[2]


def documents() -> dict[str, str]:
    """Every document of `payung contracts export`: path below the folder -> text."""
    return {**contracts.documents(), **pages()}


def pages() -> dict[str, str]:
    """The pages that are generated whole and committed in `docs/`: name -> text."""
    return {"catalogue.md": catalogue.page(), "rules.md": rules.page(ROOT), "configuration.md": configuration.page()}


def committed() -> dict[str, str]:
    """Every committed file that is generated, whole or in part: path below the repository's root -> its right text."""
    found = {f"docs/{name}": text for name, text in pages().items()}
    for service in topics.SERVICES:
        name = f"services/{service}/README.md"
        found[name] = interface.replaced((ROOT / name).read_text("utf-8"), contracts.spec_of(service))
    return found


def export(folder: Path) -> list[Path]:
    """Writes every document below the folder; returns the paths."""
    return write(folder, documents())


def write(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Writes the files below a folder; returns the paths."""
    written = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        written.append(path)
    return written
