"""Profiles: paths against a search of every way, elevations and slopes by hand."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput, NotFound
from cim_core.network import Network, NodeKind, Reference
from pipelines.levels import tops_and_inverts
from pipelines.profile import (
    Path,
    path_along,
    path_between,
    path_down,
    places_along,
    profile_along,
)
from tests.support.streets import CORNER, lon_lat, pipes


@pytest.fixture
def sewer() -> Network:
    """w1 → w2 → w3 → outfall, with a drop of 0.35 m in w2; the second pipe is drawn uphill."""
    return pipes(
        {"w1": (0, 0), "w2": (30, 0), "w3": (30, 40), "out": (30, 60), "s": (0, 40)},
        {"p1": ("w1", "w2"), "p2": ("w3", "w2"), "p3": ("w3", "out"), "side": ("s", "w3")},
        ground=[12, 11.8, 11.5, 10, 11], size=[0.4, 0.5, 0.5, 0.3], reference=Reference.INVERT,
        elevations=[[9, 8.91], [8.40, 8.56], [8.40, 8.30], [9, 8.7]],
        flows=np.array([1, -1, 1, 1], np.int8), classes="WS",
        kinds={"w1": NodeKind.WELL, "w2": NodeKind.WELL, "out": NodeKind.OUTFALL},
    )  # fmt: skip


def names(network: Network, path: Path) -> tuple[list[str], list[str]]:
    return network.nodes.ids[path.nodes].tolist(), network.segments.ids[path.segments].tolist()


DOWN = (["w1", "w2", "w3", "out"], ["p1", "p2", "p3"])


def test_what_flows_goes_down_to_the_outfall(sewer: Network) -> None:
    path = path_down(sewer, 0)
    assert names(sewer, path) == DOWN
    assert path.forward.tolist() == [True, False, True]
    assert names(sewer, path_down(sewer, 3)) == (["s", "w3", "out"], ["side", "p3"])
    assert names(sewer, path_down(sewer, 2)) == (["w3", "out"], ["p3"])


def test_ends_and_segments_lead_the_same_way(sewer: Network) -> None:
    assert names(sewer, path_between(sewer, 0, 3)) == DOWN
    assert names(sewer, path_along(sewer, [0, 1, 2])) == DOWN
    back = path_between(sewer, 3, 0)
    assert names(sewer, back) == (DOWN[0][::-1], DOWN[1][::-1])
    assert names(sewer, path_along(sewer, [2, 1, 0])) == names(sewer, back)
    assert names(sewer, path_along(sewer, [1])) == (["w3", "w2"], ["p2"])


def test_elevations_drops_and_slopes_are_those_of_the_survey(sewer: Network) -> None:
    profile = profile_along(sewer, path_down(sewer, 0))
    assert profile.chainages == pytest.approx([0, 30, 70, 90])
    assert profile.ground == pytest.approx([12, 11.8, 11.5, 10])
    assert profile.inverts.ravel() == pytest.approx([9, 8.91, 8.56, 8.40, 8.40, 8.30])
    assert (profile.tops - profile.inverts)[:, 0] == pytest.approx([0.4, 0.5, 0.5])
    assert (profile.axes - profile.inverts)[:, 1] == pytest.approx([0.2, 0.25, 0.25])
    assert profile.slopes == pytest.approx([3.0, 4.0, 5.0])
    assert profile_along(sewer, path_between(sewer, 3, 0)).slopes == pytest.approx([-5, -4, -3])


def test_places_lie_on_the_path_as_far_along_as_they_say(sewer: Network) -> None:
    pieces = sewer.pieces()
    profile = profile_along(sewer, path_down(sewer, 0))
    chainages, places = places_along(pieces, pieces.flat(CORNER), profile, 7.0)
    flat = CORNER.from_geographic(np.column_stack([places, np.zeros(len(places))]))[:, :2]
    line = shapely.LineString([(0, 0), (30, 0), (30, 40), (30, 60)])
    assert shapely.line_locate_point(line, shapely.points(flat)) == pytest.approx(
        chainages, abs=1e-4
    )
    assert shapely.distance(line, shapely.points(flat)).max() < 1e-4
    assert np.diff(chainages).max() <= 7.0 + 1e-6
    assert {0, 30, 70, 90} <= set(np.round(chainages, 6).tolist())


def test_bends_are_passed_in_the_order_of_the_path() -> None:
    network = pipes({"a": (0, 0), "b": (20, 10)}, {"x": ("b", "a")})
    bends = lon_lat([(20, 5), (0, 5)])
    segments = replace(network.segments, bends=bends, bend_starts=np.array([0, 2]))
    network = Network(network.nodes, replace(segments, lengths=np.array([60.0])))
    profile = profile_along(network, path_between(network, 0, 1))
    pieces = network.pieces()
    chainages, places = places_along(pieces, pieces.flat(CORNER), profile, 100.0)
    assert places == pytest.approx(lon_lat([(0, 0), (0, 5), (20, 5), (20, 10)]), abs=1e-9)
    # It lies 30 m long and is said to be 60: distances are those that were surveyed.
    assert chainages == pytest.approx([0, 10, 50, 60], abs=1e-3)


def test_a_flow_that_is_not_known_goes_to_the_nearer_outfall_or_down(sewer: Network) -> None:
    loose = Network(sewer.nodes, replace(sewer.segments, flows=np.zeros(4, np.int8)))
    assert names(loose, path_down(loose, 0)) == DOWN
    kinds = np.full(5, NodeKind.JOINT, np.int8)
    nodes = replace(sewer.nodes, kinds=kinds)
    flows = np.array([0, -1, 1, 1], np.int8)
    sink = Network(nodes, replace(sewer.segments, flows=flows))
    assert names(sink, path_down(sink, 0)) == DOWN  # to the node that nothing leaves


def closed(network: Network, *names: str) -> Network:
    shut = np.isin(network.segments.ids, names)
    return Network(network.nodes, replace(network.segments, closed=shut))


def test_nothing_flows_down_through_what_is_closed(sewer: Network) -> None:
    sealed = closed(sewer, "p3")
    assert names(sealed, path_down(sealed, 0)) == (["w1", "w2", "w3"], ["p1", "p2"])
    # What is asked about itself is shown, closed or not.
    assert names(sealed, path_down(sealed, 2)) == (["w3", "out"], ["p3"])


def test_a_way_between_nodes_passes_closed_segments_only_without_another() -> None:
    network = pipes(
        {"a": (0, 0), "b": (10, 0), "c": (20, 0), "far": (10, 500), "d": (30, 0)},
        {"short": ("a", "b"), "longer": ("b", "a"), "last": ("b", "c"), "round": ("a", "far"),
         "back": ("far", "c"), "on": ("c", "d")},
    )  # fmt: skip
    lengths = np.array([10.0, 15.0, 10.0, 500.0, 500.0, 10.0])
    network = Network(network.nodes, replace(network.segments, lengths=lengths))
    to_d = (["a", "b", "c", "d"], ["short", "last", "on"])
    assert names(network, path_between(network, 0, 4)) == to_d
    beside = closed(network, "short")
    assert names(beside, path_between(beside, 0, 4))[1] == ["longer", "last", "on"]
    # The last one is closed on every way; the others are still passed by open ones.
    around = closed(network, "last", "on")
    assert names(around, path_between(around, 0, 4))[1] == ["round", "back", "on"]
    every = closed(network, *network.segments.ids.tolist())
    assert names(every, path_between(every, 0, 2))[1] == ["short", "last"]


def test_of_an_unknown_size_only_what_was_surveyed_is_known() -> None:
    for reference, known in ((Reference.AXIS, ""), (Reference.TOP, "tops"), (Reference.INVERT, "inverts")):  # fmt: skip
        network = pipes(
            {"a": (0, 0), "b": (9, 0)}, {"x": ("a", "b")}, elevations=8.0, size=np.nan,
            reference=reference,
        )  # fmt: skip
        for axes in (np.array([8.0]), np.array([[8.0, 7.5]])):
            found = dict(
                zip(("tops", "inverts"), tops_and_inverts(network.segments, np.array([0]), axes), strict=True)
            )  # fmt: skip
            for name, values in found.items():
                assert np.array_equal(
                    values, axes if name == known else np.full(axes.shape, np.nan), equal_nan=True
                )


def test_what_leads_nowhere_is_said(sewer: Network) -> None:
    ring = pipes(
        {"a": (0, 0), "b": (9, 0), "c": (0, 9)}, {"1": ("a", "b"), "2": ("b", "c"), "3": ("c", "a")}
    )
    with pytest.raises(NotFound, match="'1' comes to no outfall"):
        path_down(ring, 0)
    apart = pipes(
        {"a": (0, 0), "b": (9, 0), "c": (0, 9), "d": (9, 9)}, {"1": ("a", "b"), "2": ("c", "d")}
    )
    with pytest.raises(NotFound, match="connect 'a' with 'd'"):
        path_between(apart, 0, 3)
    with pytest.raises(InvalidInput, match="'2' does not go on"):
        path_along(apart, [0, 1])
    with pytest.raises(InvalidInput, match="name two nodes"):
        path_between(sewer, 1, 1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 2, st.integers(1, 9)), min_size=1, max_size=12))
def test_the_shortest_path_is_the_shortest_of_all(links: list[tuple[int, int, int]]) -> None:
    points = {f"{n}": (10.0 * n, 0.0) for n in range(6)}
    network = pipes(points, {f"s{i}": (f"{a}", f"{b}") for i, (a, b, _) in enumerate(links)})
    lengths = np.array([length for *_, length in links], float)
    network = Network(network.nodes, replace(network.segments, lengths=lengths))
    best = np.where(np.eye(6, dtype=bool), 0, np.inf)
    for a, b, length in links:
        best[a, b] = best[b, a] = min(best[a, b], length)
    for k, i, j in itertools.product(range(6), repeat=3):  # Floyd and Warshall
        best[i, j] = min(best[i, j], best[i, k] + best[k, j])
    if np.isfinite(best[0, 5]):
        path = path_between(network, 0, 5)
        assert lengths[path.segments].sum() == best[0, 5]
        ends = np.where(path.forward, network.segments.ends[path.segments], network.segments.starts[path.segments])  # fmt: skip
        assert ends.tolist() == path.nodes[1:].tolist()
    else:
        with pytest.raises(NotFound):
            path_between(network, 0, 5)
