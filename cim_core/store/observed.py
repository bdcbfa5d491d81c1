"""All that was observed, hot or history, without a row that is missing or there twice.

A compactor moves rows from the tail to the lake while others ask. Whoever asks takes the tail first
and the lake after it: a row that was moved between the two is then in both, never in neither, and its
batch is marked in the lake, so it is dropped from the hot ones.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.cells import Cells
from cim_core.mesh import Floats
from cim_core.observations import (
    LAST_TIME,
    Observations,
    StreamIds,
    Times,
    joined,
    observations,
)
from cim_core.store.history import History
from cim_core.store.history_catalog import Snapshot
from cim_core.store.history_rows import DAY, cells_of_column, observations_of
from cim_core.store.live import Live

_NONE = observations([], [], [])


@dataclass(frozen=True, eq=False)
class Totals:
    """What the numbers of each datastream come to in each cell, in the order of both.

    streams, cells
        (n,) int64 and (n,) uint64 of resolution 15, 0 where nobody knows where it was.
    counts, sums, lowest, highest
        (n,) each; the sums do not show in which order the rows came.
    """

    streams: StreamIds
    cells: Cells
    counts: NDArray[np.int64]
    sums: Floats
    lowest: Floats
    highest: Floats

    def __len__(self) -> int:
        return len(self.streams)


@dataclass(frozen=True, eq=False)
class Hourly:
    """What the numbers of each datastream come to in each hour of UTC, in the order of both.

    streams, hours
        (n,) int64 each; the hours as the milliseconds since 1970 of their beginning.
    counts, sums, lowest, highest
        As `Totals` has them.
    """

    streams: StreamIds
    hours: Times
    counts: NDArray[np.int64]
    sums: Floats
    lowest: Floats
    highest: Floats

    def __len__(self) -> int:
        return len(self.streams)


class Observed:
    """The observations of a city. Which datastreams are seen is the matter of whoever asks."""

    def __init__(self, live: Live, history: History) -> None:
        self._live = live
        self._history = history

    def rows(
        self, streams: StreamIds, start: int, end: int, *,
        newest: int | None = None, oldest: int | None = None,
    ) -> Observations:  # fmt: skip
        """The observations with start ≤ time < end, milliseconds, by time, then by datastream.

        newest, oldest
            At most so many of them, from the end or from the beginning.
        """
        hot, lake = self._both(streams, start, end)
        hot = _most(hot.in_order(), newest, oldest)
        kept = self._of_lake(lake, streams, start, end, newest, oldest)
        if not len(kept):
            return hot
        return _most(joined([kept, hot]).in_order(), newest, oldest) if len(hot) else kept

    def latest(self, streams: StreamIds) -> Observations:
        """The newest observation of each of these datastreams that has any, in their order."""
        return self._live.tail().latest(streams)

    def totals(self, streams: StreamIds, start: int, end: int) -> Totals:
        """Counts, sums and extremes of the numbers with start ≤ time < end, by datastream and cell."""
        hot, lake = self._both(streams, start, end)
        if not len(hot) and not len(lake.between(start, end)):
            return Totals(_NONE.streams, _NONE.cells, *_sums(None))
        found = self._history.questions().totals(lake, hot, streams, start, end)
        cells = cells_of_column(found["cell"])
        return Totals(found["stream"].astype(np.int64), cells, *_sums(found))

    def hourly(self, streams: StreamIds, start: int, end: int) -> Hourly:
        """The same by datastream and hour."""
        hot, lake = self._both(streams, start, end)
        if not len(hot) and not len(lake.between(start, end)):
            return Hourly(_NONE.streams, _NONE.times, *_sums(None))
        found = self._history.questions().hourly(lake, hot, streams, start, end)
        return Hourly(
            found["stream"].astype(np.int64), found["hour"].astype(np.int64), *_sums(found)
        )

    def quantile(
        self, streams: StreamIds, start: int, end: int, q: float, resolution: int
    ) -> tuple[Cells, Floats]:
        """A quantile of the numbers in each H3 cell of a resolution, (n,) each, sorted by cell.

        It is exact, and between two numbers as a straight line has it. What has no place is left out.
        """
        hot, lake = self._both(streams, start, end)
        if not len(hot) and not len(lake.between(start, end)):
            return _NONE.cells, _NONE.values
        ask = self._history.questions().quantiles
        found = ask(lake, hot, streams, start, end, q, resolution)
        return cells_of_column(found["cell"]), found["value"].astype(np.float64)

    def count(self, streams: StreamIds, start: int, end: int) -> int:
        """How many observations there are with start ≤ time < end, whatever their results are."""
        hot, lake = self._both(streams, start, end)
        if not len(lake.between(start, end)):
            return len(hot)
        return len(hot) + self._history.questions().count(lake, streams, start, end)

    def span(self) -> tuple[int, int] | None:
        """The times of the first and the last observation of all; None without any."""
        hot = self._live.tail().rows(0, LAST_TIME + 1)[0].times
        lake = self._history.snapshot()
        firsts = [int(times.min()) for times in (hot, lake.first) if len(times)]
        lasts = [int(times.max()) for times in (hot, lake.last) if len(times)]
        return (min(firsts), max(lasts)) if firsts else None

    def _both(self, streams: StreamIds, start: int, end: int) -> tuple[Observations, Snapshot]:
        """The rows that are hot, without those that are history, and the lake."""
        hot, batches = self._live.tail().rows(start, end, streams)
        lake = self._history.snapshot()  # after the tail: the other order would miss rows
        if len(lake.moved) and len(hot):
            gone = np.isin(batches, lake.moved)
            if gone.any():
                hot = hot.take(~gone)
        return hot, lake

    def _of_lake(
        self, lake: Snapshot, streams: StreamIds, start: int, end: int,
        newest: int | None, oldest: int | None,
    ) -> Observations:  # fmt: skip
        places = lake.between(start, end)
        if not len(places):
            return _NONE
        ask = self._history.questions().rows
        limit = newest if newest is not None else oldest
        if limit is None:
            return observations_of(ask(lake, streams, start, end))
        # A few rows of years: days are asked for from one end, each time twice as many.
        order = "ASC" if newest is None else "DESC"
        first = max(start, int(lake.first[places].min()))
        last = min(end, int(lake.last[places].max()) + 1)
        found: list[Observations] = []
        missing, width = limit, DAY
        while missing > 0 and first < last:
            if newest is None:
                begin, stop = first, min(first + width, last)
                first = stop
            else:
                begin, stop = max(last - width, first), last
                last = begin
            found.append(observations_of(ask(lake, streams, begin, stop, order, missing)))
            missing -= len(found[-1])
            width *= 2
        return joined(found).in_order()


def _most(what: Observations, newest: int | None, oldest: int | None) -> Observations:
    """So many rows of those in order."""
    if newest is not None and newest < len(what):
        return what.take(np.arange(len(what) - newest, len(what)))
    if oldest is not None and oldest < len(what):
        return what.take(np.arange(oldest))
    return what


def _sums(found: dict[str, Any] | None) -> tuple[NDArray[np.int64], Floats, Floats, Floats]:
    if found is None:
        return np.empty(0, np.int64), _NONE.values, _NONE.values, _NONE.values
    sums, lowest, highest = (
        found[name].astype(np.float64) for name in ("sums", "lowest", "highest")
    )
    return found["counts"].astype(np.int64), sums, lowest, highest
