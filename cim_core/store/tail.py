"""The newest observations in memory, in columns: what all quick questions are asked of."""

import threading
from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from cim_core.cells import Cells
from cim_core.mesh import Floats
from cim_core.observations import Keys, More, Observations, StreamIds, Times, observations

_ROOM = 4_096
"""So many rows there is room for at first."""


class Tail:
    """Observations in the order they came, and of each datastream the newest that was ever seen.

    Any number of threads may ask while one adds. What is answered never changes afterwards.
    """

    def __init__(self, latest: Observations | None = None) -> None:
        self._lock = threading.RLock()
        self._columns = _Columns(_ROOM)
        self._more: dict[int, More] = {}
        self._batches: set[int] = set()
        self._keys = _Keys()
        self._newest = _Newest()
        if latest is not None:
            self._newest.see(latest)

    def __len__(self) -> int:
        return self._columns.rows

    @property
    def batches(self) -> frozenset[int]:
        """The batches it holds."""
        with self._lock:
            return frozenset(self._batches)

    @property
    def last_batch(self) -> int:
        """The highest number of a batch that it holds; 0 without any."""
        with self._lock:
            return max(self._batches, default=0)

    def add(self, batch: int, what: Observations) -> None:
        """Take in a batch; one that is there already is left as it is."""
        with self._lock:
            if batch in self._batches:
                return
            self._batches.add(batch)
            begin = self._columns.append(what, batch)
            self._more.update({begin + row: more for row, more in what.more.items()})
            self._keys.add(what.keys)
            self._newest.see(what)

    def drop(self, batches: Collection[int]) -> None:
        """Forget batches; the newest of each datastream stays known."""
        with self._lock:
            gone = self._batches & set(batches)
            if not gone:
                return
            self._batches -= gone
            kept = ~np.isin(self._columns.batch, np.fromiter(gone, np.int64, len(gone)))
            place = np.cumsum(kept) - 1
            self._more = {
                int(place[row]): more for row, more in self._more.items() if kept[row]
            }  # fmt: skip
            self._columns = self._columns.only(kept)
            self._keys = _Keys()
            self._keys.add(self._columns.keys)

    def remember(self, latest: Observations) -> None:
        """Know the newest of each datastream, as far as it is newer than what is known."""
        with self._lock:
            self._newest.see(latest)

    def contains(self, keys: Keys) -> NDArray[np.bool_]:
        """Which observations, (n,) by their keys, are there, (n,)."""
        with self._lock:
            return self._keys.contains(keys)

    def newest_times(self, streams: StreamIds) -> Times:
        """When each datastream, (n,), was last observed, (n,), also before the tail; -1: never."""
        with self._lock:
            return self._newest.times_of(streams)

    def latest(self, streams: StreamIds) -> Observations:
        """The newest observation of each of these datastreams that has any, in their order."""
        with self._lock:
            return self._newest.of(streams)

    def rows(
        self, start: int, end: int, streams: StreamIds | None = None
    ) -> tuple[Observations, NDArray[np.int64]]:
        """The observations with start ≤ time < end, milliseconds, and the batch of each, (n,).

        streams
            Only those of these datastreams.
        """
        with self._lock:
            columns, more = self._columns.frozen(), self._more
        found = (columns.times >= start) & (columns.times < end)
        if streams is not None:
            found &= _wanted(columns.streams, streams)
        rows = np.flatnonzero(found)
        kept: dict[int, More] = {}
        if more:
            kept = {place: more[row] for place, row in enumerate(rows.tolist()) if row in more}
        what = Observations(
            columns.streams[rows], columns.times[rows], columns.values[rows], columns.cells[rows],
            kept,
        )  # fmt: skip
        return what, columns.batch[rows]


def _wanted(streams: StreamIds, asked: StreamIds) -> NDArray[np.bool_]:
    """Which of the streams, (n,), are among those asked for, (n,)."""
    if not len(asked) or not len(streams):
        return np.zeros(len(streams), bool)
    among = np.zeros(max(int(asked.max()), int(streams.max())) + 1, bool)
    among[asked] = True
    found: NDArray[np.bool_] = among[streams]
    return found


class _Columns:
    """Columns with room to grow: what was handed out is never written again."""

    def __init__(self, room: int) -> None:
        self.rows = 0
        self._streams: StreamIds = np.empty(room, np.int64)
        self._times: Times = np.empty(room, np.int64)
        self._values: Floats = np.empty(room, np.float64)
        self._cells: Cells = np.empty(room, np.uint64)
        self._batch: NDArray[np.int64] = np.empty(room, np.int64)

    @property
    def streams(self) -> StreamIds:
        return self._streams[: self.rows]

    @property
    def times(self) -> Times:
        return self._times[: self.rows]

    @property
    def values(self) -> Floats:
        return self._values[: self.rows]

    @property
    def cells(self) -> Cells:
        return self._cells[: self.rows]

    @property
    def batch(self) -> NDArray[np.int64]:
        return self._batch[: self.rows]

    @property
    def keys(self) -> Keys:
        return Observations(self.streams, self.times, self.values, self.cells).keys

    def append(self, what: Observations, batch: int) -> int:
        """Add rows; the number of the first."""
        begin, end = self.rows, self.rows + len(what)
        if end > len(self._times):
            grown = self._grown(max(end, 2 * len(self._times)))
            self.__dict__.update(grown.__dict__)
        self._streams[begin:end] = what.streams
        self._times[begin:end] = what.times
        self._values[begin:end] = what.values
        self._cells[begin:end] = what.cells
        self._batch[begin:end] = batch
        self.rows = end
        return begin

    def frozen(self) -> "_Columns":
        """The same rows, whatever is added later."""
        copy = _Columns(0)
        copy.__dict__.update(self.__dict__)
        return copy

    def only(self, kept: NDArray[np.bool_]) -> "_Columns":
        """Some of the rows, in columns of their own."""
        some = _Columns(max(_ROOM, int(kept.sum())))
        what = Observations(
            self.streams[kept], self.times[kept], self.values[kept], self.cells[kept]
        )
        some.append(what, 0)
        some.batch[:] = self.batch[kept]
        return some

    def _grown(self, room: int) -> "_Columns":
        larger = _Columns(room)
        larger.append(Observations(self.streams, self.times, self.values, self.cells), 0)
        larger.batch[:] = self.batch
        return larger


class _Keys:
    """Sorted runs of keys, each at least twice as long as the next: adding costs a few merges."""

    def __init__(self) -> None:
        self._runs: list[Keys] = []

    def add(self, keys: Keys) -> None:
        self._runs.append(np.sort(keys))
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            both = np.concatenate((self._runs[-2], self._runs[-1]))
            both.sort(kind="stable")  # which merges what is sorted already
            self._runs[-2:] = [both]

    def contains(self, keys: Keys) -> NDArray[np.bool_]:
        found = np.zeros(len(keys), bool)
        for run in self._runs:
            if len(run):
                place = np.minimum(np.searchsorted(run, keys), len(run) - 1)
                found |= run[place] == keys
        return found


class _Newest:
    """The newest observation of each datastream, in columns that its number is the row of."""

    def __init__(self) -> None:
        self._times: Times = np.full(_ROOM, -1, np.int64)
        self._values: Floats = np.full(_ROOM, np.nan)
        self._cells: Cells = np.zeros(_ROOM, np.uint64)
        self._more: dict[int, More] = {}

    def see(self, what: Observations) -> None:
        if not len(what):
            return
        self._grow(int(what.streams.max()))
        order = np.argsort(what.times, kind="stable")
        order = order[what.times[order] > self._times[what.streams[order]]]
        streams = what.streams[order]  # of equal streams the last, which is the newest, stays
        self._times[streams] = what.times[order]
        self._values[streams] = what.values[order]
        self._cells[streams] = what.cells[order]
        if self._more or what.more:
            for stream, row in zip(streams.tolist(), order.tolist(), strict=True):
                self._more.pop(stream, None)
                if row in what.more:
                    self._more[stream] = what.more[row]

    def times_of(self, streams: StreamIds) -> Times:
        known = streams < len(self._times)
        return np.where(known, self._times[np.where(known, streams, 0)], -1)

    def of(self, streams: StreamIds) -> Observations:
        found = streams[self.times_of(streams) >= 0]
        more = {
            row: self._more[stream]
            for row, stream in enumerate(found.tolist())
            if stream in self._more
        }
        return observations(
            found, self._times[found], self._values[found], self._cells[found], more
        )

    def _grow(self, stream: int) -> None:
        missing = stream + 1 - len(self._times)
        if missing > 0:
            missing = max(missing, len(self._times))
            self._times = np.concatenate((self._times, np.full(missing, -1, np.int64)))
            self._values = np.concatenate((self._values, np.full(missing, np.nan)))
            self._cells = np.concatenate((self._cells, np.zeros(missing, np.uint64)))
