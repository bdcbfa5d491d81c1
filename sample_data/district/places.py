"""Places people go to: parks, schools, clinics, bus stops and the metro."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops

from sample_data.district.district import District
from sample_data.district.outlines import polygons
from sample_data.district.plan import Shape, curve, random
from sample_data.district.streets import CARRIAGEWAYS

BUS_SPACING = 430.0
STATION = (170.0, 22.0)
"""Length and width of an underground station (m)."""


@dataclass(frozen=True, slots=True)
class Place:
    """Something with a name, a kind and numbers people ask for."""

    zh: str
    en: str
    kind: str
    shape: Shape
    numbers: dict[str, float | int | str]


def parks(of: District) -> list[Place]:
    """Parks, hills and squares, the water in them cut out."""
    found: dict[tuple[str, str], list[Shape]] = {}
    for shape, use in of.blocks:
        if use.use in ("park", "hill", "plaza"):
            found.setdefault((use.zh, use.en), []).append(shape)
    found["白鹭洲公园", "Egret Isle Park"] = [of.water.island]
    kinds = {"岭": "forest", "广": "square"}
    return [
        Place(zh, en, next((k for sign, k in kinds.items() if sign in zh), "park"),
              shapely.union_all(shapes), {"area": round(shapely.union_all(shapes).area, 1)})
        for (zh, en), shapes in found.items()
    ]  # fmt: skip


def schools(of: District) -> list[Place]:
    """Campuses with their pupils, kindergartens with their children."""
    rng = random(of.seed, "schools")
    found = []
    for shape, use in of.blocks:
        if use.use in ("school", "college"):
            kind = "college" if use.use == "college" else "primary" if "小学" in use.zh else "secondary" if "中学" in use.zh else "nine-year"  # fmt: skip
            classes = int(np.clip(shape.area / 1_050, 18, 60) / 6) * 6
            found.append(Place(use.zh, use.en, kind, shape, {"classes": classes, "pupils": classes * int(rng.integers(40, 46))}))  # fmt: skip
    for building in of.buildings:
        if building.use == "kindergarten":
            groups = int(rng.integers(9, 16))
            found.append(Place(building.zh, building.en, "kindergarten", building.outline, {"classes": groups, "pupils": groups * 30}))  # fmt: skip
    return found


def clinics(of: District, communities: list[tuple[str, str, Shape]]) -> list[Place]:
    """The hospital, and a health station near the middle of every other community."""
    rng = random(of.seed, "clinics")
    found = [
        Place(use.zh, use.en, "hospital", shape.representative_point(), {"beds": 820, "doctors": 460})
        for shape, use in of.blocks if use.use == "hospital"
    ]  # fmt: skip
    houses = [b for b in of.buildings if b.form in ("shop", "slab", "old", "village", "podium") and b.use != "utility"]  # fmt: skip
    spots = shapely.centroid(np.array([b.outline for b in houses]))
    for zh, en, area in communities[::2]:
        nearest = int(np.argmin(shapely.distance(spots, area.centroid)))
        name = (f"{zh.removesuffix('社区')}社区卫生服务站", f"{en} Community Health Station")
        found.append(Place(*name, "clinic", spots[nearest], {"beds": 0, "doctors": int(rng.integers(6, 18))}))  # fmt: skip
    return found


def bus_stops(of: District) -> list[Place]:
    """Stops on both sides of arterials and collectors, some 430 m apart."""
    rng = random(of.seed, "bus")
    found = []
    for street in of.plan.streets:
        if street.kind not in ("arterial", "collector"):
            continue
        line = street.line.intersection(of.plan.area.buffer(-30.0)).difference(of.water.river)
        if line.geom_type != "LineString":
            line = max(shapely.get_parts(line), key=lambda p: p.length)
        count = max(1, round(line.length / BUS_SPACING))
        for i in range(count):
            for side, sign in (("东向" if sign_x(line) else "北向", 1.0), ("西向" if sign_x(line) else "南向", -1.0)):  # fmt: skip
                along = (i + 0.5) * line.length / count + sign * 18.0
                edge = shapely.offset_curve(line, -sign * (CARRIAGEWAYS[street.kind] / 2 + 1.8))
                spot = edge.interpolate(along / line.length, normalized=True)
                lines = sorted(int(n) for n in rng.choice(np.arange(301, 340), int(rng.integers(2, 6)), replace=False))  # fmt: skip
                zh, en = f"{street.zh}{i + 1}站", f"{street.en} Stop {i + 1}"
                found.append(Place(zh, en, "bus_stop", spot, {"side": side, "lines": ";".join(map(str, lines))}))  # fmt: skip
    return found


def sign_x(line: Shape) -> bool:
    """Whether a line runs more east than north."""
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    return bool(abs(x1 - x0) > abs(y1 - y0))


def metro(of: District) -> tuple[Place, list[Place]]:
    """The metro line under Kehui Avenue and its stations; depths in metres below ground."""
    table = of.plan.raw["metro"]
    whole = curve(table["line"])
    line = whole.intersection(of.plan.area)
    route = Place(table["zh"], table["en"], "metro", line, {"length": round(line.length, 1), "depth": 16.0})  # fmt: skip
    stations = []
    for x, zh, en in table["stations"]:
        cut = shapely.LineString([(x, 0.0), (x, of.plan.size)]).intersection(whole)
        along = whole.project(shapely.get_parts(cut)[0])
        part = shapely.ops.substring(whole, along - STATION[0] / 2, along + STATION[0] / 2)
        shape = part.buffer(STATION[1] / 2, cap_style="flat").intersection(of.plan.area)
        stations.append(Place(f"{zh}站", f"{en} Station", "metro_station", polygons(shape)[0], {"depth": 18.0, "entrances": 4}))  # fmt: skip
    return route, stations
