"""Lanelet2 maps become road maps: every lanelet, its neighbours and the lights it obeys."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

from cim_core.errors import InvalidInput
from cim_core.traffic.road_file import check
from cim_core.traffic.roads import RoadMap
from pipelines.roads_geometry import level
from pipelines.roads_lanelet2 import lanelet_roads
from pipelines.roads_lanelet2_file import LaneletMap, read_lanelets
from pipelines.roads_place import MapFile


@pytest.fixture(scope="module")
def path(data: Path) -> Path:
    return data / "lanelet2" / "mapping_example.osm"


@pytest.fixture(scope="module")
def roads(path: Path) -> RoadMap:
    found, _ = lanelet_roads(MapFile.plain(path))
    check(found, "Karlsruhe")
    return found


@pytest.fixture(scope="module")
def told(path: Path) -> LaneletMap:
    return read_lanelets(path, path.name)


@pytest.fixture(scope="module")
def root(path: Path) -> ET.Element:
    return ET.parse(path).getroot()


def tags(element: ET.Element) -> dict[str | None, str | None]:
    return {one.get("k"): one.get("v") for one in element.findall("tag")}


def test_every_lanelet_of_the_map_is_read_and_drawn(
    roads: RoadMap, told: LaneletMap, root: ET.Element
) -> None:
    written = [x for x in root.findall("relation") if tags(x).get("type") == "lanelet"]
    assert len(written) == len(told.lanelets) == 371
    kinds = Counter(one.type for one in told.lanelets.values())
    assert kinds == {
        "driving": 337 + 8, "bike": 14, "crosswalk": 8, "tram": 2, "sidewalk": 2,
    }  # fmt: skip
    assert len(roads.crosswalks) == 8
    # Each lies on a lane or on a way through an intersection, along its own middle.
    drawn = [*(x.line for x in roads.lanes), *(x.line for x in roads.connections)]
    lines = [shapely.LineString(level(line, told.origin)) for line in drawn]
    tree = shapely.STRtree(lines)
    for one in told.lanelets.values():
        if one.type != "crosswalk":
            middle = shapely.LineString(one.line).interpolate(0.5, normalized=True)
            near = tree.query(middle.buffer(0.05))
            assert any(lines[n].distance(middle) < 0.05 for n in near), one.id


def test_the_centre_of_a_lanelet_is_halfway_between_its_bounds(
    told: LaneletMap, root: ET.Element
) -> None:
    nodes = {
        x.get("id"): (float(x.get("lon", "")), float(x.get("lat", "")))
        for x in root.findall("node")
    }
    bounds = {
        way.get("id"): shapely.LineString(
            level(tuple(nodes[x.get("ref")] for x in way.findall("nd")), told.origin)
        )
        for way in root.findall("way")
        if len(way.findall("nd")) > 1
    }
    off, apart = [], []
    for one in told.lanelets.values():
        middle = shapely.LineString(one.line).interpolate(0.5, normalized=True)
        left, right = (bounds[side].distance(middle) for side in (one.left, one.right))
        apart.append(abs(left - right))
        off.append(abs(left + right - one.width))
        assert np.allclose(one.line[0], (one.area[0] + one.area[-2]) / 2)
    # The rest are tapers and slanting ends.
    assert np.quantile(apart, 0.9) < 0.5
    assert np.median(off) < 0.1
    assert np.quantile(off, 0.9) < 0.7


def test_bounds_lie_on_their_sides(told: LaneletMap) -> None:
    for one in told.lanelets.values():
        ring = shapely.LinearRing(one.area)
        # Left forward, right back: the ground is walked around clockwise.
        if shapely.Polygon(one.area).is_valid:
            assert not ring.is_ccw, one.id


def test_lights_are_the_groups_of_the_lanes_that_obey_them(
    roads: RoadMap, root: ET.Element
) -> None:
    relations = {x.get("id"): x for x in root.findall("relation")}
    lights = {
        id_ for id_, x in relations.items()
        if tags(x).get("type") == "regulatory_element" and tags(x).get("subtype") == "traffic_light"
    }  # fmt: skip
    assert len(lights) == 6
    assert {group.id for group in roads.groups} == lights
    obeying = {
        id_: [m.get("ref") for m in x.findall("member") if m.get("ref") in lights]
        for id_, x in relations.items()
        if tags(x).get("type") == "lanelet"
    }
    lit = {id_ for id_, found in obeying.items() if found}
    for way in roads.connections:
        if way.group is not None:
            assert any(way.group in obeying[x] for x in lit)
    [node] = [one for one in roads.intersections if one.control == "signal"]
    ways = roads.connections_of(node.id)
    assert {way.group for way in ways} >= lights
    assert {way.turn for way in ways} == {"left", "straight", "right"}
    assert sum(bool(way.conflicts) for way in ways) > 10


def test_lanelets_that_share_a_bound_are_lanes_of_one_road(
    roads: RoadMap, told: LaneletMap
) -> None:
    several = 0
    for link in roads.links:
        lanes = roads.lanes_of(link.id)
        for inner, outer in pairwise(lanes):
            several += 1
            assert told.lanelets[inner.id].right == told.lanelets[outer.id].left
            assert inner.number + 1 == outer.number
    assert several == 40


SMALL = """<osm version="0.6">
<node id="1" lat="49.0" lon="8.40000"/><node id="2" lat="49.0" lon="8.40100"/>
<node id="3" lat="48.99997" lon="8.40000"/><node id="4" lat="48.99997" lon="8.40100"/>
<way id="10"><nd ref="1"/><nd ref="2"/></way><way id="11"><nd ref="4"/><nd ref="3"/></way>
<relation id="20"><member type="way" ref="10" role="left"/><member type="way" ref="11" role="right"/>
<tag k="type" v="lanelet"/><tag k="subtype" v="road"/><tag k="speed_limit" v="30 km/h"/></relation>
</osm>"""


def test_bounds_may_be_written_either_way_round(tmp_path: Path) -> None:
    path = tmp_path / "small.osm"
    path.write_text(SMALL)
    roads, _ = lanelet_roads(MapFile.plain(path))
    [lane] = roads.lanes
    assert lane.speed == pytest.approx(30 / 3.6)
    assert lane.width == pytest.approx(0.00003 * 111_200, rel=0.01)
    assert lane.line[0][0] < lane.line[-1][0], "the left bound is in the north: it leads east"
    path.write_text(SMALL.replace('ref="1"/><nd ref="2"', 'ref="2"/><nd ref="1"'))
    assert lanelet_roads(MapFile.plain(path))[0].lanes == (lane,)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda text: text.replace('ref="4"/>', 'ref="9"/>'),
            "relation 20: its right bound must be",
        ),
        (lambda text: text.replace('lat="49.0"', 'lat="north"', 1), "node 1: lat is 'north'"),
        (lambda text: text.replace('v="lanelet"', 'v="area"'), "holds no lanelet"),
        (lambda text: f"<!DOCTYPE osm>{text}", "declares a document type"),
    ],
)
def test_what_is_wrong_with_a_map_is_named(
    tmp_path: Path, change: Callable[[str], str], said: str
) -> None:
    path = tmp_path / "small.osm"
    path.write_text(change(SMALL))
    with pytest.raises(InvalidInput, match=re.escape(said)):
        lanelet_roads(MapFile.plain(path))
