"""What is seen of events, second by second, becomes events with a beginning and an end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from analysis.traffic.event_map import EventMap
from analysis.traffic.event_rules import EventRules
from analysis.traffic.event_vehicles import Vehicles
from cim_core.traffic.event import Cause, Change, EventKind, TrafficEvent, shortened

_MOST_VEHICLES = 30
_MOST_TRACKS = 4
_MOST_OVER, _OVER = 1000, 3_600_000
"""The ways of so many vehicles are kept with an event."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """That something is so now.

    rows
        Of the vehicles it concerns, the most telling ones first.
    place
        Metres in the plane of the lanes.
    """

    kind: EventKind
    key: str
    begun: int
    place: tuple[float, float]
    confidence: float
    rows: Sequence[int] = ()
    link: str | None = None
    lane: str | None = None
    intersection: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)
    causes: tuple[Cause, ...] = ()
    note: str = ""


@dataclass(slots=True)
class _Open:
    event: TrafficEvent
    place: tuple[float, float]
    seen: int
    told: int
    keys: set[str]


class Ledger:
    """The events that are open, by key."""

    def __init__(self, roads: EventMap, rules: EventRules, vehicles: Vehicles) -> None:
        self._roads, self._rules, self._vehicles = roads, rules, vehicles
        self._open: dict[str, _Open] = {}
        self._key: dict[str, str] = {}  # of sightings that belong to an event of another key
        self._over: dict[str, int] = {}  # when the last event of a key was over

    @property
    def open(self) -> tuple[TrafficEvent, ...]:
        """All that are open."""
        return tuple(one.event for one in self._open.values())

    def see(self, sightings: Iterable[Sighting], now: int) -> list[Change]:
        """What follows from what is seen at a moment."""
        changes: list[Change] = []
        for one in sightings:
            known = self._open.get(self._key.get(one.key, one.key)) or self._near(one)
            if known is None:
                # One that begins again does not reach back into the one before.
                begun = max(one.begun, self._over.get(one.key, -1) + 1)
                event = self._event(replace(one, begun=begun))
                self._open[one.key] = _Open(event, one.place, now, now, {one.key})
                changes.append(Change("opened", event))
                continue
            known.keys.add(one.key)
            self._key[one.key] = known.event.key
            known.seen = max(known.seen, now)
            before, known.event = known.event, self._together(known, one)
            due = now - known.told >= 1000 * self._rules.general["tell"]
            if due or len(known.event.causes) > len(before.causes):
                self._follow(known)
                known.told = now
                changes.append(Change("updated", known.event))
        return changes

    def release(self, now: int) -> list[Change]:
        """Close what was not seen for as long as its kind may be unseen."""
        changes: list[Change] = []
        if len(self._over) > _MOST_OVER:
            late = now - _OVER
            self._over = {key: at for key, at in self._over.items() if at > late}
        for key, one in list(self._open.items()):
            if now - one.seen > 1000 * self._rules[one.event.kind].release:
                self._follow(one)
                changes.append(Change("closed", msgspec.structs.replace(one.event, ended=one.seen)))
                del self._open[key]
                self._over[key] = one.seen
                for other in one.keys:
                    self._key.pop(other, None)
        return changes

    def _follow(self, known: _Open) -> None:
        """Put what its vehicles did since it was told last to its track."""
        tracked = self._tracked(known.event, known.told + 1)
        track = shortened((*known.event.track, *tracked))
        known.event = msgspec.structs.replace(known.event, track=track)

    def _near(self, one: Sighting) -> _Open | None:
        """An open event that this belongs to: of its kind, on its link, and not far."""
        if one.link is None or one.kind not in ("abnormal-stop", "pedestrian"):
            return None
        reach = self._rules.general["near"]
        for other in self._open.values():
            same = other.event.kind == one.kind and other.event.link == one.link
            if same and np.hypot(*np.subtract(other.place, one.place)) <= reach:
                return other
        return None

    def _event(self, one: Sighting) -> TrafficEvent:
        frame = self._roads.lanes.frame
        lon, lat, _ = frame.to_geographic(np.array([[*one.place, 0.0]]))[0].tolist()
        rows = list(one.rows)[:_MOST_VEHICLES]
        event = TrafficEvent(
            kind=one.kind, key=one.key, begun=one.begun, lon=round(lon, 7), lat=round(lat, 7),
            link=one.link, lane=one.lane, intersection=one.intersection,
            vehicles=self._vehicles.named(np.array(rows, np.int64)), confidence=one.confidence,
            evidence=_plain(one.evidence), causes=one.causes, note=one.note,
        )  # fmt: skip
        since = one.begun - round(1000 * self._rules.general["track"])
        return msgspec.structs.replace(event, track=shortened(self._tracked(event, since)))

    def _together(self, known: _Open, one: Sighting) -> TrafficEvent:
        """An open event with what is seen of it now."""
        rows = np.array(list(one.rows)[:_MOST_VEHICLES], np.int64)
        vehicles = dict.fromkeys((*known.event.vehicles, *self._vehicles.named(rows)))
        own = one.key == known.event.key
        return msgspec.structs.replace(
            known.event,
            begun=min(known.event.begun, one.begun),
            vehicles=tuple(vehicles)[:_MOST_VEHICLES],
            confidence=max(known.event.confidence, one.confidence),
            evidence={**known.event.evidence, **(_plain(one.evidence) if own else {})},
            causes=one.causes or known.event.causes,
        )

    def _tracked(self, event: TrafficEvent, since: int) -> Any:
        known = (self._vehicles.rows.get(name) for name in event.vehicles)
        rows = [row for row in known if row is not None][:_MOST_TRACKS]
        return self._vehicles.track(np.array(rows, np.int64), since)


def _plain(evidence: dict[str, Any]) -> dict[str, Any]:
    """Figures as plain numbers."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in evidence.items()
    }
