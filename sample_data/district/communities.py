"""Communities and towns, and how many people live in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from sample_data.district.district import District
from sample_data.district.draft import Building
from sample_data.district.outlines import largest, polygons
from sample_data.district.plan import Shape, random

SPACE = {"village": 17.0, "villa": 70.0, "tower": 36.0, "slab": 33.0, "old": 27.0}
"""Floor area for each person by form of building (m2): assumed, plausible for Guangzhou."""


@dataclass(frozen=True, slots=True)
class Area:
    """A community or town with its people; `of` is the town of a community."""

    zh: str
    en: str
    of: str
    of_en: str
    shape: Shape
    population: int
    households: int
    elderly: int
    children: int


def residents(building: Building) -> float:
    """How many people live in a building, by its floor area."""
    if building.use != "residential":
        return 0.0
    return float(building.outline.area) * building.floors / SPACE.get(building.form, 34.0)


def communities(of: District) -> tuple[list[Area], list[Area]]:
    """Communities, and the towns they make up; together they cover the district once."""
    seats = [
        (town["zh"], town["en"], zh, en, x, y)
        for town in of.plan.raw["town"]
        for zh, en, x, y in town["communities"]
    ]
    shapes = _shapes(of, [(s[4], s[5]) for s in seats])
    spots = shapely.centroid(np.array([b.outline for b in of.buildings]))
    people = np.array([residents(b) for b in of.buildings])
    rng = random(of.seed, "people")
    found = []
    for (town, town_en, zh, en, _, _), shape in zip(seats, shapes, strict=True):
        shapely.prepare(shape)
        count = round(float(people[shapely.intersects(shape, spots)].sum()))
        old, young = rng.uniform(0.07, 0.17), rng.uniform(0.12, 0.2)
        found.append(
            Area(zh, f"{en} Community", town, town_en, shape, count, round(count / 2.7),
                 round(count * old), round(count * young))
        )  # fmt: skip
    return found, [_town(t["zh"], t["en"], [c for c in found if c.of == t["zh"]]) for t in of.plan.raw["town"]]  # fmt: skip


def _town(zh: str, en: str, parts: Sequence[Area]) -> Area:
    shape = shapely.union_all([p.shape for p in parts])
    sums = [sum(getattr(p, name) for p in parts) for name in ("population", "households", "elderly", "children")]  # fmt: skip
    return Area(zh, en, "示范区", "Sample District", shape, *sums)


def _shapes(of: District, seats: Sequence[tuple[float, float]]) -> list[Shape]:
    """The district shared out: every cell between streets goes to the nearest seat."""
    lines = [s.line for s in of.main.segments]
    whole_net = shapely.union_all([*lines, of.plan.area.exterior])
    cells = polygons(shapely.polygonize(shapely.get_parts(whole_net)))
    cells += polygons(of.plan.area.difference(shapely.union_all(cells)), 1.0)
    points = [shapely.Point(*seat) for seat in seats]
    shares: list[list[Shape]] = [[] for _ in seats]
    for cell in cells:
        middle = cell.representative_point()
        shares[int(np.argmin([middle.distance(p) for p in points]))].append(cell)
    whole = [shapely.union_all(share) for share in shares]
    # What is cut off from its own community goes to the neighbour with the longest border.
    for i, shape in enumerate(whole):
        main = largest(shape)
        for piece in polygons(shape.difference(main.buffer(0.01)), 1.0):
            borders = [piece.intersection(other).length if j != i else 0.0 for j, other in enumerate(whole)]  # fmt: skip
            j = int(np.argmax(borders))
            if borders[j] > 0:
                whole[j] = shapely.union(whole[j], piece)
                whole[i] = whole[i].difference(piece)
    return [shape if shape.geom_type == "Polygon" else largest(shape) for shape in whole]
