"""The vector layers of the district as tables: a shape and its columns for each thing."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from sample_data.district import places
from sample_data.district.communities import Area, communities, residents
from sample_data.district.district import District
from sample_data.district.draft import Building, Parcel
from sample_data.district.intersections import Intersection
from sample_data.district.plan import WIDTHS, Shape, curve
from sample_data.district.streets import CARRIAGEWAYS, LANES, SPEEDS

Row = dict[str, str | int | float | None]
"""Columns by name; None where nothing is known."""

ROAD_CLASSES = {
    "arterial": ("PrimaryRoad", "主干路"), "collector": ("SecondaryRoad", "次干路"),
    "local": ("BranchRoad", "支路"), "lane": ("LocalStreet", "内部道路"), "alley": ("Path", "巷道"),
}  # fmt: skip
STEPS = (12.0, 18.0, 24.0, 36.0, 54.0, 80.0, 100.0, 120.0, 150.0, 200.0, 250.0, 350.0)
"""Height limits of parcels (m): the first that what stands there keeps."""


@dataclass(frozen=True)
class Table:
    """Shapes of one kind of geometry and a row of columns for each."""

    geometry: str
    shapes: Sequence[Shape]
    rows: Sequence[Row]


@cache
def codes() -> Mapping[str, Mapping[str, str]]:
    """What land use codes mean."""
    text = Path(__file__).with_name("codes.toml").read_text("utf-8")
    table: dict[str, dict[str, str]] = tomllib.loads(text)
    return table


def tables(of: District, crossings: Sequence[Intersection]) -> dict[str, Table]:
    """All tables by the name of their file."""
    found, towns = communities(of)
    parcels = _parcels(of)
    join = _Joined(parcels, found)
    wrecked = _inside(of.renewal, of.buildings)
    falling = [b for b, out in zip(of.buildings, wrecked, strict=True) if out]
    line, stations = places.metro(of)
    lights = [c for c in crossings if c.signals]
    return {
        "buildings": _buildings(standing(of), "B", "existing", join),
        "buildings_renewal": _buildings(falling, "X", "to be demolished", join),
        "buildings_planned": _buildings(of.planned.buildings, "P", "planned", join),
        "roads": _roads(of),
        "roads_planned": _road_planned(of),
        "water": _water(of),
        "parcels": parcels,
        "parks": _places(places.parks(of), "MultiPolygon", "Greenery", "park"),
        "schools": _places(places.schools(of), "MultiPolygon", "School", "school"),
        "clinics": _places(places.clinics(of, [(a.zh, a.en, a.shape) for a in found]), "Point", "Medical", "clinic"),
        "bus_stops": _places(places.bus_stops(of), "Point", "Station", "bus"),
        "metro_line": _places([line], "LineString", "Railway", "metro"),
        "metro_stations": _places(stations, "MultiPolygon", "Station", "station"),
        "communities": _areas(found, "community"),
        "towns": _areas(towns, "town"),
        "intersections": _intersections(lights),
        "approaches": _approaches(lights),
        "lanes": _lanes(lights),
        "crosswalks": _crosswalks(lights),
    }  # fmt: skip


def standing(of: District) -> list[Building]:
    """The buildings that stay, in the order of their ids."""
    wrecked = _inside(of.renewal, of.buildings)
    return [b for b, out in zip(of.buildings, wrecked, strict=True) if not out]


def _inside(area: Shape, buildings: Sequence[Building]) -> list[bool]:
    spots = shapely.point_on_surface(np.array([b.outline for b in buildings]))
    shapely.prepare(area)
    return [bool(hit) for hit in shapely.contains(area, spots)]


class _Joined:
    """Which parcel and which community a place lies in."""

    def __init__(self, parcels: Table, areas: Sequence[Area]) -> None:
        self._parcels, self._areas = parcels, areas
        self._parcel_tree = shapely.STRtree(list(parcels.shapes))
        self._area_tree = shapely.STRtree([a.shape for a in areas])

    def of(self, outlines: Sequence[Shape]) -> tuple[list[str], list[str]]:
        """The ids of the parcels and the names of the communities of some outlines."""
        spots = shapely.point_on_surface(np.array(outlines))
        ids = [""] * len(outlines)
        for spot, hit in self._parcel_tree.query(spots, predicate="within").T:
            ids[spot] = str(self._parcels.rows[hit]["id"])
        names = [""] * len(outlines)
        for spot, hit in self._area_tree.query(spots, predicate="within").T:
            names[spot] = self._areas[hit].zh
        return ids, names


def _buildings(buildings: Sequence[Building], prefix: str, state: str, join: _Joined) -> Table:
    parcels, areas = join.of([b.outline for b in buildings])
    rows: list[Row] = [
        {
            "id": f"{prefix}{i + 1:05d}", "name": b.zh, "name_en": b.en, "use": b.use,
            "height": b.height, "floors": b.floors, "floor_area": round(b.outline.area * b.floors, 1),
            "year": b.year, "structure": b.structure, "residents": round(residents(b)),
            "parcel": parcel, "community": area, "state": state,
        }
        for i, (b, parcel, area) in enumerate(zip(buildings, parcels, areas, strict=True))
    ]  # fmt: skip
    return Table("Polygon", [b.outline for b in buildings], rows)


def _parcels(of: District) -> Table:
    """The parcels as planned: on the land of the old works those of the plan."""
    chosen: list[tuple[Parcel, float, float, float]] = []
    for parcels, buildings, planned in (
        (of.parcels, of.buildings, False), (of.planned.parcels, of.planned.buildings, True),
    ):  # fmt: skip
        floor_area = np.zeros(len(parcels))
        covered = np.zeros(len(parcels))
        highest = np.zeros(len(parcels))
        for b in buildings:
            floor_area[b.parcel] += b.outline.area * b.floors
            covered[b.parcel] += b.outline.area
            highest[b.parcel] = max(highest[b.parcel], b.height)
        for i, parcel in enumerate(parcels):
            if planned or parcel.use.use != "renewal":
                chosen.append((parcel, float(floor_area[i]), float(covered[i]), float(highest[i])))
    shapes, rows = [], list[Row]()
    for i, (parcel, floors, cover, high) in enumerate(chosen):
        area = parcel.outline.area
        code = codes()[parcel.code]
        green = parcel.code in ("G1", "G2")
        far = floors / area
        shapes.append(parcel.outline)
        rows.append(
            {
                "id": f"DK-{i + 1:03d}", "name": parcel.use.zh, "name_en": parcel.use.en,
                "class": code["class"], "land_use": parcel.code, "land_use_zh": code["zh"],
                "land_use_en": code["en"], "area": round(area, 1), "far": round(far, 2),
                "far_limit": 0.1 if green else max(0.5, float(np.ceil(far * 10.5) / 10)),
                "coverage": round(cover / area, 3),
                "height_limit": next((s for s in STEPS if s >= high), STEPS[-1]),
                "green_ratio": 0.75 if green else 0.35 if parcel.code[0] in "RA" else 0.2,
            }
        )  # fmt: skip
    return Table("Polygon", shapes, rows)


def _roads(of: District) -> Table:
    shapes, rows = [], list[Row]()
    river = of.water.river
    wet = shapely.union(of.water.creek, of.water.lake)
    for i, s in enumerate(of.streets.segments):
        kind, zh = ROAD_CLASSES[s.kind]
        bridge = (s.street.bridge and s.line.intersects(river)) or s.line.intersects(wet)
        shapes.append(s.line)
        rows.append(
            {
                "id": f"R{i + 1:04d}", "name": s.street.zh, "name_en": s.street.en, "class": kind,
                "road_class": zh, "lanes": LANES[s.kind], "width": CARRIAGEWAYS[s.kind],
                "reserve": WIDTHS[s.kind], "speed": SPEEDS[s.kind],
                "oneway": "yes" if s.street.oneway or s.kind == "alley" else "no",
                "bridge": "yes" if bridge else "no", "length": round(s.line.length, 2),
                "from_node": f"N{s.nodes[0] + 1:04d}", "to_node": f"N{s.nodes[1] + 1:04d}",
            }
        )  # fmt: skip
    return Table("LineString", shapes, rows)


def _road_planned(of: District) -> Table:
    table = of.plan.raw["road_cut"]
    line = curve(table["line"]).intersection(of.plan.area)
    row: Row = {
        "id": "RP001", "name": table["zh"], "name_en": table["en"], "class": "PrimaryRoad",
        "road_class": "主干路", "lanes": 6, "width": 26.0, "speed": 60, "oneway": "no",
        "length": round(line.length, 2), "year": 2029,
    }  # fmt: skip
    return Table("LineString", [line], [row])


def _water(of: District) -> Table:
    named = [
        ("云汀河", "Yunting River", "river", of.water.river), ("青涌", "Qing Creek", "creek", of.water.creek),
        ("云汀湖", "Yunting Lake", "lake", of.water.lake),
    ]  # fmt: skip
    ponds = [s for kind, s in of.marks if kind == "pond"]
    named += [(f"风水塘{i + 1}", f"Village Pond {i + 1}", "pond", s) for i, s in enumerate(ponds)]
    level = of.plan.raw["water"]["level"]
    rows: list[Row] = [
        {"id": f"W{i + 1:02d}", "name": zh, "name_en": en, "class": "WaterBody", "kind": kind,
         "area": round(shape.area, 1), "level": level if kind == "river" else 0.0}
        for i, (zh, en, kind, shape) in enumerate(named)
    ]  # fmt: skip
    for row in rows:
        if row["kind"] != "river":
            del row["level"]
    return Table("MultiPolygon", [shape for *_, shape in named], _even(rows, "level", float("nan")))


def _even(rows: list[Row], name: str, missing: float) -> list[Row]:
    return [{**row, name: row.get(name, missing)} for row in rows]


def _places(found: Sequence[places.Place], geometry: str, kind: str, prefix: str) -> Table:
    rows: list[Row] = [
        {"id": f"{prefix}-{i + 1:03d}", "name": p.zh, "name_en": p.en, "class": kind, "kind": p.kind, **p.numbers}
        for i, p in enumerate(found)
    ]  # fmt: skip
    return Table(geometry, [p.shape for p in found], rows)


def _areas(found: Sequence[Area], kind: str) -> Table:
    rows: list[Row] = [
        {"id": f"{kind}-{i + 1:02d}", "name": a.zh, "name_en": a.en, "class": "AdminArea", "kind": kind,
         "part_of": a.of, "part_of_en": a.of_en, "area": round(a.shape.area, 1),
         "population": a.population, "households": a.households, "elderly": a.elderly,
         "children": a.children}
        for i, a in enumerate(found)
    ]  # fmt: skip
    return Table("MultiPolygon", [a.shape for a in found], rows)


def _intersections(lights: Sequence[Intersection]) -> Table:
    rows: list[Row] = [
        {"id": f"I{i + 1:02d}", "name": f"{c.zh}路口", "name_en": c.en, "class": "TransportSquare",
         "node": f"M{c.node + 1:04d}", "control": "signal", "approaches": len(c.approaches),
         "entry_lanes": sum(lane.way == "entry" for a in c.approaches for lane in a.lanes),
         "cycle": 120}
        for i, c in enumerate(lights)
    ]  # fmt: skip
    return Table("Polygon", [c.area for c in lights], rows)


def _each(
    lights: Sequence[Intersection],
    geometry: str,
    take: Callable[[Any], list[tuple[str, Shape, Row]]],
) -> Table:
    """A row for each of what `take` finds at an approach, its id made of those above it."""
    shapes, rows = [], list[Row]()
    for i, c in enumerate(lights):
        for j, approach in enumerate(c.approaches):
            above = f"I{i + 1:02d}-{j + 1}"
            for ending, shape, row in take(approach):
                shapes.append(shape)
                rows.append({"id": f"{above}{ending}", "intersection": f"I{i + 1:02d}", **row})
    return Table(geometry, shapes, rows)


def _approaches(lights: Sequence[Intersection]) -> Table:
    return _each(
        lights, "LineString",
        lambda a: [("", a.line, {
            "name": f"{a.street}进口", "name_en": f"{a.street_en} approach", "class": "Road",
            "bearing": a.bearing, "speed": a.speed,
            "lanes": sum(lane.way == "entry" for lane in a.lanes),
        })],
    )  # fmt: skip


def _lanes(lights: Sequence[Intersection]) -> Table:
    return _each(
        lights, "LineString",
        lambda a: [
            (f"-{lane.way[0]}{lane.number}", lane.line, {
                "name": f"{a.street}{'进口' if lane.way == 'entry' else '出口'}车道{lane.number}",
                "class": "Road", "way": lane.way, "number": lane.number, "turns": lane.turns,
                "width": lane.width, "speed": a.speed,
            })
            for lane in a.lanes
        ],
    )  # fmt: skip


def _crosswalks(lights: Sequence[Intersection]) -> Table:
    return _each(
        lights, "Polygon",
        lambda a: [("-c", a.crosswalk, {
            "name": f"{a.street}人行横道", "class": "Path",
            "length": round(CARRIAGEWAYS[a.kind], 1),
        })],
    )  # fmt: skip
