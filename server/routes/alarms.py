"""Alarms: what must be looked at, and what is done about it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from cim_core.store.live_alarms import Asked
from server.alarms import event_document, may_respond, near, rules_document, shows, who
from server.answers import json_answer
from server.documented import LARGEST, documented, returns
from server.state import AccessDep, CityDep, StateDep, TakingDep

router = APIRouter(tags=["alarms"])

AlarmPath = Annotated[int, Path(ge=1, le=LARGEST, description="an alarm's number")]
_Version = Annotated[int, Field(ge=1, le=LARGEST)]
_Words = Annotated[str, Field(max_length=2000)]
_Number = Annotated[int | None, Query(ge=1, le=LARGEST)]


class Acknowledgement(BaseModel):
    """Somebody looks after an alarm; `version` is what they saw."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: _Version
    note: _Words = ""


class Shelving(BaseModel):
    """An alarm is to rest until a moment, milliseconds since 1970."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: _Version
    until: Annotated[int, Field(ge=0, le=LARGEST)]
    reason: _Words


class Closing(BaseModel):
    """The work on an alarm is done."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: _Version
    reason: _Words


@router.get("/alarms", summary="Alarms", **documented("read", returns("Alarms")))
def list_alarms(
    city: CityDep,
    taking: TakingDep,
    state: Literal["open", "closed", "all"] = "open",
    level: Annotated[int | None, Query(ge=1, le=4)] = None,
    layer: Annotated[str | None, Query(description="a layer's id")] = None,
    thing: _Number = None,
    rule: Annotated[str | None, Query(description="a rule's id")] = None,
    since: Annotated[
        int | None, Query(ge=0, le=LARGEST, description="changed then or later, ms since 1970")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[
        int | None, Query(ge=1, le=LARGEST, description="the last alarm of the page before")
    ] = None,
) -> Response:
    """Alarms, the newest first; `counts` are of all that are open, whatever is asked for."""
    asked = Asked(state, level or 0, layer, thing, rule, since, after, limit)
    alarms = city.live.alarms.find(asked)
    shows(taking, alarms)
    count, levels = city.live.alarms.counts()
    return json_answer(
        {
            "alarms": [alarm.document(city.sight) for alarm in alarms],
            "counts": {"open": count, "by_level": {str(k): v for k, v in levels.items()}},
        }
    )


@router.get(
    "/alarms/{alarm}",
    summary="One alarm, what happened to it and what is near",
    **documented("read", returns("AlarmDetail"), problems=(404,)),
)
def get_alarm(alarm: AlarmPath, city: CityDep, taking: TakingDep) -> Response:
    """An alarm with all that was done about it, and with people, facilities, roads and valves near."""
    found = city.live.alarms.get(alarm)
    events = city.live.alarms.events(alarm)
    around = near(city, found)
    shows(taking, [found])
    taking.shows_all(around.shown)
    return json_answer(
        {
            **found.document(city.sight),
            "events": [event_document(event, city.sight) for event in events],
            "near": around.document,
        }
    )


@router.post(
    "/alarms/{alarm}/acknowledgement",
    summary="Look after an alarm",
    **documented("respond", returns("Alarm"), problems=(404, 409)),
)
def acknowledge(
    alarm: AlarmPath, given: Acknowledgement, city: CityDep, access: AccessDep, taking: TakingDep
) -> Response:
    """From now on it is handled by who asks; 409 where somebody was faster."""
    alarms = city.live.alarms
    change = alarms.acknowledge(
        alarm, who(access), given.version, given.note, may=may_respond(access)
    )
    shows(taking, [change.alarm])
    return json_answer(change.alarm.document(city.sight))


@router.post(
    "/alarms/{alarm}/shelving",
    summary="Let an alarm rest",
    **documented("respond", returns("Alarm"), problems=(404, 409)),
)
def shelve(
    alarm: AlarmPath, given: Shelving, city: CityDep, access: AccessDep, taking: TakingDep
) -> Response:
    """Until a time, with a reason; a worse level ends it. 409 where somebody was faster."""
    alarms, may = city.live.alarms, may_respond(access)
    change = alarms.shelve(alarm, who(access), given.version, given.until, given.reason, may=may)
    shows(taking, [change.alarm])
    return json_answer(change.alarm.document(city.sight))


@router.post(
    "/alarms/{alarm}/closing",
    summary="Close an alarm",
    **documented("respond", returns("Alarm"), problems=(404, 409)),
)
def close(
    alarm: AlarmPath, given: Closing, city: CityDep, access: AccessDep, taking: TakingDep
) -> Response:
    """Done by who asks, for a reason; cleared once its condition is over. 409 as above."""
    alarms = city.live.alarms
    change = alarms.close(alarm, who(access), given.version, given.reason, may=may_respond(access))
    shows(taking, [change.alarm])
    return json_answer(change.alarm.document(city.sight))


@router.get("/alarm-rules", summary="Alarm rules", **documented("read", returns("AlarmRules")))
def list_rules(state: StateDep, access: AccessDep) -> Response:
    """The rules that hold: those of the program and those of the city's `alarms.toml`."""
    return json_answer(rules_document(state.observing.rules, access))
