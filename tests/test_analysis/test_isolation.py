"""A burst in a small network whose every valve is known."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.analysis import asked
from analysis.isolation import BurstIsolation
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.network import Network, NodeKind, Valves
from cim_core.progress import Progress
from server.processes import execute
from tests.support.streets import lon_lat, pipes, publish_pipes

POINTS = {
    "works": (0.0, 0.0), "v1": (100.0, 0.0), "a": (200.0, 0.0), "b": (300.0, 0.0),
    "c": (400.0, 0.0), "d": (500.0, 0.0), "side": (300.0, 100.0),
}  # fmt: skip
LINES = {
    "P1": ("works", "v1"), "P2": ("v1", "a"), "P3": ("a", "b"), "P4": ("b", "c"), "P5": ("c", "d"),
    "P6": ("b", "side"),
}  # fmt: skip


def street(**kinds: NodeKind) -> Network:
    """A works, a valve in the street, and valves at b towards a and at c towards both sides."""
    found = pipes(
        POINTS, LINES, kinds={"works": NodeKind.SOURCE, "v1": NodeKind.VALVE, **kinds}, size=0.2
    )
    users = np.array([0.0, 0.0, 10.0, 20.0, 30.0, 40.0, 5.0])
    names = list(POINTS)
    lines = list(LINES)
    valves = Valves(
        np.array(["闸甲", "闸乙"], object),
        np.array([lines.index("P3"), lines.index("P4"), lines.index("P5")]),
        np.array([names.index("b"), names.index("c"), names.index("c")]),
        np.array([0, 1, 1]),
    )
    nodes = replace(found.nodes, users=users, demand=users / 100)
    return replace(found, nodes=nodes, valves=valves)


def ask(city: City, **values: Any) -> dict[str, list[dict[str, Any]]]:
    answer = asked(BurstIsolation, values)(city, Progress())
    return {
        name: [dict(zip([c.name for c in table.columns], row, strict=True)) for row in table.rows]
        for name, table in answer.outputs.items()
    }


@pytest.fixture(scope="module")
def water(tmp_path_factory: pytest.TempPathFactory) -> City:
    city = City.open_or_create(tmp_path_factory.mktemp("isolation") / "city")
    publish_pipes(city, "water", street())
    return city


def test_a_burst_names_its_valves_where_they_stand_and_what_they_shut_in(water: City) -> None:
    [[lon, lat]] = lon_lat([250.0, 3.0]).tolist()
    found = ask(water, at={"type": "Point", "coordinates": [lon, lat]})
    assert [(row["layer"], row["id"], row["valve"], row["cuts"]) for row in found["valves"]] == [
        ("water", "b", "闸甲", "P3"), ("water", "v1", "v1", "P1, P2"),
    ]  # fmt: skip
    [b, _] = found["valves"]
    assert [b["lon"], b["lat"]] == pytest.approx(lon_lat(POINTS["b"])[0].tolist(), abs=1e-8)
    assert [row["id"] for row in found["segments"]] == ["P2", "P3"]
    assert [row["id"] for row in found["nodes"]] == ["a"], "the valve is on neither side"
    assert [(row["what"], row["id"]) for row in found["stranded"]] == [
        ("segment", "P4"), ("segment", "P5"), ("segment", "P6"),
        ("node", "b"), ("node", "c"), ("node", "d"), ("node", "side"),
    ]  # fmt: skip
    assert sum(row["users"] for row in found["stranded"] if row["what"] == "node") == 95


def test_the_totals_add_up_and_the_worst_valve_comes_first(water: City) -> None:
    found = ask(water, segment="P6")
    rows = {row["what"]: row for row in found["totals"]}
    assert list(rows) == ["shut", "stranded", "off", "worst"]
    assert (rows["shut"]["segments"], rows["shut"]["length"]) == (2, 200.0)
    assert (rows["shut"]["users"], rows["stranded"]["users"], rows["off"]["users"]) == (25, 70, 95)
    assert rows["shut"]["demand"] == 0.25
    assert {row["sources"] for row in rows.values()} == {1}
    assert [row["valve"] for row in found["worse"]] == ["闸甲", "闸乙"]
    first, second = found["worse"]
    assert (first["next"], first["next_count"], first["id"]) == ("v1", 1, "b")
    assert (first["users"], first["more_users"], first["more_nodes"]) == (105, 10, 1)
    assert (second["next"], second["more_users"]) == ("", 0), "beyond it all was stranded anyway"
    assert (rows["worst"]["failing"], rows["worst"]["users"]) == ("闸甲", 105)


def test_valves_and_their_failures_are_listed_page_by_page(water: City) -> None:
    whole = ask(water, segment="P6")
    for name in ("valves", "worse"):
        pages = [ask(water, segment="P6", limit=1, after=row)[name] for row in range(3)]
        assert pages == [[whole[name][0]], [whole[name][1]], []]
    assert ask(water, segment="P6", limit=1, after=1)["totals"] == whole["totals"]


def test_a_second_source_beyond_saves_what_would_be_stranded(city: City) -> None:
    publish_pipes(city, "water", street(d=NodeKind.SOURCE))
    found = ask(city, segment="P6")
    rows = {row["what"]: row for row in found["totals"]}
    assert (rows["stranded"]["users"], rows["off"]["sources"]) == (30, 2)
    assert [row["id"] for row in found["stranded"]] == ["c"], "its valve cuts it from both sides"
    second = next(row for row in found["worse"] if row["valve"] == "闸乙")
    assert (second["next_count"], second["more_users"]) == (0, 40), "the other source is shut in"


def test_without_sources_and_users_what_is_not_known_stays_empty(city: City) -> None:
    known = street(works=NodeKind.JOINT)
    nothing = np.full(len(POINTS), np.nan)
    nodes = replace(known.nodes, users=nothing, demand=nothing)
    publish_pipes(city, "water", replace(known, nodes=nodes))
    rows = {row["what"]: row for row in ask(city, segment="P6")["totals"]}
    assert rows["stranded"]["segments"] is None
    assert (rows["off"]["sources"], rows["off"]["users"], rows["off"]["segments"]) == (0, None, 2)


@pytest.mark.parametrize("values", [{}, {"segment": "P1", "at": {"type": "Point"}}])
def test_a_break_is_at_one_place(water: City, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="give at or segment, not both"):
        ask(water, **values)


def test_the_answer_can_be_served_and_kept_with_a_receipt(water: City) -> None:
    done = execute(water, "isolation", {"segment": "P6"}, Progress())
    served = {name: output.as_dict() for name, output in done.outputs.items()}
    assert list(json.loads(json.dumps(served))) == list(BurstIsolation.outputs)
