"""The Web Map Tile Service: where desktop GIS finds the tiles of all layers."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.state import CityDep
from server.wmts import capabilities

router = APIRouter(tags=["tiles"])


@router.get(
    "/wmts",
    summary="WMTS capabilities",
    response_class=Response,
    responses={200: {"content": {"application/xml": {}}}},
)
def get_capabilities(request: Request, city: CityDep) -> Response:
    """The layers with map tiles, for clients of WMTS 1.0.0 that take RESTful addresses."""
    base = str(request.base_url).rstrip("/")
    text = capabilities(city.layers.current(), base)
    return Response(text, 200, {"cache-control": "no-cache"}, "application/xml")
