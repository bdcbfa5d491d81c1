"""The live WebSocket of traffic: what is told of vehicles and signals, and who may listen."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from cim_core.city import City
from cim_core.traffic.moving import ROAD_USERS, take
from server.access.policy import public_policy
from server.traffic.frames import HEAD, MAGIC, SIGNALS, VEHICLES
from server.traffic.live import Channel, TrafficHub, Watcher
from server.traffic.now import Now, Vehicles
from tests.support.serving import Server
from tests.support.traffic import MIDDLE, along, at_places, city_with_roads, shown

NOW = 1_780_000_000_000
ANCHOR = (MIDDLE.lon, MIDDLE.lat)
RED, GREEN = 3, 6


def read(frame: str | bytes) -> tuple[int, int, float, dict[int, list[float]]]:
    """Kind, number, base time, and by number of a row its columns."""
    assert isinstance(frame, bytes)
    magic, kind, number, rows, base = HEAD.unpack_from(frame)
    columns = {VEHICLES: 6, SIGNALS: 2}[kind]
    assert magic == MAGIC and len(frame) == HEAD.size + 4 * rows * (1 + columns)
    first = np.frombuffer(frame, "<u4", rows, HEAD.size)
    values = np.frombuffer(frame, "<f4", rows * columns, HEAD.size + 4 * rows).reshape(
        columns, rows
    )
    return kind, number, base, dict(zip(first.tolist(), values.T.tolist(), strict=True))


async def told(watcher: Watcher) -> dict[int, dict[int, list[float]]]:
    """What waits for somebody, by its kind."""
    found = {}
    while watcher._waiting:
        kind, _, _, rows = read(await watcher.next())
        found[kind] = rows
    return found


def joined(channel: Channel) -> Watcher:
    watcher = Watcher(channel)
    channel.watchers.add(watcher)
    return watcher


def test_a_frame_has_all_there_is_and_what_is_silent_goes() -> None:
    async def run() -> None:
        now = Now("roads", ANCHOR)
        now.hear(at_places([NOW - 500, NOW], ["a", "b"], along(90.0, [5.0, 7.0])), NOW)
        channel = Channel(now)
        channel.tick(NOW)
        watcher = joined(channel)
        head = json.loads(await watcher.next())
        assert head["columns"] == ["east", "north", "heading", "speed", "kind", "age"]
        assert head["signals"] == [] and head["kinds"] == list(ROAD_USERS)
        rows = (await told(watcher))[VEHICLES]
        assert np.allclose(rows[1], [5.0, -2.0, 0.0, 10.0, 1.0, 0.5], atol=1e-3)
        assert np.allclose(rows[2], [7.0, -2.0, 0.0, 10.0, 1.0, 0.0], atol=1e-3)
        channel.tick(NOW + 100)
        assert await told(watcher) == {}  # nothing is new
        now.hear(at_places([NOW + 4_000], ["b"], along(90.0, [47.0])), NOW + 4_000)
        channel.tick(NOW + 5_100)
        assert list((await told(watcher))[VEHICLES]) == [2]  # and keeps its number
        now.hear(at_places([NOW + 6_000], ["a"], along(90.0, [65.0])), NOW + 6_000)
        channel.tick(NOW + 6_000)
        assert list((await told(watcher))[VEHICLES]) == [2, 3]  # who comes back is a new one
        channel.tick(NOW + 60_000)
        assert (await told(watcher))[VEHICLES] == {}

    asyncio.run(run())


def test_signals_count_down_and_others_are_listed_anew() -> None:
    async def run() -> None:
        now = Now("roads", ANCHOR)
        now.hear(shown([NOW - 2_000], ["ns"], GREEN, 7.0), NOW)
        channel = Channel(now)
        channel.tick(NOW)
        watcher = joined(channel)
        assert json.loads(await watcher.next())["signals"] == [
            {"intersection": "J1", "group": "ns"}
        ]
        assert (await told(watcher))[SIGNALS] == {0: [GREEN, 5.0]}
        now.hear(shown([NOW, NOW], ["ew", "ns"], [RED, GREEN], [np.nan, 4.5]), NOW)
        assert now.signals.shown["J1", "ns"].since == NOW - 2_000
        channel.tick(NOW + 1_000)
        assert [one["group"] for one in json.loads(await watcher.next())["signals"]] == ["ns", "ew"]
        rows = (await told(watcher))[SIGNALS]
        assert rows[0] == [GREEN, 3.5] and rows[1][0] == RED and np.isnan(rows[1][1])
        now.hear(shown([NOW + 400_000], ["ns"], RED), NOW + 400_000)
        channel.tick(NOW + 400_000)  # nobody says any more what ew shows
        assert [row[0] for row in (await told(watcher))[SIGNALS].values()] == [RED, 0]
        channel.tick(NOW + 3_601_000)  # nor that there is one
        assert [one["group"] for one in json.loads(await watcher.next())["signals"]] == ["ns"]
        assert list((await told(watcher))[SIGNALS]) == [0]

    asyncio.run(run())


def test_signals_of_other_intersections_and_groups_without_end_are_not_taken(
    tmp_path: Path,
) -> None:
    city = city_with_roads(tmp_path / "city")
    now = TrafficHub(city).now("roads", ANCHOR)
    assert not now.hear(shown([NOW], ["ns"], RED, name="J9"), NOW)
    groups = [str(number) for number in range(300)]
    now.hear(shown([NOW] * 300, groups, RED), NOW)
    assert now.signals.groups == [("J1", group) for group in groups[:256]]
    city.traffic.close()


def test_who_lags_is_told_the_latest_only_and_all_share_one_encoding() -> None:
    async def run() -> None:
        now = Now("roads", ANCHOR)
        channel = Channel(now)
        channel.tick(NOW)
        quick, slow = joined(channel), joined(channel)
        for watcher in (quick, slow):
            await watcher.next()
            await told(watcher)
        for step in range(1, 30):
            at = NOW + 100 * step
            now.hear(at_places([at], ["a"], along(0.0, [float(step)])), at)
            now.hear(shown([at], ["ns"], GREEN, 9.0), at)
            channel.tick(at)
            frames = [await quick.next() for _ in range(len(quick._waiting) + quick._unaware)]
            assert frames[-1] is channel.newest[SIGNALS]
            assert len(slow._waiting) <= 2
        assert isinstance(await slow.next(), str)
        assert await slow.next() is channel.newest[VEHICLES]
        assert await slow.next() is channel.newest[SIGNALS]
        assert not slow._awake.is_set()

    asyncio.run(run())


def test_what_is_sent_late_is_history_and_not_live() -> None:
    now = Now("roads", ANCHOR)
    assert not now.hear(at_places([NOW - 61_000], ["a"], along(0.0, [0.0])), NOW)
    assert not now.hear(at_places([NOW], [""], along(0.0, [0.0])), NOW)
    assert now.hear(at_places([NOW, NOW - 100], ["a", "a"], along(0.0, [5.0, 0.0])), NOW)
    assert not now.hear(at_places([NOW - 100], ["a"], along(0.0, [0.0])), NOW + 10)
    assert now.vehicles.positions().times.tolist() == [NOW]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3_000, 3_000)), min_size=1),
    st.randoms(),
)
def test_in_any_order_the_newest_of_each_is_what_remains(rows: list, random: object) -> None:
    """However rows are parted and shuffled; an independent fold says what must remain."""
    what = at_places(
        [NOW + at for _, at in rows], [who for who, _ in rows],
        along(0.0, [float(at) / 100 for _, at in rows]),
    )  # fmt: skip
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    vehicles = Vehicles(ANCHOR)
    for begin in range(0, len(order), 4):
        vehicles.hear(take(what, np.array(order[begin : begin + 4])), NOW)
    newest: dict[str, int] = {}
    for who, at in rows:
        newest[who] = max(newest.get(who, -(10**6)), at)
    found = vehicles.positions()
    told = dict(zip(found.who.texts().tolist(), (found.times - NOW).tolist(), strict=True))
    assert told == newest
    places = dict(zip(found.who.texts().tolist(), vehicles.rows["north"].tolist(), strict=True))
    assert all(abs(places[who] - at / 100) < 1e-2 for who, at in newest.items())


def test_nobody_who_is_gone_is_listened_for(tmp_path: Path) -> None:
    city = city_with_roads(tmp_path / "city")

    async def run() -> None:
        hub = TrafficHub(city)
        async with hub.watching("roads", ANCHOR), hub.watching("roads", ANCHOR):
            assert len(hub._channels["roads"].watchers) == 2
        assert hub._channels == {}
        hub._asked["roads"] = -1e9
        await asyncio.to_thread(hub._take_others)
        assert hub._now == {}

    asyncio.run(run())
    city.traffic.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, City]]:
    """A server of a city with a public road map and a sensitive one."""
    folder = tmp_path_factory.mktemp("traffic-live")
    city = city_with_roads(folder / "city", open="public", secret="sensitive")
    city.office.policies.put(public_policy().document(), 0, "test")
    server = Server(city.folder, folder / "log")
    yield server, city
    server.stop()
    assert server.odd_lines() == []


def listen(server: Server, layer: str, key: str = "") -> ClientConnection:
    told = {"authorization": f"Bearer {key}"} if key else {}
    return connect(
        server.url.replace("http", "ws") + f"/traffic/live/{layer}", additional_headers=told
    )


def closed(socket: ClientConnection) -> tuple[int, str]:
    with pytest.raises(ConnectionClosed) as error:
        while True:
            socket.recv(timeout=10)
    assert error.value.rcvd is not None
    return error.value.rcvd.code, error.value.rcvd.reason


def test_what_another_process_records_is_told(served: tuple[Server, City]) -> None:
    server, city = served
    before = time.time_ns() // 1_000_000
    city.traffic.append("open", shown([before], ["ns"], GREEN, 30.0))
    with listen(server, "open") as socket:  # public: strangers may listen
        head = json.loads(socket.recv(timeout=10))
        assert np.allclose(head["anchor"], ANCHOR)
        assert head["signals"] == [{"intersection": "J1", "group": "ns"}]
        frames = [read(socket.recv(timeout=10)) for _ in range(2)]
        assert [frame[0] for frame in frames] == [VEHICLES, SIGNALS]
        assert frames[0][3] == {} and frames[1][3][0][0] == GREEN
        at = time.time_ns() // 1_000_000
        city.traffic.append("open", at_places([at], ["x"], along(0.0, [-50.0])))
        city.traffic.append("secret", at_places([at], ["y"], along(0.0, [-50.0])))
        kind, _, base, rows = read(socket.recv(timeout=10))
        assert (kind, len(rows)) == (VEHICLES, 1)
        [[east, north, _, speed, _, age]] = rows.values()
        assert np.allclose([east, north, speed], [2.0, -50.0, 10.0], atol=1e-3)
        assert abs(base - 1000 * age - at) < 2
        # The state of the intersection knows it, too.
        state = server.client.get("/intersections/J1", params={"layer": "open"}).json()["state"]
        assert state["vehicles"] == 1 and state["lights"]["ns"]["light"] == "protected-green"
        assert state["lights"]["ns"]["since"] == before


def test_a_road_map_that_is_not_seen_whole_is_closed_like_one_that_is_not_there(
    served: tuple[Server, City],
) -> None:
    server, _ = served
    viewer = server.key("viewer")  # sees sensitive layers without what is hidden of them
    with listen(server, "secret") as hidden, listen(server, "absent") as absent:
        code, reason = closed(hidden)
        assert code == 4404
        assert closed(absent) == (4404, reason.replace("secret", "absent"))
    with listen(server, "secret", viewer) as in_part:
        assert closed(in_part)[0] == 4404
    with listen(server, "secret", server.key()) as seen:
        assert json.loads(seen.recv(timeout=10))["layer"] == "secret"


def test_who_may_no_longer_listen_or_says_something_is_hung_up_on(
    served: tuple[Server, City],
) -> None:
    server, city = served
    key = server.key("supervisor")
    with listen(server, "secret", key) as socket, listen(server, "open") as speaker:
        assert json.loads(socket.recv(timeout=10))["layer"] == "secret"
        for known in city.office.keys.all(server.account("supervisor")):
            city.office.keys.revoke(known.id)
        speaker.send("hello")
        assert closed(speaker)[0] == 1003
        assert closed(socket)[0] == 4401
