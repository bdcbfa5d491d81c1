"""The city check-up: what was examined, value by value, with what speaks for each."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import shapely.geometry
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response

from analysis.checkup.words import words
from cim_core.errors import InvalidInput, MissingDependency
from server.answers import json_answer
from server.checkup.reading import MOST_TOLD, UnitValues, compared, evidence, units_of_run
from server.checkup.rights import Asking, AskingDep
from server.checkup.sets import all_sets
from server.checkup.told import Document, rights_of, run_detail, run_summary
from server.describe import GEOJSON
from server.documented import JSON, documented, returns
from server.parameters import parse_bbox
from server.state import StateDep, TakingDep

router = APIRouter(tags=["check-up"])

RunPath = Annotated[str, Path(description="a check-up's id")]
CodePath = Annotated[str, Path(description="an indicator's code")]
ByQuery = Annotated[
    str | None,
    Query(
        description="district, town, community, estate, building or cell; its first kind if not told"
    ),
]
LimitQuery = Annotated[
    int, Query(ge=1, le=MOST_TOLD, description="so many at most; total says how many there are")
]
OffsetQuery = Annotated[int, Query(ge=0, description="so many are left out before the first")]


@router.get(
    "/checkup",
    summary="The check-up page for browsers; the sets, runs, words and rights of check-ups",
    **documented(
        "open", returns({JSON: "Checkup", "text/html": None}, headers=("Cache-Control",)),
        problems=(503,),
    ),
)  # fmt: skip
def get_checkup(
    request: Request, state: StateDep, asking: AskingDep, f: str | None = None
) -> Response:
    """The page where HTML is asked for; what it shows comes from routes that ask who wants it."""
    if f != "json" and "text/html" in request.headers.get("accept", ""):
        page = state.settings.viewer / "checkup.html"
        if not page.is_file():
            raise MissingDependency("the viewer has not been built; run `make viewer` and reload")
        return FileResponse(page, headers={"cache-control": "no-cache", "vary": "accept"})
    asking.access.require("read")
    city = asking.city
    counts = city.checkups.problems.counts()
    told: Document = {
        "sets": [one.summary() for one in all_sets(city)],
        "runs": [run_summary(city, run, counts.get(run.id, {})) for run in city.checkups.runs()],
        "words": words(), "rights": rights_of(asking.access), "vital_signs": True,
    }  # fmt: skip
    return json_answer(told, headers={"vary": "accept"})


@router.get(
    "/checkup/runs/{run}",
    summary="A check-up: every indicator with its value, and what it was made of",
    **documented("read", returns("CheckupRunDetail"), problems=(404,)),
)
def get_run(run: RunPath, asking: AskingDep) -> Response:
    """What is made of layers that are not seen as a whole is left out; `hidden` counts it."""
    return json_answer(run_detail(asking.city, asking.run(run)))


@router.get(
    "/checkup/runs/{run}/indicators/{code}/units",
    summary="The values of an indicator unit by unit",
    **documented("read", returns("CheckupUnits"), problems=(404,)),
)
def get_units(
    run: RunPath,
    code: CodePath,
    asking: AskingDep,
    by: ByQuery = None,
    limit: LimitQuery = MOST_TOLD,
    offset: OffsetQuery = 0,
) -> Response:
    """Each with numerator, denominator and the share of the denominator that was surveyed."""
    found = units_of_run(asking.city, asking.run(run), code, by)
    return json_answer(found.document(range(len(found.units.ids))[offset : offset + limit]))


@router.get(
    "/checkup/runs/{run}/indicators/{code}/map",
    summary="The values of an indicator as a map",
    **documented("read", returns({GEOJSON: "CheckupMap"}), problems=(404,)),
)
def get_map(
    run: RunPath,
    code: CodePath,
    asking: AskingDep,
    taking: TakingDep,
    by: ByQuery = None,
    bbox: Annotated[
        str | None, Query(description="west,south,east,north: what meets it only")
    ] = None,
    limit: LimitQuery = MOST_TOLD,
    offset: OffsetQuery = 0,
) -> Response:
    """The units as they were examined; but for buildings their outlines are told to two metres."""
    found = units_of_run(asking.city, asking.run(run), code, by)
    box, _ = parse_bbox(bbox)
    inside = found.within(box)
    places = inside[offset : offset + limit]
    _shown(asking, taking, found, places)
    return json_answer({**found.collection(places), "total": len(inside)}, GEOJSON)


@router.get(
    "/checkup/runs/{run}/indicators/{code}/evidence",
    summary="What speaks for a value: the features, what is not served, the inputs",
    **documented("read", returns("CheckupEvidence"), problems=(404,)),
)
def get_evidence(
    run: RunPath,
    code: CodePath,
    asking: AskingDep,
    taking: TakingDep,
    by: ByQuery = None,
    unit: Annotated[str | None, Query(description="a unit's id; all of them if not told")] = None,
) -> Response:
    """Features as they were examined, as long as that version of their layer is kept."""
    if unit is not None and by is None:
        raise InvalidInput("unit names one of the units of a kind; say with by which kind it is of")
    found = asking.run(run)
    told = evidence(asking.city, found, code, by, unit)
    versions = {one["layer"]: one["version"] for one in told["inputs"]}
    for layer, version in versions.items():
        ids = [one["id"] for one in told["features"] if one["layer"] == layer and one["bbox"]]
        if ids and version is not None:
            taking.shows_all({(layer, version): ids})
    _shown_beside(asking, taking, found.indicator(code), told, versions)
    return json_answer(told)


@router.get(
    "/checkup/compare",
    summary="Two check-ups side by side",
    **documented("read", returns("CheckupComparison"), problems=(404,)),
)
def get_comparison(
    asking: AskingDep,
    old: Annotated[str, Query(alias="from", description="the id of the earlier check-up")],
    new: Annotated[str, Query(alias="to", description="the id of the later one")],
) -> Response:
    """No change is called better or worse where the method is not the same."""
    return json_answer(compared(asking.city, old, new))


def _shown(asking: Asking, taking: TakingDep, found: UnitValues, places: Sequence[int]) -> None:
    """Count what is shown of a protected layer as precisely as it is."""
    layer = found.units.layer
    if not layer:
        return
    taking.note.looked_at([layer])
    known = {version.layer: version for version in asking.city.layers.current()}.get(layer)
    sensitive = known is not None and known.about.sensitivity == "sensitive"
    if known is not None and (sensitive or found.units.by == "building"):
        taking.shows(known, [found.units.ids[at] for at in places])


def _shown_beside(
    asking: Asking,
    taking: TakingDep,
    entry: Document,
    told: Document,
    inputs: Mapping[str, Any],
) -> None:
    """Count what evidence shows beside features of its inputs: buildings, and what is not served."""
    boxes: dict[str, list[tuple[float, float]]] = {}
    for one in told["features"]:
        if one["bbox"] and one["layer"] not in inputs:
            west, south, east, north = one["bbox"]
            middle = ((west + east) / 2, (south + north) / 2)
            boxes.setdefault(one["layer"], []).append(middle)
    taking.note.looked_at(boxes)
    for layer, places in boxes.items():
        taking.shows_places(layer, places)
    if told["unserved"] is None or "demand" not in entry["formula"]:
        return
    demand = entry["formula"]["demand"]["input"]
    layers = {one["layer"] for one in told["inputs"] if one["role"] == demand}
    for known in asking.city.layers.current():
        if known.layer in layers and known.about.sensitivity == "sensitive":
            taking.note.looked_at([known.layer])
            if taking.guard.counts(taking.access.person, known.layer):
                taking.shows_lines([shapely.geometry.shape(told["unserved"])])
