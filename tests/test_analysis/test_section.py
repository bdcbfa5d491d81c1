"""Sections against areas known by heart, Green's theorem over trimesh's segments, and VTK's cutter."""

import math
from collections import defaultdict

import numpy as np
import pytest
import pyvista
import shapely
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.plane import Plane, facing, level, upright
from analysis.section import Cut, bounds, cut, meets
from cim_core.bodies import Body, bodies
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.layer import Layer
from cim_core.mesh import Mesh
from cim_core.store.features import Query
from tests.support.layers import GLASS, RED, box, inside_out, joined, layer_of, moved


def cuts_of(layer: Layer, plane: Plane) -> tuple[Cut, ...]:
    return cut([body for body in bodies(layer.content) if meets(body, plane)], plane)


def section_of(mesh: Mesh, plane: Plane) -> Cut:
    [found] = cuts_of(layer_of({"a": [mesh]}), plane)
    return found


def green_area(body: Body, plane: Plane) -> float:
    """The area that trimesh's segments go around, each turned by the normal of its triangle."""
    mesh = trimesh.Trimesh(body.positions, body.triangles, process=False)
    segments, faces = trimesh.intersections.mesh_plane(
        mesh, plane.normal, plane.origin, return_faces=True
    )
    if len(segments) == 0:
        return 0.0
    # Their own normals: trimesh keeps none for slivers.
    corners = body.positions[body.triangles[faces]]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    along = segments[:, 1] - segments[:, 0]
    forward = np.einsum("ij,ij->i", along, np.cross(plane.normal, normals)) >= 0
    start = plane.drawn(np.where(forward[:, None], segments[:, 0], segments[:, 1]))
    end = plane.drawn(np.where(forward[:, None], segments[:, 1], segments[:, 0]))
    start, end = start - start[0], end - start[0]
    return float((start[:, 0] * end[:, 1] - end[:, 0] * start[:, 1]).sum() / 2)


def is_simple(body: Body) -> bool:
    """One closed surface, every edge between two triangles: nothing overlaps by intention."""
    mesh = trimesh.Trimesh(body.positions.round(6), body.triangles, digits_vertex=6)
    owner = np.arange(len(mesh.vertices))
    while True:
        least = owner.copy()
        np.minimum.at(least, mesh.faces, owner[mesh.faces].min(axis=1)[:, None])
        if (least == owner).all():
            break
        owner = least
    whole = len(set(owner[mesh.faces[:, 0]].tolist())) == 1
    return bool(whole and mesh.is_watertight and mesh.is_winding_consistent)


def test_a_box_is_cut_to_its_ground_plan() -> None:
    found = section_of(box((4, 3, 2), (1, 1, 0)), level(1.2))
    assert found.face.geoms[0].equals_exact(shapely.box(1, 1, 5, 4), 1e-9, normalize=True)
    assert (found.face.area, found.face.length) == (12.0, 14.0)
    assert found.lines.is_empty
    assert len(found.face.geoms[0].exterior.coords) == 5  # no corner that does not turn


def test_a_cube_cut_across_its_corner_is_a_regular_hexagon() -> None:
    found = section_of(box(), facing(np.array([0.5, 0.5, 0.5]), np.array([1.0, 1.0, 1.0])))
    assert found.face.area == pytest.approx(3 * math.sqrt(3) / 4)
    assert found.face.length == pytest.approx(6 * math.sqrt(0.5))


def test_an_upright_section_shows_its_first_end_to_the_left_and_heights_as_they_are() -> None:
    plane = upright(np.array([0.0, 2.0, 0.0]), np.array([10.0, 2.0, 0.0]))
    found = cuts_of(layer_of({"a": [box((1, 5, 3), (7, 0, 12))]}), plane)
    assert bounds(found) == (7, 12, 8, 15)
    turned = upright(np.array([10.0, 2.0, 0.0]), np.array([0.0, 2.0, 0.0]))
    assert bounds(cuts_of(layer_of({"a": [box((1, 5, 3), (7, 0, 12))]}), turned)) == (2, 12, 3, 15)


def test_a_plan_has_north_at_the_top_and_east_to_the_right() -> None:
    layer = layer_of({"east": [box((1, 1, 1), (5, 0, 0))], "north": [box((1, 1, 1), (0, 5, 0))]})
    for plane in (level(0.5), facing(np.array([0, 0, 0.5]), np.array([0.0, 0.0, 2.0]))):
        east, north = cuts_of(layer, plane)
        assert east.face.bounds == (5, 0, 6, 1)
        assert north.face.bounds == (0, 5, 1, 6)


def test_seen_from_below_east_is_to_the_left() -> None:
    [found] = cuts_of(
        layer_of({"east": [box((1, 1, 1), (5, 0, 0))]}),
        facing(np.array([0, 0, 0.5]), np.array([0.0, 0.0, -1.0])),
    )
    assert found.face.bounds == pytest.approx((-6, 0, -5, 1))


def test_a_hollow_body_has_a_hole_and_what_stands_in_it_fills_it_again() -> None:
    tube = joined(box((4, 4, 4)), inside_out(box((2, 2, 2), (1, 1, 1))))
    found = section_of(tube, level(2.0))
    assert found.face.area == pytest.approx(12)
    assert len(found.face.geoms[0].interiors) == 1
    core = joined(tube, box((1, 1, 1), (1.5, 1.5, 1.5)))
    assert section_of(core, level(2.0)).face.area == pytest.approx(13)


def test_bodies_that_overlap_are_one_face() -> None:
    found = section_of(joined(box((2, 2, 2)), box((2, 2, 2), (1, 1, 0))), level(1.0))
    assert found.face.area == pytest.approx(7)
    assert len(found.face.geoms) == 1


@pytest.mark.parametrize("how", ["inside out", "mirrored"])
def test_a_body_turned_inside_out_or_mirrored_is_cut_alike(how: str) -> None:
    mesh = joined(box((4, 4, 4)), inside_out(box((2, 2, 2), (1, 1, 1))))
    part = inside_out(mesh) if how == "inside out" else (mesh, moved(mirrored=True))
    [found] = cuts_of(layer_of({"a": [part]}), level(2.0))
    assert found.face.area == pytest.approx(12)


def test_an_open_surface_is_cut_to_lines() -> None:
    sheet = box((4, 3, 2))
    open_box = Mesh(sheet.positions, sheet.triangles[4:])  # without its two ends in x
    found = section_of(open_box, level(1.0))
    assert found.face.is_empty
    assert found.lines.length == pytest.approx(8)
    assert len(found.lines.geoms) == 2


def test_a_plane_in_a_face_cuts_what_lies_behind_it_and_not_what_lies_before_it() -> None:
    layer = layer_of({"below": [box((2, 2, 1), (0, 0, 0))], "above": [box((3, 3, 1), (0, 0, 1))]})
    [found] = cuts_of(layer, level(1.0))
    assert (found.feature.id, found.face.area) == ("below", 4)
    seen_from_below = facing(np.array([0, 0, 1.0]), np.array([0.0, 0.0, -1.0]))
    [found] = cuts_of(layer, seen_from_below)
    assert (found.feature.id, found.face.area) == ("above", 9)


def test_each_material_of_an_element_is_a_cut_of_its_own() -> None:
    layer = layer_of(
        {"window": [box((2, 0.1, 2), material=GLASS), box((0.1, 0.1, 2), (2, 0, 0), RED)]}
    )
    found = cuts_of(layer, level(1.0))
    assert [(item.feature.id, item.material) for item in found] == [
        ("window", GLASS),
        ("window", RED),
    ]
    assert [item.face.area for item in found] == pytest.approx([0.2, 0.01])


def test_corners_that_differ_by_rounding_do_not_open_a_body() -> None:
    mesh = box((4, 3, 2))
    loose = mesh.positions[mesh.triangles].reshape(-1, 3)  # every triangle with corners of its own
    loose = loose + np.random.default_rng(3).normal(0, 1e-9, loose.shape)
    triangles = np.arange(36, dtype=np.uint32).reshape(-1, 3)
    found = section_of(Mesh(loose + 0.1234567, triangles), level(1.0))
    assert found.lines.is_empty
    assert found.face.area == pytest.approx(12, abs=1e-5)


def test_a_plane_that_all_but_meets_corners_is_cut_as_through_them() -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    mesh = Mesh(np.array(ball.vertices), np.array(ball.faces, np.uint32))
    through = section_of(mesh, level(0.0))
    assert section_of(mesh, level(5e-324)).face.area == pytest.approx(through.face.area)
    assert section_of(mesh, level(1e-160)).face.area == pytest.approx(through.face.area)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: facing(np.zeros(3), np.zeros(3)), "the normal of the plane has no direction"),
        (lambda: facing(np.zeros(3), np.full(3, np.nan)), "has no direction"),
        (lambda: upright(np.ones(3), np.ones(3)), "the two ends of the section line are one place"),
        (lambda: upright(np.zeros(3), np.array([0, 0, 5.0])), "are one place"),
    ],
)
def test_what_is_no_plane_is_refused_in_a_sentence(make, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        make()


unit = st.floats(-1, 1)


@settings(deadline=None, max_examples=60)
@given(st.tuples(unit, unit, unit), st.tuples(unit, unit, unit), st.integers(0, 3))
def test_any_plane_through_a_closed_body_gives_closed_faces(
    normal: tuple, point: tuple, which: int
) -> None:
    if np.linalg.norm(normal) < 1e-3:
        return
    solid = [
        trimesh.creation.icosphere(subdivisions=2),
        trimesh.creation.torus(1.0, 0.4, major_sections=24, minor_sections=12),
        trimesh.creation.annulus(0.3, 1.0, 1.5),
        trimesh.creation.capsule(1.0, 0.5, count=(12, 12)),
    ][which]
    mesh = Mesh(np.array(solid.vertices), np.array(solid.faces, np.uint32))
    plane = facing(np.array(point), np.array(normal))
    [body] = bodies(layer_of({"a": [mesh]}).content)
    if not meets(body, plane):
        return
    [found] = cut([body], plane)
    assert found.lines.is_empty
    assert found.face.is_valid
    assert found.face.area == pytest.approx(green_area(body, plane), abs=2e-5)


def test_real_elements_are_cut_as_trimesh_and_vtk_cut_them(real_city: City) -> None:
    checked = 0
    for known in real_city.layers.current():
        layer = real_city.select(known, Query())
        found = list(bodies(layer.content))
        corners = np.vstack([body.positions for body in found])
        low, high = corners.min(axis=0), corners.max(axis=0)
        for share, normal in ((0.31, (0, 0, 1)), (0.47, (1, 0, 0)), (0.53, (0.3, 1, 0.2))):
            plane = facing(low + share * (high - low), np.array(normal, float))
            met = [body for body in found if meets(body, plane)]
            by_owner = defaultdict(list)
            for body in met:
                by_owner[body.feature.id, body.material].append(body)
            cuts = cut(met, plane)
            assert len(cuts) == len(by_owner)
            for item, parts in zip(cuts, by_owner.values(), strict=True):
                if not all(is_simple(body) for body in parts) or len(parts) > 1:
                    continue
                [body] = parts
                assert item.lines.is_empty, item.feature.id
                area = abs(green_area(body, plane))
                assert item.face.area == pytest.approx(area, abs=1e-4, rel=1e-4), item.feature.id
                vtk = pyvista.PolyData.from_regular_faces(
                    body.positions, body.triangles.astype(int)
                )
                lines = vtk.slice(normal=plane.normal, origin=plane.origin, generate_triangles=True)
                length = float(lines.compute_cell_sizes()["Length"].sum())
                assert item.face.length == pytest.approx(length, abs=1e-3, rel=1e-3)
                checked += 1
    assert checked > 500
