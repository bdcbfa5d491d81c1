"""Where a network leads to: what is connected, what lies up or down the flow, the way to the source."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cim_core.errors import NotFound
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Rows
from pipelines.graph import Graph, Way

Direction = Literal["connected", "downstream", "upstream", "source", "outfall"]

_WAYS: dict[Direction, Way] = {
    "connected": "any", "downstream": "down", "upstream": "up", "source": "up", "outfall": "down",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Start:
    """Where a trace begins: the row of a node, or of a segment with `node` -1."""

    node: int = -1
    segment: int = -1


@dataclass(frozen=True, eq=False)
class Traced:
    """What a trace found.

    segments, nodes
        (s,) and (k,) their rows: of a path in the order of the way, otherwise in that of the
        network.
    distances
        (s,) metres from the start to the end of each segment of a path; None for what is no path.
    """

    segments: Rows
    nodes: Rows
    distances: Floats | None = None


def trace(
    graph: Graph, start: Start, direction: Direction, *, through_closed: bool, by_flow: bool
) -> Traced:
    """What is connected with a start, or up or down the flow of it, or the shortest way to an end.

    A segment of unknown flow is passed either way, a loop once. A start on a segment is on all of
    it and goes on from the ends the direction leads to, whether or not the segment is closed.
    `by_flow`: whether ways to a source go against the flow, those to an outfall with it; ways are
    the shortest by length. Raises `NotFound` where no source or outfall can be reached.
    """
    way: Way = _WAYS[direction]
    if direction in ("source", "outfall"):
        return _path(graph, start, direction, way if by_flow else "any", through_closed)
    starts = _onward(graph, start, way)
    reached = graph.reached(starts, way, through_closed=through_closed)
    passed = graph.passed(reached, way, through_closed=through_closed)
    if start.segment >= 0:
        passed[start.segment] = True
    return Traced(np.flatnonzero(passed), np.flatnonzero(reached))


def _onward(graph: Graph, start: Start, way: Way) -> Rows:
    """The nodes a trace goes on from."""
    if start.node >= 0:
        return np.array([start.node])
    segments, row = graph.network.segments, start.segment
    ends = [int(segments.starts[row]), int(segments.ends[row])]
    flow = 0 if way == "any" else int(segments.flows[row]) * (1 if way == "down" else -1)
    return np.array({0: ends, 1: ends[1:], -1: ends[:1]}[flow])


def _path(
    graph: Graph, start: Start, direction: Direction, way: Way, through_closed: bool
) -> Traced:
    kind = NodeKind.SOURCE if direction == "source" else NodeKind.OUTFALL
    away, following = graph.nearest(kind, way, through_closed=through_closed)
    starts = _onward(graph, start, way)
    node = int(starts[away[starts].argmin()])
    if not np.isfinite(away[node]):
        if direction == "source":
            raise NotFound(
                "no source can be reached from there; set by_flow to false, through_closed to true, "
                "or check which points of the network are sources"
            )
        raise NotFound(
            "no outfall can be reached from there; set by_flow to false, through_closed to true, "
            "or check which points of the network are outfalls"
        )
    nodes, rows = [node], [start.segment] if start.segment >= 0 else []
    while (onward := int(following[node])) >= 0:
        rows.append(graph.between(node, onward, way, through_closed=through_closed))
        nodes.append(onward)
        node = onward
    segments = np.array(rows, np.int64)
    return Traced(segments, np.array(nodes), np.cumsum(graph.lengths[segments]))
