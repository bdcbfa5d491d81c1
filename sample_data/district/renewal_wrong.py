"""What is wrong on purpose in the campaign; `renewal.toml` says which project has what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import shapely
import shapely.geometry

from sample_data.district.renewal_course import TODAY
from sample_data.district.renewal_events import Event, Holding, geojson
from sample_data.district.renewal_sites import campaign_table


@dataclass
class Campaign:
    """All that was recorded, to be spoilt here and there."""

    events: list[Event]
    holdings: Mapping[str, Holding]

    def __post_init__(self) -> None:
        self._of: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in self.events:
            self._of[event.kind, event.id].append(event)

    def of(self, kind: str, code: str) -> list[Event]:
        """The changes of one thing."""
        return self._of[kind, code]

    def document(self, kind: str, code: str) -> dict[str, Any]:
        """A thing as it was first told."""
        change = self._of[kind, code][0].change
        assert change is not None
        return change

    def ids(self, kind: str, project: str) -> list[str]:
        """The things of a kind that a project has."""
        return [
            code
            for (of, code), events in self._of.items()
            if of == kind and events and events[0].change and events[0].change["project"] == project
        ]

    def records(self, project: str, metric: str) -> list[Event]:
        """The records of a metric of a project, each as it was first told."""
        found = [self._of["progress", code][0] for code in self.ids("progress", project)]
        return [event for event in found if event.change and event.change["metric"] == metric]

    def drop(self, events: list[Event]) -> None:
        """Leave changes out."""
        gone = {id(event) for event in events}
        self.events[:] = [event for event in self.events if id(event) not in gone]

    def in_state(self, project: str, state: str) -> list[str]:
        """The buildings whose last state is that, by id."""
        return [
            code for code in self.ids("building", project)
            if (self._of["building", code][-1].change or {}).get("state") == state
        ]  # fmt: skip


def spoil(events: list[Event], holdings: list[Holding]) -> list[Event]:
    """The events with all that is wrong on purpose."""
    campaign = Campaign(events, {one.code: one for one in holdings})
    for wrong in campaign_table()["wrong"]:
        _WAYS[wrong["rule"]](campaign, wrong["project"])
    return campaign.events


def _demolished_unsigned(campaign: Campaign, project: str) -> None:
    gone = set(campaign.in_state(project, "demolished")[:2])
    for code in campaign.ids("household", project):
        if campaign.document("household", code)["building"] in gone:
            campaign.drop(campaign.of("household", code)[1:])


def _building_back(campaign: Campaign, project: str) -> None:
    on = TODAY - timedelta(days=9)
    last = min(
        (campaign.of("building", code)[-1] for code in campaign.in_state(project, "demolished")),
        key=lambda event: event.effective,
    )
    campaign.events.append(
        replace(last, recorded=_at(last, on), effective=on, change={"state": "signed"})
    )


def _building_twice(campaign: Campaign, project: str) -> None:
    first, second = campaign.ids("building", project)[:2]
    campaign.document("building", second)["feature"] = campaign.document("building", first)[
        "feature"
    ]


def _building_outside(campaign: Campaign, project: str) -> None:
    used = {
        event.change["feature"] for event in campaign.events
        if event.kind == "building" and event.change and event.change.get("layer") == "buildings"
    }  # fmt: skip
    free = next(code for code in (f"B{n:05d}" for n in range(1, 9999)) if code not in used)
    campaign.document("building", campaign.ids("building", project)[-1]).update(
        layer="buildings", feature=free
    )


def _twin_unknown(campaign: Campaign, project: str) -> None:
    for code in campaign.ids("building", project)[3:6]:
        for name in ("layer", "feature", "storeys", "floor_area"):
            del campaign.document("building", code)[name]


def _household_without_building(campaign: Campaign, project: str) -> None:
    for code in campaign.ids("household", project)[10:14]:
        del campaign.document("household", code)["building"]


def _reported(metric: str, factor: float) -> Callable[[Campaign, str], None]:
    def spoil_records(campaign: Campaign, project: str) -> None:
        for event in campaign.records(project, metric):
            for told in campaign.of("progress", event.id):
                if told.change and "actual" in told.change:
                    told.change["actual"] = round(told.change["actual"] * factor)

    return spoil_records


def _progress_overlap(campaign: Campaign, project: str) -> None:
    event = campaign.records(project, "investment")[-3]
    assert event.change is not None
    twice = {**event.change, "note": "重复填报"}
    campaign.events.append(
        replace(
            event, id=f"{event.id}.2", change=twice, recorded=event.recorded + timedelta(hours=3)
        )
    )


def _progress_missing(campaign: Campaign, project: str) -> None:
    campaign.drop(campaign.records(project, "investment")[-9:])


def _progress_over_target(campaign: Campaign, project: str) -> None:
    document = campaign.document("project", project)
    total = next(t["total"] for t in document["targets"] if t["metric"] == "investment")
    record = campaign.records(project, "investment")[-2].change
    assert record is not None
    record["actual"] += round(0.2 * total)


def _parcels_sum(campaign: Campaign, project: str) -> None:
    campaign.document("project", project)["parcels"].pop()


def _projects_overlap(campaign: Campaign, project: str) -> None:
    land = campaign.holdings[project].course.site.land
    others = [one.course.site.land for code, one in campaign.holdings.items() if code != project]
    near = min(others, key=land.distance)
    grown = shapely.union(land, land.buffer(6.0).intersection(near))
    campaign.document("project", project)["boundary"] = geojson(shapely.set_precision(grown, 0.001))


def _far_differs(campaign: Campaign, project: str) -> None:
    document = campaign.document("project", project)
    document["far"] = round(document["far"] * 1.4, 2)


def _stage_dates(campaign: Campaign, project: str) -> None:
    for event in campaign.of("project", project):
        stage = (event.change or {}).get("stages", {}).get("survey", {})
        if "ended" in stage:
            before = date.fromisoformat(stage["ended"]) - timedelta(days=365)
            stage["ended"] = before.isoformat()


def _task_dates(campaign: Campaign, project: str) -> None:
    document = campaign.document("task", campaign.ids("task", project)[-1])
    document["due"] = (date.fromisoformat(document["start"]) - timedelta(days=30)).isoformat()


def _order_closed_unanswered(campaign: Campaign, project: str) -> None:
    closed = next(
        code for code in campaign.ids("order", project)
        if (campaign.of("order", code)[-1].change or {}).get("state") == "closed"
    )  # fmt: skip
    states = ("answered", "returned")
    campaign.drop(
        [e for e in campaign.of("order", closed) if (e.change or {}).get("state") in states]
    )


def _plan_exceeds(campaign: Campaign, project: str) -> None:
    approved = campaign.document("project", project)["parcels"][1]["approved"]
    land = approved["floor_area"] / approved["far"]
    approved.update(far=3.6, floor_area=round(3.6 * land, 1), height=60.0)


def _demolition_before_gate(campaign: Campaign, project: str) -> None:
    for code in campaign.in_state(project, "signed")[:4]:
        last = campaign.of("building", code)[-1]
        for days, state in ((40, "handed-over"), (26, "demolished")):
            on = max(TODAY - timedelta(days=days), last.effective + timedelta(days=1))
            campaign.events.append(
                replace(last, recorded=_at(last, on), effective=on, change={"state": state})
            )


def _approval_lapses(campaign: Campaign, project: str) -> None:
    for event in campaign.of("project", project):
        if event.change and "approval" in event.change:
            event.change["approval"] = {"number": "示改批〔2023〕8号", "date": "2023-06-15"}


def _at(event: Event, on: date) -> Any:
    return event.recorded.replace(year=on.year, month=on.month, day=on.day)


_WAYS: Mapping[str, Callable[[Campaign, str], None]] = {
    "demolished-unsigned": _demolished_unsigned, "building-back": _building_back,
    "building-twice": _building_twice, "building-outside": _building_outside,
    "twin-unknown": _twin_unknown, "household-without-building": _household_without_building,
    "demolished-area-differs": _reported("floor-area-demolished", 1.35),
    "reported-count-differs": _reported("buildings-demolished", 1.3),
    "progress-overlap": _progress_overlap, "progress-missing": _progress_missing,
    "progress-over-target": _progress_over_target, "parcels-sum": _parcels_sum,
    "projects-overlap": _projects_overlap, "far-differs": _far_differs, "stage-dates": _stage_dates,
    "task-dates": _task_dates, "order-closed-unanswered": _order_closed_unanswered,
    "plan-exceeds": _plan_exceeds, "demolition-before-gate": _demolition_before_gate,
    "approval-lapses": _approval_lapses,
}  # fmt: skip
