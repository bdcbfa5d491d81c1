"""Why a road is congested: what the twin knows, ranked, each with what speaks for it.

A cause is told with the figures it rests on. Its score ranks it beside the others of the same place; it
is no probability. Scores and what they are made of: `causes.toml`.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from analysis.traffic.causes_known import Flows, Gauge, events_of, gauges, ramp, rules
from analysis.traffic.causes_signal import SignalReasons
from analysis.traffic.event_map import ZONE
from cim_core.city import City
from cim_core.traffic.event import Cause, CauseKind, TrafficEvent
from cim_core.traffic.moving import in_order
from cim_core.traffic.roads import Link, RoadMap, RoadWork
from cim_core.vicinity import distances

_OF_EVENTS: dict[str, CauseKind] = {
    "abnormal-stop": "incident", "wrong-way": "incident", "pedestrian": "incident",
    "hard-braking": "incident", "signal-failure": "signal-failure", "queue-spillback": "spillback",
    "notice": "notice",
}  # fmt: skip
_SAID: dict[CauseKind, tuple[str, str]] = {
    "accident": ("An accident", "疑似交通事故"), "incident": ("An incident", "交通事件"),
    "signal-failure": ("The signal is out of order", "信号灯故障"),
    "spillback": ("The queue of the next road reaches back", "下游排队溢出"),
    "notice": ("A roadside unit gives notice", "路侧单元通告"),
}  # fmt: skip
_LIT = 600_000
"""A light that was told so many milliseconds before a window may still be on in it."""


class Reasons:
    """What is known of the roads of a map in a window, start ≤ time < end; asked for link by link.

    events
        Those that were on at some time of it; None for those the city has.
    flows
        Nothing is said of demand without them.
    gauges
        Rain gauges; None for those the city sees.
    """

    def __init__(
        self, city: City, layer: str, roads: RoadMap, start: int, end: int, *,
        flows: Flows | None = None, events: Iterable[TrafficEvent] | None = None,
        gauges: Sequence[Gauge] | None = None,
    ) -> None:  # fmt: skip
        self._city, self._roads = city, roads
        self._start, self._end = start, end
        self._flows = flows or Flows()
        self._events = list(events_of(city, layer, start, end) if events is None else events)
        before = city.traffic.signals(layer, start - _LIT, end)
        self._signals = SignalReasons(roads, in_order(before), start, end, self._flows)
        self._gauges = gauges

    def of_link(self, link: str, *, without: Sequence[str] = ()) -> tuple[Cause, ...]:
        """The causes of congestion on a link, the strongest first.

        without
            Keys of events that are no cause: of an event that is asked about itself.
        """
        one = self._roads.link_by_id.get(link)
        if one is None:
            return ()
        found = [
            *self._incidents(one, without), *self._works(one), *self._wet(one), *self._demand(one),
            *self._signals.of_link(one),
        ]  # fmt: skip
        best: dict[CauseKind, Cause] = {}
        for cause in found:
            if cause.score >= rules()["general"]["least"]:
                known = best.get(cause.kind)
                best[cause.kind] = cause if known is None or cause.score > known.score else known
        return tuple(sorted(best.values(), key=lambda cause: -cause.score))

    def of_event(self, event: TrafficEvent) -> tuple[Cause, ...]:
        """Why something is so, as far as it is not said already: of queues, and who stands in them."""
        if event.link is None or event.kind not in ("queue-spillback", "hard-braking"):
            return event.causes
        known = {cause.kind for cause in event.causes}
        more = (
            one for one in self.of_link(event.link, without=(event.key,)) if one.kind not in known
        )
        return (*event.causes, *more)

    def _ahead(self, link: Link) -> set[str]:
        """The links that one can go on to from a link."""
        lanes = self._roads.lane_by_id
        return {
            lanes[way.to_lane].link
            for way in self._roads.connections
            if lanes[way.from_lane].link == link.id
        }

    def _incidents(self, link: Link, without: Sequence[str]) -> list[Cause]:
        rule = rules()["incident"]
        ahead = self._ahead(link)
        found = []
        for event in self._events:
            kind = _OF_EVENTS.get(event.kind)
            if kind is None or event.key in without:
                continue
            if event.causes and event.causes[0].kind == "accident":
                kind = "accident"
            at_end = event.link is None and event.intersection == link.end
            if (event.link == link.id and kind != "spillback") or (at_end and link.end):
                share = rule["here"]
            elif event.link in ahead:
                share = rule["here"] if kind == "spillback" else rule["ahead"]
            else:
                continue
            found.append(_incident(kind, event, share, link))
        return found

    def _works(self, link: Link) -> list[Cause]:
        rule = rules()["works"]
        lanes = {lane.id: lane.link for lane in self._roads.lanes}
        ahead = self._ahead(link)
        found = []
        for work in self._roads.works:
            if not _overlaps(work, self._start, self._end):
                continue
            links = {*work.links, *(lanes[lane] for lane in work.lanes if lane in lanes)}
            share = 1.0 if link.id in links else rule["ahead"] if links & ahead else 0.0
            if share:
                where = "here" if link.id in links else "ahead"
                evidence = {
                    "works": work.id, "name": work.name, "limit": work.limit, "where": where,
                    "lanes": ", ".join(work.lanes), "first": work.first.isoformat(),
                    "last": work.last.isoformat(),
                }  # fmt: skip
                named = f" “{work.name}”" if work.name else ""
                found.append(
                    Cause(
                        kind="works", score=round(share * rule[work.limit], 2),
                        en=f"Road works{named} {'on it' if where == 'here' else 'on the road ahead'}",
                        zh=f"{'本路段' if where == 'here' else '前方路段'}道路施工"
                        + (f"“{work.name}”" if work.name else ""),
                        evidence=evidence,
                    )
                )  # fmt: skip
        return found

    def _wet(self, link: Link) -> list[Cause]:
        """Rain as the nearest gauge had it."""
        rule = rules()["rain"]
        if self._gauges is None:
            self._gauges = gauges(self._city, self._start, self._end)
        if not self._gauges:
            return []
        lon, lat = link.line[len(link.line) // 2][:2]
        points = shapely.points(np.array([gauge.place for gauge in self._gauges]))
        away = distances(points, lon, lat)
        nearest = int(np.argmin(away))
        rate = self._gauges[nearest].rate
        score = rule["most"] * ramp(rate, rule["from"], rule["to"])
        if away[nearest] > rule["reach"] or not score:
            return []
        evidence = {"mm_per_hour": round(rate, 1), "gauge_m": round(float(away[nearest]))}
        return [
            Cause(
                kind="rain", score=round(score, 2), evidence=evidence,
                en=f"Rain of {rate:.1f} mm/h at the gauge {away[nearest]:.0f} m away",
                zh=f"附近 {away[nearest]:.0f} 米雨量站测得雨强 {rate:.1f} 毫米/小时",
            )
        ]  # fmt: skip

    def _demand(self, link: Link) -> list[Cause]:
        rule = rules()["demand"]
        now, usual = self._flows.vehicles.get(link.id, 0.0), self._flows.usual.get(link.id, 0.0)
        if now < rule["vehicles"] or not usual:
            return []
        ratio = now / usual
        before = self._flows.against == "just before"
        most = rule["most"] * (rule["just_before"] if before else 1.0)
        score = most * ramp(ratio, rule["from"], rule["to"])
        evidence = {
            "vehicles": now, "usual": round(usual, 1), "ratio": round(ratio, 2),
            "compared_with": self._flows.against,
        }  # fmt: skip
        when = (
            ("in the same time before", "前一时段") if before else ("on earlier days", "往日同期")
        )
        return [
            Cause(
                kind="demand", score=round(score, 2), evidence=evidence,
                en=f"{now:.0f} vehicles, {ratio:.1f} times as many as {when[0]}",
                zh=f"车流 {now:.0f} 辆，为{when[1]}的 {ratio:.1f} 倍",
            )
        ]  # fmt: skip


def _incident(kind: CauseKind, event: TrafficEvent, share: float, link: Link) -> Cause:
    where = ("on it", "本路段") if event.link == link.id else ("ahead", "前方")
    if event.link is None:
        where = ("at its end", "路口")
    said = _SAID[kind]
    return Cause(
        kind=kind, score=round(share * event.confidence, 2),
        en=f"{said[0]} {where[0]} ({event.key})", zh=f"{where[1]}{said[1]}（{event.key}）",
        evidence={
            "event": event.key, "begun": event.begun, "ended": event.ended,
            "confidence": event.confidence, "link": event.link,
        },
    )  # fmt: skip


def _overlaps(work: RoadWork, start: int, end: int) -> bool:
    first, last = (
        (moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).timestamp() * 1000
        for moment in (work.first, work.last)
    )
    return first < end and last > start
