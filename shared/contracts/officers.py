"""Identifies an officer by the name in the source of their event, and by nothing else. Pure.

A field `officer` may repeat the name. When it names another person the decision is refused, so that an officer cannot
decide under another's name.
"""

from __future__ import annotations

from urllib.parse import quote, unquote

from shared.contracts import topics


def name_of(source: str) -> str | None:
    """The officer that a source names, decoded; None when it names none."""
    if not source.startswith(topics.OFFICER):
        return None
    return unquote(source.removeprefix(topics.OFFICER)).strip() or None


def source_of(name: str) -> str:
    """The source of events by an officer of this name."""
    return topics.OFFICER + quote(name.strip(), safe="")


def same_person(one: str, other: str) -> bool:
    """Whether two names mean one person ("Rina" and "rina " do): without a login, names are typed by hand."""
    return _folded(one) == _folded(other)


def is_signed_by_another(named: object, source: str) -> bool:
    """Whether a decision names another officer than its sender. A decision may leave the name out."""
    signed = name_of(source)
    if signed is None or named is None or (isinstance(named, str) and not named.strip()):
        return False
    return not isinstance(named, str) or not same_person(named, signed)


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
