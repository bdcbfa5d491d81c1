"""Housing: slabs in rows, high towers in gardens, old dense rows, villas at the foot of the hill."""

from __future__ import annotations

import numpy as np
import shapely

from sample_data.district import forms
from sample_data.district.draft import Draft, Planned, building, fitted
from sample_data.district.outlines import (
    divide,
    facing_south,
    largest,
    placed,
    polygons,
    rows,
    split,
    turned,
)
from sample_data.district.plan import Floats, Shape, Use

FLOOR = 3.0
BASE = 1.5
"""Plinth and parapet of a house with flats (m)."""


def slabs(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """An estate of rows, 9 to 18 floors, around a garden, with a kindergarten."""
    floors = int(rng.choice([9, 11, 11, 14, 18])) if block.area > 22_000 else 9
    year = int(rng.integers(1998, 2016))
    _estate(block, use, rng, draft, floors, year, (13.0, 15.5), 13.5, 0.6, shops=False)


def old(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Flats of former works: close rows of 6 to 8 floors, shops along the street."""
    floors = int(rng.integers(6, 9))
    year = int(rng.integers(1982, 1997))
    _estate(block, use, rng, draft, floors, year, (10.5, 12.5), 11.0, 0.5, shops=True)


def _estate(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, floors: int, year: int,
    unit: tuple[float, float], depth: float, spacing: float, *, shops: bool,
) -> None:  # fmt: skip
    number = draft.parcel(block, "R2", use)
    height = floors * FLOOR + BASE
    lane = largest(block.buffer(-18.0 if shops else -7.0))
    ground = draft.ring(lane, use)
    inside = largest(block.buffer(-3.0)).difference(ground)
    if shops:
        _shops(block, use, rng, draft, number, ground)
    inner = largest(lane.buffer(-5.0))
    if inner.is_empty:
        return
    free = inner
    if not shops:
        free = _kindergarten(inner, use, rng, draft, number, year)
    garden = shapely.Polygon()
    if inner.area > 20_000:
        middle = inner.centroid
        turn = facing_south(block)
        garden = placed(forms.rounded(70.0, 30.0, 3.0), middle.x, middle.y, turn)
        garden = garden.intersection(inner)
        draft.mark("garden", garden)
        draft.mark("pool", placed(forms.ellipse(22.0, 11.0), middle.x + 14, middle.y, turn))
        free = free.difference(garden.buffer(4.0))
    turn = facing_south(block)
    pitch = depth + float(np.clip(height * spacing, 11.0, 24.0))
    plans: list[Planned] = []
    count = 0
    for y, x0, x1 in rows(free.buffer(-depth / 2 - 0.2), turn, pitch):
        x, end = x0 - depth / 2 + 0.5, x1 + depth / 2 - 0.5
        while x < end - 20.0:
            units = int(rng.integers(2, 5))
            width = rng.uniform(*unit)
            while units > 1 and x + units * width > end:
                units -= 1
            length = units * width
            high = floors + int(rng.integers(-1, 2)) * (floors > 8)
            middle = turned(shapely.Point(x + length / 2, y), turn)
            outline = placed(forms.slab(units, width, depth), middle.x, middle.y, turn)
            count += 1
            kind = "框剪 frame-shear wall" if floors > 8 else "砖混 masonry"
            plans.append(
                building(outline, "residential", "old" if shops else "slab", high,
                         high * FLOOR + BASE, year + int(rng.integers(0, 3)), kind, number,
                         f"{use.zh}{count}栋", f"{use.en} No. {count}")
            )  # fmt: skip
            x += length + rng.uniform(7.0, 12.0)
    draft.build(number, free.intersection(inside), plans, 5.0)


def _kindergarten(
    inner: Shape, use: Use, rng: np.random.Generator, draft: Draft, number: int, year: int
) -> Shape:
    if inner.area < 14_000:
        return inner
    corner = (inner.bounds[0], inner.bounds[1])
    house = fitted(inner, forms.angle(34.0, 26.0, 11.0), facing_south(inner), 6.0, corner)
    if house is None:
        return inner
    yard = house.buffer(9.0, join_style="mitre").intersection(inner)
    draft.mark("playground", yard)
    shape, whole = building(house, "kindergarten", "school", 3, 12.0, year + 1, "框架 frame", number,
                            f"{use.zh}幼儿园", f"{use.en} Kindergarten")  # fmt: skip
    draft.build(number, inner, [(shape, whole)], 1.0)
    return inner.difference(yard.buffer(5.0))


def _shops(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, number: int, ground: Shape
) -> None:
    strip = block.buffer(-3.0).difference(block.buffer(-13.0)).difference(ground.buffer(1.0))
    plans: list[Planned] = []
    for part in polygons(strip, 60.0):
        for i, shop in enumerate(divide(part, 420.0, 0.6, rng, 0.15, least=60.0)):
            if rng.random() < 0.25:
                continue
            floors = int(rng.integers(1, 4))
            plans.append(
                building(shop.buffer(-0.3), "commercial", "shop", floors, floors * 3.9 + 0.8,
                         int(rng.integers(1985, 2005)), "框架 frame", number,
                         f"{use.zh}商铺{i + 1}号", f"{use.en} Shops {i + 1}")
            )  # fmt: skip
    draft.build(number, None, [p for p in plans if p[0].geom_type == "Polygon"], 0.2)


def towers(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, year: int | None = None
) -> None:
    """An estate of residential towers, 26 to 33 floors, staggered in a garden."""
    number = draft.parcel(block, "R2", use)
    year = year or int(rng.integers(2010, 2023))
    lane = largest(block.buffer(-8.0))
    ground = draft.ring(lane, use)
    inner = largest(lane.buffer(-5.0))
    turn = facing_south(block)
    club = fitted(inner, forms.rounded(40.0, 20.0, 3.0), turn) if block.area > 24_000 else None
    free = inner.difference(ground)
    if club is not None:
        pool = placed(forms.rounded(30.0, 14.0, 2.6), club.centroid.x, club.centroid.y - 24.0, turn)
        draft.mark("garden", club.buffer(26.0).intersection(inner))
        draft.mark("pool", pool.intersection(inner))
        name = (f"{use.zh}会所", f"{use.en} Club House")
        draft.build(number, free, [building(club, "commercial", "podium", 2, 10.0, year, "框架 frame", number, *name)], 1.0)  # fmt: skip
        free = free.difference(shapely.union(club, pool).buffer(8.0))
    plans: list[Planned] = []
    count = 0
    for row, (y, x0, x1) in enumerate(rows(free.buffer(-12.5), turn, 40.0)):
        x = x0 + 4.0 + (row % 2) * 14.0
        while x < x1 - 3.0:
            floors = int(rng.integers(26, 34))
            wide, deep = rng.uniform(27.0, 33.0), rng.uniform(20.0, 24.0)
            middle = turned(shapely.Point(x, y), turn)
            outline = placed(forms.butterfly(wide, deep), middle.x, middle.y, turn)
            count += 1
            plans.append(
                building(outline, "residential", "tower", floors, floors * FLOOR + 4.5,
                         year + int(rng.integers(0, 2)), "剪力墙 shear wall", number,
                         f"{use.zh}{count}座", f"{use.en} Tower {count}")
            )  # fmt: skip
            x += wide + rng.uniform(8.0, 13.0)
    draft.build(number, free, plans, 7.0)


def villas(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Houses with gardens along winding lanes."""
    number = draft.parcel(block, "R1", use)
    todo, plots = [largest(block.buffer(-3.0))], []
    while todo:
        part = todo.pop()
        pieces, line = split(part, 0.5 + rng.uniform(-0.08, 0.08), 7.0)
        if part.area < 5_200 or len(pieces) < 2:
            plots.append(part)
            continue
        for piece in shapely.get_parts(line):
            draft.lane(piece, use)
        todo.extend(p for p in pieces if p.area > 300)
    plans: list[Planned] = []
    year = int(rng.integers(2002, 2012))
    for plot in plots:
        for garden in divide(plot, 640.0, 0.4, rng, 0.05, least=180.0):
            room = garden.buffer(-2.2)
            wide, deep = rng.uniform(10.0, 13.0), rng.uniform(8.5, 10.5)
            turn = facing_south(garden) + rng.uniform(-4.0, 4.0)
            outline = fitted(
                largest(room), forms.villa(wide, deep, int(rng.integers(0, 3))), turn, 1.0
            )
            if outline is None:
                continue
            draft.mark("lawn", garden.buffer(-0.5))
            if rng.random() < 0.4:
                spot = fitted(largest(room.difference(outline.buffer(2.0))), forms.rounded(8.0, 4.0, 3.0), turn, 2.0)  # fmt: skip
                if spot is not None:
                    draft.mark("pool", spot)
            count = len(plans) + 1
            floors = int(rng.integers(2, 4))
            plans.append(
                building(outline, "residential", "villa", floors, floors * 3.3 + 2.2, year,
                         "框架 frame", number, f"{use.zh}{count}号", f"{use.en} House {count}")
            )  # fmt: skip
    draft.build(number, block.buffer(-2.0), plans, 4.0)


def oldtown(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Old shophouses along narrow lanes."""
    number = draft.parcel(block, "R3", use)
    _lots(block, [block.buffer(-2.0)], use, rng, draft, number, (56.0, 90.0), (2.7, 0.8), 1962)


def village(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """An urban village: houses an arm's length apart around the ancestral hall and its pond."""
    number = draft.parcel(block, "H14", use)
    middle = block.representative_point()
    spot = (middle.x, middle.y)
    pond = placed(_half_moon(26.0), spot[0], spot[1] - 8.0, 0.0)
    square = placed(forms.bar(54.0, 16.0), spot[0], spot[1] + 1.0, 0.0)
    hall = placed(forms.comb(30.0, 24.0, 8.0, 2), spot[0], spot[1] + 23.0, 0.0)
    draft.mark("pond", pond)
    draft.mark("square", square)
    name = (f"{use.zh}宗祠", f"{use.en} Ancestral Hall")
    draft.build(number, block, [building(hall, "culture", "temple", 1, 8.5, 1886, "砖木 brick and timber", number, *name)], 1.0)  # fmt: skip
    heart = shapely.union_all([pond.buffer(5.0), square.buffer(2.0), hall.buffer(3.0)])
    ground = polygons(block.buffer(-1.5).difference(heart.buffer(2.0)), 60.0)
    _lots(block, ground, use, rng, draft, number, (78.0, 126.0), (4.3, 1.5), 1998)


def _lots(
    block: Shape, todo: list[Shape], use: Use, rng: np.random.Generator, draft: Draft, number: int,
    size: tuple[float, float], storeys: tuple[float, float], year: int,
) -> None:  # fmt: skip
    """Cut ground by alleys into plots, these into lots, and build a house on nearly every lot."""
    plots = []
    while todo:
        part = todo.pop()
        if part.area < 2_600:
            plots.append(part)
            continue
        gap = 5.5 if part.area > 30_000 else 4.0
        pieces, line = split(part, 0.5 + rng.uniform(-0.14, 0.14), gap, rng.uniform(-7.0, 7.0))
        for piece in shapely.get_parts(line):
            draft.lane(piece, use, "alley", 30.0)
        todo.extend(p for p in pieces if p.area > 40)
    plans: list[Planned] = []
    for plot in plots:
        for lot in divide(plot, rng.uniform(*size), 1.2, rng, 0.14, 3.0, least=34.0):
            shape = largest(lot.buffer(-0.25, join_style="mitre").simplify(0.35))
            if rng.random() < 0.05 or shape.area < 28.0 or _thin(shape):
                draft.mark("yard", lot)
                continue
            floors = int(np.clip(round(rng.normal(*storeys)), 1, 8))
            count = len(plans) + 1
            plans.append(
                building(shape, "residential", "village", floors, floors * 3.1 + 0.9,
                         int(np.clip(rng.normal(year, 9), 1935, 2018)),
                         "砖混 masonry" if floors < 6 else "框架 frame", number,
                         f"{use.zh}{count}号", f"{use.en} {count}")
            )  # fmt: skip
    draft.build(number, block, plans, 0.3)


def _thin(shape: Shape) -> bool:
    box = shapely.minimum_rotated_rectangle(shape)
    side = np.hypot(*np.diff(np.asarray(box.exterior.coords)[:3], axis=0).T)
    return bool(side.min() < 3.6 or side.max() > 3.6 * side.min())


def _half_moon(radius: float) -> Floats:
    t = np.linspace(np.pi, 2 * np.pi, 24)
    return np.column_stack([np.cos(t), np.sin(t) * 0.8]) * radius
