"""Check-in reports: what was found in a file before it was published, or why it was not."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.answers import json_answer
from server.checkin import as_csv, as_geojson, refused_report, rule_entry, version_report
from server.describe import GEOJSON
from server.state import CityDep

router = APIRouter(tags=["checkin"])

_CSV = "text/csv"

Format = Literal["json", "csv", "geojson"] | None


@router.get(
    "/collections/{layer}/versions/{version}/checkin", summary="A version's check-in report"
)
def get_version_report(
    layer: str, version: int, request: Request, city: CityDep, f: Format = None
) -> Response:
    """What the rules found in the file a version was made of; ?f=csv and ?f=geojson as a table and a map."""
    name = f"{layer}-{version}-checkin"
    return _answer(version_report(city, layer, version), request, f, name)


@router.get("/refused/{name}", summary="The check-in report of a refused file")
def get_refused_report(name: str, request: Request, city: CityDep, f: Format = None) -> Response:
    """What the rules found in a file that was not let in; ?f=csv and ?f=geojson as above."""
    return _answer(refused_report(city, name), request, f, name.removesuffix(".json"))


@router.get("/checkin/rules", summary="The check-in rules in force")
def list_rules(city: CityDep) -> Response:
    """Every rule with its severity, its thresholds and where they come from."""
    return json_answer({"rules": [rule_entry(rule) for rule in city.rules.values()]})


def _answer(document: dict[str, Any], request: Request, f: Format, name: str) -> Response:
    wanted = f or _wanted(request.headers.get("accept", ""))
    headers = {"vary": "Accept"}
    if wanted != "json":
        headers["content-disposition"] = f'attachment; filename="{name}.{wanted}"'
    match wanted:
        case "csv":
            headers["cache-control"] = "no-cache"
            return Response(as_csv(document), headers=headers, media_type=f"{_CSV}; charset=utf-8")
        case "geojson":
            return json_answer(as_geojson(document), GEOJSON, headers=headers)
        case _:
            return json_answer(document, headers=headers)


def _wanted(accept: str) -> Literal["json", "csv", "geojson"]:
    if _CSV in accept:
        return "csv"
    return "geojson" if GEOJSON in accept else "json"
