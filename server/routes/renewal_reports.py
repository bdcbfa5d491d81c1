"""Renewal reports: the demolition report and the supervision list, as JSON and as files."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from cim_core.errors import Forbidden, SignInNeeded
from cim_core.renewal.words import Period
from server.access.access import Access
from server.answers import json_answer
from server.documented import documented, returns
from server.renewal.asked import KnownQuery, parse_day, parse_known, today
from server.renewal.report import Form, Language, ReportId
from server.renewal.reports import (
    MEDIA_TYPES,
    Asked,
    last_whole,
    make_report,
    written,
)
from server.state import AccessDep, CityDep, ExportCityDep, TakingDep

router = APIRouter(tags=["renewal"])

ReportPath = Annotated[ReportId, Path(description="which report")]
_ANSWERS = {"application/json": "RenewalReport", **dict.fromkeys(MEDIA_TYPES.values())}


@router.get(
    "/renewal/reports/{report}",
    summary="A report of a week or a month",
    **documented(
        "read",
        returns(_ANSWERS, headers=("Content-Disposition", "X-Export-Id")),
        problems=(404, 503),
    ),
)
def get_report(
    report: ReportPath,
    city: CityDep,
    export_city: ExportCityDep,
    access: AccessDep,
    taking: TakingDep,
    period: Period = "week",
    end: Annotated[
        str | None,
        Query(
            description="its last day, or any on which it shall end so far, as 2026-03-31; that of the "
            "latest whole one if not told"
        ),
    ] = None,
    town: Annotated[str | None, Query(description="of one town only: its id")] = None,
    known: KnownQuery = None,
    f: Annotated[
        Literal["json"] | Form, Query(description="files are for who may export")
    ] = "json",
    lang: Annotated[Language, Query(description="of files; JSON has both languages")] = "zh",
) -> Response:
    """A week from Monday on, or a month, up to a day: demolition by town and project, or orders."""
    day = last_whole(period, today(city)) if end is None else parse_day("end", end)
    moment = None if known is None else parse_known("known", known)
    asked = Asked(report, period, day, moment, town)
    if f == "json":
        return json_answer(make_report(city, asked).document())
    _require_export(access, town)
    taking.require()
    made = make_report(export_city, asked)
    taking.file()
    content = written(export_city, made, f, lang)
    headers = {
        "content-disposition": f'attachment; filename="{asked.name}.{f}"',
        "cache-control": "private, no-cache",
    }
    return Response(content, headers=headers, media_type=MEDIA_TYPES[f])


def _require_export(access: Access, town: str | None) -> None:
    """Raise what says why not, unless a town's renewal may be taken out, or that of any."""
    towns = access.towns("export")
    if towns is None or (towns if town is None else town in towns):
        return
    if not access.person.known:
        raise SignInNeeded("strangers may not take renewal out as a file; sign in")
    which = "any town" if town is None else f"the town {town!r}"
    raise Forbidden(
        f"your roles do not let you take renewal of {which} out as a file; ask the city's security "
        "administrator"
    )
