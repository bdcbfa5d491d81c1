"""Footprints as GeoPackage binary, and the views by which QGIS and GDAL see the layers."""

import hashlib
import sqlite3
import struct
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

_WGS84 = 4326

_HEADER = 40
"""Bytes before the WKB: what all our geometries begin with, see `encode`."""


def encode(footprint: shapely.Geometry | None) -> bytes | None:
    """A geometry in longitude and latitude as GeoPackage binary (header, XY envelope, WKB)."""
    if footprint is None or footprint.is_empty:
        return None
    west, south, east, north = footprint.bounds
    little_endian_with_envelope = 0b0000_0011
    header = struct.pack(
        "<2sBBi4d", b"GP", 0, little_endian_with_envelope, _WGS84, west, east, south, north
    )
    wkb: bytes = shapely.to_wkb(footprint, byte_order=1, flavor="iso")
    return header + wkb


def decode(blob: bytes | None) -> shapely.Geometry | None:
    """The geometry of a GeoPackage binary that `encode` wrote."""
    return None if blob is None else shapely.from_wkb(blob[_HEADER:])


def decode_all(blobs: Iterable[bytes | None]) -> NDArray[np.object_]:
    """The geometries, (n,), of GeoPackage binaries that `encode` wrote; None for None."""
    wkb = [None if blob is None else blob[_HEADER:] for blob in blobs]
    result: NDArray[np.object_] = shapely.from_wkb(np.array(wkb, object))
    return result


def meets_box(blob: bytes | None, west: float, south: float, east: float, north: float) -> bool:
    """Whether a stored footprint touches a box; exact, where the R*Tree rounds to about a metre."""
    if blob is None:
        return False
    left, right, low, high = struct.unpack_from("<4d", blob, 8)
    if left >= west and right <= east and low >= south and high <= north:
        return True
    if right < west or left > east or high < south or low > north:
        return False
    return bool(shapely.intersects(_box(west, south, east, north), decode(blob)))


_AREAS: dict[str, shapely.Geometry] = {}
"""Areas by name, prepared; there are as many as towns, and as people have several."""


def area_name(area: shapely.Geometry) -> str:
    """The name by which `touches_area` knows an area, degrees; the same for equal areas."""
    name = hashlib.sha256(shapely.to_wkb(area)).hexdigest()
    if name not in _AREAS:
        shapely.prepare(area)
        _AREAS[name] = area
    return name


def touches_area(name: str, blob: bytes | None) -> bool:
    """Whether a stored footprint touches an area."""
    if blob is None:
        return False
    area = _AREAS[name]
    west, east, south, north = struct.unpack_from("<4d", blob, 8)
    if area.is_empty or not shapely.intersects(area.envelope, _box(west, south, east, north)):
        return False
    return bool(shapely.intersects(area, decode(blob)))


@lru_cache(maxsize=16)
def _box(west: float, south: float, east: float, north: float) -> shapely.Geometry:
    """A box, also one without width or height: a line or a point."""
    box = shapely.multipoints([(west, south), (west, north), (east, south), (east, north)]).envelope
    shapely.prepare(box)
    return box


def view_name(layer_id: str) -> str:
    """The name under which a layer's current version stands in the GeoPackage."""
    return f"layer_{layer_id}"


def show_layer(
    connection: sqlite3.Connection, layer_id: str, title: str, bbox: tuple[float, ...]
) -> None:
    """(Re)create a layer's view and its entries in the GeoPackage tables."""
    name = view_name(layer_id)
    hide_layer(connection, layer_id)
    # A layer id holds only a–z, 0–9, - and _ (check_layer_id), so it can stand in the statement.
    connection.execute(
        f"CREATE VIEW {quote(name)} AS SELECT f.fid AS fid, f.geom AS geom, f.id AS id, "
        "f.class AS class, f.name AS name, f.storey AS storey, f.zmin AS zmin, f.zmax AS zmax, "
        "f.attributes AS attributes, f.property_sets AS property_sets "
        "FROM features f JOIN layers l ON l.id = f.layer AND l.version = f.version "
        f"WHERE f.layer = '{layer_id}' AND f.body = 1"
    )
    connection.execute(
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, description, min_x, min_y, max_x, max_y,"
        " srs_id) VALUES (?, 'features', ?, ?, ?, ?, ?, ?, ?)",
        (
            name,
            layer_id,
            title,
            bbox[0],
            bbox[1],
            bbox[3],
            bbox[4],
            _WGS84,
        ),
    )
    connection.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?, 'geom', 'GEOMETRY', ?, 2, 0)", (name, _WGS84)
    )


def hide_layer(connection: sqlite3.Connection, layer_id: str) -> None:
    """Remove a layer's view and its entries in the GeoPackage tables."""
    name = view_name(layer_id)
    connection.execute("DELETE FROM gpkg_geometry_columns WHERE table_name = ?", (name,))
    connection.execute("DELETE FROM gpkg_contents WHERE table_name = ?", (name,))
    connection.execute(f"DROP VIEW IF EXISTS {quote(name)}")


def quote(identifier: str) -> str:
    """An SQL identifier in quotes, for the few statements that cannot take a parameter."""
    return '"' + identifier.replace('"', '""') + '"'
