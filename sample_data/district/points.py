"""A point cloud as a laser in the air would see a part of the district."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from PIL import Image

from sample_data.district.district import District
from sample_data.district.picture import pixel_colours
from sample_data.district.plan import Floats, random
from sample_data.district.relief import Relief
from sample_data.district.trees import Trees

PART = (985.0, 1470.0, 1335.0, 1730.0)
"""West, south, east and north of the part: a village, villas and forest at the foot of the hill."""
GROUND, TREE, BUILDING, WATER = 2, 5, 6, 9
"""Classes of the ASPRS as LAS 1.4 has them."""
SPACING = 0.85
"""Distance of points on the ground and on roofs (m)."""

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Points:
    """Places (n, 3) in plan metres and heights, colours (n, 3) uint8 and classes (n,) uint8."""

    places: Floats
    colours: Bytes
    classes: Bytes


def points(of: District, ground: Relief, image: Image.Image, planted: Trees) -> Points:
    """Scan a part of the district; at most half a million points."""
    rng = random(of.seed, "points")
    pixels = np.asarray(image)
    part = shapely.box(*PART)
    built = [b for b in of.buildings if part.contains(b.outline)]
    surface = _surface(ground, rng)
    inside = np.zeros(len(surface), bool)
    tree = shapely.STRtree([b.outline for b in built])
    hits = tree.query(shapely.points(surface[:, :2]), predicate="intersects")[0]
    inside[hits] = True
    surface = surface[~inside]
    wet = shapely.union(of.water.creek, shapely.union_all([s for k, s in of.marks if k == "pond"]))
    shapely.prepare(wet)
    drowned = shapely.contains_xy(wet, surface[:, 0], surface[:, 1])
    parts = [
        (surface, pixel_colours(pixels, surface[:, 0], surface[:, 1], of.plan.size),
         np.where(drowned, WATER, GROUND)),
    ]  # fmt: skip
    for building in built:
        places, walls = _body(building.outline, building.height, ground, rng)
        tone = pixel_colours(pixels, places[:, 0], places[:, 1], of.plan.size)
        middle = building.outline.centroid
        roof = pixel_colours(pixels, np.array([middle.x]), np.array([middle.y]), of.plan.size)[0]
        wall = np.clip(roof.astype(float) * 0.82 + rng.normal(0, 5, (len(places), 1)), 0, 255)
        tone = np.where(walls[:, None], wall.astype(np.uint8), tone)
        parts.append((places, tone, np.full(len(places), BUILDING)))
    parts.append(_crowns(ground, planted, rng))
    places = np.vstack([p for p, _, _ in parts])
    colours = np.vstack([c for _, c, _ in parts]).astype(np.uint8)
    classes = np.concatenate([k for _, _, k in parts]).astype(np.uint8)
    return Points(places, colours, classes)


def _surface(ground: Relief, rng: np.random.Generator) -> Floats:
    west, south, east, north = PART
    x, y = np.meshgrid(np.arange(west, east, SPACING), np.arange(south, north, SPACING))
    places = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.3, 0.3, (x.size, 2))
    heights = ground.at(places[:, 0], places[:, 1]) + rng.normal(0.0, 0.02, len(places))
    return np.column_stack([places, heights])


def _body(
    outline: Any, height: float, ground: Relief, rng: np.random.Generator
) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Points on the roof and, fewer, on the walls of a block; and which are on walls."""
    ring = shapely.get_coordinates(outline.exterior)
    base = float(ground.at(ring[:, 0], ring[:, 1]).min())
    west, south, east, north = outline.bounds
    x, y = np.meshgrid(np.arange(west, east, SPACING), np.arange(south, north, SPACING))
    roof = np.column_stack([x.ravel(), y.ravel()]) + rng.uniform(-0.2, 0.2, (x.size, 2))
    roof = roof[shapely.contains_xy(outline, roof[:, 0], roof[:, 1])]
    top = base + height + rng.normal(0.0, 0.03, len(roof))
    count = int(outline.exterior.length * height * 0.8)
    along = shapely.line_interpolate_point(outline.exterior, rng.uniform(0, outline.exterior.length, count))  # fmt: skip
    wall = np.column_stack(
        [shapely.get_x(along), shapely.get_y(along), base + rng.uniform(0.0, height, count)]
    )
    places = np.vstack([np.column_stack([roof, top]), wall])
    return places, np.arange(len(places)) >= len(roof)


def _crowns(
    ground: Relief, planted: Trees, rng: np.random.Generator
) -> tuple[Floats, Bytes, Bytes]:
    """Points on the upper sides of the crowns, green by their height in the crown."""
    west, south, east, north = PART
    x, y = planted.places.T
    here = (x > west + 4) & (x < east - 4) & (y > south + 4) & (y < north - 4)
    radius = planted.radius[here]
    counts = (radius**2 * 7.0).astype(int)
    owner = np.repeat(np.arange(len(radius)), counts)
    turn = rng.uniform(0, 2 * np.pi, len(owner))
    rise = rng.uniform(-0.25, 1.0, len(owner))
    spread = np.sqrt(np.clip(1 - rise**2, 0, 1)) * rng.uniform(0.75, 1.05, len(owner))
    r = radius[owner]
    px = x[here][owner] + r * spread * np.cos(turn)
    py = y[here][owner] + r * spread * np.sin(turn)
    foot = ground.at(x[here], y[here])
    middle = (foot + planted.heights[here] - radius)[owner]
    places = np.column_stack([px, py, middle + r * rise * rng.uniform(0.85, 1.0, len(owner))])
    light = 0.66 + 0.34 * np.clip(rise, 0, 1) + rng.normal(0, 0.05, len(owner))
    base = np.array([(92, 124, 70), (104, 134, 78), (82, 114, 72), (116, 138, 82), (98, 126, 66)])
    tone = base[planted.kind[here].astype(int)][owner] * light[:, None]
    return places, np.clip(tone, 0, 255).astype(np.uint8), np.full(len(owner), TREE, np.uint8)
