"""The district map as SVG outlines, drawn once from the shipped GeoJSON. Knows no figures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson

from shared.reference.areas import outlines

WIDTH = 640.0
MARGIN = 6.0


@dataclass(frozen=True, slots=True)
class Outline:
    """One district: its code, name and SVG path data."""

    code: str
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class DistrictMap:
    """Outlines in one coordinate system; empty when the product ships none."""

    width: int
    height: int
    outlines: tuple[Outline, ...]


@cache
def draw(regency: str | None) -> DistrictMap:
    """The map of one regency or of all. Near the equator a degree has equal length both ways, so no projection
    is needed.
    """
    text = outlines()
    features = orjson.loads(text)["features"] if text.strip() else []
    wanted = [one for one in features if regency is None or one["properties"]["regency"] == regency]
    points = [point for one in wanted for ring in _rings(one["geometry"]) for point in ring]
    if not points:
        return DistrictMap(0, 0, ())
    west, east = min(lon for lon, _ in points), max(lon for lon, _ in points)
    south, north = min(lat for _, lat in points), max(lat for _, lat in points)
    scale = (WIDTH - 2 * MARGIN) / max(east - west, north - south)

    def place(lon: float, lat: float) -> str:
        return f"{MARGIN + (lon - west) * scale:.1f} {MARGIN + (north - lat) * scale:.1f}"

    return DistrictMap(
        width=round(2 * MARGIN + (east - west) * scale),
        height=round(2 * MARGIN + (north - south) * scale),
        outlines=tuple(
            Outline(
                one["properties"]["code"],
                one["properties"]["name"],
                "".join("M" + "L".join(place(*point) for point in ring) + "Z" for ring in _rings(one["geometry"])),
            )
            for one in wanted
        ),
    )


def _rings(geometry: Any) -> Iterable[Sequence[tuple[float, float]]]:
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    for polygon in polygons:
        for ring in polygon:
            yield [(point[0], point[1]) for point in ring]
