"""Check-ups as files: the report, and all values with the outlines of their units."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from cim_core.city import City
from cim_core.store.checkup import Run
from server.access.taking import Taking
from server.checkup.figures import Form, Language
from server.checkup.reports import MEDIA_TYPES, written
from server.checkup.rights import AskingDep, require_whole
from server.checkup.values_file import values_file
from server.documented import documented, returns
from server.routes.checkup import RunPath
from server.state import ExportCityDep, TakingDep

router = APIRouter(tags=["check-up"])

PARQUET = "application/vnd.apache.parquet"
_HEADERS = ("Content-Disposition", "X-Export-Id")


@router.get(
    "/checkup/runs/{run}/report",
    summary="The report of a check-up as a file",
    **documented(
        "export",
        returns(dict.fromkeys(MEDIA_TYPES.values()), headers=_HEADERS),
        problems=(404, 503),
    ),
)
def get_report(
    run: RunPath,
    asking: AskingDep,
    export_city: ExportCityDep,
    taking: TakingDep,
    form: Form = "docx",
    lang: Annotated[Language, Query(description="of all its words")] = "zh",
) -> Response:
    """Of what may be taken out as files: each indicator with its value, a table by unit and a map."""
    found = _taken(run, asking, export_city, taking, ("town", "community", "estate"))
    taking.file()
    content = written(export_city, found, form, lang)
    return _file(content, f"checkup-{run}.{form}", MEDIA_TYPES[form])


@router.get(
    "/checkup/runs/{run}/values.parquet",
    summary="The values of a check-up as GeoParquet",
    **documented("export", returns({PARQUET: None}, headers=_HEADERS), problems=(404,)),
)
def get_values(
    run: RunPath, asking: AskingDep, export_city: ExportCityDep, taking: TakingDep
) -> Response:
    """One row for each indicator and unit, of what may be taken out as files."""
    found = _taken(run, asking, export_city, taking, None)
    return _file(values_file(export_city, found, taking.file()), f"checkup-{run}.parquet", PARQUET)


def _taken(
    key: str, asking: AskingDep, city: City, taking: Taking, kinds: Iterable[str] | None
) -> Run:
    """A run as far as it may be taken out; the outlines of its units are counted."""
    asking.run(key)
    require_whole(asking.access, "export")
    found = city.checkups.run(key)
    layers = {
        layer
        for by, one in found.document["units"].items()
        if kinds is None or by in kinds
        for layer in one["layers"]
    }
    taking.note.looked_at(layer for one in found.document["indicators"] for layer in one["layers"])
    for known in city.layers.current():
        if known.layer in layers:
            ids = list(city.features.outlines(known.layer, known.version))
            taking.shows(known, ids)
    return found


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "cache-control": "private, no-cache",
    }
    return Response(content, headers=headers, media_type=media_type)
