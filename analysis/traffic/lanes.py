"""A road map as flat lines in metres: which lane or way through an intersection a place is on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType, Line, RoadMap

Ints = NDArray[np.int32]
Counts = NDArray[np.int64]

FOR_FEET: frozenset[LaneType] = frozenset({"sidewalk", "crosswalk"})
"""Lanes on which nobody drives."""

_CELL = 12.0
"""Metres of a cell of the grid: about as far as lines reach around them."""


@dataclass(frozen=True, eq=False, slots=True)
class Pieces:
    """The straight parts of all lines, k of them, line after line.

    starts, directions
        (k, 2) metres east and north, and unit vectors.
    lengths, before
        (k,) metres: of the piece, and from the beginning of its line to that of the piece.
    owners
        (k,) the line each is part of.
    headings
        (k,) degrees clockwise from north.
    """

    starts: Floats
    directions: Floats
    lengths: Floats
    before: Floats
    owners: Ints
    headings: Floats


@dataclass(frozen=True, eq=False)
class LaneMap:
    """A road map in a plane, to find places on.

    Its lines are the lanes in their order in the map, L of them, then the connections, C of them:
    line i is lane i, line L + j is connection j.

    >>> from cim_core.traffic.roads import Lane, Link
    >>> line = ((11.0, 44.0), (11.0, 44.001))
    >>> link = Link(id="a", line=line, length=111.1, speed=14.0)
    >>> lane = Lane(id="a_1", link="a", number=1, width=3.5, speed=14.0, line=line)
    >>> lane_map(RoadMap(links=(link,), lanes=(lane,))).lengths.round(1).tolist()
    [111.1]
    """

    roads: RoadMap
    frame: Frame = field(init=False)
    """Its east and north are the plane; anchored in the middle of the map."""

    def __post_init__(self) -> None:
        places = np.array(
            [place[:2] for lane in self.roads.lanes for place in lane.line] or [(0.0, 0.0)]
        )
        lon, lat = (places.min(axis=0) + places.max(axis=0)) / 2
        object.__setattr__(self, "frame", Frame(float(lon), float(lat), 0.0))

    def plane(self, lon: Floats, lat: Floats) -> Floats:
        """(n,) degrees → (n, 2) metres east and north."""
        if not len(lon):
            return np.empty((0, 2))
        return self.frame.from_geographic(np.column_stack([lon, lat, np.zeros(len(lon))]))[:, :2]

    @cached_property
    def polylines(self) -> tuple[Floats, ...]:
        """Every line, (k, 2) metres each; places that are the same as the one before are left out."""
        lines: list[Line] = [lane.line for lane in self.roads.lanes]
        lines += [one.line for one in self.roads.connections]
        sizes = np.array([len(line) for line in lines], np.int64)
        flat = np.array([place[:2] for line in lines for place in line], np.float64).reshape(-1, 2)
        parts = np.split(self.plane(flat[:, 0], flat[:, 1]), np.cumsum(sizes)[:-1])
        return tuple(
            line[np.r_[True, np.hypot(*np.diff(line, axis=0).T) > 1e-6]] if len(line) else line
            for line in parts[: len(lines)]
        )

    @cached_property
    def pieces(self) -> Pieces:
        """The straight parts of all lines; a line of one place has none."""
        lines = self.polylines
        sizes = np.array([max(len(line) - 1, 0) for line in lines], np.int64)
        starts = _stacked(line[:-1] for line in lines)
        steps = _stacked(np.diff(line, axis=0) for line in lines)
        lengths = np.hypot(steps[:, 0], steps[:, 1])
        owners = np.repeat(np.arange(len(lines)), sizes).astype(np.int32)
        along = np.cumsum(lengths) - lengths
        firsts = np.cumsum(sizes) - sizes
        before = along - np.repeat(along[firsts[sizes > 0]], sizes[sizes > 0])
        headings = np.degrees(np.arctan2(steps[:, 0], steps[:, 1])) % 360
        return Pieces(starts, steps / lengths[:, None], lengths, before, owners, headings)

    @cached_property
    def firsts(self) -> Counts:
        """(L + C + 1,) where the pieces of each line begin."""
        return np.searchsorted(self.pieces.owners, np.arange(len(self.polylines) + 1))

    @cached_property
    def lengths(self) -> Floats:
        """(L + C,) metres of each line."""
        sums = np.bincount(self.pieces.owners, self.pieces.lengths, len(self.polylines))
        return np.asarray(sums, np.float64)

    @cached_property
    def half_widths(self) -> Floats:
        """(L + C,) metres; a connection is as wide as the lane it comes from."""
        own = np.array([lane.width for lane in self.roads.lanes]) / 2
        return np.asarray(np.maximum(np.r_[own, own[self.from_lanes]], 0.5), np.float64)

    @cached_property
    def for_feet(self) -> NDArray[np.bool_]:
        """(L + C,) whether nobody drives there."""
        own = [lane.type in FOR_FEET for lane in self.roads.lanes]
        return np.array(own + [False] * len(self.roads.connections), bool)

    @cached_property
    def lane_rows(self) -> dict[str, int]:
        """Rows of lanes by their ids."""
        return {lane.id: row for row, lane in enumerate(self.roads.lanes)}

    @cached_property
    def link_rows(self) -> dict[str, int]:
        """Rows of links by their ids."""
        return {link.id: row for row, link in enumerate(self.roads.links)}

    @cached_property
    def link_of_lane(self) -> Ints:
        """(L,) the row of each lane's link."""
        return np.array([self.link_rows[lane.link] for lane in self.roads.lanes], np.int32)

    @cached_property
    def from_lanes(self) -> Ints:
        """(C,) the row of the lane each connection comes from."""
        return np.array([self.lane_rows[c.from_lane] for c in self.roads.connections], np.int32)

    @cached_property
    def to_lanes(self) -> Ints:
        """(C,) the row of the lane each connection leads to."""
        return np.array([self.lane_rows[c.to_lane] for c in self.roads.connections], np.int32)

    @cached_property
    def speeds(self) -> Floats:
        """(L,) what is driven on each lane when nobody is in the way, m/s.

        That of its link where it is known, else the speed limit of the lane.
        """
        free = (self.roads.link_by_id[lane.link].free_speed for lane in self.roads.lanes)
        limits = (lane.speed for lane in self.roads.lanes)
        return np.array([a or b for a, b in zip(free, limits, strict=True)], np.float64)

    def on_line(self, points: Floats, lines: Ints) -> tuple[Floats, Floats, Floats]:
        """Where points are on a line of each: metres along and beside it, and its heading there.

        points, lines
            (n, 2) metres, and (n,) lines that are not -1. A line without length gives NaN.
        """
        counts = np.diff(self.firsts)[lines]
        rows, pieces = expanded(self.firsts[lines], counts)
        along, off, _ = self.along_pieces(points[rows], pieces)
        best = least_of(off, counts)
        found = best >= 0
        nothing = np.full(len(lines), np.nan)
        result = (nothing, nothing.copy(), nothing.copy())
        for column, values in zip(result, (along, off, self.pieces.headings[pieces]), strict=True):
            column[found] = values[best[found]]
        return result

    @cached_property
    def _ends(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """(k,) which pieces are the first and the last of their line."""
        change = np.diff(self.pieces.owners) != 0
        some = np.ones(min(len(self.pieces.owners), 1), bool)
        return np.r_[some, change], np.r_[change, some]

    def along_pieces(self, points: Floats, pieces: Counts) -> tuple[Floats, Floats, Floats]:
        """The places on pieces that are nearest to points.

        Metres along the line, metres beside it, and how many of these are before its beginning or
        behind its end.
        """
        all_, (first, last) = self.pieces, self._ends
        direction, start = all_.directions[pieces], all_.starts[pieces]
        east, north = points[:, 0] - start[:, 0], points[:, 1] - start[:, 1]
        ahead = east * direction[:, 0] + north * direction[:, 1]
        side = east * direction[:, 1] - north * direction[:, 0]
        t = np.clip(ahead, 0, all_.lengths[pieces])
        outside = ahead - t
        past = np.abs(outside) * np.where(outside < 0, first[pieces], last[pieces])
        return all_.before[pieces] + t, np.hypot(side, outside), past

    def place(self, line: int, along: float) -> tuple[float, float]:
        """The longitude and latitude so many metres along a line, or of its nearer end."""
        points = self.polylines[line]
        steps = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
        east, north = (float(np.interp(along, steps, points[:, axis])) for axis in (0, 1))
        lon, lat, _ = self.frame.to_geographic(np.array([[east, north, 0.0]]))[0]
        return float(lon), float(lat)

    def near(self, points: Floats, reach: float) -> tuple[Counts, Counts]:
        """Candidates: for each of (n, 2) points so many pieces, and those of all one after the other.

        Every piece that passes a point within half its line's width and `reach` metres is among
        them; some further ones are, too.
        """
        keys, firsts, pieces, origin, columns = self._grid(reach)
        if not len(keys):
            return np.zeros(len(points), np.int64), np.empty(0, np.int64)
        cells = np.floor((points - origin) / _CELL).astype(np.int64)
        outside = (cells < 0).any(axis=1) | (cells[:, 0] >= columns)
        wanted = np.where(outside, -1, cells[:, 1] * columns + cells[:, 0])
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        counts = np.where(keys[at] == wanted, np.diff(firsts)[at], 0)
        return counts, pieces[expanded(firsts[at], counts)[1]]

    def _grid(self, reach: float) -> tuple[Counts, Counts, Counts, Floats, int]:
        kept: dict[float, tuple[Counts, Counts, Counts, Floats, int]] = self.__dict__.setdefault(
            "_grids", {}
        )
        if reach not in kept:
            kept[reach] = self._made_grid(reach)
        return kept[reach]

    def _made_grid(self, reach: float) -> tuple[Counts, Counts, Counts, Floats, int]:
        """Which pieces are near the cells: keys in order, where the pieces of each begin, these."""
        all_ = self.pieces
        # Long pieces are cut first: the box of a long one that runs askew is mostly empty.
        parts = np.maximum(np.ceil(all_.lengths / _CELL), 1).astype(np.int64)
        owner, part = expanded(np.zeros(len(parts), np.int64), parts)
        step = (all_.lengths / parts)[owner][:, None] * all_.directions[owner]
        one = all_.starts[owner] + part[:, None] * step
        wide = (self.half_widths[all_.owners] + reach)[owner][:, None]
        low, high = np.minimum(one, one + step) - wide, np.maximum(one, one + step) + wide
        origin = low.min(axis=0) if len(low) else np.zeros(2)
        first = np.floor((low - origin) / _CELL).astype(np.int64)
        size = np.floor((high - origin) / _CELL).astype(np.int64) - first + 1
        columns = int((first + size)[:, 0].max()) if len(low) else 0
        box, cell = expanded(np.zeros(len(size), np.int64), size[:, 0] * size[:, 1])
        across, down = cell % size[box, 0], cell // size[box, 0]
        key = (first[box, 1] + down) * columns + first[box, 0] + across
        pairs = np.unique(np.column_stack([key, owner[box]]), axis=0)
        keys, firsts = np.unique(pairs[:, 0], return_index=True)
        return keys, np.r_[firsts, len(pairs)], pairs[:, 1], origin, columns


def lane_map(roads: RoadMap) -> LaneMap:
    """The lines of a road map, made once for each."""
    kept: LaneMap = roads.__dict__.setdefault("_lane_map", LaneMap(roads))
    return kept


def expanded(firsts: Counts, counts: Counts) -> tuple[Counts, Counts]:
    """All numbers first … first + count - 1 of each row: the rows, and the numbers.

    >>> [part.tolist() for part in expanded(np.array([5, 9]), np.array([2, 1]))]
    [[0, 0, 1], [5, 6, 9]]
    """
    rows = np.repeat(np.arange(len(counts)), counts)
    begins = np.cumsum(counts) - counts
    return rows, np.arange(len(rows)) - np.repeat(begins - firsts, counts)


def least_of(values: Floats, counts: Counts) -> Counts:
    """Of groups of so many values one after the other, where the least of each is; -1 for none.

    >>> least_of(np.array([3.0, 1.0, 7.0]), np.array([2, 0, 1])).tolist()
    [1, -1, 2]
    """
    result = np.full(len(counts), -1, np.int64)
    some = np.flatnonzero(counts)
    if len(some):
        begins = (np.cumsum(counts) - counts)[some]
        least = np.repeat(np.minimum.reduceat(values, begins), counts[some])
        hits = np.flatnonzero(values == least)
        result[some] = hits[np.searchsorted(hits, begins)]
    return result


def _stacked(parts: Iterable[Floats]) -> Floats:
    return np.vstack([np.empty((0, 2)), *parts])
