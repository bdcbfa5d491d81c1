"""What single road users do that is an event: too fast, against the direction, on foot in the carriageway, braking hard."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from analysis.traffic.event_ledger import Sighting
from analysis.traffic.event_map import EventMap
from analysis.traffic.event_rules import EventRule, EventRules
from analysis.traffic.event_signals import Signals
from analysis.traffic.event_vehicles import Rows, Vehicles, apart, since
from cim_core.mesh import Floats
from cim_core.traffic.moving import ROAD_USERS

_PEDESTRIAN = ROAD_USERS.index("pedestrian")


@dataclass(frozen=True, eq=False)
class Scene:
    """A second of traffic.

    now
        Its end, milliseconds since 1970.
    here
        The rows of those heard of in this second.
    there
        The rows of those who are not gone yet, with them.
    limits
        (L + C,) metres per second.
    signals
        What they show, as far as it was told.
    """

    roads: EventMap
    rules: EventRules
    vehicles: Vehicles
    now: int
    here: Rows
    there: Rows
    limits: Floats
    signals: Signals

    def drivers(self, rows: Rows) -> Rows:
        """Those of rows who drive motor vehicles."""
        return rows[np.isin(self.vehicles.kind[rows], numbers(self.rules.general["drivers"]))]

    def place(self, row: int) -> tuple[float, float]:
        """Where somebody is, metres."""
        return float(self.vehicles.east[row]), float(self.vehicles.north[row])

    def at(self, row: int) -> tuple[str | None, str | None, str | None]:
        """The ids of link, lane and intersection where somebody is."""
        return self.roads.line_name(
            int(self.vehicles.lane[row]), int(self.vehicles.connection[row])
        )

    def sighting(
        self, rule: EventRule, row: int, begun: int, share: float, evidence: dict[str, float]
    ) -> Sighting:
        """What one vehicle does."""
        link, lane, node = self.at(row)
        rounded = {name: round(value, 2) for name, value in evidence.items()}
        return Sighting(
            rule.kind, f"{rule.kind}/{self.vehicles.names[row]}", begun, self.place(row),
            rule.confidence(share), (row,), link, lane, node, rounded,
        )  # fmt: skip


def numbers(users: list[str]) -> list[int]:
    """The places of kinds of road users in `ROAD_USERS`."""
    return [number for number, one in enumerate(ROAD_USERS) if one in users]


def speeding(scene: Scene) -> list[Sighting]:
    """Who drives faster than the limit by more than is granted, for some seconds."""
    rule, v = scene.rules["speeding"], scene.vehicles
    rows = scene.drivers(scene.here)
    rows = rows[~np.isin(v.kind[rows], numbers(rule["exempt"]))]
    limit = _limits(scene, rows)
    speed = v.speed[rows]
    fast = speed > np.maximum(limit * (1 + rule["over"]), limit + rule["least"])
    v.fast[rows] = since(v.fast[rows], fast, v.seen[rows])
    v.most[rows] = np.where(fast, np.fmax(v.most[rows], speed), 0.0)
    found = []
    for row, most in _held(rows, limit, v.fast, v.seen, rule["seconds"]):
        excess = v.most[row] / most - 1 if most > 0 else 0.0
        share = (excess - rule["over"]) / (rule["surest"] - rule["over"])
        evidence = {
            "speed": float(v.most[row]), "limit": most,
            "seconds": (v.seen[row] - v.fast[row]) / 1000,
        }  # fmt: skip
        found.append(scene.sighting(rule, row, int(v.fast[row]), share, evidence))
    return found


def wrong_way(scene: Scene) -> list[Sighting]:
    """Who drives on a lane against its direction, for some seconds and metres."""
    rule, v = scene.rules["wrong-way"], scene.vehicles
    riders = numbers([*scene.rules.general["drivers"], "bicycle"])
    rows = scene.here[np.isin(v.kind[scene.here], riders)]
    wrong = v.against[rows].astype(bool) & (v.speed[rows] >= rule["speed"])
    began = since(v.wrong[rows], wrong, v.seen[rows])
    lasted = np.where(began >= 0, v.seen[rows] - began, 0) / 1000
    v.way[rows] = np.where(wrong, v.way[rows] + v.step[rows] * (lasted > 0), 0.0)
    v.wrong[rows] = began
    found = []
    for row, way in _held(rows, v.way[rows], v.wrong, v.seen, rule["seconds"]):
        if way >= rule["metres"]:
            evidence = {
                "metres": way, "speed": float(v.speed[row]),
                "seconds": (v.seen[row] - v.wrong[row]) / 1000,
            }  # fmt: skip
            share = way / rule["metres"] - 1
            found.append(scene.sighting(rule, row, int(v.wrong[row]), share, evidence))
    return found


def pedestrians(scene: Scene) -> list[Sighting]:
    """Who walks in the carriageway away from crosswalks, for some seconds."""
    rule, v = scene.rules["pedestrian"], scene.vehicles
    rows = scene.here[v.kind[scene.here] == _PEDESTRIAN]
    if not len(rows):
        return []
    inside = shapely.contains_xy(scene.roads.carriageway, v.east[rows], v.north[rows])
    v.walking[rows] = since(v.walking[rows], inside, v.seen[rows])
    found = []
    for row, _ in _held(rows, v.speed[rows], v.walking, v.seen, rule["seconds"]):
        seconds = (v.seen[row] - v.walking[row]) / 1000
        share = seconds / rule["surest"]
        evidence = {"seconds": seconds, "inside": rule["inside"]}
        found.append(scene.sighting(rule, row, int(v.walking[row]), share, evidence))
    return found


def hard_braking(scene: Scene) -> list[Sighting]:
    """Several who brake hard near one another within some seconds."""
    rule, v = scene.rules["hard-braking"], scene.vehicles
    rows = scene.drivers(scene.here)
    braking = rows[(v.slower[rows] >= rule["brakes"]) & (v.lost[rows] >= rule["slower"])]
    v.braked[braking] = v.seen[braking]
    v.braking[braking] = v.slower[braking]
    v.brake_east[braking], v.brake_north[braking] = v.east[braking], v.north[braking]
    lately = scene.there[
        (v.braked[scene.there] >= 0) & (v.braked[scene.there] > scene.now - 1000 * rule["seconds"])
    ]
    if len(lately) < rule["vehicles"] or not len(braking):
        return []
    found = []
    for row in braking.tolist():
        near = (
            apart(v.brake_east[lately], v.brake_north[lately], scene.place(row)) <= rule["metres"]
        )
        those = lately[near]
        link, lane, node = scene.at(row)
        if len(those) < rule["vehicles"] or link is None:
            continue
        those = those[np.argsort(v.braked[those], kind="stable")]
        share = (len(those) - rule["vehicles"]) / (rule["surest"] - rule["vehicles"])
        evidence = {
            "vehicles": len(those), "deceleration": round(float(v.braking[those].max()), 2),
            "seconds": float(v.braked[those].max() - v.braked[those].min()) / 1000,
        }  # fmt: skip
        found.append(
            Sighting(
                "hard-braking", f"hard-braking/{link}", int(v.braked[those].min()),
                scene.place(row), rule.confidence(share), those.tolist(), link, lane, node, evidence,
            )
        )  # fmt: skip
    return found


def _limits(scene: Scene, rows: Rows) -> Floats:
    """The limit where each is, infinite where they are on no lane."""
    v = scene.vehicles
    lanes, ways = v.lane[rows], v.connection[rows]
    if not len(scene.limits):
        return np.full(len(rows), np.inf)
    line = np.where(lanes >= 0, lanes, ways + len(scene.roads.roads.lanes))
    known = (lanes >= 0) | (ways >= 0)
    return np.where(known, scene.limits[np.where(known, line, 0)], np.inf)


def _held(
    rows: Rows, values: Floats, began: NDArray[np.int64], seen: NDArray[np.int64], seconds: float
) -> list[tuple[int, float]]:
    """Those of rows for whom something has lasted so long, each with its value."""
    long = (began[rows] >= 0) & (seen[rows] - began[rows] >= 1000 * seconds)
    return list(zip(rows[long].tolist(), values[long].tolist(), strict=True))
