"""Excavations: what they hit, against sums done by hand, shapely and dense sampling."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import Cancelled
from cim_core.progress import Progress
from pipelines.distances import Solids
from pipelines.excavation import (
    Part,
    Pit,
    Reached,
    footprint,
    ground_of_nodes,
    near,
    pit_of,
    reached,
    upright,
)
from tests.support.layers import box

SQUARE = shapely.box(0, 0, 10, 10)


def level(height: float) -> object:
    return lambda places: np.full(len(places), height)


def pit(area: shapely.Geometry = SQUARE, bottom: float = 7.0, ground: float = 10.0) -> Pit:
    return pit_of([Part(area, bottom=bottom)], level(ground), Progress())


def pipe(start: object, end: object, radius: float = 0.15) -> Solids:
    return Solids(np.array([[start, end]], float), np.array([True]), np.full((1, 2), radius))


def meets(body: Solids, hole: Pit, margin: float = 2.0) -> tuple[float, float]:
    found: Reached = reached(body, hole, margin, Progress())
    return float(found.distances[0]), float(found.lengths[0])


def test_a_pipe_through_it_is_hit_for_the_length_inside() -> None:
    assert meets(pipe((-5, 4, 8), (20, 4, 8)), pit()) == (0.0, pytest.approx(10.0))
    slanting = meets(pipe((-5, -5, 8), (15, 15, 8)), pit())
    assert slanting == (0.0, pytest.approx(10 * np.sqrt(2)))


def test_a_pipe_below_the_bottom_is_near_by_what_lies_between() -> None:
    assert meets(pipe((-5, 4, 6), (20, 4, 6)), pit()) == (pytest.approx(0.85, abs=1e-4), 0.0)
    assert meets(pipe((-5, 4, 4), (20, 4, 4)), pit()) == (np.inf, 0.0)


def test_a_falling_pipe_is_inside_as_long_as_its_top_is_above_the_bottom() -> None:
    """Its top falls from 7.55 to 6.55 over 10 m: it is above 7 m for 5.5 m."""
    distance, length = meets(pipe((0, 4, 7.4), (10, 4, 6.4)), pit())
    assert distance == 0.0
    assert length == pytest.approx(5.5 * np.hypot(1, 0.1), abs=0.02)


def test_what_hangs_over_the_ground_is_not_hit() -> None:
    assert meets(pipe((-5, 4, 11), (20, 4, 11)), pit()) == (pytest.approx(0.85, abs=1e-4), 0.0)


def test_beside_a_corner_the_distance_is_that_in_space() -> None:
    body = pipe((11, 11, 6), (20, 20, 6), 0.0)
    assert meets(body, pit(), 3.0)[0] == pytest.approx(np.sqrt(3), abs=1e-4)


def test_what_has_no_height_is_hit_where_it_is_seen_from_above() -> None:
    unknown = pipe((-5, 4, np.nan), (20, 4, np.nan))
    assert meets(unknown, pit()) == (0.0, pytest.approx(10.0))
    assert meets(pipe((-5, 11, np.nan), (20, 11, np.nan)), pit())[0] == pytest.approx(
        0.85, abs=1e-4
    )


def test_a_well_is_a_shaft() -> None:
    well = upright(np.array([[10.5, 5.0]]), np.array([6.0]), np.array([10.0]), np.array([0.4]))
    assert meets(well, pit())[0] == pytest.approx(0.1, abs=1e-4)


def test_the_volume_of_a_box_is_exact_and_follows_the_ground() -> None:
    assert pit().areas.sum() == pytest.approx(100.0)
    assert pit().volume == pytest.approx(300.0)
    slope = pit_of([Part(SQUARE, bottom=7.0)], lambda places: 9.0 + 0.2 * places[:, 0], Progress())
    assert slope.volume == pytest.approx(300.0)
    deep = pit_of(
        [Part(SQUARE, depth=2.0)], lambda places: np.sin(places[:, 0]) * places[:, 1], Progress()
    )
    assert deep.volume == pytest.approx(200.0)
    bumpy = pit_of(
        [Part(SQUARE, bottom=0.0)], lambda places: 5 + places[:, 0] ** 2 / 10, Progress()
    )
    assert bumpy.volume == pytest.approx(10 * (50 + 1000 / 30), rel=0.01)
    assert pit_of([Part(SQUARE, bottom=7.0)], level(np.nan), Progress()).volume is None


def test_ground_below_the_bottom_is_no_soil() -> None:
    half = pit_of(
        [Part(SQUARE, bottom=7.0)], lambda places: np.where(places[:, 0] < 5, 5.0, 8.0), Progress()
    )
    assert 40 < half.volume < 60


def test_parts_over_one_another_count_once_and_the_deepest_does() -> None:
    parts = [Part(SQUARE, bottom=8.0), Part(shapely.box(5, 0, 15, 10), bottom=6.0)]
    both = pit_of(parts, level(10.0), Progress())
    assert both.areas.sum() == pytest.approx(150.0)
    assert both.volume == pytest.approx(50 * 2 + 100 * 4)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_of_many_parts_the_deepest_counts_everywhere(seed: int) -> None:
    """Against rasters of a quarter of a metre: the parts have their sides on its lines."""
    random = np.random.default_rng(seed)
    parts, deepest = [], np.full((80, 80), 10.0)
    for _ in range(int(random.integers(1, 12))):
        (x, y), (wide, long) = random.integers(0, 60, 2), random.integers(1, 20, 2)
        bottom = float(random.choice([4.0, 5.5, 8.0, 12.0]))
        parts.append(Part(shapely.box(x / 4, y / 4, (x + wide) / 4, (y + long) / 4), bottom=bottom))
        own = deepest[x : x + wide, y : y + long]
        np.minimum(own, bottom, out=own)
    dug = pit_of(parts, level(10.0), Progress())
    assert dug.areas.sum() == pytest.approx((deepest < 10).sum() / 16)
    assert dug.volume == pytest.approx((10 - deepest).sum() / 16)


def test_parts_are_told_as_they_are_laid_out_and_can_be_stopped() -> None:
    parts = [Part(shapely.box(3 * n, 0, 3 * n + 2, 2), bottom=7.0) for n in range(9)]
    told: list[int] = []
    asked: list[int] = []

    def ground(places: np.ndarray) -> np.ndarray:
        asked.append(len(places))
        return np.full(len(places), 10.0)

    progress = Progress(lambda done, total, note: told.append(done))
    assert pit_of(parts, ground, progress).volume == pytest.approx(9 * 4 * 3)
    assert told == [*range(9), *range(9)]
    assert (
        len(asked) == 1
    )  # those that lie apart are laid out once, and the ground is asked for once
    with pytest.raises(Cancelled):
        pit_of(parts, ground, Progress(cancelled=lambda: True))


def test_a_hole_in_an_area_is_not_dug() -> None:
    ring = SQUARE.difference(shapely.box(3, 3, 7, 7))
    assert pit(ring).volume == pytest.approx((100 - 16) * 3)
    assert meets(pipe((4, 4, 8), (6, 6, 8), 0.1), pit(ring))[0] == pytest.approx(0.92, abs=0.03)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**9))
def test_lengths_and_distances_are_those_of_sampling(seed: int) -> None:
    random = np.random.default_rng(seed)
    corners = random.uniform(0, 12, (7, 2))
    area = shapely.MultiPoint(corners).convex_hull.difference(
        shapely.Point(random.uniform(4, 8, 2)).buffer(2.0)
    )
    hole = pit_of([Part(area, bottom=7.0)], level(10.0), Progress())
    count = 12
    ends = np.concatenate(
        [random.uniform(-4, 16, (count, 2, 2)), random.uniform(6, 8, (count, 2, 1))], axis=2
    )
    # Thin, so that the pipe is where its middle line is.
    bodies = Solids(ends, np.full(count, True), np.full((count, 2), 1e-4))
    found = reached(bodies, hole, 30.0, Progress())
    shares = np.linspace(0, 1, 2001)[:, None]
    for row in range(count):
        points = ends[row, 0] + shares * (ends[row, 1] - ends[row, 0])
        away = shapely.distance(area, shapely.points(points[:, :2]))
        below = np.fmax(7.0 - points[:, 2], 0)
        space = np.hypot(away, below)
        assert found.distances[row] == pytest.approx(space.min(), abs=0.02)
        length = np.linalg.norm(ends[row, 1] - ends[row, 0])
        assert found.lengths[row] == pytest.approx((space == 0).mean() * length, abs=0.1)


def test_only_what_can_be_near_is_looked_at() -> None:
    bodies = Solids(
        np.array([[(0, 0, 8), (5, 0, 8)], [(30, 30, 8), (40, 40, 8)], [(-9, -9, 8), (30, 20, 8)]], float),
        np.full(3, True), np.full((3, 2), 0.1),
    )  # fmt: skip
    assert near(bodies, pit(), 2.0).tolist() == [0, 2]
    assert len(near(bodies, pit(shapely.Polygon()), 2.0)) == 0


def test_a_mesh_covers_what_is_below_it() -> None:
    mesh = box((4, 3, 2), (1, 1, 5))
    assert footprint(mesh.positions, mesh.triangles).equals(shapely.box(1, 1, 5, 4))


def test_the_ground_of_nodes_is_theirs_and_unknown_far_away() -> None:
    places = np.array([[0, 0], [10, 0], [0, 10], [np.nan, 0]], float)
    ground = ground_of_nodes(places, np.array([10.0, 12.0, np.nan, 9.0]))
    found = ground(np.array([[0, 0], [10, 0], [5, 0], [900, 0.0]]))
    assert found[:3] == pytest.approx([10.0, 12.0, 11.0], abs=1e-3)
    assert np.isnan(found[3])
    assert np.isnan(ground_of_nodes(np.empty((0, 2)), np.empty(0))(np.zeros((1, 2)))).all()


def test_above_the_ground_nothing_is_dug() -> None:
    parts = [Part(shapely.box(0, 0, 5, 5), bottom=8.0), Part(SQUARE, bottom=20.0)]
    dug = pit_of(parts, level(10.0), Progress())
    assert (dug.areas.sum(), dug.volume) == (pytest.approx(25.0), pytest.approx(50.0))


def test_a_pipe_is_meant_amid_what_lies_inside_or_where_it_is_nearest() -> None:
    bodies = Solids(
        np.array([[(-10, 4, 8), (10, 4, 8)], [(-5, -1, 8), (5, -3, 8)]], float),
        np.full(2, True), np.full((2, 2), 0.1),
    )  # fmt: skip
    shares = reached(bodies, pit(), 2.0, Progress()).shares
    assert shares[0] > 0.5  # of the prism with most of it
    assert shares[1] == pytest.approx(48 / 104, abs=1e-3)  # the foot of the corner
