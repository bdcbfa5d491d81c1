"""From placements to what is drawn in one tile: repeated shapes as instances, the rest merged."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices
from tiles.glb import Batch, Repeats
from tiles.packing import NEAR, Lattice, Packed, pack
from tiles.shapes import Placements, Shape
from tiles.turns import matrices, quaternions

_FEWEST_REPEATS = 2
_SAVED_TRIANGLES = 100
"""A shape is drawn as instances where that saves so many triangles of the file: each costs a call."""

_RIGID_METRES = 0.0005
"""What an instance may miss by being turned and moved only; others are merged as they are."""

_TURN_RADIANS = 2 / 32_767
"""What rounding the four parts of a quaternion to 16 bits may turn."""

_ROTATION_METRES = 20.0
"""Larger shapes are merged: 16 bits of rotation would move their ends by millimetres."""

_CELL_SHARE = 0.4
"""Batches are cut into cells of this share of what the lattice reaches, as features overhang."""

ShapeOf = Callable[[int], Shape]


class Packer:
    """Puts each repeated shape on its lattice once, however many tiles use it."""

    def __init__(self, shape_of: ShapeOf, lattice: Lattice = NEAR) -> None:
        self.shape_of = shape_of
        self.lattice = lattice
        self._packed: dict[int, Packed] = {}

    def packed(self, number: int) -> Packed:
        """A shape as it is written."""
        if number not in self._packed:
            self._packed[number] = pack(self.shape_of(number), self.lattice)
        return self._packed[number]


@dataclass(frozen=True, slots=True)
class Content:
    """What one tile draws.

    shift
        How far the lattice may have moved a point, metres.
    """

    batches: list[Batch]
    repeats: list[Repeats]

    @property
    def shift(self) -> float:
        """How far the lattice may have moved a point, metres."""
        merged = (batch.packed.shift for batch in self.batches)
        repeated = (repeat.packed.shift + _missed(repeat.packed) for repeat in self.repeats)
        return max((*merged, *repeated), default=0.0)

    @property
    def triangles(self) -> int:
        """How many triangles are drawn."""
        batched = sum(len(batch.packed.triangles) for batch in self.batches)
        return batched + sum(len(r.packed.triangles) * len(r.rows) for r in self.repeats)


def _missed(packed: Packed) -> float:
    """How far an instance's farthest point may be off by its turn: not rigid, and rounded."""
    radius = float(np.linalg.norm(np.abs(packed.positions[:, :3]).max(axis=0))) * packed.step
    return _RIGID_METRES + radius * _TURN_RADIANS


def assemble(placements: Placements, packer: Packer, center: Floats) -> Content:
    """Draw placements around `center` (3,); their `features` are the rows of the tile's table."""
    repeats: list[Repeats] = []
    merged = np.ones(len(placements), bool)
    counts = np.bincount(placements.shapes)
    for number in np.flatnonzero(counts >= _FEWEST_REPEATS).tolist():
        shape = packer.shape_of(number)
        if len(shape.triangles) * (counts[number] - 1) < _SAVED_TRIANGLES:
            continue
        radius = float(np.linalg.norm(np.abs(shape.bounds).max(axis=0)))
        rows = np.flatnonzero(placements.shapes == number)
        scale, rotations, rigid = _turns(placements.transforms[rows, :3, :3], radius)
        if radius > _ROTATION_METRES or rigid.sum() < _FEWEST_REPEATS:
            continue
        rows, rotations = rows[rigid], rotations[rigid]
        merged[rows] = False
        offsets = placements.transforms[rows, :3, 3] - center
        repeats.append(
            Repeats(
                packer.packed(number),
                placements.features[rows],
                offsets,
                rotations,
                scale,
            )
        )
    return Content(_batches(placements[merged], packer), repeats)


def _turns(linear: Floats, radius: float) -> tuple[float, Floats, NDArray[np.bool_]]:
    """The common scale of matrices (k, 3, 3), their quaternions (k, 4), and which fit that well."""
    sizes = np.cbrt(np.linalg.det(linear))
    scale = float(np.median(sizes))
    if scale <= 0:
        return 1.0, np.zeros((len(linear), 4)), np.zeros(len(linear), bool)
    turns = quaternions(linear / scale)
    missed = np.linalg.norm(matrices(turns) * scale - linear, axis=(1, 2)) * radius
    return scale, turns, missed <= _RIGID_METRES


def _batches(placements: Placements, packer: Packer) -> list[Batch]:
    size = _CELL_SHARE * packer.lattice.reach
    cells = np.floor(placements.bounds.mean(axis=1) / size).astype(np.int64)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    return [
        _batch(placements[cell.ravel() == number], packer)
        for number in range(int(cell.max(initial=-1)) + 1)
    ]


def _batch(placements: Placements, packer: Packer) -> Batch:
    shape, rows = merge(placements, packer.shape_of)
    heading = main_heading(shape.normals)
    cosine, sine = np.cos(heading), np.sin(heading)
    back = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    turned = replace(shape, positions=shape.positions @ back, normals=shape.normals @ back)
    return Batch(pack(turned, packer.lattice), rows, heading)


def main_heading(normals: Floats) -> float:
    """How far most upright surfaces are turned against the frame, radians, 0 to a right angle.

    normals (n, 3). Positions on a lattice turned like the walls repeat themselves, and so compress
    to little more than half.
    """
    level = normals[np.abs(normals[:, 2]) < 0.05]
    steps = np.rint(np.degrees(np.arctan2(level[:, 1], level[:, 0])) * 10).astype(np.int64) % 900
    counts = np.bincount(steps, minlength=900)
    best = int(counts.argmax())
    if best == 0 or counts[best] < 0.1 * len(normals):
        return 0.0
    same = level[steps == best]
    turns = np.arctan2(same[:, 1], same[:, 0]) % (np.pi / 2)
    return float(np.round(np.median(turns), 9))


def merge(placements: Placements, shape_of: ShapeOf) -> tuple[Shape, NDArray[np.int64]]:
    """Placed shapes as one, in the coordinates of the frame, and the feature of each vertex."""
    shapes = [shape_of(number) for number in placements.shapes.tolist()]
    linear, offsets = placements.transforms[:, :3, :3], placements.transforms[:, :3, 3]
    upright = np.linalg.inv(linear)
    mirrored = np.linalg.det(linear) < 0
    positions, normals, opaque, clear = [], [], [], []
    base = 0
    for i, shape in enumerate(shapes):
        positions.append(shape.positions @ linear[i].T + offsets[i])
        normals.append(shape.normals @ upright[i])
        triangles = (shape.triangles[:, ::-1] if mirrored[i] else shape.triangles) + np.uint32(base)
        opaque.append(triangles[: shape.opaque])
        clear.append(triangles[shape.opaque :])
        base += len(shape.positions)
    facing = np.vstack(normals)
    facing /= np.linalg.norm(facing, axis=1, keepdims=True)
    solid: Indices = np.vstack(opaque)
    merged = Shape(
        np.vstack(positions), facing, np.vstack([shape.colors for shape in shapes]),
        np.vstack([solid, *clear]), len(solid),
    )  # fmt: skip
    return merged, np.repeat(placements.features, [len(shape.positions) for shape in shapes])
