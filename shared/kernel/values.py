"""Value types of the domains: frozen for the type checker, plain objects at run time.

A frozen dataclass sets each field through `object.__setattr__` and takes three times as long to create; creating those
that are made for every record took a twentieth of a batch's time. Code never assigns to a field of a value: mypy
refuses it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(*, frozen, **options):
        """Like `dataclass(frozen=True, ...)`: compared and hashed by its fields."""
        return dataclass(unsafe_hash=frozen, **options)


class Personal:
    """Marks a field that says something about a person: `Annotated[str, Personal]`. Stored documents derive from the
    classes of the states (shared/runtime/codecs), and a marked field is sealed there.

    tests/unit/test_personal_fields.py fills every state of every service and looks for marked fields in what is stored.
    """


__all__ = ["Personal", "value"]
