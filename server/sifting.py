"""What of the observations that were given can be believed, decided on whole columns at once."""

import math
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cim_core.cells import FINEST, cells_of
from cim_core.feature import Value
from cim_core.mesh import Floats
from cim_core.observation_sources import ObservationSource
from cim_core.observations import LAST_TIME, Keys, More, Observations, Streams
from cim_core.shifted import to_wgs84
from cim_core.store.live_dead import REASONS, Reason
from server.given import Given

Box = tuple[float, float, float, float]
"""West, south, east, north, degrees."""

_CODES = {reason: number for number, reason in enumerate(REASONS, start=1)}
"""By which number a reason stands in a column; 0 is none."""

_LONGEST_UNIT = 64
"""Letters of a unit that is compared as it is meant, and not letter by letter."""

_MINUTE, _HOUR = 60_000, 3_600_000
_RESULTS = ("measurement", "count", "truth", "category", "any")
_WORDS = {
    word: number
    for number, words in enumerate(("false no off offline closed", "true yes on online open"))
    for word in words.split()
}
"""How devices write yes and no. A last will, "offline", is one of them."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Within what an observation is believed.

    late, ahead
        How old it may be when it arrives, and how far in the future, milliseconds.
    box
        Where it may be; None where nobody knows where the city is.
    """

    late: int
    ahead: int
    box: Box | None


class KnownStreams:
    """The datastreams of a city in columns, in the order of `Streams.ids`."""

    def __init__(self, streams: Streams) -> None:
        self.streams = streams
        known = [streams.by_id[number] for number in streams.ids.tolist()]
        self.row_of: dict[int | str, int] = {one.id: row for row, one in enumerate(known)}
        self.row_of |= {one.key: row for row, one in enumerate(known)}
        self.units = [one.unit for one in known]
        self.layers = [one.layer for one in known]
        self.layers_there = frozenset(self.layers)
        self.results = np.array([_RESULTS.index(one.result) for one in known], np.int64)

    def closed_to(self, layers: frozenset[str] | None) -> NDArray[np.bool_] | None:
        """Which of them, (n,), belong to none of some layers; None where all belong to one."""
        if layers is None or self.layers_there <= layers:
            return None
        return np.array([layer not in layers for layer in self.layers], bool)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody gave, and to the things of which layers they may; None: to all."""

    source: ObservationSource
    given: Given
    layers: frozenset[str] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Letter:
    """A row of somebody's that was not believed.

    layer
        That of its datastream; None where it has none that the sender may feed.
    """

    row: int
    reason: Reason
    detail: str
    body: Value
    layer: str | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Sifted:
    """What became of the rows of several who asked, one after the other.

    accepted
        What is new, in the order it came.
    rows
        (m,) the row of each.
    duplicates
        (n,) whether a row is known already.
    codes
        (n,) why a row was not believed: 0, or the place of the reason in `REASONS`, from 1.
    begins
        (k + 1,) where the rows of each who asked begin.
    """

    asked: Sequence[Asked]
    known: KnownStreams
    bounds: Bounds
    now: int
    streams: NDArray[np.int64]
    accepted: Observations
    duplicates: NDArray[np.bool_]
    codes: NDArray[np.int64]
    begins: NDArray[np.int64]

    def letters(self, number: int) -> Iterator[Letter]:
        """What was not believed of what the one of a number gave."""
        asked, begin = self.asked[number], int(self.begins[number])
        codes = self.codes[begin : int(self.begins[number + 1])]
        for row in np.flatnonzero(codes).tolist():
            reason = REASONS[int(codes[row]) - 1]
            stream = int(self.streams[begin + row])
            detail = self._detail(asked, row, stream, reason)
            layer = self.known.layers[stream] if stream >= 0 and reason != "unreadable" else None
            yield Letter(row, reason, detail, asked.given.body(row), layer)

    def _detail(self, asked: Asked, row: int, stream: int, reason: Reason) -> str:
        given, source = asked.given, asked.source
        match reason:
            case "unreadable":
                text = given.unreadable[row][0]
            case "unknown-datastream":
                name = _short(given.datastreams[row])
                text = f"there is no datastream {name} that this sender may feed"
            case "unit":
                said = given.units[row] if given.units is not None else None
                text = f"its unit is {_short(said)}, and that of the datastream is {self.known.units[stream]!r}"
            case "not-a-number":
                found = _short(given.odd.get(row, float(given.values[row])))
                text = f"{found} is no result of this datastream"
            case "out-of-bounds":
                streams = self.known.streams
                low, high = float(streams.lowest[stream]), float(streams.highest[stream])
                text = f"{float(given.values[row]):g} is not between {low:g} and {high:g}"
            case "late":
                hours = f"{(self.now - int(given.times[row])) / _HOUR:,.1f}"
                text = f"it came {hours} hours after its time; fill in with `cim history import`"
            case "future":
                ahead = f"{(int(given.times[row]) - self.now) / _MINUTE:,.1f}"
                text = f"its time is {ahead} minutes ahead of this server; set the device's clock"
            case "crs" if source.crs_tag is None:
                text = f"the source {source.name!r} gives positions without a crs_tag; write one into city.toml"
            case "crs":
                text = "its lon and lat are no degrees; send longitude and latitude"
            case "outside":
                text = "its position is outside the city"
        return text


def sift(
    asked: Sequence[Asked], known: KnownStreams, bounds: Bounds, now: int,
    there: Callable[[Observations], NDArray[np.bool_]],
) -> Sifted:  # fmt: skip
    """Tell what is new from what is known already and what is not to be believed.

    there
        Which observations, (n,), are kept already.
    """
    sizes = [len(one.given) for one in asked]
    begins = np.concatenate(([0], np.cumsum(sizes)))
    times = np.concatenate([one.given.times for one in asked])
    values = np.concatenate([one.given.values for one in asked])
    names = [name for one in asked for name in one.given.datastreams]
    total = len(names)
    rows = np.fromiter(map(known.row_of.get, names, repeat(-1)), np.int64, total)
    codes = np.zeros(total, np.int64)
    more: dict[int, More] = {}
    for number, one in enumerate(asked):
        part = slice(int(begins[number]), int(begins[number + 1]))
        _sift_one(one, known, rows[part], codes[part])
        if one.given.odd:
            _odd_results(one, known, rows[part], codes[part], values[part], more, part.start)
        for row, what in one.given.more.items():
            more[part.start + row] = {**more.get(part.start + row, {}), **what}
    cells = known.streams.cells[rows] if len(known.streams) else np.zeros(total, np.uint64)
    _values(known, rows, values, codes, more)
    codes[(codes == 0) & (times > now + bounds.ahead)] = _CODES["future"]
    _places(asked, begins, bounds, codes, cells)
    found, duplicates = _new(
        known, rows, times, values, cells, codes, more, now - bounds.late, there
    )
    return Sifted(asked, known, bounds, now, rows, found, duplicates, codes, begins)


def _sift_one(
    one: Asked, known: KnownStreams, rows: NDArray[np.int64], codes: NDArray[np.int64]
) -> None:
    """What is to be said of one who asked, in their parts of the columns."""
    closed = known.closed_to(one.layers)
    if closed is not None and len(closed):
        rows[closed[rows] & (rows >= 0)] = -1
    codes[rows < 0] = _CODES["unknown-datastream"]
    if one.given.units is not None:
        for row, unit in enumerate(one.given.units):
            if unit is not None and codes[row] == 0 and not same_unit(unit, known.units[rows[row]]):
                codes[row] = _CODES["unit"]
    if one.given.unreadable:
        codes[list(one.given.unreadable)] = _CODES["unreadable"]


def _odd_results(
    one: Asked, known: KnownStreams, rows: NDArray[np.int64], codes: NDArray[np.int64],
    values: Floats, more: dict[int, More], begin: int,
) -> None:  # fmt: skip
    """Results that are no numbers: words and whatever else, where a datastream has such."""
    for row, given in one.given.odd.items():
        if codes[row]:
            continue
        kind = _RESULTS[known.results[rows[row]]]
        word = _WORDS.get(given.lower()) if isinstance(given, str) else None
        if isinstance(given, bool) and kind != "category":
            values[row] = float(given)
        elif kind == "truth" and word is not None:
            values[row] = word
        elif kind == "any" or (kind == "category" and isinstance(given, str)):
            more[begin + row] = {"result": given}
        else:
            codes[row] = _CODES["not-a-number"]


def _values(
    known: KnownStreams, rows: NDArray[np.int64], values: Floats, codes: NDArray[np.int64],
    more: dict[int, More],
) -> None:  # fmt: skip
    good = codes == 0
    if not len(known.streams):
        return
    no_number = good & ~np.isfinite(values)
    for row in np.flatnonzero(no_number).tolist():
        if "result" not in more.get(row, {}):
            codes[row] = _CODES["not-a-number"]
    kinds = known.results[rows]
    with np.errstate(invalid="ignore"):
        broken = (kinds == 1) & (values != np.round(values))
        broken |= (kinds == 2) & (values != 0.0) & (values != 1.0)
        beyond = (values < known.streams.lowest[rows]) | (values > known.streams.highest[rows])
    codes[(codes == 0) & good & broken] = _CODES["not-a-number"]
    codes[(codes == 0) & good & beyond] = _CODES["out-of-bounds"]


def _places(
    asked: Sequence[Asked], begins: NDArray[np.int64], bounds: Bounds, codes: NDArray[np.int64],
    cells: NDArray[np.uint64],
) -> None:  # fmt: skip
    """Put the cells of rows that say where they were into their column."""
    for number, one in enumerate(asked):
        if one.given.positions is None:
            continue
        part = slice(int(begins[number]), int(begins[number + 1]))
        told = codes[part]
        placed = np.flatnonzero(~np.isnan(one.given.positions).any(axis=1) & (told == 0))
        if one.source.crs_tag is None:
            told[placed] = _CODES["crs"]
            continue
        given = one.given.positions[placed]
        degrees = (np.abs(given) <= (180.0, 90.0)).all(axis=1)
        told[placed[~degrees]] = _CODES["crs"]
        placed, given = placed[degrees], given[degrees]
        where = to_wgs84(given, one.source.crs_tag)
        if bounds.box is not None:
            west, south, east, north = bounds.box
            inside = (where >= (west, south)).all(axis=1) & (where <= (east, north)).all(axis=1)
            told[placed[~inside]] = _CODES["outside"]
            placed, where = placed[inside], where[inside]
        if len(placed):
            cells[part][placed] = cells_of(where, FINEST)


def _new(
    known: KnownStreams, rows: NDArray[np.int64], times: NDArray[np.int64], values: Floats,
    cells: NDArray[np.uint64], codes: NDArray[np.int64], more: dict[int, More], earliest: int,
    there: Callable[[Observations], NDArray[np.bool_]],
) -> tuple[Observations, NDArray[np.bool_]]:  # fmt: skip
    """What is not there yet; of what came twice the first. What is late may be known, too."""
    duplicates = np.zeros(len(codes), bool)
    good = np.flatnonzero(codes == 0)
    late = times[good] < earliest
    ancient = times[good] < 0
    codes[good[ancient]] = _CODES["late"]
    good, late = good[~ancient], late[~ancient]
    found = Observations(
        known.streams.ids[rows[good]], np.minimum(times[good], LAST_TIME), values[good], cells[good],
        {place: more[row] for place, row in enumerate(good.tolist()) if row in more} if more else {},
    )  # fmt: skip
    again = _repeated(found.keys) | there(found)
    duplicates[good[again]] = True
    codes[good[late & ~again]] = _CODES["late"]
    return found.take(~again & ~late), duplicates


def _repeated(keys: Keys) -> NDArray[np.bool_]:
    """Which, (n,), came before in the same column."""
    again = np.ones(len(keys), bool)
    again[np.unique(keys, return_index=True)[1]] = False
    return again


def same_unit(one: str, other: str) -> bool:
    """Whether two symbols are those of one unit, however they are typed.

    >>> same_unit("℃", "°C"), same_unit("m3/h", "m³/h"), same_unit("MPa", "mPa")
    (True, True, False)
    """
    if len(one) > _LONGEST_UNIT:  # anybody's text, of any length
        return one == other
    return _typed(one) == _typed(other)


@lru_cache(maxsize=4096)
def _typed(unit: str) -> str:
    plain = unicodedata.normalize("NFKC", unit).replace("^", "").replace("·", "").replace("μ", "u")
    return "".join(plain.split())


def _short(given: Any) -> str:
    text = repr(given) if not isinstance(given, float) or math.isfinite(given) else str(given)
    return text if len(text) <= 60 else f"{text[:59]}…"
