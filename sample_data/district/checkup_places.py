"""The places of the check-up: facilities of daily life, small activity sites, parks, ponding points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from sample_data.district import places
from sample_data.district.communities import Area
from sample_data.district.district import District
from sample_data.district.draft import Building
from sample_data.district.plan import Shape, random
from sample_data.district.tables import Row, Table, standing


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of facility: in how many communities it is in 2025 and 2026, and how large (m2)."""

    id: str
    zh: str
    en: str
    before: int
    after: int
    least: int = 0
    most: int = 0


KINDS = (
    Kind("elderly-station", "老年服务站", "Station for the Elderly", 9, 13),
    Kind("elderly-care", "养老院", "Care Home", 2, 4),
    Kind("nursery", "托育中心", "Nursery", 6, 8),
    Kind("kindergarten", "幼儿园", "Kindergarten", 8, 11),
    Kind("culture", "文化活动中心", "Cultural Centre", 5, 4, 900, 3_200),
    Kind("sports", "多功能运动场", "Sports Ground", 4, 6, 2_800, 9_000),
    Kind("football", "足球场", "Football Pitch", 2, 2, 4_050, 7_140),
    Kind("market", "农贸市场", "Food Market", 6, 7),
    Kind("shop", "便民超市", "Convenience Store", 13, 14),
    Kind("shelter", "应急避难场所", "Emergency Shelter", 4, 6, 6_000, 24_000),
)
FIRE = (
    (2025, "西埠小型消防站", "Xibu Small Fire Station", "small", (246.0, 690.0)),
    (2026, "东晖消防站", "Donghui Fire Station", "standard", (1590.0, 1150.0)),
)
OUTSIDE = (2046.0, 1006.0)
"""A care home past the border, which serves the community on this side of it."""


def facilities(of: District, areas: Sequence[Area], year: int) -> Table:
    """Facilities as points. Sizes are known of those only that are counted by size."""
    houses = standing(of)
    spots = shapely.centroid(np.array([b.outline for b in houses]))
    inside = [_inside(area, houses, spots) for area in areas]
    shapes, rows = [], list[Row]()

    def add(key: str, kind: str, zh: str, en: str, place: Shape, known: Row) -> None:
        shapes.append(place)
        rows.append({"id": key, "name": zh, "name_en": en, "class": "Facility", "kind": kind,
                     "site_area": None, "size": None, "public": None, **known})  # fmt: skip

    lived_in = [i for i, area in enumerate(areas) if area.population > 300 and inside[i]]
    for kind in KINDS:
        rng = random(of.seed, f"facility {kind.id}")
        # Communities with a health station of their own are looked after first.
        ranks = rng.uniform(size=len(lived_in)) + [i % 2 for i in lived_in]
        order = [lived_in[i] for i in np.argsort(ranks)]
        size = rng.integers(kind.least, kind.most + 1, len(order))
        spot = [inside[i][int(rng.integers(len(inside[i])))] for i in order]
        public = rng.uniform(size=len(order)) < 0.75
        for n in range(kind.after if year >= 2026 else kind.before):
            area = areas[order[n]]
            known: Row = {"site_area": float(size[n])} if kind.most else {}
            if kind.id == "kindergarten":
                known["public"] = "yes" if public[n] else "no"
            name = (f"{area.zh.removesuffix('社区')}{kind.zh}", f"{area.en.removesuffix(' Community')} {kind.en}")  # fmt: skip
            add(f"{kind.id}-{n + 1:02d}", kind.id, *name, spot[n], known)
    # Entered twice, as happens: the same shop under another number.
    first = next(i for i, row in enumerate(rows) if row["kind"] == "shop")
    shapes.append(shapes[first])
    rows.append({**rows[first], "id": "shop-99"})
    name = ("东邻养老院", "Care Home past the Border")
    add("elderly-care-out", "elderly-care", *name, shapely.Point(OUTSIDE), {})
    for n, (since, zh, en, which, at) in enumerate(FIRE):
        if year >= since:
            add(f"fire-station-{n + 1}", "fire-station", zh, en, shapely.Point(at), {"size": which})
    return Table("Point", shapes, rows)


def activity_sites(of: District, year: int) -> Table:
    """Activity sites in every other estate, two that overlap and one that is there twice.

    From 2026 on there are some more.
    """
    rng = random(of.seed, "activity sites")
    homes = [p for p in of.parcels if p.code[0] in "RH" and p.outline.area > 5_000]
    chosen = [homes[i] for i in rng.permutation(len(homes))]
    houses = shapely.STRtree([b.outline for b in of.buildings])
    shapes, rows = [], list[Row]()
    for n, parcel in enumerate(chosen[: 16 if year >= 2026 else 11]):
        near = houses.geometries[houses.query(parcel.outline)]
        free = parcel.outline.buffer(-2.0).difference(shapely.union_all(near).buffer(1.5))
        circle = shapely.maximum_inscribed_circle(free, 0.5)
        half = min(circle.length / np.sqrt(2.0), 19.0)
        middle = shapely.get_point(circle, 0)
        shapes.append(
            shapely.box(middle.x - half, middle.y - half, middle.x + half, middle.y + half)
        )
        rows.append(_site(n, parcel.use.zh, parcel.use.en, shapes[-1]))
    shapes.append(shapely.transform(shapes[0], lambda xy: xy + np.array([9.0, 4.0])))
    rows.append(_site(97, f"{chosen[0].use.zh}口袋", f"{chosen[0].use.en} Pocket", shapes[-1]))
    shapes.append(shapes[1])
    rows.append({**rows[1], "id": "AS-99"})
    return Table("Polygon", shapes, rows)


def _site(number: int, zh: str, en: str, shape: Shape) -> Row:
    return {"id": f"AS-{number + 1:02d}", "name": f"{zh}活动场地", "name_en": f"{en} Activity Site",
            "class": "Greenery", "kind": "activity-site", "area": round(shape.area, 1)}  # fmt: skip


def parks(of: District, year: int) -> Table:
    """The parks of the district, one that overlaps another, one past the border; two new in 2026."""
    found = places.parks(of)
    corner = found[0].shape.representative_point()
    drawn = [
        *((p.zh, p.en, p.kind, p.shape) for p in found),
        ("滨江公园（续建）", "Riverside Park Extension", "park", shapely.box(corner.x - 60, corner.y - 50, corner.x + 45, corner.y + 40)),
        ("东邻公园", "Park past the Border", "park", shapely.box(2004.0, 1220.0, 2104.0, 1310.0)),
    ]  # fmt: skip
    if year >= 2026:
        drawn += [
            ("科岭街心公园", "Keling Green", "park", shapely.box(566.0, 1800.0, 626.0, 1855.0)),
            ("西岭公园", "Xiling Park", "park", shapely.box(330.0, 1330.0, 412.0, 1408.0)),
        ]
    rows: list[Row] = [
        {"id": f"park-{i + 1:03d}", "name": zh, "name_en": en, "class": "Greenery", "kind": kind,
         "area": round(shape.area, 1)}
        for i, (zh, en, kind, shape) in enumerate(drawn)
    ]  # fmt: skip
    return Table("MultiPolygon", [shape for *_, shape in drawn], rows)


SEVERITIES = ("severe",) * 4 + ("moderate",) * 5 + ("light",) * 5
BEFORE = (1, 6)
"""Which of them were gone by 2025."""
AFTER = (0, 1, 2, 5, 6, 9)
"""And by 2026."""


def ponding(of: District, year: int) -> Table:
    """Where water stood after rain; from 2026 on at one more place."""
    rng = random(of.seed, "ponding")
    chosen = rng.permutation(len(of.main.nodes))[: len(SEVERITIES) + 1]
    gone = AFTER if year >= 2026 else BEFORE
    shapes, rows = [], list[Row]()
    for i, severity in enumerate((*SEVERITIES, "light")[: 15 if year >= 2026 else 14]):
        shapes.append(shapely.Point(of.main.nodes[int(chosen[i])]))
        rows.append(
            {"id": f"PD-{i + 1:02d}", "name": f"积水点{i + 1}", "name_en": f"Ponding Point {i + 1}",
             "class": "PondingPoint", "severity": severity, "state": "eliminated" if i in gone else "open"}
        )  # fmt: skip
    return Table("Point", shapes, rows)


def _inside(area: Area, houses: Sequence[Building], spots: Sequence[Shape]) -> list[Shape]:
    """Where in a community a facility may be: at its homes and shops, anywhere if it has none."""
    shapely.prepare(area.shape)
    here = [(b, p) for b, p in zip(houses, spots, strict=True) if area.shape.contains(p)]
    return [p for b, p in here if b.use in ("residential", "commercial")] or [p for _, p in here]
