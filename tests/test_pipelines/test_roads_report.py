"""The report says how complete an intersection is, and what is missing where, in both languages."""

from pathlib import Path

import msgspec
import pytest

from cim_core.errors import NotFound
from cim_core.traffic.roads import (
    Approach,
    Connection,
    Crosswalk,
    Device,
    DeviceKind,
    Intersection,
    Lane,
    Link,
    Phase,
    Plan,
    RoadMap,
    SignalGroup,
)
from pipelines.road_report import report, reports, table
from pipelines.roads_sumo import read_sumo


def whole() -> RoadMap:
    """A crossing of a road from the south with one from the west that lacks nothing."""
    here = (113.46, 23.1)
    south = ((113.46, 23.099), (113.46, 23.0999))
    west = ((113.459, 23.1), (113.4599, 23.1))
    out = ((113.46, 23.1001), (113.46, 23.101))
    kinds: tuple[DeviceKind, ...] = ("rsu", "camera", "radar", "mec", "signal-controller")
    return RoadMap(
        links=(Link(id="s", end="x", line=south, length=100, speed=14),
               Link(id="w", end="x", line=west, length=100, speed=14),
               Link(id="o", start="x", line=out, length=100, speed=14)),
        lanes=(Lane(id="s1", link="s", number=1, width=3.5, speed=14, line=south, turns=("straight",)),
               Lane(id="w1", link="w", number=1, width=3.5, speed=14, line=west, turns=("left",)),
               Lane(id="o1", link="o", number=1, width=3.5, speed=14, line=out)),
        intersections=(Intersection(id="x", name="开创大道", place=here, node=(44, 7),
                                    area=(south[1], west[1], out[0], south[1]), exits=("o",),
                                    approaches=(Approach(link="s", bearing=0), Approach(link="w", bearing=90))),),
        connections=(Connection(id="s>o", intersection="x", from_lane="s1", to_lane="o1", turn="straight",
                                group="1", line=(south[1], out[0]), conflicts=("w>o",)),
                     Connection(id="w>o", intersection="x", from_lane="w1", to_lane="o1", turn="left",
                                group="2", line=(west[1], out[0]), conflicts=("s>o",))),
        crosswalks=tuple(Crosswalk(id=f"z{arm}", intersection="x", link=arm, area=(*south, *west))
                         for arm in ("s", "w")),
        groups=(SignalGroup(id="1", intersection="x", number=1), SignalGroup(id="2", intersection="x", number=2)),
        plans=(Plan(id="p", intersection="x", phases=(
            Phase(duration=30, lights={"1": "protected-green"}),
            Phase(duration=30, lights={"2": "permissive-green"}))),),
        devices=tuple(Device(id=kind, kind=kind, intersection="x", place=here) for kind in kinds),
    )  # fmt: skip


def test_an_intersection_that_lacks_nothing_has_all_points() -> None:
    found = report(whole(), "x")
    assert (found.score, found.missing) == (1.0, ())


def test_what_is_missing_is_named_with_its_place_and_costs_its_weight() -> None:
    roads = whole()
    lanes = tuple(
        msgspec.structs.replace(x, turns=(), width=0.5) if x.id == "w1" else x for x in roads.lanes
    )
    lacking = msgspec.structs.replace(roads, lanes=lanes, plans=(), crosswalks=roads.crosswalks[:1])
    found = report(lacking, "x")
    assert {(one.what, one.where) for one in found.missing} == {
        ("turns", "w1"), ("width", "w1"), ("plan", "x"), ("crosswalk", "w"),
    }  # fmt: skip
    weights = {name: item["weight"] for name, item in table()["item"].items()}
    # Without a plan nothing can be said of its greens and its cycle.
    applies = sum(weights.values()) - weights["green"] - weights["cycle"]
    lost = (weights["turns"] + weights["width"] + weights["crosswalk"]) / 2 + weights["plan"]
    assert found.score == pytest.approx(1 - lost / applies, abs=1e-4)
    sentences = {one.what: one.message for one in found.missing}
    assert sentences["width"] == {
        "en": "lane w1 is 0.50 m wide, which is not plausible",
        "zh": "车道 w1 宽 0.50 米，不合理",
    }


def test_signals_are_asked_of_intersections_with_signals_only() -> None:
    roads = whole()
    [node] = roads.intersections
    quiet = msgspec.structs.replace(node, control="priority")
    bare = msgspec.structs.replace(roads, intersections=(quiet,), plans=())
    assert report(bare, "x").score == 1.0


def test_a_group_that_never_sees_green_is_found() -> None:
    roads = whole()
    [plan] = roads.plans
    halved = msgspec.structs.replace(plan, phases=plan.phases[:1])
    [one] = report(msgspec.structs.replace(roads, plans=(halved,)), "x").missing
    assert (one.what, one.where) == ("green", "p")
    assert one.message["zh"] == "方案 p 中灯组 2 从未放行"


def test_every_item_has_its_words_its_weight_and_its_source() -> None:
    for item in table()["item"].values():
        assert item["weight"] > 0
        assert item["source"]
        assert item["confidence"] in ("read", "known", "own")
        assert set(item["title"]) == set(item["message"]) == {"en", "zh"}


def test_pasubio_lacks_what_a_net_cannot_have(data: Path) -> None:
    roads = read_sumo(data / "traffic_pasubio" / "pasubio_buslanes.net.xml")
    found = report(roads, "233")
    lacks = {one.what for one in found.missing}
    assert lacks == {"name", "node", "number", "crosswalk", "device"}
    assert 0.6 < found.score < 0.8
    every = reports(roads)
    assert every == {one.id: report(roads, one.id) for one in roads.intersections}
    assert all(0 <= one.score <= 1 for one in every.values())
    with pytest.raises(NotFound):
        report(roads, "nowhere")
