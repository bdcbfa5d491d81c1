"""Lines cut where they meet: the nodes of a network, and the pieces between them."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csgraph
from scipy.spatial import cKDTree

from cim_core.mesh import Floats

Rows = NDArray[np.int64]
Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Parts of lines, each from one place to another along its line.

    shapes
        (k,) LineStrings, in the direction of their lines.
    lines
        (k,) int64, the row of the line each is of.
    start, end
        (k,) metres along that line.
    """

    shapes: Shapes
    lines: Rows
    start: Floats
    end: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Noded:
    """Pieces, and the nodes they lead between.

    nodes
        (n, 2) metres.
    ends
        (k, 2) int64, the node each piece begins and ends at.
    """

    pieces: Pieces
    nodes: Floats
    ends: Rows


def noded(lines: Shapes, levels: NDArray[np.object_], tolerance: float) -> Noded:
    """Cut (n,) LineStrings, metres, where they meet.

    Lines are one where the end of one is within `tolerance` of the other. Where they only cross or
    touch on their way, they are if they lie at the same level, (n,): anything that can be compared.
    """
    lines, levels, given = _simple(lines, levels)
    first, second = _neighbours(lines, tolerance)
    same = np.array(
        [levels[a] == levels[b] for a, b in zip(first.tolist(), second.tolist(), strict=True)], bool
    )
    one, other = first[same], second[same]
    points, pair = shapely.get_coordinates(
        shapely.intersection(lines[one], lines[other]), return_index=True
    )
    at = shapely.points(points)
    line = [one[pair], other[pair]]
    where = [shapely.line_locate_point(lines[rows], at) for rows in line]
    for ending, passing in ((first, second), (second, first)):
        for end in (0, -1):
            tips = shapely.get_point(lines[ending], end)
            near = shapely.distance(tips, lines[passing]) <= tolerance
            line.append(passing[near])
            where.append(shapely.line_locate_point(lines[passing[near]], tips[near]))
    pieces = cut(lines, np.concatenate(line), np.concatenate(where), tolerance)
    tips = np.concatenate(
        [shapely.get_coordinates(shapely.get_point(pieces.shapes, end)) for end in (0, -1)]
    )
    nodes, number = _joined(tips, 2 * tolerance)
    ends = number.reshape(2, -1).T
    real = (ends[:, 0] != ends[:, 1]) | (pieces.end - pieces.start > 4 * tolerance)
    kept = Pieces(
        pieces.shapes[real], given[pieces.lines[real]], pieces.start[real], pieces.end[real]
    )
    return Noded(kept, nodes, ends[real])


def cut(lines: Shapes, line: Rows, where: Floats, tolerance: float) -> Pieces:
    """Cut (n,) LineStrings at places: (c,) rows of lines and metres along each, in any order.

    Places within `tolerance` of each other are one, those that near an end are none.
    """
    points, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    step[np.diff(owner, prepend=-1) != 0] = 0.0
    total = np.cumsum(step)
    starts = np.searchsorted(owner, np.arange(len(lines)))
    along = total - total[starts][owner]
    lengths = np.zeros(len(lines))
    np.maximum.at(lengths, owner, along)

    inside = (where > tolerance) & (where < lengths[line] - tolerance)
    order = np.lexsort((where[inside], line[inside]))
    line, where = line[inside][order], where[inside][order]
    fresh = (np.diff(line, prepend=-1) != 0) | (np.diff(where, prepend=-np.inf) > tolerance)
    line, where = line[fresh], where[fresh]

    # Pieces are numbered line by line; a cut ends one and begins the next.
    number = np.arange(len(line))
    ends_piece = line + number
    offset = np.searchsorted(line, np.arange(len(lines)))  # cuts on the lines before
    places = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], where))
    vertex_piece = owner + offset[owner]
    if len(line):
        reach = float(lengths.max()) + 1.0
        passed = np.searchsorted(line * reach + where, owner * reach + along, side="right")
        vertex_piece = owner + np.maximum(passed, offset[owner])
    piece = np.concatenate([vertex_piece, ends_piece, ends_piece + 1])
    rank = np.repeat([1, 2, 0], [len(points), len(line), len(line)])
    order = np.lexsort((rank, np.concatenate([along, where, where]), piece))
    drawn = np.concatenate([points, places, places])[order]
    shapes: Shapes = shapely.linestrings(drawn, indices=piece[order])
    count = len(lines) + len(line)
    start, end, of = np.zeros(count), np.empty(count), np.empty(count, np.int64)
    last = np.arange(len(lines)) + np.searchsorted(line, np.arange(len(lines)), side="right")
    of[ends_piece], of[last] = line, np.arange(len(lines))
    end[ends_piece], end[last] = where, lengths
    start[ends_piece + 1] = where
    return Pieces(shapes, of, start, end)


def _simple(lines: Shapes, levels: Shapes) -> tuple[Shapes, Shapes, Rows]:
    """Lines that do not meet themselves, with their levels and the rows they were given in.

    One that does comes as its straight parts, which then meet each other as any lines do.
    """
    plain = shapely.is_simple(lines)
    given = [np.flatnonzero(plain)]
    found = [lines[plain]]
    for row in np.flatnonzero(~plain).tolist():
        points = shapely.get_coordinates(lines[row])
        parts = np.stack([points[:-1], points[1:]], axis=1)
        parts = parts[(parts[:, 0] != parts[:, 1]).any(axis=1)]
        found.append(shapely.linestrings(parts))
        given.append(np.full(len(parts), row))
    rows = np.concatenate(given)
    return np.concatenate(found), levels[rows], rows


def _neighbours(lines: Shapes, tolerance: float) -> tuple[Rows, Rows]:
    """Pairs of lines that come within a distance, each once."""
    first, second = shapely.STRtree(lines).query(lines, predicate="dwithin", distance=tolerance)
    once = first < second
    return first[once], second[once]


def _joined(points: Floats, tolerance: float) -> tuple[Floats, Rows]:
    """Points, (n, 2), that are within a distance as one: (m, 2), and the row there of each, (n,)."""
    pairs = cKDTree(points).query_pairs(tolerance, output_type="ndarray")
    links = coo_array(
        (np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), (len(points), len(points))
    )
    count, number = csgraph.connected_components(links, directed=False)
    _, one = np.unique(number, return_index=True)
    assert len(one) == count
    return points[one], number.astype(np.int64)
