"""What things observed: series, what is odd, and who still reports."""

import time
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query
from fastapi.responses import Response

from analysis.anomalies import HOUR, Anomaly, anomalies
from analysis.availability import STATES, Availability, State, availability, newest_times
from analysis.observed_rules import anomaly_rules
from analysis.series import MOST_POINTS, MOST_ROWS, Method, series
from cim_core.errors import InvalidInput, NotFound
from cim_core.observations import LAST_TIME, Streams
from cim_core.progress import Progress
from server.answers import json_answer
from server.documented import documented, returns
from server.observing import chosen_streams, series_document
from server.state import CityDep, StateDep, TakingDep

router = APIRouter(tags=["observations"])

_DAY = 24 * HOUR
_MOST_SERIES = 64
_MOST_WEEKS = 52

TimeQuery = Annotated[
    int | None, Query(ge=0, le=LAST_TIME, description="milliseconds since 1970, UTC")
]
ClassQuery = Annotated[str | None, Query(alias="class", description="a class of things")]


@router.get(
    "/observations/series",
    summary="What datastreams observed over a time",
    **documented("read", returns("SeriesList"), problems=(404,)),
)
def get_series(
    city: CityDep,
    state: StateDep,
    taking: TakingDep,
    datastreams: Annotated[str, Query(description="ids, with commas between")],
    start: TimeQuery = None,
    end: TimeQuery = None,
    points: Annotated[int, Query(ge=4, le=MOST_POINTS)] = 1000,
    method: Method = "minmax",
) -> Response:
    """With start ≤ time < end, thinned without losing an extreme; the last 24 hours if not told."""
    now = _now()
    end = now if end is None else end
    start = max(0, end - _DAY) if start is None else start
    if start >= end:
        raise InvalidInput(f"no time lies between start={start} and end={end}; give the earlier one as start")  # fmt: skip
    known = city.live.streams()
    wanted = _numbers(datastreams)
    for number in wanted:
        if number not in known.by_id:
            raise NotFound(f"there is no datastream {number} in this city; GET /things lists them")
    taking.note.looked_at({known.by_id[number].layer for number in wanted})
    ids = np.array(sorted(wanted), np.int64)
    found = city.observed.rows(ids, start, end, newest=MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise InvalidInput(
            f"that is more than {MOST_ROWS} observations; ask for a shorter time or fewer datastreams"
        )
    streams = [known.by_id[number] for number in wanted]
    answers = series(streams, found, start, min(end, max(now, start)), points, method)
    return json_answer(
        {
            "series": [
                {**series_document(one), "thresholds": state.observing.thresholds(one.stream)}
                for one in answers
            ],
            "start": start,
            "end": end,
        }
    )


@router.get(
    "/observations/anomalies",
    summary="What is odd now",
    **documented("read", returns("Anomalies")),
)
def get_anomalies(
    city: CityDep,
    taking: TakingDep,
    property_: Annotated[str | None, Query(alias="property")] = None,
    class_: ClassQuery = None,
    layer: str | None = None,
    at: TimeQuery = None,
    weeks: Annotated[int, Query(ge=1, le=_MOST_WEEKS)] = 4,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The hour before `at` beside the same hour of the same weekday in earlier weeks."""
    at = _now() if at is None else at
    streams = chosen_streams(city, property_, class_, layer)
    taking.note.looked_at(_layers(streams))
    found = anomalies(streams, city.observed, at, weeks, Progress())
    rules = anomaly_rules()
    return json_answer(
        {
            "at": at, "start": at - HOUR, "weeks": weeks, "score": rules.score,
            "least_weeks": rules.least_weeks, "looked_at": found.looked_at,
            "too_little": found.too_little, "silent": found.silent, "total": len(found.found),
            "anomalies": [_anomaly(one) for one in found.found[:limit]],
        }
    )  # fmt: skip


@router.get(
    "/observations/availability",
    summary="Which things still report",
    **documented("read", returns("Availability")),
)
def get_availability(
    city: CityDep,
    taking: TakingDep,
    layer: str | None = None,
    class_: ClassQuery = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
) -> Response:
    """How many things are ok, stale, silent, or were never observed; those that are not ok."""
    streams = chosen_streams(city, None, class_, layer)
    taking.note.looked_at(_layers(streams))
    latest = city.observed.latest(streams.ids)
    times = newest_times(streams.ids, latest.streams, latest.times)
    return json_answer(_availability(availability(streams, times, _now()), limit))


def _numbers(text: str) -> list[int]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        raise InvalidInput(
            f"datastreams={text} are no ids; write numbers with commas between, as in datastreams=1,2"
        )
    wanted = list(dict.fromkeys(int(part) for part in parts))
    if len(wanted) > _MOST_SERIES:
        raise InvalidInput(
            f"that is {len(wanted)} datastreams, and at most {_MOST_SERIES} are told at once; ask for fewer"
        )
    return wanted


def _layers(streams: Streams) -> set[str]:
    return {stream.layer for stream in streams.by_id.values()}


def _anomaly(one: Anomaly) -> dict[str, Any]:
    stream = one.stream
    return {
        "datastream": {
            "id": stream.id, "key": stream.key, "name": stream.name, "property": stream.property,
            "unit": stream.unit, "thing": stream.thing, "thing_name": stream.thing_name,
            "class": stream.thing_class, "layer": stream.layer,
        },
        "value": one.value, "median": one.median, "scale": one.scale,
        "score": one.score if np.isfinite(one.score) else None, "weeks": one.weeks,
    }  # fmt: skip


def _availability(found: Availability, limit: int) -> dict[str, Any]:
    return {
        "things": sum(found.things.values()), "streams": found.streams, **_counts(found.things),
        "by_class": [
            {"class": name, "things": sum(counts.values()), **_counts(counts)}
            for name, counts in found.by_class.items()
        ],
        "list": [
            {
                "id": one.id, "name": one.name, "class": one.thing_class, "layer": one.layer,
                "feature": one.feature, "state": one.state, "updated": one.updated,
            }
            for one in found.absent[:limit]
        ],
    }  # fmt: skip


def _counts(things: Mapping[State, int]) -> dict[str, int]:
    return {state: things.get(state, 0) for state in STATES}


def _now() -> int:
    return time.time_ns() // 1_000_000
