"""What a city knows that congestion may come of: events, rain, how many usually come, and what speaks how much."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from analysis.traffic.congestion import road_states
from cim_core.city import City
from cim_core.progress import Progress
from cim_core.store.traffic_events import EventsAsked
from cim_core.traffic.event import TrafficEvent

_DAY = 86_400_000
_MOST_EVENTS = 1000


@cache
def rules() -> dict[str, Any]:
    """`causes.toml`."""
    return tomllib.loads(files("analysis.traffic").joinpath("causes.toml").read_text("utf-8"))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to one value, 1 from another on, and straight in between.

    >>> ramp(1.35, 1.1, 1.6)
    0.5
    """
    return round(min(max((value - low) / (high - low), 0.0), 1.0), 6)


@dataclass(frozen=True)
class Flows:
    """How many vehicles came by, and how many usually do.

    vehicles, usual
        By link, in a window of the same length; `usual` is empty where nothing is known of it.
    against
        "earlier days", or "just before".
    """

    vehicles: Mapping[str, float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=dict)
    against: str = "earlier days"


def flows(
    city: City, layer: str, start: int, end: int, progress: Progress,
    now: Mapping[str, float] | None = None,
) -> Flows:  # fmt: skip
    """How many vehicles came by each link of a layer in a window, and on earlier days or just before.

    now
        Those of the window where they are counted already.

    A day on which nothing at all was recorded at that time says nothing of what is usual.
    """
    now = _counted(city, layer, start, end, progress) if now is None else now
    days = rules()["demand"]["days"]
    earlier = [_counted(city, layer, start - d * _DAY, end - d * _DAY, progress) for d in days]
    known = [counts for counts in earlier if counts]
    if known:
        links = {link for counts in known for link in counts}
        usual = {
            link: float(np.mean([counts.get(link, 0.0) for counts in known])) for link in links
        }
        return Flows(now, usual)
    return Flows(now, _counted(city, layer, start - (end - start), start, progress), "just before")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A rain gauge: its longitude and latitude, and the rain in a window, mm/h."""

    place: tuple[float, float]
    rate: float


def gauges(city: City, start: int, end: int) -> list[Gauge]:
    """The rain gauges that are seen and told something in a window."""
    rule = rules()["rain"]
    streams = city.live.streams().of_property(rule["property"])
    if not len(streams):
        return []
    rows = city.observed.rows(streams.ids, start, end)
    found = []
    for stream in streams.by_id.values():
        values = rows.values[rows.streams == stream.id]
        values = values[np.isfinite(values)]
        if len(values) and stream.place is not None:
            place = stream.place[0], stream.place[1]
            found.append(Gauge(place, float(values.mean()) * 3600 / rule["of"]))
    return found


def events_of(city: City, layer: str, start: int, end: int) -> list[TrafficEvent]:
    """The events of a layer that were on at some time of a window."""
    asked = EventsAsked("all", layer=layer, start=start, end=end, limit=_MOST_EVENTS)
    return [known.event for known in city.traffic.events.find(asked)]


def _counted(city: City, layer: str, start: int, end: int, progress: Progress) -> dict[str, float]:
    """How many different vehicles each link saw in a window."""
    if start < 0:
        return {}
    whole = -(-(end - start) // 1000)
    found = road_states(city, layer, start, end, whole, "link", None, progress)
    names = [found.names[place][1] for place in found.sums.places.tolist()]
    return dict(zip(names, map(float, found.vehicles.tolist()), strict=True))
