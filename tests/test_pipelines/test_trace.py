"""Traces, against walking one step after the other in plain Python."""

import heapq
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import NotFound
from cim_core.network import Network, NodeKind, Nodes, Segments
from pipelines.graph import Graph
from pipelines.trace import Start, trace
from tests.support.graphs import networks

WAYS = {"connected": 0, "downstream": 1, "upstream": -1, "source": -1, "outfall": 1}


def steps(network: Network, way: int, through_closed: bool) -> dict[int, list[tuple[int, int]]]:
    """From each node the next ones with the segment: way 1 with the flow, -1 against, 0 either."""
    onward: dict[int, list[tuple[int, int]]] = {row: [] for row in range(len(network.nodes))}
    segments = network.segments
    for row in range(len(segments)):
        if segments.closed[row] and not through_closed:
            continue
        start, end = int(segments.starts[row]), int(segments.ends[row])
        flow = int(segments.flows[row]) * way
        if flow >= 0:
            onward[start].append((end, row))
        if flow <= 0:
            onward[end].append((start, row))
    return onward


def beginnings(network: Network, start: Start, way: int) -> set[int]:
    if start.node >= 0:
        return {start.node}
    segments, row = network.segments, start.segment
    flow = int(segments.flows[row]) * way
    ends = {1: [segments.ends[row]], -1: [segments.starts[row]]}
    return {int(node) for node in ends.get(flow, [segments.starts[row], segments.ends[row]])}


def some_start(draw: st.DataObject, network: Network) -> Start:
    if len(network.segments) and draw.draw(st.booleans()):
        return Start(segment=draw.draw(st.integers(0, len(network.segments) - 1)))
    return Start(node=draw.draw(st.integers(0, len(network.nodes) - 1)))


@settings(max_examples=100, deadline=None)
@given(network=networks(valves=False), data=st.data(), through_closed=st.booleans())
@pytest.mark.parametrize("direction", ["connected", "downstream", "upstream"])
def test_what_is_reached_is_what_a_walk_reaches(
    network: Network, data: st.DataObject, through_closed: bool, direction: str
) -> None:
    start, way = some_start(data, network), WAYS[direction]
    onward = steps(network, way, through_closed)
    reached = beginnings(network, start, way)
    stack, passed = list(reached), {start.segment} - {-1}
    while stack:
        for node, segment in onward[stack.pop()]:
            passed.add(segment)
            if node not in reached:
                reached.add(node)
                stack.append(node)
    found = trace(Graph(network), start, direction, through_closed=through_closed, by_flow=True)
    assert set(found.nodes.tolist()) == reached
    assert set(found.segments.tolist()) == passed
    assert len(found.segments) == len(passed)
    assert found.distances is None


@settings(max_examples=100, deadline=None)
@given(
    network=networks(valves=False), data=st.data(), through_closed=st.booleans(),
    by_flow=st.booleans(),
)  # fmt: skip
@pytest.mark.parametrize("direction", ["source", "outfall"])
def test_a_path_is_as_short_as_dijkstra_says_and_can_be_walked(
    network: Network, data: st.DataObject, through_closed: bool, by_flow: bool, direction: str
) -> None:
    start, way = some_start(data, network), WAYS[direction] * by_flow
    kind = NodeKind.SOURCE if direction == "source" else NodeKind.OUTFALL
    onward = steps(network, way, through_closed)
    lengths = network.segments.lengths
    away = dict.fromkeys(beginnings(network, start, way), 0.0)
    queue = [(0.0, node) for node in away]
    heapq.heapify(queue)
    while queue:
        far, node = heapq.heappop(queue)
        if far > away[node]:
            continue
        for following, segment in onward[node]:
            if far + lengths[segment] < away.get(following, math.inf):
                away[following] = far + lengths[segment]
                heapq.heappush(queue, (away[following], following))
    ends = [far for node, far in away.items() if network.nodes.kinds[node] == kind]

    def ask():
        return trace(
            Graph(network), start, direction, through_closed=through_closed, by_flow=by_flow
        )

    if not ends:
        with pytest.raises(NotFound, match=f"no {direction} can be reached"):
            ask()
        return
    found = ask()
    own = lengths[start.segment] if start.segment >= 0 else 0.0
    nodes, rows = found.nodes.tolist(), found.segments.tolist()
    assert network.nodes.kinds[nodes[-1]] == kind
    assert found.distances is not None
    assert (found.distances[-1] if rows else 0.0) == pytest.approx(min(ends) + own)
    assert nodes[0] in beginnings(network, start, way)
    if start.segment >= 0:
        assert rows.pop(0) == start.segment
    for here, there, segment in zip(nodes, nodes[1:], rows, strict=False):
        assert (there, segment) in onward[here]
    assert len(nodes) == len(rows) + 1


def test_of_two_parallel_pipes_the_way_takes_the_shorter() -> None:
    nodes = replace(
        Nodes.bare(["A", "B"], np.zeros((2, 2))),
        kinds=np.array([NodeKind.JOINT, NodeKind.SOURCE], np.int8),
    )
    segments = Segments.bare(["long", "short"], np.array([0, 1]), np.array([1, 0]))
    segments = replace(segments, lengths=np.array([50.0, 20.0]))
    found = trace(
        Graph(Network(nodes, segments)), Start(node=0), "source", through_closed=False, by_flow=True
    )
    assert found.segments.tolist() == [1]
    assert found.distances.tolist() == [20.0]
