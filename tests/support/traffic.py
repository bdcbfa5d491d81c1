"""A crossing whose every lane and vehicle is known: roads, positions and signals made without a file.

Metres are counted from the middle of the crossing, east and north.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import shapely

from cim_core.city import City
from cim_core.feature import Feature
from cim_core.frame import Frame
from cim_core.layer import ClassStyle, Features, Georeference, Layer
from cim_core.network import Labels
from cim_core.traffic.event import Change, TrafficEvent
from cim_core.traffic.moving import Positions, SignalStates
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Intersection,
    Lane,
    Link,
    Phase,
    Plan,
    RoadMap,
    SignalGroup,
)
from tests.support.layers import publish

MIDDLE = Frame(113.46, 23.10, 0.0)
ARM = 200.0
"""How far the roads go from the middle, metres."""
HALF = 10.0
"""How far the stop lines are from it."""
SIDE = 2.0
"""How far a lane is from the middle of its road: all drive on the right."""
SPEED = 10.0

BEARINGS = {"north": 0.0, "east": 90.0, "south": 180.0, "west": 270.0}
"""Arms by the direction in which those drive who come in from there; `south` comes from the north."""
TURNS = {0.0: "straight", 90.0: "right", 270.0: "left"}


def lon_lat(metres: object) -> np.ndarray:
    """(n, 2) metres east and north of the middle as degrees."""
    points = np.atleast_2d(np.asarray(metres, float))
    return MIDDLE.to_geographic(np.column_stack([points, np.zeros(len(points))]))[:, :2]


def along(heading: float, metres: object, side: float = SIDE) -> np.ndarray:
    """(n, 2) places beyond the middle by so many metres for who drives that way on the right."""
    angle = np.deg2rad(heading)
    forward = np.array([np.sin(angle), np.cos(angle)])
    right = np.array([np.cos(angle), -np.sin(angle)])
    return np.atleast_1d(np.asarray(metres, float))[:, None] * forward + side * right


def _line(points: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple((float(lon), float(lat)) for lon, lat in lon_lat(points))


def crossing(name: str = "J1") -> RoadMap:
    """One intersection of four arms of one lane each way; all turns but those back.

    North and south have the signal group "ns", east and west "ew"; the plan has 60 s.
    """
    links, lanes, connections = [], [], []
    for arm, heading in BEARINGS.items():
        for way, begin, end in (("in", -ARM, -HALF), ("out", HALF, ARM)):
            link = f"{arm}-{way}"
            line = _line(along(heading, [begin, end]))
            links.append(
                Link(
                    id=link, name=f"{arm} {way}", line=line, length=ARM - HALF, speed=SPEED,
                    road_class="arterial", corridor="main" if arm in ("east", "west") else "",
                    **{"end" if way == "in" else "start": name},
                )
            )  # fmt: skip
            lanes.append(
                Lane(id=f"{link}-1", link=link, number=1, width=3.5, speed=SPEED, line=line)
            )
    for arm, heading in BEARINGS.items():
        for turn, kind in TURNS.items():
            other = next(to for to, at in BEARINGS.items() if at == (heading + turn) % 360)
            ends = np.vstack([along(heading, -HALF), along(BEARINGS[other], HALF)])
            connections.append(
                Connection(
                    id=f"{arm}-{kind}", intersection=name, from_lane=f"{arm}-in-1",
                    to_lane=f"{other}-out-1", turn=kind, line=_line(ends),
                    group="ns" if arm in ("north", "south") else "ew",
                )
            )  # fmt: skip
    return RoadMap(
        links=tuple(links), lanes=tuple(lanes), connections=tuple(connections),
        intersections=(
            Intersection(
                id=name, name="试验路口", name_en="Test crossing", place=_line(np.zeros((1, 2)))[0],
                area=_line(np.array([[-10, -10], [10, -10], [10, 10], [-10, 10], [-10, -10]])),
                approaches=tuple(
                    Approach(link=f"{arm}-in", bearing=heading) for arm, heading in BEARINGS.items()
                ),
                exits=tuple(f"{arm}-out" for arm in BEARINGS),
            ),
        ),
        groups=tuple(SignalGroup(id=group, intersection=name) for group in ("ns", "ew")),
        plans=(
            Plan(
                id="day", intersection=name,
                phases=(
                    Phase(duration=27, lights={"ns": "protected-green", "ew": "red"}),
                    Phase(duration=3, lights={"ns": "yellow", "ew": "red"}),
                    Phase(duration=27, lights={"ns": "red", "ew": "protected-green"}),
                    Phase(duration=3, lights={"ns": "red", "ew": "yellow"}),
                ),
            ),
        ),
    )  # fmt: skip


def publish_roads(city: City, layer: str, roads: RoadMap, sensitivity: str = "public") -> None:
    """Make a road map a layer of a city's, with its links as features, without tiles."""
    features = tuple(
        Feature(link.id, "road", link.name, shape=shapely.LineString(link.line))
        for link in roads.links
    )
    publish(
        city,
        Layer(
            layer, f"Roads {layer}", MIDDLE, Features(features, {}),
            Georeference("geographic", None, {"en": "", "zh": ""}),
            class_styles={"road": ClassStyle({"en": "Road", "zh": "道路"}, "#888888", True)},
            sensitivity=sensitivity, roads=roads,
        ),
    )  # fmt: skip


def at_places(
    times: object, who: Sequence[str], metres: object, *, speeds: object = SPEED,
    headings: object = 0.0, kinds: object = 1,
) -> Positions:  # fmt: skip
    """Road users at places, a row each."""
    times = np.asarray(times, np.int64)
    n = len(times)
    places = lon_lat(metres)
    full = {
        "speeds": speeds, "headings": headings, "accelerations": np.nan, "lengths": 4.5
    }  # fmt: skip
    return Positions(
        times=times, who=Labels.of(who), lon=places[:, 0].copy(), lat=places[:, 1].copy(),
        kinds=np.broadcast_to(np.asarray(kinds, np.uint8), n).copy(),
        **{name: np.broadcast_to(np.asarray(v, np.float32), n).copy() for name, v in full.items()},
    )  # fmt: skip


def shown(times: object, groups: Sequence[str], lights: object, remaining: object = np.nan,
          name: str = "J1") -> SignalStates:  # fmt: skip
    """What signal groups of the crossing showed, a row each."""
    n = len(groups)
    return SignalStates(
        np.asarray(times, np.int64), Labels.of([name] * n), Labels.of(groups),
        np.broadcast_to(np.asarray(lights, np.uint8), n).copy(),
        np.broadcast_to(np.asarray(remaining, np.float32), n).copy(),
    )  # fmt: skip


def city_with_roads(folder: Path, **sensitivity: str) -> City:
    """A city with the crossing as a layer for each name, which is of that sensitivity."""
    city = City.open_or_create(folder)
    for layer, label in (sensitivity or {"roads": "public"}).items():
        publish_roads(city, layer, crossing(), label)
    return city


def drive(city: City, layer: str) -> None:
    """Make the crossing a layer, let a car drive over it now, and something happen to it."""
    publish_roads(city, layer, crossing())
    now = time.time_ns() // 1_000_000
    times = now - 60_000 + np.arange(0, 40_000, 500)
    metres = -ARM + (times - times[0]) / 100.0
    city.traffic.append(layer, at_places(times, ["car"] * len(times), along(90.0, metres)))
    city.traffic.append(layer, shown([now - 90_000, now - 60_000], ["ew", "ns"], [6, 3]))
    lon, lat = lon_lat([0.0, 0.0])[0].tolist()
    happened = TrafficEvent(
        kind="notice", key="notice/rsu/1", begun=now - 50_000, lon=lon, lat=lat, confidence=0.9
    )
    city.traffic.events.apply(layer, [Change("opened", happened)])
