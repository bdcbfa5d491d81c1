"""What signals showed, and what use traffic made of it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, Ints
from analysis.traffic.measures_rules import passage_rules, signal_rules
from analysis.traffic.passages import Passages
from cim_core.mesh import Floats
from cim_core.traffic.moving import SignalStates, in_order, take
from cim_core.traffic.roads import Light


class Shows(IntEnum):
    """A light as far as it says who may go; dark and flashing signals say nothing of the kind."""

    NOTHING = 0
    RED = 1
    GREEN = 2
    YELLOW = 3


_SHOWS = {
    "red": Shows.RED, "flashing-green": Shows.GREEN, "permissive-green": Shows.GREEN,
    "protected-green": Shows.GREEN, "yellow": Shows.YELLOW,
}  # fmt: skip
_OF_LIGHT = np.array([_SHOWS.get(light, Shows.NOTHING) for light in get_args(Light)], np.int8)


@dataclass(frozen=True, eq=False, slots=True)
class Greens:
    """The greens of a signal group, g of them, in milliseconds.

    starts, ends
        (g,) from green to what is not green.
    reds
        (g,) when the yellow that followed was over, too.
    nexts
        (g,) when the group was green again, NaN where that is not known.
    """

    starts: Floats
    ends: Floats
    reds: Floats
    nexts: Floats

    def __len__(self) -> int:
        return len(self.starts)


@dataclass(frozen=True, eq=False, slots=True)
class Lights:
    """What the groups of one intersection showed, r times in which nothing changed, in order.

    names
        Of the groups that `groups` (r,) numbers.
    begins, ends
        (r,) milliseconds.
    shows
        (r,) of `Shows`.
    """

    names: tuple[str, ...]
    groups: Ints
    begins: Floats
    ends: Floats
    shows: NDArray[np.int8]

    def number(self, group: str | None) -> int:
        """The number of a group, -1 for one that never showed anything."""
        return self.names.index(group) if group in self.names else -1

    def at(self, groups: Ints, times: Floats) -> tuple[NDArray[np.int8], Floats]:
        """(n,) what groups, by number, showed at some times, and since when; NaN for nothing."""
        shows, since = np.zeros(len(groups), np.int8), np.full(len(groups), np.nan)
        for group in range(len(self.names)):
            own, asked = np.flatnonzero(self.groups == group), np.flatnonzero(groups == group)
            if not len(own) or not len(asked):
                continue
            row = own[np.maximum(np.searchsorted(self.begins[own], times[asked], "right") - 1, 0)]
            known = (times[asked] >= self.begins[row]) & (times[asked] < self.ends[row])
            shows[asked[known]] = self.shows[row[known]]
            since[asked[known]] = self.begins[row[known]]
        return shows, since

    def seconds(self, group: int, what: Shows | None, edges: Floats) -> Floats:
        """(b,) how long a group showed something, or anything at all, between (b + 1,) times."""
        own = (self.groups == group) & (
            (self.shows != Shows.NOTHING) if what is None else (self.shows == what)
        )
        begins, ends = self.begins[own][:, None], self.ends[own][:, None]
        overlap = np.minimum(ends, edges[1:]) - np.maximum(begins, edges[:-1])
        return np.asarray(np.maximum(overlap, 0.0).sum(axis=0) / 1000, np.float64)

    def greens(self, group: int) -> Greens:
        """The greens of a group."""
        own = self.groups == group
        begins, ends, shows = self.begins[own], self.ends[own], self.shows[own]
        green = np.flatnonzero(shows == Shows.GREEN)
        padded = np.append(shows, np.int8(Shows.NOTHING))
        yellow = padded[green + 1] == Shows.YELLOW
        reds = np.where(yellow, np.append(ends, np.nan)[green + 1], ends[green])
        nexts = np.append(begins[green][1:], np.nan)
        # What nothing is known of between two greens may have been a green as well.
        dark = np.cumsum(np.r_[0, shows == Shows.NOTHING])
        broken = np.r_[dark[green[1:]] != dark[green[:-1]], np.ones(min(len(green), 1), bool)]
        return Greens(begins[green], ends[green], reds, np.where(broken, np.nan, nexts))


def lights(signals: SignalStates, intersection: str, until: int) -> Lights:
    """What an intersection showed up to a time; what follows on the same is the same."""
    own = in_order(take(signals, signals.intersections.are(intersection)))
    own = take(own, own.times < until)
    codes, groups = np.unique(own.groups.codes, return_inverse=True)
    order = np.argsort(groups, kind="stable")
    groups, shows = groups[order], _OF_LIGHT[own.lights[order]]
    begins = own.times[order].astype(np.float64)
    if not len(begins):
        return Lights((), groups.astype(np.int32), begins, begins, shows)
    # Of two rows of one moment the later one holds.
    lasting = np.r_[(np.diff(begins) > 0) | (np.diff(groups) != 0), True]
    groups, shows, begins = groups[lasting], shows[lasting], begins[lasting]
    new = np.r_[True, (np.diff(groups) != 0) | (np.diff(shows) != 0)]
    groups, shows, begins = groups[new], shows[new], begins[new]
    ends = np.r_[np.where(np.diff(groups) == 0, begins[1:], until), until]
    names = tuple(own.groups.names[code] for code in codes)
    return Lights(names, groups.astype(np.int32), begins, ends, shows)


def ran_red(lit: Lights, groups: Ints, crossings: Passages) -> NDArray[np.bool_]:
    """(p,) who crossed the stop line in red, driving, neither just after it began nor before green.

    groups
        (p,) the signal group, by number, that each obeys.

    Only who was in front of the stop line and behind it in the same red: with reports a second apart
    nobody knows which side of its ends a crossing was on. Who stops behind the line has not run it.
    """
    rules = passage_rules()
    shows, since = lit.at(groups, crossings.crossed)
    before, _ = lit.at(groups, crossings.before)
    later = np.fmax(crossings.behind, crossings.crossed + rules.early_s * 1000)
    behind, still = lit.at(groups, later)
    red = (shows == Shows.RED) & (before == Shows.RED) & (behind == Shows.RED)
    red &= (since <= crossings.before) & (still == since)
    late = crossings.crossed - since > rules.grace_s * 1000
    return np.asarray(red & late & ~crossings.held & (crossings.speeds > rules.faster_mps))


def failed(greens: Greens, stays: Passages) -> NDArray[np.bool_]:
    """(g,) whether somebody who stood in the queue when a green began was still there in the red.

    Only of who is seen until then: stays are those on the lanes of the group.
    """
    gone = np.where(np.isnan(stays.crossed), np.inf, stays.crossed)
    there = np.fmin(gone, np.where(np.isnan(stays.crossed), stays.seen, np.inf))
    waits = stays.halted[None, :] <= greens.starts[:, None]
    return np.asarray((waits & (there[None, :] >= greens.reds[:, None])).any(axis=1))


def used_seconds(greens: Greens, crossed: Floats) -> Floats:
    """(g,) how many seconds of each green vehicles of one lane used.

    The headway before each vehicle that crosses in green counts, up to 3 s of it: own definition of
    the use of green (绿灯利用率) after the idea of GA/T 527.2, B.6, whose formula was not read.
    """
    order = np.sort(crossed)
    green = np.searchsorted(greens.starts, order, "right") - 1
    inside = green >= 0
    inside[inside] = order[inside] < greens.ends[green[inside]]
    order, green = order[inside], green[inside]
    first = np.r_[True, np.diff(green) != 0][: len(order)]
    before = np.where(first, greens.starts[green], np.r_[np.nan, order[:-1]][: len(order)])
    headways = np.minimum((order - before) / 1000, signal_rules().used_s)
    return np.asarray(np.bincount(green, headways, len(greens)), np.float64)


def discharge(greens: Greens, stays: Passages) -> tuple[Counts, Floats]:
    """(g,) vehicles that left a queue on one lane at saturation flow in each green, in how many s.

    Those from the fifth on, up to the last that had stopped; queues of fewer than eight say
    nothing. (Highway Capacity Manual, field measurement of saturation flow)
    """
    rules = signal_rules()
    order = np.argsort(stays.crossed, kind="stable")
    crossed, halted = stays.crossed[order], np.isfinite(stays.halted[order])
    vehicles, seconds = np.zeros(len(greens), np.int64), np.zeros(len(greens))
    begin = np.searchsorted(crossed, greens.starts)
    end = np.searchsorted(crossed, greens.reds)
    for green, (one, two) in enumerate(zip(begin, end, strict=True)):
        moving = np.flatnonzero(~halted[one:two])
        queue = int(moving[0]) if len(moving) else int(two - one)
        if queue >= rules.least:
            vehicles[green] = queue - (rules.first - 1)
            seconds[green] = (crossed[one + queue - 1] - crossed[one + rules.first - 2]) / 1000
    return vehicles, seconds
