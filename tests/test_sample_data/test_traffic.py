"""The traffic of the sample district: nobody drives through another, and what is told of it is true."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates
from cim_core.traffic.recording import read_recording
from cim_core.traffic.road_file import decoded
from cim_core.traffic.roads import RoadMap
from sample_data.district.intersections import Intersection, intersections
from sample_data.district.plan import plan
from sample_data.district.streets import Network, network
from sample_data.district.traffic import (
    KEY_VEHICLES,
    RECORDING,
    ROADS,
    TRUTH,
    Course,
    simulate,
    write_recording,
    write_register,
    write_roads,
    write_truth,
)
from sample_data.district.traffic import ROAD_USERS as THEIRS
from sample_data.district.traffic_map import roads
from sample_data.district.traffic_signals import RED, traffic_table

SHORT, WARM_UP = 120.0, 120.0
SEED = 2026


def streets() -> tuple[Network, tuple[Intersection, ...]]:
    """The streets of the district alone, which take a second."""
    drawn = plan()
    main = network(drawn, drawn.streets)
    return main, intersections(main)


@pytest.fixture(scope="module")
def course() -> Course:
    """Two minutes of traffic."""
    return simulate(roads(*streets()), SEED, SHORT, WARM_UP)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, course: Course) -> Path:
    """The road map and the two minutes as files."""
    made = tmp_path_factory.mktemp("traffic")
    write_roads(made / ROADS, *streets())
    write_recording(made / RECORDING, course)
    write_truth(made / TRUTH, course)
    write_register(made / KEY_VEHICLES, course)
    return made


@pytest.fixture(scope="module")
def whole() -> Course:
    """All of it."""
    return simulate(roads(*streets()), SEED)


@pytest.fixture(scope="module")
def road_map(folder: Path) -> RoadMap:
    """The road map as the product reads it."""
    return decoded((folder / ROADS).read_bytes(), ROADS)


@pytest.fixture(scope="module")
def recording(folder: Path) -> tuple[Positions, SignalStates]:
    """The recording as the product reads it."""
    return read_recording(folder / RECORDING)


def test_the_road_map_has_all_that_a_digital_intersection_has(road_map: RoadMap) -> None:
    assert [one.id for one in road_map.intersections] == [f"I{n:02d}" for n in range(1, 9)]
    kinds = {one.kind for one in road_map.devices}
    assert kinds == {"rsu", "camera", "radar", "mec", "signal-controller"}
    assert {one.kind for one in road_map.restrictions} == {"bus-lane", "no-turn", "weight"}
    assert {one.limit for one in road_map.works} == {"closed", "speed"}
    assert len({one.corridor for one in road_map.links if one.corridor}) == 3
    for node in road_map.intersections:
        assert len(node.approaches) == len(node.exits) == 4
        groups = {one.id: one.kind for one in road_map.groups_of(node.id)}
        assert sorted(groups.values()) == ["pedestrian"] * 4 + ["vehicle"] * 8
        plans = road_map.plans_of(node.id)
        assert sorted(one.cycle for one in plans) == [75, 100, 120]
        for one in plans:
            lit = {group for phase in one.phases for group in phase.lights}
            assert {group for group, kind in groups.items() if kind == "vehicle"} <= lit
        turns = {(road_map.lane_by_id[way.from_lane].link, way.turn) for way in road_map.connections_of(node.id)}  # fmt: skip
        assert len(turns) == 12


def test_ways_that_are_green_together_do_not_cross(road_map: RoadMap) -> None:
    groups = {way.id: (way.intersection, way.group) for way in road_map.connections}
    bikes = {one.id for one in road_map.lanes if one.type == "bike"}
    motors = {way.id for way in road_map.connections if way.from_lane not in bikes}
    for one in road_map.plans:
        for phase in one.phases:
            green = {(one.intersection, g) for g, light in phase.lights.items() if light == "protected-green"}  # fmt: skip
            for way in road_map.connections:
                if way.id in motors and groups[way.id] in green:
                    met = [x for x in way.conflicts if x in motors and groups[x] in green]
                    assert met == []


def test_lanes_lie_one_behind_the_other(road_map: RoadMap) -> None:
    for way in road_map.connections:
        before, after = (road_map.lane_by_id[x] for x in (way.from_lane, way.to_lane))
        assert way.line[0] == pytest.approx(before.line[-1], abs=2e-8)
        assert way.line[-1] == pytest.approx(after.line[0], abs=2e-8)


def test_the_recording_is_plausible(
    recording: tuple[Positions, SignalStates], road_map: RoadMap
) -> None:
    positions, signals = recording
    assert THEIRS == ROAD_USERS
    assert len(np.unique(positions.times)) == SHORT
    names = {ROAD_USERS[code] for code in np.unique(positions.kinds).tolist()}
    assert names == {"passenger", "light-truck", "truck", "bus", "bicycle", "pedestrian"}
    motors = ~np.isin(positions.kinds, [7, 8])
    at_once = np.unique(positions.times[motors], return_counts=True)[1]
    assert at_once.max() >= 300
    assert positions.speeds.min() >= 0
    assert positions.speeds.max() < 24
    known = {(one.intersection, one.id) for one in road_map.groups}
    told = zip(signals.intersections.texts().tolist(), signals.groups.texts().tolist(), strict=True)
    assert set(told) == known
    # Nobody jumps: from second to second nobody moves further than they say they drive.
    order = np.lexsort((positions.times, positions.who.codes))
    who, at = positions.who.codes[order], positions.times[order]
    east = np.radians(positions.lon[order]) * 6_371_000 * np.cos(np.radians(23.1))
    north = np.radians(positions.lat[order]) * 6_371_000
    step = np.hypot(np.diff(east), np.diff(north))
    same = (who[1:] == who[:-1]) & (np.diff(at) == 1000)
    fastest = np.maximum(positions.speeds[order][1:], positions.speeds[order][:-1])[same]
    assert (step[same] <= fastest + 2.5).all()


def test_equal_seeds_give_equal_recordings(course: Course, tmp_path: Path) -> None:
    told = []
    for seed in (SEED, SEED, 7):
        write_recording(tmp_path / RECORDING, simulate(course.roads, seed, 5, 30))
        told.append((tmp_path / RECORDING).read_bytes())
    assert told[0] == told[1] != told[2]


def keeps_to_the_rules(course: Course) -> None:
    """Who came in is still there or drove out; nobody overlaps; nobody runs a red by chance."""
    flow = course.flow
    assert flow.entered == flow.left + len(flow.active)
    lengths = np.array([trip.length for trip in course.trips])
    excused = {who for _, who in course.incidents.passed_red}
    lit = {pair: n for n, pair in enumerate(course.lights.groups)}
    row = [lit[way.node, way.group] for way in course.roads.ways.values()]
    before: dict[int, int] = {}
    for frame in course.frames:
        order = np.lexsort((frame.places, frame.lanes))
        lanes, ways = frame.lanes[order], frame.ways[order]
        rear = frame.places[order] - lengths[frame.trips[order]]
        # Who comes to a lane by another way is not yet behind or before anybody on it.
        behind = (lanes[1:] == lanes[:-1]) & (ways[1:] == ways[:-1])
        assert (rear[1:] >= frame.places[order][:-1] - 1e-6)[behind].all()
        tick = round((frame.at - course.lights.begin) / course.lights.step)
        now = dict(zip(frame.trips.tolist(), frame.ways.tolist(), strict=True))
        for trip, way in now.items():
            if way >= 0 and before.get(trip, way) < 0 and course.trips[trip].who not in excused:
                assert (course.lights.shown[row[way], tick - 3 : tick + 1] != RED).any()
        before = now


def test_nobody_drives_through_another_or_a_red_light(course: Course) -> None:
    keeps_to_the_rules(course)


def test_the_register_and_the_truth_tell_of_the_same_vehicles(folder: Path) -> None:
    register = tomllib.loads((folder / KEY_VEHICLES).read_text("utf-8"))["vehicle"]
    truth = json.loads((folder / TRUTH).read_text("utf-8"))
    assert {one["id"] for one in register} == {one["id"] for one in truth["key_vehicles"]}
    assert truth["ended"] - truth["begun"] == (SHORT - 1) * 1000
    assert all(event["begun"] <= event["ended"] for event in truth["events"])
    begin = traffic_table()["recording"]["begin"]
    assert truth["begun"] == begin
    assert all(1800 % one["cycle"] == 0 for one in traffic_table()["plan"]) and begin % 1_800_000 == 0  # fmt: skip


@pytest.mark.soak
def test_half_an_hour_has_all_that_was_meant_to_happen(whole: Course, tmp_path: Path) -> None:
    keeps_to_the_rules(whole)
    write_truth(tmp_path / TRUTH, whole)
    truth: dict[str, Any] = json.loads((tmp_path / TRUTH).read_text("utf-8"))
    events = truth["events"]
    told = [event["kind"] for event in events]
    assert sorted(told) == sorted(
        ["abnormal-stop", "hard-braking", "queue-spillback", "signal-failure", "wrong-way", "speeding",
         "pedestrian", "off-route", "red-running", "red-running", "red-running"]
    )  # fmt: skip
    (stop,) = [event for event in events if event["kind"] == "abnormal-stop"]
    assert stop["ended"] - stop["begun"] > 180_000
    for who in stop["vehicles"]:
        number = next(n for n, trip in enumerate(whole.trips) if trip.who == who)
        speeds = [f.speeds[f.trips == number] for f in whole.frames if stop["begun"] + 15_000 < truth["begun"] + f.at * 1000 < stop["ended"] - 2000]  # fmt: skip
        assert speeds and max(float(speed.max()) for speed in speeds) == 0.0
    assert truth["vehicles"]["most"] >= 300
