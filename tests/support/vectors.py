"""Files with shapes, written by libraries that the importers do not write with."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio.raw
import shapely

from cim_core.layer import Ground, Layer, Placement, Source
from cim_core.progress import Progress

GK114 = "EPSG:4547"
CORNER = (443_000.0, 2_556_000.0)
"""A place in Huangpu, in EPSG:4547."""


def moved(shape: shapely.Geometry, by: Sequence[float] = CORNER) -> shapely.Geometry:
    """A shape in metres of its own, put there."""
    return shapely.transform(shape, lambda points: points + np.array(by[: points.shape[1]]))


def write_table(
    path: Path, shapes: Sequence[shapely.Geometry | None], columns: dict[str, list], *,
    crs: str | None = GK114, table: str | None = None, **more: object,
) -> Path:  # fmt: skip
    """A table in the format of the file's ending."""
    fields = list(columns)
    data = [
        np.array(values, object if any(isinstance(v, str | None) for v in values) else None)
        for values in columns.values()
    ]
    kinds = {f"{s.geom_type}{' Z' if s.has_z else ''}" for s in shapes if s is not None}
    pyogrio.raw.write(
        str(path), geometry=shapely.to_wkb(np.array(shapes, object)), field_data=data,
        fields=np.array(fields, object), crs=crs, layer=table or path.stem,
        geometry_type=kinds.pop() if len(kinds) == 1 else "Unknown", **more,
    )  # fmt: skip
    return path


def write_geoparquet(
    path: Path, shapes: Sequence[shapely.Geometry], columns: dict[str, list], crs: object = ...
) -> Path:
    """GeoParquet 1.1; without `crs` the file says nothing, which means longitude and latitude."""
    about = {"encoding": "WKB", "geometry_types": sorted({shape.geom_type for shape in shapes})}
    if crs is not ...:
        about["crs"] = crs
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": about}}
    table = pa.table({**columns, "geometry": [shapely.to_wkb(shape) for shape in shapes]})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


def zipped(folder: Path, target: Path) -> Path:
    """All files of a folder in one archive."""
    with zipfile.ZipFile(target, "w") as archive:
        for entry in sorted(folder.iterdir()):
            archive.write(entry, entry.name)
    return target


def imported(
    importer: object, path: Path, *, crs: str | None = None, ground: Ground | None = None,
    separation: float = 0.0, anchor: tuple[float, float, float] | None = None,
    scratch: Path | None = None, **options: str,
) -> Layer:  # fmt: skip
    """The layer an importer makes of a file."""
    source = Source(
        path, path.name, "things", "Things", ground=ground, scratch=scratch, options=options
    )
    return importer(
        source, Placement(crs=crs, anchor=anchor, geoid_separation=separation), Progress()
    )  # fmt: skip
