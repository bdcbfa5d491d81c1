"""A small road map and vehicles that drive on it as a test says.

Two links lead east, 400 m each, one after the other through the intersection "x", with two lanes each;
"back" leads west beside them. A sidewalk and a crosswalk are there as well.
"""

from collections.abc import Callable, Sequence

import numpy as np

from analysis.traffic.lanes import LaneMap, lane_map
from cim_core.network import Labels
from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates, joined
from cim_core.traffic.roads import (
    Connection,
    Crosswalk,
    Intersection,
    Lane,
    Link,
    Phase,
    Plan,
    RoadMap,
    SignalGroup,
)

T0 = 1_769_738_400_000
"""2026-01-30T10:00+08:00."""
LON, LAT = 113.5, 23.1
_EAST = 1 / (111_320 * np.cos(np.radians(LAT)))
_NORTH = 1 / 110_750
SPEED = 60 / 3.6
Where = Callable[[float], tuple[float, float]]

REGISTER = """
[[vehicle]]
id = "K1"
kind = "hazardous"
en = "Tanker"
zh = "危化品车"
links = ["out"]
[[vehicle]]
id = "K2"
kind = "school-bus"
corridors = ["avenue"]
hours = [{ start = "06:00", end = "09:00" }]
[[vehicle]]
id = "K3"
kind = "muck"
outside = [[[113.4, 23.0], [113.6, 23.0], [113.6, 23.2], [113.4, 23.2]]]
[[vehicle]]
id = "K4"
kind = "muck"
"""


def place(east: float, north: float) -> tuple[float, float]:
    """Degrees of a place so many metres from the beginning of the first link."""
    return float(LON + east * _EAST), float(LAT + north * _NORTH)


def _lanes(link: str, begin: float, end: float, norths: Sequence[float]) -> list[Lane]:
    return [
        Lane(
            id=f"{link}-{number}", link=link, number=number, width=3.5, speed=SPEED,
            line=(place(begin, north), place(end, north)),
        )
        for number, north in enumerate(norths, 1)
    ]  # fmt: skip


def roads(**more: object) -> RoadMap:
    """The map; `more` are further fields of it."""
    lanes = [*_lanes("in", 0, 400, (5.25, 1.75)), *_lanes("out", 430, 830, (5.25, 1.75))]
    lanes += _lanes("back", 830, 0, (8.75,))
    lanes += [
        Lane(
            id="walk", link="in", number=3, type="sidewalk", width=3.0, speed=2.0,
            line=(place(0, -3), place(400, -3)),
        )
    ]  # fmt: skip
    links = [
        Link(
            id=name, start=start, end=end, line=(place(a, n), place(b, n)), length=abs(b - a),
            speed=SPEED, road_class="arterial", corridor="avenue" if name != "back" else "",
        )
        for name, start, end, a, b, n in (
            ("in", "w", "x", 0, 400, 3.5), ("out", "x", None, 430, 830, 3.5),
            ("back", None, "w", 830, 0, 8.75),
        )
    ]  # fmt: skip
    ways = [
        Connection(
            id=f"through-{n}", intersection="x", from_lane=f"in-{n}", to_lane=f"out-{n}",
            turn="straight", group="1", line=(place(400, north), place(430, north)),
        )
        for n, north in ((1, 5.25), (2, 1.75))
    ]  # fmt: skip
    ways.append(
        Connection(
            id="crossing", intersection="x", from_lane="in-2", to_lane="back-1", turn="uturn",
            group="2", line=(place(410, -5), place(410, 15)), conflicts=("through-1",),
        )
    )  # fmt: skip
    return RoadMap(
        links=tuple(links), lanes=tuple(lanes), connections=tuple(ways),
        intersections=(
            Intersection(id="x", place=place(415, 4), name="X"),
            Intersection(id="w", place=place(-15, 4), control="none"),
        ),
        groups=(SignalGroup(id="1", intersection="x", number=1), SignalGroup(id="2", intersection="x")),
        crosswalks=(
            Crosswalk(
                id="c", intersection="x", link="in",
                area=(place(385, -2), place(390, -2), place(390, 12), place(385, 12)),
            ),
            Crosswalk(
                id="c-w", intersection="w", link="back",
                area=(place(5, -2), place(9, -2), place(9, 12), place(5, 12)),
            ),
        ),
        plans=(
            Plan(
                id="p", intersection="x",
                phases=(
                    Phase(duration=30, lights={"1": "protected-green"}),
                    Phase(duration=30, lights={"2": "protected-green"}),
                ),
            ),
        ),
        **more,  # type: ignore[arg-type]
    )  # fmt: skip


def scene_map(**more: object) -> LaneMap:
    """The lane map of it."""
    return lane_map(roads(**more))


def driven(
    who: str, seconds: Sequence[float], where: Callable[[float], tuple[float, float]],
    kind: str = "passenger", length: float = 4.5, told: bool = True,
) -> Positions:  # fmt: skip
    """Somebody who is at where(s), metres east and north, so many seconds after `T0`.

    told
        Whether speed and heading are told, or have to be seen from the way.
    """
    at = np.array(seconds, np.float64)
    places = np.array([where(float(s)) for s in at]).reshape(-1, 2)
    later = np.array([where(float(s) + 0.1) for s in at]).reshape(-1, 2)
    way = later - places
    speeds = np.hypot(way[:, 0], way[:, 1]) / 0.1
    headings = np.degrees(np.arctan2(way[:, 0], way[:, 1])) % 360
    headings[speeds < 0.05] = 90.0
    n = len(at)
    if not told:
        speeds, headings = np.full(n, np.nan), np.full(n, np.nan)
    return Positions(
        T0 + np.round(1000 * at).astype(np.int64), Labels.of([who] * n),
        LON + places[:, 0] * _EAST, LAT + places[:, 1] * _NORTH,
        speeds.astype(np.float32), headings.astype(np.float32), np.full(n, np.nan, np.float32),
        np.full(n, ROAD_USERS.index(kind), np.uint8), np.full(n, length, np.float32),
    )  # fmt: skip


def shown(rows: Sequence[tuple[float, str, str, int]]) -> SignalStates:
    """Lights: seconds after `T0`, intersection, group, light's number."""
    return SignalStates(
        np.array([T0 + round(1000 * row[0]) for row in rows], np.int64),
        Labels.of([row[1] for row in rows]), Labels.of([row[2] for row in rows]),
        np.array([row[3] for row in rows], np.uint8), np.full(len(rows), np.nan, np.float32),
    )  # fmt: skip


def together(*parts: Positions) -> Positions:
    """Several of them."""
    return joined(parts, Positions)


def stops(at: float, when: float, until: float, north: float = 1.75) -> Where:
    """Comes at 15 m/s, brakes gently, stands at a place from one second until another, drives on."""

    def where(s: float) -> tuple[float, float]:
        if s >= until:
            return at + 10 * (s - until), north
        left = max(when - s, 0.0)
        return at - (left**2 if left < 7.5 else 15 * left - 56.25), north

    return where


def brakes(when: float, at: float) -> Where:
    """Drives at 15 m/s, and brakes as hard as it can."""

    def where(s: float) -> tuple[float, float]:
        braking = min(max(s - when, 0.0), 15 / 8)
        return at + 15 * min(s - when, 0.0) + 15 * braking - 4 * braking**2, 1.75

    return where
