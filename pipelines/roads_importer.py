"""Road maps as imports: the lanes, intersections and signals of whatever format describes them."""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cim_core.checkin import Finding, Rules
from cim_core.errors import InvalidInput, TooLarge
from cim_core.importers.attributes import worth_styling
from cim_core.importers.placing import frame_near, georeference_in
from cim_core.layer import Features, Georeference, Layer, Placement, Source
from cim_core.progress import Progress
from cim_core.traffic.road_file import check, decoded
from cim_core.traffic.roads import RoadMap
from pipelines.road_report import reports
from pipelines.roads_features import features_of, styles_of
from pipelines.roads_lanelet2 import lanelet_roads
from pipelines.roads_opendrive import opendrive_roads
from pipelines.roads_place import MapFile
from pipelines.roads_sumo import sumo_roads
from pipelines.roads_xml import beginning, limits, opened, root_of
from pipelines.v2x_map_file import read_map_messages

Told = tuple[RoadMap, Georeference, tuple[str, ...]]
"""A road map, how it found its place, and what is not as it should be."""

_DEGREES = "EPSG:4326"
_OWN = re.compile(rb'\{\s*"(?:links|lanes|intersections)"\s*:\s*\[\s*\{\s*"id"\s*:')
_OF_MESSAGES = (b'"inLinks"', b'"laneSet"', b'"intersectionGeometry"', b'"upstreamNodeId"')
_FIRST = ("lanes", "type", "turns", "speed", "width", "control", "turn", "group", "intersection")


@dataclass(frozen=True, slots=True)
class RoadsImporter:
    """Reads SUMO's nets, OpenDRIVE, Lanelet2, map messages and the road maps of this program."""

    def recognises(self, path: Path) -> bool:
        """Whether it is a road map, by its content."""
        return path.is_file() and _format(path) is not None

    def __call__(self, source: Source, placement: Placement, progress: Progress) -> Layer:
        """Import a file; raises `InvalidInput` when it cannot be imported."""
        read = _format(source.path)
        if read is None:
            raise InvalidInput(
                f"{source.filename} is no road map known here; give a SUMO net, OpenDRIVE, Lanelet2, "
                "MAP messages as JSON or a road map of this program"
            )
        progress(0, 2, "reading")
        roads, georeference, warnings = read(MapFile(source, placement))
        check(roads, source.filename)
        if not roads.lanes:
            raise InvalidInput(f"{source.filename} holds no lane; export the map with its lanes")
        progress(1, 2, "features")
        return layer_of(roads, source, placement, georeference, warnings)


def layer_of(
    roads: RoadMap,
    source: Source,
    placement: Placement,
    georeference: Georeference,
    warnings: tuple[str, ...] = (),
) -> Layer:
    """A layer whose features draw a road map."""
    features = sorted(features_of(roads), key=lambda one: one.id)
    ends = np.array([lane.line[-1][:2] for lane in roads.lanes])
    low, high = ends.min(axis=0), ends.max(axis=0)
    middle = np.array([*(low + high) / 2, placement.geoid_separation])
    return Layer(
        id=source.layer_id,
        title=source.title,
        frame=frame_near(middle, placement),
        content=Features(tuple(features), {}),
        georeference=georeference,
        tile_attributes=worth_styling(features, _FIRST),
        class_styles=styles_of(features),
        findings=tuple(_findings(roads, source.rules)),
        level="surface",
        sensitivity="internal",
        warnings=warnings,
        roads=roads,
    )


def _findings(roads: RoadMap, rules: Rules) -> Iterator[Finding]:
    """The intersections with signals that lack more than the check-in lets pass without a word."""
    rule = rules["intersection-incomplete"]
    if rule.severity == "off":
        return
    least = rule.number("least")
    for id_, found in reports(roads).items():
        one = roads.intersection_by_id[id_]
        if one.control == "signal" and found.score < least:
            yield Finding(
                rule.id, found.score, "least", f"intersection/{id_}", "Intersection",
                one.name or id_, place=(one.place[0], one.place[1], None),
                words={"count": str(len(found.missing))},
            )  # fmt: skip


def _format(path: Path) -> Callable[[MapFile], Told] | None:
    """What reads a file, by its content; None where nothing here does."""
    start = beginning(path).lstrip(b"\xef\xbb\xbf \t\r\n")
    if start[:1] == b"<":
        return _BY_ROOT.get(root_of(path)) if _is_lane_map(path) else None
    if start[:1] not in (b"{", b"["):
        return None
    if any(word in start for word in _OF_MESSAGES):
        return _messages
    return _own if _OWN.match(start) else None


def _is_lane_map(path: Path) -> bool:
    """An .osm file may be any map of OpenStreetMap: only one with lanelets is for lanes.

    It is looked through as far as it could be read in.
    """
    if root_of(path) != "osm":
        return True
    before, size = b"", 0
    try:
        with opened(path) as file:
            while size <= limits().unpacked and (block := file.read(1 << 20)):
                if b"lanelet" in before + block:
                    return True
                before, size = block[-8:], size + len(block)
    except (OSError, EOFError, zlib.error):  # what cannot be unpacked is no map that is known here
        return False
    return False


def _sumo(file: MapFile) -> Told:
    roads, place = sumo_roads(file)
    return roads, place.georeference, place.warnings


def _opendrive(file: MapFile) -> Told:
    roads, place, warnings = opendrive_roads(file)
    return roads, place.georeference, (*place.warnings, *warnings)


def _lanelet2(file: MapFile) -> Told:
    roads, warnings = lanelet_roads(file)
    return roads, _in_degrees(), warnings


def _messages(file: MapFile) -> Told:
    roads, warnings = read_map_messages(file.path, file.name)
    return roads, _in_degrees(), warnings


def _own(file: MapFile) -> Told:
    try:
        with opened(file.path) as stream:
            text = stream.read(limits().message + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidInput(f"{file.name} cannot be unpacked: {error}; pack it again") from None
    if len(text) > limits().message:
        raise TooLarge(
            f"{file.name} holds more than {limits().message >> 20} MiB of JSON; cut the map into "
            "parts and bring each in as a layer of its own"
        )
    return decoded(text, file.name), _in_degrees(), ()


def _in_degrees() -> Georeference:
    return georeference_in(_DEGREES, Placement())


_BY_ROOT: dict[str, Callable[[MapFile], Told]] = {
    "net": _sumo,
    "OpenDRIVE": _opendrive,
    "osm": _lanelet2,
}
