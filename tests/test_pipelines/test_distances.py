"""Distances between pieces of pipes, against dense sampling, projections and sums done by hand."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.convex import Hulls, Shadows, apart
from pipelines.distances import (
    Solids,
    axis_points,
    distances,
    plan_distances,
    solids,
    touching,
    vertical_distances,
)

SEEDS = st.integers(0, 10**9)
ABOUT = 1e-4


def some(random: np.random.Generator, count: int, steep: float = 0.3) -> Solids:
    """Cylinders and boxes of any size and direction, within a few metres."""
    middle = random.uniform(-1.5, 1.5, (count, 1, 3))
    way = random.normal(0, 1.5, (count, 1, 3)) * (1, 1, steep)
    ends = middle + np.concatenate([-way, way], axis=1) / 2
    round_ = random.random(count) < 0.5
    halves = random.uniform(0.05, 0.6, (count, 2))
    halves[round_, 1] = halves[round_, 0]
    return Solids(ends, round_, halves)


def local(body: Solids, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (k, 3) along, across and up of one body, its axes, its middle; made anew for the tests."""
    start, end = body.ends[0]
    along = (end - start) / np.linalg.norm(end - start)
    across = np.cross([0, 0, 1.0], along)
    across = across / np.linalg.norm(across)
    axes = np.array([along, across, np.cross(along, across)])
    middle = (start + end) / 2
    return (points - middle) @ axes.T, axes, middle


def nearest_in(body: Solids, points: np.ndarray) -> np.ndarray:
    """The points of one body nearest to others, (k, 3): a cylinder and a box by their own formulas."""
    parts, axes, middle = local(body, points)
    half = np.linalg.norm(body.ends[0, 1] - body.ends[0, 0]) / 2
    parts[:, 0] = np.clip(parts[:, 0], -half, half)
    wide, high = body.halves[0]
    if body.round[0]:
        away = np.hypot(parts[:, 1], parts[:, 2])
        parts[:, 1:] *= np.minimum(1, wide / np.maximum(away, 1e-12))[:, None]
    else:
        parts[:, 1:] = np.clip(parts[:, 1:], (-wide, -high), (wide, high))
    return parts @ axes + middle


def filled(body: Solids, step: float) -> tuple[np.ndarray, float]:
    """Points all through one body, and how far any of its points can be from the next of them."""
    half = np.linalg.norm(body.ends[0, 1] - body.ends[0, 0]) / 2
    wide, high = body.halves[0]
    sides = [np.linspace(-s, s, int(2 * s / step) + 2) for s in (half, wide, high)]
    spacing = np.array([side[1] - side[0] for side in sides])
    _, axes, middle = local(body, np.zeros((1, 3)))
    grid = np.stack(np.meshgrid(*sides, indexing="ij"), axis=-1).reshape(-1, 3) @ axes + middle
    # Moved into the body; that brings no two points farther apart.
    return nearest_in(body, grid), float(np.linalg.norm(spacing) / 2)


def one(bodies: Solids, row: int) -> Solids:
    return bodies.taken(np.array([row]))


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_distances_are_those_of_dense_sampling(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = some(random, 12), some(random, 12)
    found = distances(first, second)
    for row in range(12):
        a, b = one(first, row), one(second, row)
        points, reach = filled(a, 0.05)
        sampled = np.linalg.norm(points - nearest_in(b, points), axis=1).min()
        # No point of a body is farther than `reach` from a sample, so the truth lies in between.
        assert sampled - reach - ABOUT <= found.distances[row] <= sampled + ABOUT
        here, there = found.here[row : row + 1], found.there[row : row + 1]
        assert np.allclose(nearest_in(a, here), here, atol=1e-9)
        assert np.allclose(nearest_in(b, there), there, atol=1e-9)
        if found.distances[row] > 0:
            assert np.linalg.norm(here - there) == pytest.approx(found.distances[row], abs=1e-9)


@settings(max_examples=5, deadline=None)
@given(SEEDS)
def test_distances_are_those_of_going_to_and_fro(seed: int) -> None:
    """Alternating projections end at the nearest pair, however slowly."""
    random = np.random.default_rng(seed)
    first, second = some(random, 6), some(random, 6)
    found = distances(first, second).distances
    for row in range(6):
        a, b = one(first, row), one(second, row)
        point = a.ends[:, 0]
        for _ in range(800):
            there = nearest_in(b, point)
            before, point = point, nearest_in(a, there)
            if np.abs(point - before).max() < 1e-9:
                break
        assert found[row] == pytest.approx(np.linalg.norm(point - there), abs=1e-2)


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_the_order_and_the_place_do_not_matter(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = some(random, 40), some(random, 40)
    by = np.array([12_345.0, -9_876.0, 40.0])
    angle = random.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    moved = [replace(body, ends=body.ends @ turn.T + by) for body in (first, second)]
    for measure in (distances, plan_distances):
        here = measure(first, second).distances
        assert np.allclose(here, measure(second, first).distances, atol=ABOUT)
        assert np.allclose(here, measure(*moved).distances, atol=ABOUT)
    # Where outlines only graze, a hair of theirs is a good deal of height.
    slimmer = [replace(body, halves=body.halves * 0.9) for body in (first, second)]
    over = plan_distances(*slimmer).distances == 0
    here = vertical_distances(first, second)[over]
    assert np.allclose(here, vertical_distances(second, first)[over], atol=5e-4)
    assert np.allclose(here, vertical_distances(*moved)[over], atol=5e-4)


@settings(max_examples=8, deadline=None)
@given(SEEDS)
def test_a_plan_distance_is_that_of_the_outlines(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = some(random, 10), some(random, 10)
    found = plan_distances(first, second).distances
    for row in range(10):
        outlines = []
        for body in (one(first, row), one(second, row)):
            points, reach = filled(body, 0.1)
            outlines.append(shapely.MultiPoint(points[:, :2]).convex_hull)
        # The outlines of samples lie within the true ones, by less than they are apart.
        assert found[row] - ABOUT <= outlines[0].distance(outlines[1]) <= found[row] + 2 * reach


@settings(max_examples=10, deadline=None)
@given(SEEDS)
def test_sinking_by_the_vertical_distance_just_touches(seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = some(random, 60), some(random, 60)
    found = vertical_distances(first, second)
    apart_ = plan_distances(first, second).distances
    assert np.isinf(found[apart_ > 1e-3]).all()
    over = np.flatnonzero(np.isfinite(found) & (apart_ == 0))
    first, second, found = first.taken(over), second.taken(over), found[over]
    truly = distances(first, second).distances
    assert (truly[found > 1e-3] > 0).all()
    assert (truly[found < -1e-3] == 0).all()
    touching = []
    for sign in (1, -1):
        ends = first.ends + np.outer(sign * found, (0, 0, 1.0))[:, None]
        touching.append(distances(replace(first, ends=ends), second).distances)
    # One way or the other it is moved until it touches, and no more than by a hair into the other.
    assert (np.minimum(*touching) < 2e-4).all()
    clear = []
    for sign in (1, -1):
        ends = first.ends + np.outer(sign * (found - 2e-3), (0, 0, 1.0))[:, None]
        clear.append(distances(replace(first, ends=ends), second).distances)
    assert (np.maximum(*clear) > 0).all()


def pipe(start: object, end: object, radius: float) -> Solids:
    return Solids(np.array([[start, end]], float), np.array([True]), np.full((1, 2), radius))


def duct(start: object, end: object, width: float, height: float) -> Solids:
    return Solids(
        np.array([[start, end]], float), np.array([False]), np.array([[width / 2, height / 2]])
    )


def test_parallel_pipes_are_apart_by_their_axes_less_their_radii() -> None:
    a, b = pipe((0, 0, -1), (20, 0, -1), 0.15), pipe((5, 1, -2), (30, 1, -2), 0.25)
    assert distances(a, b).distances[0] == pytest.approx(np.sqrt(2) - 0.4, abs=1e-5)
    assert plan_distances(a, b).distances[0] == pytest.approx(0.6, abs=1e-5)


def test_pipes_that_cross_are_apart_by_their_depths() -> None:
    a, b = pipe((-9, 0, -1.0), (9, 0, -1.0), 0.15), pipe((0, -9, -1.6), (2, 9, -1.6), 0.2)
    assert plan_distances(a, b).distances[0] == 0
    assert vertical_distances(a, b)[0] == pytest.approx(0.25, abs=1e-5)
    assert distances(a, b).distances[0] == pytest.approx(0.25, abs=1e-5)
    assert vertical_distances(b, a)[0] == pytest.approx(0.25, abs=1e-5)


def test_a_pipe_through_another_is_too_near_by_how_far_it_must_be_lifted() -> None:
    a, b = pipe((-9, 0, -1.0), (9, 0, -1.0), 0.15), pipe((0, -9, -1.1), (0, 9, -1.1), 0.2)
    assert vertical_distances(a, b)[0] == pytest.approx(-0.25, abs=1e-5)
    assert distances(a, b).distances[0] == 0


def test_a_falling_pipe_is_measured_along_the_vertical() -> None:
    """Of a pipe that falls by 45° the surface lies √2 radii above and below its axis."""
    a = pipe((-5, 0, -5), (5, 0, 5), 0.2)
    b = duct((0, -5, -2), (0, 5, -2), 0.0, 0.2)
    assert vertical_distances(a, b)[0] == pytest.approx(2 - 0.1 - 0.2 * np.sqrt(2), abs=1e-4)


def test_ends_are_flat_and_not_round() -> None:
    a, b = pipe((0, 0, 0), (10, 0, 0), 0.5), pipe((11, 0, 0), (20, 0, 0), 0.5)
    assert distances(a, b).distances[0] == pytest.approx(1.0, abs=1e-5)


def test_the_corner_of_a_duct_is_nearest_to_a_slanting_pipe() -> None:
    a = duct((0, 0, -1), (10, 0, -1), 0.6, 0.4)
    b = pipe((12, -5, -1), (12, 5, -1), 0.1)
    assert plan_distances(a, b).distances[0] == pytest.approx(1.9, abs=1e-5)
    c = pipe((10, 3, -1), (13, 0, -1), 0.0)
    expected = (13 - (10 + 0.3)) / np.sqrt(2)  # from (10, 0.3) to x + y = 13
    assert plan_distances(a, c).distances[0] == pytest.approx(expected, abs=1e-5)


def test_what_has_no_height_has_a_place_in_the_plan() -> None:
    a = pipe((0, 0, np.nan), (10, 0, np.nan), 0.2)
    b = pipe((0, 1, -1), (10, 1, -1), 0.2)
    assert plan_distances(a, b).distances[0] == pytest.approx(0.6, abs=1e-5)


def test_a_piece_without_length_is_a_disc_or_a_plate() -> None:
    a, b = pipe((0, 0, 0), (0, 0, 0), 0.5), pipe((0, 2, 0), (5, 2, 0), 0.5)
    assert distances(a, b).distances[0] == pytest.approx(1.0, abs=1e-5)


def test_hulls_and_shadows_are_bodies_as_well() -> None:
    triangle = Hulls(np.array([[[0, 0, 5], [4, 0, 5], [0, 4, 5.0]]]))
    point = Hulls(np.array([[[3, 3, 9.0]]]))
    assert apart(triangle, point).distances[0] == pytest.approx(np.sqrt(2 + 16), abs=1e-5)
    assert apart(Shadows(triangle), Shadows(point)).distances[0] == pytest.approx(
        np.sqrt(2), abs=1e-5
    )


def test_axes_are_nearest_where_their_lines_are() -> None:
    lines = np.array([[[0, 0], [4, 0]], [[0, 0], [4, 0]], [[0, 0], [4, 0]], [[0, 0], [4, 0.0]]])
    others = np.array([[[2, -1], [2, 3]], [[6, 0], [9, 0]], [[1, 1], [3, 1]], [[5, 1], [5, 1.0]]])
    found = axis_points(lines, others)
    assert found.distances == pytest.approx([0, 2, 1, np.sqrt(2)])
    assert found.shares[0] == pytest.approx([0.5, 0.25])


def test_no_pairs_have_no_distances() -> None:
    none = Solids(np.empty((0, 2, 3)), np.empty(0, bool), np.empty((0, 2)))
    assert len(distances(none, none).distances) == 0
    assert len(vertical_distances(none, none)) == 0


def test_pieces_of_a_network_are_solids_by_their_outer_size() -> None:
    from cim_core.network import Profile
    from tests.support.streets import CORNER, pipes

    network = pipes(
        {"a": (0, 0), "b": (10, 0)}, {"ab": ("a", "b")}, size=0.3, elevations=8.0,
        walls=np.array([0.01]),
    )  # fmt: skip
    pieces = network.pieces()
    bodies = solids(network, pieces, pieces.flat(CORNER))
    assert bodies.halves.tolist() == [[0.16, 0.16]]
    assert bodies.round.tolist() == [network.segments.profiles[0] == Profile.CIRCLE]
    assert bodies.ends[0] == pytest.approx(np.array([[0, 0, 8], [10, 0, 8]]), abs=1e-6)


def test_what_touches_an_area_is_what_its_outline_comes_to() -> None:
    lines = np.array([[(0, 0, 1), (9, 0, 1)], [(0, 5, 1), (9, 5, 1)], [(0, 7, 1), (9, 7, 1.0)]])
    bodies = Solids(lines, np.full(3, True), np.full((3, 2), 0.5))
    assert touching(bodies, shapely.box(4, 0.4, 5, 4.6)).tolist() == [True, True, False]
    assert touching(bodies, shapely.box(20, 0, 30, 9)).tolist() == [False] * 3
