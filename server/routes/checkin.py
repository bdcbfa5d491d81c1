"""Check-in reports: what was found in a file before it was published, or why it was not."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.access.taking import Taking
from server.answers import json_answer
from server.checkin import (
    as_csv,
    as_geojson,
    places_of,
    refused_report,
    rule_entry,
    version_report,
)
from server.describe import GEOJSON
from server.documented import JSON, LayerPath, VersionPath, documented, returns
from server.state import CityDep, TakingDep

router = APIRouter(tags=["checkin"])

_CSV = "text/csv"

_REPORT = {JSON: "Report", _CSV: None, GEOJSON: "FeatureCollection"}
_HEADERS = ("Content-Disposition", "X-Export-Id")

Wanted = Literal["json", "csv", "geojson"]
Format = Wanted | None


@router.get(
    "/collections/{layer}/versions/{version}/checkin",
    summary="A version's check-in report",
    **documented("read", returns(_REPORT, headers=_HEADERS), problems=(404,)),
)
def get_version_report(
    layer: LayerPath,
    version: VersionPath,
    request: Request,
    city: CityDep,
    taking: TakingDep,
    f: Format = None,
) -> Response:
    """What the rules found in the file a version was made of; ?f=csv and ?f=geojson as a table and a map."""
    report = version_report(city, layer, version)
    wanted = f or _wanted(request.headers.get("accept", ""))
    if wanted != "json":
        taking.require(layer)
    taking.shows_places(layer, places_of(report))
    return _answer(report, wanted, f"{layer}-{version}-checkin", taking)


@router.get(
    "/refused/{name}",
    summary="The check-in report of a refused file",
    **documented("manage", returns(_REPORT, headers=_HEADERS), problems=(404,)),
)
def get_refused_report(
    name: str, request: Request, city: CityDep, taking: TakingDep, f: Format = None
) -> Response:
    """What the rules found in a file that was not let in; ?f=csv and ?f=geojson as above."""
    wanted = f or _wanted(request.headers.get("accept", ""))
    return _answer(refused_report(city, name), wanted, name.removesuffix(".json"), taking)


@router.get(
    "/checkin/rules", summary="The check-in rules in force", **documented("read", returns("Rules"))
)
def list_rules(city: CityDep) -> Response:
    """Every rule with its severity, its thresholds and where they come from."""
    return json_answer({"rules": [rule_entry(rule) for rule in city.rules.values()]})


def _answer(document: dict[str, Any], wanted: Wanted, name: str, taking: Taking) -> Response:
    headers = {"vary": "Accept"}
    export = taking.file() if wanted != "json" else None
    if wanted != "json":
        headers["content-disposition"] = f'attachment; filename="{name}.{wanted}"'
    match wanted:
        case "csv":
            headers["cache-control"] = "no-cache"
            return Response(as_csv(document), headers=headers, media_type=f"{_CSV}; charset=utf-8")
        case "geojson":
            return json_answer({**as_geojson(document), "export": export}, GEOJSON, headers=headers)
        case _:
            return json_answer(document, headers=headers)


def _wanted(accept: str) -> Wanted:
    if _CSV in accept:
        return "csv"
    return "geojson" if GEOJSON in accept else "json"
