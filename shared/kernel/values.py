"""Values of the domains: frozen for the type checker, plain objects at run time.

A frozen dataclass sets each field through `object.__setattr__` and takes three times as long to make as another; those
that are made for every record were a twentieth of a batch. Nothing assigns to a field of a value: mypy refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, **options):
        """As `dataclass(frozen=True, ...)`: equal and hashed by its fields."""
        return dataclass(unsafe_hash=frozen, **options)


__all__ = ["value"]
