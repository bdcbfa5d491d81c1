"""Intersections go out as MAP messages and GeoJSON, and come back where they were."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput, NotFound
from cim_core.traffic.road_file import check
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Intersection,
    Lane,
    Link,
    RoadMap,
    SignalGroup,
)
from pipelines.roads_export import around, geojson, map_json
from pipelines.roads_geometry import level, metres_per_degree
from pipelines.roads_sumo import read_sumo
from pipelines.v2x_map import map_message, nodes_of, roads_of


@pytest.fixture(scope="module")
def pasubio(data: Path) -> RoadMap:
    return read_sumo(data / "traffic_pasubio" / "pasubio_buslanes.net.xml")


def read_again(text: bytes) -> RoadMap:
    message = map_message(json.loads(text))
    assert message is not None
    roads, _ = roads_of(nodes_of(message))
    check(roads, "written")
    return roads


def apart(one: Any, other: Any) -> float:
    """How far two lines are from each other at most, metres."""
    lines = [shapely.LineString(level(line, one[0])) for line in (one, other)]
    return float(lines[0].hausdorff_distance(lines[1]))


def test_every_signalised_intersection_of_pasubio_comes_back_as_it_was(pasubio: RoadMap) -> None:
    signals = [one for one in pasubio.intersections if one.control == "signal"]
    assert len(signals) == 8
    for node in signals:
        text = map_json(pasubio, node.id)
        found = read_again(text)
        links = {link.name: link for link in found.links if link.name}
        for arm in node.approaches:
            mine = pasubio.lanes_of(arm.link)
            theirs = found.lanes_of(links[arm.link].id)
            assert [x.number for x in theirs] == [x.number for x in mine]
            for one, other in zip(mine, theirs, strict=True):
                assert apart(one.line, other.line) < 0.02
                assert (other.type, set(other.turns)) == (one.type, set(one.turns))
                assert other.width == pytest.approx(one.width, abs=0.005)
                assert other.speed == pytest.approx(one.speed, abs=0.01)
        into = {arm.link for arm in node.approaches}
        lanes = pasubio.lane_by_id
        told = {
            (lanes[way.from_lane].link, lanes[way.from_lane].number, way.turn)
            for way in pasubio.connections_of(node.id)
            if lanes[way.from_lane].link in into
        }
        by_id = {link.id: link.name for link in found.links}
        came = {
            (
                by_id[found.lane_by_id[x.from_lane].link],
                found.lane_by_id[x.from_lane].number,
                x.turn,
            )
            for x in found.connections
        }
        assert came == told


def test_a_map_message_has_raw_integers_in_the_smallest_choice_that_holds_them(
    pasubio: RoadMap,
) -> None:
    frame = json.loads(map_json(pasubio, "233"))["mapFrame"]
    [node] = frame["nodes"]
    place = pasubio.intersection_by_id["233"].place
    assert node["refPos"] == {"lat": round(place[1] * 1e7), "long": round(place[0] * 1e7)}
    most = {
        f"position-LL{n}": 2 ** (bits - 1) for n, bits in enumerate((12, 14, 16, 18, 22, 24), 1)
    }
    names = list(most)
    for link in node["inLinks"]:
        assert link["speedLimits"] == [{"type": "vehicleMaxSpeed", "speed": 694}]
        for lane in link["lanes"]:
            for point in lane["points"]:
                [(choice, by)] = point["posOffset"]["offsetLL"].items()
                far = max(abs(by["lon"]), abs(by["lat"]))
                assert far < most[choice]
                smaller = names[: names.index(choice)]
                assert all(far >= most[name] for name in smaller)


finite = st.floats(-400, 400, allow_nan=False)


@settings(deadline=None, max_examples=40)
@given(
    lon=st.floats(-179, 179), lat=st.floats(-75, 75),
    lines=st.lists(st.lists(st.tuples(finite, finite), min_size=2, max_size=45), min_size=1, max_size=3),
)  # fmt: skip
def test_any_lanes_come_back_within_two_centimetres(
    lon: float, lat: float, lines: list[list[tuple[float, float]]]
) -> None:
    east, north = metres_per_degree(lat)
    lanes = [
        tuple(
            (lon + x / east, lat + y / north)
            for x, y in [(7.0 * n, -500.0), *line, (7.0 * n, -20.0)]
        )
        for n, line in enumerate(lines)
    ]
    roads = RoadMap(
        links=(Link(id="in", start="1-2", end="1-1", line=lanes[0], length=1, speed=10),
               Link(id="out", start="1-1", line=((lon, lat), (lon, lat + 30 / north)), length=1, speed=10)),
        lanes=(*(Lane(id=f"a{n}", link="in", number=n + 1, width=3, speed=10, line=line)
                 for n, line in enumerate(lanes)),
               Lane(id="b", link="out", number=1, width=3, speed=10, line=((lon, lat), (lon, lat + 30 / north)))),
        intersections=(Intersection(id="1-1", place=(lon, lat),
                                    approaches=(Approach(link="in", bearing=0.0),), exits=("out",)),),
        connections=(Connection(id="c", intersection="1-1", from_lane="a0", to_lane="b", turn="straight",
                                group="7", line=(lanes[0][-1], (lon, lat))),),
        groups=(SignalGroup(id="7", intersection="1-1", number=7),),
    )  # fmt: skip
    check(roads, "made")
    written = map_json(roads, "1-1")
    for told in json.loads(written)["mapFrame"]["nodes"][0]["inLinks"][0]["lanes"]:
        assert 2 <= len(told["points"]) <= 31
    found = read_again(written)
    for n, line in enumerate(lanes):
        came = found.lane_by_id[f"1-2>1-1/{n + 1}"].line
        if len(line) <= 31:
            assert len(came) == len(line)
            for one, other in zip(line, came, strict=True):
                assert math.hypot(*level((one, other))[1]) < 0.02
    [way] = found.connections
    assert (way.group, way.turn) == ("7", "straight")


def test_geojson_has_one_intersection_or_all(pasubio: RoadMap) -> None:
    part, whole = json.loads(geojson(pasubio, "233")), json.loads(geojson(pasubio))
    for told in (part, whole):
        for one in told["features"]:
            assert shapely.geometry.shape(one["geometry"]).is_valid
    classes = [one["properties"]["class"] for one in part["features"]]
    assert classes.count("Connection") == 12
    assert classes.count("StopLine") == 8
    assert classes.count("Intersection") == 1
    assert len(whole["features"]) > 5 * len(part["features"])


def test_what_belongs_to_an_intersection_is_a_road_map_of_its_own(pasubio: RoadMap) -> None:
    for node in pasubio.intersections:
        part = around(pasubio, node.id)
        check(part, node.id)
        assert part.connections == pasubio.connections_of(node.id)


def test_an_intersection_that_is_not_there_or_too_large_is_refused(pasubio: RoadMap) -> None:
    with pytest.raises(NotFound, match="no intersection 'nowhere'"):
        map_json(pasubio, "nowhere")
    with pytest.raises(NotFound, match="no intersection 'nowhere'"):
        geojson(pasubio, "nowhere")
    bare = RoadMap(intersections=(Intersection(id="x", place=(0.0, 0.0)),))
    with pytest.raises(InvalidInput, match="has 0 links; a MAP holds 1 to 32"):
        map_json(bare, "x")


def test_places_lie_apart_as_the_units_say() -> None:
    east, north = metres_per_degree(0.0)
    assert east == pytest.approx(111_319.49, abs=0.01)
    assert north == pytest.approx(110_574.27, abs=0.01)
    assert np.allclose(level(((1.0, 0.0), (1.001, 0.001)))[1], (east / 1000, north / 1000))
