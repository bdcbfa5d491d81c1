"""What is odd now: an hour beside the same hour of the same weekday in earlier weeks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.observed_rules import anomaly_rules
from cim_core.mesh import Floats
from cim_core.observations import Stream, Streams
from cim_core.progress import Progress
from cim_core.store.observed import Observed

HOUR = 3_600_000
WEEK = 7 * 24 * HOUR

_NORMAL = 1.4826
"""The standard deviation of what is normally distributed, by its median absolute deviation."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A datastream whose last hour is odd.

    value, median
        The mean of its last hour, and the median of those of the earlier weeks.
    scale
        Their median absolute deviation, as the standard deviation of a normal distribution.
    score
        How many scales the value is above the median; below it, it is negative.
    weeks
        How many earlier weeks were known.
    """

    stream: Stream
    value: float
    median: float
    scale: float
    score: float
    weeks: int


@dataclass(frozen=True, slots=True)
class Anomalies:
    """The oddest first; and of how many datastreams nothing can be said, and why.

    looked_at
        How many had an observation in the last hour and enough history.
    too_little, silent
        How many had too few earlier weeks, or nothing in the last hour.
    """

    found: tuple[Anomaly, ...]
    looked_at: int
    too_little: int
    silent: int


def anomalies(
    streams: Streams, observed: Observed, at: int, weeks: int, progress: Progress
) -> Anomalies:
    """What is odd of some datastreams in the hour before `at`, milliseconds since 1970.

    The mean of that hour is compared with the means of the same hour in so many earlier weeks, by
    the modified z-score: the distance from their median in median absolute deviations, 1.4826 of
    which are one standard deviation of a normal distribution (Iglewicz and Hoaglin 1993). The scale
    is at least 2 % of the median, else what never changed would be odd at its first change.
    """
    rules = anomaly_rules()
    now = _means(streams, observed, at)
    before = np.empty((weeks, len(streams)))
    for week in range(weeks):
        progress(week, weeks, "looking")
        before[week] = _means(streams, observed, at - (week + 1) * WEEK)
    known = np.sum(~np.isnan(before), axis=0)
    current = ~np.isnan(now)
    judged = np.flatnonzero(current & (known >= rules.least_weeks))
    median = np.nanmedian(before[:, judged], axis=0) if len(judged) else np.empty(0)
    spread = np.abs(before[:, judged] - median)
    scale = _NORMAL * np.nanmedian(spread, axis=0) if len(judged) else np.empty(0)
    scale = np.maximum(scale, rules.least_scale * np.abs(median))
    away = now[judged] - median
    # What was 0 always and is 0 now is not odd; what is not 0 any more is, however little.
    score = np.divide(away, scale, out=np.where(away == 0, 0.0, np.inf * np.sign(away)), where=scale > 0)  # fmt: skip
    odd = np.flatnonzero(np.abs(score) >= rules.score)
    odd = odd[np.argsort(-np.abs(score[odd]), kind="stable")]
    found = tuple(
        Anomaly(
            streams.by_id[int(streams.ids[judged[row]])], float(now[judged[row]]),
            float(median[row]), float(scale[row]), float(score[row]), int(known[judged[row]]),
        )
        for row in odd.tolist()
    )  # fmt: skip
    return Anomalies(
        found,
        len(judged),
        int(np.sum(current & (known < rules.least_weeks))),
        int(np.sum(~current)),
    )


def _means(streams: Streams, observed: Observed, end: int) -> Floats:
    """The mean of the hour before `end` of each datastream, (n,), NaN where there was nothing."""
    totals = observed.totals(streams.ids, end - HOUR, end)
    rows: NDArray[np.int64] = streams.rows(totals.streams)
    counts = np.bincount(rows, totals.counts, len(streams))
    sums = np.bincount(rows, totals.sums, len(streams))
    means: Floats = np.full(len(streams), np.nan)
    return np.divide(sums, counts, out=means, where=counts > 0)
