"""Trace: where a pipe network leads to from a place, and what lies on the way."""

from typing import ClassVar

import numpy as np
from pydantic import model_validator

from analysis.analysis import Answer, Text, parameter
from analysis.network_question import (
    CLASS,
    DEMAND,
    LENGTH,
    NODE_COLUMNS,
    SEGMENT_COLUMNS,
    USERS,
    VOLUME,
    PipeQuestion,
    node_cells,
    node_row,
    numbers,
    segment_cells,
    whole,
)
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from cim_core.table import Column, Table
from pipelines.bridges import hanging_of
from pipelines.graph import Mask, graph_of
from pipelines.network_layer import segment_classes
from pipelines.statistics import clear_volumes
from pipelines.trace import Direction, Start, Traced, trace

_FLOW = Column("flow", {"en": "Flow", "zh": "流向"}, "text")
_DISTANCE = Column("distance", {"en": "Distance", "zh": "累计距离"}, "number", "m")
_ALONE = Column("only", {"en": "Only connection", "zh": "唯一通路"}, "integer")
_TOTALS = (
    CLASS,
    Column("segments", {"en": "Segments", "zh": "管段数"}, "integer"),
    LENGTH,
    VOLUME,
    Column("unsized", {"en": "Segments of unknown volume", "zh": "容积未知的管段数"}, "integer"),
    Column("unknown_flow", {"en": "Segments of unknown flow", "zh": "流向未知的管段数"}, "integer"),
    Column("nodes", {"en": "Nodes", "zh": "节点数"}, "integer"),
    DEMAND,
    USERS,
)
_FLOWS = np.array(["unknown", "forward", "backward"], object)


class Trace(PipeQuestion):
    """Everything connected with a place on a network, up or down the flow of it, or the way to an end.

    Where the flow of a segment is not known it is passed either way, and said so.
    """

    name: ClassVar[str] = "trace"
    title: ClassVar[Text] = {"en": "Trace", "zh": "管网追踪"}
    description: ClassVar[Text] = {
        "en": "What is connected with a place on a pipe network, lies up or down the flow, or on the "
        "way to the nearest source or outfall, with length, volume, demand and users.",
        "zh": "查询与管网某处连通、位于其上游或下游的部分，或到最近水源（气源）、排放口的路径，并汇总长度、容积、用水量和用户数。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "segments": {"en": "Segments", "zh": "管段"},
        "nodes": {"en": "Nodes", "zh": "节点"},
        "totals": {"en": "Totals by class", "zh": "按类别汇总"},
    }

    direction: Direction = parameter(
        "connected",
        {"en": "Direction", "zh": "方向"},
        {
            "en": "connected: all that hangs together; downstream, upstream: by the flow; source, "
            "outfall: the shortest way to the nearest one.",
            "zh": "connected：全部连通部分；downstream、upstream：按流向的下游、上游；source、outfall：到最近水源（气源）、排放口的最短路径。",
        },
    )
    node: str | None = parameter(
        None,
        {"en": "Node", "zh": "节点"},
        {"en": "The id of a node instead of a place.", "zh": "以节点标识代替位置。"},
    )
    by_flow: bool = parameter(
        True,
        {"en": "By the flow", "zh": "按流向"},
        {
            "en": "Whether a way to a source goes against the flow, to an outfall with it.",
            "zh": "到水源的路径是否逆流而上，到排放口的路径是否顺流而下。",
        },
    )

    @model_validator(mode="after")
    def _one_start(self) -> "Trace":
        if [self.at, self.segment, self.node].count(None) != 2:
            raise InvalidInput("a trace begins at a place, a segment or a node; give one of at, segment, node")  # fmt: skip
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """The segments and nodes passed, and their sums.

        Raises `NotFound` where nothing is to begin with, or no source or outfall can be reached.
        """
        known = underground(city, self.layers)
        progress(0, 1, "tracing")
        start = (
            Start(segment=self.asked_segment(known))
            if self.node is None
            else Start(node=node_row(known, self.layer, self.node))
        )
        found = trace(
            graph_of(known.network), start, self.direction,
            through_closed=self.through_closed, by_flow=self.by_flow,
        )  # fmt: skip
        outputs = {
            "segments": self._segments(known, found),
            "nodes": self.paged(NODE_COLUMNS, found.nodes, lambda rows: node_cells(known, rows)),
            "totals": Table(_TOTALS, totals(known, found)),
        }
        return Answer(outputs, known.versions)

    def _segments(self, known: Underground, found: Traced) -> Table:
        """A path with the distance so far, what hangs together with what alone holds it together."""
        columns = [*SEGMENT_COLUMNS, _FLOW]
        flows = known.network.segments.flows
        more: Floats | None = None
        if found.distances is not None:
            columns.append(_DISTANCE)
            more = found.distances
        elif self.direction == "connected":
            columns.append(_ALONE)
            more = hanging_of(known.network).bridges[found.segments].astype(float)

        def cells(places: Rows) -> list[list[Value]]:
            rows = found.segments[places]
            said = [*segment_cells(known, rows), _FLOWS[flows[rows]].tolist()]
            if more is not None:
                said.append((numbers if found.distances is not None else whole)(more[places]))
            return said

        return self.paged(columns, np.arange(len(found.segments)), cells)


def totals(known: Underground, found: Traced) -> tuple[tuple[Value, ...], ...]:
    """A row for each class of segments, then one for all; a node counts with one of its segments."""
    segments, nodes = known.network.segments, known.network.nodes
    classes = segment_classes(segments)
    rows, points = found.segments, found.nodes
    own = classes.codes[rows].astype(np.int64)
    of_nodes = np.full(len(nodes), len(classes.names))
    of_nodes[segments.ends[rows]] = own
    of_nodes[segments.starts[rows]] = own
    beside = of_nodes[points]
    names = [*classes.names, None]
    volumes = clear_volumes(segments, rows)
    count = len(names)
    numbers_of = [
        whole(_counts(own, np.ones(len(rows), bool), count)),
        numbers(_sums(own, segments.lengths[rows], count)),
        numbers(_sums(own, volumes, count)),
        whole(_counts(own, np.isnan(volumes), count)),
        whole(_counts(own, segments.flows[rows] == 0, count)),
        whole(_counts(beside, np.ones(len(points), bool), count)),
        numbers(_sums(beside, nodes.demand[points], count)),
        whole(_sums(beside, nodes.users[points], count)),
    ]
    lines = list(zip([*names, None], *numbers_of, strict=True))
    of_classes = [line for line in lines[:-1] if line[1] or line[6]]
    return (*of_classes, lines[-1])


def _counts(groups: Rows, counted: Mask, count: int) -> Floats:
    """How many rows count in each group, and in all."""
    each = np.bincount(groups[counted], minlength=count).astype(float)
    return np.append(each, each.sum())


def _sums(groups: Rows, values: Floats, count: int) -> Floats:
    """The sum of what is known in each group, and in all; NaN where nothing is."""
    known = np.isfinite(values)
    each = np.bincount(groups[known], values[known], count)
    sums = np.append(each, each.sum())
    return np.where(_counts(groups, known, count) > 0, sums, np.nan)
