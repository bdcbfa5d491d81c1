"""Where the features of a layer lie: footprints, heights and H3 covers."""

from collections.abc import Iterator, Mapping

import numpy as np
import shapely

from cim_core.cells import cover
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.mesh import Floats, Indices, Mesh, transformed
from cim_core.progress import Progress
from cim_core.store.features import Extent

_EXACT_TRIANGLES = 160
"""Above this, a footprint is the convex outline: exact outlines of chairs serve nobody."""

_NOWHERE = Extent(None, None, np.empty(0, np.uint64))


def extents(
    features: tuple[Feature, ...],
    meshes: Mapping[str, Mesh],
    frame: Frame,
    geoid_separation: float,
    progress: Progress,
) -> Iterator[tuple[Feature, Extent]]:
    """Each feature with its extent, in the order given.

    Heights are ellipsoidal height minus `geoid_separation`, taken at the feature's own centre so
    that a layer may be large.
    """
    for number, feature in enumerate(features):
        if number % 50 == 0:
            progress(number, len(features), "saving")
        yield feature, _extent(feature, meshes, frame, geoid_separation)
    progress(len(features), len(features), "saving")


def _extent(
    feature: Feature, meshes: Mapping[str, Mesh], frame: Frame, geoid_separation: float
) -> Extent:
    if not feature.instances:
        return _NOWHERE
    placed = [
        (transformed(meshes[i.mesh_key].positions, i.transform), meshes[i.mesh_key].triangles)
        for i in feature.instances
    ]
    points = np.vstack([positions for positions, _ in placed])
    low, high = points.min(axis=0), points.max(axis=0)
    middle = (low + high) / 2
    bottom, top = (
        frame.to_geographic(np.array([[*middle[:2], low[2]], [*middle[:2], high[2]]]))[:, 2]
        - geoid_separation
    )
    flat = footprint(placed)
    height = np.full((1, 1), middle[2])

    def to_lon_lat(xy: Floats) -> Floats:
        return frame.to_geographic(np.hstack([xy, np.repeat(height, len(xy), axis=0)]))[:, :2]

    outline = shapely.transform(flat, to_lon_lat)
    west, south, east, north = outline.bounds
    return Extent(outline, (west, south, float(bottom), east, north, float(top)), cover(outline))


def footprint(placed: list[tuple[Floats, Indices]]) -> shapely.Geometry:
    """The outline of placed triangles seen from above, in the frame's x and y, metres.

    `placed` holds (positions (n, 3), triangles (m, 3)) pairs. The outline is exact up to
    160 triangles and convex above. What has no area from above (a single vertical surface) gives
    the line or point it is.
    """
    corners = np.concatenate([positions[triangles][:, :, :2] for positions, triangles in placed])
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    doubled = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    up, down = corners[doubled > 1e-8], corners[doubled < -1e-8]
    # A closed body shows the same outline from above and from below: one side is enough.
    side = up if doubled[doubled > 0].sum() >= -doubled[doubled < 0].sum() else down
    if len(side) == 0 or len(side) > _EXACT_TRIANGLES:
        return shapely.convex_hull(shapely.multipoints(corners.reshape(-1, 2)))
    united = shapely.simplify(shapely.union_all(shapely.polygons(np.round(side, 4))), 1e-3)
    return (
        shapely.convex_hull(shapely.multipoints(corners.reshape(-1, 2)))
        if united.is_empty
        else united
    )
