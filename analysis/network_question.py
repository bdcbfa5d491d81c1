"""What questions of pipe networks have in common: where they are asked, and tables of features."""

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from pydantic import ConfigDict

from analysis.analysis import Analysis, parameter
from analysis.underground import Underground
from cim_core.errors import InvalidInput, NotFound
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Rows
from cim_core.table import Column, Table
from pipelines.network_layer import node_class, segment_classes
from pipelines.statistics import clear_volumes

_MOST = 100_000

LAYER = Column("layer", {"en": "Layer", "zh": "图层"}, "text")
ID = Column("id", {"en": "Id", "zh": "标识"}, "text")
CLASS = Column("class", {"en": "Class", "zh": "类别"}, "text")
LENGTH = Column("length", {"en": "Length", "zh": "长度"}, "number", "m")
VOLUME = Column("volume", {"en": "Volume", "zh": "容积"}, "number", "m³")
DEMAND = Column("demand", {"en": "Demand", "zh": "用水量"}, "number", "L/s")
USERS = Column("users", {"en": "Users", "zh": "用户数"}, "integer")


class NetworkQuestion(Analysis, ABC):
    """A question of the pipe networks of a city that lists features page by page."""

    # Ids are often nothing but digits, and the command line takes those for numbers.
    model_config = ConfigDict(coerce_numbers_to_str=True)

    layers: tuple[str, ...] = parameter(
        (),
        {"en": "Networks", "zh": "管网图层"},
        {
            "en": "The pipe networks to ask; all that are present if none is named.",
            "zh": "要查询的管网图层；不填则查询全部现状管网。",
        },
        format="layer-id",
    )
    limit: int = parameter(
        10_000,
        {"en": "Features at once", "zh": "每页要素数"},
        {"en": "How many features a table lists; all are counted.", "zh": "每张表列出的要素数量；统计不受此限制。"},
        rare=True, ge=1, le=_MOST,
    )  # fmt: skip
    after: int = parameter(
        0,
        {"en": "After", "zh": "续页位置"},
        {"en": "How many features the pages before listed.", "zh": "前几页已列出的要素数量。"},
        format="cursor", ge=0,
    )  # fmt: skip

    def paged(
        self, columns: Sequence[Column], rows: Rows, say: Callable[[Rows], Sequence[Sequence[Any]]]
    ) -> Table:
        """A table of features given by their rows; `say` gives the columns of some of them."""
        shown = rows[self.after : self.after + self.limit]
        end = self.after + len(shown)
        cells = zip(*say(shown), strict=True)
        return Table(tuple(columns), tuple(cells), str(end) if end < len(rows) else None)


class PipeQuestion(NetworkQuestion, ABC):
    """A question asked at a pipe: at the nearest one to a place, or at one given by its id."""

    at: dict[str, Any] | None = parameter(
        None,
        {"en": "At", "zh": "位置"},
        {"en": "A place on a pipe: a GeoJSON Point.", "zh": "管线上的位置（GeoJSON 点）。"},
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
        {"en": "The id of a segment instead of a place.", "zh": "以管段标识代替位置。"},
    )
    layer: str | None = parameter(
        None,
        {"en": "Layer", "zh": "图层"},
        {
            "en": "The layer it is in, where several have the same id or lie at the same place.",
            "zh": "所在图层；多个图层有相同标识或位于同一位置时需要指定。",
        },
        format="layer-id",
    )
    through_closed: bool = parameter(
        False,
        {"en": "Through closed links", "zh": "通过关闭的管段"},
        {"en": "Count closed links as open.", "zh": "将关闭的管段视为开启。"},
        rare=True,
    )

    def asked_segment(self, known: Underground) -> int:
        """The row of the segment the question is asked at; raises `NotFound`, `InvalidInput`."""
        if self.segment is not None:
            return known.segment(self.layer, self.segment)
        return known.nearest_segment(point_place(self.at or {}), self.within, self.layer)


def point_place(point: Mapping[str, Any]) -> Floats:
    """A GeoJSON Point, or a feature that is one, as a place, (2,) degrees; raises `InvalidInput`."""
    try:
        geometry = point.get("geometry", point)
        lon, lat = (float(value) for value in geometry["coordinates"][:2])
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _no_point() from None
    if geometry.get("type") != "Point" or not (abs(lon) <= 180 and abs(lat) <= 90):
        raise _no_point()
    return np.array([lon, lat])


def _no_point() -> InvalidInput:
    return InvalidInput(
        "at is not a GeoJSON Point in longitude and latitude; give one with its coordinates"
    )


def node_row(known: Underground, layer: str | None, identity: str) -> int:
    """The row of a node by its id, and its layer where several have it."""
    rows = np.flatnonzero(known.network.nodes.ids == identity).tolist()
    rows = [row for row in rows if layer is None or known.layer_of_node(row) == layer]
    if not rows:
        raise NotFound(f"no pipe network has a node {identity!r}; give the id of one")
    if len(rows) > 1:
        raise InvalidInput(f"several layers have a node {identity!r}; name the layer as well")
    return int(rows[0])


SEGMENT_COLUMNS = (LAYER, ID, CLASS, LENGTH, VOLUME)
NODE_COLUMNS = (LAYER, ID, CLASS, DEMAND, USERS)
_NODE_CLASSES = np.array([node_class(kind) for kind in NodeKind], object)


def segment_cells(known: Underground, rows: Rows) -> list[list[Value]]:
    """The columns of `SEGMENT_COLUMNS`."""
    segments = known.network.segments
    return [
        layers_of(known, known.segment_layers[rows]),
        segments.ids[rows].tolist(),
        segment_classes(segments)[rows].texts().tolist(),
        numbers(segments.lengths[rows]),
        numbers(clear_volumes(segments, rows)),
    ]


def node_cells(known: Underground, rows: Rows) -> list[list[Value]]:
    """The columns of `NODE_COLUMNS`."""
    nodes = known.network.nodes
    return [
        layers_of(known, known.node_layers[rows]),
        nodes.ids[rows].tolist(),
        _NODE_CLASSES[nodes.kinds[rows]].tolist(),
        numbers(nodes.demand[rows]),
        whole(nodes.users[rows]),
    ]


def layers_of(known: Underground, numbers: Rows) -> list[Value]:
    """The ids of layers by their number."""
    names = np.array([version.layer for version in known.versions], object)
    cells: list[Value] = names[numbers].tolist()
    return cells


def numbers(values: Floats) -> list[Value]:
    """Numbers for cells, to three decimals; None for what is not known."""
    return [value if isfinite(value) else None for value in np.round(values, 3).tolist()]


def whole(values: Floats) -> list[Value]:
    """Whole numbers for cells; None for what is not known."""
    return [round(value) if isfinite(value) else None for value in values.tolist()]
