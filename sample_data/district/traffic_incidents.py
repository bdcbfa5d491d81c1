"""What goes wrong on purpose: an accident, one who speeds, some who drive on at red."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from sample_data.district.traffic_flow import Flow
from sample_data.district.traffic_signals import RED, traffic_table
from sample_data.district.traffic_trips import KINDS, Tracks

_CAR = KINDS.index("passenger")
_NEAR = 40.0
"""Who follows within this has an accident with the one ahead (m)."""


@dataclass
class Incidents:
    """What goes wrong; `watch` is asked before each step, and `found` is what happened.

    found
        Event, lane, place on it (m), begin and end (s), vehicles.
    """

    tracks: Tracks
    found: list[tuple[str, int, float, float, float, list[str]]] = field(default_factory=list)
    crashed: list[int] = field(default_factory=list)
    passed_red: list[tuple[float, str]] = field(default_factory=list)
    _hit: bool = False
    _sped: int | None = None
    _sped_from: float = 0.0

    def watch(self, flow: Flow, tick: int, at: float) -> None:
        """Look whether it is time for something."""
        self._accident(flow, at)
        self._speeding(flow, at)
        self._red(flow, tick, at)

    def _accident(self, flow: Flow, at: float) -> None:
        table = traffic_table()["accident"]
        if at < table["begin"] or at > table["end"] + flow.lights.step:
            return
        lane = self.tracks.lane[f"{table['link']}-{table['lane']}"]
        if at >= table["end"]:
            flow.forced[self.crashed] = np.nan
            self.crashed = []
            return
        if not self.crashed and not self._hit:
            self._begin(flow, at, lane, table)
        elif self.crashed:
            first, second = self.crashed
            gap = flow.place[first] - flow.length[first] - flow.place[second]
            # The second one sees it late.
            flow.forced[second] = -8.0 if gap < 9.0 else 0.0
            self._pass_by(flow, lane, flow.place[second])

    def _begin(self, flow: Flow, at: float, lane: int, table: dict[str, Any]) -> None:
        here = flow.active[(flow.lane[flow.active] == lane) & (flow.on_way[flow.active] < 0)]
        here = here[np.argsort(-flow.place[here])]
        for first, second in pairwise(here):
            gap = flow.place[first] - flow.length[first] - flow.place[second]
            near = abs(flow.place[first] - table["at"]) < 40 and gap < _NEAR
            pair = [first, second]
            if near and min(flow.speed[pair]) > 6 and (flow.kind[pair] == _CAR).all():
                self.crashed, self._hit = [int(first), int(second)], True
                flow.forced[first] = -8.0
                names = [flow.trips[n].who for n in self.crashed]
                self.found.append(("accident", lane, float(flow.place[first]) + 6.0, at, table["end"], names))  # fmt: skip
                return

    def _pass_by(self, flow: Flow, lane: int, blocked: float) -> None:
        """Those who stand behind it change to a lane beside, where somebody leaves room."""
        link = list(self.tracks.of.lanes.values())[lane].link
        lanes = [self.tracks.lane[one.id] for one in self.tracks.through(link)]
        rank = lanes.index(lane)
        a = flow.active
        near = (flow.lane[a] == lane) & (flow.on_way[a] < 0) & (flow.place[a] < blocked - 1)
        near &= (flow.place[a] > 12.0) & (flow.place[a] > blocked - 90) & np.isnan(flow.forced[a])
        for n in a[near & (flow.speed[a] < 9.0)].tolist():
            for other in (rank - 1, rank + 1):
                if not 0 <= other < len(lanes) or not self._room(flow, n, lanes[other]):
                    continue
                trip, k = flow.trips[n], int(flow.at_step[n])
                links = trip.links[trip.links.index(link) :]
                turns = trip.turns[len(trip.turns) - len(links) + 1 :]
                if any(turn != "straight" for turn in turns):
                    continue
                ahead = self.tracks.steps(links, turns, [other] * len(links), "driving")
                trip.steps = [*trip.steps[:k], *ahead]
                flow.replan(n)
                flow.lane[n] = lanes[other]
                flow.aside[n] = 3.8 * (rank - other)
                break

    def _room(self, flow: Flow, n: int, lane: int) -> bool:
        a = flow.active[flow.lane[flow.active] == lane]
        ahead = flow.place[a] - flow.length[a] - flow.place[n]
        behind = flow.place[n] - flow.length[n] - flow.place[a]
        free = (ahead > 2.5) | (behind > 3.0 + 1.4 * flow.speed[a])
        return bool(free.all())

    def _speeding(self, flow: Flow, at: float) -> None:
        table = traffic_table()["speeding"]
        if at < table["after"]:
            return
        if self._sped is None:
            lanes = {self.tracks.lane[one.id] for one in self.tracks.through(table["link"])}
            for n in flow.active[flow.kind[flow.active] == _CAR].tolist():
                lane = int(flow.lane[n])
                if lane not in lanes or not 0 <= flow.place[n] < 40 or flow.speed[n] < 8:
                    continue
                others = flow.active[(flow.lane[flow.active] == lane) & (flow.active != n)]
                ahead = flow.place[others] - flow.place[n]
                if ((ahead > 0) & (ahead < 170)).any():
                    continue
                self._sped, self._sped_from = n, at
                flow.wanted[n] = table["speed"]
                return
        elif self._sped >= 0 and flow.lane[self._sped] < 0:
            lane = int(flow.plan_lane[self._sped, flow.at_step[self._sped]])
            self.found.append(("speeding", lane, 200.0, self._sped_from, at, [flow.trips[self._sped].who]))  # fmt: skip
            self._sped = -1

    def _red(self, flow: Flow, tick: int, at: float) -> None:
        due = sum(at >= after for after in traffic_table()["red"]["after"])
        if len(self.passed_red) >= due or tick < 2:
            return
        a = flow.active
        k = flow.at_step[a]
        way = flow.plan_way[a, k]
        light = flow.lights.obeyed[flow.way_group[way], tick]
        before = flow.lights.obeyed[flow.way_group[way], tick - 1]
        gap = flow.plan_leave[a, k] - flow.place[a]
        ways = list(self.tracks.of.ways.values())
        may = (way >= 0) & (light == RED) & (before != RED) & (flow.kind[a] == _CAR)
        may &= (gap > 4) & (gap < 22) & (flow.speed[a] > 4) & (flow.on_way[a] < 0)
        for n, w in zip(a[may].tolist(), way[may].tolist(), strict=True):
            same = flow.active[(flow.lane[flow.active] == flow.lane[n]) & (flow.active != n)]
            first = not (flow.place[same] > flow.place[n]).any()
            if first and ways[w].turn == "straight":
                flow.runs[n] = True
                self.passed_red.append((at, flow.trips[n].who))
                where = float(flow.plan_leave[n, flow.at_step[n]])
                self.found.append(("red-running", int(flow.lane[n]), where, at, at + 4, [flow.trips[n].who]))  # fmt: skip
                return
