"""The one door to what moves on the roads of a city: positions, signals, events."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from cim_core.sight import EVERYTHING, Sight
from cim_core.store.history import History
from cim_core.store.history_traffic import TrafficHistory
from cim_core.store.live import Live
from cim_core.store.traffic_batches import TrafficBatches
from cim_core.store.traffic_events import TrafficEvents
from cim_core.store.traffic_file import TrafficFile
from cim_core.store.traffic_refused import TrafficRefused
from cim_core.traffic.moving import (
    Box,
    ControllerEvents,
    M,
    Moving,
    Positions,
    SignalStates,
    joined,
    nothing,
)

_PIECE = 60_000
"""Milliseconds of positions that are read at once where they come in pieces."""


class Traffic:
    """What moves on the roads, as somebody sees it. A city without `traffic.db` has seen nothing.

    A layer whose road map is not seen as a whole has no traffic either: half of it answers wrongly.

    batches, history
        What is hot, and what is in the lake.
    events
        What was recognised in it.
    refused
        What was sent and not believed.
    """

    def __init__(self, folder: Path, history: History | None = None) -> None:
        self._sight = EVERYTHING
        self._file = TrafficFile(folder)
        self.batches = TrafficBatches(self._file)
        lake = history or History(folder, Live(folder))
        self.history = TrafficHistory(lake, self._file, self.batches)
        self.refused = TrafficRefused(self._file)
        self.events = TrafficEvents(self._file)

    def seen_by(self, sight: Sight) -> "Traffic":
        """The same with nothing but the layers that somebody sees."""
        seen = Traffic.__new__(Traffic)
        seen._sight, seen._file, seen.batches = sight, self._file, self.batches
        seen.history, seen.refused = self.history, self.refused
        seen.events = TrafficEvents(self._file, sight)
        return seen

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded."""
        return self._file.exists

    def sees(self, layer: str) -> bool:
        """Whether somebody sees the traffic of a layer."""
        part = self._sight.of(layer)
        return part is not None and part.whole

    def append(self, layer: str, what: Moving) -> int:
        """Record rows of one layer; they are on disk when it returns. The number of their batch."""
        with self._file.transaction() as connection:
            return self.batches.append(connection, layer, what, time.time_ns() // 1_000_000)

    def forget(self, layer: str) -> None:
        """The layer is gone: what moved on it must not be told of another one of its name."""
        if not self.exists:
            return
        with self._file.transaction() as connection:
            for table in ("batches", "events", "refused"):
                connection.execute(f"DELETE FROM {table} WHERE layer = ?", (layer,))
            connection.execute(
                "INSERT OR REPLACE INTO forgotten VALUES (?, ?)",
                (layer, time.time_ns() // 1_000_000),
            )

    def transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """All or nothing; for `batches`, `refused` and `events`."""
        return self._file.transaction()

    def positions(self, layer: str, start: int, end: int, box: Box | None = None) -> Positions:
        """Where road users were, start ≤ time < end, in any order, each once.

        box
            Only those in it. Then no more of the others than those of a minute are in memory.
        """
        if box is None:
            return self.window(layer, Positions, start, end)
        return joined(list(self.pieces(layer, Positions, start, end, box)), Positions)

    def pieces(
        self, layer: str, kind: type[M], start: int, end: int, box: Box | None = None
    ) -> Iterator[M]:
        """Rows of any kind minute by minute, for who lets go of most before more is read."""
        begin, until = self._reach(layer, kind, start, end)
        for one in range(begin, until, _PIECE):
            found = self.window(layer, kind, one, min(one + _PIECE, until), box)
            if len(found):
                yield found

    def last(self, layer: str, kind: type[M], start: int, end: int) -> int | None:
        """The last time there is something of a kind with start ≤ time < end, None for nothing."""
        begin, until = self._reach(layer, kind, start, end)
        step = _PIECE // 8  # most often it is near the end
        while until > begin:
            found = self.window(layer, kind, max(begin, until - step), until)
            if len(found):
                return int(found.times.max())
            until, step = until - step, _PIECE
        return None

    def signals(self, layer: str, start: int, end: int) -> SignalStates:
        """What signals showed from which moment on, start ≤ time < end, in any order."""
        return self.window(layer, SignalStates, start, end)

    def controller_events(self, layer: str, start: int, end: int) -> ControllerEvents:
        """Events of signal controllers, start ≤ time < end, in any order."""
        return self.window(layer, ControllerEvents, start, end)

    def span(self, layer: str, kind: type[M]) -> tuple[int, int] | None:
        """The first and the last time there is something of a kind, None for nothing."""
        span = self.history.span(layer, kind) if self.sees(layer) else None
        begin = self._file.forgotten(layer)
        return (max(span[0], begin), span[1]) if span and span[1] >= begin else None

    def close(self) -> None:
        """Close this thread's connection, if it has one."""
        self._file.close()

    def window(self, layer: str, kind: type[M], start: int, end: int, box: Box | None = None) -> M:
        """Rows of any kind, start ≤ time < end, in any order, each once; positions in a box alone."""
        if not self.sees(layer):
            return nothing(kind)
        begin = max(start, self._file.forgotten(layer))
        return self.history.window(layer, kind, begin, end, box)

    def _reach(self, layer: str, kind: type[M], start: int, end: int) -> tuple[int, int]:
        """The part of a window, of whatever length, outside of which there is nothing."""
        first, last = self.span(layer, kind) or (end, start)
        return max(start, first), min(end, last + 1)
