"""Shapes cut by places, each part counted once."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.checkup.operators.lines import along, apart_from, beside
from cim_core.mesh import Floats

Shapes = NDArray[np.object_]
Rows = NDArray[np.int64]

_CORNERS = 200
"""Shapes of more are cut into such of fewer before anything is cut by them: each cut costs as much as
the shape has corners."""

_LINE = 1
"""What shapely calls a line of one part."""

_NO_LINE = shapely.LineString()

_TINY = 1e-6
"""Metres, and so square metres: what shapes share by rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Parts of some things: `of` (m,) says of which, `shapes` (m,) what of it."""

    of: Rows
    shapes: Shapes

    def sizes(self) -> Floats:
        """How large each is, (m,); see `sizes`."""
        return sizes(self.shapes)


def whole(shapes: Shapes) -> Pieces:
    """All of some shapes that are not empty."""
    rows = np.flatnonzero(~shapely.is_empty(shapes))
    return Pieces(rows, shapes[rows])


def sizes(shapes: Shapes) -> Floats:
    """The area of areas, m², the length of lines, m, and 1 for points, (n,); 0 for what is empty."""
    dimensions = shapely.get_dimensions(shapes)
    found: Floats = np.where(dimensions == 2, shapely.area(shapes), shapely.length(shapes))
    found[(dimensions == 0) & ~shapely.is_empty(shapes)] = 1.0
    return found


def middles(shapes: Shapes) -> Shapes:
    """A point of each shape, (n,), as far inside as is easy to say: of a line, half its way along."""
    found: Shapes = shapely.point_on_surface(shapes)
    lines = shapely.get_type_id(shapes) == _LINE
    found[lines] = shapely.line_interpolate_point(shapes[lines], 0.5, normalized=True)
    return found


def ends(lines: Shapes, *, first: bool) -> Shapes:
    """The first or the last point of lines, (n,), also of several parts; of a point itself."""
    points, row = shapely.get_coordinates(lines, return_index=True)
    at = np.searchsorted(row, np.arange(len(lines)), side="left" if first else "right")
    found: Shapes = shapely.points(points[at if first else at - 1])
    return found


def subdivided(shapes: Shapes) -> Pieces:
    """Areas in parts of few corners each, which together are what they were."""
    done_of: list[Rows] = []
    done: list[Shapes] = []
    parts, of = shapely.get_parts(shapes, return_index=True)
    left = Pieces(of, parts)
    for _ in range(32):  # each round halves: nothing is left long before
        many = shapely.get_num_coordinates(left.shapes) > _CORNERS
        done_of.append(left.of[~many])
        done.append(left.shapes[~many])
        if not many.any():
            break
        of, rest = left.of[many], left.shapes[many]
        west, south, east, north = shapely.bounds(rest).T
        wide = (east - west) >= (north - south)
        x, y = np.where(wide, (west + east) / 2, east), np.where(wide, north, (south + north) / 2)
        first = shapely.intersection(rest, shapely.box(west, south, x, y))
        second = shapely.intersection(
            rest, shapely.box(np.where(wide, x, west), np.where(wide, south, y), east, north)
        )
        halves = np.concatenate([first, second])
        parts, place = shapely.get_parts(halves, return_index=True)
        kept = shapely.area(parts) > 0
        left = Pieces(np.concatenate([of, of])[place][kept], parts[kept])
    else:  # corners that are nearer to each other than any cut can part them
        done_of.append(left.of)
        done.append(left.shapes)
    return Pieces(np.concatenate(done_of), np.concatenate(done))


def overlapping(shapes: Shapes) -> tuple[Rows, Rows]:
    """The pairs of shapes, the first before the second, that have more in common than their borders."""
    dimensions = shapely.get_dimensions(shapes)
    areas, lines = (np.flatnonzero(dimensions == one) for one in (2, 1))
    other, one = shapely.STRtree(shapes[areas]).query(shapes[areas], predicate="intersects")
    one, other = areas[one[one < other]], areas[other[one < other]]
    shared = shapely.area(shapely.intersection(shapes[one], shapes[other])) > _TINY
    first, second = along(shapes[lines])
    return (
        np.concatenate([one[shared], lines[first]]), np.concatenate([other[shared], lines[second]]),
    )  # fmt: skip


def disjoint(shapes: Shapes, pairs: tuple[Rows, Rows]) -> Pieces:
    """Shapes without what an earlier one has already, so that what several share counts once.

    `pairs` are those of `overlapping`.
    """
    found = shapes.copy()
    one, other = pairs
    if len(one):
        later, place = np.unique(other, return_inverse=True)
        before = shapes[one]
        lines = shapely.get_dimensions(before) == 1
        before[lines] = beside(before[lines])
        taken = unions(Pieces(place, before), len(later))
        lines = shapely.get_dimensions(shapes[later]) == 1
        found[later[~lines]] = shapely.difference(shapes[later[~lines]], taken[~lines])
        found[later[lines]] = apart_from(shapes[later[lines]], taken[lines])
    return whole(found)


def unions(pieces: Pieces, count: int) -> Shapes:
    """What the pieces of each of `count` things are together, (count,); empty without any."""
    found: Shapes = np.full(count, shapely.Polygon(), object)
    order = np.argsort(pieces.of, kind="stable")
    of, shapes = pieces.of[order], pieces.shapes[order]
    rows, starts, counts = np.unique(of, return_index=True, return_counts=True)
    alone = counts == 1
    found[rows[alone]] = shapes[starts[alone]]
    for row, start, many in zip(
        rows[~alone].tolist(), starts[~alone].tolist(), counts[~alone].tolist(), strict=True
    ):
        found[row] = shapely.disjoint_subset_union_all(shapes[start : start + many])
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Area:
    """An area that things are cut by: as a whole, and in parts of few corners."""

    shape: shapely.Geometry
    parts: Shapes

    @classmethod
    def of(cls, shapes: Shapes) -> "Area":
        """What some shapes are together."""
        shape = shapely.disjoint_subset_union_all(shapes)
        shapely.prepare(shape)
        return cls(shape, subdivided(np.array([shape], object)).shapes)

    def within(self, pieces: Pieces) -> Pieces:
        """What of some pieces is inside; `of` stays what it was."""
        full = shapely.covers(self.shape, pieces.shapes)
        rest = np.flatnonzero(~full)
        lines = rest[shapely.get_dimensions(pieces.shapes[rest]) == 1]
        areas = rest[shapely.get_dimensions(pieces.shapes[rest]) == 2]
        row, part = _meeting(pieces.shapes[areas], self.parts)
        row = np.concatenate([areas[row], lines])
        by = np.concatenate([self.parts[part], np.full(len(lines), self.shape, object)])
        cut = shapely.intersection(pieces.shapes[row], by)
        kept = _as_large(cut, pieces.shapes[row])
        rows = np.concatenate([np.flatnonzero(full), row[kept]])
        return Pieces(pieces.of[rows], np.concatenate([pieces.shapes[full], cut[kept]]))


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Areas that things are in: (n,), which do not overlap but may have borders in common.

    parts
        Of few corners each; `of` says of which place. No two of one place overlap.
    """

    count: int
    parts: Pieces

    @classmethod
    def of(cls, shapes: Shapes) -> "Places":
        """Areas, (n,), prepared to be asked."""
        parts = subdivided(shapes)
        shapely.prepare(parts.shapes)
        return cls(len(shapes), parts)

    def within(self, area: Area) -> "Places":
        """What of each is inside an area."""
        rows, found = self.cut(whole(area.parts))
        shapely.prepare(found.shapes)
        return Places(self.count, Pieces(rows, found.shapes))

    def areas(self) -> Floats:
        """How large each is, (n,) m²."""
        return np.bincount(self.parts.of, self.parts.sizes(), self.count).astype(np.float64)

    def __len__(self) -> int:
        return self.count

    def home(self, points: Shapes) -> Rows:
        """The first place that each point, (k,), is in; -1 for none."""
        found = np.full(len(points), len(self), np.int64)
        point, part = _meeting(points, self.parts.shapes)
        np.minimum.at(found, point, self.parts.of[part])
        # Where a border has a corner more on one side, rounding leaves a gap that is in neither place.
        lost = np.flatnonzero(found == len(self))
        tree = shapely.STRtree(self.parts.shapes)
        point, part = tree.query(points[lost], predicate="dwithin", distance=_TINY)
        np.minimum.at(found, lost[point], self.parts.of[part])
        found[found == len(self)] = -1
        return found

    def cut(self, pieces: Pieces) -> tuple[Rows, Pieces]:
        """What of some pieces is in which place: rows of places, (m,), and parts of pieces, (m,).

        `of` of the parts are rows of `pieces`. A point, or a line that runs along the border of two
        places, is in the first only.
        """
        dimensions = shapely.get_dimensions(pieces.shapes)
        areas, lines, points = (np.flatnonzero(dimensions == one) for one in (2, 1, 0))
        home = self.home(pieces.shapes[points])
        found = [
            self._areas(pieces.shapes, areas), self._lines(pieces.shapes, lines),
            (points[home >= 0], home[home >= 0], pieces.shapes[points[home >= 0]]),
        ]  # fmt: skip
        rows, places, shapes = (np.concatenate(column) for column in zip(*found, strict=True))
        return places, Pieces(rows, shapes)

    def _areas(self, shapes: Shapes, rows: Rows) -> tuple[Rows, Rows, Shapes]:
        """Some areas by place: rows of shapes, rows of places, and what is there."""
        row, part = _meeting(shapes[rows], self.parts.shapes)
        given = shapes[rows[row]]
        found = given.copy()
        crossing = np.flatnonzero(~shapely.covers(self.parts.shapes[part], given))
        found[crossing] = shapely.intersection(given[crossing], self.parts.shapes[part[crossing]])
        kept = _as_large(found, given)
        return rows[row[kept]], self.parts.of[part[kept]], found[kept]

    def _lines(self, shapes: Shapes, rows: Rows) -> tuple[Rows, Rows, Shapes]:
        """Some lines by place. One place after another takes what is left, so nothing is taken twice."""
        tree = shapely.STRtree(self.parts.shapes)
        row, part = tree.query(shapes[rows], predicate="dwithin", distance=_TINY)
        order = np.lexsort((part, self.parts.of[part], row))
        row, part = row[order], part[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row, side="left")
        left = shapes[rows].copy()
        found: list[tuple[Rows, Rows, Shapes]] = []
        last = np.append(row[1:] != row[:-1], True)
        for turn in range(int(rank.max(initial=-1)) + 1):
            now = np.flatnonzero((rank == turn) & ~shapely.is_empty(left[row]))
            lines, near = left[row[now]], part[now]
            inside = shapely.covers(self.parts.shapes[near], lines)
            taken = lines.copy()
            wide = shapely.buffer(self.parts.shapes[near[~inside]], _TINY, join_style="mitre")
            taken[~inside] = shapely.intersection(lines[~inside], wide)
            left[row[now[inside]]] = _NO_LINE
            more = ~last[now[~inside]]
            left[row[now[~inside][more]]] = shapely.difference(lines[~inside][more], wide[more])
            some = shapely.length(taken) > 0
            found.append((rows[row[now][some]], self.parts.of[near[some]], taken[some]))
        nothing = np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, object)
        places, where, what = (np.concatenate(c) for c in zip(nothing, *found, strict=True))
        return places, where, what


def _meeting(shapes: Shapes, parts: Shapes) -> tuple[Rows, Rows]:
    """The pairs of shapes and parts that touch: rows of both."""
    if len(shapes) > len(parts):  # the fewer are prepared and asked
        part, row = shapely.STRtree(shapes).query(parts, predicate="intersects")
        return row, part
    row, part = shapely.STRtree(parts).query(shapes, predicate="intersects")
    return row, part


def _as_large(found: Shapes, given: Shapes) -> NDArray[np.bool_]:
    """Which parts are areas of areas and lines of lines, and not just where a border was touched."""
    same: NDArray[np.bool_] = (
        shapely.get_dimensions(found) == shapely.get_dimensions(given)
    ) & ~shapely.is_empty(found)
    return same
