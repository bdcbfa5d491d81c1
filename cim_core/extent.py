"""Where the features of a layer lie: footprints, heights and H3 covers."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.cells import covers
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.mesh import Floats, Indices, Mesh, transformed
from cim_core.progress import Progress
from cim_core.store.features import Extent

_EXACT_TRIANGLES = 160
"""Above this, a footprint is the convex outline: exact outlines of chairs serve nobody."""

_NOWHERE = Extent(None, None, np.empty(0, np.uint64))

_AT_ONCE = 500
"""Features whose places are computed together: one by one, each costs a call into PROJ."""

Outline = tuple[shapely.Geometry, NDArray[np.uint64]]
"""A footprint in longitude and latitude, and its H3 cover, (n,)."""

_Placed = list[tuple[Floats, Indices]]


def extents(
    features: tuple[Feature, ...],
    meshes: Mapping[str, Mesh],
    frame: Frame,
    geoid_separation: float,
    progress: Progress,
    known: Callable[[Feature], Outline | None] = lambda _: None,
) -> Iterator[tuple[Feature, Extent]]:
    """Each feature with its extent, in the order given.

    Heights are ellipsoidal height minus `geoid_separation`, taken at the feature's own centre so
    that a layer may be large. `known` answers the outline of a feature that stands where an earlier
    version had it.
    """
    for start in range(0, len(features), _AT_ONCE):
        progress(start, len(features), "saving")
        portion = features[start : start + _AT_ONCE]
        drawn = [feature for feature in portion if feature.instances]
        found = iter(_extents(drawn, meshes, frame, geoid_separation, progress, known))
        outlined = iter(_of_shapes([f.shape for f in portion if not f.instances]))
        for feature in portion:
            yield feature, next(found if feature.instances else outlined)
    progress(len(features), len(features), "saving")


def _of_shapes(shapes: Sequence[shapely.Geometry | None]) -> list[Extent]:
    """The extents of what has no body; without heights it lies on the city's zero."""
    there = [None if shape is None or shape.is_empty else shape for shape in shapes]
    cells = iter(covers([shape for shape in there if shape is not None]))
    return [_NOWHERE if shape is None else _of_shape(shape, next(cells)) for shape in there]


def _of_shape(shape: shapely.Geometry, cells: NDArray[np.uint64]) -> Extent:
    west, south, east, north = shape.bounds
    heights = shapely.get_coordinates(shape, include_z=True)[:, 2] if shape.has_z else np.zeros(1)
    box = (west, south, float(np.nanmin(heights)), east, north, float(np.nanmax(heights)))
    return Extent(shape, box, cells)


def _extents(
    features: Sequence[Feature],
    meshes: Mapping[str, Mesh],
    frame: Frame,
    geoid_separation: float,
    progress: Progress,
    known: Callable[[Feature], Outline | None],
) -> list[Extent]:
    """The extents of features that all have geometry."""
    if not features:
        return []
    placed = [_placed(feature, meshes) for feature in features]
    boxes = np.array([_box(bodies) for bodies in placed])
    middles = boxes.mean(axis=1)
    ends = np.repeat(middles[:, None], 2, axis=1)
    ends[:, :, 2] = boxes[:, :, 2]
    heights = frame.to_geographic(ends.reshape(-1, 3))[:, 2].reshape(-1, 2) - geoid_separation
    shaped = [feature.shape for feature in features if feature.shape is not None]
    own = iter(zip(shaped, covers(shaped), strict=True))
    outlines = [known(feature) if feature.shape is None else next(own) for feature in features]
    missing = [row for row, outline in enumerate(outlines) if outline is None]
    flat = []
    for row in missing:
        progress.ask()
        flat.append(footprint(placed[row]))
    shapes = _geographic(flat, middles[missing, 2], frame)
    for row, shape, cells in zip(missing, shapes, covers(shapes), strict=True):
        outlines[row] = shape, cells
    found = []
    for outline, (bottom, top) in zip(outlines, heights.tolist(), strict=True):
        assert outline is not None
        west, south, east, north = outline[0].bounds
        found.append(Extent(outline[0], (west, south, bottom, east, north, top), outline[1]))
    return found


def _placed(feature: Feature, meshes: Mapping[str, Mesh]) -> _Placed:
    return [
        (transformed(meshes[i.mesh_key].positions, i.transform), meshes[i.mesh_key].triangles)
        for i in feature.instances
    ]


def _box(placed: _Placed) -> Floats:
    low = np.min([positions.min(axis=0) for positions, _ in placed], axis=0)
    high = np.max([positions.max(axis=0) for positions, _ in placed], axis=0)
    return np.array([low, high])


def _geographic(
    shapes: Sequence[shapely.Geometry], heights: Floats, frame: Frame
) -> Sequence[shapely.Geometry]:
    """Shapes in the frame's x and y, each at its height (n,), in longitude and latitude."""
    flat, shape = shapely.get_coordinates(shapes, return_index=True)
    around = frame.to_geographic(np.column_stack([flat, heights[shape]]))
    result: Sequence[shapely.Geometry] = shapely.set_coordinates(np.array(shapes), around[:, :2])
    return result


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
        return _hull(corners)
    united = shapely.simplify(shapely.union_all(shapely.polygons(np.round(side, 4))), 1e-3)
    return _hull(corners) if united.is_empty else united


def _hull(corners: Floats) -> shapely.Geometry:
    """The convex outline of points; one line through all of them is quicker made than the points."""
    return shapely.convex_hull(shapely.linestrings(corners.reshape(-1, 2)))
