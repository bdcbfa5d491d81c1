"""What is true of a simulation: what happened in it, where, when and to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from sample_data.district.traffic_document import places
from sample_data.district.traffic_flow import Frame
from sample_data.district.traffic_signals import traffic_table

if TYPE_CHECKING:
    from sample_data.district.traffic import Course

_FULL, _SLOW = 14.0, 1.0
"""A lane is full where somebody who hardly moves (m/s) stands so near its beginning (m)."""

Row = dict[str, Any]


def truth(course: Course) -> Row:
    """Events with begin and end (ms since 1970), the vehicles that are watched, and sums."""
    events = [*_incidents(course), *_odd(course), *_full(course), *_failed(), *_off_route(course)]
    begin, end = course.frames[0].at, course.frames[-1].at
    for event in events:
        event["begun"], event["ended"] = _ms(event["begun"]), _ms(event["ended"])
    events.sort(key=lambda event: event["begun"])
    return {
        "begun": _ms(begin), "ended": _ms(end), "events": events,
        "key_vehicles": [
            {
                "id": key["who"], "kind": key["kind"], "name": key["zh"], "name_en": key["en"],
                "corridors": key["allowed"], "links": key.get("links", []),
            }
            for key in traffic_table()["key"]
        ],
        "vehicles": {
            "entered": course.flow.entered, "left": course.flow.left,
            "inside": len(course.flow.active), "most": max(len(f.trips) for f in course.frames),
        },
    }  # fmt: skip


def _ms(at: float) -> int:
    return int(traffic_table()["recording"]["begin"]) + round(at * 1000)


def _event(
    course: Course, kind: str, lane: str, along: float, begun: float, ended: float, who: list[str]
) -> Row:
    point = shapely.line_interpolate_point(course.roads.lanes[lane].line, along)
    link = course.roads.lanes[lane].link
    return {
        "kind": kind, "begun": begun, "ended": ended, "vehicles": who,
        "where": {
            "link": link, "lane": lane, "intersection": course.roads.links[link].end,
            "place": places(np.array([[point.x, point.y]]))[0].tolist(),
        },
    }  # fmt: skip


def _incidents(course: Course) -> Iterator[Row]:
    lanes = list(course.roads.lanes)
    last = course.frames[-1].at
    for kind, lane, along, begun, ended, who in course.incidents.found:
        if kind != "accident":
            yield _event(course, kind, lanes[lane], along, begun, ended, who)
            continue
        stop = _event(course, "abnormal-stop", lanes[lane], along, begun, min(ended, last), who)
        yield {**stop, "cause": "accident"}
        yield _event(course, "hard-braking", lanes[lane], along, begun, begun + 8.0, who)


def _odd(course: Course) -> Iterator[Row]:
    last = course.frames[-1].at
    for odd in course.odd:
        if odd.begin <= last:
            middle = (odd.first + odd.last) / 2
            yield _event(course, odd.event, odd.lane, middle, odd.begin, min(odd.end, last), [odd.who])  # fmt: skip


def _full(course: Course) -> Iterator[Row]:
    """The links that were full to the stop line before them, while most of their lanes were."""
    for link in course.roads.links.values():
        if link.start is None or link.end is None:
            continue
        lanes = [course.tracks.lane[one.id] for one in course.tracks.through(link.id)]
        moments = [
            f.at
            for f in course.frames
            if len(np.unique(f.lanes[_held(f) & np.isin(f.lanes, lanes)])) > len(lanes) / 2
        ]
        for begun, ended in _together(moments):
            yield _event(course, "queue-spillback", list(course.roads.lanes)[lanes[0]], 5.0, begun, ended, [])  # fmt: skip


def _held(frame: Frame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    found: np.ndarray[Any, np.dtype[np.bool_]] = (
        (frame.speeds < _SLOW) & (frame.places >= 0) & (frame.places < _FULL)
    )
    return found


def _together(moments: list[float], gap: float = 90.0, least: float = 20.0) -> Iterator[tuple[float, float]]:  # fmt: skip
    """Spans of moments that no longer gap parts, those of some length."""
    if not moments:
        return
    at = np.array(moments)
    cuts = np.flatnonzero(np.diff(at) > gap) + 1
    for part in np.split(at, cuts):
        if part[-1] - part[0] >= least:
            yield float(part[0]), float(part[-1])


def _failed() -> Iterator[Row]:
    table = traffic_table()["failure"]
    yield {
        "kind": "signal-failure", "begun": table["begin"], "ended": table["end"], "vehicles": [],
        "where": {"intersection": table["node"]},
    }  # fmt: skip


def _off_route(course: Course) -> Iterator[Row]:
    for key in traffic_table()["key"]:
        link = key.get("off_route")
        lanes = (
            {course.tracks.lane[one.id] for one in course.roads.of_link(link)} if link else set()
        )
        rows = {n for n, trip in enumerate(course.trips) if trip.who == key["who"]}
        seen = [
            (f.at, int(f.lanes[i])) for f in course.frames for i in np.flatnonzero(np.isin(f.trips, list(rows)))
            if int(f.lanes[i]) in lanes and f.ways[i] < 0
        ]  # fmt: skip
        if seen:
            name = list(course.roads.lanes)[seen[0][1]]
            yield _event(course, "off-route", name, 10.0, seen[0][0], seen[-1][0], [key["who"]])
