"""Those on foot, and a rider on the wrong side: nobody follows anybody, so each has a course of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample_data.district.intersections import CROSSING
from sample_data.district.plan import Floats
from sample_data.district.traffic_map import Roads, walk
from sample_data.district.traffic_signals import GREEN, Lights, traffic_table

_KERB = 0.8
"""They wait so far from the kerb (m)."""


@dataclass(frozen=True)
class Walkers:
    """People at crosswalks, in the order in which they come.

    came, starts, speeds
        (n,) when they are first seen, when they step on the road (s; infinite: never), m/s.
    kerbs, axes
        (n, 2) the kerb they start from, and the direction they walk in.
    widths, beside
        (n,) how wide the road is, and how far they walk from the middle of the crosswalk (m).
    links
        (n,) place in `names` of the link that leads in there.
    outward
        (n,) whether they start from the kerb beside which one drives out.
    """

    names: list[str]
    came: Floats
    starts: Floats
    speeds: Floats
    kerbs: Floats
    axes: Floats
    widths: Floats
    beside: Floats
    links: np.ndarray
    outward: np.ndarray

    def along(self, at: float) -> Floats:
        """How far each is from its kerb (m), NaN who is not there."""
        reach = traffic_table()["walkers"]["wait"]
        coming = np.minimum(-reach + (at - self.came) * self.speeds, -_KERB)
        # Who starts late has waited at the kerb; who comes at green goes on.
        crossing = -_KERB + (at - self.starts) * self.speeds
        found = np.where(at < self.starts, coming, crossing)
        gone = (at < self.came) | (found > self.widths + reach)
        return np.where(gone, np.nan, found)

    def points(self, along: Floats) -> Floats:
        """Where that is (n, 2), plan metres."""
        aside = np.column_stack([self.axes[:, 1], -self.axes[:, 0]]) * self.beside[:, None]
        found: Floats = self.kerbs + self.axes * along[:, None] + aside
        return found

    def walked(self, at: float) -> set[str]:
        """The links on whose crosswalk, where one drives out, is somebody."""
        along = self.along(at)
        across = np.where(self.outward, along, self.widths - along)
        busy = (at >= self.starts) & (across > -_KERB) & (across < self.widths / 2 + 1.5)
        return {self.names[n] for n in np.unique(self.links[busy]).tolist()}


def walkers(of: Roads, lights: Lights, end: float, rng: np.random.Generator) -> Walkers:
    """All who come to the crosswalks from the beginning of the lights to a moment."""
    table = traffic_table()["walkers"]
    names: list[str] = []
    rows = []
    for node, arms in of.arms.items():
        for arm in arms:
            names.append(arm.enters)
            green = lights.obeyed[lights.row(node, f"{arm.side}-walk")] == GREEN
            ticks = lights.begin + lights.step * np.flatnonzero(green)
            first, second = walk(arm)
            width = float(np.hypot(*(second - first)))
            hours = (end - lights.begin) / 3600
            count = rng.poisson(table["flow"] * hours)
            for came in np.sort(rng.uniform(lights.begin, end, count)).tolist():
                outward = bool(rng.random() < 0.5)
                a, b = (second, first) if outward else (first, second)
                speed = max(0.9, float(rng.normal(*table["speed"])))
                there = came + (table["wait"] - _KERB) / speed
                at = int(np.searchsorted(ticks, there))
                start = float(ticks[at]) if at < len(ticks) else np.inf
                start = max(start, there) if start - there < lights.step else start
                beside = float(rng.uniform(-0.4, 0.4) * CROSSING)
                axis = (b - a) / width
                rows.append((came, start, speed, *a, *axis, width, beside, len(names) - 1, outward))
    table_of = np.array(sorted(rows), np.float64).reshape(-1, 11)
    return Walkers(
        names, table_of[:, 0], table_of[:, 1], table_of[:, 2], table_of[:, 3:5], table_of[:, 5:7],
        table_of[:, 7], table_of[:, 8], table_of[:, 9].astype(int), table_of[:, 10] > 0,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Odd:
    """Somebody where nobody should be: along a lane from place to place (m), beside its middle."""

    who: str
    kind: str
    event: str
    lane: str
    begin: float
    first: float
    last: float
    speed: float
    beside: float

    @property
    def end(self) -> float:
        """When it is over (s)."""
        return self.begin + abs(self.last - self.first) / self.speed

    def along(self, at: float) -> float | None:
        """Where on the lane (m), None before and after."""
        if not self.begin <= at < self.end:
            return None
        return float(self.first + np.sign(self.last - self.first) * self.speed * (at - self.begin))


def odd_ones(of: Roads) -> list[Odd]:
    """The rider on the wrong side, and the one who walks on the carriageway."""
    wrong, walking = traffic_table()["wrong_way"], traffic_table()["pedestrian"]
    lane = of.lanes[wrong["lane"]]
    return [
        Odd("B-WRONG", "bicycle", "wrong-way", lane.id, wrong["begin"], lane.line.length - 12.0, 12.0,
            wrong["speed"], wrong["beside"]),
        Odd("P-ROAD", "pedestrian", "pedestrian", walking["lane"], walking["begin"], walking["from"],
            walking["to"], walking["speed"], walking["beside"]),
    ]  # fmt: skip
