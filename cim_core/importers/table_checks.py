"""Tables with shapes, looked at before GDAL reads them: what they would make it compute or ask."""

import re
from pathlib import Path

from cim_core.archives import names_in
from cim_core.errors import InvalidInput, TooLarge
from cim_core.hostile import file_limits
from cim_core.store.foreign import computed_tables

_HEAD = 1 << 20
_ASKS = re.compile(rb'"crs"\s*:\s*\{[^{}]*"type"\s*:\s*"(?:link|url)"', re.IGNORECASE)
"""A reference system that lies at an address (GeoJSON of 2008, 3.2)."""

_COLLECTION = re.compile(
    rb"\x01(?:\x07\0|\xef\x03|\xd7\x07|\xbf\x0b)\0.|\0.\0(?:\0\x07|\x03\xef|\x07\xd7|\x0b\xbf)",
    re.DOTALL,
)
"""How a collection begins in WKB, with and without heights (OGC 06-103r4, 8.2.4)."""
_DEEPEST = 64


def check_table_file(path: Path, name: str) -> None:
    """Raise `InvalidInput` for tables that are computed when they are read, or lie elsewhere."""
    match path.suffix.lower():
        case ".gpkg":
            computed = computed_tables(path)
            if computed:
                raise InvalidInput(
                    f"{name} computes its table {computed[0]} when it is read; save that as a table of "
                    "its own and take the view out"
                )
        case ".json" | ".geojson":
            with path.open("rb") as file:
                head = file.read(_HEAD)
            if _ASKS.search(head):
                raise InvalidInput(
                    f"{name} has its reference system at an address; export it again, or say the system "
                    "with --crs and take crs out of it"
                )
        case ".zip":
            names_in(path, name)
        case _:
            return


def too_deep(wkb: bytes | None) -> bool:
    r"""Whether a shape may be collections in collections, deeper than GEOS can go and live.

    >>> too_deep(b"\x01\x07\0\0\0\x01\0\0\0" * 100)
    True
    """
    if wkb is None or _COLLECTION.match(wkb) is None:
        return False
    return sum(1 for _ in _COLLECTION.finditer(wkb)) > _DEEPEST


def check_parquet(name: str, rows: int, columns: int) -> None:
    """Raise `TooLarge` for a table whose cells would not fit into memory, however well packed."""
    if rows * columns > file_limits().table_cells:
        raise TooLarge(
            f"{name} announces {rows} rows of {columns} columns, more than are taken at once; divide it"
        )
