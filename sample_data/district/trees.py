"""Trees: where they stand, and how they look from above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from sample_data.district.district import District
from sample_data.district.outlines import polygons
from sample_data.district.plan import Floats, Shape, random
from sample_data.district.streets import CARRIAGEWAYS

SPACING = {"arterial": 8.0, "collector": 8.5, "local": 11.0}
KINDS = 5


@dataclass(frozen=True)
class Trees:
    """Places (n, 2), radius of the crowns (n,) in metres, and kind (n,) of the trees."""

    places: Floats
    radius: Floats
    kind: Floats

    @property
    def heights(self) -> Floats:
        """Heights (n,) in metres."""
        result: Floats = 2.4 + 2.1 * self.radius
        return result


def trees(of: District) -> Trees:
    """Plant the streets, parks, gardens and hills."""
    rng = random(of.seed, "trees")
    built = shapely.union_all([b.outline for b in of.buildings]).buffer(1.6)
    paved = of.streets.carriageways(["arterial", "collector", "local", "lane", "alley"]).buffer(0.8)
    bare = ("pool", "track", "court", "pond", "path", "square", "helipad", "playground", "box0")
    keep_off = shapely.union_all(
        [built, paved, of.water.river, of.water.creek, of.water.lake.buffer(1.0),
         *(s.outline for s in of.plan.sites), *(shape for kind, shape in of.marks if kind in bare)]
    )  # fmt: skip
    groups = [_along_streets(of, rng)]
    for kinds, spacing, share in (
        (("forest",), 5.6, 0.97), (("meadow",), 8.0, 0.55), (("garden",), 7.0, 0.6),
        (("lawn",), 8.0, 0.5), (("yard",), 6.0, 0.5),
    ):  # fmt: skip
        ground = shapely.union_all([shape for kind, shape in of.marks if kind in kinds])
        groups.append(_scattered(ground, spacing, share, rng))
    estates = [p.outline.buffer(-3.0) for p in of.parcels if p.code in ("R2", "R1", "A33", "A51")]
    groups.append(_scattered(shapely.union_all(estates), 7.0, 0.55, rng))
    works = [
        p.outline.difference(p.outline.buffer(-5.0))
        for p in of.parcels
        if p.code in ("M1", "M2", "W1")
    ]
    groups.append(_scattered(shapely.union_all(works), 8.0, 0.6, rng))
    centre = [
        p.outline.buffer(-1.5) for p in of.parcels if p.code in ("A1", "B1", "B2", "B29", "G3")
    ]
    rims = [c.difference(c.buffer(-6.0)) for c in centre]
    groups.append(_scattered(shapely.union_all(rims), 7.0, 0.8, rng))
    groups.append(_scattered(of.water.island.buffer(-5.0), 7.0, 0.8, rng))
    shapely.prepare(keep_off)
    places = np.vstack(groups)
    forest = np.repeat(np.arange(len(groups)) == 1, [len(g) for g in groups])
    free = ~shapely.contains_xy(keep_off, places[:, 0], places[:, 1])
    places, forest = places[free], forest[free]
    radius = np.clip(rng.normal(2.5, 0.6, len(places)), 1.3, 4.4) + 1.1 * forest
    return Trees(places, radius, rng.integers(0, KINDS, len(places)).astype(np.float64))


def _along_streets(of: District, rng: np.random.Generator) -> Floats:
    spots = []
    river = of.water.river.buffer(9.0)
    shapely.prepare(river)
    for segment in of.main.segments:
        if segment.kind not in SPACING:
            continue
        half = CARRIAGEWAYS[segment.kind] / 2
        offsets = [half + 2.2, -half - 2.2]
        if segment.kind == "arterial":
            offsets += [0.0, half + 7.5, -half - 7.5]
        for offset in offsets:
            line = segment.line if offset == 0.0 else shapely.offset_curve(segment.line, offset)
            along = np.arange(9.0, line.length - 9.0, SPACING[segment.kind])
            points = shapely.line_interpolate_point(
                line, along + rng.uniform(-0.7, 0.7, len(along))
            )
            row = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
            if offset == 0.0:
                # The green in the middle ends before the crossing.
                row = row[(along > 26.0) & (along < line.length - 26.0)]
            if segment.street.bridge:
                # Nothing grows on a bridge.
                row = row[~shapely.contains_xy(river, row[:, 0], row[:, 1])]
            spots.append(row)
    return np.vstack(spots)


def _scattered(ground: Shape, spacing: float, share: float, rng: np.random.Generator) -> Floats:
    found = [np.empty((0, 2))]
    for part in polygons(ground, spacing):
        west, south, east, north = part.bounds
        x, y = np.meshgrid(np.arange(west, east, spacing), np.arange(south, north, spacing))
        x[::2] += spacing / 2
        places = np.column_stack([x.ravel(), y.ravel()])
        places += rng.uniform(-0.42, 0.42, places.shape) * spacing
        places = places[rng.random(len(places)) < share]
        shapely.prepare(part)
        found.append(places[shapely.contains_xy(part, places[:, 0], places[:, 1])])
    return np.vstack(found)


def crown(radius: float, kind: int, rng: np.random.Generator) -> np.ndarray:
    """A crown seen from above: (n, n, 4) uint8, `radius` in pixels, lit from the north-west."""
    n = int(2 * radius + 3)
    y, x = np.mgrid[:n, :n] - (n - 1) / 2.0
    turn = np.arctan2(y, x)
    lobes = 1.0 + 0.10 * np.sin(turn * int(rng.integers(4, 8)) + rng.uniform(0, 6.3))
    away = np.hypot(x, y) / (radius * lobes)
    alpha = np.clip((1.05 - away) * radius * 0.9, 0.0, 1.0)
    dome = np.sqrt(np.clip(1.0 - away**2, 0.0, 1.0))
    light = 0.62 + 0.34 * dome - 0.30 * (x + y) / (radius * 2.2)
    clumps = rng.standard_normal((n, n)) * 0.045
    base = np.array(
        [(82, 110, 66), (96, 122, 72), (72, 102, 68), (108, 130, 78), (88, 114, 60)], np.float64
    )[kind]
    colour = np.clip(base * (light + clumps)[..., None] * 1.08, 0, 255)
    return np.dstack([colour, alpha * 255]).astype(np.uint8)
