"""Value types of the domains: frozen for mypy and in every test, plain objects in the product.

A frozen dataclass sets each field through `object.__setattr__`: with 7 fields it takes 0.74 µs to create, a plain one
0.17 µs. That was a twentieth of a batch's time. So mypy refuses code that assigns to a field of a value, the tests run
with dataclasses that are really frozen (tests/conftest.py), and the product pays nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, **options):
        """Like `dataclass(frozen=True, ...)`, compared and hashed by its fields, but it does not freeze."""
        return dataclass(unsafe_hash=frozen, **options)


class Personal:
    """Marks a field that says something about a person: `Annotated[str, Personal]`. Stored documents derive from the
    classes of the states (shared/runtime/codecs), and a marked field is sealed there.

    tests/unit/test_personal_fields.py fills every state of every service and looks for marked fields in what is stored.
    """


__all__ = ["Personal", "value"]
