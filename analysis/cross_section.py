"""Cross-section: the pipes that a line across a street cuts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import shapely
from pydantic import model_validator

from analysis.analysis import Analysis, Answer, Text, parameter
from analysis.chart import Chart
from analysis.cross_section_chart import SectionDrawing, cross_section_chart
from analysis.marks import Owner
from analysis.network_question import CLASS, ID, LAYER, numbers
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.layer import Ground
from cim_core.mesh import Floats
from cim_core.network import flat
from cim_core.progress import Progress
from cim_core.table import Column, Table
from pipelines.cross_section import CrossSection, cross_section
from pipelines.network_layer import segment_classes, size_text

LONGEST = 2000.0
"""Metres; a longer line is no section of a street, and no paper takes it."""
_SAMPLES = 400
"""Places along the line whose ground is asked for."""

_COLUMNS = (
    LAYER, ID, CLASS,
    Column("size", {"en": "Size", "zh": "规格"}, "text"),
    Column("material", {"en": "Material", "zh": "材质"}, "text"),
    Column("offset", {"en": "Offset", "zh": "距起点"}, "number", "m"),
    Column("ground", {"en": "Ground", "zh": "地面高程"}, "number", "m"),
    Column("top", {"en": "Top", "zh": "管顶高程"}, "number", "m"),
    Column("axis", {"en": "Axis", "zh": "管中心高程"}, "number", "m"),
    Column("invert", {"en": "Invert", "zh": "管底高程"}, "number", "m"),
    Column("depth", {"en": "Depth", "zh": "埋深"}, "number", "m"),
    Column("cover", {"en": "Cover", "zh": "覆土"}, "number", "m"),
    Column("spacing", {"en": "Spacing to the next", "zh": "与下一管线净距"}, "number", "m"),
    Column("angle", {"en": "Angle of crossing", "zh": "交角"}, "number", "°"),
    Column("width", {"en": "Width as cut", "zh": "剖切宽度"}, "number", "m"),
    Column("height", {"en": "Height as cut", "zh": "剖切高度"}, "number", "m"),
    Column("lon", {"en": "Longitude", "zh": "经度"}, "number", "°"),
    Column("lat", {"en": "Latitude", "zh": "纬度"}, "number", "°"),
)  # fmt: skip


class PipeCrossSection(Analysis):
    """All pipes that a line cuts, in their order along it, with a drawing."""

    name: ClassVar[str] = "cross-section"
    title: ClassVar[Text] = {"en": "Cross-section of pipes", "zh": "管线横断面"}
    description: ClassVar[Text] = {
        "en": "The pipes that a line across a street cuts, in their order, with depth, size, cover and "
        "the net spacing between them.",
        "zh": "查询横穿道路的剖切线所切到的管线，按顺序给出埋深、规格、覆土及相邻净距。",
    }
    outputs: ClassVar[Mapping[str, Text]] = {
        "pipes": {"en": "Pipes", "zh": "管线"},
        "drawing": {"en": "Drawing", "zh": "断面图"},
    }

    line: dict[str, Any] = parameter(
        ...,
        {"en": "Line", "zh": "剖切线"},
        {
            "en": "The line that cuts, from left to right: a GeoJSON LineString.",
            "zh": "剖切线，自左向右（GeoJSON LineString）。",
        },
        format="geojson-geometry", geometries=("LineString",),
    )  # fmt: skip
    layers: tuple[str, ...] = parameter(
        (),
        {"en": "Layers", "zh": "图层"},
        {
            "en": "Only these pipe networks; all present ones if none is named.",
            "zh": "仅查询这些管网图层；不填则查询全部现状管网。",
        },
        format="layer-id",
    )

    @model_validator(mode="after")
    def _a_line(self) -> "PipeCrossSection":
        line_places(self.line)
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The pipes in their order; raises `NotFound`, and `InvalidInput` for a line too long."""
        under = underground(city, self.layers)
        places = line_places(self.line)
        line = flat(places, under.frame)
        section = cross_section(under.network, under.pieces, under.flat, line)
        if section.length > LONGEST:
            raise InvalidInput(
                f"the line is {section.length:.0f} m long; draw one of at most {LONGEST:.0f} m across "
                "the street"
            )
        progress(1, 2, "looking")
        terrain = city.ground()
        known = np.isfinite(section.ground)
        if terrain is not None:
            section = replace(
                section, ground=np.where(known, section.ground, terrain(section.places))
            )
        distances, ground = _ground(section, terrain, places, line)
        classes = segment_classes(under.network.segments)
        owners = [
            Owner(under.layer_of(row), str(under.network.segments.ids[row]), classes.text(row))
            for row in section.segments.tolist()
        ]
        chart = _chart(under, section, owners, places, (distances, ground))
        return Answer({"pipes": _table(under, section, owners), "drawing": chart}, under.versions)


def line_places(line: Mapping[str, Any]) -> Floats:
    """The vertices of a GeoJSON LineString, or of a feature that is one, (k, 2) degrees."""
    geometry = line.get("geometry", line)
    try:
        shape = shapely.geometry.shape(geometry)
        places: Floats = shapely.get_coordinates(shape)
        good = shape.geom_type == "LineString" and shape.is_valid
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        good, places = False, np.empty((0, 2))
    if not good or (np.abs(places) > (180, 90)).any():
        raise InvalidInput(
            "the line is not a GeoJSON LineString in longitude and latitude; give one with two "
            "different places"
        )
    return places


def _ground(
    section: CrossSection, terrain: Ground | None, places: Floats, line: Floats
) -> tuple[Floats, Floats]:
    """Distances along the line and elevations of the ground there, NaN where it is not known.

    From the terrain, and without one from the pipes, level beyond the last.
    """
    vertices = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    if terrain is not None:
        at = np.union1d(np.linspace(0.0, section.length, _SAMPLES), vertices)
        along = np.column_stack([np.interp(at, vertices, places[:, i]) for i in range(2)])
        ground = terrain(along)
        if np.isfinite(ground).any():
            return at, ground
    ends = np.array([0.0, section.length])
    return (
        np.concatenate([ends[:1], section.offsets, ends[1:]]),
        np.concatenate([[np.nan], section.ground, [np.nan]]),
    )


def _chart(
    under: Underground, section: CrossSection, owners: Sequence[Owner], places: Floats,
    ground: tuple[Floats, Floats],
) -> Chart:  # fmt: skip
    ends = " – ".join(
        f"{letter} {lon:.6f}, {lat:.6f}"
        for letter, (lon, lat) in zip(("A", "A′"), places[[0, -1]].tolist(), strict=True)
    )
    layers = {version.layer: version.version for version in under.versions}
    about: dict[str, Value] = {"line": places.tolist(), "layers": dict(layers)}
    return cross_section_chart(
        SectionDrawing(section, under.network.segments, owners, *ground, (ends,), about)
    )


def _table(under: Underground, section: CrossSection, owners: Sequence[Owner]) -> Table:
    segments = under.network.segments
    rows = section.segments.tolist()
    columns = (
        section.offsets, section.ground, section.tops, section.axes, section.inverts, section.depths,
        section.cover, section.gaps, section.angles, *section.sizes.T,
    )  # fmt: skip
    cells = zip(
        [size_text(segments, row) or None for row in rows],
        [segments.materials.text(row) or None for row in rows],
        *(numbers(column) for column in columns),
        *np.round(section.places, 8).T.tolist(),
        strict=True,
    )
    made = ((o.layer, o.id, o.feature_class, *row) for o, row in zip(owners, cells, strict=True))
    return Table(_COLUMNS, tuple(made))
