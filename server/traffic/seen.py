"""What was heard lately, so that what is sent twice is kept once.

Who a row is of and its millisecond are one number of 64 bits. Those of the last minute are remembered,
sorted; what is older than that is held against what is kept.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from cim_core.network import Labels
from cim_core.traffic.moving import ControllerEvents, Moving, Positions, SignalStates, take

_TIME_BITS = np.uint64(42)
_TIMES = np.uint64((1 << 42) - 1)
_MOST_NAMES = 1_000_000
_REMEMBERED = 60_000
"""Milliseconds."""
_AHEAD = 600_000
_FOLD = 50_000
"""So many new ones are sorted in among the others."""

Numbers = NDArray[np.uint64]
Stored = Callable[[Moving], Iterable[Moving]]
"""What is kept that may be one of some rows again, piece by piece (`TrafficHistory.alike`)."""


class Seen:
    """The rows of one kind of one layer that are known.

    now
        The present moment, milliseconds since 1970. What is of before it, or of the clocks that go
        ahead, may be kept already.
    """

    def __init__(self, now: int) -> None:
        self._begin(now)

    def _begin(self, now: int) -> None:
        self._since = now + _AHEAD
        self._names: dict[str, int] = {}
        self._old: Numbers = np.empty(0, np.uint64)
        self._new: Numbers = np.empty(0, np.uint64)

    def fresh(self, what: Moving, stored: Stored) -> NDArray[np.bool_]:
        """Which rows, (n,), are neither known nor an earlier one of these again."""
        keys = self._keys(what)
        fresh = np.zeros(len(keys), bool)
        _, first = np.unique(keys, return_index=True)
        fresh[first] = True
        for known in (self._old, self._new):
            fresh &= ~_among(keys, known)
        early = fresh & (what.times < self._since)
        if early.any():
            for kept in stored(take(what, early)):
                if len(kept):
                    fresh &= ~_among(keys, np.sort(self._keys(kept)))
        return fresh

    def add(self, what: Moving, now: int) -> None:
        """Remember rows that are kept now."""
        self._new = np.sort(np.concatenate([self._new, self._keys(what)]), kind="stable")
        if len(self._new) < _FOLD:
            return
        if len(self._names) > _MOST_NAMES:
            self._begin(now)
            return
        self._since = max(self._since, now - _REMEMBERED)
        both = np.concatenate([self._old, self._new])
        both = both[(both & _TIMES) >= np.uint64(self._since)]
        self._old, self._new = np.sort(both, kind="stable"), self._new[:0]

    def _keys(self, what: Moving) -> Numbers:
        who = who_of(what)
        codes = [self._names.setdefault(name, len(self._names) + 1) for name in who.names]
        numbers = np.array([*codes, 0], np.uint64)[who.codes]
        keys: Numbers = (numbers << _TIME_BITS) | (what.times.astype(np.uint64) & _TIMES)
        return keys


def who_of(what: Moving) -> Labels:
    """Whom or what each row is of: the road user; the signal group; the device with what it tells."""
    if isinstance(what, Positions):
        return what.who
    if isinstance(what, SignalStates):
        return _together(what.intersections, what.groups)
    assert isinstance(what, ControllerEvents)
    told = (what.codes.astype(np.int64) << 32) | (what.parameters.astype(np.int64) & 0xFFFFFFFF)
    known, codes = np.unique(told, return_inverse=True)
    return _together(what.devices, Labels(tuple(map(str, known.tolist())), codes.astype(np.int32)))


def _together(one: Labels, other: Labels) -> Labels:
    """Both as one text, which says where the first ends: an id may hold any letter."""
    wide = len(other.names) + 1
    pairs = (one.codes.astype(np.int64) + 1) * wide + other.codes + 1
    known, codes = np.unique(pairs, return_inverse=True)
    left, right = ("", *one.names), ("", *other.names)
    names = tuple(
        f"{len(left[pair // wide])} {left[pair // wide]}{right[pair % wide]}"
        for pair in known.tolist()
    )
    return Labels(names, codes.astype(np.int32))


def _among(keys: Numbers, known: Numbers) -> NDArray[np.bool_]:
    """Which keys, (n,), are among sorted ones."""
    if not len(known):
        return np.zeros(len(keys), bool)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: NDArray[np.bool_] = known[places] == keys
    return found
