"""What observes a city: things of classes, at their places, with their newest values."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from analysis.things import ThingNow, ThingsAsked, things_now
from cim_core.errors import NotFound
from cim_core.sensor_classes import sensor_classes
from server.access.taking import Taking
from server.answers import json_answer
from server.arrow import MEDIA_TYPE, arrow_stream
from server.documented import JSON, LARGEST, documented, returns
from server.state import CityDep, TakingDep
from server.things import MOST_RINGS, class_document, thing_document, things_asked, things_columns

router = APIRouter(tags=["observations"])

_MOST = 10_000

ThingPath = Annotated[int, Path(ge=1, le=LARGEST, description="a thing's number")]


@router.get(
    "/sensor-classes",
    summary="Classes of things that observe",
    **documented("read", returns("SensorClasses")),
)
def list_sensor_classes() -> Response:
    """What things are called, drawn with and usually observe; cities may have things of others."""
    classes = [class_document(known) for known in sensor_classes().values()]
    return json_answer({"classes": classes})


@router.get(
    "/things",
    summary="Things and what they observed last",
    **documented("read", returns({JSON: "Things", MEDIA_TYPE: None})),
)
def list_things(
    city: CityDep,
    taking: TakingDep,
    layer: str | None = None,
    class_: Annotated[str | None, Query(alias="class")] = None,
    bbox: str | None = None,
    polygon: Annotated[str | None, Query(description="WKT or GeoJSON, degrees")] = None,
    cell: Annotated[str | None, Query(description="an H3 cell")] = None,
    ring: Annotated[int, Query(ge=0, le=MOST_RINGS, description="so many rings around it")] = 0,
    property_: Annotated[str | None, Query(alias="property")] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST)] = 1000,
    f: Literal["json", "arrow"] = "json",
) -> Response:
    """Things by layer, class, place and what they observe: in Arrow one row for each datastream."""
    asked = things_asked(layer, class_, bbox, polygon, cell, ring, property_)
    found = list(things_now(city.live, asked, _now()))
    shown = found[:limit]
    _shows(taking, shown)
    if f == "arrow":
        return Response(arrow_stream(things_columns(shown)), media_type=MEDIA_TYPE)
    return json_answer({"things": [thing_document(one) for one in shown], "total": len(found)})


@router.get(
    "/things/{thing}",
    summary="A thing and what it observed last",
    **documented("read", returns("Thing"), problems=(404,)),
)
def get_thing(thing: ThingPath, city: CityDep, taking: TakingDep) -> Response:
    """One of them."""
    found = next((one for one in things_now(city.live, ThingsAsked(thing=thing), _now())), None)
    if found is None:
        raise NotFound(f"there is no thing {thing} in this city; GET /things lists them")
    _shows(taking, [found])
    return json_answer(thing_document(found))


def _shows(taking: Taking, things: list[ThingNow]) -> None:
    """Count the places that are shown, and note the layers."""
    by_layer: dict[str, list[tuple[float, float]]] = {}
    for one in things:
        own = by_layer.setdefault(one.layer, [])
        if one.place is not None:
            own.append(one.place[:2])
    taking.note.looked_at(by_layer)
    for layer, places in by_layer.items():
        if places:
            taking.shows_places(layer, places)


def _now() -> int:
    return time.time_ns() // 1_000_000
