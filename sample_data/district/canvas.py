"""A picture of the district to draw on: plan metres in, pixels out."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from PIL import Image, ImageDraw

from sample_data.district.outlines import polygons
from sample_data.district.plan import Floats, Shape

Colour = tuple[int, int, int]
Pixels = np.ndarray[Any, np.dtype[np.float32]]


class Canvas:
    """An image drawn `fine` times larger than it is kept, so that edges are soft.

    `mode` is "RGB" for colours or "L" for a mask; `pixel` is the size of a kept pixel in metres.
    """

    def __init__(
        self, size: float, pixel: float, mode: str, ground: Colour | int, fine: int = 2
    ) -> None:
        self.size, self.fine = size, fine
        self.scale = fine / pixel
        side = round(size * self.scale)
        self.image = Image.new(mode, (side, side), ground)
        self._draw = ImageDraw.Draw(self.image)

    def _pixels(self, ring: Any, dx: float = 0.0, dy: float = 0.0) -> list[float]:
        points = np.asarray(shapely.get_coordinates(ring))
        flat = np.empty_like(points)
        flat[:, 0] = (points[:, 0] + dx) * self.scale
        flat[:, 1] = (self.size - points[:, 1] - dy) * self.scale
        values: list[float] = flat.ravel().tolist()
        return values

    def fill(self, shape: Shape, colour: Colour | int, dx: float = 0.0, dy: float = 0.0) -> None:
        """Fill polygons, moved by (dx, dy); holes stay as they are."""
        for part in polygons(shape):
            if not part.interiors:
                self._draw.polygon(self._pixels(part.exterior, dx, dy), fill=colour)
                continue
            west, south, east, north = part.bounds
            x0, y0 = (
                int((west + dx) * self.scale) - 1,
                int((self.size - north - dy) * self.scale) - 1,
            )
            x1, y1 = (
                int((east + dx) * self.scale) + 2,
                int((self.size - south - dy) * self.scale) + 2,
            )
            mask = Image.new("L", (x1 - x0, y1 - y0), 0)
            pen = ImageDraw.Draw(mask)
            for ring, ink in [(part.exterior, 255), *((hole, 0) for hole in part.interiors)]:
                moved = np.asarray(self._pixels(ring, dx, dy)).reshape(-1, 2) - (x0, y0)
                pen.polygon(moved.ravel().tolist(), fill=ink)
            self.image.paste(colour, (x0, y0), mask)

    def stroke(self, line: Shape, width: float, colour: Colour | int) -> None:
        """Draw lines of a width in metres."""
        thick = max(1, round(width * self.scale))
        for part in shapely.get_parts(line):
            if part.is_empty:
                continue
            self._draw.line(self._pixels(part), fill=colour, width=thick, joint="curve")

    def kept(self) -> Image.Image:
        """The image in its final size."""
        return self.image.reduce(self.fine) if self.fine > 1 else self.image


def array(image: Image.Image) -> Pixels:
    """An image as float32, (n, n) or (n, n, 3)."""
    return np.asarray(image, np.float32)


def enlarged(grid: Floats, side: int) -> Pixels:
    """A grid (m, m) as (side, side), smooth."""
    small = Image.fromarray(np.asarray(grid, np.float32), mode=None)
    return np.asarray(small.resize((side, side), Image.Resampling.BICUBIC), np.float32)
