"""Intersections with signals: approaches, lanes and crosswalks; traffic keeps to the right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops

from sample_data.district.plan import Shape
from sample_data.district.streets import CARRIAGEWAYS, RANK, SPEEDS, Network, Segment, headings

SIGNALS = 8
ENTRIES = {"arterial": 4, "collector": 3, "local": 1}
EXITS = {"arterial": 3, "collector": 2, "local": 1}
LENGTH = 65.0
"""How long the lanes of an approach are drawn (m)."""
CROSSING = 4.5
"""Width of a crosswalk along the street (m)."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane of an approach, numbered from the middle of the street outwards."""

    number: int
    way: str
    turns: str
    width: float
    line: Shape


@dataclass(frozen=True, slots=True)
class Approach:
    """An arm of an intersection: `bearing` is the compass direction of those who drive in."""

    street: str
    street_en: str
    kind: str
    bearing: float
    speed: int
    line: Shape
    stop_line: Shape
    crosswalk: Shape
    stripes: tuple[Shape, ...]
    lanes: tuple[Lane, ...]


@dataclass(frozen=True, slots=True)
class Intersection:
    """A crossing of streets; `signals` says whether it has lights."""

    node: int
    zh: str
    en: str
    signals: bool
    area: Shape
    approaches: tuple[Approach, ...]


def intersections(main: Network) -> tuple[Intersection, ...]:
    """The crossings of arterials and collectors; the weightiest have signals."""
    weights = {}
    for node, arms in main.arms.items():
        kinds = [main.segments[i].kind for i in arms]
        high = [k for k in kinds if k in ("arterial", "collector")]
        if len(high) >= 3:
            weights[node] = (-len(high), sum(RANK[k] for k in high))
    chosen = sorted(weights, key=lambda n: (weights[n], n))
    return tuple(_crossing(main, node, i < SIGNALS) for i, node in enumerate(chosen))


def _outward(segment: Segment, node: int) -> Shape:
    return segment.line if segment.nodes[0] == node else segment.line.reverse()


def _crossing(main: Network, node: int, signals: bool) -> Intersection:
    arms = [main.segments[i] for i in main.arms[node] if main.segments[i].kind in ENTRIES]
    rays = [_outward(arm, node) for arm in arms]
    angles = [headings(ray)[0] for ray in rays]
    backs = [_setback(i, arms, angles) for i in range(len(arms))]
    names: list[tuple[str, str]] = []
    for arm in arms:
        if (arm.street.zh, arm.street.en) not in names:
            names.append((arm.street.zh, arm.street.en))
    approaches = tuple(
        _approach(arm, ray, back, [_turn(angles[i], angles[j]) for j in range(len(arms)) if j != i])
        for i, (arm, ray, back) in enumerate(zip(arms, rays, backs, strict=True))
        if ray.length > back + CROSSING + 12.0
    )
    corners = [
        shapely.ops.substring(r, 0.0, b + CROSSING + 1.5) for r, b in zip(rays, backs, strict=True)
    ]
    area = shapely.union_all(
        [
            c.buffer(CARRIAGEWAYS[a.kind] / 2, cap_style="flat")
            for c, a in zip(corners, arms, strict=True)
        ]
    ).convex_hull
    return Intersection(
        node, "–".join(zh for zh, _ in names[:2]), " – ".join(en for _, en in names[:2]), signals,
        area, approaches,
    )  # fmt: skip


def _setback(i: int, arms: list[Segment], angles: list[float]) -> float:
    """How far out of the middle the crossing carriageways reach into an arm (m)."""
    reach = 0.0
    for j, other in enumerate(arms):
        lean = abs(np.sin(np.radians(angles[i] - angles[j])))
        if j != i and lean > 0.5:
            reach = max(reach, CARRIAGEWAYS[other.kind] / 2 / lean)
    return reach + 3.5


def _turn(own: float, other: float) -> str:
    """Where an arm lies for those who come in on another: left, straight or right."""
    # Angles point outward; who comes in drives against theirs.
    change = (other - own - 180.0 + 180.0) % 360.0 - 180.0
    return "straight" if abs(change) < 45.0 else "left" if change > 0 else "right"


def _approach(arm: Segment, ray: Shape, back: float, turns: list[str]) -> Approach:
    half = CARRIAGEWAYS[arm.kind] / 2
    stop = back + CROSSING + 1.5
    end = min(stop + LENGTH, ray.length - 2.0)
    line = shapely.ops.substring(ray, stop, end)
    band = shapely.ops.substring(ray, back, back + CROSSING)
    crosswalk = band.buffer(half, cap_style="flat")
    stripes = []
    for across in np.arange(-half + 0.6, half - 0.3, 1.1).tolist():
        stripes.append(shapely.offset_curve(band, across).buffer(0.25, cap_style="flat"))
    entries, exits = ENTRIES[arm.kind], EXITS[arm.kind]
    lanes = []
    for way, count, side in (("entry", entries, 1.0), ("exit", exits, -1.0)):
        width = round(half / max(count, 1) - (0.05 if count > 1 else 0.4), 2)
        for i in range(count):
            offset = side * (half / count) * (i + 0.5)
            path = max(
                shapely.get_parts(shapely.offset_curve(line, offset)), key=lambda p: p.length
            )
            if way == "entry":
                path = path.reverse()
            lanes.append(
                Lane(i + 1, way, _turns(i, count, turns) if way == "entry" else "", width, path)
            )
    heading = headings(line)[0]
    mouth = shapely.offset_curve(shapely.ops.substring(ray, stop - 0.4, stop), half / 2)
    return Approach(
        arm.street.zh, arm.street.en, arm.kind, round((90.0 - heading + 180.0) % 360.0, 1),
        SPEEDS[arm.kind], line, mouth.buffer(half / 2, cap_style="flat"), crosswalk, tuple(stripes),
        tuple(lanes),
    )  # fmt: skip


def _turns(i: int, count: int, turns: list[str]) -> str:
    """The movements of the i-th entry lane from the middle."""
    there = [t for t in ("left", "straight", "right") if t in turns]
    if count == 1 or len(there) == 1:
        return "+".join(there)
    if i == 0:
        return there[0]
    if i == count - 1:
        return "+".join(t for t in there if t != "left")
    return "straight" if "straight" in there else there[-1]
