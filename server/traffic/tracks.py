"""Where road users were over a time: frames to replay, OGC Moving Features, tables."""

import struct
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray

from cim_core.areas_exported import RESOLUTION
from cim_core.cells import Cells, cells_of
from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.traffic.moving import (
    ROAD_USERS,
    Box,
    Positions,
    Rows,
    SignalStates,
    in_order,
    joined,
    take,
)
from server.exports import parquet_table
from server.spreadsheet import as_csv
from server.traffic.asked import MINUTE, Roads, road_map
from server.traffic.frames import Anchor, Group, VehicleRows, head_text, metres, signal_frame
from server.traffic.now import GONE_SECONDS, SILENT_SECONDS, Signals

FileFormat = Literal["moving-features", "csv", "parquet"]
Tracks = tuple[bytes, Cells]
"""What is told, and the cells, (n,), in which there is something of it."""

MEDIA_TYPES: dict[FileFormat, str] = {
    "moving-features": "application/geo+json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

LONGEST = 15 * MINUTE
LONGEST_FILE = 60 * MINUTE
MOST_ROWS = 2_000_000
"""Of positions, read or told, in one answer."""

_GONE = round(1000 * GONE_SECONDS)
_SILENT = round(1000 * SILENT_SECONDS)
_DIGITS = 4
"""Places are counted to some ten metres: cells of what is taken out are far larger."""
_LENGTH = struct.Struct("<I")

_CRS = {"type": "Name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
_TRS = {"type": "Name", "properties": {"name": "urn:ogc:data:time:iso8601"}}


def replay(city: City, layer: str, start: int, end: int, step: int, box: Box | None) -> Tracks:
    """Frames of every `step` milliseconds of a window, as `frames` has them."""
    roads = road_map(city, layer)
    positions = _positions(city, layer, max(0, start - _GONE), end, box, (start, step))
    signals = in_order(city.traffic.signals(layer, max(0, start - _SILENT), end))
    moments = np.arange(start, end, step, dtype=np.int64)
    return _counted(frames(roads, positions, signals, moments), positions)


def file(
    city: City, layer: str, start: int, end: int, box: Box | None, form: FileFormat, export: str
) -> Tracks:
    """The positions of a window as a file; `export` is the id it is handed out under."""
    positions = _positions(city, layer, start, end, box)
    match form:
        case "moving-features":
            data = moving_features(layer, positions, export)
        case "csv":
            data = csv_table(positions)
        case "parquet":
            data = parquet(positions, export)
    return _counted(data, positions)


def frames(
    roads: Roads, positions: Positions, signals: SignalStates, moments: NDArray[np.int64]
) -> bytes:
    """What the live channel would have told at some moments, (n,), of what is in order of time.

    Each part has its length before it, uint32, little-endian: first the text that says what columns
    and numbers mean, then of each moment a frame of vehicles and one of signals.
    """
    vehicles = _Replayed(positions, roads.anchor, moments)
    groups = _groups(signals)
    replayed, row = Signals(), 0
    ends = np.searchsorted(signals.times, moments, side="right")
    parts = [head_text(roads.layer, roads.anchor, groups)]
    for number, (at, end) in enumerate(zip(moments.tolist(), ends.tolist(), strict=True)):
        if end > row:
            replayed.hear(take(signals, np.arange(row, end)), at)
            row = end
        parts.append(vehicles.at(number).frame(2 * number + 1, at))
        parts.append(signal_frame(2 * number + 2, at, *replayed.columns(groups, at)))
    return b"".join(piece for part in parts for piece in (_LENGTH.pack(len(part)), part))


class _Replayed:
    """Vehicles at moments: the newest row of each that is not older than after which it is gone."""

    def __init__(self, positions: Positions, anchor: Anchor, moments: NDArray[np.int64]) -> None:
        self._what = positions
        self._moments = moments
        self._places = metres(anchor, positions.lon, positions.lat)
        order = np.lexsort((positions.times, positions.who.codes))
        codes, times = positions.who.codes[order], positions.times[order]
        until = times + _GONE
        until[:-1] = np.where(
            codes[1:] == codes[:-1], np.minimum(until[:-1], times[1:]), until[:-1]
        )
        # A row holds at the moments with time ≤ moment < until.
        first = np.searchsorted(moments, times)
        held = np.where(codes >= 0, np.searchsorted(moments, until) - first, 0)
        total = int(held.sum())
        _few(total)
        begins = np.cumsum(held) - held
        at = np.repeat(first - begins, held) + np.arange(total)
        by_moment = np.argsort(at, kind="stable")
        self._rows: Rows = np.repeat(order, held)[by_moment]
        self._ends = np.searchsorted(at[by_moment], np.arange(len(moments) + 1))

    def at(self, number: int) -> VehicleRows:
        """They at one of the moments, by its number."""
        rows = self._rows[self._ends[number] : self._ends[number + 1]]
        what, at = self._what, self._moments[number]
        return VehicleRows(
            what.who.codes[rows].astype(np.uint32), self._places[rows], what.headings[rows],
            what.speeds[rows], what.kinds[rows], (at - what.times[rows]) / 1000.0,
        )  # fmt: skip


def moving_features(layer: str, positions: Positions, export: str) -> bytes:
    """Positions as moving points (OGC Moving Features JSON, 19-045r3), one feature for each road user.

    positions
        In order of time.

    Units are UN/CEFACT's codes, as there: metres per second, degrees.
    """
    features = [_feature(positions, rows) for rows in _tracks(positions)]
    return orjson.dumps(
        {
            "type": "FeatureCollection", "crs": _CRS, "trs": _TRS, "layer": layer,
            "export": export, "features": features,
        }
    )  # fmt: skip


def _feature(positions: Positions, rows: Rows) -> dict[str, Any]:
    times = _iso(positions.times[rows])
    lon, lat = positions.lon[rows].round(8), positions.lat[rows].round(8)
    first = int(rows[0])
    told = (
        ("speed", "MTS", "Linear", positions.speeds), ("heading", "DD", "Step", positions.headings)
    )  # fmt: skip
    return {
        "type": "Feature",
        "id": positions.who.text(first),
        "bbox": [float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())],
        "time": [times[0], times[-1]],
        "properties": {
            "kind": ROAD_USERS[int(positions.kinds[first])],
            "length": _number(positions.lengths[first]),
        },
        "temporalGeometry": {
            "type": "MovingPoint", "datetimes": times,
            "coordinates": np.column_stack([lon, lat]).tolist(), "interpolation": "Linear",
        },
        "temporalProperties": [
            {
                "datetimes": [time for time, is_known in zip(times, known, strict=True) if is_known],
                name: {
                    "type": "Measure", "form": unit, "interpolation": between,
                    "values": column[rows][known].round(3).astype(float).tolist(),
                },
            }
            for name, unit, between, column in told
            if (known := ~np.isnan(column[rows])).any()
        ],
    }  # fmt: skip


_COLUMNS = (
    "time", "id", "lon", "lat", "speed (m/s)", "heading (deg)", "acceleration (m/s2)", "class",
    "length (m)",
)  # fmt: skip


def csv_table(positions: Positions) -> bytes:
    """Positions as CSV, a row each."""
    columns = _table(positions)
    columns["time"] = _iso(positions.times)
    rows = zip(*(_cells(column) for column in columns.values()), strict=True)
    return as_csv(list(columns), rows)


def parquet(positions: Positions, export: str) -> bytes:
    """Positions as Parquet; times are milliseconds since 1970, UTC."""
    return parquet_table(_table(positions), {"export": export})


def _table(positions: Positions) -> dict[str, Any]:
    kinds = np.array(ROAD_USERS, object)[positions.kinds]
    columns = (
        positions.times.astype("datetime64[ms]"), positions.who.texts(), positions.lon.round(8),
        positions.lat.round(8), positions.speeds, positions.headings, positions.accelerations,
        kinds, positions.lengths,
    )  # fmt: skip
    return dict(zip(_COLUMNS, columns, strict=True))


def _cells(column: Any) -> Iterator[object]:
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        digits = 8 if column.dtype == np.float64 else 3
        known = ~np.isnan(column)
        told = zip(column.tolist(), known.tolist(), strict=True)
        return (round(value, digits) if is_known else "" for value, is_known in told)
    return iter(column)


def _tracks(positions: Positions) -> list[Rows]:
    """The rows of each road user, in order of time; without those that have no id."""
    codes = positions.who.codes
    order = np.argsort(codes, kind="stable")
    order = order[codes[order] >= 0]
    cuts = np.flatnonzero(np.diff(codes[order])) + 1
    return [rows for rows in np.split(order, cuts) if len(rows)]


def _positions(
    city: City, layer: str, start: int, end: int, box: Box | None,
    steps: tuple[int, int] | None = None,
) -> Positions:  # fmt: skip
    """The positions of a window in order of time, of a box of degrees if one is given.

    steps
        The first moment that is looked at, and how far the next ones are from it (ms): with them only
        those that some moment may show.
    """
    parts, rows = [], 0
    for piece in city.traffic.pieces(layer, Positions, start, end, box):
        parts.append(piece if steps is None else _newest(piece, *steps))
        rows += len(parts[-1])
        _few(rows)
    return in_order(joined(parts, Positions))


def _newest(positions: Positions, first: int, step: int) -> Positions:
    """The last position of each road user before every moment: no moment shows any other."""
    order = np.lexsort((positions.times, positions.who.codes))
    who, moments = positions.who.codes[order], -((first - positions.times[order]) // step)
    last = np.ones(len(order), bool)
    last[:-1] = (who[1:] != who[:-1]) | (moments[1:] != moments[:-1])
    return take(positions, np.sort(order[last]))


def _counted(data: bytes, positions: Positions) -> Tracks:
    places = np.column_stack([positions.lon, positions.lat]).round(_DIGITS)
    return data, np.unique(cells_of(np.unique(places, axis=0), RESOLUTION + 1))


def _groups(signals: SignalStates) -> list[Group]:
    pairs = np.unique(np.column_stack([signals.intersections.codes, signals.groups.codes]), axis=0)
    return [
        (signals.intersections.names[node], signals.groups.names[group])
        for node, group in pairs.tolist()
        if node >= 0 and group >= 0
    ]


def _iso(times: NDArray[np.int64]) -> list[str]:
    """Times as RFC 3339, to the millisecond, UTC."""
    texts = np.datetime_as_string(times.astype("datetime64[ms]"), unit="ms", timezone="UTC")
    return [str(text) for text in texts.tolist()]


def _number(value: np.float32) -> float | None:
    return None if np.isnan(value) else round(float(value), 2)


def _few(rows: int) -> None:
    if rows > MOST_ROWS:
        raise InvalidInput(
            f"that is {rows} rows, and at most {MOST_ROWS} are told at once; ask for a shorter time"
        )
