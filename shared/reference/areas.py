"""The areas that Payung works in: province, regencies, districts, villages, by Kemendagri code with dots (never BPS
codes).

Look-ups over `areas.csv` and `moved_villages.csv`. Knows no service and no store. Village names repeat within one
regency, so a name alone identifies a village only when just one village of the regency has it (`called`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

# The levels of Kemendagri codes by their length: 64, 64.08, 64.08.04, 64.08.04.2001.
_REGENCY_LENGTH = 5

_KIND_OF_AREA = re.compile(r"^(?:(?:DESA|DS|KELURAHAN|KEL|KECAMATAN|KEC|KAB|KABUPATEN)\b[. ]*)+(?=\S)")
_NO_LETTER = re.compile(r"[^A-Z0-9]+")
# One place with two spellings (docs/rules.md#areas-and-time). Blanks and marks are ignored when comparing, which covers
# the other spellings.
_SPELLINGS = (("KONGBENG", "KOMBENG"), ("SEMBOJA", "SAMBOJA"))
_CODE_FIRST = re.compile(r"(\d{2}\.\d{2}\.\d{2}\.\d{4})(?![\d.])")


@dataclass(frozen=True, slots=True)
class Village:
    """A desa or kelurahan; `district` and `regency` are codes."""

    code: str
    name: str
    district: str
    regency: str


@dataclass(frozen=True, slots=True)
class Areas:
    """Every known area. Build it with `parse`, or take the shipped one from `load`."""

    _names: Mapping[str, str]
    _villages: Mapping[str, Village]
    _children: Mapping[str, tuple[str, ...]]
    _points: Mapping[str, tuple[float, float]]
    _moved: Mapping[str, str]
    _called: Mapping[tuple[str, str], tuple[Village, ...]]
    _districts: Mapping[tuple[str, str], str]

    def village(self, code: str) -> Village | None:
        """The village with a current code; None when there is none. For an old code, call `resolve` first."""
        return self._villages.get(code)

    def resolve(self, code: str) -> str:
        """The current code of a village that moved to another district; any other code unchanged."""
        return self._moved.get(code, code)

    def called(self, text: str, district: str, regency: str) -> tuple[Village, ...]:
        """The villages of a regency that a text may mean. One village: it is meant; several: the text is ambiguous.

        The text is a code with its name behind it, or a name as people write it (case, blanks, marks, `Desa` and `Kel.`
        are ignored). `district` is the name or code of the kecamatan, or empty; when it is given, villages of other
        districts are left out.
        """
        coded = _CODE_FIRST.match(text.strip())
        if coded:
            village = self._villages.get(self.resolve(coded[1]))
            return (village,) if village is not None else ()
        named = self._called.get((regency, spelled(text)), ())
        if not district.strip():
            return named
        within = spelled(district)
        return tuple(
            one for one in named if district.strip() == one.district or within == spelled(self._names[one.district])
        )

    def district_called(self, text: str, regency: str) -> str | None:
        """The code of a regency's district that a text names, by its code or as people write the name."""
        code = text.strip()
        if code in self.districts(regency):
            return code
        return self._districts.get((regency, spelled(text)))

    def moved(self) -> tuple[str, ...]:
        """The old codes of all villages that moved."""
        return tuple(self._moved)

    def is_regency(self, code: str) -> bool:
        """Whether this is a known regency or city."""
        return len(code) == _REGENCY_LENGTH and code in self._names

    def regencies(self) -> tuple[str, ...]:
        """The codes of all known regencies and cities, in order."""
        return tuple(code for code in self._names if len(code) == _REGENCY_LENGTH)

    def districts(self, regency: str) -> tuple[str, ...]:
        """The codes of a regency's districts (kecamatan), in order; empty for any other code."""
        return self._children.get(regency, ()) if self.is_regency(regency) else ()

    def villages(self, district: str) -> tuple[Village, ...]:
        """The villages of a district, in order; empty for any other code."""
        return tuple(self._villages[code] for code in self._children.get(district, ()) if code in self._villages)

    def name(self, code: str) -> str | None:
        """The official name of any known area; a city or regency includes its `Kota` or `Kabupaten`."""
        return self._names.get(code)

    def named(self, code: str) -> str:
        """An area for people to read: its name and code, or the code alone when it is unknown."""
        name = self.name(code)
        return f"{name} ({code})" if name else code

    def district_of(self, village: str) -> str | None:
        """The district code of a known village, old codes resolved."""
        found = self._villages.get(self.resolve(village))
        return found.district if found else None

    def regency_of(self, code: str) -> str | None:
        """The regency code of a known village (old codes resolved), district or regency."""
        current = self.resolve(code)
        return current[:_REGENCY_LENGTH] if len(current) >= _REGENCY_LENGTH and current in self._names else None

    def point(self, district: str) -> tuple[float, float] | None:
        """A point inside a district as latitude and longitude in degrees, for maps; None when the source has none."""
        return self._points.get(district)


def spelled(name: str) -> str:
    """A name in the form used to compare area names: capitals, without blanks, marks and the kind of area before it."""
    upper = " ".join(name.upper().split())
    bare = _NO_LETTER.sub("", _KIND_OF_AREA.sub("", upper))
    for other, ours in _SPELLINGS:
        bare = bare.replace(other, ours)
    return bare


def parse(areas: str, moved: str = "") -> Areas:
    """Reads the text of `areas.csv` and `moved_villages.csv`; raises ValueError when they contradict themselves."""
    names: dict[str, str] = {}
    villages: dict[str, Village] = {}
    children: dict[str, list[str]] = {}
    points: dict[str, tuple[float, float]] = {}
    called: dict[tuple[str, str], tuple[Village, ...]] = {}
    districts: dict[tuple[str, str], str] = {}
    for row in csv.DictReader(areas.splitlines()):
        code, parent = row["code"], row["parent"]
        if code in names:
            raise ValueError(f"area {code} stands twice in the table")
        if parent and parent not in names:
            raise ValueError(f"area {code} stands before its parent {parent}")
        names[code] = row["name"]
        children.setdefault(parent, []).append(code)
        if row["level"] == "district":
            districts[code[:_REGENCY_LENGTH], spelled(row["name"])] = code
        if row["level"] == "village":
            village = villages[code] = Village(code, row["name"], parent, code[:_REGENCY_LENGTH])
            key = village.regency, spelled(village.name)
            called[key] = (*called.get(key, ()), village)
        if row.get("lat"):
            points[code] = (float(row["lat"]), float(row["lon"]))
    return Areas(
        MappingProxyType(names),
        MappingProxyType(villages),
        MappingProxyType({parent: tuple(codes) for parent, codes in children.items()}),
        MappingProxyType(points),
        MappingProxyType(_parse_moved(moved, villages)),
        MappingProxyType(called),
        MappingProxyType(districts),
    )


def _parse_moved(text: str, villages: Mapping[str, Village]) -> dict[str, str]:
    moved: dict[str, str] = {}
    for row in csv.DictReader(text.splitlines()):
        old, new = row["old_code"], row["new_code"]
        if old in villages or new not in villages:
            raise ValueError(f"a moved village must go from an unknown code to a known one: {old} -> {new}")
        moved[old] = new
    return moved


@cache
def load() -> Areas:
    """The areas that the product ships."""
    folder = resources.files("shared.reference")
    return parse(
        folder.joinpath("areas.csv").read_text(encoding="utf-8"),
        folder.joinpath("moved_villages.csv").read_text(encoding="utf-8"),
    )


def outlines() -> str:
    """The GeoJSON text of the district outlines (lon, lat; properties code, name, regency)."""
    return resources.files("shared.reference").joinpath("districts.geojson").read_text(encoding="utf-8")
