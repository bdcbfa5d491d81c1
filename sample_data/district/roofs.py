"""Roofs from above: colours and what stands on them, by the form of the building."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from sample_data.district.canvas import Canvas, Colour
from sample_data.district.draft import Building
from sample_data.district.outlines import bearing, largest, placed, rectangle, turned
from sample_data.district.plan import Shape

PALETTE: Mapping[str, Sequence[Colour]] = {
    "village": [(188, 182, 172), (176, 170, 162), (197, 186, 170), (164, 160, 156), (172, 120, 96), (120, 146, 168), (186, 150, 126), (204, 198, 188)],
    "shop": [(190, 184, 174), (176, 172, 166), (160, 122, 104)],
    "slab": [(206, 200, 190), (196, 186, 172), (190, 168, 148), (210, 204, 198)],
    "old": [(182, 176, 166), (170, 160, 148), (188, 160, 138)],
    "tower": [(204, 198, 188), (196, 182, 166), (212, 208, 202)],
    "villa": [(176, 98, 72), (164, 90, 70), (146, 92, 78), (122, 104, 98)],
    "school": [(178, 108, 84), (214, 206, 194), (196, 132, 104)],
    "blue_shed": [(92, 132, 176), (104, 144, 184), (84, 122, 164)],
    "grey_shed": [(182, 186, 188), (168, 172, 176), (192, 194, 192)],
    "white_shed": [(226, 228, 228), (216, 220, 222)],
    "red_shed": [(168, 104, 88), (154, 96, 84)],
    "old_shed": [(148, 132, 120), (136, 116, 104), (158, 140, 124)],
    "office": [(190, 192, 194), (174, 178, 182), (202, 200, 196)],
    "lab": [(214, 214, 210), (196, 200, 202), (206, 198, 186)],
    "civic": [(216, 208, 196), (200, 196, 188)],
    "hospital": [(224, 222, 216), (212, 210, 206)],
    "mall": [(220, 218, 212), (206, 208, 210)],
    "podium": [(186, 182, 174), (172, 174, 172)],
    "temple": [(96, 104, 100), (104, 100, 92)],
    "tank": [(222, 224, 222)],
    "dome": [(222, 226, 228), (206, 214, 220)],
    "landmark": [(150, 172, 186)],
}  # fmt: skip
GLASS: Sequence[Colour] = ((138, 158, 172), (152, 166, 174), (124, 146, 162), (168, 172, 172))


def mixed(colour: Colour, by: float) -> Colour:
    """A colour made lighter (`by` > 0) or darker."""
    if by >= 0:
        return tuple(round(c + (255 - c) * by) for c in colour)  # type: ignore[return-value]
    return tuple(round(c * (1 + by)) for c in colour)  # type: ignore[return-value]


def roof_colour(building: Building, rng: np.random.Generator) -> Colour:
    """The colour of a roof, a little different for each."""
    choice = PALETTE.get(building.form, GLASS)
    base = choice[int(rng.integers(0, len(choice)))]
    return mixed(base, float(rng.uniform(-0.07, 0.06)))


def draw_roof(
    building: Building, colour: Colour, roofs: Canvas, mask: Canvas, rng: np.random.Generator
) -> None:
    """Draw the roof of a building onto the canvas of the roofs, and its place into the mask."""
    shape = building.outline
    mask.fill(shape, 255)
    form = building.form
    if form.endswith("_shed"):
        _shed(shape, colour, roofs)
    elif form in ("villa", "temple") or (form == "village" and rng.random() < 0.22):
        _pitched(shape, colour, roofs)
    elif form in ("dome", "tank", "landmark"):
        for i, share in enumerate((0.0, 0.16, 0.34, 0.54, 0.74)):
            part = shape.buffer(-share * (shape.area / np.pi) ** 0.5)
            roofs.fill(part, mixed(colour, 0.30 - 0.16 * (i % 2) if form != "tank" else 0.1 * i))
    else:
        _flat(building, colour, roofs, rng)


def _flat(building: Building, colour: Colour, roofs: Canvas, rng: np.random.Generator) -> None:
    """A flat roof with its parapet and what stands on it."""
    shape = building.outline
    small = building.form in ("village", "shop")
    roofs.fill(shape, mixed(colour, 0.26))
    inner = shape.buffer(-0.45 if small else -0.8, join_style="mitre")
    roofs.fill(inner, colour)
    turn = bearing(shape)
    if small:
        spot = shape.representative_point()
        if rng.random() < 0.7 and shape.area > 45:
            roofs.fill(placed(rectangle(3.0, 3.4), spot.x + rng.uniform(-2, 2), spot.y + rng.uniform(-2, 2), turn).intersection(inner), mixed(colour, -0.16 if rng.random() < 0.5 else 0.22))  # fmt: skip
        if rng.random() < 0.16:
            roofs.fill(turned(_half(turned(inner, -turn), rng.random() < 0.5), turn), (98, 136, 172) if rng.random() < 0.6 else (170, 116, 96))  # fmt: skip
        return
    if building.form in ("podium", "mall"):
        _terrace(building, colour, inner, roofs, rng)
        return
    if building.form in ("slab", "old", "school", "hospital", "lab", "office", "civic"):
        _stairs(shape, colour, inner, turn, roofs, rng)
    if building.height > 45.0:
        core = largest(shape.buffer(-(shape.area**0.5) * 0.17))
        roofs.fill(core, mixed(colour, -0.2))
        roofs.fill(core.buffer(-1.6, join_style="mitre"), mixed(colour, 0.08))
        if building.height > 120.0:
            pad = core.centroid.buffer(min(9.0, (core.area / 4) ** 0.5))
            roofs.fill(pad, (92, 100, 106))
            roofs.fill(pad.buffer(-1.2).difference(pad.buffer(-2.0)), (214, 214, 206))


def _stairs(
    shape: Shape, colour: Colour, inner: Shape, turn: float, roofs: Canvas, rng: np.random.Generator
) -> None:
    """Stair heads, tanks, shafts and panels along the middle of a roof."""
    flat = turned(shape, -turn)
    west, south, east, north = flat.bounds
    y = (south + north) / 2
    for x in np.arange(west + 6.5, east - 4.0, 13.5):
        for dx, size, by in ((0.0, (4.2, 5.0), 0.26), (5.6, (3.2, 2.2), -0.22)):
            box = turned(shapely.box(x + dx - size[0] / 2, y - size[1] / 2, x + dx + size[0] / 2, y + size[1] / 2), turn)  # fmt: skip
            if inner.covers(box):
                roofs.fill(box, mixed(colour, by))
    if rng.random() < 0.3:
        panels = turned(
            shapely.box(west + 3, south + 2.2, west + (east - west) * 0.45, y - 3.2), turn
        )
        roofs.fill(panels.intersection(inner.buffer(-0.8)), (66, 84, 112))


def _terrace(
    building: Building, colour: Colour, inner: Shape, roofs: Canvas, rng: np.random.Generator
) -> None:
    """The roof of a podium or a mall: gardens, skylights and machines."""
    turn = bearing(building.outline)
    flat = turned(inner.buffer(-3.0), -turn)
    if flat.is_empty:
        return
    west, south, east, north = flat.bounds
    middle = (south + north) / 2
    if building.form == "mall":
        light = shapely.box(west + 8, middle - 5, east - 8, middle + 5).buffer(4.0)
        roofs.fill(turned(light, turn).intersection(inner), (150, 178, 194))
        for x in np.arange(west + 10, east - 10, 6.0):
            roofs.stroke(turned(shapely.LineString([(x, middle - 8), (x, middle + 8)]), turn).intersection(inner), 0.8, (214, 222, 226))  # fmt: skip
    for _ in range(int(building.outline.area / 130)):
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        wide, deep = rng.uniform(5, 15), rng.uniform(4, 9)
        patch = turned(shapely.box(x, y, x + wide, y + deep), turn)
        if inner.buffer(-2.0).covers(patch):
            green = rng.random() < 0.55
            roofs.fill(patch, (128, 150, 96) if green else mixed(colour, float(rng.choice([-0.16, 0.2]))))  # fmt: skip


def _shed(shape: Shape, colour: Colour, roofs: Canvas) -> None:
    """A roof of metal sheets: two slopes, ridge, seams and strips of light."""
    turn = bearing(shape)
    flat = turned(shape, -turn)
    west, south, east, north = flat.bounds
    spans = max(1, round((north - south) / 18.0))
    deep = (north - south) / spans
    for i in range(spans):
        low = south + i * deep
        roofs.fill(turned(shapely.box(west, low, east, low + deep / 2), turn), mixed(colour, -0.10))
        roofs.fill(
            turned(shapely.box(west, low + deep / 2, east, low + deep), turn), mixed(colour, 0.08)
        )
    for x in np.arange(west + 5.5, east - 2.0, 6.0):
        seam = turned(shapely.LineString([(x, south), (x, north)]), turn)
        roofs.stroke(seam, 0.3, mixed(colour, -0.04))
    for x in np.arange(west + 9.0, east - 6.0, 18.0):
        for i in range(spans):
            low = south + i * deep
            light = shapely.box(x, low + deep * 0.14, x + 1.6, low + deep * 0.42)
            roofs.fill(turned(light, turn), mixed(colour, 0.42))
    for i in range(spans):
        ridge = south + (i + 0.5) * deep
        roofs.stroke(turned(shapely.LineString([(west, ridge), (east, ridge)]), turn), 0.7, mixed(colour, 0.32))  # fmt: skip


def _pitched(shape: Shape, colour: Colour, roofs: Canvas) -> None:
    """A tiled roof: the slope to the sun light, the other dark, and a ridge."""
    turn = bearing(shape)
    flat = turned(shape, -turn)
    roofs.fill(shape, mixed(colour, 0.10))
    roofs.fill(turned(_half(flat, False), turn), mixed(colour, -0.16))
    west, south, east, north = flat.bounds
    middle = (south + north) / 2
    ridge = shapely.LineString([(west + 0.5, middle), (east - 0.5, middle)])
    roofs.stroke(turned(ridge, turn).intersection(shape), 0.6, mixed(colour, 0.34))


def _half(flat: Shape, upper: bool) -> Shape:
    west, south, east, north = flat.bounds if not flat.is_empty else (0.0, 0.0, 0.0, 0.0)
    middle = (south + north) / 2
    box = (
        shapely.box(west, middle, east, north) if upper else shapely.box(west, south, east, middle)
    )
    return flat.intersection(box)
