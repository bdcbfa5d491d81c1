"""The land of the check-up: what is built up, what covers it, who lives on it, what runs across it."""

from __future__ import annotations

import numpy as np
import shapely
import shapely.ops

from sample_data.district.communities import residents
from sample_data.district.district import District
from sample_data.district.outlines import lines, polygons
from sample_data.district.plan import Shape, curve, random
from sample_data.district.streets import Segment
from sample_data.district.tables import Row, Table, standing

NATURAL = ("park", "hill", "green")
TRACT, PIXEL = 250.0, 100.0
"""Sides of the squares of the population grid and of the land cover (m)."""
SOFT = {"slabs": 0.5, "towers": 0.55, "villas": 0.75, "old": 0.3, "village": 0.25, "school": 0.55,
        "college": 0.6, "hospital": 0.45, "sports": 0.7, "techpark": 0.4, "civic": 0.5}  # fmt: skip
"""How likely a square of a block is green, by the use of the block; 0.2 for all others."""
SPACE_OF_JOBS = {"office": 22.0, "industrial": 70.0, "commercial": 40.0, "warehouse": 150.0,
                 "hotel": 90.0, "education": 60.0, "medical": 45.0, "administration": 30.0}  # fmt: skip
"""Floor area for each job by the use of the building (m2): assumed."""


def built_up(of: District, year: int) -> Table:
    """The built-up area, from 2026 on with the wharf, and the clusters it falls into."""
    wild = (*NATURAL, "wharf") if year < 2026 else NATURAL
    blocks = shapely.union_all([shape for shape, use in of.blocks if use.use not in wild])
    apart = shapely.union_all([shape for shape, use in of.blocks if use.use in wild])
    # What lies between two blocks is a street, and belongs to what is built.
    whole = blocks.buffer(24.0, join_style="mitre").buffer(-24.0, join_style="mitre")
    whole = whole.intersection(of.plan.area).difference(shapely.union(of.water.all, apart))
    parts = sorted(polygons(whole, 500.0), key=lambda p: -p.area)
    cores = sorted(
        polygons(shapely.union_all(parts).buffer(-30.0), 10_000.0), key=lambda p: -p.area
    )
    clusters = [core.buffer(30.0).intersection(of.plan.area) for core in cores]
    shapes = [*parts, *clusters]
    rows: list[Row] = [
        {"id": f"LAND-{i + 1:02d}", "class": "UrbanArea",
         "kind": "built-up" if i < len(parts) else "cluster", "area": round(shape.area, 1)}
        for i, shape in enumerate(shapes)
    ]  # fmt: skip
    return Table("MultiPolygon", shapes, rows)


def land_cover(of: District, year: int) -> Table:
    """Squares of 100 m by what mostly covers them; some yards became permeable before 2026."""
    rng = random(of.seed, "land cover")
    chances = rng.uniform(size=(2, 20, 20))
    places = [shapely.Point(x, y) for y in _middles(of, PIXEL) for x in _middles(of, PIXEL)]
    uses = _uses(of, places)
    shapes, rows = [], list[Row]()
    for i, (place, use) in enumerate(zip(places, uses, strict=True)):
        chance, renewed = chances[:, i // 20, i % 20]
        cover = "paved"
        if of.water.all.contains(place):
            cover = "water"
        elif use in NATURAL:
            cover = "woodland" if use == "hill" else "grass"
        elif use and chance < SOFT.get(use, 0.2):
            cover = "grass"
        elif use and year >= 2026 and renewed < 0.08:
            cover = "permeable paving"
        soft = cover in ("grass", "woodland", "permeable paving")
        shapes.append(_square(place, PIXEL))
        rows.append({"id": f"LC{i + 1:04d}", "class": "LandCover", "cover": cover, "permeable": "yes" if soft else "no"})  # fmt: skip
    return Table("Polygon", shapes, rows)


def population(of: District, year: int) -> Table:
    """Residents and jobs on squares of 250 m, by the floor areas that stand there."""
    houses = standing(of)
    spots = shapely.centroid(np.array([b.outline for b in houses]))
    growth = 1.0 if year < 2026 else 1.018
    side = int(of.plan.size / TRACT)
    column = np.minimum(shapely.get_x(spots) // TRACT, side - 1).astype(int)
    row = np.minimum(shapely.get_y(spots) // TRACT, side - 1).astype(int)
    people, jobs = np.zeros((side, side)), np.zeros((side, side))
    np.add.at(people, (row, column), [residents(b) for b in houses])
    floors = [b.outline.area * b.floors / SPACE_OF_JOBS.get(b.use, np.inf) for b in houses]
    np.add.at(jobs, (row, column), floors)
    people, jobs = np.round(people * growth), np.round(jobs)
    middles = _middles(of, TRACT)
    shapes, rows = [], list[Row]()
    for i in range(side * side):
        r, c = divmod(i, side)
        shapes.append(_square(shapely.Point(middles[c], middles[r]), TRACT))
        rows.append(
            {"id": f"POP{i + 1:03d}", "class": "PopulationTract", "population": int(people[r, c]),
             "jobs": int(jobs[r, c]), "density": round(people[r, c] / (TRACT / 1000) ** 2, 1), "year": year}
        )  # fmt: skip
    return Table("Polygon", shapes, rows)


def corridors(of: District, year: int) -> Table:
    """Corridors between the clusters: one was widened before 2026, one has been built into."""
    creek = curve(of.plan.raw["water"]["creek"], 8.0)
    bank = shapely.offset_curve(curve(of.plan.raw["water"]["bank"]), 40.0)
    later = year >= 2026
    drawn = (
        ("青涌生态廊道", "Qing Creek corridor", creek, 112.0 if later else 64.0),
        ("滨江生态廊道", "Riverside corridor", bank, 150.0),
        ("西岭生态廊道", "Xiling corridor", curve([[40, 1180], [180, 1330], [190, 1560]]), 84.0 if later else 128.0),
        ("凤栖生态廊道", "Fengqi corridor", curve([[1120, 1820], [1330, 1760], [1560, 1740], [1960, 1560]]), 210.0),
    )  # fmt: skip
    shapes, rows = [], list[Row]()
    for i, (zh, en, line, width) in enumerate(drawn):
        shapes.append(_one(line.intersection(of.plan.area)))
        rows.append({"id": f"COR-{i + 1}", "name": zh, "name_en": en, "class": "Corridor", "clear_width": width})  # fmt: skip
    return Table("LineString", shapes, rows)


def greenways(of: District, year: int) -> Table:
    """The greenway on the bank of the river, from 2026 on another along the creek."""
    bank = shapely.offset_curve(curve(of.plan.raw["water"]["bank"]), 22.0)
    drawn = [("滨江绿道", "Riverside greenway", bank)]
    if year >= 2026:
        creek = shapely.offset_curve(curve(of.plan.raw["water"]["creek"], 8.0), 14.0)
        drawn.append(("青涌绿道", "Qing Creek greenway", creek))
    return _lines(of, "GW", "Path", drawn)


def tunnels(of: District, year: int) -> Table:
    """The utility tunnel under Kehui Avenue, prolonged before 2026."""
    street = next(s for s in of.plan.streets if s.zh == "科汇大道")
    inside = _one(street.line.intersection(of.plan.area))
    part = shapely.ops.substring(inside, 300.0, 1_650.0 if year >= 2026 else 1_000.0)
    return _lines(
        of, "UT", "UtilityTunnel", [("科汇大道综合管廊", "Kehui Avenue utility tunnel", part)]
    )


def cycleways(of: District, year: int) -> Table:
    """Lanes for bicycles alone: on the arterials, from 2026 on along two more streets."""
    more = ("云汀路", "朝阳路") if year >= 2026 else ()
    chosen = [s for s in of.main.segments if s.kind == "arterial" or s.street.zh in more]
    return _lines(of, "CW", "Path", [_along(s, "自行车道", "cycle lane") for s in chosen])


def walkways(of: District, year: int) -> Table:
    """Footpaths along collectors and local streets with what is wrong with them.

    Of a few nobody had looked in 2025; in 2026 many were put right, and some have broken since.
    """
    rng = random(of.seed, "walkways")
    chosen = [s for s in of.main.segments if s.kind in ("collector", "local")]
    before, after = rng.uniform(size=(2, len(chosen)))
    kinds = rng.choice(["broken", "narrow", "ponding", "dark"], len(chosen))
    unseen = np.argsort(before)[-2:]
    table = _lines(of, "WW", "Path", [_along(s, "步行道", "footpath") for s in chosen])
    rows: list[Row] = []
    for i, row in enumerate(table.rows):
        wrong = before[i] < 0.16 if year < 2026 else before[i] < 0.06 or after[i] < 0.02
        problem: str | None = str(kinds[i]) if wrong else "none"
        if year < 2026 and i in unseen:
            problem = None
        rows.append({**row, "problem": problem})
    return Table("LineString", table.shapes, rows)


def _along(segment: Segment, zh: str, en: str) -> tuple[str, str, Shape]:
    return f"{segment.street.zh}{zh}", f"{segment.street.en} {en}", segment.line


def _lines(of: District, prefix: str, kind: str, drawn: list[tuple[str, str, Shape]]) -> Table:
    shapes = [_one(line.intersection(of.plan.area)) for *_, line in drawn]
    rows: list[Row] = [
        {"id": f"{prefix}-{i + 1:03d}", "name": zh, "name_en": en, "class": kind, "length": round(shape.length, 2)}
        for i, ((zh, en, _), shape) in enumerate(zip(drawn, shapes, strict=True))
    ]  # fmt: skip
    return Table("LineString", shapes, rows)


def _one(line: Shape) -> Shape:
    """The longest line of a shape."""
    return max(lines(line), key=lambda part: part.length)


def _middles(of: District, side: float) -> list[float]:
    return [(i + 0.5) * side for i in range(int(of.plan.size / side))]


def _square(middle: Shape, side: float) -> Shape:
    half = side / 2
    return shapely.box(middle.x - half, middle.y - half, middle.x + half, middle.y + half)


def _uses(of: District, places: list[Shape]) -> list[str]:
    """What the block around each place is; empty on streets."""
    tree = shapely.STRtree([shape for shape, _ in of.blocks])
    found = [""] * len(places)
    for place, block in tree.query(places, predicate="within").T:
        found[place] = of.blocks[block][1].use
    return found
