"""What traffic at an intersection comes to: measures, cycles, queues, and the way along a corridor."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from analysis.traffic.measures_parts import By
from server.answers import json_answer
from server.documented import JSON, documented, returns
from server.state import TRAFFIC_PLACE, CityDep, ExportCityDep, StateDep, TakingDep
from server.traffic.asked import DAY, HOUR, corridor_map, intersection, moment, road_map, window
from server.traffic.intersections import places
from server.traffic.measuring import MEDIA_TYPES, TableFormat, as_file

router = APIRouter(tags=["traffic"], dependencies=[TRAFFIC_PLACE])

LONGEST_DIAGRAM = 4 * HOUR

IntersectionQuery = Annotated[str, Query(alias="intersection", description="its id")]
LayerQuery = Annotated[
    str | None, Query(description="the layer of its road map, where several have one of that id")
]
StartQuery = Annotated[
    str | None,
    Query(description="milliseconds since 1970, or ISO 8601; an hour before the end if not told"),
]
EndQuery = Annotated[
    str | None, Query(description="milliseconds since 1970, or ISO 8601; now if not told")
]


@router.get(
    "/measures",
    summary="Measures of an intersection",
    **documented(
        "read",
        returns(
            {JSON: "Measures", **dict.fromkeys(MEDIA_TYPES.values())}, headers=("X-Export-Id",)
        ),
        problems=(404, 409),
    ),
)
def get_measures(
    name: IntersectionQuery,
    city: CityDep,
    export_city: ExportCityDep,
    state: StateDep,
    taking: TakingDep,
    layer: LayerQuery = None,
    start: StartQuery = None,
    end: EndQuery = None,
    bin_: Annotated[int, Query(alias="bin", ge=60, le=86_400, description="seconds")] = 900,
    by: By = "movement",
    compare: Annotated[
        str | None, Query(description="when another window begins that is as long, to compare with")
    ] = None,
    format_: Annotated[Literal["json"] | TableFormat, Query(alias="format")] = "json",
) -> Response:
    """By movement, approach, lane or phase in bins of time, at most a day; what cannot be known is null."""
    roads, one = intersection(city, name, layer)
    taking.note.looked_at([roads.layer])
    begin, until = window(start, end, HOUR, DAY)
    other = None if compare is None else moment(compare, "compare")
    if format_ != "json":
        taking.require(roads.layer)
        roads = road_map(export_city, roads.layer)
    taking.shows_places(roads.layer, places([one]))
    table = state.measuring.measures(roads, name, (begin, until), bin_, by)
    if format_ != "json":
        content = as_file(table, format_, taking.file())
        disposition = f'attachment; filename="measures.{format_}"'
        return Response(content, 200, {"content-disposition": disposition}, MEDIA_TYPES[format_])
    compared = None
    if other is not None:
        span = (other, other + until - begin)
        rows = state.measuring.measures(roads, name, span, bin_, by)["rows"]
        compared = {"start": other, "rows": rows}
    return json_answer(
        {
            "intersection": name, "layer": roads.layer, "start": begin, "end": until, "bin": bin_,
            "by": by, "columns": table["columns"], "rows": table["rows"], "compared": compared,
        }
    )  # fmt: skip


@router.get(
    "/measures/cycles",
    summary="Cycles of an intersection's signals, and arrivals in them",
    **documented("read", returns("SignalCycles"), problems=(404, 409)),
)
def get_cycles(
    name: IntersectionQuery,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    layer: LayerQuery = None,
    start: StartQuery = None,
    end: EndQuery = None,
) -> Response:
    """For a phase diagram: when each group was green, yellow and red, and when who arrived; at most four hours."""
    roads, one = intersection(city, name, layer)
    taking.note.looked_at([roads.layer])
    taking.shows_places(roads.layer, places([one]))
    span = window(start, end, HOUR, LONGEST_DIAGRAM)
    return json_answer(state.measuring.cycles(roads, name, span))


@router.get(
    "/measures/queues",
    summary="Queues on the lanes of an intersection, over time",
    **documented("read", returns("Queues"), problems=(404, 409)),
)
def get_queues(
    name: IntersectionQuery,
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    layer: LayerQuery = None,
    start: StartQuery = None,
    end: EndQuery = None,
    step: Annotated[int, Query(ge=1, le=3600, description="seconds")] = 1,
) -> Response:
    """In metres and vehicles, lane by lane; at most four hours."""
    roads, one = intersection(city, name, layer)
    taking.note.looked_at([roads.layer])
    taking.shows_places(roads.layer, places([one]))
    span = window(start, end, HOUR, LONGEST_DIAGRAM)
    return json_answer(state.measuring.queues(roads, name, span, step))


@router.get(
    "/measures/time-space",
    summary="Greens and vehicles along a corridor",
    **documented("read", returns("TimeSpace"), problems=(404, 409)),
)
def get_time_space(
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    layer: LayerQuery = None,
    corridor: Annotated[str | None, Query(description="the name of a corridor")] = None,
    from_: Annotated[
        str | None, Query(alias="from", description="the intersection where it begins")
    ] = None,
    to: Annotated[str | None, Query(description="the intersection where it ends")] = None,
    start: StartQuery = None,
    end: EndQuery = None,
) -> Response:
    """Of a corridor by its name, or of the way from one intersection to another; at most four hours."""
    roads = corridor_map(city, layer, corridor, from_)
    taking.note.looked_at([roads.layer])
    taking.shows_places(roads.layer, places(roads.map.intersections))
    span = window(start, end, HOUR, LONGEST_DIAGRAM)
    return json_answer(state.measuring.time_space(roads, span, corridor, from_, to))
