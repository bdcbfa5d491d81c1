"""How long queues are on lanes, over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, LaneMap, expanded
from analysis.traffic.matching import Matched, run_begins
from analysis.traffic.measures_rules import queue_rules
from cim_core.mesh import Floats
from cim_core.observations import Times


@dataclass(frozen=True, eq=False, slots=True)
class Queues:
    """Queues on k lanes at t moments.

    lanes
        (k,) rows in the road map.
    times
        (t,) ms, evenly.
    metres, vehicles
        (k, t) of the longest block of vehicles that stand: from the front of its first to the end
        of its last, and how many; 0 for none.
    back
        (k, t) metres from the stop line to the end of that block.
    full
        (k, t) whether it reaches to the beginning of the lane.
    """

    lanes: Counts
    times: Times
    metres: Floats
    vehicles: Counts
    back: Floats
    full: NDArray[np.bool_]


def queues(
    lanes: LaneMap, matched: Matched, lengths: Floats, on: Counts, start: int, end: int, step: int
) -> Queues:
    """The queues on some lanes, start ≤ time < end, every so many milliseconds.

    lengths
        (n,) metres of the vehicle of each row.
    on
        (k,) rows of lanes.

    A vehicle stands once it has been on its lane slower than 5 km/h for a second; those that stand
    with no more than 10 m between them are one block, and the longest block is the queue: SUMO's
    definition of the jam on a lane area detector (`measures.toml`, queue).
    """
    times = np.arange(start, end, step, dtype=np.int64)
    shape = (len(on), len(times))
    metres, back = np.zeros(shape), np.zeros(shape)
    vehicles = np.zeros(shape, np.int64)
    place = np.full(len(lanes.roads.lanes) + 1, -1, np.int64)
    place[on] = np.arange(len(on))
    rows = np.flatnonzero(standing(matched) & (place[matched.lanes] >= 0))
    row, moment = _moments(matched, rows, start, step, len(times))
    if len(row):
        lane = matched.lanes[row]
        ahead = np.maximum(lanes.lengths[lane] - matched.along[row], 0.0)
        tail = np.minimum(ahead + lengths[row], lanes.lengths[lane])
        cell = place[lane] * len(times) + moment
        order = np.lexsort((ahead, cell))
        cell, ahead, tail = cell[order], ahead[order], tail[order]
        new = (np.diff(cell) != 0) | (ahead[1:] - tail[:-1] > queue_rules().gap_m)
        begins = np.r_[0, np.flatnonzero(new) + 1]
        count = np.diff(np.r_[begins, len(cell)])
        ends = np.maximum.reduceat(tail, begins)
        long = ends - ahead[begins]
        np.maximum.at(metres.ravel(), cell[begins], long)
        np.maximum.at(vehicles.ravel(), cell[begins], count)
        longest = long == metres.ravel()[cell[begins]]
        np.maximum.at(back.ravel(), cell[begins][longest], ends[longest])
    whole = lanes.lengths[on][:, None]
    full = (vehicles > 0) & (back >= whole - queue_rules().full_m)
    return Queues(on, times, metres, vehicles, back, full)


def standing(matched: Matched) -> NDArray[np.bool_]:
    """(n,) who stands, and has for a moment on the lane they are on."""
    rules = queue_rules()
    slow = matched.speeds < rules.slower_mps
    begins = run_begins(np.where(slow, matched.lanes, -2).astype(np.int32), matched.tracks)
    times = matched.positions.times
    since = np.repeat(times[begins], np.diff(np.r_[begins, len(times)]))
    return slow & (times - since >= rules.for_s * 1000)


def _moments(
    matched: Matched, rows: Counts, start: int, step: int, count: int
) -> tuple[Counts, Counts]:
    """At which of the moments each of some rows is the newest of its vehicle: rows and moments.

    A row holds until the next of its track, the last of a track for a second.
    """
    times = matched.positions.times
    if not len(rows):
        return rows, rows
    following = np.minimum(rows + 1, len(times) - 1)
    same = (following > rows) & (matched.tracks[following] == matched.tracks[rows])
    until = np.where(same, times[following], times[rows] + 1000)
    first = np.maximum(-((start - times[rows]) // step), 0)
    last = np.minimum(-((start - until) // step), count)
    which, moment = expanded(first, np.maximum(last - first, 0))
    return rows[which], moment
