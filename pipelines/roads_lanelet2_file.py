"""What a Lanelet2 map says: lanelets with their centre lines, and the lights they obey.

Source: the format as Lanelet2's documentation has it ("LaneletPrimitives", "LaneletAndAreaTagging").
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from cim_core.errors import InvalidInput, TooLarge
from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType
from pipelines.roads_geometry import length, metres_per_degree, resampled
from pipelines.roads_xml import children, limits, number

TYPES: Mapping[str, LaneType] = {
    "road": "driving", "highway": "driving", "play_street": "driving", "exit": "driving",
    "bus_lane": "bus", "bicycle_lane": "bike", "walkway": "sidewalk", "shared_walkway": "sidewalk",
    "stairs": "sidewalk", "rail": "tram", "parking": "parking", "emergency_lane": "shoulder",
    "crosswalk": "crosswalk",
}  # fmt: skip
"""Subtypes of lanelets; what is not named is a lane to drive on."""

_KILOMETRES, _MILES = 1 / 3.6, 0.44704
_URBAN, _RURAL = 50 / 3.6, 100 / 3.6
"""Where no limit is given: what Lanelet2's rules for Germany take in town and outside."""


@dataclass(slots=True)
class Lanelet:
    """A lanelet in metres: `left`, `right` are the ids of its bounds, turned to its direction.

    first, last
        The nodes its bounds begin and end at, left and right.
    """

    id: str
    type: LaneType
    tags: Mapping[str, str]
    left: str
    right: str
    line: Floats
    area: Floats
    width: float
    first: tuple[str, str]
    last: tuple[str, str]
    lights: list[str] = field(default_factory=list)

    @property
    def speed(self) -> float:
        """Its limit, metres per second."""
        told = self.tags.get("speed_limit", "").replace(" ", "").lower()
        text = told.rstrip("kmphs/")
        try:
            value = float(text)
        except ValueError:
            return _RURAL if self.tags.get("location") == "nonurban" else _URBAN
        return value * (_MILES if "mph" in told else 1.0 if told.endswith("m/s") else _KILOMETRES)


@dataclass(slots=True)
class LaneletMap:
    """All lanelets by their ids, in a plane of metres whose origin is longitude and latitude."""

    origin: tuple[float, float]
    lanelets: dict[str, Lanelet]


@dataclass(slots=True)
class _File:
    nodes: dict[str, tuple[float, float]] = field(default_factory=dict)
    ways: dict[str, list[str]] = field(default_factory=dict)
    lanelets: list[tuple[str, dict[str, str], dict[str, list[str]]]] = field(default_factory=list)
    lights: set[str] = field(default_factory=set)


def read_lanelets(path: Path, name: str) -> LaneletMap:
    """Read a map; raises `InvalidInput` naming the element that is wrong."""
    told = _File()
    for element in children(path, name):
        where = partial(_named, name, element)
        id_ = element.get("id", "")
        if element.tag == "node":
            if len(told.nodes) >= limits().points:
                raise TooLarge(f"{name} holds more than {limits().points} nodes; cut it into parts")
            told.nodes[id_] = number(element, "lon", where), number(element, "lat", where)
        elif element.tag == "way":
            told.ways[id_] = [one.get("ref", "") for one in element.iter("nd")]
        elif element.tag == "relation":
            tags = {one.get("k", ""): one.get("v", "") for one in element.iter("tag")}
            roles: dict[str, list[str]] = {}
            for one in element.iter("member"):
                roles.setdefault(one.get("role", ""), []).append(one.get("ref", ""))
            if tags.get("type") == "lanelet":
                told.lanelets.append((id_, tags, roles))
            elif tags.get("subtype") == "traffic_light":
                told.lights.add(id_)
    if not told.lanelets:
        raise InvalidInput(
            f"{name} holds no lanelet; export the map from its Lanelet2 editor again"
        )
    return _placed(told, name)


def _named(name: str, element: Element) -> str:
    return f"{name}, {element.tag} {element.get('id')}"


def _placed(told: _File, name: str) -> LaneletMap:
    first = told.ways.get(told.lanelets[0][2].get("left", [""])[0], [""])
    origin = told.nodes.get(first[0] if first else "")
    if origin is None:
        raise InvalidInput(
            f"{name}, relation {told.lanelets[0][0]}: its left bound is no way of the file"
        )
    scale = np.array(metres_per_degree(origin[1]))
    found = {}
    for id_, tags, roles in told.lanelets:
        bounds = []
        for side in ("left", "right"):
            refs = roles.get(side, [])
            way = told.ways.get(refs[0], []) if len(refs) == 1 else []
            if len(way) < 2 or not all(node in told.nodes for node in way):
                raise InvalidInput(
                    f"{name}, relation {id_}: its {side} bound must be one way of two nodes at least, "
                    "all of them in the file; correct the lanelet"
                )
            bounds.append((refs[0], way))
        found[id_] = _lanelet(id_, tags, bounds, told, origin, scale)
        found[id_].lights = [x for x in roles.get("regulatory_element", []) if x in told.lights]
    return LaneletMap(origin, found)


def _lanelet(
    id_: str, tags: Mapping[str, str], bounds: list[tuple[str, list[str]]], told: _File,
    origin: tuple[float, float], scale: Floats,
) -> Lanelet:  # fmt: skip
    (left_id, left_way), (right_id, right_way) = bounds
    left, right = (
        (np.array([told.nodes[node] for node in way]) - np.array(origin)) * scale
        for way in (left_way, right_way)
    )
    # Bounds may be written either way round: each lies on its side of the other.
    if _is_left(left, right):
        left, left_way = left[::-1], left_way[::-1]
    if not _is_left(right, left):
        right, right_way = right[::-1], right_way[::-1]
    shares = np.unique(np.concatenate([_shares(left), _shares(right)]).round(6))
    line = (resampled(left, shares) + resampled(right, shares)) / 2
    ring = np.vstack([left, right[::-1], left[:1]])
    return Lanelet(
        id_, TYPES.get(tags.get("subtype", "road"), "driving"), tags, left_id, right_id,
        line, ring, shapely.Polygon(ring).buffer(0).area / max(length(line), 0.1),
        (left_way[0], right_way[0]), (left_way[-1], right_way[-1]),
    )  # fmt: skip


def _is_left(line: Floats, other: Floats) -> bool:
    """Whether another line lies to the left of one, by its middle."""
    middle = resampled(other, np.array([0.5]))[0]
    shape = shapely.LineString(line)
    share = shape.project(shapely.Point(middle), normalized=True)
    near = resampled(line, np.clip(np.array([share - 0.01, share + 0.01]), 0, 1))
    along, away = near[1] - near[0], middle - near[0]
    return bool(along[0] * away[1] - along[1] * away[0] > 0)


def _shares(line: Floats) -> Floats:
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    return along / max(length(line), 1e-9)
