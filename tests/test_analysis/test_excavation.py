"""Excavations, asked as people ask for them."""

import numpy as np
import pytest
import shapely

from analysis.analysis import asked
from analysis.excavation import Excavation
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.network import Labels, NodeKind
from cim_core.progress import Progress
from tests.support.layers import box, layer_of, publish
from tests.support.streets import CORNER, lon_lat, pipes, publish_pipes

HOLE = shapely.geometry.mapping(shapely.Polygon(lon_lat([(10, -5), (20, -5), (20, 5), (10, 5)])))


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A water main with a well, a deep sewer, a power line beside, ground at 10 m."""
    city = City.open_or_create(tmp_path_factory.mktemp("street") / "city")
    publish_pipes(
        city,
        "water",
        pipes(
            {"a": (0, 0), "v": (15, 0), "b": (40, 0)},
            {"W1": ("a", "v"), "W2": ("v", "b")},
            elevations=9,
            size=0.2,
            kinds={"v": NodeKind.VALVE},
            owners=Labels.of(["水司"] * 2),
            materials=Labels.of(["球墨铸铁"] * 2),
        ),
    )
    publish_pipes(
        city,
        "sewer",
        pipes(
            {"c": (15, -20), "d": (15, 20)},
            {"S1": ("c", "d")},
            elevations=5,
            size=0.6,
            classes="WS",
            owners=Labels.of(["排水所"]),
        ),
    )
    publish_pipes(
        city, "power",
        pipes({"e": (0, 6), "f": (40, 6)}, {"P1": ("e", "f")}, elevations=9.2, size=0.1, classes="GD"),
    )  # fmt: skip
    return city


def answered(city: City, **values: object) -> dict[str, list[dict[str, object]]]:
    outputs = asked(Excavation, values)(city, Progress()).outputs
    return {
        name: [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]
        for name, table in outputs.items()
    }


def totals(answer: dict[str, list[dict[str, object]]]) -> dict[str, object]:
    return {str(row["what"]): row["value"] for row in answer["totals"]}


def test_what_is_hit_what_is_near_and_whom_to_call(street: City) -> None:
    found = answered(street, area=HOLE, depth=3.0, margin=2.0)
    hit = {row["id"]: row for row in found["hit"]}
    assert set(hit) == {"W1", "W2", "v"}
    assert hit["W1"]["length"] == pytest.approx(5, abs=1e-3)
    assert hit["W1"]["depth"] == pytest.approx(0.9, abs=1e-3)
    assert (hit["W1"]["size"], hit["W1"]["owner"], hit["W1"]["material"]) == (
        "DN200",
        "水司",
        "球墨铸铁",
    )
    assert (hit["v"]["kind"], hit["v"]["class"]) == ("node", "Valve")
    near = {row["id"]: row["distance"] for row in found["near"]}
    # The sewer's top lies 1.7 m below the bottom at 7 m, the power line 0.95 m beside.
    assert near == {"P1": pytest.approx(0.95, abs=1e-3), "S1": pytest.approx(1.7, abs=1e-3)}
    assert [(row["owner"], row["hit"], row["near"]) for row in found["owners"]] == [
        ("水司", 2, 0), ("", 0, 1), ("排水所", 0, 1),
    ]  # fmt: skip
    assert found["owners"][0]["length"] == pytest.approx(10, abs=1e-3)
    assert totals(found)["area"] == pytest.approx(100, abs=0.01)
    assert totals(found)["soil, upright walls"] == pytest.approx(300, abs=0.1)
    assert totals(found)["lowest bottom"] == 7.0


def test_the_owners_of_a_well_are_those_of_what_meets_there(city: City) -> None:
    publish_pipes(
        city,
        "water",
        pipes(
            {"a": (13, -30), "w": (13, -5.2), "b": (13, -30.5), "lone": (15, 0), "near": (15, 6)},
            {"W1": ("a", "w"), "W2": ("b", "w")},
            elevations=2.0,
            size=0.1,
            kinds={"w": NodeKind.WELL, "lone": NodeKind.WELL, "near": NodeKind.WELL},
            owners=Labels.of(["水司", "燃气公司"]),
            ground=10.0,
        ),
    )
    found = answered(city, area=HOLE, depth=3.0, margin=1.0)
    assert {row["id"] for row in found["hit"]} == {"w", "lone"}
    assert {row["id"] for row in found["near"]} == {"near"}
    owners = {
        row["owner"]: (row["hit"], row["near"], row["nodes_hit"], row["nodes_near"])
        for row in found["owners"]
    }
    assert owners == {"水司": (0, 0, 1, 0), "燃气公司": (0, 0, 1, 0), "": (0, 0, 1, 1)}
    assert [bool(row["classes"]) for row in found["owners"]] == [False, True, True]


def test_a_level_instead_of_a_depth(street: City) -> None:
    found = answered(street, area=HOLE, level=4.9, margin=0.1)
    assert {row["id"] for row in found["hit"]} == {"W1", "W2", "v", "S1"}
    assert found["near"] == []
    assert totals(found)["soil, upright walls"] == pytest.approx(510, abs=0.1)


def test_the_elements_of_a_model_are_dug_for(street: City) -> None:
    frame = CORNER
    publish(
        street,
        layer_of(
            {"F1": [box((4, 2, 1), (28, -1, 8))], "F2": [box((2, 2, 1), (60, 60, 8))],
             "roof": [box((9, 9, 1), (26, -4, 30))]},
            classes={"F1": "IfcFooting", "F2": "IfcFooting", "roof": "IfcSlab"}, frame=frame,
            layer_id="planned",
        ),
    )  # fmt: skip
    found = answered(street, model="planned", classes=["IfcFooting"], margin=0.5)
    assert [(row["id"], row["length"]) for row in found["hit"]] == [
        ("W2", pytest.approx(4, abs=1e-3))
    ]
    assert totals(found)["area"] == pytest.approx(12, abs=0.01)
    assert totals(found)["soil, upright walls"] == pytest.approx(24, abs=0.1)
    assert answered(street, model="planned", ids=["F2"])["hit"] == []
    with pytest.raises(NotFound, match="no element 'F9'"):
        answered(street, model="planned", ids=["F9"])
    with pytest.raises(InvalidInput, match="no such element"):
        answered(street, model="planned", classes=["IfcPile"])


def test_a_pipe_of_unknown_height_is_not_forgotten(city: City) -> None:
    publish_pipes(
        city, "old", pipes({"a": (0, 0), "b": (40, 0)}, {"O1": ("a", "b")}, elevations=np.nan)
    )
    [row] = answered(city, area=HOLE, depth=0.5)["hit"]
    assert (row["id"], row["depth"]) == ("O1", None)


def test_a_depth_needs_a_ground(city: City) -> None:
    publish_pipes(
        city, "old",
        pipes({"a": (0, 0), "b": (40, 0)}, {"O1": ("a", "b")}, elevations=8, ground=np.nan),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="the ground is not known"):
        answered(city, area=HOLE, depth=2.0)
    found = answered(city, area=HOLE, level=7.0)
    assert [row["id"] for row in found["hit"]] == ["O1"]
    assert totals(found)["soil, upright walls"] is None


@pytest.mark.parametrize(
    "values",
    [
        {}, {"area": HOLE}, {"area": HOLE, "depth": 1, "level": 2}, {"model": "m", "depth": 1},
        {"area": HOLE, "model": "m"}, {"area": HOLE, "depth": 1, "ids": ["x"]},
        {"area": {"type": "Point", "coordinates": [1, 2]}, "depth": 1},
    ],
)  # fmt: skip
def test_a_question_that_is_none_is_told(values: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        asked(Excavation, values)
