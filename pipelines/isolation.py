"""Burst and isolation: which valves shut a part of a network, and what else goes dry.

Valves cut segments from nodes; what hangs together without these cuts is a part that can only be
shut as a whole (Walski 1993, "Water distribution valve topology for reliability analysis": a
segment between valves). The parts are the vertices of a second graph, whose edges are the valves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csgraph, csr_array

from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind, Rows, Valves
from pipelines.graph import Mask, grouped
from pipelines.statistics import clear_volumes

MEASURES = ("segments", "length", "volume", "nodes", "demand", "users")
"""What is counted of what is shut: numbers, metres, cubic metres, litres per second."""


@dataclass(frozen=True, eq=False)
class Loss:
    """What closing some valves does.

    valves
        (v,) rows of those to be closed.
    shut, stranded
        (6,) how much is shut in between them, and how much loses every source it had beyond them,
        by `MEASURES`; where there was no source nothing is stranded.
    """

    valves: Rows
    shut: Floats
    stranded: Floats

    @property
    def off(self) -> Floats:
        """(6,) all that is without supply."""
        return self.shut + self.stranded


@dataclass(frozen=True, eq=False)
class Isolation:
    """The answer to a break.

    sources
        How many sources fed it before; without any it is not known what else goes dry.
    planned
        What it takes when all valves can be closed.
    failures
        For each of `planned.valves`: what it takes when this one cannot be closed, so that the
        nearest ones beyond it are instead.
    shut_segments, shut_nodes, stranded_segments, stranded_nodes
        Rows of what is shut in and of what is stranded as planned.
    """

    sources: int
    planned: Loss
    failures: tuple[Loss, ...]
    shut_segments: Rows
    shut_nodes: Rows
    stranded_segments: Rows
    stranded_nodes: Rows


class Parts:
    """What of a network can be shut by itself.

    valves
        Those of the network, and each node that is a valve and that none of these cuts: it cuts all
        its segments.
    segments, nodes
        (m,) and (n,) the number of the part each lies in.
    count
        How many parts there are.
    """

    def __init__(self, network: Network, *, through_closed: bool) -> None:
        self.network = network
        self.valves = all_valves(network)
        cut = _cut(network, self.valves)
        self.count, self.segments, self.nodes = _divided(network, cut)
        kinds, valves = network.nodes.kinds, self.valves
        self._bodies = self._valve_bodies()
        own = ~self._bodies[valves.nodes]
        self._sides = _Sides(
            np.concatenate([valves.valves, valves.valves[own]]),
            np.concatenate([self.segments[valves.segments], self.nodes[valves.nodes[own]]]),
            len(valves), self.count,
        )  # fmt: skip
        # What feeds what is asked of regions: without its closed links a part may fall into several.
        closed = network.segments.closed & (not through_closed)
        regions = (self.count, self.segments, self.nodes)
        if closed.any():
            regions = _divided(network, cut | np.concatenate([closed, closed]))
        self._regions, self._segment_regions, self._node_regions = regions
        open_ = ~closed[valves.segments]
        self._feeding = _Sides(
            np.concatenate([valves.valves[open_], valves.valves[own]]),
            np.concatenate(
                [
                    self._segment_regions[valves.segments[open_]],
                    self._node_regions[valves.nodes[own]],
                ]
            ),
            len(valves), self._regions,
        )  # fmt: skip
        part_of = np.empty(self._regions, np.int32)
        part_of[self._segment_regions] = self.segments
        part_of[self._node_regions] = self.nodes
        self._part_first, self._part_regions = grouped(part_of, self.count)
        self._measures = self._measured()
        is_source = kinds == NodeKind.SOURCE
        self._sources = np.bincount(self._node_regions[is_source], minlength=self._regions)

    def break_at(self, segment: int) -> Isolation:
        """What a break in a segment, given by its row, asks for."""
        broken = np.array([self.segments[segment]])
        valves = self._to_close(broken)
        wider = [np.union1d(broken, self._sides.of(valve)) for valve in valves.tolist()]
        cases = [(self._regions_of(broken), valves)]
        cases += [(self._regions_of(parts), self._to_close(parts)) for parts in wider]
        inner = np.unique(np.concatenate([shut for shut, _ in cases]))
        closing = np.unique(np.concatenate([closed for _, closed in cases]))
        around = _Around(self._feeding, inner, closing, self._sources)
        before = around.groups(np.empty(0, np.int64), ())
        fed = around.fed(before)
        dry = [self._dry(around, fed, *case) for case in cases]
        planned, *failures = (
            Loss(closed, self._measures[shut].sum(axis=0), self._measures[lost].sum(axis=0))
            for (shut, closed), lost in zip(cases, dry, strict=True)
        )
        own = np.unique(before[around.vertices[cases[0][0]]])
        shut_mask = np.zeros(self._regions, bool)
        shut_mask[cases[0][0]] = True
        return Isolation(
            int(around.sources[np.isin(before, own)].sum()), planned, tuple(failures),
            *self._inside(shut_mask), *self._inside(dry[0]),
        )  # fmt: skip

    def _regions_of(self, parts: Rows) -> Rows:
        first, rows = self._part_first, self._part_regions
        return np.concatenate([rows[first[part] : first[part + 1]] for part in parts.tolist()])

    def _to_close(self, parts: Rows) -> Rows:
        """The valves between some parts and all others."""
        touching = self._sides.touching(parts)
        known = set(parts.tolist())
        inside = [known.issuperset(self._sides.of(valve).tolist()) for valve in touching.tolist()]
        between: Rows = touching[~np.array(inside, bool)]
        return between

    def _dry(self, around: "_Around", fed: Mask, shut: Rows, closed: Rows) -> Mask:
        """(regions,) what had a source and has none when regions are shut by closing valves."""
        groups = around.groups(shut, closed.tolist())
        lost: Mask = (fed & (groups >= 0) & ~around.fed(groups))[around.vertices]
        return lost

    def _inside(self, regions: Mask) -> tuple[Rows, Rows]:
        nodes = regions[self._node_regions] & ~self._bodies
        return np.flatnonzero(regions[self._segment_regions]), np.flatnonzero(nodes)

    def _valve_bodies(self) -> Mask:
        """(n,) the nodes that are nothing but one valve: closed, they are on no side of it."""
        empty = np.bincount(self.segments, minlength=self.count) == 0
        keys = np.unique(self.valves.nodes * max(len(self.valves), 1) + self.valves.valves)
        cutting = np.bincount(keys // max(len(self.valves), 1), minlength=len(self.nodes))
        lone = empty[self.nodes] & (cutting == 1)
        return np.asarray(lone & (self.network.nodes.kinds == NodeKind.VALVE))

    def _measured(self) -> Floats:
        """(regions, 6) how much there is in each region, by `MEASURES`; unknown counts as nothing."""
        segments, nodes = self.network.segments, self.network.nodes
        own = (~self._bodies).astype(float)
        of_segments = (np.ones(len(segments)), segments.lengths, clear_volumes(segments))
        of_nodes = (own, nodes.demand * own, nodes.users * own)
        weighed = [(self._segment_regions, values) for values in of_segments]
        weighed += [(self._node_regions, values) for values in of_nodes]
        return np.column_stack(
            [np.bincount(where, np.nan_to_num(much), self._regions) for where, much in weighed]
        )


@lru_cache(maxsize=4)
def parts_of(network: Network, *, through_closed: bool = False) -> Parts:
    """The parts of a network; the same ones for the same network as long as few others are asked.

    `through_closed`: whether closed links feed what is beyond them. They never serve as valves.
    """
    return Parts(network, through_closed=through_closed)


def all_valves(network: Network) -> Valves:
    """The valves of a network and its nodes that are valves, none twice."""
    nodes, segments, valves = network.nodes, network.segments, network.valves
    own = nodes.kinds == NodeKind.VALVE
    own[valves.nodes] = False
    rows = np.flatnonzero(own)
    number = np.full(len(nodes), -1)
    number[rows] = len(valves) + np.arange(len(rows))
    ends = np.concatenate([segments.starts, segments.ends])
    cut = np.flatnonzero(own[ends])
    return Valves(
        np.concatenate([valves.ids, nodes.ids[rows]]),
        np.concatenate([valves.segments, cut % max(len(segments), 1)]),
        np.concatenate([valves.nodes, ends[cut]]),
        np.concatenate([valves.valves, number[ends[cut]]]),
    )


def _cut(network: Network, valves: Valves) -> Mask:
    """(2 m,) which ends of segments are cut from their node: all starts, then all ends."""
    segments = network.segments
    cut = np.zeros((2, len(segments)), bool)
    for side, ends in enumerate((segments.starts, segments.ends)):
        at = ends[valves.segments] == valves.nodes
        cut[side, valves.segments[at]] = True
    return cut.ravel()


def _divided(network: Network, cut: Mask) -> tuple[int, Rows, Rows]:
    """How many parts there are, and the part of each segment and node."""
    segments = network.segments
    count = len(segments)
    ends = np.stack([segments.starts, segments.ends], axis=1).ravel() + count
    whole = ~cut.reshape(2, count).T.ravel()
    begins = np.concatenate([[0], np.cumsum(whole.reshape(-1, 2).sum(axis=1))])
    size = count + len(network.nodes)
    begins = np.concatenate([begins, np.full(size - count, begins[-1])])
    found, labels = _components(ends[whole], begins, size)
    return found, labels[:count], labels[count:]


def _components(heads: Rows, begins: Rows, size: int) -> tuple[int, Rows]:
    entries = (np.ones(len(heads)), heads.astype(np.int32), begins.astype(np.int32))
    found, labels = csgraph.connected_components(csr_array(entries, (size, size)), directed=False)
    return int(found), labels.astype(np.int64)


class _Sides:
    """Which parts, or regions of parts, each valve lies between."""

    def __init__(self, valves: Rows, beside: Rows, count: int, parts: int) -> None:
        """`valves` and `beside`, (c,) each, of `count` valves and so many parts; pairs may repeat."""
        self.valves, self.parts = count, parts
        keys = np.unique(valves * max(parts, 1) + beside)
        self.owners, self.sides = np.divmod(keys, max(parts, 1))
        self._first = np.searchsorted(self.owners, np.arange(count + 1))
        self._by_part, rows = grouped(self.sides.astype(np.int32), parts)
        self._valves = self.owners[rows]

    def of(self, valve: int) -> Rows:
        """The parts beside a valve."""
        beside: Rows = self.sides[self._first[valve] : self._first[valve + 1]]
        return beside

    def touching(self, parts: Rows) -> Rows:
        """The valves beside any of some parts, each once."""
        first = self._by_part
        each = [self._valves[first[part] : first[part + 1]] for part in parts.tolist()]
        return np.unique(np.concatenate([np.empty(0, np.int64), *each]))


class _Around:
    """The regions around a break and its valves, all others drawn together to what hangs together.

    So one look at the whole network answers many small questions about closing valves.

    vertices
        (regions,) the vertex each region belongs to; the inner ones have one for themselves.
    sources
        (vertices,) how many sources there are in each.
    """

    def __init__(self, sides: _Sides, inner: Rows, closing: Rows, sources: Rows) -> None:
        # A valve to be closed may touch the inner ones by a closed link alone, which feeds nothing.
        self._touching = np.union1d(sides.touching(inner), closing).tolist()
        apart = np.zeros(sides.valves, bool)
        apart[self._touching] = True
        keep = ~apart[sides.owners]
        each = np.bincount(sides.owners[keep], minlength=sides.valves)
        each = np.concatenate([[0], each, np.zeros(sides.parts, np.int64)])
        size = sides.valves + sides.parts
        _, labels = _components(sides.valves + sides.sides[keep], np.cumsum(each), size)
        used, self.vertices = np.unique(labels[sides.valves :], return_inverse=True)
        self.sources = np.bincount(self.vertices, sources, minlength=len(used))
        self._beside = [self.vertices[sides.of(valve)].tolist() for valve in self._touching]

    def groups(self, shut: Rows, closed: Sequence[int]) -> Rows:
        """(vertices,) what hangs together when regions are shut and valves closed; -1 the shut."""
        leaders: dict[int, int] = dict.fromkeys(self.vertices[shut].tolist(), -1)

        def leader(vertex: int) -> int:
            while (above := leaders.get(vertex, vertex)) not in (vertex, -1):
                vertex = above
            return vertex

        for valve, beside in zip(self._touching, self._beside, strict=True):
            if valve not in closed:
                first, *others = [leader(v) for v in beside if leaders.get(v) != -1] or [-1]
                for other in others:
                    leaders[leader(other)] = leader(first)
        groups = np.arange(len(self.sources))
        for vertex, above in leaders.items():
            groups[vertex] = -1 if above == -1 else leader(vertex)
        return groups

    def fed(self, groups: Rows) -> Mask:
        """(vertices,) which have a source in their group."""
        with_source = np.unique(groups[(self.sources > 0) & (groups >= 0)])
        return np.isin(groups, with_source)
