"""Files that somebody made to do harm: small on disk, and not what they seem."""

import json
import sqlite3
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.support.rasters import EAST, NORTH, write_raster

POINT = {"type": "Point", "coordinates": [113.46, 23.1]}
MILLION = 1_000_000
DEEP = 200_000


def packed(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = 8) -> Path:
    """A zip archive of these entries."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def linked(path: Path) -> Path:
    """An archive with a symbolic link in it."""
    entry = zipfile.ZipInfo("a.shp")
    entry.create_system, entry.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return packed(path, (entry, b"/etc/passwd"))


def bomb(path: Path) -> Path:
    """An archive whose one file is 64 MiB of nothing."""
    return packed(path, ("tileset.json", bytes(64 << 20)))


def overlapping(path: Path) -> Path:
    """An archive of 1,000 files that are the same bytes of it (D. Fifield, A better zip bomb, 2019)."""
    body = zlib.compress(bytes(900_000))[2:-4]
    crc, name = zlib.crc32(bytes(900_000)), b"a000.png"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(body), 900_000, 8, 0)
    directory = b"".join(
        struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 0, crc, len(body), 900_000, 8, 0, 0, 0, 0, 0, 0
        ) + b"a%03d.png" % number
        for number in range(1000)
    )  # fmt: skip
    start = len(local) + len(name) + len(body)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(directory), start, 0)
    path.write_bytes(local + name + body + directory + end)
    return path


def directory_of(path: Path, announced: int, real: int) -> Path:
    """An archive whose end announces so many empty files and whose directory has so many (zip64)."""
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, 7, 0) + b"0000000"
    with path.open("wb") as file:
        file.write(local * real)
        start = file.tell()
        entry = struct.Struct("<4s6H3L5H2L")
        for number in range(real):
            file.write(
                entry.pack(
                    b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, number * len(local)
                )
                + b"%07d" % number
            )
        at = file.tell()
        file.write(struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, announced, announced, at - start, start))  # fmt: skip
        file.write(struct.pack("<4sLQL", b"PK\6\7", 0, at, 1))
        file.write(struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))  # fmt: skip
    return path


def geojson(path: Path, **more: object) -> Path:
    """A map of one point, and what is said besides."""
    feature = {"type": "Feature", "properties": {}, "geometry": POINT}
    path.write_text(json.dumps({"type": "FeatureCollection", **more, "features": [feature]}))
    return path


def deep_json(path: Path) -> Path:
    """JSON nested without end behind a beginning that is sound."""
    start = '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties": {"a": '
    path.write_text(start + "[" * DEEP + "]" * DEEP + "}}]}")
    return path


def deep_gltf(path: Path) -> Path:
    """A glTF nested without end."""
    path.write_text('{"asset": {"version": "2.0", "extras": ' + "[" * DEEP + "]" * DEEP + "}}")  # fmt: skip
    return path


def endless_table(path: Path) -> Path:
    """A text table of one line that does not end."""
    path.write_bytes(b"point,x,y\n" + b"0123456789" * 430_000)
    return path


def vast_raster(path: Path) -> Path:
    """A GeoTIFF that announces four terabytes of heights and holds none."""
    import rasterio

    profile = {
        "driver": "GTiff", "dtype": "float32", "count": 1, "width": MILLION, "height": MILLION,
        "crs": "EPSG:4547", "transform": rasterio.Affine(0.1, 0, EAST, 0, -0.1, NORTH), "tiled": True,
        "blockxsize": 8192, "blockysize": 8192, "compress": "deflate", "sparse_ok": True,
        "bigtiff": "yes",
    }  # fmt: skip
    with rasterio.open(path, "w", **profile):
        pass
    return path


def raster_elsewhere(path: Path, address: str) -> Path:
    """A sound GeoTIFF whose own tags say that its overviews lie at an address."""
    import rasterio

    write_raster(path, np.ones((64, 64), np.float32))
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=f"/vsicurl/{address}/overviews.tif")
    return path


def vast_cloud(path: Path) -> Path:
    """A LAS 1.4 file whose header announces a million million points and that ends with it."""
    header = bytearray(375)
    header[:4], header[24:26] = b"LASF", bytes([1, 4])
    struct.pack_into("<HLLBH", header, 94, 375, 375, 0, 6, 30)
    struct.pack_into("<3d", header, 131, 0.001, 0.001, 0.001)
    struct.pack_into("<6d", header, 179, EAST + 1, EAST, NORTH + 1, NORTH, 9, 1)
    struct.pack_into("<Q", header, 247, 10**12)
    path.write_bytes(header)
    return path


def many_records(path: Path) -> Path:
    """A LAS file of one point whose header announces four thousand million records before it."""
    vast_cloud(path)
    header = bytearray(path.read_bytes())
    struct.pack_into("<L", header, 100, 4_000_000_000)
    struct.pack_into("<Q", header, 247, 1)
    path.write_bytes(header + bytes(30))
    return path


def deep_shape(path: Path) -> Path:
    """A GeoParquet file whose one shape is a collection in a collection, 200,000 times."""
    shape = struct.pack("<BLL", 1, 7, 1) * DEEP + struct.pack("<BL2d", 1, 1, *POINT["coordinates"])
    column = {"encoding": "WKB", "geometry_types": []}
    said = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
    table = pa.table({"geometry": pa.array([shape], pa.binary())})
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(said)}), path)
    return path


def workbook(path: Path, declared: str) -> Path:
    """A spreadsheet whose sheet declares what its text shall stand for."""
    kinds = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relation = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{}" Target="{}"/></Relationships>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return packed(
        path,
        ("[Content_Types].xml", kinds.encode()),
        ("_rels/.rels", relation.format(f"{office}/officeDocument", "xl/workbook.xml").encode()),
        (
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'.encode(),
        ),
        ("xl/_rels/workbook.xml.rels", relation.format(f"{office}/worksheet", "sheet.xml").encode()),
        (
            "xl/sheet.xml",
            f'<?xml version="1.0"?><!DOCTYPE a [{declared}]><worksheet xmlns="{main}"><sheetData><row><c t="inlineStr"><is><t>&a;</t></is></c></row></sheetData></worksheet>'.encode(),
        ),
    )  # fmt: skip


LAUGHS = '<!ENTITY z "ha">' + "".join(
    f'<!ENTITY {chr(121 - n)} "{f"&{chr(122 - n)};" * 10}">' for n in range(25)
)
"""Each of 25 entities is ten of the one before: 10^25 times two letters."""


def endless_geopackage(path: Path) -> Path:
    """A GeoPackage whose table is a view that has no end."""
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            """
            PRAGMA application_id = 1196444487;
            PRAGMA user_version = 10300;
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY,
                organization TEXT, organization_coordsys_id INTEGER, definition TEXT, description TEXT);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('WGS 84', 4326, 'EPSG', 4326, 'undefined', '');
            CREATE TABLE gpkg_contents (table_name TEXT PRIMARY KEY, data_type TEXT, identifier TEXT,
                description TEXT, last_change TEXT, min_x, min_y, max_x, max_y, srs_id INTEGER);
            INSERT INTO gpkg_contents VALUES
                ('roads', 'features', 'roads', '', '2026-01-01T00:00:00Z', 0, 0, 1, 1, 4326);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT,
                geometry_type_name TEXT, srs_id INTEGER, z INTEGER, m INTEGER);
            INSERT INTO gpkg_geometry_columns VALUES ('roads', 'geom', 'POINT', 4326, 0, 0);
            CREATE VIEW roads AS WITH RECURSIVE c(fid) AS (SELECT 1 UNION ALL SELECT fid + 1 FROM c)
                SELECT fid, NULL AS geom FROM c;
            """
        )
    return path


def vast_picture(path: Path) -> Path:
    """A GLB with a picture of 3.6 gigapixels, in a hundred bytes."""
    head = struct.pack(">4s2L5B", b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">L", 13) + head + struct.pack(">L", zlib.crc32(head))
    document = {
        "asset": {"version": "2.0"}, "buffers": [{"byteLength": len(png)}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": len(png)}],
        "images": [{"bufferView": 0, "mimeType": "image/png"}],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    png += bytes(-len(png) % 4)
    chunks = struct.pack("<L4s", len(text), b"JSON") + text + struct.pack("<L4s", len(png), b"BIN\0") + png  # fmt: skip
    path.write_bytes(struct.pack("<4s2L", b"glTF", 2, 12 + len(chunks)) + chunks)
    return path


def hostile_files(folder: Path, address: str) -> dict[str, str]:
    """Write one of each kind; the words of its refusal by its name. `address` should hear of none."""
    stolen = f"<OGRVRTDataSource><!-- \"FeatureCollection\" --><OGRVRTLayer name='a'><SrcDataSource>/vsicurl/{address}/a.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    made: dict[str, tuple[Callable[[Path], object], str]] = {
        "climbs.zip": (lambda p: packed(p, ("../../evil.tif", b"x")), "leaves the folder"),
        "drive.zip": (lambda p: packed(p, ("C:/evil.tif", b"x")), "leaves the folder"),
        "wide.zip": (lambda p: packed(p, ("\uff0e\uff0e/evil.tif", b"x")), "leaves the folder"),
        "turned.zip": (lambda p: packed(p, ("fit\u202e.shp", b"x")), "leaves the folder"),
        "device.zip": (lambda p: packed(p, ("NUL.shp", b"x")), "is a device on some systems"),
        "cases.zip": (lambda p: packed(p, ("a.shp", b""), ("A.shp", b"")), "letters' case only"),
        "link.zip": (linked, "is a link"),
        "bomb.zip": (bomb, "would grow beyond all measure"),
        "overlap.zip": (overlapping, "lies where another file lies"),
        "method.zip": (lambda p: packed(p, ("a.shp", bytes(99)), method=12), "by method 12"),
        "million.zip": (lambda p: directory_of(p, MILLION, 1), "more than the 500000 files"),
        "liar.zip": (lambda p: directory_of(p, 3, 2000), "announces 3 files"),
        "crs.geojson": (
            lambda p: geojson(p, crs={"type": "link", "properties": {"href": f"{address}/crs"}}),
            "has its reference system at an address",
        ),
        "stolen.geojson": (lambda p: p.write_text(stolen), "cannot be read as a table"),
        "deep.geojson": (deep_json, "cannot be read as a table"),
        "deep.gltf": (deep_gltf, "nested deeper than 500 levels"),
        "vast.tif": (vast_raster, "pixels, more than are taken at once"),
        "elsewhere.tif": (lambda p: raster_elsewhere(p, address), "names another file in its tags"),
        "vast.las": (vast_cloud, "which cannot be sound"),
        "records.las": (many_records, "announces more records than it has"),
        "deep.parquet": (deep_shape, "holds no shape"),
        "endless.csv": (endless_table, "no table of pipe points"),
        "laughs.xlsx": (lambda p: workbook(p, LAUGHS), "no table of pipe points"),
        "outside.xlsx": (
            lambda p: workbook(p, f'<!ENTITY a SYSTEM "{address}/xxe">'), "no table of pipe points",
        ),
        "endless.gpkg": (endless_geopackage, "computes its table roads"),
        "vast.glb": (vast_picture, "of 60000 × 60000 pixels"),
        "climbs.obj": (
            lambda p: p.write_text("mtllib ../../../etc/passwd\nv 0 0 0\n"), "does not lie beside it"
        ),
        "city.gml": (lambda p: p.write_text("<!DOCTYPE a>"), "which cannot be read here"),
        "map.kml": (lambda p: p.write_text("<!DOCTYPE a>"), "which cannot be read here"),
    }  # fmt: skip
    for name, (write, _) in made.items():
        write(folder / name)
    return {name: words for name, (_, words) in made.items()}
