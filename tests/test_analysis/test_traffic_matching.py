"""Vehicles are matched to the lanes they drive on."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.traffic.lanes import expanded, lane_map, least_of
from analysis.traffic.matching import match
from cim_core.traffic.moving import ROAD_USERS, Positions, joined, nothing, take
from cim_core.traffic.roads import Connection, Lane, Link, RoadMap
from tests.support.traffic import BEARINGS, HALF, SIDE, SPEED, along, at_places, crossing, lon_lat

ROADS = crossing()
LANES = lane_map(ROADS)


def line(points: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple((float(lon), float(lat)) for lon, lat in lon_lat(points))


def winding() -> RoadMap:
    """A road of three lanes beside each other that bends, and one that comes back on the other side."""
    turn = np.linspace(0, np.pi / 2, 10)
    radii = (60.0, 63.5, 67.0)
    arcs = [np.column_stack([r * np.cos(turn), r * np.sin(turn)]) for r in radii]
    back = np.column_stack([56.5 * np.cos(turn), 56.5 * np.sin(turn)])[::-1]
    links = (
        Link(id="there", line=line(arcs[0]), length=94.0, speed=14.0),
        Link(id="back", line=line(back), length=89.0, speed=14.0),
    )
    lanes = [
        Lane(id=f"there-{i + 1}", link="there", number=i + 1, width=3.5, speed=14.0, line=line(arc))
        for i, arc in enumerate(arcs)
    ]
    lanes.append(Lane(id="back-1", link="back", number=1, width=3.5, speed=14.0, line=line(back)))
    return RoadMap(links=links, lanes=tuple(lanes))


WINDING = lane_map(winding())


@settings(deadline=None, max_examples=25)
@given(
    lane=st.integers(0, 3), seed=st.integers(0, 10_000), told=st.sampled_from(["all", "speed", ""]),
    hertz=st.sampled_from([1, 10]),
)  # fmt: skip
def test_who_drives_along_a_lane_with_noise_below_half_a_width_is_matched_to_it(
    lane: int, seed: int, told: str, hertz: int
) -> None:
    random = np.random.default_rng(seed)
    points = WINDING.polylines[lane]
    steps = np.r_[0.0, np.cumsum(np.hypot(*np.diff(points, axis=0).T))]
    metres = np.arange(2.0, steps[-1] - 2.0, 8.0 / hertz)
    places = np.column_stack([np.interp(metres, steps, points[:, axis]) for axis in (0, 1)])
    angle, far = random.uniform(0, 2 * np.pi, len(metres)), random.uniform(0, 1.7, len(metres))
    moved = places + far[:, None] * np.column_stack([np.sin(angle), np.cos(angle)])
    lon, lat, _ = WINDING.frame.to_geographic(np.column_stack([moved, np.zeros(len(moved))])).T
    driven = replace(
        at_places(
            np.arange(len(metres)) * 1000 // hertz, ["a"] * len(metres), moved,
            speeds=8.0 if told else np.nan, headings=np.nan,
        ),
        lon=lon, lat=lat,
    )  # fmt: skip
    if told == "all":
        ahead = WINDING.on_line(places, np.full(len(places), lane, np.int32))[2]
        driven = replace(driven, headings=ahead.astype(np.float32))
    found = match(WINDING, driven)
    assert set(found.lanes.tolist()) == {lane}
    # Corners on the inside of a bend are nearer to one piece or the next; 1.7 m is all there is.
    assert np.abs(found.along - metres).max() < 1.8
    assert found.off.max() <= 1.8


def test_who_drives_the_wrong_way_is_on_the_lane_they_are_on_and_turned_round() -> None:
    metres = np.arange(-150.0, -60.0, 10.0)
    places = along(90.0, metres)
    driven = at_places(np.arange(9) * 1000, ["a"] * 9, places, headings=270.0)
    found = match(LANES, driven)
    assert {ROADS.lanes[row].id for row in found.lanes} == {"east-in-1"}
    assert np.allclose(found.turned, 180.0, atol=0.1)


def test_rows_come_ordered_by_road_user_and_time_each_once_and_nowhere_is_minus_one() -> None:
    there = along(90.0, [-100.0, -90.0, -80.0])
    rows = joined(
        [
            at_places([2000, 1000, 2000], ["b", "a", "b"], there),
            at_places([1000], ["b"], [[500.0, 500.0]]),
        ],
        Positions,
    )
    found = match(LANES, rows)
    named = found.positions.who.texts().tolist()
    assert len(found) == 3
    assert sorted(zip(named, found.positions.times.tolist(), strict=True)) == [
        ("a", 1000), ("b", 1000), ("b", 2000),
    ]  # fmt: skip
    lost = named.index("b")
    assert found.positions.times[lost] == 1000
    assert found.lanes[lost] == found.connections[lost] == found.links[lost] == -1
    assert np.isnan(found.along[lost])
    assert np.isnan(found.off[lost])
    assert len(match(LANES, nothing(Positions))) == 0
    assert len(match(lane_map(RoadMap()), rows)) == 3


def test_a_track_ends_where_nothing_is_heard_for_long_or_somebody_jumps() -> None:
    places = along(90.0, [-150.0, -140.0, -130.0, -120.0, 150.0])
    rows = at_places([0, 1000, 21_000, 22_000, 23_000], ["a"] * 5, places)
    assert match(LANES, rows).tracks.tolist() == [0, 0, 1, 1, 2]


def test_speeds_and_headings_that_nobody_told_are_those_of_the_way_made() -> None:
    times = np.arange(0, 20_000, 100)
    metres = -190.0 + np.r_[np.arange(100) * 0.8, np.full(100, 79.2)]
    rows = at_places(times, ["a"] * 200, along(90.0, metres), speeds=np.nan, headings=np.nan)
    found = match(LANES, rows)
    assert np.allclose(found.speeds[:85], 8.0, atol=0.01)
    assert np.allclose(found.speeds[-80:], 0.0, atol=0.01)
    # Who stands heads where they did.
    assert np.allclose(found.headings, 90.0, atol=0.1)
    assert set(found.lanes.tolist()) == {LANES.lane_rows["east-in-1"]}


def test_only_pedestrians_are_on_the_sidewalk() -> None:
    side = along(90.0, [-150.0, -20.0], side=SIDE + 2.5)
    walk = Lane(
        id="walk", link="east-in", number=2, type="sidewalk", width=2.0, speed=2.0, line=line(side)
    )
    lanes = lane_map(
        RoadMap(links=ROADS.links, lanes=(*ROADS.lanes, walk), connections=ROADS.connections)
    )
    place = along(90.0, [-100.0], side=SIDE + 2.2)
    for kind, lane in (("pedestrian", "walk"), ("passenger", "east-in-1")):
        found = match(
            lanes, at_places([0], ["a"], place, kinds=ROAD_USERS.index(kind), headings=90.0)
        )
        assert lanes.roads.lanes[found.lanes[0]].id == lane


def test_a_moment_beside_the_lane_between_two_on_it_is_no_change_of_lanes() -> None:
    points = WINDING.polylines[1]
    places = np.repeat(points[4:5], 12, axis=0)
    places[5] = WINDING.polylines[2][4]
    lon, lat, _ = WINDING.frame.to_geographic(np.column_stack([places, np.zeros(12)])).T
    rows = replace(
        at_places(np.arange(12) * 100, ["a"] * 12, places, headings=np.nan), lon=lon, lat=lat
    )
    assert set(match(WINDING, rows).lanes.tolist()) == {1}
    stays = take(rows, np.r_[0:5, np.full(7, 5)])
    changed = match(WINDING, replace(stays, times=np.arange(12) * 1000)).lanes.tolist()
    assert changed == [1] * 5 + [2] * 7


def test_a_line_is_measured_along_and_beside_itself() -> None:
    bearing = BEARINGS["east"]
    row = np.array([LANES.lane_rows["east-in-1"]] * 3, np.int32)
    far, off, heading = LANES.on_line(
        LANES.plane(*lon_lat(along(bearing, [-200.0, -110.0, 0.0], side=SIDE + 1)).T), row
    )
    assert np.allclose(far, [0.0, 90.0, 190.0], atol=0.01)
    assert np.allclose(off, [1.0, 1.0, np.hypot(1.0, HALF)], atol=0.01)
    assert np.allclose(heading, 90.0, atol=0.01)
    lon, lat = LANES.place(int(row[0]), 90.0)
    assert np.allclose(lon_lat(along(bearing, [-110.0]))[0], (lon, lat), atol=1e-7)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
def test_groups_are_numbered_and_their_least_is_found(groups: list[list[int]]) -> None:
    counts = np.array([len(group) for group in groups], np.int64)
    flat = np.array([value for group in groups for value in group], float)
    least = least_of(flat, counts)
    firsts = np.cumsum(counts) - counts
    assert least.tolist() == [
        int(first) + group.index(min(group)) if group else -1
        for group, first in zip(groups, firsts, strict=True)
    ]
    rows, numbers = expanded(firsts, counts)
    assert numbers.tolist() == list(range(len(flat)))
    assert rows.tolist() == [i for i, group in enumerate(groups) for _ in group]


def test_a_line_of_one_place_is_nowhere() -> None:
    point = line(np.zeros((1, 2))) * 2
    lane = Lane(id="p", link="p", number=1, width=3.0, speed=SPEED, line=point)
    way = Connection(
        id="c", intersection="x", from_lane="p", to_lane="p", turn="straight", line=point
    )
    lanes = lane_map(
        RoadMap(
            links=(Link(id="p", line=point, length=0.0, speed=SPEED),), lanes=(lane,),
            connections=(way,),
        )
    )  # fmt: skip
    assert match(lanes, at_places([0], ["a"], np.zeros((1, 2)))).lanes.tolist() == [-1]
    assert np.isnan(lanes.on_line(np.zeros((1, 2)), np.zeros(1, np.int32))[0]).all()
