"""Recognises events in traffic while it is recorded, keeps them, and tells of them.

Once a second the engine of each road map looks at the batches that were written since, by whichever
process. What was before the server began is looked at first, so that an event that goes on is the same
one after a restart. Of the processes that serve a city one has the engines, which a lock file says; what
roadside units warn of is kept by the process they tell.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from analysis.traffic.causes import Reasons
from analysis.traffic.event_rules import event_rules
from analysis.traffic.events import EventEngine
from analysis.traffic.key_vehicles import FILE_NAME, Register, register_of
from analysis.traffic.lanes import lane_map
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.locks import locked_if_free
from cim_core.store.layers import LayerVersion
from cim_core.traffic.event import EVENT_KINDS, Change, TrafficEvent
from cim_core.traffic.moving import Moving, Positions, SignalStates, between, joined
from cim_core.traffic.roads import RoadMap
from pipelines.v2x_heard import Notice
from server.hub import Event

_LOOK_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_SILENT_SECONDS = 10.0
"""After so long without a row time goes on without one, so that what is gone is over."""
_WARM = 300_000
"""So many milliseconds from before the server began are looked at."""
_BACK = 60_000
"""What is told of a time so long before what was looked at is late, or a recording that is played again."""
_BACK_LOOKS = 10
"""Nothing else in so many looks in which anything came: it is a recording that is played again."""
_MOST_ROWS = 400_000
_MOST_UNKEPT = 10_000
"""Changes of a road map that wait for the disk; of more, only how events begin and end."""
_CAUSES_OF = ("queue-spillback", "hard-braking")
_REASONS = 600_000
"""Causes are looked for in so many milliseconds before an event."""

_log = logging.getLogger(__name__)


class _Layer:
    """The engine of one road map, and how far it is; for one thread.

    past
        What is looked at first, start ≤ time < end; None where there is nothing.
    left
        When what is open of this road map and unknown to the engine ended; None once that is said.
    """

    def __init__(
        self, city: City, version: LayerVersion, roads: RoadMap, register: Register
    ) -> None:
        self.version, self.roads, self.register = version, roads, register
        self.engine = EventEngine(lane_map(roads), register=register)
        self.newest = -1
        self.heard = time.monotonic()
        self.left: int | None = 0
        self._until = -1
        self._back: list[list[Moving]] = []
        self._backs = 0
        known = [city.traffic.span(version.layer, kind) for kind in (Positions, SignalStates)]
        end = max((span[1] + 1 for span in known if span), default=0)
        self.past: tuple[int, int] | None = (max(end - _WARM, 0), end) if end else None

    def warm(self, city: City) -> list[Change]:
        """What follows from what is recorded already."""
        if self.past is None:
            return []
        start, end = self.past
        layer = self.version.layer
        positions = city.traffic.positions(layer, start, end)
        changes = self.engine.feed(positions, city.traffic.signals(layer, start, end), end)
        self.newest = self._until = self.left = end
        return changes

    def taken(self, what: Sequence[Moving]) -> list[Moving]:
        """Of what was told what is to be looked at; what is of long before is put aside.

        It is late as long as anything else comes; where nothing else does, see `played_again`.
        """
        edge, ever = self._until - _BACK, 2**62
        some = [part for one in what if len(part := between(one, edge, ever))]
        back = [part for one in what if len(part := between(one, -ever, edge))]
        if some:
            self._back, self._backs = [], 0
        elif back:
            self._back.append(back)
            self._backs += 1
            while sum(len(one) for told in self._back for one in told) > _MOST_ROWS:
                self._back.pop(0)
        return some

    def played_again(self) -> list[Moving] | None:
        """What a recording that is played again has told until now, None where none is."""
        if self._backs < _BACK_LOOKS:
            return None
        return [one for told in self._back for one in told]

    def feed(self, what: Sequence[Moving], now: int) -> list[Change]:
        """What follows from what was told."""
        positions = joined([one for one in what if isinstance(one, Positions)], Positions)
        signals = joined([one for one in what if isinstance(one, SignalStates)], SignalStates)
        rows = [int(one.times.max()) for one in (positions, signals) if len(one)]
        if rows:
            self.newest, self.heard = max(self.newest, min(max(rows), now)), time.monotonic()
        silent = time.monotonic() - self.heard
        passed = round(1000 * silent) if silent >= _SILENT_SECONDS else 0
        patience = round(1000 * event_rules().general["patience"])
        self._until = max(self._until, self.newest + passed - patience)
        return self.engine.feed(positions, signals, self._until)


class Recognising:
    """The engines of a city's road maps; for one thread at a time.

    tell
        Told of every event that something happened to, by whichever process.
    notices
        What roadside units of a layer warn of now.
    """

    def __init__(
        self, city: City, tell: Callable[[Event], None],
        notices: Callable[[str], list[Notice]] = lambda _: [],
    ) -> None:  # fmt: skip
        self._city, self._tell, self._notices = city, tell, notices
        self._held: contextlib.ExitStack | None = None
        self._read: dict[type[Moving], int] = {}
        self._layers: dict[str, _Layer] = {}
        self._unkept: defaultdict[str, list[Change]] = defaultdict(list)
        self._warned: dict[tuple[str, str], TrafficEvent] = {}
        self._news: int | None = None
        self._pause = _LOOK_SECONDS
        self._register: tuple[float, Register] = (-1.0, Register())

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                begun = loop.time()
                try:
                    for event in await asyncio.to_thread(self.look):
                        self._tell(("traffic-event", {"id": event}))
                except Exception:
                    _log.exception("events on the roads could not be looked for; trying again")
                    self._pause = _RETRY_SECONDS
                await asyncio.sleep(max(0.0, begun + self._pause - loop.time()))
        finally:
            self.close()

    def close(self) -> None:
        """Leave the engines to another process."""
        if self._held is not None:
            self._held.close()
            self._held = None
            self._layers.clear()

    def look(self) -> list[int]:
        """Look at what has come; the events that changed since the last time, none at the first.

        Never twice at a time. What cannot be kept is kept the next time, and one road map does not
        hold up the others.
        """
        maps = self._city.road_maps()
        waiting = self._arrived() if self._alone() else None
        for layer in (self._layers.keys() | self._unkept.keys()) - maps.keys():
            self._layers.pop(layer, None)
            self._unkept.pop(layer, None)
        self._pause = _LOOK_SECONDS
        for layer, (version, roads) in maps.items():
            try:
                if waiting is not None and self._city.traffic.exists:
                    self._recognise(version, roads, waiting.get(layer, []))
                self._unkept[layer] += self._noticed(layer, roads, _now())
                self._keep(layer)
            except Exception:
                _log.exception("events of %s could not be kept; trying again", layer)
                self._pause = _RETRY_SECONDS
        self._news, changed = self._city.traffic.events.news(self._news)
        return list(dict.fromkeys(changed))

    def _alone(self) -> bool:
        """Whether this process has the engines of the city, as the first that asked for them."""
        if self._held is None:
            with contextlib.ExitStack() as stack:
                path = self._city.folder / ".locks" / "recognising.lock"
                if not stack.enter_context(locked_if_free(path)):
                    return False
                last = self._city.traffic.batches.last()
                self._read = {Positions: last, SignalStates: last}
                self._held = stack.pop_all()
        return True

    def _arrived(self) -> dict[str, list[Moving]]:
        """What was written since the last look, by layer."""
        waiting: defaultdict[str, list[Moving]] = defaultdict(list)
        for kind, last in list(self._read.items()):
            for batch in self._city.traffic.batches.all_after(last, kind):
                self._read[kind] = batch.id
                waiting[batch.layer].append(batch.what)
        rows = sum(len(one) for some in waiting.values() for one in some)
        if rows <= _MOST_ROWS:
            return waiting
        # The machine does not keep up: what is oldest is not looked at, or it never would again.
        _log.warning("events are not looked for in %s rows that came too fast", rows - _MOST_ROWS)
        newest = max(int(one.times.max()) for some in waiting.values() for one in some)
        kept = newest - round(60_000 * _MOST_ROWS / rows)
        return {
            name: [between(one, kept, newest + 1) for one in some] for name, some in waiting.items()
        }

    def _recognise(self, version: LayerVersion, roads: RoadMap, what: Sequence[Moving]) -> None:
        """Let the engine of a road map, as it is served now, look at what came; begun again where needed."""
        layer, register = version.layer, self._registered()
        known = self._layers.get(layer)
        if (
            known is None
            or known.version.version != version.version
            or known.register is not register
        ):
            known = _Layer(self._city, version, roads, register)
            self._unkept[layer] += known.warm(self._city)
            self._layers[layer] = known
        some = known.taken(what)
        again = known.played_again()
        if again is not None:  # it begins with nothing, and what was open ended where it was left
            left = known.newest
            known = self._layers[layer] = _Layer(self._city, version, roads, register)
            known.past, known.left = None, left
            some = again
        self._unkept[layer] += known.feed(some, _now())

    def _keep(self, layer: str) -> None:
        """Write what changed; what cannot be written is kept for the next time."""
        known, changes = self._layers.get(layer), self._unkept[layer]
        if len(changes) > _MOST_UNKEPT:
            changes[:] = [one for one in changes if one.what != "updated"][-_MOST_UNKEPT:]
        events = self._city.traffic.events
        if changes:
            events.apply(layer, changes if known is None else self._caused(known, changes))
            changes.clear()
        if known is not None and known.left is not None:
            keys = [event.key for event in known.engine.open]
            kinds = [kind for kind in EVENT_KINDS if kind != "notice"]
            events.close_others(layer, keys, kinds, known.left)
            known.left = None

    def _registered(self) -> Register:
        """The register of key vehicles as its file is now."""
        path = self._city.folder / FILE_NAME
        changed = path.stat().st_mtime if path.is_file() else 0.0
        if changed != self._register[0]:
            try:
                self._register = changed, register_of(self._city.folder)
            except InvalidInput as error:
                _log.warning("%s", error.sentence)
                self._register = changed, self._register[1]
        return self._register[1]

    def _caused(self, known: _Layer, changes: list[Change]) -> list[Change]:
        """Changes with the causes of what was opened, as far as the twin knows them.

        Without rain: gauges are of other layers, which not everybody sees who sees the event.
        """
        begun = [
            one.event.begun
            for one in changes
            if one.what == "opened" and one.event.kind in _CAUSES_OF
        ]
        if not begun:
            return changes
        start = min(begun) - _REASONS
        end = max(known.newest, start + 1)
        reasons = Reasons(
            self._city, known.version.layer, known.roads, max(start, 0), end,
            events=known.engine.open, gauges=(),
        )  # fmt: skip
        return [
            Change(one.what, msgspec.structs.replace(one.event, causes=reasons.of_event(one.event)))
            if one.what == "opened"
            else one
            for one in changes
        ]

    def _noticed(self, layer: str, roads: RoadMap, now: int) -> list[Change]:
        """What roadside units warn of, handed on as they say it."""
        found: list[Change] = []
        there: set[tuple[str, str]] = set()
        for notice in self._notices(layer):
            event = _event_of(notice, roads)
            if event is None:
                continue
            there.add((layer, event.key))
            known = self._warned.get((layer, event.key))
            if known is not None:  # heard of again: it began when it was heard of first
                event = msgspec.structs.replace(event, begun=known.begun)
            if known != event:
                self._warned[layer, event.key] = event
                found.append(Change("opened", event))
        for key in [one for one in self._warned if one[0] == layer and one not in there]:
            event = self._warned.pop(key)
            ended = max(now, event.begun)
            found.append(Change("closed", msgspec.structs.replace(event, ended=ended)))
        return found


def _event_of(notice: Notice, roads: RoadMap) -> TrafficEvent | None:
    """A notice as an event; None for a sign, which happens to nobody, and for one without a place."""
    if notice.kind != "event" or notice.place is None:
        return None
    rule = event_rules()["notice"]
    lon, lat = notice.place
    begun = notice.heard if notice.start is None else min(notice.start, notice.heard)
    evidence = {"type": notice.type, "table": "GB/T 29100"}
    return TrafficEvent(
        kind="notice", key=f"notice/{notice.id}", begun=begun, lon=lon, lat=lat,
        confidence=rule.confidence(0.5), evidence=evidence, note=notice.text,
    )  # fmt: skip


def _now() -> int:
    return time.time_ns() // 1_000_000
