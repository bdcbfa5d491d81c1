"""Who drove through which intersection: from where to where, when, and what it cost them."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.lanes import Counts, Ints, LaneMap
from analysis.traffic.matching import Matched
from analysis.traffic.measures_rules import matching_rules, passage_rules
from analysis.traffic.passage_ways import Ways, ways_of
from cim_core.mesh import Floats
from cim_core.traffic.moving import Codes

_AROUND = 20.0
"""Metres that nobody is moved back by an error: who is, has come round to the same link again."""

_DEEP = 3.0
"""Metres behind the stop line from which somebody who is seen no more has crossed it."""


@dataclass(frozen=True, eq=False, slots=True)
class Passages:
    """Stays of vehicles on links that lead to an intersection, p of them, by vehicle and time.

    tracks, kinds, lengths
        (p,) of the vehicle: its number in `Matched`, its class, metres.
    intersections, links, lanes
        (p,) rows in the road map; the lane is that on which it came to the stop line.
    connections, to_links, to_lanes
        (p,) by which way it went on, to where, and on which lane it was seen there; -1 where it did
        not, or was not seen.
    begun, begun_ahead
        (p,) ms when it entered the link or was first seen, and metres to the stop line then.
    whole
        (p,) whether it was seen entering the link.
    crossed, left
        (p,) ms when it crossed the stop line, and entered the link it went on to; NaN if not seen.
    seen
        (p,) ms when it was last seen on the link.
    before, behind
        (p,) ms of the two reports between which it crossed.
    speeds
        (p,) m/s over the stop line.
    stops, halted
        (p,) how often it stopped before the stop line, and ms when it first did, NaN for never.
    held
        (p,) whether it stopped again behind the stop line, before the link it went on to.
    arrived
        (p,) ms when it would have been at the stop line without signal and queue: from the place
        of its first stop on with free speed; when it crossed for who did not stop.
    approach_loss, control_loss
        (p,) s that it took longer than with free speed: up to the stop line or to where it was last
        seen before it, and up to where it had its speed again behind the intersection. Who drives
        faster than free speed has a loss below zero: without it the mean would be too high.
    """

    tracks: Ints
    kinds: Codes
    lengths: Floats
    intersections: Ints
    links: Ints
    lanes: Ints
    to_links: Ints
    to_lanes: Ints
    connections: Ints
    begun: Floats
    begun_ahead: Floats
    whole: NDArray[np.bool_]
    crossed: Floats
    left: Floats
    seen: Floats
    before: Floats
    behind: Floats
    speeds: Floats
    stops: Ints
    halted: Floats
    held: NDArray[np.bool_]
    arrived: Floats
    approach_loss: Floats
    control_loss: Floats

    def __len__(self) -> int:
        return len(self.tracks)

    def where(self, rows: NDArray[np.bool_]) -> "Passages":
        """Some of them, by a mask."""
        return Passages(*(getattr(self, name)[rows] for name in self.__slots__))


def passages(lanes: LaneMap, matched: Matched, lengths: Floats) -> Passages:
    """Every stay on a link that leads to an intersection, with its crossing if there was one.

    lengths
        (n,) metres of the vehicle of each row.

    A vehicle has crossed the stop line when it was last on the link, then on a way that begins
    there or on a link that such a way leads to. Crossings lie between two reports, where the speed
    is taken to change evenly.
    """
    ways = ways_of(lanes)
    stays = _stays(lanes, ways, matched)
    stays = stays.some(ways.intersection_of[matched.links[stays.first]] >= 0)
    link = matched.links[stays.first]
    from_lane = matched.lanes[stays.last]
    after = np.minimum(stays.last + 1, max(len(matched) - 1, 0))
    following = np.where(stays.next >= 0, stays.next, 0)
    to_lane = np.where(stays.next >= 0, matched.lanes[following], -1).astype(np.int32)
    seen_way, depth = _in_between(lanes, ways, matched, stays, link)
    connection = ways.chosen(from_lane, to_lane, seen_way)
    passed = (connection >= 0) & ((to_lane >= 0) | (depth >= _DEEP))
    reached = passed & (to_lane >= 0)
    connection = np.where(passed, connection, -1).astype(np.int32)
    to_lane = np.where(reached, to_lane, -1).astype(np.int32)

    times = matched.positions.times.astype(np.float64)
    line = lanes.lengths[from_lane]
    ahead = np.maximum(line - matched.along[stays.last], 0.0)
    crossed, speed = _crossings(lanes, matched, stays, ahead, connection, passed)
    begun, begun_ahead, whole = _beginnings(lanes, matched, stays)
    end = np.where(passed, crossed, times[stays.last])
    free = lanes.speeds[from_lane]
    way = np.maximum(begun_ahead - np.where(passed, 0.0, ahead), 0.0)
    loss = (end - begun) / 1000 - way / free
    left = np.full(len(link), np.nan)
    left[reached] = _between(matched, stays.next[reached] - 1, stays.next[reached])
    left = np.where(reached, np.maximum(left, crossed), np.nan)
    stops, halt, held = _stops(matched, stays)
    halted = np.where(halt >= 0, times[halt], np.nan)
    to_go = np.maximum(lanes.lengths[matched.lanes[halt]] - matched.along[halt], 0.0)
    arrived = np.fmin(np.where(halt >= 0, halted + to_go / free * 1000, np.nan), crossed)
    arrived = np.where((halt < 0) & passed, crossed, arrived)
    more = _loss_behind(lanes, matched, stays, connection, crossed, speed, reached)
    return Passages(
        matched.tracks[stays.first], matched.positions.kinds[stays.first], lengths[stays.first],
        ways.intersection_of[link], link, from_lane,
        np.where(passed, ways.link_to[connection], -1).astype(np.int32), to_lane,
        connection, begun, begun_ahead, whole, crossed, left, times[stays.last],
        np.where(passed, times[stays.last], np.nan), np.where(passed, times[after], np.nan), speed,
        stops.astype(np.int32), halted, held, arrived, loss, loss + np.where(passed, more, 0.0),
    )  # fmt: skip


class _Stays(NamedTuple):
    """Stays on links, by rows.

    The first and last of each on its link, the first of the stay that follows, -1 for none, and
    where it begins or else the track is over.
    """

    first: Counts
    last: Counts
    next: Counts
    until: Counts

    def some(self, rows: NDArray[np.bool_]) -> "_Stays":
        return _Stays(*(column[rows] for column in self))


def _stays(lanes: LaneMap, ways: Ways, matched: Matched) -> _Stays:
    rows = np.flatnonzero(matched.links >= 0)
    begins = _stay_begins(matched, rows)
    # A moment on a link that nothing leads to, between two that follow on each other, is an error.
    if len(begins) > 2:
        ends = np.r_[begins[1:], len(rows)]
        links, tracks = matched.links[rows[begins]], matched.tracks[rows[begins]]
        times = matched.positions.times
        middle = np.arange(1, len(begins) - 1)
        short = times[rows[ends[middle] - 1]] - times[rows[begins[middle]]]
        before, after = links[middle - 1], links[middle + 1]
        wrong = (
            (tracks[middle - 1] == tracks[middle + 1])
            & (short <= matching_rules().flicker_s * 1000)
            & ~ways.joined(before, links[middle])
            & ((before == after) | ways.joined(before, after))
        )
        gone = np.zeros(len(begins), bool)
        gone[middle[wrong]] = True
        rows = rows[~np.repeat(gone, ends - begins)]
        begins = _stay_begins(matched, rows)
    ends = np.r_[begins[1:], len(rows)][: len(begins)]
    first, last = rows[begins], rows[ends - 1]
    track = matched.tracks[first]
    follows = np.r_[track[1:] == track[:-1], np.zeros(min(len(track), 1), bool)]
    following = np.where(follows, np.roll(first, -1), -1)
    track_end = np.searchsorted(matched.tracks, track, "right")
    return _Stays(first, last, following, np.where(follows, following, track_end))


def _stay_begins(matched: Matched, rows: Counts) -> Counts:
    if not len(rows):
        return np.empty(0, np.int64)
    new = (np.diff(matched.tracks[rows]) != 0) | (np.diff(matched.links[rows]) != 0)
    new |= np.diff(matched.along[rows]) < -_AROUND
    return np.asarray(np.r_[0, np.flatnonzero(new) + 1], np.int64)


def _in_between(
    lanes: LaneMap, ways: Ways, matched: Matched, stays: _Stays, link: Ints
) -> tuple[Ints, Floats]:
    """The way from its link that each was seen on last after its stay, and how far at most."""
    way, depth = np.full(len(link), -1, np.int32), np.full(len(link), -np.inf)
    counts = stays.until - stays.last - 1
    owner = np.repeat(np.arange(len(link)), counts)
    rows = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts - stays.last - 1, counts)
    connection = matched.connections[rows]
    own = (connection >= 0) & (ways.link_from[connection] == link[owner])
    owner, rows, connection = owner[own], rows[own], connection[own]
    way[owner] = connection
    np.maximum.at(depth, owner, matched.along[rows])
    return way, depth


def _crossings(
    lanes: LaneMap, matched: Matched, stays: _Stays, ahead: Floats, connection: Ints,
    passed: NDArray[np.bool_],
) -> tuple[Floats, Floats]:  # fmt: skip
    """When the stop lines were crossed, ms, and how fast; NaN where they were not."""
    crossed, speed = np.full(len(ahead), np.nan), np.full(len(ahead), np.nan)
    one = stays.last[passed]
    two, a = one + 1, ahead[passed]
    way = lanes.lengths[len(lanes.roads.lanes) + connection[passed]]
    along = np.nan_to_num(matched.along[two])
    straight = np.maximum(np.hypot(*(matched.places[two] - matched.places[one]).T) - a, 0.0)
    b = np.where(
        matched.connections[two] >= 0,
        along,
        np.where(matched.lanes[two] >= 0, way + along, straight),
    )
    share = np.divide(a, a + b, out=np.ones(len(a)), where=a + b > 0)
    times = matched.positions.times
    seconds = (times[two] - times[one]) / 1000
    v, w = (np.nan_to_num(matched.speeds[row]) for row in (one, two))
    crossed[passed] = times[one] + 1000 * seconds * evenly(share, v, w)
    # What is told is better than the way between two places a tenth of a second apart.
    speed[passed] = (v + w) / 2
    return crossed, speed


def evenly(share: Floats, v: Floats, w: Floats) -> Floats:
    """After which share of the time a share of the way is behind who changes speed evenly.

    >>> evenly(np.array([0.25, 0.5]), np.array([0.0, 5.0]), np.array([10.0, 5.0])).tolist()
    [0.5, 0.5]
    """
    half = share * (v + w)
    below = v + np.sqrt(np.maximum(v * v + (w * w - v * v) * share, 0.0))
    return np.where(v + w > 0.2, np.divide(half, below, out=share.copy(), where=below > 0), share)


def _beginnings(
    lanes: LaneMap, matched: Matched, stays: _Stays
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """When each entered its link or was first seen on it, how far ahead the stop line was then."""
    first = stays.first
    along = matched.along[first].astype(np.float64)
    line = lanes.lengths[matched.lanes[first]]
    before = np.maximum(first - 1, 0)
    whole = (first > 0) & (matched.tracks[before] == matched.tracks[first])
    # Who changes to the link half way, as from a lane that ends beside it, begins where they are.
    way = np.hypot(*(matched.places[first] - matched.places[before]).T)
    entered = whole & (along <= way + _DEEP)
    times = matched.positions.times.astype(np.float64)
    share = np.divide(along, way, out=np.ones(len(way)), where=way > 0)
    begun = times[first] - (times[first] - times[before]) * np.minimum(share, 1.0)
    return (
        np.where(entered, begun, times[first]),
        np.where(entered, line, line - along),
        entered | (along <= _DEEP),
    )


def _between(matched: Matched, one: Counts, two: Counts) -> Floats:
    """When the lane on which row two is was entered, between row one and two, ms."""
    times = matched.positions.times.astype(np.float64)
    way = np.hypot(*(matched.places[two] - matched.places[one]).T)
    share = np.divide(matched.along[two], way, out=np.ones(len(way)), where=way > 0)
    result: Floats = times[two] - (times[two] - times[one]) * np.minimum(share, 1.0)
    return result


def _stops(matched: Matched, stays: _Stays) -> tuple[Counts, Counts, NDArray[np.bool_]]:
    """How often each stopped during its stay, in which row on a lane first, or -1, and if behind it."""
    rules = passage_rules()
    rows = np.arange(len(matched))
    slow, fast = matched.speeds < rules.begin_mps, matched.speeds > rules.end_mps
    last = np.maximum.accumulate(np.where(slow | fast, rows, -1))
    same = (last >= 0) & (matched.tracks[last] == matched.tracks)
    standing = same & slow[last]
    new = standing & ~(
        np.r_[False, standing[:-1]] & (np.r_[-1, matched.tracks[:-1]] == matched.tracks)
    )
    total = np.r_[0, np.cumsum(new)]
    stops = total[stays.last + 1] - total[stays.first] + (standing & ~new)[stays.first]
    on_lane = np.where(standing & (matched.links >= 0), rows, len(rows))
    upcoming = np.minimum.accumulate(on_lane[::-1])[::-1]
    first = upcoming[stays.first] if len(rows) else stays.first
    held = total[stays.until] > total[stays.last + 1]
    return stops, np.where(first <= stays.last, first, -1), held


def _loss_behind(
    lanes: LaneMap, matched: Matched, stays: _Stays, connection: Ints, crossed: Floats,
    speed: Floats, reached: NDArray[np.bool_],
) -> Floats:  # fmt: skip
    """Seconds lost between the stop line and where speed is regained; 0 for who was not seen there.

    Never more than gaining speed costs: a queue that begins behind is not of this intersection.
    """
    result = np.zeros(len(crossed))
    row, way = stays.next[reached], connection[reached]
    through = lanes.lengths[len(lanes.roads.lanes) + way] / ways_of(lanes).free_speeds[way]
    rules, free = passage_rules(), lanes.speeds[matched.lanes[row]]
    end = _last_before(matched, row, np.minimum(rules.after_m, lanes.lengths[matched.lanes[row]]))
    gone = (matched.positions.times[end] - crossed[reached]) / 1000
    lost = gone - through - matched.along[end] / free
    gaining = np.maximum(free - speed[reached], 0.0) ** 2 / (2 * rules.gaining_mps2 * free)
    result[reached] = np.clip(lost, 0.0, gaining)
    return result


def _last_before(matched: Matched, first: Counts, most: Floats) -> Counts:
    """The last row of the same track and link as a first, without a hole, that is not beyond."""
    result = first.copy()
    going = np.arange(len(first))
    limit = len(matched) - 1
    while len(going):
        at = result[going]
        ahead = np.minimum(at + 1, limit)
        go = (
            (ahead > at)
            & (matched.tracks[ahead] == matched.tracks[at])
            & (matched.links[ahead] == matched.links[first[going]])
            & (matched.along[ahead] <= most[going])
        )
        going = going[go]
        result[going] += 1
    return result
