"""The ground that was taken out: its size, what is one piece, and that pieces add up."""

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from cim_core.areas_exported import RESOLUTION, growth
from cim_core.cells import Cells, areas, cells_of, touched

NOTHING = np.empty(0, np.uint64)
_EARTH = Geod(ellps="WGS84")


def square(
    east: float, north: float, side: float, lon: float = 113.4, lat: float = 23.1
) -> shapely.Polygon:
    """A square of so many kilometres, so many kilometres from a place."""
    across, up = 111.32 * math.cos(math.radians(lat)), 110.75
    west, south = lon + east / across, lat + north / up
    return shapely.box(west, south, west + side / across, south + side / up)


def on_earth(shape: shapely.Geometry) -> tuple[float, float]:
    """Its area in km² and what is around it in km, on the ellipsoid."""
    area, around = _EARTH.geometry_area_perimeter(shapely.geometry.polygon.orient(shape))
    return abs(area) / 1e6, around / 1e3


@pytest.mark.parametrize("place", [(113.4, 23.1), (-70.1, -52.0), (10.0, 0.0), (24.9, 69.5)])
@pytest.mark.parametrize("side", [0.02, 0.3, 1.0, 5.0])
def test_a_square_counts_as_its_area_and_at_most_a_cell_around_it(
    place: tuple[float, float], side: float
) -> None:
    shape = square(0, 0, side, *place)
    area, around = on_earth(shape)
    cells = touched([shape], RESOLUTION)
    counted = growth(NOTHING, cells).after
    across = 2.2 * math.sqrt(float(areas(cells).max()) / math.pi)
    assert area <= counted * 1.003  # h3 counts on a sphere
    assert counted <= area + around * across + across**2


@pytest.mark.parametrize("place", [(113.4, 23.1), (-70.1, -52.0)])
def test_every_point_of_a_shape_is_in_a_cell_it_touches(place: tuple[float, float]) -> None:
    ring = square(0, 0, 3, *place).difference(square(0.5, 0.5, 2, *place))
    crooked = shapely.LineString(np.random.default_rng(1).normal(place, 0.01, (60, 2)))
    for shape in (ring, crooked, crooked.buffer(0.0003), shapely.MultiPoint(crooked.coords)):
        line = shape if shape.geom_type != "Polygon" else shape.boundary
        points = shapely.get_coordinates(shapely.segmentize(line, 0.0001))
        assert set(cells_of(points, RESOLUTION).tolist()) <= set(
            touched([shape], RESOLUTION).tolist()
        )


def test_what_lies_apart_is_not_added_up() -> None:
    near, far = touched([square(0, 0, 4)], RESOLUTION), touched([square(8, 0, 4)], RESOLUTION)
    alone, second = growth(NOTHING, near), growth(near, far)
    assert second.before == 0.0
    assert second.after == pytest.approx(float(areas(far).sum()))
    bridge = touched([shapely.union_all([square(3.9, 2, 4.3)])], RESOLUTION)
    joined = growth(np.union1d(near, far), bridge)
    assert joined.before == pytest.approx(max(alone.after, second.after))
    assert joined.after > 32


def test_streets_do_not_part_what_lies_on_their_two_sides() -> None:
    blocks = [square(x * 0.25, y * 0.25, 0.2) for x in range(8) for y in range(8)]
    found = growth(NOTHING, touched(blocks, RESOLUTION))
    assert found.after == pytest.approx(float(areas(touched(blocks, RESOLUTION)).sum()))


pieces = st.lists(
    st.tuples(st.floats(0, 9), st.floats(0, 9), st.floats(0.05, 2.5)), min_size=1, max_size=12
)


@settings(max_examples=20, deadline=None)
@given(pieces, st.randoms(use_true_random=False))
def test_many_small_steps_let_no_more_through_than_a_large_one(
    wanted: list[tuple[float, float, float]], chance: object
) -> None:
    limit = 8.0
    shapes = [square(*piece) for piece in wanted]
    every = touched(shapes, RESOLUTION)
    at_once = growth(NOTHING, every).after <= limit
    steps = [touched([shape], RESOLUTION) for shape in shapes]
    chance.shuffle(steps)  # type: ignore[attr-defined]
    taken, refused = NOTHING, False
    for step in steps:
        part: Cells
        for part in np.array_split(step, chance.randint(1, 4)):  # type: ignore[attr-defined]
            if growth(taken, part).after <= limit:
                taken = np.union1d(taken, part)
            else:
                refused = True
    assert growth(NOTHING, taken).after <= limit
    assert at_once != refused or not len(every)
