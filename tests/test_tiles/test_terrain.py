"""Terrain tiles, decoded by the letters of quantized-mesh 1.0 and held against the model itself."""

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import Cancelled
from cim_core.ground import Surface, Surfaces
from cim_core.importers.terrain import TerrainImporter
from cim_core.layer import Layer, Placement
from cim_core.progress import Progress
from tests.support.quantized_mesh import named_tiles, read_tile, served_heights
from tests.support.rasters import EAST, NORTH, hills, imported, write_raster
from tiles.terrain import build_terrain
from tiles.terrain_mesh import CELLS, errors, triangulated

SEPARATION = -4.25


def built(layer: Layer, folder: Path) -> Path:
    build_terrain(layer, layer.content, folder, Progress())
    return folder / "terrain"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, Path]:
    """A kilometre of hills with a hole and a cliff."""
    folder = tmp_path_factory.mktemp("small")
    heights = hills(180, 200)
    heights[60:80, 60:80] = np.nan
    heights[100:, 100:] += 25
    path = write_raster(folder / "dem.tif", heights, nodata=np.nan)
    layer = imported(TerrainImporter(), path, folder, Placement(geoid_separation=SEPARATION))
    return layer, built(layer, folder / "files")


@pytest.fixture(scope="module")
def ky4(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, Path]:
    """A real model: 402 by 587 pixels of 27.7 m in a system of feet."""
    folder = tmp_path_factory.mktemp("ky4")
    path = data / "terrain/ky4_elevation.tif"
    layer = imported(TerrainImporter(), path, folder, vertical_unit="metre")
    return layer, built(layer, folder / "files")


def tiles_of(folder: Path):
    for level, tiles in enumerate(named_tiles(folder)):
        for tile in sorted(tiles):
            yield level, tile


def test_served_heights_are_those_of_the_model(ky4: tuple[Layer, Path]) -> None:
    layer, folder = ky4
    surface = Surface(layer.content.surface)
    west, south, east, north = surface.bounds_wgs84
    random = np.random.default_rng(4)
    places = np.column_stack(
        [random.uniform(west, east, 12_000), random.uniform(south, north, 12_000)]
    )
    heights = surface(places)
    places, heights = places[np.isfinite(heights)][:10_000], heights[np.isfinite(heights)][:10_000]
    assert len(places) == 10_000
    served = served_heights(folder, *places.T)
    away = np.abs(served - heights)
    assert (away <= 0.5).mean() >= 0.999
    assert away.max() < 0.75


def test_every_tile_named_is_there_and_no_other(small: tuple[Layer, Path]) -> None:
    _, folder = small
    named = named_tiles(folder)
    on_disk = [
        {(int(path.parent.name), int(path.stem)) for path in folder.glob(f"{level}/*/*.terrain")}
        for level in range(len(named))
    ]
    assert on_disk == named
    assert len(list(folder.rglob("*.terrain"))) == sum(map(len, named))
    assert named[0] == {(0, 0), (1, 0)}
    for coarse, fine in pairwise(named):
        assert {(x // 2, y // 2) for x, y in fine} <= coarse
    described = json.loads((folder / "layer.json").read_bytes())
    assert described["format"] == "quantized-mesh-1.0"
    assert described["scheme"] == "tms"
    assert described["extensions"] == ["octvertexnormals"]
    assert described["maxzoom"] == len(named) - 1


def test_neighbours_meet_without_cracks(small: tuple[Layer, Path]) -> None:
    _, folder = small
    pairs = 0
    for level, tiles in enumerate(named_tiles(folder)):
        decoded = {tile: read_tile(folder, level, *tile) for tile in tiles}
        for (x, y), tile in decoded.items():
            for beside, ours, theirs in (((x + 1, y), 2, 0), ((x, y + 1), 3, 1)):
                if beside not in decoded:
                    continue
                other = decoded[beside]
                mine, its = tile.ecef()[tile.edges[ours]], other.ecef()[other.edges[theirs]]
                assert np.abs(mine - its).max() < 1e-6
                up, also = tile.normals[tile.edges[ours]], other.normals[other.edges[theirs]]
                assert np.allclose(up, also)
                pairs += 1
    assert pairs > 40


def test_a_tile_is_what_the_format_says(small: tuple[Layer, Path]) -> None:
    _, folder = small
    steepness = []
    for level, (x, y) in tiles_of(folder):
        tile = read_tile(folder, level, x, y)
        places = tile.ecef()
        assert len(tile.u) <= (CELLS + 1) ** 2
        assert sorted(set(tile.triangles.ravel().tolist())) == list(range(len(tile.u)))
        a, b, c = (np.column_stack([tile.u, tile.v])[tile.triangles[:, k]] for k in range(3))
        doubled = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
        assert (doubled > 0).all()  # counter-clockwise
        assert doubled.sum() == 2 * 32767**2  # they cover the tile, none twice
        for edge, on_it in zip(
            tile.edges, (tile.u == 0, tile.v == 0, tile.u == 32767, tile.v == 32767), strict=True
        ):
            assert set(edge.tolist()) == set(np.flatnonzero(on_it).tolist())
        middle, radius = np.array(tile.sphere[:3]), tile.sphere[3]
        assert np.linalg.norm(places - middle, axis=1).max() <= radius + 1e-3
        assert tile.low <= tile.height.min() and tile.height.max() <= tile.high
        assert np.allclose(np.linalg.norm(tile.normals, axis=1), 1)
        up = places / np.linalg.norm(places, axis=1)[:, None]
        upright = (tile.normals * up).sum(axis=1)
        assert (upright > 0).all()  # the border of what is known falls steeply
        steepness.append(np.median(upright))
    assert np.median(steepness) > 0.9


def test_what_hides_the_horizon_point_hides_the_tile(small: tuple[Layer, Path]) -> None:
    """From where the point touches the horizon of the scaled globe, no vertex is above it."""
    _, folder = small
    radii = np.array([6378137.0, 6378137.0, 6356752.3142451793])
    for level, (x, y) in tiles_of(folder):
        tile = read_tile(folder, level, x, y)
        if level < 2:
            continue
        point, vertices = np.array(tile.occlusion), tile.ecef() / radii
        side = np.cross(point, [0.3, -0.5, 0.9])
        side /= np.linalg.norm(side)
        far = 5.0
        for angle in np.linspace(0, 2 * np.pi, 7):
            axis = point / np.linalg.norm(point)
            across = np.cos(angle) * side + np.sin(angle) * np.cross(axis, side)
            # The tangent from the point, away to the other side of the touching place.
            cos = 1 / np.linalg.norm(point)
            touch = cos * axis + np.sqrt(1 - cos**2) * across
            eye = touch + far * (touch - point) / max(np.linalg.norm(touch - point), 1e-9)
            if np.linalg.norm(touch - point) < 1e-6:
                continue
            to = vertices - eye
            # Behind the horizon: beyond the plane of tangency and inside the cone.
            distance = np.linalg.norm(eye) ** 2 - 1
            along = -(to @ eye)
            hidden = (along > distance) & (along**2 / (to**2).sum(axis=1) > distance)
            assert hidden.mean() > 0.99


def test_where_nothing_is_known_the_ground_is_the_citys_zero(small: tuple[Layer, Path]) -> None:
    layer, folder = small
    far = served_heights(folder, np.array([-60.0, 20.0]), np.array([10.0, -45.0]))
    level_0 = read_tile(folder, 0, 0, 0)
    assert np.allclose(level_0.height, SEPARATION)
    assert np.allclose(far, SEPARATION)
    west, south, east, north = layer.features[0].shape.bounds
    hole = west + (east - west) * 70 / 200, north - (north - south) * 70 / 180
    assert served_heights(folder, *np.array([hole]).T)[0] == pytest.approx(SEPARATION, abs=0.01)


def test_up_to_the_border_heights_are_right(small: tuple[Layer, Path]) -> None:
    layer, folder = small
    surface = Surface(layer.content.surface)
    west, south, east, north = layer.features[0].shape.bounds
    random = np.random.default_rng(1)
    places = np.column_stack([random.uniform(west, east, 4000), random.uniform(south, north, 4000)])
    pixels = surface.pixels(places)
    near = (pixels < 1).any(axis=1) | (pixels > (199, 179)).any(axis=1)
    heights = surface(places)
    near &= np.isfinite(heights)
    assert near.sum() > 20
    away = served_heights(folder, *places[near].T) - heights[near] - SEPARATION
    assert np.abs(away).max() < 0.5


def test_the_whole_globe_is_round_from_afar(small: tuple[Layer, Path]) -> None:
    _, folder = small
    tile = read_tile(folder, 0, 0, 0)
    middles = tile.ecef()[tile.triangles].mean(axis=1)
    assert np.linalg.norm(middles, axis=1).min() > 6_356_000 - 20_000


def test_the_same_layer_gives_the_same_bytes(small: tuple[Layer, Path], tmp_path: Path) -> None:
    layer, folder = small
    again = built(layer, tmp_path)
    for path in folder.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (again / path.relative_to(folder)).read_bytes()


def test_what_is_planned_stands_in_the_present_ground(tmp_path: Path) -> None:
    for name in ("now", "then"):
        (tmp_path / name).mkdir()
    now = write_raster(tmp_path / "now.tif", np.full((100, 100), 12, "f4"))
    # Finer than the present ground by far, and smaller than its pixels.
    pad = write_raster(
        tmp_path / "pad.tif", np.full((16, 16), 20, "f4"), west=EAST + 203, north=NORTH - 203,
        pixel=0.25,
    )  # fmt: skip
    present = imported(TerrainImporter(), now, tmp_path / "now")
    ground = Surfaces((Surface(present.content.surface),))
    planned = imported(
        TerrainImporter(), pad, tmp_path / "then", lifecycle="planned", ground=ground
    )
    folder = built(planned, tmp_path / "then")
    west, south, east, north = planned.features[0].shape.bounds
    wide, tall = east - west, north - south
    middle = (west + east) / 2, (south + north) / 2
    places = np.array([middle, (west - wide, south - tall), (west + 60 * wide, south - 60 * tall)])
    assert np.allclose(served_heights(folder, *places.T), [20, 12, 12], atol=0.02)
    named = named_tiles(folder)
    assert all({(x // 2, y // 2) for x, y in fine} <= coarse for coarse, fine in pairwise(named))


def test_tiling_can_be_cancelled(small: tuple[Layer, Path], tmp_path: Path) -> None:
    layer, _ = small
    with pytest.raises(Cancelled):
        build_terrain(layer, layer.content, tmp_path, Progress(cancelled=lambda: True))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.001, 30.0), st.floats(0.0, 2.0))
def test_a_mesh_of_many_tiles_has_no_gaps(seed: int, tolerance: float, rough: float) -> None:
    random = np.random.default_rng(seed)
    side = 4 * CELLS + 1
    heights = np.cumsum(np.cumsum(random.normal(size=(side, side)), 0), 1) * 0.01
    heights += rough * random.normal(size=(side, side)) * (random.random((side, side)) < 0.01)
    corners = np.array([[CELLS, CELLS], [CELLS, 2 * CELLS], [2 * CELLS, CELLS], [2 * CELLS] * 2])
    matters = errors(heights, 1e-4) > tolerance
    triangles, bounds = triangulated(matters, corners)
    assert bounds[-1] == len(triangles) and (np.diff(bounds) >= 2).all()
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    one_way = {(a, b) for a, b in sides.tolist()}
    assert len(one_way) == len(sides)
    for a, b in one_way:
        if (b, a) not in one_way:  # only the outer border of the four tiles has one side
            (row, column), (row_b, column_b) = divmod(a, side), divmod(b, side)
            assert (row == row_b and row in (CELLS, 3 * CELLS)) or (
                column == column_b and column in (CELLS, 3 * CELLS)
            )
