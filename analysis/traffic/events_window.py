"""The events of a window as they would have been recognised, from what is recorded of it."""

from dataclasses import dataclass

import msgspec

from analysis.traffic.causes import Reasons
from analysis.traffic.events import EventEngine
from analysis.traffic.key_vehicles import CoverageCount, Register
from analysis.traffic.lanes import lane_map
from analysis.traffic.turn import turn
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.traffic.event import Change, TrafficEvent
from cim_core.traffic.roads import RoadMap

WARM = 300_000
"""Milliseconds before a window that are looked at as well: what began then may still go on."""
_AT_ONCE = 60_000
"""Milliseconds that are looked at together: ten rows a second of a thousand vehicles are 600,000."""


@dataclass(frozen=True)
class Recognised:
    """What a window holds.

    events
        Those that were on at some time of it, the first to begin first.
    positions, signals
        How many rows were looked at in it.
    """

    events: tuple[TrafficEvent, ...]
    positions: int
    signals: int


def recognised(
    city: City, layer: str, roads: RoadMap, start: int, end: int, register: Register,
    count: CoverageCount, progress: Progress,
) -> Recognised:  # fmt: skip
    """The events of a layer, start ≤ time < end, milliseconds since 1970, with their causes."""
    with turn():
        return _recognised(city, layer, roads, start, end, register, count, progress)


def _recognised(
    city: City, layer: str, roads: RoadMap, start: int, end: int, register: Register,
    count: CoverageCount, progress: Progress,
) -> Recognised:  # fmt: skip
    engine = EventEngine(lane_map(roads), register=register)
    kept: dict[tuple[str, int], TrafficEvent] = {}
    rows = lights = 0
    begins = [*range(start - WARM, start, _AT_ONCE), *range(start, end, _AT_ONCE)]
    for number, begin in enumerate(begins):
        progress(number, len(begins), "looking for events")
        stop = min(begin + _AT_ONCE, start if begin < start else end)
        positions = city.traffic.positions(layer, max(begin, 0), stop)
        signals = city.traffic.signals(layer, max(begin, 0), stop)
        if begin >= start:
            count.add(positions)
            rows, lights = rows + len(positions), lights + len(signals)
        folded(kept, engine.feed(positions, signals, stop))
    found = [one for one in kept.values() if one.ended is None or one.ended >= start]
    found.sort(key=lambda one: one.begun)
    reasons = Reasons(city, layer, roads, start, end, events=found)
    told = tuple(_caused(one, reasons) for one in found)
    return Recognised(told, rows, lights)


def folded(kept: dict[tuple[str, int], TrafficEvent], changes: list[Change]) -> None:
    """Put changes to the events they belong to, by key and the time of their opening."""
    for change in changes:
        event = change.event
        open_ = next((k for k in kept if k[0] == event.key and kept[k].ended is None), None)
        kept[open_ or (event.key, event.begun)] = event


def _caused(event: TrafficEvent, reasons: Reasons) -> TrafficEvent:
    return msgspec.structs.replace(event, causes=reasons.of_event(event))
