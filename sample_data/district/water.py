"""The water of the district: river, creek and lake."""

from __future__ import annotations

from dataclasses import dataclass

import shapely
import shapely.affinity

from sample_data.district.plan import Plan, Shape, closed_curve, curve

VERGE = 11.0
"""The green on both sides of the creek (m)."""


@dataclass(frozen=True, slots=True)
class Water:
    """River, island in it, creek, its green and the lake of the park."""

    river: Shape
    island: Shape
    creek: Shape
    verge: Shape
    lake: Shape

    @property
    def all(self) -> Shape:
        """Everything that is wet."""
        return shapely.union_all([self.river, self.creek, self.lake])


def water(plan: Plan) -> Water:
    """Draw the water of a plan."""
    table = plan.raw["water"]
    bank = curve(table["bank"])
    low = [(bank.coords[-1][0], -200.0), (bank.coords[0][0], -200.0)]
    x, y, a, b, turn = table["island"]
    disc = shapely.affinity.scale(shapely.Point(x, y).buffer(1.0, quad_segs=24), a, b)
    island = shapely.affinity.rotate(disc, turn)
    river = shapely.Polygon([*bank.coords, *low]).difference(island).intersection(plan.area)
    line = curve(table["creek"], 8.0)
    course = line.buffer(table["creek_width"] / 2, cap_style="round")
    creek = course.difference(river).intersection(plan.area)
    verge = line.buffer(table["creek_width"] / 2 + VERGE).difference(course).difference(river)
    lake = closed_curve(table["lake"])
    verge = verge.difference(lake).intersection(plan.area)
    return Water(river, island, creek.difference(lake), verge, lake)
