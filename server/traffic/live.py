"""Traffic as it happens, to everyone who watches: one encoding for all who watch a road map.

The recorder tells of what arrives in this process; what others wrote is looked for. At most ten
times a second all there is becomes a frame, encoded once. For each watcher at most one frame of each
kind waits: a newer one takes its place.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator

from cim_core.city import City
from cim_core.sight import Sight
from cim_core.traffic.moving import Moving, Positions, SignalStates
from server.traffic.frames import SIGNALS, VEHICLES, Anchor, head_text, signal_frame
from server.traffic.now import GONE_SECONDS, LATE_SECONDS, SILENT_SECONDS, Now

_TICK_SECONDS = 0.1
_LOOK_SECONDS = 0.5
"""So often it looks for what other processes wrote, and for what is gone."""
_RETRY_SECONDS = 5.0
_KEPT_SECONDS = 60.0
"""How long a road map is listened to that nobody asks for any more."""

_log = logging.getLogger(__name__)


class Watcher:
    """One who watches a road map: at most the newest frame of each kind waits for them."""

    def __init__(self, channel: "Channel") -> None:
        self.channel = channel
        self._waiting: dict[int, bytes] = dict(channel.newest)
        self._unaware = True
        self._awake = asyncio.Event()
        self._awake.set()

    def put(self, kind: int, frame: bytes) -> None:
        """A frame for them, instead of an older one of its kind."""
        self._waiting[kind] = frame
        self._awake.set()

    def renew(self) -> None:
        """The signal groups are others now: they are told before the next frame."""
        self._waiting.pop(SIGNALS, None)
        self._unaware = True
        self._awake.set()

    async def next(self) -> str | bytes:
        """What they are to be told next."""
        await self._awake.wait()
        if self._unaware:
            self._unaware = False
            item: str | bytes = self.channel.head
        else:
            item = self._waiting.pop(next(iter(self._waiting)))
        if not self._waiting:
            self._awake.clear()
        return item


class Channel:
    """One road map, and who watches it; used in the loop only.

    newest
        The last frame of each kind.
    """

    def __init__(self, now: Now) -> None:
        self.now = now
        self.watchers: set[Watcher] = set()
        self.newest: dict[int, bytes] = {}
        self._number = 0
        self._told = now.signals.groups
        self.head = head_text(now.layer, now.anchor, self._told).decode()

    def tick(self, at: int) -> None:
        """Tell what is new, if anything is."""
        frames: dict[int, bytes] = {}
        with self.now.lock:
            gone = self.now.vehicles.forget(at)
            if self.now.took(Positions) or gone or VEHICLES not in self.newest:
                self._number += 1
                frames[VEHICLES] = self.now.vehicles.at(at).frame(self._number, at)
            silent = self.now.signals.forget(at)
            if self.now.took(SignalStates) or silent or SIGNALS not in self.newest:
                groups = self.now.signals.groups
                self._number += 1
                frames[SIGNALS] = signal_frame(
                    self._number, at, *self.now.signals.columns(groups, at)
                )
                if groups != self._told:
                    self._told = groups
                    self.head = head_text(self.now.layer, self.now.anchor, groups).decode()
                    for watcher in self.watchers:
                        watcher.renew()
        self.newest |= frames
        for watcher in self.watchers:
            for kind, frame in frames.items():
                watcher.put(kind, frame)


class TrafficHub:
    """The road maps of a city that somebody looks at, and what wakes them."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._now: dict[str, Now] = {}
        self._asked: dict[str, float] = {}
        self._channels: dict[str, Channel] = {}
        self._making = threading.Lock()
        self._read = {Positions: 0, SignalStates: 0}
        self._awake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = threading.Event()

    def heard(self, layer: str, what: Moving) -> None:
        """Something was recorded; called in any thread, after it is on disk."""
        now = self._now.get(layer)
        if now is not None and now.hear(what, _clock()) and layer in self._channels:
            self._wake()

    def now(self, layer: str, anchor: Anchor) -> Now:
        """What is known of a road map now; begins to listen to it. Asks the store the first time."""
        with self._making:
            if layer not in self._now:
                self._now[layer] = self._loaded(layer, anchor)
            self._asked[layer] = time.monotonic()
            return self._now[layer]

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(self._tell(self._loop), self._look())

    @contextlib.asynccontextmanager
    async def watching(self, layer: str, anchor: Anchor) -> AsyncIterator[Watcher]:
        """Watch a road map; whoever may, sees the same of it."""
        now = await asyncio.to_thread(self.now, layer, anchor)
        if layer not in self._channels:
            self._channels[layer] = Channel(now)
            self._channels[layer].tick(_clock())
        channel = self._channels[layer]
        watcher = Watcher(channel)
        channel.watchers.add(watcher)
        try:
            yield watcher
        finally:
            channel.watchers.discard(watcher)
            if not channel.watchers and self._channels.get(layer) is channel:
                del self._channels[layer]

    async def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        while True:
            begun = loop.time()
            for channel in list(self._channels.values()):
                channel.tick(_clock())
            await asyncio.sleep(max(0.0, begun + _TICK_SECONDS - loop.time()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._awake.wait()
            self._awake.clear()
            self._told.clear()

    async def _look(self) -> None:
        """Look for what other processes wrote."""
        while True:
            try:
                await asyncio.to_thread(self._take_others)
            except Exception:
                _log.exception("what moves on the roads could not be read; trying again")
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(_LOOK_SECONDS)

    def _take_others(self) -> None:
        with self._making:
            for layer, asked in self._asked.items():
                if layer not in self._channels and asked < time.monotonic() - _KEPT_SECONDS:
                    self._now.pop(layer, None)
            if self._now:
                for layer, (_, roads) in self._city.road_maps().items():
                    if layer in self._now:
                        self._now[layer].signals.nodes = roads.intersection_by_id.keys()
                if self._city.traffic.exists:
                    self._catch_up()

    def _catch_up(self) -> None:
        """What was written since the last time; what this process wrote itself tells nothing new."""
        for kind in self._read:
            for batch in self._city.traffic.batches.all_after(self._read[kind], kind):
                self._read[kind] = batch.id
                self.heard(batch.layer, batch.what)

    def _loaded(self, layer: str, anchor: Anchor) -> Now:
        now, traffic = Now(layer, anchor), self._city.traffic
        known = self._city.road_maps().get(layer)
        now.signals.nodes = known[1].intersection_by_id.keys() if known else frozenset()
        if not traffic.exists:
            return now
        if not self._now:  # nobody listened until now
            self._read = dict.fromkeys(self._read, traffic.batches.last())
        at = _clock()
        for kind, seconds in ((Positions, GONE_SECONDS), (SignalStates, SILENT_SECONDS)):
            start, end = at - round(1000 * seconds), at + round(1000 * LATE_SECONDS)
            now.hear(traffic.batches.window(layer, kind, start, end), at)
        return now

    def _wake(self) -> None:
        loop = self._loop
        if loop is not None and not self._told.is_set():
            self._told.set()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is going down
                loop.call_soon_threadsafe(self._awake.set)


def sees(sight: Sight, layer: str) -> bool:
    """Whether somebody hears of the traffic of a layer: who does not see all of it does not."""
    part = sight.of(layer)
    return part is not None and part.whole


def _clock() -> int:
    return time.time_ns() // 1_000_000
