"""Signals that are dark, flash by day, show greens that conflict, or do not change any more."""

import datetime
from dataclasses import dataclass, field
from typing import get_args

import numpy as np

from analysis.traffic.event_ledger import Sighting
from analysis.traffic.event_map import ZONE, EventMap, between
from analysis.traffic.event_rules import EventRule, EventRules
from cim_core.traffic.moving import SignalStates
from cim_core.traffic.roads import Light

LIGHTS: tuple[Light, ...] = get_args(Light)
_DARK = LIGHTS.index("dark")
_GREEN = LIGHTS.index("protected-green")
_FLASHING = (LIGHTS.index("flashing-yellow"), LIGHTS.index("flashing-red"))


@dataclass(slots=True)
class _Node:
    """What an intersection shows: by group its light and since when, milliseconds since 1970."""

    lights: dict[str, tuple[int, int]] = field(default_factory=dict)
    changed: int = -1
    changes: int = 0


class Signals:
    """What all signals of a map show, as far as it was told."""

    def __init__(self, roads: EventMap, rules: EventRules) -> None:
        self._roads, self._rule = roads, rules["signal-failure"]
        self._nodes: dict[str, _Node] = {}
        self._told = -1

    def take(self, states: SignalStates) -> None:
        """What signals showed, in order of time."""
        nodes, groups = states.intersections.texts().tolist(), states.groups.texts().tolist()
        rows = zip(states.times.tolist(), nodes, groups, states.lights.tolist(), strict=True)
        for at, name, group, light in rows:
            self._pass(at)
            node = self._nodes.setdefault(name, _Node())
            before = node.lights.get(group)
            if before is None or before[0] != light:
                node.lights[group] = (light, at)
                node.changes += before is not None
                node.changed = at

    def _pass(self, at: int) -> None:
        """While nothing was told of any signal none of them stood still."""
        gap = at - self._told
        if self._told >= 0 and gap > 1000 * self._rule["gap"]:
            for node in self._nodes.values():
                node.changed += gap
        self._told = at

    def shown(self, intersection: str, group: str) -> tuple[Light, int] | None:
        """What a group shows, and since when; None where nothing was told."""
        node = self._nodes.get(intersection)
        found = node.lights.get(group) if node else None
        return (LIGHTS[found[0]], found[1]) if found else None

    def look(self, now: int, *, alive: bool = True) -> list[Sighting]:
        """Which signals are out of order at a moment.

        alive
            Whether anything else is told: where it is not, a signal that says nothing does not fail.
        """
        known = self._roads.roads.intersection_by_id
        if len(self._nodes) == 1:
            latest = now if alive else -1
        else:
            latest = max((node.changed for node in self._nodes.values()), default=-1)
        found = []
        for name, node in self._nodes.items():
            if name in known and node.lights:
                failed = (
                    self._dark(name, node, now)
                    or self._conflict(name, node, now)
                    or self._flashing(name, node, now)
                    or self._stuck(name, node, now, latest)
                )
                found += [failed] if failed else []
        return found

    def _dark(self, name: str, node: _Node, now: int) -> Sighting | None:
        since = self._since(name, node, (_DARK,), self._rule["dark"], now)
        if not since:
            return None
        return self._failed(name, "dark", min(since), len(since) / self._count(name, node), now)

    def _flashing(self, name: str, node: _Node, now: int) -> Sighting | None:
        since = self._since(name, node, _FLASHING, self._rule["flashing"], now)
        share = len(since) / self._count(name, node)
        night: tuple[str, str] = (self._rule["night"][0], self._rule["night"][1])
        local = datetime.datetime.fromtimestamp(now / 1000, ZONE).strftime("%H:%M")
        if share < 0.5 or between(*night, local):
            return None
        return self._failed(name, "flashing", min(since), 0.5 * share, now)

    def _conflict(self, name: str, node: _Node, now: int) -> Sighting | None:
        green = {group for group, (light, _) in node.lights.items() if light == _GREEN}
        for pair in sorted(self._roads.conflicts.get(name, ())):
            if green.issuperset(pair):
                since = max(node.lights[group][1] for group in pair)
                if now - since >= 1000 * self._rule["conflict"]:
                    return self._failed(name, "conflict", since, 1.0, now, groups=pair)
        return None

    def _stuck(self, name: str, node: _Node, now: int, latest: int) -> Sighting | None:
        """One that changed before and does not any more, while others still tell something."""
        longest = max(self._rule["stuck"], self._rule["cycles"] * self._roads.cycles.get(name, 0.0))
        quiet = now - node.changed >= 1000 * longest
        others = latest - node.changed >= 1000 * longest
        if node.changes < 2 or not quiet or not others:
            return None
        return self._failed(name, "stuck", node.changed, 0.3, now)

    def _since(
        self, name: str, node: _Node, lights: tuple[int, ...], seconds: float, now: int
    ) -> list[int]:
        """Since when groups for vehicles have shown one of some lights, of those that do for so long."""
        vehicles = self._roads.vehicle_groups.get(name) or frozenset(node.lights)
        return [
            since
            for group, (light, since) in node.lights.items()
            if light in lights and group in vehicles and now - since >= 1000 * seconds
        ]

    def _count(self, name: str, node: _Node) -> int:
        vehicles = self._roads.vehicle_groups.get(name) or frozenset(node.lights)
        return max(len(vehicles & node.lights.keys()), 1)

    def _failed(
        self, name: str, what: str, since: int, share: float, now: int,
        groups: tuple[str, ...] = (),
    ) -> Sighting:  # fmt: skip
        rule: EventRule = self._rule
        lon, lat = self._roads.roads.intersection_by_id[name].place[:2]
        east, north = self._roads.lanes.plane(np.array([lon]), np.array([lat]))[0].tolist()
        evidence = {"failure": what, "seconds": (now - since) / 1000}
        evidence |= {"groups": ", ".join(groups)} if groups else {}
        return Sighting(
            "signal-failure", f"signal-failure/{name}", since, (east, north),
            rule.confidence(share), (), None, None, name, evidence,
        )  # fmt: skip
