"""Burst and isolation: which valves shut a part of a network, and what else goes dry.

Valves cut segments from nodes; what hangs together without these cuts is a part that can only be
shut as a whole (Walski 1993, "Water distribution valve topology for reliability analysis": a
segment between valves). The parts are the vertices of a second graph, whose edges are the valves.
"""

from dataclasses import dataclass

import numpy as np

from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind, Rows, Valves
from cim_core.progress import Progress
from pipelines.failing_valves import Around, Failing, Sides, Wider, components
from pipelines.graph import Mask, grouped
from pipelines.statistics import clear_volumes

MEASURES = ("segments", "length", "volume", "nodes", "demand", "users")
"""What is counted of what is shut: numbers, metres, cubic metres, litres per second."""


@dataclass(frozen=True, eq=False)
class Loss:
    """What closing some valves does.

    planned, needless, following
        (p,), (q,), (r,) rows of the valves that were to be closed when none fails, of those among
        them that need not be closed now, and of those to be closed besides.
    shut, stranded
        (6,) how much is shut in between them, and how much loses every source it had beyond them,
        by `MEASURES`; where there was no source nothing is stranded.
    """

    planned: Rows
    needless: Rows
    following: Rows
    shut: Floats
    stranded: Floats

    @property
    def valves(self) -> Rows:
        """(v,) rows of the valves to be closed."""
        return np.union1d(np.setdiff1d(self.planned, self.needless), self.following)

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
        self._sides = Sides(
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
        self._feeding = Sides(
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

    def break_at(self, segment: int, progress: Progress | None = None) -> Isolation:
        """What a break in a segment, given by its row, asks for; raises `Cancelled`."""
        ask = progress or Progress()
        broken = int(self.segments[segment])
        touching, _ = self._sides.touching(np.array([broken]))
        beside = np.zeros(len(self.valves), bool)
        beside[touching] = True
        valves = touching[self._sides.counts[touching] > 1]
        # Several valves may lead to the same parts: when any of them fails the same is shut besides.
        beyond = [self._sides.of(valve) for valve in valves.tolist()]
        keys = [tuple(parts[parts != broken].tolist()) for parts in beyond]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        cases = []
        for key in numbers:
            ask.ask()
            cases.append(self._wider(np.array(key), beside))
        none = np.empty(0, np.int64)
        shut = self._regions_of(np.array([broken]))
        inner = np.concatenate([shut, *(case.regions for case in cases)])
        around = Around(
            self._feeding, inner, np.concatenate([valves, *(case.touching for case in cases)]),
            self._sources,
        )  # fmt: skip
        before, after = around.groups(none, none), around.groups(shut, touching)
        fed = around.fed(before)
        dry = (fed & (after >= 0) & ~around.fed(after))[around.vertices]
        loose = fed & (around.sources == 0)
        loose[around.vertices[shut]] = False
        stranded = Failing(around, beside, loose, self._measures).stranded(cases, ask)
        planned = Loss(
            valves, none, none, self._measures[shut].sum(axis=0), self._measures[dry].sum(axis=0)
        )
        losses = [
            Loss(
                valves, case.needless, case.following,
                planned.shut + self._measures[case.regions].sum(axis=0), lost,
            )
            for case, lost in zip(cases, stranded, strict=True)
        ]  # fmt: skip
        own = np.unique(before[around.vertices[shut]])
        shut_mask = np.zeros(self._regions, bool)
        shut_mask[shut] = True
        return Isolation(
            int(around.sources[np.isin(before, own)].sum()), planned,
            tuple(losses[numbers[key]] for key in keys),
            *self._inside(shut_mask), *self._inside(dry),
        )  # fmt: skip

    def _wider(self, parts: Rows, beside: Mask) -> Wider:
        """What it takes to shut some parts as well, `beside` the broken one."""
        touching, times = self._sides.touching(parts)
        inside = times + beside[touching] == self._sides.counts[touching]
        return Wider(
            self._regions_of(parts), touching,
            touching[inside & beside[touching]], touching[~inside & ~beside[touching]],
        )  # fmt: skip

    def _regions_of(self, parts: Rows) -> Rows:
        first, rows = self._part_first, self._part_regions
        return np.concatenate([rows[first[part] : first[part + 1]] for part in parts.tolist()])

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


@kept(2)
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
    found, labels = components(ends[whole], begins, size)
    return found, labels[:count], labels[count:]
