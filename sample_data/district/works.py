"""Work: factories, warehouses, the wharf and technology parks."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import shapely

from sample_data.district import forms
from sample_data.district.draft import Draft, Planned, building, fitted
from sample_data.district.outlines import (
    bearing,
    facing_south,
    largest,
    placed,
    rectangle,
    rows,
    split,
    turned,
)
from sample_data.district.plan import Shape, Use

ROOFS = ("blue_shed", "blue_shed", "grey_shed", "grey_shed", "white_shed", "red_shed")


def _plots(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, most: float
) -> list[Shape]:
    """Cut a block into plots of at most `most` m2 with lanes between."""
    todo, plots = [block], []
    while todo:
        part = todo.pop()
        pieces, line = split(part, 0.5 + rng.uniform(-0.1, 0.1), 11.0)
        if part.area <= most or len(pieces) < 2:
            plots.append(part)
            continue
        for piece in shapely.get_parts(line):
            draft.lane(piece, use)
        todo.extend(p for p in pieces if p.area > 400)
    return plots


def factory(
    block: Shape, use: Use, rng: np.random.Generator, draft: Draft, *, aged: bool = False
) -> None:
    """Halls side by side, an office house and a dormitory at the gate of every plot."""
    for plot in _plots(block, use, rng, draft, 30_000.0):
        number = draft.parcel(plot, "M1" if rng.random() < 0.5 else "M2", use)
        inner = largest(plot.buffer(-6.0))
        turn = bearing(plot)
        year = int(rng.integers(1968, 1988) if aged else rng.integers(1994, 2019))
        firm = int(rng.integers(100, 999))
        corner = (inner.bounds[0], inner.bounds[1]) if not inner.is_empty else None
        free = inner
        for zh, en, use_, form, size, floors in (
            ("办公楼", "Office", "office", "office", (38.0, 15.0), int(rng.integers(3, 7))),
            ("宿舍", "Dormitory", "residential", "slab", (46.0, 14.0), int(rng.integers(5, 8))),
        ):
            house = fitted(free, rectangle(*size), turn, 6.0, corner)
            if house is None or inner.area < 6_000:
                continue
            name = (f"{use.zh}{firm}号{zh}", f"{use.en} {firm} {en}")
            draft.build(number, inner, [building(house, use_, form, floors, floors * 3.4 + 1.2, year, "框架 frame", number, *name)], 1.0)  # fmt: skip
            free = free.difference(house.buffer(9.0, join_style="mitre"))
        draft.mark("yard_concrete", plot.buffer(-2.0))
        plans: list[Planned] = []
        deep = rng.uniform(22.0, 36.0)
        for y, x0, x1 in rows(free.buffer(-deep / 2, join_style="mitre"), turn, deep + 9.0):
            x, end = x0 - deep / 2 + 0.3, x1 + deep / 2 - 0.3
            while x < end - 18.0:
                length = min(rng.uniform(40.0, 110.0), end - x)
                spot = turned(shapely.Point(x + length / 2, y), turn)
                room = placed(rectangle(length, deep), spot.x, spot.y, turn)
                x += length + 8.0
                height = rng.uniform(9.0, 15.0)
                count = len(plans) + 1
                roof = "old_shed" if aged else ROOFS[int(rng.integers(0, len(ROOFS)))]
                plans.append(
                    building(room, "industrial", roof, 1 if height < 12 else 2, height, year,
                             "钢 steel", number, f"{use.zh}{firm}号厂房{count}",
                             f"{use.en} {firm} Workshop {count}")
                )  # fmt: skip
        left = free.difference(
            shapely.union_all([p[0] for p in plans]).buffer(8.0, join_style="mitre")
        )
        for long, deep in (
            (84.0, 34.0),
            (60.0, 28.0),
            (60.0, 28.0),
            (44.0, 20.0),
            (32.0, 18.0),
            (24.0, 14.0),
            (20.0, 12.0),
        ) * 2:
            room = fitted(left, rectangle(long, deep), turn, 5.0)
            if room is None:
                continue
            count = len(plans) + 1
            roof = "old_shed" if aged else ROOFS[int(rng.integers(0, len(ROOFS)))]
            plans.append(building(room, "industrial", roof, 1, 8.0, year, "钢 steel", number, f"{use.zh}{firm}号车间{count}", f"{use.en} {firm} Shop {count}"))  # fmt: skip
            left = left.difference(room.buffer(7.0, join_style="mitre"))
        draft.build(number, inner, plans, 4.0)
        tank = fitted(free.difference(shapely.union_all([p[0] for p in plans]).buffer(5.0)), forms.ellipse(11.0, 11.0, 20), 0.0, 5.0)  # fmt: skip
        if tank is not None and rng.random() < 0.6:
            name = (f"{use.zh}{firm}号储罐", f"{use.en} {firm} Tank")
            draft.build(number, inner, [building(tank, "utility", "tank", 1, 9.0, year, "钢 steel", number, *name)], 1.0)  # fmt: skip


def renewal(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """An old works whose land is to be built anew."""
    factory(block, use, rng, draft, aged=True)


def logistics(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Large warehouses with yards for lorries."""
    number = draft.parcel(block, "W1", use)
    inner = largest(block.buffer(-9.0))
    ground = draft.ring(inner, use, 1)
    draft.mark("yard_concrete", block.buffer(-3.0))
    free = largest(inner.buffer(-6.0)).difference(ground)
    plans: list[Planned] = []
    turn = bearing(block)
    for long, deep in (
        (110, 54),
        (96, 50),
        (84, 44),
        (84, 44),
        (64, 38),
        (64, 38),
        (46, 30),
        (46, 30),
    ):
        for side in (0.0, 90.0):
            outline = fitted(
                free, rectangle(long, deep), turn + side, 6.0, (free.bounds[0], free.bounds[3])
            )
            if outline is not None:
                break
        else:
            continue
        count = len(plans) + 1
        plans.append(
            building(outline, "warehouse", "white_shed" if count % 2 else "grey_shed", 2, 14.5,
                     int(rng.integers(2008, 2022)), "钢 steel", number,
                     f"{use.zh}{count}号仓", f"{use.en} Warehouse {count}")
        )  # fmt: skip
        free = free.difference(outline.buffer(11.0, join_style="mitre"))
    draft.build(number, block, plans, 2.0)


def wharf(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Sheds behind a quay with stacks of boxes."""
    number = draft.parcel(block, "S4", use)
    draft.mark("yard_concrete", block.buffer(-0.5))
    turn = bearing(block)
    inner = largest(block.buffer(-5.0))
    plans: list[Planned] = []
    free = inner
    for count in range(1, 4):
        outline = fitted(free, rectangle(52.0, 19.0), turn, 5.0, (inner.bounds[0], inner.bounds[3]))
        if outline is None:
            break
        plans.append(building(outline, "warehouse", "grey_shed", 1, 10.5, 2003, "钢 steel", number, f"{use.zh}{count}号库", f"{use.en} Shed {count}"))  # fmt: skip
        free = free.difference(outline.buffer(7.0, join_style="mitre"))
    for y, x0, x1 in rows(largest(free), turn, 3.2):
        for a, b in pairwise(np.arange(x0 + 1.0, x1, 6.9)):
            if rng.random() < 0.82:
                spot = turned(shapely.Point((a + b) / 2, y), turn)
                box = placed(rectangle(6.1, 2.5), spot.x, spot.y, turn)
                if free.covers(box):
                    draft.mark(f"box{int(rng.integers(0, 5))}", box)
    draft.build(number, block, plans, 2.0)


def techpark(block: Shape, use: Use, rng: np.random.Generator, draft: Draft) -> None:
    """Laboratories around courts on green ground."""
    for plot in _plots(block, use, rng, draft, 34_000.0):
        number = draft.parcel(plot, "B29", use)
        inner = largest(plot.buffer(-9.0))
        turn = facing_south(plot)
        free = inner
        plans: list[Planned] = []
        for kind in [*rng.permutation(8), 6, 6, 5]:
            shape = (
                forms.comb(62, 44, 15, 2), forms.letter_h(58, 42, 15), forms.angle(54, 40, 16),
                forms.comb(66, 40, 13, 3), forms.rounded(40, 40, 4), forms.bar(64, 18),
                forms.bar(50, 17), forms.ellipse(38, 38),
            )[kind]  # fmt: skip
            outline = fitted(free, shape, turn, 6.0, (free.bounds[0], free.bounds[1]))
            if outline is None:
                continue
            floors = int(rng.integers(5, 16))
            count = len(plans) + 1
            plans.append(
                building(outline, "office", "lab", floors, floors * 4.2 + 2.0,
                         int(rng.integers(2012, 2025)), "框架 frame", number,
                         f"{use.zh}{'ABCDEFGHJKLMN'[count]}栋", f"{use.en} Block {'ABCDEFGHJKLMN'[count]}")
            )  # fmt: skip
            free = free.difference(outline.buffer(16.0, join_style="mitre"))
        draft.mark("garden", plot.buffer(-4.0))
        draft.build(number, inner, plans, 6.0)
