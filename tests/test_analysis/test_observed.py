"""Series, heat maps, anomalies and availability of observations, beside pandas."""

from pathlib import Path

import h3
import numpy as np
import pandas as pd
import pytest

from analysis.anomalies import HOUR, WEEK, anomalies
from analysis.availability import availability, newest_times, patience
from analysis.heat_map import HeatAsked, heat, of_one_unit, usual_resolution
from analysis.series import gaps_of, series, thinned
from cim_core.cells import cell_names
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.observations import Stream, Streams, observations
from cim_core.progress import Progress
from server.processes import execute
from tests.support.alarming import add_thing
from tests.support.sensing import record

START = 1_780_000_000_000
LON, LAT = 113.40, 23.05


def stream(number: int, **more: object) -> Stream:
    said = {
        "key": f"s{number}", "name": "", "thing": number, "thing_name": "", "thing_class": "c",
        "layer": "things", "feature": None, "property": "x", "unit": "u", "place": None, "cell": 0,
        **more,
    }  # fmt: skip
    return Stream(id=number, **said)


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, pd.DataFrame]:
    """A city with forty things and 6,000 observations of two hours, and the same as a table."""
    city = City.open_or_create(tmp_path_factory.mktemp("observed") / "city")
    random = np.random.default_rng(5)
    places = random.uniform((LON, LAT), (LON + 0.06, LAT + 0.06), (40, 2))
    with city.live.transaction():
        pass
    ids = [add_thing(city.live, f"t{i}", at=tuple(place))[0] for i, place in enumerate(places)]
    rows = random.integers(0, 40, 6000)
    times = START + random.permutation(7_200_000)[:6000]
    values = random.normal(0, 1e6, 6000) * 10.0 ** random.integers(-9, 6, 6000)
    what = observations(np.array(ids)[rows], times, values)
    for begin in range(0, 6000, 500):
        record(city, what.take(np.arange(begin, begin + 500)))
    table = pd.DataFrame(
        {"stream": what.streams, "time": times, "value": values,
         "lon": places[rows, 0], "lat": places[rows, 1]}
    )  # fmt: skip
    return city, table


@pytest.mark.parametrize("resolution", [5, 8, 9, 11, 15])
def test_a_heat_map_is_what_pandas_makes_of_the_rows(
    scattered: tuple[City, pd.DataFrame], resolution: int
) -> None:
    city, table = scattered
    start, end = START + 600_000, START + 4_200_000
    inside = table[(table.time >= start) & (table.time < end)].copy()
    inside["cell"] = [  # a point near an edge may lie in the parent's neighbour: the parent counts
        h3.cell_to_parent(h3.latlng_to_cell(lat, lon, 15), resolution)
        for lon, lat in zip(inside.lon, inside.lat, strict=True)
    ]
    groups = inside.groupby("cell").value
    expected = {
        "mean": groups.mean(), "count": groups.count(), "max": groups.max(), "min": groups.min(),
        "p95": groups.quantile(0.95),
    }  # fmt: skip
    for statistic, wanted in expected.items():
        found = heat(city.live.streams(), city.observed, HeatAsked(statistic, start, end, resolution))  # fmt: skip
        grid = pd.Series(found.values, cell_names(found.cells))
        assert sorted(grid.index) == sorted(wanted.index)
        np.testing.assert_allclose(grid[wanted.index], wanted, rtol=1e-9, atol=1e-6)
        assert dict(zip(grid.index, found.counts, strict=True)) == groups.count().to_dict()
        assert (np.diff(found.cells.astype(np.int64)) > 0).all()


def test_in_whatever_order_observations_come_the_heat_map_is_the_same(
    scattered: tuple[City, pd.DataFrame], tmp_path: Path
) -> None:
    city, table = scattered
    asked = HeatAsked("mean", START, START + 7_200_000, 8)
    at_once = heat(city.live.streams(), city.observed, asked)
    for seed in range(3):
        other = City.open_or_create(tmp_path / str(seed))
        places = table.groupby("stream")[["lon", "lat"]].first()
        for number, place in places.iterrows():
            [made] = add_thing(other.live, f"t{number}", at=(place.lon, place.lat))
            assert made == number
        order = np.random.default_rng(seed).permutation(len(table))
        shuffled = table.iloc[order]
        what = observations(shuffled.stream.to_numpy(), shuffled.time.to_numpy(), shuffled.value.to_numpy())  # fmt: skip
        for part in np.array_split(np.arange(len(table)), 4 + seed):
            record(other, what.take(part))
        by_updates = heat(other.live.streams(), other.observed, asked)
        assert by_updates.cells.tolist() == at_once.cells.tolist()
        assert by_updates.counts.tolist() == at_once.counts.tolist()
        np.testing.assert_allclose(by_updates.values, at_once.values, rtol=1e-15)


def test_a_box_takes_whole_cells_and_only_those_that_touch_it(
    scattered: tuple[City, pd.DataFrame],
) -> None:
    city, _ = scattered
    box = (LON + 0.02, LAT + 0.02, LON + 0.035, LAT + 0.035)
    for resolution in (7, 9, 10):
        whole = heat(city.live.streams(), city.observed, HeatAsked("count", START, START + 7_200_000, resolution))  # fmt: skip
        part = heat(city.live.streams(), city.observed, HeatAsked("count", START, START + 7_200_000, resolution, box))  # fmt: skip
        counts = dict(zip(whole.cells.tolist(), whole.values.tolist(), strict=True))
        assert 0 < len(part.cells) <= len(whole.cells)
        for cell, value in zip(part.cells.tolist(), part.values.tolist(), strict=True):
            assert counts[cell] == value
        assert part.cells.tolist() == whole.touching(box).cells.tolist()


def test_more_cells_than_can_be_told_are_refused(
    scattered: tuple[City, pd.DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    city, _ = scattered
    monkeypatch.setattr("analysis.heat_map.MOST_CELLS", 10)
    with pytest.raises(InvalidInput, match="coarser resolution"):
        heat(city.live.streams(), city.observed, HeatAsked("mean", START, START + 7_200_000, 12))


def test_of_several_units_the_most_frequent_counts_and_words_never() -> None:
    streams = Streams([
        stream(1, unit="m"), stream(2, unit="m"), stream(3, unit="cm"),
        stream(4, unit="", result="category"), stream(5, unit="", result="category"),
        stream(6, unit="", result="category"),
    ])  # fmt: skip
    unit, same = of_one_unit(streams)
    assert (unit, same.ids.tolist()) == ("m", [1, 2])
    assert of_one_unit(Streams([]))[0] == ""


def test_the_usual_resolution_grows_finer_with_smaller_boxes() -> None:
    boxes = [(113.0, 23.0, 113.0 + side, 23.0 + side) for side in (8.0, 1.0, 0.2, 0.01)]
    found = [usual_resolution(box, None) for box in boxes]
    assert found == sorted(found)
    assert found[0] < found[-1] == 11


def test_thinned_series_keep_every_extreme_of_their_parts() -> None:
    random = np.random.default_rng(7)
    for _ in range(40):
        rows = int(random.integers(2, 4000))
        times = START + np.cumsum(random.integers(1, 5000, rows))
        values = random.normal(size=rows).cumsum()
        values[random.random(rows) < 0.05] = np.nan
        finite = np.flatnonzero(np.isfinite(values))
        points = int(random.integers(4, 400))
        kept = thinned(times, values, points, "minmax")
        assert (np.diff(kept) > 0).all()
        assert np.isin(kept, finite).all()
        assert len(kept) <= max(points, 4) + 4
        if len(finite):
            assert {finite[0], finite[-1]} <= set(kept.tolist())
            assert np.nanmax(values) == values[kept].max()
            assert np.nanmin(values) == values[kept].min()
        if len(finite) > max(points, 4):  # of each equal part of the time, both extremes
            parts = (points - points % 2) // 2 if points > 4 else 2
            bins = np.linspace(times[finite[0]], times[finite[-1]], parts + 1)
            place = np.clip(np.searchsorted(bins, times[finite], side="right") - 1, 0, parts - 1)
            kept_place = np.clip(np.searchsorted(bins, times[kept], side="right") - 1, 0, parts - 1)
            near = 0  # what lies on the edge between two parts may count to either
            for part in np.unique(place):
                own = values[finite][place == part]
                left = values[kept][kept_place == part]
                near += not (len(left) and left.max() == own.max() and left.min() == own.min())
            assert near <= 2


def test_lttb_keeps_about_as_many_and_the_ends() -> None:
    times = START + np.arange(5000) * 60_000
    values = np.sin(np.arange(5000) / 50)
    kept = thinned(times, values, 200, "lttb")
    assert 198 <= len(kept) <= 204
    assert kept[0] == 0 and kept[-1] == 4999


def test_raw_series_tell_all_and_refuse_what_is_too_much() -> None:
    one = stream(1)
    few = observations([1] * 5, START + np.array([4, 2, 0, 3, 1]) * 1000, [4.0, np.nan, 0, 3, 1])
    [found] = series([one], few, START, START + 10_000, 4, "raw")
    assert found.times.tolist() == [START + k * 1000 for k in range(5)]
    assert np.isnan(found.values[2]) and found.rows == 5
    many = observations(np.ones(20_001, np.int64), START + np.arange(20_001), np.zeros(20_001))
    with pytest.raises(InvalidInput, match="method=minmax"):
        series([one], many, START, START + 30_000, 4, "raw")


def test_a_gap_is_where_more_than_three_intervals_are_missing() -> None:
    times = START + np.array([0, 60, 120, 300, 480, 540, 1200]) * 1000
    gaps = gaps_of(times, START - 1_000_000, START + 1_300_000, 60.0)
    assert gaps == (
        (START - 1_000_000, START), (START + 540_000, START + 1_200_000),
    )  # fmt: skip
    assert gaps_of(times[:0], START, START + 600_000, 60.0) == ((START, START + 600_000),)
    assert gaps_of(times[:2], START, START + 600_000, None) == ()


@pytest.mark.parametrize("name", ["TravelTime_387", "occupancy_6005", "speed_6005"])
def test_the_gaps_of_the_nab_series_are_named(name: str, data: Path) -> None:
    path = data / "iot" / f"{name}.csv"
    table = pd.read_csv(path, parse_dates=["timestamp"]).sort_values("timestamp")
    times = (table.timestamp.astype("datetime64[ms]").astype("int64")).to_numpy()
    what = observations(np.ones(len(times), np.int64), times, table.value.to_numpy(float))
    start, end = int(times.min()), int(times.max()) + 1
    [found] = series([stream(1)], what, start, end, 500, "minmax")
    steps = table.timestamp.diff()
    long = steps > 3 * steps.median()
    expected = [
        (int(a.timestamp() * 1000), int(b.timestamp() * 1000))
        for a, b in zip(table.timestamp.shift()[long], table.timestamp[long], strict=True)
    ]
    assert found.rows == len(table) and len(expected) > 10
    assert list(found.gaps) == expected
    assert found.values.max() == table.value.max() and found.values.min() == table.value.min()


def test_states_follow_what_a_datastream_promised() -> None:
    streams = Streams([stream(1, every=60.0), stream(2, every=1.0), stream(3), stream(4, every=60.0)])  # fmt: skip
    now = START
    waits = np.array([100, 20, 80_000, 0]) * 1000
    newest = np.where([True, True, True, False], now - waits, -1)
    codes = patience(streams).states(newest, now)
    assert codes.tolist() == [0, 0, 0, 3]
    later = patience(streams).states(newest, now + 101_000)
    assert later.tolist() == [1, 2, 0, 3]  # 201 s of 60, 121 s of 1, 80,101 s of a day
    assert patience(streams).states(newest, now + 900_000_000).tolist() == [2, 2, 2, 3]


def test_a_thing_is_as_its_best_datastream_and_the_counts_are_those_of_pandas() -> None:
    random = np.random.default_rng(3)
    classes = np.array(["lamp", "tree", "gas"])[random.integers(0, 3, 60)]
    streams = Streams([
        stream(n, thing=int(n) // 2, thing_class=str(classes[n // 2]), every=60.0)
        for n in range(2, 120)
    ])  # fmt: skip
    age = random.choice([10, 200, 700, -1], len(streams))
    newest = np.where(age < 0, -1, START - 1000 * age)
    found = availability(streams, newest, START)
    table = pd.DataFrame(
        {"thing": [streams.by_id[n].thing for n in streams.ids.tolist()],
         "kind": [streams.by_id[n].thing_class for n in streams.ids.tolist()],
         "code": pd.Series(age).map({10: 0, 200: 1, 700: 2, -1: 3})}
    )  # fmt: skip
    best = table.groupby(["thing", "kind"]).code.min().reset_index()
    names = dict(enumerate(("ok", "stale", "silent", "never")))
    assert dict(found.things) == best.code.map(names).value_counts().to_dict()
    for kind, counts in found.by_class.items():
        assert dict(counts) == best[best.kind == kind].code.map(names).value_counts().to_dict()
    assert len(found.absent) == (best.code > 0).sum()
    order = [one.updated or -1 for one in found.absent]
    assert order == sorted(order)


def asked_of(city: City, name: str, **inputs: object) -> dict:
    return execute(city, name, inputs, Progress()).document


def rows_of(table: dict) -> list[dict]:
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def test_the_questions_have_receipts_and_the_answers_of_the_measures(
    weeks: tuple[City, dict[str, int], int],
) -> None:
    city, _, at = weeks
    when = pd.Timestamp(at, unit="ms", tz="UTC").isoformat()
    odd = asked_of(city, "observation-anomalies", at=when)
    assert [row["name"] for row in rows_of(odd["odd"])] == ["odd"]
    assert rows_of(odd["about"])[0]["too_little"] == 1
    assert odd["receipt"]["href"].startswith("/receipts/")
    told = asked_of(city, "heat-map", property="x", at=when, hours=2.0, resolution=7)
    same = heat(city.live.streams(), city.observed, HeatAsked("mean", at - 2 * HOUR, at, 7))
    assert told["heat"] == same.grid.as_dict()
    assert rows_of(told["about"])[0]["observations"] == int(same.counts.sum())
    states = asked_of(city, "device-availability", at=when)
    assert [row["name"] for row in rows_of(states["absent"])] == ["mute"]
    before = asked_of(
        city, "device-availability", at=pd.Timestamp(START - 1, unit="ms").isoformat()
    )
    assert {row["state"] for row in rows_of(before["absent"])} == {"never"}
    with pytest.raises(InvalidInput, match="a property is needed; give one of x"):
        asked_of(city, "heat-map")


def test_newest_times_are_put_beside_their_datastreams() -> None:
    found = newest_times(np.array([2, 5, 9]), np.array([5]), np.array([77]))
    assert found.tolist() == [-1, 77, -1]


@pytest.fixture(scope="module")
def weeks(tmp_path_factory: pytest.TempPathFactory) -> tuple[City, dict[str, int], int]:
    """A city whose things were observed every ten minutes for five weeks; one went odd at the end."""
    city = City.open_or_create(tmp_path_factory.mktemp("weeks") / "city")
    streams = {
        name: add_thing(city.live, name, every=600)[0] for name in ("usual", "odd", "new", "mute")
    }
    at = START + 5 * WEEK
    times = np.arange(START, at, 600_000)
    random = np.random.default_rng(1)
    daily = 20 + 5 * np.sin(times / HOUR / 24 * 2 * np.pi)
    parts = []
    for name, number in streams.items():
        values = daily + random.normal(0, 0.3, len(times))
        kept = np.ones(len(times), bool)
        if name == "odd":
            values[times >= at - HOUR] += 9.0
        if name == "new":
            kept = times >= at - 2 * WEEK + HOUR
        if name == "mute":
            kept = times < at - HOUR
        parts.append(observations(np.full(kept.sum(), number), times[kept], values[kept]))
    for part in parts:
        record(city, part)
    return city, streams, at


def test_anomalies_find_the_odd_hour_and_say_where_there_is_too_little(
    weeks: tuple[City, dict[str, int], int],
) -> None:
    city, streams, at = weeks
    found = anomalies(city.live.streams(), city.observed, at, 4, Progress())
    assert [one.stream.id for one in found.found] == [streams["odd"]]
    assert (found.looked_at, found.too_little, found.silent) == (2, 1, 1)
    [odd] = found.found
    rows = city.observed.rows(np.array([streams["odd"]]), 0, at + 1)
    table = pd.Series(rows.values, pd.to_datetime(rows.times, unit="ms"))
    hours = [
        table[pd.to_datetime(at - week * WEEK - HOUR, unit="ms") : pd.to_datetime(at - week * WEEK - 1, unit="ms")].mean()
        for week in range(5)
    ]  # fmt: skip
    median = np.median(hours[1:])
    scale = max(1.4826 * np.median(np.abs(np.array(hours[1:]) - median)), 0.02 * median)
    np.testing.assert_allclose(
        (odd.value, odd.median, odd.scale, odd.score, odd.weeks),
        (hours[0], median, scale, (hours[0] - median) / scale, 4),
    )
    assert odd.score > 3.5


def test_an_hour_before_nothing_is_odd_and_without_history_nothing_ever(
    weeks: tuple[City, dict[str, int], int],
) -> None:
    city, _, at = weeks
    assert anomalies(city.live.streams(), city.observed, at - HOUR, 4, Progress()).found == ()
    begun = anomalies(city.live.streams(), city.observed, START + WEEK, 4, Progress())
    assert (begun.found, begun.looked_at, begun.too_little) == ((), 0, 3)
    none = anomalies(Streams([]), city.observed, at, 4, Progress())
    assert (none.found, none.looked_at, none.too_little, none.silent) == ((), 0, 0, 0)
