"""Tracks out: what is replayed is what was recorded, and files leave only with those who may take them."""

import csv
import io
import json
import logging
import struct
import time
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq
import pytest

from cim_core.errors import InvalidInput
from cim_core.traffic.event import Change, TrafficEvent
from cim_core.traffic.moving import ROAD_USERS, Positions, SignalStates, in_order
from server.traffic.asked import road_map
from server.traffic.frames import HEAD, MAGIC, SIGNALS, VEHICLES
from server.traffic.tracks import _newest, file, frames, replay
from tests.support.inside import Inside
from tests.support.traffic import (
    MIDDLE,
    along,
    at_places,
    city_with_roads,
    lon_lat,
    shown,
)

START = 1_780_000_000_000
RED, GREEN, YELLOW = 3, 6, 7


def driven() -> Positions:
    """A car that drives north for 20 s at 10 Hz, a bus that stands for 3 s and is then gone."""
    car = np.arange(0, 20_000, 100)
    bus = np.arange(0, 3_000, 1_000)
    places = np.vstack([along(0.0, -100 + car / 100.0), np.tile(along(90.0, -50.0), (len(bus), 1))])
    return at_places(
        START + np.concatenate([car, bus]), ["car"] * len(car) + ["=bus"] * len(bus), places,
        speeds=np.repeat([10.0, 0.0], [len(car), len(bus)]),
        headings=np.repeat([0.0, 90.0], [len(car), len(bus)]),
        kinds=np.repeat([1, 5], [len(car), len(bus)]),
    )  # fmt: skip


def signals() -> SignalStates:
    return shown(
        START + np.array([-5_000, 4_000, 4_000]), ["ns", "ns", "ew"], [GREEN, YELLOW, RED],
        [9.0, 3.0, np.nan],
    )  # fmt: skip


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    """A city with a public and a sensitive road map, on each of which the same happened."""
    folder = tmp_path_factory.mktemp("tracks") / "city"
    city = city_with_roads(folder, open="public", quiet="public", secret="sensitive")
    for layer in ("open", "secret"):
        for what in (driven(), signals()):
            city.traffic.append(layer, what)
    with Inside(folder) as made:
        yield made


@pytest.fixture(autouse=True)
def clean_log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []


def tracks(inside: Inside, who: str = "stranger", **asked: object) -> object:
    asked = {"layer": "open", "start": START, "end": START + 20_000, **asked}
    return inside.client(who).get("/traffic/tracks", params=asked)


def parts_of(data: bytes) -> list[bytes]:
    parts, at = [], 0
    while at < len(data):
        [size] = struct.unpack_from("<I", data, at)
        parts.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return parts


def read(frame: bytes, columns: int) -> tuple[int, float, np.ndarray, np.ndarray]:
    """Kind, base time, numbers, and the columns (columns, rows) of a frame."""
    magic, kind, _, rows, base = HEAD.unpack_from(frame)
    assert magic == MAGIC and len(frame) == HEAD.size + 4 * rows * (1 + columns)
    numbers = np.frombuffer(frame, "<u4", rows, HEAD.size)
    values = np.frombuffer(frame, "<f4", rows * columns, HEAD.size + 4 * rows)
    return kind, base, numbers, values.reshape(columns, rows)


def test_frames_show_each_moment_as_it_was(inside: Inside) -> None:
    answer = tracks(inside, step=0.5)
    assert answer.status_code == 200, answer.text
    head, *frames = parts_of(answer.content)
    told = json.loads(head)
    assert told["kinds"] == list(ROAD_USERS) and told["lights"][RED] == "red"
    assert np.allclose(told["anchor"], [MIDDLE.lon, MIDDLE.lat])
    groups = [one["group"] for one in told["signals"]]
    assert sorted(groups) == ["ew", "ns"] and len(frames) == 2 * 40
    for number in range(40):
        at = 500 * number
        kind, base, _, vehicles = read(frames[2 * number], 6)
        assert (kind, base) == (VEHICLES, START + at)
        by_kind = dict(zip(vehicles[4].astype(int).tolist(), vehicles.T, strict=True))
        assert set(by_kind) == ({1, 5} if at < 7_000 else {1})  # 5 s after it was told last
        east, north, heading, speed, _, age = by_kind[1].tolist()
        assert (round(east, 2), round(north, 2)) == (2.0, round(-100 + at / 100, 2))
        assert (heading, speed, age) == (0.0, 10.0, 0.0)
        if 5 in by_kind:
            assert by_kind[5][5] == max(0, at - 2_000) / 1000 if at > 2_000 else True
        kind, base, numbers, lights = read(frames[2 * number + 1], 2)
        assert (kind, base, numbers.tolist()) == (SIGNALS, START + at, [0, 1])
        ns, ew = lights.T[groups.index("ns")], lights.T[groups.index("ew")]
        assert ns[0] == (GREEN if at < 4_000 else YELLOW)
        left = 4.0 - at / 1000 if at < 4_000 else max(0.0, 7.0 - at / 1000)
        assert ns[1] == pytest.approx(left, abs=1e-4)
        assert ew[0] == (0 if at < 4_000 else RED) and np.isnan(ew[1])


def test_a_vehicle_keeps_its_number_and_a_box_leaves_others_out(inside: Inside) -> None:
    west, south = lon_lat(along(0.0, -101.0) - 5)[0]
    east, north = lon_lat(along(0.0, -50.0) + 5)[0]
    answer = tracks(inside, step=1, bbox=f"{west},{south},{east},{north}")
    seen = [read(frame, 6)[2].tolist() for frame in parts_of(answer.content)[1::2]]
    assert len({number for row in seen for number in row}) == 1
    # It leaves the box 5.5 s after the start; where it goes nobody is told, so it stays 5 s more.
    assert [len(row) for row in seen] == [1] * 11 + [0] * 9


def test_files_have_every_position(inside: Inside) -> None:
    expected = driven()
    answer = tracks(inside, format="csv")
    assert answer.headers["x-export-id"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == len(expected)
    assert {row["id"] for row in rows} == {"car", "'=bus"}  # no formula for spreadsheets
    assert rows[0]["time"] == "2026-05-28T20:26:40.000Z" and rows[0]["class"] in (
        "passenger",
        "bus",
    )
    table = pq.read_table(io.BytesIO(tracks(inside, format="parquet").content))
    by_time = np.argsort(expected.times, kind="stable")
    assert table["time"].cast("int64").to_pylist() == expected.times[by_time].tolist()
    assert np.allclose(table["lon"].to_numpy(), expected.lon[by_time], atol=1e-8)
    assert table["acceleration (m/s2)"].null_count == len(expected)


def test_moving_features_are_moving_points(inside: Inside) -> None:
    answer = tracks(inside, format="moving-features")
    told = answer.json()
    assert told["type"] == "FeatureCollection" and told["export"] == answer.headers["x-export-id"]
    assert told["crs"]["properties"]["name"].endswith("CRS84")
    by_id = {one["id"]: one for one in told["features"]}
    assert set(by_id) == {"car", "=bus"}
    car = by_id["car"]["temporalGeometry"]
    assert car["type"] == "MovingPoint" and car["interpolation"] == "Linear"
    assert len(car["datetimes"]) == len(car["coordinates"]) == 200
    assert car["datetimes"] == sorted(car["datetimes"])
    last = lon_lat(along(0.0, -100 + 199.0))[0]
    assert np.allclose(car["coordinates"][-1], last, atol=1e-7)
    speed = next(one for one in by_id["car"]["temporalProperties"] if "speed" in one)
    assert speed["speed"]["values"] == [10.0] * 200 and len(speed["datetimes"]) == 200
    assert by_id["=bus"]["properties"] == {"kind": "bus", "length": 4.5}


@pytest.mark.parametrize(
    ("asked", "word"),
    [
        ({"start": START, "end": START}, "no time lies between"),
        ({"start": START, "end": START + 16 * 60_000}, "at most 15"),
        ({"start": "yesterday"}, "is no time"),
        ({"bbox": "1,2"}, "is not a box"),
        ({"step": 0.01}, "step"),
    ],
)
def test_what_is_too_much_or_nonsense_is_said(inside: Inside, asked: dict, word: str) -> None:
    answer = tracks(inside, **asked)
    assert answer.status_code == 422 and word in answer.text
    assert "detail_zh" in answer.json() or asked == {"step": 0.01}


def test_who_does_not_see_a_road_map_is_told_of_none(inside: Inside) -> None:
    listed = {
        one["layer"] for one in inside.client("stranger").get("/traffic/layers").json()["layers"]
    }
    assert listed == {"open", "quiet"}
    # Viewers see sensitive layers without what is hidden: not whole, so no traffic.
    for who in ("stranger", "viewer"):
        for form in ("frames", "csv", "moving-features", "parquet"):
            refused = tracks(inside, who, layer="secret", format=form)
            absent = tracks(inside, who, layer="absent", format=form)
            assert refused.status_code == absent.status_code == 404
            assert refused.json()["detail"] == absent.json()["detail"].replace("absent", "secret")
    assert tracks(inside, "data-manager", layer="secret").status_code == 200


def test_who_may_look_but_not_take_out_gets_no_file(inside: Inside) -> None:
    assert tracks(inside, "supervisor", layer="secret").status_code == 200
    assert tracks(inside, "supervisor", layer="secret", format="csv").status_code == 403


def happened(inside: Inside, layer: str, kind: str = "wrong-way", ended: int | None = None) -> int:
    """The number of a new event on the roads of a layer."""
    lon, lat = lon_lat([0.0, 0.0])[0].tolist()
    one = TrafficEvent(
        kind=kind, key=f"{kind}/{layer}/{time.monotonic_ns()}", begun=START, ended=ended, lon=lon,
        lat=lat, link="north-in", vehicles=("car",), confidence=0.8, evidence={"seconds": 4.0},
        track=((START, "car", lon, lat, 3.0),),
    )  # fmt: skip
    opened = inside.city.traffic.events.apply(layer, [Change("opened", one)])
    if ended is not None:
        inside.city.traffic.events.apply(layer, [Change("closed", one)])
    return opened[0]


def test_events_are_told_by_what_is_asked_and_to_who_sees_the_roads(inside: Inside) -> None:
    on, over = happened(inside, "open"), happened(inside, "open", "speeding", START + 5_000)
    hidden = happened(inside, "secret")

    def listed(who: str, **asked: object) -> list[int]:
        answer = inside.client(who).get("/traffic/events", params=asked)
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["events"]]

    assert listed("stranger") == listed("viewer") == [over, on]
    assert listed("data-manager") == [hidden, over, on]
    assert listed("stranger", state="open") == [on] and listed("stranger", kind="speeding") == [
        over
    ]
    assert listed("stranger", start=START + 60_000) == [on]
    assert listed("stranger", end=START) == [] and listed("stranger", limit=1) == [over]
    assert listed("stranger", after=over) == [on]
    told = inside.client("stranger").get(f"/traffic/events/{over}").json()
    assert (told["ended"], told["state"], told["link"]) == (START + 5_000, "closed", "north-in")
    assert told["evidence"] == {"seconds": 4.0} and told["vehicles"] == told["track"] == []
    known = inside.client("viewer").get(f"/traffic/events/{over}").json()
    assert known["vehicles"] == ["car"] and len(known["track"]) == 1
    for who in ("stranger", "viewer"):
        assert inside.client(who).get(f"/traffic/events/{hidden}").status_code == 404


def test_an_event_is_closed_once_by_who_answers_for_it(inside: Inside) -> None:
    number, hidden = happened(inside, "open"), happened(inside, "secret")

    def close(who: str, event: int = number, note: str = "towed away") -> object:
        return inside.client(who).post(f"/traffic/events/{event}/closing", json={"note": note})

    assert close("stranger").status_code == 401 and close("viewer").status_code == 403
    assert close("viewer", hidden).status_code in (403, 404)
    assert close("supervisor", note=" ").status_code == 422
    done = close("supervisor")
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["closed_by"]) == ("closed", "supervisor")
    assert close("supervisor").status_code == 409
    # Who closed it is for those who are known.
    told = inside.client("stranger").get(f"/traffic/events/{number}").json()
    assert (told["note"], told["closed_by"]) == ("towed away", "")


def test_what_there_is_is_listed(inside: Inside) -> None:
    told = inside.client("stranger").get("/traffic/layers").json()["layers"]
    assert told[1] == {
        "layer": "quiet", "title": "Roads quiet", "positions": None, "signals": None,
        "controller": None, "live": False,
    }  # fmt: skip
    assert told[:1] == [
        {
            "layer": "open", "title": "Roads open", "positions": [START, START + 19_900],
            "signals": [START - 5_000, START + 4_000], "controller": None, "live": False,
        }
    ]  # fmt: skip


def test_where_nothing_was_recorded_frames_are_empty(inside: Inside) -> None:
    answer = tracks(inside, layer="quiet")
    head, *frames = parts_of(answer.content)
    assert json.loads(head)["signals"] == []
    assert [len(one) for one in frames] == [HEAD.size] * 40


def test_only_what_a_moment_shows_is_kept_and_a_box_changes_no_frame(inside: Inside) -> None:
    roads = road_map(inside.city, "open")
    rows, lit = in_order(driven()), in_order(signals())
    for step, begin in ((1_000, START), (700, START + 350), (60_000, START)):
        end = START + 20_000
        moments = np.arange(begin, end, step, dtype=np.int64)
        wanted = frames(roads, rows, lit, moments)
        for box in (None, (113.0, 23.0, 114.0, 24.0)):
            assert replay(inside.city, "open", begin, end, step, box)[0] == wanted
    kept = _newest(rows, START, 1_000)
    assert len(kept) < len(rows) / 5


def test_too_many_rows_are_refused_before_all_of_them_are_read(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.traffic.tracks.MOST_ROWS", 100)
    with pytest.raises(InvalidInput, match="at most 100 are told at once"):
        file(inside.city, "open", START, START + 20_000, None, "csv", "x")
