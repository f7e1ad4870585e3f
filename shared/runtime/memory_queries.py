"""The small query language of ports.Reader over plain dictionaries, for the in-memory store. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.runtime.ports import Where


def value_at(document: Any, path: str) -> Any:
    """The value at a dotted path; None when a step is missing."""
    for step in path.removesuffix("[]").split("."):
        if not isinstance(document, Mapping) or step not in document:
            return None
        document = document[step]
    return document


def matches(document: Mapping[str, Any], where: Where) -> bool:
    """The small query language of ports.Reader."""
    for path, wanted in where.items():
        if path == "$or":
            if not any(matches(document, one) for one in wanted):
                return False
            continue
        value = value_at(document, path)
        if isinstance(wanted, Mapping) and any(name.startswith("$") for name in wanted):
            if not all(_holds(name, value, operand) for name, operand in wanted.items()):
                return False
        elif isinstance(value, list) and not isinstance(wanted, list):
            if wanted not in value:
                return False
        elif value != wanted:
            return False
    return True


def _holds(operator: str, value: Any, operand: Any) -> bool:
    if operator == "$in":
        return any(one in operand for one in value) if isinstance(value, list) else value in operand
    if operator == "$ne":
        return bool(value != operand)
    if operator == "$exists":
        return (value is not None) == bool(operand)
    if value is None:
        return False
    if operator == "$gt":
        return bool(value > operand)
    if operator == "$gte":
        return bool(value >= operand)
    if operator == "$lt":
        return bool(value < operand)
    if operator == "$lte":
        return bool(value <= operand)
    raise ValueError(f"the query language has no {operator}")


def ordered(found: list[dict[str, Any]], order: Sequence[str]) -> list[dict[str, Any]]:
    """Sorted by the fields of `order`; `-field` is descending, and what lacks a field comes first."""
    for path in reversed(order):
        name = path.removeprefix("-")
        found.sort(key=lambda one: (value_at(one, name) is not None, value_at(one, name)), reverse=path.startswith("-"))
    return found


def group_keys(document: Mapping[str, Any], by: Sequence[str]) -> list[tuple[Any, ...]]:
    """The groups of a tally that a document counts in: several when a path names the items of an array."""
    keys: list[tuple[Any, ...]] = [()]
    for path in by:
        value = value_at(document, path)
        values = value if path.endswith("[]") and isinstance(value, list) else [value]
        keys = [(*key, one) for key in keys for one in values]
    return keys


def last_part(path: str) -> str:
    """The name under which a path stands in a row of a tally."""
    return path.removesuffix("[]").rsplit(".", 1)[-1]
