"""Reads the plain meaning of an agency's fields, once for every command and every way in, before any rule judges them.

An instant becomes its day in WITA, a dash becomes empty, a telephone gets its +62, a relation its code, and a village's
name becomes its code when only one village can be meant. A value without a plain meaning stays unchanged, and the rules
refuse it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.contracts import topics
from shared.contracts.reasons import Reason
from shared.contracts.registration import RegisterProject, RegisterWorker, ReportOutreach, UpdateWorker
from shared.kernel import contacts
from shared.kernel.calendar import day_of
from shared.kernel.debris import says_nothing
from shared.kernel.event import Intake
from shared.reference.areas import Areas

DAYS = frozenset(
    {"birth_date", "date", "attested_on", "held_on", "starts_on", "ends_on", "contract_date", "changed_on"}
    | {"installed_on", "given_at", "started_on", "contract_ends_on", "registered_with_bpjs_on"}
)
_CONTACTS: Mapping[str, Callable[[str], str]] = {"phone": contacts.phone, "relation": contacts.relation}
# The commands that name a village.
OF_VILLAGES = (RegisterWorker, UpdateWorker, RegisterProject, ReportOutreach)
# Objects inside the data whose fields are read in the same way; `workers` is a list of them.
_INSIDE = frozenset({"consent", "heir", "workers"})
# An agency's own number is taken exactly as written.
_AS_IT_IS = frozenset({"submission_id"})
_DAY_LENGTH = 10
_SHORT = 3
CANDIDATES_MAX = 5


def plain(intake: Intake, source: str, areas: Areas) -> tuple[Intake, tuple[str, ...]]:
    """The same command with the plain meaning of its fields, and warnings that say which interpretation was made."""
    fields = _read(intake.fields)
    village, warnings = _village(fields, source, areas) if isinstance(intake, OF_VILLAGES) else (None, ())
    if village is not None:
        fields = {**fields, "village": village}
    if fields is intake.fields:
        return intake, warnings
    return type(intake)(fields, intake.problem), warnings


def _read(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    changed: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            if name in DAYS:
                read = _day(value)
            elif len(value) <= _SHORT and value and name not in _AS_IT_IS and says_nothing(value):
                read = ""
            elif name in _CONTACTS:
                read = _CONTACTS[name](value.strip())
            else:
                continue
        elif name in _INSIDE:
            read = _inside(value)
        else:
            continue
        if read is not value:
            changed[name] = read
    return {**fields, **changed} if changed else fields


def _day(value: str) -> str:
    if len(value) == _DAY_LENGTH:
        return value
    day = day_of(value)
    if day is not None:
        return day.isoformat()
    return "" if says_nothing(value) else value


def _inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _read(value)
    if isinstance(value, list):
        read = [_read(item) if isinstance(item, Mapping) else item for item in value]
        return read if any(new is not old for new, old in zip(read, value, strict=True)) else value
    return value


def _village(fields: Mapping[str, Any], source: str, areas: Areas) -> tuple[str | None, tuple[str, ...]]:
    """The code of a village that is written by name, and the warnings for the sender.

    The warnings name the code that was taken, or the candidates when several villages have the name.
    """
    text, sender = fields.get("village"), topics.agency_of_source(source)
    if not isinstance(text, str) or not text.strip() or sender is None:
        return None, ()
    district = fields.get("district")
    within = district if isinstance(district, str) and not says_nothing(district) else ""
    if areas.village(areas.resolve(text.strip())) is not None:
        return None, _district(within, text.strip(), areas)
    found = areas.called(text, within, sender[0])
    if len(found) == 1:
        # A code followed by its own name needs no warning.
        is_coded = text.strip().startswith(found[0].code)
        told = _district(within, found[0].code, areas) if is_coded else (f"{Reason.VILLAGE_TAKEN}:{found[0].code}",)
        return found[0].code, told
    maybe = found or areas.called(text, "", sender[0])
    return None, tuple(f"{Reason.VILLAGE_CANDIDATE}:{one.code}" for one in maybe[:CANDIDATES_MAX])


def _district(text: str, village: str, areas: Areas) -> tuple[str, ...]:
    """A warning when a text names another district of the regency than that of the village.

    A village that moved has an old code; its old district is no mistake.
    """
    known = areas.village(village)
    if not text or known is None:
        return ()
    named = areas.district_called(text, known.regency)
    return () if named is None or named == known.district else (f"{Reason.DISTRICT_DIFFERS}:{known.district}",)
