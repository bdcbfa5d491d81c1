"""`cim history`: back-fill of files, and what becomes of rows that cannot be taken."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner, Result

from analysis.observed_rules import gap_intervals
from analysis.series import series
from cim_core.cells import cells_of
from cim_core.city import City
from cim_core.errors import InvalidInput, UnsupportedFormat
from cim_core.observations import observations
from server.cli import app
from server.cli_parts import PARTLY

NAB = ("TravelTime_387", "occupancy_6005", "speed_6005")
PLACE = (113.46, 23.1)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    """A city with a thing of four datastreams: three of numbers, and one of words."""
    city = City.open_or_create(tmp_path / "city")
    things = city.live.things
    place = {"type": "Point", "coordinates": list(PLACE)}
    location = things.add("Locations", {"name": "site", "location": place})
    thing = things.add("Things", {"name": "site"}, {"Locations": [location]})
    sensor = things.add("Sensors", {"name": "loop"})
    observed = things.add("ObservedProperties", {"name": "speed"})
    for key in (*NAB, "door"):
        kind = "OM_CategoryObservation" if key == "door" else "OM_Measurement"
        body = {
            "name": key, "observationType": f"http://www.opengis.net/def/observationType/OGC-OM/2.0/{kind}",
            "properties": {"key": key, "bounds": [0, 100_000]},
        }  # fmt: skip
        links = {"Things": [thing], "Sensors": [sensor], "ObservedProperties": [observed]}
        things.add("Datastreams", body, links)
    yield city
    city.history.close()


def cim(city: City, *arguments: object) -> Result:
    words = [str(one) for one in arguments]
    found = CliRunner().invoke(app, ["history", *words, "--city", str(city.folder)])
    city.history.close()
    return found


def test_the_series_of_nab_come_in_with_their_gaps(city: City, data: Path) -> None:
    for name in NAB:
        path = data / "iot" / f"{name}.csv"
        done = cim(city, "import", path, "--datastream", name, "--time-zone", "UTC", "--json")
        assert done.exit_code == 0, done.output
        rows = pd.read_csv(path, parse_dates=["timestamp"]).drop_duplicates("timestamp")
        rows = rows.sort_values("timestamp")
        times = rows.timestamp.to_numpy("datetime64[ms]").astype(np.int64)
        assert json.loads(done.stdout)["new"] == len(rows)
        stream = city.live.streams().by_key[name]
        found = city.observed.rows(np.array([stream.id]), 0, 2 * times[-1])
        assert found.times.tolist() == times.tolist()
        assert found.values.tolist() == rows.value.tolist()
        assert set(found.cells.tolist()) == set(cells_of(np.array([PLACE]), 15).tolist())
        [shown] = series([stream], found, int(times[0]), int(times[-1]) + 1, 1000, "minmax")
        steps = np.diff(times)
        wide = np.flatnonzero(steps > gap_intervals() * np.median(steps))
        assert len(wide) > 0
        assert shown.gaps == tuple((int(times[row]), int(times[row + 1])) for row in wide)
        again = cim(city, "import", path, "--datastream", name, "--time-zone", "UTC", "--json")
        assert json.loads(again.stdout)["new"] == 0


def test_rows_that_cannot_be_taken_are_named_and_the_others_are_taken(
    city: City, tmp_path: Path
) -> None:
    file = tmp_path / "some.csv"
    file.write_text(
        "Datastream,Time,Value,lon,lat\n"
        "speed_6005,2026-01-01T00:00:00Z,1.5,,\n"
        "speed_6005,2026-01-01 08:10:00+08:00,2.5,113.5,23.2\n"
        "3,1767225720000,3.5,,\n"
        "unknown,2026-01-01T00:00:00Z,1,,\n"
        "speed_6005,yesterday,1,,\n"
        "speed_6005,2999-01-01,1,,\n"
        "speed_6005,2026-01-02,fast,,\n"
        "speed_6005,2026-01-02,-1,,\n"
        "speed_6005,2026-01-02,1,200,0\n"
        "speed_6005,2026-01-03,,,\n"
        "speed_6005,2026-01-03,NaN,,\n"
        "door,2026-01-03,open,,\n"
    )
    zone = ("--time-zone", "UTC")
    done = cim(city, "import", file, *zone, "--json", "--refused", tmp_path / "refused.csv")
    assert done.exit_code == PARTLY
    told = json.loads(done.stdout)
    assert (told["new"], told["known"], told["gaps"], told["refused"]) == (4, 0, 2, 6)
    assert [one["row"] for one in told["rows_refused"]] == [4, 5, 6, 7, 8, 9]
    listed = pd.read_csv(tmp_path / "refused.csv")
    assert listed.row.tolist() == [4, 5, 6, 7, 8, 9]
    assert listed.reason.tolist()[3] == "'fast' is no number"
    plain = cim(city, "import", file, *zone)
    assert plain.exit_code == PARTLY
    assert (
        "6 rows cannot be taken (some.csv row 4: there is no datastream 'unknown'" in plain.output
    )
    streams = city.live.streams()
    speed, door = streams.by_key["speed_6005"].id, streams.by_key["door"].id
    found = city.observed.rows(np.array([speed]), 0, 2**42)
    begin = 1_767_225_600_000
    assert found.times.tolist() == [begin, begin + 120_000, begin + 600_000]
    assert found.values.tolist() == [1.5, 3.5, 2.5]
    assert found.cells[2] == cells_of(np.array([[113.5, 23.2]]), 15)[0]
    assert city.observed.rows(np.array([door]), 0, 2**42).more == {0: {"result": "open"}}


def test_times_without_a_zone_or_in_seconds_are_never_guessed(city: City, tmp_path: Path) -> None:
    file = tmp_path / "clock.csv"
    file.write_text(
        "datastream,time,value\nspeed_6005,2026-07-01 08:00:00,1\nspeed_6005,1782864000,2\n"
    )
    told = json.loads(cim(city, "import", file, "--json").stdout)
    assert told["new"] == 0
    reasons = [one["reason"] for one in told["rows_refused"]]
    assert "names no time zone; say it with --time-zone" in reasons[0]
    assert "is before 1973; give milliseconds, not seconds" in reasons[1]
    told = json.loads(cim(city, "import", file, "--time-zone", "America/New_York", "--json").stdout)
    assert told["new"] == 1
    stream = city.live.streams().by_key["speed_6005"].id
    expected = pd.Timestamp("2026-07-01 08:00", tz="America/New_York").timestamp() * 1000
    assert city.observed.rows(np.array([stream]), 0, 2**42).times.tolist() == [expected]
    assert isinstance(cim(city, "import", file, "--time-zone", "Mars").exception, InvalidInput)


def test_parquet_is_taken_with_numbers_and_times_of_its_own_types(
    city: City, tmp_path: Path
) -> None:
    stream = city.live.streams().by_key["speed_6005"].id
    times = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:01"])
    table = pa.table({"datastream": [stream, stream], "timestamp": times, "value": [1.0, None]})
    pa.parquet.write_table(table, tmp_path / "some.parquet")
    done = cim(city, "import", tmp_path / "some.parquet", "--json", "--time-zone", "UTC")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) | {"rows_refused": []} == {
        "new": 1, "known": 0, "gaps": 1, "refused": 0, "rows_refused": []
    }  # fmt: skip
    assert city.observed.rows(np.array([stream]), 0, 2**42).times.tolist() == [1_767_225_600_000]


def test_files_that_are_no_observations_are_refused_in_one_sentence(
    city: City, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n")
    done = cim(city, "import", bad)
    assert isinstance(done.exception, InvalidInput)
    assert "has no column 'datastream' (it has a, b)" in str(done.exception)
    assert isinstance(cim(city, "import", tmp_path / "x.xlsx").exception, UnsupportedFormat)
    assert isinstance(cim(city, "import", tmp_path / "x.csv").exception, InvalidInput)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 nothing")
    assert "cannot be read as parquet" in str(cim(city, "import", broken).exception)
    wrong = cim(city, "import", bad, "--datastream", "nobody")
    assert "there is no datastream 'nobody'" in str(wrong.exception)


def test_what_is_hot_becomes_history_when_it_is_told_to(city: City) -> None:
    assert json.loads(cim(city, "status", "--json").stdout)["rows"] == 0
    with city.live.transaction() as connection:
        what = observations([1, 1], [1_790_000_000_000, 1_790_000_060_000], [1.0, 2.0])
        city.live.batches.append(connection, what, 1_790_000_060_000)
    assert json.loads(cim(city, "status", "--json").stdout)["hot_rows"] == 2
    assert json.loads(cim(city, "compact", "--json").stdout)["moved"] == 2
    told = json.loads(cim(city, "status", "--json").stdout)
    assert (told["rows"], told["hot_rows"]) == (2, 0)
    assert "2026-09-21T14:13:20" in cim(city, "status").output
    assert "0 observations are history now" in cim(city, "compact").output
