"""A small city to be examined: two towns of four communities, with houses, a school and what else counts."""

import json
from pathlib import Path
from typing import Any

import shapely
import shapely.geometry

from cim_core.city import City
from cim_core.progress import Progress
from cim_core.sight import Doer
from server.checkup.examining import examined
from server.checkup.order import Order
from tests.conftest import import_file

WEST, SOUTH, SIDE = 113.40, 23.10, 0.004
"""The communities are squares of some 410 m in a row, two to a town."""
DOER = Doer("a1", "office of the check-up")
SET = "mini"
SENSITIVITIES = {
    "towns": "public", "communities": "public", "parcels": "public", "schools": "internal",
    "ponding": "sensitive", "population": "public", "estates": "internal",
}  # fmt: skip


def checkup_city(city: City, folder: Path, *, ponds: int = 2) -> None:
    """Import its layers; `ponds` ponding points lie in the first community, one of them severe."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, features in _layers(ponds).items():
        import_layer(city, folder, name, features)


def import_layer(
    city: City,
    folder: Path,
    name: str,
    features: list[dict[str, Any]],
    sensitivity: str | None = None,
) -> None:
    """Import features as a layer, of the sensitivity it has here if no other is told."""
    path = folder / f"{name}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    import_file(
        city, path, kind="vector", options={"sensitivity": sensitivity or SENSITIVITIES[name]}
    )


def put_set(city: City, key: str = SET) -> None:
    """Begin the draft of the set of indicators."""
    city.checkups.sets.put(key, mini_set(key), None, DOER)


def examine_city(city: City, year: int = 2025, key: str = SET) -> str:
    """Examine the city by the set; the run's id."""
    return examined(city.seen_by(city.sight, DOER), Order(key, year), Progress())


def two_years(folder: Path) -> City:
    """A city that was examined in 2025, and in 2026 with one estate better off: 2025-1 and 2026-1."""
    city = City.open_or_create(folder / "city")
    checkup_city(city, folder / "files")
    put_set(city)
    examine_city(city)
    import_layer(city, folder / "files", "estates", estates(missing=5))
    examine_city(city, 2026)
    city.database.close()
    city.checkups.close()
    return city


def mini_set(key: str = SET) -> dict[str, Any]:
    """The set: of a school's radius, a density, people, severe ponding, a proxy, and what is not there."""
    schools = {"input": "schools", "radius": 300.0}
    return {
        "id": key, "system": "own", "year": 2025, "name": text("Small set", "小指标集"), "source": "test",
        "dimensions": {"life": text("Life", "生活"), "safety": text("Safety", "安全")},
        "indicators": [
            indicator(
                "16", "School in reach", "学校覆盖率", "block", "life", "%", "higher",
                {"operator": "coverage", "demand": {"input": "residential-land"}, "sites": [schools]},
                {"value": 90.0, "source": "practice", "confidence": "recalled"},
                ["town", "community", "cell"],
            ),
            indicator(
                "33", "Severe ponding points", "严重积水点", "city", "safety", "points", "lower",
                {"operator": "total", "what": {"input": "ponding", "where": {"severity": "severe"}}},
                {"value": 0.0, "source": "plan", "confidence": "confirmed"}, ["community"],
            ),
            indicator(
                "28", "Parking missing", "停车缺口", "community", "life", "spaces", "lower",
                {
                    "operator": "gap", "what": {"input": "estates"}, "required": "parking_required",
                    "existing": "parking",
                },
                {"value": 0.0, "source": "plan", "confidence": "confirmed"}, ["estate"],
            ),
            {
                **indicator(
                    "27p", "Land by residents", "人均用地", "city", "life", "m²", "higher",
                    {
                        "operator": "per-capita", "what": {"input": "residential-land"},
                        "measure": "area", "population": {"input": "population"},
                    },
                    {"value": 1.0, "source": "practice", "confidence": "recalled"}, ["town"],
                ),
                "proxy": True,
            },
            indicator(
                "07", "Greenway in reach", "绿道覆盖率", "city", "life", "%", "higher",
                {
                    "operator": "coverage", "demand": {"input": "residential-land"},
                    "sites": [{"input": "greenways", "radius": 1000.0}],
                },
                None, ["town"],
            ),
        ],
    }  # fmt: skip


def indicator(
    code: str, en: str, zh: str, level: str, dimension: str, unit: str, direction: str,
    formula: dict[str, Any], target: dict[str, Any] | None, by: list[str],
) -> dict[str, Any]:  # fmt: skip
    """An indicator as an indicator's file has it."""
    return {
        "code": code, "name": text(en, zh), "level": level, "dimension": dimension, "unit": unit,
        "unit_zh": unit, "direction": direction, "formula": formula, "by": by,
        **({"target": target} if target else {}), "department": text("Education office", "教育局"),
        "explanation": text(f"What {en.lower()} means.", f"{zh}的含义。"),
    }  # fmt: skip


def text(en: str, zh: str) -> dict[str, str]:
    """Words in both languages."""
    return {"en": en, "zh": zh}


def estates(missing: int = 30) -> list[dict[str, Any]]:
    """Two estates: the first lacks so many parking spaces."""
    return [
        feature("e1", square(0, 0.2, 0.2, 0.3), name="East estate", parking=70, parking_required=70 + missing),
        feature("e2", square(1, 0.2, 0.2, 0.3), name="West estate", parking=90, parking_required=80),
    ]  # fmt: skip


def square(place: int, x: float, y: float, side: float) -> shapely.Polygon:
    """A square in a community, by parts of the community's side."""
    west, south = WEST + (place + x) * SIDE, SOUTH + y * SIDE
    return shapely.box(west, south, west + side * SIDE, south + side * SIDE)


def feature(key: str, shape: shapely.Geometry, **properties: Any) -> dict[str, Any]:
    """A GeoJSON feature."""
    return {
        "type": "Feature", "id": key, "properties": properties,
        "geometry": shapely.geometry.mapping(shape),
    }  # fmt: skip


def _layers(ponds: int) -> dict[str, list[dict[str, Any]]]:
    squares = [square(place, 0, 0, 1) for place in range(4)]
    towns = [shapely.union_all(squares[:2]), shapely.union_all(squares[2:])]
    return {
        "towns": [
            feature(f"t{number}", town, name=f"街镇{number}", name_en=f"Town {number}", population=1000.0)
            for number, town in enumerate(towns, 1)
        ],
        "communities": [
            feature(f"c{number}", one, name=f"社区{number}", name_en=f"Community {number}", population=500.0)
            for number, one in enumerate(squares, 1)
        ],
        "parcels": [
            feature(f"p{place}", square(place, 0.1, 0.1, 0.8), land_use="R2", far_limit=2.0)
            for place in range(4)
        ],
        "schools": [feature("s1", square(0, 0.45, 0.45, 0.1), kind="middle", name="第一中学")],
        "ponding": [
            feature(f"w{number}", square(0, 0.3 + number / 10, 0.5, 0).centroid, name=f"积水点{number}",
                    severity="severe" if number == 0 else "light", state="open")
            for number in range(ponds)
        ],
        "population": [
            feature(f"g{place}", square(place, 0, 0, 1), population=500.0, jobs=10.0, density=3000.0, year=2024)
            for place in range(4)
        ],
        "estates": estates(),
    }  # fmt: skip
