"""Mapbox Vector Tiles 2.1: shapes with their attributes for two-dimensional maps.

Source: the Mapbox Vector Tile specification, version 2.1, sections 4.2 to 4.4. Geometry is encoded
by whole arrays, which is what makes thousands of features in one tile affordable.
"""

import struct
from collections.abc import Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.mercator import MapTile, Shapes

EXTENT = 4096
_BUFFER = 64
"""Grid units beyond the edge of a tile, so that lines and fills show no seam: four pixels of 256."""

_SIMPLE = 4.0
"""Grid units by which a shape may be simplified: a quarter of a pixel of 256."""

_TYPES = {0: 1, 1: 2, 2: 3}
"""Points, lines and areas by their dimension, as the specification numbers them."""

Ints = NDArray[np.uint32]
Attribute = str | int | float | bool


def encode_tile(
    tile: MapTile,
    layer: str,
    shapes: Shapes,
    ids: Sequence[int],
    attributes: Sequence[Mapping[str, Attribute]],
) -> bytes:
    """A tile of one layer; empty where nothing of it is left in the tile.

    shapes (n,) are in longitude and latitude; ids (n,) are whole numbers of their own, attributes
    (n,) what is told of each.
    """
    fitted, rows = fit(tile, shapes)
    if not len(rows):
        return b""
    types, geometries = encode_geometries(fitted)
    keys: dict[str, int] = {}
    values: dict[tuple[type, Attribute], int] = {}
    features = []
    for row, kind, geometry in zip(rows.tolist(), types, geometries, strict=True):
        tags = b"".join(
            _varint(keys.setdefault(key, len(keys)))
            + _varint(values.setdefault((type(value), value), len(values)))
            for key, value in attributes[row].items()
        )
        body = b"\x08" + _varint(ids[row]) + (_message(2, tags) if tags else b"")
        features.append(_message(2, body + b"\x18" + _varint(kind) + _message(4, geometry)))
    body = b"".join(
        [
            _message(1, layer.encode()),
            *features,
            *(_message(3, key.encode()) for key in keys),
            *(_message(4, _value(value)) for _, value in values),
            b"\x28" + _varint(EXTENT),
            b"\x78\x02",
        ]
    )
    return _message(3, body)


def fit(tile: MapTile, shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """Shapes as they are drawn in a tile, and the rows (k,) they were, k may be more or less than n.

    They are simplified, cut a little beyond the tile, and lie on its grid of whole numbers; areas
    stay valid. What is left is of one dimension each.
    """
    grid = tile.grid(shapes, EXTENT)
    window = shapely.box(-_BUFFER, -_BUFFER, EXTENT + _BUFFER, EXTENT + _BUFFER)
    simple = shapely.simplify(grid, _SIMPLE)
    shapely.prepare(window)
    across = np.flatnonzero(~shapely.contains_properly(window, simple))
    simple[across] = shapely.intersection(shapely.make_valid(simple[across]), window)
    simple = shapely.set_precision(simple, 1.0)
    parts, rows = _parts(simple)
    kept = ~shapely.is_empty(parts)
    return parts[kept], rows[kept]


def _parts(shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """Shapes of one dimension each: collections, also those that cutting leaves, by their parts."""
    mixed = shapely.get_type_id(shapes) == 7
    if not mixed.any():
        return shapes, np.arange(len(shapes))
    found: list[shapely.Geometry] = list(shapes[~mixed])
    rows = np.flatnonzero(~mixed).tolist()
    for row in np.flatnonzero(mixed).tolist():
        inner = shapely.get_parts(shapes[row])
        inner = shapely.get_parts(inner)  # a collection may hold multipolygons
        by_dimension = shapely.get_dimensions(inner)
        for dimension, make in enumerate(
            (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
        ):
            if (by_dimension == dimension).any():
                found.append(make(inner[by_dimension == dimension]))
                rows.append(row)
    return np.array(found, object), np.array(rows, np.int64)


def encode_geometries(shapes: Shapes) -> tuple[list[int], list[bytes]]:
    """The type and the command stream of each shape (n,), whole numbers in the grid of a tile.

    Outlines turn as the specification wants it, positive in a grid whose y goes down.
    """
    dimensions = shapely.get_dimensions(shapes)
    shapes = shapely.orient_polygons(shapes)
    parts, part_row = shapely.get_parts(shapes, return_index=True)
    rings = np.flatnonzero(shapely.get_type_id(parts) == 3)
    pieces, piece_part = _pieces(parts, rings)
    points, point_piece = shapely.get_coordinates(pieces, return_index=True)
    closed = (shapely.get_type_id(parts) == 3)[piece_part]
    # The last corner of a ring is its first again, and is not written.
    last = np.append(point_piece[1:] != point_piece[:-1], True)
    kept = ~(last & closed[point_piece])
    points, point_piece = np.rint(points[kept]).astype(np.int64), point_piece[kept]
    piece_row = part_row[piece_part]
    return [_TYPES[int(d)] for d in dimensions], _streams(
        points, point_piece, piece_row, closed, dimensions
    )


def _pieces(parts: Shapes, rings: NDArray[np.int64]) -> tuple[Shapes, NDArray[np.int64]]:
    """Points, lines and rings, in the order of the parts they belong to."""
    others = np.setdiff1d(np.arange(len(parts)), rings)
    lines, owner = shapely.get_rings(parts[rings], return_index=True)
    every = np.concatenate([parts[others], lines])
    owners = np.concatenate([others, rings[owner]]).astype(np.int64)
    order = np.argsort(owners, kind="stable")
    return every[order], owners[order]


def _streams(
    points: NDArray[np.int64],
    point_piece: NDArray[np.int64],
    piece_row: NDArray[np.int64],
    closed: NDArray[np.bool_],
    dimensions: NDArray[np.int32],
) -> list[bytes]:
    """The bytes of the commands of each row.

    points (p, 2) belong to the pieces point_piece (p,), these to the rows piece_row (q,); closed
    (q,) are rings. The points of one row are one piece: a MoveTo for all of them.
    """
    row = piece_row[point_piece]
    steps = np.diff(points, axis=0, prepend=np.zeros((1, 2), np.int64))
    first_of_row = np.append(True, row[1:] != row[:-1])
    steps[first_of_row] = points[first_of_row]
    zigzag = ((steps << 1) ^ (steps >> 63)).astype(np.uint32)
    dotted = dimensions[piece_row] == 0
    # Of a multipoint all points are one run; of lines and rings each piece is.
    run_of_piece = np.cumsum(np.append(True, (piece_row[1:] != piece_row[:-1]) | ~dotted[1:])) - 1
    run = run_of_piece[point_piece]
    runs = int(run_of_piece[-1]) + 1
    sizes = np.bincount(run, minlength=runs)
    first_piece = np.searchsorted(run_of_piece, np.arange(runs))
    dots, rings = dotted[first_piece], closed[first_piece]
    # MoveTo and its pair, LineTo and its pairs, ClosePath.
    lengths = np.where(dots, 1 + 2 * sizes, 2 + 2 * sizes + rings)
    ends = np.cumsum(lengths)
    starts = ends - lengths
    stream = np.zeros(int(ends[-1]), np.uint32)
    stream[starts] = np.where(dots, (sizes << 3) | 1, (1 << 3) | 1)
    stream[starts[~dots] + 3] = ((sizes[~dots] - 1) << 3) | 2
    stream[ends[rings] - 1] = (1 << 3) | 7
    place = np.arange(len(points)) - (np.cumsum(sizes) - sizes)[run]
    at = starts[run] + 1 + 2 * place + np.where(dots[run] | (place == 0), 0, 1)
    stream[at], stream[at + 1] = zigzag[:, 0], zigzag[:, 1]
    data, byte_ends = _varints(stream)
    run_row = piece_row[first_piece]
    last_of_row = np.append(run_row[1:] != run_row[:-1], True)
    row_ends = byte_ends[ends[last_of_row] - 1].tolist()
    return [data[a:b] for a, b in zip([0, *row_ends[:-1]], row_ends, strict=True)]


def _varints(numbers: Ints) -> tuple[bytes, NDArray[np.int64]]:
    """Numbers (n,) as varints end to end, and where each ends, (n,)."""
    limits = np.array([1 << bits for bits in (7, 14, 21, 28)], np.uint32)
    sizes = 1 + np.searchsorted(limits, numbers, side="right")
    ends = np.cumsum(sizes)
    out = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    starts = ends - sizes
    for place in range(5):
        there = sizes > place
        more = (sizes[there] > place + 1).astype(np.uint32) << 7
        out[starts[there] + place] = ((numbers[there] >> np.uint32(7 * place)) & 0x7F) | more
    return out.tobytes(), ends


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _message(number: int, body: bytes) -> bytes:
    """A field with a length, as Protocol Buffers have it."""
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _value(value: Attribute) -> bytes:
    """A value of an attribute: yes or no, whole number, number or text."""
    if isinstance(value, bool):
        return b"\x38" + bytes([value])
    if isinstance(value, int):
        if abs(value) < 1 << 62:
            return b"\x30" + _varint((value << 1) ^ (value >> 63))
        value = float(value)
    if isinstance(value, float):
        return b"\x19" + struct.pack("<d", value)
    return _message(1, value.encode())
