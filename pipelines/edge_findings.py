"""What the check finds in layers of pipes: ends that were moved, ends that meet nothing, loose parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from cim_core.checkin import Finding, Rule, Rules
from cim_core.mesh import Floats
from cim_core.network import Network
from cim_core.network import Rows as Numbers
from pipelines.edge_columns import nearly
from pipelines.edge_rows import Rows
from pipelines.network_layer import segment_classes
from pipelines.quality_networks import isolated_parts
from pipelines.snapping import Places
from pipelines.splitting import Parts
from pipelines.survey_classes import systems_of


@dataclass(frozen=True, slots=True)
class Ends:
    """How the ends of lines became nodes.

    nodes
        (e + k,) the node of each end and point, see `joined_ends`.
    middles
        (n, 2) the places of nodes in the plane.
    names
        The names `Places.names` counts.
    within
        The tolerance, metres.
    """

    places: Places
    nodes: Numbers
    middles: Floats
    names: Sequence[str]
    within: float

    @property
    def count(self) -> int:
        """How many ends there are, twice the lines."""
        return len(self.places.lines)


def edge_findings(
    rules: Rules, ends: Ends, network: Network, parts: Parts, lines: Rows
) -> tuple[Finding, ...]:
    """All findings on a network made of lines, by the rules that are not off."""
    checks = {
        "pipe-end-unconnected": _unconnected,
        "pipe-snapped": _snapped,
        "isolated-network": _isolated,
    }
    return tuple(
        finding
        for name, check in checks.items()
        if rules[name].severity != "off"
        for finding in check(rules[name], ends, network, parts, lines)
    )


def _unconnected(
    rule: Rule, ends: Ends, network: Network, parts: Parts, lines: Rows
) -> Iterator[Finding]:
    """Ends apart from the others of their name; ends without a name that nearly meet something."""
    apart = _apart_from_their_name(ends)
    near = _nearly_meeting(ends, network, parts)
    for end in np.flatnonzero(np.isfinite(apart) | np.isfinite(near)).tolist():
        away = apart[end] if np.isfinite(apart[end]) else near[end]
        yield _on_end(rule, ends, network, parts, lines, end, float(away), limit="max", words={"limit": f"{ends.within:g}"})  # fmt: skip


def _apart_from_their_name(ends: Ends) -> Floats:
    """(e,) how far ends lie from the node that has most ends, or the point, of their name.

    NaN for those that are at that node, and without a name.
    """
    found = np.full(ends.count, np.nan)
    names, nodes = ends.places.names, ends.nodes
    named = np.flatnonzero(names >= 0)
    if not len(named):
        return found
    weight = np.bincount(nodes[: ends.count], minlength=len(ends.middles)).astype(float)
    weight[nodes[ends.count :][names[ends.count :] >= 0]] += 1e9
    # The node of each name with the greatest weight: the last of its name in this order.
    order = np.lexsort([-nodes[named], weight[nodes[named]], names[named]])
    ranked = named[order]
    last = np.append(names[ranked][1:] != names[ranked][:-1], True)
    main = np.full(len(ends.names), -1)
    main[names[ranked][last]] = nodes[ranked][last]
    own = named[named < ends.count]
    lost = own[nodes[own] != main[names[own]]]
    there = ends.middles[main[names[lost]]]
    found[lost] = np.linalg.norm(ends.places.at[lost] - there, axis=1)
    return found


def _nearly_meeting(ends: Ends, network: Network, parts: Parts) -> Floats:
    """(e,) how far ends without a name, alone at their node, lie from another node; NaN if far."""
    found = np.full(ends.count, np.nan)
    degree = np.bincount(np.concatenate([parts.starts, parts.ends]), minlength=len(ends.middles))
    nodes = ends.nodes[: ends.count]
    pointed = np.zeros(len(ends.middles), bool)
    pointed[ends.nodes[ends.count :]] = True
    loose = np.flatnonzero((ends.places.names[: ends.count] < 0) & (degree[nodes] == 1) & ~pointed[nodes])  # fmt: skip
    if not len(loose):
        return found
    # Itself, the other end of its own line, and the one that is asked for.
    wanted = min(3, len(ends.middles))
    away, which = cKDTree(ends.middles).query(
        ends.middles[nodes[loose]],
        k=range(1, wanted + 1),
        distance_upper_bound=nearly() * ends.within,
    )
    other = nodes[loose ^ 1]
    strange = (which != nodes[loose, None]) & (which != other[:, None]) & np.isfinite(away)
    first = strange.argmax(axis=1)
    any_ = strange.any(axis=1)
    found[loose[any_]] = away[np.flatnonzero(any_), first[any_]]
    return found


def _snapped(
    rule: Rule, ends: Ends, network: Network, parts: Parts, lines: Rows
) -> Iterator[Finding]:
    nodes = ends.nodes[: ends.count]
    moved = np.linalg.norm(ends.places.at[: ends.count] - ends.middles[nodes], axis=1)
    for end in np.flatnonzero(moved > rule.number("min")).tolist():
        node = str(network.nodes.ids[nodes[end]])
        yield _on_end(rule, ends, network, parts, lines, end, float(moved[end]), limit=None, words={"text": node})  # fmt: skip


def _on_end(
    rule: Rule, ends: Ends, network: Network, parts: Parts, lines: Rows, end: int, value: float,
    *, limit: str | None, words: dict[str, str],
) -> Finding:  # fmt: skip
    """A finding on one end of a line, where its node is."""
    line = end // 2
    ours = np.searchsorted(parts.lines, line, side="right" if end % 2 else "left") - end % 2
    segment = int(ours)
    node = int(ends.nodes[end])
    lon, lat = network.nodes.places[node].tolist()
    height = network.segments.elevations[segment, end % 2]
    table, row = lines.places[line]
    return Finding(
        rule.id, round(value, 3), limit, str(network.segments.ids[segment]),
        segment_classes(network.segments).text(segment), lines.ids[line], None,
        (lon, lat, float(height) if np.isfinite(height) else None), words, table, row,
    )  # fmt: skip


def _isolated(
    rule: Rule, ends: Ends, network: Network, parts: Parts, lines: Rows
) -> Iterator[Finding]:
    """Parts of few lines that are connected neither with the rest nor with a source or an outfall."""
    segments, nodes = network.segments, network.nodes
    classes = segment_classes(segments)
    for rows, system in isolated_parts(network, systems_of(segments.classes).texts(), rule):
        segment = int(rows[0])
        lon, lat = nodes.places[segments.starts[segment]].tolist()
        line = int(parts.lines[segment])
        table, row = lines.places[line]
        yield Finding(
            rule.id, len(rows), "lines", str(segments.ids[segment]), classes.text(segment),
            lines.ids[line], None, (lon, lat, None), {"system": system or classes.text(segment)},
            table, row,
        )  # fmt: skip
