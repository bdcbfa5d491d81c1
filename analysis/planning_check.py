"""A planned building on a parcel against its planning conditions, as a question with a receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import shapely

from analysis.analysis import Answer, Text, parameter
from analysis.areas import area_of, square_metres
from analysis.planning_check_corridor import corridor_of
from analysis.planning_check_figures import (
    Given,
    corridor_figure,
    density_figure,
    far_figure,
    green_figure,
    height_figure,
    setback_figure,
)
from analysis.planning_check_parts import (
    Condition,
    Figure,
    Verdict,
    green_land,
    has_storeys,
    planned_buildings,
    told,
)
from analysis.rays.daylight import rules, sun_of
from analysis.rays.question import SceneQuestion, about, point_of, standing_after
from analysis.rays.scene import Scene
from analysis.sunlight import HOURS, Asked, Standard, Sunned, sketch_of, sunned, windows
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.progress import Progress
from cim_core.sketch import Sketch, SketchClass, SketchShape, Words
from cim_core.store.features import Query
from cim_core.store.layers import LayerVersion
from cim_core.table import Column, Table

_MOST_WINDOWS = 60_000
"""Around a parcel; the shadow of the plan reaches few of them."""

_CLASSES = {
    "parcel": SketchClass({"en": "Parcel", "zh": "地块"}, "#4493f8"),
    "building": SketchClass({"en": "Planned building", "zh": "规划建筑"}, "#8b949e"),
    "footprint": SketchClass({"en": "Footprint", "zh": "建筑基底"}, "#e3b341"),
    "line": SketchClass({"en": "Setback line", "zh": "退线"}, "#f0883e"),
    "beyond": SketchClass({"en": "Beyond the setback line", "zh": "越过退线部分"}, "#e5534b"),
    "too-high": SketchClass({"en": "Above the height limit", "zh": "超高部分"}, "#e5534b"),
    "green": SketchClass({"en": "Green land", "zh": "绿地"}, "#3fb950"),
    "corridor": SketchClass({"en": "View corridor", "zh": "视线通廊"}, "#a371f7"),
    "blocked": SketchClass({"en": "In the view corridor", "zh": "侵入视廊部分"}, "#e5534b"),
    "window": SketchClass(
        {"en": "Window that loses too much sun", "zh": "日照不达标窗户"}, "#8c2981"
    ),
}
_FIGURES = (
    Column("title", {"en": "Figure", "zh": "指标（英文）"}, "text"),
    Column("title_zh", {"en": "Figure (Chinese)", "zh": "指标"}, "text"),
    Column("verdict", {"en": "Verdict", "zh": "结论"}, "text"),
    Column("value", {"en": "Value", "zh": "计算值"}, "number"),
    Column("rule", {"en": "Rule", "zh": "要求"}, "text"),
    Column("condition", {"en": "Condition", "zh": "规划条件"}, "number"),
    Column("unit", {"en": "Unit", "zh": "单位"}, "text"),
    Column("reason", {"en": "Reason", "zh": "说明（英文）"}, "text"),
    Column("reason_zh", {"en": "Reason (Chinese)", "zh": "说明"}, "text"),
    Column("source", {"en": "Said by", "zh": "条件来源"}, "text"),
    Column("code", {"en": "Code", "zh": "代码"}, "text"),
    Column("proof", {"en": "Proof", "zh": "图形依据"}, "sketch"),
)
_WINDOWS = (
    Column("proof", {"en": "Shown", "zh": "图形"}, "sketch"),
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Building", "zh": "建筑"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("minutes", {"en": "Sun", "zh": "日照时间"}, "number", "min"),
    Column(
        "minutes_after", {"en": "Sun once it is built", "zh": "建成后日照时间"}, "number", "min"
    ),
)
_PARCEL = (
    Column("layer", {"en": "Layer", "zh": "图层"}, "text"),
    Column("id", {"en": "Parcel", "zh": "地块"}, "text"),
    Column("name", {"en": "Name", "zh": "名称"}, "text"),
    Column("area", {"en": "Land area", "zh": "用地面积"}, "number", "m²"),
    Column("buildings", {"en": "Planned buildings", "zh": "规划建筑数"}, "integer"),
    Column("floor_area", {"en": "Floor area", "zh": "建筑面积"}, "number", "m²"),
)


class PlanningCheck(SceneQuestion):
    """What is planned on a parcel against the conditions the parcel or the question says.

    What stands on the parcel now is taken to go. Every verdict has the shapes that prove it.
    """

    name: ClassVar[str] = "planning-check"
    title: ClassVar[Text] = {"en": "Planning check", "zh": "规划方案审查"}
    description: ClassVar[Text] = {
        "en": "A planned model on a parcel against its planning conditions: floor area ratio, density, "
        "height, setback, green ratio, sun of the neighbours, view corridors.",
        "zh": "对照地块规划条件审查规划方案：容积率、建筑密度、高度、退线、绿地率、周边住宅日照和视线通廊。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "figures": {"en": "Figures and verdicts", "zh": "指标与结论"},
        "windows": {"en": "Windows that lose too much sun", "zh": "日照受影响的窗户"},
        "parcel": {"en": "Parcel", "zh": "地块"},
        "sketch": {"en": "Proof", "zh": "图形依据"},
        "about": {"en": "What it is made of", "zh": "数据来源"},
    }

    place: dict[str, Any] = parameter(
        ...,
        {"en": "Parcel", "zh": "地块"},
        {
            "en": "A point on the parcel, or the outline of one that no layer has.",
            "zh": "地块内一点；或直接绘制地块边界。",
        },
        format="geojson-geometry",
        geometries=("Point", "Polygon"),
    )
    planned: str = parameter(
        ...,
        {"en": "Planned layer", "zh": "规划图层"},
        {"en": "The planned buildings or model.", "zh": "规划建筑或模型所在图层。"},
        format="layer-id",
    )
    parcels: str = parameter(
        "parcels",
        {"en": "Parcels", "zh": "地块图层"},
        {"en": "The layer of parcels with their conditions.", "zh": "带规划条件的地块图层。"},
        format="layer-id",
    )
    far: float | None = parameter(
        None,
        {"en": "Floor area ratio at most", "zh": "容积率上限"},
        {"en": "Instead of what the parcel says.", "zh": "代替地块所载条件。"},
        gt=0, le=100,
    )  # fmt: skip
    density: float | None = parameter(
        None,
        {"en": "Building density at most", "zh": "建筑密度上限"},
        {"en": "A share, instead of what the parcel says.", "zh": "比例（0–1），代替地块所载条件。"},
        gt=0, le=1,
    )  # fmt: skip
    height: float | None = parameter(
        None,
        {"en": "Height at most", "zh": "建筑限高"},
        {"en": "Over the ground, instead of what the parcel says.", "zh": "自地面起算，代替地块所载条件。"},
        unit="m", gt=0, le=1000,
    )  # fmt: skip
    setback: float | None = parameter(
        None,
        {"en": "Setback at least", "zh": "建筑退线"},
        {"en": "From the boundary, instead of what the parcel says.", "zh": "距地块边界，代替地块所载条件。"},
        unit="m", ge=0, le=200,
    )  # fmt: skip
    green: float | None = parameter(
        None,
        {"en": "Green ratio at least", "zh": "绿地率下限"},
        {"en": "A share, instead of what the parcel says.", "zh": "比例（0–1），代替地块所载条件。"},
        ge=0, le=1,
    )  # fmt: skip
    standard: Standard = parameter(
        "iv-large",
        {"en": "Standard of sunlight", "zh": "日照标准"},
        {
            "en": "By climate zone and size of the city; GB 50180-2018 as recalled.",
            "zh": "按建筑气候区划和城市规模选取（GB 50180-2018，凭记忆，须核对）。",
        },
    )
    spacing: float = parameter(
        3.0,
        {"en": "Window spacing", "zh": "窗户间距"},
        {"en": "Between points on the walls of neighbours.", "zh": "周边住宅外墙计算点的间距。"},
        unit="m", ge=0.5, le=50, rare=True,
    )  # fmt: skip
    year: int = parameter(
        2026,
        {"en": "Year", "zh": "年份"},
        {"en": "Of the day of reference.", "zh": "日照参考日所在年份。"},
        ge=1950, le=2050, rare=True,
    )  # fmt: skip
    corridor: dict[str, Any] | None = parameter(
        None,
        {"en": "View corridor", "zh": "视线通廊"},
        {
            "en": "A line from where one looks to what is looked at, or an area.",
            "zh": "由观察点指向景观目标的线，或面状通廊。",
        },
        format="geojson-geometry",
        geometries=("LineString", "Polygon"),
    )
    corridor_width: float = parameter(
        20.0,
        {"en": "Width of the corridor", "zh": "通廊宽度"},
        {"en": "Of a line.", "zh": "线状通廊的宽度。"},
        unit="m", gt=0, le=1000, rare=True,
    )  # fmt: skip
    corridor_height: float = parameter(
        0.0,
        {"en": "Height of the corridor", "zh": "通廊控制高程"},
        {
            "en": "Of its lower surface where it begins, in the city's datum.",
            "zh": "通廊下缘起点高程（城市高程基准）。",
        },
        unit="m", ge=-500, le=9000, rare=True,
    )  # fmt: skip
    corridor_end: float | None = parameter(
        None,
        {"en": "Height at its end", "zh": "通廊终点高程"},
        {"en": "Of a line; level if not given.", "zh": "线状通廊终点的控制高程；不填则水平。"},
        unit="m", ge=-500, le=9000, rare=True,
    )  # fmt: skip

    def __call__(self, city: City, progress: Progress) -> Answer:
        """All figures; raises `InvalidInput` without a parcel, or with nothing planned on it."""
        parcel, attributes, row, version = self._parcel(city)
        middle = shapely.centroid(parcel)
        scene = self.scene(city, (middle.x, middle.y), self.reach, progress)
        layer = city.layers.get(self.planned)
        if self.features and has_storeys(layer):
            raise InvalidInput(
                f"{self.planned} is a model with storeys, which is checked as a whole; name no features of it"
            )
        built = planned_buildings(city, scene, layer, parcel)
        if not built:
            raise InvalidInput(
                f"{self.planned} plans nothing on this parcel; give a place on one it builds on"
            )
        flat = scene.laid(parcel)
        land = float(square_metres([parcel])[0])
        given = {code: self._given(attributes, code) for code in ("far", "density", "height", "setback", "green")}  # fmt: skip
        figures = [
            far_figure(scene, land, built, given["far"]),
            density_figure(scene, parcel, land, built, given["density"]),
            height_figure(scene, built, given["height"]),
            setback_figure(scene, flat, built, given["setback"]),
            green_figure(green_land(city, scene, parcel, built), land, given["green"]),
        ]
        sunlight, lost = self._sunlight(scene, flat, progress)
        figures.append(sunlight)
        if self.corridor is not None:
            area, limit = corridor_of(
                scene, self.corridor, self.corridor_width, self.corridor_height, self.corridor_end
            )
            figures.append(corridor_figure(scene, built, area, limit))
        shapes = [SketchShape("parcel", "parcel", shapely.boundary(parcel))]
        shapes += [shape for figure in figures for shape in figure.proof]
        floors = [one.floor_area for one in built]
        known = None if None in floors else round(sum(one or 0.0 for one in floors), 2)
        return Answer(
            {
                "figures": _table(figures),
                "windows": lost,
                "parcel": Table(_PARCEL, ((*row, round(land, 2), len(built), known),)),
                "sketch": Sketch(tuple(shapes), _CLASSES, HOURS),
                "about": about(scene),
            },
            (*scene.versions, *([version] if version else [])),
        )  # fmt: skip

    def _parcel(
        self, city: City
    ) -> tuple[shapely.Geometry, Mapping[str, Value], tuple[Value, ...], LayerVersion | None]:
        """Its outline in degrees, what it says, and how it is called."""
        if (self.place.get("geometry") or self.place).get("type") != "Point":
            return area_of(self.place, "place"), {}, (None, None, None), None
        lon, lat = point_of(self.place, "place")
        version = city.layers.get(self.parcels)
        found = city.features.find(
            version.layer, version.version, Query(bbox=(lon, lat, lon, lat)), after=None, limit=1000
        )
        for row in found:
            area = row.footprint
            if area is None or area.geom_type not in ("Polygon", "MultiPolygon"):
                continue
            if shapely.intersects_xy(area, lon, lat):
                name = (version.layer, row.feature.id, row.feature.name)
                return shapely.force_2d(area), row.feature.attributes, name, version
        raise InvalidInput(
            f"the layer {self.parcels} has no parcel at this place; give a place on one, or its outline"
        )

    def _given(self, attributes: Mapping[str, Value], code: Condition) -> Given:
        asked: float | None = getattr(self, code)
        return (asked, "parameter") if asked is not None else told(attributes, code)

    def _sunlight(
        self, scene: Scene, parcel: shapely.Geometry, progress: Progress
    ) -> tuple[Figure, Table]:
        """The windows of dwellings around that lose what the standard asks for, or of what they lack.

        A window as far away as half of the reach has surroundings that are looked at, too. Where the
        shadow goes farther, what is not looked at may lose sun: then the verdict is not that it is met.
        """
        standard = rules()["standards"][self.standard]
        sun = sun_of(standard["day"], self.year, (scene.frame.lon, scene.frame.lat), 1.0)
        after = standing_after(scene, parcel)
        body = scene.corners[np.isin(scene.owners, np.flatnonzero(scene.planned))][:, :, 2]
        shade = (body.max() - body.min()) / max(float(sun.directions[:, 2].min()), 0.05)
        far = float(np.hypot(*shapely.get_coordinates(parcel).T).max())
        looked = max(0.0, min(shade, self.reach / 2, self.reach - far))
        around = shapely.buffer(parcel, looked)
        near = windows(
            scene, around, self.spacing, all_storeys=False, without=~after, most=_MOST_WINDOWS
        )
        # What the shadow of the plan never reaches loses nothing.
        plan = scene.only(scene.planned, ground=False)
        shaded = plan.tree.met_from_each(near.points, sun.directions[::2])
        asked = near.only(np.asarray(shaded.any(axis=1), bool))
        found = sunned(scene, asked.points, sun, progress, scene.only(after))
        required = float(standard["minutes"])
        bad = (found.after < required) & (found.after < found.minutes)
        worst, table = _windows(scene, asked, found, bad)
        count = len(near.points)
        en = f"{int(bad.sum())} of {count} windows fall below {required:g} min of sun, or lose more"
        zh = f"{count} 个窗户中 {int(bad.sum())} 个日照不足 {required:g} 分钟或进一步减少"
        if count == 0:
            en, zh = "no dwelling stands near enough to lose sun", "影响范围内没有住宅"
        gaps = [why for why in (_too_short(shade, looked, far), _left_out(scene)) if why]
        if gaps and count == 0:
            en, zh = "no dwelling was found", "未找到住宅"
        en = "; ".join([en, *(why["en"] for why in gaps)])
        zh = "；".join([zh, *(why["zh"] for why in gaps)])
        verdict: Verdict = "failed" if bad.any() else "unknown" if gaps else "met"
        figure = Figure(
            "sunlight", {"en": "Windows that lose too much sun", "zh": "日照受影响窗户"},
            float(bad.sum()), "1", 0.0, False, self.standard, verdict,
            {"en": en, "zh": zh}, worst,
        )  # fmt: skip
        return figure, table


def _too_short(shade: float, looked: float, far: float) -> Words | None:
    """Why not all that the shadow of the plan meets was looked at, and with which reach it would be.

    All metres; `far` is from the middle of the parcel to its farthest corner.
    """
    if looked >= shade:
        return None
    need = int(np.ceil(max(2 * shade, shade + far)))
    return {
        "en": f"dwellings were looked at as far as {looked:.0f} m from the parcel, and the shadow "
        f"reaches {shade:.0f} m, which takes a reach of {need} m",
        "zh": f"仅计算了距地块 {looked:.0f} m 以内的住宅，而阴影可达 {shade:.0f} m，需将计算范围设为 {need} m",
    }


def _left_out(scene: Scene) -> Words | None:
    """Which layers are not looked at, as they are seen only in part."""
    if not scene.left_out:
        return None
    names = ", ".join(version.layer for version in scene.left_out)
    return {
        "en": f"left out, as you see them only in part: {names}",
        "zh": f"以下图层仅部分可见，未参与计算：{names}",
    }


def _windows(
    scene: Scene, asked: Asked, found: Sunned, bad: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[tuple[SketchShape, ...], Table]:
    shapes = [
        replace(shape, id=f"window{shape.id}")
        for shape, wrong in zip(sketch_of(asked, found).shapes, bad, strict=True)
        if wrong
    ]
    rows: list[tuple[Value, ...]] = []
    for i in np.flatnonzero(bad).tolist():
        thing = scene.things[asked.things[i]]
        rows.append(
            (
                [f"window{i}"], thing.layer, thing.id, thing.name,
                round(float(found.minutes[i]), 2), round(float(found.after[i]), 2),
            )
        )  # fmt: skip
    return tuple(shapes), Table(_WINDOWS, tuple(rows))


def _table(figures: Sequence[Figure]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for one in figures:
        reason = one.reason or {}
        rows.append(
            (
                one.title["en"], one.title["zh"], one.verdict,
                None if one.value is None else round(one.value, 4), "≥" if one.at_least else "≤",
                None if one.condition is None else round(one.condition, 4), one.unit,
                reason.get("en"), reason.get("zh"), one.source or None, one.code,
                [shape.id for shape in one.proof] or ["parcel"],
            )
        )  # fmt: skip
    return Table(_FIGURES, tuple(rows))
