"""How complete an intersection is as a standard digital one, and what is missing where.

What is looked for, what it counts and where that comes from stands in `road_report.toml`.
"""

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np

from cim_core.errors import NotFound
from cim_core.traffic.roads import Connection, Intersection, Lane, Plan, RoadMap, SignalGroup
from pipelines.roads_geometry import level

_GREEN = ("permissive-green", "protected-green", "flashing-green")
_VEHICLES = ("driving", "bus")


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is not there: which item of the table, where, and a sentence by language."""

    what: str
    where: str
    message: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RoadReport:
    """How complete an intersection is, from 0 to 1, and what is missing."""

    intersection: str
    score: float
    missing: tuple[Missing, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """One part of an item: where it stands, whether it is well, and what was found instead."""

    where: str
    well: bool
    value: str = ""


def report(roads: RoadMap, intersection_id: str) -> RoadReport:
    """What an intersection has of what makes it a standard digital one; raises `NotFound`."""
    found = roads.intersection_by_id.get(intersection_id)
    if found is None:
        raise NotFound(f"the road map has no intersection {intersection_id!r}")
    return _reported(_Asked(_Belonging(roads), found))


def reports(roads: RoadMap) -> dict[str, RoadReport]:
    """The reports of all intersections by their ids, in one walk over the map."""
    belonging = _Belonging(roads)
    return {one.id: _reported(_Asked(belonging, one)) for one in roads.intersections}


def _reported(asked: "_Asked") -> RoadReport:
    here = asked.it.id
    total = reached = 0.0
    missing: list[Missing] = []
    for name, item in table()["item"].items():
        if item["applies"] == "signal" and asked.it.control != "signal":
            continue
        parts = list(_CHECKS[name](asked))
        if not parts:
            continue
        total += item["weight"]
        reached += item["weight"] * sum(part.well for part in parts) / len(parts)
        missing += [
            Missing(name, part.where or here, {
                language: text.format(where=part.where, value=part.value)
                for language, text in item["message"].items()
            })
            for part in parts
            if not part.well
        ]  # fmt: skip
    return RoadReport(here, round(reached / total, 4) if total else 0.0, tuple(missing))


@lru_cache
def table() -> Mapping[str, Any]:
    """What is looked for, as it stands in the file."""
    text = files("pipelines").joinpath("road_report.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


class _Belonging:
    """What of a road map belongs to which link and which intersection."""

    def __init__(self, roads: RoadMap) -> None:
        self.lanes: dict[str, list[Lane]] = defaultdict(list)
        self.ways: dict[str, list[Connection]] = defaultdict(list)
        self.groups: dict[str, list[SignalGroup]] = defaultdict(list)
        self.plans: dict[str, list[Plan]] = defaultdict(list)
        self.walked: dict[str, set[str | None]] = defaultdict(set)
        self.devices: dict[str | None, set[str]] = defaultdict(set)
        self.types = {lane.id: lane.type for lane in roads.lanes}
        for lane in roads.lanes:
            self.lanes[lane.link].append(lane)
        for way in roads.connections:
            self.ways[way.intersection].append(way)
        for group in roads.groups:
            self.groups[group.intersection].append(group)
        for plan in roads.plans:
            self.plans[plan.intersection].append(plan)
        for walk in roads.crosswalks:
            self.walked[walk.intersection].add(walk.link)
        for device in roads.devices:
            self.devices[device.intersection].add(device.kind)


class _Asked:
    """An intersection with what belongs to it; `by_link` are the lanes for vehicles of approaches."""

    def __init__(self, belonging: _Belonging, intersection: Intersection) -> None:
        self.it = intersection
        self.limits: Mapping[str, Any] = table()["thresholds"]
        self.by_link = {
            arm.link: [x for x in belonging.lanes.get(arm.link, ()) if x.type in _VEHICLES]
            for arm in intersection.approaches
        }
        self.lanes = [lane for lanes in self.by_link.values() for lane in lanes]
        self.ways = belonging.ways.get(intersection.id, [])
        self.groups = belonging.groups.get(intersection.id, [])
        self.plans = belonging.plans.get(intersection.id, [])
        self.walked = belonging.walked.get(intersection.id, set())
        self.devices = belonging.devices.get(intersection.id, set())
        self.types = belonging.types


_Check = Callable[[_Asked], Iterator[_Part]]


def _name(asked: _Asked) -> Iterator[_Part]:
    yield _Part("", bool(asked.it.name or asked.it.name_en))


def _node(asked: _Asked) -> Iterator[_Part]:
    yield _Part("", asked.it.node is not None)


def _area(asked: _Asked) -> Iterator[_Part]:
    yield _Part("", len(asked.it.area) > 3)


def _approach(asked: _Asked) -> Iterator[_Part]:
    if not asked.by_link:
        yield _Part(asked.it.id, False)
    for link, lanes in asked.by_link.items():
        yield _Part(link, bool(lanes))


def _exit(asked: _Asked) -> Iterator[_Part]:
    yield _Part("", bool(asked.it.exits))


def _turns(asked: _Asked) -> Iterator[_Part]:
    return (_Part(lane.id, bool(lane.turns)) for lane in asked.lanes)


def _width(asked: _Asked) -> Iterator[_Part]:
    low, high = asked.limits["narrowest_lane"], asked.limits["widest_lane"]
    return (_Part(lane.id, low <= lane.width <= high, f"{lane.width:.2f}") for lane in asked.lanes)


def _speed(asked: _Asked) -> Iterator[_Part]:
    return (_Part(lane.id, lane.speed > 0) for lane in asked.lanes)


def _stop(asked: _Asked) -> Iterator[_Part]:
    for lane in asked.lanes:
        away = float(np.linalg.norm(level(lane.line[-1:], asked.it.place)))
        yield _Part(lane.id, away <= asked.limits["farthest_stop"], f"{away:.0f}")


def _connection(asked: _Asked) -> Iterator[_Part]:
    leading = {way.from_lane for way in asked.ways}
    return (_Part(lane.id, lane.id in leading) for lane in asked.lanes)


def _conflicts(asked: _Asked) -> Iterator[_Part]:
    if len(asked.it.approaches) > 1 and len(asked.ways) > 1:
        yield _Part("", any(way.conflicts for way in asked.ways))


def _crosswalk(asked: _Asked) -> Iterator[_Part]:
    return (_Part(link, link in asked.walked) for link in asked.by_link)


def _group(asked: _Asked) -> Iterator[_Part]:
    return (
        _Part(way.id, way.group is not None)
        for way in asked.ways
        if asked.types[way.from_lane] in _VEHICLES
    )


def _number(asked: _Asked) -> Iterator[_Part]:
    return (_Part(group.id, group.number is not None) for group in asked.groups)


def _plan(asked: _Asked) -> Iterator[_Part]:
    yield _Part("", bool(asked.plans))


def _green(asked: _Asked) -> Iterator[_Part]:
    for plan in asked.plans:
        let = {g for phase in plan.phases for g, light in phase.lights.items() if light in _GREEN}
        never = [group.id for group in asked.groups if group.id not in let]
        yield _Part(plan.id, not never, ", ".join(never))


def _cycle(asked: _Asked) -> Iterator[_Part]:
    low, high = asked.limits["shortest_cycle"], asked.limits["longest_cycle"]
    return (_Part(p.id, low <= p.cycle <= high, f"{p.cycle:g}") for p in asked.plans)


def _device(asked: _Asked) -> Iterator[_Part]:
    item = table()["item"]["device"]
    wanted = [*item["kinds"], *(item["signal_kinds"] if asked.it.control == "signal" else ())]
    return (_Part(kind, kind in asked.devices) for kind in wanted)


_CHECKS: Mapping[str, _Check] = {
    "name": _name, "node": _node, "area": _area, "approach": _approach, "exit": _exit,
    "turns": _turns, "width": _width, "speed": _speed, "stop": _stop, "connection": _connection,
    "conflicts": _conflicts, "crosswalk": _crosswalk, "group": _group, "number": _number,
    "plan": _plan, "green": _green, "cycle": _cycle, "device": _device,
}  # fmt: skip
