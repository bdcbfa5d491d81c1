"""Bridges and articulation points, against taking each edge and vertex away."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.bridges import hanging, hanging_of
from tests.support.graphs import water_model

Edges = list[tuple[int, int]]


def connected_parts(vertices: Iterable[int], edges: Edges) -> int:
    left, count = set(vertices), 0
    beside: dict[int, list[int]] = {vertex: [] for vertex in left}
    for one, other in edges:
        beside[one].append(other)
        beside[other].append(one)
    while left:
        count += 1
        stack = [left.pop()]
        while stack:
            for vertex in beside[stack.pop()]:
                if vertex in left:
                    left.remove(vertex)
                    stack.append(vertex)
    return count


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_what_hangs_on_nothing_else_is_what_taking_away_tells(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 9))
    vertex = st.integers(0, count - 1)
    edges = data.draw(st.lists(st.tuples(vertex, vertex), max_size=14))
    ends = np.array(edges, np.int64).reshape(-1, 2)
    found = hanging(count, ends[:, 0], ends[:, 1])
    whole = connected_parts(range(count), edges)
    assert found.bridges.tolist() == [
        connected_parts(range(count), edges[:row] + edges[row + 1 :]) > whole
        for row in range(len(edges))
    ]
    for vertex_ in range(count):
        others = [edge for edge in edges if vertex_ not in edge]
        touched = any(vertex_ in edge and edge[0] != edge[1] for edge in edges)
        without = connected_parts(set(range(count)) - {vertex_}, others)
        assert found.points[vertex_] == (touched and without > whole)


@pytest.mark.parametrize(("name", "bridges", "points"), [("Net3", 31, 32), ("ky4", 368, 318)])
def test_real_networks_have_as_many_as_the_peers_find_with_parallel_pipes_kept(
    data: Path, name: str, bridges: int, points: int
) -> None:
    found = hanging_of(water_model(data, name).network)
    assert (found.bridges.sum(), found.points.sum()) == (bridges, points)


def test_a_chain_of_a_hundred_thousand_is_no_deeper_than_a_short_one() -> None:
    found = hanging(100_001, np.arange(100_000), np.arange(1, 100_001))
    assert found.bridges.all()
    assert found.points.sum() == 99_999
