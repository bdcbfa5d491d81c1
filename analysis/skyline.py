"""The skyline around a place: how high the horizon is in each direction, and what makes it so."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar

import numpy as np
import shapely

from analysis.analysis import Answer, Text, parameter
from analysis.rays.question import ViewQuestion, about, eye_at, point_of, standing_after
from analysis.rays.scene import GROUND, Scene
from analysis.rays.tree import Ints
from analysis.skyline_chart import skyline_chart
from cim_core.city import City
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.sketch import Sketch, SketchClass, SketchShape
from cim_core.table import Column, Table

NOTHING = -2
"""What makes the horizon where nothing rises in a direction."""
_DIRECTIONS = 100_000
"""In which edges are met, at once."""

_CLASSES = {
    "eye": SketchClass({"en": "Where one stands", "zh": "观察点"}, "#ffffff"),
    "ground": SketchClass({"en": "Ground", "zh": "地形"}, "#8a6d3b"),
    "building": SketchClass({"en": "Building", "zh": "建筑"}, "#e3b341"),
    "planned": SketchClass({"en": "Planned", "zh": "规划建筑"}, "#e5534b"),
}
_PROFILE = (
    Column("azimuth", {"en": "Azimuth", "zh": "方位角"}, "number", "°"),
    Column("elevation", {"en": "Elevation", "zh": "高度角"}, "number", "°"),
    Column("distance", {"en": "Distance", "zh": "距离"}, "number", "m"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Made by", "zh": "构成要素"}, "text"),
    Column(
        "elevation_after", {"en": "Elevation once it is built", "zh": "建成后高度角"}, "number", "°"
    ),
    Column("layer_after", {"en": "Layer once it is built", "zh": "建成后图层"}, "text"),
    Column("id_after", {"en": "Made by once it is built", "zh": "建成后构成要素"}, "text"),
)
_BUILDINGS = (
    Column("proof", {"en": "Shown", "zh": "图形"}, "sketch"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Id", "zh": "标识"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("width", {"en": "Of the horizon", "zh": "占天际线"}, "number", "°"),
    Column("highest", {"en": "Highest", "zh": "最大高度角"}, "number", "°"),
    Column("azimuth", {"en": "There", "zh": "所在方位角"}, "number", "°"),
)
_FIGURES = (
    Column("what", {"en": "When", "zh": "情景"}, "text"),
    Column("highest", {"en": "Highest", "zh": "最大高度角"}, "number", "°"),
    Column("mean", {"en": "Mean", "zh": "平均高度角"}, "number", "°"),
    Column("sky", {"en": "Sky view factor", "zh": "天空可视因子"}, "number"),
)


@dataclass(frozen=True, slots=True)
class Horizon:
    """The horizon at azimuths, each (n,).

    elevations, distances
        Degrees, -90 where nothing is; metres on the level.
    owners
        Which thing makes it, `GROUND`, or `NOTHING`.
    """

    azimuths: Floats
    elevations: Floats
    distances: Floats
    owners: Ints


class Skyline(ViewQuestion):
    """How high the horizon is around a place. It is computed from the edges of triangles, exactly."""

    name: ClassVar[str] = "skyline"
    title: ClassVar[Text] = {"en": "Skyline", "zh": "天际线分析"}
    description: ClassVar[Text] = {
        "en": "How high buildings and hills stand over the horizon in each direction, and which they are.",
        "zh": "计算观察点各方位天际线的高度角及其构成建筑，可对比规划方案建成前后。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "chart": {"en": "Profile", "zh": "天际线剖面"},
        "figures": {"en": "Figures", "zh": "指标"},
        "buildings": {"en": "What makes it", "zh": "构成建筑"},
        "profile": {"en": "By direction", "zh": "逐方位"},
        "sketch": {"en": "On the map", "zh": "空间分布"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    step: float = parameter(
        0.5,
        {"en": "Step", "zh": "方位步长"},
        {"en": "Between directions.", "zh": "相邻方位的间隔。"},
        unit="°", ge=0.05, le=10, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The horizon all around, and what makes it."""
        place = point_of(self.place, "place")
        scene = self.scene(city, place, self.reach, progress)
        eye = eye_at(scene, place, self.height)
        count = round(360 / self.step)
        before = horizon(scene.only(~scene.planned), eye, count)
        after = horizon(scene.only(standing_after(scene)), eye, count) if self.planned else None
        last = after or before
        lines = _lines(scene, eye, last)
        [at] = scene.geographic(eye[None])
        shapes = [SketchShape("eye", "eye", shapely.Point(at)), *lines]
        return Answer(
            {
                "chart": skyline_chart(
                    before.azimuths, before.elevations, None if after is None else after.elevations,
                    _names(scene, last),
                    {"place": [round(value, 7) for value in at.tolist()]},
                ),
                "figures": _figures(before, after),
                "buildings": _buildings(scene, last, lines),
                "profile": _profile(scene, before, after),
                "sketch": Sketch(tuple(shapes), _CLASSES),
                "about": about(scene),
            },
            scene.versions,
        )  # fmt: skip


def horizon(scene: Scene, eye: Floats, count: int) -> Horizon:
    """The horizon seen from (3,) metres in the frame at `count` azimuths, 0 in the north.

    What is highest of a triangle in a direction lies on one of its edges. What is straight above counts
    in no direction.
    """
    step = 2 * np.pi / count
    starts = (scene.corners - eye).reshape(-1, 3)
    ends = (np.roll(scene.corners, -1, axis=1) - eye).reshape(-1, 3)
    owners = np.repeat(scene.owners, 3)
    first, last = (np.arctan2(points[:, 0], points[:, 1]) for points in (starts, ends))
    turn = (last - first + np.pi) % (2 * np.pi) - np.pi
    low = np.where(turn >= 0, first, last)
    lowest = np.ceil(low / step).astype(np.int64)
    numbers = np.floor((low + np.abs(turn)) / step).astype(np.int64) - lowest + 1
    found = Horizon(
        np.degrees(np.arange(count) * step), np.full(count, -90.0), np.full(count, np.nan),
        np.full(count, NOTHING, np.int64),
    )  # fmt: skip
    # An edge near by is met in many directions: so many at once as memory is for.
    for edges in _at_once(numbers):
        some = numbers[edges]
        rows = np.repeat(edges, some)
        bins = lowest[rows] + np.arange(len(rows)) - np.repeat(np.cumsum(some) - some, some)
        ways = np.column_stack([np.sin(bins * step), np.cos(bins * step)])
        elevations, away = _risen(starts[rows], ends[rows], ways)
        there = away > 0
        _raise(found, (bins % count)[there], elevations[there], away[there], owners[rows][there])
    return found


def _at_once(numbers: Ints) -> list[Ints]:
    """Edges in groups that are met in `_DIRECTIONS` or little more, of how many each is met in, (n,)."""
    met = np.flatnonzero(numbers > 0)
    group = np.cumsum(numbers[met]) // _DIRECTIONS
    return np.split(met, np.flatnonzero(np.diff(group)) + 1) if len(met) else []


def _risen(starts: Floats, ends: Floats, ways: Floats) -> tuple[Floats, Floats]:
    """How high edges rise over the eye in the directions (n, 2), degrees, and how far away, metres.

    What points to the eye or away from it has no distance: its ends are those of other edges.
    """
    d = ends - starts
    across = d[:, 0] * ways[:, 1] - d[:, 1] * ways[:, 0]
    radial = across == 0.0
    along = -(starts[:, 0] * ways[:, 1] - starts[:, 1] * ways[:, 0]) / np.where(radial, 1.0, across)
    points = starts + np.clip(along, 0.0, 1.0)[:, None] * d
    away = np.where(radial, -1.0, (points[:, :2] * ways).sum(axis=1))
    return np.degrees(np.arctan2(points[:, 2], away)), away


def _raise(found: Horizon, bins: Ints, elevations: Floats, away: Floats, owners: Ints) -> None:
    """Raise a horizon where something rises higher; of what is as high the last owner makes it."""
    order = np.lexsort((owners, elevations, bins))
    highest = order[np.append(np.diff(bins[order]) > 0, True)] if len(order) else order
    at, top, owner = bins[highest], elevations[highest], owners[highest]
    over = (top > found.elevations[at]) | (
        (top == found.elevations[at]) & (owner >= found.owners[at])
    )
    at, highest = at[over], highest[over]
    found.elevations[at] = elevations[highest]
    found.distances[at] = away[highest]
    found.owners[at] = owners[highest]


def sky_view_factor(elevations: Floats) -> float:
    """The share of the sky that is open over level ground, weighted by the cosine of incidence.

    Source: L. D. Johnson & I. D. Watson 1984, for a horizon in equal steps of azimuth.

    >>> round(sky_view_factor(np.full(8, 45.0)), 6)
    0.5
    """
    return float((np.cos(np.radians(np.maximum(elevations, 0.0))) ** 2).mean())


def _figures(before: Horizon, after: Horizon | None) -> Table:
    rows = []
    for what, one in (("now", before), ("built", after)):
        if one is not None:
            over = np.maximum(one.elevations, 0.0)
            factor = sky_view_factor(one.elevations)
            rows.append((what, round(float(over.max()), 4), round(float(over.mean()), 4), round(factor, 5)))  # fmt: skip
    return Table(_FIGURES, tuple(rows))


def _made_by(scene: Scene, owner: int) -> tuple[str | None, str | None]:
    if owner == NOTHING:
        return None, None
    if owner == GROUND:
        return None, "ground"
    return scene.things[owner].layer, scene.things[owner].id


def _profile(scene: Scene, before: Horizon, after: Horizon | None) -> Table:
    rows: list[tuple[Value, ...]] = []
    for i, azimuth in enumerate(before.azimuths.tolist()):
        away = float(before.distances[i])
        later: tuple[Value, ...] = (None, None, None)
        if after is not None:
            height = round(float(after.elevations[i]), 4)
            later = (height, *_made_by(scene, int(after.owners[i])))
        rows.append(
            (
                round(azimuth, 4), round(float(before.elevations[i]), 4),
                None if np.isnan(away) else round(away, 2),
                *_made_by(scene, int(before.owners[i])), *later,
            )
        )  # fmt: skip
    return Table(_PROFILE, tuple(rows))


def _runs(owners: Ints) -> list[tuple[int, list[int]]]:
    """Directions beside one another with the same owner."""
    groups = groupby(range(len(owners)), key=lambda i: int(owners[i]))
    return [(owner, list(directions)) for owner, directions in groups]


def _lines(scene: Scene, eye: Floats, one: Horizon) -> list[SketchShape]:
    """The horizon where it is, along what makes it."""
    found = []
    for number, (owner, directions) in enumerate(_runs(one.owners)):
        if owner == NOTHING or len(directions) < 2:
            continue
        angles, away = np.radians(one.azimuths[directions]), one.distances[directions]
        up = np.tan(np.radians(one.elevations[directions])) * away
        points = eye + np.column_stack([np.sin(angles) * away, np.cos(angles) * away, up])
        thing = scene.things[owner] if owner >= 0 else None
        kind = "ground" if thing is None else "planned" if thing.planned else "building"
        highest = float(one.elevations[directions].max())
        label = {"en": f"{thing.name} {highest:.1f}°", "zh": f"{thing.name} {highest:.1f}°"} if thing else None  # fmt: skip
        line = shapely.LineString(scene.geographic(points))
        found.append(SketchShape(f"{owner}.{number}", kind, line, label, round(highest, 4)))
    return found


def _buildings(scene: Scene, one: Horizon, lines: list[SketchShape]) -> Table:
    rows: list[tuple[Value, ...]] = []
    step = 360 / len(one.azimuths)
    for owner in np.unique(one.owners[one.owners >= 0]).tolist():
        of = np.flatnonzero(one.owners == owner)
        top = int(of[np.argmax(one.elevations[of])])
        thing = scene.things[owner]
        proof: list[Value] = [line.id for line in lines if line.id.startswith(f"{owner}.")]
        rows.append(
            (
                proof, thing.layer, thing.id, thing.name, round(len(of) * step, 4),
                round(float(one.elevations[top]), 4), round(float(one.azimuths[top]), 4),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (-float(str(row[4])), str(row[2])))
    return Table(_BUILDINGS, tuple(rows))


def _names(scene: Scene, one: Horizon) -> list[tuple[float, float, str]]:
    """Azimuth, elevation and name of what stands highest, the highest first."""
    found = []
    for owner in np.unique(one.owners[one.owners >= 0]).tolist():
        of = np.flatnonzero(one.owners == owner)
        top = int(of[np.argmax(one.elevations[of])])
        name = scene.things[owner].name
        found.append((float(one.azimuths[top]), float(one.elevations[top]), name))
    return sorted(found, key=lambda item: (-item[1], item[0]))
