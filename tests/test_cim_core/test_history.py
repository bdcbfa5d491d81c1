"""The lake beside the tail: nothing is lost, and nothing is there twice."""

import json
import math
import sqlite3
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cim_core import cells
from cim_core.cells import cells_of
from cim_core.city import City
from cim_core.errors import StorageFailed
from cim_core.observations import Observations, joined, observations
from cim_core.progress import Progress
from cim_core.store.history_catalog import mark_text

DAY = 86_400_000
BEGIN = 1_790_000_000_000 // DAY * DAY
PLACES = cells_of(np.array([[113.46, 23.1], [113.461, 23.1], [113.5, 23.12]]), 15)
NOTHING = observations([], [], [])
COLUMNS = ["stream", "time", "value", "cell"]

_base = count(1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city that many examples share, each with datastreams of its own."""
    city = City.open_or_create(tmp_path_factory.mktemp("history") / "city [1]?")
    yield city
    city.history.close()


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    city = City.open_or_create(tmp_path / "city")
    yield city
    city.history.close()


def record(city: City, what: Observations) -> None:
    """Keep observations as one batch, as the recorder does."""
    with city.live.transaction() as connection:
        city.live.batches.append(connection, what, int(time.time() * 1000))


def some(streams: list[int], minutes: list[int], values: list[float]) -> Observations:
    numbers = np.array(streams)
    return observations(
        numbers, BEGIN + 60_000 * np.array(minutes), values, PLACES[numbers % len(PLACES)]
    )


def frame(what: Observations) -> pd.DataFrame:
    columns = (what.streams, what.times, what.values, what.cells)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))


def door(city: City, what: Observations) -> Observations:
    """What the recorder would keep of it: the first of each datastream and time that is not known."""
    _, first = np.unique(what.keys, return_index=True)
    one = what.take(np.sort(first))
    known = city.live.tail().contains(one.keys) | city.history.contains(one.keys)
    new = one.take(~known)
    if len(new):
        record(city, new)
    return new


def test_a_city_without_history_answers_nothing_and_begins_nothing(city: City) -> None:
    seen, streams = city.observed, np.array([1, 2])
    assert len(seen.rows(streams, 0, 2 * BEGIN)) == seen.count(streams, 0, 2 * BEGIN) == 0
    assert len(seen.totals(streams, 0, 2 * BEGIN)) == len(seen.hourly(streams, 0, 2 * BEGIN)) == 0
    assert len(seen.quantile(streams, 0, 2 * BEGIN, 0.5, 9)[0]) == len(seen.latest(streams)) == 0
    assert seen.span() is None
    assert not city.history.contains(observations([1], [BEGIN], [0.0]).keys).any()
    assert city.history.move(Progress(), 1) == 0
    city.history.maintain()
    assert city.history.status()["rows"] == 0
    assert not city.live.exists
    assert not city.history.exists
    assert not city.history.folder.exists()


Row = tuple[int, int, float]
rows = st.tuples(
    st.integers(0, 3), st.integers(0, 3 * 1440),
    st.one_of(st.just(math.nan), st.floats(-1e9, 1e9, allow_nan=False, width=32)),
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("door"), st.lists(rows, min_size=1, max_size=25)),
        st.tuples(st.just("fill"), st.lists(rows, min_size=1, max_size=25)),
        st.tuples(st.just("move"), st.just([])),
    ),
    min_size=2, max_size=7,
)  # fmt: skip


@settings(
    max_examples=10, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=steps, window=st.tuples(st.integers(0, 3 * 1440), st.integers(1, 3 * 1440)))
def test_answers_are_those_of_pandas_in_whatever_order_rows_come_and_move(
    whole: City, steps: list[tuple[str, list[Row]]], window: tuple[int, int]
) -> None:
    base = 4 * next(_base)
    kept: list[Observations] = [NOTHING]
    seen = whole.observed
    streams = base + np.arange(4)
    for kind, given_rows in steps:
        if kind == "move":
            whole.history.move(Progress(), 1)
            continue
        numbers, minutes, values = zip(*given_rows, strict=True)
        what = some([base + number for number in numbers], list(minutes), list(values))
        already = np.concatenate([one.keys for one in kept])
        expected = what.take(~np.isin(what.keys, already))
        _, first = np.unique(expected.keys, return_index=True)
        expected = expected.take(np.sort(first))
        if kind == "door":
            assert len(door(whole, what)) == len(expected)
        else:
            assert whole.history.add(what) == len(expected)
        kept.append(expected)
    for start, end in ((BEGIN, BEGIN + 4 * DAY), tuple(BEGIN + 60_000 * np.cumsum(window))):
        check(whole, frame(joined(kept)), streams, int(start), int(end))
    newest = frame(joined(kept)).sort_values("time").groupby("stream").tail(1).sort_values("stream")
    found = seen.latest(streams)
    assert found.times.tolist() == newest.time.tolist()
    assert np.array_equal(found.values, newest.value, equal_nan=True)


def check(city: City, everything: pd.DataFrame, streams: np.ndarray, start: int, end: int) -> None:
    seen = city.observed
    wanted = everything[(everything.time >= start) & (everything.time < end)]
    wanted = wanted.sort_values(["time", "stream"]).reset_index(drop=True)
    found = seen.rows(streams, start, end)
    pd.testing.assert_frame_equal(frame(found), wanted, check_dtype=False)
    assert seen.count(streams, start, end) == len(wanted)
    assert frame(seen.rows(streams, start, end, newest=3)).equals(frame(found).tail(3).reset_index(drop=True))  # fmt: skip
    assert frame(seen.rows(streams, start, end, oldest=3)).equals(frame(found).head(3))
    numbers = wanted.dropna()
    totals = seen.totals(streams, start, end)
    keys = [totals.streams, totals.cells]
    compare(numbers.groupby(["stream", "cell"]).value, keys, totals)
    hourly = seen.hourly(streams, start, end)
    hours = numbers.time // 3_600_000 * 3_600_000
    compare(numbers.groupby([numbers.stream, hours]).value, [hourly.streams, hourly.hours], hourly)
    for q in (0.5, 0.95):
        at, values = seen.quantile(streams, start, end, q, 9)
        parents = cells.parents(numbers.cell.to_numpy(np.uint64).copy(), 9)
        expected = numbers.groupby(parents).value.quantile(q)
        assert at.tolist() == expected.index.tolist()
        assert values == pytest.approx(expected.to_numpy(), rel=1e-12, abs=1e-6)


def compare(groups: "pd.core.groupby.SeriesGroupBy", keys: list[np.ndarray], found: object) -> None:
    expected = groups.agg(["count", math.fsum, "min", "max"])
    assert list(zip(*(key.tolist() for key in keys), strict=True)) == expected.index.tolist()
    assert found.counts.tolist() == expected["count"].tolist()
    assert found.lowest.tolist() == expected["min"].tolist()
    assert found.highest.tolist() == expected["max"].tolist()
    largest = expected[["min", "max"]].abs().max(axis=1).to_numpy()
    off = np.abs(found.sums - expected["fsum"].to_numpy())
    assert (off <= 1e-15 * found.counts * largest).all()


def test_the_mean_of_a_day_is_the_same_to_the_last_digit_wherever_its_rows_are(city: City) -> None:
    random = np.random.default_rng(3)
    values = random.normal(0, 1, 3000) * 10.0 ** random.integers(-6, 9, 3000)
    what = some([1] * 3000, list(range(3000)), values.tolist())
    what = what.take(random.permutation(3000))
    means = set()
    for part in np.array_split(np.arange(3000), 4):
        record(city, what.take(part))
    for _ in range(2):
        totals = city.observed.totals(np.array([1]), BEGIN, BEGIN + 5 * DAY)
        means.add(f"{totals.sums[0] / totals.counts[0]:.12g}")
        city.history.move(Progress(), 1)
    assert means == {f"{math.fsum(values) / 3000:.12g}"}


def test_what_is_no_number_and_what_belongs_to_a_row_comes_back_from_history(city: City) -> None:
    more = {1: {"result": "门 open", "resultQuality": {"good": True}}}
    what = observations([7, 7, 8], [BEGIN, BEGIN + 1, BEGIN], [1.0, np.nan, 2.0], None, more)
    record(city, what)
    city.history.move(Progress(), 1)
    assert len(city.live.tail()) == 0
    found = city.observed.rows(np.array([7]), BEGIN, BEGIN + 10)
    assert found.more == more
    assert np.isnan(found.values[1])
    assert city.observed.totals(np.array([7]), BEGIN, BEGIN + 10).counts.tolist() == [1]
    assert city.observed.latest(np.array([8, 7])).more == {1: more[1]}


def test_what_is_filled_in_from_the_past_does_not_take_the_place_of_what_is_hot(city: City) -> None:
    now = int(time.time() * 1000)
    record(city, observations([1, 1], [now - 5000, now - 100], [1.0, 2.0]))
    given_times = [now - 5000, now - 3000, now - 3000, now - 40 * DAY]
    assert city.history.add(observations([1] * 4, given_times, [9.0, 3.0, 8.0, 4.0])) == 2
    found = city.observed.rows(np.array([1]), 0, now)
    assert found.values.tolist() == [4.0, 1.0, 3.0, 2.0]
    assert city.observed.latest(np.array([1])).values.tolist() == [2.0]
    assert city.history.add(observations([1], [now - 10], [5.0])) == 1
    assert City.open(city.folder).live.tail().latest(np.array([1])).values.tolist() == [5.0]
    assert city.live.tail().latest(np.array([1])).values.tolist() == [5.0]


def test_a_day_is_one_sorted_file_after_maintenance_and_answers_stay(city: City) -> None:
    random = np.random.default_rng(5)
    streams = np.arange(1, 41)
    for part in range(4):
        minutes = np.repeat(np.arange(part * 500, part * 500 + 500), 40).tolist()
        record(city, some(streams.tolist() * 500, minutes, random.normal(20, 5, 20_000).tolist()))
        assert city.history.move(Progress(), 20_000) == 20_000
    assert city.history.move(Progress()) == 0
    before = frame(city.observed.rows(streams, 0, 2 * BEGIN))
    assert len(city.history.snapshot().files) > 2
    city.history.maintain()
    lake = city.history.snapshot()
    assert len(lake.files) == 2
    for path in lake.files:
        rows = duckdb.read_parquet(str(path)).fetchnumpy()
        keys = (rows["time"], rows["stream"], rows["cell"], rows["time"] // (4 * 3_600_000))
        assert (np.lexsort(keys) == np.arange(len(rows["time"]))).all()
        assert len(set(rows["day"].tolist())) == 1
    assert frame(city.observed.rows(streams, 0, 2 * BEGIN)).equals(before)
    assert frame(City.open(city.folder).observed.rows(streams, 0, 2 * BEGIN)).equals(before)


def test_a_compactor_that_died_between_lake_and_tail_is_made_good(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = some([1] * 100, list(range(100)), list(range(100)))
    record(city, what)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(city.history, "_delete", die)
        with pytest.raises(KeyboardInterrupt):
            city.history.move(Progress(), 1)
    again = City.open(city.folder)
    assert again.live.batches.count() == 100
    assert again.observed.count(np.array([1]), 0, 2 * BEGIN) == 100
    record(again, some([1] * 5, list(range(200, 205)), [0.0] * 5))
    assert again.history.move(Progress(), 1) == 5
    assert again.live.batches.count() == 0
    assert again.observed.count(np.array([1]), 0, 2 * BEGIN) == 105


def test_marks_are_forgotten_an_hour_after_their_batches_went(city: City) -> None:
    record(city, some([1], [1], [1.0]))
    city.history.move(Progress(), 1)
    record(city, some([1], [2], [2.0]))
    city.history.move(Progress(), 1)
    assert city.history.moved() == {1, 2}
    city.history.forget()
    assert city.history.moved() == {1, 2}
    city.history.close()
    catalog = sqlite3.connect(city.history.folder / "catalog.db")
    catalog.execute("UPDATE ducklake_snapshot SET snapshot_time = '2026-01-01 00:00:00.123456+00'")
    catalog.commit()
    catalog.close()
    city.history.forget()
    assert city.history.moved() == {2}, "the last commit stays"
    assert city.observed.count(np.array([1]), 0, 2 * BEGIN) == 2


def test_marks_are_kept_as_runs() -> None:
    assert json.loads(mark_text([9, 3, 4, 5])) == [[3, 5], [9, 9]]


def test_a_city_that_was_moved_to_another_folder_has_its_history(city: City) -> None:
    city.history.add(some([1, 1], [0, 1], [1.0, 2.0]))
    city.history.close()
    moved = City.open(city.folder.rename(city.folder.with_name("elsewhere")))
    assert moved.history.add(some([1, 1], [1, 2], [2.0, 3.0])) == 1
    assert moved.observed.rows(np.array([1]), 0, 2 * BEGIN).values.tolist() == [1.0, 2.0, 3.0]
    moved.history.close()


def test_a_file_of_history_that_is_gone_is_told_in_one_sentence(city: City) -> None:
    city.history.add(some([1], [0], [1.0]))
    city.history.snapshot().files[0].unlink()
    with pytest.raises(StorageFailed, match="restore the folder from a backup"):
        city.observed.count(np.array([1]), 0, 2 * BEGIN)
