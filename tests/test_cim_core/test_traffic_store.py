"""What moves on the roads is kept as it came, and nobody sees what they may not."""

import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.errors import InvalidInput
from cim_core.network import Labels
from cim_core.sight import WHOLE, Part, Sight
from cim_core.store.traffic import Traffic
from cim_core.traffic.moving import (
    ControllerEvents,
    Positions,
    SignalStates,
    in_order,
    joined,
    nothing,
)
from cim_core.traffic.road_file import decoded, encoded
from cim_core.traffic.roads import Intersection, Lane, Link, RoadMap


def positions(times: list[int], who: list[str]) -> Positions:
    n = len(times)
    return Positions(
        np.array(times, np.int64), Labels.of(who), np.full(n, 113.5), np.full(n, 23.1),
        np.full(n, 5.0, np.float32), np.full(n, 90.0, np.float32), np.full(n, np.nan, np.float32),
        np.ones(n, np.uint8), np.full(n, 4.5, np.float32),
    )  # fmt: skip


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(["a", "b", "", "c"])), min_size=1)
)
def test_what_is_recorded_comes_back_whole_and_by_its_window(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    traffic = Traffic(tmp_path_factory.mktemp("traffic"))
    half = len(rows) // 2 or 1
    for part in (rows[:half], rows[half:]):
        if part:
            traffic.append("roads", positions([t for t, _ in part], [w for _, w in part]))
    found = traffic.positions("roads", 1_000, 5_000)
    told = sorted(zip(found.times.tolist(), found.who.texts().tolist(), strict=True))
    assert told == sorted(row for row in rows if 1_000 <= row[0] < 5_000)
    traffic.close()


def test_signals_and_controllers_are_kept_beside_positions(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    signals = SignalStates(
        np.array([1, 2], np.int64), Labels.of(["x", "x"]), Labels.of(["1", "2"]),
        np.array([3, 6], np.uint8), np.array([1.5, np.nan], np.float32),
    )  # fmt: skip
    events = ControllerEvents(
        np.array([7], np.int64),
        Labels.of(["1136"]),
        np.array([82], np.int16),
        np.array([5], np.int32),
    )
    traffic.append("roads", signals)
    traffic.append("roads", events)
    assert traffic.signals("roads", 0, 10).groups.texts().tolist() == ["1", "2"]
    assert traffic.controller_events("roads", 0, 10).codes.tolist() == [82]
    assert traffic.span("roads", SignalStates) == (1, 2)
    assert len(traffic.positions("roads", 0, 10)) == 0
    traffic.close()


def test_the_traffic_of_a_layer_seen_in_part_or_not_at_all_is_not_there(tmp_path: Path) -> None:
    traffic = Traffic(tmp_path)
    traffic.append("roads", positions([1], ["a"]))
    for parts, rows in (({"roads": WHOLE}, 1), ({"roads": Part(heights=False)}, 0), ({}, 0)):
        assert len(traffic.seen_by(Sight(parts)).positions("roads", 0, 10)) == rows
    traffic.close()


def test_rows_of_several_batches_are_joined_and_put_in_order() -> None:
    both = in_order(joined([positions([5, 3], ["a", "b"]), positions([4], ["b"])], Positions))
    assert both.who.texts().tolist() == ["b", "b", "a"]
    assert len(joined([], Positions)) == len(nothing(Positions)) == 0


def road_map() -> RoadMap:
    line = ((113.5, 23.1), (113.501, 23.1))
    return RoadMap(
        links=(Link(id="a", line=line, length=102.0, speed=13.9, end="x"),),
        lanes=(Lane(id="a_1", link="a", number=1, width=3.5, speed=13.9, line=line),),
        intersections=(Intersection(id="x", place=(113.501, 23.1)),),
    )


def test_a_road_map_is_read_as_it_was_written_and_what_is_wrong_is_named() -> None:
    roads = road_map()
    assert decoded(encoded(roads), "map.json") == roads
    with pytest.raises(
        InvalidInput, match=r"map.json: lanes 'a_1', link: there is no 'b' among the links"
    ):
        decoded(encoded(roads).replace(b'"link":"a"', b'"link":"b"'), "map.json")
    with pytest.raises(InvalidInput, match=r"map.json is no road map: .*\$.lanes\[0\]"):
        decoded(encoded(roads).replace(b'"width":3.5', b'"width":"wide"'), "map.json")
    with pytest.raises(InvalidInput, match="the id 'a' is given twice"):
        decoded(encoded(RoadMap(links=roads.links * 2)), "map.json")


def test_what_moved_on_a_layer_that_was_removed_is_not_told_of_its_next_namesake(
    tmp_path: Path,
) -> None:
    traffic = Traffic(tmp_path)
    now = round(time.time() * 1000)
    traffic.append("roads", positions([now - 5000], ["a"]))
    traffic.append("others", positions([now - 5000], ["b"]))
    traffic.forget("roads")
    assert traffic.span("roads", Positions) is None
    traffic.append("roads", positions([now - 5000, now + 60_000], ["late", "new"]))
    assert traffic.positions("roads", 0, now + 90_000).who.texts().tolist() == ["new"]
    assert traffic.positions("others", 0, now).who.texts().tolist() == ["b"]
    traffic.close()
