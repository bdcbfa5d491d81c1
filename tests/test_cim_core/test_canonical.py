"""The same shape gets the same bytes, and stays the same shape."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.canonical import GRID, canonical
from cim_core.mesh import Material, Mesh

RED, BLUE = Material("", (1.0, 0.0, 0.0, 1.0)), Material("", (0.0, 0.0, 1.0, 1.0))
REACH = GRID / 2 * 3**0.5 + 1e-12
"""How far rounding may take a vertex."""


def keys(*meshes: Mesh) -> tuple[str, ...]:
    [(_, made)] = canonical([meshes])
    return tuple(mesh.key() for mesh in made)


def box(size: tuple[float, float, float], material: Material = RED) -> Mesh:
    corners = np.array(list(itertools.product((0, 1), repeat=3))) * np.array(size, np.float64)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    return Mesh(corners, np.array(triangles, np.uint32), material)


def plate(corners: np.ndarray, seed: int) -> Mesh:
    """A convex polygon (n, 2) in the plane z = 0, cut into triangles at random."""
    chance = random.Random(seed)
    ring, triangles = list(range(len(corners))), []
    while len(ring) > 3:
        at = chance.randrange(len(ring))
        triangles.append((ring[at - 1], ring[at], ring[(at + 1) % len(ring)]))
        del ring[at]
    triangles.append(tuple(ring))
    positions = np.column_stack([corners, np.zeros(len(corners))])
    return Mesh(positions, np.array(triangles, np.uint32), RED)


def reordered(mesh: Mesh, seed: int) -> Mesh:
    """The same triangles with other numbers, in another order, begun elsewhere."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(mesh.positions))
    place = np.argsort(order)
    triangles = place[mesh.triangles.astype(np.int64)]
    turned = np.array(
        [
            np.roll(t, k)
            for t, k in zip(triangles, rng.integers(3, size=len(triangles)), strict=True)
        ]
    )
    return Mesh(mesh.positions[order], rng.permutation(turned).astype(np.uint32), mesh.material)


sizes = st.integers(1, 20_000_000).map(lambda micrometres: micrometres * 1e-6)
offsets = st.floats(-5_000, 5_000)


@given(st.tuples(sizes, sizes, sizes), st.tuples(offsets, offsets, offsets), st.integers(0, 99))
def test_where_a_shape_stands_and_how_it_is_ordered_do_not_matter(
    size: tuple, offset: tuple, seed: int
) -> None:
    moved = reordered(box(size), seed)
    moved = Mesh(moved.positions + np.array(offset), moved.triangles, RED)
    assert keys(moved) == keys(box(size))


@settings(deadline=None)
@given(st.integers(3, 40), st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 3))
def test_how_a_flat_face_is_cut_does_not_matter(n: int, one: int, other: int, turn: float) -> None:
    """All corners lie on one circle: every cut is as good as any other to Delaunay."""
    angles = turn + np.arange(n) / n * 2 * np.pi
    corners = np.column_stack([np.cos(angles), np.sin(angles)])
    assert keys(plate(corners, one)) == keys(plate(corners, other))


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 6.28), min_size=3, max_size=30, unique=True),
    st.floats(0.1, 50),
    st.integers(0, 10_000),
    st.tuples(st.floats(0, 3), st.floats(0, 3)),
)
def test_a_face_keeps_its_outline_and_area_in_any_plane(
    angles: list, radius: float, seed: int, tilt: tuple
) -> None:
    ring = np.sort(np.array(angles))
    mesh = plate(radius * np.column_stack([np.cos(ring), 0.4 * np.sin(ring)]), seed)
    (cx, cy), (sx, sy) = np.cos(tilt), np.sin(tilt)
    turn = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ [[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]
    mesh = Mesh(mesh.positions @ turn.T, mesh.triangles, RED)
    [(corner, made)] = canonical([[mesh]])
    if not made:
        assert mesh.area() < len(angles) * GRID * radius * 4
        return
    apart = (made[0].positions + corner)[:, None] - mesh.positions[None]
    assert np.linalg.norm(apart, axis=2).min(axis=1).max() <= REACH
    assert made[0].area() == pytest.approx(mesh.area(), abs=len(angles) * 8 * GRID * radius)
    first = mesh.positions[mesh.triangles]
    normal = np.cross(first[:, 1] - first[:, 0], first[:, 2] - first[:, 0]).sum(axis=0)
    now = made[0].positions[made[0].triangles]
    turned = np.cross(now[:, 1] - now[:, 0], now[:, 2] - now[:, 0]).sum(axis=0)
    assert normal @ turned > 0


def test_the_parts_of_a_shape_move_together() -> None:
    leaf = box((0.9, 0.04, 2.1), BLUE)
    frame = Mesh(leaf.positions + np.array([0.05, 0.3, 0.0]), leaf.triangles, RED)
    [(corner, (one, other))] = canonical([[frame, leaf]])
    assert corner.tolist() == [0.0, 0.0, 0.0]
    assert np.abs(one.positions - frame.positions).max() <= GRID / 2
    assert (one.material, other.material) == (RED, BLUE)
    assert keys(frame, leaf)[0] != keys(frame)[0]
    assert keys(frame) == keys(Mesh(leaf.positions, leaf.triangles, RED))


def test_colour_is_part_of_a_mesh() -> None:
    assert keys(box((1, 1, 1), RED)) != keys(box((1, 1, 1), BLUE))


def test_a_mirrored_shape_is_another() -> None:
    wedge = Mesh(
        np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0], [0, 0, 3]]),
        np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.uint32),
    )
    mirrored = Mesh(wedge.positions * (-1, 1, 1), wedge.triangles[:, ::-1])
    assert keys(wedge) != keys(mirrored)


def test_faces_that_meet_at_an_angle_keep_their_edges() -> None:
    [(_, (made,))] = canonical([[box((2.0, 3.0, 4.0))]])
    corners = made.positions[made.triangles]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (np.count_nonzero(normals, axis=1) == 1).all()
    assert made.area() == pytest.approx(52.0)
    assert np.einsum("ij,ij->", corners[:, 0], normals) / 6 == pytest.approx(24.0)


def test_what_the_grid_swallows_is_left_out() -> None:
    speck = box((1e-7, 1e-7, 1e-7))
    sliver = Mesh(
        np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1e-7, 0, 0]]),
        np.array([[0, 1, 2], [0, 3, 2]], np.uint32),
    )
    [(_, nothing), (_, (rest,)), (_, one)] = canonical([[speck], [sliver], [speck, sliver]])
    assert nothing == ()
    assert len(rest.triangles) == 1
    assert len(one) == 1


def test_the_shapes_around_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [[plate(np.random.default_rng(n).random((3, 2)), n)] for n in range(20)]
    shapes += [[box((1, n, 2)), box((n, 1, 1), BLUE)] for n in range(1, 20)]
    together = [tuple(m.key() for m in made) for _, made in canonical(shapes)]
    assert together == [keys(*shape) for shape in shapes]
    monkeypatch.setattr("cim_core.canonical._TRIANGLES_AT_ONCE", 30)
    assert together == [tuple(m.key() for m in made) for _, made in canonical(shapes)]
    assert canonical([]) == []


def test_stray_vertices_are_no_reason_to_fail() -> None:
    for stray in (np.inf, -np.inf, np.nan, 1e300):
        positions = box((1, 1, 1)).positions
        positions[3, 1] = stray
        [(_, made)] = canonical([[Mesh(positions, box((1, 1, 1)).triangles)]])
        assert not np.ptp(made[0].positions[:, 1]) < 1e9


def test_three_faces_at_one_edge_are_left_alone() -> None:
    positions = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1]])
    fins = np.array([[0, 1, 2], [1, 0, 3], [0, 1, 4]], np.uint32)
    [(_, (made,))] = canonical([[Mesh(positions, fins)]])
    assert made.area() == pytest.approx(1.5)
    edge = [
        t for t in made.positions[made.triangles] if (t[:, 1:] == [1.0, 0.0]).all(axis=1).sum() == 2
    ]
    assert len(edge) == 3
