"""A road map as a file of a version, and as what is sent: read, checked, written."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from cim_core.errors import InvalidInput
from cim_core.files import write_whole
from cim_core.kept import kept
from cim_core.traffic.roads import Connection, Crosswalk, Lane, Link, RoadMap

FILE = "roads.json"
"""The road map, in the folder of its version."""

_KINDS = (
    "links", "lanes", "intersections", "connections", "crosswalks", "plans", "devices", "restrictions",
    "works",
)  # fmt: skip
_REFERENCES = (
    ("lanes", "link", "links"),
    ("connections", "conflicts", "connections"),
    ("intersections", "exits", "links"),
    ("groups", "intersection", "intersections"),
    ("plans", "intersection", "intersections"),
    ("crosswalks", "intersection", "intersections"),
    ("crosswalks", "link", "links"),
    ("devices", "intersection", "intersections"),
    ("devices", "link", "links"),
    ("restrictions", "lanes", "lanes"),
    ("restrictions", "connections", "connections"),
    ("works", "lanes", "lanes"),
    ("works", "links", "links"),
)
"""Which field of which kind names what: one id, several, or none."""


def encoded(roads: RoadMap) -> bytes:
    """A road map as JSON."""
    return msgspec.json.encode(roads)


def decoded(text: bytes, name: str) -> RoadMap:
    """The road map that JSON is; raises `InvalidInput` naming file, place and what is wrong."""
    try:
        roads = msgspec.json.decode(text, type=RoadMap)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{name} is no road map: {error}") from None
    check(roads, name)
    return roads


def save_roads(folder: Path, roads: RoadMap) -> None:
    """Write a road map into the folder of its version."""
    write_whole(folder / FILE, encoded(roads))


def load_roads(folder: Path) -> RoadMap | None:
    """The road map of a version by its folder, None where it has none; read once."""
    path = folder / FILE
    # Layers without one are many, and must not push out what is kept.
    return _read(path) if path.is_file() else None


@kept(8)
def _read(path: Path) -> RoadMap:
    return msgspec.json.decode(path.read_bytes(), type=RoadMap)


def check(roads: RoadMap, name: str) -> None:
    """Raise `InvalidInput` if an id is given twice, or names what is not there."""
    known = {kind: _unique(name, kind, getattr(roads, kind)) for kind in _KINDS}
    groups = [(one.intersection, one.id) for one in roads.groups]
    if len(set(groups)) != len(groups):
        raise InvalidInput(
            f"{name}: an intersection has two signal groups of one id; name them apart"
        )
    for owner, field, value, kind in _named(roads):
        if value not in known[kind]:
            raise InvalidInput(f"{name}: {owner}, {field}: there is no {value!r} among the {kind}")
    obeying: tuple[Connection | Crosswalk, ...] = (*roads.connections, *roads.crosswalks)
    for one in obeying:
        if one.group is not None and (one.intersection, one.group) not in groups:
            raise InvalidInput(
                f"{name}: {one.id!r}, group: {one.intersection!r} has no signal group {one.group!r}"
            )
    drawn: tuple[Link | Lane | Connection, ...] = (*roads.links, *roads.lanes, *roads.connections)
    for shape in drawn:
        if len(shape.line) < 2:
            raise InvalidInput(f"{name}: {shape.id!r}, line: two places at least are needed")
        if not all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat, *_ in shape.line):
            raise InvalidInput(
                f"{name}: {shape.id!r}, line: a place is not on the earth; give longitude and "
                "latitude in degrees"
            )


def _named(roads: RoadMap) -> Iterator[tuple[str, str, str, str]]:
    """What names what: the owner, its field, the id, and of which kind that is."""
    for way in roads.connections:
        yield f"connection {way.id!r}", "intersection", way.intersection, "intersections"
        yield f"connection {way.id!r}", "from_lane", way.from_lane, "lanes"
        yield f"connection {way.id!r}", "to_lane", way.to_lane, "lanes"
    for node in roads.intersections:
        yield from (
            (f"intersection {node.id!r}", "approaches", arm.link, "links")
            for arm in node.approaches
        )
    for kind, field, of in _REFERENCES:
        for one in getattr(roads, kind):
            told = getattr(one, field)
            values = (told,) if isinstance(told, str) else told or ()
            yield from ((f"{kind} {one.id!r}", field, value, of) for value in values)


def _unique(name: str, what: str, things: Iterable[object]) -> set[str]:
    ids = [str(getattr(one, "id")) for one in things]  # noqa: B009 – any of a map's kinds
    known: set[str] = set()
    for one in ids:
        if one in known:
            raise InvalidInput(f"{name}: {what}: the id {one!r} is given twice; ids are unique")
        known.add(one)
    return known
