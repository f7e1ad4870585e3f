"""The officers' queue: who sees what, the evidence side by side, decisions by one officer and by two."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlencode

import httpx
import orjson
import pytest

from services.verification import api
from services.verification.adapters import loading
from services.verification.domain import policy
from services.verification.facts import sources
from shared.kernel.identity import worker_id
from shared.runtime import clock
from shared.runtime.http import auth
from shared.runtime.http.auth import Caller
from tests.toy import AT, CIPHER
from tests.unit.verification.test_verification_service import KEY, NIKS, Service, check, decision, person

WHO = [worker_id(KEY, nik) for nik in NIKS]
HTML = {"accept": "text/html"}
LAW = {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup 29/2024"}


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    monkeypatch.setattr(clock, "now", lambda: AT)
    monkeypatch.setattr(api, "TAKEN_LOOK_S", 0)
    return Service()


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Caller]:
    """Callers by the bearer that the test sends, instead of tokens."""
    known = {
        "ani": Caller("ani", frozenset(), frozenset({"64.08/verification-officer"})),
        "kepala": Caller("kepala", frozenset({"64.08/*"}), frozenset({"verification-officer"})),
        "kukar": Caller("kukar", frozenset(), frozenset({"verification-officer"}), frozenset({"64.02"})),
        # A caller who sends for every agency of the regency, and has other roles, is no officer of identities.
        "dinsos": Caller("dinsos", frozenset({"64.08/*"}), frozenset({"claims-officer", "operator"})),
    }

    async def caller(_: Any, request: Any) -> Caller:
        return known[request.headers["authorization"].removeprefix("Bearer ")]

    monkeypatch.setattr(auth.Guard, "caller", caller)
    return known


async def a_held_case(service: Service, **form: Any) -> str:
    """A woman whose name on the form is similar to the register's, not the same."""
    await service.load([person(NIKS[0], name="SITI RAHMAH")], "v1")
    out = await service.take(check(NIKS[0], **form))
    assert [one["type"] for one in out] == ["identity.held.v1"]
    return WHO[0]


async def decided(service: Service) -> list[dict[str, Any]]:
    """Verification's events on the decision that was just sent."""
    sent = service.topics.published[-1]
    assert (sent.topic, sent.key) == ("verification-intake", WHO[0].encode())
    return await service.take(orjson.loads(sent.value or b""), topic="verification-intake")


async def test_a_case_shows_the_form_beside_the_register(service: Service) -> None:
    words = [{"agency": "perikanan", "sector": "trade", "occupation": "nelayan", "attested_on": "2026-01-02"}]
    who = await a_held_case(service, attestations=words)
    listed = [{"nik": NIKS[0], "source": "DTSEN", "version": "2026-1", "decile": "3"}]
    await loading.load(service.store, CIPHER, listed, "64.08", KEY, "d1", sources.DINSOS)
    async with service.http() as http:
        case = (await http.get(f"/v1/reviews/{who}")).json()
        page = (await http.get(f"/v1/reviews/{who}", headers=HTML)).text
    by_name = {one["field"]: one for one in case["fields"]}
    assert (by_name["name"]["form"], by_name["name"]["register"], by_name["name"]["score"]) == (
        "SITI AMINAH",
        "SITI RAHMAH",
        case["score"],
    )
    assert (by_name["birth_date"]["agrees"], by_name["sex"]["agrees"]) == (True, True)
    assert case["nik"] == f"{NIKS[0][:4]}**********{NIKS[0][-2:]}"
    assert case["register"] == {"source": "snapshot:v1", "status": "alive"}
    assert case["attestations"] == words
    assert case["poverty"] == {"source": "DTSEN", "version": "2026-1", "decile": 3}
    assert case["rules"]["needs_two"] is False
    for said in ("SITI AMINAH", "SITI RAHMAH", "1 Juli 1985", "Perempuan", "perikanan", "desil 3", "kemiripan"):
        assert said in page
    assert NIKS[0] not in page + str(case)


async def test_a_suspected_double_links_to_the_other_queue(service: Service) -> None:
    await service.load([person(NIKS[0])], "v1")
    await service.take(check(NIKS[0]))
    where = {"worker_id": WHO[0], "regency": "64.08", "district": "64.08.04", "village": "64.08.04.2001"}
    data = {**where, "sector": "trade", "others": ["x"], "score": 90, "reasons": ["name-same"]}
    event = {"specversion": "1.0", "id": "s", "source": "payung/registration", "type": "worker.suspected.v1"}
    async with service.http() as http:
        assert (await http.get(f"/v1/identities/{WHO[0]}")).json()["suspected_double"] is False
        await service.take({**event, "data": data, "sequence": 2}, topic="registration-events")
        assert (await http.get(f"/v1/identities/{WHO[0]}")).json()["suspected_double"] is True
        page = (await http.get(f"/v1/reviews/{WHO[0]}", headers=HTML)).text
    assert "mungkin satu orang dengan pekerja lain" in page


async def test_only_agreeing_fields_of_dukcapil_are_known(service: Service) -> None:
    await service.take(check(NIKS[0]))
    answer = {"worker_id": WHO[0], "registration_version": 1, "status": "alive", "score": 70}
    answer |= {"birth_date_matches": True, "sex_matches": True}
    event = {"specversion": "1.0", "id": "d", "source": "payung/verification", "type": "dukcapil.answered.v1"}
    await service.take({**event, "data": answer}, topic="verification-work")
    # A snapshot that was loaded later did not judge this case, so it is not shown as if it had.
    await service.load([person(NIKS[0], name="JOKO")], "v9")
    async with service.http() as http:
        case = (await http.get(f"/v1/reviews/{WHO[0]}")).json()
        page = (await http.get(f"/v1/reviews/{WHO[0]}", headers=HTML)).text
    assert [(one["field"], one["register"]) for one in case["fields"]][:2] == [("name", None), ("birth_date", None)]
    assert case["register"]["source"] == "dukcapil"
    assert "JOKO" not in page
    assert "kemiripan 70" in page


async def test_the_list_is_readable_filtered_and_paged(service: Service) -> None:
    await service.load([person(nik, status="double" if n % 2 else "inactive") for n, nik in enumerate(NIKS[:7])], "v1")
    await service.take(*(check(nik) for nik in NIKS[:7]))
    async with service.http() as http:
        first = (await http.get("/v1/reviews", params={"limit": 3})).json()
        assert (len(first["reviews"]), first["total"]) == (3, 7)
        seen, after = [one["worker_id"] for one in first["reviews"]], first["next"]
        while after:
            more = (await http.get("/v1/reviews", params={"limit": 3, "after": after})).json()
            seen += [one["worker_id"] for one in more["reviews"]]
            after = more["next"]
        assert sorted(seen) == sorted(WHO[:7])
        double = (await http.get("/v1/reviews", params={"reason": "duplicate-identity"})).json()
        assert double["total"] == 3
        page = (await http.get("/v1/reviews?regency=&reason=", headers=HTML)).text
        assert (await http.get("/v1/reviews", params={"limit": 0})).status_code == 422
        assert (await http.get("/")).headers["location"] == "/v1/reviews"
    assert "7 kasus menunggu keputusan" in page
    assert "Data ganda di Dukcapil" in page
    assert "5 Januari 2026" in page
    for secret in ("SITI", *NIKS[:7]):
        assert secret not in page


async def test_the_page_of_the_queue_goes_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.pages, "CASES_SHOWN", 2)
    await service.load([person(nik, status="double") for nik in NIKS[:3]], "v1")
    await service.take(*(check(nik) for nik in NIKS[:3]))
    async with service.http() as http:
        page = (await http.get("/v1/reviews", params={"reason": "duplicate-identity"}, headers=HTML)).text
        link = page.split('<p><a href="?')[1].split('"')[0].replace("&amp;", "&")
        rest = (await http.get(f"/v1/reviews?{link}", headers=HTML)).text
    assert rest.count("<th><a href=") == 1
    assert "Kasus berikutnya" not in rest


async def test_an_officer_decides_on_the_page(service: Service) -> None:
    who = await a_held_case(service)
    async with service.http() as http:
        page = (await http.get(f"/v1/reviews/{who}", headers=HTML)).text
        key = page.split('name="key" value="')[1].split('"')[0]
        form = {"key": key, "officer": "Ani Wijaya", "reason": "KTP dilihat", "decision": "verified"}
        headers = {"content-type": "application/x-www-form-urlencoded"}
        answer = await http.post(f"/v1/reviews/{who}", content=urlencode(form), headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/v1/reviews?sent={who}")
        (out,) = await decided(service)
        assert (out["type"], out["causationid"], out["causationsource"]) == (
            "identity.verified.v1",
            key,
            "officer/Ani%20Wijaya",
        )
        sent = (await http.get(answer.headers["location"], headers=HTML)).text
        after = (await http.get(f"/v1/reviews/{who}", headers=HTML)).text
    assert "sudah dikirim" in sent
    assert "Diputuskan oleh Ani Wijaya" in after
    assert "<form" not in after


async def test_texts_of_people_are_shown_as_text(service: Service) -> None:
    await service.load([person(NIKS[0], name="SITI RAHMAH <b>")], "v1")
    await service.take(check(NIKS[0], name="SITI <script>alert(1)</script> RAHMAH B"))
    async with service.http() as http:
        answer = await http.get(f"/v1/reviews/{WHO[0]}", headers=HTML)
        queue = await http.get("/v1/reviews?sent=%3Cscript%3E&reason=%22%3E%3Cscript%3E", headers=HTML)
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text + queue.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


async def ask(service: Service, who: str, path: str, body: Any = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {who}"}
    async with service.http() as http:
        return await (http.get(path, headers=headers) if body is None else http.post(path, json=body, headers=headers))


async def test_only_an_officer_of_the_regency_sees_and_decides(service: Service, callers: dict[str, Caller]) -> None:
    case = f"/v1/reviews/{await a_held_case(service)}"
    word = {"decision": "verified", "reason": "x"}
    for stranger in ("kukar", "dinsos"):
        assert (await ask(service, stranger, case)).status_code == 404
        assert (await ask(service, stranger, "/v1/reviews")).json()["reviews"] == []
        assert (await ask(service, stranger, "/v1/reviews?regency=64.08")).json()["reviews"] == []
        before = len(service.topics.published)
        assert (await ask(service, stranger, case, word)).status_code == 403
        assert len(service.topics.published) == before
    assert (await ask(service, "dinsos", f"/v1/reviews/{WHO[5]}", word)).status_code == 403
    standing = f"/v1/identities/{WHO[0]}"
    assert (await ask(service, "dinsos", standing)).json()["status"] == "held"
    assert (await ask(service, "kukar", standing)).status_code == 404
    for officer in ("ani", "kepala"):
        assert (await ask(service, officer, case)).json()["fields"][0]["form"] == "SITI AMINAH"
        assert (await ask(service, officer, "/v1/reviews?regency=64.08")).json()["total"] == 1
        assert (await ask(service, officer, "/v1/reviews?regency=64.02")).json()["total"] == 0


async def test_the_token_names_the_signing_officer(service: Service, callers: dict[str, Caller]) -> None:
    case = f"/v1/reviews/{await a_held_case(service)}"
    before = len(service.topics.published)
    answer = await ask(service, "ani", case, {"decision": "verified", "officer": "Budi", "reason": "x"})
    assert (answer.status_code, len(service.topics.published)) == (403, before)
    for named in ({}, {"officer": "Ani"}):
        await ask(service, "ani", case, {"decision": "verified", "reason": "x", **named})
        sent = orjson.loads(service.topics.published[-1].value or b"")
        assert (sent["source"], sent["data"]["officer"]) == ("officer/ani", named.get("officer", "ani"))


async def test_without_a_token_nothing_is_shown(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    who = await a_held_case(service)
    monkeypatch.setattr(auth.Guard, "__init__", lambda self, environ: _closed(self))
    async with service.http() as http:
        for path in ("/v1/reviews", f"/v1/reviews/{who}", f"/v1/identities/{who}"):
            answer = await http.get(path)
            assert answer.status_code == 401
            assert "SITI" not in answer.text
        assert (await http.post(f"/v1/reviews/{who}", json={})).status_code == 401


def _closed(guard: Any) -> None:
    guard._issuer = ""


# -- four eyes -------------------------------------------------------------------------------------------------------


async def under(service: Service, **changed: Any) -> None:
    await loading.save_policies(service.store, [policy.read({**LAW, **changed})])


async def word(service: Service, name: str, officer: str, verdict: str = "verified") -> list[dict[str, Any]]:
    event = decision(NIKS[0], name, decision=verdict, officer=unquote(officer))
    return await service.take(event | {"source": f"officer/{officer}"}, topic="verification-intake")


async def test_two_officers_must_agree_when_the_policy_says_so(service: Service) -> None:
    await under(service, four_eyes=["name-mismatch"])
    who = await a_held_case(service)
    (first,) = await word(service, "d1", "ani")
    assert (first["type"], first["data"]["decision"]) == ("identity.decide.proposed.v1", "verified")
    for name in ("ani", "Ani%20"):
        (again,) = await word(service, f"d2-{name}", name)
        assert (again["type"], again["data"]["reasons"]) == ("identity.decide.refused.v1", ["second-officer-needed"])
    async with service.http() as http:
        case = (await http.get(f"/v1/reviews/{who}")).json()
        page = (await http.get(f"/v1/reviews/{who}", headers=HTML)).text
        queue = (await http.get("/v1/reviews", headers=HTML)).text
    assert (case["status"], case["proposal"]["officer"], case["rules"]["needs_two"]) == ("held", "ani", True)
    assert "Menunggu petugas kedua" in page
    assert "Menunggu petugas kedua" in queue
    (last,) = await word(service, "d3", "budi")
    assert last["type"] == "identity.verified.v1"
    assert last["data"]["evidence"] == ["snapshot:v1", "officer", "second-officer"]


async def test_a_disagreeing_officer_starts_a_new_proposal(service: Service) -> None:
    await under(service, four_eyes=["*"])
    await a_held_case(service)
    await word(service, "d1", "ani")
    (other,) = await word(service, "d2", "budi", "rejected")
    assert (other["type"], other["data"]["decision"]) == ("identity.decide.proposed.v1", "rejected")
    (last,) = await word(service, "d3", "ani", "rejected")
    assert (last["type"], last["data"]["reasons"]) == ("identity.rejected.v1", ["name-mismatch"])


async def test_a_proposal_ends_with_its_case(service: Service) -> None:
    await under(service, four_eyes=["*"])
    await a_held_case(service)
    await word(service, "d1", "ani")
    await service.take(check(NIKS[0], version=2))
    (second,) = await word(service, "d2", "budi")
    assert second["type"] == "identity.decide.proposed.v1"


async def test_a_case_that_is_held_again_needs_two_again(service: Service) -> None:
    await under(service, four_eyes=["*"])
    await a_held_case(service)
    await word(service, "d1", "ani")
    assert [one["type"] for one in await word(service, "d2", "budi")] == ["identity.verified.v1"]
    change = {"worker_id": WHO[0], "change": "double", "version": "v2"}
    event = {"specversion": "1.0", "id": "s", "source": "payung/verification", "type": "source.changed.v1"}
    (held,) = await service.take({**event, "data": change}, topic="verification-work")
    assert held["type"] == "identity.held.v1"
    assert [one["type"] for one in await word(service, "d3", "cici")] == ["identity.decide.proposed.v1"]


async def test_only_the_named_officers_decide(service: Service) -> None:
    await under(service, deciders=["ani"])
    await a_held_case(service)
    (refused,) = await word(service, "d1", "budi")
    assert (refused["type"], refused["data"]["reasons"]) == ("identity.decide.refused.v1", ["officer-not-allowed"])
    # The source names the signer; a body that names another officer is refused.
    event = decision(NIKS[0], "d2", officer="ani")
    (refused,) = await service.take(event | {"source": "officer/budi"}, topic="verification-intake")
    assert (refused["data"]["officer"], refused["data"]["reasons"]) == ("budi", ["field-invalid:officer"])
    assert [one["type"] for one in await word(service, "d3", "ani")] == ["identity.verified.v1"]
