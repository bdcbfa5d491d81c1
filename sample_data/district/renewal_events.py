"""What was recorded of projects, their buildings and their households, as dated changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import numpy as np
import pyproj
import shapely.geometry

from sample_data.district.plan import CRS, Floats, Shape, plan, random
from sample_data.district.renewal_course import FIRST, NOW, TODAY, Course, day, plan_of
from sample_data.district.renewal_sites import campaign_table

LAST = datetime.combine(TODAY, time(17, 30))
BROUGHT = datetime.combine(FIRST - timedelta(days=3), time(9, 0))
"""When the projects that there were already came in."""


@dataclass(slots=True)
class Event:
    """A change as the file has it; `recorded` is local time, UTC+8."""

    recorded: datetime
    effective: date
    kind: str
    id: str
    change: dict[str, Any] | None
    name: str


@dataclass(frozen=True, slots=True)
class Holding:
    """What a project has, and when what became of it: (n,) of buildings, (h,) of households.

    Weeks are NaN for what has not happened; a household's `of` is the place of its building.
    """

    course: Course
    kept: Any
    signed: Floats
    handed: Floats
    demolished: Floats
    rebuilding: Floats
    rebuilt: Floats
    of: Any
    household_signed: Floats
    household_moved: Floats
    household_back: Floats

    @property
    def code(self) -> str:
        """The id of the project."""
        return self.course.site.code

    @property
    def entered(self) -> date:
        """The day from which on the project is there."""
        if self.course.entered > 0:
            return day(self.course.entered)
        return min(BROUGHT.date(), day(self.course.begins - 8))

    def totals(self) -> dict[str, float]:
        """How much of each metric there is to do."""
        site = self.course.site
        wrecked = site.areas[~self.kept]
        land = sum(p.shape.area for p in site.parts if p.use != "kept")
        built = {p.use: p.approved["floor_area"] for p in site.parts}
        resettled = round(built.get("resettlement", 0.0), -1)
        return {
            "households-signed": float(len(self.of)), "buildings-signed": float(len(self.kept)),
            "buildings-handed-over": float((~self.kept).sum()),
            "buildings-demolished": float((~self.kept).sum()),
            "floor-area-demolished": round(float(wrecked.sum()), 1), "land-cleared": round(land),
            "resettlement-started": resettled, "resettlement-topped-out": resettled,
            "resettlement-completed": resettled, "households-resettled": float(len(self.of)),
            "financing-started": round(built.get("financing", 0.0), -1),
            "investment": investment(self.course),
        }  # fmt: skip


def investment(course: Course) -> float:
    """What a project costs, CNY."""
    planned = sum(part.approved["floor_area"] for part in course.site.parts)
    each = 1_500.0 if course.site.form == "micro" else 6_800.0
    return float(round(planned * each, -6))


def share_households(courses: list[Course], seed: int) -> list[Any]:
    """In which of its project's buildings each household lives, (h,) places, project by project."""
    rng = random(seed, "households")
    least, weights = [], []
    for course in courses:
        homes = np.array([use != "industrial" for use in course.site.uses])
        works = course.site.form in ("purchase", "self")
        first = np.arange(len(homes)) < 3 if works else homes
        least.append(first.astype(int))
        weights.append(np.where(homes & (not works), course.site.areas, 0.0))
    flat, weight = np.concatenate(least), np.concatenate(weights)
    rest = int(campaign_table()["households"]) - int(flat.sum())
    flat = flat + rng.multinomial(rest, weight / weight.sum())
    counts = np.split(flat, np.cumsum([len(one) for one in least])[:-1])
    return [np.repeat(np.arange(len(one)), one) for one in counts]


def holding(course: Course, of: Any, seed: int) -> Holding:
    """When what became of a project's buildings and households."""
    rng = random(seed, f"holding {course.site.code}")
    site = course.site
    n = len(site.features)
    keeps = site.form == "micro"
    share = campaign_table()["form"][site.form]["parcels"].get("kept", 0.0)
    kept = np.full(n, keeps) if keeps or not share else site.along > 1 - share
    signed = course.when("buildings-signed", site.along)
    down = np.where(kept, np.nan, site.along / max(1e-9, 1 - (0.0 if keeps else share)))
    handed = course.when("buildings-handed-over", down)
    handed = np.maximum(handed, signed + 0.4)
    fallen = course.when("buildings-demolished", down)
    fallen = _told(np.maximum(fallen, handed + 0.6))
    home = next((p.shape for p in site.parts if p.use == "resettlement"), None)
    part = home.area / site.land.area if home is not None else 0.0
    again = np.where(site.along < part, site.along / max(part, 1e-9), np.nan)
    starts = course.when("resettlement-started", again)
    starts = np.maximum(starts, fallen + 1.0)
    done = np.maximum(course.when("resettlement-completed", again), starts + 4.0)
    early = rng.exponential(1.6, len(of)) * (rng.random(len(of)) < 0.7)
    early[np.unique(of, return_index=True)[1]] = 0.0
    theirs = signed[of] - early
    # Who lives with others may sign though these do not.
    lone = np.isnan(theirs) & (rng.random(len(of)) < 0.06) & (course.begins < NOW - 4)
    theirs = np.where(lone, rng.uniform(max(course.begins, -20), NOW, len(of)), theirs)
    moved = handed[of] - rng.uniform(0.0, 3.0, len(of))
    moved = np.minimum(np.maximum(moved, theirs + 0.2), handed[of])
    back = course.when("households-resettled", (np.argsort(np.argsort(of + rng.random(len(of)))) + 0.5) / max(1, len(of)))  # fmt: skip
    back = np.maximum(back, moved + 1.0)
    return Holding(
        course, kept, _told(signed), _told(handed), _told(fallen), _told(starts), _told(done), of,
        _told(theirs), _told(moved), _told(back),
    )  # fmt: skip


def _told(weeks: Floats) -> Floats:
    """What had not happened by the end of the last week that was reported is not there."""
    over = weeks >= campaign_table()["weeks"]
    return np.where(np.isnan(weeks) | over, np.nan, weeks)


def project_events(of: Holding, seed: int) -> Iterator[Event]:
    """The project with what is planned, and its approval when it comes."""
    course, site = of.course, of.course.site
    rng = random(seed, f"project {of.code}")
    form = campaign_table()["form"][site.form]
    parts = [
        {
            "id": part.code, "use": part.use, "geometry": geojson(part.shape),
            "land_area": round(part.shape.area, 1), "approved": dict(part.approved),
            **({"planned": part.planned} if part.planned else {}),
        }
        for part in site.parts
    ]  # fmt: skip
    land = round(sum(part["land_area"] for part in parts), 1)
    planned = round(sum(p.approved["floor_area"] for p in site.parts), 1)
    village = site.zh if site.form == "village" else ""
    stages = {
        stage: {
            "planned_start": day(course.begins + start).isoformat(),
            "planned_end": (day(course.begins + end) - timedelta(days=1)).isoformat(),
        }
        for stage, (start, end) in form["stages"].items()
    }
    document: dict[str, Any] = {
        "name": f"{site.zh}{_TITLES[site.form]}", "type": form["type"], "mode": form["mode"],
        "town": site.town, "template": form["template"], "village": village,
        "owner": f"{site.zh}经济联合社" if village else f"{site.zh}权属单位",
        "lead": "区住房和建设局", "entity": f"{site.zh}改造项目公司",
        "partner": f"合作企业{int(rng.integers(1, 25)):02d}" if site.form in ("village", "town") else "",
        "boundary": geojson(site.land), "parcels": parts, "land_area": land,
        "floor_area_existing": round(float(site.areas.sum()), 1), "floor_area_planned": planned,
        "far": round(planned / land, 3), "investment": investment(course), "stages": stages,
        "targets": plan_of(course, of.totals()),
    }  # fmt: skip
    yield Event(_entered(of), of.entered, "project", of.code, document, _OFFICE)
    if "approval" in form["stages"]:
        approved = day(course.begins + form["stages"]["approval"][1])
        number = f"示改批〔{approved.year}〕{int(site.code[-3:])}号"
        change = {"approval": {"number": number, "date": approved.isoformat()}}
        if approved <= TODAY:
            on = max(approved, of.entered)
            yield Event(moment(on, rng), on, "project", of.code, change, _OFFICE)


def building_events(of: Holding, seed: int) -> Iterator[Event]:
    """Each building as it was surveyed, and each of its states."""
    site = of.course.site
    rng = random(seed, f"buildings {of.code}")
    surveyed = np.round(site.areas * rng.normal(1.0, 0.015, len(site.areas)), 1)
    columns = (of.signed, of.handed, of.demolished, of.rebuilding, of.rebuilt)
    office = office_of(site.town)
    for n, feature in enumerate(site.features):
        code = building_code(of.code, n)
        document = {
            "project": of.code, "layer": site.layer, "feature": feature, "name": site.names[n],
            "floor_area": max(float(surveyed[n]), 1.0), "storeys": float(site.floors[n]),
        }  # fmt: skip
        yield Event(_entered(of, 1), of.entered, "building", code, document, _OFFICE)
        for state, weeks in zip(_STATES, columns, strict=True):
            if not np.isnan(weeks[n]):
                on = max(day(float(weeks[n])), of.entered)
                yield Event(moment(on, rng), on, "building", code, {"state": state}, office)


def household_events(of: Holding, first: int, seed: int) -> Iterator[Event]:
    """Each household and each of its states; `first` is the number of the first."""
    site = of.course.site
    rng = random(seed, f"people {of.code}")
    count = len(of.of)
    sharing = np.bincount(of.of, minlength=len(site.features))[of.of]
    legal = site.areas[of.of] / sharing * rng.uniform(0.6, 0.95, count)
    over = site.areas[of.of] / sharing - legal
    persons = np.clip(rng.poisson(2.4, count) + 1, 1, 9)
    columns = (of.household_signed, of.household_moved, of.household_back)
    office = office_of(site.town)
    for n in range(count):
        code = f"H{first + n:05d}"
        document = {
            "project": of.code, "number": f"{n + 1:04d}", "building": building_code(of.code, int(of.of[n])),
            "holder": f"户主{first + n:04d}", "persons": int(persons[n]),
            "area_legal": round(float(legal[n]), 1), "area_illegal": round(float(over[n]), 1),
        }  # fmt: skip
        yield Event(_entered(of, 2), of.entered, "household", code, document, _OFFICE)
        for state, weeks in zip(("signed", "handed-over", "resettled"), columns, strict=True):
            if not np.isnan(weeks[n]):
                on = max(day(float(weeks[n])), of.entered)
                yield Event(moment(on, rng), on, "household", code, {"state": state}, office)


def building_code(project: str, number: int) -> str:
    """The id of a project's building."""
    return f"{project}-{number + 1:04d}"


def office_of(town: str) -> str:
    """Who reports for a town."""
    return f"{_towns()[town]}更新办"


def moment(on: date, rng: np.random.Generator) -> datetime:
    """When something of a day is recorded: that day or some days later, rarely weeks later."""
    late = int(rng.integers(0, 4)) if rng.random() < 0.97 else int(rng.integers(14, 43))
    at = datetime.combine(on + timedelta(days=late), time(9, 0)) + timedelta(minutes=int(rng.integers(0, 500)))  # fmt: skip
    return min(max(at, BROUGHT + timedelta(hours=1)), LAST)


def geojson(shape: Shape) -> dict[str, Any]:
    """A shape in degrees, some millimetres fine."""
    east, north = plan().origin

    def degrees(xy: Floats) -> Floats:
        lon, lat = _to_degrees().transform(xy[:, 0] + east, xy[:, 1] + north)
        return np.column_stack([lon, lat]).round(8)

    found: dict[str, Any] = shapely.geometry.mapping(shapely.transform(shape, degrees))
    return found


@cache
def _to_degrees() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)


def _entered(of: Holding, minutes: int = 0) -> datetime:
    at = BROUGHT if of.course.entered == 0 else datetime.combine(of.entered, time(9, 0))
    return at + timedelta(minutes=minutes)


def _towns() -> Mapping[str, str]:
    table = campaign_table()
    return {**table["district_towns"], **{town["id"]: town["zh"] for town in table["neighbour"]}}


_STATES = ("signed", "handed-over", "demolished", "rebuilding", "rebuilt")
_OFFICE: str = campaign_table()["offices"]["district"]
_TITLES = {
    "village": "全面改造项目", "town": "全面改造项目", "purchase": "收储项目", "self": "自行改造项目",
    "micro": "微改造项目",
}  # fmt: skip
