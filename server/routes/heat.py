"""One observed property by H3 cell: JSON, Arrow, and map tiles."""

import gzip
import time
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from analysis.heat_map import MOST_CELLS, HeatAsked, Statistic, everywhere, usual_resolution
from cim_core.cells import FINEST
from cim_core.errors import InvalidInput
from cim_core.observations import LAST_TIME, Streams
from server.answers import json_answer
from server.arrow import MEDIA_TYPE, arrow_stream
from server.documented import JSON, GridPath, LevelPath, documented, returns
from server.heat_tiles import MVT, heat_tile
from server.observing import chosen_streams, heat_document
from server.parameters import parse_bbox
from server.state import CityDep, StateDep, TakingDep
from tiles.mercator import MapTile

router = APIRouter(tags=["observations"])

_WINDOW = 3600.0
_YEAR = 366 * 24 * 3600.0
_KEPT = ("ETag", "Cache-Control")
_GRAINS = 720
_GRAIN_MOST, _GRAIN_LEAST = 300_000, 1_000
"""The end of a window that ends now is rounded up to a part of it, milliseconds, so that all who ask
within that time ask the same."""

PropertyPath = Annotated[str, Path(alias="property", description="the code of what is observed")]
ClassQuery = Annotated[str | None, Query(alias="class", description="a class of things")]
TimeQuery = Annotated[
    int | None, Query(ge=0, le=LAST_TIME, description="milliseconds since 1970, UTC")
]
WindowQuery = Annotated[
    float | None, Query(gt=0, le=_YEAR, description="seconds before the end; an hour if not told")
]
ResolutionQuery = Annotated[int | None, Query(ge=0, le=FINEST, description="of the cells")]


@router.get(
    "/heat/{property}",
    summary="An observed property by H3 cell",
    **documented(
        "read",
        returns({JSON: "Heat", MEDIA_TYPE: None}, headers=_KEPT),
        returns(status=304, headers=_KEPT),
    ),
)
def get_heat(
    property_: PropertyPath,
    request: Request,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    start: TimeQuery = None,
    end: TimeQuery = None,
    window: WindowQuery = None,
    resolution: ResolutionQuery = None,
    statistic: Statistic = "mean",
    bbox: str | None = None,
    class_: ClassQuery = None,
    layer: str | None = None,
    f: Literal["json", "arrow"] = "json",
) -> Response:
    """Cells that something was observed in, with start ≤ time < end; the last hour if not told."""
    box, _ = parse_bbox(bbox)
    streams = chosen_streams(city, property_, class_, layer)
    begin, until = _times(start, end, window)
    fine = usual_resolution(box, everywhere(streams)) if resolution is None else resolution
    asked = HeatAsked(statistic, begin, until, fine, box)
    question = state.observing.question(city, (property_, class_, layer), streams, asked)
    headers = {"etag": question.etag, "cache-control": "private, no-cache"}
    if question.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    found = state.observing.heat(question)
    taking.shows_cells(_layers(streams), found.cells)
    if f == "arrow":
        columns = {"cell": found.cells, "value": found.values, "count": found.counts}
        about = {"property": property_, "unit": found.unit, "statistic": statistic}
        return Response(arrow_stream(columns, about), 200, headers, MEDIA_TYPE)
    return json_answer(heat_document(property_, found), headers=headers)


@router.get(
    "/heat/{property}/tiles/{z}/{x}/{y}.mvt",
    summary="A map tile of an observed property by H3 cell",
    **documented(
        "read",
        returns({MVT: None}, headers=_KEPT),
        returns(status=204, headers=_KEPT),
        returns(status=304, headers=_KEPT),
        problems=(404,),
    ),
)
def get_heat_tile(
    property_: PropertyPath,
    z: LevelPath,
    x: GridPath,
    y: GridPath,
    request: Request,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    start: TimeQuery = None,
    end: TimeQuery = None,
    window: WindowQuery = None,
    resolution: ResolutionQuery = None,
    statistic: Statistic = "mean",
    class_: ClassQuery = None,
    layer: str | None = None,
) -> Response:
    """The same cells as a vector tile, each with its name, value and count."""
    tile = MapTile(z, x, y)
    streams = chosen_streams(city, property_, class_, layer)
    begin, until = _times(start, end, window)
    fine = usual_resolution(tile.box(), None) if resolution is None else resolution
    # The whole city is asked for once for all its tiles, unless there might be too much of it.
    box = tile.box() if len(streams) > MOST_CELLS else None
    asked = HeatAsked(statistic, begin, until, fine, box)
    question = state.observing.question(city, (property_, class_, layer), streams, asked)
    etag = f'"{question.etag[1:-1]}-{z}-{x}-{y}"'
    headers = {"etag": etag, "cache-control": "private, no-cache"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    found = state.observing.heat(question).touching(tile.box())
    taking.shows_cells(_layers(streams), found.cells)
    data = heat_tile(tile, property_, found)
    if not data:
        return Response(status_code=204, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        data = gzip.compress(data, 6, mtime=0)
    return Response(data, 200, headers, MVT)


def _times(start: int | None, end: int | None, window: float | None) -> tuple[int, int]:
    """From when to when, milliseconds; raises `InvalidInput`."""
    if start is not None and window is not None:
        raise InvalidInput(
            "start and window say the same twice; give one of them, or start and end"
        )
    length = round(1000 * (_WINDOW if window is None else window))
    if end is None:
        grain = max(_GRAIN_LEAST, min(_GRAIN_MOST, length // _GRAINS))
        end = -(-(time.time_ns() // 1_000_000) // grain) * grain
    start = max(0, end - length) if start is None else start
    if start >= end:
        raise InvalidInput(f"no time lies between start={start} and end={end}; give the earlier one as start")  # fmt: skip
    return start, end


def _layers(streams: Streams) -> set[str]:
    return {stream.layer for stream in streams.by_id.values()}
