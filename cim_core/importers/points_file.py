"""LAS, LAZ and COPC as they lie on disk: what a header says, and the points portion by portion."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import laspy
import lazrs
import numpy as np
from laspy.vlrs.known import GeoKeyDirectoryVlr, WktCoordinateSystemVlr
from numpy.typing import NDArray

from cim_core.errors import InvalidInput
from cim_core.hostile import check_growth
from cim_core.mesh import Floats

EXTENSIONS = (".las", ".laz")

_AT_ONCE = 500_000
"""Points in memory at a time, about 100 MB with all that is computed of them."""

_HEADER, _RECORD, _LATER_RECORD = 375, 54, 60
"""Bytes of the header of LAS 1.4, and of those of its records before and behind the points."""

_UNREADABLE = (laspy.errors.LaspyException, lazrs.LazrsError, ValueError, struct.error, EOFError)

# GeoTIFF 1.1, annex C: the keys and the codes of units that LAS files use.
_GEOGRAPHIC_KEY, _PROJECTED_KEY, _VERTICAL_UNITS_KEY = 2048, 3072, 4099
_CODES = range(1024, 32767)
_UNITS = {9001: "metre", 9002: "foot", 9003: "us-foot"}


@dataclass(frozen=True, slots=True)
class Scan:
    """What the header of a file says.

    crs
        Its reference system as WKT, else the EPSG code among its GeoTIFF keys; empty if it says
        none that can be used.
    vertical_unit
        The unit of heights by the GeoTIFF keys, where the WKT has none: "metre", "foot", "us-foot".
    box
        (2, 3) the lowest and highest coordinates, in axis units of its system.
    """

    path: Path
    name: str
    points: int
    box: Floats
    crs: str
    vertical_unit: str | None
    has_color: bool


@dataclass(frozen=True, slots=True)
class Portion:
    """Some points of a file: (n, 3) positions in its axis units, (n,) each of the rest.

    `color` is (n, 3) uint16 over the whole range, or None; `classification` uint8 as ASPRS has it,
    `intensity` uint16.
    """

    positions: Floats
    classification: NDArray[np.uint8]
    intensity: NDArray[np.uint16]
    color: NDArray[np.uint16] | None


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that have the ending of a point cloud, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in EXTENSIONS)


def read_header(path: Path, name: str) -> Scan:
    """What a file says of itself; raises `InvalidInput` when it is none or holds no points."""
    with _readable(name):
        _check_records(path)
    with _readable(name), laspy.open(path) as reader:
        header = reader.header
        vlrs = [*header.vlrs, *(header.evlrs or ())]
        keys, wkt = _geo_keys(vlrs), _wkt(vlrs)
        scan = Scan(
            path, name, header.point_count, np.array([header.mins, header.maxs], np.float64),
            wkt or _epsg(keys),
            None if "VERT" in wkt.upper() else _UNITS.get(keys.get(_VERTICAL_UNITS_KEY, 0)),
            "red" in header.point_format.dimension_names,
        )  # fmt: skip
        whole = header.offset_to_point_data + header.point_count * header.point_format.size
        packed = header.are_points_compressed
    size = path.stat().st_size
    check_growth(name, whole, size)
    if not packed and whole > size:
        raise InvalidInput(
            f"{name} is cut off: it holds {size} bytes, and the {scan.points} points it announces need "
            f"{whole}; copy it again"
        )
    if scan.points == 0 or not np.isfinite(scan.box).all():
        raise InvalidInput(f"{name} holds no points; export it again")
    return scan


def _check_records(path: Path) -> None:
    """Raise `ValueError` where a header announces more records than its file can hold.

    laspy goes through all that are announced, be there any or not. Source: LAS 1.4 R15, table 3.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEADER)
    offset, records = struct.unpack_from("<2L", head, 96)
    if records * _RECORD > offset or offset > size:
        raise ValueError("its header announces more records than it has")
    if head[25] >= 4:
        start, later = struct.unpack_from("<QL", head, 235)
        if later * _LATER_RECORD > max(size - start, 0):
            raise ValueError("its header announces more records than it has")


def read_points(scan: Scan) -> Iterator[Portion]:
    """The points of a file in its order; raises `InvalidInput` when it ends before its time."""
    seen, factor = 0, 1
    with _readable(scan.name), laspy.open(scan.path) as reader:
        for points in reader.chunk_iterator(_AT_ONCE):
            color = None
            if scan.has_color:
                color = np.column_stack([points.red, points.green, points.blue])
                # The standard wants 16 bits. Many write 8: then nothing in all the first portion is
                # brighter than 255 of 65535, which would be black.
                if seen == 0 and int(color.max()) < 256:
                    factor = 257
                color = (np.minimum(color, 65535 // factor) * np.uint16(factor)).astype(np.uint16)
            seen += len(points)
            yield Portion(
                np.column_stack([points.x, points.y, points.z]),
                np.asarray(points.classification, np.uint8),
                np.asarray(points.intensity, np.uint16),
                color,
            )
    if seen != scan.points:
        raise InvalidInput(
            f"{scan.name} is cut off: it holds {seen} of the {scan.points} points it announces; "
            "copy it again"
        )


@contextmanager
def write_points(path: Path, *, with_color: bool) -> Iterator["PointWriter"]:
    """A LAS file of points in a local frame, metres kept to the millimetre."""
    header = laspy.LasHeader(point_format=7 if with_color else 6, version="1.4")
    header.scales, header.offsets = np.full(3, 0.001), np.zeros(3)
    with laspy.open(path, mode="w", header=header) as writer:
        yield PointWriter(writer)


class PointWriter:
    """Writes portions, one after the other."""

    def __init__(self, writer: laspy.LasWriter) -> None:
        self._writer = writer

    def write(self, positions: Floats, portion: Portion) -> None:
        """Append a portion at other positions, (n, 3) metres."""
        header = self._writer.header
        record = laspy.ScaleAwarePointRecord.zeros(len(positions), header=header)
        record.x, record.y, record.z = positions.T
        record.classification = portion.classification
        record.intensity = portion.intensity
        if portion.color is not None:
            record.red, record.green, record.blue = portion.color.T
        self._writer.write_points(record)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise InvalidInput(
            f"{name} cannot be read as a LAS file ({error}); export it again"
        ) from error


def _wkt(vlrs: list[laspy.VLR]) -> str:
    """The WKT record's text; some programs write an empty one, or only quotation marks."""
    texts = [vlr.string for vlr in vlrs if isinstance(vlr, WktCoordinateSystemVlr)]
    return next((text for text in (t.strip("\0\"' \r\n\t") for t in texts) if text), "")


def _geo_keys(vlrs: list[laspy.VLR]) -> dict[int, int]:
    """The GeoTIFF keys whose value stands in the directory itself."""
    return {
        key.id: key.value_offset
        for vlr in vlrs
        if isinstance(vlr, GeoKeyDirectoryVlr)
        for key in vlr.geo_keys
        if key.tiff_tag_location == 0
    }


def _epsg(keys: dict[int, int]) -> str:
    codes = (keys.get(_PROJECTED_KEY, 0), keys.get(_GEOGRAPHIC_KEY, 0))
    return next((f"EPSG:{code}" for code in codes if code in _CODES), "")
