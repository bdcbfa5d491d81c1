"""The relief of the district: heights of the present and of the planned surface on a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from sample_data.district.district import District
from sample_data.district.outlines import polygons
from sample_data.district.plan import Floats, Shape, curve, random

STEP = 2.0
"""Width of a cell of the grid (m)."""
UNDER_FLOOR = 0.28
"""How far the ground lies below the ground floor of a building model (m): under its own slabs."""
CREEK_DEPTH = 2.8
LAKE_LEVEL = 5.6
POND_DEPTH = 1.1
RENEWAL_LEVEL = 8.2
"""The level of the pads of the renewal area, above the flood of the river (m)."""
COARSE = 4.0
FAR = 40.0
"""Distances to water are asked on a coarser grid, and not farther than this (m)."""


@dataclass(frozen=True)
class Relief:
    """Heights (n, n) float64 in metres (1985 datum) at the middles of cells, the north row first."""

    present: Floats
    planned: Floats
    size: float

    def at(self, x: Floats, y: Floats, surface: Floats | None = None) -> Floats:
        """The heights (n,) at places of the plan."""
        grid = self.present if surface is None else surface
        return sampled(grid, x, y, self.size, STEP)


def sampled(grid: Floats, x: Floats, y: Floats, size: float, step: float) -> Floats:
    """Bilinear values (n,) of a grid of cell middles, the north row first."""
    n = len(grid)
    column = np.clip(np.asarray(x) / step - 0.5, 0, n - 1.001)
    row = np.clip((size - np.asarray(y)) / step - 0.5, 0, n - 1.001)
    i, j = row.astype(int), column.astype(int)
    u, v = row - i, column - j
    top = grid[i, j] * (1 - v) + grid[i, j + 1] * v
    low = grid[i + 1, j] * (1 - v) + grid[i + 1, j + 1] * v
    values: Floats = top * (1 - u) + low * u
    return values


def relief(of: District) -> Relief:
    """Shape the ground of a district."""
    size = of.plan.size
    n = round(size / STEP)
    middle = (np.arange(n) + 0.5) * STEP
    x, y = np.meshgrid(middle, middle[::-1])
    rough = noise(n, 2.2, 240.0, random(of.seed, "relief"))
    gully = noise(n, 1.6, 60.0, random(of.seed, "gullies"))
    ground = 6.5 + 0.0031 * np.clip(y - 400.0, -150.0, 1300.0) + 0.35 * rough
    ground += _hills(of, x, y, rough, gully)
    ground = _wet(of, ground, size)
    for site in of.plan.sites:
        pad = site.outline.buffer(1.5, join_style="mitre")
        ground = _levelled(ground, pad, site.floor - UNDER_FLOOR, 14.0, size)
    planned = _levelled(ground, of.renewal.buffer(4.0), RENEWAL_LEVEL, 12.0, size)
    planned = _cut(of, planned, size)
    return Relief(ground, planned, size)


def noise(n: int, slope: float, shortest: float, rng: np.random.Generator) -> Floats:
    """A random surface (n, n) of mean 0 and deviation 1.

    The steeper its spectrum, the smoother; waves shorter than `shortest` metres die away.
    """
    frequency = np.hypot(np.fft.fftfreq(n)[:, None], np.fft.rfftfreq(n)[None, :])
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.standard_normal((n, n))) * frequency**-slope
    spectrum *= np.exp(-((frequency * shortest / STEP) ** 2))
    spectrum[0, 0] = 0.0
    surface: Floats = np.fft.irfft2(spectrum, (n, n))
    surface /= surface.std()
    return surface


def smooth(x: Floats, low: float, high: float) -> Floats:
    """0 below `low`, 1 above `high`, smooth in between."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    result: Floats = t * t * (3 - 2 * t)
    return result


def _hills(of: District, x: Floats, y: Floats, rough: Floats, gully: Floats) -> Floats:
    total = np.zeros_like(x)
    for hill in of.plan.raw["hill"]:
        dx, dy = x - hill["at"][0], y - hill["at"][1]
        turn = np.radians(hill["angle"])
        u = (dx * np.cos(turn) + dy * np.sin(turn)) / hill["axes"][0]
        v = (dy * np.cos(turn) - dx * np.sin(turn)) / hill["axes"][1]
        away = np.hypot(u, v) + 0.10 * rough
        total += np.exp(hill["height"] / 9.0 * np.exp(-(np.clip(away, 0, None) ** 2) * 1.3)) - 1.0
    # The sum of exponentials is a maximum without creases.
    total = 9.0 * np.log1p(total)
    # Gullies are where a noise is near zero: they make spurs of a round hill.
    total *= 0.66 + 0.36 * np.clip(np.sqrt(gully**2 + 0.02), 0.0, 1.6)
    # Hills stand in the blocks of the hills; what is built on is flat, with a soft foot.
    wooded = shapely.union_all([f for f, use in of.blocks if use.use in ("hill", "villas")])
    wooded = wooded.buffer(10.0).buffer(-10.0)
    inside = -edge_distance(of, wooded, of.plan.size)
    result: Floats = total * smooth(inside, -6.0, 90.0)
    return result


def edge_distance(of: District, shape: Shape, size: float) -> Floats:
    """The distance (n, n) to the edge of a shape, negative inside it."""
    m = round(size / COARSE)
    middle = (np.arange(m) + 0.5) * COARSE
    x, y = np.meshgrid(middle, middle[::-1])
    # Where the edge of the district cuts a shape off, it goes on outside.
    edge = shape.boundary.difference(of.plan.area.exterior.buffer(0.5))
    shapely.prepare(edge)
    shapely.prepare(shape)
    west, south, east, north = shape.bounds
    near = (x > west - FAR) & (x < east + FAR) & (y > south - FAR) & (y < north + FAR)
    result = np.full((m, m), FAR)
    inside = shapely.contains_xy(shape, x[near], y[near])
    result[near] = shapely.distance(edge, shapely.points(x[near], y[near])) * np.where(
        inside, -1, 1
    )
    n = round(size / STEP)
    fine = (np.arange(n) + 0.5) * STEP
    fx, fy = np.meshgrid(fine, fine[::-1])
    return sampled(result, fx, fy, size, COARSE)


def _wet(of: District, ground: Floats, size: float) -> Floats:
    """Press the water into the ground: a level for river and lake, a bed for the creek."""
    level = of.plan.raw["water"]["level"]
    # Streets cross the creek on culverts, so the ground goes on below them.
    creek = edge_distance(of, of.water.creek.difference(of.reserve), size)
    bed = np.maximum(ground - CREEK_DEPTH, level)
    ground = bed + (ground - bed) * smooth(creek, -1.5, 7.0)
    lake = edge_distance(of, of.water.lake, size)
    ground = LAKE_LEVEL + (ground - LAKE_LEVEL) * smooth(lake, -0.5, 16.0)
    river = edge_distance(of, of.water.river, size)
    ground = level + (ground - level) * smooth(river, -0.5, 13.0)
    for kind, shape in of.marks:
        if kind == "pond":
            bounds = shape.bounds
            low = float(
                sampled(ground, np.array([bounds[0]]), np.array([bounds[1]]), size, STEP)[0]
            )
            ground = _levelled(ground, shape, low - POND_DEPTH, 3.0, size)
    return ground


def _levelled(ground: Floats, shape: Shape, level: float, foot: float, size: float) -> Floats:
    """Make the ground level inside a shape, with an even slope over `foot` metres around it."""
    result = ground.copy()
    for part in polygons(shape):
        west, south, east, north = part.buffer(foot + STEP).bounds
        n = len(ground)
        rows = slice(max(0, int((size - north) / STEP)), min(n, int((size - south) / STEP) + 1))
        columns = slice(max(0, int(west / STEP)), min(n, int(east / STEP) + 1))
        x = (np.arange(n)[columns] + 0.5) * STEP
        y = size - (np.arange(n)[rows] + 0.5) * STEP
        gx, gy = np.meshgrid(x, y)
        shapely.prepare(part)
        away = shapely.distance(part, shapely.points(gx.ravel(), gy.ravel())).reshape(gx.shape)
        window = result[rows, columns]
        result[rows, columns] = level + (window - level) * np.clip(away / foot, 0.0, 1.0)
    return result


def _cut(of: District, ground: Floats, size: float) -> Floats:
    """Cut the road through the hill: a carriageway at a gentle grade between slopes."""
    table = of.plan.raw["road_cut"]
    line = curve(table["line"], 6.0).intersection(of.plan.area)
    places = np.linspace(0.0, line.length, 200)
    ends = shapely.line_interpolate_point(line, places)
    natural = sampled(ground, shapely.get_x(ends), shapely.get_y(ends), size, STEP)
    profile = natural.copy()
    step = places[1] * table["grade"]
    for i in range(1, len(profile)):
        profile[i] = min(profile[i], profile[i - 1] + step)
    for i in range(len(profile) - 2, -1, -1):
        profile[i] = min(profile[i], profile[i + 1] + step)
    n = len(ground)
    middle = (np.arange(n) + 0.5) * STEP
    x, y = np.meshgrid(middle, middle[::-1])
    near = shapely.box(*line.buffer(90.0).bounds)
    inside = shapely.contains_xy(near, x, y)
    points = shapely.points(x[inside], y[inside])
    shapely.prepare(line)
    away = np.maximum(0.0, shapely.distance(line, points) - 18.0)
    along = shapely.line_locate_point(line, points)
    road = np.interp(along, places, profile)
    result = ground.copy()
    result[inside] = np.clip(ground[inside], road - away / 1.5, road + away / 1.2)
    return result
