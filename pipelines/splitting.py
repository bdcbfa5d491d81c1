"""Lines cut where others end on them."""

from dataclasses import dataclass

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.network import Rows, Texts


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of lines, p of them, those of a line in its direction; a line not cut is one part.

    lines
        (p,) the row of the line.
    starts, ends
        (p,) rows of nodes.
    shares
        (p, 2) where on its line a part begins and ends, 0 to 1.
    """

    lines: Rows
    starts: Rows
    ends: Rows
    shares: Floats


def uncut(starts: Rows, ends: Rows) -> Parts:
    """All lines, (m,), as they are."""
    return Parts(np.arange(len(starts)), starts, ends, np.tile([0.0, 1.0], (len(starts), 1)))


def cut_where_others_end(
    lines: Texts, starts: Rows, ends: Rows, nodes: Floats, within: float
) -> Parts:
    """Cut lines at nodes that lie on their middle and end one line or none.

    `lines` (m,) are shapes and `nodes` (n, 2) places in a plane in metres. A node cuts the nearest
    line that lies within `within` metres of it and not with an end. Where lines only cross, neither
    is cut.
    """
    degree = np.bincount(np.concatenate([starts, ends]), minlength=len(nodes))
    loose = np.flatnonzero(degree <= 1)
    points = shapely.points(nodes[loose])
    which, line = shapely.STRtree(lines).query(points, predicate="dwithin", distance=within)
    along = shapely.line_locate_point(lines[line], points[which])
    length = shapely.length(lines[line])
    node = loose[which]
    inside = (along > within) & (along < length - within)
    inside &= (starts[line] != node) & (ends[line] != node)
    which, line, along, length = which[inside], line[inside], along[inside], length[inside]
    away = shapely.distance(lines[line], points[which])
    nearest = np.lexsort([away, which])
    nearest = nearest[np.unique(which[nearest], return_index=True)[1]]
    node, line, share = loose[which[nearest]], line[nearest], along[nearest] / length[nearest]
    return _parts(starts, ends, node, line, share)


def _parts(starts: Rows, ends: Rows, node: Rows, line: Rows, share: Floats) -> Parts:
    """The parts of lines that are cut at some nodes, (c,), each at a share of its length."""
    count = len(starts)
    begins = np.concatenate([np.arange(count), line])
    shares = np.concatenate([np.zeros(count), share])
    order = np.lexsort([shares, begins])
    lines, shares = begins[order], shares[order]
    first = np.concatenate([starts, node])[order]
    last_of_line = np.append(lines[1:] != lines[:-1], True) if len(lines) else np.empty(0, bool)
    following = np.append(first[1:], -1) if len(lines) else first
    until = np.append(shares[1:], 1.0) if len(lines) else shares
    return Parts(
        lines.astype(np.int64),
        first,
        np.where(last_of_line, ends[lines], following),
        np.column_stack([shares, np.where(last_of_line, 1.0, until)]),
    )
