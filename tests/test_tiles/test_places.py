"""Which tiles show things as exactly as a large-scale map, and where those lie."""

import json
from pathlib import Path

import numpy as np
import shapely

from cim_core.frame import Frame
from tiles.places import read_places, terrain_outline

FRAME = Frame(113.45, 23.1, 10.0)


def tile(error: float, middle: tuple[float, float], half: float, uri: str, *children: dict) -> dict:
    """A tile whose box is a cube around a place in the frame."""
    axes = [half, 0, 0, 0, half, 0, 0, 0, half]
    found = {"geometricError": error, "boundingVolume": {"box": [*middle, 0.0, *axes]}}
    if uri:
        found["content"] = {"uri": uri}
    return {**found, **({"children": list(children)} if children else {})}


def write(path: Path, root: dict) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"asset": {"version": "1.1"}, "geometricError": 99, "root": root}))
    return path


def placed(root: dict) -> dict:
    return {**root, "transform": FRAME.ecef_matrix().T.ravel().tolist()}


def place(east: float, north: float) -> shapely.Point:
    return shapely.Point(*FRAME.to_geographic(np.array([[east, north, 0.0]]))[0][:2])


def test_leaves_and_tiles_that_are_hardly_off_count_and_those_from_afar_do_not(
    tmp_path: Path,
) -> None:
    leaf = tile(0.0, (200.0, 0.0), 50.0, "../content/a.glb")
    fine = tile(
        2.0, (-200.0, 0.0), 60.0, "../content/b.glb", tile(0, (-200, 0), 50, "../content/c.glb")
    )
    root = placed(tile(40.0, (0.0, 0.0), 400.0, "../content/far.glb", leaf, fine))
    places = read_places(write(tmp_path / "1" / "tileset.json", root))
    content = tmp_path / "content"
    assert places.of(content / "far.glb") == []
    [outline] = places.of(content / "a.glb") or []
    assert outline.covers(place(200, 0))
    assert outline.covers(place(245, 45))
    assert not outline.intersects(place(260, 0))
    assert all(places.of(content / f"{name}.glb") for name in "bc")
    assert places.of(content / "unknown.glb") is None


def test_tilesets_in_a_tileset_stand_where_the_tile_that_holds_them_stands(tmp_path: Path) -> None:
    moved = tile(9.0, (0.0, 0.0), 100.0, "files/inner/tileset.json")
    moved["transform"] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1000, 0, 0, 1]
    inner = tile(9.0, (0.0, 0.0), 90.0, "", tile(0.0, (0.0, 0.0), 80.0, "parts/one%20part.b3dm"))
    write(tmp_path / "1" / "files" / "inner" / "tileset.json", inner)
    path = write(tmp_path / "1" / "tileset.json", placed(tile(99, (0, 0), 2000, "", moved)))
    places = read_places(path)
    [outline] = places.of(tmp_path / "1/files/inner/parts/one part.b3dm") or []
    assert outline.covers(place(1000, 0))
    assert not outline.intersects(place(850, 0))


def test_what_an_implicit_tiling_names_by_a_template_is_not_listed(tmp_path: Path) -> None:
    root = tile(9.0, (0.0, 0.0), 100.0, "files/{level}/{x}.glb")
    root["implicitTiling"] = {"subtrees": {"uri": "files/{level}.subtree"}}
    places = read_places(write(tmp_path / "1" / "tileset.json", placed(root)))
    assert places.of(tmp_path / "1/files/3/1.glb") is None


def test_terrain_counts_where_nothing_finer_lies_below(tmp_path: Path) -> None:
    for name in ("9/800/300", "10/1600/600", "15/53000/20000", "16/106000/40000"):
        path = tmp_path / f"{name}.terrain"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"")
    assert terrain_outline(tmp_path, 9, 800, 300) is None
    fine = terrain_outline(tmp_path, 15, 53000, 20000)
    assert fine is not None
    finest = terrain_outline(tmp_path, 10, 1600, 600)
    assert finest is not None
    side = 180 / 2**10
    assert finest.bounds == (1600 * side - 180, 600 * side - 90, 1601 * side - 180, 601 * side - 90)
