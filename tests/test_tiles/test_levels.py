"""From afar: less, but nothing that could be seen is gone."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import pyvista
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.feature import Feature, Instance
from cim_core.layer import Layer
from cim_core.mesh import Material, Mesh
from cim_core.progress import Progress
from tests.support.models import layer_of, mesh_of, moved, railway, town
from tests.support.readback import Plain, decoded, tiles, triangles_by_feature
from tiles import build_tileset, check_tileset
from tiles.shapes import Drawing
from tiles.simplify import distances
from tiles.visible import seen_from_outside

FILES = ("duplex_a_georef", "fzk_haus", "office_a", "hhs_constr", "schep_staal")
DIRECTIONS = [d for d in product((-1, 0, 1), repeat=3) if any(d)]


def build(layer: Layer, folder: Path) -> Path:
    (folder / "content").mkdir(parents=True)
    (folder / "1").mkdir()
    tileset = folder / "1" / "tileset.json"
    build_tileset(layer, folder / "content", tileset, Progress())
    check_tileset(tileset, [f.id for f in layer.content.features], Progress())
    return tileset


def silhouettes(corners: np.ndarray, window: np.ndarray) -> list[np.ndarray]:
    """What triangles (m, 3, 3) cover, seen from 26 sides; `window` (2, 3) is what is looked at."""
    faces = np.arange(3 * len(corners)).reshape(-1, 3)
    body = pyvista.PolyData.from_regular_faces(corners.reshape(-1, 3), faces)
    plotter = pyvista.Plotter(off_screen=True, window_size=(400, 400))
    plotter.set_background("black")
    plotter.disable_anti_aliasing()
    plotter.add_mesh(body, color="white", lighting=False)
    plotter.enable_parallel_projection()
    images = []
    for direction in DIRECTIONS:
        up = (0, 1, 0) if direction[:2] == (0, 0) else (0, 0, 1)
        plotter.view_vector(direction, viewup=up)
        plotter.reset_camera(bounds=window.T.ravel())
        images.append(plotter.screenshot(return_img=True)[:, :, 0] > 127)
    plotter.close()
    return images


@pytest.mark.parametrize("name", FILES)
def test_a_far_tile_covers_what_its_leaves_cover(name: str, real_city: City) -> None:
    """From 26 sides; what is hidden at first (spaces, openings) is not looked at."""
    version = real_city.layers.get(name)
    shown = {key for key, style in version.summary["classes"].items() if style["visible"]}
    tileset = real_city.layers_folder / name / str(version.version) / "tileset.json"
    classes = {}
    every = list(tiles(tileset))
    for path in decoded([tile.path for tile in every]):
        plain = Plain(path)
        classes |= dict(zip(plain.column("id"), plain.column("class"), strict=True))

    def corners(paths: list[Path]) -> np.ndarray:
        found = triangles_by_feature(paths)
        return np.vstack([part for key, part in found.items() if classes[key] in shown])

    near = corners([tile.path for tile in every if tile.leaf])
    far = corners([every[0].path])
    window = np.array([near.min(axis=(0, 1)), near.max(axis=(0, 1))])
    covered = [
        (a & b).sum() / a.sum()
        for a, b in zip(silhouettes(near, window), silhouettes(far, window), strict=True)
    ]
    assert min(covered) >= 0.995


@pytest.mark.parametrize("name", FILES)
def test_far_tiles_are_lighter_than_the_leaves(name: str, real_city: City) -> None:
    version = real_city.layers.get(name).version
    every = list(tiles(real_city.layers_folder / name / str(version) / "tileset.json"))
    assert every[0].path.stat().st_size <= 200_000
    below = sum(tile.path.stat().st_size for tile in every if tile.leaf)
    assert every[0].path.stat().st_size < 0.7 * below


def test_ten_thousand_sleepers_are_one_mesh_and_less_than_a_megabyte(tmp_path: Path) -> None:
    tileset = build(railway(10_000), tmp_path)
    every = list(tiles(tileset))
    assert sum(tile.path.stat().st_size for tile in every) + tileset.stat().st_size <= 1_000_000
    ids: list[str] = []
    for path in decoded([tile.path for tile in every if tile.leaf]):
        plain = Plain(path)
        assert len(plain.document["meshes"]) == 1
        ids += plain.column("id")
    assert sorted(ids) == [f.id for f in railway(10_000).content.features]


def test_the_root_of_a_model_of_many_elements_stays_light(tmp_path: Path) -> None:
    tileset = build(town(6_000, blocks=6, kinds=600), tmp_path)
    every = list(tiles(tileset))
    assert every[0].path.stat().st_size <= 200_000
    box = json.loads(tileset.read_text())["root"]["boundingVolume"]["box"]
    assert every[0].error < 0.1 * 2 * np.linalg.norm(box[3:])


def room(glazed: bool) -> tuple[list[Feature], dict[str, Mesh]]:
    """A chair in a closed room, or in one with a pane for a wall."""
    walls = trimesh.creation.box((10, 10, 3))
    faces = np.array(walls.faces, np.uint32)
    pane = np.abs(walls.face_normals[:, 0] - 1) < 1e-6
    opaque = Material("wall", (0.8, 0.8, 0.8, 1.0))
    other = Material("glass", (0.6, 0.8, 0.9, 0.3)) if glazed else opaque
    points = np.array(walls.vertices)
    meshes = {
        "walls": Mesh(points, faces[~pane], opaque), "pane": Mesh(points, faces[pane], other),
        "chair": mesh_of(trimesh.creation.box((0.5, 0.5, 1))),
    }  # fmt: skip
    standing = np.eye(4)
    features = [
        Feature("room", "IfcWall", "", None, {}, (), (Instance("walls", standing), Instance("pane", standing))),
        Feature("chair", "IfcFurniture", "", None, {}, (), (Instance("chair", moved(1, 1, 0)),)),
    ]  # fmt: skip
    return features, meshes


@pytest.mark.parametrize("glazed", [False, True])
def test_what_is_behind_walls_is_not_seen_and_what_is_behind_glass_is(glazed: bool) -> None:
    drawing = Drawing(*room(glazed))
    seen = seen_from_outside(drawing, np.zeros(2, bool))
    assert dict(zip([f.id for f in drawing.features], seen.tolist(), strict=True)) == {
        "room": True, "chair": glazed,
    }  # fmt: skip


def test_an_inner_tile_without_what_is_hidden_gives_way_before_one_can_look_inside(
    tmp_path: Path,
) -> None:
    features, meshes = room(False)
    meshes["post"] = mesh_of(trimesh.creation.uv_sphere(0.2, count=[64, 64]))
    features.append(
        Feature("post", "IfcColumn", "", None, {}, (), (Instance("post", moved(8, 0, 0)),))
    )
    tileset = build(layer_of(features, meshes), tmp_path)
    root, leaf = tiles(tileset)
    assert "chair" not in Plain(decoded([root.path])[0]).column("id")
    assert "chair" in Plain(decoded([leaf.path])[0]).column("id")
    box = json.loads(tileset.read_text())["root"]["boundingVolume"]["box"]
    assert root.error >= 0.99 * np.linalg.norm(box[3:]) * 2 / 128


@given(st.integers(0, 2**32 - 1), st.floats(1e-3, 1e3))
@settings(max_examples=40, deadline=None)
def test_distances_equal_those_of_trimesh(seed: int, size: float) -> None:
    rng = np.random.default_rng(seed)
    corners, points = rng.normal(size=(12, 3, 3)), rng.normal(size=(20, 3)) * 2
    soup = trimesh.Trimesh(**trimesh.triangles.to_kwargs(corners))
    # Asked at the size of one: its tolerances are absolute.
    expected = trimesh.proximity.closest_point_naive(soup, points)[1] * size
    found = distances(points * size, corners * size)
    assert np.allclose(found, expected, rtol=1e-6, atol=1e-9 * size)
