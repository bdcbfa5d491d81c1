"""MAP of T/CSAE 53 as JSON: nodes with the links that lead in, raw integers as in the ASN.1.

Source: the ASN.1 of release 2019-07-24; a place is 1e-7 degrees from the node's, unless it is whole.
"""

import numpy as np
import shapely

from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType
from pipelines.roads_geometry import metres_per_degree
from pipelines.v2x_element import Element, intersection_id
from pipelines.v2x_told import (
    Key,
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

_UNIT = 1e-7
_HALVES = {"positionll1": 2_048, "positionll2": 8_192, "positionll3": 32_768, "positionll4": 131_072,
           "positionll5": 2_097_152, "positionll6": 8_388_608}  # fmt: skip
"""What offsets of each choice stay below: B12, B14, B16, B18, B22 and B24."""

_WHOLE = "positionlatlon"
_TYPES: dict[str, LaneType | None] = {
    "vehicle": "driving", "crosswalk": "crosswalk", "bikelane": "bike", "sidewalk": "sidewalk",
    "barrier": None, "median": None, "striping": None, "trackedvehicle": "tram", "parking": "parking",
}  # fmt: skip
_BUS_ONLY = 3
_PERMANENT_GREEN = 255


def nodes_of(message: Element) -> list[ToldNode]:
    """The nodes of a MAP; raises `MessageRefused` naming the element that is wrong."""
    for key, most in (("msgCnt", 127), ("timeStamp", 527_040)):
        told = message.find(key)
        if told is not None:
            told.whole(0, most)
    return [_node(one) for one in message["nodes"].each(1, 63)]


def _node(element: Element) -> ToldNode:
    place = element["refPos"]
    lat = place["lat"].whole(-900_000_000, 900_000_000) * _UNIT
    lon = place["long"].whole(-1_799_999_999, 1_800_000_000) * _UNIT
    name = element.find("name")
    node = ToldNode(key_of(element["id"]), name.text(63) if name else "", (lon, lat))
    links = element.find("inLinks")
    for link in links.each(1, 32) if links else ():
        _link(link, node)
    return node


def _link(element: Element, node: ToldNode) -> None:
    far = key_of(element["upstreamNodeId"])
    name, width = element.find("name"), element.find("linkWidth")
    movements = element.find("movements")
    phases: dict[Key, int] = {}
    for one in movements.each(1, 32) if movements else ():
        phase = one.find("phaseId")
        if phase is not None:
            phases[key_of(one["remoteIntersection"])] = phase.whole(0, 255)
    lanes = element["lanes"]
    id_ = f"{intersection_id(*far)}>{node.id}"
    again = sum(one.far == far for one in node.into)
    id_ = f"{id_}~{again + 1}" if again else id_
    link = ToldLink(id_, far, name.text(63) if name else "", [])
    limit = speed_of(element.find("speedLimits"))
    wide = width.whole(0, 32_767) / 100 if width else None
    middle = _line(element.find("points"), node)
    told = list(lanes.each(1, 32))
    for number, one in enumerate(told):
        kind = _type(one.find("laneAttributes"))
        if kind is None:
            continue
        own = one.find("laneWidth")
        across = own.whole(0, 32_767) / 100 if own else (wide or 0) / len(told)
        lane = ToldLane(
            one["laneID"].whole(0, 255), kind, np.zeros((0, 2)),
            across or usual()["usual"]["lane_width"],
            speed_of(one.find("speedLimits")) or limit or usual()["usual"]["speed"],
            turns_of(one.find("maneuvers")), _connections(one.find("connectsTo"), phases),
        )  # fmt: skip
        line = _line(one.find("points"), node)
        if line is None:
            if middle is None:
                raise one["points"].wrong("places")
            line = _beside(middle, (number - (len(told) - 1) / 2) * lane.width)
        lane.line = line
        if kind == "crosswalk":
            group = next((x.group for x in lane.connections if x.group is not None), None)
            node.crosswalks.append(ToldCrosswalk(lane.number, id_, line, lane.width, group))
        else:
            link.lanes.append(lane)
    if link.lanes:
        node.into.append(link)


def _type(attributes: Element | None) -> LaneType | None:
    if attributes is None:
        return "driving"
    told = attributes.find("laneType")
    if told is None:
        return "driving"
    if not isinstance(told.value, dict) or len(told.value) != 1:
        raise told.wrong("an object of one type of lane")
    word = next(iter(told.value))
    kind = word.lower().replace("-", "").replace("_", "")
    if kind not in _TYPES:
        raise told.wrong(f"one of {', '.join(_TYPES)}")
    names = (
        "isVehicleRevocableLane",
        "isVehicleFlyOverLane",
        "hovLaneUseOnly",
        "restrictedToBusUse",
    )
    if kind == "vehicle" and _BUS_ONLY in bits(told.find(word), 8, names):
        return "bus"
    return _TYPES[kind]


def _connections(element: Element | None, phases: dict[Key, int]) -> list[ToldConnection]:
    found = []
    for one in element.each(1, 16) if element else ():
        remote = key_of(one["remoteIntersection"])
        lane, phase = one.find("connectingLane"), one.find("phaseId")
        turns = turns_of(lane.find("maneuver")) if lane else ()
        group = phase.whole(0, 255) if phase else phases.get(remote, 0)
        number = lane["lane"].whole(0, 255) if lane else None
        found.append(
            ToldConnection(
                remote, number or None, turns[0] if len(turns) == 1 else None,
                group if 0 < group < _PERMANENT_GREEN else None,
            )
        )  # fmt: skip
    return found


def _line(element: Element | None, node: ToldNode) -> Floats | None:
    """The places of a list of points, (n, 2) degrees."""
    if element is None:
        return None
    found = []
    for one in element.each(2, 31):
        offset = one["posOffset"]["offsetLL"]
        value = offset.value
        if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str):
            offset = Element({value[0]: value[1]}, offset.path)  # as Python's ASN.1 tools have it
        if not isinstance(offset.value, dict) or len(offset.value) != 1:
            raise offset.wrong("an object of one offset, as position-LL1")
        choice = next(iter(offset.value))
        kind, by = choice.lower().replace("-", "").replace("_", ""), offset[choice]
        if kind == _WHOLE:
            lon = by["lon"].whole(-1_799_999_999, 1_800_000_000) * _UNIT
            lat = by["lat"].whole(-900_000_000, 900_000_000) * _UNIT
        elif kind in _HALVES:
            most = _HALVES[kind]
            lon = node.place[0] + by["lon"].whole(-most, most - 1) * _UNIT
            lat = node.place[1] + by["lat"].whole(-most, most - 1) * _UNIT
        else:
            raise offset.wrong("position-LL1 to position-LL6 or position-LatLon")
        found.append((lon, lat))
    return np.array(found)


def _beside(line: Floats, distance: float) -> Floats:
    """A line so many metres to the right of one in degrees; of those without places of their own."""
    if not distance:
        return line
    scale = np.array(metres_per_degree(float(line[0, 1])))
    plane = (line - line[0]) * scale
    moved = shapely.get_coordinates(shapely.LineString(plane).offset_curve(-distance))
    moved_line: Floats = (moved if len(moved) > 1 else plane) / scale + line[0]
    return moved_line
