"""Intersections: the lanes, signals and plans of each, and what happens there now."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from cim_core.traffic.road_file import encoded
from pipelines.roads_export import around, geojson, map_json
from server.answers import json_answer
from server.describe import GEOJSON
from server.documented import JSON, documented, returns
from server.state import CityDep, ExportCityDep, StateDep, TakingDep
from server.traffic.asked import clock, intersection, road_map, road_maps
from server.traffic.intersections import document, places, summaries

MapFormat = Literal["map-json", "geojson", "roads"]

router = APIRouter(tags=["traffic"])

IntersectionPath = Annotated[str, Path(alias="intersection", description="an intersection's id")]
LayerQuery = Annotated[
    str | None, Query(description="the layer of its road map, where several have one of that id")
]


@router.get(
    "/intersections",
    summary="Intersections",
    **documented("read", returns("Intersections"), problems=(404,)),
)
def list_intersections(
    city: CityDep, taking: TakingDep, layer: Annotated[str | None, Query()] = None
) -> Response:
    """Those of all road maps that are seen, or of one."""
    maps = road_maps(city, layer)
    taking.note.looked_at(roads.layer for roads in maps)
    for roads in maps:
        taking.shows_places(roads.layer, places(roads.map.intersections))
    return json_answer({"intersections": [one for roads in maps for one in summaries(city, roads)]})


@router.get(
    "/intersections/{intersection}",
    summary="An intersection and what happens there now",
    **documented("read", returns("Intersection"), problems=(404, 409)),
)
def get_intersection(
    name: IntersectionPath,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    layer: LayerQuery = None,
) -> Response:
    """Its approaches, lanes, ways through, signal groups and plans; the newest lights and vehicles."""
    roads, one = intersection(city, name, layer)
    taking.note.looked_at([roads.layer])
    taking.shows_places(roads.layer, places([one]))
    now = state.traffic.now(roads.layer, roads.anchor)
    return json_answer(document(city, roads, one, now, clock()))


@router.get(
    "/intersections/{intersection}/map",
    summary="An intersection's map as a file",
    **documented(
        "export",
        returns({JSON: None, GEOJSON: None}, headers=("X-Export-Id",)),
        problems=(404, 409),
    ),
)
def get_map(
    name: IntersectionPath,
    city: CityDep,
    export_city: ExportCityDep,
    taking: TakingDep,
    layer: LayerQuery = None,
    format_: Annotated[
        MapFormat,
        Query(
            alias="format", description="MAP of T/CSAE 53, GeoJSON, or the program's own road map"
        ),
    ] = "map-json",
) -> Response:
    """Its lanes, ways through and signal groups, for roadside units and for other programs."""
    roads, one = intersection(city, name, layer)
    taking.note.looked_at([roads.layer])
    taking.require(roads.layer)
    roads = road_map(export_city, roads.layer)
    taking.file()
    taking.shows_places(roads.layer, places([one]))
    match format_:
        case "map-json":
            content, media_type = map_json(roads.map, name), JSON
        case "geojson":
            content, media_type = geojson(roads.map, name), GEOJSON
        case "roads":
            content, media_type = encoded(around(roads.map, name)), JSON
    ending = "geojson" if format_ == "geojson" else "json"
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}.{ending}"
    return Response(content, 200, {"content-disposition": disposition}, media_type)
