"""What every tileset is checked for before anyone sees it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cim_core.errors import CimError
from cim_core.mesh import Floats
from cim_core.progress import Progress
from tiles.glb_reading import Glb

_TOLERANCE = 0.002
_FLOAT32 = 1e-6  # of its size: what single precision leaves of a very large tile


class BrokenTileset(CimError):
    """A tileset of our own making that must not be published: a fault of this program."""


def check_tileset(
    tileset: Path,
    expected: Iterable[str],
    progress: Progress,
    *,
    known: frozenset[str] = frozenset(),
) -> None:
    """Raise `BrokenTileset` unless the tileset at `tileset` is right.

    Checked: children lie inside their parents, errors shrink, geometry lies inside its tile,
    accessors are aligned and their limits true, every vertex and instance belongs to a feature, the
    leaves hold each of the `expected` feature ids exactly once, and far tiles hold no others.
    Contents named in `known` are parts of a version that was checked: only their ids are read.
    """
    root = json.loads(tileset.read_bytes())["root"]
    wanted = Counter(expected)
    seen: Counter[str] = Counter()
    tiles = list(_walk(root))
    for number, tile in enumerate(tiles):
        progress(number, len(tiles), "checking")
        path = tileset.parent / tile["content"]["uri"]
        try:
            ids = _check_content(path, _box(tile), whole=path.name not in known)
        except ValueError as error:
            raise BrokenTileset(f"{path.name}: {error}") from error
        if "children" not in tile:
            seen.update(ids)
        elif not wanted.keys() >= set(ids):
            raise BrokenTileset(f"{path.name}: a far tile shows what the layer does not have")
    if seen != wanted:
        odd = next(iter((seen - wanted) + (wanted - seen)))
        raise BrokenTileset(
            f"the tiles hold feature {odd} {seen[odd]} times instead of {wanted[odd]}"
        )
    progress(len(tiles), len(tiles), "checking")


def _walk(tile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All tiles, each step from parent to child checked."""
    if "content" not in tile:
        raise BrokenTileset("a tile of the tileset has no content")
    yield tile
    low, high = _box(tile)
    for child in tile.get("children", []):
        child_low, child_high = _box(child)
        if np.any(child_low < low - _TOLERANCE) or np.any(child_high > high + _TOLERANCE):
            raise BrokenTileset("a tile reaches beyond its parent")
        if not child["geometricError"] < tile["geometricError"]:
            raise BrokenTileset("a tile's error is not smaller than its parent's")
        yield from _walk(child)


def _box(tile: dict[str, Any]) -> Floats:
    box = np.array(tile["boundingVolume"]["box"])
    half = np.abs(box[3:].reshape(3, 3)).sum(axis=0)
    return np.array([box[:3] - half, box[:3] + half])


def _check_content(path: Path, box: Floats, *, whole: bool) -> list[str]:
    """The feature ids of a content; raises `ValueError` when something is wrong with it."""
    glb = Glb(path.read_bytes())
    ids = glb.table()["id"]
    if not whole:
        return ids
    slack = _TOLERANCE + _FLOAT32 * float((box[1] - box[0]).max())
    used: set[int] = set()
    for drawn in glb.drawn():
        if np.any(drawn.positions < box[0] - slack) or np.any(drawn.positions > box[1] + slack):
            raise ValueError("geometry lies outside its tile")
        used.update(np.unique(drawn.rows).tolist())
    if used != set(range(len(ids))):
        raise ValueError("what it draws does not use every row of its property table")
    return ids
