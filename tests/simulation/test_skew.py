"""Two releases side by side: a reader ignores what a newer producer adds, and does not need what an older one omits.

Every read changes the events between the services: one process reads an event with more fields, and the next reads the
same event with fewer. The end equals that of the straight fold, which knows only this release.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args, get_origin

import orjson
import pytest

from shared.contracts import envelope, topics
from shared.contracts.admission import RuleOfTopic, rule_of
from shared.contracts.base import Data
from tests.simulation.play import SEEDS_A_STORY, play

STORIES = 40
TOMORROW = {"a_field_of_tomorrow": 1, "another": {"of": ["tomorrow"]}, "none": None}


def grown(found: Any, model: type[Data] | None) -> Any:
    """The data as a later release may send them: with more fields in every model (but not in a map of districts)."""
    if isinstance(found, list):
        return [grown(one, model) for one in found]
    if not isinstance(found, dict) or model is None:
        return found
    within = {name: _model_in(field.annotation) for name, field in model.model_fields.items()}
    return {**{name: grown(value, within.get(name)) for name, value in found.items()}, **TOMORROW}


def _model_in(annotation: Any) -> type[Data] | None:
    """The model of a field: the field's type itself, or the model in a sequence or a union."""
    if isinstance(annotation, type) and issubclass(annotation, Data):
        return annotation
    if get_origin(annotation) in (dict, Mapping):
        return None
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)


def shrunk(data: Mapping[str, Any], model: type[Data]) -> dict[str, Any]:
    """The data as an earlier release sent them: without optional fields."""
    fields = model.model_fields
    return {
        name: value
        for name, value in data.items()
        if name not in fields or fields[name].is_required() or value != fields[name].get_default()
    }


class Releases:
    """Changes what is read, and counts the changes, so that a test without changes fails."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)
        self._read = envelope.read
        self.newer = self.older = 0

    def read(
        self,
        value: bytes | None,
        headers: Any,
        topic: str,
        at_ms: int,
        inputs: Mapping[str, type],
        table: RuleOfTopic = rule_of,
        hashed: envelope.Hashed = envelope.unhashed,
        key: bytes = b"",
    ) -> Any:
        """Like envelope.read."""
        if not topics.is_from_outside(topic):
            # The record itself is always the same: only its reader is of another release.
            found = hashed(value or b"")
            value = self._changed(orjson.loads(value or b""), inputs)
            return self._read(value, headers, topic, at_ms, inputs, table, lambda _: found, key)
        return self._read(value, headers, topic, at_ms, inputs, table, hashed, key)

    def _changed(self, event: dict[str, Any], inputs: Mapping[str, type]) -> bytes:
        model = inputs.get(event["type"])
        if model is None or not issubclass(model, Data):
            event = {**event, **TOMORROW}
        elif self._rng.random() < 0.5:
            self.newer += 1
            event = {**event, "data": grown(event["data"], model), **TOMORROW}
        else:
            less = shrunk(event["data"], model)
            self.older += less != event["data"]
            event = {**event, "data": less}
        return orjson.dumps(event)

    @contextmanager
    def planted(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(envelope, "read", self.read)
            yield


def test_two_releases_side_by_side_end_like_one() -> None:
    newer = older = 0
    for number in range(STORIES):
        seed = number * SEEDS_A_STORY + number % SEEDS_A_STORY
        releases = Releases(seed)
        play(seed, releases.planted)
        newer += releases.newer
        older += releases.older
    assert newer > 20 * STORIES
    assert older > STORIES
