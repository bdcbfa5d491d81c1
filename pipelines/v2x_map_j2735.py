"""MAP of SAE J2735 as the U.S. DOT's Operational Data Environment writes it in JSON.

Lanes of an intersection are chains of offsets in centimetres from its reference point, from the
stop line outwards; those that lead in are turned round here.
"""

import math

import numpy as np

from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType
from pipelines.v2x_element import Element
from pipelines.v2x_told import (
    ToldConnection,
    ToldCrosswalk,
    ToldLane,
    ToldLink,
    ToldNode,
    bits,
    key_of,
    speed_of,
    turns_of,
    usual,
)

_MOST_OFFSET = 32_768
_RAW_DEGREE = 1e-7
_TYPES: dict[str, LaneType | None] = {
    "vehicle": "driving", "crosswalk": "crosswalk", "bikeLane": "bike", "sidewalk": "sidewalk",
    "median": None, "striping": None, "trackedVehicle": "tram", "parking": "parking",
}  # fmt: skip
_VEHICLE = (
    "isVehicleRevocableLane",
    "isVehicleFlyOverLane",
    "hovLaneUseOnly",
    "restrictedToBusUse",
)


def nodes_of(message: Element) -> list[ToldNode]:
    """The intersections of a MAP; raises `MessageRefused` naming the element that is wrong."""
    told = message["intersections"]
    if isinstance(told.value, dict):
        told = told["intersectionGeometry"]
    return [_node(one) for one in told.each(1, 32)]


def _node(element: Element) -> ToldNode:
    point = element["refPoint"]
    lat = _degrees(point.find("latitude") or point["lat"], 90)
    lon = _degrees(point.find("longitude") or point["long"], 180)
    name, width = element.find("name"), element.find("laneWidth")
    node = ToldNode(key_of(element["id"]), name.text(63) if name else "", (lon, lat))
    wide = width.whole(0, 32_767) / 100 if width else 0.0
    wide = wide or usual()["usual"]["lane_width"]
    limit = speed_of(element.find("speedLimits")) or usual()["usual"]["speed"]
    lanes = element["laneSet"]
    if isinstance(lanes.value, dict):
        lanes = lanes["GenericLane"]
    links: dict[str, ToldLink] = {}
    for one in lanes.each(1, 255):
        _lane(one, node, wide, limit, links)
    return node


def _lane(
    one: Element, node: ToldNode, width: float, limit: float, links: dict[str, ToldLink]
) -> None:
    number = one["laneID"].whole(0, 255)
    attributes = one["laneAttributes"]
    kind = _type(attributes.find("laneType"))
    use = bits(attributes["directionalUse"], 2, ("ingressPath", "egressPath"))
    line = _line(one["nodeList"], node)
    connections = _connections(one.find("connectsTo"))
    if kind is None:
        return
    if kind == "crosswalk":
        group = next((x.group for x in connections if x.group is not None), None)
        node.crosswalks.append(ToldCrosswalk(number, None, line, width, group))
        return
    turns = turns_of(one.find("maneuvers"))
    for side, word in enumerate(("ingress", "egress")):
        if side not in use:
            continue
        told = one.find(f"{word}Approach")
        approach = told.whole(0, 15) if told else 0
        id_ = f"{node.id}:{'in' if side == 0 else 'out'}{approach}"
        if id_ not in links:
            links[id_] = ToldLink(id_, None, str(approach), [])
            (node.into if side == 0 else node.out).append(links[id_])
        if any(lane.number == number for lane in links[id_].lanes):
            raise one["laneID"].wrong("a number that no other lane of the intersection has")
        links[id_].lanes.append(
            ToldLane(
                number, kind, line[::-1] if side == 0 else line, width, limit,
                turns if side == 0 else (), connections if side == 0 else [],
            )
        )  # fmt: skip


def _type(told: Element | None) -> LaneType | None:
    if told is None:
        return "driving"
    found = next((word for word in _TYPES if told.find(word) is not None), "vehicle")
    if found == "vehicle" and 3 in bits(told.find(found), 8, _VEHICLE):
        return "bus"
    return _TYPES[found]


def _connections(told: Element | None) -> list[ToldConnection]:
    if told is not None and isinstance(told.value, dict):
        told = told["connectsTo"]
    found = []
    for one in told.each(0, 16) if told else ():
        lane, group, remote = (
            one["connectingLane"],
            one.find("signalGroup"),
            one.find("remoteIntersection"),
        )
        number = lane["lane"].whole(0, 255)
        turns = turns_of(lane.find("maneuver"))
        phase = group.whole(0, 255) if group else 0
        if number and remote is None:
            found.append(
                ToldConnection(
                    None, number, turns[0] if len(turns) == 1 else None,
                    phase if 0 < phase < 255 else None,
                )
            )  # fmt: skip
    return found


def _line(nodes: Element, node: ToldNode) -> Floats:
    """The places of a chain of offsets, (n, 2) degrees, from the stop line outwards."""
    told = nodes["nodes"]
    if isinstance(told.value, dict):
        told = told["NodeXY"]
    degree = usual()["node_offsets"]["metres_per_degree"]
    east, north = 100 * degree * math.cos(math.radians(node.place[1])), 100 * degree
    lon, lat = node.place
    found = []
    for one in told.each(2, 63):
        delta = one["delta"]
        if not isinstance(delta.value, dict):
            raise delta.wrong("an object of one offset")
        word = next((key for key, value in delta.value.items() if value is not None), "")
        by = delta[word or "nodeXY1"]
        if word.lower().replace("-", "").replace("_", "") == "nodelatlon":
            lon, lat = _degrees(by["lon"], 180), _degrees(by["lat"], 90)
        else:
            lon += by["x"].whole(-_MOST_OFFSET, _MOST_OFFSET - 1) / east
            lat += by["y"].whole(-_MOST_OFFSET, _MOST_OFFSET - 1) / north
        found.append((lon, lat))
    return np.array(found)


def _degrees(told: Element, most: float) -> float:
    """Degrees, which newer messages have as raw integers of 1e-7."""
    if isinstance(told.value, int) and abs(told.value) > most:
        return told.number(-most / _RAW_DEGREE, most / _RAW_DEGREE) * _RAW_DEGREE
    return told.number(-most, most)
