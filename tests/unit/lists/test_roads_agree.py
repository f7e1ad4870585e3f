"""Law: a text means the same in a list and in a program's event, or the event's field is refused by name.

Every kind of list of workers, and claims; each column of it, with what offices write into cells.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.claims.domain import decide as claims
from services.claims.domain.forms import ClaimSubmission
from services.claims.domain.state import Reference
from services.registration.domain import decide as registration
from services.registration.workers.domain.commands import Attest, RegistrationForm, Update, Withdraw
from shared.contracts import envelope, topics
from shared.contracts.catalogue import COMMANDS
from shared.contracts.reasons import field_of
from shared.lists.cells import CellMeaning
from shared.lists.columns import LAYOUTS, Column, ListKind, match
from shared.reference import rates
from shared.runtime import clock
from tests.property.registration_world import REFERENCE
from tests.unit.lists.test_cases_as_events import GOOD, at, put

GOOD_OF: Mapping[ListKind, Mapping[str, Any]] = {
    "workers": GOOD,
    "updates": {"submission_id": "1", "nik": "6408044107850002"},
    "withdrawals": {"submission_id": "1", "nik": "6408044107850002", "reason": "moved", "date": "2026-01-04"},
    "attestations": {
        "submission_id": "1",
        "nik": "6408044107850002",
        "sector": "fisheries",
        "occupation": "nelayan",
        "attested_on": "2026-01-04",
    },
    "claims": {
        "claim_no": "KLM-1",
        "nik": "6408044107850002",
        "kind": "jkk",
        "event_date": "2026-01-04",
        "cause": "accident",
        "details": {"outcome": "partial", "days_off_work": 3, "loss_percent": 5, "treatment_cost": 1_000_000},
        "documents": ["kk1", "kk2"],
        "claimant": {"name": "RAHMAT", "relation": "spouse", "account": "123"},
    },
}
CLAIMS_REFERENCE = Reference(rates.load(), bytes(32))
WORDS = (
    *("", " ", "-", "#N/A", "0", "1", "Ya", "tidak", "belum", "L", "P", "F", "m", "Laki2", " perempuan ", "ISTRI"),
    *("6408044107850002", " 6408044107850002 ", "6408.0441.0785.0002", "'6408044107850002", "6.40804E+15"),
    *("1985-07-01", "01/07/1985", "1 Juli 1985", "1985-06-30T16:00:00Z", "1985-07-01 00:00:00", "31229"),
    *("2026-01-04", "2026-01-03T17:30:00Z", "04/01/2026", "4 Jan 2026", "46026"),
    *("64.08.04.2001", "64.08.04.2001 Swarga Bara", "6408042001", "Swarga Bara", "Sangatta Utara"),
    *("fisheries", "Perikanan", "FISHERIES", "tambang", "1000000", "1.000.000", "Rp 1.000.000", "1,5 juta"),
    *("081234567890", "+62 812-3456-7890", "62812 3456 7890", "81234567890", "tidak ada", "(0549) 21234"),
    *("SITI  AMINAH", "\u00a0SITI\u200b AMINAH ", '="SITI"', "'=1+1", "a\x00b", "JKK", "kematian", "kk1; kk2", "moved"),
    *("jkm", "accident", "Kecelakaan", "death", "meninggal", "12,5", "5%", "suami", "anak kandung", "2026/2027"),
)
CELL = st.sampled_from(WORDS) | st.text(alphabet=st.sampled_from("0123456789 ./-'abEeTZ:+\u00a0\u200b_x"), max_size=20)


def judged(kind: ListKind, data: Mapping[str, Any]) -> tuple[tuple[str, ...], Any]:
    """The reasons for which the service refuses this data; else what it takes from it."""
    source, topic = "agency/64.08/dinsos", topics.registration_intake("64.08", "dinsos")
    if kind == "claims":
        topic = topics.claims_intake("64.08", "dinsos")
    one = {"specversion": "1.0", "id": "1", "source": source, "type": LAYOUTS[kind].type, "data": data}
    commands = COMMANDS["claims" if kind == "claims" else "registration"]
    event = envelope.read(json.dumps(one).encode(), (), topic, int(clock.now().timestamp() * 1000), commands)
    assert event is not None
    route: Any = claims.route if kind == "claims" else registration.route
    (routed,) = route(event, CLAIMS_REFERENCE if kind == "claims" else REFERENCE)
    part = routed.data
    match part:
        case RegistrationForm() | ClaimSubmission():
            return (), part.form
        case Update():
            return (), part.changes
        case Withdraw():
            return (), (part.reason, part.effective_on)
        case Attest():
            return (), (part.sector, part.occupation, part.attested_on)
        case _:
            return part.reasons, None


def read_cell(kind: ListKind, column: Column, text: str) -> Any:
    """The value that the list reader sends for a cell of a column; None for an empty one."""
    layout = LAYOUTS[kind]
    names = [column.name, *(one.name for one in layout.columns if one.required and one is not column)]
    data, _ = CellMeaning(names, match(names, layout), layout).read("1", [text] + [""] * (len(names) - 1))
    return at(data, column.path)


@pytest.mark.parametrize("kind", sorted(GOOD_OF))
@settings(max_examples=400, deadline=None)
@given(data=st.data(), text=CELL)
def test_a_text_means_the_same_in_an_event_or_its_field_is_refused(
    kind: ListKind, data: st.DataObject, text: str
) -> None:
    # A claim's children are a list of objects, which one cell cannot express.
    columns = [one for one in LAYOUTS[kind].columns if "children" not in one.path]
    column = data.draw(st.sampled_from(columns))
    good = GOOD_OF[kind]
    reasons, taken = judged(kind, put(good, column.path, text))
    reasons_of_list, taken_of_list = judged(kind, put(good, column.path, read_cell(kind, column, text)))
    if reasons:
        assert all(field_of(one) for one in reasons), "a refusal names the field"
        return
    assert not reasons_of_list, "what a list may not say, a program may not say either"
    assert taken == taken_of_list


@pytest.mark.parametrize("kind", sorted(GOOD_OF))
def test_the_good_data_is_taken(kind: ListKind) -> None:
    assert judged(kind, GOOD_OF[kind])[0] == ()
