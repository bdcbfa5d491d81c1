"""Closed and open surfaces, held against trimesh."""

from collections.abc import Sequence

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core import shell
from cim_core.shell import Surface, open_lengths

WELD = 1e-5

bodies = st.one_of(
    st.builds(
        lambda size: trimesh.creation.box(extents=size),
        st.tuples(*[st.floats(0.01, 100)] * 3),
    ),
    st.builds(
        lambda radius, level: trimesh.creation.icosphere(level, radius),
        st.floats(0.01, 100), st.integers(0, 3),
    ),
)  # fmt: skip


def surface(mesh: trimesh.Trimesh) -> Surface:
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.uint32)


def opened(mesh: trimesh.Trimesh, missing: set[int]) -> trimesh.Trimesh:
    kept = [number for number in range(len(mesh.faces)) if number not in missing]
    return trimesh.Trimesh(mesh.vertices, mesh.faces[kept], process=False)


@settings(deadline=None)
@given(mesh=bodies, data=st.data())
def test_open_and_closed_bodies_are_told_as_trimesh_tells_them(
    mesh: trimesh.Trimesh, data: st.DataObject
) -> None:
    faces = st.integers(0, len(mesh.faces) - 1)
    missing = data.draw(st.sets(faces, max_size=min(5, len(mesh.faces) - 1)))
    mesh = opened(mesh, missing)
    [length] = open_lengths([[surface(mesh)]], WELD)
    assert (length == 0) == mesh.is_watertight


@settings(deadline=None)
@given(mesh=bodies, lone=st.integers(0, 10_000))
def test_a_missing_triangle_is_as_open_as_its_edges_are_long(
    mesh: trimesh.Trimesh, lone: int
) -> None:
    lone %= len(mesh.faces)
    corners = mesh.vertices[mesh.faces[lone]]
    around = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1).sum()
    [length] = open_lengths([[surface(opened(mesh, {lone}))]], WELD)
    assert length == pytest.approx(around)


def parts_of(mesh: trimesh.Trimesh, cuts: Sequence[int]) -> list[Surface]:
    """The same body as surfaces that share no vertex, each triangle with corners of its own."""
    rows = np.split(np.arange(len(mesh.faces)), sorted(c % len(mesh.faces) for c in cuts))
    return [
        (
            np.asarray(mesh.vertices[mesh.faces[part]].reshape(-1, 3), np.float64),
            np.arange(3 * len(part), dtype=np.uint32).reshape(-1, 3),
        )
        for part in rows
    ]


@settings(deadline=None)
@given(mesh=bodies, cuts=st.lists(st.integers(0, 10_000), max_size=3))
def test_a_body_of_several_surfaces_is_closed_when_they_meet(
    mesh: trimesh.Trimesh, cuts: list[int]
) -> None:
    parts = parts_of(mesh, cuts)
    assert open_lengths([parts], WELD).tolist() == [0.0]
    short = [*parts[:-1], (parts[-1][0], parts[-1][1][:-1])]
    assert open_lengths([short], WELD)[0] > 0


def test_solids_that_touch_in_an_edge_are_closed() -> None:
    box = trimesh.creation.box()
    beside = box.copy().apply_translation([1.0, 1.0, 0.0])
    both = trimesh.util.concatenate([box, beside])
    both.merge_vertices()
    assert not both.is_watertight, "four faces share the edge"
    assert open_lengths([[surface(both)]], WELD).tolist() == [0.0]


def test_many_bodies_are_measured_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trimesh.creation.box()
    some = [[surface(opened(whole, {n} if n % 3 else set()))] for n in range(12)]
    apart = [open_lengths([body], WELD)[0] for body in some]
    assert open_lengths(some, WELD).tolist() == apart
    monkeypatch.setattr(shell, "_TRIANGLES_AT_ONCE", 20)
    assert open_lengths(some, WELD).tolist() == apart
    assert open_lengths([], WELD).tolist() == []


def test_a_body_without_triangles_has_no_open_edge() -> None:
    empty = (np.zeros((0, 3)), np.zeros((0, 3), np.uint32))
    assert open_lengths([[], [empty]], WELD).tolist() == [0.0, 0.0]
