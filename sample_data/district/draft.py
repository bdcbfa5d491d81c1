"""The district while it is being filled: parcels, buildings, lanes and what lies on the ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from sample_data.district.outlines import apart, placed
from sample_data.district.plan import Floats, Shape, Street, Use
from sample_data.district.streets import tied


@dataclass(slots=True)
class Parcel:
    """A piece of land with its planned use by code (GB 50137)."""

    outline: Shape
    code: str
    use: Use


@dataclass(frozen=True, slots=True)
class Building:
    """A building as it stands or is planned.

    `form` is what it looks like from above, `parcel` the number of its parcel, `year` the year in
    which it was or will be built; lengths are metres.
    """

    outline: Shape
    use: str
    form: str
    floors: int
    height: float
    year: int
    structure: str
    parcel: int
    zh: str
    en: str


Planned = tuple[Shape, Building]
"""A building and its outline, as `Draft.build` takes them."""


@dataclass
class Draft:
    """What the fillers of the blocks add to.

    `marks` are things on the ground that only the picture and the maps know: (kind, shape).
    """

    main: list[Shape]
    parcels: list[Parcel] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    lanes: list[Street] = field(default_factory=list)
    marks: list[tuple[str, Shape]] = field(default_factory=list)

    def parcel(self, outline: Shape, code: str, use: Use) -> int:
        """Add a parcel and return its number."""
        self.parcels.append(Parcel(outline, code, use))
        return len(self.parcels) - 1

    def mark(self, kind: str, shape: Shape) -> None:
        """Add something that lies on the ground."""
        if not shape.is_empty:
            self.marks.append((kind, shape))

    def lane(self, line: Shape, use: Use, kind: str = "lane", reach: float = 60.0) -> Shape:
        """Add a lane, prolonged to the streets it ends at, and return its line."""
        if line.is_empty or line.length < 8.0:
            return line
        whole = tied(line, [*self.main, *(s.line for s in self.lanes[-60:])], reach)
        zh, en = ("巷", "Alley") if kind == "alley" else ("内路", "Lane")
        self.lanes.append(Street(f"{use.zh}{zh}", f"{use.en} {en}", kind, whole))
        return whole

    def ring(self, area: Shape, use: Use, gates: int = 2) -> Shape:
        """Add a lane around the inside of an area, with gates to the street; returns its ground."""
        if area.is_empty:
            return area
        outline = shapely.Polygon(area.simplify(1.0).exterior)
        ring = shapely.LineString(outline.exterior.coords)
        self.lanes.append(Street(f"{use.zh}环路", f"{use.en} Loop", "lane", ring))
        ground = [ring.buffer(3.5)]
        streets = shapely.MultiLineString(self.main)
        for i in range(gates):
            start = ring.interpolate((i + 0.35) / gates, normalized=True)
            line = shapely.shortest_line(start, streets)
            if 4.0 < line.length < 60.0:
                (x0, y0), (x1, y1) = line.coords
                over = 0.3 / line.length
                gate = shapely.LineString(
                    [(x0 - (x1 - x0) * over, y0 - (y1 - y0) * over),
                     (x1 + (x1 - x0) * over, y1 + (y1 - y0) * over)]
                )  # fmt: skip
                self.lanes.append(Street(f"{use.zh}入口", f"{use.en} Gate", "lane", gate))
                ground.append(gate.buffer(4.0))
        return shapely.union_all(ground)

    def build(self, parcel: int, inside: Shape, plans: Sequence[Planned], gap: float) -> list[int]:
        """Build those of the planned that stand inside and apart; returns which."""
        chosen = apart([shape for shape, _ in plans], inside, gap)
        self.buildings.extend(plans[i][1] for i in chosen)
        return chosen


def building(
    outline: Shape, use: str, form: str, floors: int, height: float, year: int, structure: str,
    parcel: int, zh: str, en: str,
) -> Planned:  # fmt: skip
    """A building and its outline, as `Draft.build` takes them."""
    whole = Building(
        outline,
        use,
        form,
        int(floors),
        round(float(height), 1),
        int(year),
        structure,
        parcel,
        zh,
        en,
    )
    return outline, whole


def fitted(
    free: Shape,
    form: Floats,
    turn: float,
    step: float = 9.0,
    near: tuple[float, float] | None = None,
) -> Shape | None:
    """A form (n, 2) where it finds room, nearest to a point; None where there is none."""
    if free.is_empty:
        return None
    west, south, east, north = free.bounds
    x = np.arange(west + step / 2, east, step)
    y = np.arange(south + step / 2, north, step)
    spots = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    if not len(spots):
        return None
    shapely.prepare(free)
    spots = spots[shapely.contains_xy(free, spots[:, 0], spots[:, 1])]
    goal = near or (free.centroid.x, free.centroid.y)
    spots = spots[np.argsort(np.hypot(*(spots - goal).T), kind="stable")]
    base = placed(form, 0.0, 0.0, turn)
    ring = np.asarray(base.exterior.coords)
    for at in range(0, len(spots), 64):
        shapes = shapely.polygons(spots[at : at + 64, None, :] + ring[None])
        good = np.flatnonzero(shapely.covers(free, shapes))
        if len(good):
            return shapes[good[0]]
    return None
