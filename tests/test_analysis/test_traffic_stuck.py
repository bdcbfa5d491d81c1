"""A signal that does not change fails only while others are told of that do."""

import msgspec
import numpy as np

from analysis.traffic.event_map import EventMap
from analysis.traffic.event_rules import event_rules
from analysis.traffic.event_signals import Signals
from analysis.traffic.lanes import lane_map
from cim_core.network import Labels
from cim_core.traffic.moving import SignalStates
from cim_core.traffic.roads import Intersection
from tests.support.traffic_scenes import place, roads

NODES = ("x", "y")


def changing(node: str, seconds: range) -> list[tuple[int, str, int]]:
    """Rows of a signal that changes every half a minute."""
    return [(second, node, 6 if second // 30 % 2 else 3) for second in seconds]


def failed(rows: list[tuple[int, str, int]], now: int) -> list[str | None]:
    known = msgspec.structs.replace(
        roads(), intersections=tuple(Intersection(id=node, place=place(0, 0)) for node in NODES)
    )
    signals = Signals(EventMap(lane_map(known), event_rules()), event_rules())
    rows = sorted(rows)
    signals.take(
        SignalStates(
            np.array([1000 * at for at, _, _ in rows], np.int64), Labels.of([n for _, n, _ in rows]),
            Labels.of(["1"] * len(rows)), np.array([light for _, _, light in rows], np.uint8),
            np.full(len(rows), np.nan, np.float32),
        )
    )  # fmt: skip
    return [one.intersection for one in signals.look(1000 * now)]


def test_one_that_stands_while_the_other_changes_has_failed() -> None:
    assert failed(changing("x", range(0, 300, 30)) + changing("y", range(0, 1000, 30)), 1000) == [
        "x"
    ]


def test_nobody_has_failed_when_all_fall_silent_nor_when_they_come_back_one_by_one() -> None:
    before = changing("x", range(0, 300, 30)) + changing("y", range(15, 300, 30))
    for now in (400, 500, 600, 5000):
        assert failed(before, now) == []
    assert failed([*before, (5000, "x", 3)], 5001) == []
    again = changing("x", range(5000, 5100, 30))
    assert failed(before + again, 5100) == []
    assert failed(before + changing("x", range(5000, 5400, 30)), 5400) == ["y"]
