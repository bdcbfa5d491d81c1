"""The small models that stand at nodes of a network: fittings, covers, valves, hydrants."""

from functools import lru_cache
from typing import Any

import numpy as np

from cim_core.mesh import Floats
from cim_core.sweep import BOX, ROUND, Swept, Tubes, joined_tubes, sweep
from cim_core.sweep_network import drawing
from cim_core.sweep_sections import circle

HUB, REDUCER, BLOCK, FRAME = "hub", "reducer", "block", "frame"

_SIDES = 12
_PARALLELS = 5
_CREASE = np.cos(np.radians(50.0))


@lru_cache(maxsize=4096)
def model(name: str, size: float, ratio: float = 1.0) -> Swept:
    """A model whose unit is `size` metres, closed, its owners all 0.

    `ratio` is how much smaller a reducer's far end is than its near one, and how much higher than
    wide a block or a frame is.
    """
    if name == HUB:
        return _sphere(size)
    if name == REDUCER:
        return _cone(size, ratio)
    rods: list[dict[str, Any]]
    if name == FRAME:
        inside = [0.97, 0.97 * ratio]
        rods = [{"from": [-0.1, 0, 0], "to": [0.1, 0, 0], "box": [1.0, ratio], "inside": inside}]
    elif name == BLOCK:
        rods = [{"from": [-0.5, 0, 0], "to": [0.5, 0, 0], "box": [1.0, ratio]}]
    else:
        rods = drawing()["models"][name]
    return _creased(sweep(joined_tubes([_rod(rod, size) for rod in rods]), tolerance=0.03 * size))


def _creased(swept: Swept) -> Swept:
    """The same with vertices of their own for flat ends, so that these are shaded flat."""
    corners = swept.positions[swept.triangles]
    facing = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    normals = np.repeat(facing, 3, axis=0)
    old = swept.triangles.ravel()
    sharp = np.einsum("ni,ni->n", swept.normals[old], normals) < _CREASE
    normals = np.where(sharp[:, None], normals, swept.normals[old])
    vertices = np.column_stack([old, np.round(normals, 3)])
    _, first, number = np.unique(vertices, axis=0, return_index=True, return_inverse=True)
    return _solid(swept.positions[old[first]], normals[first], number.reshape(-1, 3))


def _rod(rod: dict[str, Any], size: float) -> Tubes:
    """A straight piece of a model."""
    points = size * np.array([rod["from"], rod["to"]], np.float64)
    across = [rod["round"]] * 2 if "round" in rod else rod["box"]
    inside = np.broadcast_to(rod.get("inside", 0.0), (1, 2))
    return Tubes(
        np.zeros(1, np.int64), np.array([0, 2]), points,
        np.array([ROUND if "round" in rod else BOX], np.int8),
        size * np.array([across], np.float64), size * inside,
        np.zeros((1, 2), np.int16), np.zeros(1),
    )  # fmt: skip


def _sphere(radius: float) -> Swept:
    """A ball of the volume that a ball of this radius has, but for its corners."""
    turns = np.arange(_SIDES) * 2 * np.pi / _SIDES
    heights = np.arange(1, _PARALLELS + 1) * np.pi / (_PARALLELS + 1) - np.pi / 2
    ring = np.column_stack([np.cos(turns), np.sin(turns), np.zeros(_SIDES)])
    rings = [ring * [np.cos(h), np.cos(h), 0] + [0, 0, np.sin(h)] for h in heights]
    unit = np.vstack([*rings, [[0, 0, -1.0], [0, 0, 1.0]]])
    bottom, top = len(unit) - 2, len(unit) - 1
    i = np.arange(_SIDES)
    j = (i + 1) % _SIDES
    last = (_PARALLELS - 1) * _SIDES
    caps = [np.column_stack([j, i, np.full(_SIDES, bottom)]), np.column_stack([i + last, j + last, np.full(_SIDES, top)])]  # fmt: skip
    return _solid(radius * unit, unit, np.vstack([*_walls(_PARALLELS), *caps]))


def _cone(radius: float, ratio: float) -> Swept:
    """A reducer: from a circle at the node to a smaller one along the pipe, its length by the step."""
    unit = 2 * circle(_SIDES)
    unit = unit / np.linalg.norm(unit, axis=1).max()
    length = 0.6 + 2.5 * (1 - ratio)
    rings = [np.column_stack([np.full(_SIDES, x), r * unit]) for x, r in ((0.0, 1.0), (length, ratio))]  # fmt: skip
    facing = np.column_stack([np.full(_SIDES, (1 - ratio) / length), unit])
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    i = np.arange(1, _SIDES - 1)
    fan = np.column_stack([np.zeros_like(i), i, i + 1])
    triangles = np.vstack([*_walls(2), fan[:, ::-1], fan + _SIDES])
    return _creased(_solid(radius * np.vstack(rings), np.vstack([facing, facing]), triangles))


def _walls(rings: int) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """The triangles between rings of vertices, one after the other along their axis."""
    i = np.arange(_SIDES)
    j = (i + 1) % _SIDES
    found = []
    for ring in range(rings - 1):
        a, b = ring * _SIDES, (ring + 1) * _SIDES
        found += [np.column_stack([i + a, j + a, j + b]), np.column_stack([i + a, j + b, i + b])]
    return found


def _solid(
    positions: Floats, normals: Floats, triangles: np.ndarray[Any, np.dtype[np.int64]]
) -> Swept:
    return Swept(positions, normals, triangles, np.zeros(len(positions), np.int64))
