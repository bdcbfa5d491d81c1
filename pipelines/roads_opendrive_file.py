"""What an OpenDRIVE file says, element by element, in the plane of the file.

Source: ASAM OpenDRIVE 1.6.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast
from xml.etree.ElementTree import Element

import numpy as np

from cim_core.errors import InvalidInput, TooLarge
from cim_core.mesh import Floats
from pipelines.roads_opendrive_shapes import Cubic, Geometry, Kind
from pipelines.roads_xml import children, limits, number, whole

Where = Callable[[], str]
_UNITS = {"": 1.0, "m/s": 1.0, "km/h": 1 / 3.6, "mph": 0.44704}
_ABC = ("a", "b", "c", "d")
_TOLD: dict[str, tuple[str, ...]] = {
    "line": (), "arc": ("curvature",), "spiral": ("curvStart", "curvEnd"), "poly3": _ABC,
    "paramPoly3": ("aU", "bU", "cU", "dU", "aV", "bV", "cV", "dV"),
}  # fmt: skip


@dataclass(slots=True)
class OdLane:
    """A lane of a section: `before`, `after` are its lanes in what comes before and after along s."""

    id: int
    type: str
    widths: list[Cubic]
    before: int | None
    after: int | None
    speed: float | None


@dataclass(slots=True)
class OdSection:
    """A stretch of a road with the same lanes."""

    start: float
    end: float
    lanes: dict[int, OdLane]


@dataclass(frozen=True, slots=True)
class OdNext:
    """What comes before or after a road: another, by its end that is there, or a junction."""

    id: str
    junction: bool
    at_start: bool


@dataclass(slots=True)
class OdSignal:
    """A light on a road; `lanes` are those it is for, None for all; `along` is +1, -1 or 0 for both."""

    id: str
    type: str
    dynamic: bool
    along: int
    lanes: tuple[int, int] | None


@dataclass(slots=True)
class OdRoad:
    """A road; inside of `junction` where that is not empty."""

    id: str
    name: str
    type: str
    junction: str
    right_hand: bool
    length: float
    speed: float | None
    before: OdNext | None
    after: OdNext | None
    geometry: list[Geometry]
    offsets: list[Cubic]
    sections: list[OdSection]
    signals: list[OdSignal]
    crosswalks: list[tuple[str, Floats]]
    """Ids with the s and t of their corners, (n, 2)."""


@dataclass(frozen=True, slots=True)
class OdConnection:
    """A way into a junction: which lanes of the incoming road lead to which of the connecting one."""

    incoming: str
    connecting: str
    at_start: bool
    lanes: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class OdFile:
    """All of a file: junctions by id with their names, controllers with the signals they control."""

    projection: str | None = None
    offset: Floats = field(default_factory=lambda: np.zeros(2))
    roads: dict[str, OdRoad] = field(default_factory=dict)
    junctions: dict[str, str] = field(default_factory=dict)
    connections: dict[str, list[OdConnection]] = field(default_factory=dict)
    controllers: dict[str, str] = field(default_factory=dict)


def read_opendrive(path: Path, name: str) -> OdFile:
    """Read a file; raises `InvalidInput` naming the element that is wrong."""
    told = OdFile()
    signals: dict[str, OdSignal] = {}
    references: list[tuple[OdRoad, Element, Where]] = []
    for element in children(path, name):
        where = partial(_named, name, element)
        if element.tag == "header":
            _header(told, element, where)
        elif element.tag == "road":
            road = _road(element, where)
            told.roads[road.id] = road
            signals |= {one.id: one for one in road.signals}
            references += [(road, one, where) for one in element.iter("signalReference")]
        elif element.tag == "junction":
            id_ = element.get("id", "")
            told.junctions[id_] = element.get("name", "")
            told.connections[id_] = [_connection(one, where) for one in element.iter("connection")]
        elif element.tag == "controller":
            for one in element.iter("control"):
                told.controllers[one.get("signalId", "")] = element.get("id", "")
    for road, one, place in references:
        light = signals.get(one.get("id", ""))
        if light is not None:
            road.signals.append(
                OdSignal(light.id, light.type, light.dynamic, _along(one), _validity(one, place))
            )
    return told


def _named(name: str, element: Element) -> str:
    return f"{name}, {element.tag} {element.get('id', '')}".strip()


def _header(told: OdFile, element: Element, where: Where) -> None:
    text = (element.findtext("geoReference") or "").strip()
    told.projection = text or None
    offset = element.find("offset")
    if offset is not None:
        if number(offset, "hdg", where, 0.0):
            raise InvalidInput(
                f"{where()}: the file is turned by the offset's hdg, which is not read; export it "
                "in the map system itself"
            )
        told.offset = np.array([number(offset, "x", where, 0.0), number(offset, "y", where, 0.0)])


def _road(element: Element, where: Where) -> OdRoad:
    length = _metres(element, "length", where)
    kinds = element.findall("type")
    link = element.find("link")
    junction = element.get("junction", "-1")
    plan = element.find("planView")
    geometry = [_geometry(one, where) for one in (plan if plan is not None else ())]
    if not geometry:
        raise InvalidInput(f"{where()} has no geometry in its planView; export the file again")
    if sum(one.length for one in geometry) > limits().road:
        raise _too_long(where, "planView")
    lanes = element.find("lanes")
    if lanes is None:
        raise InvalidInput(f"{where()} has no lanes; export the file again")
    told = lanes.findall("laneSection")
    begins = [_metres(one, "s", where) for one in told]
    speeds = [_speed(one, where) for kind in kinds for one in kind.findall("speed")]
    return OdRoad(
        element.get("id", ""), element.get("name", ""), kinds[0].get("type", "") if kinds else "",
        "" if junction == "-1" else junction, element.get("rule", "RHT") != "LHT", length,
        next((one for one in speeds if one), None), _next(link, "predecessor"),
        _next(link, "successor"), geometry,
        [_cubic(one, "s", where) for one in lanes.findall("laneOffset")],
        [
            _section(one, start, end, where)
            for one, start, end in zip(told, begins, [*begins[1:], length], strict=True)
        ],
        [_signal(one, where) for one in element.iter("signal")],
        [found for one in element.iter("object") if (found := _crosswalk(one, where))],
    )  # fmt: skip


def _geometry(element: Element, where: Where) -> Geometry:
    shape = next((one for one in element if one.tag in _TOLD), None)
    if shape is None:
        raise InvalidInput(
            f"{where()}: a geometry is none of {', '.join(_TOLD)}; export the file with one of these"
        )
    x, y, hdg = (number(element, key, where) for key in ("x", "y", "hdg"))
    s, length = (_metres(element, key, where) for key in ("s", "length"))
    told = tuple(number(shape, key, where) for key in _TOLD[shape.tag])
    normalized = shape.get("pRange", "normalized") == "normalized"
    return Geometry(cast("Kind", shape.tag), s, x, y, hdg, length, told, normalized)


def _metres(element: Element, key: str, where: Where) -> float:
    """A length along a road, which is as long as roads are: it is looked at metre by metre."""
    value = number(element, key, where)
    if abs(value) > limits().road:
        raise _too_long(where, key)
    return value


def _too_long(where: Where, key: str) -> TooLarge:
    return TooLarge(
        f"{where()}: {key} is more than {limits().road // 1000} km, longer than any road; correct it"
    )


def _cubic(element: Element, key: str, where: Where, start: float = 0.0) -> Cubic:
    a, b, c, d = (number(element, one, where, 0.0) for one in _ABC)
    return Cubic(start + number(element, key, where), a, b, c, d)


def _section(element: Element, start: float, end: float, where: Where) -> OdSection:
    lanes = {}
    for side in ("left", "right"):
        for group in element.findall(side):
            for lane in group.findall("lane"):
                id_ = whole(lane, "id", where)
                lanes[id_] = OdLane(
                    id_, lane.get("type", "none"),
                    [_cubic(one, "sOffset", where, start) for one in lane.findall("width")],
                    _linked(lane, "predecessor", where), _linked(lane, "successor", where),
                    next((v for one in lane.findall("speed") if (v := _speed(one, where))), None),
                )  # fmt: skip
    return OdSection(start, end, lanes)


def _linked(lane: Element, word: str, where: Where) -> int | None:
    told = lane.find(f"link/{word}")
    return None if told is None else whole(told, "id", where)


def _next(link: Element | None, word: str) -> OdNext | None:
    told = None if link is None else link.find(word)
    if told is None:
        return None
    junction = told.get("elementType") == "junction"
    return OdNext(told.get("elementId", ""), junction, told.get("contactPoint", "start") == "start")


def _speed(element: Element, where: Where) -> float | None:
    if element.get("max", "").replace(" ", "") in ("nolimit", "undefined"):
        return None
    return number(element, "max", where) * _UNITS.get(element.get("unit", ""), 1.0)


def _signal(element: Element, where: Where) -> OdSignal:
    return OdSignal(
        element.get("id", ""), element.get("type", ""), element.get("dynamic") == "yes",
        _along(element), _validity(element, where),
    )  # fmt: skip


def _along(element: Element) -> int:
    return {"+": 1, "-": -1}.get(element.get("orientation", "none"), 0)


def _validity(element: Element, where: Where) -> tuple[int, int] | None:
    told = element.find("validity")
    if told is None:
        return None
    ends = sorted(whole(told, key, where, 0) for key in ("fromLane", "toLane"))
    return ends[0], ends[1]


def _connection(element: Element, where: Where) -> OdConnection:
    return OdConnection(
        element.get("incomingRoad", ""), element.get("connectingRoad", ""),
        element.get("contactPoint", "start") == "start",
        tuple(
            (whole(one, "from", where), whole(one, "to", where))
            for one in element.findall("laneLink")
        ),
    )  # fmt: skip


def _crosswalk(element: Element, where: Where) -> tuple[str, Floats] | None:
    """The id and the corners, s and t, of an object that is a crosswalk."""
    if element.get("type") != "crosswalk":
        return None
    s, t = number(element, "s", where), number(element, "t", where)
    turned = number(element, "hdg", where, 0.0)
    corners: list[Sequence[float]] = [
        (number(one, "s", where), number(one, "t", where)) for one in element.iter("cornerRoad")
    ]
    for one in element.iter("cornerLocal"):
        u, v = number(one, "u", where), number(one, "v", where)
        cosine, sine = np.cos(turned), np.sin(turned)
        corners.append((s + cosine * u - sine * v, t + sine * u + cosine * v))
    return (element.get("id", ""), np.array(corners)) if len(corners) > 2 else None
