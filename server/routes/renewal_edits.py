"""Changing renewal projects and their tasks, and what was recorded of them."""

from typing import Annotated, get_args

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from cim_core.errors import InvalidInput
from cim_core.renewal.documents import Kind
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.edits import (
    Alteration,
    Creation,
    EditingDep,
    EffectiveText,
    IfMatch,
    event_document,
)

router = APIRouter(tags=["renewal"])

SUBJECT = returns("RenewalSubject", headers=("ETag",))
CREATED = returns("RenewalSubject", 201, headers=("ETag",))

ProjectPath = Annotated[str, Path(description="a renewal project's id")]
TaskPath = Annotated[str, Path(description="a task's id")]
EffectiveQuery = Annotated[
    EffectiveText, Query(description="the day from which on it holds, as 2026-03-31; else today")
]


@router.post(
    "/renewal/projects",
    summary="A new renewal project",
    **documented("manage", CREATED, problems=(404, 409)),
)
def create_project(new: Creation, editing: EditingDep) -> Response:
    """For a town of the city's office; the stages it names are those of its template."""
    town = new.document.get("town")
    if not isinstance(town, str):
        raise InvalidInput("project: a project needs its town; give the id of a town as town")
    editing.access.require_town("manage", town)
    made = editing.add("project", new.id, new.document, editing.effective(new.effective))
    return editing.answer(made, 201)


@router.patch(
    "/renewal/projects/{project}",
    summary="Change a renewal project",
    **documented("edit", SUBJECT, problems=(404, 412)),
)
def change_project(
    project: ProjectPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """412 where somebody was faster; into another town only by who may edit there as well."""
    found = editing.project(project, "edit")
    if isinstance(town := given.change.get("town"), str):
        editing.access.require_town("edit", town)
    effective = editing.effective(given.effective)
    return editing.answer(editing.change(found, if_match, given.change, effective))


@router.delete(
    "/renewal/projects/{project}",
    summary="Remove a renewal project",
    **documented("manage", returns(status=204), problems=(404, 409, 412)),
)
def remove_project(
    project: ProjectPath,
    editing: EditingDep,
    effective: EffectiveQuery = None,
    if_match: IfMatch = "",
) -> Response:
    """One that has nothing any more; what it was until then can still be asked for."""
    found = editing.project(project, "manage")
    editing.remove(found, if_match, editing.effective(effective))
    return Response(status_code=204)


@router.get(
    "/renewal/projects/{project}/history",
    summary="What was recorded of a renewal project",
    **documented("read", returns("RenewalHistory"), problems=(404,)),
)
def get_history(
    project: ProjectPath,
    editing: EditingDep,
    kind: Annotated[str | None, Query(description=f"one of {', '.join(get_args(Kind))}")] = None,
    subject: Annotated[str | None, Query(alias="id", description="of what, with its kind")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> Response:
    """The newest first; households only for who may see them."""
    if kind is not None and kind not in get_args(Kind):
        raise InvalidInput(
            f"kind={kind[:80]} is nothing of renewal; give one of {', '.join(get_args(Kind))}"
        )
    city = editing.city
    events = city.renewal.history(project, kind, subject)[::-1][:limit]  # type: ignore[arg-type]
    if any(event.kind == "household" for event in events):
        editing.note.verb = "households"
        editing.note.detail["project"] = project
    told = [event_document(city, event) for event in events]
    return json_answer({"events": told}, headers={"cache-control": "no-store"})


@router.post(
    "/renewal/projects/{project}/tasks",
    summary="A new task of a project",
    **documented("edit", CREATED, problems=(404, 409)),
)
def create_task(project: ProjectPath, new: Creation, editing: EditingDep) -> Response:
    """A piece of the project's work, and the unit that is responsible for it."""
    editing.project(project, "edit")
    document = {**new.document, "project": project}
    made = editing.add("task", new.id, document, editing.effective(new.effective))
    return editing.answer(made, 201)


@router.patch(
    "/renewal/tasks/{task}",
    summary="Change a task",
    **documented("edit", SUBJECT, problems=(404, 412)),
)
def change_task(
    task: TaskPath, given: Alteration, editing: EditingDep, if_match: IfMatch = ""
) -> Response:
    """412 where somebody was faster."""
    found = editing.subject("task", task, "edit")
    effective = editing.effective(given.effective)
    return editing.answer(editing.change(found, if_match, given.change, effective))


@router.delete(
    "/renewal/tasks/{task}",
    summary="Remove a task",
    **documented("edit", returns(status=204), problems=(404, 412)),
)
def remove_task(
    task: TaskPath, editing: EditingDep, effective: EffectiveQuery = None, if_match: IfMatch = ""
) -> Response:
    """From a day on there is no such task."""
    found = editing.subject("task", task, "edit")
    editing.remove(found, if_match, editing.effective(effective))
    return Response(status_code=204)
