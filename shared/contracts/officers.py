"""Who an officer is: the name in the source of their event, and no other. Pure.

A field `officer` may repeat it; where it names somebody else the decision is refused, so that nobody decides under
another's name.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from shared.contracts import topics


def name_of(source: str) -> str | None:
    """The officer whom a source names, decoded; None when it names none."""
    if not source.startswith(topics.OFFICER):
        return None
    return unquote(source.removeprefix(topics.OFFICER)).strip() or None


def source_of(name: str) -> str:
    """The source of what an officer of this name says."""
    return topics.OFFICER + quote(name.strip(), safe="")


def same_person(one: str, other: str) -> bool:
    """ "Rina" and "rina " are one person: where no login signs, names are typed by hand."""
    return _folded(one) == _folded(other)


def is_signed_by_another(named: object, source: str) -> bool:
    """Whether a decision names an officer who is not the one that sent it. A decision may leave the name out."""
    signed = name_of(source)
    if signed is None or named is None or (isinstance(named, str) and not named.strip()):
        return False
    return not isinstance(named, str) or not same_person(named, signed)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
