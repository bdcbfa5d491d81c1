"""Traffic in: over HTTP, WebSocket and MQTT, into the lake's door; and played again."""

import io
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from websockets.sync.client import connect

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound, TooLarge, TooMany
from cim_core.network import Labels
from cim_core.observation_sources import ObservationSources
from cim_core.progress import Progress
from cim_core.traffic.moving import Moving, Positions, SignalStates, joined, take
from cim_core.traffic.recording import write_recording
from pipelines.v2x_heard import Names, Notice
from server.access.policy import default_policy
from server.cli import app
from server.mqtt import Mqtt
from server.record import Recorder
from server.settings import Settings
from server.traffic.bodies import CSV, JSON, MOST_EVENTS, NDJSON, PARQUET, events_of
from server.traffic.given import GivenTraffic, read_messages
from server.traffic.recorder import TrafficRecorder
from server.traffic.replay import play, recorded
from server.traffic.seen import Seen
from tests.support.blocks import publish_areas
from tests.support.mosquitto import Broker
from tests.support.serving import Server
from tests.support.traffic import MIDDLE, at_places, city_with_roads, shown

EVER = 1 << 42


def now() -> int:
    return time.time_ns() // 1_000_000


def bsm(who: str, at: int, lon: float = MIDDLE.lon, **more: Any) -> dict[str, Any]:
    place = {"lat": round(MIDDLE.lat * 1e7), "long": round(lon * 1e7)}
    return {
        "bsmFrame": {
            "id": who,
            "secMark": at % 60_000,
            "pos": place,
            "speed": 695,
            "heading": 7200,
            **more,
        }
    }


def plain(who: str, at: int, lon: float = MIDDLE.lon) -> dict[str, Any]:
    return {"positions": [{"who": who, "time": at, "lon": lon, "lat": MIDDLE.lat}]}


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, broker: Broker) -> Iterator[Server]:
    """A server of a city with a road map, which a broker feeds."""
    folder = tmp_path_factory.mktemp("traffic-in")
    city = city_with_roads(folder / "city")
    city.office.policies.put(default_policy().document(), 0, "test")
    made = Server(city.folder, folder / "log", CIM_MQTT_URL=broker.url)
    made.city = city  # type: ignore[attr-defined]
    yield made
    made.stop()
    assert made.odd_lines() == []


def kept(server: Server, who: str) -> Positions:
    traffic = server.city.traffic  # type: ignore[attr-defined]
    found: Positions = traffic.positions("roads", 0, EVER)
    return take(found, found.who.are(who))


def test_messages_are_kept_once_and_what_is_wrong_is_told_by_its_element(server: Server) -> None:
    at = now()
    some = [bsm("car1", at), bsm("car1", at), bsm("car1", at - 100), bsm("car2", at, speed=9000),
            plain("late", at - 25 * 3_600_000), plain("ahead", at + 400_000), plain("far", at, 0.0)]  # fmt: skip
    answer = server.client.post("/traffic/messages/roads", json=some)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["messages"], told["accepted"], told["duplicates"]) == (7, 2, 1)
    assert [(one["reason"], one["path"], one["rows"]) for one in told["refused"]] == [
        ("unreadable", "$.bsmFrame.speed", 0), ("future", None, 1), ("late", None, 1), ("outside", None, 1),
    ]  # fmt: skip
    assert all(one["detail_zh"] for one in told["refused"])
    found = kept(server, "car1")
    assert sorted(found.times.tolist()) == [at - 100, at]
    assert found.speeds.tolist() == pytest.approx([13.9, 13.9]) and found.headings.tolist() == [
        90,
        90,
    ]
    again = server.client.post(
        "/traffic/messages/roads", content="\n".join(map(json.dumps, some[:3])),
        headers={"content-type": NDJSON},
    ).json()  # fmt: skip
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    letters = server.client.get("/traffic/refused?layer=roads&limit=4").json()["refused"]
    assert {one["reason"] for one in letters} == {"unreadable", "future", "late", "outside"}
    assert "9000" in next(one for one in letters if one["reason"] == "unreadable")["body"]


def test_one_message_that_is_wrong_is_422_and_names_its_element(server: Server, data: Path) -> None:
    body = (data / "v2x/gj_invalid.spat.json").read_bytes()
    headers = {"content-type": "application/json"}
    answer = server.client.post("/traffic/messages/roads", content=body, headers=headers)
    assert answer.status_code == 422
    assert "states.movementList[0].signalGroup is missing" in answer.json()["detail"]
    assert answer.json()["detail_zh"]
    for content, kind, status in ((b"[1", "application/json", 422), (b"a", "text/plain", 415)):
        refused = server.client.post(
            "/traffic/messages/roads", content=content, headers={"content-type": kind}
        )
        assert refused.status_code == status
    assert server.client.post("/traffic/messages/nowhere", json=[]).status_code == 404
    assert httpx.post(f"{server.url}/traffic/messages/roads", json=[]).status_code == 404


def test_a_device_whose_key_may_only_record_sees_nothing_and_is_taken(server: Server) -> None:
    office = server.office
    key = office.keys.add(server.account("data-manager"), "unit", ["record"], 1)[1]
    headers = {"authorization": f"Bearer {key}"}
    answer = httpx.post(
        f"{server.url}/traffic/messages/roads", json=plain("unit1", now()), headers=headers
    )
    assert answer.json()["accepted"] == 1
    refused = httpx.get(f"{server.url}/traffic/refused", headers=headers)
    assert refused.status_code == 403


def test_a_websocket_answers_each_message(server: Server) -> None:
    at = now()
    address = server.url.replace("http", "ws") + "/traffic/messages/roads"
    headers = {"authorization": f"Bearer {server.key()}"}
    with connect(address, additional_headers=headers) as socket:
        socket.send(json.dumps(plain("ws1", at)))
        assert json.loads(socket.recv())["accepted"] == 1
        socket.send(json.dumps([plain("ws1", at), plain("ws1", at + 1)]).encode())
        told = json.loads(socket.recv())
        assert (told["accepted"], told["duplicates"]) == (1, 1)
        socket.send("[")
        assert "JSON" in json.loads(socket.recv())["problem"]
        socket.send('{"bsmFrame": {}}')
        assert json.loads(socket.recv())["refused"][0]["path"] == "$.bsmFrame.id"
    assert len(kept(server, "ws1")) == 2


def test_messages_come_by_mqtt_and_a_bad_one_stops_nothing(server: Server, broker: Broker) -> None:
    client = broker.client("units")
    begin = now()
    for n in range(100):
        topic = "v2x/roads/bsm" if n % 2 else "cim/huangpu/traffic/roads/bsm"
        client.publish(topic, json.dumps(bsm("mqtt1", begin - 50 * n)), qos=1)
        if n % 10 == 0:
            client.publish("v2x/roads/spat", b'{"spatFrame": {"intersections": 3}}', qos=1)
            client.publish("v2x/atlantis/bsm", json.dumps(bsm("lost", begin)), qos=1)
    until(lambda: len(kept(server, "mqtt1")) == 100)
    state = "/observation-sources"
    until(lambda: server.client.get(state).json()["mqtt"]["waiting"] == 0)
    letters = server.client.get("/traffic/refused?limit=20").json()["refused"]
    assert {one["reason"] for one in letters} == {"unreadable", "unknown-layer"}
    assert len(letters) == 20
    client.loop_stop()
    client.disconnect()


def test_logs_of_controllers_come_as_tables(server: Server, data: Path) -> None:
    table = pd.read_parquet(data / "atspm/sample_raw_data.parquet").head(5000)
    out = io.BytesIO()
    table.to_parquet(out)
    post = server.client.post
    told = post(
        "/traffic/controller/roads?zone=America/Los_Angeles", content=out.getvalue(),
        headers={"content-type": PARQUET},
    ).json()  # fmt: skip
    twice = table.duplicated().sum()
    assert (told["accepted"], told["duplicates"]) == (len(table) - twice, twice)
    found = server.city.traffic.controller_events("roads", 0, EVER)  # type: ignore[attr-defined]
    zoned = table.drop_duplicates()["TimeStamp"].dt.tz_localize("America/Los_Angeles")
    assert sorted(found.times.tolist()) == sorted((zoned.astype("int64") // 1000).tolist())
    assert set(found.codes.tolist()) == set(table["EventId"])
    text = "timestamp,device,event code,parameter\n2026-01-05T08:00:00.100Z,c9,82,5\n"
    told = post("/traffic/controller/roads", content=text, headers={"content-type": CSV}).json()
    assert told["accepted"] == 1
    row = {"timestamp": 1767600000100, "device": "c9", "code": 82, "parameter": 5}
    assert post("/traffic/controller/roads", json=[row]).json()["duplicates"] == 1
    wrong = post("/traffic/controller/roads", json=[{"timestamp": 5, "code": 1, "parameter": 2}])
    assert wrong.status_code == 422 and "no column device" in wrong.json()["detail"]


def test_a_recording_is_played_to_a_server_and_to_a_broker(
    server: Server, broker: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "minute.parquet"
    times = np.arange(20) * 100
    who = ["played"] * 20
    write_recording(
        path, at_places(times, who, np.column_stack([times / 100, times * 0.0])),
        shown([0, 1000], ["ns", "ew"], [6, 3], [5.0, np.nan]),
    )  # fmt: skip
    monkeypatch.setenv("CIM_KEY", server.key())
    run = ["replay", str(path), "--layer", "roads", "--speed", "10", "--to"]
    assert CliRunner().invoke(app, [*run, server.url]).exit_code == 0
    found = kept(server, "played")
    assert len(found) == 20 and abs(int(found.times.max()) - now()) < 60_000
    assert np.diff(np.sort(found.times)).max() <= 11
    assert CliRunner().invoke(app, [*run, broker.url]).exit_code == 0
    until(lambda: len(kept(server, "played")) == 40)
    traffic = server.city.traffic  # type: ignore[attr-defined]
    lights = traffic.signals("roads", 0, EVER)
    assert sorted(lights.groups.texts().tolist()) == ["ew", "ew", "ns", "ns"]
    with pytest.raises(InvalidInput, match="say where the traffic goes"):
        CliRunner().invoke(app, run[:-1], catch_exceptions=False)


@dataclass
class Clock:
    """Time that passes by waiting only."""

    at: float = 1_790_000_000.0

    def wait(self, seconds: float) -> None:
        self.at += seconds


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 3_000), min_size=1, max_size=20), st.sampled_from([0.5, 1.0, 7.0]))
def test_what_is_played_comes_once_in_its_order_at_its_speed(
    times: list[int], speed: float
) -> None:
    what = at_places(sorted(times), [f"v{n}" for n in range(len(times))], np.zeros((len(times), 2)))
    clock, sent = Clock(), []
    begin = clock.at
    recording = (what, shown([], [], []))
    count = play(
        recording, sent.append, Progress(), speed=speed, clock=lambda: clock.at, wait=clock.wait
    )
    rows = joined([part for some in sent for part in some], Positions)
    assert count == len(times) and rows.who.texts().tolist() == what.who.texts().tolist()
    wanted = begin * 1000 + (what.times - what.times[0]) / speed
    assert np.abs(rows.times - wanted).max() <= 1


def test_a_loop_goes_on_and_on() -> None:
    what = at_places([0, 500], ["a", "b"], np.zeros((2, 2)))
    clock, sent = Clock(), []

    class Enough(Exception):
        pass

    def send(rows: list[Moving]) -> None:
        sent.extend(rows)
        if len(sent) == 6:
            raise Enough

    with pytest.raises(Enough):
        play((what, shown([], [], [])), send, Progress(), loop=True, clock=lambda: clock.at, wait=clock.wait)  # fmt: skip
    rows = joined(sent, Positions)
    assert rows.who.texts().tolist() == ["a", "b"] * 3
    assert np.diff(rows.times).tolist() == [500, 100, 500, 100, 500]


def test_scripts_logs_and_positions_of_sumo_are_read(data: Path, tmp_path: Path) -> None:
    script = data / "v2x/cm_ApproachAndStopAtLine.csv"
    kinds = [line.split(",", 2) for line in script.read_text().splitlines()]
    moved, lights = recorded(script)
    first = kinds[0]
    assert len(moved) == sum(kind[0] == "BSM" for kind in kinds)
    own = sorted(int(ms) for kind, ms, _ in kinds if kind == "BSM")
    assert (moved.times - moved.times[0]).tolist() == [ms - own[0] for ms in own]
    assert first[0] == "SPAT" and len(lights) >= sum(kind[0] == "SPAT" for kind in kinds)
    assert len(recorded(data / "v2x/ode_bsmTx.json")[0]) == 16
    table = tmp_path / "fcd.csv"
    table.write_text("t,veh,type,lon,lat,speed_mps\n0.5,a,bus,1,2,3\n0,b,,1,2,\n")
    moved, _ = recorded(table)
    assert moved.times.tolist() == [0, 500] and moved.kinds.tolist() == [1, 5]
    assert np.isnan(moved.speeds[0]) and np.isnan(moved.headings).all()
    for text, where in (
        ("t,veh,lon,lat\nx,a,1,2\n", "line 2: t, lon"),
        ('{"hello": 1}\n', r"line 1: \$ is"),
    ):
        table.write_text(text)
        with pytest.raises(InvalidInput, match=where):
            recorded(table)


def test_there_is_only_so_much_room_and_listeners_are_told_after_the_commit(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    recorder = TrafficRecorder(
        city, Settings(city=city.folder, record_queue_rows=10, record_queue_bytes=100)
    )
    seen: list[tuple[str, int, int]] = []
    recorder.listen(
        lambda layer, what: seen.append((layer, len(what), len(city.traffic.window(layer, type(what), 0, EVER))))
    )  # fmt: skip
    recorder.start = lambda: None  # type: ignore[method-assign]
    at = now()
    given = [
        GivenTraffic("roads", "test", (at_places([at + n] * 8, [f"{n}.{k}" for k in range(8)], np.zeros((8, 2))),))
        for n in range(3)
    ]  # fmt: skip
    # Eight are more than half of what may wait: they count for that half, so that a second comes in.
    first, second = map(recorder.submit, given[:2])
    with pytest.raises(TooMany) as full:
        recorder.submit(given[2])
    assert full.value.seconds > 0 and not first.done() and not city.traffic.exists
    with recorder.room(90), pytest.raises(TooMany), recorder.room(20):
        pass
    with recorder.room() as more, recorder.room(40):
        more(60)
        with pytest.raises(TooMany):
            more(1)
    assert recorder._bytes == 0
    del recorder.start  # type: ignore[method-assign]
    recorder.start()
    assert first.result(10).accepted == second.result(10).accepted == 8
    assert recorder.submit(given[2]).result(10).accepted == 8
    recorder.stop()
    assert seen == [("roads", 16, 16), ("roads", 8, 24)] and recorder._rows == 0
    city.history.close()


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 8), st.sampled_from("abc")), min_size=1, max_size=6), max_size=6),
    st.integers(-2, 12),
)  # fmt: skip
def test_what_is_sent_twice_is_kept_once_whether_remembered_or_stored(
    sent: list[list[tuple[int, str]]], begun: int
) -> None:
    at = 1_790_000_000_000
    seen = Seen(at + begun - 600_000)
    stored: list[Positions] = []
    known: set[tuple[int, str]] = set()

    def alike(what: Moving) -> list[Positions]:
        return [take(rows, np.isin(rows.times, what.times)) for rows in stored]

    for rows in sent:
        what = at_places([at + t for t, _ in rows], [w for _, w in rows], np.zeros((len(rows), 2)))
        fresh = seen.fresh(what, alike)
        wanted = []
        for row in rows:
            wanted.append(row not in known)
            known.add(row)
        assert fresh.tolist() == wanted
        new = take(what, fresh)
        if len(new):
            stored.append(new)
            # What is of before the beginning is held against the store alone.
            seen.add(take(new, new.times >= at + begun), at)


def test_an_rsi_is_in_force_while_it_is_repeated(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    recorder = TrafficRecorder(city, Settings(city=city.folder))
    place = {"lat": 231060000, "long": 1135000000}
    message = {"rsiFrame": {"id": "u", "refPos": place, "rtes": [{"rteId": 3, "eventType": 401}]}}
    body = [json.dumps(message).encode()]
    assert recorder.notices("roads") == []
    for came in (now() - 120_000, now()):
        recorder.submit(read_messages("roads", "test", body, Names(), [came])).result(10)
        assert [one.id for one in recorder.notices("roads")] == (
            ["u/e3"] if came > now() - 60_000 else []
        )
    far = [Notice("u/far", "event", 401, now(), (0.0, 0.0))]
    given = GivenTraffic("roads", "test", messages=1, notices=tuple(far))
    [refused] = recorder.submit(given).result(10).refused
    assert (refused.reason, refused.rows) == ("outside", 1)
    for n in range(4):  # each with an id of its own, and long ago
        some = (Notice(f"u/{n}", "event", 401, now() - 61_000, None),)
        recorder.submit(GivenTraffic("roads", "test", notices=some)).result(10)
    assert [one.id for one in recorder.notices("roads")] == ["u/e3"]
    assert len(recorder._notices["roads"]) <= 2
    recorder.stop()


def test_nothing_is_taken_of_a_layer_by_which_nobody_could_ask_for_it(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    publish_areas(city, "parks", {"p1": ("Park", shapely.box(113.2, 23.1, 113.3, 23.2), {})})
    recorder = TrafficRecorder(city, Settings(city=city.folder))
    assert recorder.names("roads") is not None
    for layer in ("nowhere", "parks"):
        assert recorder.names(layer) is None
        with pytest.raises(NotFound, match=f"'{layer}' has no road map"):
            recorder.expected_names(layer)


def test_a_broker_keeps_what_cannot_be_written_now(tmp_path: Path, broker: Broker) -> None:
    city = city_with_roads(tmp_path / "city")
    given = Settings(
        city=city.folder, mqtt_url=broker.url, mqtt_client="other", mqtt_traffic=("other/{layer}",)
    )
    recorder = TrafficRecorder(city, given)
    feed = Mqtt(
        given, ObservationSources(city.folder), Recorder(city, given, lambda: None), recorder
    )  # type: ignore[arg-type, return-value]
    written, recorder._write = recorder._write, _full_disk  # type: ignore[method-assign]
    feed.start()
    until(lambda: feed.state["connected"])
    client = broker.client("sender")
    client.publish("other/roads", json.dumps(bsm("kept", now())), qos=1).wait_for_publish(10)
    until(
        lambda: (
            feed.state["problem"] is not None and "could not be written" in feed.state["problem"]
        )
    )
    assert feed.state["waiting"] == 1
    recorder._write = written  # type: ignore[method-assign]
    until(lambda: feed.state["waiting"] == 0)
    assert len(city.traffic.positions("roads", 0, EVER)) == 1
    feed.stop()
    recorder.stop()
    client.loop_stop()
    assert feed.state["problem"] is None


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_an_old_row_beside_a_new_one_loads_no_day_between_them(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    at, day = now() - 60_000, 23 * 3_600_000
    middle = np.arange(50_000) * 1_000 + at - day
    lights = shown([at - day, at], ["ns", "ew"], [6, 3])
    for part in (at_places(middle.tolist(), ["other"] * len(middle), np.zeros((len(middle), 2))), lights,
                 at_places([at - day, at], ["old", "hot"], np.zeros((2, 2)))):  # fmt: skip
        city.traffic.append("roads", part)
        if "hot" not in getattr(part, "who", lights.groups).names:
            city.traffic.history.move(Progress(), EVER, 1)
    sent = at_places([at - day, at - day, at, at], ["old", "new", "hot", "other"], np.zeros((4, 2)))
    pieces = [*city.traffic.history.alike("roads", sent)]
    assert sum(map(len, pieces)) < 10, "only what is of the same times is loaded"
    assert Seen(now()).fresh(sent, lambda w: city.traffic.history.alike("roads", w)).tolist() == [
        False, True, False, True,
    ]  # fmt: skip
    again = shown([at - day, at - day, at], ["ns", "ew", "ew"], [6, 6, 6])
    fresh = Seen(now()).fresh(again, lambda w: city.traffic.history.alike("roads", w))
    assert fresh.tolist() == [False, True, False]
    city.history.close()


def test_the_same_letters_divided_otherwise_are_somebody_else() -> None:
    what = shown([5, 5], ["c", "b\0c"], [6, 6])
    what = replace(what, intersections=Labels.of(["a\0b", "a"]))
    assert Seen(10).fresh(what, lambda _: []).tolist() == [True, True]


def test_tables_that_are_large_when_unpacked_are_refused_before_that() -> None:
    zone = ZoneInfo("UTC")
    rows = MOST_EVENTS + 1
    few = pa.table({"time": [5] * rows, "device": ["c" * 200] * rows, "code": [1] * rows, "param": [2] * rows})  # fmt: skip
    out = io.BytesIO()
    pq.write_table(few, out)
    assert len(out.getvalue()) < 100_000
    with pytest.raises(TooLarge, match="500,001 events"):
        events_of(out.getvalue(), PARQUET, zone)
    with pytest.raises(TooLarge, match="events"):
        events_of(b"timestamp,device,code,parameter\n" + b"1,c,1,2\n" * rows, CSV, zone)
    with pytest.raises(TooLarge, match="500,001 events"):
        events_of(b"[" + b"{}," * (rows - 1) + b"{}]", JSON, zone)
    wide = few.slice(0, 100_000).set_column(1, "device", pa.array(["c" * 1000] * 100_000))
    out = io.BytesIO()
    pq.write_table(wide, out, use_dictionary=False, compression="zstd")
    with pytest.raises(TooLarge, match="when they are unpacked"):
        events_of(out.getvalue(), PARQUET, zone)
    more = few.slice(0, 5).append_column("more", pa.array([[1]] * 5))
    for dictionary in (True, False):
        out = io.BytesIO()
        pq.write_table(more, out, use_dictionary=dictionary, row_group_size=2)
        found = events_of(out.getvalue(), PARQUET, zone)
        assert found.devices.names == ("c" * 200,) and found.devices.codes.tolist() == [0] * 5
        assert (found.times.tolist(), found.parameters.tolist()) == ([5] * 5, [2] * 5)


@pytest.mark.parametrize("column", ["timestamp", "device", "code", "parameter"])
def test_numbers_that_are_too_large_are_told(column: str) -> None:
    row = {"timestamp": 5, "device": 1, "code": 1, "parameter": 2, column: 1 << 70}
    with pytest.raises(InvalidInput, match="cannot be read"):
        events_of(json.dumps([row]).encode(), JSON, ZoneInfo("UTC"))


def test_signals_are_no_positions(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")
    recorder = TrafficRecorder(city, Settings(city=city.folder))
    at = now()
    given = GivenTraffic("roads", "test", (shown([at, at, at], ["ns", "ew", "ns"], [6, 3, 6]),))
    taken = recorder.submit(given).result(10)
    assert (taken.accepted, taken.duplicates) == (2, 1)
    recorder.stop()
    assert city.traffic.span("roads", SignalStates) == (at, at)
    assert City.open(city.folder).traffic.span("roads", Positions) is None
