"""A document of things comes into a city, and again, and a recording plays as if it happened now."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.store.live import Live
from sample_data.district.things import TYPES
from server.simulate import DAY, play, recorded
from server.things_import import import_things, read_things

NOTHING = Progress()


def document(*names: str, code: str = "water-level") -> dict:
    """Wells that measure one thing each."""
    return {
        "ObservedProperties": [{"name": code, "properties": {"code": code}}],
        "Things": [
            {
                "name": name, "properties": {"code": name, "class": "water", "layer": "wells"},
                "Locations": [{"name": name, "location": {"type": "Point", "coordinates": [113.46, 23.1]}}],
                "Datastreams": [
                    {
                        "name": name, "observationType": TYPES["measurement"],
                        "unitOfMeasurement": {"symbol": "m"}, "properties": {"key": f"{name}/{code}"},
                        "Sensor": {"name": "gauge"}, "ObservedProperty": code,
                    }
                ],
            }
            for name in names
        ],
    }  # fmt: skip


def test_bringing_things_in_again_changes_only_what_differs(tmp_path: Path) -> None:
    live = Live(tmp_path)
    first = import_things(live, document("a", "b"), NOTHING)
    assert (first.new, first.changed, first.unchanged) == (4, 0, 0)
    numbers = {stream.key: stream.id for stream in live.streams().by_id.values()}
    assert len(live.entities("Sensors")) == 1
    more = document("a", "b", "c")
    more["Things"][1]["description"] = "behind the school"
    again = import_things(live, more, NOTHING)
    assert (again.new, again.changed, again.unchanged) == (2, 1, 3)
    assert numbers.items() <= {s.key: s.id for s in live.streams().by_id.values()}.items()
    generation = live.generation
    assert import_things(live, more, NOTHING).unchanged == 6
    assert live.generation == generation


def test_things_may_have_locations_of_the_same_name(tmp_path: Path) -> None:
    live = Live(tmp_path)
    gates = document("a", "b")
    for thing, lon in zip(gates["Things"], (113.46, 113.47), strict=True):
        thing["Locations"] = [{"name": "Gate", "location": {"type": "Point", "coordinates": [lon, 23.1]}}]  # fmt: skip
    for _ in range(2):
        import_things(live, gates, NOTHING)
        places = [stream.place and stream.place[0] for stream in live.streams().by_id.values()]
        assert places == [113.46, 113.47]
    assert len(live.entities("Locations")) == 2


def test_a_wrong_document_is_one_sentence_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    live = Live(tmp_path)
    wrong = document("a", "b")
    wrong["Things"][1]["Datastreams"][0]["ObservedProperty"] = "level"
    with pytest.raises(InvalidInput, match=r"Things\[1\]\.Datastreams\[0\] observes 'level'"):
        import_things(live, wrong, NOTHING)
    unnamed = document("a")
    del unnamed["Things"][0]["properties"]["code"]
    with pytest.raises(InvalidInput, match=r"Things\[0\] has no properties\.code"):
        import_things(live, unnamed, NOTHING)
    digits = document("a")
    digits["Things"][0]["Datastreams"][0]["properties"]["key"] = "17"
    with pytest.raises(InvalidInput, match="the key '17', which is the number of a datastream"):
        import_things(live, digits, NOTHING)
    assert len(live.entities("Things")) == len(live.streams()) == 0
    file = tmp_path / "things.json"
    for text in ("[", "[]", '{"Things": 1}'):
        file.write_text(text)
        with pytest.raises(InvalidInput, match=r"things\.json is no document of things"):
            read_things(file)


class Listener:
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, float]] = []

    def send(self, rows: list[tuple[str, int, float]]) -> None:
        assert len(rows) <= 500
        self.rows += rows

    def close(self) -> None:
        """Nothing to close."""


def recording(folder: Path, midnight: int, keys: list[str]) -> Path:
    """Two days by the quarter of an hour, its last minute; the value is the minute of its day."""
    times = np.arange(midnight - 2 * DAY, midnight, 900_000) + 840_000
    table = pa.table(
        {
            "datastream": np.repeat(keys, len(times)), "time": np.tile(times, len(keys)),
            "value": np.tile((times % DAY) / 60_000, len(keys)),
        }
    )  # fmt: skip
    pq.write_table(table, folder / "recording.parquet")
    return folder / "recording.parquet"


@pytest.mark.parametrize("speed", [1.0, 600.0, 3600.0])
def test_what_is_played_is_of_this_time_of_day_and_told_once(tmp_path: Path, speed: float) -> None:
    midnight = 1_769_788_800_000 // DAY * DAY
    played = recorded(recording(tmp_path, midnight, ["a/x", "b/x"]))
    now = midnight / 1000 + 40 * 86400 + 23.5 * 3600  # half an hour before another midnight
    clock = iter([now + second for second in range(2000)])
    listener = Listener()
    ticks = {1.0: 1900, 600.0: 30, 3600.0: 60}[speed]
    sent = play(
        played, listener, NOTHING, speed=speed, ticks=ticks, clock=lambda: next(clock),
        wait=lambda _: None,
    )  # fmt: skip
    assert sent == len(listener.rows)
    times = np.array([at for _, at, _ in listener.rows])
    assert times.min() >= now * 1000
    assert times.max() <= (now + ticks) * 1000
    assert len({(key, at) for key, at, _ in listener.rows}) == sent
    quarters = int(ticks * speed / 900)
    assert abs(sent - 2 * quarters) <= 4
    for key, at, value in listener.rows:
        assert key in ("a/x", "b/x")
        minute = (23.5 * 60 + (at / 1000 - now) * speed / 60) % 1440
        assert minute == pytest.approx(value, abs=0.001 * speed / 60)


def test_a_file_that_cannot_be_played_is_refused_with_the_remedy(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    file.write_text("no parquet")
    with pytest.raises(InvalidInput, match="give a Parquet file with the columns"):
        recorded(file)
    pq.write_table(pa.table({"datastream": pa.array([], pa.string()), "time": pa.array([], pa.int64()), "value": pa.array([], pa.float64())}), file)  # fmt: skip
    with pytest.raises(InvalidInput, match="has no observations to play"):
        recorded(file)


def test_a_recording_is_played_to_a_server_beside_it(tmp_path: Path) -> None:
    """As `make demo` does, with a key that ends with the server."""
    city = City.open_or_create(tmp_path / "city")
    wells = document("a", "b")
    for thing in wells["Things"]:
        del thing["properties"]["layer"]
    import_things(city.live, wells, NOTHING)
    city.office.people.add("data-manager", roles=("data-manager",))
    played = recording(tmp_path, 1_769_788_800_000 // DAY * DAY, ["a/water-level", "b/water-level"])
    minutes = pq.read_table(played).to_pandas()
    more = pd.concat([minutes.assign(time=minutes.time + 1000 * n) for n in range(-900, 0, 2)])
    more = more.assign(value=1.0).drop_duplicates(["datastream", "time"])
    pq.write_table(pa.Table.from_pandas(more, preserve_index=False), played)
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "server", "serve", "--city", str(city.folder), "--port", "0",
             "--sign-in", "data-manager", "--simulate", str(played)],
            stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while len(city.live.tail()) < 6:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
    assert "error" not in log.read_text()
    streams = city.live.streams()
    latest = city.live.tail().latest(streams.ids)
    assert latest.values.tolist() == [1.0, 1.0]
    assert city.live.dead.counts() == {}
    (key,) = city.office.keys.all(None)
    assert (key.scopes, key.revoked is not None) == (("record",), True)
