"""Map messages become road maps: geometry as published, networks of nodes, refusals by element."""

import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.traffic.road_file import check
from cim_core.traffic.roads import RoadMap
from pipelines.roads_geometry import level
from pipelines.v2x_element import Element
from pipelines.v2x_map import map_message, nodes_of, roads_of
from pipelines.v2x_map_file import read_map_messages
from pipelines.v2x_refused import MessageRefused
from pipelines.v2x_told import bits, turns_of

MANEUVERS = ("maneuverStraightAllowed", "maneuverLeftAllowed", "maneuverRightAllowed")


def decoded(*messages: Any) -> tuple[RoadMap, tuple[str, ...]]:
    nodes = []
    for one in messages:
        found = map_message(one)
        assert found is not None
        nodes += nodes_of(found)
    roads, warnings = roads_of(nodes)
    check(roads, "messages")
    return roads, warnings


# --- SAE J2735


def raw_of(processed: Any) -> Any:
    """The message that published geometry was made of: it keeps the offsets of each lane."""
    lanes = [
        {
            "laneID": lane["id"],
            "ingressApproach": lane["properties"]["ingressApproach"],
            "egressApproach": lane["properties"]["egressApproach"],
            "laneAttributes": {
                "directionalUse": {
                    key: lane["properties"][key] for key in ("ingressPath", "egressPath")
                },
                "laneType": {"vehicle": {"restrictedToBusUse": False}},
            },
            "maneuvers": lane["properties"].get("maneuvers"),
            "nodeList": {
                "nodes": [
                    {"delta": {"nodeXY1": None, "nodeXY6": dict(zip("xy", node["delta"], strict=True))}}
                    for node in lane["properties"]["nodes"]
                ]
            },
            "connectsTo": {"connectsTo": lane["properties"].get("connectsTo") or []},
        }
        for lane in processed["mapFeatureCollection"]["features"]
    ]  # fmt: skip
    told = processed["properties"]
    one = {"id": {"region": None, "id": told["intersectionId"]}, "refPoint": told["refPoint"]}
    geometry = [{**one, "laneWidth": told["laneWidth"], "laneSet": {"GenericLane": lanes}}]
    return {"payload": {"data": {"intersections": {"intersectionGeometry": geometry}}}}


def wkt(text: str) -> list[tuple[float, float]]:
    pairs = text[text.index("(") + 1 : -1].split(",")
    return [(float(lon), float(lat)) for lon, lat in (pair.split() for pair in pairs)]


def test_lanes_lie_where_the_published_geometry_has_them(data: Path) -> None:
    processed = json.loads((data / "v2x" / "gj_sample.processed-map-wkt.json").read_text())
    roads, warnings = decoded(raw_of(processed))
    assert warnings == ()
    lanes = {lane.id.rpartition("/")[2]: lane.line for lane in roads.lanes}
    features = processed["mapFeatureCollection"]["features"]
    assert len(lanes) == len(features) == 21
    for one in features:
        published = wkt(one["geometry"])
        line = lanes[str(one["id"])]
        line = line[::-1] if one["properties"]["ingressPath"] else line
        assert len(line) == len(published)
        for mine, theirs in zip(line, published, strict=True):
            assert np.linalg.norm(level((theirs, mine))[1]) < 0.1
    ways = {
        (way.from_lane.rpartition("/")[2], way.to_lane.rpartition("/")[2]): way
        for way in roads.connections
    }
    connecting = processed["connectingLanesFeatureCollection"]["features"]
    assert len(ways) == len(connecting)
    for one in connecting:
        told, published = one["properties"], wkt(one["geometry"])
        way = ways[str(told["ingressLaneId"]), str(told["egressLaneId"])]
        group = told.get("signalGroupId")
        assert way.group == (str(group) if group else None)
        for mine, theirs in ((way.line[0], published[0]), (way.line[-1], published[-1])):
            assert np.linalg.norm(level((theirs, mine))[1]) < 0.1


def test_a_valid_message_is_one_intersection_with_its_lanes(data: Path) -> None:
    roads, _ = decoded(json.loads((data / "v2x" / "gj_valid.map.json").read_text()))
    [node] = roads.intersections
    assert (node.id, node.node, node.control) == ("0-12110", (0, 12110), "signal")
    assert (len(roads.lanes), len(node.approaches), len(node.exits)) == (28, 4, 4)
    assert {lane.width for lane in roads.lanes} == {3.66}
    assert {lane.speed for lane in roads.lanes} == {2.0}, "100 of 0.02 m/s"
    # From the middle of the road outwards: left turns come first, right turns last.
    order = [lane.turns for lane in roads.lanes_of("0-12110:in1")]
    assert order == [("left",), ("straight",), ("straight",), ("right",)]
    for way in roads.connections:
        assert roads.lane_by_id[way.from_lane].line[-1] == way.line[0]
        assert roads.lane_by_id[way.to_lane].line[0] == way.line[-1]


def test_the_element_of_an_invalid_message_is_named(data: Path) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_map_messages(data / "v2x" / "gj_invalid.map.json", "gj_invalid.map.json")
    assert "gj_invalid.map.json, message 1" in str(refused.value)
    assert (
        "$.payload.data.intersections.intersectionGeometry[0].laneSet.GenericLane[4].laneID is 6000"
        in str(refused.value)
    )


@pytest.mark.parametrize("name", ["ApproachAndStopAtLine", "ConnectionOfTravel-connected"])
def test_recorded_scripts_hold_the_same_intersection_over_and_over(data: Path, name: str) -> None:
    rows = (data / "v2x" / f"cm_{name}.csv").read_text().splitlines()
    maps = [json.loads(row.split(",", 2)[2]) for row in rows if row.startswith("MAP")]
    roads, _ = decoded(*maps)
    [node] = roads.intersections
    assert (node.id, len(roads.lanes), len(roads.connections)) == ("0-12109", 15, 9)
    lanes = maps[0]["payload"]["data"]["intersections"]["intersectionGeometry"][0]["laneSet"]
    told = {
        (str(lane["laneID"]), str(one["connectingLane"]["lane"])): one["signalGroup"]
        for lane in lanes["GenericLane"]
        for one in (lane["connectsTo"] or {}).get("connectsTo") or ()
        if one["connectingLane"]["lane"]
    }
    found = {
        (way.from_lane.rpartition("/")[2], way.to_lane.rpartition("/")[2]): int(way.group or 0)
        for way in roads.connections
    }
    assert found == {pair: group or 0 for pair, group in told.items()}


# --- T/CSAE 53


def degrees(east: float, north: float) -> dict[str, int]:
    """Metres as raw offsets, by a rule of thumb of its own."""
    return {"lon": round(east / 102_500 * 1e7), "lat": round(north / 110_750 * 1e7)}


def points(*places: tuple[float, float]) -> list[Any]:
    return [{"posOffset": {"offsetLL": {"position-LL5": degrees(*one)}}} for one in places]


def link(far: int, lanes: list[Any], **more: Any) -> Any:
    return {
        "name": f"from {far}", "upstreamNodeId": {"region": 44, "id": far},
        "speedLimits": [{"type": 5, "speed": 695}], "linkWidth": 350 * len(lanes), "lanes": lanes,
        **more,
    }  # fmt: skip


def lane(number: int, to: int, onto: int, bit: int, phase: int | None, *places: Any) -> Any:
    connection: Any = {
        "remoteIntersection": {"region": 44, "id": to},
        "connectingLane": {"lane": onto, "maneuver": "".join("01"[n == bit] for n in range(12))},
    }
    if phase is not None:
        connection["phaseId"] = phase
    return {
        "laneID": number,
        "laneWidth": 325,
        "connectsTo": [connection],
        "points": points(*places),
    }


def node(number: int, east: float, links: list[Any]) -> Any:
    place = degrees(east, 0)
    return {
        "name": f"node {number}", "id": {"region": 44, "id": number}, "inLinks": links,
        "refPos": {"lat": 231_060_000 + place["lat"], "long": 1_134_590_000 + place["lon"]},
    }  # fmt: skip


def two_nodes() -> Any:
    """Two intersections 400 m apart on a road to the east; 1 and 4 are beyond the map."""
    first = node(2, 0, [
        link(1, [lane(1, 3, 1, 0, 7, (-200, -2), (-15, -2)),
                 lane(2, 9, 1, 2, None, (-200, -5.3), (-15, -5.3))],
             movements=[{"remoteIntersection": {"region": 44, "id": 9}, "phaseId": 3}]),
        link(3, [lane(1, 1, 1, 0, 8, (380, 2), (15, 2))]),
    ])  # fmt: skip
    second = node(3, 400, [
        link(2, [lane(1, 4, 1, 0, 255, (-380, -2), (-15, -2)),
                 {"laneID": 7, "laneAttributes": {"laneType": {"crosswalk": "0" * 16}},
                  "points": points((-12, -8), (-12, 8))}]),
    ])  # fmt: skip
    return [{"mapFrame": {"msgCnt": 3, "nodes": [first]}}, {"nodes": [second]}]


def test_nodes_of_several_messages_are_one_network() -> None:
    roads, warnings = decoded(*two_nodes())
    assert {link.id: (link.start, link.end) for link in roads.links} == {
        "44-1>44-2": ("44-1", "44-2"), "44-3>44-2": ("44-3", "44-2"), "44-2>44-3": ("44-2", "44-3"),
        "44-2>44-9": ("44-2", "44-9"), "44-2>44-1": ("44-2", "44-1"), "44-3>44-4": ("44-3", "44-4"),
    }  # fmt: skip
    assert "3 roads lead to nodes that are not among the messages" in warnings[0]
    ways = {(way.from_lane, way.turn): (way.to_lane, way.group) for way in roads.connections}
    assert ways == {
        ("44-1>44-2/1", "straight"): ("44-2>44-3/1", "7"),
        ("44-1>44-2/2", "right"): ("44-2>44-9/1", "3"),
        ("44-3>44-2/1", "straight"): ("44-2>44-1/1", "8"),
        ("44-2>44-3/1", "straight"): ("44-3>44-4/1", None),
    }
    assert {g.id for g in roads.groups_of("44-2")} == {"3", "7", "8"}
    assert [one.control for one in roads.intersections] == ["signal", "priority"]
    lanes = roads.lanes_of("44-1>44-2")
    assert [one.number for one in lanes] == [1, 2]
    assert lanes[0].speed == pytest.approx(13.90)
    [walk] = roads.crosswalks
    assert (walk.intersection, walk.link) == ("44-3", "44-2>44-3")


def test_a_road_out_that_is_not_told_is_drawn_beside_its_arm() -> None:
    roads, _ = decoded(*two_nodes())
    out = roads.lane_by_id["44-2>44-1/1"]
    place = roads.intersection_by_id["44-2"].place
    line = level(out.line, place)
    assert line[1, 0] < line[0, 0] < -10, "it leads west"
    assert line[:, 1] == pytest.approx(np.full(2, line[0, 1])), "along the arm"
    assert line[0, 1] > 0, "to the left of those who come in"
    assert math.hypot(*(line[1] - line[0])) == pytest.approx(30.0, abs=0.05)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda n: n["id"].update(id=70_000), "$.nodes[0].id.id"),
        (lambda n: n["refPos"].update(lat=36_751_988_036), "$.nodes[0].refPos.lat"),
        (lambda n: n["inLinks"][0].pop("upstreamNodeId"), "$.nodes[0].inLinks[0].upstreamNodeId"),
        (lambda n: n["inLinks"][0]["lanes"][1].update(laneID=256), "$.nodes[0].inLinks[0].lanes[1].laneID"),
        (
            lambda n: n["inLinks"][0]["lanes"][0]["points"].pop(),
            "$.nodes[0].inLinks[0].lanes[0].points",
        ),
        (
            lambda n: n["inLinks"][0]["lanes"][0]["points"][0]["posOffset"]["offsetLL"].update({"x": {}}),
            "$.nodes[0].inLinks[0].lanes[0].points[0].posOffset.offsetLL",
        ),
        (
            lambda n: n["inLinks"][0]["lanes"][0].update(maneuvers="all"),
            "$.nodes[0].inLinks[0].lanes[0].maneuvers",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_message_is_named_by_its_path(change: Any, path: str) -> None:
    message = two_nodes()[0]["mapFrame"]
    change(message["nodes"][0])
    with pytest.raises(MessageRefused) as refused:
        decoded(message)
    assert refused.value.path == path


@settings(deadline=None, max_examples=50)
@given(st.sets(st.integers(0, 11)))
def test_bits_mean_the_same_however_they_are_written(which: set[int]) -> None:
    text = "".join("01"[n in which] for n in range(12))
    octets = int(text.ljust(16, "0"), 2).to_bytes(2, "big").hex().upper()
    names = ("straight", "left", "right")
    few = {n for n in which if n < 3}
    for written in (text, octets, {"value": octets, "length": 12}, sum(1 << n for n in which)):
        assert bits(Element(written), 12, names) == which
    assert bits(Element([names[n] for n in few]), 12, names) == few
    said = {MANEUVERS[n]: n in few for n in range(3)}
    assert bits(Element(said), 12, ("straight", "left", "right")) == few
    assert set(turns_of(Element(text))) == {
        turn for n, turn in enumerate(("straight", "left", "right", "uturn")) if n in which
    }


def test_messages_in_lines_are_read_and_others_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "log.ndjson"
    lines = [*two_nodes(), {"bsmFrame": {"id": "x"}}]
    path.write_text("\n".join(json.dumps(one) for one in lines) + "\n")
    roads, _ = read_map_messages(path, "log.ndjson")
    assert len(roads.intersections) == 2
    path.write_text(path.read_text() + "{not json\n")
    with pytest.raises(InvalidInput, match=re.escape("log.ndjson, line 4, is no JSON")):
        read_map_messages(path, "log.ndjson")
    path.write_text(json.dumps(lines[2]))
    with pytest.raises(InvalidInput, match="no map message with lanes"):
        read_map_messages(path, "log.ndjson")
