"""What things observe, to everyone who watches: one encoding for all who see the same.

Who watches a layer shares a channel with all who see as much of the city. At most five times a second a
channel looks at the newest observations, encodes what changed, once, and puts it into a queue of two
for each of its watchers. Who does not keep up loses frames, and is then given the whole state anew:
the latest always wins.
"""

import asyncio
import contextlib
import logging
import struct
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from analysis.availability import Patience, newest_times, patience
from cim_core.city import City
from cim_core.mesh import Floats
from cim_core.observations import Observations, Streams, Times
from cim_core.sight import Sight
from server.hub import Event

MAGIC = 0x314D4943
"""CIM1."""
FULL, CHANGES = 0, 1
COLUMNS = ("value", "age", "state")
HEAD = struct.Struct("<IIIId")
"""Magic number, kind, number of the frame, rows, and the time that ages are counted from."""

_TICK_SECONDS = 0.2
_LOOK_SECONDS = 0.5
"""So often it looks for what other processes wrote, and for what fell silent."""
_RETRY_SECONDS = 5.0
_DEPTH = 2

_log = logging.getLogger(__name__)

Item = str | bytes
"""A text message, which datastreams there are, or a frame."""


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """The newest of each datastream of a channel.

    times, values, states
        (n,) each: milliseconds since 1970, -1 for never; NaN where there is no number; the state's
        number and ten times the level of an alarm.
    """

    times: NDArray[np.int64]
    values: Floats
    states: NDArray[np.int64]

    def differing(self, other: "Snapshot") -> NDArray[np.int64]:
        """The rows, (k,), in which they differ."""
        same = (self.values == other.values) | (np.isnan(self.values) & np.isnan(other.values))
        same &= (self.times == other.times) & (self.states == other.states)
        return np.flatnonzero(~same)

    def frame(self, kind: int, number: int, rows: NDArray[np.int64], base: int) -> bytes:
        """Some rows as a frame; see docs/reference/observations-api.md."""
        times = self.times[rows]
        age = np.where(times < 0, np.nan, (base - times) / 1000.0)
        return b"".join(
            (
                HEAD.pack(MAGIC, kind, number, len(rows), float(base)),
                rows.astype("<u4").tobytes(),
                *(column.astype("<f4").tobytes() for column in (self.values[rows], age, self.states[rows])),
            )
        )  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Watched:
    """The datastreams of one layer as some see it, and how long each may say nothing.

    origin
        Those of all layers that they were chosen from.
    """

    origin: Streams
    streams: Streams
    patience: Patience

    @property
    def listed(self) -> list[tuple[int, int]]:
        """Each datastream with its thing, in the order of the frames' indices."""
        return [(one, self.streams.by_id[one].thing) for one in self.streams.ids.tolist()]


def watched(origin: Streams, layer: str) -> Watched:
    """The datastreams whose things belong to a layer."""
    streams = Streams([one for one in origin.by_id.values() if one.layer == layer])
    return Watched(origin, streams, patience(streams))


@dataclass(frozen=True, eq=False, slots=True)
class Look:
    """What is known of all datastreams at a moment, milliseconds since 1970.

    latest
        The newest observations of those of the datastreams given, (n,), that have any, in order.
    levels
        Of the alarms that are on, by datastream.
    """

    now: int
    latest: Callable[[NDArray[np.int64]], Observations]
    levels: Mapping[int, int]

    def at(self, some: Watched) -> Snapshot:
        """What is known of some."""
        ids = some.streams.ids
        found = self.latest(ids)
        times: Times = newest_times(ids, found.streams, found.times)
        values = np.full(len(ids), np.nan)
        values[times >= 0] = found.values
        states = some.patience.states(times, self.now).astype(np.int64)
        if self.levels:
            alarmed = np.fromiter(self.levels, np.int64, len(self.levels))
            rows = some.streams.rows(alarmed)
            raised = 10 * np.fromiter(self.levels.values(), np.int64, len(self.levels))
            states[rows[rows >= 0]] += raised[rows >= 0]
        return Snapshot(times, values, states)


class Watcher:
    """One who watches a channel: at most two frames wait for them."""

    def __init__(self, channel: "Channel") -> None:
        self.channel = channel
        self._frames: deque[bytes] = deque()
        self._awake = asyncio.Event()
        self._lost = self._unaware = True
        self._awake.set()

    def put(self, frame: bytes) -> None:
        """A frame for them; a third one means that they do not keep up."""
        if self._lost:
            self._awake.set()
            return
        if len(self._frames) == _DEPTH:
            self._frames.clear()
            self._lost = True
        else:
            self._frames.append(frame)
        self._awake.set()

    def renew(self) -> None:
        """The datastreams are others now: they are told, and get all of it anew."""
        self._frames.clear()
        self._lost = self._unaware = True
        self._awake.set()

    async def next(self) -> Item:
        """What they are to be told next."""
        await self._awake.wait()
        if self._unaware:
            self._unaware = False
            return self.channel.head
        if self._lost:
            self._lost = False
            self._frames.clear()
            item = self.channel.full
        else:
            item = self._frames.popleft()
        if not self._frames:
            self._awake.clear()
        return item


class Channel:
    """The datastreams of one layer as some see it, and who watches them."""

    def __init__(self, layer: str, some: Watched, look: Look) -> None:
        self.layer = layer
        self.watchers: set[Watcher] = set()
        self._number = 0
        self._full: bytes | None = None
        self._watched = some
        self._use(some, look)

    @property
    def head(self) -> str:
        """Which datastreams there are, in the order of the frames' indices."""
        return self._head

    @property
    def full(self) -> bytes:
        """All there is, as it was at the last frame; encoded once."""
        if self._full is None:
            rows = np.arange(len(self._state.times))
            self._full = self._state.frame(FULL, self._number, rows, self._base)
        return self._full

    def look(self, origin: Streams, look: Look) -> Callable[[], None] | None:
        """Look for what changed; what is to be done about it in the loop, None for nothing.

        May be called in another thread, but never twice at a time.
        """
        if origin is not self._watched.origin:
            some = watched(origin, self.layer)
            if some.listed != self._watched.listed:
                return lambda: self._renew(some, look)
            self._watched = some
        state = look.at(self._watched)
        rows = state.differing(self._state)
        if not len(rows):
            return None
        frame = state.frame(CHANGES, self._number + 1, rows, look.now)
        return lambda: self._pass_on(state, frame, look.now)

    def _pass_on(self, state: Snapshot, frame: bytes, now: int) -> None:
        self._number += 1
        self._state, self._base, self._full = state, now, None
        for watcher in self.watchers:
            watcher.put(frame)

    def _renew(self, some: Watched, look: Look) -> None:
        self._number += 1
        self._use(some, look)
        for watcher in self.watchers:
            watcher.renew()

    def _use(self, some: Watched, look: Look) -> None:
        self._watched = some
        self._state, self._base = look.at(some), look.now
        self._full = None
        listed = [{"id": stream, "thing": thing} for stream, thing in some.listed]
        told = {"layer": self.layer, "datastreams": listed, "columns": COLUMNS}
        self._head = orjson.dumps(told).decode()


def _key(sight: Sight) -> str:
    """The same for those who see the same of a city."""
    if sight.parts is None:
        return ""
    return orjson.dumps(sorted((layer, part.key) for layer, part in sight.parts.items())).decode()


class LiveHub:
    """The channels of a city, and what wakes them.

    tell
        Told of every alarm that something happened to, by whichever process.
    """

    def __init__(self, city: City, tell: Callable[[Event], None]) -> None:
        self._city = city
        self._tell = tell
        self._channels: dict[tuple[str, str], tuple[Sight, Channel]] = {}
        self._awake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = threading.Event()
        self._news: int | None = None
        self._levels: dict[str, tuple[int, Mapping[int, int]]] = {}

    def heard(self, *_: object) -> None:
        """Something was recorded: look soon. Called in any thread, however often."""
        loop = self._loop
        if loop is not None and not self._told.is_set():
            self._told.set()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the server is going down
                loop.call_soon_threadsafe(self._awake.set)

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            begun = self._loop.time()
            try:
                for act in await asyncio.to_thread(self._look, list(self._channels.values())):
                    act()
            except Exception:
                _log.exception("what things observe could not be read; trying again")
                await asyncio.sleep(_RETRY_SECONDS)
            await asyncio.sleep(max(0.0, begun + _TICK_SECONDS - self._loop.time()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._awake.wait()
            self._awake.clear()
            self._told.clear()

    @contextlib.asynccontextmanager
    async def watching(self, layer: str, sight: Sight) -> AsyncIterator[Watcher]:
        """Watch a layer as somebody sees it."""
        key = (layer, _key(sight))  # of all they see: alarms of other layers colour members of this
        if key not in self._channels:
            made = await asyncio.to_thread(self._channel, layer, sight)
            self._channels.setdefault(key, (sight, made))
        channel = self._channels[key][1]
        watcher = Watcher(channel)
        channel.watchers.add(watcher)
        try:
            yield watcher
        finally:
            channel.watchers.discard(watcher)
            if not channel.watchers and self._channels.get(key, (sight, None))[1] is channel:
                del self._channels[key]

    def _channel(self, layer: str, sight: Sight) -> Channel:
        return Channel(layer, watched(self._streams(sight), layer), self._now(sight))

    def _look(self, channels: list[tuple[Sight, Channel]]) -> list[Callable[[], None]]:
        """What there is to do for the watchers of channels, and for those who hear of alarms."""
        if not self._city.live.exists:
            return []
        acts = [self._telling(alarm) for alarm in self._happened()]
        for gone in self._levels.keys() - {_key(sight) for sight, _ in channels}:
            self._levels.pop(gone, None)
        for sight, channel in channels:
            act = channel.look(self._streams(sight), self._now(sight))
            if act is not None:
                acts.append(act)
        return acts

    def _happened(self) -> list[int]:
        """The alarms that something has happened to since the last time; none at the first."""
        self._news, changed = self._city.live.alarms.news(self._news)
        return changed

    def _telling(self, alarm: int) -> Callable[[], None]:
        return lambda: self._tell(("alarm", {"id": alarm}))

    def _now(self, sight: Sight) -> Look:
        latest = self._city.live.tail().latest
        return Look(time.time_ns() // 1_000_000, latest, self._levels_of(sight))

    def _levels_of(self, sight: Sight) -> Mapping[int, int]:
        """Of the alarms that are on and that somebody sees, by datastream."""
        alarms = self._city.live.seen_by(sight).alarms
        revision = alarms.revision  # before what it stands for, which may be newer then
        known = self._levels.get(_key(sight))
        if known is None or known[0] != revision:
            known = self._levels[_key(sight)] = revision, alarms.levels().streams
        return known[1]

    def _streams(self, sight: Sight) -> Streams:
        return self._city.live.seen_by(sight).streams()
