"""The view corridor of a planning check: where it runs, and how high its lower surface is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import shapely

from analysis.areas import area_of
from analysis.rays.scene import Scene
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_SHORTEST = 1.0
"""Metres from one end of a line to the other: a surface that rises over less has no sensible slope."""


def corridor_of(
    scene: Scene, given: Mapping[str, Any], width: float, begin: float, end: float | None
) -> tuple[shapely.Geometry, Callable[[Floats], Floats]]:
    """A corridor from above, and its lower surface, in metres in the frame of a scene.

    It is a GeoJSON Polygon, level at `begin`, or a LineString, `width` metres wide, whose surface goes
    from `begin` to `end`, heights in the city's datum; without `end` it is level. The surface gives the
    height (n,) at (n, 2). Raises `InvalidInput` for what is neither, and for a line that leads nowhere.
    """
    if (given.get("geometry") or given).get("type") != "LineString":
        area = scene.laid(area_of(given, "corridor"))
        west, south, east, north = area.bounds
        line = np.array([[west, south], [east, north]])
        end = begin
    else:
        line = _line(scene, given)
        area = shapely.buffer(shapely.LineString(line), width / 2, cap_style="flat")
    ends = scene.geographic(np.column_stack([line[[0, -1]], np.zeros(2)]))
    ends[:, 2] = begin, begin if end is None else end
    low, high = scene.local(ends)
    way = high[:2] - low[:2]

    def limit(places: Floats) -> Floats:
        along = (places - low[:2]) @ way / float(way @ way)
        found: Floats = low[2] + along * (high[2] - low[2])
        return found

    return area, limit


def _line(scene: Scene, given: Mapping[str, Any]) -> Floats:
    """The corners of a line, (n, 2) metres in the frame."""
    try:
        shape = shapely.force_2d(shapely.geometry.shape(given.get("geometry", given)))
    except (KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise _no_line() from None
    places = shapely.get_coordinates(shape)
    if len(places) < 2 or not (np.abs(places) <= (180.0, 90.0)).all():
        raise _no_line()
    line: Floats = shapely.get_coordinates(scene.laid(shape))
    if not np.hypot(*(line[-1] - line[0])) > _SHORTEST:
        raise _no_line()
    return line


def _no_line() -> InvalidInput:
    return InvalidInput(
        "corridor is not a GeoJSON LineString in longitude and latitude whose ends lie more than a metre "
        "apart; give one from where one looks to what is looked at"
    )
