"""Who stands without a reason, and queues that fill their roads."""

import numpy as np
from numpy.typing import NDArray

from analysis.traffic.event_ledger import Sighting
from analysis.traffic.event_moves import Scene, numbers
from analysis.traffic.event_rules import EventRule
from analysis.traffic.event_vehicles import Mask, Rows, apart, since
from cim_core.traffic.event import Cause


def stops(scene: Scene) -> list[Sighting]:
    """Who stands in the carriageway for long with nobody in front and no stop line before them."""
    rule, v = scene.rules["abnormal-stop"], scene.vehicles
    _standing(scene, rule)
    rows = scene.drivers(scene.here)
    stand = rows[(v.standing[rows] >= 0) & v.moved[rows]]
    alone = ~_explained(scene, rule, stand)
    others = np.setdiff1d(rows, stand[alone])
    v.unexplained[others] = -1
    lone = stand[alone]
    known = np.where(v.unexplained[lone] >= v.standing[lone], v.unexplained[lone], -1)
    v.unexplained[lone] = since(known, np.ones(len(lone), bool), v.seen[lone])
    long = v.unexplained[stand] >= 0
    long &= v.seen[stand] - v.unexplained[stand] >= 1000 * rule["seconds"]
    found = []
    for row in stand[long].tolist():
        seconds = (v.seen[row] - v.standing[row]) / 1000
        with_it = _collided(scene, rule, row, stand)
        share = 0.5 * min(seconds / rule["seconds"] - 1, 1.0) + (0.5 if len(with_it) else 0.0)
        one = scene.sighting(rule, row, int(v.standing[row]), share, {"seconds": seconds})
        found.append(one if not len(with_it) else _accident(one, rule, row, with_it, scene))
    return found


class Spillback:
    """Queues as long as their lanes; remembers since when each is full."""

    def __init__(self, lanes: int) -> None:
        self._full = np.full(lanes, -1, np.int64)

    def look(self, scene: Scene) -> list[Sighting]:
        """The links of which a lane has been full for some seconds."""
        rule, v = scene.rules["queue-spillback"], scene.vehicles
        rows = scene.drivers(scene.there)
        rows = rows[(v.lane[rows] >= 0) & (v.speed[rows] < rule["crawls"])]
        lanes, count = v.lane[rows], len(self._full)
        lengths = np.where(
            np.isfinite(v.length[rows]) & (v.length[rows] > 0), v.length[rows], rule["length"]
        )
        taken = np.bincount(lanes, lengths + rule["gap"], count)
        tail = np.full(count, np.inf)
        np.minimum.at(tail, lanes, v.along[rows] - lengths)
        share = taken / np.maximum(scene.roads.lengths, 1.0)
        full = scene.roads.queueing & (share >= rule["share"]) & (tail <= rule["start"])
        self._full = since(self._full, full, np.full(count, scene.now, np.int64))
        long = (self._full >= 0) & (scene.now - self._full >= 1000 * rule["seconds"])
        long &= scene.roads.share_of_link(long) > rule["lanes"]
        found: dict[str, Sighting] = {}
        for lane in np.flatnonzero(long).tolist():
            one = _spilled(
                scene, rule, lane, rows[lanes == lane], int(self._full[lane]), share[lane]
            )
            if one.key not in found or found[one.key].confidence < one.confidence:
                found[one.key] = one
        return list(found.values())


def _spilled(
    scene: Scene, rule: EventRule, lane: int, rows: Rows, begun: int, share: float
) -> Sighting:
    v = scene.vehicles
    rows = rows[np.argsort(v.along[rows])]  # the end of the queue first
    seconds = (scene.now - begun) / 1000
    sure = 0.5 * min(share - rule["share"], 0.3) / 0.3 + 0.5 * min(seconds / 60, 1.0)
    one = scene.roads.roads.lanes[lane]
    link = scene.roads.roads.link_by_id[one.link]
    evidence = {
        "vehicles": len(rows), "metres": round(float(scene.roads.lengths[lane]), 1),
        "share": round(float(min(share, 1.0)), 2), "seconds": seconds,
    }  # fmt: skip
    return Sighting(
        "queue-spillback", f"queue-spillback/{one.link}", begun, scene.place(int(rows[0])),
        rule.confidence(sure), rows.tolist(), one.link, one.id, link.start, evidence,
    )  # fmt: skip


def _standing(scene: Scene, rule: EventRule) -> None:
    """Since when those who are here stand; who was pushed aside stands anew."""
    v, rows = scene.vehicles, scene.here
    slow = v.speed[rows] < np.where(v.standing[rows] >= 0, rule["moves"], rule["stands"])
    away = np.hypot(v.east[rows] - v.stand_east[rows], v.north[rows] - v.stand_north[rows])
    kept = (v.standing[rows] >= 0) & (away <= rule["beside"])
    began = since(np.where(kept, v.standing[rows], -1), slow, v.seen[rows])
    fresh = rows[(began >= 0) & ~kept]
    v.standing[rows] = began
    v.stand_east[fresh], v.stand_north[fresh] = v.east[fresh], v.north[fresh]


def _explained(scene: Scene, rule: EventRule, rows: Rows) -> Mask:
    """Whether there is a reason for each to stand there."""
    v, roads = scene.vehicles, scene.roads
    stood = (v.seen[rows] - v.standing[rows]) / 1000
    lanes, ways = v.lane[rows], v.connection[rows]
    on = lanes >= 0
    lane = np.where(on, lanes, 0)
    length = roads.lengths[lane] if len(roads.lengths) else np.zeros(len(rows))
    width = roads.widths[lane] if len(roads.widths) else np.zeros(len(rows))
    driving = roads.driving[lane] if len(roads.driving) else np.zeros(len(rows), bool)
    patient = stood < rule["line_seconds"]
    reason = ~on & (ways < 0)  # nowhere on the map
    reason |= on & (~driving | (v.off[rows] > width / 2))  # beside the carriageway
    line = on & (length - v.along[rows] <= rule["line"])
    reason |= line & (patient | _exit_full(scene, rule, lanes) | _red(scene, lanes))
    reason |= ~on & (ways >= 0) & patient
    buses = np.isin(v.kind[rows], numbers(["bus"]))
    reason |= buses & (stood < rule["bus_seconds"])
    open_ = np.flatnonzero(~reason)
    reason[open_] = _behind_others(scene, rule, rows[open_])
    found: Mask = reason
    return found


def _behind_others(scene: Scene, rule: EventRule, rows: Rows) -> Mask:
    """Whether somebody who stands or crawls is in front of each, on whatever lane.

    Where a lane for turning begins, a place does not tell who is on it already: so it is looked at
    who is in the way. Who waits to turn into such a lane, or stands where it begins, has those in
    front beside the way.
    """
    v, there = scene.vehicles, scene.there
    slow = there[
        (v.speed[there] < rule["crawls"]) & ((v.lane[there] >= 0) | (v.connection[there] >= 0))
    ]
    east = v.east[slow] - v.east[rows][:, None]
    north = v.north[slow] - v.north[rows][:, None]
    heading = np.radians(np.nan_to_num(v.heading[rows]))[:, None]
    ahead = east * np.sin(heading) + north * np.cos(heading)
    aside = np.abs(east * np.cos(heading) - north * np.sin(heading))
    near = (ahead > rule["past"]) & (ahead <= rule["ahead"])
    pockets = scene.roads.pockets
    turning = (v.lane[slow] >= 0) & pockets[v.lane[slow]]
    turns = (v.lane[rows] >= 0) & pockets[v.lane[rows]] & (v.along[rows] <= rule["line"])
    pocket = (turning | turns[:, None]) & (v.link[slow] == v.link[rows][:, None])
    width = np.where(pocket, rule["pocket"], rule["aside"])
    found: Mask = (near & (aside <= width)).any(axis=1)
    return found


def _red(scene: Scene, lanes: NDArray[np.int32]) -> Mask:
    """Whether all the signals of each lane are known not to be green."""
    heads, found = scene.roads.heads, np.zeros(len(lanes), bool)
    for number, lane in enumerate(lanes.tolist()):
        shown = [scene.signals.shown(*head) for head in heads.get(lane, ())]
        found[number] = bool(shown) and all(
            one is not None and "green" not in one[0] for one in shown
        )
    return found


def _exit_full(scene: Scene, rule: EventRule, lanes: NDArray[np.int32]) -> Mask:
    """Whether those crawl who went before from each lane, or stand still in the intersection."""
    v, there = scene.vehicles, scene.there
    slow = there[v.speed[there] < rule["crawls"]]
    roads = scene.roads.lanes
    full = np.zeros(len(scene.roads.lengths) + 1, bool)
    beyond = slow[(v.lane[slow] >= 0) & (v.along[slow] <= rule["exit"])]
    taken = np.zeros(len(scene.roads.lengths) + 1, bool)
    taken[v.lane[beyond]] = True
    full[roads.from_lanes[taken[roads.to_lanes]]] = True
    between = v.connection[slow]
    full[roads.from_lanes[between[between >= 0]]] = True
    found: Mask = full[lanes]
    return found


def _collided(scene: Scene, rule: EventRule, row: int, stand: Rows) -> Rows:
    """Who stands so near to somebody, and since about the same time, that they may have met."""
    v = scene.vehicles
    others = stand[stand != row]
    near = apart(v.east[others], v.north[others], scene.place(row)) <= rule["beside"]
    together = np.abs(v.standing[others] - v.standing[row]) <= 1000 * rule["together"]
    others = others[near & together]
    # On the same lane: without the distance that one keeps in a queue. On another: as unexplained.
    same = (v.lane[others] == v.lane[row]) & (v.lane[row] >= 0)
    between = v.along[row] - v.along[others]
    length = np.where(np.isfinite(v.length), v.length, scene.rules["queue-spillback"]["length"])
    ahead = np.where(between >= 0, length[row], length[others])
    met = np.abs(between) - ahead <= rule["contact"]
    found: Rows = others[np.where(same, met, v.unexplained[others] >= 0)]
    return found


def _accident(
    one: Sighting, rule: EventRule, row: int, others: NDArray[np.int64], scene: Scene
) -> Sighting:
    v = scene.vehicles
    all_ = np.array([row, *others.tolist()])
    lately = v.braked[all_] >= v.standing[all_] - 1000 * rule["together"]
    nearest = float(apart(v.east[others], v.north[others], scene.place(row)).min())
    evidence = {
        "vehicles": len(others) + 1, "metres": round(nearest, 2),
        "seconds_apart": float(np.abs(v.standing[others] - v.standing[row]).min()) / 1000,
        "deceleration": round(float(np.where(lately, v.braking[all_], 0.0).max()), 2),
    }  # fmt: skip
    cause = Cause(
        kind="accident", score=one.confidence,
        en=f"{len(others) + 1} vehicles came to stand {nearest:.1f} m from one another within "
        f"{rule['together']:.0f} s: probably an accident",
        zh=f"{len(others) + 1} 辆车在 {rule['together']:.0f} 秒内相继停下，车头相距 {nearest:.1f} 米：疑似交通事故",
        evidence=evidence,
    )  # fmt: skip
    return Sighting(
        one.kind, one.key, one.begun, one.place, one.confidence, (row, *others.tolist()), one.link,
        one.lane, one.intersection, {**one.evidence, "vehicles": len(others) + 1}, (cause,),
    )  # fmt: skip
