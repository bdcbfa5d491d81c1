"""Where pipes run: beside the middle of the streets, each network at a distance of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely
import shapely.ops

from sample_data.district.district import District
from sample_data.district.plan import WIDTHS, Floats, Shape

SHORT = 6.0
"""Streets shorter than this lie within a crossing: their ends count as one (m)."""
NEAR = 0.8
"""Bends nearer to one another are one point of the survey (m)."""
EASE = 1.0
"""What is cut off beside a crossing, so that a line bends there once (m)."""


@dataclass(frozen=True, slots=True)
class Road:
    """A piece of street between two crossings; lines of one street run on from piece to piece."""

    number: int
    zh: str
    kind: str
    line: Shape
    nodes: tuple[int, int]


@dataclass(frozen=True)
class Roads:
    """Streets with pipes below them; `places` are those of the crossings, by number."""

    roads: tuple[Road, ...]
    places: Mapping[int, Floats]

    def crossed(self) -> dict[int, dict[str, float]]:
        """How wide what else meets there is on either side (m), by crossing and name of street."""
        arms: dict[int, list[Road]] = {}
        for road in self.roads:
            for node in road.nodes:
                arms.setdefault(node, []).append(road)
        return {
            node: {
                road.zh: max((WIDTHS[o.kind] / 2 for o in met if o.zh != road.zh), default=0.0)
                for road in met
            }
            for node, met in arms.items()
        }


@dataclass(frozen=True, slots=True)
class Course:
    """The line of one network below one street, from the crossing `nodes[0]` to `nodes[1]`."""

    road: Road
    nodes: tuple[int, int]
    line: Shape


def roads(of: District) -> Roads:
    """The streets that have pipes, joined at crossings, in one piece.

    Alleys have none, nor what leads over or down to the river.
    """
    pieces = [
        s for s in of.streets.segments
        if s.kind != "alley" and s.line.distance(of.water.river) > 12.0
    ]  # fmt: skip
    group = list(range(len(of.streets.nodes)))

    def root(node: int) -> int:
        while group[node] != node:
            node = group[node]
        return node

    for piece in pieces:
        if piece.line.length < SHORT:
            first, last = sorted(map(root, piece.nodes))
            group[last] = first
    found: list[Road] = []
    for piece in pieces:
        a, b = map(root, piece.nodes)
        if a != b:
            found.append(Road(len(found), piece.street.zh, piece.kind, piece.line, (a, b)))
    kept = _joined(_running_on(found))
    used = {node for road in kept for node in road.nodes}
    members: dict[int, list[tuple[float, float]]] = {}
    for node, place in enumerate(of.streets.nodes):
        members.setdefault(root(node), []).append(place)
    return Roads(kept, {n: np.mean(members[n], axis=0) for n in sorted(used)})


def _running_on(found: Sequence[Road]) -> list[Road]:
    """Streets with their lines running east or north, and on from piece to piece."""
    at: dict[tuple[str, int], list[int]] = {}
    for number, road in enumerate(found):
        for node in road.nodes:
            at.setdefault((road.zh, node), []).append(number)
    done: dict[int, Road] = {}
    # Where a street bends round, its longest piece says what is east or north.
    for start in sorted(range(len(found)), key=lambda i: (-found[i].line.length, i)):
        if start in done:
            continue
        ends = np.asarray(found[start].line.coords)[[0, -1]]
        dx, dy = ends[1] - ends[0]
        back = dx < 0 if abs(dx) >= abs(dy) else dy < 0
        done[start] = _reversed(found[start]) if back else found[start]
        todo = [start]
        while todo:
            here = done[todo.pop()]
            for side, node in enumerate(here.nodes):
                met = [i for i in at[here.zh, node] if i not in done]
                if len(at[here.zh, node]) == 2 and met:
                    (other,) = met
                    on = found[other].nodes[1 - side] == node
                    done[other] = found[other] if on else _reversed(found[other])
                    todo.append(other)
    return [done[number] for number in range(len(found))]


def _reversed(road: Road) -> Road:
    return replace(road, line=shapely.reverse(road.line), nodes=road.nodes[::-1])


def _joined(found: Sequence[Road]) -> tuple[Road, ...]:
    """Those of the largest connected part, which is that of the main streets."""
    label = {node: node for road in found for node in road.nodes}
    changed = True
    while changed:
        changed = False
        for road in found:
            low = min(label[n] for n in road.nodes)
            for node in road.nodes:
                changed |= label[node] != low
                label[node] = low
    sizes: dict[int, int] = {}
    for road in found:
        sizes[label[road.nodes[0]]] = sizes.get(label[road.nodes[0]], 0) + 1
    most = max(sizes, key=lambda part: sizes[part])
    return tuple(road for road in found if label[road.nodes[0]] == most)


def courses(
    of: Roads, offsets: Mapping[str, float], chosen: Callable[[Road], bool]
) -> tuple[list[Course], dict[int, Floats]]:
    """The lines of a network, and by crossing the place where they meet.

    `offsets` are metres to the left of a street's line by its class: to the north of streets that
    run east, to the west of those that run north.
    """
    own = [road for road in of.roads if road.kind in offsets and chosen(road)]
    arms: dict[int, list[tuple[Floats, float]]] = {}
    for road in own:
        points = np.asarray(road.line.coords)
        for node, (here, there) in zip(road.nodes, ((0, 1), (-2, -1)), strict=True):
            along = points[there] - points[here]
            normal = np.array([-along[1], along[0]]) / np.hypot(*along)
            arms.setdefault(node, []).append((normal, offsets[road.kind]))
    joints = {node: of.places[node] + _meeting(found) for node, found in arms.items()}
    return [_course(road, offsets[road.kind], joints) for road in own], joints


def _meeting(arms: Sequence[tuple[Floats, float]]) -> Floats:
    """From a crossing to where lines beside its streets meet, as nearly as they do."""
    normals = np.array([normal for normal, _ in arms])
    wanted = np.array([offset for _, offset in arms])
    away = np.linalg.solve(normals.T @ normals + 1e-3 * np.eye(2), normals.T @ wanted)
    # Where streets meet at a sharp angle the lines beside them would meet far off.
    most = 1.6 * float(np.abs(wanted).max())
    result: Floats = away * min(1.0, most / max(float(np.hypot(*away)), 1e-9))
    return result


def _course(road: Road, offset: float, joints: Mapping[int, Floats]) -> Course:
    first, last = (joints[node] for node in road.nodes)
    beside = shapely.offset_curve(road.line, offset, join_style="mitre", mitre_limit=2.0)
    if beside.geom_type != "LineString":
        beside = max(shapely.get_parts(beside), key=lambda part: part.length)
    ends = [shapely.Point(first), shapely.Point(last)]
    pads = [EASE + 1.5 * beside.distance(end) for end in ends]
    a, b = beside.project(ends[0]) + pads[0], beside.project(ends[1]) - pads[1]
    inner = []
    if b - a > 2 * EASE:
        inner = list(shapely.ops.substring(beside, a, b).coords)
    line = shapely.LineString([tuple(first), *inner, tuple(last)])
    rough = 0.1 if road.kind == "lane" else 0.25
    return Course(road, road.nodes, shapely.simplify(line, rough))


def chainages(line: Shape, step: float, forced: Sequence[float] = (), gap: float = 1.5) -> Floats:
    """How far along a line its points of the survey lie: its ends, its bends and what is forced.

    No two are farther apart than `step`; what is forced gives way where it comes too near.
    """
    vertices = np.asarray(line.coords)
    bends = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(vertices, axis=0).T))])
    inner = bends[1:-1]
    apart = (np.diff(bends)[:-1] > NEAR) & (line.length - inner > NEAR)
    kept = [0.0, *inner[apart].tolist(), line.length]
    for place in forced:
        if gap < place < line.length - gap and min(abs(place - other) for other in kept) > gap:
            kept.append(place)
    kept.sort()
    found: list[float] = []
    for here, there in zip(kept, [*kept[1:], None], strict=True):
        count = 1 if there is None else int(np.ceil((there - here) / step))
        span = 0.0 if there is None else there - here
        found.extend(here + span * i / count for i in range(count))
    return np.array(found)


def places(line: Shape, along: Floats) -> Floats:
    """The places (n, 2) of some chainages."""
    found: Floats = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    return found
