"""Traces of a small network whose every pipe is known."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.analysis import asked
from analysis.trace import Trace
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.network import Labels, Network, NodeKind
from cim_core.progress import Progress
from server.processes import execute
from tests.support.streets import lon_lat, pipes, publish_pipes

POINTS = {
    "works": (0.0, 0.0), "a": (100.0, 0.0), "b": (200.0, 0.0), "c": (200.0, 50.0), "1": (100.0, 50.0),
    "out": (300.0, 0.0),
}  # fmt: skip
LINES = {
    "main": ("works", "a"), "ab": ("b", "a"), "bc": ("b", "c"), "c1": ("c", "1"), "1a": ("1", "a"),
    "end": ("b", "out"),
}  # fmt: skip


def network() -> Network:
    """A works, a loop of four, a dead end; "ab" was drawn against its flow, "bc" has none known."""
    found = pipes(
        POINTS, LINES, kinds={"works": NodeKind.SOURCE, "out": NodeKind.OUTFALL},
        size=[0.4, 0.3, 0.2, np.nan, 0.2, 0.2], flows=np.array([1, -1, 0, -1, -1, 1], np.int8),
    )  # fmt: skip
    users = np.array([np.nan, 5.0, 6.0, 7.0, 8.0, 9.0])
    classes = Labels.of(["JP", "JP", "JP", "JP", "JP", "XS"])
    return replace(
        found, nodes=replace(found.nodes, users=users, demand=users / 10),
        segments=replace(found.segments, classes=classes),
    )  # fmt: skip


def ask(city: City, **values: Any) -> dict[str, list[dict[str, Any]]]:
    answer = asked(Trace, values)(city, Progress())
    return {
        name: [dict(zip([c.name for c in table.columns], row, strict=True)) for row in table.rows]
        for name, table in answer.outputs.items()
    }


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("trace") / "city")
    publish_pipes(city, "water", network())
    return city


def test_downstream_of_the_works_lies_everything_once_with_its_sums(water: City) -> None:
    found = ask(water, segment="main", direction="downstream")
    assert ids(found["segments"]) == list(LINES)
    assert sorted(ids(found["nodes"])) == ["1", "a", "b", "c", "out"]
    assert [row["flow"] for row in found["segments"]] == [
        "forward", "backward", "unknown", "backward", "backward", "forward",
    ]  # fmt: skip
    hydrant, everything = found["totals"][-2:]
    assert (hydrant["class"], hydrant["segments"], hydrant["length"]) == ("XS", 1, 100)
    assert everything == {
        "class": None, "segments": 6, "length": 500.0,
        "volume": round(np.pi / 4 * (0.16 * 100 + 0.09 * 100 + 0.04 * (50 + 50 + 100)), 3),
        "unsized": 1, "unknown_flow": 1, "nodes": 5, "demand": 3.5, "users": 35,
    }  # fmt: skip
    assert sum(row["users"] for row in found["totals"][:-1]) == 35


def test_upstream_a_pipe_of_unknown_flow_is_passed_and_counted(water: City) -> None:
    found = ask(water, node="c", direction="upstream")
    assert sorted(ids(found["segments"])) == ["1a", "ab", "bc", "c1", "main"]
    assert found["totals"][-1]["unknown_flow"] == 1
    assert sorted(ids(found["nodes"])) == ["1", "a", "b", "c", "works"]


def test_the_way_to_the_works_is_in_order_with_the_distance_so_far(water: City) -> None:
    found = ask(water, node="out", direction="source")
    assert ids(found["segments"]) == ["end", "ab", "main"]
    assert [row["distance"] for row in found["segments"]] == [100, 200, 300]
    assert ids(found["nodes"]) == ["out", "b", "a", "works"]
    outfall = ask(water, segment="main", direction="outfall")
    assert ids(outfall["segments"]) == ["main", "ab", "end"]
    assert outfall["segments"][-1]["distance"] == 300


def test_flows_and_closed_links_stop_a_way_unless_told_otherwise(city: City) -> None:
    known = network()
    closed = np.array([name == "main" for name in LINES])
    flows = known.segments.flows.copy()
    flows[-1] = -1  # the dead end now flows away from the outfall
    publish_pipes(
        city, "water", replace(known, segments=replace(known.segments, closed=closed, flows=flows))
    )
    with pytest.raises(
        NotFound, match="no outfall can be reached from there; set by_flow to false"
    ):
        ask(city, node="a", direction="outfall")
    found = ask(city, node="a", direction="outfall", by_flow=False)
    assert ids(found["segments"]) == ["ab", "end"]
    with pytest.raises(NotFound, match="no source can be reached"):
        ask(city, node="a", direction="source")
    assert ids(ask(city, node="a", direction="source", through_closed=True)["segments"]) == ["main"]
    assert "works" not in ids(ask(city, node="a")["nodes"])
    assert "works" in ids(ask(city, node="a", through_closed=True)["nodes"])


def test_what_is_connected_says_what_alone_holds_it_together(water: City) -> None:
    found = ask(water, node="1")
    alone = {row["id"]: row["only"] for row in found["segments"]}
    assert alone == {"main": 1, "ab": 0, "bc": 0, "c1": 0, "1a": 0, "end": 1}


def test_a_trace_begins_at_the_nearest_pipe_or_by_an_id_of_digits(water: City) -> None:
    [[lon, lat]] = lon_lat([150.0, 4.0]).tolist()
    place = {"type": "Point", "coordinates": [lon, lat]}
    assert ids(ask(water, at=place, direction="source")["segments"]) == ["ab", "main"]
    with pytest.raises(NotFound, match="no pipe lies within 3 m"):
        ask(water, at=place, within=3)
    assert ids(ask(water, node=1, direction="source")["segments"]) == ["1a", "main"]


def test_pages_follow_each_other_and_the_totals_are_of_all(water: City) -> None:
    pages = []
    after: str | None = "0"
    while after is not None:
        answer = asked(Trace, {"node": "a", "limit": 4, "after": after})(water, Progress())
        pages.append([row[1] for row in answer.outputs["segments"].rows])
        assert answer.outputs["totals"].rows[-1][1] == 6
        after = answer.outputs["segments"].next
    assert pages == [list(LINES)[:4], list(LINES)[4:]]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "give one of at, segment, node"),
        ({"node": "a", "segment": "ab"}, "give one of at, segment, node"),
        ({"at": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}, "at is not a GeoJSON Point"),
        ({"at": {"type": "Point", "coordinates": [500, 2]}}, "at is not a GeoJSON Point"),
        ({"node": "a", "direction": "sideways"}, "direction"),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_told_so(
    water: City, values: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        ask(water, **values)


def test_nodes_of_the_same_id_need_their_layer(city: City) -> None:
    publish_pipes(city, "water", network())
    publish_pipes(city, "more", network())
    with pytest.raises(NotFound, match="no pipe network has a node 'nowhere'"):
        ask(city, node="nowhere")
    with pytest.raises(InvalidInput, match="several layers have a node 'a'"):
        ask(city, node="a")
    found = ask(city, node="a", layer="more")
    assert {row["layer"] for row in found["segments"] + found["nodes"]} == {"more"}


def test_the_answer_can_be_served_and_kept_with_a_receipt(water: City) -> None:
    done = execute(water, "trace", {"segment": "main", "direction": "downstream"}, Progress())
    served = {name: output.as_dict() for name, output in done.outputs.items()}
    assert list(json.loads(json.dumps(served))) == list(Trace.outputs)
