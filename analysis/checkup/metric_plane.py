"""The plane that a check-up measures in: metres that are metres on the ground."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.city import City
from cim_core.city_file import default_crs
from cim_core.errors import InvalidInput
from cim_core.frame import Frame, Projection
from cim_core.mesh import Floats

_TRUE = 0.01
"""So much an area may differ from that on the ground. Transverse Mercator zones stay within 0.1 %;
EPSG:3857 has 18 % too much in Guangzhou, and 143 % in Prague."""


@dataclass(frozen=True, slots=True)
class MetricPlane:
    """A projected plane in metres, east and north."""

    name: str
    projection: Projection

    def laid_out(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Shapes in degrees, (n,), in metres of the plane."""
        found: NDArray[np.object_] = shapely.transform(shapes, self._to_metres)
        return found

    def degrees(self, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
        """Shapes of the plane, (n,), in longitude and latitude."""
        found: NDArray[np.object_] = shapely.transform(shapes, self._to_degrees)
        return found

    def _to_metres(self, points: Floats) -> Floats:
        if not len(points):
            return points
        places = np.column_stack([points, np.zeros(len(points))])
        found: Floats = self.projection.from_geographic(places)[:, :2] * self.projection.unit
        return found

    def _to_degrees(self, points: Floats) -> Floats:
        if not len(points):
            return points
        places = np.column_stack([points / self.projection.unit, np.zeros(len(points))])
        return self.projection.to_geographic(places)[:, :2]


def plane_of(city: City) -> MetricPlane:
    """The city's own plane, or the usual one there where the city's is not true to areas.

    Raises `InvalidInput` for a city that has no place yet.
    """
    settings = city.settings
    if settings.frame is None:
        raise InvalidInput(
            f"the city {settings.name!r} has no place yet; import a layer that has one first"
        )
    if settings.crs is not None:
        own = city.projection(settings.crs)
        if abs(_scale(own, settings.frame) - 1.0) <= _TRUE:
            return MetricPlane(settings.crs, own)
    usual = default_crs(settings.frame)
    return MetricPlane(usual, city.projection(usual))


def _scale(projection: Projection, frame: Frame) -> float:
    """How large a square metre of the ground at an anchor is in a plane, m²."""
    side = 100.0
    corners = frame.to_geographic(side * np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]))
    at, east, north = projection.from_geographic(corners)[:, :2] * projection.unit
    (a, b), (c, d) = east - at, north - at
    return float(abs(a * d - b * c)) / side**2
