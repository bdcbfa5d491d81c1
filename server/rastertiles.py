"""Map tiles of rasters: pictures of the ground, and the relief of terrain. The door to rio-tiler."""

import tomllib
import warnings
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rio_tiler.constants import WEB_MERCATOR_CRS, WGS84_CRS
from rio_tiler.errors import TileOutsideBounds
from rio_tiler.io import Reader
from rio_tiler.models import ImageData

from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.layer import FILES, IMAGE, SURFACE
from cim_core.mesh import Floats
from cim_core.relief import hillshade, slope
from cim_core.sight import needs_whole
from cim_core.store.layers import LayerVersion
from tiles.mercator import MapTile

Style = Literal["hillshade", "slope"]
Picture = Literal["png", "jpg", "webp"]

SIZE = 256
MEDIA_TYPES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp"}

RASTER_KINDS = ("terrain", "imagery")
"""The kinds of layers that have such tiles."""

# A picture for the screen has no place, which rasterio remarks. rio-tiler silences that around each
# picture, but the filters of warnings belong to all threads, and another's end lets it through.
warnings.filterwarnings("ignore", "Dataset has no geotransform")

_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}


def raster_tile(
    city: City, known: LayerVersion, tile: MapTile, style: Style | None, ending: Picture
) -> bytes:
    """A tile of a layer of imagery, or of the relief of terrain: hillshade, if no style is said.

    Raises `NotFound` where the layer has no such tiles, `Forbidden` for the relief of a terrain whose
    heights are not shown.
    """
    folder = city.layers_folder / known.layer / str(known.version) / FILES
    kind = known.summary.get("kind")
    if kind == "terrain":
        if not known.part.heights:
            needs_whole(known.layer, known.part)  # a relief is made of nothing but heights
        return relief_tile(folder / SURFACE, tile, style or "hillshade", ending)
    if kind == "imagery" and style is None:
        return image_tile(folder / IMAGE, tile, ending)
    raise NotFound(f"the layer {known.layer!r} has no tiles of that style; ask it for png or mvt")


def image_tile(image: Path, tile: MapTile, ending: Picture) -> bytes:
    """A tile of a picture; what it does not cover is transparent, or black in a JPEG."""
    try:
        with Reader(str(image)) as reader:
            found = reader.tile(
                tile.x, tile.y, tile.z, tilesize=SIZE,
                resampling_method="bilinear", reproject_method="bilinear",
            )  # fmt: skip
    except TileOutsideBounds:
        return _nothing(ending)
    return _rendered(found, ending)


def relief_tile(surface: Path, tile: MapTile, style: Style, ending: Picture) -> bytes:
    """A tile of the relief of a surface; transparent where heights are unknown."""
    try:
        with Reader(str(surface)) as reader:
            found = reader.tile(
                tile.x, tile.y, tile.z, tilesize=SIZE, buffer=1,
                resampling_method="bilinear", reproject_method="bilinear",
            )  # fmt: skip
    except TileOutsideBounds:
        return _nothing(ending)
    heights = np.ma.filled(found.array[0].astype(np.float64), np.nan)
    cell = tile.metres() / SIZE
    shade = style == "hillshade"
    values = hillshade(heights, cell) if shade else slope(heights, cell)
    colours = (
        np.nan_to_num(values * 255).round().astype(np.uint8)[None] if shade else _coloured(values)
    )
    unknown = np.broadcast_to(np.isnan(values), colours.shape)
    return _rendered(_masked(colours, unknown), ending)


_DEGREE = 111_320.0
"""Metres of a degree of latitude, near enough to shade a picture."""


def preview(raster: Path, width: int, height: int, *, shaded: bool) -> bytes:
    """A small picture of a whole raster, PNG; of its relief if `shaded`."""
    with Reader(str(raster)) as reader:
        west, south, east, north = reader.get_geographic_bounds(WGS84_CRS)
        narrow = float(np.cos(np.radians((south + north) / 2)))
        tall = max(north - south, (east - west) * narrow * height / width)
        wide = tall / narrow * width / height
        lon, lat = (west + east) / 2, (south + north) / 2
        found = reader.part(
            (lon - wide / 2, lat - tall / 2, lon + wide / 2, lat + tall / 2),
            dst_crs=WEB_MERCATOR_CRS, width=width, height=height,
            resampling_method="bilinear", reproject_method="bilinear",
        )  # fmt: skip
    if not shaded:
        return _rendered(found, "png")
    heights = np.pad(np.ma.filled(found.array[0].astype(np.float64), np.nan), 1, mode="edge")
    values = hillshade(heights, tall * _DEGREE / height)
    unknown = np.isnan(values)[None]
    colours = np.nan_to_num(values * 255).round().astype(np.uint8)[None]
    return _rendered(_masked(colours, unknown), "png")


def _coloured(degrees: Floats) -> NDArray[np.uint8]:
    """Inclinations (h, w) as red, green and blue (3, h, w)."""
    at, colours = _ramp()
    known = np.nan_to_num(degrees)
    bands = [np.interp(known, at, band) for band in colours.T]
    return np.stack(bands).round().astype(np.uint8)


@lru_cache
def _ramp() -> tuple[Floats, Floats]:
    """Where the colours of slopes are fixed, (n,) degrees, and the colours, (n, 3)."""
    text = files("server").joinpath("relief.toml").read_text(encoding="utf-8")
    stops = tomllib.loads(text)["slope"]
    colours = [[int(stop["color"][k : k + 2], 16) for k in (1, 3, 5)] for stop in stops]
    return np.array([stop["degrees"] for stop in stops], float), np.array(colours, float)


def _masked(colours: NDArray[np.uint8], unknown: NDArray[np.bool_]) -> ImageData:
    """Bands (b, h, w) that are transparent where something is unknown, (b, h, w)."""
    masked: np.ma.MaskedArray = np.ma.masked_where(unknown, colours)  # type: ignore[no-untyped-call]
    return ImageData(masked)


def _rendered(image: ImageData, ending: Picture) -> bytes:
    """As a file; JPEG has no transparency."""
    data: bytes = image.render(img_format=_FORMATS[ending], add_mask=ending != "jpg")
    return data


@lru_cache
def _nothing(ending: Picture) -> bytes:
    """A tile where there is nothing: clients take it for a picture, as they would not an empty answer."""
    empty = np.zeros((3, SIZE, SIZE), np.uint8)
    return _rendered(_masked(empty, np.ones(empty.shape, bool)), ending)
