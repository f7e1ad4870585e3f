"""The table of users, for names that begin alike: nobody gets a right of another through the beginning of a name."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from payung.access import table
from payung.access.table import Grant, User
from shared.contracts import topics

READS = table.consumed()
AGENCIES = st.from_regex(r"[a-z][a-z0-9-]{0,6}[a-z0-9]", fullmatch=True)
ALIKE = ("dinsos", "dinsos2", "dinsos-2", "dins", "dinsos-dlq", "dinsos-work")


def matches(grant: Grant, kind: str, name: str) -> bool:
    """As Kafka's authorizer judges."""
    return grant.kind == kind and (name.startswith(grant.name) if grant.prefixed else name == grant.name)


def may(user: User, operation: str, kind: str, name: str) -> bool:
    return any(one.operation == operation and matches(one, kind, name) for one in user.grants)


def admitted(names: list[str]) -> list[User]:
    standing = [topics.registration_intake("64.08", one) for one in names]
    return table.users([*standing, *(topics.claims_intake("64.08", one) for one in names)], READS)


def check(names: list[str]) -> None:
    users = {one.name: one for one in admitted(names) if not one.super_user}
    for mine, other in permutations(names, 2):
        user = users[table.agency_name("64.08", mine)]
        for topic in (topics.registration_intake("64.08", other), topics.claims_intake("64.08", other)):
            assert not may(user, "write", "topic", topic), (mine, topic)
        assert not may(user, "read", "topic", topics.feedback("64.08", other)), (mine, other)
    for one, other in permutations(users, 2):
        # A service's group has another name than its user.
        for group in (other, f"{other}.laporan", f"payung-{other}"):
            if group != f"payung-{one}":
                assert not may(users[one], "read", "group", group), (one, group)


def test_users_whose_names_begin_alike_share_no_right() -> None:
    check(list(ALIKE))


@given(st.lists(AGENCIES, min_size=2, max_size=4, unique=True))
@settings(max_examples=50, deadline=None)
def test_no_two_names_share_a_right(names: list[str]) -> None:
    check(names)


def test_only_services_have_rights_by_the_beginning_of_a_topics_name() -> None:
    for user in admitted(list(ALIKE)):
        wide = {one for one in user.grants if one.kind == "topic" and one.prefixed}
        assert not wide or user.internal, user.name
        # No right by a beginning covers a topic of the fixed table.
        fixed = {one.name for one in topics.fixed_topics()}
        assert not [one for one in wide for name in fixed if name.startswith(one.name)], user.name
