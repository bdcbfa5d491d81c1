"""Isolation, against flooding a network in plain Python, and against wntr's own answers."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cim_core.errors import Cancelled
from cim_core.network import Network, NodeKind, Nodes, Segments, Valves
from cim_core.progress import Progress
from pipelines.isolation import MEASURES, Parts, all_valves, parts_of
from tests.support.graphs import networks, water_model

Item = tuple[str, int]
Joints = list[tuple[Item, Item, int]]
"""Where a segment meets a node, and the valve there, -1 for none."""


def joints_of(network: Network) -> Joints:
    valves = all_valves(network)
    at = {
        (segment, node): valve
        for segment, node, valve in zip(
            valves.segments.tolist(), valves.nodes.tolist(), valves.valves.tolist(), strict=True
        )
    }
    segments = network.segments
    return [
        (("segment", row), ("node", int(ends[row])), at.get((row, int(ends[row])), -1))
        for ends in (segments.starts, segments.ends)
        for row in range(len(segments))
    ]


def flooded(joints: Joints, begin: set[Item]) -> set[Item]:
    beside: dict[Item, list[Item]] = {}
    for one, other, _ in joints:
        beside.setdefault(one, []).append(other)
        beside.setdefault(other, []).append(one)
    seen, stack = set(begin), list(begin)
    while stack:
        for item in beside.get(stack.pop(), []):
            if item not in seen:
                seen.add(item)
                stack.append(item)
    return seen


class Naive:
    """A break without a graph: closing is dropping joints."""

    def __init__(self, network: Network, through_closed: bool) -> None:
        self.network, self.joints = network, joints_of(network)
        self.through_closed = through_closed
        kinds = network.nodes.kinds
        self.bodies = {
            ("node", row)
            for row in range(len(network.nodes))
            if kinds[row] == NodeKind.VALVE
            and len({valve for _, node, valve in self.joints if node == ("node", row)}) == 1
            and all(valve >= 0 for _, node, valve in self.joints if node == ("node", row))
        }

    def part(self, item: Item) -> set[Item]:
        return flooded([joint for joint in self.joints if joint[2] < 0], {item})

    def to_close(self, shut: set[Item]) -> set[int]:
        beside: dict[int, set[Item]] = {}
        for one, other, valve in self.joints:
            beside.setdefault(valve, set()).update({one, other} - self.bodies)
        return {
            valve for valve, items in beside.items() if valve >= 0 and items & shut and items - shut
        }

    def fed(self, shut: set[Item], closed: set[int]) -> set[Item]:
        closed_links = self.network.segments.closed
        joints = [
            (one, other, valve)
            for one, other, valve in self.joints
            if valve not in closed
            and not {one, other} & shut
            and (self.through_closed or not closed_links[one[1]])
        ]
        kinds = self.network.nodes.kinds
        sources = {("node", row) for row in np.flatnonzero(kinds == NodeKind.SOURCE).tolist()}
        return flooded(joints, sources - shut)

    def off(self, segment: int, failing: int = -1) -> tuple[set[int], set[Item], set[Item]]:
        shut = self.part(("segment", segment))
        if failing >= 0:
            for one, other, valve in self.joints:
                if valve == failing:
                    shut = shut | self.part(one) | self.part(other)
        shut = shut - self.bodies
        valves = self.to_close(shut)
        stranded = self.fed(set(), set()) - shut - self.fed(shut, valves) - self.bodies
        return valves, shut, stranded


def rows(items: set[Item], what: str) -> list[int]:
    return sorted(row for kind, row in items if kind == what)


def measures(network: Network, items: set[Item]) -> list[float]:
    segments, nodes = rows(items, "segment"), rows(items, "node")
    lengths = network.segments.lengths[segments]
    volumes = lengths * np.pi * 0.2**2 / 4
    return [
        len(segments), lengths.sum(), volumes.sum(), len(nodes),
        network.nodes.demand[nodes].sum(), np.nansum(network.nodes.users[nodes]),
    ]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(network=networks(), data=st.data(), through_closed=st.booleans())
def test_a_break_shuts_and_strands_what_flooding_says_with_every_valve_failing_in_turn(
    network: Network, data: st.DataObject, through_closed: bool
) -> None:
    assume(len(network.segments))
    naive = Naive(network, through_closed)
    parts = Parts(network, through_closed=through_closed)
    segment = data.draw(st.integers(0, len(network.segments) - 1))
    found = parts.break_at(segment)
    valves, shut, stranded = naive.off(segment)
    assert found.planned.valves.tolist() == sorted(valves)
    assert found.shut_segments.tolist() == rows(shut, "segment")
    assert found.shut_nodes.tolist() == rows(shut, "node")
    assert found.stranded_segments.tolist() == rows(stranded, "segment")
    assert found.stranded_nodes.tolist() == rows(stranded, "node")
    cases = zip([-1, *sorted(valves)], [found.planned, *found.failures], strict=True)
    for failing, loss in cases:
        closing, shut, stranded = naive.off(segment, failing)
        assert loss.valves.tolist() == sorted(closing)
        assert loss.shut.tolist() == pytest.approx(measures(network, shut))
        assert loss.stranded.tolist() == pytest.approx(measures(network, stranded))


@settings(max_examples=120, deadline=None)
@given(network=networks())
def test_parts_are_what_hangs_together_without_the_cuts(network: Network) -> None:
    naive, parts = Naive(network, False), Parts(network, through_closed=False)
    numbers = {("segment", row): part for row, part in enumerate(parts.segments.tolist())}
    numbers |= {("node", row): part for row, part in enumerate(parts.nodes.tolist())}
    for item, number in numbers.items():
        assert naive.part(item) == {other for other, part in numbers.items() if part == number}
    assert parts.count == len(set(numbers.values()))


ORACLES = [
    ("Net3", "Net3", "Net3_valve_layer_strategic2", 38, 10),
    ("Net3", "Net3r", "Net3r_valve_layer_random40", 23, 59),
    ("ky4", "ky4", "ky4_valve_layer_strategic2", 460, 80),
    ("ky4", "ky4r", "ky4r_valve_layer_random600", 429, 173),
]


@pytest.mark.parametrize(("model", "oracle", "layer", "count", "worst"), ORACLES)
def test_real_networks_fall_into_the_parts_wntr_finds(
    data: Path, model: str, oracle: str, layer: str, count: int, worst: int
) -> None:
    known = water_model(data, model, layer)
    network, links, nodes = known.network, known.links, known.nodes
    parts = parts_of(network, through_closed=True)
    theirs = set()
    for kind, known, ours in (("link", links, parts.segments), ("node", nodes, parts.nodes)):
        path = data / "water" / "oracle" / f"{oracle}_{kind}_segments.csv"
        with path.open(encoding="utf-8") as file:
            said = {row[0]: row[1] for row in list(csv.reader(file))[1:]}
        assert said.keys() == known.keys()
        theirs |= {(int(ours[known[name]]), part) for name, part in said.items()}
    assert parts.count == len(theirs) == count
    assert len({ours for ours, _ in theirs}) == len({their for _, their in theirs}) == count

    junction = network.nodes.kinds != NodeKind.SOURCE
    without = []
    with (data / "water" / "oracle" / f"{oracle}_isolation.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found = parts.break_at(links[row["seg_min_link"]])
            inside = int(junction[found.shut_nodes].sum())
            without.append(inside + int(junction[found.stranded_nodes].sum()))
            assert len(found.shut_segments) == int(row["links"])
            assert inside == int(row["junctions_inside"])
            assert len(found.planned.valves) == int(row["valves_to_close"])
            assert without[-1] == int(row["junctions_without_source"])
            lost = float(row["mean_demand_lost_m3s"]) * 1000
            assert found.planned.off[MEASURES.index("demand")] == pytest.approx(lost, abs=1e-6)
    assert max(without) == worst


def line(kinds: list[NodeKind], **more: object) -> Network:
    """Nodes in a row with a segment between each two."""
    count = len(kinds)
    nodes = replace(
        Nodes.bare([f"N{row}" for row in range(count)], np.zeros((count, 2))),
        kinds=np.array(kinds, np.int8), demand=np.ones(count), users=np.full(count, 100.0),
    )  # fmt: skip
    starts = np.arange(count - 1)
    segments = Segments.bare([f"S{row}" for row in range(count - 1)], starts, starts + 1)
    return Network(nodes, replace(segments, **more))


def test_a_node_that_is_a_valve_shuts_all_its_segments_and_is_on_neither_side() -> None:
    joint, valve = NodeKind.JOINT, NodeKind.VALVE
    network = line([NodeKind.SOURCE, valve, joint, valve, joint])
    found = parts_of(network).break_at(1)
    assert network.nodes.ids[[1, 3]].tolist() == all_valves(network).ids.tolist()
    assert found.planned.valves.tolist() == [0, 1]
    assert found.shut_segments.tolist() == [1, 2]
    assert found.shut_nodes.tolist() == [2]
    assert (found.stranded_segments.tolist(), found.stranded_nodes.tolist()) == ([3], [4])
    assert found.sources == 1
    up, down = found.failures
    assert up.off[MEASURES.index("users")] == 300, "the source's node is shut in as well"
    assert down.off[MEASURES.index("users")] == 200, "what was stranded is shut in now"


def test_a_valve_of_a_table_is_not_doubled_by_its_node() -> None:
    network = line([NodeKind.SOURCE, NodeKind.VALVE, NodeKind.JOINT])
    given_ = Valves(np.array(["闸1"], object), np.array([1]), np.array([1]), np.array([0]))
    assert all_valves(replace(network, valves=given_)).ids.tolist() == ["闸1"]


def test_a_closed_link_neither_feeds_nor_serves_as_a_valve() -> None:
    joint = NodeKind.JOINT
    closed = np.array([False, False, True])
    network = line([NodeKind.SOURCE, joint, joint, NodeKind.SOURCE], closed=closed)
    network = replace(
        network,
        valves=Valves(np.array(["V"], object), np.array([1]), np.array([1]), np.array([0])),
    )
    found = parts_of(network).break_at(0)
    assert found.stranded_segments.tolist() == [1], "the closed link was never fed"
    assert parts_of(network, through_closed=True).break_at(0).stranded_nodes.tolist() == []
    assert parts_of(network).break_at(1).shut_segments.tolist() == [1, 2]


def test_where_there_is_no_source_nothing_is_said_to_be_stranded() -> None:
    network = line([NodeKind.JOINT, NodeKind.VALVE, NodeKind.JOINT])
    found = parts_of(network).break_at(0)
    assert found.sources == 0
    assert found.stranded_nodes.tolist() == []


def test_a_valve_closed_for_a_closed_link_strands_what_else_it_feeds() -> None:
    kinds = np.array([NodeKind.SOURCE, NodeKind.JOINT, NodeKind.JOINT], np.int8)
    nodes = replace(Nodes.bare(["N0", "N1", "N2"], np.zeros((3, 2))), kinds=kinds)
    segments = Segments.bare(["open", "closed"], np.array([0, 0]), np.array([1, 2]))
    network = Network(
        nodes,
        replace(segments, closed=np.array([False, True])),
        Valves(np.array(["V"], object), np.array([0, 1]), np.array([0, 0]), np.array([0, 0])),
    )
    found = parts_of(network).break_at(1)
    assert found.planned.valves.tolist() == [0]
    assert (found.stranded_segments.tolist(), found.stranded_nodes.tolist()) == ([0], [1])


def ladder(count: int, *, second: bool) -> Network:
    """A main without valves, `count` connections with one at the main; a second main beyond has
    one at each as well."""
    size = 2 * count + 1
    kinds = np.zeros(size, np.int8)
    kinds[0] = NodeKind.SOURCE
    mains = np.arange(count)
    starts, ends = [mains, mains + 1], [mains + 1, mains + 1 + count]
    if second:
        starts, ends = [*starts, mains[:-1] + 1 + count], [*ends, mains[:-1] + 2 + count]
        kinds[-1] = NodeKind.SOURCE
    nodes = replace(
        Nodes.bare([f"N{row}" for row in range(size)], np.zeros((size, 2))), kinds=kinds,
        demand=np.ones(size), users=np.arange(size, dtype=float),
    )  # fmt: skip
    begins, finishes = np.concatenate(starts), np.concatenate(ends)
    segments = Segments.bare([f"S{row}" for row in range(len(begins))], begins, finishes)
    rungs = mains + count
    cuts, at = [rungs, rungs], [starts[1], ends[1]]
    if not second:
        cuts, at = cuts[:1], at[:1]
    valves = len(cuts) * count
    return Network(
        nodes, segments,
        Valves(
            np.array([f"V{row}" for row in range(valves)], object),
            np.concatenate(cuts), np.concatenate(at), np.arange(valves),
        ),
    )  # fmt: skip


def test_each_of_many_house_connections_fails_for_itself() -> None:
    count = 300
    network = ladder(count, second=False)
    found = parts_of(network).break_at(7)
    users = MEASURES.index("users")
    houses = network.nodes.users[1 + count :]
    assert found.planned.valves.tolist() == list(range(count))
    assert found.planned.stranded[users] == houses.sum()
    for row, failure in enumerate(found.failures):
        assert len(failure.following) == 0
        assert failure.valves.tolist() == [*range(row), *range(row + 1, count)]
        assert failure.stranded[users] == houses.sum() - houses[row]
        assert failure.off[users] == found.planned.off[users]


@pytest.mark.parametrize("second", [False, True])
def test_many_failures_are_each_what_flooding_says(second: bool) -> None:
    network = ladder(24, second=second)
    naive, parts = Naive(network, False), Parts(network, through_closed=False)
    for segment in (0, 24, len(network.segments) - 1):
        found = parts.break_at(segment)
        for failing, loss in zip(found.planned.valves.tolist(), found.failures, strict=True):
            closing, shut, stranded = naive.off(segment, failing)
            assert loss.valves.tolist() == sorted(closing)
            assert loss.off[MEASURES.index("users")] == sum(
                network.nodes.users[rows(shut | stranded, "node")]
            )


def test_failures_can_be_cancelled_one_by_one() -> None:
    said: list[tuple[int, int, str]] = []
    progress = Progress(lambda *step: said.append(step), lambda: len(said) == 3)
    with pytest.raises(Cancelled):
        parts_of(ladder(24, second=False)).break_at(0, progress)
    assert said == [(row, 24, "valves") for row in range(3)]
