"""One observed property on a map: what its datastreams observed, by H3 cell, over a time."""

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.cell_grid import CellGrid
from cim_core.cells import Cells, cell_polygons, parents, widest
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.observations import StreamIds, Streams
from cim_core.store.observed import Observed, Totals

Statistic = Literal["mean", "count", "max", "min", "p95"]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)

Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

MOST_CELLS = 20_000
FINEST_USUAL = 11
"""No resolution finer than this is chosen unasked: things stand further apart."""

_ACROSS = 40
"""About so many cells lie side by side in a box if nobody asks for a resolution."""

_METRES_PER_DEGREE = 111_320.0
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class HeatAsked:
    """What is asked for: start ≤ time < end, milliseconds since 1970.

    bbox
        Only cells that touch it; each is counted whole all the same.
    """

    statistic: Statistic
    start: int
    end: int
    resolution: int
    bbox: Box | None = None


@dataclass(frozen=True, slots=True)
class Heat:
    """A property by cell: cells (n,) sorted, values (n,) and counts (n,) of observations.

    Cells without an observation are not in it. Observations that have no place count nowhere.
    """

    asked: HeatAsked
    unit: str
    cells: Cells
    values: Floats
    counts: NDArray[np.int64]

    @property
    def grid(self) -> CellGrid:
        """The values as a grid."""
        return CellGrid(self.cells, self.values, self.unit, self.asked.resolution)

    def touching(self, bbox: Box) -> "Heat":
        """The cells that touch a box."""
        kept = shapely.intersects(cell_polygons(self.cells), shapely.box(*bbox))
        return replace(
            self, cells=self.cells[kept], values=self.values[kept], counts=self.counts[kept]
        )


def heat(streams: Streams, observed: Observed, asked: HeatAsked) -> Heat:
    """What the numbers among the results of some datastreams of one property come to, by cell.

    Of each cell: the mean of all observations, their number, the largest, the least, or the value
    that 95 % of them do not exceed (interpolated between neighbours in order). Where the
    datastreams have several units, those of the most frequent one count. Raises `InvalidInput` for
    more than 20,000 cells.
    """
    unit, streams = of_one_unit(streams)
    if asked.bbox is not None:
        near = _near(streams, asked.bbox, widest(asked.resolution)) | _moving(streams, observed)
        streams = streams.only(near)
    folded = fold(observed.totals(streams.ids, asked.start, asked.end), asked.resolution)
    found = Heat(
        asked, "1" if asked.statistic == "count" else unit, folded.cells,
        _values(folded, asked, observed, streams.ids), folded.counts,
    )  # fmt: skip
    if asked.bbox is not None:
        found = found.touching(asked.bbox)
    if len(found.cells) > MOST_CELLS:
        raise InvalidInput(
            f"that is {len(found.cells)} cells, and at most {MOST_CELLS} are told at once; ask for a "
            "smaller bbox or a coarser resolution"
        )
    return found


def usual_resolution(bbox: Box | None, everywhere: Box | None) -> int:
    """The resolution at which about 40 cells lie across a box, or without one across all things.

    >>> usual_resolution((113.4, 23.0, 113.5, 23.1), None)
    9
    """
    box = bbox or everywhere
    if box is None:
        return FINEST_USUAL
    west, south, east, north = box
    narrow = math.cos(math.radians((south + north) / 2))
    across = _METRES_PER_DEGREE * max(north - south, (east - west) * narrow)
    # `widest` is on the safe side by a third; cells beside each other take less than their corners.
    fitting = [r for r in range(FINEST_USUAL + 1) if widest(r) * 0.6 * _ACROSS >= across]
    return max(fitting, default=0)


def of_one_unit(streams: Streams) -> tuple[str, Streams]:
    """The most frequent unit of some datastreams whose results are numbers, and those that have it."""
    counts: dict[str, int] = {}
    numeric = [one for one in streams.by_id.values() if one.result != "category"]
    for one in numeric:
        counts[one.unit] = counts.get(one.unit, 0) + 1
    unit = max(sorted(counts), key=lambda name: counts[name], default="")
    return unit, Streams([one for one in numeric if one.unit == unit])


@dataclass(frozen=True, slots=True)
class Folded:
    """Totals by cell of one resolution: cells (n,) sorted, each once, and columns, (n,)."""

    cells: Cells
    counts: NDArray[np.int64]
    sums: Floats
    lowest: Floats
    highest: Floats


def fold(totals: Totals, resolution: int) -> Folded:
    """Totals of datastreams and cells as totals of cells at a resolution that is no finer.

    What nobody knows the place of is left out. Sums are exact but for one rounding (Shewchuk's algorithm, as in `math.fsum`), so the order in
    which observations came does not matter.
    """
    known = np.flatnonzero(totals.cells)
    cells, place = np.unique(parents(totals.cells[known], resolution), return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(cells)))
    if not len(cells):
        empty = np.empty(0)
        return Folded(cells, np.empty(0, np.int64), empty, empty, empty)
    ends = [*starts[1:].tolist(), len(order)]
    order = known[order]
    sums = totals.sums[order].tolist()
    return Folded(
        cells,
        np.add.reduceat(totals.counts[order], starts).astype(np.int64),
        np.array([math.fsum(sums[a:b]) for a, b in zip(starts.tolist(), ends, strict=True)]),
        np.minimum.reduceat(totals.lowest[order], starts),
        np.maximum.reduceat(totals.highest[order], starts),
    )


def _values(folded: Folded, asked: HeatAsked, observed: Observed, ids: StreamIds) -> Floats:
    match asked.statistic:
        case "mean":
            return folded.sums / folded.counts
        case "count":
            return folded.counts.astype(np.float64)
        case "max":
            return folded.highest
        case "min":
            return folded.lowest
    cells, values = observed.quantile(ids, asked.start, asked.end, _P95, asked.resolution)
    found = np.full(len(folded.cells), np.nan)
    known = np.isin(cells, folded.cells)
    found[np.searchsorted(folded.cells, cells[known])] = values[known]
    return found


def _moving(streams: Streams, observed: Observed) -> NDArray[np.bool_]:
    """Which said of their newest observation that it was elsewhere than their thing stands, (n,)."""
    latest = observed.latest(streams.ids)
    rows = streams.rows(latest.streams)
    found = np.zeros(len(streams), bool)
    found[rows] = (latest.cells != 0) & (latest.cells != streams.cells[rows])
    return found


def _near(streams: Streams, bbox: Box, metres: float) -> NDArray[np.bool_]:
    """Which things stand so near to a box that a cell that touches it may hold them, (n,).

    Those without a place of their own may be anywhere.
    """
    west, south, east, north = bbox
    lat = metres / _METRES_PER_DEGREE
    lon = lat / max(0.01, math.cos(math.radians(min(89.0, max(abs(south), abs(north)) + lat))))
    inside = (
        (streams.lon >= west - lon) & (streams.lon <= east + lon)
        & (streams.lat >= south - lat) & (streams.lat <= north + lat)
    )  # fmt: skip
    known: NDArray[np.bool_] = inside | np.isnan(streams.lon)
    return known


def everywhere(streams: Streams) -> Box | None:
    """The box around all things; None where none has a place."""
    known = ~np.isnan(streams.lon)
    if not known.any():
        return None
    lon, lat = streams.lon[known], streams.lat[known]
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())
