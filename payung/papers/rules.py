"""The page of the rules of the law: the dated rates and brackets, and all other rules with the code that reads them.

Rates come from `shared/reference/rates.csv` and `brackets.csv`. The other rules stand in `rules.toml` beside this file;
their values come from the constants of the code or from the shipped policy wherever the code has them as a value.
"""

from __future__ import annotations

import csv
import importlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from payung.papers.markdown import GENERATED, code, table
from shared.reference import policies, rates

# A text in the code, as "jkm.lump" or f"scholarship.{level}.years"; the second names several keys.
_LITERAL = re.compile(r'(f?)"([a-z][\w.{}]*)"')
_POLICY = "policy:"
_FIELDS = ("rule", "value", "from", "to", "law", "confidence")


def page(root: Path) -> str:
    """The whole page; `root` is the folder that holds the packages."""
    return "\n".join(
        [
            "# Rules: what the law says, and where the code reads it\n\n" + GENERATED,
            "Each number of the law stands once: rates and brackets in `shared/reference/*.csv`, with the days on which"
            " they are in force, their source and how well they are confirmed. `payung rates load FILE` puts a changed"
            " table in force. The day of the event chooses a claim's rows, the month a premium's.\n",
            "Confidence: *verified* means that public texts say it (news that quote the article, brochures of BPJS,"
            " branch heads); the number in brackets is how many independent ones. *derived* is arithmetic from verified"
            " values. *from model knowledge* means that no text was found: ask BPJS before relying on it. The official"
            " texts of the regulations could not be opened.\n",
            "What a regency may choose (match scores, ages, who decides) stands in the policy: `payung policy show`.\n",
            "## Rates\n\n" + _rates(root),
            "## Income brackets\n\nFrom `shared/reference/brackets.csv`.\n\n" + _brackets(),
            *(f"## {title}\n\n{text}" for title, text in _others(root)),
        ]
    )


def read_in(key: str, root: Path) -> list[str]:
    """The files of the services and of the rates' module that name a rate, below `root`."""
    return [path for path, names in _names(root) if any(one.fullmatch(key) for one in names)]


def others() -> Mapping[str, list[dict[str, Any]]]:
    """The rules that are no rates: by section, as `rules.toml` has them."""
    with (Path(__file__).parent / "rules.toml").open("rb") as file:
        return {one["title"]: one["rule"] for one in tomllib.load(file)["section"]}


def file_of(symbol: str, root: Path) -> str:
    """The one file that defines a symbol (`package:name`). Raises LookupError unless there is exactly one."""
    package, _, name = symbol.partition(":")
    if package + ":" == _POLICY:
        return "shared/reference/policy.toml"
    definition = re.compile(rf"^ *(?:(?:async )?def|class) {name}\b|^(?:\w+, )*{name}\b[^=\n(]*=", re.MULTILINE)
    found = [path for path, text in _sources(root, package.replace(".", "/")) if definition.search(text)]
    if len(found) != 1:
        raise LookupError(f"{symbol} is defined in {found or 'no file'}")
    return found[0]


@lru_cache(maxsize=1)
def _names(root: Path) -> list[tuple[str, list[re.Pattern[str]]]]:
    """Each file with the texts in it that may name a rate, as patterns."""
    found = []
    for path, text in (*_sources(root, "services"), *_sources(root, "shared/reference")):
        texts = {(shape, name) for shape, name in _LITERAL.findall(text) if "." in name or name == "covid"}
        found.append((path, [_pattern(name, bool(shape)) for shape, name in sorted(texts)]))
    return found


def _pattern(name: str, has_gaps: bool) -> re.Pattern[str]:
    escaped = re.escape(name)
    return re.compile(re.sub(r"\\\{.*?\\\}", r"[a-z0-9_]+", escaped) if has_gaps else escaped)


@lru_cache(maxsize=32)
def _sources(root: Path, folder: str) -> list[tuple[str, str]]:
    files = sorted((root / folder).rglob("*.py"))
    return [(path.relative_to(root).as_posix(), path.read_text("utf-8")) for path in files]


def _rates(root: Path) -> str:
    head = ("rule", "for", "value", "from", "to", "law", "confidence", "read in")
    rows = [
        (
            f"`{row['key']}`",
            " ".join(row[name] for name in ("segment", "programme", "funding", "sector") if row[name] != "any"),
            f"{row['value']} {row['unit'].replace('_', ' ')}",
            row["effective_from"],
            row["effective_to"] or "open",
            row["legal_basis"],
            row["confidence"],
            "not read yet" if row["key"] in rates.WAITING else code(read_in(row["key"], root)),
        )
        for row in csv.DictReader(rates.texts()[0].splitlines())
    ]
    return table(head, rows)


def _brackets() -> str:
    rows = list(csv.DictReader(rates.texts()[1].splitlines()))
    names = tuple(rows[0])
    return table(names, ([row[name] or "open" for name in names] for row in rows))


def _others(root: Path) -> Iterator[tuple[str, str]]:
    for title, found in others().items():
        rows = [
            (
                one["rule"],
                _value(one, root),
                *(one.get(name, "–") for name in _FIELDS[2:]),
                ", ".join(_place(symbol, root) for symbol in one["read"]),
            )
            for one in found
        ]
        yield title, table((*_FIELDS, "read in"), rows)


def _value(rule: Mapping[str, Any], root: Path) -> str:
    """The value with each `{}` replaced by what the code has, in the order of `read`."""
    text: str = rule["value"]
    symbols = rule["read"][: text.count("{}")]
    return text.format(*(_written(_constant(symbol, root)) for symbol in symbols))


def _constant(symbol: str, root: Path) -> Any:
    name = symbol.partition(":")[2]
    if symbol.startswith(_POLICY):
        return policies.shipped()[name]
    module = file_of(symbol, root).removesuffix(".py").replace("/", ".")
    return getattr(importlib.import_module(module), name)


def _written(value: Any) -> str:
    if isinstance(value, int):
        return f"{value:,}" if value >= 10_000 else str(value)
    return ", ".join(str(one) for one in value)


def _place(symbol: str, root: Path) -> str:
    return f"`{file_of(symbol, root)}` (`{symbol.partition(':')[2]}`)"
