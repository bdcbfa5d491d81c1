"""What was recognised on the roads (车城事件): what it is, where, since when, how one knows, and why."""

from typing import Annotated, Any, Literal, get_args

import msgspec

EventKind = Literal[
    "abnormal-stop", "wrong-way", "queue-spillback", "speeding", "pedestrian", "hard-braking",
    "signal-failure", "off-route", "geofence", "notice",
]  # fmt: skip
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)

CauseKind = Literal[
    "accident", "incident", "demand", "works", "rain", "signal-failure", "signal", "spillback",
    "notice",
]  # fmt: skip

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]

Track = tuple[tuple[int, str, float, float, float | None], ...]
"""Milliseconds since 1970, vehicle, longitude, latitude and metres per second of each position."""

MOST_TRACK = 240
"""So many positions are kept with an event: those around its beginning, and its latest."""


class Cause(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why something is as it is, as far as the city knows.

    score
        How much speaks for it, beside the other causes of the same thing.
    en, zh
        A sentence each for people.
    evidence
        The figures it rests on, by name.
    """

    kind: CauseKind
    score: Share
    en: str
    zh: str
    evidence: dict[str, Any] = {}


class TrafficEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that happens, or happened, on a road.

    key
        What happens where, or to whom: there is never more than one open event of one key.
    begun, ended
        Milliseconds since 1970; None while it lasts. It begins with the first moment that belongs
        to it, which is before the one it was recognised in.
    lon, lat
        Degrees.
    link, lane, intersection
        Ids of the road map, None where there is none.
    vehicles
        Those it concerns, the first to be seen first.
    confidence
        How sure it is: as `event_rules.toml` has it for its kind.
    evidence
        What was measured, by name, in seconds, metres and metres per second.
    track
        The positions around it.
    note
        What people said of it, or a notice's own words.
    closed_by
        Who closed it; empty where that was the program.
    """

    kind: EventKind
    key: str
    begun: int
    ended: int | None = None
    lon: float
    lat: float
    link: str | None = None
    lane: str | None = None
    intersection: str | None = None
    vehicles: tuple[str, ...] = ()
    confidence: Share = 1.0
    evidence: dict[str, Any] = {}
    track: Track = ()
    causes: tuple[Cause, ...] = ()
    note: str = ""
    closed_by: str = ""


What = Literal["opened", "updated", "closed"]


class Change(msgspec.Struct, frozen=True):
    """What happened to an event, and how it is since."""

    what: What
    event: TrafficEvent


def shortened(track: Track, most: int = MOST_TRACK) -> Track:
    """A track of bounded length: where it is too long, its first half and its latest.

    >>> len(shortened(((0, "a", 113.5, 23.1, None),) * 1000))
    240
    """
    if len(track) <= most:
        return track
    half = most // 2
    return track[:half] + track[half - most :]
