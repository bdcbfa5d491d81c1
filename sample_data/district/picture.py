"""The picture of the district from above, drawn from its land use like an orthophoto."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageFilter

from sample_data.district.canvas import Canvas, Colour, Pixels, array, enlarged
from sample_data.district.district import District
from sample_data.district.intersections import Intersection
from sample_data.district.outlines import bearing, placed, turned
from sample_data.district.plan import Floats, Shape, random
from sample_data.district.relief import STEP, Relief, edge_distance, noise, smooth
from sample_data.district.roadways import draw_streets
from sample_data.district.roofs import draw_roof, mixed, roof_colour
from sample_data.district.streets import CARRIAGEWAYS
from sample_data.district.trees import Trees, crown

PIXEL = 0.5
"""Size of a pixel (m)."""
SUN = (0.46, -0.34)
"""How far a shadow falls east and north for each metre of height; the sun stands in the north-west
as maps are lit, not as in nature."""
LONGEST_SHADOW = 26.0

LAND: dict[str, Colour] = {
    "R1": (150, 162, 112), "R2": (160, 169, 132), "R3": (178, 170, 156), "H14": (176, 168, 152),
    "A1": (196, 190, 176), "A31": (160, 166, 128), "A33": (164, 170, 134), "A4": (168, 172, 146),
    "A51": (186, 184, 168), "B1": (196, 190, 178), "B2": (192, 188, 178), "B29": (168, 172, 146),
    "R22": (188, 186, 164), "M1": (186, 182, 172), "M2": (180, 176, 166), "W1": (184, 180, 172),
    "S4": (178, 176, 170), "G1": (138, 154, 96), "G2": (142, 156, 102), "G3": (198, 190, 174),
}  # fmt: skip
MARKS: dict[str, Colour] = {
    "meadow": (140, 158, 98), "forest": (92, 116, 74), "garden": (142, 158, 104),
    "lawn": (146, 162, 104), "paving": (200, 193, 180), "yard_concrete": (190, 186, 176),
    "yard": (172, 164, 146), "square": (196, 186, 168), "playground": (206, 168, 120),
    "path": (206, 196, 172), "site": (188, 186, 164), "track": (176, 92, 74),
    "turf": (118, 150, 84), "pitch": (126, 160, 90), "court": (86, 132, 134),
    "helipad": (126, 130, 132), "pool": (112, 178, 190), "pond": (96, 122, 108),
    "box0": (168, 84, 66), "box1": (72, 112, 148), "box2": (206, 200, 190), "box3": (92, 124, 96),
    "box4": (198, 150, 78),
}  # fmt: skip
DEEP, SHALLOW = np.array([70, 102, 112.0]), np.array([112, 138, 128.0])


def picture(
    of: District, ground: Relief, crossings: Sequence[Intersection], planted: Trees
) -> Image.Image:
    """Draw the district: an RGB image with pixels of half a metre, north up."""
    rng = random(of.seed, "picture")
    canvas = Canvas(of.plan.size, PIXEL, "RGB", (168, 170, 146))
    _draw_ground(of, canvas, rng)
    draw_streets(of, canvas, crossings)
    image = canvas.kept()
    del canvas
    _plant(image, planted, of.plan.size, rng)
    return _built(of, _lit(of, image, ground), rng)


def _draw_ground(of: District, canvas: Canvas, rng: np.random.Generator) -> None:
    for parcel in of.parcels:
        canvas.fill(parcel.outline, mixed(LAND.get(parcel.code, (176, 174, 156)), float(rng.uniform(-0.05, 0.05))))  # fmt: skip
    canvas.fill(of.water.verge, MARKS["meadow"])
    canvas.fill(of.water.island, MARKS["forest"])
    bank = (
        of.water.river.buffer(7.5)
        .difference(of.water.river)
        .difference(of.water.island.buffer(9.0))
    )
    canvas.fill(bank.intersection(of.plan.area), (196, 188, 172))
    for i, boat in enumerate(_boats(of)):
        canvas.fill(boat, ((150, 88, 70), (96, 104, 112), (84, 104, 126))[i % 3])
        canvas.fill(boat.buffer(-1.6), ((196, 176, 140), (140, 132, 118), (176, 170, 160))[i % 3])
    late = ("path", "square", "track", "turf", "pitch", "court", "pool", "pond", "helipad")
    for kind, shape in of.marks:
        if kind not in late and kind in MARKS:
            canvas.fill(shape, mixed(MARKS[kind], float(rng.uniform(-0.03, 0.03))))
    for kind, shape in of.marks:
        if kind in late:
            canvas.fill(shape, MARKS[kind])
            _detail(kind, shape, canvas)


def _detail(kind: str, shape: Shape, canvas: Canvas) -> None:
    """The lines on tracks, pitches and courts, the edges of pools."""
    if kind == "track":
        for away in (1.3, 2.6, 3.9, 5.2, 6.5):
            canvas.stroke(shape.buffer(-away).exterior, 0.25, (214, 158, 140))
    elif kind in ("pitch", "court"):
        turn = bearing(shape)
        inner = shape.buffer(-1.5, join_style="mitre")
        canvas.stroke(inner.exterior, 0.3, (226, 232, 216))
        west, south, east, north = turned(inner, -turn).bounds
        x, y = (west + east) / 2, (south + north) / 2
        if kind == "pitch":
            for i, left in enumerate(np.arange(west, east, 8.0)):
                if i % 2:
                    stripe = shapely.box(left, south, min(left + 8.0, east), north)
                    canvas.fill(turned(stripe, turn).intersection(inner), (120, 153, 85))
            canvas.stroke(inner.exterior, 0.3, (226, 232, 216))
        canvas.stroke(
            turned(shapely.LineString([(x, south), (x, north)]), turn), 0.3, (226, 232, 216)
        )
        circle = shapely.Point(x, y).buffer((north - south) * 0.13).exterior
        canvas.stroke(turned(circle, turn), 0.3, (226, 232, 216))
    elif kind == "pool":
        canvas.stroke(shape.exterior, 1.0, (218, 212, 198))
    elif kind == "helipad":
        canvas.stroke(shape.buffer(-1.5).exterior, 0.6, (226, 222, 206))


def _boats(of: District) -> list[Shape]:
    """Barges on the river, each with its bow to the stream."""
    rng = random(of.seed, "boats")
    west, south, east, north = of.water.river.bounds
    boats: list[Shape] = []
    while len(boats) < 9:
        x, y = rng.uniform(west, east), rng.uniform(south, north)
        long, wide = rng.uniform(26, 58), rng.uniform(6, 10)
        hull = np.array([(-0.5, -0.5), (0.36, -0.5), (0.5, 0), (0.36, 0.5), (-0.5, 0.5)]) * (
            long,
            wide,
        )
        boat = placed(hull, x, y, float(rng.choice([0.0, 180.0])) + rng.uniform(-9, 9))
        clear = all(boat.distance(other) > 60 for other in boats)
        if clear and of.water.river.buffer(-25.0).covers(boat) and abs(x - 606) > 60:
            boats.append(boat)
    return boats


def _mask(of: District, shapes: Sequence[Shape]) -> Pixels:
    canvas = Canvas(of.plan.size, PIXEL, "L", 0, fine=1)
    for shape in shapes:
        canvas.fill(shape, 255)
    soft = canvas.kept().filter(ImageFilter.GaussianBlur(0.8))
    return array(soft) / np.float32(255.0)


def _lit(of: District, image: Image.Image, ground: Relief) -> Image.Image:
    """Water, light on the relief, and the soft unevenness of land."""
    side = image.width
    pixels = array(image)
    rng = random(of.seed, "light")
    n = len(ground.present)
    cloud = enlarged(noise(n, 1.7, 12.0, rng), side)
    grain = enlarged(noise(n, 0.5, 4.0, rng), side)
    north, east = np.gradient(ground.present, STEP)
    light = (0.62 - 0.42 * east + 0.42 * north) / np.sqrt(1.0 + east**2 + north**2)
    shade = enlarged(np.clip(light / 0.62, 0.74, 1.22), side)
    bridges = [s for s in of.main.segments if s.street.bridge]
    dry = shapely.union_all(
        [s.line.buffer(CARRIAGEWAYS[s.kind] / 2 + 3.5, cap_style="flat") for s in bridges]
        + _boats(of)
    )
    # What is above the water takes no shade from the banks below it.
    shade = shade + _mask(of, [dry]) * (1.0 - shade)
    pixels *= (shade * (1.0 + 0.022 * cloud + 0.012 * grain))[..., None]
    del shade
    creek = of.water.creek.difference(of.reserve)
    wet = _mask(of, [shapely.union_all([of.water.river, of.water.lake, creek]).difference(dry)])
    away = -edge_distance(of, of.water.river, of.plan.size)
    depth = enlarged(np.where(away > 0, away, 3.0), side)
    sink = smooth(depth.astype(np.float64), 0.0, 150.0).astype(np.float32)
    stretched = noise(n, 1.3, 8.0, rng)
    ripple = enlarged(stretched, side) * np.float32(0.018) + cloud * np.float32(0.03)
    for band in range(3):
        colour = SHALLOW[band] + (DEEP[band] - SHALLOW[band]) * sink
        pixels[..., band] += wet * (colour * (1.0 + ripple) - pixels[..., band])
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _plant(image: Image.Image, planted: Trees, size: float, rng: np.random.Generator) -> None:
    """Stamp the crowns of the trees with their shadows, north first."""
    radii = np.round(planted.radius / PIXEL * 2) / 2
    stamps: dict[tuple[float, int], Image.Image] = {}
    order = np.argsort(-planted.places[:, 1], kind="stable")
    spots = planted.places[order] * (1, -1) + (0, size)
    spots = spots / PIXEL
    kinds, radii = planted.kind[order], radii[order]
    for r, kind in sorted({(float(r), int(k)) for r, k in zip(radii, kinds, strict=True)}):
        stamps[r, kind] = Image.fromarray(crown(r, kind, rng), "RGBA")
    shadows = Image.new("L", image.size, 0)
    discs = {}
    for r in sorted(set(radii.tolist())):
        tone = stamps[r, 0].getchannel("A").point(lambda a: a * 0.42)
        discs[r] = tone
    for (x, y), r in zip(spots.tolist(), radii.tolist(), strict=True):
        n = discs[r].width
        shadows.paste(92, (round(x - n / 2 + r * 0.55), round(y - n / 2 + r * 0.45)), discs[r])
    image.paste((38, 46, 44), (0, 0), shadows.filter(ImageFilter.GaussianBlur(0.7)))
    for (x, y), r, kind in zip(spots.tolist(), radii.tolist(), kinds.tolist(), strict=True):
        stamp = stamps[r, int(kind)]
        n = stamp.width
        image.paste(stamp, (round(x - n / 2), round(y - n / 2)), stamp)


def _built(of: District, image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Shadows on the ground and roofs above it."""
    ordered = sorted(of.buildings, key=lambda b: b.height)
    shadow = Canvas(of.plan.size, PIXEL, "L", 0, fine=1)
    for building in ordered:
        reach = min(building.height * 0.42, LONGEST_SHADOW)
        for along in np.arange(reach, 0.0, -3.5).tolist():
            shadow.fill(building.outline, 150, SUN[0] * along * 1.6, SUN[1] * along * 1.6)
    near = Canvas(of.plan.size, PIXEL, "L", 0, fine=1)
    for building in ordered:
        near.fill(building.outline, 120)
    soft = array(shadow.kept().filter(ImageFilter.GaussianBlur(1.6))) / 255.0
    soft = np.maximum(soft, array(near.kept().filter(ImageFilter.GaussianBlur(7.0))) / 255.0)
    pixels = array(image)
    tone = np.float32(0.62) * soft
    for band, tint in enumerate((44.0, 52.0, 66.0)):
        pixels[..., band] += tone * (np.float32(tint) - pixels[..., band])
    roofs = Canvas(of.plan.size, PIXEL, "RGB", (180, 176, 170))
    mask = Canvas(of.plan.size, PIXEL, "L", 0)
    for building in ordered:
        draw_roof(building, roof_colour(building, rng), roofs, mask, rng)
    cover = array(mask.kept())[..., None] / np.float32(255.0)
    pixels += cover * (array(roofs.kept()) - pixels)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def pixel_colours(
    pixels: np.ndarray[Any, np.dtype[np.uint8]], x: Floats, y: Floats, size: float
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The colours (n, 3) of a picture (m, m, 3) at places of the plan."""
    row = np.clip(((size - y) / PIXEL).astype(int), 0, len(pixels) - 1)
    column = np.clip((x / PIXEL).astype(int), 0, len(pixels) - 1)
    colours: np.ndarray[Any, np.dtype[np.uint8]] = pixels[row, column]
    return colours
