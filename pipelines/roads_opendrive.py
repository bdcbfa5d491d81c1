"""OpenDRIVE (.xodr) as road maps: pieces of lanes by road, section and lane, "road.section.lane".

Junctions are the intersections; controllers, or lights that no controller has, the signal groups.
Heights are left out: places are those of the plan.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely

from cim_core.errors import InvalidInput, TooLarge
from cim_core.importers.placing import Place
from cim_core.mesh import Floats
from cim_core.traffic.roads import LaneType, Line, RoadMap
from pipelines.roads_classes import road_class
from pipelines.roads_geometry import band, places
from pipelines.roads_opendrive_file import OdFile, OdNext, OdRoad, OdSection, read_opendrive
from pipelines.roads_opendrive_shapes import reference_line, samples, value_of
from pipelines.roads_pieces import Assembly, Piece
from pipelines.roads_place import MapFile, Sheet
from pipelines.roads_xml import limits

_TYPES: dict[str, LaneType] = {
    **dict.fromkeys(
        ("driving", "entry", "exit", "onRamp", "offRamp", "connectingRamp", "slipLane",
         "bidirectional", "mwyEntry", "mwyExit"), "driving",
    ),
    "bus": "bus", "taxi": "bus", "HOV": "bus", "biking": "bike", "sidewalk": "sidewalk",
    "walking": "sidewalk", "tram": "tram", "rail": "tram", "parking": "parking",
    "shoulder": "shoulder", "stop": "shoulder",
}  # fmt: skip
"""Types of lanes that traffic uses; all others are ground between them."""

_SIDE_BY_SIDE = ("driving", "bus")
_USUAL_SPEED = 50 / 3.6
"""Where nothing is said (own choice: the limit in towns)."""

_NARROWEST = 0.3
"""Lanes that are nowhere wider are not there yet, or no more, metres (own choice)."""

_SMOOTH = 0.01
"""By how much a line may be off what the curve is, metres (own choice)."""

_ON_FOOT = "1000002"
"""The type of a light for pedestrians (OpenDRIVE's own catalogue of signals)."""


def opendrive_roads(file: MapFile) -> tuple[RoadMap, Place, tuple[str, ...]]:
    """The road map of a file, how it found its place, and what is not as it should be."""
    told = read_opendrive(file.path, file.name)
    work = _Work(file.name, told)
    work.draw()
    sheet = Sheet()
    for one in work.pieces.values():
        sheet.put(one.line)
    _, place = sheet.placed(file, told.projection, told.offset)
    shift = np.zeros(2) if file.placement.anchor and not file.placement.crs else told.offset

    def to_line(plane: Floats) -> Line:
        upright = np.column_stack([plane[:, :2] + shift, np.zeros(len(plane))])
        return places(place.to_city(upright), heights=False)

    numbers = {x: int(x) for x in {*told.controllers.values()} if x.isdigit()}
    assembly = Assembly(work.pieces, to_line, told.junctions, numbers)
    roads = assembly.road_map(f"OpenDRIVE {file.name}", work.walkways)
    return roads, place, tuple(assembly.warnings)


@dataclass(slots=True)
class _Work:
    """The roads of a file while they become pieces of lanes."""

    name: str
    told: OdFile
    pieces: dict[str, Piece] = field(default_factory=dict)
    walkways: list[Piece] = field(default_factory=list)
    count: int = 0
    """How many places of reference lines were looked at."""

    def draw(self) -> None:
        """Make the pieces, and say what follows and what lies beside each."""
        for road in self.told.roads.values():
            for number, section in enumerate(road.sections):
                self._section(road, number, section)
            for id_, corners in road.crosswalks:
                ring = _at(road, corners)
                whole = np.vstack([ring, ring[:1]])
                self.walkways.append(Piece(f"crosswalk-{id_}", "crosswalk", ring, whole, 3.0, 0.0))
        for road in self.told.roads.values():
            for number, section in enumerate(road.sections):
                for lane in section.lanes:
                    self._follow(road, number, lane)
            self._signals(road)

    def _section(self, road: OdRoad, number: int, section: OdSection) -> None:
        also = [
            x.start for x in (*road.offsets, *(w for y in section.lanes.values() for w in y.widths))
        ]
        along = samples(road.geometry, section.start, section.end, also)
        if any(w.b or w.c or w.d for y in section.lanes.values() for w in y.widths):
            along = np.unique(np.concatenate([along, np.arange(section.start, section.end, 2.0)]))
        self.count += len(along)
        if self.count > limits().points:
            raise TooLarge(
                f"the map holds more than {limits().points} places; bring it in in parts"
            )
        base = reference_line(road.geometry, along)
        offset = value_of(road.offsets, along)
        for side in (1, -1):
            edge, inner = offset, ""
            for id_ in sorted((x for x in section.lanes if x * side > 0), key=abs):
                lane = section.lanes[id_]
                width = np.maximum(value_of(lane.widths, along), 0.0)
                middle = edge + side * width / 2
                edge = edge + side * width
                kind = _TYPES.get(lane.type)
                if kind is None or float(width.max()) < _NARROWEST:
                    continue
                line = _beside(base, middle)
                ahead = _forward(road, id_)
                line = _simpler(line if ahead else line[::-1])
                key = f"{road.id}.{number}.{id_}"
                piece = Piece(
                    key, kind, line, band(line, float(width.mean())), float(width.mean()),
                    lane.speed or road.speed or _USUAL_SPEED, road.name, road_class(road.type),
                    inside=road.junction,
                )  # fmt: skip
                self.pieces[key] = piece
                if kind in _SIDE_BY_SIDE:
                    if inner and _forward(road, int(inner.rpartition(".")[2])) == ahead:
                        self.pieces[inner].beside = key
                    inner = key

    def _follow(self, road: OdRoad, number: int, lane: int) -> None:
        piece = self.pieces.get(f"{road.id}.{number}.{lane}")
        if piece is None:
            return
        piece.after = [one for one in self._after(road, number, lane) if one in self.pieces]

    def _after(self, road: OdRoad, number: int, lane: int) -> Iterator[str]:
        """The pieces that a lane leads to: in the next section, the next road, or a junction."""
        told, ahead = road.sections[number].lanes[lane], _forward(road, lane)
        onward = told.after if ahead else told.before
        following = number + (1 if ahead else -1)
        if 0 <= following < len(road.sections):
            yield f"{road.id}.{following}.{lane if onward is None else onward}"
            return
        next_ = road.after if ahead else road.before
        if next_ is None:
            return
        if not next_.junction:
            if onward is not None:
                yield self._entry(next_, onward)
            return
        for way in self.told.connections.get(next_.id, ()):
            if way.incoming == road.id:
                into = OdNext(way.connecting, False, way.at_start)
                yield from (self._entry(into, to) for from_, to in way.lanes if from_ == lane)

    def _entry(self, next_: OdNext, lane: int) -> str:
        road = self.told.roads.get(next_.id)
        if road is None:
            raise InvalidInput(
                f"{self.name}: the road {next_.id!r} is named and not there; export the file again"
            )
        return f"{road.id}.{0 if next_.at_start else len(road.sections) - 1}.{lane}"

    def _signals(self, road: OdRoad) -> None:
        """Say of the last pieces of a road which light they obey; of both ends where it is for both."""
        for light in road.signals:
            if not light.dynamic or light.type == _ON_FOOT:
                continue
            group = self.told.controllers.get(light.id, light.id)
            for ahead in (True, False):
                if light.along and (light.along > 0) != ahead:
                    continue
                number = len(road.sections) - 1 if ahead else 0
                for lane in road.sections[number].lanes:
                    valid = light.lanes is None or light.lanes[0] <= lane <= light.lanes[1]
                    piece = self.pieces.get(f"{road.id}.{number}.{lane}")
                    mine = valid and _forward(road, lane) == ahead
                    if piece is not None and mine and group not in piece.lights:
                        piece.lights.append(group)


def _forward(road: OdRoad, lane: int) -> bool:
    """Whether a lane is driven in the direction of the road's reference line."""
    return (lane < 0) == road.right_hand


def _beside(base: Floats, t: Floats) -> Floats:
    """The line at distances t (n,) to the left of a reference line (n, 3)."""
    x, y, heading = base.T
    return np.column_stack([x - np.sin(heading) * t, y + np.cos(heading) * t])


def _at(road: OdRoad, corners: Floats) -> Floats:
    """Places by s and t, (n, 2)."""
    order = np.argsort(corners[:, 0], kind="stable")
    found = np.zeros((len(corners), 2))
    found[order] = _beside(reference_line(road.geometry, corners[order, 0]), corners[order, 1])
    return found


def _simpler(line: Floats) -> Floats:
    found: Floats = shapely.get_coordinates(shapely.LineString(line).simplify(_SMOOTH))
    return found if len(found) > 1 else line
