"""Lists, policies and the officers' queue on a real MongoDB: the same tests as over memory."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from services.verification.adapters import loading, sweep
from services.verification.api import queue
from services.verification.documents import INDEXES, STORED
from services.verification.domain import policy
from shared.kernel.identity import worker_id
from shared.runtime import clock
from shared.runtime.store.driver import connect
from shared.runtime.store.mongo import MongoStore
from tests.toy import AT, CIPHER
from tests.unit.verification.test_verification_service import KEY, NIKS, Service, check, person

pytestmark = pytest.mark.connected
_numbers = itertools.count(1)
WHO = [worker_id(KEY, nik) for nik in NIKS]


@pytest.fixture(params=["motor", "pymongo"])
async def service(
    request: pytest.FixtureRequest, mongo_url: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Service]:
    """Verification in its shell: the store is real, the topics are not."""
    monkeypatch.setattr(clock, "now", lambda: AT)
    name = f"verification_sources_{request.param}_{next(_numbers)}"
    store = MongoStore(connect(mongo_url, request.param), name, STORED, INDEXES, CIPHER)
    await store.check()
    await store.bring_up()
    yield Service(store)
    await store.close()


async def test_loads_policies_sweeps_and_the_queue_work_on_real_servers(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "PAGE", 2)
    await service.load([person(nik) for nik in NIKS[:6]], "v1")
    rosters = [{"nik": NIKS[6], "started_on": "2026-01-03"}]
    await loading.load(service.store, CIPHER, rosters, "64.08", KEY, "r1", "state-employee")
    law = {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup", "residence_required": True}
    (given,) = await loading.save_policies(service.store, [policy.read(law)])
    assert await loading.save_policies(service.store, [given]) == []
    out = await service.take(*(check(nik) for nik in NIKS[:6]))
    assert {(one["type"], one["data"]["policy"]) for one in out} == {("identity.verified.v1", given.version)}

    context: Any = SimpleNamespace(reader=service.store, publish=service.publish)
    rows = [person(nik, status="deceased") for nik in NIKS[:3]]
    rows += [person(NIKS[3], status="double"), person(NIKS[4], village="64.02.01.2001"), person(NIKS[5], village="")]
    await service.load(rows, "v2")
    before = len(service.topics.published)
    assert await sweep.look(context) == 5
    assert await sweep.look(context) == 0
    steps = [orjson.loads(one.value or b"") for one in service.topics.published[before:]]
    out = await service.take(*steps, topic="verification-work")
    assert {one["data"]["worker_id"]: (one["type"], one["data"]["reasons"]) for one in out} == {
        **{who: ("identity.ended.v1", ["deceased"]) for who in WHO[:3]},
        WHO[3]: ("identity.held.v1", ["duplicate-identity"]),
        WHO[4]: ("identity.ended.v1", ["village-outside"]),
    }

    await service.load([person(nik, status="inactive") for nik in NIKS[7:12]], "v3")
    await service.take(*(check(nik) for nik in NIKS[7:12]))
    seen: list[str] = []
    after = None
    while True:
        page = await queue.held(service.store, ["64.08"], None, after, 2)
        assert page.total == 6
        seen += [who for who, _ in page.cases]
        after = page.next
        if after is None:
            break
    assert sorted(seen) == sorted([WHO[3], *WHO[7:12]])
    assert (await queue.held(service.store, None, "duplicate-identity", None, 9)).total == 1
    assert (await queue.held(service.store, ["64.02"], None, None, 9)).total == 0
