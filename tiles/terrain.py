"""Terrain tiles: the surface of a layer as quantized-mesh, over the whole globe.

A planned surface comes with the present ground below it, as one. Where nothing is known the ground
lies at the zero of the city's vertical datum. All levels down to that of a surface's pixels have
every tile it touches, and the first level both of its two, without which no viewer starts. Finer
levels have tiles only where these add something.
"""

import gzip
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cim_core.files import make_tree_durable
from cim_core.ground import Surface
from cim_core.layer import Layer, Terrain
from cim_core.mesh import Floats, Indices
from cim_core.progress import Progress
from cim_core.reference import METRES_PER_DEGREE
from cim_core.store.layer_summary import TilesetSummary
from tiles.quantized_mesh import STEPS, TileMesh, encode
from tiles.terrain_index import Tile, write_layer_json
from tiles.terrain_mesh import CELLS, detail, errors, triangulated

FOLDER = "terrain"

_TOLERANCE = 0.25
"""How far a vertex left out may be from the mesh at the level of the surface's pixels, metres; it
doubles with every coarser level."""
_DETAIL = 0.3
"""What a vertex of a finer level must add for its tile to be made, metres."""
_FINER_LEVELS = 3
"""Levels below that of the pixels: between pixels a surface is bent, which steep places show."""
_FINEST_LEVEL = 22
_BATCH = 8
"""Tiles along the side of a square that is computed at once."""
_HALO = CELLS + 16
"""Vertices around a batch that its vertices may depend on, and some to continue the edge."""
_SURE = 16
"""Every so many vertices their place in the surface is computed, in between it is interpolated."""
_INTERPOLATED_FROM = 8
"""The level from which a map projection is straight enough between those."""
_CONTINUED = 2
"""Vertices by which the surface is continued, so that no triangle within it leans on the outside."""
_LEVEL_0_ERROR = 77_067.34
"""What Cesium takes a tile of level 0 to be wrong by, metres."""

_QUARTERS = ((0, 0), (1, 0), (0, 1), (1, 1))


def build_terrain(
    layer: Layer, terrain: Terrain, folder: Path, progress: Progress
) -> TilesetSummary:
    """Write the tiles of a layer below `folder`, with their layer.json; the same layer, same bytes.

    `deviation` in the summary is how far a triangle's middle may be from its grid.
    """
    surfaces = tuple(Surface(path) for path in (terrain.surface, *terrain.below))
    own_levels = tuple(_own_level(surface) for surface in surfaces)
    start = min(own_levels)
    step = _height_step(terrain, surfaces[1:])
    pyramid = _Pyramid(surfaces, own_levels, terrain.geoid_separation, step)
    available: dict[int, set[Tile]] = {}
    tally = _Tally(folder / FOLDER, progress)
    wanted = set().union(*(_square(surface.bounds_wgs84, start) for surface in surfaces))
    tally.expect(len(wanted) * 4 // 3)
    available[start] = tally.write(pyramid, start, wanted)
    finest = start
    deepest = min(max(own_levels) + _FINER_LEVELS, _FINEST_LEVEL)
    while finest < deepest and available[finest]:
        children = {(2 * x + i, 2 * y + j) for x, y in available[finest] for i, j in _QUARTERS}
        finest += 1
        tally.expect(len(children))
        available[finest] = tally.write(pyramid, finest, children)
    for level in range(start - 1, -1, -1):
        parents = {(x >> 1, y >> 1) for x, y in available[level + 1]}
        wanted = parents | {(0, 0), (1, 0)} if level == 0 else parents
        available[level] = tally.write(pyramid, level, wanted)
    levels = [available[level] for level in sorted(available) if available[level]]
    write_layer_json(layer, surfaces, folder / FOLDER, levels)
    make_tree_durable(folder)
    return TilesetSummary(
        bytes=tally.bytes, leaf_bytes=tally.bytes, tiles=sum(map(len, levels)), reused_tiles=0,
        triangles=tally.triangles, deviation=_TOLERANCE + _DETAIL,
    )  # fmt: skip


class _Tally:
    """Writes tiles and counts them."""

    def __init__(self, folder: Path, progress: Progress) -> None:
        self.bytes = self.triangles = self._done = self._expected = 0
        self._folder, self._progress = folder, progress

    def expect(self, tiles: int) -> None:
        """So many more tiles will be looked at."""
        self._expected += tiles

    def write(self, pyramid: "_Pyramid", level: int, wanted: set[Tile]) -> set[Tile]:
        """Make tiles of a level; those of them that were worth it."""
        made: set[Tile] = set()
        for batch in _batches(wanted):
            self._progress(self._done, max(self._done, self._expected), "tiling")
            self._done += len(batch)
            for tile, data, triangles in pyramid.tiles(level, batch):
                path = self._folder / str(level) / str(tile[0]) / f"{tile[1]}.terrain"
                path.parent.mkdir(parents=True, exist_ok=True)
                # All clients take it packed, and FileApp unpacks it for those that do not.
                self.bytes += path.write_bytes(gzip.compress(data, 6, mtime=0))
                self.triangles += triangles
                made.add(tile)
        return made


def _own_level(surface: Surface) -> int:
    """The last level whose vertices lie no closer than the surface's pixels.

    The next one sees every pixel, so nothing that matters stays unseen.
    """
    level = math.floor(math.log2(180 * METRES_PER_DEGREE / (CELLS * surface.pixel)))
    return min(max(level, 0), _FINEST_LEVEL)


def _height_step(terrain: Terrain, below: Sequence[Surface]) -> float:
    """What all heights are rounded to, metres: a power of two, so that tiles can share it exactly.

    The heights of any tile fit into its steps.
    """
    lows, highs = zip(terrain.heights, *(surface.reach() for surface in below), strict=True)
    reach = max(0.0, *highs) - min(0.0, *lows)
    return math.ldexp(1.0, math.ceil(math.log2(max(reach, 32.0) / (STEPS - 1))))


def _square(bounds: tuple[float, float, float, float], level: int) -> set[Tile]:
    """The tiles of a level that touch a box."""
    side = 180 / 2**level
    west, south, east, north = bounds
    columns = range(math.floor((west + 180) / side), math.floor((east + 180) / side) + 1)
    rows = range(math.floor((south + 90) / side), math.floor((north + 90) / side) + 1)
    most_x, most_y = 2 ** (level + 1) - 1, 2**level - 1
    return {(min(x, most_x), min(y, most_y)) for x in columns for y in rows}


def _batches(tiles: set[Tile]) -> Iterator[list[Tile]]:
    squares: dict[Tile, list[Tile]] = defaultdict(list)
    for x, y in sorted(tiles):
        squares[x // _BATCH, y // _BATCH].append((x, y))
    yield from squares.values()


@dataclass(frozen=True, slots=True)
class _Pyramid:
    """Tiles of any level.

    surfaces, own_levels
        The first on top, each with the level of its pixels.
    geoid_separation, step
        What heights are raised by, and then rounded to, metres.
    """

    surfaces: tuple[Surface, ...]
    own_levels: tuple[int, ...]
    geoid_separation: float
    step: float

    def tiles(self, level: int, batch: list[Tile]) -> Iterator[tuple[Tile, bytes, int]]:
        """Those of a batch of near tiles that are worth making, with their number of triangles."""
        spacing = 180 / 2**level / CELLS
        low, high = np.min(batch, axis=0), np.max(batch, axis=0) + 1
        west, south = (low * CELLS - _HALO).tolist()
        shape = tuple(((high - low)[::-1] * CELLS + 2 * _HALO + 1).tolist())
        heights, own = self._heights(level, (south, west), shape)
        corners = (np.array(batch) - low)[:, ::-1] * CELLS + _HALO
        if level >= min(self.own_levels):
            worth = (own >= level) | ((own >= 0) & (detail(heights) > _DETAIL))
            some = [
                self._leads_down(level, tile) or worth[r : r + CELLS + 1, c : c + CELLS + 1].any()
                for tile, (r, c) in zip(batch, corners.tolist(), strict=True)
            ]
            batch = [tile for tile, needed in zip(batch, some, strict=True) if needed]
            corners = corners[some]
        if not batch:
            return
        cut = _HALO - CELLS
        inner = heights[cut:-cut, cut:-cut]
        matters = errors(inner, spacing) > self._tolerance(level)
        triangles, bounds = triangulated(matters, corners - cut)
        up = _upwards(inner, ((south + cut) * spacing - 90, (west + cut) * spacing - 180), spacing)
        for n, (tile, corner) in enumerate(zip(batch, corners - cut, strict=True)):
            part = triangles[bounds[n] : bounds[n + 1]]
            mesh = self._mesh(level, tile, part, corner, inner, up)
            yield tile, encode(mesh), len(part)

    def _leads_down(self, level: int, tile: Tile) -> bool:
        """Whether a finer surface may be in a tile whose vertices are too far apart to see it."""
        side = 180 / 2**level
        west, south = tile[0] * side - 180, tile[1] * side - 90
        for surface, own_level in zip(self.surfaces, self.own_levels, strict=True):
            box = surface.bounds_wgs84
            beside = (
                box[0] > west + side or box[2] < west or box[1] > south + side or box[3] < south
            )
            if level < own_level and not beside:
                return True
        return False

    def _tolerance(self, level: int) -> float:
        by_level = math.ldexp(_TOLERANCE, max(min(self.own_levels) - level, 0))
        return max(_TOLERANCE, min(by_level, math.ldexp(0.1 * _LEVEL_0_ERROR, -level)))

    def _heights(
        self, level: int, start: tuple[int, int], shape: tuple[int, int]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Ellipsoidal heights of a part of a level's grid, and the own level of what gave each.

        `start` is the row and column it begins at, counted in vertices from the south-west of the
        globe. Where nothing is known, the level is -1.
        """
        spacing = 180 / 2**level / CELLS
        rows, columns = (s + np.arange(n) for s, n in zip(start, shape, strict=True))
        latitudes, longitudes = rows * spacing - 90, columns * spacing - 180
        heights, own = np.full(shape, np.nan), np.full(shape, -1)
        for surface, own_level in zip(self.surfaces, self.own_levels, strict=True):
            missing = np.isnan(heights) & _inside(surface, longitudes, latitudes)
            if missing.any():
                exact = level < _INTERPOLATED_FROM
                pixels = _pixels(surface, longitudes, latitudes, exact)[missing]
                heights[missing] = surface.at_pixels(pixels, _overview(surface, spacing))
                own[missing & np.isfinite(heights)] = own_level
        some = (own >= 0).any() and (own < 0).any()
        for _ in range(_CONTINUED if some else 0):
            _continue(heights)
        heights = np.where(np.isnan(heights), 0.0, heights) + self.geoid_separation
        return np.round(heights / self.step) * self.step, own

    def _mesh(
        self, level: int, tile: Tile, triangles: Indices, corner: NDArray[np.int64],
        heights: Floats, up: Floats,
    ) -> TileMesh:  # fmt: skip
        vertices, first, place = np.unique(triangles, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        row, column = np.divmod(vertices[order], heights.shape[1])
        steps = np.round(heights[row, column] / self.step).astype(np.int64)
        bottom, reach = int(steps.min()), int(np.ptp(steps))
        # Only what lies below a planned surface can reach further than was seen of it.
        finer = math.ldexp(1.0, math.floor(math.log2(STEPS / max(reach, 1))))
        side = 180 / 2**level
        west, south = tile[0] * side - 180, tile[1] * side - 90
        return TileMesh(
            box=(west, south, west + side, south + side),
            across=np.round((column - corner[1]) * (STEPS / CELLS)).astype(np.int64),
            along=np.round((row - corner[0]) * (STEPS / CELLS)).astype(np.int64),
            up=np.round((steps - bottom) * finer).astype(np.int64),
            bottom=bottom * self.step,
            top=bottom * self.step + STEPS * self.step / finer,
            normals=up[row, column],
            triangles=rank[place.reshape(-1, 3)].astype(np.uint32),
        )


def _inside(surface: Surface, longitudes: Floats, latitudes: Floats) -> NDArray[np.bool_]:
    """Where the box of a surface is, (r, c): far from it, projections answer anything."""
    west, south, east, north = surface.bounds_wgs84
    across = (longitudes >= west) & (longitudes <= east)
    along = (latitudes >= south) & (latitudes <= north)
    return along[:, None] & across[None, :]


def _pixels(surface: Surface, longitudes: Floats, latitudes: Floats, exact: bool) -> Floats:
    """Where vertices lie in a surface: (r, c, 2) columns and rows of its pixels."""
    step = 1 if exact else _SURE
    lon, lat = np.meshgrid(longitudes[::step], latitudes[::step])
    sure = surface.pixels(np.column_stack([lon.ravel(), lat.ravel()]))
    sure = sure.reshape(*lon.shape, 2)
    return sure if exact else _between(_between(sure, 0), 1)


def _overview(surface: Surface, spacing: float) -> int:
    """The level of a surface's own pyramid whose pixels are just finer than a spacing, degrees."""
    ratio = spacing * METRES_PER_DEGREE / surface.pixel
    return min(max(math.floor(math.log2(ratio)), 0), surface.levels - 1)


def _between(sure: Floats, axis: int) -> Floats:
    """Values at every vertex from those at every `_SURE`th, along an axis.

    The same for a vertex whatever part of the grid is computed: the edges of tiles depend on it.
    """
    sure = np.moveaxis(sure, axis, 0)
    part = (np.arange(_SURE) / _SURE).reshape(_SURE, *[1] * (sure.ndim - 1))
    filled = (1 - part) * sure[:-1, None] + part * sure[1:, None]
    found = np.concatenate([filled.reshape(-1, *sure.shape[1:]), sure[-1:]])
    return np.moveaxis(found, 0, axis)


def _continue(heights: Floats) -> None:
    """Give what is unknown beside known heights (r, c) the mean of those, in place."""
    padded = np.pad(heights, 1, constant_values=np.nan)
    known = np.isfinite(padded)
    values = np.where(known, padded, 0.0)
    total, count = np.zeros(heights.shape), np.zeros(heights.shape)
    rows, columns = heights.shape
    for row in range(3):
        for column in range(3):
            total += values[row : row + rows, column : column + columns]
            count += known[row : row + rows, column : column + columns]
    beside = np.isnan(heights) & (count > 0)
    heights[beside] = total[beside] / count[beside]


def _upwards(heights: Floats, south_west: tuple[float, float], spacing: float) -> Floats:
    """The normals of a grid of heights, (r, c, 3) in EPSG:4978; `south_west` is latitude, longitude."""
    latitudes = np.radians(south_west[0] + np.arange(heights.shape[0]) * spacing)
    longitudes = np.radians(south_west[1] + np.arange(heights.shape[1]) * spacing)
    north, east = np.gradient(heights, spacing * METRES_PER_DEGREE)
    lat, lon = latitudes[:, None], longitudes[None, :]
    east = east / np.maximum(np.cos(lat), 1e-6)
    size = np.sqrt(1 + east**2 + north**2)
    x = -east * -np.sin(lon) - north * -np.sin(lat) * np.cos(lon) + np.cos(lat) * np.cos(lon)
    y = -east * np.cos(lon) - north * -np.sin(lat) * np.sin(lon) + np.cos(lat) * np.sin(lon)
    z = -north * np.cos(lat) + np.sin(lat)
    result: Floats = np.stack([x, y, z], axis=-1) / size[..., None]
    return result
