"""The one door by which observations come into a city, whoever sends them and however."""

import contextlib
import json
import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cim_core.alarms.alarm import AlarmChange
from cim_core.city import City
from cim_core.errors import TooMany
from cim_core.feature import Value
from cim_core.observations import Observations, observations
from cim_core.store.live_dead import DeadLetter, Reason
from cim_core.store.tail import Tail
from server.city_place import city_box
from server.group_commit import RETRY_SECONDS, GroupCommit
from server.settings import Settings
from server.sifting import Asked, Bounds, Box, KnownStreams, Letter, Sifted, sift

_PLACE_SECONDS = 10.0
"""For how long what is known of where the city is is believed."""

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


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of what somebody sent, once it is on disk.

    letters
        The rows that were not believed, with the reason; they are dead letters now.
    """

    accepted: int
    duplicates: int
    letters: tuple[Letter, ...] = ()

    @property
    def dead(self) -> Mapping[Reason, int]:
        """How many rows were not believed, by reason."""
        return Counter(letter.reason for letter in self.letters)


class Recorder(GroupCommit[Asked, Recorded]):
    """Checks observations, keeps what is new, and looks after the alarms.

    What cannot be believed is kept as a dead letter with the reason, and counts as answered for.

    listeners
        Told what is new.
    spent
        CPU seconds by stage: checks, duplicates, alarms, commit, publish.
    """

    file = "live.db"
    tick = 1.0

    def __init__(self, city: City, settings: Settings, alarms: Callable[[], Alarms]) -> None:
        super().__init__(settings)
        self._city = city
        self._settings = settings
        self._make_alarms = alarms
        self._alarms: Alarms | None = None
        self._known = KnownStreams(city.live.streams())
        self._place: tuple[float, KnownStreams, Box | None] | None = None
        self.listeners: list[Listener] = []

    def _size(self, asked: Asked) -> int:
        return len(asked.given)

    def _full(self) -> TooMany:
        return TooMany(
            "more observations arrive than can be written; go on in a second, with fewer at a time",
            RETRY_SECONDS,
        )

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

    def _ticked(self) -> None:
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


def _recorded(sifted: Sifted, number: int, letters: list[Letter]) -> Recorded:
    begin, end = int(sifted.begins[number]), int(sifted.begins[number + 1])
    duplicates = int(sifted.duplicates[begin:end].sum())
    return Recorded(end - begin - duplicates - len(letters), duplicates, tuple(letters))


def _body(given: Value) -> Value:
    """What was sent as it is kept: not without end, and with whole letters only."""
    text = _written_down(json.dumps(given, ensure_ascii=False))
    kept: Value = json.loads(text) if len(text) <= _LETTER_LENGTH else text[:_LETTER_LENGTH]
    return kept


def _written_down(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _now() -> int:
    return time.time_ns() // 1_000_000
