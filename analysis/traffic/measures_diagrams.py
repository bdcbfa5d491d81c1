"""What the diagrams of an intersection are drawn from: cycles with arrivals, queues, tracks in time."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import LaneMap, lane_map
from analysis.traffic.matching import Matched, match
from analysis.traffic.measures_path import Path, corridor_path, path_between
from analysis.traffic.measures_scene import (
    AFTER,
    BEFORE,
    Scene,
    is_measurable,
    near_links,
    positions_near,
    road_map_of,
    scene,
    signals_of,
)
from analysis.traffic.passage_ways import ways_of
from analysis.traffic.queues import Queues
from analysis.traffic.signal_use import Shows, lights
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.traffic.moving import Positions, SignalStates, between
from cim_core.traffic.roads import RoadMap

_MOST_LOOKS = 100_000
_LEAST_APART = 1000
"""Milliseconds between two places of a track in a diagram."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Cycles:
    """The cycles of the signal groups of an intersection, and who arrived when in them."""

    cycles: tuple[Mapping[str, str | float | None], ...]
    arrivals: tuple[Mapping[str, str | float], ...]

    def document(self) -> Document:
        """As it is served.

        `cycles` with group, start, end (ms) and seconds of green, yellow, red, None where not known;
        `arrivals` with group, at (ms), in_cycle (s since green began) and light.
        """
        return {"cycles": list(self.cycles), "arrivals": list(self.arrivals)}


@dataclass(frozen=True, eq=False, slots=True)
class QueueSeries:
    """Queues on the lanes that lead to an intersection, over time."""

    lanes: tuple[str, ...]
    queues: Queues

    def document(self) -> Document:
        """As it is served: `lanes`, `times` (ms), and by both `metres`, `vehicles` and `back`."""
        return {
            "lanes": list(self.lanes),
            "times": self.queues.times.tolist(),
            "metres": self.queues.metres.round(1).tolist(),
            "vehicles": self.queues.vehicles.tolist(),
            "back": self.queues.back.round(1).tolist(),
        }


@dataclass(frozen=True, slots=True)
class TimeSpace:
    """Who was where on a path when, and when its signals were green."""

    length: float
    stops: tuple[Mapping[str, str | float], ...]
    greens: tuple[Mapping[str, str | float], ...]
    tracks: tuple[Mapping[str, list[float]], ...]

    def document(self) -> Document:
        """As it is served.

        `length` (m); `stops` with intersection, at_m, name; `greens` with intersection, start, end
        (ms); `tracks` with times (ms) and metres from the beginning of the path.
        """
        return {
            "length": round(self.length, 1), "stops": list(self.stops),
            "greens": list(self.greens), "tracks": list(self.tracks),
        }  # fmt: skip


def cycles(
    city: City, layer: str, intersection: str, start: int, end: int,
    progress: Progress | None = None,
) -> Cycles:  # fmt: skip
    """The cycles that begin in a window, and the arrivals of who crossed the stop line in it.

    Raises as `scene`.
    """
    return cycles_of(scene(city, layer, intersection, start, end, progress))


def cycles_of(scene: Scene) -> Cycles:
    """The cycles and arrivals of a scene."""
    found: list[Mapping[str, str | float | None]] = []
    for number, group in enumerate(scene.lights.names):
        greens = scene.greens(number)
        for one, two, red, following in zip(
            *(x.tolist() for x in (greens.starts, greens.ends, greens.reds, greens.nexts)),
            strict=True,
        ):
            if scene.start <= one < scene.end:
                found.append({
                    "group": group, "start": one, "green": (two - one) / 1000,
                    "yellow": (red - two) / 1000, "red": _known((following - red) / 1000),
                    "end": _known(following),
                })  # fmt: skip
    stays = scene.stays
    rows = np.flatnonzero(
        scene.motor & (stays.crossed >= scene.start) & (stays.crossed < scene.end)
    )
    groups = scene.groups[stays.connections[rows]]
    shows, _ = scene.lights.at(groups, stays.arrived[rows])
    arrivals: list[Mapping[str, str | float]] = []
    for row, group, light in zip(rows, groups.tolist(), shows.tolist(), strict=True):
        at, starts = stays.arrived[row], scene.greens(group).starts if group >= 0 else np.empty(0)
        since = int(np.searchsorted(starts, at, "right")) - 1
        if since >= 0 and light != Shows.NOTHING:
            arrivals.append({
                "group": scene.lights.names[group], "at": round(float(at)),
                "in_cycle": round(float(at - starts[since]) / 1000, 2),
                "light": Shows(light).name.lower(),
            })  # fmt: skip
    return Cycles(tuple(found), tuple(sorted(arrivals, key=lambda x: x["at"])))


def queue_series(
    city: City, layer: str, intersection: str, start: int, end: int, step_s: float = 1.0,
    progress: Progress | None = None,
) -> QueueSeries:  # fmt: skip
    """The queues on all lanes that lead to an intersection, every so many seconds.

    Raises as `scene`, and `InvalidInput` for a step that is too short for the window.
    """
    if not step_s >= 0.1 or (end - start) / (step_s * 1000) > _MOST_LOOKS:
        raise InvalidInput(
            f"step={step_s:g} is too short for the window; give 0.1 s at least, and no more than "
            f"{_MOST_LOOKS} steps"
        )
    seen = scene(city, layer, intersection, start, end, progress)
    lanes = tuple(seen.lanes.roads.lanes[row].id for row in seen.approach_lanes.tolist())
    return QueueSeries(lanes, seen.queues(round(step_s * 1000)))


def time_space(
    city: City, layer: str, start: int, end: int, *, corridor: str | None = None,
    from_: str | None = None, to: str | None = None, progress: Progress | None = None,
) -> TimeSpace:  # fmt: skip
    """Tracks and greens along a corridor, or along the shortest way between two intersections.

    The way begins with the link that leads to its first intersection. Raises `NotFound` for the
    layer, the corridor or an intersection, `InvalidInput` for the window and where no way leads.
    """
    _, roads = road_map_of(city, layer)
    lanes = lane_map(roads)
    path = _path(lanes, corridor, from_, to)
    is_measurable(start, end)
    positions = positions_near(city, layer, roads, set(path.links), start, end)
    rows = ways_of(lanes).intersection_of[[lanes.link_rows[link] for link in path.links]]
    ids = {roads.intersections[row].id for row in rows.tolist() if row >= 0}
    signals = signals_of(city, layer, ids, start - BEFORE, end + AFTER)
    (progress or Progress())(1, 2, "matching")
    return time_space_of(
        roads, positions, signals, start, end, corridor=corridor, from_=from_, to=to
    )


def time_space_of(
    roads: RoadMap, positions: Positions, signals: SignalStates, start: int, end: int, *,
    corridor: str | None = None, from_: str | None = None, to: str | None = None,
) -> TimeSpace:  # fmt: skip
    """The same of what was recorded; raises the same."""
    if end <= start:
        raise InvalidInput("end is not later than start; give a later end")
    lanes = lane_map(roads)
    path = _path(lanes, corridor, from_, to)
    stops: list[Mapping[str, str | float]] = []
    greens: list[Mapping[str, str | float]] = []
    of = ways_of(lanes).intersection_of
    for place, link in enumerate(path.links):
        row = int(of[lanes.link_rows[link]])
        if row < 0:
            continue
        one = roads.intersections[row]
        at = path.begins[place] + path.lengths[place]
        stops.append({"intersection": one.id, "at_m": round(at, 1), "name": one.name})
        greens += _greens(roads, signals, path, place, one.id, (start, end))
    near = near_links(roads, set(path.links), between(positions, start, end))
    matched = match(lanes, near)
    return TimeSpace(path.length, tuple(stops), tuple(greens), _tracks(lanes, path, matched))


def _path(lanes: LaneMap, corridor: str | None, from_: str | None, to: str | None) -> Path:
    if from_ is not None and to is not None:
        return path_between(lanes, from_, to)
    if corridor is not None:
        return corridor_path(lanes, corridor)
    raise InvalidInput("nothing says along which way; give corridor, or from and to")


def _greens(
    roads: RoadMap, signals: SignalStates, path: Path, place: int, intersection: str,
    window: tuple[int, int],
) -> list[Mapping[str, str | float]]:  # fmt: skip
    """The greens of the way on along the path; behind its last link, of the way straight on."""
    if place < len(path.ways):
        ways = path.ways[place]
    else:
        ways = tuple(
            way for way in roads.connections_of(intersection)
            if roads.lane_by_id[way.from_lane].link == path.links[place] and way.turn == "straight"
        )  # fmt: skip
    groups = [way.group for way in ways if way.group]
    lit = lights(signals, intersection, window[1])
    known = [lit.number(group) for group in groups if lit.number(group) >= 0]
    if not known:
        return []
    greens = lit.greens(known[0])
    return [
        {"intersection": intersection, "start": max(one, window[0]), "end": min(two, window[1])}
        for one, two in zip(greens.starts.tolist(), greens.ends.tolist(), strict=True)
        if two > window[0] and one < window[1]
    ]


def _tracks(lanes: LaneMap, path: Path, matched: Matched) -> tuple[Mapping[str, list[float]], ...]:
    """Every drive along the path, or a part of it, as times and metres."""
    metres = _along_path(lanes, path, matched)
    rows = np.flatnonzero(np.isfinite(metres))
    if not len(rows):
        return ()
    new = (np.diff(matched.tracks[rows]) != 0) | (np.diff(metres[rows]) < -20)
    result = []
    times = matched.positions.times
    for run in np.split(rows, np.flatnonzero(new) + 1):
        part = run[_thinned(times[run].astype(np.float64))]
        if len(part) > 1:
            result.append({"times": times[part].tolist(), "metres": metres[part].round(1).tolist()})
    return tuple(result)


def _along_path(lanes: LaneMap, path: Path, matched: Matched) -> Floats:
    """(n,) metres from the beginning of the path, NaN beside it."""
    of_lane, of_way = np.full(len(lanes.roads.lanes) + 1, np.nan), _unknown(lanes)
    for link, begin in zip(path.links, path.begins, strict=True):
        of_lane[:-1][lanes.link_of_lane == lanes.link_rows[link]] = begin
    rows = {way.id: row for row, way in enumerate(lanes.roads.connections)}
    for place, ways in enumerate(path.ways):
        for way in ways:
            of_way[rows[way.id]] = path.begins[place] + path.lengths[place]
    begins = np.where(matched.lanes >= 0, of_lane[matched.lanes], of_way[matched.connections])
    return np.asarray(begins + matched.along, np.float64)


def _unknown(lanes: LaneMap) -> Floats:
    return np.full(len(lanes.roads.connections) + 1, np.nan)


def _thinned(times: Floats) -> NDArray[np.bool_]:
    """Which of some times are the first of a second."""
    seconds = times // _LEAST_APART
    return np.asarray(np.r_[True, np.diff(seconds) > 0], bool)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
