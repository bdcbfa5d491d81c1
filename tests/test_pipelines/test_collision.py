"""Clashes of bodies, against trimesh's own shapes and sums done by hand."""

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.progress import Progress
from pipelines.collision import Shell, boxes_of, clashes, inside, is_closed, near_boxes
from tests.support.layers import box


def block(size: tuple[float, float, float], at: tuple[float, float, float]) -> Shell:
    mesh = box(size, at)
    return Shell(mesh.positions, mesh.triangles, np.empty((0, 3)))


def tube(start: object, end: object, radius: float = 0.2) -> Shell:
    made = trimesh.creation.cylinder(radius, segment=[start, end], sections=24)
    shares = np.linspace(0, 1, 101)[:, None]
    points = np.asarray(start) + shares * (np.asarray(end) - np.asarray(start))
    return Shell(np.asarray(made.vertices, float), np.asarray(made.faces), points)


def one(planned: Shell, existing: Shell, margin: float = 0.0) -> tuple[float, float | None] | None:
    found = clashes([planned], [existing], margin, Progress())
    return (found[0].distance, found[0].depth) if found else None


FOOTING = block((4, 4, 2), (0, 0, -2))


def test_a_pipe_through_a_footing_clashes_as_deep_as_its_middle_lies() -> None:
    assert one(FOOTING, tube((-3, 2, -0.5), (7, 2, -0.5))) == (0.0, pytest.approx(0.5, abs=1e-3))


def test_the_place_is_where_they_meet() -> None:
    [deep] = clashes([FOOTING], [tube((-3, 2, -0.5), (7, 2, -0.5))], 0.0, Progress())
    assert deep.place[1:] == pytest.approx([2, -0.5], abs=1e-6)
    # Its middle line passes 0.1 m below the footing: only the surfaces meet.
    [grazing] = clashes([FOOTING], [tube((-3, 2, -2.1), (7, 2, -2.1))], 0.0, Progress())
    assert grazing.depth == 0.0
    assert grazing.place == pytest.approx([2, 2, -2], abs=0.1)


def test_a_pipe_wholly_inside_clashes_although_no_surfaces_meet() -> None:
    assert one(FOOTING, tube((1, 2, -1), (3, 2, -1))) == (0.0, pytest.approx(1.0, abs=1e-3))


def test_a_pile_wholly_inside_a_large_pipe_clashes() -> None:
    assert one(block((0.2, 0.2, 0.2), (0, 0, 0)), tube((-5, 0, 0), (5, 0, 0), 2.0)) == (0.0, 0.0)


def test_a_pipe_beside_is_near_by_the_distance_of_the_surfaces() -> None:
    beside = tube((-3, 4.7, -1), (7, 4.7, -1))
    assert one(FOOTING, beside) is None
    assert one(FOOTING, beside, 0.6) == (pytest.approx(0.5, abs=0.01), 0.0)
    found = clashes([FOOTING], [beside], 0.6, Progress())[0]
    assert 4 <= found.place[1] <= 4.51


def test_a_wall_that_is_open_has_no_inside_but_is_hit() -> None:
    sheet = Shell(
        np.array([[0, 0, -2], [4, 0, -2], [4, 0, 0], [0, 0, 0.0]]), np.array([[0, 1, 2], [0, 2, 3]]),
        np.empty((0, 3)),
    )  # fmt: skip
    assert not is_closed(sheet)
    assert is_closed(FOOTING)
    assert one(sheet, tube((2, -3, -1), (2, 3, -1))) == (0.0, None)


def test_pairs_come_in_the_order_of_the_bodies() -> None:
    planned = [FOOTING, block((4, 4, 2), (20, 0, -2))]
    existing = [
        tube((-3, 2, -1), (30, 2, -1)),
        tube((21, 1, -1), (21, 9, -1)),
        tube((0, 50, 0), (9, 50, 0)),
    ]
    found = clashes(planned, existing, 0.0, Progress())
    assert [(clash.planned, clash.existing) for clash in found] == [(0, 0), (1, 0), (1, 1)]
    assert clashes([], existing, 0.0, Progress()) == []
    assert clashes(planned, [], 0.0, Progress()) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**9))
def test_near_boxes_are_all_pairs_that_come_so_near(seed: int) -> None:
    random = np.random.default_rng(seed)
    boxes = [np.sort(random.uniform(0, 20, (count, 2, 3)), axis=1) for count in (15, 25)]
    margin = float(random.uniform(0, 3))
    expected = [
        (row, other)
        for row, a in enumerate(boxes[0])
        for other, b in enumerate(boxes[1])
        if (a[0] - margin <= b[1]).all() and (b[0] - margin <= a[1]).all()
    ]
    assert [tuple(pair) for pair in near_boxes(*boxes, margin).tolist()] == expected
    assert near_boxes(boxes_of([]), boxes[1], 1.0).shape == (0, 2)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**9))
def test_spheres_clash_as_far_as_their_middles_say(seed: int) -> None:
    random = np.random.default_rng(seed)
    ball = trimesh.creation.icosphere(subdivisions=3, radius=1.0)
    first, second = random.uniform(0, 2.5, (2, 3))
    shells = [
        Shell(np.asarray(ball.vertices) + middle, np.asarray(ball.faces), np.array([middle]))
        for middle in (first, second)
    ]
    apart = float(np.linalg.norm(first - second))
    found = one(*shells, margin=5.0)
    assert found is not None
    assert found[0] == pytest.approx(max(apart - 2, 0), abs=0.03)
    assert found[1] == pytest.approx(max(1 - apart, 0), abs=0.03)


def test_points_are_inside_as_trimesh_has_it() -> None:
    random = np.random.default_rng(4)
    ring = trimesh.creation.torus(2.0, 0.6)
    shell = Shell(np.asarray(ring.vertices), np.asarray(ring.faces), np.empty((0, 3)))
    points = random.uniform(-3, 3, (400, 3)) * (1, 1, 0.3)
    away = np.hypot(np.hypot(points[:, 0], points[:, 1]) - 2.0, points[:, 2])
    clear = np.abs(away - 0.6) > 0.02
    assert np.array_equal(inside(points, shell)[clear], away[clear] < 0.6)
