"""Shapes as a transparent PNG, to be draped over terrain: one picture for each map tile."""

import io
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageDraw

from tiles.mercator import MapTile, Shapes

SIZE = 256
_FINE = 2
"""Drawn so many times larger and made smaller again, which smooths the edges."""

_BEYOND = 16
"""Pixels drawn beyond the edge, so that broad lines and dots go on in the next tile."""

_FILL, _SOLID = 150, 255
"""The opacity of areas and of lines and points, of 255."""

_LEAST_WIDTH, _MOST_WIDTH = 1.2, 48.0
_LEAST_DOT, _MOST_DOT = 1.0, 3.5
"""Pixels: of lines and of the radius of a point."""

_DOT = 3.0
"""Metres on the ground that a point's radius stands for, between those limits."""

_PLAIN = "#b8b8b4"


def draw_tile(
    tile: MapTile,
    shapes: Shapes,
    classes: Sequence[str],
    widths: Sequence[float | None],
    colors: Mapping[str, str],
) -> bytes:
    """A tile as PNG of 256 pixels; large areas below small ones, lines above, points on top.

    shapes (n,) are in longitude and latitude, classes (n,) theirs, widths (n,) metres on the
    ground where they are known; colors are "#rrggbb" by class.
    """
    side = SIZE * _FINE
    grid = shapely.simplify(tile.grid(shapes, side), 0.5)
    margin = _BEYOND * _FINE
    low, high = -margin, side + margin
    boxes = shapely.bounds(grid)
    beyond = np.flatnonzero(~((boxes[:, :2] >= low) & (boxes[:, 2:] <= high)).all(axis=1))
    grid[beyond] = shapely.clip_by_rect(grid[beyond], low, low, high, high)
    picture = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    pencil = ImageDraw.Draw(picture)
    per_metre = side / tile.metres()
    parts, row = shapely.get_parts(grid, return_index=True)
    for _ in range(2):  # collections of collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        row = row[inner]
    dimensions = shapely.get_dimensions(parts)
    order = np.lexsort((-shapely.area(parts), -dimensions))
    for number in order[dimensions[order] >= 0].tolist():
        at = int(row[number])
        color = _rgb(colors.get(classes[at], _PLAIN))
        match int(dimensions[number]):
            case 2:
                _area(picture, pencil, parts[number], color)
            case 1:
                metres = widths[at] or width_of(classes[at])
                width = min(max(metres * per_metre, _LEAST_WIDTH * _FINE), _MOST_WIDTH * _FINE)
                points = shapely.get_coordinates(parts[number]).ravel().tolist()
                pencil.line(points, (*color, _SOLID), round(width), joint="curve")
            case _:
                x, y = shapely.get_coordinates(parts[number])[0].tolist()
                radius = min(max(_DOT * per_metre, _LEAST_DOT * _FINE), _MOST_DOT * _FINE)
                _dot(pencil, x, y, radius, color)
    out = io.BytesIO()
    picture.reduce(_FINE).save(out, "PNG", optimize=False)
    return out.getvalue()


def width_of(feature_class: str) -> float:
    """The width of a line of a class on the ground, metres.

    >>> width_of("Path")
    2.0
    """
    table = _table()
    return float(table["widths"].get(feature_class, table["default"]))


def _area(
    picture: Image.Image, pencil: ImageDraw.ImageDraw, area: Any, color: tuple[int, int, int]
) -> None:
    outline = shapely.get_coordinates(area.exterior).ravel().tolist()
    edge = (*(channel * 7 // 10 for channel in color), _SOLID)
    if not area.interiors:
        pencil.polygon(outline, (*color, _FILL), edge)
        return
    mask = Image.new("L", picture.size, 0)
    stencil = ImageDraw.Draw(mask)
    stencil.polygon(outline, 255)
    holes = [shapely.get_coordinates(hole).ravel().tolist() for hole in area.interiors]
    for hole in holes:
        stencil.polygon(hole, 0)
    picture.paste((*color, _FILL), mask=mask)
    for ring in (outline, *holes):
        pencil.line(ring, edge, 1)


def _dot(
    pencil: ImageDraw.ImageDraw, x: float, y: float, radius: float, color: tuple[int, int, int]
) -> None:
    """A point; a large one has a white edge, which sets it off from others."""
    box = (x - radius, y - radius, x + radius, y + radius)
    edge = _FINE if radius > 2 * _FINE else 0
    pencil.ellipse(box, (*color, _SOLID), (255, 255, 255, _SOLID), edge)


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


@lru_cache
def _table() -> dict[str, Any]:
    return tomllib.loads(files("tiles").joinpath("drawing.toml").read_text(encoding="utf-8"))
