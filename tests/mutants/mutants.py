"""All planted defects, in the order of the report."""

from __future__ import annotations

from tests.mutants import planted_batches, planted_documents, planted_outcomes
from tests.mutants.registry import MUTANTS, Mutant, broken_law

__all__ = ["MUTANTS", "Mutant", "broken_law", "planted_batches", "planted_documents", "planted_outcomes"]
