"""H3 cells, for those who draw them without a library of their own."""

from typing import Annotated

from fastapi import APIRouter, Body
from fastapi.responses import Response

from cim_core.cells import cell_named, cell_polygon
from server.answers import json_answer
from server.documented import documented, returns

router = APIRouter(tags=["cells"])

_AT_ONCE = 20_000


@router.post(
    "/cells/outlines",
    summary="Where cells lie",
    **documented("read", returns("Outlines")),
)
def cell_outlines(
    cells: Annotated[list[str], Body(max_length=_AT_ONCE, description="H3 cells as hexadecimal")],
) -> Response:
    """The corners of each cell as longitude and latitude, in the order of the cells."""
    polygons = [cell_polygon(cell_named(cell)) for cell in cells]
    return json_answer({"outlines": [list(polygon.exterior.coords)[:-1] for polygon in polygons]})
