"""Burst and isolation (爆管关阀): which valves to close, who is without supply, and if one fails."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import model_validator

from analysis.analysis import Answer, Text
from analysis.network_question import (
    DEMAND,
    ID,
    LAYER,
    LENGTH,
    NODE_COLUMNS,
    SEGMENT_COLUMNS,
    USERS,
    VOLUME,
    PipeQuestion,
    node_cells,
    segment_cells,
)
from analysis.underground import Underground, underground
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import Rows, Valves
from cim_core.progress import Progress
from cim_core.table import Column, Table
from pipelines.isolation import MEASURES, Isolation, Loss, parts_of

_VALVE = Column("valve", {"en": "Valve", "zh": "阀门"}, "text")
_SEGMENTS = Column("segments", {"en": "Segments", "zh": "管段数"}, "integer")
_NODES = Column("nodes", {"en": "Nodes", "zh": "节点数"}, "integer")
_VALVES = (
    LAYER,
    ID,
    _VALVE,
    Column("cuts", {"en": "Segments it cuts", "zh": "所切断的管段"}, "text"),
    Column("lon", {"en": "Longitude", "zh": "经度"}, "number", "°"),
    Column("lat", {"en": "Latitude", "zh": "纬度"}, "number", "°"),
)
_STRANDED = (
    LAYER, ID, Column("what", {"en": "What", "zh": "要素类型"}, "text"),
    Column("class", {"en": "Class", "zh": "类别"}, "text"), LENGTH, DEMAND, USERS,
)  # fmt: skip
_COUNTED = ("nodes", "demand", "users")
_MEASURED = (_SEGMENTS, LENGTH, VOLUME, _NODES, DEMAND, USERS)
_WORSE = (
    LAYER,
    ID,
    _VALVE,
    Column("next", {"en": "Valves to close instead", "zh": "需改关的阀门"}, "text"),
    Column("next_count", {"en": "Number of those", "zh": "改关阀门数"}, "integer"),
    _SEGMENTS,
    _NODES,
    DEMAND,
    USERS,
    Column("more_nodes", {"en": "Nodes more", "zh": "增加的节点数"}, "integer"),
    Column("more_demand", {"en": "Demand more", "zh": "增加的用水量"}, "number", "L/s"),
    Column("more_users", {"en": "Users more", "zh": "增加的用户数"}, "integer"),
)
_TOTALS = (
    Column("what", {"en": "What", "zh": "项目"}, "text"),
    Column("failing", {"en": "Failing valve", "zh": "失效阀门"}, "text"),
    Column("valves", {"en": "Valves to close", "zh": "应关阀门数"}, "integer"),
    Column("sources", {"en": "Sources before", "zh": "事前水源（气源）数"}, "integer"),
    *_MEASURED,
)


class BurstIsolation(PipeQuestion):
    """Which valves shut off a break, what is then without supply, and how much more if one fails.

    Flow directions do not count: in a network with loops they turn when valves are closed.
    """

    name: ClassVar[str] = "isolation"
    title: ClassVar[Text] = {"en": "Burst and isolation", "zh": "爆管关阀"}
    description: ClassVar[Text] = {
        "en": "Which valves to close for a break in a pipe, what is then without supply, and how much "
        "worse it gets if one of them cannot be closed.",
        "zh": "管道破裂时应关闭哪些阀门、停供范围与影响用户，以及某个阀门失效时的后果。",
    }
    outputs: ClassVar[dict[str, Text]] = {
        "valves": {"en": "Valves to close", "zh": "应关阀门"},
        "segments": {"en": "Segments shut in", "zh": "关断管段"},
        "nodes": {"en": "Nodes shut in", "zh": "关断节点"},
        "stranded": {"en": "Loses every source", "zh": "失去全部来源的部分"},
        "worse": {"en": "If a valve fails", "zh": "阀门失效后果"},
        "totals": {"en": "Totals", "zh": "汇总"},
    }

    @model_validator(mode="after")
    def _one_place(self) -> "BurstIsolation":
        if (self.at is None) == (self.segment is None):
            raise InvalidInput(
                "a break is at a place or in a segment; give at or segment, not both"
            )
        return self

    def __call__(self, city: City, progress: Progress) -> Answer:
        """Valves, what they shut in, what is stranded, and each valve's failure, the worst first.

        Raises `NotFound` where no pipe is.
        """
        known = underground(city, self.layers)
        segment = self.asked_segment(known)
        progress(0, 1, "valves")
        parts = parts_of(known.network, through_closed=self.through_closed)
        found = parts.break_at(segment, progress)
        nodes, segments = known.network.nodes, known.network.segments
        measured = _Measured(
            bool(np.isfinite(nodes.demand).any()), bool(np.isfinite(nodes.users).any())
        )
        order = _worst_first(found)
        stranded = np.concatenate([found.stranded_segments, found.stranded_nodes + len(segments)])
        outputs = {
            "valves": self.paged(
                _VALVES, found.planned.valves, lambda rows: _valve_cells(known, parts.valves, rows)
            ),
            "segments": self.paged(
                SEGMENT_COLUMNS, found.shut_segments, lambda rows: segment_cells(known, rows)
            ),
            "nodes": self.paged(
                NODE_COLUMNS, found.shut_nodes, lambda rows: node_cells(known, rows)
            ),
            "stranded": self.paged(_STRANDED, stranded, lambda rows: _both_cells(known, rows)),
            "worse": self.paged(
                _WORSE,
                order,
                lambda numbers: _worse_cells(known, parts.valves, found, numbers, measured),
            ),
            "totals": Table(_TOTALS, _totals(parts.valves, found, order, measured)),
        }
        return Answer(outputs, known.versions)


def _worst_first(found: Isolation) -> Rows:
    """The failures in the order of what is then without supply: users, demand, nodes, segments."""
    # Less than a millionth comes of adding up in another order.
    off = np.array([failure.off for failure in found.failures]).reshape(-1, len(MEASURES)).round(6)
    keys = [MEASURES.index(name) for name in ("segments", "nodes", "demand", "users")]
    order: Rows = np.lexsort(-off[:, keys].T)
    return order


class _Measured:
    """What was counted as cells: None for what nobody knows of the whole network."""

    def __init__(self, demand: bool, users: bool) -> None:
        self._known = (True, True, True, True, demand, users)

    def cells(self, values: Floats, names: Sequence[str] = MEASURES) -> list[Value]:
        cells: list[Value] = []
        for name, value in zip(names, values.tolist(), strict=True):
            known = self._known[MEASURES.index(name)]
            # A sum that comes out a little below nothing is nothing, not -0.0.
            exact = name in ("length", "volume", "demand")
            number = round(value, 3) + 0.0 if exact else round(value)
            cells.append(number if known else None)
        return cells


def _valve_cells(known: Underground, valves: Valves, rows: Rows) -> list[tuple[Value, ...]]:
    """The columns of `_VALVES`: where each valve is, at a node, and which segments it cuts there."""
    network = known.network
    cut: dict[int, list[int]] = {row: [] for row in rows.tolist()}
    for one in np.flatnonzero(np.isin(valves.valves, rows)).tolist():
        cut[int(valves.valves[one])].append(one)
    lines: list[tuple[Value, ...]] = []
    for row, its in cut.items():
        node = int(valves.nodes[its[0]])
        lon, lat = network.nodes.places[node].round(8).tolist()
        names = ", ".join(network.segments.ids[np.sort(valves.segments[its])].tolist())
        lines.append((*_stands(known, valves, row, node), names, lon, lat))
    return list(zip(*lines, strict=True))


def _stands(known: Underground, valves: Valves, row: int, node: int) -> tuple[Value, Value, Value]:
    return known.layer_of_node(node), str(known.network.nodes.ids[node]), str(valves.ids[row])


def _worse_cells(
    known: Underground, valves: Valves, found: Isolation, numbers: Rows, measured: _Measured
) -> list[tuple[Value, ...]]:
    """The columns of `_WORSE` for failures by their numbers."""
    planned = found.planned
    rows = planned.valves[numbers]
    cuts = np.flatnonzero(np.isin(valves.valves, rows))
    nodes = dict(zip(valves.valves[cuts].tolist(), valves.nodes[cuts].tolist(), strict=True))
    lines: list[tuple[Value, ...]] = []
    for number, row in zip(numbers.tolist(), rows.tolist(), strict=True):
        failure = found.failures[number]
        off, more = failure.off, failure.off - planned.off
        lines.append(
            (
                *_stands(known, valves, row, nodes[row]),
                ", ".join(valves.ids[failure.following].tolist()), len(failure.following),
                *measured.cells(off[[0, 3, 4, 5]], ("segments", *_COUNTED)),
                *measured.cells(more[3:], _COUNTED),
            )
        )  # fmt: skip
    return list(zip(*lines, strict=True))


def _totals(
    valves: Valves, found: Isolation, order: Rows, measured: _Measured
) -> tuple[tuple[Value, ...], ...]:
    """What is shut in, what is stranded (not known without any source), both, and the worst failure."""
    planned, unknown = found.planned, [None] * len(MEASURES)
    start: tuple[Value, ...] = (None, len(planned.valves), found.sources)
    stranded = measured.cells(planned.stranded) if found.sources else unknown
    lines: list[tuple[Value, ...]] = [
        ("shut", *start, *measured.cells(planned.shut)),
        ("stranded", *start, *stranded),
        ("off", *start, *measured.cells(planned.off)),
    ]
    if len(order):
        worst: Loss = found.failures[int(order[0])]
        failing = str(valves.ids[planned.valves[order[0]]])
        count = len(worst.valves)
        lines.append(("worst", failing, count, found.sources, *measured.cells(worst.off)))
    return tuple(lines)


def _both_cells(known: Underground, rows: Rows) -> list[list[Value]]:
    """The columns of `_STRANDED` of segments, and of nodes whose rows go on after those."""
    count = len(known.network.segments)
    segments, nodes = rows[rows < count], rows[rows >= count] - count
    layer, ids, classes, lengths, _ = segment_cells(known, segments)
    node_layer, node_ids, node_classes, demand, users = node_cells(known, nodes)
    none: list[Value] = [None]
    kinds: list[Value] = [*["segment"] * len(segments), *["node"] * len(nodes)]
    return [
        layer + node_layer, ids + node_ids,
        kinds,
        classes + node_classes, lengths + none * len(nodes),
        none * len(segments) + demand, none * len(segments) + users,
    ]  # fmt: skip
