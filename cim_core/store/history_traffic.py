"""What moved on the roads, kept for years: tables in the lake of the city, by day and layer, in order of time."""

from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from cim_core.observations import Times
from cim_core.progress import Progress
from cim_core.store.history import AT_LEAST, History
from cim_core.store.history_catalog import Mark, Snapshot, mark_text
from cim_core.store.history_rows import DAY
from cim_core.store.traffic_batches import KINDS, Batch, TrafficBatches, kind_of
from cim_core.store.traffic_file import TrafficFile
from cim_core.traffic.moving import Box, M, Moving, dtype_of, joined, take

_AT_MOST = 1_000_000
"""Rows that are moved in one commit, which bounds memory."""

_SQL = {
    "int64": "BIGINT", "float64": "DOUBLE", "float32": "FLOAT", "uint8": "UTINYINT",
    "int16": "SMALLINT", "int32": "INTEGER",
}  # fmt: skip
_OWN = "day INTEGER NOT NULL, layer VARCHAR NOT NULL"


_SAME = {
    "positions": ["times", "who"],
    "signals": ["times", "intersections", "groups"],
    "controller": ["times", "devices", "codes", "parameters"],
}
"""By what a row is the same as another one."""

_GROUPS = 32
_NEAR = 60_000
"""So many groups of times are looked for each by itself, if a minute at least is between them."""


class TrafficHistory:
    """The tables of traffic in the lake of a city."""

    def __init__(self, history: History, file: TrafficFile, batches: TrafficBatches) -> None:
        self._history, self._file, self._batches = history, file, batches
        history.needed.append(self._needed)

    def window(self, layer: str, kind: type[M], start: int, end: int, box: Box | None = None) -> M:
        """What moved of a layer with start ≤ time < end, hot or history, each row once.

        box
            Only positions in it.

        Hot rows are read first and the lake after them: what is moved between the two is in both, and
        its batch is marked.
        """
        lakes: list[Snapshot] = []

        def moved() -> frozenset[int]:
            lakes.append(self._lake(kind))
            return frozenset().union(*(mark.batches for mark in self._own(lakes[0])))

        hot = self._batches.window(layer, kind, start, end, moved, box)
        [lake] = lakes
        places = [p for p in lake.between(start, end).tolist() if _is_of(lake, p, layer)]
        if not places:
            return hot
        from cim_core.traffic.recording import moving_of  # Arrow takes a moment to load

        table = self._history.questions().arrow(
            lake, places, _named(kind), start, end, _inside(box)
        )
        return joined([moving_of(table, kind), hot], kind)

    def alike(self, layer: str, what: M) -> Iterator[M]:
        """What is kept of a layer that may be one of some rows again, piece by piece.

        Of each row that is the same in time and in whom or what it is of there is one at least, and
        others may be among them. However far apart the times are, little more is read: so somebody who
        sends a row of yesterday and one of now asks for no whole day.
        """
        kind = type(what)
        yield from self._batches.at(layer, kind, what.times)
        lake = self._lake(kind)
        own = [p for p in range(len(lake.files)) if _is_of(lake, p, layer)]
        if not own:
            return
        from cim_core.traffic.recording import arrow_of, moving_of

        same = _SAME[kind_of(kind)]
        order = np.argsort(what.times, kind="stable")
        for rows in _near(what.times[order]):
            some = take(what, order[rows])
            first, last = int(some.times[0]), int(some.times[-1])
            places = [p for p in own if lake.last[p] >= first and lake.first[p] <= last]
            if places:
                asked = arrow_of(some).select(same).rename_columns(["time", *same[1:]])
                columns = _named(kind)
                asking = self._history.questions()
                found = asking.alike(lake, places, columns, asked, asked.column_names)
                yield moving_of(found, kind)

    def span(self, layer: str, kind: type[M]) -> tuple[int, int] | None:
        """The first and the last time there is something of a kind, None for nothing."""
        hot = self._batches.span(layer, kind)
        lake = self._lake(kind)
        own = [p for p in range(len(lake.files)) if _is_of(lake, p, layer)]
        spans = [(int(lake.first[p]), int(lake.last[p])) for p in own]
        spans += [hot] if hot is not None else []
        if not spans:
            return None
        return min(first for first, _ in spans), max(last for _, last in spans)

    def move(self, progress: Progress, arrived_before: int, at_least: int = AT_LEAST) -> int:
        """Make batches that arrived before a moment history; how many rows were moved.

        at_least
            Of a kind with fewer rows nothing is moved: they are worth no files of their own.
        Rows and marks are one commit of the lake; only then are the batches deleted. What died between
        the two is deleted now.
        """
        if not self._file.exists:
            return 0
        return sum(self._move(progress, kind, arrived_before, at_least) for kind in KINDS.values())

    def _move(
        self, progress: Progress, kind: type[Moving], arrived_before: int, at_least: int
    ) -> int:
        from cim_core.traffic.recording import arrow_of

        moved = 0
        self._finish(kind)
        while batches := self._batches.oldest(kind, _AT_MOST, arrived_before, at_least):
            progress(moved, 0, "history")
            with self._history.writer(progress) as writer:
                table = table_of(kind)
                writer.begin(table, f"{_OWN}, {_columns(kind)}", "day, layer", "time")
                parts = [
                    (_chosen(kind, *one), arrow_of(what)) for one, what in _parted(batches, kind)
                ]
                writer.fill(table, parts, mark_text([b.id for b in batches], table, self._file.id))
            self._delete([batch.id for batch in batches])
            moved += sum(len(batch.what) for batch in batches)
        return moved

    def _finish(self, kind: type[Moving]) -> None:
        """Delete what was moved by a compactor that died before it could."""
        moved = [batch for mark in self._own(self._lake(kind)) for batch in mark.batches]
        marked = self._batches.there(moved) if moved else []
        if marked:
            self._delete(marked)

    def _delete(self, batches: Sequence[int]) -> None:
        with self._file.transaction() as connection:
            self._batches.delete(connection, batches)

    def _needed(self) -> set[int]:
        """The commits whose batches are not deleted yet."""
        return {
            mark.snapshot
            for kind in KINDS.values()
            for mark in self._own(self._lake(kind))
            if self._batches.there(mark.batches)
        }

    def _own(self, lake: Snapshot) -> list[Mark]:
        """The marks of batches of this file: those of another one have the same numbers."""
        file = self._file.id
        return [mark for mark in lake.marks if mark.file == file]

    def _lake(self, kind: type[M]) -> Snapshot:
        return self._history.table(table_of(kind))


def table_of(kind: type[M]) -> str:
    """The table of a kind in the lake."""
    return f"traffic_{kind_of(kind)}"


def _inside(box: Box | None) -> str:
    """The condition that rows are in a box; the numbers are the very doubles that they are."""
    if box is None:
        return "true"
    west, south, east, north = (f"{float(edge):.17e}" for edge in box)
    return f"lon BETWEEN {west} AND {east} AND lat BETWEEN {south} AND {north}"


def _parted(batches: Sequence[Batch], kind: type[M]) -> list[tuple[tuple[int, str], M]]:
    """The rows of batches by day and layer, in order of time: each part is a file."""
    found: list[tuple[tuple[int, str], M]] = []
    for layer in sorted({batch.layer for batch in batches}):
        some = [b.what for b in batches if b.layer == layer and isinstance(b.what, kind)]
        what = joined(some, kind)
        what = take(what, np.argsort(what.times, kind="stable"))
        days = what.times // DAY
        found += [((day, layer), take(what, days == day)) for day in np.unique(days).tolist()]
    return found


def _near(times: Times) -> list[NDArray[np.int64]]:
    """The rows of sorted times, (n,), in few groups, divided where the times are farthest apart."""
    gaps = np.diff(times)
    widest = np.sort(np.argsort(gaps)[-_GROUPS + 1 :])
    ends = widest[gaps[widest] > _NEAR] + 1
    return np.split(np.arange(len(times)), ends)


def _named(kind: type[M]) -> str:
    """All columns of a kind, by the names of its fields."""
    return ", ".join(f'{_column(f.name)} AS "{f.name}"' for f in fields(kind))


def _column(field: str) -> str:
    """The column of a field; that of times is called as in the other tables of the lake."""
    return "time" if field == "times" else f'"{field}"'


def _columns(kind: type[Moving]) -> str:
    return ", ".join(
        f"{_column(f.name)} {'VARCHAR' if dtype is None else _SQL[dtype.name]}"
        for f in fields(kind)
        for dtype in [dtype_of(f.name)]
    )


def _chosen(kind: type[Moving], day: int, layer: str) -> str:
    own = ", ".join(f'"{f.name}"' for f in fields(kind))
    return f"{day}, '{layer}', {own}"  # the id of a layer has no quotes


def _is_of(lake: Snapshot, place: int, layer: str) -> bool:
    return lake.files[place].parent.name == f"layer={layer}"
