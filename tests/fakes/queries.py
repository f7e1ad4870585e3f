"""The small query language of ports.Reader over plain dictionaries, for the in-memory store. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Sorted by the fields of `order`; `-field` is descending. Documents without a field come first."""
    for path in reversed(order):
        name = path.removeprefix("-")
        found.sort(key=lambda one: (value_at(one, name) is not None, value_at(one, name)), reverse=path.startswith("-"))
    return found


def unwound(document: Mapping[str, Any], paths: Iterable[str]) -> list[Mapping[str, Any]]:
    """The document once for each item of the arrays that `paths` mark with `[]`; the item replaces its array."""
    found = [document]
    for path in dict.fromkeys(path.partition("[]")[0] for path in paths if "[]" in path):
        found = [_with(one, path.split("."), item) for one in found for item in _items(value_at(one, path))]
    return found


def _items(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _with(document: Mapping[str, Any], steps: Sequence[str], value: Any) -> Mapping[str, Any]:
    inner = value if len(steps) == 1 else _with(document[steps[0]], steps[1:], value)
    return {**document, steps[0]: inner}


def tallied(
    documents: Iterable[Mapping[str, Any]], where: Where, by: Sequence[str], sums: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Counts and sums per group, as ports.Reader describes them."""
    groups: dict[tuple[Any, ...], dict[str, Any]] = {}
    names = [last_part(path) for path in by]
    whole = {path: wanted for path, wanted in where.items() if "[]" not in path}
    of_items = {path.replace("[]", ""): wanted for path, wanted in where.items() if "[]" in path}
    for document in documents:
        for one in unwound(document, (*where, *by)) if matches(document, whole) else ():
            if not matches(one, of_items):
                continue
            key = tuple(value_at(one, path.replace("[]", "")) for path in by)
            row = groups.setdefault(key, {**dict(zip(names, key, strict=True)), "count": 0})
            row["count"] += 1
            for path in sums:
                name, amount = last_part(path), value_at(one, path)
                row[name] = row.get(name, 0) + (amount if isinstance(amount, int | float) else 0)
    return list(groups.values())


def last_part(path: str) -> str:
    """The name under which a path stands in a row of a tally."""
    return path.removesuffix("[]").rsplit(".", 1)[-1]
