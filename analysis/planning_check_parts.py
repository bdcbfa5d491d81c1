"""What a planning check measures of a planned building, and the shapes that prove it."""

import tomllib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import shapely

from analysis.areas import square_metres
from analysis.rays.scene import Scene
from analysis.renewal.twin_areas import floor_area_of
from analysis.renewal.twin_buildings import TwinBuilding, buildings_in, twin_buildings
from analysis.renewal.twin_tables import is_green, storeys_of, twin_table
from cim_core.city import City
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.sketch import SketchShape, Words
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion

Verdict = Literal["met", "failed", "unknown"]
Condition = Literal["far", "density", "height", "setback", "green"]

_UPPER = ("far", "density", "height")
"""Conditions that say how much at most."""
_ALL = 2**31
_SLIVER = 1e-4
"""Square metres: less than that is where two outlines touch."""


@lru_cache
def conditions_table() -> Mapping[str, Any]:
    """`planning_check.toml`."""
    return tomllib.loads(files("analysis").joinpath("planning_check.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a check, with the condition it is held against and what proves it.

    reason
        Why it is unknown, or what the figure rests on.
    """

    code: str
    title: Words
    value: float | None
    unit: str
    condition: float | None
    at_least: bool
    source: str
    verdict: Verdict
    reason: Words | None
    proof: tuple[SketchShape, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A planned building that stands on the parcel.

    outline
        In metres in the frame; `ground` and `top` are metres there, `ground` the lowest under it.
    on_terrain
        Whether that is the terrain's; else it is the lowest of the building above its basement.
    area, floor_area
        m²; None where nothing says how many storeys it has.
    how
        Where its storeys are from, as `floor_area_of` has it.
    things
        Which things of the scene it is made of.
    """

    name: str
    outline: shapely.Geometry
    degrees: shapely.Geometry
    ground: float
    on_terrain: bool
    top: float
    area: float
    floor_area: float | None
    how: str
    things: tuple[int, ...]


def has_storeys(version: LayerVersion) -> bool:
    """Whether a layer is a model of buildings, storey by storey."""
    # What is on no storey is listed as one without an id.
    return any(storey["id"] for storey in version.summary["storeys"])


def planned_buildings(
    city: City, scene: Scene, version: LayerVersion, parcel: shapely.Geometry
) -> list[Planned]:
    """What is planned on a parcel, degrees: buildings of which some part stands on it.

    What is of no class of buildings, trees and the like, is none.
    """
    flat = scene.laid(parcel)
    new = [int(i) for i in np.flatnonzero(scene.planned)]
    if has_storeys(version):
        found = _modelled(city, scene, version, parcel, new)
    else:
        found = []
        for thing, held in _buildings(scene, new).items():
            known = scene.things[thing]
            [area] = square_metres([known.outline]).tolist()
            storeys = storeys_of(known.attributes)
            floors = None if storeys is None else area * storeys
            twin = TwinBuilding(known.outline, area, storeys, floors, known.high - known.low)
            found.append(
                _planned(scene, known.outline, twin, known.name or known.id, (thing, *held))
            )
    return [one for one in found if shapely.area(shapely.intersection(one.outline, flat)) > 1.0]


def _modelled(
    city: City,
    scene: Scene,
    version: LayerVersion,
    parcel: shapely.Geometry,
    planned: Sequence[int],
) -> list[Planned]:
    """The buildings of a model, each with what stands on its storeys; with all of it where it is one."""
    layer, number = version.layer, version.version
    storeys = {str(one["id"]): one for one in version.summary["storeys"] if one["id"]}
    holders = {key: city.features.get(layer, number, key).feature.parent for key in storeys}
    deep = twin_table()["storeys"]["ground"]
    basements = {key for key, one in storeys.items() if (one["elevation"] or 0.0) < deep}
    several = sorted({holder for holder in holders.values() if holder})
    twins = twin_buildings(city, [(layer, one) for one in several]) if len(several) > 1 else {}
    if not twins:
        return [
            _planned(scene, one.outline, one, version.title, tuple(planned), basements)
            for one in buildings_in(city, version, parcel)
        ]
    found = []
    for (_, key), twin in twins.items():
        on = [
            i for i in planned if holders.get(str(scene.things[i].attributes.get("storey"))) == key
        ]
        if on:
            name = city.features.get(layer, number, key).feature.name
            found.append(_planned(scene, twin.outline, twin, name or key, tuple(on), basements))
    return found


def _buildings(scene: Scene, planned: Sequence[int]) -> dict[int, list[int]]:
    """Which planned things are buildings, by their class, each with the things that it holds.

    A part of a building that is there itself counts with it, as `buildings_in` has it.
    """
    classes = twin_table()["buildings"]["classes"]
    by_id = {
        scene.things[i].id: i
        for i in planned
        if scene.things[i].feature_class in classes and scene.things[i].outline is not None
    }
    found: dict[int, list[int]] = {
        i: [] for i in by_id.values() if scene.things[i].parent not in by_id
    }
    for thing in planned:
        passed = {thing}
        whole = by_id.get(scene.things[thing].parent or "")
        while whole is not None and whole not in found and whole not in passed:
            passed.add(whole)
            whole = by_id.get(scene.things[whole].parent or "")
        if whole is not None and whole in found:
            found[whole].append(thing)
    return found


def _planned(
    scene: Scene, degrees: shapely.Geometry, twin: TwinBuilding, name: str, things: tuple[int, ...],
    basements: Container[str] = (),
) -> Planned:  # fmt: skip
    """A planned building that is made of some things, on the ground of its corners.

    Where there is none it stands on the lowest of its things that are on no storey in `basements`.
    """
    corners = shapely.get_coordinates(shapely.force_2d(degrees))
    ground = scene.known_ground(corners)[:, 2]
    on_terrain = bool(np.isfinite(ground).any())
    if not on_terrain:
        over = [i for i in things if str(scene.things[i].attributes.get("storey")) not in basements]
        ground = scene.bodies(over or things)[:, :, 2]
    floors, how = floor_area_of(twin, None)
    return Planned(
        name, scene.laid(degrees), shapely.force_2d(degrees), float(np.nanmin(ground)), on_terrain,
        float(scene.bodies(things)[:, :, 2].max()), twin.footprint, floors, how, things,
    )  # fmt: skip


def green_land(
    city: City, scene: Scene, parcel: shapely.Geometry, built: Sequence[Planned]
) -> shapely.Geometry | None:
    """Planned green land on a parcel, degrees, without what is built on; None where none is drawn."""
    shapes = []
    for version in city.layers.current():
        if version.about.lifecycle != "planned" or version.summary.get("kind") != "vector":
            continue
        if version.part.whole:
            query = Query(bbox=tuple(parcel.bounds))
            rows = city.features.find(version.layer, version.version, query, after=None, limit=_ALL)
            shapes += [row.footprint for row in rows if is_green(row.feature)]
    green = shapely.intersection(shapely.union_all(shapes), parcel) if shapes else None
    # What lies beside the parcel meets it in a line, or in what rounding makes of one.
    parts = shapely.get_parts(green)
    parts = parts[square_metres(parts) > _SLIVER]
    if not len(parts):
        return None
    land = shapely.union_all(parts)
    return shapely.difference(land, shapely.union_all([one.degrees for one in built]))


def prisms(
    scene: Scene, shape: shapely.Geometry, bottom: float, top: float, kind: str, key: str,
    label: Words | None = None, value: float | None = None,
) -> list[SketchShape]:  # fmt: skip
    """Prisms over an area, all in metres in the frame, without slivers."""
    found = []
    for number, part in enumerate(shapely.get_parts(shape)):
        if part.geom_type != "Polygon" or shapely.area(part) <= _SLIVER:
            continue
        low, high = heights_at(scene, part, bottom), heights_at(scene, part, top)
        found.append(
            SketchShape(f"{key}.{number}", kind, in_degrees(scene, part), label, value, low, high)
        )
    return found


def heights_at(scene: Scene, shape: shapely.Geometry, z: float) -> float:
    """The height in the city's datum of metres in the frame, in the middle of a shape."""
    middle = shapely.point_on_surface(shape)
    return float(scene.geographic(np.array([[middle.x, middle.y, z]]))[0, 2])


def in_degrees(scene: Scene, shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in metres in the frame, in longitude and latitude."""
    return shapely.transform(
        shape, lambda p: scene.geographic(np.column_stack([p, np.zeros(len(p))]))[:, :2]
    )


def above(
    corners: Floats, limit: Callable[[Floats], Floats]
) -> tuple[list[shapely.Geometry], Floats]:
    """The parts of triangles above a plane, from above, and how far their corners reach over it.

    corners are (m, 3, 3); `limit` gives the height (n,) of the plane at (n, 2). Parts seen from the
    side only, walls, are left out. The excesses are (parts, 4), NaN where a part has three corners.
    """
    over = corners[:, :, 2] - limit(corners[:, :, :2].reshape(-1, 2)).reshape(-1, 3)
    parts, excesses = [], []
    for triangle, heights in zip(corners[(over > 0).any(axis=1)], over[(over > 0).any(axis=1)], strict=True):  # fmt: skip
        points: list[Floats] = []
        reached: list[float] = []
        for i in range(3):
            j = (i + 1) % 3
            if heights[i] >= 0:
                points.append(triangle[i, :2])
                reached.append(float(heights[i]))
            if (heights[i] > 0) != (heights[j] > 0) and heights[i] != 0 and heights[j] != 0:
                share = heights[i] / (heights[i] - heights[j])
                points.append(triangle[i, :2] + share * (triangle[j, :2] - triangle[i, :2]))
                reached.append(0.0)
        if len(points) < 3:
            continue
        part = shapely.Polygon(points)
        if shapely.area(part) > _SLIVER:
            parts.append(part)
            excesses.append([*reached, np.nan][:4])
    return parts, np.array(excesses, np.float64).reshape(-1, 4)


def told(attributes: Mapping[str, Value], condition: Condition) -> tuple[float | None, str]:
    """What a parcel says of a condition, and the column that does; shares are 0–1.

    "0.5%" is 0.005. Registers write 0 where no upper limit is set, so that is none.
    """
    by_lower = {name.lower(): name for name in attributes}
    for name in conditions_table()["columns"][condition]:
        column = by_lower.get(name.lower())
        value = attributes.get(column) if column else None
        percent = False
        if isinstance(value, str):
            text = value.strip()
            percent = text.endswith(("%", "％"))
            try:
                value = float(text.rstrip("%％"))
            except ValueError:
                continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            continue
        if value < 0 or (value == 0 and condition in _UPPER):
            continue
        share = percent or (condition in ("density", "green") and value > 1)
        return (value / 100 if share else float(value)), str(column)
    return None, ""


def held(
    value: float | None, condition: float | None, *, at_least: bool, slack: float
) -> tuple[Verdict, Words | None]:
    """Whether a figure keeps its condition; unknown, and why, where one of them is."""
    if condition is None:
        return "unknown", {
            "en": "the parcel says no such condition, and none was given",
            "zh": "地块未载明该条件，也未另行指定",
        }
    if value is None or not np.isfinite(value):
        return "unknown", None
    kept = value >= condition - slack if at_least else value <= condition + slack
    return ("met" if kept else "failed"), None
