"""The one door by which traffic comes into a city, whoever sends it and however.

One thread writes. What comes within a tenth of a second goes into one transaction, and is answered
when that is on disk: a thousand vehicles that tell their place ten times a second are ten commits.
"""

import asyncio
import concurrent.futures
import contextlib
import logging
import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cim_core.city import City
from cim_core.errors import CimError, StorageFailed, TooMany
from cim_core.store.traffic_batches import kind_of
from cim_core.store.traffic_refused import Refused
from cim_core.traffic.moving import Moving, joined, take
from pipelines.v2x_heard import Names, Notice
from server.city_place import city_box
from server.settings import Settings
from server.sifting import Bounds, KnownStreams
from server.traffic.given import GivenTraffic, Refusal
from server.traffic.seen import Seen, Stored
from server.traffic.sifting import believed, believed_notices
from server.waiting import Waiting, answer

_ROWS_TOGETHER = 20_000
_TICK_SECONDS = 0.1
_RETRY_SECONDS = 1.0
_PLACE_SECONDS = 10.0
"""For how long what is known of where the city is is believed."""
_NAMES_SECONDS = 2.0
"""For how long a road map is taken to be the served one."""

_NOTICE = 60_000
"""Milliseconds for which a notice that is not repeated holds."""

_log = logging.getLogger(__name__)

Listener = Callable[[str, Moving], None]
"""Told a layer and what is new of it, one kind at a time, in the recorder's thread, after the commit."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of what one sender gave, once it is on disk; counts are rows."""

    messages: int
    accepted: int
    duplicates: int
    refused: tuple[Refusal, ...] = ()


class TrafficRecorder:
    """Checks what moves on the roads, keeps what is new, and answers when that is on disk.

    spent
        CPU seconds by stage: checks, commit, publish.
    """

    def __init__(self, city: City, settings: Settings) -> None:
        self._city = city
        self._settings = settings
        self._queue: deque[Waiting[GivenTraffic, Taken]] = deque()
        self._rows = self._bytes = 0
        self._ready = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._listeners: list[Listener] = []
        self._seen: dict[tuple[str, type[Moving]], Seen] = {}
        self._names: dict[str, tuple[float, int, Names]] = {}
        self._notices: dict[str, dict[str, Notice]] = {}
        self._place: tuple[float, Bounds] | None = None
        self.spent: dict[str, float] = defaultdict(float)

    def listen(self, listener: Listener) -> None:
        """Have somebody told what is new."""
        self._listeners.append(listener)

    def names(self, layer: str) -> Names | None:
        """What messages call the intersections of a layer; None where there is no such layer."""
        known = self._names.get(layer)
        if known is not None and known[0] > time.monotonic():
            return known[2]
        version = next((one for one in self._city.layers.current() if one.layer == layer), None)
        if version is None:
            return None
        if known is None or known[1] != version.version:
            names = Names(self._city.roads(version))
        else:
            names = known[2]
        self._names[layer] = time.monotonic() + _NAMES_SECONDS, version.version, names
        return names

    def notices(self, layer: str) -> list[Notice]:
        """What roadside units of a layer warn of now: what holds, and was heard of within a minute."""
        now = _now()
        return [
            one
            for one in self._notices.get(layer, {}).values()
            if one.heard > now - _NOTICE and (one.end is None or one.end > now)
        ]

    def start(self) -> None:
        """Begin to write what arrives."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join()

    @contextlib.contextmanager
    def room(self, size: int = 0) -> Iterator[Callable[[int], None]]:
        """Keep room for so many bytes from before they are read until they are answered.

        What is given keeps room for more. Both raise `TooMany` where there is none.
        """
        held = 0

        def more(size: int) -> None:
            nonlocal held
            with self._ready:
                others = self._bytes > held
                if others and self._bytes + size > self._settings.record_queue_bytes:
                    raise _full()
                self._bytes += size
                held += size

        try:
            more(size)
            yield more
        finally:
            with self._ready:
                self._bytes -= held

    async def record(self, given: GivenTraffic) -> Taken:
        """Keep what somebody gave; answers when it is on disk.

        Raises `TooMany` where too much waits already, `StorageFailed` where the disk does not take it:
        then nothing of it is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Taken] = loop.create_future()
        self._put(Waiting(given, future, loop))
        return await future

    def submit(self, given: GivenTraffic) -> "concurrent.futures.Future[Taken]":
        """The same from any thread."""
        future: concurrent.futures.Future[Taken] = concurrent.futures.Future()
        self._put(Waiting(given, future, None))
        return future

    def _put(self, waiting: Waiting[GivenTraffic, Taken]) -> None:
        rows = self._counted(waiting)
        with self._ready:
            full = self._rows and self._rows + rows > self._settings.record_queue_rows
            if full or self._stopping:
                raise _full()
            self.start()
            self._rows += rows
            self._queue.append(waiting)
            self._ready.notify()

    def _run(self) -> None:
        due = 0.0
        while True:
            with self._ready:
                while not self._queue and not self._stopping:
                    self._ready.wait()
                while self._rows < _ROWS_TOGETHER and not self._stopping:
                    left = due - time.monotonic()
                    if left <= 0:
                        break
                    self._ready.wait(left)
                if not self._queue:
                    return
                together = self._taken()
            due = time.monotonic() + _TICK_SECONDS
            self._commit(together)

    def _taken(self) -> list[Waiting[GivenTraffic, Taken]]:
        """The first who wait, as many as go into one transaction."""
        together: list[Waiting[GivenTraffic, Taken]] = []
        rows = 0
        while self._queue and (not together or rows + len(self._queue[0].asked) <= _ROWS_TOGETHER):
            together.append(self._queue.popleft())
            rows += len(together[-1].asked)
        self._rows -= sum(map(self._counted, together))
        return together

    def _counted(self, waiting: Waiting[GivenTraffic, Taken]) -> int:
        """For how many rows something counts that waits.

        A log may have more than may wait at all. It counts for half of them, or it would come in only
        where nothing waits, which under load is never; its bytes are bounded by `room`.
        """
        return min(len(waiting.asked), -(-self._settings.record_queue_rows // 2))

    def _commit(self, together: list[Waiting[GivenTraffic, Taken]]) -> None:
        """Write what several gave; where that fails for a reason of their own, one by one."""
        try:
            answers: Sequence[Taken | Exception] = self._written([one.asked for one in together])
        except Exception as error:  # noqa: BLE001 – whatever it is, who waits is told
            failed = _failure(error)
            if len(together) > 1 and not isinstance(failed, StorageFailed):
                for one in together:
                    self._commit([one])
                return
            if not isinstance(failed, CimError):
                _log.error("traffic could not be recorded", exc_info=error)
            answers = [failed] * len(together)
        answer(together, answers)

    def _written(self, asked: list[GivenTraffic]) -> list[Taken]:
        begun = time.thread_time()
        now = _now()
        bounds = self._bounds(now)
        accepted, duplicates = [0] * len(asked), [0] * len(asked)
        refused = [list(one.refused) for one in asked]
        new: list[tuple[str, Moving]] = []
        for (layer, kind), numbers in _by_kind(asked).items():
            some = []
            for number in numbers:
                part = next(p for p in asked[number].parts if type(p) is kind)
                kept, letters = believed(part, bounds, now)
                refused[number] += letters
                some.append(kept)
            what = joined(some, kind)
            if not len(what):
                continue
            fresh = self._known(layer, kind, now).fresh(what, self._stored(layer))
            ends = np.cumsum([len(one) for one in some])
            for number, begin, end in zip(numbers, [0, *ends[:-1]], ends, strict=True):
                count = int(fresh[begin:end].sum())
                accepted[number] += count
                duplicates[number] += int(end - begin) - count
            if fresh.any():
                new.append((layer, take(what, fresh)))
        notices = []
        for number, one in enumerate(asked):
            told, letters = believed_notices(one.notices, bounds)
            refused[number] += letters
            if told and one.layer is not None:
                notices.append((one.layer, told))
        begun = self._spent("checks", begun)
        self._write(asked, new, refused, now)
        begun = self._spent("commit", begun)
        for layer, rows in new:
            self._known(layer, type(rows), now).add(rows, now)
            self._tell(layer, rows)
        for layer, told in notices:
            self._warn(layer, told, now)
        self._spent("publish", begun)
        return [
            Taken(one.messages, accepted[number], duplicates[number], tuple(refused[number]))
            for number, one in enumerate(asked)
        ]

    def _write(
        self, asked: list[GivenTraffic], new: list[tuple[str, Moving]],
        refused: list[list[Refusal]], now: int,
    ) -> None:  # fmt: skip
        letters = [
            Refused(now, one.layer, one.source, letter.reason, letter.detail, letter.body)
            for one, some in zip(asked, refused, strict=True)
            for letter in some
        ]
        if not new and not letters:
            return
        traffic = self._city.traffic
        with traffic.transaction() as connection:
            for layer, what in new:
                traffic.batches.append(connection, layer, what, now)
            if letters:
                traffic.refused.add(connection, letters, self._settings.dead_letters_kept)

    def _warn(self, layer: str, told: Sequence[Notice], now: int) -> None:
        """Have notices hold; what was not repeated for long is forgotten with it."""
        known = self._notices.get(layer, {}).values()
        kept = {one.id: one for one in known if one.heard > now - _NOTICE}
        self._notices[layer] = kept | {one.id: one for one in told}

    def _known(self, layer: str, kind: type[Moving], now: int) -> Seen:
        if (layer, kind) not in self._seen:
            self._seen[layer, kind] = Seen(now)
        return self._seen[layer, kind]

    def _stored(self, layer: str) -> Stored:
        return lambda what: self._city.traffic.history.alike(layer, what)

    def _bounds(self, now: int) -> Bounds:
        if self._place is None or self._place[0] < time.monotonic():
            known = KnownStreams(self._city.live.streams())
            bounds = Bounds(
                int(3_600_000 * self._settings.observed_late_hours),
                int(60_000 * self._settings.observed_ahead_minutes),
                city_box(self._city, known, self._settings.observed_margin_km),
            )
            self._place = time.monotonic() + _PLACE_SECONDS, bounds
        return self._place[1]

    def _tell(self, layer: str, what: Moving) -> None:
        for listener in self._listeners:
            try:
                listener(layer, what)
            except Exception:  # noqa: BLE001 – the others are told all the same
                _log.exception("somebody could not be told what moved")

    def _spent(self, stage: str, begun: float) -> float:
        now = time.thread_time()
        self.spent[stage] += now - begun
        return now


def _by_kind(asked: list[GivenTraffic]) -> dict[tuple[str, type[Moving]], list[int]]:
    """Who gave something, by the layer it is of and what it is."""
    found: dict[tuple[str, type[Moving]], list[int]] = defaultdict(list)
    for number, one in enumerate(asked):
        for part in one.parts:
            assert one.layer is not None
            found[one.layer, type(part)].append(number)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], kind_of(item[0][1]))))


def _failure(error: Exception) -> Exception:
    """What those are told whose messages could not be written."""
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError | OSError):
        return StorageFailed(
            f"what was sent could not be written ({error}), and nothing of it is kept; free space or "
            "correct the permissions of traffic.db, and send it again"
        )
    return error


def _full() -> TooMany:
    return TooMany(
        "more traffic arrives than can be written; go on in a second, with fewer at a time",
        _RETRY_SECONDS,
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
