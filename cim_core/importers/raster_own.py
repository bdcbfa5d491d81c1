"""Rasters in a city's own reference system, which GDAL must not know: laid into degrees here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.windows import Window

from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.reference import METRES_PER_DEGREE, Reference, reference

_SIDE = 1024
"""Pixels along a side of what is computed at once."""
_FINER = 2.0
"""Pixels for each of the source's: between others heights would be worn down."""


def into_degrees(
    source: rasterio.DatasetReader,
    own: Reference,
    nodata: float | None,
    box: tuple[float, float, float, float],
    path: Path,
    progress: Progress,
) -> Reference:
    """Write a raster anew in longitude and latitude; the system of what was written.

    `box` is west, south, east, north in degrees. Heights are interpolated, colours are taken from
    the nearest pixel; what is unknown is so in the mask.
    """  # fmt: skip
    west, south, east, north = box
    t = source.transform
    pixel = abs(t.a * t.e - t.b * t.d) ** 0.5 / METRES_PER_DEGREE / _FINER
    wide = pixel / np.cos(np.radians((south + north) / 2))
    width, height = int((east - west) / wide) + 1, int((north - south) / pixel) + 1
    smooth = np.dtype(source.dtypes[0]).kind == "f" or source.dtypes[0] != "uint8"
    profile = {
        "driver": "GTiff", "dtype": "float32" if smooth else "uint8", "count": source.count,
        "width": width, "height": height, "crs": "EPSG:4326", "tiled": True, "compress": "zstd",
        "transform": rasterio.Affine(wide, 0.0, west, 0.0, -pixel, north), "bigtiff": "if_safer",
    }  # fmt: skip
    steps = [(r, c) for r in range(0, height, _SIDE) for c in range(0, width, _SIDE)]
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as target:
        if not smooth and source.colorinterp[0].name == "palette":
            target.write_colormap(1, source.colormap(1))
        elif not smooth:
            target.colorinterp = source.colorinterp
        for number, (top, left) in enumerate(steps):
            progress(number, len(steps), "reading")
            window = Window(left, top, min(_SIDE, width - left), min(_SIDE, height - top))
            column, row = np.meshgrid(np.arange(window.width), np.arange(window.height))
            places = np.column_stack(
                [
                    west + (left + column.ravel() + 0.5) * wide,
                    north - (top + row.ravel() + 0.5) * pixel,
                    np.zeros(column.size),
                ]
            )
            values, known = _sampled(source, nodata, _pixels(source, own, places), smooth)
            shape = (window.height, window.width)
            target.write(values.reshape(-1, *shape).astype(profile["dtype"]), window=window)
            target.write_mask(known.reshape(shape), window=window)
    return replace(
        reference("EPSG:4326", geoid_separation=own.geoid_separation),
        name=own.name, vertical_unit=own.vertical_unit, vertical_stated=own.vertical_stated,
        ellipsoidal=own.ellipsoidal,
    )  # fmt: skip


def _pixels(source: rasterio.DatasetReader, own: Reference, places: Floats) -> Floats:
    """(n, 3) degrees → (n, 2) columns and rows, the middle of the first pixel at (0, 0)."""
    x, y = own.from_geographic(places)[:, :2].T
    i = ~source.transform
    return np.column_stack([i.a * x + i.b * y + i.c, i.d * x + i.e * y + i.f]) - 0.5


def _sampled(
    source: rasterio.DatasetReader, nodata: float | None, pixels: Floats, smooth: bool
) -> tuple[Any, NDArray[np.bool_]]:
    """The bands at pixels (n, 2), (b, n), and where they are known, (n,)."""
    size = np.array([source.width, source.height])
    inside = ((pixels >= -0.5) & (pixels <= size - 0.5)).all(axis=1)
    values = np.zeros((source.count, len(pixels)))
    known = np.zeros(len(pixels), bool)
    if not inside.any():
        return values, known
    within = np.clip(pixels[inside], 0, size - 1)
    low, high = np.floor(within.min(axis=0)).astype(int), np.ceil(within.max(axis=0)).astype(int)
    window = Window(low[0], low[1], *(high - low + 1).tolist())
    data = source.read(window=window).astype(np.float64)
    there = source.dataset_mask(window=window) > 0
    if nodata is not None:
        there = (data != nodata).any(axis=0)
    there &= np.isfinite(data[0])
    within -= low
    column, row = np.round(within).astype(int).T
    known[inside] = there[row, column]
    values[:, inside] = _between(data, there, within) if smooth else data[:, row, column]
    return values, known


def _between(data: Floats, there: NDArray[np.bool_], within: Floats) -> Floats:
    """Interpolated bands (b, h, w) at columns and rows (n, 2), of known pixels only, (b, n)."""
    first = np.floor(within).astype(int)
    part = within - first
    total, weight = np.zeros((len(data), len(within))), np.zeros(len(within))
    for down in (0, 1):
        for right in (0, 1):
            column = np.minimum(first[:, 0] + right, data.shape[2] - 1)
            row = np.minimum(first[:, 1] + down, data.shape[1] - 1)
            share = np.abs(1 - right - part[:, 0]) * np.abs(1 - down - part[:, 1])
            share = share * there[row, column]
            total += share * np.where(there[row, column], data[:, row, column], 0.0)
            weight += share
    result: Floats = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)
    return result
