"""The one door by which observations come into a city, whoever sends them and however.

One thread writes. While it writes, what arrives waits, and goes into the next transaction together:
so a disk that takes 10 ms to say that it has something holds up nobody who comes after.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import logging
import sqlite3
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cim_core.alarms.alarm import AlarmChange
from cim_core.city import City
from cim_core.errors import StorageFailed, TooMany
from cim_core.feature import Value
from cim_core.observations import Observations, observations
from cim_core.store.live_dead import DeadLetter
from cim_core.store.tail import Tail
from server.city_place import city_box
from server.settings import Settings
from server.sifting import Asked, Bounds, Box, KnownStreams, Letter, Sifted, sift
from server.waiting import Recorded, Waiting, answer

_ROWS_TOGETHER = 20_000
"""What goes into one transaction, unless a single request is more."""

_TICK_SECONDS = 1.0
_PLACE_SECONDS = 10.0
"""For how long what is known of where the city is is believed."""

_RETRY_SECONDS = 1.0
_LETTER_LENGTH = 4_000
"""What is kept of what somebody sent and was not believed, letters."""

_log = logging.getLogger(__name__)

Listener = Callable[[Observations, Sequence[AlarmChange]], None]
"""Told what is new and what follows from it, in the recorder's thread, after it is on disk."""


class Alarms(Protocol):
    """What holds observations against rules."""

    def observe(
        self, connection: sqlite3.Connection, what: Observations, now: int
    ) -> list[AlarmChange]:
        """What follows from new observations, in order of time."""

    def tick(self, connection: sqlite3.Connection, now: int) -> list[AlarmChange]:
        """What follows from time alone."""


class Recorder:
    """Checks observations, keeps what is new, and answers when that is on disk.

    What cannot be believed is kept as a dead letter with the reason, and counts as answered for.

    listeners
        Told what is new.
    spent
        CPU seconds by stage: checks, duplicates, alarms, commit, publish.
    """

    def __init__(self, city: City, settings: Settings, alarms: Callable[[], Alarms]) -> None:
        self._city = city
        self._settings = settings
        self._make_alarms = alarms
        self._alarms: Alarms | None = None
        self._known = KnownStreams(city.live.streams())
        self._place: tuple[float, KnownStreams, Box | None] | None = None
        self._queue: deque[Waiting[Asked, Recorded]] = deque()
        self._rows = self._bytes = 0
        self._ready = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.listeners: list[Listener] = []
        self.spent: dict[str, float] = defaultdict(float)

    def start(self) -> None:
        """Begin to write what arrives, and to look after the alarms."""
        if self._thread is not None:
            return
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, and end."""
        with self._ready:
            self._stopping = True
            self._ready.notify()
        if self._thread is not None:
            self._thread.join()

    @contextlib.contextmanager
    def room(self, size: int) -> Iterator[None]:
        """Keep room for so many bytes from before they are read until they are answered.

        Raises `TooMany` where there is none.
        """
        with self._ready:
            if self._bytes and self._bytes + size > self._settings.record_queue_bytes:
                raise _full()
            self._bytes += size
        try:
            yield
        finally:
            with self._ready:
                self._bytes -= size

    async def record(self, asked: Asked) -> Recorded:
        """Keep what somebody gave; answers when it is on disk.

        Raises `TooMany` where too much waits already, `StorageFailed` where the disk does not take it:
        then nothing of it is kept.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Recorded] = loop.create_future()
        self._put(Waiting(asked, future, loop))
        return await future

    def submit(self, asked: Asked) -> "concurrent.futures.Future[Recorded]":
        """The same from any thread."""
        future: concurrent.futures.Future[Recorded] = concurrent.futures.Future()
        self._put(Waiting(asked, future, None))
        return future

    def _put(self, waiting: Waiting[Asked, Recorded]) -> None:
        rows = len(waiting.asked.given)
        with self._ready:
            full = self._rows and self._rows + rows > self._settings.record_queue_rows
            if full or self._stopping:
                raise _full()
            self.start()
            self._rows += rows
            self._queue.append(waiting)
            if len(self._queue) == 1:
                self._ready.notify()

    def _run(self) -> None:
        due = 0.0
        while True:
            with self._ready:
                if not self._queue and not self._stopping:
                    self._ready.wait(max(0.0, due - time.monotonic()))
                if not self._queue and self._stopping:
                    return
                together = self._taken()
            if together:
                self._commit(together)
            if time.monotonic() >= due:
                due = time.monotonic() + _TICK_SECONDS
                self._tick()

    def _taken(self) -> list[Waiting[Asked, Recorded]]:
        """The first who wait, as many as go into one transaction."""
        together: list[Waiting[Asked, Recorded]] = []
        rows = 0
        while self._queue:
            more = len(self._queue[0].asked.given)
            if together and rows + more > _ROWS_TOGETHER:
                break
            rows += more
            together.append(self._queue.popleft())
        self._rows -= rows
        return together

    def _commit(self, together: list[Waiting[Asked, Recorded]]) -> None:
        """Write what several gave; where that fails for a reason of their own, one by one."""
        try:
            answers: Sequence[Recorded | Exception] = self._written([one.asked for one in together])
        except Exception as error:  # noqa: BLE001 – whatever it is, who waits is told
            failed = _failure(error)
            if len(together) > 1 and not isinstance(failed, StorageFailed):
                for one in together:
                    self._commit([one])
                return
            if not isinstance(failed, StorageFailed):
                _log.error("observations could not be recorded", exc_info=error)
            answers = [failed] * len(together)
        answer(together, answers)

    def _written(self, asked: list[Asked]) -> list[Recorded]:
        now = _now()
        begun = time.thread_time()
        alarms = self._engine()  # made outside of the transaction, since it reads what is kept
        with self._writing() as connection:
            tail = self._city.live.tail()
            known = self._streams()
            bounds = self._bounds(known)
            there = partial(self._there, tail, now - bounds.late)
            sifted = sift(asked, known, bounds, now, there)
            letters = [list(sifted.letters(number)) for number in range(len(asked))]
            begun = self._spent("checks", begun)
            self._keep_letters(connection, asked, letters, now)
            new, changes = sifted.accepted, []
            if len(new):
                # Before the batch is there, since whoever asks for the tail in here would find it.
                newer = new.times > tail.newest_times(new.streams)
                if alarms is not None:
                    changes = self._observed(alarms, connection, new.take(newer).in_order(), now)
                begun = self._spent("alarms", begun)
                batch = self._city.live.batches.append(connection, new, now)
        if len(new):
            tail.add(batch, new)
        begun = self._spent("commit", begun)
        self._tell(new, changes)
        self._spent("publish", begun)
        return [_recorded(sifted, number, some) for number, some in enumerate(letters)]

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that leaves nothing behind where it fails, a commit included."""
        connection: sqlite3.Connection | None = None
        try:
            with self._city.live.transaction() as connection:
                yield connection
        except BaseException:
            if connection is not None and connection.in_transaction:
                connection.rollback()
            self._alarms = None  # what it believes to be written is not
            raise

    def _there(self, tail: Tail, earliest: int, what: Observations) -> NDArray[np.bool_]:
        """Which observations, (n,), are kept already: hot ones first, then history.

        History is not asked for what is too late anyhow: a device with a wrong clock would have
        years of it read for each transaction. It is for all that is no later than its last: a
        back-fill that broke off may have told it more than what is known of the newest.
        """
        begun = time.thread_time()
        found = tail.contains(what.keys)
        history = self._city.history
        lake = history.snapshot()
        last = int(lake.last.max(initial=-1))
        older = ~found & (what.times <= np.maximum(tail.newest_times(what.streams), last))
        older &= what.times >= earliest
        if older.any():
            found[older] = history.contains_in(lake, what.keys[older])
        self.spent["checks"] -= time.thread_time() - begun
        self._spent("duplicates", begun)
        return found

    def _observed(
        self, alarms: Alarms, connection: sqlite3.Connection, new: Observations, now: int
    ) -> list[AlarmChange]:
        """What follows from new observations; they are kept also where a rule cannot be applied."""
        connection.execute("SAVEPOINT alarms")
        try:
            changes = alarms.observe(connection, new, now)
        except sqlite3.OperationalError:
            raise
        except Exception:  # noqa: BLE001 – a rule that breaks keeps no observation out
            _log.exception("the alarms could not be told what was observed")
            connection.execute("ROLLBACK TO alarms")
            self._alarms = None
            changes = []
        connection.execute("RELEASE alarms")
        return changes

    def _tick(self) -> None:
        alarms = self._engine() if self._city.live.exists else None
        if alarms is None:
            return
        try:
            with self._writing() as connection:
                changes = alarms.tick(connection, _now())
        except Exception:  # noqa: BLE001 – a second later it is tried again
            _log.exception("the alarms could not be looked after")
            return
        if changes:
            self._tell(observations([], [], []), changes)

    def _engine(self) -> Alarms | None:
        """What watches; None while it cannot be made: observations are kept all the same."""
        if self._alarms is None:
            try:
                self._alarms = self._make_alarms()
            except Exception:  # noqa: BLE001 – the next transaction tries again
                _log.exception("the alarms cannot be watched")
        return self._alarms

    def _tell(self, new: Observations, changes: list[AlarmChange]) -> None:
        if len(new) or changes:
            for listener in self.listeners:
                try:
                    listener(new, changes)
                except Exception:  # noqa: BLE001 – the others are told all the same
                    _log.exception("somebody could not be told what was observed")

    def _streams(self) -> KnownStreams:
        streams = self._city.live.streams()
        if streams is not self._known.streams:
            self._known = KnownStreams(streams)
        return self._known

    def _bounds(self, known: KnownStreams) -> Bounds:
        place = self._place
        if place is None or place[0] < time.monotonic() or place[1] is not known:
            until = time.monotonic() + _PLACE_SECONDS
            box = city_box(self._city, known, self._settings.observed_margin_km)
            place = self._place = until, known, box
        late = int(3_600_000 * self._settings.observed_late_hours)
        return Bounds(late, int(60_000 * self._settings.observed_ahead_minutes), place[2])

    def _keep_letters(
        self, connection: sqlite3.Connection, asked: list[Asked], letters: list[list[Letter]], now: int
    ) -> None:  # fmt: skip
        kept = [
            DeadLetter(
                now,
                one.source.name,
                letter.reason,
                _written_down(letter.detail),
                _body(letter.body),
                layer=letter.layer,
            )
            for one, some in zip(asked, letters, strict=True)
            for letter in some
        ]
        if kept:
            self._city.live.dead.add(connection, kept, self._settings.dead_letters_kept)

    def _spent(self, stage: str, begun: float) -> float:
        now = time.thread_time()
        self.spent[stage] += now - begun
        return now


def _recorded(sifted: Sifted, number: int, letters: list[Letter]) -> Recorded:
    begin, end = int(sifted.begins[number]), int(sifted.begins[number + 1])
    duplicates = int(sifted.duplicates[begin:end].sum())
    return Recorded(end - begin - duplicates - len(letters), duplicates, tuple(letters))


def _failure(error: Exception) -> Exception:
    """What those are told whose observations could not be written."""
    if isinstance(error, sqlite3.OperationalError | sqlite3.DatabaseError | OSError):
        return StorageFailed(
            f"what was sent could not be written ({error}), and nothing of it is kept; free space or "
            "correct the permissions of live.db, and send it again"
        )
    return error


def _full() -> TooMany:
    return TooMany(
        "more observations arrive than can be written; go on in a second, with fewer at a time",
        _RETRY_SECONDS,
    )


def _body(given: Value) -> Value:
    """What was sent as it is kept: not without end, and with whole letters only."""
    text = _written_down(json.dumps(given, ensure_ascii=False))
    kept: Value = json.loads(text) if len(text) <= _LETTER_LENGTH else text[:_LETTER_LENGTH]
    return kept


def _written_down(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _now() -> int:
    return time.time_ns() // 1_000_000
