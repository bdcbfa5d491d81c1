"""`[sources.NAME]` of `city.toml`."""

import os
import re

import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.observation_sources import ObservationSources


def write(city: City, text: str) -> None:
    path = city.folder / "city.toml"
    path.write_text(path.read_text() + text)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))


def test_a_city_that_says_nothing_has_the_usual_sources(city: City) -> None:
    sources = ObservationSources(city.folder)
    assert set(sources.all()) == {"http", "sensorthings", "mqtt"}
    assert sources.get("http").crs_tag is None
    with pytest.raises(NotFound, match="no source 'buses'"):
        sources.get("buses")


def test_an_entry_is_read_and_read_again_when_it_changed(city: City) -> None:
    sources = ObservationSources(city.folder)
    assert "buses" not in sources.all()
    write(
        city,
        '\n[sources.buses]\ntitle = "公交"\ncrs_tag = "GCJ02"\ntime_zone = "Asia/Shanghai"\n'
        'topics = ["bus/{line}/{device}/{metric}"]\n',
    )
    buses = sources.get("buses")
    assert (buses.title, buses.crs_tag, str(buses.time_zone)) == ("公交", "GCJ02", "Asia/Shanghai")
    assert buses.filters == ("bus/+/+/+",)
    [pattern] = buses.patterns
    found = pattern.match("bus/333/b-7/speed")
    assert found
    assert found.groupdict() == {"object": "b-7", "metric": "speed"}
    assert pattern.match("bus/333/b-7/speed/more") is None
    write(city, '[sources.http]\ncrs_tag = "BD09"\n')
    assert sources.get("http").crs_tag == "BD09"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[sources.a]\ncrs_tag = "EPSG:4547"', "sources.a.crs_tag"),
        ('[sources.a]\ntime_zone = "Beijing"', "sources.a.time_zone"),
        ('[sources.a]\ntopics = ["a/b"]', "sources.a.topics"),
        ('[sources.a]\ntopics = ["a/{object}/#"]', "sources.a.topics"),
        ('[sources.a]\ntopics = "a"', "sources.a.topics"),
        ("[sources.a]\ncolour = 1", "sources.a.colour"),
        ("[sources]\nA = 1", "sources.A"),
        ("sources = 1", "sources"),
    ],
)
def test_a_wrong_entry_is_named(city: City, text: str, place: str) -> None:
    write(city, f"\n{text}\n")
    with pytest.raises(InvalidInput, match=re.escape(f"city.toml: {place} is wrong")):
        ObservationSources(city.folder).all()
