"""What is known about layers, and the catalogue they stand in."""

from typing import get_args

import pytest

from cim_core.about import about_changes, said_about
from cim_core.catalogue import catalogue, default_cim_level, default_place, places
from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.layer import Kind
from tests.support.layers import box, layer_of, publish


def test_the_catalogue_has_the_six_families_and_every_kind_a_place() -> None:
    assert [node.title["zh"] for node in catalogue()] == [
        "时空基础", "资源调查", "规划管控", "工程建设项目", "公共专题", "物联感知",
    ]  # fmt: skip
    ids = [node.id for family in catalogue() for node in (family, *family.children)]
    assert len(ids) == len(set(ids)) == len(places())
    assert all(child.id.startswith(f"{f.id}/") for f in catalogue() for child in f.children)
    for kind in get_args(Kind):
        assert 1 <= default_cim_level(kind) <= 7
        for level in range(1, 8):
            assert default_place(kind, level) in places()


def test_what_is_said_of_a_layer_outlives_versions_and_takes_none(city: City) -> None:
    publish(city, layer_of({"a": [box()]}))
    first = city.layers.get("boxes")
    assert (first.about.cim_level, first.about.place) == (6, "projects/completion")
    receipt = city.describe("boxes", about_changes({"licence": "CC0", "cim_level": "3"}))
    said = city.layers.get("boxes")
    assert said.version == 1
    assert (said.about.licence, said.about.cim_level, said.about.place) == ("CC0", 3, "base/models")
    assert city.receipts.get(receipt.id)["parameters"] == {
        "layer": "boxes", "about": {"licence": "CC0", "cim_level": 3},
    }  # fmt: skip
    publish(city, layer_of({"b": [box()]}))
    assert city.layers.get("boxes").about == said.about
    city.describe("boxes", about_changes({"licence": None, "cim_level": None}))
    assert city.layers.get("boxes").about == first.about
    with pytest.raises(NotFound, match="nowhere"):
        city.describe("nowhere", {})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lifecycle": "past"}, "give one of present, planned"),
        ({"level": "air"}, "give one of above, surface, under"),
        ({"sensitivity": "none"}, "give one of public, internal, sensitive"),
        ({"cim_level": "8"}, "from 1 to 7"),
        ({"cim_level": ""}, "from 1 to 7"),
        ({"cim_level": "12"}, "from 1 to 7"),
        ({"accuracy": "good"}, "give metres"),
        ({"accuracy": "-1"}, "give metres"),
        ({"accuracy": "inf"}, "give metres"),
        ({"date": "May"}, "write a year"),
        ({"date": "2024-13"}, "write a year"),
        ({"date": "2024-02-30"}, "write a year"),
        ({"place": "base/nothing"}, "not in the catalogue"),
        ({"source": ""}, "has 0 letters"),
        ({"source": "x" * 501}, "at most 500"),
    ],
)
def test_what_cannot_be_so_is_refused(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        said_about(values)


def test_dates_may_be_years_months_or_days() -> None:
    for day in ("2024", "2024-05", "2024-02-29"):
        assert said_about({"date": day, "vertical_unit": "foot"}) == {"date": day}
    with pytest.raises(InvalidInput, match="colour is not among what is known"):
        about_changes({"colour": "red"})
