"""Renewal for GIS clients (OGC API – Features, part 1)."""

from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import shapely
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from cim_core.city import City
from cim_core.errors import NotFound
from server.access.taking import Taking
from server.answers import json_answer
from server.describe import GEOJSON, feature_collection, link
from server.documented import LARGEST, documented, returns
from server.parameters import parse_bbox
from server.renewal.ogc import (
    CONFORMANCE,
    ROOT,
    Row,
    chosen,
    collection_document,
    collection_id,
    landing,
    parse_datetime,
    rows_of,
    time_stamp,
)
from server.state import CityDep, ExportCityDep, TakingDep

router = APIRouter(tags=["renewal"])

CollectionPath = Annotated[
    str,
    Path(description="projects or parcels", json_schema_extra={"enum": ["projects", "parcels"]}),
]
DatetimeQuery = Annotated[
    str | None,
    Query(description="as of which day: a day, a moment, or the end of an interval (RFC 3339)"),
]

_LIMIT = 10_000
_OWN_PARAMETERS = {"bbox", "datetime", "limit", "offset", "f"}
_FILTERS: list[dict[str, Any]] = [
    {
        "name": "properties", "in": "query", "style": "form", "explode": True,
        "description": "any other name is that of a property, and its exact value",
        "schema": {"type": "object", "additionalProperties": {"type": "string"}},
    }
]  # fmt: skip


@router.get(ROOT, summary="Renewal as OGC API – Features", **documented("read", returns("Landing")))
def get_landing(city: CityDep) -> Response:
    """What a GIS client is given to connect to."""
    return json_answer(landing(f"{city.settings.name}: renewal"))


@router.get(
    f"{ROOT}/conformance",
    summary="Conformance classes of renewal",
    **documented("read", returns("Conformance")),
)
def get_conformance() -> Response:
    """The OGC conformance classes that hold below this address."""
    return json_answer({"conformsTo": CONFORMANCE})


@router.get(
    f"{ROOT}/collections",
    summary="Collections of renewal",
    **documented("read", returns("RenewalCollections")),
)
def list_collections(city: CityDep) -> Response:
    """Projects and parcels, as of today."""
    return json_answer(
        {
            "collections": [
                collection_document(city, "projects"), collection_document(city, "parcels"),
            ],
            "links": [link(f"{ROOT}/collections", "self")],
        }
    )  # fmt: skip


@router.get(
    f"{ROOT}/collections/{{collection}}",
    summary="One collection of renewal",
    **documented("read", returns("RenewalCollection"), problems=(404,)),
)
def get_collection(collection: CollectionPath, city: CityDep) -> Response:
    """Its extent in space and time."""
    return json_answer(collection_document(city, collection_id(collection)))


@router.get(
    f"{ROOT}/collections/{{collection}}/items",
    summary="Projects or parcels of a day",
    **documented(
        "read",
        returns({GEOJSON: "RenewalFeatures"}, headers=("X-Export-Id",)),
        problems=(404,),
        parameters=_FILTERS,
    ),
)
def list_items(
    collection: CollectionPath,
    request: Request,
    city: CityDep,
    export_city: ExportCityDep,
    taking: TakingDep,
    bbox: Annotated[str | None, Query(description="w,s,e,n or w,s,zmin,e,n,zmax")] = None,
    datetime: DatetimeQuery = None,
    limit: Annotated[int, Query(ge=1, description="at most 10,000 are given")] = 100,
    offset: Annotated[int, Query(ge=0, le=LARGEST, description="how many to leave out")] = 0,
    f: Annotated[
        Literal["json", "geojson"], Query(description="geojson: all of them, as a file")
    ] = "json",
) -> Response:
    """Features by id, page by page or as a file; what is asked as of a day is what was true then."""
    name = collection_id(collection)
    given = dict(request.query_params)
    wanted = {key: value for key, value in given.items() if key not in _OWN_PARAMETERS}
    box, _ = parse_bbox(bbox)
    day = parse_datetime(city, datetime)
    here = f"{ROOT}/collections/{name}"
    links = [link(f"{here}/items?{urlencode(given)}", "self", GEOJSON), link(here, "collection")]
    if f == "geojson":
        taking.require_renewal()
        rows = chosen(rows_of(export_city, name, day), name, box, wanted)
        body = {**_page(city, taking, rows, len(rows), links), "export": taking.file()}
        attached = {"content-disposition": f'attachment; filename="{name}.geojson"'}
        return json_answer(body, GEOJSON, headers=attached)
    limit = min(limit, _LIMIT)
    rows = chosen(rows_of(city, name, day), name, box, wanted)
    if offset + limit < len(rows):
        links.append(_other(here, given, "next", offset + limit, limit))
    if offset > 0:
        links.append(_other(here, given, "prev", max(0, offset - limit), limit))
    page = rows[offset : offset + limit]
    return json_answer(_page(city, taking, page, len(rows), links), GEOJSON)


def _other(here: str, given: dict[str, str], rel: str, offset: int, limit: int) -> dict[str, str]:
    asked = urlencode({**given, "offset": offset, "limit": limit})
    return link(f"{here}/items?{asked}", rel, GEOJSON)


def _page(
    city: City, taking: Taking, rows: list[Row], matched: int, links: list[dict[str, str]]
) -> dict[str, Any]:
    _show(taking, rows)
    body = feature_collection([row.document() for row in rows], matched, links)
    return {**body, "timeStamp": time_stamp(city)}


@router.get(
    f"{ROOT}/collections/{{collection}}/items/{{item:path}}",
    summary="A project or a parcel of a day",
    **documented("read", returns({GEOJSON: "RenewalFeature"}), problems=(404,)),
)
def get_item(
    collection: CollectionPath,
    item: str,
    city: CityDep,
    taking: TakingDep,
    datetime: DatetimeQuery = None,
) -> Response:
    """One feature; a parcel's id is that of its project, a colon, and its own."""
    name = collection_id(collection)
    rows = rows_of(city, name, parse_datetime(city, datetime))
    row = next((one for one in rows if one.id == item), None)
    if row is None:
        raise NotFound(f"there is no {item[:80]!r} in {name} on that day")
    _show(taking, [row])
    as_of = "" if datetime is None else f"?{urlencode({'datetime': datetime})}"
    here = f"{ROOT}/collections/{name}"
    links = [
        link(f"{here}/items/{quote(row.id)}{as_of}", "self", GEOJSON), link(here, "collection"),
    ]  # fmt: skip
    return json_answer({**row.document(), "links": links}, GEOJSON)


def _show(taking: Taking, rows: list[Row]) -> None:
    """What is shown of places are the lines of outlines, not what lies within."""
    lines = [shapely.boundary(row.outline) for row in rows if row.outline is not None]
    taking.shows_lines(lines)
