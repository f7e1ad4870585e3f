"""A stand-in for Dukcapil's match service: `python -m deploy.sandbox.dukcapil --port P [--population FILE]`.

`POST /dukcapil/get_json/verify_by_elemen` takes NIK, NAMA_LGKP, TMPT_LHR, TGL_LHR (DD-MM-YYYY), JENIS_KLMIN, TRESHOLD,
USER_ID, PASSWORD, IP_USER and answers as public clients and mocks document the real one: HTTP 200 even when negative,
"Sesuai (n)" for free text, codes 11 to 15, a falling `quotaLimiter`. Nothing personal is logged.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from rapidfuzz import fuzz
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from deploy.sandbox.faults import Trouble, control

MATCH_PATH = "/dukcapil/get_json/verify_by_elemen"
GIVE_BACK_PATH = "/dukcapil/data_balikan"
DAILY_QUOTA = 1_000_000
RESPONSES = {
    "deceased": ("11", "Data Ditemukan, Meninggal Dunia"),
    "double": ("12", "Data Ditemukan, Data Ganda"),
    "missing": ("13", "Data Tidak Ditemukan, NIK tidak terdapat di database Kependudukan"),
    "inactive": ("14", "Data Ditemukan, Status Non Aktif silahkan hubungi Dinas Dukcapil"),
    "malformed": ("15", "Data Tidak Ditemukan, NIK tidak sesuai format Dukcapil"),
}
_SEXES = {"M": "LAKI-LAKI", "F": "PEREMPUAN"}
_TITLES = frozenset(("H", "HJ", "HAJI", "DR", "DRS", "DRA", "IR", "PROF", "SE", "SH", "ST", "SPD", "SAG", "MM", "MSI"))

Row = tuple[str, str, str, str, str]


class Register:
    """People by NIK: name, birth place, birth date (ISO), sex, status."""

    def __init__(self) -> None:
        self.people: dict[str, Row] = {}

    def load(self, rows: Iterable[Mapping[str, str]]) -> int:
        """Replaces everyone."""
        self.people = {
            row["nik"]: (row["name"], row["birth_place"], row["birth_date"], row["sex"], row["status"]) for row in rows
        }
        return len(self.people)

    def load_file(self, path: Path) -> int:
        """Replaces everyone by a population file."""
        with path.open(encoding="utf-8-sig", newline="") as file:
            return self.load(csv.DictReader(file))


def normalised(name: str) -> str:
    """Upper case, punctuation and titles dropped, blanks collapsed."""
    tokens = re.sub(r"[^A-Z0-9 ]", "", name.upper().replace(".", " ").replace(",", " ").replace("-", " ")).split()
    kept = [token for token in tokens if token not in _TITLES]
    return " ".join(kept or tokens)


def score(left: str, right: str) -> int:
    """Token-sort ratio of two names, whole."""
    return int(fuzz.token_sort_ratio(normalised(left), normalised(right)))


def _said(value: int) -> str:
    return f"Sesuai ({value})" if value else "Tidak Sesuai (0)"


def _coded(same: bool) -> str:
    return "Sesuai" if same else "Tidak Sesuai"


def answer(register: Register, asked: Mapping[str, Any], *, wrong: bool) -> tuple[str, dict[str, Any]]:
    """The kind of answer and one entry of its `content`; `wrong` lies about it."""
    nik = str(asked.get("NIK", ""))
    if not (len(nik) == 16 and nik.isascii() and nik.isdigit()):
        return "malformed", _code("malformed")
    found = None if wrong else register.people.get(nik)
    if found is None:
        return "missing", _code("missing")
    name, place, born, sex, status = found
    if status in ("deceased", "double", "inactive"):
        return status, _code(status)
    day = "-".join(reversed(born.split("-")))
    return "match", {
        "NIK": "Sesuai",
        "NAMA_LGKP": _said(score(name, str(asked.get("NAMA_LGKP", "")))),
        "TMPT_LHR": _said(score(place, str(asked.get("TMPT_LHR", "")))),
        "TGL_LHR": _coded(day == asked.get("TGL_LHR")),
        "JENIS_KLMIN": _coded(_SEXES.get(sex) == str(asked.get("JENIS_KLMIN", "")).upper()),
        "ALAMAT": "Tidak Sesuai (0)",
    }


def _code(kind: str) -> dict[str, Any]:
    code, text = RESPONSES[kind]
    return {"RESPONSE_CODE": code, "RESPON": text}


def create_app(population: Path | None = None) -> Starlette:
    """The stand-in as an ASGI application."""
    register, trouble = Register(), Trouble()
    given_back: set[str] = set()
    if population is not None:
        register.load_file(population)
    spent = 0

    async def match(request: Request) -> Response:
        nonlocal spent
        asked = await request.json()
        instead = await trouble.before()
        if instead is not None:
            return instead
        limit = trouble.faults.quota_left
        left = DAILY_QUOTA - spent if limit is None else limit
        if left <= 0:
            trouble.counts["quota"] += 1
            body = {"content": [{"RESPON": "Kuota akses telah habis"}], "quotaLimiter": 0}
            return JSONResponse(body)
        if limit is not None:
            trouble.faults.quota_left = limit - 1
        spent += 1
        wrong = trouble.drawn(trouble.faults.wrong_rate)
        kind, entry = answer(register, asked, wrong=wrong)
        trouble.counts[kind] += 1
        trouble.distinct.add(str(hash(str(asked.get("NIK")))))
        page = {
            "content": [entry],
            "lastPage": True,
            "numberOfElements": 1,
            "sort": None,
            "totalElements": 1,
            "firstPage": True,
            "number": 0,
            "size": 1,
            "quotaLimiter": left - 1,
        }
        return trouble.after() or JSONResponse(page)

    async def give_back(request: Request) -> Response:
        instead = await trouble.before()
        if instead is not None:
            return instead
        body = await request.json()
        name = f"{body.get('id_lembaga')}|{sorted(str(one) for one in body.get('data', ()))}"
        if name in given_back:
            return JSONResponse({"message": "Data sudah pernah dikirim"}, 400)
        given_back.add(name)
        return JSONResponse({"message": "Data berhasil dikirim", "jumlah": len(body.get("data", ()))})

    async def load_population(request: Request) -> Response:
        body = await request.json()
        count = register.load_file(Path(body["path"])) if "path" in body else register.load(body["rows"])
        return JSONResponse({"people": count})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"people": len(register.people)})

    return Starlette(
        routes=[
            Route(MATCH_PATH, match, methods=["POST"]),
            Route(GIVE_BACK_PATH, give_back, methods=["POST"]),
            Route("/_control", lambda request: control(request, trouble), methods=["GET", "POST"]),
            Route("/_control/population", load_population, methods=["POST"]),
            Route("/_control/log", lambda _: _json(trouble.log()), methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


async def _json(value: Any) -> Response:
    return JSONResponse(value)


def main() -> None:
    """Serves until it is told to stop."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--population", type=Path)
    given = parser.parse_args()
    app = create_app(given.population)
    uvicorn.run(app, host=given.host, port=given.port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
