"""The one door by which traffic comes into a city, whoever sends it and however.

A thousand vehicles that tell their place ten times a second are ten commits in it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cim_core.city import City
from cim_core.errors import NotFound, TooMany
from cim_core.store.traffic_batches import kind_of
from cim_core.store.traffic_refused import Refused
from cim_core.traffic.moving import Moving, joined, take
from pipelines.v2x_heard import Names, Notice
from server.city_place import city_box
from server.group_commit import RETRY_SECONDS, GroupCommit
from server.settings import Settings
from server.sifting import Bounds, KnownStreams
from server.traffic.given import GivenTraffic, Refusal
from server.traffic.seen import Seen, Stored
from server.traffic.sifting import believed, believed_notices

_PLACE_SECONDS = 10.0
"""For how long what is known of where the city is is believed."""
_NAMES_SECONDS = 2.0
"""For how long a road map is taken to be the served one."""

_NOTICE = 60_000
"""Milliseconds for which a notice that is not repeated holds."""

_log = logging.getLogger(__name__)

Listener = Callable[[str, Moving], None]
"""Told a layer and what is new of it, one kind at a time, in the recorder's thread, after the commit."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of what one sender gave, once it is on disk; counts are rows."""

    messages: int
    accepted: int
    duplicates: int
    refused: tuple[Refusal, ...] = ()


class TrafficRecorder(GroupCommit[GivenTraffic, Taken]):
    """Checks what moves on the roads, and keeps what is new.

    spent
        CPU seconds by stage: checks, commit, publish.
    """

    file = "traffic.db"
    gather = 0.1

    def __init__(self, city: City, settings: Settings) -> None:
        super().__init__(settings)
        self._city = city
        self._settings = settings
        self._listeners: list[Listener] = []
        self._seen: dict[tuple[str, type[Moving]], Seen] = {}
        self._names: dict[str, tuple[float, int, Names]] = {}
        self._notices: dict[str, dict[str, Notice]] = {}
        self._place: tuple[float, Bounds] | None = None

    def listen(self, listener: Listener) -> None:
        """Have somebody told what is new."""
        self._listeners.append(listener)

    def names(self, layer: str) -> Names | None:
        """What messages call the intersections of a layer; None where it has no road map."""
        known = self._names.get(layer)
        if known is not None and known[0] > time.monotonic():
            return known[2]
        version = next((one for one in self._city.layers.current() if one.layer == layer), None)
        if version is None:
            return None
        if known is None or known[1] != version.version:
            roads = self._city.roads(version)
            if roads is None:  # what is sent of it could not be asked for
                return None
            names = Names(roads)
        else:
            names = known[2]
        self._names[layer] = time.monotonic() + _NAMES_SECONDS, version.version, names
        return names

    def expected_names(self, layer: str) -> Names:
        """The same; raises `NotFound` where it has no road map."""
        names = self.names(layer)
        if names is None:
            raise NotFound(
                f"the layer {layer!r} has no road map; GET /traffic/layers lists those that have one"
            )
        return names

    def notices(self, layer: str) -> list[Notice]:
        """What roadside units of a layer warn of now: what holds, and was heard of within a minute."""
        now = _now()
        return [
            one
            for one in self._notices.get(layer, {}).values()
            if one.heard > now - _NOTICE and (one.end is None or one.end > now)
        ]

    def _size(self, asked: GivenTraffic) -> int:
        return len(asked)

    def _full(self) -> TooMany:
        return TooMany(
            "more traffic arrives than can be written; go on in a second, with fewer at a time",
            RETRY_SECONDS,
        )

    def _written(self, asked: list[GivenTraffic]) -> list[Taken]:
        begun = time.thread_time()
        now = _now()
        bounds = self._bounds(now)
        accepted, duplicates = [0] * len(asked), [0] * len(asked)
        refused = [list(one.refused) for one in asked]
        new: list[tuple[str, Moving]] = []
        for (layer, kind), numbers in _by_kind(asked).items():
            some = []
            for number in numbers:
                part = next(p for p in asked[number].parts if type(p) is kind)
                kept, letters = believed(part, bounds, now)
                refused[number] += letters
                some.append(kept)
            what = joined(some, kind)
            if not len(what):
                continue
            fresh = self._known(layer, kind, now).fresh(what, self._stored(layer))
            ends = np.cumsum([len(one) for one in some])
            for number, begin, end in zip(numbers, [0, *ends[:-1]], ends, strict=True):
                count = int(fresh[begin:end].sum())
                accepted[number] += count
                duplicates[number] += int(end - begin) - count
            if fresh.any():
                new.append((layer, take(what, fresh)))
        notices = []
        for number, one in enumerate(asked):
            told, letters = believed_notices(one.notices, bounds)
            refused[number] += letters
            if told and one.layer is not None:
                notices.append((one.layer, told))
        begun = self._spent("checks", begun)
        self._write(asked, new, refused, now)
        begun = self._spent("commit", begun)
        for layer, rows in new:
            self._known(layer, type(rows), now).add(rows, now)
            self._tell(layer, rows)
        for layer, told in notices:
            self._warn(layer, told, now)
        self._spent("publish", begun)
        return [
            Taken(one.messages, accepted[number], duplicates[number], tuple(refused[number]))
            for number, one in enumerate(asked)
        ]

    def _write(
        self, asked: list[GivenTraffic], new: list[tuple[str, Moving]],
        refused: list[list[Refusal]], now: int,
    ) -> None:  # fmt: skip
        letters = [
            Refused(now, one.layer, one.source, letter.reason, letter.detail, letter.body)
            for one, some in zip(asked, refused, strict=True)
            for letter in some
        ]
        if not new and not letters:
            return
        traffic = self._city.traffic
        with traffic.transaction() as connection:
            for layer, what in new:
                traffic.batches.append(connection, layer, what, now)
            if letters:
                traffic.refused.add(connection, letters, self._settings.dead_letters_kept)

    def _warn(self, layer: str, told: Sequence[Notice], now: int) -> None:
        """Have notices hold; what was not repeated for long is forgotten with it."""
        known = self._notices.get(layer, {}).values()
        kept = {one.id: one for one in known if one.heard > now - _NOTICE}
        self._notices[layer] = kept | {one.id: one for one in told}

    def _known(self, layer: str, kind: type[Moving], now: int) -> Seen:
        if (layer, kind) not in self._seen:
            self._seen[layer, kind] = Seen(now)
        return self._seen[layer, kind]

    def _stored(self, layer: str) -> Stored:
        return lambda what: self._city.traffic.history.alike(layer, what)

    def _bounds(self, now: int) -> Bounds:
        if self._place is None or self._place[0] < time.monotonic():
            known = KnownStreams(self._city.live.streams())
            bounds = Bounds(
                int(3_600_000 * self._settings.observed_late_hours),
                int(60_000 * self._settings.observed_ahead_minutes),
                city_box(self._city, known, self._settings.observed_margin_km),
            )
            self._place = time.monotonic() + _PLACE_SECONDS, bounds
        return self._place[1]

    def _tell(self, layer: str, what: Moving) -> None:
        for listener in self._listeners:
            try:
                listener(layer, what)
            except Exception:  # noqa: BLE001 – the others are told all the same
                _log.exception("somebody could not be told what moved")


def _by_kind(asked: list[GivenTraffic]) -> dict[tuple[str, type[Moving]], list[int]]:
    """Who gave something, by the layer it is of and what it is."""
    found: dict[tuple[str, type[Moving]], list[int]] = defaultdict(list)
    for number, one in enumerate(asked):
        for part in one.parts:
            assert one.layer is not None
            found[one.layer, type(part)].append(number)
    return dict(sorted(found.items(), key=lambda item: (item[0][0], kind_of(item[0][1]))))


def _now() -> int:
    return time.time_ns() // 1_000_000
