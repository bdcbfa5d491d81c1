"""Features as files: a table for spreadsheets, GeoJSON, GeoParquet."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from cim_core.city import City
from cim_core.feature import Value
from cim_core.store.features import FeatureRow, Query
from server.access.taking import Taken
from server.arrow import Columns
from server.describe import GEOJSON, feature_summary
from server.spreadsheet import as_csv

ExportFormat = Literal["csv", "geojson", "parquet"]

MEDIA_TYPES: dict[ExportFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "geojson": GEOJSON,
    "parquet": "application/vnd.apache.parquet",
}

_PAGE = 10_000
_OWN = ("id", "class", "name", "parent", "zmin", "zmax")
_SIDES = ("xmin", "ymin", "xmax", "ymax")


def export(
    city: City, layer: str, version: int, query: Query, file_format: ExportFormat, taken: Taken
) -> bytes:
    """All features that match, in the order of their ids.

    The id of the export is in the file, except in a table for spreadsheets, which has no place.
    """
    rows = list(_all(city, layer, version, query))
    export_id = taken([row.feature.id for row in rows])
    match file_format:
        case "csv":
            return _csv(rows)
        case "geojson":
            features = [_with_properties(row) for row in rows]
            return orjson.dumps(
                {"type": "FeatureCollection", "export": export_id, "features": features}
            )
        case "parquet":
            return _parquet(rows, export_id)


def _all(city: City, layer: str, version: int, query: Query) -> Iterator[FeatureRow]:
    after: str | None = None
    while page := city.features.find(layer, version, query, after=after, limit=_PAGE):
        yield from page
        after = page[-1].feature.id


def _with_properties(row: FeatureRow) -> dict[str, Any]:
    found = feature_summary(row)
    return {**found, "properties": {**found["properties"], **_properties(row)}}


def _properties(row: FeatureRow) -> dict[str, Value]:
    """Properties as "set.name", their unit, if any, as "set.name (unit)"."""
    return {
        f"{pset.name}.{item.name}" + (f" ({item.unit})" if item.unit else ""): item.value
        for pset in row.feature.property_sets
        for item in pset.properties
    }


def _flat(row: FeatureRow) -> dict[str, Value]:
    """A row of a table; what is a list or an object stands there as JSON."""
    feature = row.feature
    own: dict[str, Value] = {
        "id": feature.id, "class": feature.feature_class, "name": feature.name,
        "parent": feature.parent, "zmin": row.zmin, "zmax": row.zmax,
    }  # fmt: skip
    values = {**feature.attributes, **_properties(row)}
    return {
        **{
            name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
            for name, value in values.items()
        },
        **own,
    }


def _header(table: Sequence[dict[str, Value]]) -> list[str]:
    names = {name: None for row in table for name in row}
    return [*_OWN, *(name for name in names if name not in _OWN)]


def _csv(rows: Sequence[FeatureRow]) -> bytes:
    table = [_flat(row) for row in rows]
    header = _header(table)
    places = [_middle(row.footprint) for row in rows]
    return as_csv(
        [*header, "lon", "lat"],
        (
            [*("" if row.get(name) is None else row[name] for name in header), *place]
            for row, place in zip(table, places, strict=True)
        ),
    )


def _middle(outline: shapely.Geometry | None) -> tuple[float | str, float | str]:
    if outline is None or outline.is_empty:
        return "", ""
    point = outline.representative_point()
    return round(point.x, 8), round(point.y, 8)


def _parquet(rows: Sequence[FeatureRow], export_id: str | None) -> bytes:
    """GeoParquet 1.1: WKB in longitude and latitude, with the boxes that readers skip by."""
    table = [_flat(row) for row in rows]
    columns = {name: _array([row.get(name) for row in table]) for name in _header(table)}
    outlines = [row.footprint for row in rows]
    bounds = shapely.bounds(outlines).reshape(-1, 4)
    columns["bbox"] = pa.StructArray.from_arrays(
        [pa.array(bounds[:, i], from_pandas=True) for i in range(4)], names=list(_SIDES)
    )
    columns["geometry"] = pa.array(shapely.to_wkb(outlines).tolist(), pa.binary())
    known = [outline for outline in outlines if outline is not None]
    geometry = {
        "encoding": "WKB",
        "geometry_types": sorted(
            {outline.geom_type + (" Z" if outline.has_z else "") for outline in known}
        ),
        **({"bbox": shapely.total_bounds(known).tolist()} if known else {}),
        "covering": {"bbox": {side: ["bbox", side] for side in _SIDES}},
    }
    # No "crs": that stands for OGC:CRS84, longitude and latitude, which it is.
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    made = pa.table(columns).replace_schema_metadata(
        {"geo": json.dumps(geo), "export": export_id or ""}
    )
    out = io.BytesIO()
    pq.write_table(made, out, compression="zstd")
    return out.getvalue()


def parquet_table(columns: Columns, about: Mapping[str, str]) -> bytes:
    """Columns as Parquet; `about` is the metadata of its schema."""
    arrays = {
        name: pa.array(column, from_pandas=isinstance(column, np.ndarray))
        for name, column in columns.items()
    }
    out = io.BytesIO()
    pq.write_table(pa.table(arrays).replace_schema_metadata(dict(about)), out, compression="zstd")
    return out.getvalue()


def _array(values: list[Value]) -> pa.Array:
    """A column of one type; of text where types are mixed."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and kinds:
        return pa.array(values, pa.float64() if float in kinds else pa.int64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    return pa.array([None if value is None else _text(value) for value in values], pa.string())


def _text(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
