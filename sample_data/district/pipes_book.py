"""A survey of pipes while it is being written: points, and lines between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sample_data.district.plan import Floats
from sample_data.district.relief import Relief


@dataclass(slots=True)
class Point:
    """A point of a survey: plan metres, the ground's elevation, and what stands there.

    `bottom` is how deep the floor of a well lies, None where there is no well.
    """

    number: str
    x: float
    y: float
    ground: float
    road: str
    year: int
    appurtenance: str = ""
    feature: str = ""
    bottom: float | None = None


@dataclass(slots=True)
class Line:
    """A line from point to point by their places in the book, and its depths (m) at both.

    Depths are those of what the class is surveyed by: the bottom inside of drains, the top of all
    else. `more` are columns only this class has.
    """

    start: int
    end: int
    depths: tuple[float, float]
    size: str
    material: str
    burial: str
    year: int
    road: str
    status: str = "在用"
    more: dict[str, str] = field(default_factory=dict)


@dataclass
class Book:
    """What was surveyed of one network."""

    prefix: str
    ground: Relief
    points: list[Point] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    def add(self, places: Floats, road: str, year: int, appurtenance: str = "") -> list[int]:
        """Write points at places (n, 2) and return where they stand in the book."""
        heights = np.round(self.ground.at(places[:, 0], places[:, 1]), 3)
        first = len(self.points)
        for (x, y), height in zip(places.round(3).tolist(), heights.tolist(), strict=True):
            number = f"{self.prefix}{len(self.points) + 1}"
            self.points.append(Point(number, x, y, height, road, year, appurtenance))
        return list(range(first, len(self.points)))

    def degrees(self) -> list[list[int]]:
        """The lines at each point."""
        found: list[list[int]] = [[] for _ in self.points]
        for row, line in enumerate(self.lines):
            found[line.start].append(row)
            found[line.end].append(row)
        return found

    def direction(self, row: int, point: int) -> Floats:
        """The direction in which a line leaves a point."""
        line = self.lines[row]
        other = self.points[line.end if line.start == point else line.start]
        here = self.points[point]
        way = np.array([other.x - here.x, other.y - here.y])
        unit: Floats = way / max(float(np.hypot(*way)), 1e-9)
        return unit

    def name_features(self, edge: float) -> None:
        """Say of each point without an appurtenance what its lines do there.

        `edge` is the size of the district: lines that end at its border go on beyond.
        """
        for number, rows in enumerate(self.degrees()):
            point = self.points[number]
            if not point.appurtenance and not point.feature:
                point.feature = self._feature(number, rows, edge)

    def _feature(self, number: int, rows: Sequence[int], edge: float) -> str:
        point = self.points[number]
        if len(rows) == 1:
            border = min(point.x, point.y, edge - point.x, edge - point.y) < 25.0
            return "出测区" if border else "预留口"
        materials: dict[str, set[str]] = {}
        for row in rows:
            materials.setdefault(self.lines[row].size, set()).add(self.lines[row].material)
        if len(rows) > 2 and any(len(found) > 1 for found in materials.values()):
            return "变材"
        if len(rows) > 2:
            return {3: "三通", 4: "四通"}.get(len(rows), "多通")
        first, last = (self.lines[row] for row in rows)
        if first.size != last.size:
            return "变径"
        if first.material != last.material:
            return "变材"
        turn = float(np.dot(self.direction(rows[0], number), self.direction(rows[1], number)))
        return "直线点" if turn < -0.97 else "弯头"


def deeper(book: Book, wells: Sequence[str], below: float = 0.0) -> None:
    """Give each well its floor: `below` the lowest line in it."""
    lowest = [0.0] * len(book.points)
    for line in book.lines:
        for end, depth in zip((line.start, line.end), line.depths, strict=True):
            lowest[end] = max(lowest[end], depth)
    for point, depth in zip(book.points, lowest, strict=True):
        if point.appurtenance in wells:
            point.bottom = round(depth + below, 2)
