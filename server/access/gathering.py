"""Rows of the log that come in storms: the first at once, then their number once a minute."""

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from cim_core.errors import CimError
from cim_core.feature import Value
from cim_core.store.office_audit import Result

_SECONDS = 60.0
_MOST = 10_000
"""So many kinds are told apart at one time; what comes then is one kind more."""

NOT_WRITTEN = (CimError, OSError, sqlite3.Error)
"""What keeps a row from being written."""

_log = logging.getLogger(__name__)

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What a row of the log says; see `cim_core.store.office_audit.Entry`."""

    verb: str
    what: str
    result: Result
    status: int
    person: str | None
    name: str
    via: str
    address: str
    layers: tuple[str, ...] = ()
    detail: Mapping[str, Value] = field(default_factory=dict)


@dataclass(slots=True)
class _Bunch:
    last: Row
    timer: asyncio.TimerHandle
    further: int = 0
    observations: int = 0


class Gathering:
    """Lets one row of each kind through and counts those that follow within a minute."""

    def __init__(self, write: Callable[[Row], Awaitable[None]], seconds: float = _SECONDS) -> None:
        self._write = write
        self._seconds = seconds
        self._bunches: dict[Key, _Bunch] = {}
        self._sums: set[asyncio.Task[None]] = set()

    async def add(self, key: Key, row: Row) -> None:
        """Write a row, or count it; raises what keeps it from being written."""
        if key not in self._bunches and len(self._bunches) >= _MOST:
            key = ("others",)
        bunch = self._bunches.get(key)
        if bunch is not None:
            bunch.further += 1
            bunch.observations += _observations(row)
            bunch.last = row
            return
        self._begin(key, row)
        try:
            await self._write(row)
        except BaseException:
            self._bunches.pop(key).timer.cancel()
            raise

    async def close(self) -> None:
        """Write what was counted and not yet written."""
        await asyncio.gather(*self._sums)
        for bunch in self._bunches.values():
            bunch.timer.cancel()
            await self._sum(bunch)
        self._bunches.clear()

    def _begin(self, key: Key, row: Row) -> None:
        loop = asyncio.get_running_loop()
        self._bunches[key] = _Bunch(row, loop.call_later(self._seconds, self._due, key))

    def _due(self, key: Key) -> None:
        bunch = self._bunches.pop(key)
        if bunch.further:
            self._begin(key, bunch.last)
            task = asyncio.get_running_loop().create_task(self._sum(bunch))
            self._sums.add(task)
            task.add_done_callback(self._sums.discard)

    async def _sum(self, bunch: _Bunch) -> None:
        if bunch.further:
            counted = {**bunch.last.detail, "further": bunch.further}
            if bunch.observations:
                counted["observations"] = bunch.observations
            try:
                await self._write(replace(bunch.last, detail=counted))
            except NOT_WRITTEN:
                _log.exception("the log did not take %s", bunch.last.what)


def _observations(row: Row) -> int:
    """How many observations somebody sent, where they sent any."""
    sent = row.detail.get("observations", 0)
    return sent if isinstance(sent, int) else 0
