"""Whose signs are asked for and when; what is looked up once for many moments."""

import hashlib
from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

from cim_core.city import City
from cim_core.kept import kept
from cim_core.mesh import Floats
from cim_core.observations import Streams, Times
from cim_core.sight import Sight

HOUR = 3_600_000

_HOURS_KEPT = 400


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest observation of datastreams, (n,) each in their order; -1 and NaN without one."""

    times: Times
    values: Floats

    def over(self, earlier: "Newest") -> "Newest":
        """The same, with earlier ones where there is none."""
        none = self.times < 0
        return Newest(
            np.where(none, earlier.times, self.times), np.where(none, earlier.values, self.values)
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A city as somebody sees it, at a moment (milliseconds since 1970); equal to any such.

    since
        When the hour of the moment began: what is older is looked at once an hour, so that what
        comes late counts by the next.
    """

    city: City
    moment: int

    @property
    def since(self) -> int:
        """The beginning of the hour."""
        return self.moment - self.moment % HOUR

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asked) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> Hashable:
        """What makes the difference."""
        return self.moment, self.seen

    @property
    def seen(self) -> Hashable:
        """The city, and what is seen of it."""
        return self.city.folder, sight_key(self.city.sight)

    def newest(self, property_: str | None, at: int, reach: int) -> tuple[Streams, Newest]:
        """The newest observation of each datastream with at - reach ≤ time < at.

        property_
            Only of datastreams that observe it.
        """
        streams = _streams(self.city, property_)
        none = Newest(np.full(len(streams), -1, np.int64), np.full(len(streams), np.nan))
        found, end = none, at
        while end > at - reach:
            start = (end - 1) // HOUR * HOUR
            if at < start + HOUR:
                block = _newest(self.city, streams, start, at)
            else:
                block = _hour(_Hour(self, streams, start))
            found, end = found.over(block), start
        fresh = found.times >= at - reach
        return streams, Newest(
            np.where(fresh, found.times, -1), np.where(fresh, found.values, np.nan)
        )


class _Hour:
    """An hour of some datastreams, equal to the same until the hour of the moment is over."""

    def __init__(self, asked: Asked, streams: Streams, start: int) -> None:
        self.city, self.streams, self.start = asked.city, streams, start
        which = hashlib.blake2b(streams.ids.tobytes(), digest_size=16).digest()
        self.key = asked.city.folder, asked.since, start, which

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hour) and self.key == other.key


@kept(_HOURS_KEPT)
def _hour(asked: _Hour) -> Newest:
    return _newest(asked.city, asked.streams, asked.start, asked.start + HOUR)


def _newest(city: City, streams: Streams, start: int, end: int) -> Newest:
    """The newest with start ≤ time < end."""
    rows = city.observed.rows(streams.ids, start, end)  # in the order of time
    places = streams.rows(rows.streams)
    times = np.full(len(streams), -1, np.int64)
    values = np.full(len(streams), np.nan)
    times[places], values[places] = rows.times, rows.values  # the last of each stays
    return Newest(times, values)


def _streams(city: City, property_: str | None) -> Streams:
    streams = city.live.streams()
    return streams if property_ is None else streams.of_property(property_)


def sight_key(sight: Sight) -> Hashable:
    """The same for those who see the same."""
    parts = None
    if sight.parts is not None:
        parts = tuple(sorted((layer, part.key) for layer, part in sight.parts.items()))
    return parts, sight.people, sight.towns, sight.households
