"""The table of each service takes all inputs of the service, and says what every stage does with each part."""

from __future__ import annotations

import importlib

import pytest

from shared.runtime.spec import ServiceSpec
from tests.tables import CASES, TABLES, text


@pytest.mark.parametrize("name", TABLES)
def test_the_table_is_the_one_that_was_reviewed(name: str) -> None:
    """`python -m tests.tables` writes it anew. Read the difference: each line is a decision of the service."""
    assert text(TABLES[name]) == (CASES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_input_finds_a_document_and_every_collection_is_stored(name: str) -> None:
    spec: ServiceSpec = importlib.import_module(f"services.{name}.stream").SPEC
    assert TABLES[name].inputs == set(spec.inputs.values())
    assert set(TABLES[name].matrix()) <= set(spec.stored)


@pytest.mark.parametrize("name", TABLES)
def test_every_stage_of_every_document_names_what_it_does_with_every_part(name: str) -> None:
    for collection, rows in TABLES[name].matrix().items():
        stages = {tuple(cells) for cells in rows.values()}
        assert len(stages) == 1, collection
        assert all(label for cells in rows.values() for label in cells.values()), collection
