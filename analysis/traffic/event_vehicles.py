"""Everybody on the roads as the recogniser of events knows them: where they are, and since when they do what."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.mesh import Floats
from cim_core.traffic.event import Track

Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]

KEPT = 60
"""So many positions of each are kept, one a second."""

_NEVER = -1

_COLUMNS: dict[str, tuple[Any, Any]] = {
    "seen": (np.int64, _NEVER), "east": (np.float64, np.nan), "north": (np.float64, np.nan),
    "lon": (np.float64, np.nan), "lat": (np.float64, np.nan), "speed": (np.float64, np.nan),
    "slower": (np.float64, 0.0), "heading": (np.float64, np.nan), "kind": (np.uint8, 0),
    "length": (np.float64, np.nan), "lane": (np.int32, -1), "connection": (np.int32, -1),
    "link": (np.int32, -1), "along": (np.float64, np.nan), "off": (np.float64, np.nan),
    "against": (np.bool_, False), "moved": (np.bool_, False), "key": (np.int32, -1),
    # since when, milliseconds since 1970, -1 for not at all
    "standing": (np.int64, _NEVER), "unexplained": (np.int64, _NEVER), "fast": (np.int64, _NEVER),
    "wrong": (np.int64, _NEVER), "walking": (np.int64, _NEVER), "braked": (np.int64, _NEVER),
    "astray": (np.int64, _NEVER), "outside": (np.int64, _NEVER),
    # what came together since then
    "most": (np.float64, 0.0), "way": (np.float64, 0.0), "braking": (np.float64, 0.0),
    # where it began, and what differs from the second before
    "stand_east": (np.float64, np.nan), "stand_north": (np.float64, np.nan),
    "brake_east": (np.float64, np.nan), "brake_north": (np.float64, np.nan),
    "step": (np.float64, 0.0), "lost": (np.float64, 0.0),
}  # fmt: skip


@dataclass
class Vehicles:
    """Columns, one row for each that is known; rows of those who are gone are used again.

    names
        Of each row, None for a row nobody has.
    columns
        As `_COLUMNS` has them; see `__getattr__`.
    """

    names: list[str | None] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    columns: dict[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.columns = {name: np.empty(0, dtype) for name, (dtype, _) in _COLUMNS.items()}
        self._free: list[int] = []
        self._tracks: dict[str, NDArray[Any]] = {
            "at": np.empty((0, KEPT), np.int64),
            "lon": np.empty((0, KEPT)),
            "lat": np.empty((0, KEPT)),
            "speed": np.empty((0, KEPT)),
        }

    def __getattr__(self, name: str) -> NDArray[Any]:
        try:
            found: NDArray[Any] = self.__dict__["columns"][name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    def rows_of(self, names: list[str]) -> Rows:
        """The rows, (n,), of vehicles, which begin where they are new."""
        missing = [name for name in names if name not in self.rows]
        if len(missing) > len(self._free):
            self._grow(len(missing))
        for name in missing:
            row = self._free.pop()
            self.rows[name] = row
            self.names[row] = name
        return np.array([self.rows[name] for name in names], np.int64)

    def forget(self, before: int) -> None:
        """Those not heard of since a moment are known no more."""
        for row in np.flatnonzero((self.seen >= 0) & (self.seen < before)).tolist():
            name = self.names[row]
            assert name is not None
            del self.rows[name]
            self.names[row] = None
            self._clear(slice(row, row + 1))
            self._free.append(row)

    def there(self, now: int, gone: int) -> Rows:
        """The rows of those heard of in the last `gone` milliseconds."""
        return np.flatnonzero(self.seen > now - gone)

    def keep(self, rows: Rows, at: NDArray[np.int64]) -> None:
        """Remember where rows are now, on their tracks."""
        slot = (at // 1000) % KEPT
        self._tracks["at"][rows, slot] = at
        for name in ("lon", "lat", "speed"):
            self._tracks[name][rows, slot] = self.columns[name][rows]

    def track(self, rows: Rows, since: int) -> Track:
        """Where rows were from a moment on, in order of time."""
        found = []
        for row in rows.tolist():
            at = self._tracks["at"][row]
            slots = np.flatnonzero(at >= since)
            name = self.names[row] or ""
            lon, lat, speed = (
                self._tracks[x][row, slots].tolist() for x in ("lon", "lat", "speed")
            )
            found += [
                (time, name, round(x, 7), round(y, 7), None if v != v else round(v, 2))  # noqa: PLR0124
                for time, x, y, v in zip(at[slots].tolist(), lon, lat, speed, strict=True)
            ]
        return tuple(sorted(found, key=lambda one: one[:2]))

    def named(self, rows: Rows) -> tuple[str, ...]:
        """What rows are called."""
        return tuple(self.names[row] or "" for row in rows.tolist())

    def _grow(self, least: int) -> None:
        had = len(self.names)
        more = max(least, had, 64)
        for name, (dtype, _) in _COLUMNS.items():
            grown = np.empty(had + more, dtype)
            grown[:had] = self.columns[name]
            self.columns[name] = grown
        for name, kept in self._tracks.items():
            wider = np.empty((had + more, KEPT), kept.dtype)
            wider[:had] = kept
            self._tracks[name] = wider
        self.names += [None] * more
        self._clear(slice(had, had + more))
        self._free += range(had + more - 1, had - 1, -1)

    def _clear(self, rows: slice) -> None:
        for name, (_, value) in _COLUMNS.items():
            self.columns[name][rows] = value
        self._tracks["at"][rows] = _NEVER


def since(before: NDArray[np.int64], holds: Mask, now: NDArray[np.int64]) -> NDArray[np.int64]:
    """Since when something holds, (n,), -1 where it does not.

    >>> since(np.array([-1, 5, 5]), np.array([True, True, False]), np.array([9, 9, 9])).tolist()
    [9, 5, -1]
    """
    return np.where(holds, np.where(before < 0, now, before), _NEVER)


def apart(east: Floats, north: Floats, of: tuple[float, float]) -> Floats:
    """How far places are from one, (n,) metres."""
    away: Floats = np.hypot(east - of[0], north - of[1])
    return away
