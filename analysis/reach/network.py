"""A network of roads in arrays: who gets from where to where, and in how many minutes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array

from analysis.reach.noding import Rows, Shapes, noded
from analysis.reach.rules import Mode, mode_rules, reach_table, words
from cim_core.mesh import Floats


class Roads(Protocol):
    """Centre lines with what is known of them, as `Picked` of the check-up's scene is.

    shapes
        (k,) LineStrings or MultiLineStrings, metres in a plane.
    columns
        Each (k,): road_class, speed (km/h), oneway, bridge, tunnel, level; any may be missing.
    """

    @property
    def shapes(self) -> NDArray[np.object_]: ...  # noqa: D102
    @property
    def columns(self) -> Mapping[str, NDArray[np.generic]]: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class ReachNetwork:
    """Edges between nodes.

    nodes
        (n, 2) metres.
    ends
        (k, 2) int64, the nodes each edge leads between.
    shapes, lengths
        (k,) LineStrings from the first of these to the second, (k,) metres.
    forward, backward
        (k,) minutes for the whole edge, in its direction and against it; infinite where one may not.
    roads
        (k,) int64, the row of the road each is a part of.
    """

    mode: Mode
    nodes: Floats
    ends: Rows
    shapes: Shapes
    lengths: Floats
    forward: Floats
    backward: Floats
    roads: Rows

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The edges by place."""
        return shapely.STRtree(self.shapes)

    @cached_property
    def graph(self) -> csr_array:
        """(n, n) minutes from node to node, the least of parallel edges."""
        return graph_of(len(self.nodes), *self.arcs)

    @property
    def arcs(self) -> tuple[Rows, Rows, Floats]:
        """From, to and minutes of every way along an edge that one may take."""
        start = np.concatenate([self.ends[:, 0], self.ends[:, 1]])
        end = np.concatenate([self.ends[:, 1], self.ends[:, 0]])
        minutes = np.concatenate([self.forward, self.backward])
        may = np.isfinite(minutes)
        return start[may], end[may], minutes[may]


def graph_of(count: int, start: Rows, end: Rows, minutes: Floats) -> csr_array:
    """(count, count) minutes of arcs, (a,) each: scipy adds up what is there twice, so the least."""
    order = np.lexsort((minutes, end, start))
    start, end, minutes = start[order], end[order], minutes[order]
    first = (np.diff(start, prepend=-1) != 0) | (np.diff(end, prepend=-1) != 0)
    return csr_array((minutes[first], (start[first], end[first])), shape=(count, count))


def walk_network(roads: Roads) -> ReachNetwork:
    """The roads one may walk along, in both directions at one pace."""
    return reach_network(roads, "walk")


def drive_network(roads: Roads) -> ReachNetwork:
    """The roads one may drive on, at the speed of their class or their limit, if that is lower."""
    return reach_network(roads, "drive")


def reach_network(roads: Roads, mode: Mode) -> ReachNetwork:
    """The roads that are open to who walks or drives."""
    rules = mode_rules(mode)
    classes, ways = _classes(roads), _ways(roads)
    speeds = _metres_a_minute(roads, mode, classes)
    lines, line = shapely.get_parts(shapely.force_2d(roads.shapes), return_index=True)
    real = (shapely.get_dimensions(lines) == 1) & (shapely.length(lines) > 0)
    real &= ~np.isin(classes, list(rules.closed))[line]
    lines, line = lines[real], line[real]
    if not len(lines):
        none = np.empty(0)
        whole = np.empty(0, np.int64)
        shapes = np.empty(0, object)
        return ReachNetwork(
            mode, np.empty((0, 2)), np.empty((0, 2), np.int64), shapes, none, none, none, whole
        )
    found = noded(lines, _levels(roads)[line], float(reach_table()["noding"]["tolerance"]))
    road = line[found.pieces.lines]
    lengths: Floats = shapely.length(found.pieces.shapes)
    minutes = lengths / speeds[road]
    way = ways[road] if mode == "drive" else np.zeros(len(road), np.int64)
    forward = np.where(way < 0, np.inf, minutes)
    backward = np.where(way > 0, np.inf, minutes)
    return ReachNetwork(
        mode, found.nodes, found.ends, found.pieces.shapes, lengths, forward, backward, road
    )


def _column(roads: Roads, name: str) -> list[object]:
    values = roads.columns.get(name)
    return [None] * len(roads.shapes) if values is None else values.tolist()


def _text(value: object) -> str:
    """What a cell says, in small letters: 1.0 and True are "1" and "true"."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().lower()


def _classes(roads: Roads) -> NDArray[np.object_]:
    known = words().classes
    found = [known.get(_text(value), "other") for value in _column(roads, "road_class")]
    return np.array(found, object)


def _ways(roads: Roads) -> NDArray[np.int64]:
    """1 where only the direction of the line may be driven, -1 only against it, 0 both."""
    said, known = words(), _column(roads, "road_class")
    texts = [_text(value) for value in _column(roads, "oneway")]
    return np.array(
        [
            -1 if text in said.against_line
            else int(text in said.with_line or (not text and _text(kind) in said.always_with))
            for text, kind in zip(texts, known, strict=True)
        ],
        np.int64,
    )  # fmt: skip


def _metres_a_minute(roads: Roads, mode: Mode, classes: NDArray[np.object_]) -> Floats:
    rules = mode_rules(mode)
    if rules.pace:
        return np.full(len(classes), rules.pace)
    usual = np.array([rules.speeds.get(kind, rules.speeds["other"]) for kind in classes], float)
    limits = np.array([_limit(value) for value in _column(roads, "speed")], float)
    speeds: Floats = np.fmin(usual, limits) * 1000 / 60
    return speeds


def _limit(value: object) -> float:
    """A speed limit in km/h; NaN where there is none that can be read, as "30 mph" or "signals"."""
    try:
        limit = float(_text(value).removesuffix("km/h"))
    except ValueError:
        return np.nan
    return limit if limit > 0 else np.nan


def _levels(roads: Roads) -> NDArray[np.object_]:
    """What lies at one height: the level, and whether it is a bridge or a tunnel."""
    no = ("", "no", "0", "false", "否", "building_passage")  # such a way is at the ground
    columns = [_column(roads, name) for name in ("level", "bridge", "tunnel")]
    found = np.empty(len(roads.shapes), object)
    for row, (level, *built) in enumerate(zip(*columns, strict=True)):
        found[row] = (_text(level) or "0", *(_text(value) not in no for value in built))
    return found
