"""What the check finds where lines meet, and along drainage in the direction it flows."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.checkin import Finding, Rule
from cim_core.mesh import Floats
from cim_core.network import Labels, NodeKind, Profile, Rows
from pipelines.network_layer import size_text
from pipelines.quality_rows import Mask
from pipelines.quality_survey import GRAVITY, CheckedSurvey, Findings

_OPEN = (NodeKind.WELL, NodeKind.SOURCE, NodeKind.OUTFALL)
"""Where lines need not touch each other."""
_ELSEWHERE = ("架空", "上架", "井内连线")
"""Ways of laying in which a line does not lie at the depth of its neighbours."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Ends of segments, e of them, those at one node next to each other.

    nodes, segments, sides
        (e,) the node, the segment, and whether it is its start, 0, or its end, 1.
    levels
        (e,) the elevation of the line there, NaN where it is not known.
    """

    nodes: Rows
    segments: Rows
    sides: Rows
    levels: Floats

    def __len__(self) -> int:
        return len(self.nodes)

    def only(self, which: Mask) -> "Ends":
        """Some of the ends."""
        return Ends(*(getattr(self, field.name)[which] for field in fields(self)))

    def at(self, node: int) -> slice:
        """Where the ends at a node stand."""
        return slice(*np.searchsorted(self.nodes, [node, node + 1]).tolist())

    @property
    def firsts(self) -> Rows:
        """(g,) where the ends at each node begin."""
        return np.flatnonzero(np.append(True, np.diff(self.nodes) != 0)[: len(self)])

    @property
    def counts(self) -> Rows:
        """(g,) how many ends there are at each node."""
        return np.diff(np.append(self.firsts, len(self)))

    def by_node(self, values: Floats, of: np.ufunc, size: int) -> Floats:
        """(size,) the least, greatest or sum of values, (e,), at each node; NaN where there is none."""
        found = np.full(size, np.nan)
        if len(self):
            found[self.nodes[self.firsts]] = of.reduceat(values, self.firsts)
        return found


def ends_of(checked: CheckedSurvey, which: Mask) -> Ends:
    """The ends of some segments, (m,), that were made of lines of line tables."""
    rows = np.flatnonzero(which & (checked.line_of >= 0))
    network = checked.placed.network.segments
    nodes = np.concatenate([network.starts[rows], network.ends[rows]])
    levels = checked.heights[checked.line_of[rows]]
    order = np.argsort(nodes, kind="stable")
    return Ends(
        nodes[order],
        np.concatenate([rows, rows])[order],
        np.repeat([0, 1], len(rows))[order],
        np.concatenate([levels[:, 0], levels[:, 1]])[order],
    )


def _name(checked: CheckedSurvey, segment: int) -> str:
    return checked.line_name(int(checked.line_of[segment]))


# --- what is the same on all lines at a point


def heights_differ(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines that meet at a point and do not touch there: the one farthest from the others.

    Of two as far it is the one that rises or falls more: it has been moved there.
    """
    network = checked.placed.network
    ends = ends_of(
        checked, (checked.systems != GRAVITY) & ~network.segments.burials.are(*_ELSEWHERE)
    )
    ends = ends.only(np.isfinite(ends.levels) & ~np.isin(network.nodes.kinds[ends.nodes], _OPEN))
    if not len(ends):
        return
    count = len(network.nodes)
    sizes = np.nan_to_num(network.segments.outer[ends.segments, 1])
    spread, leeway = (
        ends.by_node(values, np.maximum, count) - ends.by_node(values, np.minimum, count)
        for values in (ends.levels, sizes)
    )
    allowed = rule.number("max") + leeway / 2 + 1e-9
    for node in np.flatnonzero(spread > allowed).tolist():
        here = ends.at(node)
        low, levels = here.start, ends.levels[here]
        away = np.round(np.abs(levels - np.median(levels)), 6)
        rows = checked.line_of[ends.segments[here]]
        rises = np.abs(np.diff(checked.heights[rows], axis=1)[:, 0])
        worst = low + int(np.lexsort([rows, rises, away])[-1])
        other = low + int(np.abs(levels - ends.levels[worst]).argmax())
        yield checked.on_line(
            rule, int(checked.line_of[ends.segments[worst]]), float(spread[node]), "max",
            at=int(ends.sides[worst]), text=_name(checked, int(ends.segments[other])),
        )  # fmt: skip


def material_changes(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Lines of another material at a feature that is no change of it.

    Where three or more meet, those of one size are compared.
    """
    materials = checked.placed.network.segments.materials
    for one, other, side in _unlike(checked, rule, materials.codes, of_one_size=True):
        yield _changed(checked, rule, one, other, side, materials.text(other))


def section_changes(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Two lines of different size at a feature that is no change of it."""
    segments = checked.placed.network.segments
    for one, other, side in _unlike(checked, rule, _size_codes(checked), of_one_size=False):
        yield _changed(checked, rule, one, other, side, size_text(segments, other))


def _changed(
    checked: CheckedSurvey, rule: Rule, one: int, other: int, side: int, value: str
) -> Finding:
    row, text = int(checked.line_of[other]), _name(checked, one)
    return checked.on_line(rule, row, value, "features", at=side, text=text)


def _unlike(
    checked: CheckedSurvey, rule: Rule, codes: NDArray[np.integer[Any]], *, of_one_size: bool
) -> list[list[int]]:
    """Pairs of segments of one sub-class with different codes at a feature, and the side of the second.

    Codes below 0 are not known. `of_one_size` asks pairs of one size where more than two lines meet,
    too.
    """
    network, sizes = checked.placed.network, _size_codes(checked)
    ends = ends_of(checked, np.ones(len(network.segments), bool))
    count = len(network.nodes)
    classes = network.segments.classes.codes[ends.segments].astype(np.float64)
    same = ends.by_node(classes, np.maximum, count) == ends.by_node(classes, np.minimum, count)
    ends = ends.only((same & _plain_features(checked, rule))[ends.nodes])
    by_size = np.lexsort([sizes[ends.segments], ends.nodes])
    segments, nodes, sides = ends.segments[by_size], ends.nodes[by_size], ends.sides[by_size]
    number = np.zeros(count, np.int64)
    number[ends.nodes[ends.firsts]] = ends.counts
    one, other = segments[:-1], segments[1:]
    asked = number[nodes[1:]] == 2
    if of_one_size:
        asked |= (sizes[one] == sizes[other]) & (sizes[one] >= 0)
    differ = (codes[one] >= 0) & (codes[other] >= 0) & (codes[one] != codes[other])
    at = np.flatnonzero((nodes[1:] == nodes[:-1]) & asked & differ)
    later = checked.line_of[one[at]] > checked.line_of[other[at]]
    found = np.where(
        later,
        [other[at], one[at], sides[:-1][at]],
        [one[at], other[at], sides[1:][at]],
    )
    pairs: list[list[int]] = found.T.tolist()
    return pairs


def _plain_features(checked: CheckedSurvey, rule: Rule) -> Mask:
    """(n,) which nodes are features and none of those the rule excepts."""
    features = Labels.of(checked.points.texts("feature").tolist())
    words = rule.names("features")
    plain = np.array([not any(word in name for word in words) for name in features.names] + [False])
    points = plain[features.codes] & ~checked.points.filled("appurtenance")
    kinds = checked.placed.network.nodes.kinds
    found = np.zeros(len(kinds), bool)
    used = checked.node_of >= 0
    found[checked.node_of[used]] = points[used]
    return found & ~np.isin(kinds, _OPEN)


def _size_codes(checked: CheckedSurvey) -> Rows:
    """(m,) a number for each size, -1 where none is known."""
    segments = checked.placed.network.segments
    codes = np.zeros(len(segments), np.int64)
    tenths = (
        np.round(np.nan_to_num(sides) * 10_000)
        for sides in (segments.widths, segments.heights, segments.duct_sizes)
    )
    for column in (*tenths, *segments.ducts.T):
        values, own = np.unique(column, return_inverse=True)
        codes = codes * len(values) + own
    known = np.isfinite(segments.widths) | (segments.ducts[:, 0] > 0)
    return np.where(known, codes, -1)


# --- drainage


def flows_uphill(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Drainage that rises in the direction it flows."""
    flows = checked.placed.network.segments.flows
    rows = np.flatnonzero(_running(checked))
    heights = checked.heights[checked.line_of[rows]]
    rise = (heights[:, 1] - heights[:, 0]) * flows[rows]
    for at in np.flatnonzero(rise > rule.number("max") + 1e-9).tolist():
        yield checked.on_line(rule, int(checked.line_of[rows[at]]), float(rise[at]), "max")


def steps_up_in_well(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Drainage that leaves a point higher than it came."""
    coming, leaving = _coming_and_leaving(checked)
    lowest = coming.by_node(coming.levels, np.fmin, len(checked.placed.network.nodes))
    step = leaving.levels - lowest[leaving.nodes]
    for at in np.flatnonzero(step > rule.number("max") + 1e-9).tolist():
        node = int(leaving.nodes[at])
        there = coming.at(node)
        other = coming.segments[there][coming.levels[there] == lowest[node]]
        yield checked.on_line(
            rule, int(checked.line_of[leaving.segments[at]]), float(step[at]), "max",
            at=int(leaving.sides[at]), text=_name(checked, int(other[0])),
        )  # fmt: skip


def drops_in_well(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Drainage that falls into a well that is no drop well."""
    coming, leaving = _coming_and_leaving(checked)
    count = len(checked.placed.network.nodes)
    sizes = np.nan_to_num(checked.placed.network.segments.heights)
    one = (
        _single(coming, count)
        & _single(leaving, count)
        & ~_nodes_with(checked, rule.names("except"))
    )
    coming, leaving = (ends.only(one[ends.nodes]) for ends in (coming, leaving))
    below = coming.levels - leaving.levels
    step = np.minimum(below, below + sizes[coming.segments] - sizes[leaving.segments])
    for at in np.flatnonzero(step > rule.number("max") + 1e-9).tolist():
        yield checked.on_line(
            rule, int(checked.line_of[coming.segments[at]]), float(step[at]), "max",
            at=int(coming.sides[at]), text=_name(checked, int(leaving.segments[at])),
        )  # fmt: skip


def narrows_downstream(checked: CheckedSurvey, rule: Rule) -> Findings:
    """Drainage that leaves a point in less of a cross-section than it came in."""
    coming, leaving = _coming_and_leaving(checked)
    count = len(checked.placed.network.nodes)
    segments = checked.placed.network.segments
    areas = segments.widths * segments.heights
    areas = np.where(segments.profiles == Profile.CIRCLE, areas * np.pi / 4, areas)
    widest = coming.by_node(areas[coming.segments], np.fmax, count)
    leaving = leaving.only(_single(leaving, count)[leaving.nodes])
    narrower = areas[leaving.segments] < widest[leaving.nodes] * (1 - 1e-6)
    for at in np.flatnonzero(narrower).tolist():
        node, segment = int(leaving.nodes[at]), int(leaving.segments[at])
        others = coming.segments[coming.at(node)]
        wide = others[areas[others] == widest[node]]
        yield checked.on_line(
            rule, int(checked.line_of[segment]), float(segments.widths[segment] * 1000),
            at=int(leaving.sides[at]),
            text=_name(checked, int(wide[0])),
        )  # fmt: skip


def _running(checked: CheckedSurvey) -> Mask:
    """(m,) which segments are drainage without pressure whose direction is said."""
    segments = checked.placed.network.segments
    free = segments.pressures.codes < 0
    down = checked.systems == GRAVITY
    return np.asarray(down & free & (segments.flows != 0) & (checked.line_of >= 0), bool)


def _coming_and_leaving(checked: CheckedSurvey) -> tuple[Ends, Ends]:
    """The ends at which drainage comes to a node and leaves it."""
    ends = ends_of(checked, _running(checked))
    flows = checked.placed.network.segments.flows[ends.segments]
    leaves = np.where(flows > 0, ends.sides == 0, ends.sides == 1)
    return ends.only(~leaves), ends.only(leaves)


def _single(ends: Ends, count: int) -> Mask:
    """(count,) the nodes with just one of some ends."""
    found = np.zeros(count, bool)
    found[ends.nodes[ends.firsts[ends.counts == 1]]] = True
    return found


def _nodes_with(checked: CheckedSurvey, words: tuple[str, ...]) -> Mask:
    """(n,) the nodes whose feature or appurtenance has one of some words in it."""
    said = checked.words_at
    hit = np.array([any(word in name for word in words) for name in said.names] + [False])
    found = np.zeros(len(checked.placed.network.nodes), bool)
    used = checked.node_of >= 0
    found[checked.node_of[used]] = hit[said.codes[used]]
    return found
