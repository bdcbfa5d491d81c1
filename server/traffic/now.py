"""What is known of the traffic of a layer now: the newest of every vehicle and every signal group."""

import threading
from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cim_core.network import Labels
from cim_core.observations import Times
from cim_core.traffic.moving import Codes, Moving, Positions, Rows, SignalStates, take
from server.traffic.frames import Anchor, Group, VehicleRows, metres

GONE_SECONDS = 5.0
"""A vehicle that was not heard of for so long is gone."""
SILENT_SECONDS = 300.0
"""What a signal group shows that has told nothing for so long is unknown."""
FORGOTTEN_SECONDS = 3600.0
"""A signal group that has told nothing for so long is no longer listed."""
MOST_GROUPS = 256
"""So many signal groups has an intersection at most: their numbers in messages have eight bits."""
LATE_SECONDS = 60.0
"""What is further from the server's clock than that is history that is sent late, not what is now."""

_ROW = np.dtype(
    [
        ("number", "u4"), ("heard", "i8"), ("times", "i8"), ("lon", "f8"), ("lat", "f8"),
        ("east", "f8"), ("north", "f8"), ("speeds", "f4"), ("headings", "f4"),
        ("accelerations", "f4"), ("kinds", "u1"), ("lengths", "f4"),
    ]
)  # fmt: skip
_TOLD = ("times", "lon", "lat", "speeds", "headings", "accelerations", "kinds", "lengths")
"""The columns of `Positions` that are numbers."""


class Vehicles:
    """The newest of each vehicle.

    rows
        (n,) of `_ROW`; `number` is its own as long as it is there, `heard` by the server's clock.
    """

    def __init__(self, anchor: Anchor) -> None:
        self._anchor = anchor
        self._at: dict[str, int] = {}
        self._last_number = 0
        self.rows = np.empty(0, _ROW)

    def __len__(self) -> int:
        return len(self.rows)

    def hear(self, what: Positions, now: int) -> bool:
        """Take what is newer than what is known; whether there was any."""
        fresh = np.abs(what.times - now) <= 1000 * LATE_SECONDS
        what = take(what, _newest(what.times, what.who.codes, fresh & (what.who.codes >= 0)))
        names = what.who.texts().tolist()
        for name in names:
            self._at.setdefault(name, len(self._at))
        self._add(len(self._at) - len(self.rows))
        at = np.fromiter((self._at[name] for name in names), np.int64, len(names))
        newer = what.times > self.rows["times"][at]
        at, what = at[newer], take(what, newer)
        for name in _TOLD:
            self.rows[name][at] = getattr(what, name)
        places = metres(self._anchor, what.lon, what.lat)
        self.rows["east"][at], self.rows["north"][at] = places.T
        self.rows["heard"][at] = now
        return len(at) > 0

    def forget(self, now: int) -> bool:
        """Leave out those that are gone; whether there were any."""
        there = self.rows["heard"] > now - 1000 * GONE_SECONDS
        if there.all():
            return False
        names = [name for name, stays in zip(self._at, there.tolist(), strict=True) if stays]
        self._at = {name: at for at, name in enumerate(names)}
        self.rows = self.rows[there]
        return True

    def at(self, now: int) -> VehicleRows:
        """They at a moment."""
        rows = self.rows
        ages = np.maximum(now - rows["times"], 0) / 1000.0
        places = np.column_stack([rows["east"], rows["north"]])
        return VehicleRows(
            rows["number"], places, rows["headings"], rows["speeds"], rows["kinds"], ages
        )

    def positions(self) -> Positions:
        """They as they were told last."""
        columns = {name: self.rows[name].copy() for name in _TOLD}
        who = Labels(tuple(self._at), np.arange(len(self.rows), dtype=np.int32))
        return Positions(who=who, **columns)

    def _add(self, count: int) -> None:
        """Room for so many new ones, older than anything."""
        if count:
            new = np.zeros(count, _ROW)
            new["times"] = np.iinfo(np.int64).min
            new["number"] = np.arange(self._last_number + 1, self._last_number + 1 + count)
            self._last_number += count
            self.rows = np.concatenate([self.rows, new])


@dataclass(slots=True)
class Shown:
    """What a signal group shows: since when, and how many seconds more when that was told."""

    light: int
    since: int
    told: int
    remaining: float

    def at(self, now: int) -> tuple[int, float]:
        """The number of its light at a moment, and the seconds until it is likely to change."""
        if now - self.told > 1000 * SILENT_SECONDS:
            return 0, float("nan")
        return self.light, max(self.remaining - max(now - self.told, 0) / 1000.0, 0.0)


class Signals:
    """The newest of each signal group, in the order they were first heard of.

    nodes
        The intersections that are listened to; None for all.
    """

    def __init__(self) -> None:
        self.shown: dict[Group, Shown] = {}
        self.nodes: AbstractSet[str] | None = None

    def hear(self, what: SignalStates, now: int) -> bool:
        """Take what is newer than what is known; whether there was any."""
        fresh = np.abs(what.times - now) <= 1000 * SILENT_SECONDS
        rows = _changes(what, fresh & (what.intersections.codes >= 0) & (what.groups.codes >= 0))
        what = take(what, rows)
        told = zip(
            what.intersections.texts().tolist(), what.groups.texts().tolist(), what.times.tolist(),
            what.lights.tolist(), what.remaining.tolist(), strict=True,
        )  # fmt: skip
        news = False
        counts = Counter(node for node, _ in self.shown)
        for node, group, time, light, remaining in told:
            known = self.shown.get((node, group))
            if known is not None and time <= known.told:
                continue
            if known is None:
                if counts[node] >= MOST_GROUPS or not (self.nodes is None or node in self.nodes):
                    continue
                counts[node] += 1
            since = known.since if known is not None and known.light == light else time
            self.shown[node, group] = Shown(light, since, time, remaining)
            news = True
        return news

    def forget(self, now: int) -> bool:
        """Leave out those that have long told nothing; whether there were any."""
        since = now - 1000 * FORGOTTEN_SECONDS
        gone = [group for group, shown in self.shown.items() if shown.told <= since]
        for group in gone:
            del self.shown[group]
        return bool(gone)

    @property
    def groups(self) -> list[Group]:
        """The groups, in the order of frames."""
        return list(self.shown)

    def at(self, group: Group, now: int) -> tuple[int, float]:
        """The number of the light of a group, and the seconds until it is likely to change."""
        shown = self.shown.get(group)
        return (0, float("nan")) if shown is None else shown.at(now)

    def columns(self, groups: Sequence[Group], now: int) -> tuple[Codes, NDArray[np.float64]]:
        """Lights and remaining seconds of groups at a moment, (n,) each."""
        told = [self.at(group, now) for group in groups]
        return (
            np.array([light for light, _ in told], np.uint8),
            np.array([remaining for _, remaining in told], np.float64),
        )


class Now:
    """What moves and shows on one road map; many threads may tell and ask.

    anchor
        Longitude and latitude that places are counted from.
    heard
        When it was last heard of, milliseconds since 1970; 0 for never.
    """

    def __init__(self, layer: str, anchor: Anchor) -> None:
        self.layer = layer
        self.anchor = anchor
        self.lock = threading.Lock()
        self.vehicles = Vehicles(anchor)
        self.signals = Signals()
        self.heard = 0
        self._news: set[type[Moving]] = set()

    def hear(self, what: Moving, now: int) -> bool:
        """Take what arrived; whether it tells anything new."""
        with self.lock:
            if isinstance(what, Positions):
                news = self.vehicles.hear(what, now)
            elif isinstance(what, SignalStates):
                news = self.signals.hear(what, now)
            else:
                return False
            if news:
                self.heard = now
                self._news.add(type(what))
            return news

    def took(self, kind: type[Moving]) -> bool:
        """Whether there is anything new of a kind since the last time this was asked."""
        news = kind in self._news
        self._news.discard(kind)
        return news


def _newest(times: Times, codes: NDArray[np.int32], asked: NDArray[np.bool_]) -> Rows:
    """Of the rows asked for, the newest of each code, (k,)."""
    rows: NDArray[np.int64] = np.flatnonzero(asked)
    rows = rows[np.lexsort((times[rows], codes[rows]))]
    last = np.ones(len(rows), bool)
    last[:-1] = codes[rows][1:] != codes[rows][:-1]
    newest: Rows = rows[last]
    return newest


def _changes(what: SignalStates, asked: NDArray[np.bool_]) -> Rows:
    """Of the rows asked for those at which a light changes, and the newest of each group, by time."""
    rows = np.flatnonzero(asked)
    groups, nodes = what.groups.codes[rows], what.intersections.codes[rows]
    order = np.lexsort((what.times[rows], groups, nodes))
    rows, groups, nodes, lights = rows[order], groups[order], nodes[order], what.lights[rows[order]]
    same = (groups[1:] == groups[:-1]) & (nodes[1:] == nodes[:-1])
    wanted = np.ones(len(rows), bool)
    # The first of a light says since when it shows; the last how long it will.
    wanted[:-1] = ~same
    wanted[1:] |= ~same | (lights[1:] != lights[:-1])
    rows = rows[wanted]
    by_time: Rows = rows[np.argsort(what.times[rows], kind="stable")]
    return by_time
