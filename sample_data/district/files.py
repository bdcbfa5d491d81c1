"""The files of the district: GeoPackage, GeoTIFF and LAS, the same bytes for the same content."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pyogrio
import pyogrio.raw
import rasterio
import shapely
from laspy.vlrs.known import WktCoordinateSystemVlr
from PIL import Image
from rasterio.crs import CRS
from rasterio.transform import from_origin

from sample_data.district.picture import PIXEL
from sample_data.district.plan import CRS as SYSTEM
from sample_data.district.plan import Floats, Plan
from sample_data.district.points import Points
from sample_data.district.relief import STEP
from sample_data.district.tables import Table

STAMP = "2026-01-01T00:00:00.000Z"
UNKNOWN = -9999.0


def write_table(path: Path, table: Table, plan: Plan) -> None:
    """Write a table as a GeoPackage with one table of the file's name."""
    # Millimetres are enough; snapped shapes stay valid, rounded ones need not.
    shapes = shapely.set_precision(np.array(list(table.shapes), dtype=object), 0.001)
    if table.geometry.startswith("Multi"):
        shapes = np.array([_multiple(shape) for shape in shapes], dtype=object)
    moved = shapely.transform(shapes, lambda xy: xy + np.asarray(plan.origin))
    names = list(table.rows[0])
    columns = [_column([row[name] for row in table.rows]) for name in names]
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": STAMP})
    try:
        pyogrio.raw.write(
            str(path), shapely.to_wkb(moved), columns, np.array(names, dtype=object),
            layer=path.stem, driver="GPKG", geometry_type=table.geometry, crs=SYSTEM,
        )  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _multiple(shape: Any) -> Any:
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"]
    return shapely.MultiPolygon(parts)


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    if any(v is None for v in values) and all(isinstance(v, int | float | None) for v in values):
        values = [float("nan") if v is None else float(v) for v in values]  # written as null
    if all(isinstance(v, int) for v in values):
        return np.array(values, np.int64)
    if all(isinstance(v, int | float) for v in values):
        return np.array(values, np.float64)
    return np.array(values, dtype=object)


def write_heights(path: Path, heights: Floats, plan: Plan) -> None:
    """Write heights as a float32 GeoTIFF; NaN becomes nodata."""
    cells = np.where(np.isfinite(heights), np.round(heights, 3), UNKNOWN).astype(np.float32)
    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": cells.shape[1],
        "height": cells.shape[0], "crs": CRS.from_string(SYSTEM), "nodata": UNKNOWN,
        "transform": from_origin(plan.origin[0], plan.origin[1] + plan.size, STEP, STEP),
        "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "predictor": 3,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(cells, 1)
        file.update_tags(1, SOURCE="generated")
        file.units = ("metre",)


def write_image(path: Path, image: Image.Image, plan: Plan) -> None:
    """Write a picture as a tiled RGB GeoTIFF."""
    pixels = np.asarray(image)
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 3, "width": pixels.shape[1],
        "height": pixels.shape[0], "crs": CRS.from_string(SYSTEM), "photometric": "ycbcr",
        "transform": from_origin(plan.origin[0], plan.origin[1] + plan.size, PIXEL, PIXEL),
        "tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "jpeg", "jpeg_quality": 90,
        "interleave": "pixel",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        file.write(np.moveaxis(pixels, 2, 0))


def write_points(path: Path, points: Points, plan: Plan) -> None:
    """Write points as LAS 1.4 with colours and classes."""
    header = laspy.LasHeader(point_format=7, version="1.4")
    header.creation_date = date(2026, 1, 1)
    header.generating_software = "CIM Twin sample data"
    header.scales = np.array([0.01, 0.01, 0.01])
    header.offsets = np.array([plan.origin[0], plan.origin[1], 0.0])
    header.global_encoding.wkt = True
    wkt = CRS.from_user_input(f"{SYSTEM}+5737").to_wkt()
    header.vlrs.append(WktCoordinateSystemVlr(wkt))
    cloud = laspy.LasData(header)
    cloud.x, cloud.y = points.places[:, 0] + plan.origin[0], points.places[:, 1] + plan.origin[1]
    cloud.z = points.places[:, 2]
    cloud.classification = points.classes
    colours = points.colours.astype(np.uint16) * 257
    cloud.red, cloud.green, cloud.blue = colours.T
    cloud.return_number = cloud.number_of_returns = np.ones(len(points.places), np.uint8)
    cloud.write(str(path))
