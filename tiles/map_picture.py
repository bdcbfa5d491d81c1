"""A plan of areas in colours with numbers, a legend, a scale and north, as PNG for a page of a report."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from PIL import Image, ImageDraw, ImageFont

from cim_core.vicinity import laid_flat

WIDE = 1560
"""Pixels: ten for a millimetre of the page."""
_HIGHEST = 5 / 6
"""Of the width."""
_FINE = 2
"""Drawn so many times larger and made smaller again, which smooths the edges."""
_MARGIN, _FOOT = 50, 120
_LEAST = 9.0
"""Pixels: what would be smaller is drawn as a dot of this radius."""
_TEXT, _NUMBER = 30, 24
_INK, _GROUND, _BORDER = (28, 28, 28), (246, 245, 241), (150, 150, 150)
_FACES = 12
"""How many faces a collection of fonts may have."""

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon in longitude and latitude with words in its middle.

    color
        What it is filled with ("#rrggbb"); None: only its border is drawn.
    """

    shape: shapely.Geometry
    color: str | None
    words: str


def draw_plan(
    areas: Sequence[Area], legend: Sequence[tuple[str, str]], font: Path | None, wide: int = WIDE
) -> bytes:
    """Areas, the later over the earlier, north up; legend of colours and words.

    font
        Has all letters of the words; without one, Latin letters only are drawn.
    wide
        Pixels; letters are of one size, so a smaller picture has larger ones.
    """
    flat, corner, per_metre, high = _placed([area.shape for area in areas], wide)
    picture = Image.new("RGB", (wide * _FINE, high * _FINE), "white")
    pencil = ImageDraw.Draw(picture)
    pencil.rectangle((0, 0, wide * _FINE, (high - _FOOT) * _FINE), _GROUND)
    texts, numbers = _font(font, _TEXT * _FINE), _font(font, _NUMBER * _FINE)
    order = [at for at, area in enumerate(areas) if area.color is None]
    order += [at for at, area in enumerate(areas) if area.color is not None]
    for at in order:
        grid = shapely.transform(flat[at], lambda points: _grid(points, corner, per_metre))
        _area(pencil, grid, areas[at].color)
    for at in order:
        grid = shapely.transform(flat[at], lambda points: _grid(points, corner, per_metre))
        _name(pencil, grid, areas[at], numbers)
    left = _scale(pencil, texts, per_metre, (wide, high))
    _north(pencil, texts, left - _MARGIN * _FINE, high)
    _legend(pencil, legend, texts, high)
    out = io.BytesIO()
    picture.reduce(_FINE).save(out, "PNG", optimize=True)
    return out.getvalue()


def _placed(
    shapes: Sequence[shapely.Geometry], pixels: int
) -> tuple[Sequence[shapely.Geometry], Point, float, int]:
    """Shapes in metres; the upper left corner of the picture; pixels for a metre; pixels high."""
    west, south, east, north = shapely.total_bounds(np.array(shapes, object))
    flat = laid_flat(np.array(shapes, object), (west + east) / 2, (south + north) / 2)
    left, bottom, right, top = shapely.total_bounds(flat)
    wide, high = max(right - left, 100.0), max(top - bottom, 100.0)
    inner = (pixels - 2 * _MARGIN, _HIGHEST * pixels - _FOOT - 2 * _MARGIN)
    per_metre = min(inner[0] / wide, inner[1] / high)
    tall = math.ceil(high * per_metre) + 2 * _MARGIN + _FOOT
    spare = (pixels / per_metre - wide) / 2
    corner = (float(left - spare), float(top + _MARGIN / per_metre))
    return list(flat), corner, float(per_metre), tall


def _grid(points: np.ndarray, corner: Point, per_metre: float) -> np.ndarray:
    """Metres as pixels of the larger picture, y downwards."""
    away = (np.asarray(points)[:, :2] - corner) * (1.0, -1.0)
    return np.asarray(away * per_metre * _FINE)


def _area(pencil: ImageDraw.ImageDraw, grid: shapely.Geometry, color: str | None) -> None:
    edge = _BORDER if color is None else tuple(part * 6 // 10 for part in _rgb(color))
    left, top, right, bottom = grid.bounds
    if color is not None and max(right - left, bottom - top) < 2 * _LEAST * _FINE:
        x, y, radius = (left + right) / 2, (top + bottom) / 2, _LEAST * _FINE
        pencil.ellipse((x - radius, y - radius, x + radius, y + radius), color, edge, _FINE)
        return
    for part in shapely.get_parts(grid):
        outline = shapely.get_coordinates(part.exterior).ravel().tolist()
        pencil.polygon(outline, color)
        for hole in part.interiors:
            pencil.polygon(shapely.get_coordinates(hole).ravel().tolist(), _GROUND)
        for ring in (part.exterior, *part.interiors):
            line = shapely.get_coordinates(ring).ravel().tolist()
            pencil.line(line, edge, 2 * _FINE, joint="curve")


def _name(pencil: ImageDraw.ImageDraw, grid: shapely.Geometry, area: Area, font: Font) -> None:
    """The words of an area in its middle; beside one that they would cover."""
    if area.color is None:
        [middle] = shapely.get_coordinates(grid.point_on_surface()).tolist()
        pencil.text(middle, area.words, _BORDER, font, "mm")
        return
    left, top, right, bottom = grid.bounds
    wide = font.getbbox(area.words)[2]
    [place], anchor = shapely.get_coordinates(grid.point_on_surface()).tolist(), "mm"
    if min(right - left, bottom - top) < 1.3 * wide:
        beside = max((right - left) / 2, _LEAST * _FINE) + 5 * _FINE
        place, anchor = [(left + right) / 2 + beside, (top + bottom) / 2], "lm"
    pencil.text(place, area.words, _INK, font, anchor, stroke_width=3 * _FINE, stroke_fill="white")


def _legend(
    pencil: ImageDraw.ImageDraw, legend: Sequence[tuple[str, str]], font: Font, high: int
) -> None:
    y, x, side = (high - _FOOT / 2) * _FINE, float(_MARGIN * _FINE), 18 * _FINE
    for color, words in legend:
        pencil.rectangle((x, y - side, x + 2 * side, y + side), color, _INK)
        pencil.text((x + 2.5 * side, y), words, _INK, font, "lm")
        x += 2.5 * side + font.getbbox(words)[2] + 40 * _FINE


def _scale(
    pencil: ImageDraw.ImageDraw, font: Font, per_metre: float, size: tuple[int, int]
) -> float:
    """A scale bar in the lower right corner; where it begins."""
    wide, high = size
    length = _round(wide / 5 / per_metre)
    right, y = (wide - _MARGIN) * _FINE, (high - _FOOT / 2) * _FINE
    left = right - length * per_metre * _FINE
    pencil.rectangle((left, y + 6 * _FINE, right, y + 14 * _FINE), "white", _INK, _FINE)
    pencil.rectangle((left, y + 6 * _FINE, (left + right) / 2, y + 14 * _FINE), _INK)
    words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    pencil.text((right, y), words, _INK, font, "rb")
    pencil.text((left, y), "0", _INK, font, "lb")
    return left


def _north(pencil: ImageDraw.ImageDraw, font: Font, x: float, high: int) -> None:
    size = 22 * _FINE
    y = (high - _FOOT / 2) * _FINE - size
    pencil.polygon((x, y, x - size / 2, y + 2 * size, x, y + 1.5 * size), _INK)
    pencil.polygon((x, y, x + size / 2, y + 2 * size, x, y + 1.5 * size), "white", _INK)
    pencil.text((x - size, y + size), "N", _INK, font, "rm")


def _round(length: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is no longer.

    >>> _round(730.0), _round(99.0)
    (500.0, 50.0)
    """
    power = 10.0 ** math.floor(math.log10(length))
    return next(step * power for step in (5, 2, 1) if step * power <= length)


def _font(path: Path | None, size: int) -> Font:
    """A font; of a collection the face for simplified Chinese, if it has one."""
    if path is None:
        return ImageFont.load_default(size)
    first = ImageFont.truetype(path, size)
    for face in range(1, _FACES):
        try:
            found = ImageFont.truetype(path, size, index=face)
        except OSError:  # it has no more
            break
        if "SC" in str(found.getname()[0]).split():
            return found
    return first


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
