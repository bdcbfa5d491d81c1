"""The plan of the district: what was drawn by hand, from `plan.toml`, as curves and shapes."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import shapely.affinity

Floats = np.ndarray[Any, np.dtype[np.float64]]
Shape = Any
"""A shapely geometry in plan metres: east and north of the district's south-west corner."""

CRS = "EPSG:4547"
WIDTHS = {"arterial": 44.0, "collector": 28.0, "local": 16.0, "lane": 6.0, "alley": 3.0}
"""The whole reserve of a street by class, metres."""


@dataclass(frozen=True, slots=True)
class Street:
    """A street of the plan with its centre line."""

    zh: str
    en: str
    kind: str
    line: Shape
    bridge: bool = False
    oneway: bool = False


@dataclass(frozen=True, slots=True)
class Use:
    """What the block around a point is."""

    at: tuple[float, float]
    use: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Site:
    """The ground of a building model: its outline, and the height of its ground floor (m)."""

    zh: str
    en: str
    use: str
    outline: Shape
    floor: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The district as it was drawn; see `plan.toml`."""

    raw: dict[str, Any]
    origin: tuple[float, float]
    size: float
    streets: tuple[Street, ...]
    uses: tuple[Use, ...]
    sites: tuple[Site, ...]

    @property
    def area(self) -> Shape:
        """The square of the district."""
        return shapely.box(0.0, 0.0, self.size, self.size)


@cache
def plan() -> Plan:
    """Read the plan."""
    raw = tomllib.loads(Path(__file__).with_name("plan.toml").read_text("utf-8"))
    streets = tuple(
        Street(
            s["zh"],
            s["en"],
            s["class"],
            curve(s["line"]),
            s.get("bridge", False),
            s.get("oneway", False),
        )
        for s in raw["street"]
    )
    uses = tuple(Use(tuple(b["at"]), b["use"], b["zh"], b["en"]) for b in raw["block"])
    sites = []
    for site in raw["site"]:
        x, y, dx, dy = site["rectangle"]
        turned = shapely.affinity.rotate(
            shapely.box(x, y, x + dx, y + dy), site["rotation"], origin=(0.0, 0.0)
        )
        outline = shapely.affinity.translate(turned, *site["origin"])
        sites.append(Site(site["zh"], site["en"], site["use"], outline, site["floor"]))
    return Plan(raw, tuple(raw["origin"]), raw["size"], streets, uses, tuple(sites))


def random(seed: int, part: str) -> np.random.Generator:
    """A generator of random numbers of one part, so that parts do not disturb each other."""
    return np.random.default_rng([seed, zlib.crc32(part.encode())])


def curve(points: Sequence[Sequence[float]], step: float = 12.0) -> Shape:
    """A smooth line through points: a centripetal Catmull–Rom spline, a vertex every `step` m."""
    return shapely.LineString(_spline(np.asarray(points, np.float64), step))


def closed_curve(points: Sequence[Sequence[float]], step: float = 6.0) -> Shape:
    """A smooth polygon through points."""
    ring = np.asarray(points, np.float64)
    wrapped = np.vstack([ring[-2:], ring, ring[:3]])
    return shapely.Polygon(_spline(wrapped, step, inner=(2, len(ring) + 2))).buffer(0.0)


def _spline(points: Floats, step: float, inner: tuple[int, int] | None = None) -> Floats:
    if len(points) == 2 and inner is None:
        count = max(2, round(float(np.hypot(*(points[1] - points[0]))) / step) + 1)
        return np.linspace(points[0], points[1], count)
    ends = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    first, last = inner or (0, len(points) - 1)
    pieces = []
    for i in range(first, last):
        p0, p1, p2, p3 = ends[i : i + 4]
        t1 = np.hypot(*(p1 - p0)) ** 0.5
        t2 = t1 + np.hypot(*(p2 - p1)) ** 0.5
        t3 = t2 + np.hypot(*(p3 - p2)) ** 0.5
        count = max(1, round(float(np.hypot(*(p2 - p1))) / step))
        t = np.linspace(t1, t2, count, endpoint=False)[:, None]
        a1 = (t1 - t) / t1 * p0 + t / t1 * p1
        a2 = (t2 - t) / (t2 - t1) * p1 + (t - t1) / (t2 - t1) * p2
        a3 = (t3 - t) / (t3 - t2) * p2 + (t - t2) / (t3 - t2) * p3
        b1 = (t2 - t) / t2 * a1 + t / t2 * a2
        b2 = (t3 - t) / (t3 - t1) * a2 + (t - t1) / (t3 - t1) * a3
        pieces.append((t2 - t) / (t2 - t1) * b1 + (t - t1) / (t2 - t1) * b2)
    return np.vstack([*pieces, points[last : last + 1]])
