"""layer.json: which tiles a pyramid of terrain has."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import orjson

from cim_core.files import write_whole
from cim_core.ground import Surface
from cim_core.layer import Layer

Tile = tuple[int, int]
"""x from the west, y from the south."""


def write_layer_json(
    layer: Layer, surfaces: Sequence[Surface], folder: Path, available: list[set[Tile]]
) -> None:
    """Say which tiles there are, and no others."""
    boxes = np.array([surface.bounds_wgs84 for surface in surfaces])
    bounds = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    described = {
        "tilejson": "2.1.0", "name": layer.title, "version": "1.0.0",
        "format": "quantized-mesh-1.0", "scheme": "tms", "projection": "EPSG:4326",
        "tiles": ["{z}/{x}/{y}.terrain"], "extensions": ["octvertexnormals"],
        "bounds": [-180, -90, 180, 90], "valid_bounds": bounds,
        "minzoom": 0, "maxzoom": len(available) - 1, "attribution": layer.title,
        "available": [_ranges(tiles) for tiles in available],
    }  # fmt: skip
    write_whole(folder / "layer.json", orjson.dumps(described))


def _ranges(tiles: set[Tile]) -> list[dict[str, int]]:
    """Rectangles that hold these tiles and no others: runs of a row, equal runs of rows as one."""
    found: list[dict[str, int]] = []
    open_runs: dict[tuple[int, int], dict[str, int]] = {}
    rows: dict[int, list[int]] = defaultdict(list)
    for x, y in sorted(tiles):
        rows[y].append(x)
    for y in sorted(rows):
        still_open: dict[tuple[int, int], dict[str, int]] = {}
        for start, end in _runs(rows[y]):
            above = open_runs.get((start, end))
            if above is not None and above["endY"] == y - 1:
                above["endY"] = y
            else:
                above = {"startX": start, "startY": y, "endX": end, "endY": y}
                found.append(above)
            still_open[start, end] = above
        open_runs = still_open
    return found


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers that follow one another; they are sorted."""
    ends = np.flatnonzero(np.diff(numbers) != 1)
    starts = np.concatenate([[0], ends + 1])
    for start, end in zip(starts, np.concatenate([ends, [len(numbers) - 1]]), strict=True):
        yield numbers[start], numbers[end]
