"""GeoPackages that somebody brings: what is in their schema, before GDAL computes with it."""

import sqlite3
from contextlib import closing
from pathlib import Path

_USUAL = ("spatial_ref_sys", "st_spatial_ref_sys", "geometry_columns", "st_geometry_columns")
"""Views that other programs make over the GeoPackage's own tables."""

_INDEXES = ("using rtree", "using fts")


def computed_tables(path: Path) -> list[str]:
    """The views and virtual tables of a SQLite file, indexes aside.

    A view of a few bytes may have endless rows, and reading cannot be broken off. None of what is
    no such file: its reader says what is wrong.
    """
    try:
        with closing(
            sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as file:
            file.execute("PRAGMA trusted_schema = OFF")
            rows = file.execute(
                "SELECT name, type, lower(sql) FROM sqlite_master WHERE type IN ('view', 'table')"
            ).fetchall()
    except sqlite3.DatabaseError:
        return []
    return [table for table, kind, sql in rows if _computed(str(table), str(kind), str(sql or ""))]


def _computed(table: str, kind: str, sql: str) -> bool:
    if kind == "view":
        usual = table.lower() in _USUAL and "recursive" not in sql and sql.count("gpkg_") <= 2
        return not usual
    return sql.startswith("create virtual") and not any(index in sql for index in _INDEXES)
