"""What moves on the roads: what there is of it, tracks, and all of it as it happens."""

import asyncio
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, WebSocket
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.sight import Sight
from cim_core.store.traffic_events import EventsAsked, KnownEvent
from cim_core.traffic.event import EventKind
from server.access.verbs import spoken
from server.alarms import who
from server.answers import json_answer
from server.documented import LARGEST, LayerPath, documented, returns
from server.parameters import parse_bbox
from server.state import TRAFFIC_PLACE, AccessDep, CityDep, ExportCityDep, StateDep, TakingDep
from server.telling import Told, Watching, tell
from server.traffic.asked import MINUTE, Roads, moment, road_map, window
from server.traffic.happened import event_document, shows_events
from server.traffic.layers import layers_document
from server.traffic.live import TrafficHub, sees
from server.traffic.tracks import LONGEST, LONGEST_FILE, MEDIA_TYPES, FileFormat, file, replay

router = APIRouter(tags=["traffic"])

FRAMES = "application/vnd.cim.traffic-frames"

StartQuery = Annotated[
    str | None, Query(description="milliseconds since 1970, or ISO 8601; from then on")
]
EndQuery = Annotated[
    str | None, Query(description="milliseconds since 1970, or ISO 8601; before then")
]


EventPath = Annotated[int, Path(ge=1, le=LARGEST, description="an event's number")]


class EventClosing(BaseModel):
    """Why an event is over."""

    model_config = ConfigDict(extra="forbid", strict=True)

    note: Annotated[str, Field(max_length=2000)]


@router.get(
    "/traffic/layers",
    summary="Road maps, and what is recorded of each",
    **documented("read", returns("TrafficLayers")),
)
def list_traffic_layers(city: CityDep, taking: TakingDep) -> Response:
    """From when to when there are positions, signals and events of controllers."""
    found = layers_document(city)
    taking.note.looked_at(str(one["layer"]) for one in found)
    return json_answer({"layers": found})


@router.get(
    "/traffic/tracks",
    summary="Where road users were",
    **documented(
        "read",
        returns({FRAMES: None, **dict.fromkeys(MEDIA_TYPES.values())}, headers=("X-Export-Id",)),
        problems=(404,),
    ),
    dependencies=[TRAFFIC_PLACE],
)
def get_tracks(
    layer: Annotated[str, Query(description="the layer of a road map")],
    city: CityDep,
    export_city: ExportCityDep,
    state: StateDep,
    taking: TakingDep,
    start: StartQuery = None,
    end: EndQuery = None,
    step: Annotated[float, Query(ge=0.1, le=60, description="seconds from frame to frame")] = 1.0,
    bbox: Annotated[str | None, Query(description="west,south,east,north in degrees")] = None,
    format_: Annotated[
        Literal["frames"] | FileFormat,
        Query(alias="format", description="other than frames: all positions, as a file"),
    ] = "frames",
) -> Response:
    """As frames to replay, at most 15 minutes; or as a file, at most an hour. The last minute if not told."""
    road_map(city, layer)
    taking.note.looked_at([layer])
    box, _ = parse_bbox(bbox)
    begin, until = window(start, end, MINUTE, LONGEST if format_ == "frames" else LONGEST_FILE)
    asked = {"layer": layer, "start": begin, "end": until, "box": box}
    if format_ == "frames":
        data, cells = state.work.ask(replay, [layer], step=round(1000 * step), **asked)
        taking.shows_cells([layer], cells)
        return Response(data, 200, {"cache-control": "private, no-cache"}, FRAMES)
    taking.require(layer)
    road_map(export_city, layer)
    data, cells = state.work.ask(file, [layer], form=format_, export=taking.file(), **asked)
    taking.shows_cells([layer], cells)
    ending = "json" if format_ == "moving-features" else format_
    name = {"content-disposition": f'attachment; filename="{layer}-tracks.{ending}"'}
    return Response(data, 200, name, MEDIA_TYPES[format_])


@router.get(
    "/traffic/events",
    summary="What was recognised on the roads",
    **documented("read", returns("TrafficEvents")),
)
def list_events(
    city: CityDep,
    taking: TakingDep,
    state_: Annotated[Literal["open", "closed", "all"], Query(alias="state")] = "all",
    kind: EventKind | None = None,
    layer: str | None = None,
    start: StartQuery = None,
    end: EndQuery = None,
    after: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="those before this one")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Events that were on at some time of a window, the newest first."""
    begin = None if start is None else moment(start, "start")
    until = None if end is None else moment(end, "end")
    asked = EventsAsked(state_, kind, layer, begin, until, after, limit)
    found = city.traffic.events.find(asked)
    shows_events(taking, found)
    return json_answer({"events": [event_document(one, city.sight) for one in found]})


@router.get(
    "/traffic/events/{event}",
    summary="An event on the roads",
    **documented("read", returns("TrafficEvent"), problems=(404,)),
)
def get_event(event: EventPath, city: CityDep, taking: TakingDep) -> Response:
    """With where those were whom it is about."""
    found = city.traffic.events.get(event)
    shows_events(taking, [found])
    return json_answer(event_document(found, city.sight, track=True))


@router.post(
    "/traffic/events/{event}/closing",
    summary="Close an event on the roads",
    **documented("respond", returns("TrafficEvent"), problems=(404, 409)),
)
def close_event(
    event: EventPath, given: EventClosing, city: CityDep, access: AccessDep, taking: TakingDep
) -> Response:
    """It is over, says who asks, and why; 409 where it is closed already."""

    def may(known: KnownEvent) -> None:
        access.require("respond", known.layer)

    found = city.traffic.events.close(event, who(access), given.note, may=may)
    shows_events(taking, [found])
    return json_answer(event_document(found, city.sight, track=True))


@router.websocket("/traffic/live/{layer}")
@spoken("read")
async def traffic_live(
    websocket: WebSocket, layer: LayerPath, state: StateDep, access: AccessDep
) -> None:
    """Where every vehicle of a road map is and what every signal shows, ten times a second."""
    roads = await asyncio.to_thread(lambda: road_map(access.city(state.whole_city), layer))
    told = Told(layer, partial(_watching, state.traffic, roads), sees)
    await tell(websocket, told, state.gate, access)


def _watching(
    hub: TrafficHub, roads: Roads, layer: str, sight: Sight
) -> AbstractAsyncContextManager[Watching]:
    """Whoever sees a road map sees the same of it."""
    return hub.watching(layer, roads.anchor)
