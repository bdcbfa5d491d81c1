"""Polygons in space: the triangles fill them, no more and no less."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.triangulate import NoArea, NotFilled, normal_of, triangulated


def star(radii: list[float], center: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """A polygon without crossings: a corner in each direction, at these distances."""
    angles = np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.column_stack([np.cos(angles), np.sin(angles)]) * np.array(radii)[:, None] + center


def turned(flat: np.ndarray, euler: tuple[float, float, float]) -> np.ndarray:
    """A flat ring (n, 2) in a plane of space."""
    a, b, c = euler
    around_z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    around_y = np.array([[np.cos(c), 0, np.sin(c)], [0, 1, 0], [-np.sin(c), 0, np.cos(c)]])
    upright = np.column_stack([flat, np.zeros(len(flat))])
    return upright @ (around_y @ around_x @ around_z).T + [85_000.0, 447_000.0, 12.0]


def area_of(points: np.ndarray, triangles: np.ndarray) -> tuple[float, np.ndarray]:
    """The summed area of triangles, and the sum of their normals."""
    corners = points[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]) / 2
    return float(np.linalg.norm(cross, axis=1).sum()), cross.sum(axis=0)


radii = st.lists(st.floats(2.0, 9.0), min_size=3, max_size=14)
angle = st.floats(-np.pi, np.pi)


@settings(deadline=None, max_examples=150)
@given(radii, st.booleans(), st.booleans(), st.tuples(angle, angle, angle))
def test_the_triangles_of_a_polygon_in_space_have_its_area_and_its_turn(
    outline: list[float], holed: bool, clockwise: bool, euler: tuple[float, float, float]
) -> None:
    """Against shapely, which measures the polygon where it lies flat."""
    flat = [star(outline)]
    if holed and len(outline) > 3:
        hole = star([0.3, 0.2, 0.4])
        if shapely.Polygon(flat[0]).buffer(-0.5).contains(shapely.Polygon(hole)):
            flat.append(hole[::-1])
    if clockwise:
        flat[0] = flat[0][::-1]
    expected = shapely.Polygon(flat[0], flat[1:]).area
    rings = [turned(ring, euler) for ring in flat]
    triangles = triangulated(rings)
    area, facing = area_of(np.vstack(rings), triangles)
    assert area == pytest.approx(expected, rel=1e-7)
    # None is turned over: the normals add up to the area, in the direction of the outline's.
    assert np.linalg.norm(facing) == pytest.approx(expected, rel=1e-7)
    assert facing @ normal_of(rings[0]) > 0


def test_what_is_a_line_is_no_area() -> None:
    line = np.array([[0.0, 0, 0], [1, 1, 1], [2, 2, 2]])
    with pytest.raises(NoArea):
        triangulated([line])
    with pytest.raises(NoArea):
        triangulated([line[:2]])


def test_an_outline_that_crosses_itself_is_not_filled() -> None:
    bow = np.array([[0.0, 0, 0], [4, 3, 0], [4, 0, 0], [0, 2, 0]])
    with pytest.raises(NotFilled):
        triangulated([bow])


def test_a_wall_that_stands_upright_is_filled() -> None:
    wall = np.array([[0.0, 0, 0], [10, 0, 0], [10, 0, 3], [0, 0, 3]])
    assert area_of(wall, triangulated([wall]))[0] == pytest.approx(30.0)
