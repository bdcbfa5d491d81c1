"""The height of the ground anywhere in a city, from its terrain layers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.reference import reference

if TYPE_CHECKING:
    from rasterio import Affine

_BLOCK = 512
_BLOCKS_KEPT = 64
"""Of one megabyte each."""


class Surface:
    """The heights of one terrain layer, sampled bilinearly between the middles of its pixels.

    path
        A GeoTIFF of one band, float32 metres in the city's vertical datum, NaN where unknown.
    levels
        How many times its grid is halved in the file; level 0 is the grid itself.
    pixel
        The side of its pixels, metres.
    """

    def __init__(self, path: Path) -> None:
        import rasterio

        self.path = path
        with rasterio.open(path) as dataset:
            self._inverse = ~dataset.transform
            self._reference = reference(dataset.crs.to_wkt(), geoid_separation=0.0)
            self._sizes = [(dataset.width, dataset.height)]
            for factor in dataset.overviews(1):
                self._sizes.append((-(-dataset.width // factor), -(-dataset.height // factor)))
            t = dataset.transform
        self.bounds_wgs84 = self._bounds(t)
        self.pixel = abs(t.e) * self._reference.metres_per_unit
        self.levels = len(self._sizes)
        self._block = lru_cache(_BLOCKS_KEPT)(self._read)

    def _bounds(self, t: "Affine") -> tuple[float, float, float, float]:
        width, height = self._sizes[0]
        along = np.linspace(0.0, 1.0, 33)
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)], float)
        sides = [a + (b - a) * along[:, None] for a, b in pairwise(corners)]
        columns, rows = (np.concatenate(sides) * (width, height)).T
        places = self._reference.to_geographic(
            np.column_stack([t.a * columns + t.c, t.e * rows + t.f])
        )
        west, south = places[:, :2].min(axis=0).tolist()
        east, north = places[:, :2].max(axis=0).tolist()
        return west, south, east, north

    def __call__(self, lon_lat: Floats) -> Floats:
        """(n, 2) degrees → (n,) metres in the city's vertical datum, NaN where unknown."""
        west, south, east, north = self.bounds_wgs84
        # Far from where they are made for, projections answer anything.
        near = ((lon_lat >= (west, south)) & (lon_lat <= (east, north))).all(axis=1)
        heights = np.full(len(lon_lat), np.nan)
        heights[near] = self.at_pixels(self.pixels(lon_lat[near]))
        return heights

    def reach(self) -> tuple[float, float]:
        """About its lowest and highest height, from the coarsest level of the file."""
        width, height = self._sizes[-1]
        columns, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        places = np.column_stack([columns.ravel(), rows.ravel()])
        heights = self.at_pixels(
            places * (np.array(self._sizes[0]) / (width, height)), self.levels - 1
        )
        known = heights[np.isfinite(heights)]
        return (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)

    def pixels(self, lon_lat: Floats) -> Floats:
        """(n, 2) degrees → (n, 2) column and row of the full grid; pixel (0, 0) has its middle at 0.5."""
        points = np.column_stack([lon_lat, np.zeros(len(lon_lat))])
        x, y = self._reference.from_geographic(points)[:, :2].T
        i = self._inverse
        return np.column_stack([i.a * x + i.b * y + i.c, i.d * x + i.e * y + i.f])

    def at_pixels(self, pixels: Floats, level: int = 0) -> Floats:
        """The heights at (n, 2) columns and rows of the full grid, (n,), from one level's pixels.

        A place is known where the pixel it lies in is; unknown neighbours do not count.
        """
        found = np.full(len(pixels), np.nan)
        size = np.array(self._sizes[level])
        scaled = pixels * (size / self._sizes[0])
        inside = np.flatnonzero(((scaled >= 0) & (scaled <= size)).all(axis=1))
        scaled = np.clip(scaled[inside] - 0.5, 0, size - 1)
        first = np.floor(scaled).astype(np.int64)
        for rows, (column, row) in _by_block(first):
            block = self._block(level, column, row)
            c, r = (first[rows] - (column * _BLOCK, row * _BLOCK)).T
            found[inside[rows]] = _bilinear(block, c, r, scaled[rows] - first[rows])
        return found

    def _read(self, level: int, column: int, row: int) -> NDArray[np.float32]:
        """A block of a level, (513, 513): a row and a column of the next blocks belong to it."""
        import rasterio
        from rasterio.windows import Window

        width, height = self._sizes[level]
        left, top = column * _BLOCK, row * _BLOCK
        window = Window(left, top, min(_BLOCK + 1, width - left), min(_BLOCK + 1, height - top))
        options = {"OVERVIEW_LEVEL": level - 1} if level else {}
        with rasterio.open(self.path, **options) as dataset:
            values = dataset.read(1, window=window)
        missing = [(0, _BLOCK + 1 - side) for side in values.shape]
        return np.pad(values, missing, mode="edge")


def _by_block(first: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], tuple[int, int]]]:
    """Pixels (n, 2) grouped: the rows of each group and its block's (column, row)."""
    columns, rows = (first // _BLOCK).T
    keys = rows << 32 | columns
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    for group in np.split(order, starts[1:]) if len(order) else ():
        yield group, (int(columns[group[0]]), int(rows[group[0]]))


def _bilinear(
    block: NDArray[np.float32], c: NDArray[np.int64], r: NDArray[np.int64], part: Floats
) -> Floats:
    """Between four pixels, of which only those that are known count."""
    fx, fy = part.T
    weights = np.array([(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy])
    values = np.array([block[r, c], block[r, c + 1], block[r + 1, c], block[r + 1, c + 1]], float)
    known = np.isfinite(values)
    nearest = (fx >= 0.5).astype(np.int64) + 2 * (fy >= 0.5)
    weights = np.where(known, weights, 0.0)
    total = weights.sum(axis=0)
    heights = (weights * np.where(known, values, 0.0)).sum(axis=0)
    there = np.take_along_axis(known, nearest[None, :], axis=0)[0]
    result: Floats = np.divide(heights, total, out=np.full(len(c), np.nan), where=there)
    return result


@dataclass(frozen=True, slots=True)
class Surfaces:
    """Surfaces over one another: the first that knows a place counts."""

    surfaces: tuple[Surface, ...]

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files of the surfaces, the first on top."""
        return tuple(surface.path for surface in self.surfaces)

    def __call__(self, lon_lat: Floats) -> Floats:
        """(n, 2) degrees → (n,) metres in the city's vertical datum, NaN where unknown."""
        heights = np.full(len(lon_lat), np.nan)
        for surface in self.surfaces:
            missing = np.isnan(heights)
            if not missing.any():
                break
            heights[missing] = surface(lon_lat[missing])
        return heights
