"""Which letters a filter selects, and that the display of a letter shows no personal data."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payung.dlq import finding, masking
from payung.installations import CommandError
from shared.kernel.calendar import WITA
from shared.runtime.deadletters import Letter

NIK = "6408044107850002"
AT = int(datetime(2026, 3, 2, 23, 59, tzinfo=WITA).timestamp() * 1000)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e-1",
    "source": "agency/64.08/dinsos",
    "type": "worker.register.v9",
    "subject": f"SUB-{NIK}",
    "data": {
        "submission_id": "SUB-1",
        "nik": NIK,
        "name": "SITI AMINAH",
        "birth_date": "1985-07-01",
        "village": "64.08.04.2001",
        "phone": "+62812345",
        "heir": {"name": "BUDI", "relation": "spouse"},
        "nmae": "SITI AMINAH",
        "SITI AMINAH": 1,
    },
}
LETTER = Letter(
    id="0d6f1111-aaaa",
    error="unknown-type",
    detail="this service takes no worker.register.v9",
    topic="registration-intake-6408-dinsos",
    partition=1,
    offset=7,
    timestamp_ms=AT - 1000,
    key=b"k",
    value=orjson.dumps(EVENT),
    headers=(("content-type", b"application/cloudevents+json"), ("x-operator", b"Budi")),
    place=3,
    at_ms=AT,
)


@pytest.mark.parametrize(
    ("given_", "fits"),
    [
        ({}, True),
        ({"topic": "registration-intake-6408-dinsos"}, True),
        ({"topic": "registration-intake-6408-*"}, True),
        ({"topic": "registration-intake-6402-*"}, False),
        ({"error": "unknown-type"}, True),
        ({"error": "not-json"}, False),
        ({"agency": "64.08/dinsos"}, True),
        ({"agency": "64.02/dinsos"}, False),
        ({"since": "2026-03-02", "until": "2026-03-02"}, True),
        ({"since": "2026-03-03"}, False),
        ({"until": "2026-03-01"}, False),
        ({"until": "2026-03-02T23:59:00+08:00"}, False),
        ({"since": "2026-03-02T15:59:00+00:00"}, True),
        ({"ids": ("0d6f1111",)}, True),
        ({"ids": ("0d6f1112", "0d6f1111-aaaa")}, True),
        ({"ids": ("0d6f1112",)}, False),
    ],
)
def test_a_filter_selects_exactly_its_letters(given_: dict[str, Any], fits: bool) -> None:
    wanted = finding.filter_of(**given_)
    assert wanted.fits(LETTER) is fits
    assert wanted.empty is (not given_)


@pytest.mark.parametrize(
    "given_", [{"ids": ("0d",)}, {"agency": "dinsos"}, {"since": "yesterday"}, {"until": "2026-03-02T10:00:00"}]
)
def test_an_unusable_filter_is_refused(given_: dict[str, Any]) -> None:
    with pytest.raises(CommandError):
        finding.filter_of(**given_)


def test_a_topic_of_our_own_has_no_agency() -> None:
    own = replace(LETTER, topic="registration-work")
    assert not finding.filter_of(agency="64.08/dinsos").fits(own)
    assert finding.summary("registration", own)["agency"] is None


def test_a_letter_is_shown_without_personal_data() -> None:
    shown = finding.details("registration", LETTER)
    text = orjson.dumps(shown).decode()
    for secret in (NIK, "SITI", "AMINAH", "1985", "62812", "BUDI", "Budi"):
        assert secret not in text
    data = shown["value"]["data"]
    assert (data["submission_id"], data["village"]) == ("SUB-1", "64.08.04.2001")
    assert (data["nik"], data["nmae"], data["heir"]) == (
        "9" * 16,
        "xxxx xxxxxx",
        {"name": "xxxx", "relation": "spouse"},
    )
    assert shown["event"] == {"id": "e-1", "source": EVENT["source"], "type": EVENT["type"]}
    assert shown["headers"] == [["content-type", "application/cloudevents+json"], ["x-operator", "xxxx"]]


def test_broken_json_shows_where_it_broke() -> None:
    shown = masking.original(b'{"data":{"nik":6.40804E+15,"name":"SITI AMINAH","village":')
    assert shown == '{"data":{"nik":9.99999x+99,"name":"xxxx xxxxxx","village":'


@pytest.mark.parametrize(
    "value", [None, b"", b"null", b"[1]", b'"SITI"', b"\xff\xfe\x00", b'{"data":"SITI"}', b"1" * 20]
)
def test_every_letter_can_be_shown(value: bytes | None) -> None:
    shown = finding.details("registration", replace(LETTER, value=value))
    assert "SITI" not in orjson.dumps(shown).decode()
    assert finding.summary("registration", replace(LETTER, value=value))["bytes"] == len(value or b"")


def test_a_record_in_binary_mode_tells_its_type() -> None:
    binary = replace(LETTER, headers=(("ce_type", b"worker.register.v9"), ("ce_id", b"e-9")), value=b"{")
    assert finding.summary("registration", binary)["event"] == {"id": "e-9", "type": "worker.register.v9"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda part: st.lists(part) | st.dictionaries(st.text(), part),
    )
)
def test_no_value_of_an_unknown_field_comes_through(value: Any) -> None:
    shown = masking.masked({"unheard": value})
    assert not any(one.isalpha() and one != "x" for one in _texts(shown["unheard"]))


def _texts(value: Any) -> str:
    if isinstance(value, dict):
        return "".join(_texts(one) for name, one in value.items() if name not in masking._OPEN | masking.ENVELOPE)
    if isinstance(value, list):
        return "".join(map(_texts, value))
    return value if isinstance(value, str) else ""
