"""Renewal as it stands on any day: projects, towns, the campaign over time."""

import hashlib
from dataclasses import asdict
from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response

from analysis.renewal.progress_series import series
from analysis.renewal.remembered import remembered
from analysis.renewal.replay import MOST_DAYS, replay, steps
from analysis.renewal.standing import campaign
from analysis.renewal.towns import together
from analysis.renewal.twin_areas import TwinAreas, floor_areas
from cim_core import __version__
from cim_core.city import City
from cim_core.errors import Forbidden, InvalidInput, MissingDependency, NotFound
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import city_lights
from cim_core.renewal.words import Light, Mode, Period, ProjectType
from server.answers import json_answer
from server.documented import JSON, documented, returns
from server.renewal.asked import (
    AtQuery,
    KnownQuery,
    When,
    parse_day,
    rights_of,
    today,
    town_entries,
    town_titles,
    when,
)
from server.renewal.project_table import Language, project_table
from server.renewal.told import (
    campaign_span,
    chosen,
    overview,
    parcels_entry,
    project_entry,
    series_entry,
    stage_entry,
    summed_entry,
    tasks_entry,
    town_entry,
    units_of,
    versions,
)
from server.state import AccessDep, CityDep, ExportCityDep, StateDep, TakingDep

router = APIRouter(tags=["renewal"])

_KEPT = ("ETag", "Cache-Control")
_UNCHANGED = returns(status=304, headers=_KEPT)

ProjectPath = Annotated[str, Path(description="a renewal project's id")]


@router.get(
    "/renewal",
    summary="The supervision view for browsers; the words, rules, towns and rights of renewal",
    **documented(
        "open",
        returns({JSON: "Renewal", "text/html": None}, headers=_KEPT),
        _UNCHANGED,
        problems=(503,),
    ),
)
def get_renewal(
    request: Request, state: StateDep, city: CityDep, access: AccessDep, f: str | None = None
) -> Response:
    """The page where HTML is asked for; what it shows comes from routes that ask who wants it."""
    if f != "json" and "text/html" in request.headers.get("accept", ""):
        page = state.settings.viewer / "renewal.html"
        if not page.is_file():
            raise MissingDependency("the viewer has not been built; run `make viewer` and reload")
        return FileResponse(page, headers={"cache-control": "no-cache", "vary": "accept"})
    access.require("read")
    ledger = city.renewal.ledger()
    asked = When(today(city))
    headers = {**_headers(request, city, asked, ledger, rights_of(access)), "vary": "accept"}
    answer = _unchanged(request, headers)
    return answer or json_answer(overview(city, access, ledger), headers=headers)


@router.get(
    "/renewal/projects",
    summary="Renewal projects as they stood on a day",
    **documented(
        "read", returns({JSON: "RenewalProjects", "text/csv": None}, headers=_KEPT), _UNCHANGED
    ),
)
def list_projects(
    request: Request,
    city: CityDep,
    taken_out: ExportCityDep,
    access: AccessDep,
    taking: TakingDep,
    at: AtQuery = None,
    known: KnownQuery = None,
    town: Annotated[str | None, Query(description="the id of a town")] = None,
    type_: Annotated[ProjectType | None, Query(alias="type")] = None,
    mode: Mode | None = None,
    stage: Annotated[str | None, Query(description="the id of the stage they are in")] = None,
    light: Light | None = None,
    unit: Annotated[
        str | None, Query(description="their town, or who has a task or an order of theirs")
    ] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="in their names, villages or companies")
    ] = None,
    f: Literal["json", "csv"] = "json",
    lang: Language = "zh",
) -> Response:
    """Those that are as wanted, by id, and all of these together; csv in the language `lang`."""
    if f == "csv":
        city = taken_out
        if city.sight.towns == frozenset():
            access.require("export")
            access.require_known()
            raise Forbidden(
                "your roles do not let you take renewal out as a file; ask the city's security "
                "administrator"
            )
        taking.file()
    asked, ledger = when(city, at, known), city.renewal.ledger()
    headers = _headers(request, city, asked, ledger)
    if unchanged := _unchanged(request, headers):
        return unchanged
    rules = city_lights(city.folder)
    everything = campaign(ledger, asked.at, asked.known, rules=rules)
    wanted = {
        "town": town, "type": type_, "mode": mode, "stage": stage, "light": light, "unit": unit, "q": q,
    }  # fmt: skip
    found = chosen(everything.projects, wanted, units_of(ledger, asked.at, asked.known))
    areas, newest = _areas(city, ledger, asked), versions(ledger)
    entries = [
        project_entry(one, newest["project", one.id], areas.get(one.id), rules) for one in found
    ]
    if f == "csv":
        table = project_table(zip(found, entries, strict=True), town_titles(city), lang)
        name = f'attachment; filename="renewal-{asked.at}.csv"'
        headers["content-disposition"] = name
        return Response(table, 200, headers, "text/csv; charset=utf-8")
    return json_answer(
        {
            "at": asked.at,
            "known": asked.known,
            "revision": ledger.revision,
            "projects": entries,
            "totals": summed_entry(together(found, rules.numbers.signing_gate)),
        },
        headers=headers,
    )


@router.get(
    "/renewal/projects/{project}",
    summary="A renewal project as it stood on a day",
    **documented(
        "read", returns("RenewalProjectDetail", headers=_KEPT), _UNCHANGED, problems=(404,)
    ),
)
def get_project(
    project: ProjectPath,
    request: Request,
    city: CityDep,
    at: AtQuery = None,
    known: KnownQuery = None,
) -> Response:
    """With its document, parcels, stages, tasks, and its metrics week by week."""
    asked, ledger = when(city, at, known), city.renewal.ledger()
    headers = _headers(request, city, asked, ledger)
    rules = city_lights(city.folder)
    everything = campaign(ledger, asked.at, asked.known, rules=rules)
    found = next((one for one in everything.projects if one.id == project), None)
    if found is None:
        raise NotFound(f"there is no project {project!r} here on {asked.at}")
    if unchanged := _unchanged(request, headers):
        return unchanged
    areas = _areas(city, ledger, asked).get(project)
    return json_answer(
        {
            **project_entry(found, versions(ledger)["project", project], areas, rules),
            "document": found.document,
            "parcels": parcels_entry(found.document),
            "stages": [stage_entry(stage) for stage in found.stages],
            "tasks": tasks_entry(ledger, project, asked.at, asked.known),
            "series": series_entry(series(ledger, project, asked.at, asked.known)),
        },
        headers=headers,
    )


@router.get(
    "/renewal/towns",
    summary="The towns of the campaign as they stood on a day, ranked",
    **documented("read", returns("RenewalTowns", headers=_KEPT), _UNCHANGED),
)
def list_towns(
    request: Request, city: CityDep, at: AtQuery = None, known: KnownQuery = None
) -> Response:
    """Those that have projects, the furthest ahead of their plans first."""
    asked, ledger = when(city, at, known), city.renewal.ledger()
    headers = _headers(request, city, asked, ledger)
    if unchanged := _unchanged(request, headers):
        return unchanged
    rules = city_lights(city.folder)
    everything = campaign(ledger, asked.at, asked.known, rules=rules)
    towns = {town["id"]: town for town in town_entries(city)}
    return json_answer(
        {
            "at": asked.at,
            "known": asked.known,
            "revision": everything.revision,
            "towns": [town_entry(town, towns) for town in everything.towns],
            "totals": summed_entry(everything.totals),
        },
        headers=headers,
    )


@router.get(
    "/renewal/replay",
    summary="The campaign over time",
    **documented("read", returns("RenewalReplay", headers=_KEPT), _UNCHANGED),
)
def get_replay(
    request: Request,
    city: CityDep,
    begin: Annotated[str | None, Query(alias="from", description="a day; else the first")] = None,
    end: Annotated[str | None, Query(alias="to", description="a day; else today")] = None,
    step: Period = "week",
) -> Response:
    """Lights, shares and stages at the end of each week or month, and on the last day."""
    ledger = city.renewal.ledger()
    headers = _headers(request, city, When(today(city)), ledger)
    if unchanged := _unchanged(request, headers):
        return unchanged
    rules = city_lights(city.folder)
    days = _days(city, ledger, begin, end, step)
    return json_answer(asdict(replay(ledger, days, rules=rules)), headers=headers)


def _days(
    city: City, ledger: Ledger, begin: str | None, end: str | None, step: Period
) -> list[date]:
    last = today(city) if end is None else parse_day("to", end)
    if begin is not None:
        first = parse_day("from", begin)
    else:
        span, earliest = campaign_span(ledger), last - timedelta(weeks=MOST_DAYS - 1)
        first = last if span is None else max(min(span[0], last), earliest)
    if first > last:
        raise InvalidInput(f"from={first} is after to={last}; give an earlier day")
    if (last - first).days > MOST_DAYS * 7:
        raise InvalidInput(
            f"from={first} to={last} is more than {MOST_DAYS} weeks; give days closer together"
        )
    return steps(first, last, step)


def _areas(city: City, ledger: Ledger, asked: When) -> dict[str, TwinAreas]:
    """The floor areas of the twin by project, kept while neither it nor the ledger changes."""
    key = ("areas", asked.at, asked.known, city.database.change_counter(), _seen(city))
    return remembered(ledger, key, lambda: dict(floor_areas(city, ledger, asked.at, asked.known)))


def _headers(
    request: Request, city: City, asked: When, ledger: Ledger, *more: object
) -> dict[str, str]:
    """The ETag of what is asked: of the address, and of all that the answer is made of.

    Taken before the rest is read, and of the very ledger that is told: what is newer than its ETag
    is asked for once more, but what is older would be taken for the newest.
    """
    people = city.office.people
    made_of = (
        __version__, request.url.path, request.url.query, asked, ledger.revision, city_lights(city.folder),
        city.database.change_counter(), _seen(city), *more,
        [(one.id, one.title, one.boundary and one.boundary.wkb_hex) for one in people.towns()],
        people.departments(),
    )  # fmt: skip
    tag = hashlib.sha256(repr(made_of).encode()).hexdigest()[:32]
    return {"etag": f'"{tag}"', "cache-control": "private, no-cache"}


def _seen(city: City) -> tuple[object, ...]:
    """What of a city is seen, as far as renewal has to do with it."""
    sight = city.sight
    parts = sorted((sight.parts or {}).items(), key=lambda part: part[0])
    towns = (sight.towns, sight.households)
    return (
        sight.parts is None, tuple((layer, part.key) for layer, part in parts if part is not None),
        *(None if some is None else tuple(sorted(some)) for some in towns),
    )  # fmt: skip


def _unchanged(request: Request, headers: dict[str, str]) -> Response | None:
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return None
