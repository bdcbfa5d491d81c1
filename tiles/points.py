"""Point clouds as 3D Tiles: py3dtiles' own tiler, driven step by step in this process.

py3dtiles starts processes of its own that talk over sockets, in an order that differs from run to
run. Its tiler and its worker are plain objects, though: one asks for steps, the other does them.
Here one hands them over, one after the other, so the same points give the same tiles, a job can be
cancelled between two steps, and nothing is left behind.
"""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.files import write_whole
from cim_core.frame import Frame
from cim_core.layer import FILES, Layer, PointCloud
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.store.layer_summary import TilesetSummary

FOLDER = "points"
"""Where the tiles lie below the version's folder of files."""

FIELDS = ("intensity", "classification")
"""What goes along with each point; the wider first, so that each is aligned."""

_CACHE_MEGABYTES = 200
_LAS_STEP = 0.001

Json = dict[str, Any]


def build_points(
    layer: Layer, cloud: PointCloud, tileset: Path, progress: Progress
) -> TilesetSummary:
    """Tile a cloud below the folder of `tileset`, and write that: it holds the whole tree.

    The LAS files are working copies: they are gone afterwards.
    """
    folder = tileset.parent / FILES / FOLDER
    folder.mkdir(parents=True)
    working = tileset.parent / f".{FOLDER}"
    working.mkdir()
    try:
        with warnings.catch_warnings():
            # Said once on each machine, while numba compiles what py3dtiles gives it.
            warnings.filterwarnings("ignore", r"\s*Encountered the use of a type that is scheduled")
            root = _tiled(cloud, working, folder, progress)
    finally:
        shutil.rmtree(working)
    for path in cloud.points:
        path.unlink()
    cloud.points[0].parent.rmdir()
    _enclose(root, folder)
    _name_from(root, f"{FILES}/{FOLDER}/")
    inner = np.array(root["transform"]).reshape(4, 4).T
    root["transform"] = (layer.frame.ecef_matrix() @ inner).T.ravel().tolist()
    document = {"asset": {"version": "1.0"}, "geometricError": root["geometricError"], "root": root}
    write_whole(tileset, json.dumps(document, separators=(",", ":")).encode())
    contents = [path.stat().st_size for path in folder.rglob("*.pnts")]
    return TilesetSummary(
        bytes=sum(contents),
        leaf_bytes=sum(contents),
        tiles=len(contents),
        reused_tiles=0,
        triangles=0,
        deviation=_deviation(root, layer.frame),
    )


def _tiled(cloud: PointCloud, working: Path, folder: Path, progress: Progress) -> Json:
    """The tiles in `folder`, and the tree of them as JSON."""
    # It brings numba, whose loading takes seconds: nobody without points shall wait for that.
    from py3dtiles.tilers.point.point_tiler import PointTiler

    with_color = any(feature.attributes["color"] for feature in cloud.features)
    tiler = PointTiler(
        cache_size=_CACHE_MEGABYTES, number_of_jobs=1, rgb=with_color, extra_fields=list(FIELDS)
    )
    tiler.initialize(list(cloud.points), working, folder)
    total = tiler.files_info["point_count"]
    worker = tiler.get_worker()
    # One step at a time: further ones may not be due any more after it, and points that are read
    # are put into tiles before more are read.
    while step := next(tiler.get_tasks(), None):
        progress(tiler.state.processed_points, total, "tiling")
        command, content = step
        for kind, *answer in worker.execute(command, content):
            tiler.process_message(kind, answer)
        tiler.memory_control()
    tiler.validate()
    return dict(tiler.get_root_tile(use_process_pool=False).to_dict())


def _enclose(tile: Json, folder: Path) -> Floats:
    """Widen the boxes of tiles until each holds those of its children; returns this one, (2, 3).

    py3dtiles gives a tile the box of its own points, but 3D Tiles 1.0 wants that of all below.
    """
    box = _box(tile)
    children = list(tile.get("children", ()))
    uri = tile["content"]["uri"] if "content" in tile else ""
    if uri.endswith(".json"):
        path = folder / uri
        inner = json.loads(path.read_bytes())
        children.append(inner["root"])
    for child in children:
        low, high = _enclose(child, folder)
        box = np.array([np.minimum(box[0], low), np.maximum(box[1], high)])
    if uri.endswith(".json"):
        write_whole(path, json.dumps(inner, separators=(",", ":")).encode())
    half = (box[1] - box[0]) / 2
    tile["boundingVolume"] = {"box": [*(box[0] + half).tolist(), *np.diag(half).ravel().tolist()]}
    return box


def _box(tile: Json) -> Floats:
    box = np.array(tile["boundingVolume"]["box"])
    half = np.abs(box[3:].reshape(3, 3)).sum(axis=0)
    return np.array([box[:3] - half, box[:3] + half])


def _name_from(tile: Json, prefix: str) -> None:
    """Let the contents of a tree be named from another folder."""
    if "content" in tile:
        tile["content"]["uri"] = prefix + tile["content"]["uri"]
    for child in tile.get("children", ()):
        _name_from(child, prefix)


def _deviation(root: Json, frame: Frame) -> float:
    """How far a point may be from its source: LAS steps, and single precision within the tiles."""
    scale = float(np.linalg.norm(np.array(root["transform"])[:3]))
    farthest = float(np.abs(_box(root)).max()) * scale
    return round(_LAS_STEP / 2 + float(np.spacing(np.float32(farthest))), 6)
