"""One worker, many sources: whose value is in force, what the page shows beside it, and what was known on an earlier
day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from services.registration.domain.decide import Facts
from services.registration.workers.documents import STORED
from services.registration.workers.domain import history, sources
from services.registration.workers.domain.state import Worker, WorkerStatus
from shared.kernel.decision import Address
from shared.reference import precedence
from shared.reference.precedence import PrecedenceError
from tests.property.registration_world import AT, FACTS, PERSONAL, REFERENCE, WORKER, World
from tests.toy import CIPHER

DINSOS, DESA, PERIKANAN, CAPIL = "64.08/dinsos", "64.08/desa", "64.08/perikanan", "64.08/disdukcapil"


def worker(world: World) -> Worker:
    state = STORED["workers"].decode(world.documents[Address("workers", WORKER)], CIPHER)
    assert isinstance(state, Worker)
    return state


def whose(world: World, name: str) -> tuple[Any, str]:
    one = sources.origins(worker(world), world.facts.precedence)[name]
    return one.value, one.agency


def test_one_agency_alone_stores_no_statements() -> None:
    world = World()
    world.register(**PERSONAL)
    world.register(DESA, **PERSONAL)
    assert worker(world).said == ()
    assert whose(world, "name") == ("SITI AMINAH", "dinsos")
    assert {one.agency for one in sources.statements(worker(world))} == {"dinsos", "desa"}


def test_among_equal_ranks_the_first_statement_counts_and_the_other_is_kept() -> None:
    world = World()
    world.register()
    said = world.register(DESA, phone="+62811", name="SITI AMINA")
    assert said == ["worker.disputed", "6408-desa attested !field-overruled:name"]
    assert whose(world, "name") == ("SITI AMINAH", "dinsos")
    assert whose(world, "phone") == ("+62811", "desa")
    (dissent,) = [one for one in worker(world).said if one.field == "name" and one.agency == "desa"]
    assert (dissent.value, dissent.submission_id, dissent.said_on) == ("SITI AMINA", "S2", "2026-02-01")


def test_a_sector_agency_outranks_on_its_own_sector_only() -> None:
    world = World()
    world.register(sector="agriculture", occupation="petani")
    said = world.send("attest", PERIKANAN, sector="fisheries", occupation="nelayan", attested_on="2026-01-05")
    assert said == ["worker.updated", "check 2", "worker.disputed", "6408-perikanan attested"]
    assert (whose(world, "sector"), whose(world, "occupation")) == (
        ("fisheries", "perikanan"),
        ("nelayan", "perikanan"),
    )
    assert world.checks()[-1].sector == "fisheries"
    other = World()
    other.register(sector="agriculture", occupation="petani")
    other.send("attest", PERIKANAN, sector="trade", occupation="pedagang", attested_on="2026-01-05")
    assert whose(other, "sector") == ("agriculture", "dinsos")


@pytest.mark.parametrize("order", [(DESA, CAPIL), (CAPIL, DESA)])
def test_the_highest_ranked_statement_counts_in_any_order(order: tuple[str, str]) -> None:
    world = World()
    names = {DESA: "SITI", CAPIL: "SITI AMINAH BINTI RAHMAT"}
    for agency in order:
        world.register(agency, name=names[agency])
    assert whose(world, "name") == ("SITI AMINAH BINTI RAHMAT", "disdukcapil")


def test_a_verified_identity_outranks_forms_but_not_corrections_or_the_registry() -> None:
    world = World()
    world.register()
    world.verdict("verified")
    assert world.register(DESA, name="SITI")[:1] == ["worker.disputed"]
    assert whose(world, "name") == ("SITI AMINAH", "dinsos")
    assert "check 2" in world.register(CAPIL, name="SITI AMINAH R")
    assert whose(world, "name") == ("SITI AMINAH R", "disdukcapil")
    said = world.send("update", DESA, name="SITI AMINAH B")
    assert said == ["6408-desa updated !field-overruled:name"]
    fresh = World()
    fresh.register()
    fresh.verdict("verified")
    assert "check 2" in fresh.send("update", DESA, name="SITI A")


def test_a_withdrawn_statement_is_replaced_by_the_next() -> None:
    world = World()
    world.register(sector="agriculture")
    world.register(PERIKANAN, sector="fisheries", occupation="nelayan")
    assert whose(world, "sector")[1] == "perikanan"
    world.register(PERIKANAN, sector="trade", occupation="pedagang")
    assert whose(world, "sector") == ("agriculture", "dinsos")


def test_the_same_file_twice_changes_nothing_after_anothers_correction() -> None:
    world = World()
    world.register()
    world.send("update", DESA, phone="+62811")
    assert world.register() == ["6408-dinsos already-registered"]
    assert whose(world, "phone") == ("+62811", "desa")


def test_agreement_again_ends_the_dispute() -> None:
    world = World()
    world.register()
    world.register(DESA, name="SITI")
    assert world.register(DESA)[0] == "worker.disputed"
    assert worker(world).said == ()


def test_the_right_form_is_tried_when_the_registry_refutes_the_first() -> None:
    world = World()
    world.register(birth_date="1985-07-02")
    world.register(DESA, birth_date="1985-07-01")
    assert world.verdict("rejected", 1, "birth-date-mismatch") == ["check 2"]
    assert world.checks()[-1].birth_date == "1985-07-01"
    assert world.verdict("verified", 2) == ["6408-dinsos S1 is verified", "6408-desa S2 is verified"]
    again = World()
    again.register(birth_date="1985-07-02")
    again.register(DESA, birth_date="1985-07-03")
    again.verdict("rejected", 1, "birth-date-mismatch")
    assert again.verdict("rejected", 2, "birth-date-mismatch") == [
        "6408-dinsos S1 is rejected birth-date-mismatch",
        "6408-desa S2 is rejected birth-date-mismatch",
    ]


HALF, WHOLE, WRONG = "AMINAH", "SITI AMINAH", "BUDI GUNAWAN"


def judge(world: World) -> list[str]:
    """The register answers every open check, until none is open: one name is right, one is close, one is wrong."""
    said = []
    while worker(world).status is WorkerStatus.CHECKING:
        check = world.checks()[-1]
        verdict = {WHOLE: ("verified",), HALF: ("held", "name-mismatch")}.get(check.name, ("rejected", "name-mismatch"))
        said = world.verdict(verdict[0], check.registration_version, *verdict[1:])
    return said


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("names", [(HALF, WHOLE), (HALF, WRONG), (HALF, WRONG, WHOLE), (HALF, HALF, WHOLE)])
def test_the_best_name_decides_in_any_order(names: tuple[str, ...], *, at_once: bool) -> None:
    for order in permutations(zip((DINSOS, DESA, PERIKANAN), names, strict=False)):
        world = World()
        for agency, name in order:
            world.register(agency, name=name)
            if not at_once:
                judge(world)
        judge(world)
        best = WorkerStatus.VERIFIED if WHOLE in names else WorkerStatus.HELD
        assert (worker(world).status, worker(world).form.name) == (best, WHOLE if WHOLE in names else HALF), order


def test_a_name_that_an_officer_accepted_is_not_doubted_again() -> None:
    world = World()
    world.register(name=HALF)
    judge(world)
    world.verdict("verified", 1)
    assert worker(world).said == ()
    assert world.register(DESA, name=WRONG)[1] == "6408-desa attested !field-overruled:name"
    assert worker(world).status is WorkerStatus.VERIFIED


def test_an_attestation_opens_the_check_that_waited_for_one() -> None:
    world = World()
    world.register()
    world.verdict("held", 1, "attestation-missing")
    said = world.send("attest", PERIKANAN, sector="fisheries", occupation="nelayan", attested_on="2026-01-05")
    assert "check 2" in said
    early = World()
    early.register()
    early.send("attest", PERIKANAN, sector="fisheries", occupation="nelayan", attested_on="2026-01-05")
    assert early.verdict("held", 1, "attestation-missing") == ["check 2"]
    assert early.verdict("held", 2, "attestation-missing")[0] == "6408-dinsos S1 is held attestation-missing"


def test_an_earlier_day_is_shown_as_it_was() -> None:
    world = World()
    world.register()
    world.verdict("verified")
    world.at = AT + timedelta(days=10)
    world.send("update", name="SITI A", village="64.08.04.2011")
    world.at = AT + timedelta(days=20)
    world.send("withdraw", reason="moved", date="2026-03-01")
    now = worker(world)
    then, known = history.as_of(now, AT + timedelta(days=5))
    assert (then.form.name, then.form.village, then.status) == ("SITI AMINAH", "64.08.04.2001", "verified")
    assert (known["name"].agency, known["name"].submission_id) == ("dinsos", "S1")
    then, _ = history.as_of(now, AT + timedelta(days=15))
    assert (then.form.name, then.status) == ("SITI A", "checking")
    assert history.as_of(now, datetime.max.replace(tzinfo=UTC))[0] == now


def test_history_is_bounded() -> None:
    world = World()
    world.register()
    for number in range(history.STEPS_MAX + 5):
        world.send("update", phone=f"+{number}")
    assert len(worker(world).history) == history.STEPS_MAX


def test_a_regencys_own_precedence_replaces_the_shipped_one() -> None:
    text = """
version = "kutim-1"
basis = "SK Bupati"
[[rule]]
fields = ["phone"]
order = ["desa", ["dinsos", "perikanan"]]
[[rule]]
fields = ["phone"]
regency = "64.02"
order = ["perikanan"]
"""
    ranks = precedence.read(text)
    assert [ranks.rank("64.08", "phone", one) for one in ("desa", "dinsos", "perikanan", "x")] == [0, 1, 1, 1000]
    assert [ranks.rank("64.02", "phone", one) for one in ("desa", "perikanan")] == [1000, 0]
    world = World(facts=Facts(precedence=ranks))
    world.register(phone="1")
    world.register(DESA, phone="2")
    assert whose(world, "phone") == ("2", "desa")


@pytest.mark.parametrize(
    ("old", "new"),
    [('["phone"]', '["telephone"]'), ("order", "ranking"), ('"desa"', '"De Sa"'), ('version = "1"', ""), ("]", "")],
)
def test_a_wrong_precedence_file_is_refused(old: str, new: str) -> None:
    text = 'version = "1"\nbasis = "b"\n[[rule]]\nfields = ["phone"]\norder = ["desa"]\n'
    assert precedence.read(text).version == "1"
    with pytest.raises(PrecedenceError):
        precedence.read(text.replace(old, new))


def test_the_statements_of_agencies_are_sealed() -> None:
    world = World()
    world.register(**PERSONAL)
    world.register(DESA, **{**PERSONAL, "name": "SITI RAHASIA", "heir": {"name": "Lain Orang"}})
    world.send("update", name="SITI BARU")
    stored = repr(world.documents)
    assert [one for one in ("RAHASIA", "Lain Orang", "BARU", "SITI", "Halimah") if one in stored] == []
    assert replace(REFERENCE, id_key=b"").precedence == FACTS.precedence
