"""Reporting the progress of renewal projects, and verifying it."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from server.answers import json_answer
from server.documented import documented, returns
from server.json_body import JsonObject
from server.renewal.asked import parse_day
from server.renewal.edits import Alteration, EditingDep, IfMatch, subject_document
from server.renewal.progress import correct, report, verify
from server.routes.renewal_edits import SUBJECT, EffectiveQuery, ProjectPath

router = APIRouter(tags=["renewal"])

RecordPath = Annotated[str, Path(description="the id of a record of progress")]


class Reported(BaseModel):
    """What was done in some periods."""

    model_config = ConfigDict(extra="forbid", strict=True)

    records: Annotated[list[JsonObject], Field(min_length=1, max_length=1000)]


@router.get(
    "/renewal/projects/{project}/progress",
    summary="What was reported of a project",
    **documented("read", returns("RenewalRecords"), problems=(404,)),
)
def list_progress(
    project: ProjectPath,
    editing: EditingDep,
    metric: Annotated[str | None, Query(description="a metric's id")] = None,
    begin: Annotated[str | None, Query(alias="from", description="of periods that end then or later")] = None,
    end: Annotated[str | None, Query(alias="to", description="of periods that begin then or before")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
) -> Response:  # fmt: skip
    """The newest periods first, each record with its version."""
    first = None if begin is None else parse_day("from", begin).isoformat()
    last = None if end is None else parse_day("to", end).isoformat()
    city = editing.city
    city.renewal.get("project", project)
    found = [
        record
        for record in city.renewal.find("progress", project)
        if metric in (None, record.document["metric"])
        and (first is None or record.document["end"] >= first)
        and (last is None or record.document["start"] <= last)
    ]
    found.sort(key=lambda one: (one.document["end"], one.document["metric"], one.id), reverse=True)
    return json_answer({"records": [subject_document(city, one) for one in found[:limit]]})


@router.post(
    "/renewal/projects/{project}/progress",
    summary="Report progress",
    **documented("report", returns("RenewalRecords", 201), problems=(404, 409)),
)
def report_progress(project: ProjectPath, given: Reported, editing: EditingDep) -> Response:
    """All records or none; 409 for a period of which the same was reported already."""
    editing.project(project, "report")
    made = report(editing, project, given.records)
    told = [subject_document(editing.city, one) for one in made]
    return json_answer({"records": told}, status=201)


@router.patch(
    "/renewal/progress/{record}",
    summary="Correct a record of progress",
    **documented("report", SUBJECT, problems=(404, 409, 412)),
)
def correct_progress(
    record: RecordPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """One that was verified only by who supervises; it is to be verified again then."""
    found = editing.subject("progress", record, "report")
    effective = editing.effective(given.effective)
    return editing.answer(correct(editing, found, if_match, given.change, effective))


@router.delete(
    "/renewal/progress/{record}",
    summary="Remove a record of progress",
    **documented("order", returns(status=204), problems=(404, 412)),
)
def remove_progress(
    record: RecordPath,
    editing: EditingDep,
    effective: EffectiveQuery = None,
    if_match: IfMatch = "",
) -> Response:
    """What should never have been reported counts no more."""
    found = editing.subject("progress", record, "order")
    editing.remove(found, if_match, editing.effective(effective))
    return Response(status_code=204)


@router.post(
    "/renewal/progress/{record}/verification",
    summary="Verify a record of progress",
    **documented("order", SUBJECT, problems=(404, 412)),
)
def verify_progress(record: RecordPath, editing: EditingDep, if_match: IfMatch = "") -> Response:
    """By somebody else than who reported or corrected it."""
    found = editing.subject("progress", record, "order")
    return editing.answer(verify(editing, found, if_match))
