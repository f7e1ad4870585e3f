"""Releases are compatible in both directions: this release reads the events of the first one, and the reverse.

`released.json` is the form of every event: of the outcomes of each service and of the commands from outside. It is the
only generated JSON that is committed. A new release may add only events and optional fields. `make papers` writes the
additions down and refuses any other change. Before the first release a line may be removed by hand; afterwards never.
Texts for people (descriptions) are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from payung import contracts

FILE = Path(__file__).parent / "released.json"
# A text for people; it may change.
_WORDS = ("title", "description", "examples")
Forms = dict[str, Any]


def forms() -> Forms:
    """By event and its parts: the fields, their forms, and which are required."""
    found: Forms = {}
    for kind, model in contracts.all_types().items():
        schema = model.model_json_schema()
        for name, part in {"": schema, **schema.get("$defs", {})}.items():
            if "properties" in part:
                found[f"{kind}#{name}" if name else kind] = {
                    "required": sorted(part.get("required", ())),
                    "properties": {field: _bare(one) for field, one in sorted(part["properties"].items())},
                }
    return found


def _bare(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {name: _bare(one) for name, one in schema.items() if name not in _WORDS}
    return [_bare(one) for one in schema] if isinstance(schema, list) else schema


def breaks(was: Forms, now: Mapping[str, Any]) -> Iterator[str]:
    """Every change after which two releases that run side by side could not read each other's events."""
    for name, old in was.items():
        new = now.get(name)
        if new is None:
            yield f"{name} is gone; older services still say it or wait for it"
            continue
        for field in sorted(set(new["required"]) - set(old["required"])):
            yield f"{name}.{field} is needed now, and older services do not say it"
        for field in sorted(set(old["required"]) - set(new["required"])):
            yield f"{name}.{field} may be missing now, and older services need it"
        for field, form in old["properties"].items():
            if new["properties"].get(field) != form:
                yield f"{name}.{field} has another form now: {form} became {new['properties'].get(field)}"


def test_nothing_that_was_released_is_broken() -> None:
    assert not list(breaks(json.loads(FILE.read_text("utf-8")), forms()))


def test_additions_are_recorded() -> None:
    assert forms().keys() == json.loads(FILE.read_text("utf-8")).keys(), "run: make papers"


OLD: Forms = {"a.v1": {"required": ["x"], "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}}}
X, Y = {"x": {"type": "integer"}}, {"y": {"type": "string"}}


@pytest.mark.parametrize(
    ("now", "complaint"),
    [
        ({"required": ["x"], "properties": {**X, **Y, "z": {"type": "string"}}}, None),
        ({"required": ["x", "z"], "properties": {**X, **Y, "z": {"type": "string"}}}, "z is needed now"),
        ({"required": [], "properties": {**X, **Y}}, "x may be missing now"),
        ({"required": ["x"], "properties": X}, "y has another form"),
        ({"required": ["x"], "properties": {**X, "y": {"type": "integer"}}}, "y has another form"),
        (None, "is gone"),
    ],
)
def test_a_break_is_named(now: Any, complaint: str | None) -> None:
    found = list(breaks(OLD, {"a.v1": now} if now else {}))
    assert (complaint is None) == (not found)
    assert complaint is None or complaint in found[0]


def main() -> None:
    """Adds what is new to what was released."""
    was = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    found = list(breaks(was, forms()))
    if found:
        raise SystemExit("\n".join(found))
    lines = [f"{json.dumps(name)}: {json.dumps(form, sort_keys=True)}" for name, form in sorted(forms().items())]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
