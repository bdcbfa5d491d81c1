"""From shapes in a model's coordinates to instances in the frame of its layer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cim_core.canonical import canonical
from cim_core.feature import Instance
from cim_core.frame import linearised
from cim_core.mesh import Floats, Mesh, transformed
from cim_core.tessellations import Shape

_BENT_METRES = 200.0
"""Larger elements follow the earth's curvature vertex by vertex instead of as one rigid piece."""

_ONE_PLACE_METRES = 200_000.0
"""What is larger, or farther from the middle of the others, is a mistake in the file."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The shapes of a model that can stand on one piece of earth, each a row.

    steps
        Their STEP ids, ascending.
    matrices, extents, middles
        (n, 4, 4) from the meshes to the model, (n,) the longest side of the shape's box, (n, 3) the
        middle of that box in the model, metres.
    """

    steps: list[int]
    matrices: Floats
    extents: Floats
    middles: Floats


def laid_out(
    placed: Mapping[int, Shape], meshes: Mapping[str, Mesh]
) -> tuple[Layout, dict[int, str]]:
    """The layout of shapes by STEP id, and why some are not in it.

    One stray vertex or placement would otherwise spoil the place and the tiles of all.
    """
    boxes = {keys: _box(keys, meshes) for keys in {shape.keys for shape in placed.values()}}
    steps = np.array(sorted(placed), np.int64)
    local = np.array([boxes[placed[step].keys] for step in steps.tolist()]).reshape(-1, 2, 3)
    matrices = np.array([placed[step].matrix for step in steps.tolist()]).reshape(-1, 4, 4)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is set aside below
        sizes = np.linalg.norm(matrices[:, :3, :3], axis=1).max(axis=1, initial=0.0)
        extents = sizes * (local[:, 1] - local[:, 0]).max(axis=1, initial=0.0)
        middles = np.einsum("nij,nj->ni", matrices[:, :3, :3], local.mean(axis=1))
        middles += matrices[:, :3, 3]
        small = extents < _ONE_PLACE_METRES
        center = np.median(middles[small], axis=0) if small.any() else np.zeros(3)
        near = small & (np.linalg.norm(middles - center, axis=1) < _ONE_PLACE_METRES)
    limit = _ONE_PLACE_METRES / 1000
    large = dict.fromkeys(
        steps[~small].tolist(), f"its geometry reaches over more than {limit:g} km"
    )
    far = dict.fromkeys(
        steps[small & ~near].tolist(), f"it lies more than {limit:g} km from the rest"
    )
    return Layout(steps[near].tolist(), matrices[near], extents[near], middles[near]), large | far


def instances(
    layout: Layout,
    placed: Mapping[int, Shape],
    meshes: Mapping[str, Mesh],
    to_frame: Callable[[Floats], Floats],
) -> tuple[dict[int, tuple[Instance, ...]], dict[str, Mesh]]:
    """The instances of each shape in the layer's frame by STEP id, and the meshes they place.

    `to_frame` takes (n, 3) model coordinates, metres, to the frame. The instances of one shape have
    one transform.
    """
    transforms = linearised(to_frame, layout.middles) @ layout.matrices
    used: dict[str, Mesh] = {}
    found: dict[int, tuple[Instance, ...]] = {}
    for row, step in enumerate(layout.steps):
        keys, transform = placed[step].keys, transforms[row]
        parts = [meshes[key] for key in keys]
        if layout.extents[row] > _BENT_METRES:
            keys, transform, parts = _bent(parts, layout.matrices[row], to_frame)
        used.update(zip(keys, parts, strict=True))
        found[step] = tuple(Instance(key, transform) for key in keys)
    return found, used


def _box(keys: tuple[str, ...], meshes: Mapping[str, Mesh]) -> Floats:
    bounds = np.array([meshes[key].bounds() for key in keys])
    return np.array([bounds[:, 0].min(axis=0), bounds[:, 1].max(axis=0)])


def _bent(
    parts: list[Mesh], matrix: Floats, to_frame: Callable[[Floats], Floats]
) -> tuple[tuple[str, ...], Floats, list[Mesh]]:
    """A shape whose every vertex is taken to the frame by itself."""
    bent = [
        Mesh(to_frame(transformed(part.positions, matrix)), part.triangles, part.material)
        for part in parts
    ]
    [(corner, meshes)] = canonical([bent])
    moved = np.eye(4)
    moved[:3, 3] = corner
    return tuple(mesh.key() for mesh in meshes), moved, list(meshes)
