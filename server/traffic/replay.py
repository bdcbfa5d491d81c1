"""Recorded traffic as if it happened now: logs of messages, scripts, SUMO's positions, own recordings."""

import csv
import gzip
import itertools
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import numpy as np

from cim_core.errors import InvalidInput
from cim_core.progress import Progress
from cim_core.traffic.moving import (
    ROAD_USERS,
    M,
    Moving,
    Positions,
    SignalStates,
    in_order,
    take,
)
from cim_core.traffic.recording import SUFFIX, read_recording
from pipelines.v2x_heard import UNKNOWN, Heard, Names, PositionRow, positions_of, signals_of
from pipelines.v2x_messages import read_message
from pipelines.v2x_refused import MessageRefused

_TICK = 0.1
_SCRIPT = re.compile(r"^(BSM|SPAT|MAP),(\d+),(.+)$", re.DOTALL)
_FCD = ("t", "veh", "lon", "lat")
_USERS: dict[str, int] = {name: number for number, name in enumerate(ROAD_USERS)}
_PASSENGER = ROAD_USERS.index("passenger")
_VEHICLE = "A0000001"
"""The id that a script's vehicle is given."""

Send = Callable[[list[Moving]], None]
"""Sends rows of now, positions first, and waits until they are kept."""


def recorded(path: Path, names: Names | None = None) -> tuple[Positions, SignalStates]:
    """What a file recorded, each kind in order of time; `names` of the road map it belongs to.

    Raises `InvalidInput` naming the line that is wrong.
    """
    if not path.is_file():
        raise InvalidInput(f"{path} does not exist; name a recording of traffic")
    if path.suffix == SUFFIX:
        return read_recording(path)
    with _opened(path) as lines:
        try:
            first = next(lines, "")
            columns = [name.strip() for name in first.split(",")]
            if set(_FCD) <= set(columns):
                rows = list(_fcd(path, columns, lines))
                found = positions_of(rows), signals_of([])
            else:
                heard = _messages(path, itertools.chain([first], lines), names or Names())
                found = positions_of(heard.positions), signals_of(heard.signals)
        except (UnicodeDecodeError, OSError, EOFError, csv.Error) as error:
            raise InvalidInput(
                f"{path} cannot be read ({error}); give a recording of traffic"
            ) from error
    if not len(found[0]) and not len(found[1]):
        raise InvalidInput(f"{path} has no positions and no signals to play; give one that has")
    return in_order(found[0]), in_order(found[1])


def _opened(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _messages(path: Path, lines: Iterable[str], names: Names) -> Heard:
    """Messages, one a line, or in a script of type, millisecond and message with places to fill in.

    One that says no more of its time than the second is of the minute of the one before.
    """
    heard = Heard()
    begin = at = time.time_ns() // 1_000_000
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        script = _SCRIPT.match(line)
        if script is not None:
            at = begin + int(script[2])
            line = _filled(script[3], at)  # noqa: PLW2901
        marks = len(heard.positions), len(heard.signals)
        try:
            read_message(line.encode(), heard, names, at)
        except MessageRefused as error:
            raise InvalidInput(f"{path}, line {number}: {error.sentence}") from None
        new = [row[0] for row in heard.positions[marks[0] :]]
        new += [row[0] for row in heard.signals[marks[1] :]]
        at = max(new, default=at)
    return heard


def _filled(text: str, at: int) -> str:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    begin = datetime(moment.year, 1, 1, tzinfo=UTC).timestamp() * 1000
    places = {
        "@ISO_DATE_TIME@": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "@MINUTE_OF_YEAR@": str(int(at - begin) // 60_000),
        "@MILLI_OF_MINUTE@": str(at % 60_000),
        "@TEMP_ID@": _VEHICLE,
    }
    for place, value in places.items():
        text = text.replace(place, value)
    return text


def _fcd(path: Path, columns: list[str], lines: Iterable[str]) -> Iterator[PositionRow]:
    """SUMO's floating car data as a table: t, veh, lon, lat; type, speed_mps, heading_deg if there."""
    wanted = (*_FCD, "speed_mps", "heading_deg", "type")
    place = {name: columns.index(name) for name in wanted if name in columns}
    t, veh, lon, lat = (place[name] for name in _FCD)
    speed, heading, kind = (place.get(name, -1) for name in wanted[len(_FCD) :])
    for number, row in enumerate(csv.reader(lines), start=2):
        row.append("")  # of what is not there
        try:
            yield (
                round(1000 * float(row[t])), row[veh], float(row[lon]), float(row[lat]),
                float(row[speed] or UNKNOWN), float(row[heading] or UNKNOWN), UNKNOWN,
                _USERS.get(row[kind], _PASSENGER), UNKNOWN,
            )  # fmt: skip
        except (IndexError, ValueError):
            raise InvalidInput(
                f"{path}, line {number}: t, lon and lat must be numbers; correct the line"
            ) from None


def play(
    recording: tuple[Positions, SignalStates], send: Send, progress: Progress, *, speed: float = 1.0,
    loop: bool = False, clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> int:  # fmt: skip
    """Send what was recorded when it is due, its times moved to now; how many rows were sent.

    speed
        So many seconds of the recording in one.
    loop
        Over and over, without end but by `Cancelled`.
    """
    parts: list[Moving] = [part for part in recording if len(part)]
    if not parts:
        return 0
    first = min(int(part.times[0]) for part in parts)
    length = max(int(part.times[-1]) for part in parts) - first + round(1000 * _TICK)
    begin, sent, played = clock(), 0, -1.0
    last = length - 1  # what is of its very end is of the next lap
    while loop or played < last:
        wait(_TICK)
        upto = (clock() - begin) * 1000 * speed
        for lap, rows in _due(parts, first, length, played, upto if loop else min(upto, last)):
            now = [_moved(part, begin, lap * length - first, speed) for part in rows]
            send(now)
            sent += sum(map(len, now))
        played = upto
        progress(0, 0, f"{sent:,} rows")
    return sent


def _due(
    parts: list[Moving], first: int, length: int, begin: float, end: float
) -> Iterator[tuple[int, list[Moving]]]:
    """What lies between two moments, milliseconds since the beginning, by the lap it is in."""
    for lap in range(max(0, int(begin // length)), int(end // length) + 1):
        since = first - lap * length
        rows = []
        for part in parts:
            low, high = np.searchsorted(part.times, [since + begin, since + end], side="right")
            if high > low:
                rows.append(take(part, np.arange(low, high)))
        if rows:
            yield lap, rows


def _moved(part: M, begin: float, since: int, speed: float) -> M:
    times = np.round(1000 * begin + (part.times + since) / speed).astype(np.int64)
    return replace(part, times=times)
