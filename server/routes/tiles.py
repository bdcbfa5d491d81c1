"""Map tiles (XYZ, Web Mercator): vector tiles, and pictures to drape over terrain.

A version never changes, so neither do its tiles: they may be kept for ever.
"""

import gzip
from typing import Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from cim_core import __version__
from cim_core.errors import NotFound
from server.rastertiles import MEDIA_TYPES, RASTER_KINDS, Picture, Style, raster_tile
from server.state import StateDep
from server.vectortiles import picture_tile, vector_tile
from tiles.mercator import MapTile

router = APIRouter(tags=["tiles"])

_MVT = "application/vnd.mapbox-vector-tile"


@router.get(
    "/tiles/{layer}/{version}/{z}/{x}/{y}.{ending}",
    summary="A map tile of a layer",
    response_class=Response,
    responses={
        200: {"content": {_MVT: {}, "image/png": {}, "image/jpeg": {}, "image/webp": {}}},
        204: {"description": "nothing of the layer lies in this tile"},
    },
)
def get_tile(
    layer: str,
    version: int,
    z: int,
    x: int,
    y: int,
    ending: Literal["mvt", "png", "jpg", "webp"],
    request: Request,
    state: StateDep,
) -> Response:
    """A tile of a published version: `mvt` for maps that draw themselves, `png` for all others.

    Pictures of the ground come as `jpg` and `webp` as well.
    """
    known = state.city.layers.version(layer, version)
    tile = MapTile(z, x, y)
    headers = _headers(version, z, x, y, ending)
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if ending != "mvt" and known.summary.get("kind") in RASTER_KINDS:
        data = raster_tile(state.city, known, tile, None, ending)
        return Response(data, 200, headers, MEDIA_TYPES[ending])
    match ending:
        case "jpg" | "webp":
            raise NotFound(f"the layer {layer!r} has no {ending} tiles; ask it for png or mvt")
        case "png":
            return Response(picture_tile(state.city, known, tile), 200, headers, "image/png")
        case "mvt":
            data = vector_tile(state.city, known, tile)
            if not data:
                return Response(status_code=204, headers=headers)
            if "gzip" in request.headers.get("accept-encoding", ""):
                headers["content-encoding"] = "gzip"
                data = gzip.compress(data, 6, mtime=0)
            return Response(data, 200, headers, _MVT)


@router.get(
    "/tiles/{layer}/{version}/{style}/{z}/{x}/{y}.{ending}",
    summary="A map tile of the relief of a terrain layer",
    response_class=Response,
    responses={200: {"content": {media: {} for media in MEDIA_TYPES.values()}}},
)
def get_relief_tile(
    layer: str,
    version: int,
    style: Style,
    z: int,
    x: int,
    y: int,
    ending: Picture,
    request: Request,
    state: StateDep,
) -> Response:
    """Its slopes or its shades; transparent where heights are unknown."""
    known = state.city.layers.version(layer, version)
    headers = _headers(version, z, x, y, f"{style}-{ending}")
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    data = raster_tile(state.city, known, MapTile(z, x, y), style, ending)
    return Response(data, 200, headers, MEDIA_TYPES[ending])


def _headers(version: int, z: int, x: int, y: int, what: str) -> dict[str, str]:
    return {
        "cache-control": "public, max-age=31536000, immutable",
        "etag": f'"{__version__}-{version}-{z}-{x}-{y}-{what}"',
        "vary": "Accept-Encoding",
    }
