"""Lines that run along each other, as streets that were entered twice: each part counts once."""

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.loaded import engine_table
from cim_core.mesh import Floats

Shapes = NDArray[np.object_]
Rows = NDArray[np.int64]


def along(lines: Shapes) -> tuple[Rows, Rows]:
    """The pairs of lines, the first before the second, of which one is for a metre or more beside the other."""
    segments, of = _segments(lines)
    tree = shapely.STRtree(shapely.linestrings(segments))
    other, one = tree.query(tree.geometries, predicate="dwithin", distance=_same())
    kept = of[one] < of[other]
    one, other = one[kept], other[kept]
    pair = of[one] * len(lines) + of[other]
    pairs, row = np.unique(pair, return_inverse=True)
    beside = np.bincount(row, _beside_length(segments[one], segments[other]), len(pairs))
    first, second = np.divmod(pairs[beside >= _least()], max(1, len(lines)))
    return first, second


def beside(lines: Shapes) -> Shapes:
    """All that is so near to lines that a line there is the same one; no farther than their ends."""
    found: Shapes = shapely.buffer(lines, _same(), quad_segs=1, cap_style="flat")
    return found


def apart_from(lines: Shapes, beside: Shapes) -> Shapes:
    """Lines, (n,), without what of each runs along in an area beside others.

    Where a line only crosses such an area it is in it for less than a metre; that stays.
    """
    parts, row = shapely.get_parts(shapely.intersection(lines, beside), return_index=True)
    long = shapely.length(parts) >= _least()
    short = ~long & (shapely.get_dimensions(parts) == 1)
    crossing: Shapes = np.full(len(lines), shapely.LineString(), object)
    rows, place = np.unique(row[short], return_inverse=True)
    crossing[rows] = shapely.multilinestrings(parts[short], indices=place)
    rest: Shapes = shapely.union(shapely.difference(lines, beside), crossing)
    whole = np.setdiff1d(np.arange(len(lines)), row[long])
    rest[whole] = lines[whole]
    return rest


def _segments(lines: Shapes) -> tuple[Floats, Rows]:
    """The straight parts of lines, (k, 2 ends, 2), and which line each is of."""
    parts, of = shapely.get_parts(lines, return_index=True)
    points, part = shapely.get_coordinates(parts, return_index=True)
    both = np.stack([points[:-1], points[1:]], axis=1)
    kept = (part[1:] == part[:-1]) & (both[:, 0] != both[:, 1]).any(axis=1)
    return both[kept], of[part[:-1][kept]]


def _beside_length(one: Floats, other: Floats) -> Floats:
    """How much of the others, (k, 2, 2) segments, is beside each of one, (k,) metres."""
    way = one[:, 1] - one[:, 0]
    length = np.hypot(*way.T)
    way /= length[:, None]
    from_start = other - one[:, :1]
    forward = np.einsum("kij,kj->ki", from_start, way)
    aside = from_start[..., 0] * way[:, None, 1] - from_start[..., 1] * way[:, None, 0]
    begin, end = _between(forward, np.zeros(len(one)), length)
    low, high = _between(aside, np.full(len(one), -_same()), np.full(len(one), _same()))
    share = np.minimum(end, high) - np.maximum(begin, low)
    found: Floats = np.maximum(share, 0.0) * np.hypot(*(other[:, 1] - other[:, 0]).T)
    return found


def _between(values: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """From which share of the way to which a value that changes evenly, (k, 2), is within bounds."""
    start, change = values[:, 0], values[:, 1] - values[:, 0]
    inside = (start >= low) & (start <= high)
    still = np.abs(change) < 1e-12
    change = np.where(still, 1.0, change)
    one, other = (low - start) / change, (high - start) / change
    first, last = np.minimum(one, other), np.maximum(one, other)
    first = np.where(still, np.where(inside, 0.0, 1.0), np.clip(first, 0.0, 1.0))
    last = np.where(still, np.where(inside, 1.0, 0.0), np.clip(last, 0.0, 1.0))
    return first, last


def _same() -> float:
    return float(engine_table()["lines"]["same"])


def _least() -> float:
    return float(engine_table()["lines"]["least"])
