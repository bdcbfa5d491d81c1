"""What an excavation meets, in tables: pipes and wells one by one, and whom to call."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.clearance import KIND
from analysis.network_question import CLASS, ID, LAYER
from analysis.underground import Underground
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.network import NodeKind, Rows
from cim_core.table import Column, Table
from pipelines.network_layer import node_class, segment_classes, size_text

PIPE = (
    LAYER,
    ID,
    KIND,
    CLASS,
    Column("size", {"en": "Size", "zh": "规格"}, "text"),
    Column("material", {"en": "Material", "zh": "材质"}, "text"),
    Column("pressure", {"en": "Pressure or voltage", "zh": "压力/电压"}, "text"),
    Column("status", {"en": "Status", "zh": "使用状态"}, "text"),
    Column("owner", {"en": "Owner", "zh": "权属单位"}, "text"),
    Column("depth", {"en": "Depth of its top", "zh": "顶部埋深"}, "number", "m"),
)
LENGTH = Column("length", {"en": "Length inside", "zh": "范围内长度"}, "number", "m")


@dataclass(frozen=True, slots=True)
class Met:
    """Segments and nodes within the margin, k of them.

    rows, nodes
        (k,) of segments, or of nodes where `nodes` says so.
    """

    rows: Rows
    nodes: NDArray[np.bool_]
    distances: Floats
    lengths: Floats
    depths: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, some: Rows) -> "Met":
        """Some of the rows."""
        return Met(
            self.rows[some], self.nodes[some], self.distances[some], self.lengths[some],
            self.depths[some],
        )  # fmt: skip


def said(known: Underground, met: Met) -> list[list[Value]]:
    """What the tables say of segments and of nodes, but for figures."""
    segments, nodes = known.network.segments, known.network.nodes
    classes = segment_classes(segments)
    rows: list[tuple[Value, ...]] = []
    for row, node in zip(met.rows.tolist(), met.nodes.tolist(), strict=True):
        if node:
            kind = node_class(NodeKind(nodes.kinds[row]))
            cells = (nodes.ids[row], "node", kind, "", "", "", "", "")
            rows.append((known.layer_of_node(row), *cells))
            continue
        rows.append(
            (
                known.layer_of(row), segments.ids[row], "segment", classes.text(row),
                size_text(segments, row), segments.materials.text(row), segments.pressures.text(row),
                segments.statuses.text(row), segments.owners.text(row),
            )
        )  # fmt: skip
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in PIPE[:-1]]


@dataclass(slots=True)
class _Owner:
    """Of one owner: how many segments, and how many wells and devices, are hit and near."""

    classes: set[str]
    segments: list[int]
    nodes: list[int]
    length: float = 0.0


def owner_rows(known: Underground, hit: Met, beside: Met) -> Table:
    """Whom to call, those who are hit for most metres first, then those hit at all.

    A well or a device is that of everyone whose segments meet there; where none does its owner is
    not known.
    """
    segments = known.network.segments
    classes = segment_classes(segments)
    found: dict[str, _Owner] = {}

    def owner(row: int) -> _Owner:
        entry = found.setdefault(segments.owners.text(row), _Owner(set(), [0, 0], [0, 0]))
        entry.classes.add(classes.text(row))
        return entry

    for column, met in enumerate((hit, beside)):
        pipes = met.taken(np.flatnonzero(~met.nodes))
        for row, length in zip(pipes.rows.tolist(), pipes.lengths.tolist(), strict=True):
            entry = owner(row)
            entry.segments[column] += 1
            entry.length += length
        for meeting in _meeting(known, met.rows[met.nodes]):
            if not meeting:
                found.setdefault("", _Owner(set(), [0, 0], [0, 0])).nodes[column] += 1
            for entry in {id(own): own for own in map(owner, meeting)}.values():
                entry.nodes[column] += 1
    ordered = sorted(
        found.items(),
        key=lambda item: (-item[1].length, not (item[1].segments[0] or item[1].nodes[0]), item[0]),
    )
    columns = (
        Column("owner", {"en": "Owner", "zh": "权属单位"}, "text"),
        Column("classes", {"en": "Classes", "zh": "管线类别"}, "text"),
        Column("hit", {"en": "Segments hit", "zh": "受影响管段"}, "integer"),
        Column("near", {"en": "Segments near", "zh": "邻近管段"}, "integer"),
        Column("nodes_hit", {"en": "Wells and devices hit", "zh": "受影响管点"}, "integer"),
        Column("nodes_near", {"en": "Wells and devices near", "zh": "邻近管点"}, "integer"),
        LENGTH,
    )
    rows: list[tuple[Value, ...]] = [
        (name, ", ".join(sorted(own.classes)), *own.segments, *own.nodes, round(own.length, 3))
        for name, own in ordered
    ]
    return Table(columns, tuple(rows))


def _meeting(known: Underground, nodes: Rows) -> Iterator[list[int]]:
    """The segments that meet at each of some nodes."""
    segments = known.network.segments
    at, rows = [], []
    for ends in (segments.starts, segments.ends):
        some = np.flatnonzero(np.isin(ends, nodes))
        at.append(ends[some])
        rows.append(some)
    there, meeting = np.concatenate(at), np.concatenate(rows)
    order = np.argsort(there, kind="stable")
    there, meeting = there[order], meeting[order]
    first, after = np.searchsorted(there, nodes), np.searchsorted(there, nodes, side="right")
    for begin, end in zip(first.tolist(), after.tolist(), strict=True):
        yield meeting[begin:end].tolist()
