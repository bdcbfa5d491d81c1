"""Planes that cut a layer, with the axes of the drawing that lies in them."""

import math
from dataclasses import dataclass

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_UP = np.array([0.0, 0.0, 1.0])
_NORTH = np.array([0.0, 1.0, 0.0])
_ALMOST_LEVEL = 1e-6
"""The sine of the tilt below which a plane's drawing has north at the top."""


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane in a layer's frame, seen from the side its normal points to.

    origin, right, up
        (3,) float64, metres and unit vectors in the frame: where the drawing's zero is, and where
        its axes point.
    """

    origin: Floats
    right: Floats
    up: Floats

    @property
    def normal(self) -> Floats:
        """The unit vector (3,) towards the one who looks at the drawing."""
        return np.asarray(np.cross(self.right, self.up), np.float64)

    def distances(self, positions: Floats) -> Floats:
        """How far (n, 3) positions in the frame lie before the plane, (n,) metres."""
        return np.asarray((positions - self.origin) @ self.normal, np.float64)

    def drawn(self, positions: Floats) -> Floats:
        """(n, 3) positions in the frame as (n, 2) metres right and up in the drawing."""
        return np.asarray(
            (positions - self.origin) @ np.column_stack([self.right, self.up]), np.float64
        )


def level(z: float) -> Plane:
    """The level plane at `z` metres in the frame, seen from above, north at the top.

    >>> level(3.0).drawn(np.array([[1.0, 2.0, 3.0]])).tolist()
    [[1.0, 2.0]]
    """
    return Plane(np.array([0.0, 0.0, z]), np.array([1.0, 0.0, 0.0]), _NORTH)


def upright(start: Floats, end: Floats) -> Plane:
    """The upright plane through two places (3,), `start` to the left; raises `InvalidInput`.

    The drawing's zero is at `start`.
    """
    across = np.array([*(end - start)[:2], 0.0])
    length = float(np.linalg.norm(across))
    if not math.isfinite(length) or length < 1e-3:
        raise InvalidInput("the two ends of the section line are one place; give two")
    return Plane(np.asarray(start, np.float64), across / length, _UP)


def facing(point: Floats, normal: Floats) -> Plane:
    """The plane through a point (3,) that is seen from where `normal` (3,) points to.

    Up in the drawing is up in the world, or north where the plane is level. Raises `InvalidInput`
    where the normal has no direction.
    """
    length = float(np.linalg.norm(normal))
    if not math.isfinite(length) or length < 1e-9:
        raise InvalidInput(
            "the normal of the plane has no direction; give one, as in normal=0,-1,0"
        )
    towards = normal / length
    tilt = math.hypot(towards[0], towards[1])
    up = _NORTH if tilt < _ALMOST_LEVEL else _UP
    right = np.cross(up, towards)
    right /= np.linalg.norm(right)
    return Plane(
        np.asarray(point, np.float64), right, np.asarray(np.cross(towards, right), np.float64)
    )
