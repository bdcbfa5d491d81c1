"""Where a surveyed network can be shut, and who draws from it."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cim_core.layer import Dropped
from cim_core.network import NodeKind, Nodes, Rows, Segments, Valves
from pipelines.survey import SurveyTable
from pipelines.survey_points import Points, kinds_set
from pipelines.survey_values import JoinedRows, Notes

_LITRES = {"demand": 1.0, "demand_m3d": 1000 / 86_400, "demand_m3h": 1000 / 3600}
"""Of each unit of use in litres per second."""


def valves_of(
    points: Points, segments: Segments, tables: Sequence[SurveyTable], notes: Notes
) -> tuple[Nodes, Valves]:
    """The valves, and the nodes of which those with one are of their kind.

    A point that is a valve cuts all its segments and is called by its number. A table of valves
    names them otherwise, puts valves at points that are none, and says, by the segment or by the
    point at its other end, which segments each of them cuts; all of the point where it says none.
    """
    rows = JoinedRows.of(tables, "valve")
    nodes = points.nodes
    at = _nodes_of(points, rows, notes)
    rows, at = rows[np.flatnonzero(at >= 0)], at[at >= 0]
    nodes = kinds_set(nodes, at, NodeKind.VALVE)
    listed = np.zeros(len(nodes), bool)
    listed[at] = True
    alone = np.flatnonzero((nodes.kinds == NodeKind.VALVE) & ~listed)
    valves = np.concatenate([alone, at])
    names = [*nodes.ids[alone].tolist(), *rows.texts("valve").tolist()]
    ids = np.array(
        [name or nodes.ids[node] for name, node in zip(names, valves.tolist(), strict=True)], object
    )
    chosen = _chosen(points, segments, rows, at, notes)
    wanted = np.concatenate([np.full(len(alone), -1, np.int64), chosen])
    order = np.argsort(np.concatenate([segments.starts, segments.ends]), kind="stable")
    begins = np.searchsorted(
        np.concatenate([segments.starts, segments.ends])[order], np.arange(len(nodes) + 1)
    )
    counts = np.diff(begins)[valves]
    valve = np.repeat(np.arange(len(valves)), counts)
    first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])[:-1]
    place = np.arange(len(valve)) - first[valve] + begins[valves][valve]
    segment = order[place] % max(len(segments), 1)
    cut = (wanted[valve] < 0) | (wanted[valve] == segment)
    return nodes, Valves(ids, segment[cut], valves[valve[cut]], valve[cut])


def with_users(
    points: Points, nodes: Nodes, tables: Sequence[SurveyTable], notes: Notes
) -> Nodes:  # fmt: skip
    """The nodes with what user tables say is drawn from them, summed over the rows of each."""
    rows = JoinedRows.of(tables, "user")
    if not len(rows):
        return nodes
    at = _nodes_of(points, rows, notes)
    rows, at = rows[np.flatnonzero(at >= 0)], at[at >= 0]
    demand = np.full(len(rows), np.nan)
    for name, litres in _LITRES.items():
        said = rows.numbers(name, notes) * litres
        demand = np.where(np.isfinite(demand), demand, said)
    users = rows.numbers("users", notes)
    if not rows.has("users"):
        users = np.ones(len(rows))  # a row is a customer
    found = []
    for values in (demand, users):
        known = np.isfinite(values)
        total = np.bincount(at[known], values[known], len(nodes))
        some = np.bincount(at[known], minlength=len(nodes)) > 0
        found.append(np.where(some, total, np.nan))
    return replace(nodes, demand=found[0], users=found[1])


def _nodes_of(points: Points, rows: JoinedRows, notes: Notes) -> Rows:
    """The node of each row's point; those that have none are noted."""
    numbers = rows.texts("point")
    at = np.full(len(rows), -1, np.int64)
    for number in np.unique(rows.tables).tolist():
        own = np.flatnonzero(rows.tables == number)
        at[own] = points.find(numbers[own], rows.all_tables[number].system)
    for row in np.flatnonzero(at < 0).tolist():
        notes.dropped.append(
            Dropped(
                rows.line(row), rows.line(row),
                f"its point {numbers[row]} is in no point table, or was left out there",
            )
        )  # fmt: skip
    return at


def _chosen(
    points: Points, segments: Segments, rows: JoinedRows, at: Rows, notes: Notes
) -> Rows:  # fmt: skip
    """The one segment that each valve cuts, -1 where it cuts all of its point."""
    chosen = np.full(len(rows), -1, np.int64)
    lines, others = rows.texts("line"), rows.texts("connected")
    said = np.flatnonzero((lines != "") | (others != ""))
    if not len(said):
        return chosen
    by_id = {name: number for number, name in enumerate(segments.ids.tolist())}
    by_ends = {
        frozenset(ends): number
        for number, ends in enumerate(zip(segments.starts.tolist(), segments.ends.tolist(), strict=True))
    }  # fmt: skip
    for row in said.tolist():
        letters = rows.all_tables[rows.tables[row]].system
        other = int(points.find(others[row : row + 1], letters)[0]) if others[row] else -1
        found = by_id.get(lines[row], by_ends.get(frozenset((int(at[row]), other)), -1))
        if found >= 0 and at[row] in (segments.starts[found], segments.ends[found]):
            chosen[row] = found
        else:
            notes.warnings.append(
                f"the valve in {rows.line(row)} is at a line that is not there or does not touch its "
                "point; it counts as cutting all lines of the point"
            )
    return chosen
