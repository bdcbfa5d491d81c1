"""How fast values change: each against the value of its datastream a window ago, in columns."""

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.observations import Times

_KEPT = 12
_PARTS = 8
"""Of each eighth of a window the first observation is kept, so that twelve always reach back over it."""

_NEVER = np.iinfo(np.int64).min // 2

Rows = NDArray[np.int64]


class Paces:
    """The changes of values over a window of time, of many datastreams, each with its own window.

    An observation is compared with the newest one kept that is at least a window old. Where that is
    older than two windows there was a gap, and nothing is known. All of it follows from the times of
    the observations alone, however they are cut into batches.

    windows
        (n,) int64, milliseconds.
    """

    def __init__(self, windows: Times) -> None:
        count = len(windows)
        self._windows = windows
        self._parts: Times = np.maximum(windows // _PARTS, 1)
        self._times: Times = np.full((count, _KEPT), _NEVER, np.int64)
        self._values: Floats = np.full((count, _KEPT), np.nan)
        self._next: Rows = np.zeros(count, np.int64)
        self._last: Times = np.full(count, -1, np.int64)
        self._first: Rows = np.zeros(count, np.int64)

    def take_over(self, before: "Paces", old: Rows, new: Rows) -> None:
        """Go on with what had the numbers `old`, (n,), and the same windows, under `new`, (n,)."""
        for name in ("_times", "_values", "_next", "_last"):
            getattr(self, name)[new] = getattr(before, name)[old]

    def reach(self, numbers: Rows, times: Times) -> Times:
        """From when on, (n,), all that came counts for what comes after a time, (n,)."""
        parts = self._parts[numbers]
        reach: Times = (times - 3 * self._windows[numbers]) // parts * parts
        return reach

    def changes(self, numbers: Rows, times: Times, values: Floats) -> tuple[Floats, Floats]:
        """How much values, (n,), in order of time, have changed, (n,), and in how many ms, (n,).

        A change that is not known is NaN. `numbers`, (n,), are those of their datastreams.
        """
        first = self._firsts(numbers)
        if first.all():
            return self._step(numbers, times, values)
        change, span = np.empty(len(numbers)), np.empty(len(numbers))
        left = np.arange(len(numbers))
        while len(left):  # of each datastream one after the other
            now = left[first]
            change[now], span[now] = self._step(numbers[now], times[now], values[now])
            left = left[~first]
            first = self._firsts(numbers[left])
        return change, span

    def _firsts(self, numbers: Rows) -> NDArray[np.bool_]:
        """Which of some numbers, (n,), stand there for the first time, (n,)."""
        order = np.arange(len(numbers))
        self._first[numbers[::-1]] = order[::-1]
        result: NDArray[np.bool_] = self._first[numbers] == order
        return result

    def _step(self, numbers: Rows, times: Times, values: Floats) -> tuple[Floats, Floats]:
        kept = self._times[numbers]
        windows = self._windows[numbers]
        until = times - windows
        kept[kept > until[:, None]] = _NEVER
        place = kept.argmax(axis=1)
        before = kept[np.arange(len(numbers)), place]
        change = values - self._values[numbers, place]
        change[before < until - windows] = np.nan
        part = times // self._parts[numbers]
        wanted = part != self._last[numbers]
        if wanted.any():
            wanted &= ~np.isnan(values)
            some = numbers[wanted]
            at = self._next[some]
            self._times[some, at] = times[wanted]
            self._values[some, at] = values[wanted]
            self._next[some] = (at + 1) % _KEPT
            self._last[some] = part[wanted]
        return change, (times - before).astype(np.float64)
