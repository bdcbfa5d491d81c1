"""Normals: round things shaded round, edges kept sharp. Any number of shapes in one go."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices

CREASE_DEGREES = 35.0
"""Faces that meet at less than this are one surface."""

_MAX_FAN = 64
"""At vertices with more faces than this (the hub of a cap), faces stay flat: pairs grow squared."""

_WELD_METRES = 1e-4
_NORMAL_STEPS = 512
_COLOR_STEPS = 65_535


@dataclass(frozen=True, slots=True)
class Soup:
    """Triangles of many shapes, end to end.

    positions
        (n, 3) float64, metres.
    triangles
        (m, 3) uint32 into `positions`; each triangle lies in one shape, and has an area.
    colors
        (m, 4) float64, linear, per triangle.
    owners
        (n,) the number of the shape of each vertex, not decreasing.
    """

    positions: Floats
    triangles: Indices
    colors: Floats
    owners: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shaded:
    """What can be drawn: a vertex for every place, normal and colour.

    positions, normals
        (n, 3) float64; the normals are unit vectors. Vertices of one place are exactly equal, so
        that no crack opens between surfaces or colours.
    colors
        (n, 4) float64, linear.
    owners
        (n,) the shape of each vertex, not decreasing.
    triangles
        (m, 3) uint32, in the order of the soup's.
    """

    positions: Floats
    normals: Floats
    colors: Floats
    owners: NDArray[np.int64]
    triangles: Indices


def shade(soup: Soup) -> Shaded:
    """Give every corner a normal, splitting vertices only where surfaces or colours meet."""
    corners = soup.positions[soup.triangles]
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(doubled, axis=1)
    grid = np.rint(soup.positions / _WELD_METRES).astype(np.int64)
    home, place_of = numbered((soup.owners, *grid.T))
    place = place_of[soup.triangles].ravel()
    flat = np.repeat(doubled / area[:, None], 3, axis=0)
    normals = _smoothed(place, flat, np.repeat(area, 3))
    color = np.repeat(np.rint(soup.colors * _COLOR_STEPS).astype(np.int64), 3, axis=0)
    # Equal places with (nearly) equal normals and equal colours are one vertex again.
    facing = np.rint(normals * _NORMAL_STEPS).astype(np.int64)
    first, vertex = numbered((place, *facing.T, *color.T))
    order = np.argsort(soup.owners[soup.triangles].ravel()[first], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    first = first[order]
    return Shaded(
        soup.positions[home[place[first]]],
        normals[first],
        np.repeat(soup.colors, 3, axis=0)[first],
        soup.owners[soup.triangles].ravel()[first],
        rank[vertex].reshape(-1, 3).astype(np.uint32),
    )


def numbered(
    columns: Sequence[NDArray[np.int64]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number the different rows that integer columns (n,) make side by side.

    Returns the row where each number first stands, and the number of each row, (n,).

    >>> first, number = numbered((np.array([5, 5, 7]), np.array([1, 1, 0])))
    >>> first.tolist(), number.tolist()
    ([0, 2], [0, 0, 1])
    """
    key = np.zeros(len(columns[0]), np.int64)
    span = 1
    for column in columns:
        low = int(column.min(initial=0))
        width = int(column.max(initial=0)) - low + 1
        if span > (1 << 62) // width:  # too wide for one integer: number what there is so far
            _, key = np.unique(key, return_inverse=True)
            span = int(key.max(initial=0)) + 1
        key = key * width + (column - low)
        span *= width
    _, first, number = np.unique(key, return_index=True, return_inverse=True)
    return first, number


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
        alike = (faces @ faces.transpose(0, 2, 1)) > cosine
        summed = (alike * weight[fans][:, None, :]) @ faces
        result[fans] = summed / np.linalg.norm(summed, axis=2, keepdims=True)
    return result
