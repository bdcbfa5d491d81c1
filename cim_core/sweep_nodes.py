"""What stands at the nodes of a network: fittings by what meets there, wells, and small models."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.frame import Frame
from cim_core.mesh import Floats
from cim_core.network import Network, NodeKind, Rows
from cim_core.sweep import ROUND, Tubes, joined_tubes
from cim_core.sweep_models import BLOCK, FRAME, HUB, REDUCER
from cim_core.sweep_network import Drawn, drawing

_STEP = 0.005
"""Metres; sizes of models are rounded to it, so that one model serves many nodes."""

_LEAST = 0.05
"""Metres; a shaft or riser that is shorter is drawn this long."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Models at nodes, p of them.

    owners
        (p,) rows of nodes.
    names, sizes, ratios
        (p,) which model, see `cim_core.sweep_models.model`.
    places, turns
        (p, 3) metres in the frame, and (p, 3, 3) how they are turned.
    """

    owners: Rows
    names: NDArray[np.str_]
    sizes: Floats
    ratios: Floats
    places: Floats
    turns: Floats

    def __len__(self) -> int:
        return len(self.owners)

    def __getitem__(self, rows: Rows | NDArray[np.bool_]) -> "Parts":
        return Parts(
            self.owners[rows], self.names[rows], self.sizes[rows], self.ratios[rows],
            self.places[rows], self.turns[rows],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DrawnNodes:
    """The nodes of a network as they are drawn.

    tubes
        Shafts of wells and risers, their owners being rows of nodes.
    parts
        Their models. A node has a tube or a part, or is not drawn.
    segments
        (n,) the row of the widest segment that meets a node, -1 for none: its colour is the node's.
    assumed
        (n,) whose height or depth was not surveyed and is drawn by an assumption.
    """

    tubes: Tubes
    parts: Parts
    segments: Rows
    assumed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Arms:
    """Ends of segments at nodes, sorted by node, the widest first."""

    nodes: Rows
    segments: Rows
    points: Floats
    ways: Floats
    sizes: Floats
    round: NDArray[np.bool_]
    assumed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Around:
    """What is known of each node, (n,) or (n, 3); heights are z of the frame."""

    degree: Rows
    first: Rows
    widest: Floats
    axis: Floats
    ground: Floats
    bottom: Floats
    heading: Floats
    assumed: NDArray[np.bool_]


def drawn_nodes(
    network: Network, drawn: Drawn, frame: Frame, geoid_separation: float
) -> DrawnNodes:
    """What stands at each node; metres in the frame."""
    nodes = network.nodes
    arms = _arms(network, drawn)
    around = _around(network, arms, frame, geoid_separation)
    kind = nodes.kinds
    there = np.isfinite(around.axis).all(axis=1)
    joint = there & (kind == NodeKind.JOINT)
    parts = [
        *_fittings(arms, around, joint),
        *_standing(around, there & (kind == NodeKind.WELL), "lid", drawing()["well"]["lid"]),
        *_standing(around, there & (kind == NodeKind.HYDRANT), "hydrant", 1.0),
        *_standing(around, there & (kind == NodeKind.SOURCE), "source", 1.0),
        *_standing(around, there & (kind == NodeKind.DEVICE), "device", 1.0),
        *_on_pipe(arms, around, there & (kind == NodeKind.VALVE), "valve"),
        *_on_pipe(arms, around, there & (kind == NodeKind.OUTFALL), "outfall"),
    ]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Parts.__slots__]
    above = np.isin(kind, [NodeKind.HYDRANT, NodeKind.SOURCE, NodeKind.DEVICE])
    wells = there & (kind == NodeKind.WELL)
    said = drawing()
    width = np.maximum(said["well"]["width"], 2 * around.widest + said["well"]["margin"])
    risers = there & above & (around.degree > 0) & (around.ground - around.axis[:, 2] > _LEAST)
    shafts = [
        _upright(wells, around, around.bottom, width),
        _upright(risers, around, around.axis[:, 2], np.full(len(kind), said["riser"]["width"])),
    ]
    segments = np.full(len(kind), -1)
    has = around.degree > 0
    segments[has] = arms.segments[around.first[has]]
    return DrawnNodes(joined_tubes(shafts), Parts(*columns), segments, around.assumed & there)


def _arms(network: Network, drawn: Drawn) -> _Arms:
    tubes, segments = drawn.tubes, network.segments
    rows = tubes.owners
    begin, end = tubes.starts[:-1], tubes.starts[1:] - 1
    nodes = np.concatenate([segments.starts[rows], segments.ends[rows]])
    points = np.concatenate([tubes.points[begin], tubes.points[end]])
    ways = np.concatenate([tubes.points[begin + 1], tubes.points[end - 1]]) - points
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    both = np.concatenate([rows, rows])
    sizes = np.tile(tubes.outer, (2, 1))
    order = np.lexsort((-sizes.max(axis=1), nodes))
    return _Arms(
        nodes[order], both[order], points[order], ways[order], sizes[order],
        np.tile(tubes.kinds == ROUND, 2)[order], drawn.height_assumed[both][order],
    )  # fmt: skip


def _around(network: Network, arms: _Arms, frame: Frame, geoid_separation: float) -> _Around:
    nodes = network.nodes
    count = len(nodes)
    degree = np.bincount(arms.nodes, minlength=count)
    first = np.minimum(np.concatenate([[0], np.cumsum(degree)[:-1]]), max(len(arms.nodes) - 1, 0))
    has = degree > 0
    widest = np.full(count, drawing()["fitting"]["other"])
    level = np.where(np.isfinite(nodes.bottom), nodes.bottom, nodes.ground)
    own = np.where(np.isfinite(level), level, 0.0) + geoid_separation
    where = np.asarray(np.isfinite(nodes.places).all(axis=1))
    plain = np.where(where[:, None], nodes.places, [frame.lon, frame.lat])
    axis = frame.from_geographic(np.column_stack([plain, own]))
    rise = axis[:, 2] - own  # of the frame's z over the height there, the same all along a shaft
    axis[~(np.isfinite(level) & where)] = np.nan
    heading = np.zeros(count)
    assumed = np.zeros(count, bool)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    if len(arms.nodes):
        widest[has] = arms.sizes[first[has]].max(axis=1) / 2
        axis[has] = arms.points[first[has]]
        heading[has] = np.arctan2(arms.ways[first[has], 1], arms.ways[first[has], 0])
        np.minimum.at(low, arms.nodes, arms.points[:, 2] - arms.sizes[:, 1] / 2)
        np.maximum.at(high, arms.nodes, arms.points[:, 2] + arms.sizes[:, 1] / 2)
        np.logical_or.at(assumed, arms.nodes, arms.assumed)
    turn = np.radians(nodes.turns)
    ground = nodes.ground + geoid_separation + rise
    bottom = nodes.bottom + geoid_separation + rise
    cover = drawing()["assumed"]["cover"]
    top = np.where(has, high, axis[:, 2]) + cover
    tall = np.isin(nodes.kinds, [NodeKind.WELL, NodeKind.HYDRANT, NodeKind.SOURCE, NodeKind.DEVICE])
    deep = nodes.kinds == NodeKind.WELL
    assumed |= tall & np.isnan(ground) | deep & np.isnan(bottom)
    ground = np.where(np.isfinite(ground), ground, top)
    beneath = np.where(has, low, ground - cover)
    bottom = np.where(np.isfinite(bottom), bottom, np.minimum(beneath, ground - _LEAST))
    assumed |= deep & (ground - bottom < _LEAST)
    return _Around(
        degree, first, widest, axis, ground, np.minimum(bottom, ground - _LEAST),
        np.where(np.isfinite(turn), turn, heading), assumed,
    )  # fmt: skip


def _fittings(arms: _Arms, around: _Around, joint: NDArray[np.bool_]) -> list[Parts]:
    """Collars, bends, reducers, tees and crosses, by the number and the sizes of what meets."""
    said = drawing()["fitting"]
    degree, first = around.degree, around.first
    count = len(degree)
    second = np.minimum(first + 1, max(len(arms.nodes) - 1, 0))
    pair = degree == 2
    straight, alike = np.zeros(count, bool), np.zeros(count, bool)
    every_round = np.ones(count, bool)
    if len(arms.nodes):
        np.logical_and.at(every_round, arms.nodes, arms.round)
        turn = np.einsum("ni,ni->n", arms.ways[first], -arms.ways[second])
        straight = pair & (turn > np.cos(np.radians(said["straight"])))
        small = arms.sizes[second].max(axis=1)
        alike = pair & (small > (1 - said["alike"]) * arms.sizes[first].max(axis=1))
    round_ = joint & every_round
    blocks = np.flatnonzero(joint & ~every_round)
    hub = round_ & ((degree == 0) | (degree > 2) | (pair & ~straight))
    collar = round_ & ((degree == 1) | (straight & alike))
    reducer = np.flatnonzero(round_ & pair & ~alike)
    tees = np.flatnonzero((round_ & (degree > 2))[arms.nodes])
    parts = [
        _parts(np.flatnonzero(hub), HUB, said["hub"] * around.widest[hub], around.axis[hub], np.eye(3)),
    ]  # fmt: skip
    if not len(arms.nodes):
        return parts
    ends = first[collar]
    parts.append(
        _parts(np.flatnonzero(collar), "ring", said["collar"] * around.widest[collar],
               arms.points[ends], _along(arms.ways[ends]))
    )  # fmt: skip
    wide, thin = first[reducer], second[reducer]
    ratio = arms.sizes[thin].max(axis=1) / arms.sizes[wide].max(axis=1)
    parts.append(
        _parts(reducer, REDUCER, said["hub"] * arms.sizes[wide].max(axis=1) / 2, arms.points[thin],
               _along(arms.ways[thin]), np.round(np.maximum(ratio, 0.05), 2))
    )  # fmt: skip
    parts.append(
        _parts(arms.nodes[tees], "socket", said["collar"] * arms.sizes[tees].max(axis=1) / 2,
               arms.points[tees], _along(arms.ways[tees]))
    )  # fmt: skip
    if len(blocks):
        wide = np.maximum.reduceat(arms.sizes[:, 0], first[degree > 0])
        high = np.maximum.reduceat(arms.sizes[:, 1], first[degree > 0])
        number = np.cumsum(degree > 0) - 1
        on = (degree == 1) | (straight & alike)  # a frame around it: what its end shows stays seen
        for rows, name in ((blocks[on[blocks]], FRAME), (blocks[~on[blocks]], BLOCK)):
            of, at = first[rows], number[rows]
            parts.append(
                _parts(
                    rows, name, said["frame"] * wide[at], arms.points[of], _along(arms.ways[of]),
                    np.round(high[at] / wide[at], 2),
                )
            )  # fmt: skip
    return parts


def _standing(around: _Around, rows: NDArray[np.bool_], name: str, size: float) -> list[Parts]:
    """A model on the ground above nodes."""
    places = around.axis[rows].copy()
    places[:, 2] = around.ground[rows]
    sizes = np.full(len(places), size)
    return [_parts(np.flatnonzero(rows), name, sizes, places, _level(around.heading[rows]))]


def _on_pipe(arms: _Arms, around: _Around, rows: NDArray[np.bool_], name: str) -> list[Parts]:
    """A model in the pipe, as large as the pipe asks for."""
    turns = _level(around.heading[rows])
    return [_parts(np.flatnonzero(rows), name, around.widest[rows], around.axis[rows], turns)]


def _upright(rows: NDArray[np.bool_], around: _Around, bottom: Floats, width: Floats) -> Tubes:
    """A shaft from `bottom` to the ground."""
    chosen = np.flatnonzero(rows)
    ends = np.repeat(around.axis[chosen], 2, axis=0)
    ends[::2, 2], ends[1::2, 2] = bottom[chosen], around.ground[chosen]
    wide = np.repeat(width[chosen, None], 2, axis=1)
    return Tubes(
        chosen, np.arange(len(chosen) + 1) * 2, ends, np.full(len(chosen), ROUND, np.int8), wide,
        np.zeros_like(wide), np.zeros((len(chosen), 2), np.int16), np.zeros(len(chosen)),
    )  # fmt: skip


def _parts(
    owners: Rows,
    name: str,
    sizes: Floats,
    places: Floats,
    turns: Floats,
    ratios: Floats | None = None,
) -> Parts:
    count = len(owners)
    rounded = np.maximum(np.round(sizes / _STEP), 1) * _STEP
    return Parts(
        owners, np.full(count, name, "U8"), np.round(rounded, 3),
        np.ones(count) if ratios is None else ratios,
        places, np.broadcast_to(turns, (count, 3, 3)).copy(),
    )  # fmt: skip


def _along(ways: Floats) -> Floats:
    """(n, 3, 3) turns whose x runs along unit vectors (n, 3), and whose y is level."""
    left = np.column_stack([-ways[:, 1], ways[:, 0], np.zeros(len(ways))])
    length = np.linalg.norm(left, axis=1, keepdims=True)
    left = np.where(length > 1e-9, left / np.maximum(length, 1e-9), [0.0, 1.0, 0.0])
    return np.stack([ways, left, np.cross(ways, left)], axis=2)


def _level(headings: Floats) -> Floats:
    """(n, 3, 3) turns about the vertical."""
    ways = np.column_stack([np.cos(headings), np.sin(headings), np.zeros(len(headings))])
    return _along(ways)
