"""Normals: round things shaded round, edges kept sharp."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices, Mesh

CREASE_DEGREES = 35.0
"""Faces that meet at less than this are one surface."""

_MAX_FAN = 64
"""At vertices with more faces than this (the hub of a cap), faces stay flat: pairs grow squared."""


@dataclass(frozen=True, slots=True)
class Shaded:
    """A mesh ready to draw.

    positions, normals
        (n, 3) float64; the normals are unit vectors.
    triangles
        (m, 3) uint32; triangles without area are left out.
    """

    positions: Floats
    normals: Floats
    triangles: Indices


def shade(mesh: Mesh) -> Shaded:
    """Give every corner of a mesh a normal, splitting vertices only where surfaces meet sharply."""
    corners = mesh.positions[mesh.triangles]
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(doubled, axis=1)
    sound = mesh.solid()
    triangles, doubled, area = mesh.triangles[sound], doubled[sound], area[sound]
    if not len(triangles):
        nothing = np.empty((0, 3))
        return Shaded(nothing, nothing, np.empty((0, 3), np.uint32))
    flat = doubled / area[:, None]
    place = _welded(mesh.positions)[triangles].ravel()
    normals = _smoothed(place, np.repeat(flat, 3, axis=0), np.repeat(area, 3))
    # Equal places with (nearly) equal normals become one vertex again.
    key = np.column_stack([place, np.rint(normals * 1000).astype(np.int64)])
    _, first, index = np.unique(key, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    chosen = first[order]
    return Shaded(
        mesh.positions[triangles.ravel()[chosen]],
        normals[chosen],
        rank[index.ravel()].reshape(-1, 3).astype(np.uint32),
    )


def _welded(positions: Floats) -> NDArray[np.int64]:
    """The same number for vertices closer than a tenth of a millimetre (on a grid)."""
    grid = np.rint(positions * 1e4).astype(np.int64)
    _, index = np.unique(grid, axis=0, return_inverse=True)
    return index.ravel()


def _smoothed(place: NDArray[np.int64], flat: Floats, weight: Floats) -> Floats:
    """Per corner: the area-weighted mean of the face normals that share its place and surface.

    place (k,), flat (k, 3) and weight (k,) are per corner; the result is (k, 3).
    """
    order = np.argsort(place, kind="stable")
    counts = np.bincount(place)
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    result = flat.copy()
    cosine = np.cos(np.radians(CREASE_DEGREES))
    for size in np.unique(counts):
        if size < 2 or size > _MAX_FAN:
            continue
        # All places where `size` corners meet, at once: (places, size) corner numbers.
        fans = order[starts[counts == size][:, None] + np.arange(size)]
        faces = flat[fans]
        alike = np.einsum("pic,pjc->pij", faces, faces) > cosine
        summed = np.einsum("pij,pj,pjc->pic", alike.astype(np.float64), weight[fans], faces)
        result[fans] = summed / np.linalg.norm(summed, axis=2, keepdims=True)
    return result
