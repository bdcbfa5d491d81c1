"""Intersections as they are told over HTTP: what they are made of, and what happens there now."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

import msgspec
import numpy as np
import shapely

from analysis.traffic.event_map import within
from cim_core.city import City
from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates
from cim_core.traffic.roads import Intersection, Plan, RoadMap
from pipelines.road_report import report, reports
from pipelines.roads_export import around
from server.traffic.asked import Roads
from server.traffic.frames import LIGHTS, Anchor, metres
from server.traffic.now import Now

_BESIDE = 3.0
"""How far from the middle of a lane a vehicle may be that is on it, metres."""


def summaries(city: City, roads: Roads) -> list[dict[str, Any]]:
    """The intersections of a road map, as they are listed."""
    has_state = any(recorded(city, roads.layer).values())
    lanes = Counter(lane.link for lane in roads.map.lanes)
    complete = reports(roads.map)
    return [
        {
            "layer": roads.layer, "id": one.id, "name": one.name, "name_en": one.name_en,
            "control": one.control, "place": list(one.place[:2]),
            "approaches": len(one.approaches),
            "lanes": sum(lanes[arm.link] for arm in one.approaches),
            "completeness": complete[one.id].score, "has_state": has_state,
        }
        for one in roads.map.intersections
    ]  # fmt: skip


def places(intersections: Iterable[Intersection]) -> list[tuple[float, float]]:
    """Where they are, longitude and latitude."""
    return [(one.place[0], one.place[1]) for one in intersections]


def document(city: City, roads: Roads, one: Intersection, now: Now, at: int) -> dict[str, Any]:
    """An intersection with all that belongs to it, and what happens there now."""
    part = around(roads.map, one.id)
    complete = report(roads.map, one.id)
    return {
        "layer": roads.layer, "id": one.id, "name": one.name, "name_en": one.name_en,
        "control": one.control, "place": list(one.place), "area": one.area,
        "approaches": [
            {
                "link": arm.link, "name": arm.name or part.link_by_id[arm.link].name,
                "bearing": arm.bearing, "lanes": [lane.id for lane in part.lanes_of(arm.link)],
            }
            for arm in one.approaches
        ],
        "exits": list(one.exits),
        "lanes": _built(part.lanes),
        "connections": _built(part.connections),
        "crosswalks": _built(part.crosswalks),
        "groups": _built(part.groups),
        "plans": [{**_one(plan), "cycle": plan.cycle} for plan in part.plans],
        "plan": plan_in_force(part.plans, at),
        "devices": _built(part.devices),
        "restrictions": _built(part.restrictions),
        "works": _built(part.works),
        "report": {"score": complete.score, "missing": [asdict(one) for one in complete.missing]},
        "state": state(part, one, now, at),
        "recorded": recorded(city, roads.layer),
    }  # fmt: skip


def recorded(city: City, layer: str) -> dict[str, list[int] | None]:
    """From when to when there is something recorded of a layer."""
    spans = {
        "positions": city.traffic.span(layer, Positions),
        "signals": city.traffic.span(layer, SignalStates),
    }
    return {name: None if span is None else list(span) for name, span in spans.items()}


def state(roads: RoadMap, one: Intersection, now: Now, at: int) -> dict[str, Any] | None:
    """What happens at an intersection now; None where nothing was heard of the road map."""
    with now.lock:
        now.vehicles.forget(at)
        lights = {
            group: {"light": LIGHTS[light], "remaining": _seconds(remaining), "since": shown.since}
            for (node, group), shown in now.signals.shown.items()
            if node == one.id
            for light, remaining in (shown.at(at),)
        }
        positions, heard = now.vehicles.positions(), now.heard
    if not heard:
        return None
    return {
        "at": at, "age": round((at - heard) / 1000.0, 3), "lights": lights,
        "vehicles": vehicles_at(roads, one, now.anchor, positions),
    }  # fmt: skip


def vehicles_at(roads: RoadMap, one: Intersection, anchor: Anchor, positions: Positions) -> int:
    """How many vehicles are on the lanes that lead to an intersection, or on the ways through it."""
    lanes = [lane.line for arm in one.approaches for lane in roads.lanes_of(arm.link)]
    lines = [np.array([place[:2] for place in line]) for line in lanes] + [
        np.array([place[:2] for place in way.line]) for way in roads.connections_of(one.id)
    ]
    driving = positions.kinds != ROAD_USERS.index("pedestrian")
    if not lines or not driving.any():
        return 0
    ways = shapely.multilinestrings(
        [shapely.linestrings(metres(anchor, *line.T)) for line in lines]
    )
    shapely.prepare(ways)
    points = shapely.points(metres(anchor, positions.lon[driving], positions.lat[driving]))
    return int(shapely.dwithin(ways, points, _BESIDE).sum())


def plan_in_force(plans: Sequence[Plan], at: int) -> str | None:
    """The id of the first plan whose schedule holds at a moment, milliseconds since 1970.

    Schedules are in the city's local time, wherever the server is.
    """
    holds = (plan.id for plan in plans if not plan.schedule or within(plan.schedule, at))
    return next(holds, None)


def _seconds(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 1)


def _built(things: Sequence[msgspec.Struct]) -> list[dict[str, Any]]:
    return [_one(thing) for thing in things]


def _one(thing: msgspec.Struct) -> dict[str, Any]:
    """With all its fields, also those that are as usual."""
    return {name: msgspec.to_builtins(getattr(thing, name)) for name in thing.__struct_fields__}
