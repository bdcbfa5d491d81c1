"""Web Mercator map tiles: which box a tile is, and shapes in a tile's own grid."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.errors import NotFound

DEEPEST = 24
"""At this level a pixel is about a centimetre: nobody asks for more."""

_REACH = 85.0511287798066
"""Latitude at which the square map of the world ends."""

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class MapTile:
    """A tile of the XYZ scheme: column `x` from 180° west, row `y` from the north."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        side = 1 << self.z if 0 <= self.z <= DEEPEST else 0
        if not (0 <= self.x < side and 0 <= self.y < side):
            raise NotFound(f"there is no map tile {self.z}/{self.x}/{self.y}")

    def box(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees, `margin` of its width wider on each side.

        >>> MapTile(1, 1, 0).box()
        (0.0, 0.0, 180.0, 85.0511287798066)
        """
        return (
            self._lon(self.x - margin), self._lat(self.y + 1 + margin),
            self._lon(self.x + 1 + margin), self._lat(self.y - margin),
        )  # fmt: skip

    def metres(self) -> float:
        """How wide the tile is on the ground, at its middle."""
        west, south, east, north = self.box()
        return math.radians(east - west) * 6378137.0 * math.cos(math.radians((south + north) / 2))

    def grid(self, shapes: Shapes, extent: int) -> Shapes:
        """Shapes (n,) in longitude and latitude, in the tile's grid: x right, y down, 0 to `extent`."""
        flat = shapely.force_2d(shapes)
        points = shapely.get_coordinates(flat)
        lat = np.radians(np.clip(points[:, 1], -_REACH, _REACH))
        side = 2.0**self.z
        across = ((points[:, 0] + 180.0) / 360.0 * side - self.x) * extent
        down = ((1.0 - np.arcsinh(np.tan(lat)) / np.pi) / 2.0 * side - self.y) * extent
        moved: Shapes = shapely.set_coordinates(flat, np.column_stack([across, down]))
        return moved

    def _lon(self, x: float) -> float:
        return x / 2.0**self.z * 360.0 - 180.0

    def _lat(self, y: float) -> float:
        share = math.pi * (1 - 2 * y / 2.0**self.z)
        return max(-_REACH, min(_REACH, math.degrees(math.atan(math.sinh(share)))))
