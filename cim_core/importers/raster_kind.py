"""What a GeoTIFF holds: heights or a picture."""

from pathlib import Path

import rasterio
from rasterio.enums import ColorInterp
from rasterio.errors import RasterioError

from cim_core.archives import names_in

_HEIGHTS = {"int16", "int32", "float32", "float64"}


def holds(path: Path, kind: str) -> bool:
    """Whether the first GeoTIFF of a file, folder or .zip is of a kind, "terrain" or "imagery"."""
    first = _first(path)
    if first is None:
        return False
    try:
        with rasterio.open(first, driver="GTiff") as dataset:
            # A picture among other files that lies nowhere is what a model has on it.
            placed = first == str(path) or not dataset.transform.is_identity
            return placed and _kind(dataset) == kind
    except RasterioError:  # damaged; it gets its sentence from the importer it is then given to
        return kind == "terrain"


def declared_crs(path: Path) -> str | None:
    """The reference system of the first GeoTIFF, None where it names none or cannot be read."""
    first = _first(path)
    try:
        with rasterio.open(first, driver="GTiff") as dataset:
            return str(dataset.crs.to_wkt()) if dataset.crs else None
    except RasterioError:
        return None


def _kind(dataset: rasterio.DatasetReader) -> str:
    one = dataset.count == 1 and dataset.colorinterp[0] != ColorInterp.palette
    if one and dataset.dtypes[0] in _HEIGHTS:
        return "terrain"
    # Heights of low land may well be whole metres from 0 up, pictures of one band have 8 bits.
    return "terrain" if one and dataset.dtypes[0] == "uint16" else "imagery"


def _first(path: Path) -> str | None:
    if path.is_dir():
        inside = (p for p in sorted(path.rglob("*")) if p.suffix.lower() in (".tif", ".tiff"))
        return next((str(p) for p in inside), None)
    if path.suffix.lower() == ".zip":
        names = sorted(n for n in names_in(path) if n.lower().endswith((".tif", ".tiff")))
        return f"/vsizip/{{{path}}}/{names[0]}" if names else None
    return str(path)
