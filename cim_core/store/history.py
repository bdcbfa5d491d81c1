"""What was observed, kept for years: a lake of Parquet files that one compactor fills from the tail."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cim_core.locks import locked
from cim_core.observations import LAST_TIME, Keys, Observations, StreamIds, Times, joined
from cim_core.progress import Progress
from cim_core.store.history_catalog import Catalog, Snapshot
from cim_core.store.live import Live
from cim_core.store.live_batches import Batch

if TYPE_CHECKING:  # DuckDB takes a moment to load, and most commands have no question for it
    from cim_core.store.history_lake import Writer
    from cim_core.store.history_questions import Questions

FOLDER = "history"

_MEMORY, _THREADS = 1 << 30, 2
"""What DuckDB may take where nobody says how much: bytes for reading, as many for writing, and
threads for reading."""

AT_LEAST = 50_000
"""So many rows are worth files of their own."""

_AT_MOST = 500_000
"""More than so many rows are moved in several commits, which bounds memory."""

_OPEN = 26 * 3_600_000
"""Milliseconds. The door takes nothing that is older than a day and a bit; what is may be back-filled
without stopping it."""

_CHUNK, _CHUNK_OPEN = 1_000_000, 100_000
"""Rows of a back-fill that are committed together, the latter while the door waits."""

_REMEMBERED = 3_600_000
"""Milliseconds for which a mark and a file are kept after nobody new needs them."""


class History:
    """The lake of a city. A city without `history/` has none, and making this touches nothing.

    Any number of processes may read. One at a time writes, under a lock.

    needed
        Says which commits are not to be forgotten; one for each that has tables of its own here.
    """

    def __init__(self, folder: Path, live: Live) -> None:
        self.folder = folder / FOLDER
        self._live = live
        self._lock_path = folder / ".locks" / "history.lock"
        self._catalog = Catalog(self.folder)
        self._opening = threading.Lock()
        self._memory, self._threads = _MEMORY, _THREADS
        self._reading: Questions | None = None
        self._writing: Writer | None = None
        self.needed: list[Callable[[], set[int]]] = []

    def bound(self, memory: int, threads: int) -> None:
        """Take no more than so many bytes and threads; said before the first question."""
        self._memory, self._threads = memory, threads

    @property
    def exists(self) -> bool:
        """Whether anything ever became history."""
        return self._catalog.exists

    def snapshot(self) -> Snapshot:
        """The lake as it is now: take the hot rows first, then this, then drop what it has marked."""
        return self._catalog.snapshot()

    def table(self, name: str) -> Snapshot:
        """The same of another table than that of observations."""
        return self._catalog.snapshot(name)

    @contextmanager
    def writer(self, progress: Progress | None = None) -> "Iterator[Writer]":
        """Write into the lake, alone."""
        with locked(self._lock_path, progress):
            yield self._writer()

    def moved(self) -> set[int]:
        """The batches that became history within the last hour, and those that are still to go."""
        return set(self.snapshot().moved.tolist())

    def contains(self, keys: Keys) -> NDArray[np.bool_]:
        """Which observations, (n,) by their keys, are history, (n,); whoever asks looked at the tail first.

        Where no file has observations of those times it takes microseconds.
        """
        return self.contains_in(self.snapshot(), keys)

    def contains_in(self, lake: Snapshot, keys: Keys) -> NDArray[np.bool_]:
        """The same at one moment."""
        streams, times = _parted(keys)
        if not len(keys) or not len(lake.between(int(times.min()), int(times.max()) + 1)):
            return np.zeros(len(keys), bool)
        return self.questions().known(lake, streams, times)

    def questions(self) -> "Questions":
        """What reads the rows; see `cim_core.store.observed` for who asks for hot ones as well."""
        with self._opening:
            if self._reading is None:
                from cim_core.store.history_questions import Questions

                self._reading = Questions(self.folder, self._memory, self._threads)
            return self._reading

    def add(self, what: Observations, progress: Progress | None = None) -> int:
        """Back-fill: keep observations that are neither here nor hot; how many were new.

        Of several with one datastream and time the first is kept. While rows of the last day are
        written the door waits, a fraction of a second at a time.
        """
        ask = progress or Progress()
        _, first = np.unique(what.keys, return_index=True)
        sorted_rows = what.take(np.sort(first)).in_order()
        opened = int(np.searchsorted(sorted_rows.times, _now() - _OPEN))
        new, total = 0, len(sorted_rows)
        with locked(self._lock_path, progress):
            begin = 0
            while begin < total:
                ask(begin, total, "history")
                end = min(begin + _CHUNK, opened) if begin < opened else begin + _CHUNK_OPEN
                chunk = sorted_rows.take(np.arange(begin, min(end, total)))
                new += self._fill(chunk, door_waits=begin >= opened)
                begin += len(chunk)
            ask(total, total, "history")
        return new

    def _fill(self, chunk: Observations, *, door_waits: bool) -> int:
        if not door_waits:
            fresh = self._fresh(chunk)
            with self._live.transaction() as connection:
                self._live.batches.became_history(connection, chunk)
            return fresh
        with self._live.transaction() as connection:
            fresh = self._fresh(chunk)
            self._live.batches.became_history(connection, chunk)
        return fresh

    def _fresh(self, chunk: Observations) -> int:
        """Write what of a chunk is not known yet; how many."""
        known = self._live.tail().contains(chunk.keys)
        known |= self.contains(chunk.keys)
        fresh = chunk.take(~known)
        if len(fresh):
            self._writer().insert(fresh)
        return len(fresh)

    def move(
        self, progress: Progress, at_least: int = AT_LEAST, arrived_before: int | None = None
    ) -> int:
        """Make the oldest batches history if they have at least so many rows; how many were moved.

        arrived_before
            Only batches that arrived before that moment, milliseconds since 1970.
        Rows and marks are one commit of the lake; only then are the batches deleted from the tail's
        file. What died between the two is deleted now.
        """
        count = self._live.batches.count(arrived_before)
        if count < max(at_least, 1):
            return 0
        return self._move(progress, count, arrived_before)

    def shrink(self, progress: Progress, rows: int) -> int:
        """Make the oldest batches history until no more than so many rows are hot; how many were moved."""
        count = self._live.batches.count() - rows
        return self._move(progress, count, None) if count > 0 else 0

    def _move(self, progress: Progress, wanted: int, arrived_before: int | None) -> int:
        moved = 0
        with locked(self._lock_path, progress):
            self._finish()
            while moved < wanted:
                progress(moved, wanted, "history")
                most = min(wanted - moved, _AT_MOST)
                batches = self._live.batches.oldest(most, arrived_before)
                if not batches:
                    break
                what = joined([batch.observations for batch in batches])
                fresh = what.take(~self.contains(what.keys))
                if len(fresh):
                    self._writer().insert(fresh, [batch.id for batch in batches])
                self._delete(batches)
                moved += len(what)
        return moved

    def _finish(self) -> None:
        """Delete what was moved by a compactor that died before it could."""
        marked = self.moved().intersection(self._live.batches.ids())
        if marked:
            known = self._live.batches.all_after(min(marked) - 1)
            self._delete([batch for batch in known if batch.id in marked])

    def _delete(self, batches: list[Batch]) -> None:
        with self._live.transaction() as connection:
            self._live.batches.delete(connection, batches)

    def forget(self) -> None:
        """Forget marks of an hour ago whose batches are gone, with the commits that have them."""
        self._tidy(merge=False)

    def maintain(self) -> None:
        """Make one sorted file of a day's, and delete files that nobody reads any more."""
        self._tidy(merge=True)

    def _tidy(self, *, merge: bool) -> None:
        if not self.exists:
            return
        with locked(self._lock_path):
            there = set(self._live.batches.ids())
            kept = {m.snapshot for m in self.snapshot().marks if not there.isdisjoint(m.batches)}
            kept |= set().union(*(needed() for needed in self.needed))
            old = self._catalog.commits(before=_now() - _REMEMBERED)
            expired = [number for number in old if number not in kept]
            if merge:
                self._writer().tidy(expired, _REMEMBERED // 1000)
            elif expired:
                self._writer().forget(expired)

    def status(self) -> dict[str, Any]:
        """How much history there is, and how much waits to become it."""
        lake = self.snapshot()
        return {
            "rows": int(lake.rows.sum()),
            "files": len(lake.files),
            "bytes": sum(path.stat().st_size for path in lake.files),
            "first": int(lake.first.min()) if len(lake.files) else None,
            "last": int(lake.last.max()) if len(lake.files) else None,
            "commits": lake.number + 1,
            "hot_rows": self._live.batches.count(),
        }

    def close(self) -> None:
        """Let go of all files."""
        with self._opening:
            for opened in (self._reading, self._catalog, self._writing):
                if opened is not None:
                    opened.close()
            self._reading = self._writing = None

    def _writer(self) -> "Writer":
        with self._opening:
            if self._writing is None:
                from cim_core.store.history_lake import Writer

                self._catalog.close()
                self._writing = Writer(self.folder, self._memory)
                self._catalog.read_through(self._writing.catalog())
            return self._writing


def _parted(keys: Keys) -> tuple[StreamIds, Times]:
    """Datastreams and times, (n,) each, of keys, (n,)."""
    streams = (keys >> np.uint64(42)).astype(np.int64)
    return streams, (keys & np.uint64(LAST_TIME)).astype(np.int64)


def _now() -> int:
    return time.time_ns() // 1_000_000
