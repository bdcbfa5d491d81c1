"""Minutes by H3 cell: when the first part of a road in it is reached."""

import numpy as np
import shapely

from analysis.checkup.metric_plane import MetricPlane
from analysis.reach.noding import Shapes
from analysis.reach.service import Reached
from cim_core.cell_grid import CellGrid
from cim_core.cells import Cells, cells_of, widest
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats

_PER_CELL = 8
"""So many places are looked at on a road across a cell: a corner cut by less is missed."""

_MOST_PLACES = 2_000_000


def minutes_by_cell(found: Reached, plane: MetricPlane, resolution: int) -> CellGrid:
    """The least minutes of each cell that a reached part of a road is in.

    Along a part the time goes as a straight line has it, or down from both ends of one that is
    reached from both; that peak is of no matter, as only the least counts. Raises `InvalidInput`
    for cells that are too small for so many roads.
    """
    if not len(found.parts):
        return CellGrid(np.empty(0, np.uint64), np.empty(0), "min", resolution)
    step = widest(resolution) / _PER_CELL
    if shapely.length(found.parts).sum() / step > _MOST_PLACES:
        raise InvalidInput(
            f"cells of the resolution {resolution} are too small for all roads in reach; choose a "
            "coarser one, or fewer minutes"
        )
    places, minutes = _sampled(found, step)
    lon_lat = shapely.get_coordinates(plane.degrees(places))
    cells, least = _least(cells_of(lon_lat, resolution), minutes)
    return CellGrid(cells, np.round(least, 4), "min", resolution)


def _sampled(found: Reached, step: float) -> tuple[Shapes, Floats]:
    """Points every so many metres at most, ends included, (p,), and their minutes, (p,)."""
    lengths = shapely.length(found.parts)
    count = np.ceil(lengths / step).astype(np.int64) + 1
    part = np.repeat(np.arange(len(count)), count)
    number = np.arange(len(part)) - np.repeat(np.cumsum(count) - count, count)
    share = number / np.maximum(count - 1, 1)[part]
    places = shapely.line_interpolate_point(found.parts[part], share, normalized=True)
    with np.errstate(invalid="ignore"):  # nothing of infinitely long: the place itself
        up = found.first[part] + np.where(share > 0, share * found.forward[part], 0.0)
        left = 1.0 - share
        down = found.last[part] + np.where(left > 0, left * found.backward[part], 0.0)
    return places, np.fmin(up, down)


def _least(cells: Cells, values: Floats) -> tuple[Cells, Floats]:
    known, row = np.unique(cells, return_inverse=True)
    least = np.full(len(known), np.inf)
    np.minimum.at(least, row, values)
    return known, least
