"""Cases 29 and 30: what programs send wrong in events. Huge numbers are refused by name; a retry has one effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pytest

from shared.contracts import topics
from shared.runtime.records import Message
from tests.unit.lists.test_cases_as_events import GOOD
from tests.unit.lists.test_roads_agree import GOOD_OF, judged
from tests.unit.registration.imports.imports_context import MemoryContext

INTAKE = topics.registration_intake("64.08", "dinsos")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("monthly_income", 10**30),
        ("monthly_income", 1_000_000.0),
        ("monthly_income", "1000000"),
        ("nik", 6408042011909103),
        ("birth_date", "1990-11-20T00:00:00"),
        ("name", "A\u0000B"),
        ("family_card", 6408042011909103),
    ],
)
def test_a_field_of_a_program_is_taken_or_refused_by_name(field: str, value: Any) -> None:
    reasons, taken = judged("workers", {**GOOD, field: value})
    if field == "birth_date":
        # A day with midnight behind it has one meaning.
        assert (reasons, taken.birth_date) == ((), "1990-11-20")
    else:
        assert reasons == (("nik-malformed",) if field == "nik" else (f"field-invalid:{field}",))


@pytest.mark.parametrize(
    ("details", "reasons"),
    [
        (
            {"days_off_work": 10**25, "treatment_cost": 10**28, "transport": {"land": 10**24, "sea": 0, "air": 0}},
            ("days_off_work", "transport.land", "treatment_cost"),
        ),
        ({"days_off_work": 9 * 10**17, "treatment_cost": 9 * 10**18}, ("days_off_work", "treatment_cost")),
        ({"days_off_work": 3}, ()),
    ],
)
def test_amounts_of_a_claim_are_taken_or_refused_by_name(details: Mapping[str, Any], reasons: tuple[str, ...]) -> None:
    claim = {**GOOD_OF["claims"], "details": {"outcome": "temporary", **details}}
    assert judged("claims", claim)[0] == tuple(f"field-invalid:details.{one}" for one in reasons)


async def test_a_retry_with_a_new_time_and_another_order_has_one_effect() -> None:
    context = MemoryContext()
    for time, data in (("12:00:00", GOOD), ("12:09:59", dict(reversed(list(GOOD.items()))))):
        one = {
            "specversion": "1.0",
            "id": "retry-1",
            "source": "agency/64.08/dinsos",
            "type": "worker.register.v1",
            "time": f"2026-11-30T{time}+00:00",
            "data": data,
        }
        await context.publish([Message(INTAKE, b"retry-1", orjson.dumps(one))])
    said = [orjson.loads(record.value or b"") for log in context.topics.logs.values() for record in log]
    # The retry repeats the first outcomes under their ids, so readers drop them.
    outcomes = {(one["type"], one["id"]): one["data"] for one in said if one["id"] != "retry-1"}
    told = [data for (kind, _), data in outcomes.items() if kind == "submission.answered.v1"]
    assert [one["outcome"] for one in told] == ["registered"]
    assert [kind for kind, _ in outcomes].count("worker.registered.v1") == 1
