"""How they drive: everybody follows whoever is ahead and stops at red, step by step.

A vehicle's place is its front bumper's along its lane, in m; on the way into a lane it is negative, so that
all who come to a lane by different ways are one row. Car following: M. Treiber, A. Hennecke,
D. Helbing, "Congested traffic states in empirical observations and microscopic simulations",
Physical Review E 62, 2000 (the intelligent driver model).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sample_data.district.plan import Floats
from sample_data.district.traffic_map import TAPER
from sample_data.district.traffic_signals import GREEN, RED, YELLOW, Lights, traffic_table
from sample_data.district.traffic_trips import KINDS, Numbers, Tracks, Trip

STANDING = 2.0
"""Between those who stand one behind the other (m)."""
LINE = 0.6
"""Before the stop line, and before what is let pass (m)."""
_CAN_STOP = 3.2
"""Who would have to brake harder than this for yellow drives on (m/s²)."""
_FAR = 1e6
_NARROW = TAPER - 7.0


@dataclass(frozen=True)
class Frame:
    """Who was where at a moment: trips, and of each its lane, way (-1: on the lane), place and rest.

    aside
        How far to the right of its lane, m; it comes from there or keeps there.
    """

    at: float
    trips: Numbers
    lanes: Numbers
    ways: Numbers
    places: Floats
    speeds: Floats
    accelerations: Floats
    aside: Floats


@dataclass(frozen=True)
class _Gaps:
    """Of each, the gap to who is ahead (m), how fast it closes (m/s), and the gap nobody can drive into."""

    gap: Floats
    closing: Floats
    firm: Floats


class Flow:
    """All vehicles at a moment; `step` moves them on."""

    def __init__(self, tracks: Tracks, all_trips: Sequence[Trip], lights: Lights) -> None:
        self.tracks, self.trips, self.lights = tracks, all_trips, lights
        count = len(all_trips)
        most = max((len(trip.steps) for trip in all_trips), default=1)
        self.plan_lane = np.full((count, most + 1), -1)
        self.plan_leave = np.zeros((count, most + 1))
        self.plan_way = np.full((count, most + 1), -1)
        for n in range(count):
            self.replan(n)
        table = traffic_table()["kind"]
        kind = np.array([KINDS.index(trip.kind) for trip in all_trips], np.int64)
        self.kind = kind
        self.length = np.array([trip.length for trip in all_trips])
        self.share = np.array([trip.share for trip in all_trips])
        self.gain, self.brake, self.headway = (
            np.array([table[name][what] for name in KINDS])[kind]
            for what in ("acceleration", "braking", "headway")
        )
        self.begins = np.array([trip.begin for trip in all_trips])
        self.at_step = np.zeros(count, np.int64)
        self.lane = np.full(count, -1)
        self.on_way = np.full(count, -1)
        self.place, self.speed, self.change, self.aside = (np.zeros(count) for _ in range(4))
        self.wanted = np.full(count, np.nan)
        """Speeds that some like to drive whatever is allowed."""
        self.forced = np.full(count, np.nan)
        """Accelerations of those who do not mind the others."""
        self.runs = np.zeros(count, bool)
        """Who drives on at red."""
        self.active = np.empty(0, np.int64)
        self.waiting: dict[int, list[int]] = {}
        for n in np.argsort(-self.begins, kind="stable").tolist():
            self.waiting.setdefault(int(self.plan_lane[n, 0]), []).append(n)
        self.entered = self.left = 0
        rows = {pair: n for n, pair in enumerate(lights.groups)}
        self.way_group = np.array([rows[w.node, w.group] for w in tracks.of.ways.values()])
        self._green_left = _left(lights.obeyed == GREEN, lights.step)
        self._yields = tracks.yields()
        self.wait_at = np.full(len(tracks.way_lengths), np.nan)
        for way, (_, at, _, _) in self._yields.items():
            self.wait_at[way] = at
        self._crossing = np.array([(w, bike, at) for w, (_, _, bike, at) in self._yields.items()])

    def replan(self, n: int) -> None:
        """Take over the steps of a trip after they changed."""
        steps = self.trips[n].steps
        for k, one in enumerate(steps):
            self.plan_lane[n, k], self.plan_leave[n, k] = one.lane, one.leave
            self.plan_way[n, k] = -1 if one.way is None else one.way
        self.plan_lane[n, len(steps) :] = -1

    def frame(self, at: float) -> Frame:
        """Who is where now."""
        a = self.active
        return Frame(
            at, a, self.lane[a], self.on_way[a], self.place[a], self.speed[a], self.change[a],
            self.aside[a],
        )  # fmt: skip

    def step(self, tick: int, at: float, walked: set[str]) -> None:
        """Move all on by a step; `walked` are the links on whose crosswalk, where one drives out, is somebody."""
        dt = self.lights.step
        self._enter(at)
        a = self.active
        if not len(a):
            return
        lane, place, speed = self.lane[a], self.place[a], self.speed[a]
        key = lane * _FAR + place
        order = np.argsort(key)
        ranked, keys = a[order], key[order]
        ahead = np.full(len(a), -1)
        same = lane[order][1:] == lane[order][:-1]
        ahead[order[:-1][same]] = ranked[1:][same]
        free = self._free(a)
        gaps = _Gaps(np.full(len(a), _FAR), np.zeros(len(a)), np.full(len(a), _FAR))
        self._behind(a, ahead, place, self.on_way[a], gaps)
        self._others(a, keys, ranked, gaps)
        gain = free - np.minimum(self.gain[a] * self._wish(a, gaps) ** 2, self._enough(a, gaps))
        gain = np.minimum(gain, self._stops(a, tick, walked, ranked))
        forced = self.forced[a]
        gain = np.where(np.isnan(forced), gain, forced)
        after = np.clip(speed + np.clip(gain, -8.5, None) * dt, 0.0, None)
        moved = (speed + after) / 2 * dt
        # Nobody drives into another, whatever they wanted.
        room = np.clip(gaps.firm - 0.3, 0.0, None)
        after = np.where(moved > room, np.minimum(after, room / dt), after)
        moved = np.minimum(moved, room)
        self.change[a] = (after - speed) / dt
        self.speed[a] = after
        self.place[a] = place + moved
        self.aside[a] *= 1.0 - 0.35 * dt
        self._advance(a)

    def _free(self, a: Numbers) -> Floats:
        """What they would do with nobody ahead: limits, bends ahead and their own liking."""
        k, lane, place = self.at_step[a], self.lane[a], self.place[a]
        limit = self.tracks.speeds[lane]
        on = self.on_way[a]
        limit = np.where(on >= 0, np.minimum(limit, self.tracks.way_speeds[on]), limit)
        coming = self.plan_way[a, k]
        bend = np.where(coming >= 0, self.tracks.way_speeds[coming], _FAR)
        before = np.clip(self.plan_leave[a, k] - place, 0.0, None)
        liked = np.minimum(limit * self.share[a], np.sqrt(bend**2 + 2 * 1.4 * before))
        liked = np.where(np.isnan(self.wanted[a]), liked, self.wanted[a])
        eager = np.where(np.isnan(self.wanted[a]), self.gain[a], 3.0)
        found: Floats = np.clip(eager * (1 - (self.speed[a] / liked) ** 4), -2.0, None)
        return found

    def _behind(self, a: Numbers, ahead: Numbers, place: Floats, way: Numbers, gaps: _Gaps) -> None:
        """Note those ahead (-1: nobody) of places on their lanes, if they are the nearest."""
        there = ahead >= 0
        gap = np.where(there, self.place[ahead] - self.length[ahead] - place, _FAR)
        nearer = gap < gaps.gap
        slower = np.where(there, self.speed[a] - self.speed[ahead], 0.0)
        gaps.gap[nearer], gaps.closing[nearer] = gap[nearer], slower[nearer]
        # Who comes by another way is not met before the ways join.
        firm = there & ((self.place[ahead] >= 0) | (self.on_way[ahead] == way))
        gaps.firm[firm] = np.minimum(gaps.firm, gap)[firm]

    def _others(self, a: Numbers, keys: Floats, ranked: Numbers, gaps: _Gaps) -> None:
        """Note also those on the next lane, and beside the beginning of a pocket."""
        k, lane, place = self.at_step[a], self.lane[a], self.place[a]
        coming, way = self.plan_lane[a, k + 1], self.plan_way[a, k]
        reach = np.where(way >= 0, self.tracks.way_lengths[way], 0.0)
        shifted = place - self.plan_leave[a, k] - reach
        self._behind(a, _next(keys, ranked, coming, shifted, self.lane), shifted, way, gaps)
        beside, start = self.tracks.branch[lane], self.tracks.branch_at[lane]
        pocket = self.tracks.pocket[lane]
        here = np.where(pocket, place, place - start)
        look = (beside >= 0) & (here > -80.0) & (here < _NARROW) & (coming != beside)
        there = np.where(pocket, here + start, here)
        met = _next(keys, ranked, np.where(look, beside, -1), there, self.lane)
        behind = self.place[met] - self.length[met] - np.where(pocket, start, 0.0)
        near = look & (met >= 0) & (behind < _NARROW)
        self._behind(a, np.where(near, met, -1), there, way, gaps)

    def _wish(self, a: Numbers, gaps: _Gaps) -> Floats:
        """The gap they would like by the gap they have."""
        speed = self.speed[a]
        wish = STANDING + np.clip(
            speed * self.headway[a]
            + speed * gaps.closing / (2 * np.sqrt(self.gain[a] * self.brake[a])),
            0.0, None,
        )  # fmt: skip
        found: Floats = wish / np.clip(gaps.gap, 0.5, None)
        # For somebody who comes by another way nobody brakes hard.
        joining = gaps.gap < gaps.firm
        return np.where(joining, np.minimum(found, np.sqrt(2.5 / self.gain[a])), found)

    def _enough(self, a: Numbers, gaps: _Gaps) -> Floats:
        """Braking (m/s²) that is enough: nobody brakes much harder than what is ahead asks for."""
        speed = self.speed[a]
        ahead = np.clip(speed - gaps.closing, 0.0, None)
        needed = np.clip(speed**2 - ahead**2, 0.0, None) / (2 * np.clip(gaps.gap - 0.8, 0.1, None))
        found: Floats = 1.5 + 1.15 * needed
        return found

    def _stops(self, a: Numbers, tick: int, walked: set[str], ranked: Numbers) -> Floats:
        """What lights, full exits, walkers and bicycles ask of them; large where nothing does."""
        k, place, speed = self.at_step[a], self.place[a], self.speed[a]
        way, leave = self.plan_way[a, k], self.plan_leave[a, k]
        gap = leave - LINE - place
        light = np.where(way >= 0, self.lights.obeyed[self.way_group[way], tick], GREEN)
        need = speed**2 / (2 * np.clip(gap, 0.05, None))
        stop = (light == RED) | ((light == YELLOW) & (need < _CAN_STOP))
        bike = self.kind[a] == KINDS.index("bicycle")
        left = self._green_left[self.way_group[way], tick]
        short = bike & (way >= 0) & (left < traffic_table()["bicycles"]["clear"])
        stop |= short & ((light != YELLOW) | (need < _CAN_STOP)) & (need < 2.5)
        stop &= ~self.runs[a] & ((gap > 0) | (speed < 1.0))
        coming = self.plan_lane[a, k + 1]
        rear, pace = self._tails(ranked)
        full = (coming >= 0) & (way >= 0) & (pace[coming] < 3.0)
        stop |= full & (rear[coming] < self.length[a] + 1.5) & (need < 3.0)
        found = np.where(stop & (way >= 0), self._halt(a, gap), _FAR)
        on = self.on_way[a]
        turning = np.where(on >= 0, on, way)
        wait = self.wait_at[turning] - LINE / 2
        wait = np.where(on >= 0, wait - place, leave - place + self.tracks.way_lengths[way] + wait)
        busy = self._busy(a, walked)[turning] & (turning >= 0) & (wait > -0.2)
        hard = speed**2 / (2 * np.clip(wait, 0.05, None)) > 3.0
        return np.where(busy & ~hard, np.minimum(found, self._halt(a, wait)), found)

    def _halt(self, a: Numbers, gap: Floats) -> Floats:
        """The deceleration to stand still after a gap, never much harder than it takes."""
        speed = self.speed[a]
        room = np.clip(gap, 0.05, None)
        wish = 0.3 + speed * 0.5 + speed**2 / (2 * np.sqrt(self.gain[a] * self.brake[a]))
        gentle = self.gain[a] * (1 - (wish / room) ** 2)
        found: Floats = np.maximum(gentle, -1.1 * speed**2 / (2 * room) - 0.2)
        return np.where(gap <= 0.05, -8.0, found)

    def _busy(self, a: Numbers, walked: set[str]) -> Floats:
        """(ways,) Whether those who turn right have somebody to let pass."""
        found = np.zeros(len(self.wait_at) + 1, bool)
        for way, (link, _, _, _) in self._yields.items():
            found[way] = link in walked
        riding = a[(self.kind[a] == KINDS.index("bicycle")) & (self.on_way[a] >= 0)]
        if len(riding) and len(self._crossing):
            ways, bikes, at = self._crossing.T
            before = at[None, :] - self.place[riding][:, None]
            near = (
                (bikes[None, :] == self.on_way[riding][:, None]) & (before > -2.5) & (before < 11.0)
            )
            found[ways[near.any(0)].astype(int)] = True
        result: Floats = found
        return result

    def _tails(self, ranked: Numbers) -> tuple[Floats, Floats]:
        """(lanes + 1,) How much room there is before the last one on each lane, and how fast it is.

        What those take who are on their way into it is no longer free.
        """
        count = len(self.tracks.lengths)
        rear, pace = np.full(count + 1, _FAR), np.full(count + 1, _FAR)
        there = ranked[self.place[ranked] >= 0]
        lanes = self.lane[there]
        first = np.append(True, lanes[1:] != lanes[:-1])[: len(there)]
        last = there[first]
        rear[lanes[first]] = self.place[last] - self.length[last]
        pace[lanes[first]] = self.speed[last]
        under_way = ranked[self.place[ranked] < 0]
        taken = np.bincount(
            self.lane[under_way], self.length[under_way] + STANDING, minlength=count + 1
        )
        return rear - taken, pace

    def _advance(self, a: Numbers) -> None:
        """Those who came to the end of a lane go on to the next, or are gone."""
        past = self.place[a] >= self.plan_leave[a, self.at_step[a]]
        arrived = (self.on_way[a] >= 0) & (self.place[a] >= 0)
        self.on_way[a[arrived]] = -1
        for n in a[past & (self.on_way[a] < 0)].tolist():
            k = int(self.at_step[n])
            way, coming = int(self.plan_way[n, k]), int(self.plan_lane[n, k + 1])
            if coming < 0:
                self.left += 1
                self.lane[n] = -1
                continue
            over = self.place[n] - self.plan_leave[n, k]
            self.place[n] = over - (self.tracks.way_lengths[way] if way >= 0 else 0.0)
            self.lane[n], self.on_way[n], self.at_step[n] = coming, way, k + 1
            self.runs[n] = False
        self.active = a[self.lane[a] >= 0]

    def _enter(self, at: float) -> None:
        """Those whose time has come drive in, where there is room."""
        new = []
        tails: dict[int, int] = {}
        if len(self.active):
            order = np.lexsort((-self.place[self.active], self.lane[self.active]))
            ranked = self.active[order]
            tails = dict(zip(self.lane[ranked].tolist(), ranked.tolist(), strict=True))
        for lane, row in self.waiting.items():
            if not row or self.begins[row[-1]] > at:
                continue
            n, speed = row[-1], float(self.tracks.speeds[lane] * self.share[row[-1]])
            if lane in tails:
                last = tails[lane]
                gap = float(self.place[last] - self.length[last])
                if gap < STANDING + 1.0:
                    continue
                pace = float(self.speed[last])
                speed = min(
                    speed, (gap - STANDING) / 1.5, (pace**2 + 3.0 * (gap - STANDING)) ** 0.5
                )
            row.pop()
            self.lane[n], self.place[n], self.speed[n] = lane, 0.0, speed
            self.entered += 1
            new.append(n)
        if new:
            self.active = np.append(self.active, np.array(new, np.int64))


def _next(keys: Floats, ranked: Numbers, lane: Numbers, place: Floats, lanes: Numbers) -> Numbers:
    """The first vehicle on a lane after a place, -1 for nobody."""
    at = np.searchsorted(keys, lane * _FAR + place, side="right")
    found = ranked[np.clip(at, 0, len(ranked) - 1)]
    there = (lane >= 0) & (at < len(ranked)) & (lanes[found] == lane)
    result: Numbers = np.where(there, found, -1)
    return result


def _left(on: Floats, step: float) -> Floats:
    """How long each row stays on, s; 0 where it is off."""
    found = np.zeros(on.shape)
    for n in range(on.shape[1] - 2, -1, -1):
        found[:, n] = np.where(on[:, n], found[:, n + 1] + step, 0.0)
    return found
