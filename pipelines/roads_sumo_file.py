"""What a SUMO net file says, element by element, in the plane of the net.

Source: the format as netconvert writes it (SUMO user documentation, "SUMO Road Networks").
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from pipelines.roads_xml import children, number

_WIDTH = 3.2
"""Of a lane that says nothing of its width: SUMO's own default."""

_KEYS = ("id", "programID", "from", "fromLane", "to", "toLane")
"""Attributes that say which element it is."""

Where = Callable[[], str]
"""Names the element a value stands in, when it is wrong."""


@dataclass(slots=True)
class NetLane:
    """A lane; `index` counts from the outside, `allow` are classes of vehicles, empty for all."""

    id: str
    index: int
    speed: float
    length: float
    width: float
    allow: frozenset[str]
    disallow: frozenset[str]
    shape: Floats
    outline: Floats | None


@dataclass(slots=True)
class NetEdge:
    """A road, a way inside of a junction or a crossing, by its `function`."""

    id: str
    function: str
    start: str
    end: str
    name: str
    type: str
    crossed: tuple[str, ...]
    lanes: list[NetLane]


@dataclass(slots=True)
class NetConnection:
    """From lane to lane, by way of an internal lane where the net has such."""

    start: str
    end: str
    start_lane: int
    end_lane: int
    via: str
    logic: str
    link: int | None
    turn: str


@dataclass(slots=True)
class NetJunction:
    """A node; `foes` has for each of its links the numbers of those it is in conflict with."""

    id: str
    type: str
    name: str
    place: Floats
    shape: Floats
    ways: tuple[str, ...]
    foes: dict[int, tuple[int, ...]]


@dataclass(slots=True)
class NetPhase:
    """A phase of a program: a letter for each link."""

    duration: float
    state: str
    name: str
    shortest: float | None
    longest: float | None


@dataclass(slots=True)
class NetLogic:
    """A signal program; `params` are its generic parameters."""

    id: str
    program: str
    offset: float
    phases: list[NetPhase]
    params: Mapping[str, str]


@dataclass(slots=True)
class Net:
    """All of a net file. `offset` (2,) was added to the coordinates of `projection`."""

    projection: str | None = None
    offset: Floats = field(default_factory=lambda: np.zeros(2))
    edges: dict[str, NetEdge] = field(default_factory=dict)
    junctions: dict[str, NetJunction] = field(default_factory=dict)
    connections: list[NetConnection] = field(default_factory=list)
    logics: list[NetLogic] = field(default_factory=list)


def read_net(path: Path, name: str) -> Net:
    """Read a net file; raises `InvalidInput` naming the element that is wrong."""
    net = Net()
    for element in children(path, name):
        where = partial(_named, name, element)
        match element.tag:
            case "location":
                _locate(net, element, where)
            case "edge":
                edge = _edge(element, name)
                net.edges[edge.id] = edge
            case "junction":
                junction = _junction(element, where)
                net.junctions[junction.id] = junction
            case "connection":
                net.connections.append(_connection(element, where))
            case "tlLogic":
                net.logics.append(_logic(element, where))
    return net


def _named(name: str, element: Element) -> str:
    words = [element.tag, *(f"{key}={element.get(key)!r}" for key in _KEYS if element.get(key))]
    return f"{name}, {' '.join(words)}"


def _locate(net: Net, element: Element, where: Where) -> None:
    told = element.get("projParameter", "!")
    net.projection = (
        told if told.startswith(("+", "EPSG", "epsg")) and "longlat" not in told else None
    )
    net.offset = _points(element.get("netOffset", "0,0"), where)[0, :2]


def _edge(element: Element, name: str) -> NetEdge:
    lanes = []
    for lane in element.iter("lane"):
        where = partial(_named, name, lane)
        outline = lane.get("outlineShape")
        lanes.append(
            NetLane(
                _id(lane, where), int(number(lane, "index", where)), number(lane, "speed", where),
                number(lane, "length", where), number(lane, "width", where, _WIDTH),
                _words(lane, "allow"), _words(lane, "disallow"),
                _points(lane.get("shape", ""), where), _points(outline, where) if outline else None,
            )
        )  # fmt: skip
    where = partial(_named, name, element)
    if not lanes:
        raise InvalidInput(f"{where()} has no lane; build the net again with netconvert")
    return NetEdge(
        _id(element, where), element.get("function", "normal"), element.get("from", ""),
        element.get("to", ""), element.get("name", ""), element.get("type", ""),
        tuple(element.get("crossingEdges", "").split()),
        sorted(lanes, key=lambda lane: lane.index),
    )  # fmt: skip


def _connection(element: Element, where: Where) -> NetConnection:
    link = element.get("linkIndex")
    return NetConnection(
        element.get("from", ""), element.get("to", ""), int(number(element, "fromLane", where)),
        int(number(element, "toLane", where)), element.get("via", ""), element.get("tl", ""),
        None if link is None else int(number(element, "linkIndex", where)), element.get("dir", ""),
    )  # fmt: skip


def _junction(element: Element, where: Where) -> NetJunction:
    foes = {
        int(number(one, "index", where)): tuple(
            place for place, letter in enumerate(reversed(one.get("foes", ""))) if letter == "1"
        )
        for one in element.iter("request")
    }
    place = np.array([number(element, "x", where), number(element, "y", where)])
    shape = element.get("shape")
    return NetJunction(
        _id(element, where), element.get("type", ""), element.get("name", ""), place,
        _points(shape, where) if shape else np.zeros((0, 2)),
        tuple(element.get("intLanes", "").split()), foes,
    )  # fmt: skip


def _logic(element: Element, where: Where) -> NetLogic:
    phases = []
    for phase in element.iter("phase"):
        least, most = phase.get("minDur"), phase.get("maxDur")
        phases.append(
            NetPhase(
                number(phase, "duration", where), phase.get("state", ""), phase.get("name", ""),
                None if least is None else number(phase, "minDur", where),
                None if most is None else number(phase, "maxDur", where),
            )
        )  # fmt: skip
    if not phases:
        raise InvalidInput(f"{where()} has no phase; a signal program needs at least one")
    told = element.get("offset", "0")
    offset = number(element, "offset", where, 0.0) if told != "begin" else 0.0
    return NetLogic(
        _id(element, where), element.get("programID", "0"), offset, phases,
        {one.get("key", ""): one.get("value", "") for one in element.iter("param")},
    )  # fmt: skip


def _id(element: Element, where: Where) -> str:
    found = element.get("id")
    if not found:
        raise InvalidInput(f"{where()} has no id; build the net again with netconvert")
    return found


def _words(element: Element, key: str) -> frozenset[str]:
    return frozenset(element.get(key, "").split())


def _points(text: str, where: Where) -> Floats:
    """(n, 2) or (n, 3) of "x,y x,y" or "x,y,z …"; a mixture loses its heights."""
    try:
        rows = [[float(part) for part in place.split(",")] for place in text.split()]
        size = min(3, *(len(row) for row in rows)) if rows else 0
        points = np.array([row[:size] for row in rows], np.float64)
    except (ValueError, TypeError):
        size, points = 0, np.zeros((0, 2))
    if size < 2 or not np.isfinite(points).all():
        raise InvalidInput(f"{where()}: the coordinates {text[:60]!r} cannot be read; correct them")
    return points
