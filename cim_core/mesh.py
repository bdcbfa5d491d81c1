"""Triangle meshes and the materials they are drawn with."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Material:
    """A surface: its name and linear base colour.

    `color` is red, green, blue and opacity, each 0–1; opacity below 1 is translucent.
    """

    name: str
    color: tuple[float, float, float, float]

    def srgb(self) -> tuple[int, int, int]:
        """Red, green and blue as screens and drawings take them (IEC 61966-2-1), 0–255.

        >>> Material("", (1.0, 0.2122, 0.0, 1.0)).srgb()
        (255, 127, 0)
        """
        red, green, blue = (
            round(255 * (12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055))
            for c in self.color[:3]
        )
        return red, green, blue


PLAIN = Material("", (0.78, 0.78, 0.76, 1.0))
"""What is drawn where the source names no material."""


_NO_AREA = 5e-13
"""Square metres: less is a point or a line that rounding has opened."""


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles of one material.

    positions
        (n, 3) float64, metres, in the mesh's own coordinates.
    triangles
        (m, 3) uint32, indices into `positions`, counter-clockwise seen from outside.
    """

    positions: Floats
    triangles: Indices
    material: Material = field(default=PLAIN)

    def key(self) -> str:
        """A content hash: two meshes of the same key are the same mesh (32 hex digits)."""
        digest = hashlib.sha256()
        digest.update(repr((self.material.name, self.material.color)).encode())
        digest.update(np.ascontiguousarray(self.positions, np.float64).tobytes())
        digest.update(np.ascontiguousarray(self.triangles, np.uint32).tobytes())
        return digest.hexdigest()[:32]

    def bounds(self) -> Floats:
        """The axis-aligned box as (2, 3) float64: lower corner, upper corner."""
        return np.array([self.positions.min(axis=0), self.positions.max(axis=0)])

    def areas(self) -> Floats:
        """The area of each triangle, (m,) square metres."""
        corners = self.positions[self.triangles]
        cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        return np.asarray(np.linalg.norm(cross, axis=1) / 2, np.float64)

    def area(self) -> float:
        """The summed area of all triangles, square metres."""
        return float(self.areas().sum())

    def solid(self) -> NDArray[np.bool_]:
        """Which triangles have an area at all, (m,); the others cannot be drawn."""
        return self.areas() > _NO_AREA


def solid_triangles(meshes: Mapping[str, Mesh]) -> dict[str, NDArray[np.bool_]]:
    """`Mesh.solid` of many meshes at once, by key; far faster than one by one."""
    if not meshes:
        return {}
    every = list(meshes.values())
    starts = np.cumsum([0, *(len(mesh.positions) for mesh in every)])
    triangles = [m.triangles + np.uint32(s) for m, s in zip(every, starts[:-1], strict=True)]
    solid = Mesh(np.vstack([mesh.positions for mesh in every]), np.vstack(triangles)).solid()
    ends = np.cumsum([len(part) for part in triangles])[:-1]
    return dict(zip(meshes, np.split(solid, ends), strict=True))


def transformed(positions: Floats, matrix: Floats) -> Floats:
    """Apply an affine (4, 4) matrix to (n, 3) positions; the result is (n, 3) float64."""
    result: Floats = positions @ matrix[:3, :3].T + matrix[:3, 3]
    return result
