"""Polygons in space become triangles: the door of mapbox_earcut."""

from collections.abc import Sequence

import mapbox_earcut
import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats, Indices

NO_AREA = 1e-10
"""Square metres; less is a line."""

_OFF = 1e-6
"""By which share of its area the triangles of a simple polygon may be wrong by rounding."""


class NotFilled(ValueError):
    """An outline that cannot be filled, since it crosses itself."""


class NoArea(NotFilled):
    """An outline that is a line or a point."""


def normal_of(ring: Floats) -> Floats:
    """The normal (3,) of a ring (n, 3), as long as its area is large, by Newell's method.

    >>> normal_of(np.array([[0.0, 0, 5], [2, 0, 5], [2, 3, 5], [0, 3, 5]])).tolist()
    [0.0, 0.0, 6.0]
    """
    local = ring - ring[0]
    following = np.roll(local, -1, axis=0)
    return np.asarray(np.cross(local, following).sum(axis=0) / 2, np.float64)


def triangulated(rings: Sequence[Floats]) -> Indices:
    """The triangles (m, 3) of a flat polygon, indices into its rings end to end.

    rings are (n, 3), metres, unclosed: the outline and then its holes, in one plane as nearly as
    surveys are. The triangles turn like the outline. Raises `NoArea` where there is none, and
    `NotFilled` where the outline crosses itself so that triangles cannot fill it.
    """
    if any(len(ring) < 3 for ring in rings):
        raise NoArea("it has no area")
    normal = normal_of(rings[0])
    if np.linalg.norm(normal) < NO_AREA:
        raise NoArea("it has no area")
    if len(rings) == 1 and len(rings[0]) == 3:
        return np.array([[0, 1, 2]], np.uint32)
    # Seen along the axis it faces most, so that nothing is squeezed by more than the square root of 3.
    axis = int(np.abs(normal).argmax())
    columns = ((1, 2), (2, 0), (0, 1))[axis]
    flat = np.vstack(rings)[:, columns]
    flat = flat - flat[0]
    triangles = filled(flat, np.cumsum([len(ring) for ring in rings]))
    corners = flat[triangles]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    areas = (u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
    outline = float(normal[axis])
    wanted = abs(outline) - sum(abs(float(normal_of(hole)[axis])) for hole in rings[1:])
    if wanted <= 0 or abs(float(np.abs(areas).sum()) - wanted) > _OFF * abs(outline) + NO_AREA:
        raise NotFilled("its outline crosses itself")
    return triangles if outline > 0 else np.ascontiguousarray(triangles[:, ::-1])


def filled(flat: Floats, ends: NDArray[np.int64]) -> Indices:
    """The triangles (m, 3) of a plane polygon, counter-clockwise.

    flat (n, 2) holds its rings unclosed and end to end, the outline first; ends (r,) says where
    each ends. Their own turn does not matter.
    """
    triangles = mapbox_earcut.triangulate_float64(flat, ends.astype(np.uint32)).reshape(-1, 3)
    return np.asarray(triangles, np.uint32)
