"""The buildings of renewal projects and their households, which are personal data."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from cim_core.renewal.events import Subject
from cim_core.renewal.words import HouseholdState
from server.answers import json_answer
from server.documented import JSON, documented, returns
from server.renewal.edits import (
    Alteration,
    Creation,
    EditingDep,
    IfMatch,
    refuse_fields,
    subject_document,
)
from server.routes.renewal_edits import CREATED, SUBJECT, EffectiveQuery, ProjectPath
from server.spreadsheet import as_csv
from server.state import ExportCityDep, TakingDep

router = APIRouter(tags=["renewal"])

BuildingPath = Annotated[str, Path(description="the id of a building of a project")]
HouseholdPath = Annotated[str, Path(description="the id of a household")]

_OF_SURVEY = (
    "project", "layer", "feature", "name", "floor_area", "storeys", "note",
)  # fmt: skip
_COLUMNS = (
    "number", "building", "state", "holder", "persons", "area_legal", "area_illegal", "note",
)  # fmt: skip
_NOT_KEPT = {"cache-control": "no-store"}


@router.get(
    "/renewal/projects/{project}/buildings",
    summary="The buildings of a project",
    **documented("read", returns("RenewalBuildings"), problems=(404,)),
)
def list_buildings(project: ProjectPath, editing: EditingDep) -> Response:
    """As they stand now, each with its version."""
    city = editing.city
    city.renewal.get("project", project)
    found = city.renewal.find("building", project)
    return json_answer({"buildings": [subject_document(city, one) for one in found]})


@router.post(
    "/renewal/projects/{project}/buildings",
    summary="A new building of a project",
    **documented("manage", CREATED, problems=(404, 409)),
)
def create_building(project: ProjectPath, new: Creation, editing: EditingDep) -> Response:
    """`layer` and `feature` say which feature of the twin it is."""
    editing.project(project, "manage")
    document = {**new.document, "project": project}
    made = editing.add("building", new.id, document, editing.effective(new.effective))
    return editing.answer(made, 201)


@router.patch(
    "/renewal/buildings/{building}",
    summary="Change a building of a project",
    **documented("read", SUBJECT, problems=(404, 412)),
)
def change_building(
    building: BuildingPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """Who may report on the town says what state it is in; who may edit says anything of it."""
    found = editing.subject("building", building)
    town = editing.city.renewal.get("project", found.project).document["town"]
    edits = editing.access.towns("edit")
    if edits is None or town in edits:
        editing.note.verb = "edit"
    else:
        editing.project(found.project, "report")
        refuse_fields(given.change, _OF_SURVEY, "who reports gives the state alone")
    effective = editing.effective(given.effective)
    return editing.answer(editing.change(found, if_match, given.change, effective))


@router.delete(
    "/renewal/buildings/{building}",
    summary="Remove a building of a project",
    **documented("manage", returns(status=204), problems=(404, 412)),
)
def remove_building(
    building: BuildingPath,
    editing: EditingDep,
    effective: EffectiveQuery = None,
    if_match: IfMatch = "",
) -> Response:
    """From a day on it is no building of the project."""
    found = editing.subject("building", building, "manage")
    editing.remove(found, if_match, editing.effective(effective))
    return Response(status_code=204)


@router.get(
    "/renewal/projects/{project}/households",
    summary="The households of a project",
    **documented("households", returns({JSON: "RenewalHouseholds", "text/csv": None}), problems=(404,)),
)  # fmt: skip
def list_households(
    project: ProjectPath,
    editing: EditingDep,
    taken_out: ExportCityDep,
    taking: TakingDep,
    building: Annotated[str | None, Query(description="the id of a building")] = None,
    state: HouseholdState | None = None,
    limit: Annotated[int, Query(ge=1, le=2000)] = 200,
    after: Annotated[str | None, Query(description="the last household of the page before")] = None,
    f: Literal["json", "csv"] = "json",
) -> Response:
    """By id; `csv` is a file of all of them, for who may take out files as well."""
    editing.project(project, "households")

    def chosen(found: list[Subject]) -> list[Subject]:
        return [
            one
            for one in found
            if building in (None, one.document.get("building"))
            and state in (None, one.document.get("state", "unsigned"))
        ]

    if f == "csv":
        editing.project(project, "export")
        taking.file()
        rows = chosen(taken_out.renewal.find("household", project))
        editing.note.detail["households"] = len(rows)
        lines = [[one.id, *(_shown(one, name) for name in _COLUMNS)] for one in rows]
        headers = {"content-disposition": 'attachment; filename="households.csv"', **_NOT_KEPT}
        return Response(as_csv(("id", *_COLUMNS), lines), 200, headers, "text/csv; charset=utf-8")
    city = editing.city
    found = [one for one in city.renewal.find("household", project) if one.id > (after or "")]
    page = chosen(found)
    editing.note.detail["households"] = len(page[:limit])
    told = [subject_document(city, one) for one in page[:limit]]
    last = page[limit - 1].id if len(page) > limit else None
    return json_answer({"households": told, "next": last}, headers=_NOT_KEPT)


@router.post(
    "/renewal/projects/{project}/households",
    summary="A new household of a project",
    **documented("households", CREATED, problems=(404, 409)),
)
def create_household(project: ProjectPath, new: Creation, editing: EditingDep) -> Response:
    """By who may see households and report on the town."""
    editing.project(project, "households", "report")
    document = {**new.document, "project": project}
    made = editing.add("household", new.id, document, editing.effective(new.effective))
    return editing.answer(made, 201)


@router.get(
    "/renewal/households/{household}",
    summary="One household",
    **documented("households", SUBJECT, problems=(404,)),
)
def get_household(household: HouseholdPath, editing: EditingDep) -> Response:
    """As it stands now, with its version."""
    return editing.answer(editing.subject("household", household, "households"))


@router.patch(
    "/renewal/households/{household}",
    summary="Change a household",
    **documented("households", SUBJECT, problems=(404, 412)),
)
def change_household(
    household: HouseholdPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """By who may see households and report on the town."""
    found = editing.subject("household", household, "households", "report")
    effective = editing.effective(given.effective)
    return editing.answer(editing.change(found, if_match, given.change, effective))


@router.delete(
    "/renewal/households/{household}",
    summary="Remove a household",
    **documented("households", returns(status=204), problems=(404, 412)),
)
def remove_household(
    household: HouseholdPath,
    editing: EditingDep,
    effective: EffectiveQuery = None,
    if_match: IfMatch = "",
) -> Response:
    """From a day on there is no such household; by who may see households and report."""
    found = editing.subject("household", household, "households", "report")
    editing.remove(found, if_match, editing.effective(effective))
    return Response(status_code=204)


def _shown(household: Subject, name: str) -> object:
    return household.document.get(name, "unsigned" if name == "state" else "")
