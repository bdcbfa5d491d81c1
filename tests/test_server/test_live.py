"""The live WebSocket: what is told, how quickly it forgets who lags, and who may listen."""

import asyncio
import contextlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import pytest
import shapely
from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from cim_core.city import City
from cim_core.observations import Observations, Stream, Streams, observations
from cim_core.sight import Part, Sight
from cim_core.store.live_alarms import Asked
from cim_core.store.office_audit import AuditQuery
from server.access.policy import public_policy
from server.edge.connection import connection_classes
from server.live import CHANGES, FULL, HEAD, MAGIC, Channel, LiveHub, Look, Watcher, watched
from server.settings import Settings
from tests.conftest import import_file
from tests.support.alarming import Keeper, add_thing, rule_text
from tests.support.inside import Inside
from tests.support.sensing import say
from tests.support.serving import Server

NOW = 1_780_000_000_000
PATIENCE = 2.0


def stream(number: int, **more: object) -> Stream:
    said = {
        "key": f"s{number}", "name": "", "thing": number, "thing_name": "", "thing_class": "c",
        "layer": "things", "feature": None, "property": "x", "unit": "u", "place": None, "cell": 0,
        **more,
    }  # fmt: skip
    return Stream(id=number, **said)


def read(frame: bytes) -> tuple[int, int, dict[int, tuple[float, float, int]]]:
    """Kind, number, and by datastream's place: value, time in milliseconds since 1970, state."""
    magic, kind, number, rows, base = HEAD.unpack_from(frame)
    assert magic == MAGIC and len(frame) == HEAD.size + 16 * rows
    index = np.frombuffer(frame, "<u4", rows, HEAD.size)
    value, age, state = np.frombuffer(frame, "<f4", 3 * rows, HEAD.size + 4 * rows).reshape(3, rows)
    told = zip(value.tolist(), (base - 1000 * age.astype(float)).tolist(), state.astype(int).tolist(), strict=True)  # fmt: skip
    return kind, number, dict(zip(index.tolist(), told, strict=True))


class Made:
    """What is known of datastreams, as a test says it."""

    def __init__(self, count: int, every: float = 60.0) -> None:
        self.streams = Streams([stream(n, every=every) for n in range(1, count + 1)])
        self.newest: dict[int, tuple[int, float]] = {}
        self.levels: dict[int, int] = {}

    def at(self, now: int) -> Look:
        return Look(now, self._latest, dict(self.levels))

    def _latest(self, ids: np.ndarray) -> Observations:
        known = [n for n in ids.tolist() if n in self.newest]
        return observations(known, [self.newest[n][0] for n in known], [self.newest[n][1] for n in known])  # fmt: skip

    def channel(self, now: int = NOW) -> Channel:
        return Channel("things", watched(self.streams, "things"), self.at(now))


def looked(channel: Channel, made: Made, now: int) -> bool:
    act = channel.look(made.streams, made.at(now))
    if act is not None:
        act()
    return act is not None


def joined(channel: Channel) -> Watcher:
    watcher = Watcher(channel)
    channel.watchers.add(watcher)
    return watcher


def test_a_frame_has_what_changed_and_nothing_else() -> None:
    async def run() -> None:
        made = Made(5)
        made.newest[2] = (NOW - 1000, 2.5)
        channel = made.channel()
        watcher = joined(channel)
        head = json.loads(await watcher.next())
        assert [one["id"] for one in head["datastreams"]] == [1, 2, 3, 4, 5]
        assert head["columns"] == ["value", "age", "state"]
        kind, number, told = read(await watcher.next())
        assert (kind, number, len(told)) == (FULL, 0, 5)
        assert told[1] == (2.5, NOW - 1000, 0)
        assert np.isnan(told[0][0]) and np.isnan(told[0][1]) and told[0][2] == 3
        assert not looked(channel, made, NOW + 200)
        made.newest[4] = (NOW + 300, -7.0)
        assert looked(channel, made, NOW + 400)
        kind, number, told = read(await watcher.next())
        assert (kind, number, told) == (CHANGES, 1, {3: (-7.0, NOW + 300, 0)})

    asyncio.run(run())


def test_states_change_also_when_nothing_is_observed_and_alarms_are_shown() -> None:
    async def run() -> None:
        made = Made(3)
        made.newest = {1: (NOW, 1.0), 2: (NOW - 170_000, 1.0)}
        channel = made.channel()
        watcher = joined(channel)
        await watcher.next()
        await watcher.next()
        assert looked(channel, made, NOW + 11_000)
        assert [row[2] for row in read(await watcher.next())[2].values()] == [1]
        made.levels = {1: 4, 77: 2}
        assert looked(channel, made, NOW + 12_000)
        assert {n: row[2] for n, row in read(await watcher.next())[2].items()} == {0: 40}
        assert looked(channel, made, NOW + 700_000)
        assert {n: row[2] for n, row in read(await watcher.next())[2].items()} == {0: 42, 1: 2}
        made.levels = {}
        assert looked(channel, made, NOW + 700_200)
        assert {n: row[2] for n, row in read(await watcher.next())[2].items()} == {0: 2}

    asyncio.run(run())


def test_who_lags_is_given_the_latest_whole_and_nobody_else_waits() -> None:
    async def run() -> None:
        made = Made(100)
        channel = made.channel()
        quick, slow = joined(channel), joined(channel)
        for watcher in (quick, slow):
            await watcher.next()
            await watcher.next()
        state: dict[int, float] = {}
        for tick in range(1, 60):
            now = NOW + 200 * tick
            made.newest[1 + tick % 7] = (now, float(tick))
            assert looked(channel, made, now)
            kind, number, told = read(await quick.next())
            assert (kind, number) == (CHANGES, tick)
            state |= {n: row[0] for n, row in told.items()}
            if tick % 10 == 9:  # comes back after nine frames: two of them would have waited
                kind, number, whole = read(await slow.next())
                assert (kind, number, len(whole)) == (FULL, tick, 100)
                assert {n: whole[n][0] for n in state} == state
            if tick % 10 in (0, 1):
                assert read(await slow.next())[:2] == (CHANGES, tick)
        assert len(slow._frames) <= 2

    asyncio.run(run())


def test_other_datastreams_are_told_with_all_they_are() -> None:
    async def run() -> None:
        made = Made(2)
        channel = made.channel()
        watcher = joined(channel)
        await watcher.next()
        await watcher.next()
        made.newest[1] = (NOW, 1.0)
        assert looked(channel, made, NOW)
        made.streams = Streams([*made.streams.by_id.values(), stream(9), stream(10, layer="other")])
        assert looked(channel, made, NOW + 200)
        assert [one["id"] for one in json.loads(await watcher.next())["datastreams"]] == [1, 2, 9]
        kind, _, told = read(await watcher.next())
        assert (kind, len(told), told[0][0]) == (FULL, 3, 1.0)
        made.streams = Streams(list(made.streams.by_id.values()))  # read again, and the same
        assert not looked(channel, made, NOW + 400)

    asyncio.run(run())


def test_those_who_see_the_same_share_one_encoding_and_others_see_their_part(
    tmp_path: Path,
) -> None:
    city = City.open_or_create(tmp_path / "city")
    near = [add_thing(city.live, f"near {n}", at=(113.46, 23.1), every=60)[0] for n in range(3)]
    far = [add_thing(city.live, f"far {n}", at=(113.6, 23.1), every=60)[0] for n in range(2)]
    area = Part(area=shapely.box(113.4, 23.0, 113.5, 23.2))
    whole = Sight({"things": Part()}, people=False)
    same, part = Sight({"things": Part()}), Sight({"things": area})

    async def run() -> None:
        hub = LiveHub(city, lambda event: None)
        task = asyncio.create_task(hub.run())
        async with (
            hub.watching("things", whole) as one, hub.watching("things", same) as two,
            hub.watching("things", part) as few,
        ):  # fmt: skip
            assert one.channel is two.channel is not few.channel
            for watcher, ids in ((one, near + far), (two, near + far), (few, near)):
                head = json.loads(str(await watcher.next()))
                assert [row["id"] for row in head["datastreams"]] == ids
                assert len(read(await watcher.next())[2]) == len(ids)
            await asyncio.to_thread(say, city, far[0], round(time.time() * 1000), 5.0)
            hub.heard()
            frame = await asyncio.wait_for(one.next(), 5)
            assert frame is await two.next()
            await asyncio.to_thread(say, city, near[1], round(time.time() * 1000), 6.0)
            assert [row[0] for row in read(await asyncio.wait_for(few.next(), 5))[2].values()] == [
                6
            ]
        assert hub._channels == {}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_alarms_colour_only_what_those_who_see_them_watch_and_as_soon_as_they_change(
    tmp_path: Path,
) -> None:
    rising = rule_text("rising", kind="neighbourhood", property="x", above=10, level=2,
                       window=600, at_least=2, of=3, rings=1, resolution=8)  # fmt: skip
    city = City.open_or_create(tmp_path / "city")
    for number, layer in enumerate(("secret", "open", "open")):
        add_thing(city.live, f"w{number}", layer=layer, at=(113.46 + number * 1e-4, 23.1))
    keeper = Keeper(city.folder, rising)
    few, all_ = Sight({"open": Part()}), Sight({"open": Part(), "secret": Part()})

    async def states(watcher: Watcher) -> dict[int, int]:
        frame = await asyncio.wait_for(watcher.next(), 5)
        return {row: told[2] // 10 for row, told in read(bytes(frame))[2].items()}  # type: ignore[arg-type]

    async def run() -> None:
        hub = LiveHub(city, lambda event: None)
        await asyncio.to_thread(keeper.give, [(2, 0, 11.0), (1, 1, 11.0)])
        assert [alarm.thing.layer for alarm in city.live.alarms.find(Asked())] == ["secret"]
        async with hub.watching("open", few) as one, hub.watching("open", all_) as two:
            assert one.channel is not two.channel
            for watcher in (one, two):
                await watcher.next()
            assert await states(one) == {0: 0, 1: 0}
            assert await states(two) == {0: 2, 1: 0}
            await asyncio.to_thread(keeper.give, [(3, 2, 11.0)])  # joins it, and nobody is told
            for act in await asyncio.to_thread(hub._look, list(hub._channels.values())):
                act()
            assert await states(one) == {1: 0}
            assert await states(two) == {1: 2}

    asyncio.run(run())


def test_a_client_that_takes_nothing_is_hung_up_on() -> None:
    async def run() -> None:
        _, kind = connection_classes(Settings(patience_seconds=0.05))
        socket = kind.__new__(kind)
        done: list[str] = []
        socket.loop, socket._hang_up, socket.disconnected = asyncio.get_running_loop(), None, False
        socket.writable, socket.read_paused = asyncio.Event(), False
        socket.transport = SimpleNamespace(
            abort=lambda: done.append("abort"), pause_reading=lambda: done.append("pause"),
            resume_reading=lambda: done.append("resume"), is_closing=lambda: False,
        )  # fmt: skip
        socket.pause_writing()
        socket.resume_writing()
        await asyncio.sleep(0.1)
        assert done == ["pause", "resume"]
        socket.pause_writing()
        await asyncio.sleep(0.1)
        assert done == ["pause", "resume", "pause", "abort"]

    asyncio.run(run())


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Server, City, dict[str, int]]]:
    """A server of a city with things of a public layer and of a sensitive one, and an alarm rule."""
    folder = tmp_path_factory.mktemp("live")
    city = City.open_or_create(folder / "city")
    city.office.policies.put(public_policy().document(), 0, "test")
    for name, sensitivity in (("open", "public"), ("secret", "sensitive")):
        path = folder / f"{name}.geojson"
        path.write_text(
            '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {},'
            ' "geometry": {"type": "Point", "coordinates": [113.46, 23.1]}}]}'
        )
        import_file(city, path, options={"sensitivity": sensitivity})
    rule = rule_text("high", kind="threshold", property="x", above=1000, clear=900)
    (city.folder / "alarms.toml").write_text(rule, encoding="utf-8")
    streams = {
        name: add_thing(city.live, name, layer=layer, every=600)[0]
        for name, layer in (("a", "open"), ("b", "open"), ("hidden", "secret"))
    }
    server = Server(city.folder, folder / "log", CIM_PATIENCE_SECONDS=str(PATIENCE))
    yield server, city, streams
    server.stop()
    assert server.odd_lines() == []


def listen(server: Server, layer: str, key: str = "", **headers: str) -> ClientConnection:
    told: Mapping[str, str] = {**({"authorization": f"Bearer {key}"} if key else {}), **headers}
    return connect(server.url.replace("http", "ws") + f"/live/{layer}", additional_headers=told)


def closed(socket: ClientConnection) -> tuple[int, str]:
    """With which code and reason it is closed, whatever is told before."""
    with pytest.raises(ConnectionClosed) as error:
        while True:
            socket.recv(timeout=10)
    assert error.value.rcvd is not None
    return error.value.rcvd.code, error.value.rcvd.reason


def test_what_is_posted_is_told_at_once(served: tuple[Server, City, dict[str, int]]) -> None:
    server, _, streams = served
    with listen(server, "open") as socket:  # public: strangers may listen
        head = json.loads(socket.recv(timeout=10))
        ids = [one["id"] for one in head["datastreams"]]
        assert ids == [streams["a"], streams["b"]]
        kind, number, _ = read(socket.recv(timeout=10))
        assert kind == FULL
        posted = round(time.time() * 1000)
        row = {"datastream": streams["b"], "time": posted, "value": 12.5}
        answer = server.client.post("/ingest", json={"observations": [row]})
        assert answer.json()["accepted"] == 1, answer.text
        kind, later, told = read(socket.recv(timeout=10))
        assert (kind, later, list(told)) == (CHANGES, number + 1, [1])
        value, when, state = told[1]
        assert (value, state) == (12.5, 0) and abs(when - posted) < 2


def test_a_layer_that_is_not_seen_is_closed_like_one_that_is_not_there(
    served: tuple[Server, City, dict[str, int]],
) -> None:
    server, _, streams = served
    with listen(server, "secret") as hidden, listen(server, "absent") as absent:
        code, reason = closed(hidden)
        assert code == 4404
        assert closed(absent) == (4404, reason.replace("secret", "absent"))
    with listen(server, "secret", server.key()) as seen:
        assert [one["id"] for one in json.loads(seen.recv(timeout=10))["datastreams"]] == [streams["hidden"]]  # fmt: skip


def test_who_listens_to_what_they_may_not_and_to_what_is_sensitive_is_in_the_log(
    served: tuple[Server, City, dict[str, int]],
) -> None:
    server, city, _ = served
    for key in (server.key("editor"), ""):
        with listen(server, "secret", key) as socket, contextlib.suppress(ConnectionClosed):
            socket.recv(timeout=10)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        entries, _, _ = city.office.audit.find(AuditQuery(), 1000)
        rows = {
            (one.verb, one.result, one.name) for one in entries if one.what == "GET /live/secret"
        }
        if {("read", "ok", "editor"), ("read", "denied", "")} <= rows:
            return
        time.sleep(0.1)
    raise AssertionError(rows)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"authorization": "Bearer cim_nothing"}, 401),
    ],
)
def test_who_should_not_ask_is_refused_before_anything_is_taken(
    served: tuple[Server, City, dict[str, int]], headers: dict[str, str], status: int
) -> None:
    server, _, _ = served
    headers.setdefault("cookie", f"cim_session={server.session()}")
    with pytest.raises(InvalidStatus) as refused, listen(server, "open", **headers):
        pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["status"] == status


def test_a_session_that_ends_closes_what_it_listens_to(
    served: tuple[Server, City, dict[str, int]],
) -> None:
    server, city, _ = served
    token, key = server.session("supervisor"), server.key("supervisor")
    with (
        listen(server, "secret", cookie=f"cim_session={token}", origin=server.url) as signed_in,
        listen(server, "secret", key) as with_key,
    ):
        assert json.loads(signed_in.recv(timeout=10))["layer"] == "secret"
        city.office.sessions.end(token)
        assert closed(signed_in)[0] == 4401
        for known in city.office.keys.all(server.account("supervisor")):
            city.office.keys.revoke(known.id)
        assert closed(with_key)[0] == 4401


def test_who_says_something_or_too_much_is_hung_up_on(
    served: tuple[Server, City, dict[str, int]],
) -> None:
    server, _, _ = served
    for said, code in (("hello", 1003), (b"\0" * 4096, 1009)):
        with listen(server, "open") as socket:
            socket.recv(timeout=10)
            socket.send(said)
            assert closed(socket)[0] == code


def test_alarms_are_told_to_those_who_see_where_they_are(
    served: tuple[Server, City, dict[str, int]],
) -> None:
    server, _, streams = served
    told: dict[str, list[dict]] = {}
    with (
        httpx.Client(base_url=server.url, timeout=20) as stranger,
        stranger.stream("GET", "/events") as few, server.client.stream("GET", "/events") as all_,
    ):  # fmt: skip
        time.sleep(1.2)  # until it has looked for what happened before
        now = round(time.time() * 1000)
        rows = [{"datastream": streams[name], "time": now, "value": 5000.0} for name in ("hidden", "a")]  # fmt: skip
        assert server.client.post("/ingest", json={"observations": rows}).status_code == 200  # fmt: skip
        for who, answer, wanted in (("all", all_, 2), ("few", few, 1)):
            told[who] = []
            lines = answer.iter_lines()
            for line in lines:
                if line == "event: alarm":
                    told[who].append(json.loads(next(lines).removeprefix("data: ")))
                if len(told[who]) == wanted:
                    break
    assert {one["thing"]["layer"] for one in told["all"]} == {"open", "secret"}
    assert [one["thing"]["layer"] for one in told["few"]] == ["open"]
    assert told["few"][0]["rule"] == "high" and told["few"][0]["active"]


def test_a_socket_that_does_not_say_what_it_is_for_is_refused_to_all(tmp_path: Path) -> None:
    router = APIRouter()

    @router.websocket("/unsaid")
    async def unsaid(websocket: WebSocket) -> None:
        await websocket.accept()

    with Inside(tmp_path / "city") as inside:
        inside.app.include_router(router)
        client = inside.client("data-manager")
        with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("ws://localhost/unsaid") as socket:  # fmt: skip
            socket.receive_text()
        assert refused.value.code == 4403
