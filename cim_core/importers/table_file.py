"""Tables with shapes as files: GeoPackage, Shapefile, GeoJSON, FlatGeobuf and GeoParquet.

The door of pyogrio and pyarrow.
"""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pyogrio.raw
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError

from cim_core.archives import default_limits, opened
from cim_core.errors import InvalidInput
from cim_core.importers.table_checks import check_parquet, check_table_file, too_deep

_PARQUET = (".parquet", ".geoparquet")
_CRS84 = "OGC:CRS84"
_SAMPLE = 1 << 20
"""Bytes of a DBF file that are looked at to tell its encoding."""

Shapes = NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file.

    crs
        The reference system as the file has it, None where it has none.
    rows
        (n,) the number of each row in the source, which stays the same over exports.
    columns
        Values by column name, n each.
    shapes
        (n,) shapely geometries in the file's coordinates; None where a row has none, or none that
        can be read.
    remarks
        What the reader had to say.
    """

    name: str
    crs: str | None
    rows: Sequence[int]
    columns: dict[str, list[Any]]
    shapes: Shapes
    remarks: tuple[str, ...] = ()

    def row(self, number: int) -> dict[str, Any]:
        """The values of a row by column."""
        return {name: values[number] for name, values in self.columns.items()}


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What a table is before it is read: its columns, and whether it has areas ("Polygon").

    The geometry of a table without shapes is empty.
    """

    name: str
    columns: tuple[str, ...]
    geometry: str


def table_infos(path: Path, name: str, *, shapeless: bool = False) -> list[TableInfo]:
    """The tables with shapes in a file, with `shapeless` those without as well.

    Raises `InvalidInput`.
    """
    if path.suffix.lower() in _PARQUET:
        column, about, schema = _geo(path, name)
        kinds = about.get("geometry_types") or ["Unknown"]
        columns = tuple(field for field in schema.names if field != column)
        return [TableInfo(path.stem, columns, kinds[0])]
    found = []
    check_table_file(path, name)
    try:
        with warnings.catch_warnings(record=True):  # said again when the table is read
            warnings.simplefilter("always")
            for table, kind in pyogrio.list_layers(_opened(path)):
                if kind is not None or shapeless:
                    encoding = _dbf_encoding(path, str(table))
                    info = pyogrio.read_info(_opened(path), layer=table, encoding=encoding)
                    found.append(
                        TableInfo(str(table), tuple(info["fields"].tolist()), str(kind or ""))
                    )
    except (DataSourceError, DataLayerError) as error:
        raise _unreadable(name, error) from error
    if not found:
        raise InvalidInput(f"{name} has no table with shapes; give one with points, lines or areas")
    return found


def declared_crs(path: Path, name: str) -> str | None:
    """The reference system of the first table, None where it names none; raises `InvalidInput`."""
    if path.suffix.lower() in _PARQUET:
        crs = _geo(path, name)[1].get("crs", _CRS84)
        return json.dumps(crs) if isinstance(crs, dict) else crs
    table = table_infos(path, name)[0].name
    crs = pyogrio.read_info(_opened(path), layer=table, encoding=_dbf_encoding(path, table))["crs"]
    return str(crs) if crs else None


def read_table(path: Path, name: str, table: str, encoding: str | None) -> Table:
    """A table of a file; `encoding` is what a person said of its texts. Raises `InvalidInput`."""
    if path.suffix.lower() in _PARQUET:
        return _read_parquet(path, name, table)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            about, rows = pyogrio.raw.read_arrow(
                _opened(path), layer=table, return_fids=True,
                encoding=encoding or _dbf_encoding(path, table),
            )  # fmt: skip
    except (DataSourceError, DataLayerError, OSError, UnicodeDecodeError, LookupError) as error:
        raise _unreadable(name, error) from error
    column = about["geometry_name"] or "wkb_geometry"
    numbers = rows.column(about["fid_column"] or "OGC_FID").to_pylist()
    remarks = tuple(sorted({str(warning.message) for warning in said}))
    columns = {field: rows.column(field).to_pylist() for field in about["fields"].tolist()}
    none = np.full(len(numbers), None, object)
    shapes = _shapes(rows.column(column)) if column in rows.column_names else none
    return Table(table, about["crs"], numbers, columns, shapes, remarks)


def _read_parquet(path: Path, name: str, table: str) -> Table:
    column, about, _ = _geo(path, name)
    try:
        about_rows = pq.read_metadata(path)
        check_parquet(name, about_rows.num_rows, about_rows.num_columns)
        rows = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from error
    crs = about.get("crs", _CRS84)
    columns = {
        field: rows.column(field).to_pylist()
        for field in rows.column_names
        if field != column and not pa.types.is_nested(rows.schema.field(field).type)
    }
    shapes = _shapes(rows.column(column))
    return Table(table, json.dumps(crs) if isinstance(crs, dict) else crs, range(len(shapes)), columns, shapes)  # fmt: skip


def _geo(path: Path, name: str) -> tuple[str, dict[str, Any], pa.Schema]:
    """The column of shapes of a GeoParquet file and what the file says of it."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError) as error:
        raise _unreadable(name, error) from error
    try:
        said = json.loads((schema.metadata or {})[b"geo"])
        column = said["primary_column"]
        about = said["columns"][column]
    except (KeyError, ValueError) as error:
        raise InvalidInput(
            f"{name} is Parquet without the description of shapes that GeoParquet has; write it "
            "with GDAL or geopandas"
        ) from error
    if about.get("encoding") != "WKB":
        raise InvalidInput(
            f"{name} keeps its shapes as {about.get('encoding')!r}; write them as WKB"
        )
    return column, about, schema


def _shapes(column: pa.ChunkedArray) -> Shapes:
    """WKB as geometries; what is none, or none that can be read, is None."""
    known = [None if too_deep(wkb) else wkb for wkb in column.to_pylist()]
    found: Shapes = shapely.from_wkb(np.array(known, object), on_invalid="ignore")
    return found


def _opened(path: Path) -> str:
    return f"/vsizip/{path}" if path.suffix.lower() == ".zip" else str(path)


def _unreadable(name: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"{name} cannot be read as a table with shapes ({error}); a Shapefile needs its .shp, .shx, "
        ".dbf and .prj together in one .zip"
    )


def _dbf_encoding(path: Path, table: str) -> str | None:
    """The encoding of a Shapefile's texts where it does not say it itself; None leaves it to GDAL.

    Many Chinese Shapefiles are in GB 18030 and have no .cpg file.
    """
    suffix = path.suffix.lower()
    if suffix == ".zip":
        return _zipped_encoding(path, table)
    folder = path if path.is_dir() else path.parent if suffix in (".shp", ".dbf") else None
    if folder is None:
        return None
    parts = {entry.name.lower(): entry for entry in folder.iterdir() if entry.stem == table}
    dbf = parts.get(f"{table}.dbf".lower())
    if dbf is None or f"{table}.cpg".lower() in parts:
        return None
    with dbf.open("rb") as file:
        return _guessed(file.read(_SAMPLE))


def _zipped_encoding(path: Path, table: str) -> str | None:
    with opened(path, path.name, default_limits()) as archive:
        names = {Path(name).name.lower(): name for name in archive.namelist()}
        dbf = names.get(f"{table}.dbf".lower())
        if dbf is None or f"{table}.cpg".lower() in names:
            return None
        with archive.open(dbf) as file:
            return _guessed(file.read(_SAMPLE))


def _guessed(dbf: bytes) -> str:
    """UTF-8 where all of a DBF file is, then GB 18030, else Latin 1, which is never wrong."""
    header = int.from_bytes(dbf[8:10], "little")
    text = dbf[32:header].replace(b"\0", b" ") + dbf[header:]
    for encoding in ("utf-8", "gb18030"):
        for spared in range(4):  # the sample may end in the middle of a letter
            try:
                text[: len(text) - spared].decode(encoding)
            except UnicodeDecodeError:
                continue
            return encoding
    return "latin-1"
