"""What a city feels: entities, who sees them, and the newest observations."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.errors import Conflict, NotFound
from cim_core.observations import Observations, joined, keys_of, observations
from cim_core.sensor_classes import sensor_classes
from cim_core.sight import Part, Sight
from cim_core.store.live import Live
from cim_core.store.live_dead import DeadLetter
from cim_core.store.live_things import KINDS, Kind
from cim_core.store.tail import Tail


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    live = Live(tmp_path)
    yield live
    live.close()


def well(live: Live, name: str, layer: str | None = "wells", lon: float = 113.46) -> int:
    """A well that measures its level and its pressure; the number of the former's datastream."""
    place = {"type": "Point", "coordinates": [lon, 23.1, 7.5]}
    things = live.things
    sensor = things.add("Sensors", {"name": f"gauge {name}"})
    location = things.add("Locations", {"name": name, "location": place})
    properties = {"class": "water", **({"layer": layer} if layer else {})}
    thing = things.add("Things", {"name": name, "properties": properties}, {"Locations": [location]})  # fmt: skip
    numbers = []
    for code, unit in (("water-level", "m"), ("pressure", "MPa")):
        observed = things.add("ObservedProperties", {"name": code, "properties": {"code": code}})
        body = {
            "name": code, "unitOfMeasurement": {"symbol": unit},
            "observationType": "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement",
            "properties": {"key": f"{name}/{code}", "bounds": [0, None], "every": 60},
        }  # fmt: skip
        links = {"Things": [thing], "Sensors": [sensor], "ObservedProperties": [observed]}
        numbers.append(things.add("Datastreams", body, links))
    return numbers[0]


def test_a_city_without_the_file_has_no_things_and_asking_does_not_begin_it(live: Live) -> None:
    assert len(live.streams()) == len(live.tail()) == live.generation == 0
    assert live.dead.find() == live.batches.ids() == []
    assert not live.exists


def test_a_datastream_knows_its_thing_its_place_and_its_bounds(live: Live) -> None:
    number = well(live, "w1")
    stream = live.streams().by_key["w1/water-level"]
    assert stream.id == number
    assert (stream.layer, stream.thing_class, stream.property) == ("wells", "water", "water-level")
    assert stream.place == (113.46, 23.1, 7.5)
    assert stream.cell >> 52 & 15 == 15
    assert (stream.unit, stream.bounds, stream.every) == ("m", (0.0, np.inf), 60.0)
    assert stream.result == "measurement"


def test_what_changes_is_seen_at_once_and_numbers_never_come_again(live: Live) -> None:
    first = well(live, "w1")
    live.things.remove("Datastreams", first)
    assert "w1/water-level" not in live.streams().by_key
    second = well(live, "w2")
    assert second > first
    with pytest.raises(Conflict, match="w2/water-level"):
        live.things.add("Datastreams", {"properties": {"key": "w2/water-level"}})
    with pytest.raises(NotFound, match=r"Things\(99\)"):
        live.things.add("Datastreams", {"name": "x"}, {"Things": [99]})
    with pytest.raises(NotFound):
        live.things.remove("Things", 99)
    assert len(live.streams()) == 3


def test_only_things_of_layers_that_are_seen_are_there(live: Live) -> None:
    well(live, "w1")
    well(live, "free", layer=None, lon=113.5)

    def seen(**parts: Part) -> tuple[list[str], int, int]:
        view = live.seen_by(Sight(parts))
        kinds = ("Locations", "Sensors", "ObservedProperties")
        counts = {len(view.entities(kind)) for kind in kinds[:2]}
        return sorted(view.streams().by_key), max(counts), len(view.entities("ObservedProperties"))

    own = ["w1/pressure", "w1/water-level"]
    assert seen() == ([], 0, 0)
    assert seen(wells=Part()) == (own, 1, 2)
    assert seen(things=Part()) == (["free/pressure", "free/water-level"], 1, 2)
    assert seen(wells=Part(("*pressure*",))) == (own[1:], 1, 1)
    assert seen(wells=Part(area=shapely.box(113, 23, 114, 24))) == (own, 1, 2)
    assert seen(wells=Part(area=shapely.box(0, 0, 1, 1))) == ([], 0, 0)


def test_heights_that_are_not_shown_are_nowhere(live: Live) -> None:
    well(live, "w1")
    view = live.seen_by(Sight({"wells": Part(heights=False)}))
    (location,) = view.entities("Locations").values()
    assert location.body["location"] == {"type": "Point", "coordinates": [113.46, 23.1]}
    place = view.streams().by_key["w1/water-level"].place
    assert place is not None
    assert np.isnan(place[2])
    assert "7.5" in str(live.entities("Locations"))


def placed_before(live: Live) -> tuple[int, int]:
    """A well that stood elsewhere once, and what was observed there: their numbers."""
    stream = well(live, "w1")
    old = {"name": "old", "location": {"type": "Point", "coordinates": [113.8, 23.1, 8.5]}}
    location = live.things.add("Locations", old)
    links = {"Things": [1], "Locations": [location]}
    live.things.add("HistoricalLocations", {"time": "2026-01-01T00:00:00Z"}, links)  # type: ignore[arg-type]
    feature = {"name": "f", "feature": {"type": "Point", "coordinates": [113.8, 23.1, 9.5]}}
    return location, live.things.add("FeaturesOfInterest", feature, {"Datastreams": [stream]})


def test_heights_that_are_not_shown_are_not_in_old_locations_and_features_either(
    live: Live,
) -> None:
    old, feature = placed_before(live)
    view = live.seen_by(Sight({"wells": Part(heights=False)}))
    flat = {"type": "Point", "coordinates": [113.8, 23.1]}
    assert view.entities("Locations")[old].body["location"] == flat
    assert view.entities("FeaturesOfInterest")[feature].body["feature"] == flat
    told = [str(one.body) for kind in KINDS for one in view.entities(kind).values()]
    assert not any(z in text for text in told for z in ("7.5", "8.5", "9.5"))


def test_where_a_thing_was_outside_of_what_is_seen_is_not_there(live: Live) -> None:
    placed_before(live)
    kinds: tuple[Kind, ...] = ("HistoricalLocations", "Locations", "FeaturesOfInterest")

    def seen(east: float) -> list[int]:
        part = Part(area=shapely.box(113, 23, east, 24))
        view = live.seen_by(Sight({"wells": part}))
        assert len(view.streams()) == 2
        return [len(view.entities(kind)) for kind in kinds]

    assert seen(113.5) == [0, 1, 0]
    assert seen(114) == [1, 2, 1]


def test_what_another_process_writes_is_there(live: Live, tmp_path: Path) -> None:
    number = well(live, "w1")
    assert len(live.tail()) == 0
    code = (
        "import sys; from pathlib import Path; from cim_core.store.live import Live;"
        "from cim_core.observations import observations as o; live = Live(Path(sys.argv[1]));"
        f"one = o([{number}] * 2, [2000, 1000], [2.0, 1.0], None, {{1: {{'resultQuality': 'poor'}}}})\n"
        "with live.transaction() as c: live.batches.append(c, one, 5)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    tail = live.tail()
    assert len(tail) == 2
    assert tail.latest(np.array([number])).values.tolist() == [2.0]
    found, batches = tail.rows(0, 2000)
    assert found.more == {0: {"resultQuality": "poor"}}
    assert batches.tolist() == [1]


def test_the_newest_stays_known_when_a_batch_becomes_history(live: Live) -> None:
    number = well(live, "w1")
    with live.transaction() as connection:
        live.batches.append(connection, observations([number] * 2, [1, 3], [1.0, 3.0]), 5)
        live.batches.append(connection, observations([number], [2], [np.nan]), 6)
    assert len(live.tail()) == 3
    assert live.batches.count(arrived_before=6) == 2
    with live.transaction() as connection:
        live.batches.delete(connection, live.batches.oldest(2))
    for view in (live, Live(live.path.parent)):  # this process, and one that begins now
        assert len(view.tail()) == 1
        assert view.tail().latest(np.array([number, 99])).times.tolist() == [3]


def test_dead_letters_are_found_by_reason_newest_first(live: Live) -> None:
    letters = [DeadLetter(n, "mqtt", r, "x", {"n": n}) for n, r in enumerate(("late", "unit", "late"))]  # type: ignore[arg-type]  # fmt: skip
    with live.transaction() as connection:
        live.dead.add(connection, letters)
    found = live.dead.find("late")
    assert [letter.body for letter in found] == [{"n": 2}, {"n": 0}]
    assert live.dead.find("late", before=found[0].id) == found[1:]
    assert live.dead.counts() == {"late": 2, "unit": 1}


def test_dead_letters_are_found_by_layer_and_the_oldest_go(live: Live) -> None:
    with live.transaction() as connection:
        for n, layer in enumerate(("roads", "bunker", None, "roads")):
            live.dead.add(connection, [DeadLetter(n, "mqtt", "late", "x", n, layer=layer)], 3)
    assert [one.body for one in live.dead.find()] == [3, 2, 1]
    assert [one.body for one in live.dead.find(layers=["roads"])] == [3]
    assert live.dead.counts(["roads", "bunker"]) == {"late": 2}
    assert live.dead.find(layers=[]) == [] == list(live.dead.counts([]))


def test_a_city_as_somebody_sees_it_feels_no_more_than_they_see(tmp_path: Path) -> None:
    city = City.open_or_create(tmp_path / "city")
    well(city.live, "w1")
    assert len(city.live.streams()) == 2
    assert len(city.seen_by(Sight({}), None).live.streams()) == 0


def test_every_property_of_a_class_is_named_in_both_languages() -> None:
    for kind in sensor_classes().values():
        assert {*kind.title} == {"en", "zh"}
        assert all({*one.title} == {"en", "zh"} and one.unit for one in kind.properties)


_rows = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 40), st.floats(-5, 5)), min_size=1, max_size=8
)


@given(st.lists(_rows, max_size=8), st.data())
def test_a_tail_answers_like_a_plain_list(parts: list[list[tuple[int, int, float]]], data: st.DataObject) -> None:  # fmt: skip
    tail, kept = Tail(), dict[int, Observations]()
    ever: dict[int, tuple[int, float]] = {}
    for batch, rows in enumerate(parts, 1):
        unique = {(stream, time): value for stream, time, value in rows}
        what = observations([s for s, _ in unique], [t for _, t in unique], [*unique.values()])
        tail.add(batch, what)
        kept[batch] = what
        for (stream, time), value in sorted(unique.items(), key=lambda item: item[0][1]):
            if time > ever.get(stream, (-1, 0.0))[0]:
                ever[stream] = time, value
        if data.draw(st.booleans()):
            gone = data.draw(st.sampled_from(sorted(kept)))
            tail.drop([gone])
            del kept[gone]
    there = joined([*kept.values()])
    asked = keys_of(np.repeat(np.arange(1, 7), 41), np.tile(np.arange(41), 6))
    assert np.array_equal(tail.contains(asked), np.isin(asked, there.keys))
    found, batches = tail.rows(5, 30, np.array([1, 3, 9]))
    wanted = (there.times >= 5) & (there.times < 30) & np.isin(there.streams, [1, 3])
    assert sorted(zip(found.keys, found.values, strict=True)) == sorted(
        zip(there.keys[wanted], there.values[wanted], strict=True)
    )
    assert set(batches.tolist()) <= set(kept)
    newest = tail.latest(np.arange(9))
    assert dict(zip(newest.streams.tolist(), zip(newest.times.tolist(), newest.values.tolist(), strict=True), strict=True)) == ever  # fmt: skip
