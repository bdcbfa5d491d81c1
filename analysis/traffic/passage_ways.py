"""Which links lead to which intersection, and by which ways one gets from lane to lane."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Ints, LaneMap
from analysis.traffic.measures_rules import passage_rules
from cim_core.mesh import Floats

_SHORT = 60.0
"""Metres of a link between two intersections that may be passed between two reports."""


@dataclass(frozen=True, eq=False)
class Ways:
    """The connections of a map, looked up by where they come from and lead to."""

    lanes: LaneMap

    @cached_property
    def intersection_of(self) -> Ints:
        """(K,) the row of the intersection that each link leads to, -1 for none."""
        roads = self.lanes.roads
        rows = {one.id: row for row, one in enumerate(roads.intersections)}
        result = np.array([rows.get(link.end or "", -1) for link in roads.links], np.int32)
        for row, one in enumerate(roads.intersections):
            for approach in one.approaches:
                result[self.lanes.link_rows[approach.link]] = row
        return result

    @cached_property
    def link_from(self) -> Ints:
        """(C,) the row of the link each connection comes from."""
        return self.lanes.link_of_lane[self.lanes.from_lanes]

    @cached_property
    def link_to(self) -> Ints:
        """(C,) the row of the link each connection leads to."""
        return self.lanes.link_of_lane[self.lanes.to_lanes]

    @cached_property
    def free_speeds(self) -> Floats:
        """(C,) m/s through the intersection when nobody is in the way."""
        rules = passage_rules()
        most = {"left": rules.left, "right": rules.right, "uturn": rules.uturn}
        turn = np.array([most.get(c.turn, np.inf) for c in self.lanes.roads.connections])
        return np.asarray(np.minimum(turn, self.lanes.speeds[self.lanes.from_lanes]), np.float64)

    def joined(self, one: Ints, two: Ints) -> NDArray[np.bool_]:
        """Whether some connection leads from the first link to the second."""
        keys = self.link_from.astype(np.int64) * len(self.lanes.roads.links) + self.link_to
        return np.isin(one.astype(np.int64) * len(self.lanes.roads.links) + two, keys)

    def chosen(self, from_lane: Ints, to_lane: Ints, seen: Ints) -> Ints:
        """The connection taken from lane to lane, -1 where there is none.

        The one between the two lanes; else one of the same lane to the same link, or of the same
        link to that lane or link; else over a short link that was passed unseen; else, where no
        lane followed, the one it was seen on.
        """
        lanes, links = self.lanes, np.append(self.lanes.link_of_lane, -1)
        from_link, to_link = links[from_lane], links[to_lane]
        known = to_lane >= 0
        result = np.full(len(from_lane), -1, np.int32)
        for own, theirs in (
            ((lanes.from_lanes, lanes.to_lanes), (from_lane, to_lane)),
            ((lanes.from_lanes, self.link_to), (from_lane, to_link)),
            ((self.link_from, lanes.to_lanes), (from_link, to_lane)),
            ((self.link_from, self.link_to), (from_link, to_link)),
        ):
            open_ = known & (result < 0)
            result[open_] = _found(*own, theirs[0][open_], theirs[1][open_])
        open_ = known & (result < 0)
        first, last, rows = self._over_short
        at = _found(first, last, from_link[open_], to_link[open_])
        result[open_] = np.append(rows, np.int32(-1))[at]
        return np.where(known, result, seen).astype(np.int32)

    @cached_property
    def _over_short(self) -> tuple[Ints, Ints, Ints]:
        """Pairs of links with a short one between them: from, to, the connection that begins it."""
        short = np.array([link.length <= _SHORT for link in self.lanes.roads.links], bool)
        pairs = [
            (self.link_from[a], self.link_to[b], a)
            for a in np.flatnonzero(short[self.link_to]) for b in np.flatnonzero(self.link_from == self.link_to[a])
        ]  # fmt: skip
        first, last, rows = np.array(pairs, np.int32).reshape(-1, 3).T
        return first, last, rows


def ways_of(lanes: LaneMap) -> Ways:
    """The ways of a map, made once for each."""
    kept: Ways = lanes.__dict__.setdefault("_ways", Ways(lanes))
    return kept


def _found(first: Ints, second: Ints, one: Ints, two: Ints) -> Ints:
    """For each pair the place of the first equal pair among others, -1 for none."""
    if not len(first):
        return np.full(len(one), -1, np.int32)
    size = int(max(second.max(initial=0), two.max(initial=0))) + 2
    keys = first.astype(np.int64) * size + second
    order = np.argsort(keys, kind="stable")
    wanted = one.astype(np.int64) * size + two
    at = np.minimum(np.searchsorted(keys[order], wanted), len(order) - 1)
    return np.where(keys[order][at] == wanted, order[at], -1).astype(np.int32)
