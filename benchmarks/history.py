"""Questions to ten million observations in the lake of a generated city, kept in benchmarks/.data.

A thousand datastreams of ten properties, anywhere within 20 km, observe every minute for a week. The
same rows stand in a SQLite table with an index, which is asked the same in turn.
"""

import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from analysis.heat_map import HeatAsked, heat
from benchmarks import FOLDER
from cim_core.cells import Cells, cell_polygons, cells_of, parents
from cim_core.city import City
from cim_core.mesh import Floats
from cim_core.observations import Observations, Stream, Streams, observations

OBSERVATIONS = 10_080_000
_STREAMS, _PROPERTIES = 1_000, 10
_LON, _LAT, _SIDE_KM = 113.4, 23.0, 20.0
_KM = 1 / 111.32
_MINUTE, _HOUR = 60_000, 3_600_000
_BEGIN = 1_790_000_000_000 // (24 * _HOUR) * 24 * _HOUR
_RESOLUTION = 9
_REPEAT = 15

Box = tuple[float, float, float, float]
Ask = Callable[[int], int]
"""Asks for the n-th time, and says how much was found."""


def measure(count: int = OBSERVATIONS) -> dict[str, Any]:
    """What each question takes, milliseconds, of the product and of the table."""
    streams, folder = _streams(), FOLDER / ".data" / f"observations-{count}"
    seconds = _made(folder, streams, count)
    city = City.open(folder / "city")
    table = sqlite3.connect(folder / "table.db")
    table.execute("PRAGMA mmap_size = 2000000000")
    end = _BEGIN + count // _STREAMS * _MINUTE
    ours, peers = _product(city, streams, end), _peer(table, streams, end)
    questions = {name: _beside(ours[name], peers[name]) for name in ours}
    status = city.history.status()
    city.history.close()
    table.close()
    return {
        "observations": status["rows"], "files": status["files"], "bytes": status["bytes"],
        "table_bytes": (folder / "table.db").stat().st_size, "seconds": seconds,
        "questions": questions,
    }  # fmt: skip


def _product(city: City, streams: Streams, end: int) -> dict[str, Ask]:
    seen = city.observed
    of_one = streams.of_property("p3")

    def map_of(km: float, hours: int, n: int) -> int:
        stop = _stop(end, hours, n)
        asked = HeatAsked("mean", stop - hours * _HOUR, stop, _RESOLUTION, _box(km))
        return int(heat(of_one, seen, asked).counts.sum())

    def series(n: int) -> int:
        stop = _stop(end, 24, n)
        return len(seen.rows(of_one.ids[n : n + 1], stop - 24 * _HOUR, stop))

    return {
        "latest of all": lambda _: len(seen.latest(streams.ids)),
        "heat map, 6 km, 1 h": lambda n: map_of(6.0, 1, n),
        "heat map, 20 km, 24 h": lambda n: map_of(_SIDE_KM, 24, n),
        "heat map, 20 km, 24 h, all properties": lambda n: _everything(city, streams, end, n),
        "series, 24 h": series,
    }


def _everything(city: City, streams: Streams, end: int, n: int) -> int:
    stop = _stop(end, 24, n)
    totals = city.observed.totals(streams.ids, stop - 24 * _HOUR, stop)
    np.unique(parents(totals.cells.copy(), _RESOLUTION))
    return int(totals.counts.sum())


def _peer(table: sqlite3.Connection, streams: Streams, end: int) -> dict[str, Ask]:
    of_one = streams.of_property("p3")

    def map_of(some: Streams, km: float, hours: int, n: int) -> int:
        stop = _stop(end, hours, n)
        near = some.only(_touching(some, _box(km)))
        return sum(
            row[1]
            for row in table.execute(
                "SELECT cell, count(*), sum(value), min(value), max(value) FROM observation"
                f" WHERE stream IN ({', '.join(map(str, near.ids.tolist()))})"
                " AND time >= ? AND time < ? GROUP BY cell",
                (stop - hours * _HOUR, stop),
            )
        )

    def series(n: int) -> int:
        stop = _stop(end, 24, n)
        return len(
            table.execute(
                "SELECT time, value FROM observation WHERE stream = ? AND time >= ? AND time < ?"
                " ORDER BY time",
                (int(of_one.ids[n]), stop - 24 * _HOUR, stop),
            ).fetchall()
        )

    def latest(_: int) -> int:
        sql = "SELECT * FROM observation WHERE stream = ? ORDER BY time DESC LIMIT 1"
        return sum(len(table.execute(sql, (one,)).fetchall()) for one in streams.ids.tolist())

    return {
        "latest of all": latest,
        "heat map, 6 km, 1 h": lambda n: map_of(of_one, 6.0, 1, n),
        "heat map, 20 km, 24 h": lambda n: map_of(of_one, _SIDE_KM, 24, n),
        "heat map, 20 km, 24 h, all properties": lambda n: map_of(streams, 2 * _SIDE_KM, 24, n),
        "series, 24 h": series,
    }


def _beside(ours: Ask, peer: Ask) -> dict[str, float]:
    """Both turn and turn about, after a first time that is not counted; at another hour each time."""
    found, theirs = ours(0), peer(0)
    wall: dict[Ask, list[float]] = {ours: [], peer: []}
    for n in range(1, _REPEAT + 1):
        for ask in (ours, peer) if n % 2 else (peer, ours):
            begin = time.perf_counter()
            ask(n)
            wall[ask].append(1000 * (time.perf_counter() - begin))
    return {
        "found": found, "peer_found": theirs, "p50": round(median(wall[ours]), 2),
        "p95": round(float(np.percentile(wall[ours], 95)), 2),
        "peer_p50": round(median(wall[peer]), 2),
    }  # fmt: skip


def _stop(end: int, hours: int, n: int) -> int:
    """The end of the n-th window: none begins before the first observation."""
    length = (end - _BEGIN) // _HOUR
    return end - (7 * n) % max(1, length - hours) * _HOUR


def _box(km: float) -> Box:
    """A box so wide in the middle of the city."""
    middle, half = _SIDE_KM / 2, km / 2
    low, high = (middle - half) * _KM, (middle + half) * _KM
    return (_LON + low, _LAT + low, _LON + high, _LAT + high)


def _touching(streams: Streams, box: Box) -> Any:
    """Those whose cell of the map touches a box."""
    coarse = parents(streams.cells.copy(), _RESOLUTION)
    west, south, east, north = np.array([shape.bounds for shape in cell_polygons(coarse)]).T
    return (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])


def _streams() -> Streams:
    random = np.random.default_rng(7)
    places: Floats = random.uniform(0, _SIDE_KM * _KM, (_STREAMS, 2)) + np.array([_LON, _LAT])
    cells: Cells = cells_of(places, 15)
    return Streams(
        [
            Stream(
                id=number + 1, key=f"t{number}/p{number % _PROPERTIES}", name="", thing=number + 1,
                thing_name=f"t{number}", thing_class=f"c{number % _PROPERTIES}", layer="things",
                feature=None, property=f"p{number % _PROPERTIES}", unit="m",
                place=(*places[number].tolist(), 0.0), cell=int(cells[number]), every=60.0,
            )
            for number in range(_STREAMS)
        ]
    )  # fmt: skip


def _made(folder: Path, streams: Streams, count: int) -> float:
    """Make the city and the table once; the seconds the city took."""
    done = folder / "seconds"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        city = City.open_or_create(folder / "city", "Observations")
        table = sqlite3.connect(folder / "table.db")
        table.execute(
            "CREATE TABLE observation (stream INTEGER, time INTEGER, value REAL, cell INTEGER)"
        )
        spent = 0.0
        minutes = count // _STREAMS
        for first in range(0, minutes, 720):
            part = _part(streams, first, min(720, minutes - first))
            begin = time.perf_counter()
            city.history.add(part)
            spent += time.perf_counter() - begin
            columns = (part.streams, part.times, part.values, part.cells.astype(np.int64))
            rows = zip(*(column.tolist() for column in columns), strict=True)
            table.executemany("INSERT INTO observation VALUES (?, ?, ?, ?)", rows)
        begin = time.perf_counter()
        city.history.maintain()
        spent += time.perf_counter() - begin
        city.history.close()
        table.execute("CREATE INDEX by_stream ON observation (stream, time)")
        table.commit()
        table.close()
        done.write_text(f"{spent:.1f}")
    return float(done.read_text())


def _part(streams: Streams, first: int, minutes: int) -> Observations:
    """All datastreams for some minutes, each at its own second."""
    random = np.random.default_rng(first)
    at = np.arange(first, first + minutes)
    seconds = np.random.default_rng(1).integers(0, _MINUTE, _STREAMS)
    times = (_BEGIN + at[:, None] * _MINUTE + seconds[None, :]).reshape(-1)
    day = np.sin(2 * np.pi * at / 1440)[:, None]
    values = (20 + 5 * day + random.normal(0, 1, (minutes, _STREAMS))).round(2).reshape(-1)
    return observations(
        np.tile(streams.ids, minutes), times, values, np.tile(streams.cells, minutes)
    )
