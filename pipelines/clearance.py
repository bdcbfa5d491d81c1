"""Which pipes and cables lie too near to one another, by tables of net distances.

**What is measured.** Each segment is taken as its straight pieces, solids with flat ends. Two pieces
*cross* where their outlines seen from above touch or overlap; then the net vertical distance counts,
surface to surface along a vertical. Otherwise they lie *beside* one another, and the net horizontal
distance counts: that between their outlines seen from above, whatever their depths. Of each pair of
segments the least of either kind is told, with the true distance in space beside it.

**What is no conflict.**

* Segments that share a node: they are meant to meet.
* Segments of one run: those joined by a way along the network not much longer than the distance they
  have to keep (`RUN` times that, sizes over all included). A run is not too near to itself.
* Segments beside one another at more than `PARALLEL` degrees where one goes on across the other: the
  segment that follows on it crosses the other, and the crossing decides.

A pair is compared where a table knows the kinds of both, see `rule_kinds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.network import Network, Rows
from cim_core.progress import Progress
from pipelines.clearance_rules import Members, Required, clearances
from pipelines.distances import (
    Solids,
    axis_points,
    boxes,
    distances,
    plan_distances,
    vertical_distances,
)
from pipelines.rule_kinds import Kinds, kinds_of
from pipelines.short_ways import ShortWays

RUN = 1.5
"""A way around two corners is so much longer than the straight one, about."""

PARALLEL = 30.0

_NEAR_ENOUGH = 1e-4
"""Metres by which a distance may fall short: less than any survey says."""

_PORTION = 20_000
"""Pieces whose neighbours are compared at a time: some hundred megabytes."""


@dataclass(frozen=True, slots=True)
class Conflicts:
    """Pairs of segments that are too near, k of them.

    segments, others
        (k,) rows of segments, the lower first.
    crossing
        (k,) whether the vertical distance is told, else the horizontal one.
    measured
        (k,) metres, negative where two overlap that cross.
    apart
        (k,) the true distance in space, NaN where a height is not known.
    places
        (k, 2) metres in the plane, between the two.
    required
        What each source demands, in the order of the sources asked for.
    """

    segments: Rows
    others: Rows
    crossing: NDArray[np.bool_]
    measured: Floats
    apart: Floats
    places: Floats
    required: Mapping[str, Required]

    def __len__(self) -> int:
        return len(self.segments)

    def taken(self, rows: Rows) -> "Conflicts":
        """Some of the pairs."""
        return Conflicts(
            self.segments[rows], self.others[rows], self.crossing[rows], self.measured[rows],
            self.apart[rows], self.places[rows],
            {name: Required(r.strict[rows], r.mild[rows]) for name, r in self.required.items()},
        )  # fmt: skip

    def broken(self, source: str) -> NDArray[np.bool_]:
        """(k,) which are too near by a source."""
        return _less(self.measured, self.required[source].strict)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a check found and how much it looked at.

    compared
        How many pairs of pieces were near enough to be measured.
    one_run, decided
        How many pairs of pieces that are too near are of one run, are decided by a crossing.
    """

    conflicts: Conflicts
    kinds: Kinds
    compared: int
    one_run: int
    decided: int


def too_near(
    network: Network, owners: Rows, bodies: Solids, rules: tuple[str, ...], progress: Progress,
    within: NDArray[np.bool_] | None = None,
) -> Checked:  # fmt: skip
    """Check a whole network; see the module for what is measured.

    owners
        (p,) the segment of each piece.
    bodies
        The pieces, metres in one plane; see `distances.solids`.
    rules
        Names of sources of `clearance_rules`.
    within
        (p,) the pieces to be checked against all others; all if not given.
    """
    check = _Check.of(network, owners, bodies, rules)
    asked = check.known & (within if within is not None else True)
    rows = _by_place(bodies, np.flatnonzero(asked))
    tree_rows = np.flatnonzero(check.known)
    tree = shapely.STRtree(boxes(bodies.taken(tree_rows)))
    parts, crossings = [], [np.empty((0, 2), np.int64)]
    compared = one_run = 0
    for begin in range(0, len(rows), _PORTION):
        progress(begin, len(rows), "neighbours")
        portion = rows[begin : begin + _PORTION]
        near = tree.query(boxes(bodies.taken(portion), check.reach[portion]))
        first, second = portion[near[0]], tree_rows[near[1]]
        # What is asked of both is found from both sides.
        once = (first < second) | ~asked[second]
        part, met, some = check.compare(first[once], second[once])
        runs = check.one_run(part)
        parts.append(part.taken(np.flatnonzero(~runs)))
        crossings.append(met)
        compared += some
        one_run += int(runs.sum())
    progress(len(rows), len(rows), "neighbours")
    found = _joined(parts, rules)
    goes_on = check.goes_on_across(found, np.vstack(crossings))
    conflicts = check.least(found.taken(np.flatnonzero(~goes_on)))
    return Checked(conflicts, check.kinds, compared, one_run, int(goes_on.sum()))


@dataclass(frozen=True, slots=True)
class _Check:
    """A network with all that is the same for every portion of it.

    known
        (p,) pieces whose kind a table knows.
    reach
        (p,) how far from each piece another one can matter.
    around
        (p,) how far each piece reaches from its middle line.
    most
        (k, k) the most that any of the rules demands horizontally of two kinds; -1 where no rule
        demands anything of them, in no way of measuring.
    """

    network: Network
    owners: Rows
    bodies: Solids
    rules: tuple[str, ...]
    kinds: Kinds
    members: Members
    known: NDArray[np.bool_]
    reach: Floats
    around: Floats
    most: Floats
    ways: ShortWays

    @classmethod
    def of(cls, network: Network, owners: Rows, bodies: Solids, rules: tuple[str, ...]) -> "_Check":
        kinds = kinds_of(network.segments)
        sizes = np.nan_to_num(network.segments.widths)
        members = Members(kinds.of, sizes, kinds.kilovolts)[owners]
        horizontal = np.nanmax([np.nan_to_num(clearances("horizontal", r).highest, nan=-1.0) for r in rules], axis=0)  # fmt: skip
        vertical = np.any([np.isfinite(clearances("vertical", r).highest) for r in rules], axis=0)
        most = np.where(vertical, np.fmax(horizontal, 0.0), horizontal)
        known = (members.kinds >= 0) & (most.max(axis=1) >= 0)[members.kinds]
        # Without a place in the plan nothing can be compared.
        known &= np.isfinite(bodies.ends[..., :2]).all(axis=(1, 2))
        reach = np.fmax(most.max(axis=1), 0.0)[members.kinds]
        lengths = np.bincount(owners, bodies.level.lengths, len(network.segments)).astype(
            np.float64
        )  # of no segments they are integers
        ways = ShortWays.of(network, lengths, RUN * float(reach.max(initial=0.0)) + 4.0)
        return cls(
            network, owners, bodies, rules, kinds, members, known, reach, bodies.reach, most, ways
        )

    def compare(self, first: Rows, second: Rows) -> tuple[Conflicts, Rows, int]:
        """Pairs of pieces: those too near, which segments cross, and how many were measured."""
        a, b = self.owners[first], self.owners[second]
        starts, ends = self.network.segments.starts, self.network.segments.ends
        apart = (a != b) & (starts[a] != starts[b]) & (starts[a] != ends[b])
        apart &= (ends[a] != starts[b]) & (ends[a] != ends[b])
        most = self.most[self.members.kinds[first], self.members.kinds[second]]
        some = np.flatnonzero(apart & (most >= 0))
        first, second, most = first[some], second[some], most[some]
        lines = self.bodies.ends[..., :2]
        least = axis_points(lines[first], lines[second]).distances
        some = np.flatnonzero(least - self.around[first] - self.around[second] <= most)
        first, second = first[some], second[some]
        plan = plan_distances(self.bodies.taken(first), self.bodies.taken(second))
        over = plan.distances == 0
        between = (plan.here + plan.there)[:, :2] / 2
        beside = self._beside(first, second, plan.distances, between, np.flatnonzero(~over))
        crossing = self._crossing(first, second, np.flatnonzero(over))
        met = np.column_stack([self.owners[first[over]], self.owners[second[over]]])
        return _joined([beside, crossing], self.rules), met, len(some)

    def _beside(
        self, first: Rows, second: Rows, measured: Floats, between: Floats, rows: Rows
    ) -> Conflicts:
        required = self._required("horizontal", first[rows], second[rows])
        near = _any_less(measured[rows], required)
        rows, required = rows[near], _taken(required, near)
        return self._conflicts(
            first[rows], second[rows], np.zeros(len(rows), bool), measured[rows], between[rows], required
        )  # fmt: skip

    def _crossing(self, first: Rows, second: Rows, rows: Rows) -> Conflicts:
        first, second = first[rows], second[rows]
        required = self._required("vertical", first, second)
        one, other = self.bodies.taken(first).heights, self.bodies.taken(second).heights
        # What lies so far above all of the other needs no closer look; NaN is not less.
        gap = np.fmax(one[:, 0] - other[:, 1], other[:, 0] - one[:, 1])
        near = _any_less(gap, required)
        first, second, required = first[near], second[near], _taken(required, near)
        measured = vertical_distances(self.bodies.taken(first), self.bodies.taken(second))
        near = _any_less(measured, required)
        first, second, required = first[near], second[near], _taken(required, near)
        lines = self.bodies.ends[..., :2]
        shares = axis_points(lines[first], lines[second]).shares
        points = [
            lines[rows, 0] + share[:, None] * (lines[rows, 1] - lines[rows, 0])
            for rows, share in ((first, shares[:, 0]), (second, shares[:, 1]))
        ]
        crossing = np.ones(len(first), bool)
        between = (points[0] + points[1]) / 2
        return self._conflicts(first, second, crossing, measured[near], between, required)

    def _required(self, way: str, first: Rows, second: Rows) -> dict[str, Required]:
        one, other = self.members[first], self.members[second]
        return {rule: clearances(way, rule).required(one, other) for rule in self.rules}

    def _conflicts(
        self, first: Rows, second: Rows, crossing: NDArray[np.bool_], measured: Floats,
        between: Floats, required: dict[str, Required],
    ) -> Conflicts:  # fmt: skip
        one, other = self.bodies.taken(first), self.bodies.taken(second)
        known = np.flatnonzero(np.isfinite(one.ends + other.ends).all(axis=(1, 2)))
        apart = np.full(len(first), np.nan)
        apart[known] = distances(one.taken(known), other.taken(known)).distances
        return Conflicts(
            self.owners[first], self.owners[second], crossing, measured, apart, between, required
        )

    def one_run(self, found: Conflicts) -> NDArray[np.bool_]:
        """Which pairs are joined by a way hardly longer than what they have to keep."""
        strict = np.stack([r.strict for r in found.required.values()])
        most = np.fmax.reduce(strict, axis=0, initial=0.0)
        size = np.nan_to_num(self.network.segments.outer).max(axis=1)
        limits = RUN * most + (size[found.segments] + size[found.others]) / 2
        return self.ways.joined(found.segments, found.others, limits)

    def goes_on_across(self, found: Conflicts, crossings: Rows) -> NDArray[np.bool_]:
        """Which pairs that lie beside one another at an angle are decided by a crossing."""
        segments, nodes = self.network.segments, self.network.nodes
        way = nodes.places[segments.ends] - nodes.places[segments.starts]
        way[:, 0] *= np.cos(np.radians(nodes.places[segments.starts, 1]))
        length = np.linalg.norm(way, axis=1)
        one, other = found.segments, found.others
        along = np.abs(np.einsum("nj,nj->n", way[one], way[other]))
        turned = along < np.cos(np.radians(PARALLEL)) * length[one] * length[other]
        count = len(segments)
        crossed = np.concatenate(
            [ends[a] * count + b for ends in (segments.starts, segments.ends)
             for a, b in (crossings.T, crossings.T[::-1])]
        )  # fmt: skip
        goes_on = np.zeros(len(found), bool)
        for ends in (segments.starts, segments.ends):
            for a, b in ((one, other), (other, one)):
                goes_on |= np.isin(ends[a] * count + b, crossed)
        decided: NDArray[np.bool_] = ~found.crossing & turned & goes_on
        return decided

    def least(self, found: Conflicts) -> Conflicts:
        """Of each pair of segments the least of either kind, by rows of segments."""
        low = np.minimum(found.segments, found.others)
        high = np.maximum(found.segments, found.others)
        found = replace(found, segments=low, others=high)
        order = np.lexsort((found.measured, found.crossing, high, low))
        keys = np.column_stack([low, high, found.crossing])[order]
        first = np.ones(len(keys), bool)
        first[1:] = (np.diff(keys, axis=0) != 0).any(axis=1)
        return found.taken(order[first])


def _by_place(bodies: Solids, rows: Rows) -> Rows:
    """Rows of pieces in an order in which neighbours are near to one another."""
    middles = bodies.ends[rows, :, :2].mean(axis=1)
    columns = np.floor(middles[:, 0] / 500.0)
    order: Rows = np.lexsort((middles[:, 1], columns))
    return rows[order]


def _less(measured: Floats, required: Floats) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = measured < required - _NEAR_ENOUGH
    return found


def _any_less(measured: Floats, required: Mapping[str, Required]) -> NDArray[np.bool_]:
    found = np.zeros(len(measured), bool)
    for demand in required.values():
        found |= _less(measured, demand.strict)
    return found


def _taken(required: Mapping[str, Required], rows: NDArray[np.bool_]) -> dict[str, Required]:
    return {name: Required(r.strict[rows], r.mild[rows]) for name, r in required.items()}


def _joined(parts: list[Conflicts], rules: tuple[str, ...]) -> Conflicts:
    none = np.empty(0, np.int64)
    required = {
        rule: Required(
            np.concatenate([np.empty(0), *(part.required[rule].strict for part in parts)]),
            np.concatenate([np.empty(0), *(part.required[rule].mild for part in parts)]),
        )
        for rule in rules
    }
    return Conflicts(
        np.concatenate([none, *(part.segments for part in parts)]),
        np.concatenate([none, *(part.others for part in parts)]),
        np.concatenate([np.empty(0, bool), *(part.crossing for part in parts)]),
        np.concatenate([np.empty(0), *(part.measured for part in parts)]),
        np.concatenate([np.empty(0), *(part.apart for part in parts)]),
        np.concatenate([np.empty((0, 2)), *(part.places for part in parts)]),
        required,
    )
