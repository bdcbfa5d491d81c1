"""Rules of the check report about buildings, households and signing."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise
from typing import Literal

import shapely

from analysis.renewal.examined import Check, CheckRule, Examined, Found, word
from analysis.renewal.twin_areas import was_demolished
from cim_core.renewal.present import in_turn
from cim_core.renewal.words import titles

_EXAMPLES = 5


def _unsigned(examined: Examined) -> Counter[str]:
    """How many households have not signed, by their building."""
    rows = examined.households
    return Counter(
        building
        for building, state in zip(rows.buildings, rows.states.tolist(), strict=True)
        if building and state == 0
    )


def _with_unsigned(examined: Examined, *, demolished: bool) -> Iterator[Found]:
    rows, unsigned = examined.buildings, _unsigned(examined)
    gone = was_demolished(rows)
    for place, building in enumerate(rows.ids):
        signed = gone[place] if demolished else rows.states[place] > 0 and not gone[place]
        if signed and unsigned[building]:
            values = {
                "name": examined.building_name(place),
                "state": word("building_states", int(rows.states[place])),
                "households": unsigned[building],
            }
            yield Found(_project(examined, place), "building", building, values)


def demolished_unsigned(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Buildings that are gone, with households that have not signed."""
    return _with_unsigned(examined, demolished=True)


def signed_unsigned(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Buildings that count as signed, with households that have not."""
    return _with_unsigned(examined, demolished=False)


def building_back(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Buildings whose state went backwards from one day to a later one."""
    rows = examined.buildings
    names = {one: examined.building_name(place) for place, one in enumerate(rows.ids)}
    return _back(examined, "building", "building_states", names)


def household_back(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Households whose state went backwards."""
    names = {one: one for one in examined.households.ids}
    return _back(examined, "household", "household_states", names)


def _back(
    examined: Examined, kind: Literal["building", "household"], group: str, names: Mapping[str, str]
) -> Iterator[Found]:
    order = {state: place for place, state in enumerate(titles(group))}
    steps: defaultdict[str, list[tuple[date, int]]] = defaultdict(list)
    projects: dict[str, str] = {}
    for event in examined.ledger.events:
        change = event.change
        if event.kind == kind and change and (event.version == 1 or "state" in change):
            state = order[change.get("state") or "unsigned"]
            steps[event.id].append((event.effective, state))
            projects[event.id] = event.project
    for subject, told in steps.items():
        # Of what was told of one day the last holds: a correction is no step back.
        days = {day: state for day, state in in_turn(told) if day <= examined.at}
        way = list(days.items())
        backwards = [
            (before, after, day) for (_, before), (day, after) in pairwise(way) if after < before
        ]
        if backwards and subject in names:
            before, after, day = backwards[-1]
            values = {
                "name": names[subject], "before": word(group, before), "after": word(group, after),
                "day": day.isoformat(),
            }  # fmt: skip
            yield Found(projects[subject], kind, subject, values)


def household_without_building(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Households that name no building, or none of their project."""
    places = dict(zip(examined.buildings.ids, examined.buildings.projects.tolist(), strict=True))
    rows = examined.households
    for household, building, project in zip(
        rows.ids, rows.buildings, rows.projects.tolist(), strict=True
    ):
        if places.get(building) != project:
            values = {"name": household}
            yield Found(examined.ledger.projects[project], "household", household, values)


def building_twice(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Buildings that are the same feature of the twin as one before."""
    rows = examined.buildings
    first: dict[tuple[str, str], int] = {}
    for place, named in enumerate(zip(rows.layers, rows.features, strict=True)):
        if not named[0]:
            continue
        other = first.setdefault(named, place)
        if other != place:
            values = {
                "name": examined.building_name(place), "layer": named[0], "feature": named[1],
                "other": examined.building_name(other), "other_project": _project(examined, other),
            }  # fmt: skip
            yield Found(_project(examined, place), "building", rows.ids[place], values)


def building_outside(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Buildings more than a part of which lies outside the boundary of their project."""
    rows = examined.buildings
    for place, named in enumerate(zip(rows.layers, rows.features, strict=True)):
        project = _project(examined, place)
        twin, boundary = examined.twins.get(named), examined.boundaries.get(project)
        if twin is None or boundary is None:
            continue
        outside = shapely.area(shapely.difference(twin.outline, boundary)) / twin.outline.area
        if outside > rule.limits["share"]:
            values = {"name": examined.building_name(place), "share": round(float(outside), 4)}
            yield Found(project, "building", rows.ids[place], values)


def twin_unknown(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects with buildings whose area the twin cannot tell."""
    places = {building: place for place, building in enumerate(examined.buildings.ids)}
    for project, areas in examined.areas.items():
        if areas.unknown:
            names = [examined.building_name(places[one]) for one in areas.unknown[:_EXAMPLES]]
            more = ["…"] if len(areas.unknown) > _EXAMPLES else []
            values = {"count": len(areas.unknown), "examples": ", ".join([*names, *more])}
            yield Found(project, "project", project, values)


def demolition_before_gate(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects in which demolition began though too few households have signed."""
    for project, signing in examined.signing.items():
        if project in examined.demolishing and signing.rate < examined.gate:
            values = {
                "rate": round(signing.rate, 4), "due": signing.due, "gate": examined.gate,
            }  # fmt: skip
            yield Found(project, "project", project, values)


def approval_lapses(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects approved years ago for which too few households have signed."""
    years = int(rule.limits["years"])
    for project, signing in examined.signing.items():
        known = examined.projects.get(project)
        approved = known.approval.date if known and known.approval else None
        if approved is None or signing.rate >= examined.gate:
            continue
        if _years_later(approved, years) <= examined.at:
            values = {
                "approved": approved.isoformat(), "years": years, "due": signing.due,
                "rate": round(signing.rate, 4), "gate": examined.gate,
            }  # fmt: skip
            yield Found(project, "project", project, values)


def demolition_before_approval(examined: Examined, rule: CheckRule) -> Iterator[Found]:
    """Projects in which demolition began and no approval is recorded."""
    for key, project in examined.projects.items():
        if key in examined.demolishing and project.approval is None:
            yield Found(key, "project", key, {})


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + years, month=3, day=1)


def _project(examined: Examined, place: int) -> str:
    return examined.ledger.projects[int(examined.buildings.projects[place])]


CHECKS: Mapping[str, Check] = {
    "demolished-unsigned": demolished_unsigned,
    "signed-unsigned": signed_unsigned,
    "building-back": building_back,
    "household-back": household_back,
    "household-without-building": household_without_building,
    "building-twice": building_twice,
    "building-outside": building_outside,
    "twin-unknown": twin_unknown,
    "demolition-before-gate": demolition_before_gate,
    "approval-lapses": approval_lapses,
    "demolition-before-approval": demolition_before_approval,
}
