"""What single datastreams observed over a time, thinned for a screen without losing what stands out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from tsdownsample import LTTBDownsampler, MinMaxDownsampler

from analysis.observed_rules import gap_intervals
from cim_core.errors import InvalidInput
from cim_core.mesh import Floats
from cim_core.observations import Observations, Stream, Times

Method = Literal["minmax", "lttb", "raw"]

MOST_POINTS = 20_000
"""Of one series in one answer."""

MOST_ROWS = 5_000_000
"""So many observations may be read for one answer."""

_FEWEST = 4
"""Fewer points than this show nothing, and the methods want an even number above two."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one datastream observed.

    times, values
        (k,) milliseconds since 1970 and (k,) numbers, thinned, in order of time; NaN where a result
        is no number, which only the method `raw` shows.
    rows
        How many observations there were.
    gaps
        From when to when nothing came for too long, milliseconds since 1970.
    """

    stream: Stream
    times: Times
    values: Floats
    rows: int
    gaps: tuple[tuple[int, int], ...]


def series(
    streams: Sequence[Stream], found: Observations, start: int, end: int, points: int,
    method: Method,
) -> list[Series]:  # fmt: skip
    """The series of some datastreams, of what was found of them with start ≤ time < end.

    points
        About so many there are left of each; `raw` leaves all.
    Raises `InvalidInput` where all are more than can be told.
    """
    whole = []
    for stream in streams:
        own = found.take(found.streams == stream.id)
        order = np.argsort(own.times, kind="stable")
        times, values = own.times[order], own.values[order]
        gaps = gaps_of(times, start, end, stream.every)
        rows = len(times)
        if method == "raw":
            if rows > MOST_POINTS:
                raise InvalidInput(
                    f"the datastream {stream.key} has {rows} observations in that time, and at most "
                    f"{MOST_POINTS} are told one by one; ask for a shorter time or with method=minmax"
                )
        else:
            kept = thinned(times, values, points, method)
            times, values = times[kept], values[kept]
        whole.append(Series(stream, times, values, rows, gaps))
    return whole


def thinned(times: Times, values: Floats, points: int, method: Method) -> Times:
    """The rows, (k,) in order, of a series, (n,), that are left of it: about `points`.

    `minmax` cuts the time into equal parts and keeps the least and the largest value of each, so no
    peak is lost; `lttb` keeps what makes the largest triangles (Steinarsson, Downsampling Time
    Series for Visual Representation, 2013). The first and the last are kept by both.
    """
    numbers = np.flatnonzero(np.isfinite(values))
    if len(numbers) <= max(points, _FEWEST):
        return numbers
    wanted = max(_FEWEST, points - points % 2)
    thinner = LTTBDownsampler() if method == "lttb" else MinMaxDownsampler()
    some = thinner.downsample(times[numbers], values[numbers], n_out=wanted)
    ends = np.array([0, len(numbers) - 1])
    extremes = np.array([values[numbers].argmin(), values[numbers].argmax()])
    chosen = np.unique(np.concatenate((some.astype(np.int64), ends, extremes)))
    return cast(Times, numbers[chosen])


def gaps_of(times: Times, start: int, end: int, every: float | None) -> tuple[tuple[int, int], ...]:
    """From when to when nothing came for too long, between sorted times, (n,), of a datastream.

    every
        Seconds it is expected to report in; without them the median interval counts. A series of
        less than three observations without them has no gaps that could be told.

    >>> gaps_of(np.array([0, 1000, 2000, 9000]), 0, 10_000, 1.0)
    ((2000, 9000),)
    """
    if every is None and len(times) < 3:
        return ()
    usual = 1000.0 * every if every is not None else float(np.median(np.diff(times)))
    longest = gap_intervals() * usual
    known = np.concatenate(([start], times, [end]))
    steps = np.diff(known)
    rows = np.flatnonzero(steps > longest).tolist()
    return tuple((int(known[row]), int(known[row + 1])) for row in rows)
