"""SensorThings 1.1 (OGC 18-088), one class of tests for each requirement class that is served."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cim_core.city import City
from cim_core.progress import Progress
from server.sensorthings.kinds import KINDS
from tests.support.sensorthings import (
    MEASUREMENT,
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
    return City.open_or_create(tmp_path_factory.mktemp("sensorthings") / "city").folder


@pytest.fixture(scope="module")
def sta(city_folder: Path) -> Iterator[Asker]:
    """A service with three lamps, of which two observed; look, but make others to change."""
    with three_lamps(city_folder) as asker:
        yield asker


class TestDatamodel:
    """datamodel: entities with their control information, properties and relations."""

    def test_the_service_document_names_the_sets_and_what_is_served(self, sta: Asker) -> None:
        document = sta.get("")
        assert [one["name"] for one in document["value"]] == list(KINDS)
        for one in document["value"]:
            assert sta.client.get(one["url"]).status_code == 200
        served = document["serverSettings"]["conformance"]
        assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in served
        assert not [one for one in served if "multi-datastream" in one]
        assert set(served) <= set(sta.client.get("/conformance").json()["conformsTo"])

    @pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
    def test_an_entity_has_its_properties_and_links(self, sta: Asker, kind: Any) -> None:
        one = sta.get(kind.name)["value"][0]
        assert one["@iot.selfLink"].startswith(f"{sta.root}/{kind.name}(")
        assert sta.client.get(one["@iot.selfLink"]).json() == one
        for name, what in kind.properties.items():
            assert name in one or not what.needed
        for way in kind.ways:
            link = one[f"{way}@iot.navigationLink"]
            assert link == f"{one['@iot.selfLink']}/{way}"
            assert sta.client.get(link).status_code == 200

    def test_a_datastream_knows_since_when_and_where_it_observes(self, sta: Asker) -> None:
        one = sta.get("Datastreams(1)")
        assert one["phenomenonTime"] == f"{at(0)}/{at(2)}"
        assert one["observedArea"] == {"type": "Point", "coordinates": [113.46, 23.1]}
        assert one["properties"] == {"key": "Lamp-1/voltage"}

    def test_an_observation_says_when_what_and_of_what(self, sta: Asker) -> None:
        one = sta.get("Datastreams(1)/Observations")["value"][0]
        assert (one["phenomenonTime"], one["result"], one["resultTime"]) == (at(0), 220, None)
        feature = sta.client.get(one["FeatureOfInterest@iot.navigationLink"]).json()
        assert feature["feature"] == {"type": "Point", "coordinates": [113.46, 23.1]}
        assert feature in sta.get("FeaturesOfInterest")["value"]

    def test_where_a_thing_stands_is_told_as_history(self, sta: Asker) -> None:
        [entry] = sta.get("Things(1)/HistoricalLocations", expand="Locations,Thing")["value"]
        assert entry["Thing"]["name"] == "Lamp 1"
        assert entry["Locations"][0]["location"]["coordinates"] == [113.46, 23.1]
        assert datetime.now(UTC) - datetime.fromisoformat(entry["time"]) < timedelta(hours=1)


class TestResourcePath:
    """resource-path-to-entities: all that has an address, at any depth."""

    def test_paths_go_on_as_long_as_there_are_links(self, sta: Asker) -> None:
        assert sta.results("Things(1)/Datastreams(1)/Observations") == [220, 225, 230]
        assert sta.get("Datastreams(1)/Thing/Locations(1)/Things(1)/Datastreams(1)")["@iot.id"] == 1
        observation = sta.get("Observations")["value"][0]["@iot.id"]
        assert sta.get(f"Observations('{observation}')/Datastream/Thing")["name"] == "Lamp 1"

    def test_properties_have_addresses_and_values(self, sta: Asker) -> None:
        assert sta.get("Things(1)/name") == {"name": "Lamp 1"}
        assert sta.get("Things(1)/name/$value") == "Lamp 1"
        assert sta.get("Things(1)/properties/class") == {"class": "lamp"}
        assert sta.get("Datastreams(1)/Thing/name/$value") == "Lamp 1"
        assert sta.get("Things(2)/properties", 204) == ""

    def test_references_are_addresses_only(self, sta: Asker) -> None:
        link = f"{sta.root}/Datastreams(1)"
        assert sta.get("Things(1)/Datastreams/$ref") == {"value": [{"@iot.selfLink": link}]}
        assert sta.get("Observations/$count") == "5"

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("Nothings", 404), ("Things(99)", 404), ("Things(1)/Datastreams(2)", 404),
            ("Things(1)/nothing", 404), ("Things/name", 404), ("Observations('x')", 404),
            ("Observations('1-1')", 404), ("Things(1", 400), ("Things(1)x", 400), ("$ref", 400),
            ("Things(1)/$value", 400), ("MultiDatastreams", 404), ("Things('1')", 404),
        ],
    )  # fmt: skip
    def test_what_is_not_there_is_not_found(self, sta: Asker, path: str, status: int) -> None:
        sta.get(path, status)


class TestRequestData:
    """request-data: the query options, and the order they are looked at in."""

    def test_filters_compare_and_connect(self, sta: Asker) -> None:
        assert sta.names("Things", filter="name eq 'Lamp 1' or name gt 'Lamp 2'") == [
            "Lamp 1",
            "Lamp 3",
        ]
        assert sta.names("Things", filter="not (id le 2)") == ["Lamp 3"]
        assert sta.names("Things", filter="properties/class eq 'lamp'") == ["Lamp 1"]
        assert sta.results("Observations", filter="result add 5 ge 230") == [225, 230]
        assert sta.results("Observations", filter="result mod 100 eq 10") == [110]

    def test_filters_follow_links(self, sta: Asker) -> None:
        by_name = "startswith(Datastream/Thing/name,'Lamp 2')"
        assert sta.results("Observations", filter=by_name) == [100, 110]
        assert sta.names("Things", filter="Datastreams/Observations/result gt 200") == ["Lamp 1"]
        assert sta.names("Things", filter="Datastreams/ObservedProperty/name eq 'voltage'") == [
            "Lamp 1", "Lamp 2",
        ]  # fmt: skip

    def test_filters_know_where_things_stand(self, sta: Asker) -> None:
        near = "geo.distance(location,geography'POINT(113.4601 23.1)') lt 0.001"
        assert [one["@iot.id"] for one in sta.get("Locations", filter=near)["value"]] == [1]
        box = "geography'POLYGON((113.47 23,113.49 23,113.49 24,113.47 24,113.47 23))'"
        assert sta.names("Things", filter=f"st_within(Locations/location,{box})") == ["Lamp 2"]
        seen = f"geo.intersects(FeatureOfInterest/feature,{box})"
        assert sta.results("Observations", filter=seen) == [100, 110]

    def test_filters_know_times(self, sta: Asker) -> None:
        window = f"phenomenonTime gt {at(0)} and {at(1)} ge phenomenonTime"
        assert sta.results("Datastreams(1)/Observations", filter=window) == [225]
        assert sta.results("Observations", filter="phenomenonTime lt now() sub duration'P1D'") == []
        assert len(sta.results("Observations", filter=f"date(phenomenonTime) ge {at(0)[:10]}")) == 5
        during = f"phenomenonTime gt {at(-9)}/{at(1)}"
        assert sta.results("Datastreams(1)/Observations", filter=during) == [225, 230]

    def test_what_is_expanded_has_options_of_its_own(self, sta: Asker) -> None:
        newest = (
            "Datastreams($select=name;$expand=Observations($top=1;$orderby=phenomenonTime desc))"
        )
        things = sta.get("Things", expand=f"{newest},Locations", filter="id lt 3")["value"]
        found = [
            [o["result"] for d in thing["Datastreams"] for o in d["Observations"]]
            for thing in things
        ]
        assert found == [[230], [110]]
        assert things[0]["Datastreams"][0].keys() >= {"name", "Observations"}
        assert "description" not in things[0]["Datastreams"][0]
        deep = sta.get("Observations", expand="Datastream/Thing/Locations", top=1)["value"][0]
        assert deep["Datastream"]["Thing"]["Locations"][0]["name"] == "at the gate"
        counted = sta.get(
            "Datastreams(1)", expand="Observations($count=true;$filter=result gt 221;$top=1)"
        )
        assert counted["Observations@iot.count"] == 2
        page = sta.client.get(counted["Observations@iot.nextLink"]).json()
        assert ([o["result"] for o in page["value"]], page["@iot.count"]) == ([230], 2)

    def test_only_what_is_selected_is_told(self, sta: Asker) -> None:
        assert sta.get("Things(1)", select="name,id") == {"name": "Lamp 1", "@iot.id": 1}
        link = {"Datastreams@iot.navigationLink": f"{sta.root}/Things(1)/Datastreams"}
        assert sta.get("Things(1)", select="Datastreams") == link

    def test_orders(self, sta: Asker) -> None:
        assert sta.results("Observations", orderby="result desc") == [230, 225, 220, 110, 100]
        assert sta.results("Observations", orderby="Datastream/name desc,result", top=3) == [
            100,
            110,
            220,
        ]
        assert sta.results("Observations", orderby="phenomenonTime desc,result") == [
            230, 110, 225, 100, 220,
        ]  # fmt: skip
        assert sta.names("Things", orderby="name desc") == ["Lamp 3", "Lamp 2", "Lamp 1"]

    def test_pages_go_on_until_all_was_told(self, sta: Asker) -> None:
        for path, options in (
            ("Things", {"orderby": "name desc"}), ("Observations", {}),
            ("Observations", {"orderby": "phenomenonTime desc"}),
            ("Observations", {"orderby": "result"}), ("Observations", {"filter": "result lt 228"}),
        ):  # fmt: skip
            whole = sta.get(path, count="true", **options)
            page = sta.get(path, top=2, **options)
            told = page["value"]
            while "@iot.nextLink" in page:
                assert len(page["value"]) == 2
                page = sta.client.get(page["@iot.nextLink"]).json()
                told += page["value"]
            assert told == whole["value"], (path, options)
            assert whole["@iot.count"] == len(told)
        assert sta.results("Observations", skip=1, top=2, orderby="result") == [110, 220]

    @pytest.mark.parametrize(
        "asked",
        [
            {"filter": "nothing eq 1"}, {"filter": "name eq"}, {"filter": "foo(name) eq 1"},
            {"top": "x"}, {"top": "-1"}, {"count": "perhaps"}, {"expand": "Nothing"},
            {"select": "nothing"}, {"orderby": "name upwards"}, {"search": "x"},
            {"expand": "Datastreams($top=x)"}, {"filter": "length(name,1) eq 1"},
            {"filter": "(" * 500 + "1 eq 1" + ")" * 500}, {"resultFormat": "dataArray"},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_cannot_be_asked_is_a_bad_request(self, sta: Asker, asked: dict) -> None:
        assert sta.get("Things", 400, **asked)["detail"]


class TestDataArray:
    """data-array: observations as rows, to read and to send."""

    def test_observations_come_as_rows_of_their_datastreams(self, sta: Asker) -> None:
        streams = "Datastream/id le 2"
        found = sta.get(
            "Observations", resultFormat="dataArray", filter=streams, select="result,id"
        )
        assert [one["components"] for one in found["value"]] == [["id", "result"]] * 2
        rows = {one["Datastream@iot.navigationLink"]: one["dataArray"] for one in found["value"]}
        first = rows[f"{sta.root}/Datastreams(1)"]
        assert [row[1] for row in first] == [220, 225, 230]
        assert sta.get(f"Observations('{first[0][0]}')")["result"] == 220

    def test_rows_are_recorded_and_each_is_answered(self, sta: Asker) -> None:
        thing = sta.make("Things", whole_lamp("In rows"))
        [stream] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]]
        rows = [[at(1), 1], [at(2), "much"], [at(2), 2], ["noon", 3], [at(3)]]
        arrays = [
            {"Datastream": {"@iot.id": stream}, "components": ["phenomenonTime", "result"],
             "dataArray@iot.count": len(rows), "dataArray": rows},
            {"Datastream": {"@iot.id": 999_999}, "components": ["result"], "dataArray": [[1]]},
        ]  # fmt: skip
        told = sta.send("POST", "CreateObservations", arrays, 201).json()
        assert [one.startswith("error: ") for one in told] == [False, True, False, True, True, True]
        assert sta.client.get(told[0]).json()["result"] == 1
        assert sta.results(f"Datastreams({stream})/Observations") == [1, 2]
        sta.send("POST", "CreateObservations", {"dataArray": []}, 400)


class TestBatchRequest:
    """Many requests in one, as JSON."""

    def test_requests_are_answered_in_order_and_may_name_each_other(self, sta: Asker) -> None:
        requests = [
            {"id": "thing", "method": "post", "url": "Things", "body": lamp("Batched")},
            {"id": "place", "method": "post", "url": "$thing/Locations", "body": location(113.9)},
            {"id": "all", "method": "post", "url": "Datastreams", "body": datastream(
                Thing={"@iot.id": "$thing"}, Sensor=sensor(), ObservedProperty=observed_property(),
            )},
            {"id": "one", "method": "post", "url": "$all/Observations",
             "body": {"result": 4, "phenomenonTime": at(0)}},
            {"id": "read", "method": "get", "url": "$thing?$expand=Datastreams/Observations,Locations"},
            {"id": "wrong", "method": "get", "url": "Things(0)"},
            {"id": "patch", "method": "patch", "url": "$thing", "body": {"name": "Again"}},
            {"id": "gone", "method": "delete", "url": "$thing"},
        ]  # fmt: skip
        told = sta.send("POST", "$batch", {"requests": requests}, 200).json()["responses"]
        assert [one["status"] for one in told] == [201, 201, 201, 201, 200, 404, 200, 200]
        assert [one["id"] for one in told] == [one["id"] for one in requests]
        read = told[4]["body"]
        assert read["Datastreams"][0]["Observations"][0]["result"] == 4
        assert read["Locations"][0]["location"]["coordinates"] == [113.9, 23.1]
        sta.send("POST", "$batch", {"requests": "x"}, 400)


def test_results_of_every_observation_type_come_back_as_they_were_sent(sta: Asker) -> None:
    kinds = {"OM_CountObservation": 3, "OM_TruthObservation": True, "OM_CategoryObservation": "full",
             "OM_Observation": {"a": [1, None]}}  # fmt: skip
    for kind, result in kinds.items():
        own = whole_lamp(kind)
        own["Datastreams"][0]["observationType"] = MEASUREMENT.replace("OM_Measurement", kind)
        thing = sta.make("Things", own)
        [stream] = [one["@iot.id"] for one in sta.get(f"Things({thing})/Datastreams")["value"]]
        sta.make(f"Datastreams({stream})/Observations", {"phenomenonTime": at(1), "result": result})
        [found] = sta.results(f"Datastreams({stream})/Observations")
        assert found == result and type(found) is type(result)


def test_what_is_history_is_told_as_what_is_new(sta: Asker, city_folder: Path) -> None:
    asked = (
        ("Observations", {"orderby": "phenomenonTime desc,result", "count": "true"}),
        ("Datastreams", {"select": "id,phenomenonTime"}),
        (
            "Things",
            {
                "expand": "Datastreams/Observations",
                "filter": "Datastreams/Observations/result gt 2",
            },
        ),
    )
    before = [sta.get(path, **options) for path, options in asked]
    city = City.open(city_folder)
    assert city.history.move(Progress(), at_least=1) >= before[0]["@iot.count"]
    sta.make(
        "Datastreams(1)/Observations", {"phenomenonTime": at(0), "result": 220}
    )  # known already
    assert [sta.get(path, **options) for path, options in asked] == before
    city.history.close()
