"""Panels on the walls of buildings, and squares on the ground: what light and views are asked of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from analysis.rays.scene import Scene
from analysis.rays.tree import Ints
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_OFF = 0.02
"""Metres that points lie before their wall or above their ground, so that these do not hide them."""
_DRAWN = 0.1
"""Metres that panels are drawn before their wall."""
_SHORTEST = 0.5
"""Metres of wall that no panel is put on."""
_LOWEST = 0.5
"""Metres of wall above the highest row at least."""
MOST = 5000
"""Points that are asked at once."""


@dataclass(frozen=True, slots=True)
class Panels:
    """Panels of walls in the frame of a scene.

    points
        (n, 3) a little before the middle of each, at the height that is looked at.
    things
        (n,) which thing's wall each is of.
    storeys
        (n,) counted from 0, the lowest.
    corners
        (n, 4, 3) its corners.
    """

    points: Floats
    things: Ints
    storeys: Ints
    corners: Floats


def wall_panels(
    scene: Scene, things: Sequence[int], wide: float, sill: float, storey: float, *, all_storeys: bool,
    most: int = MOST,
) -> Panels:  # fmt: skip
    """Panels about `wide` metres wide on the outer walls of some things, where no other thing is.

    The point of each lies `sill` metres above its floor; floors are `storey` metres apart, the lowest
    at the bottom of the body or at the ground, whichever is higher. Raises `InvalidInput` where
    there would be too many.
    """
    outlines = scene.outlines
    present = [o for o, thing in zip(outlines, scene.things, strict=True) if not thing.planned]
    others = shapely.STRtree(present)
    points, owners, storeys, corners = [], [], [], []
    for thing in things:
        middles, along, length = _on_edges(outlines[thing], wide)
        out = np.column_stack([along[:, 1], -along[:, 0]])  # the building is at the left
        before = middles + _OFF * out
        # A wall that another building stands against has no windows.
        covered = np.zeros(len(before), bool)
        covered[others.query(shapely.points(before), predicate="within")[0]] = True
        free = ~covered
        middles, along, out, before = middles[free], along[free], out[free], before[free]
        half = along * (length[free] / 2)[:, None]
        left, right = middles - half + _DRAWN * out, middles + half + _DRAWN * out
        body = scene.bodies([thing])[:, :, 2]
        if len(middles) == 0 or body.size == 0:
            continue
        places = scene.geographic(np.column_stack([before, np.zeros(len(before))]))
        floor = np.maximum(scene.on_ground(places[:, :2])[:, 2], body.min())
        rows = int((body.max() - body.min() - _LOWEST - sill) // storey) + 1 if all_storeys else 1
        for row in range(max(rows, 1)):
            low = floor + row * storey
            high = np.minimum(low + storey, body.max())
            there = low + sill < body.max()
            points.append(np.column_stack([before, low + sill])[there])
            owners.append(np.full(int(there.sum()), thing, np.int64))
            storeys.append(np.full(int(there.sum()), row, np.int64))
            quad = np.stack(
                [
                    np.column_stack([side, height])
                    for side, height in ((left, low), (right, low), (right, high), (left, high))
                ],
                axis=1,
            )
            corners.append(quad[there])
        if sum(map(len, points)) > most:
            raise InvalidInput(
                f"that is more than {most} windows; give a smaller place, or a wider spacing"
            )
    if not points:
        none = np.zeros(0, np.int64)
        return Panels(np.zeros((0, 3)), none, none, np.zeros((0, 4, 3)))
    return Panels(*map(np.concatenate, (points, owners, storeys, corners)))


def _on_edges(outline: shapely.Geometry, wide: float) -> tuple[Floats, Floats, Floats]:
    """Middles (n, 2) of parts of the edges of an outline, their directions and lengths."""
    middles, along, lengths = [np.zeros((0, 2))], [np.zeros((0, 2))], [np.zeros(0)]
    for polygon in shapely.get_parts(shapely.orient_polygons(outline)):
        for ring in shapely.get_rings(polygon):
            points = shapely.get_coordinates(ring)
            steps = np.diff(points, axis=0)
            for start, step in zip(points[:-1], steps, strict=True):
                length = float(np.hypot(*step))
                if length < _SHORTEST:
                    continue
                count = max(1, round(length / wide))
                shares = (np.arange(count) + 0.5) / count
                middles.append(start + shares[:, None] * step)
                along.append(np.broadcast_to(step / length, (count, 2)))
                lengths.append(np.full(count, length / count))
    return np.concatenate(middles), np.concatenate(along), np.concatenate(lengths)


def ground_points(scene: Scene, area: shapely.Geometry, wide: float, height: float) -> Floats:
    """Points (n, 3) in the frame over the squares of a grid whose middles lie in an area, degrees.

    Where something stands now there are none. Raises `InvalidInput` where there would be too many.
    """
    flat = scene.laid(area)
    west, south, east, north = flat.bounds
    if (east - west) * (north - south) > 40 * MOST * wide**2:
        raise _too_many()
    x, y = np.meshgrid(
        np.arange(west + wide / 2, east, wide), np.arange(south + wide / 2, north, wide)
    )
    places = np.column_stack([x.ravel(), y.ravel()])
    shapely.prepare(flat)
    places = places[shapely.contains_xy(flat, places)]
    built = [scene.outlines[i] for i, thing in enumerate(scene.things) if not thing.planned]
    covered, _ = shapely.STRtree(built).query(shapely.points(places), predicate="within")
    free = np.ones(len(places), bool)
    free[covered] = False
    places = places[free]
    if len(places) > MOST:
        raise _too_many()
    return raised(scene, places, height)


def _too_many() -> InvalidInput:
    return InvalidInput(
        f"that is more than {MOST} squares; give a smaller area, or a wider spacing"
    )


def raised(scene: Scene, places: Floats, height: float) -> Floats:
    """(n, 2) metres in the frame → (n, 3), so high above the ground."""
    lon_lat = scene.geographic(np.column_stack([places, np.zeros(len(places))]))[:, :2]
    z = scene.on_ground(lon_lat)[:, 2] + max(height, _OFF)
    return np.column_stack([places, z])


def squares(scene: Scene, points: Floats, wide: float) -> list[tuple[shapely.Geometry, float]]:
    """Level squares around (n, 3) points, in degrees, with their height in the city's datum."""
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * wide / 2
    corners = (points[:, None, :2] + half).reshape(-1, 2)
    placed = scene.geographic(np.column_stack([corners, np.repeat(points[:, 2], 4)]))
    heights = placed[::4, 2].tolist()
    return list(zip(shapely.polygons(placed[:, :2].reshape(-1, 4, 2)), heights, strict=True))


def quads(scene: Scene, corners: Floats) -> list[shapely.Geometry]:
    """Panels, (n, 4, 3) in the frame, as polygons in degrees with heights."""
    placed = scene.geographic(corners.reshape(-1, 3))
    return list(shapely.polygons(placed.reshape(-1, 4, 3)))
