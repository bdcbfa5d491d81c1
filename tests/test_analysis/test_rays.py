"""Rays through triangles: against every triangle tried, against VTK, and that none slips through."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.rays.tree import tree_of
from tests.support.blocks import brute

NUMBERS = st.integers(0, 2**32 - 1)


def soup(rng: np.random.Generator, count: int) -> np.ndarray:
    middles = rng.uniform(-50, 50, (count, 1, 3))
    return middles + rng.normal(0, rng.uniform(0.5, 12), (count, 3, 3))


@given(NUMBERS, st.integers(1, 300))
@settings(deadline=None, max_examples=25)
def test_rays_meet_what_trying_every_triangle_finds(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    corners = soup(rng, count)
    origins, ways = rng.uniform(-60, 60, (60, 3)), rng.normal(size=(60, 3))
    tree = tree_of(corners)
    expected = brute(origins, ways, corners)
    distances, triangles = tree.first(origins, ways)
    assert distances == pytest.approx(expected, rel=1e-9)
    assert (triangles >= 0).tolist() == np.isfinite(expected).tolist()
    for ray in np.flatnonzero(triangles >= 0)[:5]:
        alone = brute(origins[ray : ray + 1], ways[ray : ray + 1], corners[triangles[ray]][None])
        assert alone[0] == pytest.approx(distances[ray])
    far = rng.uniform(0, 40, 60)
    assert tree.met(origins, ways, far).tolist() == (expected < far).tolist()
    each = tree.met_from_each(origins[:7], ways[:11])
    one_by_one = [tree.met(np.broadcast_to(o, (11, 3)), ways[:11]) for o in origins[:7]]
    assert each.tolist() == np.array(one_by_one).tolist()


def test_vtk_meets_the_same_triangles() -> None:
    import pyvista

    rng = np.random.default_rng(7)
    corners = soup(rng, 200)
    mesh = pyvista.PolyData(
        corners.reshape(-1, 3), np.column_stack([np.full(200, 3), np.arange(600).reshape(-1, 3)])
    )
    origins = rng.uniform(-60, 60, (40, 3))
    ends = rng.uniform(-60, 60, (40, 3))
    distances, triangles = tree_of(corners).first(origins, ends - origins, 1.0)
    met = 0
    for i in range(40):
        points, cells = mesh.ray_trace(origins[i], ends[i])
        if len(cells) == 0:
            assert triangles[i] == -1
            continue
        met += 1
        away = np.linalg.norm(points - origins[i], axis=1)
        assert triangles[i] == cells[np.argmin(away)]
        assert distances[i] * np.linalg.norm(ends[i] - origins[i]) == pytest.approx(away.min(), rel=1e-5)  # fmt: skip
    assert met > 10


def closed(rng: np.random.Generator) -> np.ndarray:
    """A sphere with dents, closed: vertices of neighbours are the same numbers."""
    import pyvista

    ball = pyvista.Icosphere(nsub=2)
    points = np.asarray(ball.points, float) * rng.uniform(0.7, 1.3, (ball.n_points, 1)) * 10
    found: np.ndarray = points[ball.faces.reshape(-1, 4)[:, 1:]]
    return found


@given(NUMBERS)
@settings(deadline=None, max_examples=8)
def test_no_ray_slips_between_triangles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners = closed(rng)
    a, b = corners[:, 0], corners[:, 1]
    share = rng.uniform(0, 1, (len(a), 1))
    aimed = np.vstack([a, a + share * (b - a), (a + b) / 2])
    origin = rng.uniform(-1, 1, 3)
    for start in (origin, np.zeros(3), np.round(origin, 1)):
        rays = np.broadcast_to(start, aimed.shape)
        assert tree_of(corners).met(rays, aimed - start).all(), "a closed surface has no gaps"


def test_a_floor_that_lies_level_is_met_along_the_axes() -> None:
    floor = np.array([[[0, 0, 0], [4, 0, 0], [4, 4, 0]], [[0, 0, 0], [4, 4, 0], [0, 4, 0]]], float)
    tree = tree_of(floor)
    down = np.array([[0.0, 0.0, -1.0]])
    for x, y in ((2, 2), (0, 0), (4, 4), (4, 2), (1, 3)):
        [distance], _ = tree.first(np.array([[x, y, 5.0]]), down)
        assert distance == 5.0
    assert not tree.met(np.array([[4.001, 2, 5.0]]), down).any()
    assert not tree.met(np.array([[2, 2, 0.0]]), -down).any(), "a ray leaves what it begins on"
    assert not tree.met(np.array([[2, 2, 5.0]]), down, 4.999).any()


def test_nothing_meets_nothing() -> None:
    tree = tree_of(np.zeros((0, 3, 3)))
    distances, triangles = tree.first(np.zeros((2, 3)), np.ones((2, 3)))
    assert np.isinf(distances).all()
    assert triangles.tolist() == [-1, -1]
    assert not tree.met_from_each(np.zeros((2, 3)), np.ones((3, 3))).any()
