"""SensorThings 1.1 (OGC 18-088): entities made, changed and removed."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from cim_core.city import City
from server.sensorthings.kinds import KINDS
from tests.support.sensorthings import (
    Asker,
    at,
    datastream,
    lamp,
    location,
    observed_property,
    sensor,
    three_lamps,
    whole_lamp,
)


@pytest.fixture(scope="module")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return City.open_or_create(tmp_path_factory.mktemp("sensorthings-writing") / "city").folder


@pytest.fixture(scope="module")
def sta(city_folder: Path) -> Iterator[Asker]:
    """A service with three lamps, of which two observed; look, but make others to change."""
    with three_lamps(city_folder) as asker:
        yield asker


class TestCreateUpdateDelete:
    """create-update-delete: one by one, linked, deep; changed in all three ways; removed."""

    def test_entities_are_made_one_by_one_and_linked(self, sta: Asker) -> None:
        place = sta.make("Locations", location(113.5))
        thing = sta.make("Things", lamp("Linked", Locations=[{"@iot.id": place}]))
        own = {
            "Thing": {"@iot.id": thing}, "Sensor": {"@iot.id": sta.make("Sensors", sensor())},
            "ObservedProperty": {"@iot.id": sta.make("ObservedProperties", observed_property())},
        }  # fmt: skip
        stream = sta.make("Datastreams", datastream(**own))
        more = sta.make(f"Things({thing})/Datastreams", datastream(**{**own, "Thing": None}))
        assert {one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]} == {
            stream, more,
        }  # fmt: skip
        assert sta.get(f"Datastreams({more})")["properties"]["key"] == "Linked/voltage-2"
        assert sta.get(f"Things({thing})/HistoricalLocations", count="true")["@iot.count"] == 1

    def test_an_observation_is_recorded_once(self, sta: Asker) -> None:
        thing = sta.make("Things", whole_lamp("Recorded"))
        [stream] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]]
        told = {
            "phenomenonTime": at(3), "result": 7.5, "resultTime": at(4), "resultQuality": {"good": True},
            "validTime": f"{at(3)}/{at(5)}", "parameters": {"by": "hand"},
        }  # fmt: skip
        first = sta.make("Observations", {**told, "Datastream": {"@iot.id": stream}})
        again = sta.make(f"Datastreams({stream})/Observations", {**told, "result": 8})
        assert again == first == f"{stream}-{int(datetime.fromisoformat(at(3)).timestamp() * 1000)}"
        assert told.items() <= sta.get(f"Observations('{first}')").items()
        assert sta.get(f"Datastreams({stream})/Observations/$count") == "1"
        only = f"resultTime eq {at(4)} and Datastream/id eq {stream}"
        assert sta.results("Observations", filter=only) == [7.5]

    def test_an_observation_has_a_feature_of_interest_of_its_own(self, sta: Asker) -> None:
        feature = {
            **location(113.6, name="a pipe"),
            "feature": {"type": "Point", "coordinates": [113.6, 23]},
        }
        del feature["location"]
        thing = sta.make("Things", whole_lamp("Looking", results=[1]))
        [stream] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]]
        one = sta.make(
            f"Datastreams({stream})/Observations",
            {"phenomenonTime": at(9), "result": 2, "FeatureOfInterest": feature},
        )
        made = sta.get(f"Observations('{one}')/FeatureOfInterest")
        assert made["name"] == "a pipe"
        assert sta.results(f"FeaturesOfInterest({made['@iot.id']})/Observations") == [2]
        [place] = sta.get(f"Things({thing})/Locations")["value"]
        where = f"FeaturesOfInterest('location-{place['@iot.id']}')"
        assert sta.results(f"{where}/Observations", count="true") == [1]
        sta.send("DELETE", f"FeaturesOfInterest({made['@iot.id']})", None, 409)
        sta.send("DELETE", where, None, 403)

    def test_nothing_is_made_where_something_inside_is_wrong(self, sta: Asker) -> None:
        before = {kind: sta.get(f"{kind}/$count") for kind in KINDS}
        broken = whole_lamp("Broken", results=[1])
        broken["Datastreams"][0]["Sensor"] = {"name": "without the rest"}
        sta.send("POST", "Things", broken, 400)
        dead = whole_lamp("Dead", results=[1])
        dead["Datastreams"][0]["properties"] = {"bounds": [5, 9]}
        assert "not between 5 and 9" in sta.send("POST", "Things", dead, 400).text
        assert {kind: sta.get(f"{kind}/$count") for kind in KINDS} == before

    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("Things", {"name": "only"}), ("Things", []), ("Things", {**lamp(), "colour": "red"}),
            ("Things", {**lamp(), "properties": "x"}), ("Datastreams", datastream()),
            ("Things", lamp(Locations=[{"@iot.id": 999_999}])), ("Things", lamp(Locations={})),
            ("Locations", location(lat=91)), ("Things(1)", lamp()), ("Observations", {"result": 1}),
            ("Datastreams(1)/Observations", {}), ("Datastreams(1)/Observations", {"result": "much"}),
            ("Datastreams(1)/Observations", {"result": 1, "phenomenonTime": "2001-01-01T00:00:00Z"}),
            ("Datastreams(1)/Observations", {"result": 1, "phenomenonTime": "noon"}),
            ("Observations", {"result": 1, "Datastream": {"@iot.id": 999_999}}),
            ("HistoricalLocations", {"time": "2026-01-01T00:00:00Z", "Thing": {"@iot.id": 1}}),
        ],
        ids=str,
    )  # fmt: skip
    def test_what_cannot_be_made_is_a_bad_request(self, sta: Asker, path: str, body: Any) -> None:
        assert sta.send("POST", path, body, 400).json()["detail"]

    def test_changes_in_part_as_a_whole_and_by_json_patch(self, sta: Asker) -> None:
        thing = sta.make("Things", lamp("Changed", properties={"class": "lamp", "old": 1}))
        path = f"Things({thing})"
        assert sta.send("PATCH", path, {"description": "new"}, 200).json()["name"] == "Changed"
        put = sta.send("PUT", path, lamp("Put"), 200).json()
        assert (put["name"], "properties" in put) == ("Put", False)
        sta.send("PUT", path, {"name": "without a description"}, 400)
        patch = [
            {"op": "add", "path": "/properties", "value": {"a": [1, 2]}},
            {"op": "replace", "path": "/name", "value": "Patched"},
            {"op": "remove", "path": "/properties/a/0"},
        ]
        kind = "application/json-patch+json"
        patched = sta.send("PATCH", path, patch, 200, **{"content-type": kind}).json()
        assert (patched["name"], patched["properties"]) == ("Patched", {"a": [2]})
        sta.send("PATCH", path, {"Locations": [location()]}, 400)
        sta.send(
            "PATCH",
            path,
            [{"op": "test", "path": "/name", "value": "x"}],
            409,
            **{"content-type": kind},
        )

    def test_a_thing_that_moves_leaves_its_history(self, sta: Asker) -> None:
        thing = sta.make("Things", whole_lamp("Moving", results=[1]))
        moved = sta.make(f"Things({thing})/Locations", location(113.7))
        assert [one["@iot.id"] for one in sta.get(f"Things({thing})/Locations")["value"]] == [moved]
        third = sta.make("Locations", location(113.8))
        sta.send("PATCH", f"Things({thing})", {"Locations": [{"@iot.id": third}]}, 200)
        history = sta.get(
            f"Things({thing})/HistoricalLocations", expand="Locations", orderby="time"
        )
        assert [one["Locations"][0]["@iot.id"] for one in history["value"]][1:] == [moved, third]
        # What was observed before stays where it was observed.
        [stream] = sta.get(f"Things({thing})/Datastreams")["value"]
        [old] = sta.get(
            f"Datastreams({stream['@iot.id']})/Observations", expand="FeatureOfInterest"
        )["value"]
        assert old["FeatureOfInterest"]["feature"]["coordinates"] == [113.46, 23.1]
        told = {"time": at(-60), "Thing": {"@iot.id": thing}, "Locations": [{"@iot.id": moved}]}
        sta.make("HistoricalLocations", told)
        assert [one["@iot.id"] for one in sta.get(f"Things({thing})/Locations")["value"]] == [third]

    def test_what_cannot_be_alone_is_removed_along(self, sta: Asker) -> None:
        thing = sta.make("Things", whole_lamp("Gone", results=[1, 2]))
        [stream] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]]
        [place] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Locations")["value"]]
        sensor_of = sta.get(f"Datastreams({stream})/Sensor")["@iot.id"]
        before = int(sta.get("Observations/$count"))
        sta.send("DELETE", f"Things({thing})", None, 200)
        for path in (
            f"Things({thing})",
            f"Datastreams({stream})",
            f"Datastreams({stream})/Observations",
        ):
            sta.get(path, 404)
        assert int(sta.get("Observations/$count")) == before - 2
        assert sta.get(f"Locations({place})/HistoricalLocations")["value"] == []
        sta.get(f"Sensors({sensor_of})")
        other = sta.make("Things", whole_lamp("Kept"))
        [kept] = sta.get(f"Things({other})/Datastreams", expand="Sensor,ObservedProperty")["value"]
        sta.send("DELETE", f"Sensors({kept['Sensor']['@iot.id']})", None, 200)
        assert sta.get(f"Things({other})/Datastreams")["value"] == []
        sta.get(f"ObservedProperties({kept['ObservedProperty']['@iot.id']})")

    def test_observations_are_kept_as_they_came(self, sta: Asker) -> None:
        one = sta.get("Observations")["value"][0]
        for method, body in (("PATCH", {"result": 1}), ("DELETE", None)):
            sta.send(method, f"Observations('{one['@iot.id']}')", body, 403)
