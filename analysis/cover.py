"""Cover: pipes and cables that lie less deep than tables demand."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.analysis import Answer, Text, parameter
from analysis.areas import area_of, laid_out
from analysis.clearance import (
    BROKEN,
    COUNT,
    LAT,
    LON,
    TITLE,
    WHAT,
    named,
    required_column,
    source_rows,
)
from analysis.network_question import CLASS, ID, LAYER, NetworkQuestion, layers_of, numbers
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from cim_core.store.layers import LayerVersion
from cim_core.table import Column, Table
from pipelines.cover import (
    CoverChecked,
    GroundChoice,
    SurfaceOf,
    cover_sources,
    surfaces,
    too_shallow,
)
from pipelines.distances import solids, touching
from pipelines.network_layer import segment_classes

CoverRules = Literal["all", "gas-pages", "gis-product", "gb50289-recalled"]
"""Every source of `covers.toml`, or all of them."""

SurfaceName = Literal["footway", "carriageway", "yard", "paddy"]

_FINDING = (
    LAYER,
    ID,
    CLASS,
    Column("surface", {"en": "Below", "zh": "地面类型"}, "text"),
    Column("cover", {"en": "Least cover", "zh": "最小覆土"}, "number", "m"),
)
_FOUND = (
    BROKEN,
    Column("length", {"en": "Length too shallow", "zh": "覆土不足的长度"}, "number", "m"),
    Column("ground", {"en": "Ground from", "zh": "地面高程来源"}, "text"),
    LON,
    LAT,
)


class Cover(NetworkQuestion):
    """Segments whose top lies nearer to the ground than the rules demand; see `pipelines.cover`."""

    name: ClassVar[str] = "cover"
    title: ClassVar[Text] = {"en": "Cover depth", "zh": "覆土深度"}
    description: ClassVar[Text] = {
        "en": "Pipes and cables that lie less deep below the ground than rules demand, below "
        "carriageways and elsewhere.",
        "zh": "查找覆土深度小于规则要求的管线，区分机动车道和其他地面。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "findings": {"en": "Findings", "zh": "检查结果"},
        "sources": {"en": "Sources of the rules", "zh": "规则来源"},
        "totals": {"en": "What was checked", "zh": "检查概况"},
    }

    area: dict[str, Any] | None = parameter(
        None,
        {"en": "Area", "zh": "范围"},
        {"en": "Check only what touches this area: a GeoJSON Polygon.", "zh": "仅检查与该范围相交的管线（GeoJSON 面）。"},
        format="geojson-geometry", geometries=("Polygon", "MultiPolygon"),
    )  # fmt: skip
    surface: SurfaceName = parameter(
        "footway",
        {"en": "Below", "zh": "地面类型"},
        {
            "en": "What lies above, outside the carriageways of the layer of roads.",
            "zh": "道路图层的机动车道以外的地面类型。",
        },
    )
    roads: str | None = parameter(
        None,
        {"en": "Carriageways", "zh": "机动车道图层"},
        {
            "en": "A layer whose areas are carriageways; lines count as wide as they say.",
            "zh": "面要素表示机动车道的图层；线要素按其宽度计。",
        },
        format="layer-id",
    )
    road_width: float = parameter(
        7.0,
        {"en": "Width of a road", "zh": "道路宽度"},
        {"en": "Of lines that do not say their width.", "zh": "用于未注明宽度的道路线。"},
        unit="m", gt=0, le=100,
    )  # fmt: skip
    terrain: bool = parameter(
        False,
        {"en": "Ground from the terrain", "zh": "采用地形高程"},
        {
            "en": "The ground of the terrain counts before the surveyed one of the nodes; otherwise "
            "only where that is not known.",
            "zh": "优先采用地形高程；否则仅在管点地面高程未知处采用。",
        },
    )
    step: float = parameter(
        5.0,
        {"en": "Step", "zh": "步长"},
        {"en": "How often along a pipe the cover is looked at.", "zh": "沿管线检查覆土的间距。"},
        unit="m", ge=0.5, le=100,
    )  # fmt: skip
    rules: CoverRules = parameter(
        "all",
        {"en": "Rules", "zh": "规则"},
        {
            "en": "The source of the rules; all shows what is broken by which.",
            "zh": "规则来源；选 all 时分别列出各来源是否满足。",
        },
    )

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The segments that lie too shallow, the shallowest first.

        Raises `NotFound` without a pipe network or for a layer of roads that is not there.
        """
        known = underground(city, self.layers)
        versions = list(known.versions)
        surface_of = _always(list(surfaces()).index(self.surface))
        if self.roads is not None:
            version = city.layers.get(self.roads)
            versions.append(version)
            areas = _carriageways(city, version, known.frame, self.road_width)
            surface_of = _under(areas, surface_of)
        within = None
        if self.area is not None:
            bodies = solids(known.network, known.pieces, known.flat)
            within = touching(bodies, laid_out(area_of(self.area, "area"), known.frame))
        chosen = tuple(cover_sources()) if self.rules == "all" else (self.rules,)
        checked = too_shallow(
            known.network, known.pieces, known.flat, chosen,
            GroundChoice(city.ground(), self.terrain), surface_of, progress,
            step=self.step, within=within,
        )  # fmt: skip
        outputs = {
            "findings": self._findings(known, checked, chosen),
            "sources": source_rows(cover_sources()),
            "totals": _totals(known, checked),
        }
        return Answer(outputs, tuple(versions))

    def _findings(
        self, known: Underground, checked: CoverChecked, chosen: tuple[str, ...]
    ) -> Table:
        shallow = checked.shallow
        segments = known.network.segments
        classes = segment_classes(segments)
        above = list(surfaces())
        columns = [*_FINDING, *(required_column(cover_sources()[name]) for name in chosen), *_FOUND]

        def say(rows: Rows) -> list[list[Value]]:
            some = shallow.taken(rows)
            return [
                layers_of(known, known.segment_layers[some.segments]),
                segments.ids[some.segments].tolist(),
                classes[some.segments].texts().tolist(),
                [above[number] for number in some.surfaces.tolist()],
                numbers(some.cover),
                *(numbers(some.required[name]) for name in chosen),
                named({name: some.broken(name) for name in chosen}),
                numbers(some.lengths),
                ["terrain" if terrain else "nodes" for terrain in some.from_terrain.tolist()],
                some.places[:, 0].round(8).tolist(),
                some.places[:, 1].round(8).tolist(),
            ]

        return self.paged(columns, np.argsort(shallow.cover, kind="stable"), say)


def _always(surface: int) -> SurfaceOf:
    def surface_of(places: Floats) -> NDArray[np.int8]:
        return np.full(len(places), surface, np.int8)

    return surface_of


def _under(areas: shapely.STRtree, otherwise: SurfaceOf) -> SurfaceOf:
    """Carriageway where a place lies in an area, else what it is otherwise."""
    carriageway = list(surfaces()).index("carriageway")

    def surface_of(places: Floats) -> NDArray[np.int8]:
        found = otherwise(places)
        found[areas.query(shapely.points(places), predicate="intersects")[0]] = carriageway
        return found

    return surface_of


def _carriageways(
    city: City, version: LayerVersion, frame: Frame, road_width: float
) -> shapely.STRtree:
    """The areas of a layer, and its lines as wide as they are, in the plane of a frame."""
    areas = []
    for row in city.features.all(version.layer, version.version):
        if row.footprint is None:
            continue
        shape = laid_out(shapely.force_2d(row.footprint), frame)
        if "Polygon" in shape.geom_type:
            areas.append(shape)
        elif "LineString" in shape.geom_type:
            areas.append(shape.buffer(_width(row.feature.attributes, road_width) / 2))
    if not areas:
        raise InvalidInput(
            f"the layer {version.layer!r} has neither areas nor lines to be carriageways; name one "
            "that has, or leave roads out"
        )
    return shapely.STRtree(areas)


def _width(attributes: Mapping[str, Value], otherwise: float) -> float:
    try:
        said = float(str(attributes.get("width")))
    except ValueError:
        return otherwise
    return said if 0 < said <= 100 else otherwise


def _totals(known: Underground, checked: CoverChecked) -> Table:
    kinds = checked.kinds
    ruled = kinds.of >= 0
    said = (
        ("segments", "管段", len(known.network.segments)),
        ("segments of kinds without rules", "无规则的管段", int((~ruled).sum())),
        ("segments whose cover was measured", "已量测覆土的管段", int(checked.measured.sum())),
        ("segments with too little cover", "覆土不足的管段", len(np.unique(checked.shallow.segments))),
        ("findings", "检查结果", len(checked.shallow)),
    )  # fmt: skip
    return Table((WHAT, TITLE, COUNT), said)
