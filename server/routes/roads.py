"""How roads are: congestion by link, by corridor and by H3 cell."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from analysis.traffic.congestion import By
from cim_core.cells import FINEST
from server.answers import json_answer
from server.documented import documented, returns
from server.state import TRAFFIC_PLACE, CityDep, StateDep, TakingDep
from server.traffic.asked import DAY, HOUR, road_maps, window
from server.traffic.measuring import shows_states

router = APIRouter(tags=["traffic"], dependencies=[TRAFFIC_PLACE])


@router.get(
    "/roads/states",
    summary="How congested roads were",
    **documented("read", returns("RoadStates"), problems=(404,)),
)
def get_states(
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    start: Annotated[
        str | None,
        Query(
            description="milliseconds since 1970, or ISO 8601; an hour before the end if not told"
        ),
    ] = None,
    end: Annotated[
        str | None, Query(description="milliseconds since 1970, or ISO 8601; now if not told")
    ] = None,
    bin_: Annotated[int, Query(alias="bin", ge=60, le=86_400, description="seconds")] = 900,
    by: By = "link",
    resolution: Annotated[int | None, Query(ge=0, le=FINEST, description="of the cells")] = None,
    layer: Annotated[str | None, Query(description="the layer of one road map")] = None,
    definition: Annotated[str | None, Query(description="by which congestion is told")] = None,
) -> Response:
    """Travel time index, delay and state, summed before they are divided; at most a day."""
    maps = road_maps(city, layer)
    taking.note.looked_at(roads.layer for roads in maps)
    span = window(start, end, HOUR, DAY)
    found = state.measuring.states(maps, span, bin_, by, resolution, definition)
    shows_states(taking, found)
    return json_answer(found)
