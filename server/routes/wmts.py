"""The Web Map Tile Service: where desktop GIS finds the tiles of all layers."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.documented import documented, returns
from server.state import CityDep, PrefixDep
from server.wmts import capabilities

router = APIRouter(tags=["tiles"])


@router.get(
    "/wmts", summary="WMTS capabilities", **documented("read", returns({"application/xml": None}))
)
def get_capabilities(request: Request, city: CityDep, prefixes: PrefixDep) -> Response:
    """The layers with map tiles, for clients of WMTS 1.0.0 that take RESTful addresses."""
    base = str(request.base_url).rstrip("/")
    versions = city.layers.current()
    text = capabilities(versions, base, prefixes(versions))
    return Response(text, 200, {"cache-control": "no-cache"}, "application/xml")
