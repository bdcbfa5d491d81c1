"""One tile of terrain in the format quantized-mesh 1.0, with oct-encoded vertex normals."""

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import geographic_to_ecef
from cim_core.mesh import Floats, Indices

STEPS = 32767
"""Into how many steps the width, depth and height of a tile are divided."""

_EQUATORIAL, _POLAR = 6378137.0, 6356752.3142451793
_OCT_NORMALS = 1


@dataclass(frozen=True, slots=True)
class TileMesh:
    """The triangles of a tile.

    box
        west, south, east, north, degrees.
    across, along, up
        Each vertex, (n,) int in steps from west, from south and from `bottom`.
    bottom, top
        Ellipsoidal heights of the first and the last step, metres, exact as float32.
    normals
        (n, 3) unit vectors in EPSG:4978.
    triangles
        (m, 3), counter-clockwise from above; vertices are in the order of their first use.
    """

    box: tuple[float, float, float, float]
    across: NDArray[np.int64]
    along: NDArray[np.int64]
    up: NDArray[np.int64]
    bottom: float
    top: float
    normals: Floats
    triangles: Indices


def encode(tile: TileMesh) -> bytes:
    """The bytes of a tile; at most 65,536 vertices."""
    west, south, east, north = tile.box
    heights = tile.bottom + tile.up * ((tile.top - tile.bottom) / STEPS)
    places = geographic_to_ecef(
        np.column_stack(
            [
                west + tile.across * ((east - west) / STEPS),
                south + tile.along * ((north - south) / STEPS),
                heights,
            ]
        )
    )
    middle = (places.min(axis=0) + places.max(axis=0)) / 2
    radius = float(np.linalg.norm(places - middle, axis=1).max())
    header = struct.pack(
        "<3d2f3dd3d",
        *middle, tile.bottom, tile.top, *middle, radius, *_horizon_occlusion_point(places, middle),
    )  # fmt: skip
    vertices = np.concatenate([_deltas(tile.across), _deltas(tile.along), _deltas(tile.up)])
    triangles = _high_water_mark(tile.triangles.ravel())
    normals = _oct_encoded(tile.normals)
    return b"".join(
        [
            header,
            struct.pack("<I", len(tile.across)),
            vertices.astype("<u2").tobytes(),
            struct.pack("<I", len(tile.triangles)),
            triangles.astype("<u2").tobytes(),
            *(_edge(tile, *side) for side in _SIDES),
            struct.pack("<BI", _OCT_NORMALS, normals.nbytes),
            normals.tobytes(),
        ]
    )


_SIDES = (("across", 0), ("along", 0), ("across", STEPS), ("along", STEPS))
"""west, south, east, north"""


def _edge(tile: TileMesh, axis: str, value: int) -> bytes:
    on_it = np.flatnonzero(getattr(tile, axis) == value)
    other = tile.along if axis == "across" else tile.across
    ordered = on_it[np.argsort(other[on_it])]
    return struct.pack("<I", len(ordered)) + ordered.astype("<u2").tobytes()


def _deltas(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Differences to the value before, the signs in the lowest bit."""
    steps = np.diff(values, prepend=0)
    return (steps << 1) ^ (steps >> 63)


def _high_water_mark(indices: Indices) -> NDArray[np.int64]:
    """How far each index lies below the first that was not yet used."""
    flat = indices.astype(np.int64)
    used = np.concatenate([[0], np.maximum.accumulate(flat)[:-1] + 1])
    result: NDArray[np.int64] = used - flat
    return result


def _oct_encoded(normals: Floats) -> NDArray[np.uint8]:
    """(n, 3) unit vectors → (n, 2) (Meyer et al. 2010, "On Floating-Point Normal Vectors")."""
    flat = normals[:, :2] / np.abs(normals).sum(axis=1, keepdims=True)
    folded = (1 - np.abs(flat[:, ::-1])) * np.where(flat < 0, -1.0, 1.0)
    flat = np.where(normals[:, 2:] < 0, folded, flat)
    result: NDArray[np.uint8] = np.round((flat * 0.5 + 0.5) * 255).astype(np.uint8)
    return result


def _horizon_occlusion_point(places: Floats, middle: Floats) -> Floats:
    """The point on the way through the middle that is hidden last of all, in ellipsoid-scaled space.

    Cozzi and Ring, "3D Engine Design for Virtual Globes", 12.4; places (n, 3) in EPSG:4978.
    """
    radii = np.array([_EQUATORIAL, _EQUATORIAL, _POLAR])
    scaled = places / radii
    size = np.linalg.norm(scaled, axis=1)
    direction = middle / radii
    direction = direction / np.linalg.norm(direction)
    outwards = scaled / size[:, None]
    size = np.maximum(size, 1.0)  # what lies below the ellipsoid is hidden no later than on it
    cos_a = outwards @ direction
    sin_a = np.linalg.norm(np.cross(outwards, direction), axis=1)
    cos_b = 1 / size
    sin_b = np.sqrt(size**2 - 1) * cos_b
    with np.errstate(divide="ignore"):
        magnitudes = 1 / (cos_a * cos_b - sin_a * sin_b)
    # A tile of half the globe has corners that no point on that way hides.
    reached = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    point: Floats = direction * (reached.max() if len(reached) == len(places) else 1e6)
    return point
