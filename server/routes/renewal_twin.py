"""Where renewal meets the twin: states to colour buildings by, the check report, before and after."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from analysis.renewal.checks import checks
from analysis.renewal.plan_comparison import comparison
from cim_core.errors import NotFound
from cim_core.renewal.documents import read_document
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.asked import AtQuery, KnownQuery, when
from server.renewal.twin import buildings_document, checks_document, comparison_document
from server.routes.renewal_edits import ProjectPath
from server.state import CityDep

router = APIRouter(tags=["renewal"])


@router.get(
    "/renewal/buildings",
    summary="States of the twin's buildings on a day",
    **documented("read", returns("RenewalStates"), problems=(404,)),
)
def list_buildings(
    city: CityDep,
    at: AtQuery = None,
    known: KnownQuery = None,
    project: Annotated[str | None, Query(description="a project's id")] = None,
) -> Response:
    """What a map colours buildings by, layer by layer; buildings the twin does not have are left out."""
    if project is not None:
        city.renewal.get("project", project)
    return json_answer(buildings_document(city, when(city, at, known), project))


@router.get(
    "/renewal/checks",
    summary="The check report of renewal",
    **documented("read", returns("RenewalChecks")),
)
def get_checks(city: CityDep, at: AtQuery = None) -> Response:
    """What was recorded and cannot all be true, with what to do about it."""
    return json_answer(checks_document(checks(city, when(city, at, None).at)))


@router.get(
    "/renewal/projects/{project}/comparison",
    summary="Before and after",
    **documented("read", returns("RenewalComparison"), problems=(404,)),
)
def get_comparison(
    project: ProjectPath, city: CityDep, at: AtQuery = None, known: KnownQuery = None
) -> Response:
    """Existing buildings against the planned model of each parcel, beside what was approved."""
    asked = when(city, at, known)
    ledger = city.renewal.ledger()
    found = ledger.documents("project", asked.at, asked.known, project).get(project)
    if found is None:
        raise NotFound(f"there is no project {project!r} on that day")
    read = read_document("project", found.document)
    compared = comparison(city, ledger, project, read, asked.at, asked.known)
    return json_answer(comparison_document(compared))
