"""Small stories of a regency, made from one seed: what agencies, treasury and officers send, phase by phase. They
contain many difficult cases.

Within a phase only one sender, with one key, sends events about a worker, budget, invoice or claim. So every order of
partitions and every fault must have the same end. Inputs that depend on their order are in different phases, or under
one key.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.contracts import topics
from shared.kernel.identity import worker_id
from shared.runtime.records import Message
from tests.property.claims_world import JKM_DOCUMENTS

ID_KEY = b"k" * 32
VILLAGES = {"64.08": ("64.08.01.2001", "64.08.01.2002", "64.08.04.2001"), "64.02": ("64.02.01.2001", "64.02.01.2002")}
AGENCIES = {"64.08": ("dinsos", "perikanan"), "64.02": ("dinsos",)}
NAMES = ("SITI AMINAH", "MUH. RIDWAN", "BUDI SANTOSO", "NUR'AINI", "SYAMSUL", "HJ. RATNA")
SECTORS = ("fisheries", "agriculture", "trade", "construction")
# Dukcapil's answer about a person, by weight; None: the person is in the snapshot.
REGISTER = (None, None, None, "alive", "alive", "alive", "alive", "other-name", "11", "13")
GARBAGE: tuple[bytes | None, ...] = (None, b"", b"\xff{", b"[]", b'{"specversion":"1.0"}', b"nul", b'{"a":' * 40)


@dataclass(slots=True)
class Person:
    """A worker of the story. `register` is Dukcapil's answer."""

    number: int
    regency: str
    nik: str
    name: str
    sex: str
    born: str
    register: str | None
    agency: str

    @property
    def key(self) -> bytes:
        """The key of all agencies' records about this worker."""
        return b"w%d" % self.number


@dataclass(slots=True)
class Phase:
    """The inputs that are sent while the broker's clock stands still, and the time of this clock."""

    at: datetime
    messages: list[Message] = field(default_factory=list)

    @property
    def at_ms(self) -> int:
        """The broker's stamp on every record of the phase."""
        return int(self.at.timestamp() * 1000)


@dataclass(slots=True)
class Told:
    """The straight fold's outcomes so far, by type; the story reads them while it continues."""

    by_type: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of every outcome of a type."""
        return self.by_type.get(kind, [])


class Story:
    """Writes phase after phase. The player of the phases fills `told`."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.told = Told()
        self._rng = random.Random(f"story {number}")
        self._events = 0
        self.people = [self._person(n) for n in range(self._rng.choice((1, 2, 2, 3)))]
        self._length = self._rng.choice((1, 2, 2, 3, 4, 6, 7))
        self._sent: list[tuple[str, bytes, dict[str, Any]]] = []

    def _person(self, number: int) -> Person:
        rng = self._rng
        regency = rng.choice(("64.08", "64.08", "64.08", "64.02"))
        sex = rng.choice("FM")
        day, year = rng.randint(1, 28), rng.choice((61, 75, 85, 99))
        nik = f"{regency.replace('.', '')}04{day + (40 if sex == 'F' else 0):02d}07{year:02d}{number + 1:04d}"
        born = f"19{year:02d}-07-{day:02d}"
        agency = rng.choice(AGENCIES[regency])
        return Person(number, regency, nik, rng.choice(NAMES), sex, born, rng.choice(REGISTER), agency)

    def phases(self) -> Iterator[Phase]:
        """The phases in order; each is written after the previous one was played."""
        for number, write in enumerate((self._lists, self._changes, self._runs, self._payments, self._claims)):
            if number >= self._length:
                return
            phase = Phase(datetime(2026, 2, 2 + number, 1, 30, tzinfo=UTC))
            write(phase)
            yield phase
        for number in range(5, self._length):
            phase = Phase(datetime(2026, 2, 15 + number, 1, 30, tzinfo=UTC))
            self._afterwards(phase)
            yield phase

    # -- phases -----------------------------------------------------------------------------------------------------

    def _regencies(self) -> list[str]:
        return sorted({one.regency for one in self.people})

    def _lists(self, phase: Phase) -> None:
        for person in self.people:
            self._register(phase, person, person.agency)
        self._nasties(phase)
        if self._length > 2:
            for regency in self._regencies():
                self._budget(phase, regency, "apbd-regency")
                if self._rng.random() < 0.4:
                    self._budget(phase, regency, "csr")

    def _changes(self, phase: Phase) -> None:
        rng = self._rng
        for person in self.people:
            agency = rng.choice(AGENCIES[person.regency])
            match rng.randrange(6):
                case 0:
                    self._register(phase, person, agency)
                case 1:
                    self._worker(phase, person, agency, "update", {"occupation": "buruh", "name": rng.choice(NAMES)})
                case 2:
                    attested = {"sector": "fisheries", "occupation": "nelayan", "attested_on": "2026-02-01"}
                    self._worker(phase, person, agency, "attest", attested)
                case 3 if rng.random() < 0.3:
                    self._worker(phase, person, agency, "withdraw", {"reason": "moved", "date": "2026-02-02"})
                case _:
                    self._officer(phase, person)
        self._nasties(phase)

    def _runs(self, phase: Phase) -> None:
        for regency in self._regencies():
            if self._rng.random() < 0.9:
                self._run(phase, regency, "apbd-regency")
        self._nasties(phase)

    def _payments(self, phase: Phase) -> None:
        rng = self._rng
        for run in self.told.of("billing.run-completed.v1"):
            if run["invoice_id"] is None:
                continue
            if rng.random() < 0.3:
                self._pay(phase, run["invoice_id"], run["total"] + 1, run["regency"])
            if rng.random() < 0.8:
                self._pay(phase, run["invoice_id"], run["total"], run["regency"])
            if rng.random() < 0.3:
                self._pay(phase, run["invoice_id"], run["total"], run["regency"])
        if rng.random() < 0.2:
            self._pay(phase, "INV-none", 1, "64.08")
        self._nasties(phase)

    def _claims(self, phase: Phase) -> None:
        for person in self.people[:2]:
            if self._rng.random() < 0.8:
                self._claim(phase, person, f"KLM-{person.number}", self._rng.random() < 0.7)
        self._nasties(phase)

    def _afterwards(self, phase: Phase) -> None:
        """Late documents, withdrawals, and a second funder's run over the same month."""
        rng = self._rng
        if rng.random() < 0.4:
            # Alone in its phase: otherwise the order decides whether a new claim is judged once or twice.
            self._run(phase, rng.choice(self._regencies()), rng.choice(("apbd-regency", "csr")))
        else:
            self._second_thoughts(phase)
        self._nasties(phase)

    def _second_thoughts(self, phase: Phase) -> None:
        rng = self._rng
        held = {(one["regency"], one["claim_no"]): one for one in self.told.of("claim.held.v1")}
        for claim in held.values():
            match rng.randrange(3):
                case 0:
                    self._claim_step(phase, claim, "claim.add-documents.v1", {"documents": JKM_DOCUMENTS})
                case 1:
                    self._claim_step(phase, claim, "claim.withdraw.v1", {})
                case _:
                    self._rule(phase, claim)
        for claim in self.told.of("claim.paid.v1")[:1]:
            # The same death again, under another number.
            person = self.people[int(claim["claim_no"].split("-")[1])]
            self._claim(phase, person, f"{claim['claim_no']}-again-{phase.at.day}", complete=True)

    # -- commands ---------------------------------------------------------------------------------------------------

    def _register(self, phase: Phase, person: Person, agency: str) -> None:
        rng = self._rng
        form: dict[str, Any] = {
            "name": person.name,
            "birth_date": person.born,
            "sex": person.sex,
            "village": rng.choice(VILLAGES[person.regency]),
            "sector": rng.choice(SECTORS),
            "occupation": "nelayan",
            "monthly_income": rng.choice((None, 800_000, 1_500_000)),
            "consent": {"given_at": "2026-01-04", "method": "form"},
        }
        if rng.random() < 0.1:
            form.update(rng.choice(({"village": "99.99"}, {"consent": None}, {"birth_date": "1990-02-30"}, {"sex": 1})))
        self._worker(phase, person, agency, "register", form)

    def _worker(self, phase: Phase, person: Person, agency: str, verb: str, fields: Mapping[str, Any]) -> None:
        data = {"submission_id": f"S-{self._events}", "nik": person.nik, **fields}
        topic = topics.registration_intake(person.regency, agency)
        self._send(phase, topic, person.key, f"agency/{person.regency}/{agency}", f"worker.{verb}.v1", data)

    def _officer(self, phase: Phase, person: Person) -> None:
        """An officer decides a held case, or somebody who is no officer tries to."""
        worker = worker_id(ID_KEY, person.nik)
        if all(one["worker_id"] != worker for one in self.told.of("identity.held.v1")):
            return
        source = self._rng.choice(("officer/petugas-1", "officer/petugas-1", "officer/other", "agency/64.08/dinsos"))
        data = {"worker_id": worker, "decision": self._rng.choice(("verified", "verified", "rejected"))}
        data |= {"officer": "petugas-1", "reason": "berkas asli dilihat"}
        self._send(phase, topics.VERIFICATION_INTAKE, person.key, source, "identity.decide.v1", data)

    def _budget(self, phase: Phase, regency: str, funding: str) -> None:
        rng = self._rng
        amount = rng.choice((0, 15_000, 40_000, 1_000_000, 1_000_000, 1_000_000))
        data = {"regency": regency, "year": 2026, "funding": funding, "jkk": amount, "jkm": amount}
        more = {"decree_no": "SK-1", "target_workers": 10}
        if rng.random() < 0.9:
            self._send(phase, topics.BILLING_INTAKE, regency.encode(), "treasury/64", "budget.set.v1", {**data, **more})

    def _run(self, phase: Phase, regency: str, funding: str) -> None:
        data: dict[str, Any] = {"regency": regency, "period": "2026-02", "funding": funding}
        if self._rng.random() < 0.4:
            data["due_date"] = "2026-02-10"
        self._send(phase, topics.BILLING_INTAKE, regency.encode(), "officer/operator", "billing.run.v1", data)

    def _pay(self, phase: Phase, invoice_id: str, amount: int, regency: str) -> None:
        data = {"invoice_id": invoice_id, "amount": amount, "paid_on": phase.at.date().isoformat()}
        data["reference"] = f"SP2D-{self._events}"
        self._send(phase, topics.BILLING_INTAKE, regency.encode(), "treasury/64", "invoice.pay.v1", data)

    def _claim(self, phase: Phase, person: Person, claim_no: str, complete: bool) -> None:
        data = {
            "claim_no": claim_no,
            "nik": person.nik,
            "kind": "jkm",
            "event_date": self._rng.choice(("2026-02-06", "2026-02-06", "2026-02-06", "2026-01-05")),
            "cause": "illness",
            "details": {"outcome": "death"},
            "documents": JKM_DOCUMENTS if complete else JKM_DOCUMENTS[:3],
            "claimant": {
                "name": "AHLI WARIS",
                "relation": "spouse",
                "account": self._rng.choice(("A-1", "A-1", "A-0000")),
            },
        }
        self._claim_step(phase, {"regency": person.regency, "claim_no": claim_no}, "claim.submit.v1", data)

    def _claim_step(self, phase: Phase, claim: Mapping[str, Any], kind: str, data: Mapping[str, Any]) -> None:
        regency = claim["regency"]
        topic = topics.claims_intake(regency, "rumahsakit")
        data = {"claim_no": claim["claim_no"], **data}
        self._send(phase, topic, str(claim["claim_no"]).encode(), f"agency/{regency}/rumahsakit", kind, data)

    def _rule(self, phase: Phase, claim: Mapping[str, Any]) -> None:
        """An officer decides a claim, or the claim's own agency tries to, on its topic or on the officers' topic."""
        data = {"claim_no": claim["claim_no"], "decision": "approved", "reason": "lengkap"}
        agency = f"agency/{claim['regency']}/rumahsakit"
        match self._rng.randrange(5):
            case 0:
                self._claim_step(phase, claim, "claim.decide.v1", data)
            case 1:
                self._send(phase, topics.CLAIMS_OFFICERS, b"k", agency, "claim.decide.v1", {**data, "agency": agency})
            case 2:
                # Without a regency the service looks the claim up.
                data = {**data, "agency": "rumahsakit"}
                self._send(phase, topics.CLAIMS_OFFICERS, b"k", "officer/petugas-2", "claim.decide.v1", data)
            case _:
                data = {**data, "agency": agency.removeprefix("agency/")}
                self._send(phase, topics.CLAIMS_OFFICERS, b"k", "officer/petugas-2", "claim.decide.v1", data)

    def _send(self, phase: Phase, topic: str, key: bytes, source: str, kind: str, data: Any) -> None:
        self._events += 1
        event = {"specversion": "1.0", "id": f"e{self._events}", "source": source, "type": kind, "data": data}
        self._sent.append((topic, key, event))
        phase.messages.append(Message(topic, key, orjson.dumps(event), ()))

    def _nasties(self, phase: Phase) -> None:
        """Faulty records of real senders: garbage, repeats, one name for two contents."""
        rng = self._rng
        for _ in range(rng.choice((0, 0, 1, 2))):
            topic, key, event = rng.choice(self._sent) if self._sent else ("", b"", {})
            match rng.randrange(6):
                case 0 | 1:
                    agency = topics.registration_intake("64.08", "dinsos")
                    phase.messages.append(Message(agency, b"g", rng.choice(GARBAGE), (("h", b"v"),)))
                case 2 if event:
                    other = {**event, "data": {"nik": "6.40E+15", "claim_no": "X"}}
                    phase.messages.append(Message(topic, key, orjson.dumps(other), ()))
                case 3 if event:
                    self._send(phase, topic, key, event["source"], "no.such-thing.v1", {})
                case 4 if topic.startswith("registration-intake"):
                    self._send(phase, topic, key, "agency/64.08/somebody-else", "worker.register.v1", {})
                case _ if event:
                    phase.messages.append(Message(topic, key, orjson.dumps(event), ()))
                case _:
                    pass
