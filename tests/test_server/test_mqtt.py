"""Observations by MQTT, with a real broker and a real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observation_sources import USUAL, ObservationSource, ObservationSources
from cim_core.shifted import from_wgs84
from server.given import Given, Rows
from server.mqtt import Mqtt
from server.mqtt_messages import Topics, read_message
from server.record import Recorder
from server.settings import Settings
from tests.support.mosquitto import Broker
from tests.support.sensors import add_things


class Quiet:
    """In the place of the alarms."""

    def observe(self, *_: object) -> list[Any]:
        return []

    def tick(self, *_: object) -> list[Any]:
        return []


def now() -> int:
    return time.time_ns() // 1_000_000


def read(topic: str, payload: Any, *, retained: bool = False) -> Given:
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    rows, told = Rows(), Topics(USUAL.values()).told(topic)
    assert told is not None
    read_message(rows, told, text, 99, retained=retained)
    return rows.given(len(text))


def found(given: Given) -> list[tuple[Any, int, float]]:
    return list(zip(given.datastreams, given.times.tolist(), given.values.tolist(), strict=True))


LEVEL = "cim/huangpu/water/w1/level"
VENDOR = "/sys/pk1/dev7/thing/event/property/post"


@pytest.mark.parametrize(
    ("topic", "payload", "wanted"),
    [
        (LEVEL, {"id": "w1", "ts": 5, "value": 1.5, "seq": 1}, [("w1/level", 5, 1.5)]),
        (LEVEL, [{"ts": 5, "value": 1}, {"ts": 6, "value": 2}], [("w1/level", 5, 1), ("w1/level", 6, 2)]),
        (LEVEL, b"12.5", [("w1/level", 99, 12.5)]),
        (LEVEL, {"value": 3}, [("w1/level", 99, 3)]),
        (LEVEL, {"value": 3, "ts": "1970-01-01T00:00:01Z"}, [("w1/level", 1000, 3)]),
        (LEVEL, {"value": 3, "ts": 7, "datastream": "another/one"}, [("w1/level", 7, 3)]),
        (
            VENDOR,
            {"id": "1", "params": {"CH4": {"value": 2, "time": 8}, "T": 21.5}, "method": "…"},
            [("dev7/CH4", 8, 2), ("dev7/T", 99, 21.5)],
        ),
        (VENDOR, {"ts": 9, "CH4": 2}, [("dev7/CH4", 9, 2)]),
    ],
)  # fmt: skip
def test_payloads_are_read_as_devices_write_them(topic: str, payload: Any, wanted: Any) -> None:
    assert found(read(topic, payload)) == wanted


def test_a_last_will_is_a_word() -> None:
    given = read("cim/huangpu/lift/e1/online", b"offline")
    assert (given.datastreams, dict(given.odd)) == (["e1/online"], {0: "offline"})


def test_what_the_broker_kept_without_a_time_is_of_no_known_time() -> None:
    assert len(read(LEVEL, b"12.5", retained=True)) == 0
    assert len(read(LEVEL, {"ts": 5, "value": 1}, retained=True)) == 1


def test_what_cannot_be_read_is_told() -> None:
    assert dict(read(VENDOR, [1]).unreadable) == {
        0: ("its payload is no object of results by metric", [1])
    }
    assert read(LEVEL, {"value": 1, "ts": "soon"}).unreadable
    assert Topics(USUAL.values()).told("cim/too/short") is None


@pytest.mark.parametrize(
    "message",
    [
        b'{"value": 1, "ts": 99999999999999999999}',
        b'{"value": 1, "ts": -9223372036854775808}',
        b'{"value": 1, "ts": 1, "quality": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_message_that_cannot_be_is_unreadable_alone(message: bytes) -> None:
    given = read(LEVEL, b"[" + message + b', {"value": 2, "ts": 5}]')
    if b"quality" in message:  # no JSON that anybody reads: all of it is a text
        assert len(given) == 1
        return
    assert list(given.unreadable) == [0]
    assert found(given)[1:] == [("w1/level", 5, 2.0)]


def test_a_topic_without_end_is_not_remembered() -> None:
    topics = Topics(USUAL.values())
    assert topics.told(f"cim/a/b/{'w' * 60_000}/level") is not None
    assert topics.told(LEVEL) is not None
    assert list(topics._known) == [LEVEL]


@pytest.mark.parametrize(
    "url", ["http://host", "mqtt://", "mqtt://u:secret@host", "mqtt://h:99999"]
)
def test_an_address_that_is_none_is_refused(city: City, url: str) -> None:
    settings = Settings(city=city.folder, mqtt_url=url)
    with pytest.raises(InvalidInput, match="no address of a broker") as refused:
        Mqtt(settings, ObservationSources(city.folder), Recorder(city, settings, Quiet))
    assert "secret" not in str(refused.value)


class Fed:
    """A city that a broker feeds."""

    def __init__(self, city: City, broker: Broker) -> None:
        self.city, self.broker = city, broker
        self.settings = Settings(city=city.folder, mqtt_url=broker.url)
        self.begin()

    def begin(self) -> None:
        """Connect."""
        self.recorder = Recorder(self.city, self.settings, Quiet)
        self.mqtt = Mqtt(self.settings, ObservationSources(self.city.folder), self.recorder)
        self.mqtt.start()
        self.wait(lambda: self.mqtt.state["connected"])

    def end(self) -> None:
        """Hang up."""
        self.mqtt.stop()
        self.recorder.stop()

    def wait(self, for_what: Any) -> None:
        """Until it is so."""
        deadline = time.monotonic() + 10
        while not for_what():
            assert time.monotonic() < deadline, (self.mqtt.state, self.city.live.dead.counts())
            time.sleep(0.02)

    def rows(self) -> int:
        """How many observations are kept."""
        return len(self.city.live.tail())


@pytest.fixture
def fed(city: City, tmp_path: Path) -> Iterator[Fed]:
    add_things(city, ["w1/level", "w2/level"])
    add_things(city, ["e1/online"], kind="Truth")
    path = city.folder / "city.toml"
    path.write_text(
        path.read_text()
        + '\n[sources.buses]\ncrs_tag = "GCJ02"\ntopics = ["bus/{device}/{metric}"]\n'
    )
    broker = Broker(tmp_path / "broker")
    made = Fed(city, broker)
    yield made
    made.end()
    broker.stop()


def test_messages_are_kept_once_and_each_under_its_source(fed: Fed) -> None:
    moment = now()
    client = fed.broker.client()
    for n in range(200):
        client.publish(LEVEL, json.dumps({"ts": moment - n, "value": n}), qos=1)
    many = [{"ts": moment - n, "value": n} for n in range(100)]
    client.publish("cim/huangpu/water/w2/level", json.dumps(many), qos=1)
    [[lon, lat]] = from_wgs84(np.array([[113.451, 23.1]]), "GCJ02").tolist()
    place = {"ts": moment + 1, "value": 1, "lon": lon, "lat": lat}
    client.publish("bus/w1/level", json.dumps(place), qos=1)
    client.publish(LEVEL, json.dumps({**place, "ts": moment + 2}), qos=1)  # which gives no crs_tag
    client.publish("cim/a/b/nobody/knows", json.dumps({"ts": moment, "value": 1}), qos=1)
    fed.wait(lambda: fed.mqtt.state["recorded"] == 204)
    assert fed.rows() == 301
    assert {(one.source, one.reason) for one in fed.city.live.dead.find()} == {
        ("mqtt", "crs"), ("mqtt", "unknown-datastream"),
    }  # fmt: skip
    client.publish(LEVEL, json.dumps({"ts": moment, "value": 0}), qos=1).wait_for_publish(5)
    fed.wait(lambda: fed.mqtt.state["recorded"] == 205)
    assert fed.rows() == 301
    client.disconnect()
    client.loop_stop()


def test_what_is_sent_while_nobody_listens_comes_later(fed: Fed) -> None:
    fed.end()
    moment = now()
    client = fed.broker.client()
    for n in range(50):
        client.publish(LEVEL, json.dumps({"ts": moment - n, "value": n}), qos=1).wait_for_publish(5)
    fed.begin()
    fed.wait(lambda: fed.rows() == 50)
    # The broker starts again, and both find each other again.
    fed.broker.stop()
    fed.wait(lambda: not fed.mqtt.state["connected"])
    fed.broker.start()
    fed.wait(lambda: fed.mqtt.state["connected"])
    other = fed.broker.client()
    other.publish(LEVEL, json.dumps({"ts": moment + 1, "value": 1}), qos=1).wait_for_publish(5)
    fed.wait(lambda: fed.rows() == 51)
    for one in (client, other):
        one.disconnect()
        one.loop_stop()


def test_what_could_not_be_written_is_tried_again(
    fed: Fed, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlite3

    def full(*_: object) -> int:
        raise sqlite3.OperationalError("database or disk is full")

    client = fed.broker.client()
    with monkeypatch.context() as refusing:
        refusing.setattr("cim_core.store.live_batches.Batches.append", full)
        client.publish(LEVEL, json.dumps({"ts": now(), "value": 1}), qos=1).wait_for_publish(5)
        fed.wait(lambda: "disk is full" in str(fed.mqtt.state["problem"]))
        assert fed.mqtt.state["waiting"] == 1
    fed.wait(lambda: fed.rows() == 1)
    fed.wait(lambda: fed.mqtt.state["waiting"] == 0)
    assert fed.mqtt.state["problem"] is None
    client.disconnect()
    client.loop_stop()


def test_a_message_that_cannot_be_recorded_holds_up_no_other(
    fed: Fed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(rows: Rows, told: Any, payload: bytes, at: int, *, retained: bool) -> None:
        if b"poison" in payload:
            raise ZeroDivisionError
        read_message(rows, told, payload, at, retained=retained)

    monkeypatch.setattr("server.mqtt.read_message", broken)
    moment = now()
    client = fed.broker.client()
    for n in range(10):
        text = "poison" if n in (3, 4) else json.dumps({"ts": moment - n, "value": n})
        client.publish(LEVEL, text, qos=1)
    fed.wait(lambda: fed.mqtt.state["recorded"] == 10)
    assert fed.rows() == 8
    letters = fed.city.live.dead.find()
    assert [(one.reason, one.body) for one in letters] == [("unreadable", "poison")] * 2
    assert 1 <= caplog.text.count("messages cannot be recorded") <= 2
    client.disconnect()
    client.loop_stop()


def test_many_rows_find_room_beside_others(fed: Fed) -> None:
    fed.end()
    fed.settings = Settings(city=fed.city.folder, mqtt_url=fed.broker.url, record_queue_rows=25_000)
    fed.begin()
    moment = now()
    client = fed.broker.client()
    for n in range(3):
        many = [{"ts": moment - 30_000 * n - k, "value": k} for k in range(30_000)]
        client.publish(LEVEL, json.dumps(many), qos=1)
    fed.wait(lambda: fed.mqtt.state["recorded"] == 3)
    assert fed.rows() == 90_000
    client.disconnect()
    client.loop_stop()


def test_only_what_failed_is_tried_again(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    import paho.mqtt.client as paho

    from cim_core.errors import StorageFailed
    from server.mqtt import _Arrived

    settings = Settings(city=city.folder, mqtt_url="mqtt://127.0.0.1:1")
    recorder = Recorder(city, settings, Quiet)
    mqtt = Mqtt(settings, ObservationSources(city.folder), recorder)
    mqtt._topics = Topics([ObservationSource(n, topics=(n + "/{object}/{metric}",)) for n in "ab"])
    together = []
    for name in "aab":
        message = paho.MQTTMessage(1, f"{name}/w1/level".encode())
        message.payload = b"1"
        together.append(_Arrived(0, message, now()))
    real, sent = recorder.submit, list[str]()

    def submit(asked: Any) -> Any:
        sent.append(asked.source.name)
        if asked.source.name == "b":
            raise StorageFailed("the disk is full; free space")
        return real(asked)

    monkeypatch.setattr(recorder, "submit", submit)
    left = mqtt._record(together)
    assert left == together[2:]
    assert mqtt._record(left) == left
    assert sent == ["a", "b", "b"]
    recorder.stop()


def test_a_device_that_dies_is_offline_by_its_last_will(fed: Fed) -> None:
    import paho.mqtt.client as paho
    from paho.mqtt.enums import CallbackAPIVersion

    device = paho.Client(CallbackAPIVersion.VERSION2)
    device.will_set("cim/huangpu/lift/e1/online", "offline", qos=1)
    device.connect("127.0.0.1", fed.broker.port)
    device.loop_start()
    device.publish("cim/huangpu/lift/e1/online", "online", qos=1).wait_for_publish(5)
    fed.wait(lambda: fed.rows() == 1)
    socket = device.socket()
    assert socket is not None
    device.loop_stop()
    socket.close()  # without a word
    fed.wait(lambda: fed.rows() == 2)
    rows, _ = fed.city.live.tail().rows(0, 1 << 42)
    assert rows.in_order().values.tolist() == [1.0, 0.0]


def test_a_source_is_a_source_of_topics_that_are_its_own() -> None:
    mine = ObservationSource("mine", topics=("a/{object}/{metric}",))
    told = Topics([mine]).told("a/b/c")
    assert told is not None
    assert (told.source, told.thing, told.metric) == (mine, "b", "c")
