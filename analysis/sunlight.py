"""Hours of sun on the ground, at a point, or at the windows of buildings, as a question with a receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import shapely

from analysis.analysis import Answer, Text, parameter
from analysis.areas import area_of
from analysis.rays.daylight import Sun, lit, minutes_of_sun, rules, spans_text, sun_of
from analysis.rays.panels import MOST, ground_points, quads, raised, squares, wall_panels
from analysis.rays.question import SceneQuestion, about, point_of, standing_after
from analysis.rays.scene import Scene
from analysis.rays.sun import beijing_time
from analysis.rays.tree import Bools, Ints
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.sketch import Scale, Sketch, SketchClass, SketchShape
from cim_core.table import Column, Table

Of = Literal["ground", "windows", "facades"]
Standard = Literal["north-large", "north-small", "iv-large", "iv-small", "south-west", "renewal"]

_WIDEST = 5000.0
"""Metres from the middle of a place to its ends: no more of the city is read for one question."""

HOURS = Scale(
    {"en": "Sun", "zh": "日照"}, "h", (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
    ("#3b0f70", "#641a80", "#8c2981", "#b73779", "#de4968", "#f7705c", "#fe9f6d", "#fcdf96"),
)  # fmt: skip
"""Hours of sun, dark where there is little."""

CLASSES = {
    "square": SketchClass({"en": "Ground", "zh": "地面"}, "#8c2981"),
    "window": SketchClass({"en": "Window", "zh": "窗户"}, "#8c2981"),
    "point": SketchClass({"en": "Point", "zh": "计算点"}, "#8c2981"),
}

_POINTS = (
    Column("proof", {"en": "Shown", "zh": "图形"}, "sketch"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Building", "zh": "建筑"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("storey", {"en": "Storey", "zh": "层"}, "integer"),
    Column("lon", {"en": "Longitude", "zh": "经度"}, "number", "°"),
    Column("lat", {"en": "Latitude", "zh": "纬度"}, "number", "°"),
    Column("height", {"en": "Height", "zh": "高程"}, "number", "m"),
    Column("minutes", {"en": "Sun", "zh": "日照时间"}, "number", "min"),
    Column("longest", {"en": "Longest on end", "zh": "最长连续"}, "number", "min"),
    Column("spans", {"en": "When (Beijing time)", "zh": "时段（北京时间）"}, "text"),
    Column(
        "minutes_after", {"en": "Sun once it is built", "zh": "建成后日照时间"}, "number", "min"
    ),
    Column("lost", {"en": "Lost", "zh": "减少"}, "number", "min"),
    Column("verdict", {"en": "Standard", "zh": "达标情况"}, "text"),
)
_DAY = (
    Column("day", {"en": "Day", "zh": "日期"}, "text"),
    Column("name", {"en": "Called", "zh": "名称"}, "text"),
    Column("name_zh", {"en": "Called (Chinese)", "zh": "名称（中文）"}, "text"),
    Column("start", {"en": "From (Beijing time)", "zh": "开始（北京时间）"}, "text"),
    Column("end", {"en": "To (Beijing time)", "zh": "结束（北京时间）"}, "text"),
    Column("step", {"en": "Step", "zh": "步长"}, "number", "min"),
    Column("required", {"en": "Required", "zh": "标准要求"}, "number", "min"),
    Column("confidence", {"en": "How sure the standard is", "zh": "标准可信度"}, "text"),
    Column("points", {"en": "Points", "zh": "计算点数"}, "integer"),
    Column("met", {"en": "Meet it", "zh": "达标点数"}, "integer"),
    Column("met_after", {"en": "Meet it once it is built", "zh": "建成后达标点数"}, "integer"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Points whose sun is asked for, (n,), with the shapes that stand for them.

    things
        (n,) whose windows they are, -1 where they are no windows.
    """

    points: Floats
    things: Ints
    storeys: Ints
    kind: str
    shapes: list[tuple[shapely.Geometry, float | None]]

    def only(self, kept: Bools) -> "Asked":
        """Some of the points, (n,)."""
        shapes = [self.shapes[i] for i in np.flatnonzero(kept).tolist()]
        return Asked(self.points[kept], self.things[kept], self.storeys[kept], self.kind, shapes)


@dataclass(frozen=True, slots=True)
class Sunned:
    """The sun of points, (n,) minutes before and after; the same where nothing is planned."""

    shone: Bools
    minutes: Floats
    longest: Floats
    after: Floats


class Sunlight(SceneQuestion):
    """How long the sun shines on a day of reference, with each moment decided by a ray.

    The hours that count are true solar time. Sun shorter than five minutes on end does not count.
    """

    name: ClassVar[str] = "sunlight"
    title: ClassVar[Text] = {"en": "Sunlight and shadow hours", "zh": "日照与阴影时长"}
    description: ClassVar[Text] = {
        "en": "How long the ground, a point or windows have sun on a winter reference day, also once "
        "something planned stands there.",
        "zh": "计算地面、指定点或建筑窗户在大寒日或冬至日的日照时间，可对比规划方案建成前后。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "points": {"en": "Points", "zh": "计算点"},
        "sketch": {"en": "On the map", "zh": "空间分布"},
        "day": {"en": "Day and standard", "zh": "日期与标准"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    place: dict[str, Any] = parameter(
        ...,
        {"en": "Place", "zh": "位置"},
        {
            "en": "An area of ground, or that holds the buildings whose windows are asked; or a point.",
            "zh": "地面范围或待分析建筑所在范围；也可为一个点。",
        },
        format="geojson-geometry",
        geometries=("Polygon", "Point"),
    )
    of: Of = parameter(
        "ground",
        {"en": "Of", "zh": "对象"},
        {
            "en": "The ground, the lowest windows of dwellings, or all storeys of their walls.",
            "zh": "地面（ground）、住宅底层窗户（windows）或各层立面（facades）。",
        },
    )
    day: str | None = parameter(
        None,
        {"en": "Day", "zh": "日期"},
        {
            "en": "great-cold, winter-solstice or a date; that of the standard if not given.",
            "zh": "great-cold（大寒日）、winter-solstice（冬至日）或日期；不填则按标准。",
        },
    )
    standard: Standard = parameter(
        "iv-large",
        {"en": "Standard", "zh": "日照标准"},
        {
            "en": "By climate zone and size of the city; GB 50180-2018 as recalled.",
            "zh": "按建筑气候区划和城市规模选取（GB 50180-2018，凭记忆，须核对）。",
        },
    )
    spacing: float = parameter(
        4.0,
        {"en": "Spacing", "zh": "间距"},
        {"en": "Between points on the ground or on walls.", "zh": "地面或墙面计算点的间距。"},
        unit="m", ge=0.5, le=50,
    )  # fmt: skip
    height: float = parameter(
        0.0,
        {"en": "Height", "zh": "高度"},
        {"en": "Of a point or of the squares above the ground.", "zh": "计算点或网格离地高度。"},
        unit="m", ge=0, le=1000,
    )  # fmt: skip
    year: int = parameter(
        2026,
        {"en": "Year", "zh": "年份"},
        {"en": "Of the day of reference.", "zh": "参考日所在年份。"},
        ge=1950, le=2050, rare=True,
    )  # fmt: skip
    step: float = parameter(
        1.0,
        {"en": "Step", "zh": "时间步长"},
        {"en": "How long each moment is.", "zh": "每个计算时刻的时长。"},
        unit="min", ge=0.25, le=15, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The sun of every point; raises `InvalidInput` where there is none or too many, or no sun."""
        area = self._area()
        middle = shapely.centroid(area)
        standard = rules()["standards"][self.standard]
        sun = sun_of(self.day or standard["day"], self.year, (middle.x, middle.y), self.step)
        half = _half(area)
        if half > _WIDEST:
            raise InvalidInput(
                f"the place is more than {2 * _WIDEST / 1000:g} km across; give a smaller one"
            )
        scene = self.scene(city, (middle.x, middle.y), self.reach + half, progress)
        asked = self._asked(scene, area)
        if len(asked.points) == 0:
            raise InvalidInput(
                "there is no such point at this place: no open ground, or no dwelling; give another place"
            )
        found = sunned(scene, asked.points, sun, progress)
        required = float(standard["minutes"])
        return Answer(
            {
                "points": self._points(scene, asked, found, sun, required),
                "sketch": sketch_of(asked, found),
                "day": self._day(sun, standard, found),
                "about": about(scene),
            },
            scene.versions,
        )

    def _area(self) -> shapely.Geometry:
        if (self.place.get("geometry") or self.place).get("type") == "Point":
            return shapely.Point(point_of(self.place, "place"))
        return area_of(self.place, "place")

    def _asked(self, scene: Scene, area: shapely.Geometry) -> Asked:
        if self.of != "ground":
            return windows(scene, scene.laid(area), self.spacing, all_storeys=self.of == "facades")
        if area.geom_type == "Point":
            points = raised(scene, shapely.get_coordinates(scene.laid(area)), self.height)
            [place] = scene.geographic(points)
            shapes: list[tuple[shapely.Geometry, float | None]] = [(shapely.Point(place), None)]
            kind = "point"
        else:
            points = ground_points(scene, area, self.spacing, self.height)
            shapes = [*squares(scene, points, self.spacing)]
            kind = "square"
        none = np.full(len(points), -1, np.int64)
        return Asked(points, none, np.zeros(len(points), np.int64), kind, shapes)

    def _points(
        self, scene: Scene, asked: Asked, found: Sunned, sun: Sun, required: float
    ) -> Table:
        places = np.round(scene.geographic(asked.points), 7).tolist()
        spans = spans_text(found.shone, sun)
        rows: list[tuple[Value, ...]] = []
        for i, (lon, lat, height) in enumerate(places):
            thing = scene.things[asked.things[i]] if asked.things[i] >= 0 else None
            before, after = float(found.minutes[i]), float(found.after[i])
            rows.append(
                (
                    [str(i)], thing and thing.layer, thing and thing.id, thing and thing.name,
                    int(asked.storeys[i]) + 1 if thing else None, lon, lat, round(height, 2),
                    round(before, 2), round(float(found.longest[i]), 2), spans[i],
                    round(after, 2) if self.planned else None,
                    round(before - after, 2) if self.planned else None,
                    _verdict(before, after, required),
                )
            )  # fmt: skip
        return Table(_POINTS, tuple(rows))

    def _day(self, sun: Sun, standard: Mapping[str, Any], found: Sunned) -> Table:
        half = sun.step / 2 / 1440
        required = float(standard["minutes"])
        row: tuple[Value, ...] = (
            sun.day.isoformat(), sun.title["en"], sun.title["zh"],
            f"{beijing_time(float(sun.days[0]) - half):%H:%M:%S}",
            f"{beijing_time(float(sun.days[-1]) + half):%H:%M:%S}",
            round(sun.step, 4), required, standard["confidence"], len(found.minutes),
            int((found.minutes >= required).sum()),
            int((found.after >= required).sum()) if self.planned else None,
        )  # fmt: skip
        return Table(_DAY, (row,))


def _half(area: shapely.Geometry) -> float:
    """Half of the way across an area in degrees, about, metres."""
    west, south, east, north = area.bounds
    return 60_000.0 * float(np.hypot(east - west, north - south))


def _verdict(before: float, after: float, required: float) -> str:
    """In words of the table: met, failed, or what something planned changes."""
    if before >= required:
        return "met" if after >= required else "newly-failed"
    return "failed" if after >= before else "worse"


def windows(
    scene: Scene, area: shapely.Geometry, wide: float, *, all_storeys: bool,
    without: Bools | None = None, most: int = MOST,
) -> Asked:  # fmt: skip
    """The windows of the dwellings there are that touch an area, in metres in the frame.

    Where no building says what it is used for, all count. `without`, (things,), are left out.
    """
    measure = rules()["measure"]
    near = [
        number
        for number, thing in enumerate(scene.things)
        if not thing.planned
        and thing.outline is not None
        and not (without is not None and without[number])
        and shapely.intersects(area, scene.outlines[number])
    ]
    used = {number: _use(scene.things[number].attributes, measure["uses"]) for number in near}
    if any(used.values()):
        near = [number for number in near if used[number] in measure["dwellings"]]
    panels = wall_panels(
        scene,
        near,
        wide,
        measure["sill"],
        measure["storey"],
        all_storeys=all_storeys,
        most=most,
    )
    shapes: list[tuple[shapely.Geometry, float | None]] = [
        (quad, None) for quad in quads(scene, panels.corners)
    ]
    return Asked(panels.points, panels.things, panels.storeys, "window", shapes)


def _use(attributes: Mapping[str, Value], names: list[str]) -> str:
    return next((str(attributes[name]).lower() for name in names if attributes.get(name)), "")


def sunned(
    scene: Scene, points: Floats, sun: Sun, progress: Progress, after: Scene | None = None
) -> Sunned:
    """The sun of (n, 3) points in the frame as it is, and once what is planned stands there."""
    planned = scene.planned
    before = scene.only(~planned) if planned.any() else scene
    shone = lit(before, points, sun, progress)
    minutes, longest = minutes_of_sun(shone, sun.step)
    later = minutes
    if planned.any():
        built = after or scene.only(standing_after(scene))
        later, _ = minutes_of_sun(lit(built, points, sun, progress), sun.step)
    return Sunned(shone, minutes, longest, later)


def sketch_of(asked: Asked, found: Sunned) -> Sketch:
    """The points as shapes coloured by their hours, once what is planned stands there."""
    shapes = []
    for i, (shape, bottom) in enumerate(asked.shapes):
        before, after = (round(float(one[i])) for one in (found.minutes, found.after))
        en, zh = _hours(after)
        if before != after:
            en, zh = f"{_hours(before)[0]} → {en}", f"{_hours(before)[1]} → {zh}"
        label = {"en": en, "zh": zh}
        value = round(float(found.after[i]) / 60, 4)
        shapes.append(SketchShape(str(i), asked.kind, shape, label, value, bottom))
    return Sketch(tuple(shapes), CLASSES, HOURS)


def _hours(minutes: int) -> tuple[str, str]:
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min", f"{hours} 小时 {rest:02d} 分"
