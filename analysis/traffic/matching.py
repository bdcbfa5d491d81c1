"""On which lane, or which way through an intersection, road users were."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, Ints, LaneMap, least_of
from analysis.traffic.measures_rules import matching_rules, usual_lengths
from cim_core.mesh import Floats
from cim_core.observations import Times
from cim_core.traffic.moving import ROAD_USERS, Floats32, Positions, take

_AT_ONCE = 100_000
"""Rows that are matched together: their candidates are some millions, which memory has to hold."""

_PEDESTRIAN = ROAD_USERS.index("pedestrian")


@dataclass(frozen=True, eq=False, slots=True)
class Matched:
    """Positions with where on the map they are, ordered by road user and time.

    positions
        The rows that were given, in this order; who told the same moment twice is there once.
    lanes, connections, links
        (n,) rows in the road map, -1 for none. A row is on a lane, on a connection or on neither;
        it has a link only where it has a lane.
    along, off
        (n,) metres from the beginning of the lane or connection, and beside it; NaN for neither.
    turned
        (n,) degrees, 0 … 180, between where it heads and where the lane leads; NaN where unknown.
    tracks
        (n,) numbers from 0 without a hole: what one road user did without an interruption.
    places
        (n, 2) metres east and north in the plane of the lane map.
    speeds, headings
        (n,) as told or, where they were not, from the way made; headings NaN for who never moved.
    """

    positions: Positions
    lanes: Ints
    connections: Ints
    links: Ints
    along: Floats32
    off: Floats32
    turned: Floats32
    tracks: Ints
    places: Floats
    speeds: Floats
    headings: Floats

    def __len__(self) -> int:
        return len(self.tracks)


def match(lanes: LaneMap, positions: Positions, *, middles: bool = False) -> Matched:
    """Match every position to the lane or connection it is most likely on.

    middles
        Whether positions are those of the middles of vehicles; they are moved to the fronts.

    That is the one with the smallest (d / w)² + p + t, where d is the distance, w half the lane's
    width, p grows with how far it is outside the lane's ends, and t with the angle between headings
    (`measures.toml`, matching). Only pedestrians are matched to sidewalks and crosswalks. Who is on another lane of the same link for a moment
    between two on this was here all the time.
    """
    rules = matching_rules()
    ordered = _ordered(positions)
    places = lanes.plane(ordered.lon, ordered.lat)
    tracks = _tracks(ordered, places)
    speeds, headings = _motion(ordered, places, tracks)
    if middles:
        places = _fronts(ordered, places, headings)
    line = _lines(lanes, places, headings, ordered.kinds == _PEDESTRIAN)
    line = _settled(lanes, line, tracks, ordered.times, round(rules.flicker_s * 1000))
    count = len(lanes.roads.lanes)
    on = line >= 0
    along, off, turned = (np.full(len(line), np.nan, np.float32) for _ in range(3))
    along[on], off[on], ahead = lanes.on_line(places[on], line[on])
    turned[on] = apart(headings[on], ahead)
    own = np.where(on & (line < count), line, -1).astype(np.int32)
    connections = np.where(line >= count, line - count, -1).astype(np.int32)
    links = np.where(own >= 0, lanes.link_of_lane[own], -1).astype(np.int32) if count else own
    return Matched(
        ordered, own, connections, links, along, off, turned, tracks, places, speeds, headings
    )


def apart(one: Floats, other: Floats) -> Floats:
    """(n,) degrees, 0 … 180, between headings.

    >>> apart(np.array([350.0]), np.array([20.0])).tolist()
    [30.0]
    """
    result: Floats = np.abs((one - other + 180) % 360 - 180)
    return result


def lengths_of(positions: Positions) -> Floats:
    """(n,) metres of each road user: as told, else what is usual for its class."""
    told = positions.lengths.astype(np.float64)
    usual = usual_lengths()[np.minimum(positions.kinds, len(ROAD_USERS) - 1)]
    return np.where(told > 0, told, usual)


def _fronts(ordered: Positions, middles: Floats, headings: Floats) -> Floats:
    """(n, 2) where the fronts are; who heads nobody knows where stays where they are."""
    turn = np.radians(np.nan_to_num(headings))
    ahead = np.where(np.isfinite(headings), lengths_of(ordered) / 2, 0.0)
    result: Floats = middles + np.column_stack([np.sin(turn) * ahead, np.cos(turn) * ahead])
    return result


def _ordered(positions: Positions) -> Positions:
    codes = positions.who.codes
    order = np.lexsort((positions.times, codes))
    same = np.zeros(len(order), bool)
    same[1:] = (np.diff(positions.times[order]) == 0) & (np.diff(codes[order]) == 0)
    known = np.isfinite(positions.lon[order]) & np.isfinite(positions.lat[order])
    return take(positions, order[~same & known])


def _tracks(ordered: Positions, places: Floats) -> Ints:
    if not len(ordered):
        return np.empty(0, np.int32)
    rules = matching_rules()
    seconds = np.diff(ordered.times) / 1000
    way = np.hypot(*np.diff(places, axis=0).T)
    # Ten metres are granted to the errors of two places, or reports every 0.1 s would be jumps.
    new = (
        (np.diff(ordered.who.codes) != 0)
        | (seconds > rules.gap_s)
        | (way > rules.fastest_mps * seconds + 10)
    )
    return np.asarray(np.r_[0, np.cumsum(new)], np.int32)


def _motion(ordered: Positions, places: Floats, tracks: Ints) -> tuple[Floats, Floats]:
    """Speeds and headings as told, and from the way made where they were not."""
    speeds = ordered.speeds.astype(np.float64)
    headings = ordered.headings.astype(np.float64) % 360
    if np.isfinite(speeds).all() and np.isfinite(headings).all():
        return speeds, headings
    rules = matching_rules()
    before, after = window(ordered.times, tracks, round(rules.over_s * 500))
    way = places[after] - places[before]
    metres = np.hypot(way[:, 0], way[:, 1])
    seconds = (ordered.times[after] - ordered.times[before]) / 1000
    made = np.divide(metres, seconds, out=np.full(len(way), np.nan), where=seconds > 0)
    heading = np.where(
        metres >= rules.heading_least_m, np.degrees(np.arctan2(way[:, 0], way[:, 1])) % 360, np.nan
    )
    told = np.where(np.isfinite(headings), headings, heading)
    return np.where(np.isfinite(speeds), speeds, made), _carried(told, tracks)


def window(times: Times, tracks: Ints, half: int) -> tuple[Counts, Counts]:
    """The first and last row of a track within so many milliseconds around each of its rows.

    Its neighbours are among them however far they are.
    """
    if not len(times):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    span = int(times.max() - times.min()) + 2 * half + 1
    keys = times - times.min() + tracks.astype(np.int64) * span
    rows = np.arange(len(times))
    first = np.searchsorted(tracks, tracks, "left")
    last = np.searchsorted(tracks, tracks, "right") - 1
    before = np.minimum(np.searchsorted(keys, keys - half, "left"), rows - 1)
    after = np.maximum(np.searchsorted(keys, keys + half, "right") - 1, rows + 1)
    return np.maximum(before, first), np.minimum(after, last)


def _carried(values: Floats, tracks: Ints) -> Floats:
    """What is not known is what was known last in the same track, or else first."""
    if not len(values):
        return values
    rows = np.arange(len(values))
    known = np.isfinite(values)
    last = np.maximum.accumulate(np.where(known, rows, -1))
    after = np.where(known, rows, len(rows))
    first = np.minimum.accumulate(after[::-1])[::-1]
    result = np.where((last >= 0) & (tracks[last] == tracks), values[last], np.nan)
    ahead = np.minimum(first, len(rows) - 1)
    usable = np.isnan(result) & (first < len(rows)) & (tracks[ahead] == tracks)
    return np.where(usable, values[ahead], result)


def _lines(lanes: LaneMap, places: Floats, headings: Floats, walks: NDArray[np.bool_]) -> Ints:
    rules = matching_rules()
    pieces = lanes.pieces
    result = np.full(len(places), -1, np.int32)
    for start in range(0, len(places), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        counts, near = lanes.near(places[part], rules.slack_m)
        rows = np.repeat(np.arange(start, start + len(counts)), counts)
        owners = pieces.owners[near]
        _, off, past = lanes.along_pieces(places[rows], near)
        half = lanes.half_widths[owners]
        turned = np.nan_to_num(apart(headings[rows], pieces.headings[near]))
        cost = (off / half) ** 2 + rules.past_weight * (past / half) ** 2
        cost += rules.turned_weight * np.minimum(turned / rules.turned_deg, 1.0) ** 2
        cost[(off > half + rules.slack_m) | (lanes.for_feet[owners] & ~walks[rows])] = np.inf
        best = least_of(cost, counts)
        found = best >= 0
        found[found] = np.isfinite(cost[best[found]])
        result[part][found] = owners[best[found]]
    return result


def _settled(lanes: LaneMap, line: Ints, tracks: Ints, times: Times, flicker: int) -> Ints:
    """Lanes without the moments on another lane of the same link between two on this."""
    links = np.append(lanes.link_of_lane, -1)
    count = len(lanes.link_of_lane)
    # Twice: what flickers back and forth is one run after the first time.
    for _ in range(2):
        begins = run_begins(line, tracks)
        if len(begins) < 3:
            return line
        lasts = np.r_[times[begins[1:]], times[-1]] - times[begins]
        runs = line[begins]
        link = links[np.where((runs >= 0) & (runs < count), runs, -1)]
        middle = np.arange(1, len(begins) - 1)
        moment = middle[
            (runs[middle - 1] == runs[middle + 1])
            & (link[middle] >= 0)
            & (link[middle] == link[middle - 1])
            & (lasts[middle] <= flicker)
            & (tracks[begins[middle - 1]] == tracks[begins[middle + 1]])
        ]
        runs[moment] = runs[moment - 1]
        line = np.repeat(runs, np.diff(np.r_[begins, len(line)])).astype(np.int32)
    return line


def run_begins(values: Ints, tracks: Ints) -> Counts:
    """Where runs of the same value in the same track begin."""
    if not len(values):
        return np.empty(0, np.int64)
    new = (np.diff(values) != 0) | (np.diff(tracks) != 0)
    return np.asarray(np.r_[0, np.flatnonzero(new) + 1], np.int64)
