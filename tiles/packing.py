"""From float64 metres to the few bytes that travel: positions on a lattice, small normals.

Positions are 16-bit integers on a lattice whose step is a power of two, so that what touches keeps
touching. The step is as fine as the part is small, and never coarser than its lattice allows; a
part too large for that keeps 32-bit floats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices
from tiles import meshopt
from tiles.shapes import Shape

_REACH = 32_767
_WIDE = 2**23 - 32


@dataclass(frozen=True, slots=True)
class Lattice:
    """How fine positions may be, and how coarse they may become; both powers of two, metres."""

    finest: float
    coarsest: float

    @property
    def reach(self) -> float:
        """How far parts may extend to fit, metres, with room for what is rounded."""
        return 2 * (_REACH - 32) * self.coarsest

    def step(self, extent: float) -> float | None:
        """The step for a part that reaches over `extent` metres; None if none is allowed."""
        step = self.finest
        # The origin is rounded too: a few units of the range are for that.
        while extent / 2 > (_REACH - 32) * step:
            step *= 2
        return step if step <= self.coarsest else None


NEAR = Lattice(2.0**-10, 2.0**-8)
"""For leaves: a point moves by 3.4 mm at most, where the tile is wide, and by 0.85 where not."""


WIDE_REACH = 2 * _WIDE * NEAR.finest
"""How far a wide part may extend to be on the finest lattice, metres."""


def far_lattice(error: float) -> Lattice:
    """For what may be wrong by `error` metres anyway, a power of two."""
    return Lattice(max(NEAR.finest, error / 512), max(NEAR.coarsest, error / 8))


@dataclass(frozen=True, slots=True)
class Packed:
    """Triangles as they are written.

    positions
        (n, 4) int16 in steps from `origin`, the fourth 0; or (n, 3) int32 in steps from it, at most
        24 bits of them; or (n, 3) float32 metres from it.
    normals
        (n, 4) int8, as the OCTAHEDRAL filter encodes them where meshopt is there.
    colors
        (n, 4) uint16 normalised, linear; None where all are `color`.
    triangles, opaque
        (m, 3) uint32, the opaque ones first, and how many these are.
    step
        What one unit of a position is, metres; 1 for floats.
    origin
        (3,) metres.
    """

    positions: NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float32]
    normals: NDArray[np.int8]
    colors: NDArray[np.uint16] | None
    color: tuple[float, ...]
    triangles: Indices
    opaque: int
    step: float
    origin: Floats

    @property
    def shift(self) -> float:
        """How far a point may have moved, metres."""
        return 0.0 if self.positions.dtype == np.float32 else self.step * 3**0.5 / 2


def pack(shape: Shape, lattice: Lattice, *, wide: bool = False) -> Packed:
    """Put a shape on the lattice.

    A `wide` one has 24 bits for each coordinate and is put on the finest unless it reaches farther
    than `WIDE_REACH`: for what is thin and long, as pipes are.
    """
    low, high = shape.bounds
    if wide:
        fine = lattice.finest
        while float((high - low).max()) > 2 * _WIDE * fine:
            fine *= 2
        return _packed(shape, fine, _origin(shape, lattice), np.int32)
    step = lattice.step(float((high - low).max()))
    return _packed(shape, step, _origin(shape, lattice), np.int16)


def _origin(shape: Shape, lattice: Lattice) -> Floats:
    """A corner of the lattice near the middle, and so the same points for parts that share it."""
    corner = 16 * lattice.finest
    origin: Floats = np.rint(shape.bounds.mean(axis=0) / corner) * corner
    return origin


def _packed(
    shape: Shape, step: float | None, origin: Floats, kind: type[np.int16] | type[np.int32]
) -> Packed:
    positions: NDArray[np.int16] | NDArray[np.int32] | NDArray[np.float32]
    if step is None:
        step, positions = 1.0, (shape.positions - origin).astype(np.float32)
    elif kind is np.int32:
        positions = np.rint((shape.positions - origin) / step).astype(np.int32)
    else:
        positions = np.zeros((len(shape.positions), 4), np.int16)
        positions[:, :3] = np.rint((shape.positions - origin) / step)
    colors = np.rint(shape.colors * 65_535).astype(np.uint16)
    alike = bool((colors == colors[0]).all())
    return Packed(
        positions, _normals(shape.normals), None if alike else colors,
        tuple(shape.colors[0].tolist()), shape.triangles, shape.opaque, step, origin,
    )  # fmt: skip


def _normals(normals: Floats) -> NDArray[np.int8]:
    if meshopt.AVAILABLE:
        return meshopt.encode_octahedral(normals)
    plain = np.zeros((len(normals), 4), np.int8)
    plain[:, :3] = np.rint(normals * 127)
    return plain
