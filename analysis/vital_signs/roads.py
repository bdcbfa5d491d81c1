"""Signs of traffic: how fast and how congested all roads are, by link."""

import hashlib
from collections import defaultdict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.traffic.congestion_index import counted, definition_named, ratios
from analysis.traffic.congestion_sums import counting, pieces
from analysis.traffic.lanes import lane_map
from analysis.vital_signs.moments import Asked
from analysis.vital_signs.reading import (
    Part,
    Reading,
    Total,
    Words,
    of_a_part,
    ready,
    titled,
    unavailable,
)
from cim_core.kept import kept
from cim_core.store.layers import LayerVersion
from cim_core.traffic.moving import Positions, joined, take
from cim_core.traffic.roads import RoadMap

BIN = 300_000
"""Milliseconds of traffic that are looked at together."""

_SETTLED = 600_000
"""After so long what was recorded is all there: it is not looked at again."""

Link = tuple[str, str]
Maps = Mapping[str, tuple[LayerVersion, RoadMap]]


@dataclass(frozen=True, slots=True)
class _Driven:
    """What was driven on a link: metres, seconds, and seconds with nobody in the way."""

    title: Words
    metres: float
    seconds: float
    free: float


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was driven in some minutes by those that are followed, of so many vehicles on one map."""

    driven: Mapping[Link, _Driven]
    vehicles: int


class _Bin:
    """Some minutes of a city's traffic; equal as long as the roads are the same and nothing is late."""

    def __init__(self, asked: Asked, maps: Maps, start: int, most: int) -> None:
        self.city, self.maps, self.start, self.most = asked.city, maps, start, most
        versions = tuple((layer, one.version, one.receipt) for layer, (one, _) in maps.items())
        settled = start + BIN + _SETTLED <= asked.moment
        looked: Hashable = True if settled else asked.moment - asked.moment % BIN
        self.key = asked.seen, versions, start, most, looked

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Bin) and self.key == other.key


def speed(asked: Asked, at: int, *, minutes: float, most: int) -> Reading:
    """All metres by all seconds, km/h, of the last whole minutes before a moment.

    most
        Of more vehicles in five minutes than that, so many count, chosen by their names.
    """

    def kilometres_an_hour(metres: float, seconds: float) -> float:
        return 3.6 * metres / seconds if seconds else np.nan

    return _reading(asked, at, minutes, most, kilometres_an_hour, free=False)


def congestion(asked: Asked, at: int, *, minutes: float, most: int) -> Reading:
    """The index of GB/T 33171 of all roads together; see `speed`."""
    measure = definition_named("gbt33171")

    def index(free: float, seconds: float) -> float:
        # Only times count here: whoever took any without delay moved, however far.
        found = ratios(np.array([free]), np.array([seconds]), np.array([free]))
        return float(measure.indices(found)[0])

    return _reading(asked, at, minutes, most, index, free=True)


def _reading(
    asked: Asked, at: int, minutes: float, most: int, total: Total, *, free: bool
) -> Reading:
    maps = asked.city.road_maps()
    if not maps:
        return unavailable("no-road-map")
    layers = tuple(sorted(maps))
    end = at - at % BIN
    start = end - max(1, round(minutes * 60_000 / BIN)) * BIN
    sums: defaultdict[Link, list[_Driven]] = defaultdict(list)
    vehicles = 0
    for begin in range(start, end, BIN):
        seen = _seen(_Bin(asked, maps, begin, most))
        vehicles = max(vehicles, seen.vehicles)
        for link, driven in seen.driven.items():
            sums[link].append(driven)
    parts = {
        f"{layer}/{link}": Part(
            several[0].title,
            sum(one.free if free else one.metres for one in several),
            sum(one.seconds for one in several),
        )
        for (layer, link), several in sums.items()
    }
    if sum(part.denominator for part in parts.values()) < counted()["least"]:
        return unavailable("no-traffic", layers)
    if vehicles > most:
        return of_a_part(parts, total, layers, "sampled", some=most, all=vehicles)
    return ready(parts, total, layers)


@kept(200)
def _seen(asked: _Bin) -> _Seen:
    found: dict[Link, _Driven] = {}
    vehicles = 0
    end, reach = asked.start + BIN, round(1000 * counted()["gap"])
    for layer, (_, roads) in asked.maps.items():
        some = asked.city.traffic.pieces(layer, Positions, asked.start, end + reach)
        positions = joined([counting(x) for x in some], Positions)
        if not len(positions):
            continue
        vehicles = max(vehicles, len(np.unique(positions.who.codes)))
        positions = _of_some(positions, asked.most)
        known = pieces(lane_map(roads), positions)
        known = known.take((known.times >= asked.start) & (known.times < end))
        sums = [
            np.bincount(known.links, column, len(roads.links))
            for column in (known.metres, known.seconds, known.free_seconds)
        ]
        for row in np.flatnonzero(sums[1]).tolist():
            link = roads.links[row]
            metres, seconds, free = (float(max(column[row], 0.0)) for column in sums)
            found[layer, link.id] = _Driven(titled(link.name or link.id), metres, seconds, free)
    return _Seen(found, vehicles)


def _of_some(positions: Positions, most: int) -> Positions:
    """Those of so many vehicles at most, the same ones whenever they are seen together."""
    codes = np.unique(positions.who.codes)
    if len(codes) <= most:
        return positions
    names = [positions.who.names[code] for code in codes.tolist()]
    order = np.argsort([hashlib.blake2b(name.encode()).digest() for name in names])
    return take(positions, np.isin(positions.who.codes, codes[order[:most]]))
