"""Tables of renewal in and out: the progress sheet that towns fill in, and projects brought as files."""

from collections.abc import Callable
from functools import partial as bound
from typing import Annotated

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from cim_core.renewal.documents import Day
from cim_core.renewal.words import Period
from server.access.access import Access
from server.access.verbs import Verb
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.arriving import arrived, clean_name
from server.renewal.asked import today, town_titles
from server.renewal.bring_in import Bringing
from server.renewal.edits import EditingDep
from server.renewal.progress_given import Reader, apply_progress
from server.renewal.progress_sheet import progress_sheet, span_of
from server.renewal.reading import read_aside
from server.state import AccessDep, CityDep, StateDep

router = APIRouter(tags=["renewal"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_BODY = {"required": True, "content": {_XLSX: {}, "application/octet-stream": {}}}
_PROBLEMS = (400, 408, 409, 413, 415)

DryRun = Annotated[bool, Query(description="look only, record nothing")]
Partial = Annotated[bool, Query(description="record the right rows though others are wrong")]


@router.get(
    "/renewal/progress-sheet",
    summary="The workbook in which progress is reported",
    **documented(
        "report", returns({_XLSX: None}, headers=("Content-Disposition",)), problems=(404,)
    ),
)
def get_progress_sheet(
    city: CityDep,
    access: AccessDep,
    period: Period = "week",
    end: Annotated[Day | None, Query(description="a day of the period; today if not told")] = None,
    town: Annotated[str | None, Query(description="of the projects of a town only")] = None,
    project: Annotated[str | None, Query(description="of one project only")] = None,
) -> Response:
    """For the week (Monday to Sunday) or month a day lies in, with what is recorded of it already."""
    towns = access.towns("report")
    found = [city.renewal.get("project", project)] if project else city.renewal.find("project")
    if town is not None:
        access.require_town("report", town)
    if project is not None:
        access.require_town("report", found[0].document["town"])
    wanted = [
        one
        for one in found
        if (town is None or one.document["town"] == town)
        and (towns is None or one.document["town"] in towns)
    ]
    span = span_of(period, end or today(city))
    book = progress_sheet(city, span, wanted, town_titles(city))
    name = f"progress-{span.period}-{span.end}.xlsx"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(book, headers=headers, media_type=_XLSX)


@router.post(
    "/renewal/progress-sheet",
    summary="Report progress with a filled-in workbook",
    **documented("report", returns("RenewalTaken"), problems=_PROBLEMS, requestBody=_BODY),
)
async def take_progress_sheet(
    request: Request,
    editing: EditingDep,
    state: StateDep,
    dry_run: DryRun = False,
    partial: Partial = False,
    name: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Nothing is recorded while a row is wrong, unless the right ones are asked for; twice changes nothing."""
    _any(editing.access, "report")
    called = clean_name(name, "progress.xlsx")
    async with arrived(request, state, called, ".xlsx") as path:
        sheets = await read_aside(path, called)
    access = editing.access
    reader = Reader(
        editing.city, called, today(editing.city), _of(access, "report"), _of(access, "order")
    )
    apply = bound(apply_progress, reader, sheets, dry_run=dry_run, partial=partial)
    report = await anyio.to_thread.run_sync(apply)
    _note(editing, report.applied, report.changes)
    return json_answer(report.document())


@router.post(
    "/renewal/bring-in",
    summary="Projects and their boundaries from a table",
    **documented("manage", returns("RenewalBrought"), problems=_PROBLEMS, requestBody=_BODY),
)
async def bring_in(
    request: Request,
    editing: EditingDep,
    state: StateDep,
    name: Annotated[
        str, Query(max_length=200, description="what the file is called, with its ending")
    ],
    dry_run: DryRun = False,
    partial: Partial = False,
    effective: Annotated[
        Day | None, Query(description="from which day on; today if not told")
    ] = None,
    crs: Annotated[
        str | None, Query(max_length=2000, description="of its shapes, as EPSG:4547")
    ] = None,
) -> Response:
    """Of an .xlsx, .gpkg or zipped Shapefile: projects that are there are changed, others are new."""
    _any(editing.access, "manage")
    called = clean_name(name, "file")
    async with arrived(request, state, called) as path:
        sheets = await read_aside(path, called)
    may = _of(editing.access, "manage")
    day = editing.effective(effective.isoformat() if effective else None)
    bringing = Bringing(editing.city, called, may, day, crs)
    apply = bound(bringing.apply, sheets, dry_run=dry_run, partial=partial)
    brought = await anyio.to_thread.run_sync(apply)
    _note(editing, brought.report.applied, brought.report.changes)
    return json_answer({**brought.report.document(), "projects": brought.projects})


def _any(access: Access, verb: Verb) -> None:
    """Raise `Forbidden` to those for whom a verb holds for no town: their file need not be read."""
    if access.towns(verb) == frozenset():
        access.require_town(verb, "")


def _of(access: Access, verb: Verb) -> Callable[[str], None]:
    return bound(access.require_town, verb)


def _note(editing: EditingDep, applied: bool, changes: int) -> None:
    editing.note.detail |= {"applied": applied, "changes": changes}
