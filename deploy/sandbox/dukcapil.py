"""A stand-in for Dukcapil, the civil registry: `python -m deploy.sandbox.dukcapil --port P [--population FILE]`.

Match call: `POST /dukcapil/get_json/verify_by_elemen` (MATCH_PATH) with NIK, NAMA_LGKP, TMPT_LHR, TGL_LHR (DD-MM-YYYY),
JENIS_KLMIN, TRESHOLD, USER_ID, PASSWORD, IP_USER. Give-back call: `POST /dukcapil/data_balikan` (GIVE_BACK_PATH).
Both answer in the shape of public clients and mocks of the real service: HTTP 200 even for a negative answer,
"Sesuai (n)" for free text, codes 11 to 15, a falling `quotaLimiter`. The answer always contains the score of a text,
whatever the TRESHOLD, because the caller decides by the score. Any credentials are accepted; a call without them is
refused ("Login gagal"). It logs no personal data.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from deploy.sandbox import register, serving
from deploy.sandbox.faults import Faults, Trouble, add_control, json_response, object_of, troubled
from deploy.sandbox.register import Person, PopulationError, Register
from shared.kernel import names
from shared.kernel.identity import is_nik

MATCH_PATH = "/dukcapil/get_json/verify_by_elemen"
GIVE_BACK_PATH = "/dukcapil/data_balikan"
QUOTA = 1_000_000
# `payung demo` sends its whole made-up regency in one request.
POPULATION_BYTES_MAX = 128 * 1024 * 1024
RESPONSES = {
    "deceased": ("11", "Data Ditemukan, Meninggal Dunia"),
    "double": ("12", "Data Ditemukan, Data Ganda"),
    "missing": ("13", "Data Tidak Ditemukan, NIK tidak terdapat di database Kependudukan"),
    "inactive": ("14", "Data Ditemukan, Status Non Aktif silahkan hubungi Dinas Dukcapil"),
    "malformed": ("15", "Data Tidak Ditemukan, NIK tidak sesuai format Dukcapil"),
}
NO_QUOTA = "Kuota Akses Hari ini telah Habis"
NO_LOGIN = "Login gagal"
_SEXES = {"M": "LAKI-LAKI", "F": "PEREMPUAN"}
# The parts of a village code. Fields that the register does not hold (NO_KK, ALAMAT, ...) never agree.
_AREAS = {"NO_PROP": 0, "NO_KAB": 1, "NO_KEC": 2, "NO_KEL": 3}
_UNKNOWN = {
    "NO_KK": "Tidak Sesuai",
    "ALAMAT": "Tidak Sesuai (0)",
    "STATUS_KAWIN": "Tidak Sesuai",
    "JENIS_PKRJN": "Tidak Sesuai",
    "NO_RT": "Tidak Sesuai",
    "NO_RW": "Tidak Sesuai",
}


class DukcapilFaults(Faults):
    """Further faults: the remaining quota (it falls with every call), and two quirks of known services."""

    quota_left: int = Field(default=QUOTA, ge=0)
    zero_match_rate: float = Field(default=0.0, ge=0, le=1)  # a score of 0 is answered as "Sesuai (0)"
    echo_nik_rate: float = Field(default=0.0, ge=0, le=1)  # the NIK comes back instead of "Sesuai"


def score(left: str, right: str) -> int:
    """0 to 100, rounded down: 84.6 is not yet 85. Our own comparison with the register does the same."""
    return int(names.score(left, right))


def matched(person: Person, asked: Mapping[str, Any]) -> dict[str, str]:
    """Compares the asked fields with the register."""
    born = "-".join(reversed(person.birth_date.split("-")))
    answer = {
        "NIK": "Sesuai",
        "NAMA_LGKP": _scored(person.name, asked.get("NAMA_LGKP")),
        "TMPT_LHR": _scored(person.birth_place, asked.get("TMPT_LHR")),
        "TGL_LHR": _coded(born == asked.get("TGL_LHR")),
        "JENIS_KLMIN": _coded(_SEXES[person.sex] == str(asked.get("JENIS_KLMIN", "")).strip().upper()),
    }
    codes = [code.lstrip("0") for code in person.village.split(".")]
    for field, place in _AREAS.items():
        if field in asked:
            answer[field] = _coded(codes[place : place + 1] == [str(asked[field]).strip().lstrip("0")])
    return answer | {field: said for field, said in _UNKNOWN.items() if field in asked}


def _scored(known: str, given: Any) -> str:
    value = score(known, str(given or ""))
    return f"Sesuai ({value})" if value else "Tidak Sesuai (0)"


def _coded(same: bool) -> str:
    return "Sesuai" if same else "Tidak Sesuai"


def answer_of(people: Register, asked: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The kind of an answer, and its one entry of `content`."""
    nik = asked.get("NIK")
    if not isinstance(nik, str) or not is_nik(nik):
        return "malformed", _code("malformed")
    person = people.find(nik)
    if person is None:
        return "missing", _code("missing")
    if person.status != "alive":
        return person.status, _code(person.status)
    return "match", matched(person, asked)


def _code(kind: str) -> dict[str, str]:
    code, text = RESPONSES[kind]
    return {"RESPONSE_CODE": code, "RESPON": text}


def _page(entry: Mapping[str, str], quota_left: int) -> dict[str, Any]:
    return {
        "content": [entry],
        "lastPage": True,
        "numberOfElements": 1,
        "sort": None,
        "totalElements": 1,
        "firstPage": True,
        "number": 0,
        "size": 1,
        "quotaLimiter": quota_left,
    }


class Dukcapil:
    """The two calls over a register that can be replaced."""

    def __init__(self, people: Register) -> None:
        self.people = people
        self.trouble = Trouble(DukcapilFaults)
        self._given_back: set[int] = set()

    def match(self, request: Request, asked: dict[str, Any]) -> Response:
        """Compares one person."""
        faults, counts = self.trouble.faults, self.trouble.counts
        self.trouble.saw("keys", request.headers.get("idempotency-key") or str(asked.get("NIK")))
        if not all(asked.get(field) for field in ("USER_ID", "PASSWORD", "IP_USER")):
            counts["login-failed"] += 1
            return json_response(_page({"RESPON": NO_LOGIN}, faults.quota_left))
        if not faults.quota_left:
            counts["quota-exhausted"] += 1
            return json_response(_page({"RESPON": NO_QUOTA}, 0))
        faults.quota_left -= 1
        kind, entry = answer_of(self.people, asked)
        if self.trouble.drawn(faults.wrong_rate):
            kind, entry = "wrong", self._lie(kind)
        counts[kind] += 1
        return json_response(_page(self._with_quirks(entry, asked), faults.quota_left))

    def _lie(self, truth: str) -> dict[str, str]:
        # The fault works in both directions: it denies a correct person, and confirms a person who must be refused.
        if truth == "match" and self.trouble.drawn(0.5):
            return _code("missing")
        word, scored = ("Tidak Sesuai", "Tidak Sesuai (0)") if truth == "match" else ("Sesuai", "Sesuai (100)")
        return {"NIK": "Sesuai", "NAMA_LGKP": scored, "TMPT_LHR": scored, "TGL_LHR": word, "JENIS_KLMIN": word}

    def _with_quirks(self, entry: dict[str, str], asked: Mapping[str, Any]) -> dict[str, str]:
        faults = self.trouble.faults
        if "NIK" in entry and self.trouble.drawn(faults.echo_nik_rate):
            entry = {**entry, "NIK": str(asked.get("NIK"))}
        if "NAMA_LGKP" in entry and self.trouble.drawn(faults.zero_match_rate):
            entry = {field: "Sesuai (0)" if said == "Tidak Sesuai (0)" else said for field, said in entry.items()}
        return entry

    def give_back(self, _request: Request, asked: dict[str, Any]) -> Response:
        """Accepts the data that an institution gives back; the same data a second time get 400."""
        data = asked.get("data")
        if not asked.get("id_lembaga") or not isinstance(data, list) or not data:
            self.trouble.counts["give-back-refused"] += 1
            return json_response({"message": "Data tidak lengkap"}, 400)
        name = self.trouble.digest(f"{asked['id_lembaga']}|{sorted(_flat(one) for one in data)}")
        if name in self._given_back:
            self.trouble.counts["give-back-repeated"] += 1
            return json_response({"message": "Data sudah pernah dikirim"}, 400)
        self._given_back.add(name)
        self.trouble.counts["given-back"] += 1
        return json_response({"message": "Data berhasil dikirim", "jumlah": len(data)})

    async def load(self, request: Request) -> Response:
        """Replaces the register by a file (`path`) or by the given `rows`."""
        given = await object_of(request, POPULATION_BYTES_MAX) or {}
        path, rows = given.get("path"), given.get("rows")
        try:
            if isinstance(path, str):
                # In a thread, because a regency takes a second and calls must go on meanwhile.
                self.people = await asyncio.to_thread(register.from_file, Path(path))
            elif isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
                self.people = register.from_rows(rows)
            else:
                raise PopulationError("path or rows is needed")
        except PopulationError as error:
            return json_response({"detail": str(error)}, 422)
        return json_response(self.size())

    def size(self) -> dict[str, Any]:
        """The number of people, and of rows that could not be read."""
        return {"people": len(self.people.people), "skipped": self.people.skipped}


def _flat(one: Any) -> str:
    return str(sorted(one.items())) if isinstance(one, dict) else str(one)


def create_app(population: Path | Register | None = None) -> FastAPI:
    """The stand-in as an ASGI application; without a population it finds nobody. Raises PopulationError for an
    unreadable one."""
    people = register.from_file(population) if isinstance(population, Path) else population
    house = Dukcapil(people or Register({}))
    app = FastAPI(title="Dukcapil stand-in", version="1")
    app.add_api_route(MATCH_PATH, troubled(house.trouble, house.match), methods=["POST"])
    app.add_api_route(GIVE_BACK_PATH, troubled(house.trouble, house.give_back), methods=["POST"])
    app.add_api_route("/_control/population", house.load, methods=["POST"])
    add_control(app, house.trouble, house.size)
    return app


def main() -> None:
    """Serves until it is told to stop."""
    arguments = serving.parser(__doc__)
    arguments.add_argument("--population", type=Path, help="CSV nik,name,birth_place,birth_date,sex,village,status")
    given = arguments.parse_args()
    serving.leave_on_signals()
    try:
        people = register.from_file(given.population) if given.population else Register({})
    except PopulationError as error:
        arguments.exit(2, f"population: {error}\n")
    if people.skipped:
        sys.stderr.write(f"population: {people.skipped} rows skipped, the first is row {people.first_skipped}\n")
    serving.serve(create_app(people), given.host, given.port)


if __name__ == "__main__":
    main()
