"""The streets: one connected network of centre lines, and the ground they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import shapely

from sample_data.district.outlines import lines
from sample_data.district.plan import WIDTHS, Plan, Shape, Street

RANK = {"arterial": 0, "collector": 1, "local": 2, "lane": 3, "alley": 4}
LANES = {"arterial": 6, "collector": 4, "local": 2, "lane": 2, "alley": 1}
SPEEDS = {"arterial": 60, "collector": 50, "local": 30, "lane": 15, "alley": 10}
CARRIAGEWAYS = {"arterial": 26.0, "collector": 17.0, "local": 8.5, "lane": 5.0, "alley": 3.0}
STUB = 60.0
"""A dead end shorter than this is where a line was drawn past its crossing (m)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of street between two nodes."""

    street: Street
    line: Shape
    nodes: tuple[int, int]

    @property
    def kind(self) -> str:
        """The class of its street."""
        return self.street.kind


@dataclass(frozen=True)
class Network:
    """Segments, and the places (n) where they meet."""

    segments: tuple[Segment, ...]
    nodes: tuple[tuple[float, float], ...]
    arms: dict[int, list[int]] = field(default_factory=dict)

    def ground(self, kinds: Iterable[str]) -> Shape:
        """The reserve of the streets of some classes."""
        return self._ground(WIDTHS, set(kinds))

    def carriageways(self, kinds: Iterable[str]) -> Shape:
        """The asphalt of the streets of some classes."""
        return self._ground(CARRIAGEWAYS, set(kinds))

    def _ground(self, widths: dict[str, float], kinds: set[str]) -> Shape:
        chosen = [s for s in self.segments if s.kind in kinds]
        half = np.array([widths[s.kind] / 2 for s in chosen])
        bands = shapely.buffer(np.array([s.line for s in chosen]), half, cap_style="flat")
        # A wide street must not stick out where it ends at a narrow one.
        discs = []
        for node, arms in self.arms.items():
            wide = sorted(widths[self.segments[i].kind] / 2 for i in arms
                          if self.segments[i].kind in kinds)  # fmt: skip
            if wide:
                radius = wide[-2] if len(wide) > 1 else wide[0]
                discs.append(shapely.Point(self.nodes[node]).buffer(radius, quad_segs=6))
        return shapely.union_all([*bands, *discs])


def network(plan: Plan, streets: Sequence[Street]) -> Network:
    """Join streets at their crossings into the largest connected network inside the district."""
    inside = plan.area
    owners: list[Street] = []
    drawn: list[Shape] = []
    for street in streets:
        for part in lines(street.line.intersection(inside)):
            owners.append(street)
            drawn.append(part)
    pieces = [p for p in shapely.get_parts(shapely.node(shapely.MultiLineString(drawn)))
              if p.length > 0.01]  # fmt: skip
    owned = _owned(pieces, drawn, owners)
    while True:
        kept = [i for i, dead in enumerate(_dead_ends(owned, inside)) if not dead]
        if len(kept) == len(owned):
            break
        owned = _merged([owned[i] for i in kept])
    return _largest(_merged(owned))


def _owned(
    pieces: Sequence[Shape], drawn: Sequence[Shape], owners: Sequence[Street]
) -> list[tuple[Street, Shape]]:
    middles = shapely.line_interpolate_point(np.array(pieces), 0.5, normalized=True)
    tree = shapely.STRtree(drawn)
    piece, line = tree.query(middles, predicate="dwithin", distance=1e-4)
    best: dict[int, Street] = {}
    for i, j in sorted(zip(piece.tolist(), line.tolist(), strict=True)):
        if i not in best or RANK[owners[j].kind] < RANK[best[i].kind]:
            best[i] = owners[j]
    return [(best[i], pieces[i]) for i in range(len(pieces)) if i in best]


def _ends(line: Shape) -> tuple[tuple[float, float], tuple[float, float]]:
    first, last = line.coords[0], line.coords[-1]
    return (round(first[0], 2), round(first[1], 2)), (round(last[0], 2), round(last[1], 2))


def _dead_ends(owned: Sequence[tuple[Street, Shape]], inside: Shape) -> list[bool]:
    degree: dict[tuple[float, float], int] = {}
    for _, line in owned:
        for end in _ends(line):
            degree[end] = degree.get(end, 0) + 1
    edge = inside.exterior
    return [
        line.length < (STUB if street.kind != "alley" else 4.0)
        and any(degree[e] == 1 and edge.distance(shapely.Point(e)) > 0.5 for e in _ends(line))
        for street, line in owned
    ]


def _merged(owned: Sequence[tuple[Street, Shape]]) -> list[tuple[Street, Shape]]:
    """Join the pieces of a street where nothing else meets them."""
    degree: dict[tuple[float, float], int] = {}
    by_street: dict[int, list[Shape]] = {}
    streets: dict[int, Street] = {}
    for street, line in owned:
        for end in _ends(line):
            degree[end] = degree.get(end, 0) + 1
        by_street.setdefault(id(street), []).append(line)
        streets[id(street)] = street
    joined: list[tuple[Street, Shape]] = []
    for key, parts in by_street.items():
        for line in _chains(parts, degree):
            joined.append((streets[key], line))
    return joined


def _chains(parts: Sequence[Shape], degree: dict[tuple[float, float], int]) -> list[Shape]:
    at: dict[tuple[float, float], list[int]] = {}
    for i, part in enumerate(parts):
        for end in _ends(part):
            at.setdefault(end, []).append(i)
    group = list(range(len(parts)))

    def root(i: int) -> int:
        while group[i] != i:
            i = group[i]
        return i

    for end, members in at.items():
        if degree[end] == 2 and len(members) == 2:
            group[root(members[1])] = root(members[0])
    chains: dict[int, list[Shape]] = {}
    for i, part in enumerate(parts):
        chains.setdefault(root(i), []).append(part)
    result: list[Shape] = []
    for chain in chains.values():
        whole = chain[0] if len(chain) == 1 else shapely.line_merge(shapely.MultiLineString(chain))
        result.extend(shapely.get_parts(whole))
    return result


def _largest(owned: Sequence[tuple[Street, Shape]]) -> Network:
    number: dict[tuple[float, float], int] = {}
    edges = []
    for _, line in owned:
        a, b = _ends(line)
        edges.append((number.setdefault(a, len(number)), number.setdefault(b, len(number))))
    group = np.arange(len(number))
    for _ in range(len(number)):
        before = group.copy()
        for first, last in edges:
            group[first] = group[last] = min(group[first], group[last])
        if (group == before).all():
            break
    most = np.bincount(group, minlength=1).argmax()
    places = list(number)
    segments: list[Segment] = []
    used: dict[int, int] = {}
    for (street, line), (first, last) in zip(owned, edges, strict=True):
        if group[first] == most:
            ends = (used.setdefault(first, len(used)), used.setdefault(last, len(used)))
            segments.append(Segment(street, line, ends))
    arms: dict[int, list[int]] = {}
    for i, segment in enumerate(segments):
        for node in segment.nodes:
            arms.setdefault(node, []).append(i)
    return Network(tuple(segments), tuple(places[i] for i in used), arms)


def tied(line: Shape, to: Sequence[Shape], reach: float = 70.0) -> Shape:
    """A line prolonged at both ends to the nearest of other lines, where one is in reach."""
    points = list(line.coords)
    targets = shapely.MultiLineString(to)
    for forward in (False, True):
        (x0, y0), (x1, y1) = (points[-2], points[-1]) if forward else (points[1], points[0])
        length = np.hypot(x1 - x0, y1 - y0)
        dx, dy = (x1 - x0) / length * reach, (y1 - y0) / length * reach
        ray = shapely.LineString([(x1 - dx * 0.01, y1 - dy * 0.01), (x1 + dx, y1 + dy)])
        hit = ray.intersection(targets)
        if hit.is_empty:
            continue
        start = shapely.Point(x1, y1)
        nearest = min(shapely.get_parts(hit), key=start.distance)
        ex, ey = nearest.coords[0]
        over = 0.3 / reach
        end = (ex + dx * over, ey + dy * over)
        points = [*points, end] if forward else [end, *points]
    return shapely.LineString(points)


def headings(line: Shape) -> tuple[float, float]:
    """The directions (degrees from east) in which a line leaves its first and its last end."""
    points = np.asarray(line.coords)
    out = []
    for ring in (points, points[::-1]):
        steps = [np.hypot(*(b - a)) for a, b in pairwise(ring)]
        far = int(np.searchsorted(np.cumsum(steps), 25.0))
        dx, dy = ring[min(far + 1, len(ring) - 1)] - ring[0]
        out.append(float(np.degrees(np.arctan2(dy, dx))))
    return out[0], out[1]
