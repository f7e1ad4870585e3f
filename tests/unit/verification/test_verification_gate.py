"""The gate in front of Dukcapil: repeats, breaker, quota, rate. Time is a number that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from deploy.sandbox import dukcapil as sandbox
from deploy.sandbox import register
from services.verification.adapters import dukcapil, gate, loading, quota
from services.verification.adapters.gate import Gate
from services.verification.domain import decide, policy
from services.verification.domain.policy import Policies
from services.verification.domain.standing import Facts
from services.verification.domain.state import CheckStatus, Identity
from services.verification.facts import Reference, sources
from services.verification.settings import Settings
from shared.contracts.verification_work import GivenBack
from shared.kernel.decision import Due
from shared.kernel.event import Event
from shared.runtime import clock
from shared.runtime.errors import Paused, StartRefused, Unavailable
from tests.fakes.memory import MemoryStore
from tests.toy import AT, CIPHER
from tests.unit.verification.test_verification_decide import answer, check, pending, snapshot, when

NIK = "6408044107850002"
ROW = {"nik": NIK, "name": "SITI AMINAH", "birth_place": "X", "birth_date": "1985-07-01", "sex": "F"}
DUE = Due("dukcapil:w:1", "dukcapil", AT)


class Time:
    """A clock that stands until it is moved; both its readings start together."""

    def __init__(self, start: datetime) -> None:
        self.start, self.passed = start, 0.0

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Time:
    # 23:00 in WITA: an hour before the next business day.
    time = Time(datetime(2026, 7, 1, 15, 0, tzinfo=UTC))
    monkeypatch.setattr(clock, "now", time.now)
    monkeypatch.setattr(clock, "monotonic", time.monotonic)
    monkeypatch.setattr(gate, "REPEAT_FIRST_S", 0)
    return time


def settings(**more: str) -> Settings:
    return Settings.from_environment({f"PAYUNG_DUKCAPIL_{name}": value for name, value in more.items()})


def store() -> MemoryStore:
    return MemoryStore({}, CIPHER)


class Line:
    """A call that fails a given number of times."""

    def __init__(self, fails: int = 0) -> None:
        self.fails, self.calls = fails, 0

    async def __call__(self) -> str:
        self.calls += 1
        if self.fails:
            self.fails -= 1
            raise Unavailable("x")
        return "ok"


async def test_a_failed_call_is_repeated_a_few_times_and_then_left(at: Time) -> None:
    line = Line(fails=2)
    assert await Gate(settings()).call("a", line, store()) == "ok"
    assert line.calls == 3
    line = Line(fails=99)
    with pytest.raises(Unavailable):
        await Gate(settings()).call("a", line, store())
    assert line.calls == gate.ATTEMPTS_MAX


def test_pauses_grow_and_are_spread_by_the_name_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(name: str, attempt: int) -> float:
        state: Any = SimpleNamespace(attempt_number=attempt)
        return gate._pause_s(name, state)

    first = {pause(f"w{number}", 1) for number in range(50)}
    assert len(first) == 50
    assert 0.1 <= min(first) < max(first) <= 0.2
    assert pause("w", 1) < pause("w", 2) < pause("w", 3)
    assert pause("w", 99) <= gate.REPEAT_MAX_S
    assert pause("w", 1) == pause("w", 1)


async def test_failures_in_a_row_open_the_breaker_and_one_probe_closes_it(at: Time) -> None:
    door, line = Gate(settings()), Line(fails=gate.FAILURES_MAX)
    for _ in range(gate.FAILURES_MAX // gate.ATTEMPTS_MAX):
        with pytest.raises(Unavailable):
            await door.call("a", line, store())
    with pytest.raises(Paused) as paused:
        await door.call("a", line, store())
    assert line.calls == gate.FAILURES_MAX, "the breaker opened between two attempts"
    assert paused.value.until == at.now() + timedelta(seconds=gate.OPEN_S)
    at.passed += gate.OPEN_S - 1
    with pytest.raises(Paused):
        await door.call("a", line, store())
    assert line.calls == gate.FAILURES_MAX
    at.passed += 1
    released = asyncio.Event()

    async def slow() -> str:
        await released.wait()
        return await line()

    probe = asyncio.create_task(door.call("probe", slow, store()))
    await asyncio.sleep(0)
    with pytest.raises(Paused) as second:
        await door.call("b", line, store())
    assert second.value.until == at.now() + timedelta(seconds=1)
    released.set()
    assert await probe == "ok"
    assert await door.call("b", line, store()) == "ok"


async def test_a_probe_that_fails_opens_the_breaker_again(at: Time) -> None:
    door, line = Gate(settings()), Line(fails=99)
    while True:
        try:
            await door.call("a", line, store())
        except Paused:
            break
        except Unavailable:
            continue
    at.passed += gate.OPEN_S
    calls = line.calls
    with pytest.raises(Paused):
        await door.call("a", line, store())
    assert line.calls == calls + 1


async def test_a_waiting_call_is_not_made_after_the_breaker_opened(at: Time) -> None:
    door, line = Gate(settings()), Line()

    class Turn:
        async def acquire(self) -> None:
            for _ in range(gate.FAILURES_MAX):
                with pytest.raises(Unavailable), door._breaker:
                    raise Unavailable("x")

    turn: Any = Turn()
    door._limiter = turn
    with pytest.raises(Paused):
        await door.call("a", line, store())
    assert line.calls == 0


async def test_a_pause_is_reported_at_once_and_not_repeated(at: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    door, tries = Gate(settings()), 0

    async def paused(*_: Any) -> None:
        nonlocal tries
        tries += 1
        raise Paused("x", at.now())

    monkeypatch.setattr(door, "_once", paused)
    with pytest.raises(Paused):
        await door.call("a", Line(), store())
    assert tries == 1


async def test_the_agreed_quota_pauses_until_the_next_business_day_in_wita(at: Time) -> None:
    door, line, shelf = Gate(settings(DAILY_QUOTA="3")), Line(), store()
    for _ in range(3):
        await door.call("a", line, shelf)
    with pytest.raises(Paused) as paused:
        await door.call("a", line, shelf)
    assert paused.value.until == datetime(2026, 7, 1, 16, 0, 5, tzinfo=UTC)
    assert line.calls == 3
    at.passed += 3_605
    assert await door.call("a", line, shelf) == "ok"


async def test_all_processes_share_one_quota_and_a_restart_does_not_forget_it(at: Time) -> None:
    shelf, calls = store(), 0
    for _ in range(9):
        door = Gate(settings(DAILY_QUOTA="120"))
        for _ in range(20):
            try:
                await door.call("a", Line(), shelf)
            except Paused:
                break
            calls += 1
    # Each process died before it used the rest of its block. So there are fewer calls than agreed, never more.
    assert calls == 20 + 20 + 20
    assert sum(row["taken"] for row in shelf.plain[quota.USAGE].values()) == 120


async def test_calls_at_once_never_take_more_than_the_quota(at: Time) -> None:
    doors, shelf = [Gate(settings(DAILY_QUOTA="70", RATE="100000")) for _ in range(3)], store()
    line = Line()
    work = [doors[number % 3].call(str(number), line, shelf) for number in range(300)]
    ended = await asyncio.gather(*work, return_exceptions=True)
    assert line.calls == ended.count("ok") <= 70
    assert line.calls >= 50
    assert all(one == "ok" or isinstance(one, Paused) for one in ended)


async def test_give_back_calls_use_no_quota(at: Time) -> None:
    door, shelf = Gate(settings(DAILY_QUOTA="1")), store()
    await door.call("a", Line(), shelf)
    assert await door.call("b", Line(), shelf, counted=False) == "ok"


async def test_the_rate_holds_however_many_calls_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Gate(settings(RATE="200"))
    loop = asyncio.get_running_loop()
    starts: list[float] = []

    async def line() -> None:
        starts.append(loop.time())

    await asyncio.gather(*(door.call(str(number), line, store()) for number in range(200)))
    # The first 100 are the burst of half a second; the other 100 take half a second, never less.
    assert starts[-1] - starts[0] >= 0.49
    assert starts[-1] - starts[0] < 2, "and not much more"


@pytest.mark.parametrize(("name", "value"), [("RATE", "0"), ("RATE", "fast"), ("DAILY_QUOTA", "-1"), ("RATE", "nan")])
def test_an_impossible_setting_refuses_the_start(name: str, value: str) -> None:
    with pytest.raises(StartRefused, match=f"PAYUNG_DUKCAPIL_{name}"):
        settings(**{name: value})


# -- with the stand-in as the other side -----------------------------------------------------------------------------


@pytest.fixture
async def other_side(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stand-in in this process; its control endpoint is reached by the same client."""
    people = register.from_rows([{**ROW, "village": "64.08.04.2001", "status": "alive"}])
    transport = httpx.ASGITransport(sandbox.create_app(people))
    async with httpx.AsyncClient(transport=transport, base_url="http://d") as client:
        monkeypatch.setattr(dukcapil, "_client", lambda *_: client)
        yield client


def place(**more: str) -> Any:
    return SimpleNamespace(reference=Reference(CIPHER, settings(URL="http://d", **more)), reader=store())


Ask = Callable[[], Awaitable[Any]]


async def test_an_empty_quota_pauses_and_one_question_a_minute_finds_it_raised(at: Time, other_side: Any) -> None:
    here = place()

    async def ask() -> Any:
        return await dukcapil.ask("w", pending(), DUE, here)

    await other_side.post("/_control", json={"quota_left": 0})
    with pytest.raises(Paused) as paused:
        await ask()
    assert paused.value.until == at.now() + timedelta(seconds=quota.PROBE_S)
    with pytest.raises(Paused):
        await ask()
    log = (await other_side.get("/_control/log")).json()
    assert log["calls"] == {"quota-exhausted": 1}, "who is told that nothing is left asks no more"
    await other_side.delete("/_control")
    at.passed += quota.PROBE_S
    assert (await ask()).data.status == "alive"
    assert (await ask()).data.resident is True


async def test_a_quota_that_is_used_up_late_is_there_again_after_midnight(at: Time, other_side: Any) -> None:
    at.passed = 3_590
    await other_side.post("/_control", json={"quota_left": 0})
    with pytest.raises(Paused) as paused:
        await dukcapil.ask("w", pending(), DUE, place())
    assert paused.value.until == datetime(2026, 7, 1, 16, 0, 5, tzinfo=UTC)


async def test_data_is_given_back_once_and_a_repeat_counts_as_success(at: Time, other_side: Any) -> None:
    here, state = place(INSTITUTION="6408-DTK"), pending()
    for _ in range(2):
        said = await dukcapil.give_back("w", state, Due("give-back:w:1", "give-back", AT), here)
        assert (said.type, said.data) == (
            "dukcapil.given-back.v1",
            GivenBack(worker_id="w", registration_version=1),
        )
    assert (await other_side.get("/_control/log")).json()["calls"] == {"given-back": 1, "give-back-repeated": 1}


async def test_a_call_that_is_refused_for_another_reason_stays_due(at: Time, other_side: Any) -> None:
    here = place()
    here.reference = Reference(CIPHER, Settings(url="http://d", user="u", password="p", address="a", institution=""))
    with pytest.raises(Unavailable):
        await dukcapil.give_back("w", pending(), Due("g", "give-back", AT), here)


async def test_the_snapshot_replaces_dukcapil_when_the_policy_allows_it(at: Time, other_side: Any) -> None:
    here = place()
    given = policy.read(
        {"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup", "sources": ["dukcapil", "snapshot"]}
    )
    known = Facts(snapshot().people, Policies(((AT, given),)))
    made = when(None, check(), known)
    assert (made.due.kind, made.due.id) == ("dukcapil-else", DUE.id)
    work = dukcapil.PERFORMERS["dukcapil-else"]
    first: Any = await work("w", made.state, made.due, here)
    assert first.data.evidence == "dukcapil"
    await other_side.post("/_control", json={"quota_left": 0})
    with pytest.raises(Unavailable) as waits:
        await work("w", made.state, made.due, here)
    assert not isinstance(waits.value, Paused), "who is in no snapshot must not keep the others from it"
    key = b"k" * 32
    await loading.load(here.reader, CIPHER, [{**ROW, "status": "alive", "village": ""}], "64.08", key, "v7")
    shelf = here.reader.plain[sources.POPULATION]
    shelf["64.08|a|w"] = next(iter(shelf.values()))
    said: Any = (await work("w", made.state, made.due, here)).data
    assert (said.evidence, said.status, said.score) == ("snapshot:v7", "alive", 100)
    done = when(made.state, said, known)
    assert (done.state.status, done.state.evidence) == (CheckStatus.VERIFIED, ("snapshot:v7",))


async def test_asked_data_is_given_back_when_the_policy_says_so() -> None:
    given = policy.read({"regency": "64.08", "valid_from": "2026-01-01", "legal_basis": "Perbup", "give_back": True})
    known = Facts({}, Policies(((AT, given),)))
    waiting = when(None, check(), known)
    event = decide_on(waiting.state, answer(), known)
    assert (event.due.kind, event.due.id, event.state.status) == ("give-back", "give-back:w:1", CheckStatus.VERIFIED)
    again = decide_on(event.state, answer(), known)
    assert again.due.id == "give-back:w:1", "it stays due whatever else arrives"
    told = decide_on(event.state, GivenBack(worker_id="w", registration_version=1), known)
    assert (told.due, told.outcomes, told.state.give_back) == (None, (), False)


def decide_on(state: Identity, data: Any, known: Facts) -> Any:
    event = Event(id="e", source="payung/verification", type="t", data=data, at=AT, topic="t", content_hash="h")
    return decide.decide(state, event, known)
