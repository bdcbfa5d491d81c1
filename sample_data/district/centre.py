"""The centre: office towers on podiums, malls, squares and the civic quarter."""

from __future__ import annotations

import numpy as np
import shapely

from sample_data.district import forms
from sample_data.district.draft import Draft, Planned, building, fitted
from sample_data.district.outlines import divide, facing_south, largest, placed, split
from sample_data.district.plan import Shape, Site, Use

HEART = (1130.0, 455.0)
"""Where the towers are highest (m)."""


def cbd(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, year: int | None = None
) -> None:
    """Towers on podiums; the nearer to the heart of the centre, the higher."""
    plots = _quarters(block, use, rng, draft, 9_500.0)
    for plot in plots:
        number = draft.parcel(plot, "B2", use)
        inner = largest(plot.buffer(-7.0))
        draft.mark("paving", plot.buffer(-0.5))
        if inner.area < 900:
            continue
        far = float(np.hypot(plot.centroid.x - HEART[0], plot.centroid.y - HEART[1]))
        top = 80.0 + 190.0 * np.exp(-((far / 230.0) ** 2))
        turn = facing_south(plot)
        built = year or int(rng.integers(2014, 2026))
        foot = largest(inner.buffer(-6.0).buffer(4.0).simplify(0.4))
        count = len(draft.parcels)
        for attempt in range(2 if inner.area > 5_200 else 1):
            size = float(np.clip(inner.area**0.5 * 0.5, 24.0, 42.0)) * (
                1.0 if attempt == 0 else 0.8
            )
            kind = forms.TOWERS[int(rng.integers(0, len(forms.TOWERS)))]
            goal = (inner.centroid.x + rng.uniform(-14, 14) + 26.0 * attempt, inner.centroid.y + rng.uniform(-8, 18))  # fmt: skip
            outline = None
            while outline is None and size > 17.0:
                outline = fitted(
                    largest(foot.buffer(-3.0)), forms.tower(kind, size), turn, 4.0, goal
                )
                size *= 0.88
            if outline is None:
                continue
            floors = int(max(16, top * rng.uniform(0.72, 1.08) * (0.75 if attempt else 1.0)) / 4.2)
            letter = "AB"[attempt]
            draft.build(
                number, None,
                [building(outline, "office", f"{kind}_tower", floors, floors * 4.2 + 8.0, built,
                          "框筒 frame-core wall", number, f"{use.zh}{count}号{letter}座",
                          f"{use.en} {count}{letter}")], 0.5,
            )  # fmt: skip
            foot = foot.difference(outline)
        base = largest(foot.buffer(-0.05, join_style="mitre"))
        if base.area > 700:
            floors = int(rng.integers(3, 6))
            whole = building(base, "commercial", "podium", floors, floors * 5.0 + 1.2, built,
                             "框架 frame", number, f"{use.zh}{count}号裙楼",
                             f"{use.en} {count} Podium")  # fmt: skip
            draft.build(number, None, [whole], 0.0)


def _quarters(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, most: float
) -> list[Shape]:
    todo, plots = [block], []
    while todo:
        part = todo.pop()
        pieces, line = split(part, 0.5 + rng.uniform(-0.1, 0.1), 12.0)
        if part.area <= most or len(pieces) < 2:
            plots.append(part)
            continue
        for piece in shapely.get_parts(line):
            draft.lane(piece, use)
        todo.extend(p for p in pieces if p.area > 600)
    return plots


def office(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Office houses of 10 to 24 floors with courts."""
    for plot in _quarters(block, use, rng, draft, 16_000.0):
        number = draft.parcel(plot, "B2", use)
        inner = largest(plot.buffer(-9.0))
        draft.mark("paving", plot.buffer(-0.5))
        draft.mark("garden", plot.buffer(-5.0).difference(plot.buffer(-9.0)))
        turn = facing_south(plot)
        free = inner
        plans: list[Planned] = []
        for kind in [*rng.permutation(6), 5, 5]:
            shape = (
                forms.bar(52, 22), forms.rounded(36, 30, 4), forms.angle(52, 40, 19),
                forms.letter_h(48, 44, 17), forms.chamfered(34, 30, 6), forms.bar(44, 20),
            )[kind]  # fmt: skip
            outline = fitted(free, shape, turn, 6.0, (free.bounds[0], free.bounds[1]))
            if outline is None:
                continue
            floors = int(rng.integers(8, 25))
            count = len(plans) + 1
            plans.append(
                building(outline, "office", "office", floors, floors * 4.0 + 3.0,
                         int(rng.integers(2006, 2024)), "框架-核心筒 frame-core", number,
                         f"{use.zh}{len(draft.parcels)}-{count}座",
                         f"{use.en} {len(draft.parcels)}-{count}")
            )  # fmt: skip
            free = free.difference(outline.buffer(15.0, join_style="mitre"))
        draft.build(number, inner, plans, 5.0)


def mall(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """One large shopping building with soft corners, and a hotel beside it."""
    number = draft.parcel(block, "B1", use)
    draft.mark("paving", block.buffer(-0.5))
    turn = facing_south(block)
    inner = largest(block.buffer(-9.0))
    year = int(rng.integers(2012, 2024))
    hotel = fitted(inner, forms.rounded(38, 26, 3), turn, 5.0, (inner.bounds[2], inner.bounds[3]))
    free = inner
    if hotel is not None:
        draft.build(number, inner, [building(hotel, "hotel", "ellipse_tower", 28, 104.0, year, "框筒 frame-core wall", number, f"{use.zh}酒店", f"{use.en} Hotel")], 1.0)  # fmt: skip
        free = inner.difference(hotel.buffer(16.0))
    west, east = [largest(p) for p in split(free, 0.54, 16.0, 9.0)[0][:2]]
    for side, (part, zh, en) in enumerate(((west, "西馆", "West"), (east, "东馆", "East"))):
        soft = largest(part.buffer(-16.0).buffer(13.0)).simplify(0.3)
        if soft.area < 900:
            continue
        draft.build(number, inner, [building(soft, "commercial", "mall", 5 - side, 29.0 - 5.5 * side, year, "框架 frame", number, f"{use.zh}{zh}", f"{use.en} {en}")], 1.0)  # fmt: skip


def plaza(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """The square of the landmark: the tower, an opera house, water and rings of paving."""
    number = draft.parcel(block, "B2", use)
    draft.mark("paving", block.buffer(-0.5))
    turn = facing_south(block)
    x, y = block.centroid.x, block.centroid.y
    inner = largest(block.buffer(-8.0))
    for radius in (58.0, 46.0, 34.0):
        ring = shapely.Point(x, y).buffer(radius).difference(shapely.Point(x, y).buffer(radius - 4))
        draft.mark("garden", ring.intersection(inner))
    tower = placed(forms.triangle(50.0), x, y, turn)
    opera = fitted(
        inner.difference(tower.buffer(24.0)), forms.ellipse(64.0, 40.0), turn + 24.0, 5.0
    )
    plans = [
        building(tower, "office", "landmark", 68, 318.0, 2024, "巨型框架-核心筒 mega frame-core",
                 number, "云塔", "Yunta Tower")
    ]  # fmt: skip
    if opera is not None:
        plans.append(building(opera, "culture", "dome", 4, 32.0, 2022, "钢 steel", number, "云汀大剧院", "Yunting Grand Theatre"))  # fmt: skip
    pool = fitted(inner.difference(shapely.union_all([p[0] for p in plans]).buffer(8.0)), forms.rounded(44, 12, 3), turn, 5.0)  # fmt: skip
    if pool is not None:
        draft.mark("pool", pool)
    draft.build(number, inner, plans, 4.0)


def civic(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, sites: tuple[Site, ...]
) -> None:
    """Public houses around a square, and the sites of the building models on parcels of their own."""
    rest = block
    for site in sites:
        if block.intersects(site.outline):
            own = site.outline.buffer(2.0, join_style="mitre").intersection(block)
            draft.parcel(own, site.use, Use(use.at, "site", site.zh, site.en))
            draft.mark("site", own)
            rest = rest.difference(own)
    ground = [p for p in shapely.get_parts(rest) if p.area > 150.0]
    main = max(ground, key=lambda p: p.area)
    for part in ground:
        number = draft.parcel(part, "A1" if part is main else "G3", use)
        draft.mark("paving" if part is main else "garden", part.buffer(-0.5))
        if part is main:
            _houses(part, use, rng, draft, number)


def _houses(part: Shape, use: Use, rng: np.random.Generator, draft: Draft, number: int) -> None:
    turn = facing_south(part)
    inner = part.buffer(-7.0)
    free = inner
    plans: list[Planned] = []
    for zh, en, kind, shape, floors in (
        ("政务中心", "Government Service Centre", "administration", forms.letter_h(62, 34, 16), 9),
        ("图书馆", "Library", "culture", forms.rounded(42, 34, 5), 5),
        ("规划展览馆", "Planning Exhibition Hall", "culture", forms.triangle(40), 3),
        ("青少年宫", "Youth Palace", "culture", forms.comb(40, 30, 11, 2), 4),
        ("派出所", "Police Station", "administration", forms.angle(28, 20, 10), 4),
    ):
        outline = fitted(free, shape, turn, 6.0)
        if outline is None or any(zh in b.zh for b in draft.buildings):
            continue
        plans.append(building(outline, kind, "civic", floors, floors * 4.2 + 2.5, int(rng.integers(2010, 2024)), "框架 frame", number, f"云汀{zh}", f"Yunting {en}"))  # fmt: skip
        free = free.difference(outline.buffer(16.0, join_style="mitre"))
    lawn = largest(free.buffer(-4.0))
    for piece in divide(lawn, 1_800.0, 6.0, rng, 0.05, least=150.0):
        draft.mark("garden", piece.buffer(-2.0).buffer(1.5))
    draft.build(number, inner, plans, 5.0)
