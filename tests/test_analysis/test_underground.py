"""The pipe networks of a city asked as one."""

import pytest

from analysis.isolation import BurstIsolation
from analysis.underground import underground
from cim_core.city import City
from cim_core.errors import NotFound
from tests.support.streets import lon_lat, pipes, publish_pipes


@pytest.fixture
def two(city: City) -> City:
    """Two pipes beside each other, two metres apart, in two layers with the same ids."""
    for layer, north in (("water", 0.0), ("gas", 2.0)):
        points = {"a": (0.0, north), "b": (100.0, north)}
        publish_pipes(city, layer, pipes(points, {"P": ("a", "b")}))
    return city


def test_in_whatever_order_its_layers_are_named_a_city_is_joined_once(two: City) -> None:
    known = underground(two, ["water", "gas"])
    assert known is underground(two, ["gas", "water", "gas"])
    assert known is underground(two)
    assert [version.layer for version in known.versions] == ["gas", "water"]
    assert [known.layer_of(row) for row in range(2)] == ["gas", "water"]


def test_a_layer_named_with_a_place_is_the_one_asked(two: City) -> None:
    known = underground(two)
    [[lon, lat]] = lon_lat([50.0, 0.1]).tolist()
    at = {"type": "Point", "coordinates": [lon, lat]}
    for layer, expected in ((None, "water"), ("water", "water"), ("gas", "gas")):
        row = BurstIsolation(at=at, layer=layer).asked_segment(known)
        assert known.layer_of(row) == expected
    with pytest.raises(NotFound, match="no pipe lies within 1 m"):
        BurstIsolation(at=at, layer="gas", within=1.0).asked_segment(known)
