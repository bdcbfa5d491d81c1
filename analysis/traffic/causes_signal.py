"""What a signal has to do with congestion before it: less green than planned, or less than is needed."""

import numpy as np

from analysis.traffic.causes_known import Flows, ramp, rules
from analysis.traffic.event_map import within
from cim_core.traffic.event import Cause
from cim_core.traffic.moving import SignalStates
from cim_core.traffic.roads import Link, Plan, RoadMap

_HOUR = 3_600_000
_GREEN = (4, 5, 6)
"""Flashing, permissive and protected green, by T/CSAE 53's numbers."""


class SignalReasons:
    """What the signals of a map did in a window, start ≤ time < end, milliseconds since 1970.

    signals
        In order of time, from before the window on.
    """

    def __init__(
        self, roads: RoadMap, signals: SignalStates, start: int, end: int, flows: Flows
    ) -> None:
        self._roads, self._signals, self._flows = roads, signals, flows
        self._start, self._end = start, end

    def of_link(self, link: Link) -> list[Cause]:
        """The signal at its end: less green than the plan gives, or less than is needed."""
        node = link.end
        if node is None:
            return []
        plan = plan_at(self._roads, node, (self._start + self._end) // 2)
        groups = self._groups(link.id)
        if plan is None or not groups:
            return []
        rule = rules()["signal"]
        planned = _planned(plan, groups)
        shown = self._shown(node, groups)
        found = []
        if shown is not None and planned > 0 and shown < rule["shown"] * planned:
            share = 1 - shown / planned
            evidence = {
                "green_shown": round(shown, 3),
                "green_planned": round(planned, 3),
                "plan": plan.id,
            }
            found.append(
                Cause(
                    kind="signal", score=round(rule["shown_score"] * min(1.0, share / 0.6), 2),
                    evidence=evidence,
                    en=f"Its signal is green for {shown:.0%} of the time; the plan gives {planned:.0%}",
                    zh=f"绿灯时间占比 {shown:.0%}，低于方案的 {planned:.0%}",
                )
            )  # fmt: skip
        needed = self._saturation(link, planned if shown is None else shown)
        others = [
            self._saturation(
                self._roads.link_by_id[one.link], _planned(plan, self._groups(one.link))
            )
            for one in self._roads.intersection_by_id[node].approaches
            if one.link != link.id
        ]
        spare = max((needed - one for one in others), default=0.0)
        score = (
            rule["most"] * ramp(needed, rule["from"], rule["to"]) * ramp(spare, 0, rule["spare"])
        )
        if score:
            evidence = {
                "saturation": round(needed, 2), "least_of_others": round(min(others), 2),
                "green": round(planned if shown is None else shown, 3), "plan": plan.id,
            }  # fmt: skip
            found.append(
                Cause(
                    kind="signal", score=round(score, 2), evidence=evidence,
                    en=f"Its green is used up ({needed:.0%}) while another approach needs {min(others):.0%} of its own",
                    zh=f"本进口绿灯饱和度 {needed:.0%}，另一进口仅 {min(others):.0%}：配时与需求不符",
                )
            )  # fmt: skip
        return found

    def _groups(self, link: str) -> dict[str, float]:
        """The signal groups that those who come by a link obey, with the share of them."""
        lanes = self._roads.lane_by_id
        own = [
            way.group
            for way in self._roads.connections
            if way.group is not None
            and lanes[way.from_lane].link == link
            and way.turn == "straight"
        ] or [
            way.group
            for way in self._roads.connections
            if way.group is not None and lanes[way.from_lane].link == link
        ]
        return {group: own.count(group) / len(own) for group in own}

    def _saturation(self, link: Link, green: float) -> float:
        """Vehicles by what the green of all lanes lets through; 0 where nobody counted."""
        lanes = [lane for lane in self._roads.lanes_of(link.id) if lane.type in ("driving", "bus")]
        hours = (self._end - self._start) / _HOUR
        through = rules()["signal"]["saturation"] * max(len(lanes), 1) * green * hours
        return self._flows.vehicles.get(link.id, 0.0) / through if through > 0 else 0.0

    def _shown(self, node: str, groups: dict[str, float]) -> float | None:
        """The share of the window that groups really were green; None where nobody was told."""
        shares = [
            (green_share(self._signals, node, group, self._start, self._end), weight)
            for group, weight in groups.items()
        ]
        known = [(share, weight) for share, weight in shares if share is not None]
        total = sum(weight for _, weight in known)
        return sum(share * weight for share, weight in known) / total if total else None


def green_share(signals: SignalStates, node: str, group: str, start: int, end: int) -> float | None:
    """The share of a window in which a group was green, of the time that is known of.

    signals
        In order of time; None where they say nothing of the group.
    """
    rows = np.flatnonzero(signals.intersections.are(node) & signals.groups.are(group))
    if not len(rows):
        return None
    times = np.clip(np.append(signals.times[rows], end), start, end)
    lasted = np.diff(times)
    if not lasted.sum():
        return None
    green = np.isin(signals.lights[rows], _GREEN)
    return float(lasted[green].sum() / lasted.sum())


def plan_at(roads: RoadMap, node: str, at: int) -> Plan | None:
    """The plan of an intersection that is in force at a moment, None where none is."""
    for plan in roads.plans_of(node):
        if not plan.schedule or within(plan.schedule, at):
            return plan
    return None


def _planned(plan: Plan, groups: dict[str, float]) -> float:
    """The share of its cycle for which a plan shows groups green."""
    if not plan.cycle:
        return 0.0
    return (
        sum(
            phase.duration * weight
            for phase in plan.phases
            for group, weight in groups.items()
            if "green" in phase.lights.get(group, "red")
        )
        / plan.cycle
    )
