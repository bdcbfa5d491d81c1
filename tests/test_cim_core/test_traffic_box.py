"""A question about a box is answered with what is in it, wherever it is kept and however it is read."""

from collections.abc import Iterator
from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cim_core.city import City
from cim_core.network import Labels
from cim_core.progress import Progress
from cim_core.store.traffic import Traffic
from cim_core.traffic.moving import Box, Positions, SignalStates

EVER = 10**15
MINUTE = 60_000
WEST, SOUTH, EAST, NORTH = 113.1234567890123, 23.000000000000004, 113.30000000000001, 23.1
PLACES = st.tuples(
    st.sampled_from(
        [WEST, np.nextafter(WEST, 0), EAST, np.nextafter(EAST, 180), 113.2, float("nan")]
    ),
    st.sampled_from([SOUTH, np.nextafter(SOUTH, 0), NORTH, np.nextafter(NORTH, 90), 23.05]),
)
ROWS = st.lists(st.tuples(st.integers(0, 5 * MINUTE), PLACES), min_size=1, max_size=12)
_example = count(1)

Row = tuple[int, float, float]


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    city = City.open_or_create(tmp_path_factory.mktemp("box") / "city")
    yield city
    city.history.close()


def positions(rows: list[tuple[int, tuple[float, float]]]) -> Positions:
    n = len(rows)
    lon, lat = np.array([place for _, place in rows], float).T
    unknown = np.full(n, np.nan, np.float32)
    return Positions(
        np.array([at for at, _ in rows], np.int64), Labels.of(["a"] * n), lon, lat, unknown,
        unknown, unknown, np.ones(n, np.uint8), unknown,
    )  # fmt: skip


def told(found: Positions) -> list[Row]:
    return sorted(zip(found.times.tolist(), found.lon.tolist(), found.lat.tolist(), strict=True))


@settings(deadline=None, max_examples=10)
@given(ROWS, ROWS, st.integers(-MINUTE, 5 * MINUTE), st.integers(1, 6 * MINUTE))
def test_hot_or_history_a_box_holds_its_edges_and_nothing_else(
    city: City, early: list[tuple[int, tuple[float, float]]],
    late: list[tuple[int, tuple[float, float]]], start: int, length: int,
) -> None:  # fmt: skip
    layer, end = f"roads{next(_example)}", start + length
    city.traffic.append(layer, positions(early))
    city.traffic.history.move(Progress(), EVER, 1)
    city.traffic.append(layer, positions(late))
    box: Box = (WEST, SOUTH, EAST, NORTH)
    window = [(at, *place) for at, place in (*early, *late) if start <= at < end]
    inside = [x for x in window if WEST <= x[1] <= EAST and SOUTH <= x[2] <= NORTH]
    assert told(city.traffic.positions(layer, start, end, box)) == sorted(inside)
    everywhere: Box = (-180.0, -90.0, 180.0, 90.0)
    known = [x for x in window if x[1] == x[1]]
    assert told(city.traffic.positions(layer, start, end, everywhere)) == sorted(known)
    pieces = list(city.traffic.pieces(layer, Positions, start, end))
    assert sorted(at for x in pieces for at in x.times.tolist()) == sorted(x[0] for x in window)
    assert all(len(x) and int(np.ptp(x.times)) < MINUTE for x in pieces)
    last = max((x[0] for x in window), default=None)
    assert city.traffic.last(layer, Positions, start, end) == last


def test_a_window_of_all_times_is_read_where_there_is_something(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = Traffic(tmp_path_factory.mktemp("traffic"))
    assert len(traffic.positions("roads", 0, EVER, (0.0, 0.0, 180.0, 90.0))) == 0
    assert traffic.last("roads", SignalStates, 0, EVER) is None
    some = positions([(10**12 + 70_000 * n, (113.2, 23.05)) for n in range(3)])
    traffic.append("roads", some)
    asked: list[tuple[int, int]] = []
    window = traffic.history.window

    def counted(layer: str, kind: type[Positions], start: int, end: int, box: Box | None) -> Positions:  # fmt: skip
        asked.append((start, end))
        return window(layer, kind, start, end, box)

    monkeypatch.setattr(traffic.history, "window", counted)
    assert len(traffic.positions("roads", -EVER, EVER, (113.0, 23.0, 114.0, 24.0))) == 3
    assert len(asked) == 3, "three minutes have something"
    assert traffic.last("roads", Positions, -EVER, EVER) == 10**12 + 140_000
    assert len(asked) == 4
    traffic.close()
