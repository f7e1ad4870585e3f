"""Laws of the sources: order decides only among equals, no value is lost, and every earlier moment can be shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.registration.workers.documents import STORED
from services.registration.workers.domain import history, sources
from services.registration.workers.domain.state import Worker
from shared.kernel.decision import Address
from tests.property.registration_world import AT, WORKER, World
from tests.property.test_registration_laws import play, steps
from tests.toy import CIPHER

AGENCIES = ("64.08/dinsos", "64.08/desa", "64.08/perikanan", "64.08/disdukcapil")
forms = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["SITI AMINAH", "SITI", "AMINAH"]),
        "birth_date": st.sampled_from(["1985-07-01", "1985-07-02"]),
        "phone": st.sampled_from(["1", "2"]),
        "sector": st.sampled_from(["fisheries", "trade", "agriculture"]),
    },
)


def worker(world: World) -> Worker | None:
    body = world.documents.get(Address("workers", WORKER))
    state = STORED["workers"].decode(body, CIPHER) if body is not None else None
    return state if isinstance(state, Worker) else None


@given(st.permutations(AGENCIES), st.tuples(forms, forms, forms, forms))
def test_the_same_statement_counts_in_any_order(order: list[str], said: tuple[dict[str, Any], ...]) -> None:
    by_agency = dict(zip(AGENCIES, said, strict=True))
    world = World()
    for agency in order:
        world.register(agency, **by_agency[agency])
    stands = worker(world)
    assert stands is not None
    registry = {"name": "SITI AMINAH", "birth_date": "1985-07-01", **by_agency["64.08/disdukcapil"]}
    assert (stands.form.name, stands.form.birth_date) == (registry["name"], registry["birth_date"])
    if by_agency["64.08/perikanan"].get("sector", "fisheries") == "fisheries":
        assert stands.form.sector == "fisheries"


@given(st.permutations(AGENCIES), st.tuples(forms, forms, forms, forms))
def test_every_statement_is_kept_and_every_value_comes_from_one(
    order: list[str], said: tuple[dict[str, Any], ...]
) -> None:
    world = World()
    for agency, form in zip(order, said, strict=True):
        world.register(agency, **form)
    stands = worker(world)
    assert stands is not None
    kept = {(one.agency, one.field): one.value for one in sources.statements(stands)}
    for agency, form in zip(order, said, strict=True):
        for name, value in form.items():
            assert kept[agency.split("/")[1], name] == value
    for name, one in sources.origins(stands, world.facts.precedence).items():
        assert getattr(stands.form, name) == one.value


@given(st.lists(steps, max_size=12))
def test_every_earlier_moment_is_shown_as_it_was(played: list[tuple[str, Any, Any]]) -> None:
    world, seen = World(), []
    for number, (name, who, what) in enumerate(played):
        world.at = AT + timedelta(hours=number)
        play(world, name, who, what)
        seen.append((world.at, worker(world)))
    now = worker(world)
    for at, then in seen:
        if then is None or now is None:
            continue
        shown, _ = history.as_of(now, at)
        assert (shown.status, shown.regency) == (then.status, then.regency)
        for field in sources.FIELDS:
            assert getattr(shown.form, field) == getattr(then.form, field), field
        assert shown.form.district == then.form.district
