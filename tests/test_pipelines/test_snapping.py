"""Ends that become nodes: what holds for any lines, whichever way they are drawn."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from pipelines.snapping import Places, joined_ends, node_places
from pipelines.splitting import cut_where_others_end

WITHIN = 0.5


def places(ends: np.ndarray, points: np.ndarray | None = None, names: object = None) -> Places:
    """Ends of lines, two and two, then points."""
    at = ends if points is None else np.vstack([ends, points])
    known = np.full(len(at), -1) if names is None else np.array(names)
    return Places(at, np.repeat(np.arange(len(ends) // 2), 2), known)


def joined(found: Places) -> np.ndarray:
    return joined_ends(found, WITHIN, Progress())


coordinates = st.integers(0, 30).map(lambda step: step / 10)
scenes = st.integers(1, 12).flatmap(
    lambda lines: st.tuples(
        st.lists(st.tuples(coordinates, coordinates), min_size=2 * lines, max_size=2 * lines),
        st.lists(st.tuples(coordinates, coordinates), max_size=4),
        st.lists(st.integers(-1, 2), min_size=2 * lines + 4, max_size=2 * lines + 4),
    )
)


@settings(deadline=None, max_examples=80)
@given(scenes)
def test_no_end_moves_too_far_and_no_line_is_lost(scene: tuple[list, list, list]) -> None:
    ends, points, names = scene
    count = len(ends) + len(points)
    found = places(np.array(ends), np.array(points).reshape(-1, 2), names[:count])
    nodes = joined(found)
    assert sorted(set(nodes.tolist())) == list(range(nodes.max() + 1))
    middles = node_places(found, nodes, found.at)
    assert (np.linalg.norm(found.at - middles[nodes], axis=1) <= WITHIN + 1e-9).all()
    assert (nodes[: len(ends) : 2] != nodes[1 : len(ends) : 2]).all()
    for node in range(nodes.max() + 1):
        here = nodes == node
        assert len({name for name in found.names[here].tolist() if name >= 0}) <= 1
        assert (here & found.points).sum() <= 1
        if (here & found.points).any():
            assert middles[node].tolist() == pytest.approx(found.at[here & found.points][0].tolist())  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 20), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_network_whose_ends_were_shaken_comes_back(size: int, lines: int, seed: int) -> None:
    """Nodes that lie farther apart than the ends are shaken are found again, whatever joins them."""
    random = np.random.default_rng(seed)
    true = np.column_stack([np.arange(size) * 5.0, random.permutation(size) * 5.0])
    ends = np.array([random.choice(size, 2, replace=False) for _ in range(lines)]).ravel()
    angle, away = random.uniform(0, 2 * np.pi, len(ends)), random.uniform(0, WITHIN / 2, len(ends))
    shaken = true[ends] + np.column_stack([np.cos(angle), np.sin(angle)]) * away[:, None]
    nodes = joined(places(shaken))
    assert len({(a, b) for a, b in zip(ends, nodes, strict=True)}) == len(set(ends.tolist()))
    assert len(set(nodes.tolist())) == len(set(ends.tolist()))


def test_names_join_what_distance_would_and_part_what_it_would_not() -> None:
    ends = np.array([[0, 0], [9, 0], [0.1, 0], [9.1, 0], [0.1, 0], [20, 0]])
    assert len(set(joined(places(ends)).tolist())) == 3
    named = joined(places(ends, names=[0, 1, 0, 1, 2, 3]))
    assert named[0] == named[2] != named[4]
    # A name does not reach farther than the tolerance.
    far = joined(places(np.array([[0, 0], [9, 0], [3, 0], [20, 0]]), names=[0, 1, 0, 2]))
    assert len(set(far.tolist())) == 4


def test_more_pairs_than_fit_into_memory_are_refused_before_they_are_made() -> None:
    crowd = places(np.zeros((10_000, 2)))
    with pytest.raises(InvalidInput, match=r"snap=0.5 is too far: 49995000 pairs of ends"):
        joined(crowd)


def test_lines_are_cut_at_loose_ends_only_and_in_their_order() -> None:
    lines = np.array(
        [
            shapely.LineString([(0, 0), (100, 0)]), shapely.LineString([(70, 0.2), (70, 9)]),
            shapely.LineString([(20, -9), (20, -0.1)]), shapely.LineString([(50, -9), (50, 9)]),
        ],
        object,
    )  # fmt: skip
    nodes = np.array([[0, 0], [100, 0], [70, 0.2], [70, 9], [20, -9], [20, -0.1], [50, -9], [50, 9]])  # fmt: skip
    starts, ends = np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7])
    parts = cut_where_others_end(lines, starts, ends, nodes, WITHIN)
    assert parts.lines.tolist() == [0, 0, 0, 1, 2, 3]
    assert parts.starts.tolist() == [0, 5, 2, 2, 4, 6]
    assert parts.ends.tolist() == [5, 2, 1, 3, 5, 7]
    assert parts.shares[:3].tolist() == pytest.approx(np.array([[0, 0.2], [0.2, 0.7], [0.7, 1]]))
    untouched = cut_where_others_end(lines[1:], starts[1:], ends[1:], nodes, WITHIN)
    assert untouched.lines.tolist() == [0, 1, 2]
