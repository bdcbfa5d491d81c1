"""SensorThings with a client that nobody here wrote, and for people who do not see everything."""

import json
from collections.abc import Iterator
from dataclasses import replace

import frost_sta_client as frost
import httpx
import pytest
from frost_sta_client.model.ext.data_array_document import DataArrayDocument
from frost_sta_client.model.ext.data_array_value import DataArrayValue
from frost_sta_client.model.ext.unitofmeasurement import UnitOfMeasurement
from frost_sta_client.service.auth_handler import AuthHandler
from geojson import Point
from jsonpatch import JsonPatch

from cim_core.city import City
from cim_core.store.office_audit import AuditQuery
from server.access.policy import public_policy
from tests.support.layers import box, layer_of, publish
from tests.support.sensorthings import MEASUREMENT, Asker, at, lamp, location, whole_lamp
from tests.support.serving import Server

pytestmark = pytest.mark.filterwarnings("ignore:furl.pathstr is deprecated")
"""Of the client's own calls."""


class KeyHandler(AuthHandler):
    """Signs every request with a key, as the client lets its users do."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self.key = key

    def add_auth_header(self):
        def signed(request):
            request.headers["authorization"] = f"Bearer {self.key}"
            return request

        return signed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A city whose layer `open` anybody sees, while things without a layer are internal."""
    folder = tmp_path_factory.mktemp("frost")
    city = City.open_or_create(folder / "city")
    publish(city, replace(layer_of({"b1": [box()]}, layer_id="open"), sensitivity="public"))
    city.office.policies.put(public_policy().document(), 0, "test")
    running = Server(city.folder, folder / "server.log")
    yield running
    running.stop()
    assert running.odd_lines() == []


@pytest.fixture(scope="module")
def service(server: Server) -> frost.SensorThingsService:
    url = f"{server.url}/sta/v1.1"
    return frost.SensorThingsService(url, auth_handler=KeyHandler(server.key()))


def entities() -> frost.Thing:
    """A thing with all that belongs to it, in the client's own classes."""
    volt = UnitOfMeasurement(name="volt", symbol="V", definition="http://example.org/V")
    stream = frost.Datastream(
        name="volts", description="what it says", observation_type=MEASUREMENT,
        unit_of_measurement=volt,
    )  # fmt: skip
    stream.sensor = frost.Sensor(
        name="meter", description="a meter", encoding_type="text/plain", metadata="type 1"
    )
    stream.observed_property = frost.ObservedProperty(
        name="voltage", description="voltage", definition="http://example.org/voltage"
    )
    stream.observations = [frost.Observation(phenomenon_time=at(0), result=220)]
    thing = frost.Thing(name="frosty", description="a lamp", properties={"pole": 7})
    thing.locations = [
        frost.Location(
            name="here",
            description="there",
            encoding_type="application/geo+json",
            location=Point((113.46, 23.1)),
        )
    ]
    thing.datastreams = [stream]
    return thing


class TestTheFrostClient:
    """frost_sta_client as it comes from PyPI, from the first entity to the last."""

    def test_makes_finds_changes_and_removes(self, service: frost.SensorThingsService) -> None:
        thing = entities()
        service.create(thing)
        found = service.things().find(thing.id)
        assert (found.name, found.properties) == ("frosty", {"pole": 7})
        [stream] = list(found.get_datastreams().query().list())
        assert (stream.unit_of_measurement.symbol, stream.observation_type) == ("V", MEASUREMENT)
        [place] = list(found.get_locations().query().list())
        assert place.location == Point((113.46, 23.1))

        found.description = "another lamp"
        service.update(found)
        service.patch(found, JsonPatch([{"op": "add", "path": "/properties/pole", "value": 8}]))
        again = service.things().find(thing.id)
        assert (again.description, again.properties) == ("another lamp", {"pole": 8})
        service.delete(again)
        with pytest.raises(Exception, match="404"):
            service.things().find(thing.id)

    def test_observes_and_asks(self, service: frost.SensorThingsService) -> None:
        thing = entities()
        service.create(thing)
        [stream] = list(service.things().find(thing.id).get_datastreams().query().list())
        linked = frost.Datastream(id=stream.id)
        for minute in (1, 2, 3):
            one = frost.Observation(phenomenon_time=at(minute), result=minute, datastream=linked)
            service.create(one)
        same = service.observations().find(one.id)
        assert (same.id, same.result) == (one.id, 3)
        array = DataArrayValue()
        array.datastream = linked
        array.components = {array.Property.PHENOMENON_TIME, array.Property.RESULT}
        for minute in (4, 5):
            array.add_observation(frost.Observation(phenomenon_time=at(minute), result=minute))
        document = DataArrayDocument()
        document.add_data_array_value(array)
        made = service.observations().create(document)
        assert all("/Observations('" in one.self_link for one in made)

        query = service.datastreams().find(stream.id).get_observations().query()
        newest = query.filter("result le 4").orderby("phenomenonTime", "desc").top(2).count().list()
        assert newest.count == 4
        assert [one.result for one in newest] == [4, 3, 2, 1]  # the client fetches the next page
        asked = service.things().query().filter(f"id eq {thing.id}")
        [told] = list(asked.expand("Locations,Datastreams($expand=Observations($top=2))").list())
        [datastream] = list(told.datastreams)
        assert [one.result for one in datastream.observations] == [220, 1, 2, 3, 4, 5]
        assert next(iter(told.locations)).name == "here"


@pytest.fixture(scope="module")
def manager(server: Server) -> Asker:
    asker = Asker(server.client)
    asker.make("Things", whole_lamp("Open", 113.461, [1, 2], properties={"layer": "open"}))
    asker.make("Things", whole_lamp("Hidden", 113.462, [3, 4]))
    return asker


@pytest.fixture(scope="module")
def stranger(server: Server, manager: Asker) -> Iterator[Asker]:
    with httpx.Client(base_url=server.url) as client:
        yield Asker(client)


class TestWhoSeesWhat:
    """Things of a layer that somebody does not see are not there, wherever they ask."""

    def test_what_is_not_seen_is_absent_from_every_set(
        self, manager: Asker, stranger: Asker
    ) -> None:
        seen = stranger.get("Things")["value"]
        assert [one["name"] for one in seen] == ["Open"]
        for kind in ("Things", "Datastreams", "Locations", "Sensors", "ObservedProperties",
                     "HistoricalLocations", "FeaturesOfInterest"):  # fmt: skip
            assert stranger.get(f"{kind}/$count") == "1", kind
            assert stranger.get(kind, count="true")["@iot.count"] == 1
            assert len(stranger.get(f"{kind}/$ref")["value"]) == 1
            assert int(manager.get(f"{kind}/$count")) > 1
        assert stranger.results("Observations", count="true") == [1, 2]
        assert stranger.get("Observations/$count") == "2"

    def test_nothing_leads_to_what_is_not_seen(self, manager: Asker, stranger: Asker) -> None:
        [hidden] = manager.get(
            "Things", filter="name eq 'Hidden'", expand="Datastreams/Observations"
        )["value"]
        [stream] = hidden["Datastreams"]
        for path in (
            f"Things({hidden['@iot.id']})", f"Datastreams({stream['@iot.id']})",
            f"Datastreams({stream['@iot.id']})/Observations",
            f"Observations('{stream['Observations'][0]['@iot.id']}')",
        ):  # fmt: skip
            stranger.get(path, 404)
        by_id = f"Datastream/id eq {stream['@iot.id']}"
        assert stranger.results("Observations", filter=by_id) == []
        assert stranger.names("Things", filter="Datastreams/Observations/result gt 2") == []
        told = stranger.get("ObservedProperties", expand="Datastreams/Thing")
        assert "Hidden" not in json.dumps(told)
        assert "Hidden" not in json.dumps(stranger.get("Sensors", expand="Datastreams"))
        assert "Hidden" not in json.dumps(stranger.get("Observations", expand="Datastream/Thing"))

    def test_what_is_shared_shows_only_what_is_seen(self, manager: Asker, stranger: Asker) -> None:
        [own] = manager.get(
            "Things", filter="name eq 'Open'", expand="Datastreams($expand=Sensor)"
        )["value"]
        meter = own["Datastreams"][0]["Sensor"]["@iot.id"]
        [hidden] = manager.get("Things", filter="name eq 'Hidden'", expand="Datastreams")["value"]
        path = f"Datastreams({hidden['Datastreams'][0]['@iot.id']})"
        manager.send("PATCH", path, {"Sensor": {"@iot.id": meter}}, 200)
        assert len(manager.get(f"Sensors({meter})/Datastreams")["value"]) == 2
        [told] = stranger.get(f"Sensors({meter})", expand="Datastreams($count=true)")["Datastreams"]
        assert told["name"] == "volts of Open"

    def test_strangers_write_nothing(self, manager: Asker, stranger: Asker) -> None:
        stranger.send("POST", "Things", lamp(), 401)
        stranger.send("POST", "Observations", {"result": 1, "Datastream": {"@iot.id": 1}}, 401)
        stranger.send("DELETE", "Things(1)", None, 401)
        told = stranger.send("POST", "$batch", {"requests": [
            {"id": 1, "method": "post", "url": "Things", "body": lamp()},
            {"id": 2, "method": "get", "url": "Things/$count"},
        ]}, 200).json()["responses"]  # fmt: skip
        assert [one["status"] for one in told] == [401, 200]
        assert told[1]["body"] == "1"

    def test_a_key_to_record_makes_no_entities(self, server: Server, manager: Asker) -> None:
        account = server.office.people.add("device", roles=("data-manager",)).id
        key = server.office.keys.add(account, "device", ("record",), 1)[1]
        [stream] = manager.get("Datastreams", filter="Thing/name eq 'Hidden'")["value"]
        with httpx.Client(
            base_url=server.url, headers={"authorization": f"Bearer {key}"}
        ) as client:
            device = Asker(client)
            path = f"Datastreams({stream['@iot.id']})/Observations"
            told = {
                "result": 9,
                "phenomenonTime": at(9),
                "Datastream": {"@iot.id": stream["@iot.id"]},
            }
            device.send("POST", "Observations", told, 201)
            device.send("POST", path, {"result": 9, "phenomenonTime": at(10)}, 201)
            device.send("POST", "Locations", location(), 403)
            device.get("Things", 403)
        assert manager.results(path, orderby="phenomenonTime desc", top=2) == [9, 9]

    def test_what_people_write_is_in_the_log(self, server: Server, manager: Asker) -> None:
        manager.make("Things", lamp("Logged", properties={"layer": "open"}))
        [row], _, _ = server.office.audit.find(AuditQuery(q="POST /sta/v1.1/Things"), 1)
        assert (row.verb, row.layers) == ("manage", ("open",))
        parts = [
            {"method": "get", "url": "Things"},
            {"method": "post", "url": "Locations", "body": location()},
        ]
        manager.send("POST", "$batch", {"requests": parts}, 200)
        [row], _, _ = server.office.audit.find(AuditQuery(q="POST /sta/v1.1/$batch"), 1)
        assert row.verb == "manage"


@pytest.mark.parametrize("nowhere", ["nowhere", "../x", 7])
def test_a_thing_belongs_to_a_layer_that_is_there(server: Server, nowhere: object) -> None:
    asker = Asker(server.client)
    answer = asker.client.post(
        f"{asker.root}/Things", json=lamp("Lost", properties={"layer": nowhere})
    )
    assert answer.status_code in (400, 404)
