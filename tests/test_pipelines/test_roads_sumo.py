"""SUMO's nets become road maps: whole, in their place, and refused by the element that is wrong."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cim_core.errors import InvalidInput
from cim_core.layer import Placement, Source
from cim_core.traffic.road_file import check
from cim_core.traffic.roads import Light, RoadMap
from pipelines.roads_geometry import level
from pipelines.roads_place import MapFile
from pipelines.roads_sumo import read_sumo, sumo_roads

LETTERS: dict[str, Light] = {"G": "protected-green", "g": "permissive-green", "y": "yellow"}


@pytest.fixture(scope="module")
def net(data: Path) -> Path:
    return data / "traffic_pasubio" / "pasubio_buslanes.net.xml"


@pytest.fixture(scope="module")
def pasubio(net: Path) -> RoadMap:
    return read_sumo(net)


@pytest.fixture(scope="module")
def truth(data: Path) -> Any:
    return json.loads((data / "traffic_pasubio" / "oracle_tls233" / "meta.json").read_text())


def test_the_net_of_pasubio_comes_whole(pasubio: RoadMap, net: Path) -> None:
    check(pasubio, "net")
    text = net.read_text()
    roads = re.findall(r'<edge id="([^:"][^"]*)" from', text)
    assert [link.id for link in pasubio.links] == roads
    assert {lane.id for lane in pasubio.lanes} == set(re.findall(r'<lane id="([^:"][^"]*)"', text))
    connections = re.findall(r'<connection from="[^:"][^"]*"', text)
    assert len(pasubio.connections) == len(connections)
    signals = {one.id for one in pasubio.intersections if one.control == "signal"}
    assert signals == {"218", "219", "220", "230", "231", "232", "233", "282"}
    assert sum(lane.type == "bus" for lane in pasubio.lanes) == len(
        re.findall(r'<lane id="[^:"][^"]*" index="\d+" allow="bus"', text)
    )


def test_stop_lines_and_lanes_lie_where_the_simulation_has_them(
    pasubio: RoadMap, truth: Any
) -> None:
    for lane, place in truth["stopline_lonlat"].items():
        away = level((tuple(place), pasubio.lane_by_id[lane].line[-1]))[1]
        assert np.linalg.norm(away) < 0.1
    for lane, shape in truth["lane_shape_lonlat"].items():
        line = pasubio.lane_by_id[lane].line
        assert len(line) == len(shape)
        for mine, theirs in zip(line, shape, strict=True):
            assert np.linalg.norm(level((mine, tuple(theirs)))[1]) < 0.1


def test_signal_groups_are_the_links_of_the_controller(pasubio: RoadMap, truth: Any) -> None:
    ways = pasubio.connections_of("233")
    assert {way.group: [way.from_lane, way.to_lane] for way in ways} == truth["links"]
    assert {group.id for group in pasubio.groups_of("233")} == set(truth["links"])
    [plan] = pasubio.plans_of("233")
    phases = truth["programs"]["0"]["phases"]
    assert plan.cycle == 90
    for phase, (seconds, state) in zip(plan.phases, phases, strict=True):
        assert phase.duration == seconds
        assert phase.lights == {
            str(n): LETTERS[letter] for n, letter in enumerate(state) if letter != "r"
        }


def test_lanes_count_from_the_middle_and_say_where_they_turn(pasubio: RoadMap) -> None:
    numbers = {lane.id: (lane.number, lane.turns) for lane in pasubio.lanes_of("12")}
    assert numbers == {
        "12_2": (1, ("left",)), "12_1": (2, ("straight",)), "12_0": (3, ("straight", "right")),
    }  # fmt: skip
    lanes = pasubio.lanes_of("12")
    link = pasubio.link_by_id["12"]
    origin = link.line[0]
    middle = np.mean([level(lane.line, origin) for lane in lanes], axis=0)
    assert np.allclose(level(link.line, origin), middle, atol=0.05)
    assert link.length == pytest.approx(505.81)


def test_conflicts_are_mutual_and_lie_in_one_intersection(pasubio: RoadMap) -> None:
    for way in pasubio.connections:
        for other in way.conflicts:
            foe = pasubio.connection_by_id[other]
            assert foe.intersection == way.intersection
            assert way.id in foe.conflicts
    left = pasubio.connection_by_id["12_2>50[0]_0"]
    assert {"51_1>50[0]_0", "55_0>53_0"} <= set(left.conflicts)


def test_approaches_have_the_direction_in_which_people_drive(pasubio: RoadMap, truth: Any) -> None:
    arms = {arm.link: arm.bearing for arm in pasubio.intersection_by_id["233"].approaches}
    assert set(arms) == {one["edge"] for one in truth["incoming"]}
    for link, found in arms.items():
        (west, south), (east, north) = truth["lane_shape_lonlat"][f"{link}_0"]
        east_m = (east - west) * np.cos(np.radians(44.5))
        away = np.degrees(np.arctan2(east_m, north - south)) % 360
        assert abs((found - away + 180) % 360 - 180) < 1.0
    assert set(pasubio.intersection_by_id["233"].exits) == set(truth["outgoing"])


def test_a_packed_net_is_the_same(net: Path, pasubio: RoadMap, tmp_path: Path) -> None:
    packed = tmp_path / "pasubio.net.xml.gz"
    packed.write_bytes(gzip.compress(net.read_bytes(), 1))
    found = read_sumo(packed)
    assert (found.links, found.connections, found.plans) == (
        pasubio.links, pasubio.connections, pasubio.plans,
    )  # fmt: skip


SMALL = """<net version="1.20">
  <location netOffset="-500000.00,-2500000.00" convBoundary="0,0,100,100" projParameter="{projection}"/>
  <edge id=":j_0" function="internal">
    <lane id=":j_0_0" index="0" speed="10" length="10" shape="95,98.4 105,98.4"/></edge>
  <edge id=":j_c0" function="crossing" crossingEdges="in">
    <lane id=":j_c0_0" index="0" allow="pedestrian" speed="1" length="8" width="4"
      shape="92,96 92,104"/></edge>
  <edge id=":j_w0" function="walkingarea">
    <lane id=":j_w0_0" index="0" allow="pedestrian" speed="1" length="1" shape="92,95 93,96"/></edge>
  <edge id="in" from="a" to="j" name="West Road" type="highway.primary">
    <lane id="in_0" index="0" allow="bicycle" speed="5" length="95" width="1.5" shape="0,96 95,96"/>
    <lane id="in_1" index="1" speed="13.89" length="95" shape="0,98.4 95,98.4"/></edge>
  <edge id="out" from="j" to="b">
    <lane id="out_0" index="0" speed="13.89" length="95" shape="105,98.4 200,98.4"/></edge>
  <tlLogic id="T" type="actuated" programID="day" offset="-10">
    <param key="linkSignalID:0" value="4"/>
    <phase duration="30" state="G{letter}" minDur="10" maxDur="50" name="main"/>
    <phase duration="5" state="yr"/><phase duration="15" state="rG"/>
  </tlLogic>
  <junction id="a" type="dead_end" x="0" y="98" incLanes="" intLanes="" shape=""/>
  <junction id="j" type="traffic_light" x="100" y="100" incLanes="in_0 in_1" intLanes=":j_0_0"
    shape="95,95 105,95 105,105 95,105"><request index="0" response="0" foes="0" cont="0"/></junction>
  <junction id="b" type="dead_end" x="200" y="98" incLanes="out_0" intLanes="" shape=""/>
  <connection from="in" to="{to}" fromLane="1" toLane="0" via=":j_0_0" tl="T" linkIndex="0" dir="s"/>
  <connection from=":j_0" to="out" fromLane="0" toLane="0" dir="s"/>
  <connection from=":j_w0" to=":j_c0" fromLane="0" toLane="0" tl="T" linkIndex="1" dir="s"/>
</net>"""
UTM = "+proj=utm +zone=50 +ellps=WGS84 +datum=WGS84 +units=m +no_defs"


def small(folder: Path, **values: str) -> Path:
    told = {"projection": UTM, "letter": "r", "to": "out", **values}
    path = folder / "small.net.xml"
    path.write_text(SMALL.format(**told))
    return path


def test_crosswalks_bikes_and_actuated_programs_come_with_a_net(tmp_path: Path) -> None:
    path = small(tmp_path, projection="!")
    source = Source(path, path.name, "small", "small")
    roads, place = sumo_roads(MapFile(source, Placement(anchor=(113.5, 23.1, 0.0))))
    check(roads, "small")
    assert place.georeference.method == "user"
    [walk] = roads.crosswalks
    assert (walk.intersection, walk.link, walk.group) == ("T", "in", "1")
    assert {g.id: (g.kind, g.number) for g in roads.groups} == {
        "0": ("vehicle", 4), "1": ("pedestrian", None),
    }  # fmt: skip
    [plan] = roads.plans
    assert (plan.id, plan.offset, plan.cycle) == ("T:day", 40.0, 50.0)
    assert (plan.phases[0].shortest, plan.phases[0].longest) == (10.0, 50.0)
    assert [lane.type for lane in roads.lanes_of("in")] == ["driving", "bike"]
    link = roads.link_by_id["in"]
    assert (link.name, link.road_class, link.start, link.end) == (
        "West Road",
        "arterial",
        None,
        "T",
    )
    stop = level((roads.lane_by_id["in_1"].line[-1],), (113.5, 23.1))[0]
    assert np.allclose(stop, (95, 98.4), atol=0.01)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"projection": "!"}, "--crs"),
        ({"letter": "x"}, "'x', which is no signal state"),
        ({"letter": ""}, "has 1 signals"),
        ({"to": "nowhere"}, "the edge 'nowhere', which the net does not have"),
    ],
)
def test_what_is_wrong_with_a_net_is_named(
    tmp_path: Path, wrong: dict[str, str], said: str
) -> None:
    with pytest.raises(InvalidInput, match=re.escape(said)):
        read_sumo(small(tmp_path, **wrong))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("<net", '<!DOCTYPE net [<!ENTITY a "b">]><net', "declares a document type"),
        ("</net>", "", "is no sound XML"),
        ('speed="13.89"', 'speed="fast"', "lane id='in_1': speed is 'fast' and must be a number"),
        ('speed="13.89"', 'speed="nan"', "speed is 'nan' and must be a number"),
        ("0,98.4 95,98.4", "0,98.4 95", "the coordinates '0,98.4 95' cannot be read"),
        ('<edge id="in"', "<edge", "has no id"),
    ],
)
def test_a_file_that_is_not_sound_is_refused_by_its_place(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = small(tmp_path)
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InvalidInput, match=re.escape(said)):
        read_sumo(path)
