"""Terrain tiles as a client sees them: read by the letters of the format, nothing of the writer."""

import gzip
import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

A, E2 = 6378137.0, 0.0066943799901413165


def ecef(lon, lat, height):
    """EPSG:4978 by the closed formula."""
    lon, lat = np.radians(lon), np.radians(lat)
    n = A / np.sqrt(1 - E2 * np.sin(lat) ** 2)
    return np.stack(
        [
            (n + height) * np.cos(lat) * np.cos(lon),
            (n + height) * np.cos(lat) * np.sin(lon),
            (n * (1 - E2) + height) * np.sin(lat),
        ],
        axis=-1,
    )


@dataclass
class Decoded:
    center: tuple
    low: float
    high: float
    sphere: tuple
    occlusion: tuple
    lon: np.ndarray
    lat: np.ndarray
    height: np.ndarray
    u: np.ndarray
    v: np.ndarray
    triangles: np.ndarray
    edges: list
    normals: np.ndarray
    box: tuple

    def ecef(self):
        return ecef(self.lon, self.lat, self.height)

    def heights_at(self, lon, lat):
        """The height of the triangles at places within the tile; NaN where there is none."""
        found = np.full(len(lon), np.nan)
        x, y = self.lon[self.triangles], self.lat[self.triangles]
        z = self.height[self.triangles]
        for n in range(len(lon)):
            dx0, dy0 = x[:, 1] - x[:, 0], y[:, 1] - y[:, 0]
            dx1, dy1 = x[:, 2] - x[:, 0], y[:, 2] - y[:, 0]
            px, py = lon[n] - x[:, 0], lat[n] - y[:, 0]
            whole = dx0 * dy1 - dx1 * dy0
            b, c = (px * dy1 - dx1 * py) / whole, (dx0 * py - px * dy0) / whole
            hit = np.flatnonzero((b >= -1e-9) & (c >= -1e-9) & (b + c <= 1 + 1e-9))
            if len(hit):
                t = hit[0]
                found[n] = z[t, 0] + b[t] * (z[t, 1] - z[t, 0]) + c[t] * (z[t, 2] - z[t, 0])
        return found


def decode(data: bytes, level: int, x: int, y: int) -> Decoded:
    side = 180 / 2**level
    west, south = x * side - 180, y * side - 90
    values = struct.unpack_from("<3d2f4d3d", data, 0)
    at = 88
    (count,) = struct.unpack_from("<I", data, at)
    at += 4
    columns = []
    for _ in range(3):
        number, column = 0, []
        for (code,) in struct.iter_unpack("<H", data[at : at + 2 * count]):
            number += (code >> 1) ^ -(code & 1)
            column.append(number)
        columns.append(np.array(column))
        at += 2 * count
    assert at % 2 == 0
    (faces,) = struct.unpack_from("<I", data, at)
    at += 4
    highest, indices = 0, []
    for (code,) in struct.iter_unpack("<H", data[at : at + 6 * faces]):
        indices.append(highest - code)
        highest += code == 0
    at += 6 * faces
    edges = []
    for _ in range(4):
        (length,) = struct.unpack_from("<I", data, at)
        edges.append(np.frombuffer(data, "<u2", length, at + 4))
        at += 4 + 2 * length
    normals = None
    while at < len(data):
        kind, length = struct.unpack_from("<BI", data, at)
        at += 5
        if kind == 1:
            pairs = zip(data[at : at + length : 2], data[at + 1 : at + length : 2], strict=True)
            normals = np.array([_oct(*pair) for pair in pairs])
        at += length
    assert at == len(data)
    u, v, h = columns
    low, high = values[3], values[4]
    return Decoded(
        center=values[:3], low=low, high=high, sphere=values[5:9], occlusion=values[9:12],
        lon=west + u / 32767 * side, lat=south + v / 32767 * side,
        height=low + h / 32767 * (high - low), u=u, v=v,
        triangles=np.array(indices).reshape(-1, 3), edges=edges, normals=normals,
        box=(west, south, west + side, south + side),
    )  # fmt: skip


def _oct(a: int, b: int):
    x, y = a / 255 * 2 - 1, b / 255 * 2 - 1
    z = 1 - abs(x) - abs(y)
    if z < 0:
        x, y = (1 - abs(y)) * math.copysign(1, x), (1 - abs(x)) * math.copysign(1, y)
    size = math.sqrt(x * x + y * y + z * z)
    return x / size, y / size, z / size


def read_tile(folder: Path, level: int, x: int, y: int) -> Decoded:
    path = folder / str(level) / str(x) / f"{y}.terrain"
    return decode(gzip.decompress(path.read_bytes()), level, x, y)


def named_tiles(folder: Path) -> list[set[tuple[int, int]]]:
    """The tiles layer.json names, by level."""
    described = json.loads((folder / "layer.json").read_bytes())
    return [
        {
            (x, y)
            for r in ranges
            for x in range(r["startX"], r["endX"] + 1)
            for y in range(r["startY"], r["endY"] + 1)
        }
        for ranges in described["available"]
    ]


def served_heights(folder: Path, lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    """What a client that wants the finest tile of each place draws: ellipsoidal heights."""
    found = np.full(len(lon), np.nan)
    named = named_tiles(folder)
    for level in range(len(named) - 1, -1, -1):
        side = 180 / 2**level
        x, y = np.floor((lon + 180) / side).astype(int), np.floor((lat + 90) / side).astype(int)
        open_ones = np.isnan(found)
        here = {*zip(x[open_ones].tolist(), y[open_ones].tolist(), strict=True)}
        for tile in here & named[level]:
            rows = open_ones & (x == tile[0]) & (y == tile[1])
            found[rows] = read_tile(folder, level, *tile).heights_at(lon[rows], lat[rows])
    return found
