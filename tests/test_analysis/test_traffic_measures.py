"""Intersections whose every vehicle is known, measured, and the same recomputed one by one."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.registry import analysis_named
from analysis.traffic.measures import intersection_measures, measure
from analysis.traffic.measures_diagrams import (
    cycles,
    cycles_of,
    queue_series,
    time_space,
    time_space_of,
)
from analysis.traffic.measures_scene import Scene, scene_of
from analysis.traffic.measures_totals import intersection_totals, totals
from analysis.traffic.signal_use import Shows
from cim_core.errors import InvalidInput, NotFound
from cim_core.progress import Progress
from cim_core.table import Table
from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates, joined, nothing, take
from cim_core.traffic.roads import Connection, RoadMap
from tests.support.traffic import (
    ARM,
    BEARINGS,
    HALF,
    SPEED,
    along,
    at_places,
    city_with_roads,
    crossing,
    lon_lat,
    shown,
)

ROADS = crossing()
RED, GREEN, YELLOW = 3, 6, 7
NO_SIGNALS = nothing(SignalStates)


@dataclass(frozen=True)
class Drive:
    """Somebody who comes in at 10 m/s, stands at places for so long, and goes on the same way."""

    who: str
    arm: str
    begin: float
    stands: Sequence[tuple[float, float]] = ()
    kind: str = "passenger"
    until: float = ARM
    side: float = 2.0

    def metres(self, at: float) -> float:
        """Metres beyond the middle, so many seconds after the epoch."""
        left, place = at - self.begin, -ARM
        for stop, lasts in self.stands:
            needed = (stop - place) / SPEED
            if left <= needed:
                return place + left * SPEED
            left, place = max(left - needed - lasts, 0.0), stop
            if left == 0.0:
                return stop
        return place + left * SPEED

    def speed(self, at: float) -> float:
        return (self.metres(at + 0.01) - self.metres(at - 0.01)) / 0.02

    def when(self, metres: float) -> float:
        """When they first are there, seconds."""
        before = sum(lasts for stop, lasts in self.stands if stop < metres)
        return self.begin + (metres + ARM) / SPEED + before


def positions(drives: Sequence[Drive], every: float = 1.0) -> Positions:
    """What they tell, each once in so many seconds."""
    parts = []
    for drive in drives:
        times = np.arange(math.ceil(drive.begin / every), drive.when(drive.until) / every) * every
        metres = [drive.metres(at) for at in times]
        parts.append(
            at_places(
                np.round(times * 1000), [drive.who] * len(times),
                along(BEARINGS[drive.arm], metres, drive.side),
                speeds=[drive.speed(at) for at in times], headings=BEARINGS[drive.arm],
                kinds=ROAD_USERS.index(drive.kind),
            )
        )  # fmt: skip
    return joined(parts, Positions)


def plan(cycle: int, green: int, count: int) -> SignalStates:
    """East and west green from 0, then 3 s of yellow, then red; north and south always red."""
    rows = [(0, "ns", RED)]
    for begin in range(0, cycle * count, cycle):
        rows += [
            (begin, "ew", GREEN),
            (begin + green, "ew", YELLOW),
            (begin + green + 3, "ew", RED),
        ]
    return shown([at * 1000 for at, _, _ in rows], [g for _, g, _ in rows], [x for _, _, x in rows])


def named(table: Table) -> list[dict[str, Any]]:
    names = [column.name for column in table.columns]
    return [dict(zip(names, row, strict=True)) for row in table.rows]


def of(drives: Sequence[Drive], signals: SignalStates = NO_SIGNALS, end: float = 600.0) -> Scene:
    return scene_of(ROADS, positions(drives), signals, "J1", 0, round(end * 1000))


def the(table: Table, **what: str) -> dict[str, Any]:
    (row,) = [r for r in named(table) if all(r[key] == value for key, value in what.items())]
    return row


def test_who_is_hindered_by_nobody_loses_nothing() -> None:
    row = the(measure(of([Drive("a", "east", 0.0)]), 600, "movement"), movement="east-in>straight")
    assert row["volume"] == row["passenger"] == 1
    assert row["flow"] == 6.0
    assert row["delay_s"] == pytest.approx(0, abs=0.02)
    assert row["travel_time_s"] == pytest.approx(21.0, abs=0.02)
    assert (row["stops"], row["queue_max_m"], row["queue_max_veh"]) == (0, 0, 0)
    assert row["los"] == "A"
    # Without signals there is nothing to say of them.
    for column in ("saturation_flow", "green_use", "arrivals_on_green", "split_failures", "cycles"):
        assert row[column] is None


def test_time_stood_before_the_stop_line_is_delay_and_a_stop() -> None:
    drives = [Drive("a", "east", 0.0, [(-80.0, 20.0), (-12.0, 30.0)]), Drive("b", "east", 100.0)]
    row = the(measure(of(drives), 600, "lane"), lane="east-in-1")
    assert row["approach_delay_s"] == pytest.approx(25.0, abs=0.05)
    # Gaining speed again costs nothing in this world, which has no inertia.
    assert row["delay_s"] == pytest.approx(25.0, abs=0.05)
    assert row["stops"] == 1.0
    assert row["queue_max_m"] == pytest.approx(4.5, abs=0.01)
    assert row["queue_back_m"] == pytest.approx(80 - HALF + 4.5, abs=0.01)


def test_a_queue_reaches_over_small_gaps_and_ends_at_large_ones() -> None:
    places = (-11.0, -18.0, -25.0, -32.0, -60.0)
    drives = [Drive(f"v{i}", "east", i * 3.0, [(at, 100.0 - i)]) for i, at in enumerate(places)]
    row = the(measure(of(drives), 600, "lane"), lane="east-in-1")
    assert row["queue_max_veh"] == 4
    assert row["queue_max_m"] == pytest.approx(3 * 7 + 4.5, abs=0.01)
    assert row["queue_back_m"] == pytest.approx(32 - HALF + 4.5, abs=0.01)
    assert row["spillback_s"] == 0
    series = measure(of(drives), 60, "lane")
    most = [r["queue_max_veh"] for r in named(series) if r["lane"] == "east-in-1"]
    assert most[:4] == [4, 4, 3, 0]


def test_a_queue_that_fills_its_lane_is_spillback() -> None:
    places = [-HALF - 1 - 7.0 * i for i in range(27)]
    drives = [Drive(f"v{i}", "east", i * 2.0, [(at, 200.0)]) for i, at in enumerate(places)]
    row = the(measure(of(drives), 600, "approach"), link="east-in")
    # The last alone reaches back so far; it counts once it has stood for a second.
    assert row["spillback_s"] == 199
    assert row["spillback_share"] == pytest.approx(199 / 600, abs=0.0001)


CROSSING_AT = [61.0, 64.0, 67.0, 69.5, *(69.5 + 2.0 * i for i in range(1, 9))]


def queued(crossing_at: Sequence[float]) -> list[Drive]:
    """They stand one behind the other before the stop line, and cross it at those times."""
    drives = []
    for i, at in enumerate(crossing_at):
        place = -11.0 - 7.0 * i
        # It goes when it has to, to be at the stop line at that time.
        begin = 2.0 * i
        goes = at - (-HALF - place) / SPEED
        drives.append(
            Drive(f"v{i}", "east", begin, [(place, goes - begin - (place + ARM) / SPEED)])
        )
    return drives


def test_headways_behind_the_fourth_vehicle_are_the_saturation_flow() -> None:
    """Twelve stand in the red, and cross every 2 s from 62 s on; the first four take longer."""
    drives = queued(CROSSING_AT)
    signals = joined(
        [shown([0, 60_000, 100_000, 103_000], ["ew"] * 4, [RED, GREEN, YELLOW, RED])], SignalStates
    )
    row = the(measure(of(drives, signals), 600, "lane"), lane="east-in-1")
    assert row["volume"] == 12
    assert row["saturation_flow"] == pytest.approx(1800, rel=0.01)
    assert row["saturation_degree"] == pytest.approx(12 / (1800 * 40 / 3600), rel=0.01)
    used = [1.0] + [min(b - a, 3.0) for a, b in pairwise(CROSSING_AT)]
    assert row["green_use"] == pytest.approx(sum(used) / 40, abs=0.01)
    assert (row["cycles"], row["split_failures"], row["red_running"]) == (1, 0, 0)
    assert row["arrivals_on_green"] == 0.0


def test_the_level_of_a_measured_row_is_that_of_its_delay_alone() -> None:
    """More cross in the yellow than one second of green in the same bin has room for."""
    signals = shown([0, 60_000, 81_000, 100_000], ["ew"] * 4, [RED, GREEN, YELLOW, RED])
    found = named(measure(of(queued(CROSSING_AT), signals), 10, "approach"))
    [row] = [x for x in found if x["link"] == "east-in" and (x["saturation_degree"] or 0) > 1]
    assert row["volume"] == sum(80 <= at < 90 for at in CROSSING_AT) == 3
    assert 35 < row["delay_s"] < 55
    assert row["los"] == "D", "who crossed is no demand"


def test_arrivals_on_green_are_counted_and_compared_with_the_share_of_green() -> None:
    """Green from 0 to 40 of 100 s: three who drive through, one who stands in the red."""
    drives = [
        Drive("a", "east", 110.0), Drive("b", "east", 115.0), Drive("c", "west", 101.0),
        Drive("d", "east", 140.0, [(-11.0, 50.0)]),
    ]  # fmt: skip
    signals = plan(100, 40, 6)
    row = the(measure(of(drives, signals, 500), 500, "phase"), phase="ew")
    assert row["volume"] == 4
    assert row["arrivals_on_green"] == 0.75
    assert row["platoon_ratio"] == pytest.approx(0.75 / 0.4, abs=0.002)
    document = cycles_of(of(drives, signals)).document()
    assert [one["start"] for one in document["cycles"]] == [100_000 * i for i in range(6)]
    assert document["cycles"][0] == {
        "group": "ew", "start": 0.0, "green": 40.0, "yellow": 3.0, "red": 57.0, "end": 100_000.0,
    }  # fmt: skip
    assert document["cycles"][-1]["end"] is None
    told = {(one["at"] // 1000, one["light"]) for one in document["arrivals"]}
    assert told == {(129, "green"), (134, "green"), (120, "green"), (159, "red")}


def test_who_waits_through_a_whole_green_makes_a_split_failure() -> None:
    drives = [Drive("a", "east", 40.0, [(-40.0, 200.0)]), Drive("b", "west", 50.0, [(-11.0, 40.0)])]
    table = measure(of(drives, plan(100, 40, 6)), 600, "approach")
    # a stands from 56 s to 256 s: the green of 100 s fails; that of 200 s it leaves in its yellow.
    assert drives[0].when(-HALF) == pytest.approx(259.0)
    failing = the(table, link="east-in")
    assert failing["cycles"] == 6
    assert failing["split_failures"] == 2
    assert the(table, link="west-in")["split_failures"] == 0


@pytest.mark.parametrize(
    ("begin", "stands", "runs"),
    [(36.0, [], 1), (20.5, [], 0), (24.3, [], 0), (36.0, [(-9.5, 40.0)], 0), (30.0, [(-10.5, 60.0)], 0)],
)  # fmt: skip
def test_who_crosses_late_in_the_red_has_run_it(
    begin: float, stands: list[tuple[float, float]], runs: int
) -> None:
    """Red from 43 s to 100 s; the stop line is 19 s from where they come in.

    Who rolls over the line and stands there has not run it.
    """
    row = the(measure(of([Drive("a", "east", begin, stands)], plan(100, 40, 6)), 600, "phase"), phase="ew")  # fmt: skip
    assert row["red_running"] == runs


def test_who_vanishes_before_the_stop_line_did_not_cross_it() -> None:
    drives = [
        Drive("before", "east", 0.0, until=-HALF - 1), Drive("behind", "east", 20.0, until=5.0),
        Drive("whole", "east", 40.0),
    ]  # fmt: skip
    row = the(measure(of(drives), 600, "approach"), link="east-in")
    assert row["volume"] == 2
    # Nobody saw when the second entered the link behind.
    assert row["travel_time_s"] == pytest.approx(21.0, abs=0.02)


def test_who_is_not_heard_for_some_seconds_at_the_stop_line_is_counted_all_the_same() -> None:
    rows = positions([Drive("a", "east", 0.0)])
    rows = take(rows, (rows.times < 15_000) | (rows.times > 22_000))
    row = the(measure(scene_of(ROADS, rows, NO_SIGNALS, "J1", 0, 600_000), 600, "approach"), link="east-in")  # fmt: skip
    assert row["volume"] == 1
    assert row["delay_s"] == pytest.approx(0, abs=0.05)


def test_middles_are_moved_to_the_fronts() -> None:
    drives = [Drive("a", "east", 0.0, [(-11.0, 30.0)])]
    rows = positions(drives)
    moved = at_places(
        rows.times, rows.who.texts().tolist(),
        along(90.0, [drives[0].metres(at / 1000) - 2.25 for at in rows.times]),
        speeds=rows.speeds, headings=90.0,
    )  # fmt: skip
    fronts = scene_of(ROADS, rows, NO_SIGNALS, "J1", 0, 600_000)
    middles = scene_of(ROADS, moved, NO_SIGNALS, "J1", 0, 600_000, middles=True)
    assert measure(fronts, 600, "lane") == measure(middles, 600, "lane")


def with_u_turn() -> RoadMap:
    way = Connection(
        id="back", intersection="J1", from_lane="east-in-1", to_lane="west-out-1", turn="uturn",
        group="ew",
        line=tuple(
            (float(lon), float(lat))
            for lon, lat in lon_lat([[-10.0, -2.0], [-7.0, -2.0], [-5.0, 0.0], [-7.0, 2.0], [-10.0, 2.0]])
        ),
    )  # fmt: skip
    return msgspec.structs.replace(ROADS, connections=(*ROADS.connections, way))


def test_a_u_turn_is_a_movement_of_its_own() -> None:
    there, back = np.arange(-190.0, -10.0, 10.0), np.arange(-10.0, -190.0, -10.0)
    bend = np.array([[-7.0, -2.0], [-5.0, 0.0], [-7.0, 2.0]])
    places = np.vstack(
        [
            np.column_stack([there, np.full(len(there), -2.0)]), bend,
            np.column_stack([back, np.full(len(back), 2.0)]),
        ]
    )  # fmt: skip
    rows = at_places(
        np.arange(len(places)) * 1000, ["a"] * len(places), places, speeds=np.nan, headings=np.nan
    )
    table = measure(scene_of(with_u_turn(), rows, NO_SIGNALS, "J1", 0, 600_000), 600, "movement")
    assert {row["movement"]: row["volume"] for row in named(table) if row["volume"]} == {
        "east-in>uturn": 1
    }


def beside(roads: RoadMap, name: str, shift: float) -> dict[str, Any]:
    """A road map with other ids, so many degrees further east."""

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: changed(part) for key, part in value.items()}
        if isinstance(value, list):
            if len(value) == 2 and all(isinstance(part, float) for part in value):
                return [value[0] + shift, value[1]]
            return [changed(part) for part in value]
        if isinstance(value, str) and (value == "J1" or value.split("-")[0] in BEARINGS):
            return name if value == "J1" else f"{name}/{value}"
        return value

    return changed(json.loads(msgspec.json.encode(roads)))


def test_intersections_of_one_map_are_measured_apart() -> None:
    documents = [json.loads(msgspec.json.encode(ROADS)), beside(ROADS, "J2", 0.01)]
    both = msgspec.convert(
        {key: documents[0][key] + documents[1][key] for key in ("links", "lanes", "connections", "intersections", "groups")},
        RoadMap, strict=False,
    )  # fmt: skip
    one = positions([Drive("a", "east", 0.0), Drive("b", "north", 5.0)])
    two = positions([Drive("c", "east", 0.0, [(-30.0, 10.0)])])
    moved = Positions(
        two.times, two.who, two.lon + 0.01, two.lat, two.speeds, two.headings, two.accelerations,
        two.kinds, two.lengths,
    )  # fmt: skip
    rows = joined([one, moved], Positions)
    for intersection, volume in (("J1", 2), ("J2", 1)):
        scene = scene_of(both, rows, NO_SIGNALS, intersection, 0, 600_000)
        assert named(totals(scene, 600))[0]["volume"] == volume
    alone = scene_of(ROADS, one, NO_SIGNALS, "J1", 0, 600_000)
    assert measure(alone, 600, "lane") == measure(
        scene_of(both, rows, NO_SIGNALS, "J1", 0, 600_000), 600, "lane"
    )


STAND = st.tuples(st.floats(-150.0, -11.0), st.floats(3.0, 60.0))
DRIVE = st.tuples(
    st.sampled_from(["east", "west", "north", "south"]), st.floats(0.0, 500.0),
    st.lists(STAND, max_size=2), st.sampled_from(["passenger", "bus", "truck", "bicycle", "pedestrian"]),
)  # fmt: skip


@settings(deadline=None, max_examples=15)
@given(st.lists(DRIVE, min_size=1, max_size=12), st.sampled_from([0.1, 1.0]))
def test_measures_are_those_that_are_recomputed_one_vehicle_at_a_time(
    told: list[tuple[str, float, list[tuple[float, float]], str]], every: float
) -> None:
    drives = [
        Drive(f"v{i}", arm, begin, sorted(set(stands)), kind)
        for i, (arm, begin, stands, kind) in enumerate(told)
    ]
    scene = scene_of(ROADS, positions(drives, every), plan(60, 27, 20), "J1", 0, 600_000)
    for bin_s in (100, 600):
        for row in named(measure(scene, bin_s, "approach")):
            begin = starts(row["start"])
            own = [
                d for d in drives
                if f"{d.arm}-in" == row["link"] and begin <= d.when(-HALF) < begin + bin_s
                and d.kind != "pedestrian"
            ]  # fmt: skip
            if any(abs(d.when(-HALF) / bin_s % 1 - 0.5) > 0.499 for d in drives):
                continue
            motor = [d for d in own if d.kind != "bicycle"]
            assert row["volume"] == len(motor)
            for kind in ("passenger", "bus", "truck", "bicycle"):
                assert row[kind] == sum(d.kind == kind for d in own)
            if motor:
                stood = [sum(lasts for _, lasts in d.stands) for d in motor]
                assert row["approach_delay_s"] == pytest.approx(np.mean(stood), abs=0.3)
    lanes = named(measure(scene, 600, "lane"))
    approaches = {row["link"]: row for row in named(measure(scene, 600, "approach"))}
    for row in lanes:
        assert row["volume"] == approaches[row["link"]]["volume"]


def starts(text: str) -> float:
    minutes, seconds = text.removesuffix("Z").split(":")[1:]
    return int(minutes) * 60 + int(seconds)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.sampled_from([0, RED, GREEN, YELLOW])), max_size=12)
)
def test_lights_of_every_second_are_those_that_were_told_last(rows: list[tuple[int, int]]) -> None:
    ordered = sorted(rows, key=lambda row: row[0])
    signals = shown([at * 1000 for at, _ in ordered], ["ew"] * len(rows), [x for _, x in ordered])
    scene = scene_of(ROADS, positions([Drive("a", "east", 0.0)]), signals, "J1", 0, 400_000)
    told = {0: Shows.NOTHING, RED: Shows.RED, GREEN: Shows.GREEN, YELLOW: Shows.YELLOW}
    until = max([21, *(at for at, _ in ordered)])
    shows = []
    for second in range(until):
        before = [light for at, light in ordered if at <= second]
        shows.append(told[before[-1]] if before else Shows.NOTHING)
    if scene.lights.names:
        edges = np.array([0.0, until * 1000.0])
        for what in (Shows.RED, Shows.GREEN, Shows.YELLOW):
            assert scene.lights.seconds(0, what, edges)[0] == pytest.approx(
                sum(one == what for one in shows), abs=0.01
            )
        found, _ = scene.lights.at(np.zeros(until, np.int32), np.arange(until, dtype=float) * 1000)
        assert found.tolist() == [int(one) for one in shows]


def test_a_window_without_anybody_says_nothing_and_one_of_nothing_is_refused() -> None:
    empty = scene_of(ROADS, nothing(Positions), NO_SIGNALS, "J1", 0, 600_000)
    assert all(row["volume"] is None for row in named(measure(empty, 300, "movement")))
    assert named(totals(empty, 600))[0]["volume"] is None
    with pytest.raises(InvalidInput, match="end is not later than start"):
        scene_of(ROADS, nothing(Positions), NO_SIGNALS, "J1", 5, 5)
    with pytest.raises(InvalidInput, match=r"bin=0\.5 is too short"):
        measure(empty, 0.5, "lane")
    with pytest.raises(InvalidInput, match="60000 bins"):
        measure(scene_of(ROADS, nothing(Positions), NO_SIGNALS, "J1", 0, 60_000_000), 1, "lane")
    with pytest.raises(InvalidInput, match="by='colour' is unknown"):
        measure(empty, 600, "colour")
    with pytest.raises(NotFound, match="no intersection 'J9'"):
        scene_of(ROADS, nothing(Positions), NO_SIGNALS, "J9", 0, 1)


def test_the_time_space_diagram_shows_who_drives_along_the_corridor() -> None:
    rows = positions([Drive("a", "east", 0.0, [(-11.0, 20.0)]), Drive("b", "north", 0.0)])
    signals = plan(60, 27, 3)
    way = {"corridor": "main"}
    found = time_space_of(ROADS, rows, signals, 0, 180_000, **way).document()
    assert found["length"] == pytest.approx(2 * ARM, abs=0.1)
    assert found["stops"] == [{"intersection": "J1", "at_m": 190.0, "name": "试验路口"}]
    assert found["greens"] == [
        {"intersection": "J1", "start": s * 1000, "end": (s + 27) * 1000} for s in (0, 60, 120)
    ]
    (track,) = found["tracks"]
    assert track["times"][:3] == [0, 1000, 2000]
    assert track["metres"][:3] == pytest.approx([0, 10, 20], abs=0.1)
    for what, message in (
        ({"corridor": "none"}, "no corridor 'none'"), ({}, "along which way"),
        ({"from_": "J1", "to": "J9"}, "no intersection 'J9'"), ({"from_": "J1", "to": "J1"}, "two intersections"),
    ):  # fmt: skip
        with pytest.raises((NotFound, InvalidInput), match=message):
            time_space_of(ROADS, rows, signals, 0, 180_000, **what)


def test_a_city_is_asked_for_all_of_it(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    drives = [Drive("a", "east", 0.0, [(-11.0, 20.0)]), Drive("b", "north", 30.0)]
    city.traffic.append("roads", positions(drives))
    city.traffic.append("roads", plan(60, 27, 10))
    asked = ("roads", "J1", 0, 600_000)
    table = intersection_measures(city, *asked, 300, "movement", Progress())
    assert [row["volume"] for row in named(table) if row["volume"]] == [1, 1]
    assert named(intersection_totals(city, *asked, 600))[0]["imbalance"] == 1.0
    assert len(cycles(city, *asked).document()["cycles"]) == 10
    document = queue_series(city, *asked, 1.0).document()
    assert document["lanes"] == [lane.id for lane in ROADS.lanes if lane.link.endswith("-in")]
    east = document["lanes"].index("east-in-1")
    stood = [
        t for t, metres in zip(document["times"], document["metres"][east], strict=True) if metres
    ]
    assert (stood[0], stood[-1]) == (20_000, 38_000)
    assert len(time_space(city, "roads", 0, 600_000, corridor="main").tracks) == 1
    question = analysis_named("intersection-measures").model_validate({
        "layer": "roads", "intersection": "J1", "start": "1970-01-01T00:00:00Z",
        "end": "1970-01-01T00:10:00Z", "bin": 300,
    })  # fmt: skip
    answer = question(city, Progress())
    assert answer.outputs["measures"] == table
    assert [version.layer for version in answer.versions] == ["roads"]
    with pytest.raises(NotFound, match="no layer"):
        intersection_measures(city, "other", "J1", 0, 1000)
    with pytest.raises(InvalidInput, match=r"step=0\.01 is too short"):
        queue_series(city, *asked, 0.01)
