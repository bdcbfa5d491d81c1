"""Map tiles (XYZ, Web Mercator): vector tiles, and pictures to drape over terrain.

A version never changes, so neither do its tiles: they may be kept for ever.
"""

import gzip
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cim_core import __version__
from cim_core.errors import NotFound
from cim_core.store.layers import LayerVersion
from server.access.shown import PRIVATE, is_open
from server.documented import GridPath, LayerPath, LevelPath, VersionPath, documented, returns
from server.rastertiles import MEDIA_TYPES, RASTER_KINDS, Picture, Style, raster_tile
from server.state import CityDep, State, StateDep, TakingDep
from server.tilefiles import FOREVER
from server.vectortiles import picture_tile, vector_tile
from tiles.mercator import MapTile

router = APIRouter(tags=["tiles"])

_MVT = "application/vnd.mapbox-vector-tile"
_KEPT = ("ETag", "Cache-Control")


@router.get(
    "/tiles/{layer}/{version}/{z}/{x}/{y}.{ending}",
    summary="A map tile of a layer",
    **documented(
        "read",
        returns(dict.fromkeys((_MVT, *MEDIA_TYPES.values())), headers=_KEPT),
        returns(status=204, headers=_KEPT),
        returns(status=304, headers=_KEPT),
        problems=(404,),
    ),
)
def get_tile(
    layer: LayerPath,
    version: VersionPath,
    z: LevelPath,
    x: GridPath,
    y: GridPath,
    ending: Literal["mvt", "png", "jpg", "webp"],
    request: Request,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
) -> Response:
    """A tile of a published version: `mvt` for maps that draw themselves, `png` for all others.

    Pictures of the ground come as `jpg` and `webp` as well.
    """
    known = city.layers.version(layer, version)
    tile = MapTile(z, x, y)
    taking.map_tile(known, tile, ending)
    headers = _headers(state, known, z, x, y, ending)
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if ending != "mvt" and known.summary.get("kind") in RASTER_KINDS:
        data = raster_tile(city, known, tile, None, ending)
        return Response(data, 200, headers, MEDIA_TYPES[ending])
    match ending:
        case "jpg" | "webp":
            raise NotFound(f"the layer {layer!r} has no {ending} tiles; ask it for png or mvt")
        case "png":
            return Response(picture_tile(city, known, tile), 200, headers, "image/png")
        case "mvt":
            data = vector_tile(city, known, tile)
            if not data:
                return Response(status_code=204, headers=headers)
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["content-encoding"] = "gzip"
                data = gzip.compress(data, 6, mtime=0)
            return Response(data, 200, headers, _MVT)


@router.get(
    "/tiles/{layer}/{version}/{style}/{z}/{x}/{y}.{ending}",
    summary="A map tile of the relief of a terrain layer",
    **documented(
        "read",
        returns(dict.fromkeys(MEDIA_TYPES.values()), headers=_KEPT),
        returns(status=304, headers=_KEPT),
        problems=(404,),
    ),
)
def get_relief_tile(
    layer: LayerPath,
    version: VersionPath,
    style: Style,
    z: LevelPath,
    x: GridPath,
    y: GridPath,
    ending: Picture,
    request: Request,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
) -> Response:
    """Its slopes or its shades; transparent where heights are unknown."""
    known = city.layers.version(layer, version)
    tile = MapTile(z, x, y)
    taking.map_tile(known, tile, ending)
    headers = _headers(state, known, z, x, y, f"{style}-{ending}")
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = raster_tile(city, known, tile, style, ending)
    return Response(data, 200, headers, MEDIA_TYPES[ending])


def _headers(
    state: State, known: LayerVersion, z: int, x: int, y: int, what: str
) -> dict[str, str]:
    key = known.part.key
    everybodys = not key and is_open(state.gate, known.layer)
    return {
        "cache-control": (FOREVER if everybodys else PRIVATE).decode(),
        "etag": f'"{__version__}-{known.version}-{z}-{x}-{y}-{what}{key}"',
        "vary": "Accept-Encoding",
    }
