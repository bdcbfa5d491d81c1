"""Clashes of a planned model with what lies below the ground, asked as people ask for them."""

import numpy as np
import pytest

from analysis import clash
from analysis.analysis import asked
from analysis.clash import ClashCheck
from cim_core.city import City
from cim_core.network import Network, NodeKind
from cim_core.progress import Progress
from cim_core.sweep_network import Drawn, drawn_segments
from tests.support.layers import box, layer_of, publish
from tests.support.streets import CORNER, lon_lat, pipes, publish_pipes


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> City:
    """A water main, a well and a sewer, and a building to be with piles, a wall and a space."""
    city = City.open_or_create(tmp_path_factory.mktemp("site") / "city")
    publish_pipes(
        city,
        "water",
        pipes(
            {"a": (0, 0), "w": (20, 0), "b": (40, 0)},
            {"W1": ("a", "w"), "W2": ("w", "b")},
            elevations=9,
            size=0.4,
            kinds={"w": NodeKind.WELL},
        ),
    )
    publish_pipes(
        city,
        "unknown",
        pipes({"a": (0, 5), "b": (40, 5)}, {"U1": ("a", "b")}, elevations=np.nan, classes="GD"),
    )
    publish(
        city,
        layer_of(
            {
                "pile": [box((1, 1, 20), (9.5, -0.5, -10))],
                "wall": [box((0.2, 3.5, 3), (30, 0.5, 7.5))],
                "shaft": [box((1, 1, 1), (20.2, -0.5, 9.5))],
                "space": [box((40, 20, 9), (0, -10, 5))],
                "deep": [box((1, 1, 3), (9.5, 4.5, 7))],
            },
            classes={"pile": "IfcPile", "wall": "IfcWall", "shaft": "IfcSlab", "space": "IfcSpace",
                     "deep": "IfcPile"},
            frame=CORNER, layer_id="planned", hidden=["IfcSpace"],
        ),
    )  # fmt: skip
    return city


def rows(city: City, **values: object) -> list[dict[str, object]]:
    table = asked(ClashCheck, {"model": "planned", **values})(city, Progress()).outputs["pairs"]
    return [dict(zip((c.name for c in table.columns), row, strict=True)) for row in table.rows]


def test_what_touches_is_found_with_depth_and_place(site: City) -> None:
    found = {(row["id"], row["other_id"]): row for row in rows(site)}
    assert set(found) == {("W1", "pile"), ("w", "shaft"), ("U1", "deep")}
    hit = found["W1", "pile"]
    assert (hit["layer"], hit["other_layer"], hit["kind"], hit["distance"]) == (
        "water",
        "planned",
        "clash",
        0,
    )
    assert hit["depth"] == pytest.approx(0.5, abs=0.05)
    assert hit["assumed"] == ""
    assert [hit["lon"], hit["lat"]] == pytest.approx(lon_lat((10, 0))[0].tolist(), abs=3e-6)
    assert hit["height"] == pytest.approx(9.0, abs=0.21)
    assert found["w", "shaft"]["class"] == "Well"
    # Its height was not surveyed, and what is assumed for drawing decides; that is told.
    assert found["U1", "deep"]["assumed"] == "height"


def test_what_comes_near_is_found_with_its_distance(site: City) -> None:
    near = [row for row in rows(site, margin=0.5) if row["kind"] == "near"]
    walls = [row for row in near if row["other_id"] == "wall"]
    assert [row["id"] for row in walls] == ["W2"]
    assert walls[0]["distance"] == pytest.approx(0.3, abs=0.01)


def test_spaces_count_only_when_they_are_asked_for(site: City) -> None:
    assert "space" not in {row["other_id"] for row in rows(site)}
    assert {row["id"] for row in rows(site, classes=["IfcSpace"])} == {"W1", "W2", "w", "U1"}
    assert {row["other_id"] for row in rows(site, ids=["pile"])} == {"pile"}


def test_layers_limit_what_is_looked_at(site: City) -> None:
    assert {row["layer"] for row in rows(site, layers=["unknown"])} == {"unknown"}


def test_a_model_far_away_clashes_with_nothing(site: City) -> None:
    far = layer_of({"x": [box((1, 1, 1), (900, 900, 9))]}, frame=CORNER, layer_id="far")
    publish(site, far)
    assert rows(site, model="far", margin=5.0) == []


def test_only_what_is_near_the_model_is_drawn_and_it_is_told(
    site: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[list[str], list[str]]] = []

    def seen(network: Network, *more: object) -> Drawn:
        drawn.append((network.nodes.ids.tolist(), network.segments.ids.tolist()))
        return drawn_segments(network, *more)

    everything = rows(site, margin=0.5)
    monkeypatch.setattr(clash, "drawn_segments", seen)
    # The piles stand at 10 m east: the pipes that pass there, with both of their ends.
    assert [row["other_id"] for row in rows(site, ids=["pile"], margin=0.5)] == ["pile"]
    assert drawn == [(["a", "w"], ["W1"])]
    # The wall is 10 m away from the well, the slab stands on it: it is wider than its pipes.
    of_slab = rows(site, ids=["shaft"], margin=0.5)
    assert of_slab == [row for row in everything if row["other_id"] == "shaft"]
    told: list[str] = []
    asked(ClashCheck, {"model": "planned"})(
        site, Progress(lambda done, total, note: told.append(note))
    )
    assert set(told) == {"clashes"}
