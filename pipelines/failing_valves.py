"""What a break strands as planned, and when any one of its valves cannot be closed.

Each failing valve is a case that differs from all others by a few valves; none is looked at anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csgraph, csr_array

from cim_core.mesh import Floats
from cim_core.network import Rows
from cim_core.progress import Progress
from pipelines.graph import Mask, grouped


def components(heads: Rows, begins: Rows, size: int) -> tuple[int, Rows]:
    """How many parts so many vertices fall into, and the part of each, by their neighbours' rows."""
    entries = (np.ones(len(heads)), heads.astype(np.int32), begins.astype(np.int32))
    found, labels = csgraph.connected_components(csr_array(entries, (size, size)), directed=False)
    return int(found), labels.astype(np.int64)


class Sides:
    """Which parts, or regions of parts, each valve lies between."""

    def __init__(self, valves: Rows, beside: Rows, count: int, parts: int) -> None:
        """`valves` and `beside`, (c,) each, of `count` valves and so many parts; pairs may repeat."""
        self.valves, self.parts = count, parts
        keys = np.unique(valves * max(parts, 1) + beside)
        self.owners, self.sides = np.divmod(keys, max(parts, 1))
        self._first = np.searchsorted(self.owners, np.arange(count + 1))
        self._by_part, rows = grouped(self.sides.astype(np.int32), parts)
        self._valves = self.owners[rows]
        self.counts = np.diff(self._first)

    def of(self, valve: int) -> Rows:
        """The parts beside a valve."""
        beside: Rows = self.sides[self._first[valve] : self._first[valve + 1]]
        return beside

    def touching(self, parts: Rows) -> tuple[Rows, Rows]:
        """The valves beside any of some parts, and beside how many of them each."""
        first = self._by_part
        each = [self._valves[first[part] : first[part + 1]] for part in parts.tolist()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *each]), return_counts=True)


@dataclass(frozen=True, eq=False)
class Wider:
    """What is shut besides when a valve fails: regions, and all the valves that touch them.

    Of the valves to be closed as planned the `needless` no longer are; the `following` are besides.
    """

    regions: Rows
    touching: Rows
    needless: Rows
    following: Rows


class Around:
    """The regions around a break and its valves, all others drawn together to what hangs together.

    So one look at the whole network answers many small questions about closing valves.

    vertices
        (regions,) the vertex each region belongs to; the inner ones have one for themselves.
    sources
        (vertices,) how many sources there are in each.
    touching, first, ends
        (t,) the valves not drawn together, (t + 1,) where the vertices beside each begin, and those.
    """

    def __init__(self, sides: Sides, inner: Rows, closing: Rows, sources: Rows) -> None:
        # A valve to be closed may touch the inner ones by a closed link alone, which feeds nothing.
        apart = np.zeros(sides.valves, bool)
        apart[sides.touching(inner)[0]] = True
        apart[closing] = True
        keep = ~apart[sides.owners]
        labels = _hanging_together(sides.owners[keep], sides.sides[keep], sides.valves, sides.parts)
        used, self.vertices = np.unique(labels, return_inverse=True)
        self.sources = np.bincount(self.vertices, sources, minlength=len(used))
        self.touching, self._owners = np.unique(sides.owners[~keep], return_inverse=True)
        self.ends = self.vertices[sides.sides[~keep]]
        self.first = np.searchsorted(self._owners, np.arange(len(self.touching) + 1))

    def groups(self, shut: Rows, closed: Rows) -> Rows:
        """(vertices,) what hangs together when regions are shut and valves closed; -1 the shut."""
        off = np.zeros(len(self.sources), bool)
        off[self.vertices[shut]] = True
        keep = ~np.isin(self.touching, closed)[self._owners] & ~off[self.ends]
        groups = _hanging_together(
            self._owners[keep], self.ends[keep], len(self.touching), len(off)
        )
        groups[off] = -1
        return groups

    def fed(self, groups: Rows) -> Mask:
        """(vertices,) which have a source in their group."""
        with_source = np.unique(groups[(self.sources > 0) & (groups >= 0)])
        return np.isin(groups, with_source)


def _hanging_together(owners: Rows, ends: Rows, valves: int, count: int) -> Rows:
    """(count,) what of so many hangs together by valves, each between the `ends` of its `owners`."""
    each = np.concatenate([[0], np.bincount(owners, minlength=valves), np.zeros(count, np.int64)])
    return components(valves + ends, np.cumsum(each), valves + count)[1][valves:]


class Failing:
    """What is stranded in each of many cases that differ by the few valves closed in each.

    The cases are halved again and again: before one half is looked at, all valves that only the
    other half closes are opened, and closed again after it. So a valve is opened as often as the
    cases can be halved, and not once for every case that leaves it open.
    """

    def __init__(self, around: Around, beside: Mask, loose: Mask, measures: Floats) -> None:
        """Valves `beside` the break are never open.

        `loose`, (vertices,): what has no source of its own and is stranded by losing all others.
        """
        self._around, self._beside, self._measures = around, beside, measures
        self._loose = loose[around.vertices]
        known, ends = np.unique(around.ends, return_inverse=True)
        size = len(known)
        number = np.full(len(loose), -1)
        number[known] = np.arange(size)
        # What is loose was fed, so that it is beside some valve.
        rows = np.flatnonzero(self._loose)
        where = number[around.vertices[rows]]
        much = [np.bincount(where, column, size) for column in measures[rows].T]
        self._much = list(np.column_stack(much))
        self._dry = measures[rows].sum(axis=0)
        self._leaders, self._sizes = list(range(size)), [1] * size
        self._is_loose = loose[known].tolist()
        split = np.split(ends, around.first[1:-1])[: len(around.touching)]
        self._between = dict(zip(around.touching.tolist(), split, strict=True))
        self._done: list[tuple[int, int, bool, Floats, Floats]] = []
        self._closing: dict[tuple[int, int], Rows] = {}

    def stranded(self, cases: Sequence[Wider], progress: Progress) -> list[Floats]:
        """(6,) what is stranded in each case, by `MEASURES`; raises `Cancelled`."""
        found: list[Floats] = []
        if cases:
            self._prepare(cases, 0, len(cases))
            self._halve(cases, 0, len(cases), found, progress)
        return found

    def _prepare(self, cases: Sequence[Wider], low: int, high: int) -> Rows:
        """Which valves any of some cases closes."""
        if high - low == 1:
            touching = cases[low].touching
            closing = touching[~self._beside[touching]]
        else:
            middle = (low + high) // 2
            halves = (self._prepare(cases, low, middle), self._prepare(cases, middle, high))
            closing = np.union1d(*halves)
        self._closing[low, high] = closing
        return closing

    def _halve(
        self, cases: Sequence[Wider], low: int, high: int, found: list[Floats], ask: Progress
    ) -> None:
        if high - low == 1:
            ask(low, len(cases), "valves")
            shut = cases[low].regions
            found.append(self._dry - self._measures[shut[self._loose[shut]]].sum(axis=0))
            return
        middle = (low + high) // 2
        halves = ((low, middle), (middle, high))
        for half, other in (halves, halves[::-1]):
            before = len(self._done)
            self._open(np.setdiff1d(self._closing[other], self._closing[half], assume_unique=True))
            self._halve(cases, *half, found, ask)
            while len(self._done) > before:
                self._undo()

    def _open(self, valves: Rows) -> None:
        for valve in valves.tolist():
            first, *others = self._between.get(valve, np.zeros(1, np.int64)).tolist()
            for other in others:
                self._join(self._leader(first), self._leader(other))

    def _leader(self, vertex: int) -> int:
        while (above := self._leaders[vertex]) != vertex:
            vertex = above
        return vertex

    def _join(self, low: int, high: int) -> None:
        if low == high:
            return
        if self._sizes[low] > self._sizes[high]:
            low, high = high, low
        loose = (self._is_loose[low], self._is_loose[high])
        self._done.append((low, high, loose[1], self._much[high], self._dry))
        self._leaders[low] = high
        self._sizes[high] += self._sizes[low]
        if all(loose):
            self._much[high] = self._much[high] + self._much[low]
        elif any(loose):
            self._dry = self._dry - self._much[low if loose[0] else high]
        self._is_loose[high] = all(loose)

    def _undo(self) -> None:
        low, high, self._is_loose[high], self._much[high], self._dry = self._done.pop()
        self._leaders[low] = low
        self._sizes[high] -= self._sizes[low]
