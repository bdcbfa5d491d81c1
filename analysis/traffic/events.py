"""Recognising events on the stream of positions and signals (车城事件).

Traffic is looked at second by second, all road users of a second at once. What is told may arrive in
any order and in batches of any size: the engine waits until it is told that nothing earlier will come,
and what it finds is the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.congestion_sums import thinned
from analysis.traffic.event_ledger import Ledger, Sighting
from analysis.traffic.event_map import EventMap
from analysis.traffic.event_moves import Scene, hard_braking, pedestrians, speeding, wrong_way
from analysis.traffic.event_rules import EventRules, event_rules
from analysis.traffic.event_signals import Signals
from analysis.traffic.event_stops import Spillback, stops
from analysis.traffic.event_vehicles import Rows, Vehicles
from analysis.traffic.key_vehicles import Register, Watch
from analysis.traffic.lanes import LaneMap
from analysis.traffic.matching import Matched, match
from cim_core.traffic.event import Change, TrafficEvent
from cim_core.traffic.moving import Positions, SignalStates, between, in_order, joined, take

TICK = 1000
"""Milliseconds that are looked at together."""

_TURNED = 120.0
"""Degrees from where a lane leads, beyond which who drives on it drives against it."""
_FORGET_TICKS = 60
_LONGEST_GAP = 600
"""So many seconds in a row without anything told are looked at."""


class EventEngine:
    """Recognises events in the traffic of one road map; for one thread.

    late
        How many rows came too late to be looked at.
    """

    def __init__(
        self, lanes: LaneMap, rules: EventRules | None = None, register: Register | None = None
    ) -> None:
        self._rules = rules or event_rules()
        self.roads = EventMap(lanes, self._rules)
        self.signals = Signals(self.roads, self._rules)
        self.late = 0
        self._vehicles = Vehicles()
        self._ledger = Ledger(self.roads, self._rules, self._vehicles)
        self._spillback = Spillback(len(lanes.roads.lanes))
        self._watch = Watch(register or Register(), self.roads)
        self._done: int | None = None
        self._positions: list[Positions] = []
        self._signals: list[SignalStates] = []

    @property
    def open(self) -> tuple[TrafficEvent, ...]:
        """The events that are open now."""
        return self._ledger.open

    def feed(self, positions: Positions, signals: SignalStates, until: int) -> list[Change]:
        """What follows from what was told, now that nothing before `until` will come any more.

        positions, signals
            In any order. What is from `until` on waits; what is from before the last `until` is
            too late, and counted.
        until
            Milliseconds since 1970; whole seconds before it are looked at.
        """
        cut = until // TICK * TICK
        begin = self._done
        if begin is not None:
            self.late += int((positions.times < begin).sum() + (signals.times < begin).sum())
        self._positions.append(positions)
        self._signals.append(signals)
        all_positions = joined(self._positions, Positions)
        all_signals = joined(self._signals, SignalStates)
        first = begin if begin is not None else -(2**62)
        self._positions = [between(all_positions, cut, 2**62)]
        self._signals = [between(all_signals, cut, 2**62)]
        if begin is not None and cut <= begin:
            return []
        self._done = cut
        moves = self._moves(between(all_positions, first, cut))
        lights = in_order(between(all_signals, first, cut))
        return self._look(moves, lights, begin, cut)

    def _look(
        self, moves: "_Moves", lights: SignalStates, begin: int | None, cut: int
    ) -> list[Change]:
        ticks = self._ticks(moves, lights, begin, cut)
        limits = self.roads.limits(cut)
        gone = round(1000 * self._rules.general["gone"])
        begins = np.searchsorted(moves.ticks, ticks, "left").tolist()
        ends = np.searchsorted(moves.ticks, ticks, "right").tolist()
        seconds = lights.times // TICK
        first = np.searchsorted(seconds, ticks, "left").tolist()
        last = np.searchsorted(seconds, ticks, "right").tolist()
        changes: list[Change] = []
        for number, tick in enumerate(ticks.tolist()):
            now = (tick + 1) * TICK
            # Who and what is over before this second is over as it was then.
            changes += self._ledger.release(tick * TICK)
            if last[number] > first[number]:
                self.signals.take(take(lights, np.arange(first[number], last[number])))
            rows = np.arange(begins[number], ends[number])
            here = self._update(moves, rows, gone)
            there = self._vehicles.there(now, gone)
            scene = Scene(
                self.roads, self._rules, self._vehicles, now, here, there, limits, self.signals
            )  # fmt: skip
            changes += self._ledger.see(self._sightings(scene), now)
            if tick % _FORGET_TICKS == 0:
                self._vehicles.forget(now - _FORGET_TICKS * TICK)
        return changes + self._ledger.release(cut)

    def _ticks(
        self, moves: "_Moves", lights: SignalStates, begin: int | None, cut: int
    ) -> NDArray[np.int64]:
        """The seconds to be looked at: also those in which nothing was told, but for very long gaps."""
        told = np.union1d(moves.ticks, lights.times // TICK)
        if begin is not None:
            told = np.union1d(told, [begin // TICK])
        gaps = np.minimum(np.diff(np.append(told, cut // TICK)), _LONGEST_GAP)
        within = np.arange(gaps.sum()) - np.repeat(np.cumsum(gaps) - gaps, gaps)
        seconds: NDArray[np.int64] = np.repeat(told, gaps) + within
        return seconds

    def _sightings(self, scene: Scene) -> list[Sighting]:
        alive = len(scene.there) > 0
        lights = self.signals.look(scene.now, alive=alive)
        if not alive:
            return lights
        found = hard_braking(scene) + stops(scene)
        found += self._spillback.look(scene)
        found += speeding(scene) + wrong_way(scene) + pedestrians(scene)
        found += self._watch.look(scene)
        return found + lights

    def _moves(self, positions: Positions) -> "_Moves":
        found = match(self.roads.lanes, thinned(positions, TICK))
        order = np.argsort(found.positions.times // TICK, kind="stable")
        order = order[found.positions.who.codes[order] >= 0]
        turned = np.nan_to_num(found.turned)
        lanes = np.maximum(found.lanes, 0)
        against = (found.lanes >= 0) & (turned >= _TURNED)
        if len(self.roads.widths):
            against &= self.roads.riding[lanes] & (found.off <= self.roads.widths[lanes] / 2)
        return _Moves(found, order, found.positions.times[order] // TICK, against)

    def _update(self, moves: "_Moves", rows: Rows, gone: int) -> Rows:
        """Tell the vehicles where they are in a second; their rows."""
        source = moves.order[rows]
        found, v = moves.matched, self._vehicles
        told = found.positions
        names = [told.who.names[code] for code in told.who.codes[source].tolist()]
        here = v.rows_of(names)
        at = told.times[source]
        spent = at - v.seen[here]
        known = (v.seen[here] >= 0) & (spent <= gone)
        fresh = here[~known]
        for name in ("standing", "unexplained", "fast", "wrong", "walking", "astray", "outside"):
            v.columns[name][fresh] = -1
        east, north = found.places[source].T
        away = np.hypot(east - v.east[here], north - v.north[here])
        v.step[here] = np.where(known, away, 0.0)
        speed = found.speeds[source]
        seconds = np.maximum(spent, 1) / 1000.0
        speed = np.where(np.isnan(speed) & known, away / seconds, speed)
        lost = np.where(known, v.speed[here] - speed, 0.0)
        v.lost[here] = lost
        v.slower[here] = np.where(spent <= 2 * TICK, lost / seconds, 0.0)
        columns = {
            "seen": at, "east": east, "north": north, "lon": told.lon[source],
            "lat": told.lat[source], "speed": speed, "heading": found.headings[source],
            "kind": told.kinds[source], "length": told.lengths[source],
            "lane": found.lanes[source], "connection": found.connections[source],
            "link": found.links[source], "along": found.along[source], "off": found.off[source],
            "against": moves.against[source],
        }  # fmt: skip
        for name, values in columns.items():
            v.columns[name][here] = values
        v.moved[here] |= speed >= self._rules["abnormal-stop"]["moves"]
        if self._watch.numbers:
            v.key[here] = [self._watch.numbers.get(name, -1) for name in names]
        v.keep(here, at)
        return here


@dataclass(frozen=True, eq=False, slots=True)
class _Moves:
    """What was matched together.

    order
        (n,) its rows by second, `ticks` (n,) the second of each of these.
    against
        Of its rows, whether they drive against the direction of their lane.
    """

    matched: Matched
    order: Rows
    ticks: NDArray[np.int64]
    against: NDArray[np.bool_]
