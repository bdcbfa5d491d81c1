"""GeoTIFFs for tests, and layers made of them."""

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import from_origin

from cim_core.layer import Layer, Placement, Source
from cim_core.progress import Progress

EAST, NORTH = 444_000.0, 2_556_800.0
"""In EPSG:4547, near 113.46° E 23.11° N."""


def hills(rows: int, columns: int) -> np.ndarray:
    """Smooth ground between about 10 and 50 m, (rows, columns) float32."""
    y, x = np.mgrid[:rows, :columns]
    return (30 + 12 * np.sin(x / 17) * np.cos(y / 23) + 6 * np.sin((x + 2 * y) / 9)).astype("f4")


def write_raster(
    path: Path, bands: np.ndarray, *, crs="EPSG:4547", west=EAST, north=NORTH, pixel=5.0, **more
) -> Path:
    """Write (r, c) or (b, r, c) as GeoTIFF."""
    bands = bands if bands.ndim == 3 else bands[None]
    profile = {
        "driver": "GTiff", "dtype": bands.dtype, "count": bands.shape[0],
        "height": bands.shape[1], "width": bands.shape[2], "crs": crs,
        "transform": from_origin(west, north, pixel, pixel), **more,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(bands)
    return path


def imported(
    importer, path: Path, tmp_path: Path, placement: Placement | None = None, **options: str
) -> Layer:
    """What an importer makes of a file, its rasters below `tmp_path`."""
    ground = options.pop("ground", None)
    source = Source(
        path, path.name, "a", "A", scratch=tmp_path, ground=ground, options=options
    )  # fmt: skip
    return importer(source, placement or Placement(), Progress())
