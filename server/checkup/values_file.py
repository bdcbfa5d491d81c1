"""The values of a check-up as GeoParquet: one row for each indicator and unit, with its outline."""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from analysis.checkup.problems import met
from cim_core.city import City
from cim_core.store.checkup import Run
from server.checkup.reading import UnitValues, known_units, units_of_run

_NUMBERS = ("value", "numerator", "denominator", "surveyed")
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in (
            "code", "indicator_en", "indicator_zh", "by", "unit", "unit_name_en", "unit_name_zh",
            "measured_in", "status", "reason", "method", "digest",
        )),
        *((name, pa.float64()) for name in (*_NUMBERS, "target")),
        ("target_confidence", pa.string()), ("met", pa.bool_()), ("proxy", pa.bool_()), ("geometry", pa.binary()),
    ]
)  # fmt: skip


def values_file(city: City, run: Run, export: str) -> bytes:
    """GeoParquet 1.1, WKB in longitude and latitude; what is not known is null.

    The metadata of the schema has the run, its receipt and the id of the export. An indicator's values
    by units of a kind are a row group, so that no more than these are in memory beside the file.
    """
    kinds = {by for entry in run.document["indicators"] for by in entry["by"]}
    shapes = {by: known_units(city, run, by).shapes for by in sorted(kinds)}
    outlines = {by: pa.array(shapely.to_wkb(of).tolist(), pa.binary()) for by, of in shapes.items()}
    every = np.concatenate([np.empty(0, object), *shapes.values()])
    geometry = {
        "encoding": "WKB",
        "geometry_types": sorted({shape.geom_type for shape in every if not shape.is_empty}),
        **({"bbox": shapely.total_bounds(every).tolist()} if len(every) else {}),
    }
    # No "crs": that stands for OGC:CRS84, longitude and latitude, which it is.
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": geometry}}
    about = {
        "geo": json.dumps(geo), "run": run.id, "receipt": run.document["receipt"], "export": export,
    }  # fmt: skip
    out = io.BytesIO()
    with pq.ParquetWriter(out, _SCHEMA.with_metadata(about), compression="zstd") as writer:
        for entry in run.document["indicators"]:
            for by in entry["by"]:
                found = units_of_run(city, run, entry["code"], by)
                columns = {**_columns(entry, found), "geometry": outlines[by]}
                writer.write_table(pa.table(columns, schema=writer.schema))
    return out.getvalue()


def _columns(entry: Mapping[str, Any], found: UnitValues) -> dict[str, Any]:
    """The columns of an indicator's values for units of a kind, but for the outlines."""
    units, measured, target = found.units, found.measured, entry["target"]
    same = {
        "code": entry["code"], "indicator_en": entry["name"]["en"],
        "indicator_zh": entry["name"]["zh"], "by": units.by, "measured_in": entry["unit"]["en"],
        "method": entry["method"], "digest": entry["digest"],
        "target": None if target is None else float(target["value"]),
        "target_confidence": None if target is None else target["confidence"], "proxy": entry["proxy"],
    }  # fmt: skip
    count = len(units.ids)
    numbers = {name: np.asarray(getattr(measured, name), np.float64) for name in _NUMBERS}
    return {
        **{name: pa.array([value] * count, _SCHEMA.field(name).type) for name, value in same.items()},
        "unit": pa.array(units.ids, pa.string()),
        "unit_name_en": pa.array([name["en"] for name in units.names], pa.string()),
        "unit_name_zh": pa.array([name["zh"] for name in units.names], pa.string()),
        "status": pa.array(measured.status, pa.string()),
        "reason": pa.array(measured.reason, pa.string()),
        **{name: pa.array(of, mask=~np.isfinite(of)) for name, of in numbers.items()},
        "met": pa.array(
            [
                met(found.indicator, value, status, units.by)
                for value, status in zip(measured.value.tolist(), measured.status, strict=True)
            ],
            pa.bool_(),
        ),
    }  # fmt: skip
