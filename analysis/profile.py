"""Profile: the ground and the pipes along a path through a network."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pydantic import ConfigDict, model_validator

from analysis.analysis import Analysis, Answer, Text, parameter
from analysis.marks import Owner
from analysis.network_question import (
    CLASS,
    ID,
    LAYER,
    LENGTH,
    node_row,
    numbers,
    point_place,
)
from analysis.profile_chart import ProfileDrawing, profile_chart
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Reference
from cim_core.progress import Progress
from cim_core.table import Column, Table
from pipelines.network_layer import node_class, segment_classes, size_text
from pipelines.profile import (
    Path,
    PathProfile,
    path_along,
    path_between,
    path_down,
    places_along,
    profile_along,
)

_MOST = 5000
"""Segments of a path; more fit on no paper."""
_SAMPLES = 600
"""Places along the path whose terrain is asked for, at least."""

_CHAINAGE = Column("chainage", {"en": "Chainage", "zh": "桩号"}, "number", "m")
_SIZE = Column("size", {"en": "Size", "zh": "规格"}, "text")
_STATIONS = (
    LAYER, ID, CLASS, _CHAINAGE,
    Column("ground", {"en": "Ground", "zh": "地面高程"}, "number", "m"),
    Column("bottom", {"en": "Well floor", "zh": "井底高程"}, "number", "m"),
    Column("invert_in", {"en": "Invert before", "zh": "来管管底高程"}, "number", "m"),
    Column("invert_out", {"en": "Invert after", "zh": "去管管底高程"}, "number", "m"),
    Column("axis", {"en": "Axis", "zh": "管中心高程"}, "number", "m"),
    Column("top", {"en": "Top", "zh": "管顶高程"}, "number", "m"),
    Column("depth", {"en": "Depth to the invert", "zh": "管底埋深"}, "number", "m"),
    Column("cover", {"en": "Cover", "zh": "覆土"}, "number", "m"),
    Column("drop", {"en": "Drop", "zh": "跌差"}, "number", "m"),
)  # fmt: skip
_SEGMENTS = (
    LAYER, ID, CLASS, _CHAINAGE, LENGTH, _SIZE,
    Column("material", {"en": "Material", "zh": "材质"}, "text"),
    Column("invert_start", {"en": "Invert at its begin", "zh": "起点管底高程"}, "number", "m"),
    Column("invert_end", {"en": "Invert at its end", "zh": "终点管底高程"}, "number", "m"),
    Column("slope", {"en": "Slope", "zh": "坡度"}, "number", "‰"),
    Column("reference", {"en": "Surveyed", "zh": "测量部位"}, "text"),
)  # fmt: skip


class PipeProfile(Analysis):
    """The ground, the wells and the pipes along a path, with slopes and a drawing."""

    # Ids are often nothing but digits, and the command line takes those for numbers.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    name: ClassVar[str] = "profile"
    title: ClassVar[Text] = {"en": "Profile of pipes", "zh": "管线纵断面"}
    description: ClassVar[Text] = {
        "en": "Along a path of pipes: ground, elevations, depth, size, slope and wells. The path leads "
        "from a point to another, along named segments, or from a place down to the outfall.",
        "zh": "沿管线路径给出地面高程、管线高程、埋深、规格、坡度与检查井；路径可由起止点、管段序列，或自某处顺流至排放口确定。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "stations": {"en": "Stations", "zh": "断面点"},
        "segments": {"en": "Segments", "zh": "管段"},
        "drawing": {"en": "Drawing", "zh": "断面图"},
    }

    start: str | None = parameter(
        None,
        {"en": "From point", "zh": "起点"},
        {"en": "The id of the node it begins at.", "zh": "起始管点的标识。"},
    )
    end: str | None = parameter(
        None,
        {"en": "To point", "zh": "终点"},
        {
            "en": "The id of the node it ends at; the way is the shortest.",
            "zh": "终止管点的标识；取最短路径。",
        },
    )
    segments: tuple[str, ...] = parameter(
        (),
        {"en": "Along segments", "zh": "沿管段"},
        {
            "en": "The ids of the segments it leads along, in their order.",
            "zh": "依次经过的管段标识。",
        },
    )
    at: dict[str, Any] | None = parameter(
        None,
        {"en": "Down from", "zh": "顺流自"},
        {
            "en": "A place on a pipe, a GeoJSON Point: from there down to the outfall.",
            "zh": "管线上的位置（GeoJSON 点），自此顺流至排放口。",
        },
        format="geojson-geometry", geometries=("Point",),
    )  # fmt: skip
    within: float = parameter(
        10.0,
        {"en": "Within", "zh": "搜索距离"},
        {"en": "How far the place may be from a pipe.", "zh": "位置与管线之间允许的最大距离。"},
        unit="m", rare=True, gt=0, le=1000,
    )  # fmt: skip
    segment: str | None = parameter(
        None,
        {"en": "Segment", "zh": "管段"},
        {
            "en": "The id of a segment instead of a place: from there down to the outfall.",
            "zh": "以管段标识代替位置，自该管段顺流至排放口。",
        },
    )
    layer: str | None = parameter(
        None,
        {"en": "Layer", "zh": "图层"},
        {
            "en": "The layer it is in, where several have the same id.",
            "zh": "所在图层；多个图层有相同标识时需要指定。",
        },
        format="layer-id",
    )
    layers: tuple[str, ...] = parameter(
        (),
        {"en": "Networks", "zh": "管网图层"},
        {
            "en": "The pipe networks to ask; all that are present if none is named.",
            "zh": "要查询的管网图层；不填则查询全部现状管网。",
        },
        format="layer-id",
    )

    @model_validator(mode="after")
    def _one_path(self) -> "PipeProfile":
        between = self.start is not None or self.end is not None
        ways = [between, bool(self.segments), self.at is not None, self.segment is not None]
        if sum(ways) != 1 or (self.start is None) != (self.end is None):
            raise InvalidInput(
                "say where the profile leads in one way: with start and end, with segments, with at, "
                "or with segment"
            )
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The stations in their order; raises `NotFound`, `InvalidInput`."""
        only = () if self.layer is None else (self.layer,)
        known = underground(city, self.layers or only)
        path = self._path(known)
        if len(path) > _MOST:
            raise InvalidInput(
                f"the path has {len(path)} segments, and a profile takes {_MOST}; name nearer ends"
            )
        progress(1, 2, "looking")
        profile = profile_along(known.network, path)
        if profile.chainages[-1] <= 0:
            raise InvalidInput("the path has no length; name another")
        step = float(profile.chainages[-1]) / _SAMPLES
        chainages, places = places_along(known.pieces, known.flat, profile, step)
        ground = city.ground()
        terrain = np.full(len(places), np.nan) if ground is None else ground(places)
        if ground is not None:
            at_nodes = ground(known.network.nodes.places[path.nodes])
            surveyed = np.isfinite(profile.ground)
            profile = replace(profile, ground=np.where(surveyed, profile.ground, at_nodes))
        nodes, segments = _nodes(known, path), _segments(known, path)
        about: dict[str, Value] = {
            "path": [owner.id for owner in segments],
            "layers": {version.layer: version.version for version in known.versions},
        }
        remark = f"{nodes[0].id} – {nodes[-1].id}, {profile.chainages[-1]:.2f} m"
        chart = profile_chart(
            ProfileDrawing(
                profile, known.network, nodes, segments, chainages, terrain, (remark,), about
            )
        )
        return Answer(
            {
                "stations": _station_table(profile, nodes),
                "segments": _segment_table(known, profile, segments),
                "drawing": chart,
            },
            known.versions,
        )

    def _path(self, known: Underground) -> Path:
        network = known.network
        if self.start is not None and self.end is not None:
            ends = (node_row(known, self.layer, name) for name in (self.start, self.end))
            return path_between(network, *ends)
        if self.segments:
            return path_along(network, [known.segment(self.layer, name) for name in self.segments])
        if self.segment is not None:
            return path_down(network, known.segment(self.layer, self.segment))
        place = point_place(self.at or {})
        return path_down(network, known.nearest_segment(place, self.within, self.layer))


def _nodes(known: Underground, path: Path) -> list[Owner]:
    nodes = known.network.nodes
    return [
        Owner(known.layer_of_node(row), str(nodes.ids[row]), node_class(NodeKind(nodes.kinds[row])))
        for row in path.nodes.tolist()
    ]


def _segments(known: Underground, path: Path) -> list[Owner]:
    segments = known.network.segments
    classes = segment_classes(segments)
    return [
        Owner(known.layer_of(row), str(segments.ids[row]), classes.text(row))
        for row in path.segments.tolist()
    ]


def _station_table(profile: PathProfile, nodes: Sequence[Owner]) -> Table:
    before, after = (_beside(profile.inverts, place) for place in ("before", "after"))
    axes, tops = (
        np.where(np.isfinite(later), later, earlier)
        for earlier, later in (
            (_beside(heights, "before"), _beside(heights, "after"))
            for heights in (profile.axes, profile.tops)
        )
    )
    highest = np.fmax(_beside(profile.tops, "before"), _beside(profile.tops, "after"))
    columns = [
        profile.chainages, profile.ground, profile.bottoms, before, after, axes, tops,
        profile.ground - np.fmin(before, after), profile.ground - highest, before - after,
    ]  # fmt: skip
    cells = zip(*(numbers(column) for column in columns), strict=True)
    rows = ((o.layer, o.id, o.feature_class, *row) for o, row in zip(nodes, cells, strict=True))
    return Table(_STATIONS, tuple(rows))


def _beside(ends: Floats, place: str) -> Floats:
    """Elevations at the nodes, (k + 1,), of the segment before or after each, of (k, 2) at both ends."""
    none = [np.nan]
    return np.concatenate([none, ends[:, 1]] if place == "before" else [ends[:, 0], none])


def _segment_table(known: Underground, profile: PathProfile, owners: Sequence[Owner]) -> Table:
    segments, rows = known.network.segments, profile.path.segments
    cells = zip(
        numbers(profile.chainages[:-1]),
        numbers(segments.lengths[rows]),
        [size_text(segments, row) or None for row in rows.tolist()],
        [segments.materials.text(row) or None for row in rows.tolist()],
        numbers(profile.inverts[:, 0]),
        numbers(profile.inverts[:, 1]),
        numbers(profile.slopes),
        [Reference(code).name.lower() for code in segments.references[rows].tolist()],
        strict=True,
    )
    made = ((o.layer, o.id, o.feature_class, *row) for o, row in zip(owners, cells, strict=True))
    return Table(_SEGMENTS, tuple(made))
