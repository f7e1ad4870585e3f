"""Reads a form from outside once: typed values, reasons and warnings in one pass. Pure.

Theory of operation
A form is a table of steps, in the order in which an answer lists their reasons.
* A `Field` takes the raw value of one name. Its reader returns the typed value, or says what is wrong with it.
* A `Rule` judges values that were read before it. It sees typed values only.
When no step gives a reason, `make` builds the form's value from the typed values. After that nobody looks at a raw
value again. The readers that all services share are in `readers`; this module knows no field and no command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, Never, TypeAlias

from typing_extensions import TypeVar

from shared.contracts.reasons import Reason
from shared.kernel.debris import says_nothing
from shared.kernel.event import Intake
from shared.kernel.values import value

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
V_co = TypeVar("V_co", covariant=True)
# What readers know besides the form, for example the day of receipt. Each service has its own class for it.
G = TypeVar("G", default=Any)
G_contra = TypeVar("G_contra", contravariant=True, default=Any)


@value(frozen=True, slots=True)
class Noted(Generic[T_co]):
    """A value with the reasons against it and the warnings about it.

    The bare reasons FIELD_MISSING and FIELD_INVALID get the field's name. A value that is understood and still refused
    may be given along with its reasons: later rules then see it.
    """

    value: T_co | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


Wrong: TypeAlias = Noted[Never]
MISSING: Wrong = Noted(reasons=(Reason.FIELD_MISSING,))
INVALID: Wrong = Noted(reasons=(Reason.FIELD_INVALID,))


def wrong(*reasons: str) -> Wrong:
    """No value, and why."""
    return Noted(reasons=reasons)


def missing(name: str) -> str:
    """The reason for an empty field."""
    return f"{Reason.FIELD_MISSING}:{name}"


def invalid(name: str) -> str:
    """The reason for a field with an invalid value."""
    return f"{Reason.FIELD_INVALID}:{name}"


def is_empty(raw: object) -> bool:
    """Whether a field carries no value: absent, null, blank, or a dash."""
    return raw is None or (isinstance(raw, str) and says_nothing(raw))


def is_blank(raw: object) -> bool:
    """Whether a field is absent, null or blank; a dash counts as a value."""
    return raw is None or (isinstance(raw, str) and not raw.strip())


def never(_: object) -> bool:
    """Never empty: the reader itself decides what an empty field means."""
    return False


class Values(Generic[G]):
    """The values read so far, by their steps, and `given`: what the readers know besides the form."""

    __slots__ = ("by_name", "given", "reasons", "warnings")

    def __init__(self, given: G) -> None:
        self.given = given
        self.reasons: list[str] = []
        self.warnings: list[str] = []
        self.by_name: dict[str, Any] = {}

    def __getitem__(self, step: Field[T, Any] | Rule[T, Any]) -> T:
        """The value of a step that must have one: a required field of a form without reasons."""
        found: T = self.by_name[step.name]
        return found

    def get(self, step: Field[T, Any] | Rule[T, Any]) -> T | None:
        """The value of a step; None when it has none."""
        return self.by_name.get(step.name)

    def note(self, name: str, called: str, found: Any) -> None:
        """Takes what a step of this name returned; its reasons call the field `called`."""
        if found.__class__ is Noted:
            self.warnings += found.warnings
            for reason in found.reasons:
                is_bare = reason in (Reason.FIELD_MISSING, Reason.FIELD_INVALID)
                self.reasons.append(f"{reason}:{called}" if is_bare else str(reason))
            found = found.value
        if found is not None:
            self.by_name[name] = found


class Field(Generic[T_co, G_contra]):
    """One field of a form.

    `read` gets the raw value, unless it is empty, and the values read so far. `absent` is the reason when a required
    field is empty. `empty` says which raw values count as none.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[Any, Values[G_contra]], T_co | Noted[T_co] | None],
        *,
        called: str = "",
        absent: str = "",
        optional: bool = False,
        empty: Callable[[object], bool] = is_empty,
    ) -> None:
        self.name = name
        self.called = called or name
        self._read = read
        self._absent = str(absent) or missing(self.called)
        self._optional = optional
        self._empty = empty

    def if_named(self) -> Field[T_co, G_contra]:
        """The same field in a form that may leave it out."""
        return Field(self.name, self._read, called=self.called, optional=True, empty=self._empty)

    def take(self, fields: Mapping[str, Any], values: Values[Any]) -> None:
        """Reads the raw value."""
        name = self.name
        raw = fields.get(name)
        if self._empty(raw):
            if not self._optional:
                values.reasons.append(self._absent)
        else:
            found = self._read(raw, values)
            if found.__class__ is Noted or found is None:
                values.note(name, self.called, found)
            else:
                values.by_name[name] = found


class Rule(Generic[T_co, G_contra]):
    """Judges values that were read before, or makes a further value of them. It returns None when nothing is wrong."""

    def __init__(
        self, name: str, judge: Callable[[Values[G_contra]], T_co | Noted[T_co] | None], *, called: str = ""
    ) -> None:
        self.name = name
        self.called = called or name
        self._judge = judge

    def if_named(self) -> Rule[T_co, G_contra]:
        """A rule sees missing values as None, so it needs no other form."""
        return self

    def take(self, fields: Mapping[str, Any], values: Values[Any]) -> None:
        """Judges the values; a rule does not see raw fields."""
        found = self._judge(values)
        if found is not None:
            values.note(self.name, self.called, found)


@value(frozen=True, slots=True)
class Read(Generic[V_co]):
    """A form that was read: its value, or None and every reason against it. `values` are those that could be read."""

    value: V_co | None
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    values: Values[Any]


class Form(Generic[V_co, G_contra]):
    """The table of a form's steps in the order of their reasons, and `make`, which builds its value."""

    def __init__(
        self,
        make: Callable[[Values[G_contra]], V_co],
        *steps: Field[Any, G_contra] | Rule[Any, G_contra],
    ) -> None:
        self._make = make
        self._takes = tuple(step.take for step in steps)

    def read(self, fields: Mapping[str, Any], given: G_contra) -> Read[V_co]:
        """Reads every field once. Each reason is given once."""
        values = Values(given)
        for take in self._takes:
            take(fields, values)
        if values.reasons:
            return Read(None, tuple(dict.fromkeys(values.reasons)), tuple(values.warnings), values)
        return Read(self._make(values), (), tuple(values.warnings), values)

    def of(self, intake: Intake, given: G_contra) -> Read[V_co]:
        """Reads a command. Data that are not an object have no fields, so that is the only reason."""
        if intake.problem is not None:
            return Read(None, (invalid("data"),), (), Values(given))
        return self.read(intake.fields, given)
