"""What is asked of the traffic of a city: which road map, which intersection, which time."""

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from cim_core.city import City
from cim_core.errors import Conflict, InvalidInput, NotFound
from cim_core.observations import LAST_TIME
from cim_core.store.layers import LayerVersion
from cim_core.traffic.roads import Intersection, RoadMap
from server.given import milliseconds
from server.traffic.frames import Anchor

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UTC = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Roads:
    """A road map that somebody sees, with the version it is of."""

    version: LayerVersion
    map: RoadMap

    @property
    def layer(self) -> str:
        """Its layer."""
        return self.version.layer

    @property
    def anchor(self) -> Anchor:
        """Longitude and latitude of the place that metres are counted from."""
        lon, lat, _ = self.version.summary["frame"]
        return float(lon), float(lat)


def road_maps(city: City, layer: str | None = None) -> list[Roads]:
    """The road maps that somebody sees, or that of one layer; raises `NotFound` as `road_map` does."""
    if layer is not None:
        return [road_map(city, layer)]
    return [Roads(*found) for found in city.road_maps().values()]


def road_map(city: City, layer: str) -> Roads:
    """The road map of a layer; raises `NotFound` for a layer that has none, or is not seen whole."""
    found = city.road_maps().get(layer)
    if found is None:
        raise NotFound(
            f"the layer {layer!r} has no road map; GET /traffic/layers lists those that have one"
        )
    return Roads(*found)


def intersection(city: City, name: str, layer: str | None) -> tuple[Roads, Intersection]:
    """An intersection by its id, of a layer or of any.

    Raises `NotFound`, and `Conflict` where several layers have one of that id.
    """
    maps = road_maps(city, layer)
    found = [
        (roads, roads.map.intersection_by_id[name])
        for roads in maps
        if name in roads.map.intersection_by_id
    ]
    if not found:
        raise NotFound(f"there is no intersection {name!r}; GET /intersections lists them")
    if len(found) > 1:
        layers = ", ".join(roads.layer for roads, _ in found)
        raise Conflict(
            f"several layers have an intersection {name!r} ({layers}); say which by ?layer="
        )
    return found[0]


def corridor_map(city: City, layer: str | None, corridor: str | None, begin: str | None) -> Roads:
    """The road map that has a corridor, or the intersection that a way begins at.

    Raises `InvalidInput` where neither is told, `NotFound`, and `Conflict` where several have it.
    """
    if corridor is None:
        if begin is None:
            raise InvalidInput("along which way is not told; give corridor, or from and to")
        return intersection(city, begin, layer)[0]
    found = [
        roads
        for roads in road_maps(city, layer)
        if any(link.corridor == corridor for link in roads.map.links)
    ]
    if not found:
        raise NotFound(f"there is no corridor {corridor!r} on any road map; a link names its own")
    if len(found) > 1:
        layers = ", ".join(roads.layer for roads in found)
        raise Conflict(
            f"several layers have a corridor {corridor!r} ({layers}); say which by ?layer="
        )
    return found[0]


def moment(given: str, name: str) -> int:
    """A time as it stands in an address, as milliseconds since 1970.

    >>> moment("2026-11-23T08:00:00+08:00", "start"), moment("1000", "start")
    (1795392000000, 1000)
    """
    text = given.strip().replace(" ", "+")  # which a plus sign in an address stands for
    try:
        found = int(text) if text.isascii() and text.isdigit() else milliseconds(text, _UTC)
    except ValueError:
        found = -1
    if not 0 <= found <= LAST_TIME:
        raise InvalidInput(
            f"{name}={given[:40]} is no time; write milliseconds since 1970, or a time like "
            "2026-11-23T08:00:00Z"
        )
    return found


def window(start: str | None, end: str | None, usual: int, most: int) -> tuple[int, int]:
    """From when to when, milliseconds: as long as usual before the end, which is now if not told.

    Raises `InvalidInput` for one that is empty or longer than `most`.
    """
    until = clock() if end is None else moment(end, "end")
    begin = max(0, until - usual) if start is None else moment(start, "start")
    if end is None and start is not None:
        until = min(until, begin + most)
    if begin >= until:
        raise InvalidInput(f"no time lies between start={begin} and end={until}; give the earlier one as start")  # fmt: skip
    if until - begin > most:
        raise InvalidInput(
            f"that is {(until - begin) / MINUTE:g} minutes, and at most {most / MINUTE:g} are told "
            "at once; ask for a shorter time"
        )
    return begin, until


def clock() -> int:
    """Now, milliseconds since 1970."""
    return time.time_ns() // 1_000_000
