"""Excavation: what a hole in the ground would hit or come near to, and whom to call."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from pydantic import model_validator

from analysis.analysis import Answer, Text, parameter
from analysis.areas import area_of, laid_out, lon_lat
from analysis.clearance import TITLE, WHAT
from analysis.excavation_tables import LENGTH, PIPE, Met, owner_rows, said
from analysis.network_question import NetworkQuestion, numbers
from analysis.placed import placed_bodies
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Rows, flat
from cim_core.progress import Progress
from cim_core.store.layers import LayerVersion
from cim_core.sweep_network import drawing
from cim_core.table import Column, Table
from pipelines.cover import shares_along
from pipelines.distances import Solids, solids
from pipelines.excavation import (
    GroundAt,
    Part,
    Pit,
    footprint,
    ground_of_nodes,
    near,
    pit_of,
    reached,
    upright,
)

_DISTANCE = Column("distance", {"en": "Distance", "zh": "距离"}, "number", "m")


class Excavation(NetworkQuestion):
    """Pipes, cables and wells in and near an excavation; see `pipelines.excavation`."""

    name: ClassVar[str] = "excavation"
    title: ClassVar[Text] = {"en": "Excavation", "zh": "开挖分析"}
    description: ClassVar[Text] = {
        "en": "What an excavation would hit or come near to, whom to call, and how much soil it is. "
        "The excavation is an area with a depth or a level, or elements of a planned model.",
        "zh": "分析开挖范围内及邻近的管线、应联系的权属单位和土方量。开挖范围由面和深度（或底标高）给定，或取自规划模型的构件。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "hit": {"en": "Hit", "zh": "受影响管线"},
        "near": {"en": "Near", "zh": "邻近管线"},
        "owners": {"en": "Owners to call", "zh": "应联系的权属单位"},
        "totals": {"en": "Totals", "zh": "汇总"},
    }

    area: dict[str, Any] | None = parameter(
        None,
        {"en": "Area", "zh": "开挖范围"},
        {"en": "What is dug up: a GeoJSON Polygon.", "zh": "开挖的平面范围（GeoJSON 面）。"},
        format="geojson-geometry", geometries=("Polygon", "MultiPolygon"),
    )  # fmt: skip
    depth: float | None = parameter(
        None,
        {"en": "Depth", "zh": "深度"},
        {"en": "Below the ground, which the bottom follows.", "zh": "自地面起算的深度，坑底随地面起伏。"},
        unit="m", gt=0, le=200,
    )  # fmt: skip
    level: float | None = parameter(
        None,
        {"en": "Level of the bottom", "zh": "坑底标高"},
        {"en": "In the city's vertical datum, instead of a depth.", "zh": "城市高程基准下的坑底标高，代替深度。"},
        unit="m", allow_inf_nan=False,
    )  # fmt: skip
    model: str | None = parameter(
        None,
        {"en": "Model", "zh": "模型图层"},
        {
            "en": "A layer whose elements are to be built, instead of an area: each is dug for down to "
            "its lowest point.",
            "zh": "以待建模型的构件代替开挖范围：每个构件开挖至其最低点。",
        },
        format="layer-id",
    )
    classes: tuple[str, ...] = parameter(
        (),
        {"en": "Classes", "zh": "构件类别"},
        {
            "en": "Only elements of these classes: IfcFooting.",
            "zh": "仅这些类别的构件，如 IfcFooting。",
        },
    )
    ids: tuple[str, ...] = parameter(
        (),
        {"en": "Elements", "zh": "构件标识"},
        {"en": "Only the elements with these ids.", "zh": "仅这些标识的构件。"},
    )
    margin: float = parameter(
        1.0,
        {"en": "Margin", "zh": "邻近距离"},
        {"en": "How near something is near.", "zh": "小于此距离视为邻近。"},
        unit="m", ge=0, le=100,
    )  # fmt: skip

    @model_validator(mode="after")
    def _one_hole(self) -> "Excavation":
        if (self.area is None) == (self.model is None):
            raise InvalidInput("an excavation is an area or a model; give one of area, model")
        if self.area is not None and (self.depth is None) == (self.level is None):
            raise InvalidInput("an area needs a depth or a level of its bottom; give one of them")
        if self.area is not None and (self.classes or self.ids):
            raise InvalidInput("classes and ids choose elements of a model; name the model as well")
        if self.model is not None and not (self.depth is None and self.level is None):
            raise InvalidInput(
                "the elements of a model have their own depth; leave depth and level out"
            )
        if self.area is not None:
            area_of(self.area, "area")
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """What is hit and what is near, the nearest first; the longest inside first of what is hit.

        Raises `NotFound` without a pipe network or for a model or element that is not there, and
        `InvalidInput` where a depth is given and the ground is not known.
        """
        known = underground(city, self.layers)
        versions = list(known.versions)
        ground_at = _ground(city, known)
        parts = []
        if self.model is not None:
            version = city.layers.get(self.model)
            versions.append(version)
            parts = list(self._elements(city, version, known, progress))
        else:
            area = laid_out(area_of(self.area or {}, "area"), known.frame)
            parts = [Part(area, self.level, self.depth)]
        pit = pit_of(parts, ground_at, progress)
        if np.isnan(pit.bottoms).any():
            raise InvalidInput(
                "the ground is not known there, so a depth says nothing; give the level of the bottom, "
                "or import a terrain"
            )
        met = _met(known, pit, self.margin, ground_at, progress)
        hit = met.taken(
            np.lexsort((-met.lengths, met.distances))[: int((met.distances == 0).sum())]
        )
        others = np.flatnonzero(met.distances > 0)
        beside = met.taken(others[np.argsort(met.distances[others], kind="stable")])
        outputs = {
            "hit": self._pipes(known, hit, (LENGTH,)),
            "near": self._pipes(known, beside, (_DISTANCE,)),
            "owners": owner_rows(known, hit, beside),
            "totals": _totals(pit, hit, beside),
        }
        return Answer(outputs, tuple(versions))

    def _elements(
        self, city: City, version: LayerVersion, known: Underground, progress: Progress
    ) -> Iterator[Part]:
        for body in placed_bodies(city, version, self.classes, self.ids):
            progress.ask()
            places = flat(body.positions[:, :2], known.frame)
            area = footprint(places, body.triangles)
            if not area.is_empty:
                yield Part(area, bottom=float(body.positions[:, 2].min()))

    def _pipes(self, known: Underground, met: Met, more: tuple[Column, ...]) -> Table:
        def say(rows: Rows) -> list[list[Value]]:
            some = met.taken(rows)
            measured = some.lengths if more == (LENGTH,) else some.distances
            return [*said(known, some), numbers(some.depths), numbers(measured)]

        return self.paged((*PIPE, *more), np.arange(len(met)), say)


def _ground(city: City, known: Underground) -> GroundAt:
    """The terrain, and where it is not known the ground of the nodes around."""
    terrain = city.ground()
    nodes = known.network.nodes
    around = ground_of_nodes(flat(nodes.places, known.frame), nodes.ground)

    def ground_at(places: Floats) -> Floats:
        if len(places) == 0:
            return np.empty(0)
        heights = around(places)
        if terrain is not None:
            surveyed = terrain(lon_lat(places, known.frame))
            heights = np.where(np.isfinite(surveyed), surveyed, heights)
        return heights

    return ground_at


def _met(
    known: Underground, pit: Pit, margin: float, ground_at: GroundAt, progress: Progress
) -> Met:
    """All segments and wells and devices within a margin of an excavation."""
    bodies = solids(known.network, known.pieces, known.flat)
    pieces = near(bodies, pit, margin)
    shafts, nodes = _shafts(known)
    standing = near(shafts, pit, margin)
    found = []
    for some, owners, of_nodes in (
        (bodies.taken(pieces), known.pieces.segments[pieces], False),
        (shafts.taken(standing), nodes[standing], True),
    ):
        reach = reached(some, pit, margin, progress)
        depths = (
            _cover_of_shafts(some, ground_at)
            if of_nodes
            else _cover_of_pieces(known, pieces, some, reach.shares, ground_at)
        )
        within = np.flatnonzero(np.isfinite(reach.distances))
        rows, which = np.unique(owners[within], return_inverse=True)
        distances, least = np.full(len(rows), np.inf), np.full(len(rows), np.nan)
        np.minimum.at(distances, which, reach.distances[within])
        np.fmin.at(least, which, depths[within])
        lengths = np.zeros(len(rows))
        np.add.at(lengths, which, reach.lengths[within])
        found.append(Met(rows, np.full(len(rows), of_nodes), distances, lengths, least))
    return Met(*(np.concatenate([getattr(f, name) for f in found]) for name in Met.__slots__))


def _cover_of_pieces(
    known: Underground, pieces: Rows, bodies: Solids, shares: Floats, ground_at: GroundAt
) -> Floats:
    """How deep the top of each piece lies where it is meant, by the ground of its own nodes first."""
    segments, ground = known.network.segments, known.network.nodes.ground
    level = np.linalg.norm(np.diff(known.flat[..., :2], axis=1)[:, 0], axis=1)
    begins, ends = shares_along(known.pieces.segments, level)
    along = begins[pieces] + shares * (ends - begins)[pieces]
    owners = known.pieces.segments[pieces]
    start, end = ground[segments.starts[owners]], ground[segments.ends[owners]]
    surveyed = start + along * (end - start)
    place = bodies.ends[:, 0] + shares[:, None] * (bodies.ends[:, 1] - bodies.ends[:, 0])
    surface = np.where(np.isfinite(surveyed), surveyed, ground_at(place[:, :2]))
    return surface - place[:, 2] - bodies.halves[:, 1]


def _cover_of_shafts(shafts: Solids, ground_at: GroundAt) -> Floats:
    """How deep the top of each shaft lies; not below 0 by rounding."""
    top = shafts.ends[..., 2].max(axis=1)
    depths: Floats = np.round(ground_at(shafts.ends[:, 0, :2]) - top, 3) + 0.0
    return depths


def _shafts(known: Underground) -> tuple[Solids, Rows]:
    """Wells and devices as upright shafts, and their nodes: from the lowest pipe to the ground."""
    network = known.network
    nodes, segments = network.nodes, network.segments
    low, high = np.full(len(nodes), np.inf), np.full(len(nodes), -np.inf)
    for rows, axes in (
        (segments.starts, segments.axes[:, 0]),
        (segments.ends, segments.axes[:, 1]),
    ):
        np.fmin.at(low, rows, axes)
        np.fmax.at(high, rows, axes)
    low = np.where(np.isfinite(nodes.bottom), nodes.bottom, low)
    high = np.where(np.isfinite(nodes.ground), nodes.ground, high)
    wells = nodes.kinds == NodeKind.WELL
    rows = np.flatnonzero(nodes.kinds != NodeKind.JOINT)
    # Of what has no height at all only the place is known.
    level = np.column_stack([low, high])[rows]
    level[~np.isfinite(level).all(axis=1)] = np.nan
    radii = np.where(wells[rows], float(drawing()["well"]["width"]) / 2, 0.0)
    places = flat(nodes.places[rows], known.frame)
    return upright(places, level[:, 0], level[:, 1], radii), rows


def _totals(pit: Pit, hit: Met, beside: Met) -> Table:
    volume = pit.volume
    grounds = pit.grounds[np.isfinite(pit.grounds)]
    rows = (
        ("area", "开挖面积", round(float(pit.areas.sum()), 2), "m²"),
        ("lowest bottom", "最低坑底标高", _least(pit.bottoms), "m"),
        ("lowest ground", "最低地面标高", _least(grounds), "m"),
        ("highest ground", "最高地面标高", _least(-grounds, -1), "m"),
        (
            "soil, upright walls",
            "土方量（直立坑壁）",
            None if volume is None else round(volume, 1),
            "m³",
        ),
        ("segments hit", "受影响管段数", int((~hit.nodes).sum()), ""),
        ("nodes hit", "受影响管点数", int(hit.nodes.sum()), ""),
        ("length hit", "受影响长度", round(float(hit.lengths[~hit.nodes].sum()), 2), "m"),
        ("segments near", "邻近管段数", int((~beside.nodes).sum()), ""),
        ("nodes near", "邻近管点数", int(beside.nodes.sum()), ""),
    )
    value = Column("value", {"en": "Value", "zh": "数值"}, "number")
    unit = Column("unit", {"en": "Unit", "zh": "单位"}, "text")
    return Table((WHAT, TITLE, value, unit), rows)


def _least(values: Floats, sign: int = 1) -> float | None:
    return round(sign * float(values.min()), 3) if values.size else None
