"""The measures of an intersection by movement, approach, lane or phase, and by time.

Every figure of a row is made of sums over its vehicles or seconds, never of other figures; so are
those of a longer window. Definitions: docs/reference/traffic-measures.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.observed_question import time_text
from analysis.traffic.lanes import Counts, Ints
from analysis.traffic.los import los_of
from analysis.traffic.measures_parts import KEYS, By, Part, parts
from analysis.traffic.measures_scene import Scene, scene
from analysis.traffic.passages import Passages
from analysis.traffic.queues import Queues
from analysis.traffic.signal_use import Greens, Shows, discharge, failed, ran_red, used_seconds
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.progress import Progress
from cim_core.table import Column, Table
from cim_core.traffic.moving import ROAD_USERS

_MOST_BINS = 10_000
_Numbers = NDArray[np.floating[Any]] | NDArray[np.integer[Any]]
_STEP = 1000
"""Milliseconds between two looks at queues."""

START = Column("start", {"en": "From", "zh": "开始"}, "text")
_CLASSES = {
    "unknown": "未知车型", "passenger": "客车", "light-truck": "轻型货车", "truck": "货车",
    "motorcycle": "摩托车", "bus": "公交车", "emergency": "应急车辆", "bicycle": "自行车",
    "other": "其他车辆",
}  # fmt: skip
MEASURES = (
    Column("volume", {"en": "Motor vehicles", "zh": "机动车流量"}, "integer"),
    *(Column(kind, {"en": kind.capitalize(), "zh": zh}, "integer") for kind, zh in _CLASSES.items()),
    Column("flow", {"en": "Flow", "zh": "小时流率"}, "number", "veh/h"),
    Column("delay_s", {"en": "Control delay", "zh": "控制延误"}, "number", "s"),
    Column("approach_delay_s", {"en": "Delay before the stop line", "zh": "停车线前延误"}, "number", "s"),
    Column("los", {"en": "Level of service", "zh": "服务水平"}, "text"),
    Column("stops", {"en": "Stops per vehicle", "zh": "平均停车次数"}, "number"),
    Column("queue_max_m", {"en": "Longest queue", "zh": "最大排队长度"}, "number", "m"),
    Column("queue_max_veh", {"en": "Most vehicles in a queue", "zh": "最大排队车辆数"}, "integer"),
    Column("queue_mean_m", {"en": "Mean queue", "zh": "平均排队长度"}, "number", "m"),
    Column("queue_back_m", {"en": "Farthest end of a queue", "zh": "队尾最远距离"}, "number", "m"),
    Column("saturation_flow", {"en": "Saturation flow of a lane", "zh": "车道饱和流率"}, "number", "veh/h"),
    Column("saturation_degree", {"en": "Degree of saturation", "zh": "饱和度"}, "number"),
    Column("green_use", {"en": "Green used", "zh": "绿灯利用率"}, "number"),
    Column("arrivals_on_green", {"en": "Share arriving on green", "zh": "绿灯到达率"}, "number"),
    Column("platoon_ratio", {"en": "Platoon ratio", "zh": "车队比"}, "number"),
    Column("split_failures", {"en": "Split failures", "zh": "绿灯失效周期数"}, "integer"),
    Column("cycles", {"en": "Greens", "zh": "绿灯次数"}, "integer"),
    Column("red_running", {"en": "Red-light running", "zh": "闯红灯车辆数"}, "integer"),
    Column("spillback_s", {"en": "Queue fills the lane", "zh": "溢流时长"}, "number", "s"),
    Column("spillback_share", {"en": "Spillback, share of lane time", "zh": "溢流率"}, "number"),
    Column("travel_time_s", {"en": "Travel time through", "zh": "通过行程时间"}, "number", "s"),
)  # fmt: skip


def intersection_measures(
    city: City, layer: str, intersection: str, start: int, end: int, bin_s: float = 900,
    by: By = "movement", progress: Progress | None = None, *, middles: bool = False,
) -> Table:  # fmt: skip
    """The measures of an intersection in a city, start ≤ time < end (ms since 1970), in bins.

    One row for each bin and part, by start; the last bin may be shorter. Raises `NotFound` for the
    layer or the intersection, `InvalidInput` for window, bin or part.
    """
    edges_of(start, end, bin_s)
    return measure(
        scene(city, layer, intersection, start, end, progress, middles=middles), bin_s, by
    )


def measure(scene: Scene, bin_s: float, by: By) -> Table:
    """The measures of what happened in a scene. Raises `InvalidInput` for bin or part."""
    found, of_stays = parts(scene, by)
    sums = _Sums(scene, edges_of(scene.start, scene.end, bin_s))
    columns = (START, *KEYS[by], *MEASURES)
    starts = [time_text(int(edge)) for edge in sums.edges[:-1]]
    cells = [sums.rows(part, of_stays == number) for number, part in enumerate(found)]
    rows = tuple(
        (starts[bin_], *part.keys, *cells[number][bin_])
        for bin_ in range(sums.bins)
        for number, part in enumerate(found)
    )
    return Table(columns, rows)


def edges_of(start: int, end: int, bin_s: float) -> Floats:
    """(b + 1,) ms between which the bins of a window lie; raises `InvalidInput`."""
    if not bin_s >= 1:
        raise InvalidInput(f"bin={bin_s} is too short; give a second at least")
    if end <= start:
        raise InvalidInput("end is not later than start; give a later end")
    count = math.ceil((end - start) / (bin_s * 1000))
    if count > _MOST_BINS:
        raise InvalidInput(
            f"the window has {count} bins of {bin_s:g} s, {_MOST_BINS} are the most; give a longer bin"
        )
    return np.asarray(np.r_[start + np.arange(count) * bin_s * 1000, float(end)], np.float64)


@dataclass(frozen=True, eq=False)
class _Sums:
    """The sums by bin that the measures are made of."""

    scene: Scene
    edges: Floats

    @property
    def bins(self) -> int:
        return len(self.edges) - 1

    @cached_property
    def hours(self) -> Floats:
        return np.diff(self.edges) / 3_600_000

    @cached_property
    def seen(self) -> bool:
        """Whether anybody was seen at all: without that there is nothing to count."""
        times = self.scene.matched.positions.times
        return bool(((times >= self.scene.start) & (times < self.scene.end)).any())

    @cached_property
    def queues(self) -> Queues:
        return self.scene.queues(_STEP)

    @cached_property
    def crossings(self) -> Passages:
        """Stays of motor vehicles that ended with a crossing, whenever that was."""
        return self.scene.stays.where(self._crossed_motor)

    @cached_property
    def _crossed_motor(self) -> NDArray[np.bool_]:
        crossed: NDArray[np.bool_] = np.isfinite(self.scene.stays.crossed)
        return crossed & self.scene.motor

    @cached_property
    def saturation(self) -> dict[int, float]:
        """Saturation flow of each lane over the whole window, veh/h, where it is known."""
        result = {}
        for lane in self.scene.approach_lanes.tolist():
            vehicles, seconds = self.discharged(lane)
            if seconds.sum() > 0:
                result[lane] = 3600 * float(vehicles.sum() / seconds.sum())
        return result

    @cached_property
    def lane_groups(self) -> dict[int, int]:
        """The signal group of each lane that has one: that of most of its crossings."""
        lane_parts, _ = parts(self.scene, "lane")
        return {int(part.lanes[0]): part.group for part in lane_parts if part.group >= 0}

    def of_times(self, times: Floats) -> Counts:
        """The bin of each time, -1 outside of the window."""
        at = np.searchsorted(self.edges, times, "right") - 1
        return np.where((times >= self.edges[0]) & (times < self.edges[-1]), at, -1)

    def count(self, bins: Counts, weights: Floats | None = None) -> Floats:
        """Sums by bin of what is known."""
        good = bins >= 0
        if weights is not None:
            good &= np.isfinite(weights)
            weights = weights[good]
        return np.bincount(bins[good], weights, self.bins).astype(np.float64)

    def discharged(self, lane: int) -> tuple[Floats, Floats]:
        """Vehicles and seconds of discharge at saturation by bin of the green's start."""
        group = self.lane_groups.get(lane, -1)
        if group < 0:
            return np.zeros(self.bins), np.zeros(self.bins)
        greens = self.scene.greens(group)
        own = self.crossings.where(self.crossings.lanes == lane)
        vehicles, seconds = discharge(greens, own)
        bins = self.of_times(greens.starts)
        return self.count(bins, vehicles.astype(np.float64)), self.count(bins, seconds)

    def rows(self, part: Part, own: NDArray[np.bool_]) -> list[list[Value]]:
        """The cells of one part in each bin; `own` are the stays that belong to it."""
        if not self.seen:
            return [[None] * len(MEASURES)] * self.bins
        stays = self.scene.stays.where(own & self._crossed_motor)
        figures = {
            **self._times(stays), **self._queue(part), **self._saturated(part), **self._spilled(part)
        }  # fmt: skip
        # By delay alone: who crossed is no demand, and more may have than the green of a short bin has room for.
        levels: list[Value] = [
            los_of(math.nan if d is None else d) or None for d in figures["delay_s"]
        ]
        named = {**self._counts(own), **figures, **self._signals(part, stays), "los": levels}
        return [list(row) for row in zip(*(named[c.name] for c in MEASURES), strict=True)]

    def _counts(self, own: NDArray[np.bool_]) -> "_Cells":
        all_ = self.scene.stays.where(own & np.isfinite(self.scene.stays.crossed))
        bins = self.of_times(all_.crossed)
        motor = self.of_times(self.scene.stays.where(own & self._crossed_motor).crossed)
        volume = self.count(motor)
        result: dict[str, Sequence[Value]] = {
            "volume": _whole(volume),
            "flow": _figures(volume, self.hours, 1),
        }
        for kind in _CLASSES:
            own_kind = all_.kinds == ROAD_USERS.index(kind)
            result[kind] = _whole(self.count(np.where(own_kind, bins, -1)))
        return result

    def _times(self, stays: Passages) -> "_Figures":
        bins = self.of_times(stays.crossed)
        volume = self.count(bins)
        travel = np.where(stays.whole, stays.left - stays.begun, np.nan) / 1000
        return {
            "delay_s": _figures(self.count(bins, stays.control_loss), volume),
            "approach_delay_s": _figures(self.count(bins, stays.approach_loss), volume),
            "stops": _figures(self.count(bins, stays.stops.astype(np.float64)), volume, 3),
            "travel_time_s": _figures(
                self.count(bins, travel), self.count(np.where(np.isfinite(travel), bins, -1))
            ),
        }

    def _queue(self, part: Part) -> "_Figures":
        queues = self.queues
        own = np.isin(queues.lanes, part.lanes)
        bins = self.of_times(queues.times.astype(np.float64))
        looks = np.bincount(bins, minlength=self.bins) * max(int(own.sum()), 1)
        metres = np.bincount(bins, queues.metres[own].sum(axis=0), self.bins)
        longest, most, back = (np.zeros(self.bins) for _ in range(3))
        for result, values in (
            (longest, queues.metres), (most, queues.vehicles), (back, queues.back),
        ):  # fmt: skip
            np.maximum.at(result, bins, values[own].max(axis=0, initial=0))
        return {
            "queue_max_m": _figures(longest, np.ones(self.bins)),
            "queue_max_veh": _whole(most),
            "queue_mean_m": _figures(metres, looks),
            "queue_back_m": _figures(back, np.ones(self.bins)),
        }

    def _spilled(self, part: Part) -> "_Figures":
        queues = self.queues
        full = queues.full[np.isin(queues.lanes, part.lanes)]
        bins = self.of_times(queues.times.astype(np.float64))
        step = _STEP / 1000
        any_ = np.bincount(bins, full.any(axis=0), self.bins) * step
        lane_seconds = np.bincount(bins, full.sum(axis=0), self.bins) * step
        looks = np.bincount(bins, minlength=self.bins) * len(full) * step
        return {
            "spillback_s": _figures(any_, np.ones(self.bins)),
            "spillback_share": _figures(lane_seconds, looks, 4),
        }

    def _saturated(self, part: Part) -> "_Figures":
        vehicles, seconds, volume, capacity = (np.zeros(self.bins) for _ in range(4))
        for lane in part.lanes.tolist():
            more, longer = self.discharged(lane)
            vehicles, seconds = vehicles + more, seconds + longer
            if lane in self.saturation:
                green = self.scene.lights.seconds(self.lane_groups[lane], Shows.GREEN, self.edges)
                capacity = capacity + self.saturation[lane] * green / 3600
                own = self.crossings.crossed[self.crossings.lanes == lane]
                volume = volume + self.count(self.of_times(own))
        return {
            "saturation_flow": _figures(3600 * vehicles, seconds, 1),
            "saturation_degree": _figures(volume, capacity, 4),
        }

    def _lane_greens(self, part: Part) -> list[tuple[int, Greens]]:
        """The lanes of a part with their greens: the part's where a lane obeys it, else its own."""
        result = []
        for lane in part.lanes.tolist():
            ways = self.scene.connections[
                self.scene.lanes.from_lanes[self.scene.connections] == lane
            ]
            obeys = part.group in self.scene.groups[ways].tolist()
            group = part.group if obeys else self.lane_groups.get(lane, -1)
            if group >= 0:
                result.append((lane, self.scene.greens(group)))
        return result

    def _signals(self, part: Part, stays: Passages) -> "_Cells":
        unknown: Sequence[Value] = [None] * self.bins
        names = (
            "green_use", "arrivals_on_green", "platoon_ratio", "split_failures", "cycles",
            "red_running",
        )  # fmt: skip
        if part.group < 0:
            return dict.fromkeys(names, unknown)
        lit = self.scene.lights
        groups: Ints = self.scene.groups[stays.connections]
        bins = self.of_times(stays.crossed)
        shows, _ = lit.at(groups, stays.arrived)
        told = np.where(shows != Shows.NOTHING, bins, -1)
        on_green = self.count(np.where(shows == Shows.GREEN, told, -1))
        arrivals, expected = self.count(told), np.zeros(self.bins)
        for group in np.unique(groups).tolist():
            known = lit.seconds(group, None, self.edges)
            green = lit.seconds(group, Shows.GREEN, self.edges)
            share = np.divide(green, known, out=np.zeros(self.bins), where=known > 0)
            expected = expected + self.count(np.where(groups == group, told, -1)) * share
        used, lasted = np.zeros(self.bins), np.zeros(self.bins)
        begun: dict[float, bool] = {}
        for lane, greens in self._lane_greens(part):
            ended = greens.reds < self.scene.until
            starts = np.where(ended, self.of_times(greens.starts), -1)
            own = self.crossings.crossed[self.crossings.lanes == lane]
            if len(own):
                used = used + self.count(starts, used_seconds(greens, own))
                lasted = lasted + self.count(starts, (greens.ends - greens.starts) / 1000)
            waiting = self.scene.stays.where(self.scene.motor & (self.scene.stays.lanes == lane))
            for start, fails in zip(
                greens.starts.tolist(), (ended & failed(greens, waiting)).tolist(), strict=True
            ):
                begun[start] = begun.get(start, False) or fails
        all_ = self.of_times(np.array(list(begun), np.float64))
        fails_ = np.where(np.array(list(begun.values()), bool), all_, -1)
        dark = lit.seconds(part.group, None, self.edges) <= 0
        red = ran_red(lit, groups, stays)
        return {
            "green_use": _figures(used, lasted, 4),
            "arrivals_on_green": _figures(on_green, arrivals, 4),
            "platoon_ratio": _figures(on_green, expected, 4),
            "split_failures": _whole(self.count(fails_), dark),
            "cycles": _whole(self.count(all_), dark),
            "red_running": _whole(self.count(np.where(red, bins, -1)), dark),
        }


_Figures = Mapping[str, Sequence[float | None]]
_Cells = Mapping[str, Sequence[Value]]
"""Columns by name, a cell for each bin."""


def _figures(above: _Numbers, below: _Numbers, digits: int = 2) -> list[float | None]:
    """Quotients of sums; None where nothing is below the line."""
    return [
        round(float(a / b), digits) if b > 0 and math.isfinite(a) else None
        for a, b in zip(above, below, strict=True)
    ]


def _whole(values: Floats, unknown: NDArray[np.bool_] | None = None) -> list[int | None]:
    hidden = unknown if unknown is not None else np.zeros(len(values), bool)
    return [None if no else round(float(v)) for v, no in zip(values, hidden, strict=True)]
