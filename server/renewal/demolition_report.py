"""The demolition report of a week or a month: by town, by project, who has not signed, what to do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from analysis.renewal.projects import ProjectStanding
from analysis.renewal.standing import Campaign
from analysis.renewal.towns import TownStanding
from analysis.renewal.twin_areas import TwinAreas
from analysis.renewal.year_task import year_task
from cim_core.renewal.lights import LightRules
from cim_core.renewal.words import Title, metrics
from server.renewal.reasons import reason_text
from server.renewal.report import (
    LIGHTS,
    Cell,
    Place,
    Section,
    Table,
    day_text,
    figure,
    kinds,
    said,
    section_title,
    sentence,
    table_columns,
)

AREA, BUILDINGS, MONEY = "floor-area-demolished", "buildings-demolished", "investment"
_INDICATORS = (
    AREA, BUILDINGS, "buildings-handed-over", "households-signed", "land-cleared",
    "resettlement-started", "households-resettled", MONEY,
)  # fmt: skip
_REPORT = "demolition"
_REASONS = 3
"""Of a project that are told in full."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A metric of a project, or of several together, in its unit; None where nothing is planned.

    plan, actual
        Of the report's period.
    annual, done
        The task of its year, and what is done of it by the last day; None where there is no task.
    cumulative
        All there ever was.
    """

    plan: float | None
    actual: float
    cumulative: float
    annual: float | None
    done: float | None

    @property
    def share(self) -> float | None:
        """What of the year's task is done."""
        return self.done / self.annual if self.annual and self.done is not None else None


@dataclass(frozen=True)
class Days:
    """The same day's campaign, counted from three days on: the period's first, the year's, the first."""

    period: Campaign
    year: Campaign
    ever: Campaign

    @cached_property
    def _by_id(self) -> Sequence[Mapping[str, ProjectStanding]]:
        several = (self.period, self.year, self.ever)
        return [{project.id: project for project in one.projects} for one in several]

    def counts(self, metric: str, projects: Iterable[str]) -> Counts:
        """A metric over some projects."""
        found = [self._one(metric, project) for project in projects]
        return Counts(
            _sum(one.plan for one in found), sum(one.actual for one in found),
            sum(one.cumulative for one in found), _sum(one.annual for one in found),
            _sum(one.done for one in found),
        )  # fmt: skip

    def _one(self, metric: str, project: str) -> Counts:
        period, year, ever = (one[project].metrics.get(metric) for one in self._by_id)
        document = self._by_id[0][project].document
        annual = year_task(document, metric, self.period.at.year)
        if period is None or year is None or ever is None:
            return Counts(None, 0.0, 0.0, annual, None if annual is None else 0.0)
        done = None if annual is None else year.period_actual
        return Counts(period.period_plan, period.period_actual, ever.period_actual, annual, done)


@dataclass(frozen=True, slots=True)
class Named:
    """What ids are called: towns, and stages by their template; and how towns rank among all."""

    town: Callable[[str], Title | str]
    ranks: Mapping[str, int | None]
    stage: Callable[[ProjectStanding], Title | None]


def sections(
    days: Days,
    start: date,
    named: Named,
    rules: LightRules,
    twin: Mapping[str, TwinAreas],
    orders: Mapping[str, Sequence[str]],
) -> list[Section]:
    """All sections of the report; the projects in the order of their towns' ranks.

    orders
        The titles of those that run, by project.
    """
    projects = ordered(days.period)
    return [
        Section(
            "overview", section_title(_REPORT, "overview"), _overview(days, start, twin),
            _indicators(days),
        ),
        Section("towns", section_title(_REPORT, "towns"), (), _towns(days, named)),
        _coordination(projects, named, rules, orders),
        Section("map", section_title(_REPORT, "map"), (sentence(_REPORT, "map"),)),
        Section("projects", section_title(_REPORT, "projects"), (), _projects(days, projects, named)),
        _holdouts(projects, named),
    ]  # fmt: skip


def ordered(campaign: Campaign) -> Sequence[ProjectStanding]:
    """The projects as reports list them: town by town as they rank, the worst of each first."""
    place = {town.town: number for number, town in enumerate(campaign.towns)}
    return sorted(
        campaign.projects,
        key=lambda one: (place[one.town], 0.0 if one.points is None else one.points, one.id),
    )


def places(campaign: Campaign) -> list[Place]:
    """The projects on the map, numbered as they are listed."""
    return [
        Place(number, one.light, one.document["boundary"])
        for number, one in enumerate(ordered(campaign), start=1)
        if one.document.get("boundary")
    ]


def _overview(days: Days, start: date, twin: Mapping[str, TwinAreas]) -> list[Title]:
    campaign, total = days.period, days.period.totals
    at = day_text(campaign.at)
    ids = [one.id for one in campaign.projects]
    area, buildings = days.counts(AREA, ids), days.counts(BUILDINGS, ids)
    period: dict[str, str | Title] = {
        "from": day_text(start), "to": at, "actual": _area(area.actual),
        "buildings": str(round(buildings.actual)),
    }  # fmt: skip
    found = [
        sentence(
            _REPORT, "lights", at=at, projects=total.projects, towns=len(campaign.towns),
            green=total.lights["green"], yellow=total.lights["yellow"], red=total.lights["red"],
        ),
        sentence(
            _REPORT, "period", plan=_area(area.plan), share=_share(area.actual / area.plan), **period
        )
        if area.plan
        else sentence(_REPORT, "unplanned", **period),
        sentence(
            _REPORT, "cumulative", cumulative=_area(area.cumulative), year=campaign.at.year,
            annual=_area(area.annual), done=_area(area.done), share=_share(area.share),
        ),
        sentence(
            _REPORT, "signing", due=total.signing.due, signed=total.signing.signed,
            rate=_share(total.signing.rate),
            met=sum(one.signing.met for one in campaign.projects),
            signing_projects=sum(one.signing.due > 0 for one in campaign.projects),
            households=total.signing.due - total.signing.signed,
            buildings=total.buildings.get("unsigned", 0),
        ),
        sentence(_REPORT, "orders", open=total.orders_open, overdue=total.orders_overdue),
    ]  # fmt: skip
    return found + _beside_the_twin(campaign, twin)


def _beside_the_twin(campaign: Campaign, twin: Mapping[str, TwinAreas]) -> list[Title]:
    """What the twin's buildings say, of the projects of whose demolition they say all."""
    told = [
        one
        for one in campaign.projects
        if (areas := twin.get(one.id)) and areas.whole and areas.demolished + areas.existing
    ]
    counted = sum(twin[one.id].demolished for one in told)
    if not counted:
        return []
    reported = sum(one.floor_area_demolished_reported for one in told)
    return [
        sentence(
            _REPORT, "twin", twin_projects=len(told), twin=_area(counted), reported=_area(reported),
            difference=_area(reported - counted),
        )
    ]  # fmt: skip


def _indicators(days: Days) -> Table:
    ids = [one.id for one in days.period.projects]
    found = [(metrics()[name], days.counts(name, ids)) for name in _INDICATORS]
    kept = [(metric, counts) for metric, counts in found if counts.cumulative or counts.annual]
    rows: list[list[Cell]] = [
        [
            metric.title, metric.shown.unit, counts.plan, counts.actual, counts.cumulative,
            counts.annual, counts.done, counts.share,
        ]
        for metric, counts in kept
    ]  # fmt: skip
    shows = [metric.shown for metric, _ in kept]
    return Table("indicators", table_columns("indicators"), rows, None, shows)


def _towns(days: Days, named: Named) -> Table:
    rows = []
    for town in days.period.towns:
        ids = [one.id for one in days.period.projects if one.town == town.town]
        rows.append(
            _town(named.ranks[town.town], named.town(town.town), town, days.counts(AREA, ids))
        )
    ids = [one.id for one in days.period.projects]
    total = _town("", said("total"), days.period.totals, days.counts(AREA, ids))
    return Table("towns", table_columns("towns"), rows, total)


def _projects(days: Days, projects: Sequence[ProjectStanding], named: Named) -> Table:
    rows: list[list[Cell]] = []
    for number, one in enumerate(projects, start=1):
        area, money = (days.counts(metric, [one.id]) for metric in (AREA, MONEY))
        rows.append([
            number, named.town(one.town), one.document["name"], named.stage(one), area.plan,
            area.actual, area.cumulative, area.annual, area.done, area.share, one.points,
            one.signing.rate, money.cumulative, one.light,
        ])  # fmt: skip
    ids = [one.id for one in projects]
    area, money = (days.counts(metric, ids) for metric in (AREA, MONEY))
    total = days.period.totals
    last: list[Cell] = [
        "", said("total"), "", "", area.plan, area.actual, area.cumulative, area.annual, area.done,
        area.share, total.points, total.signing.rate, money.cumulative, "",
    ]  # fmt: skip
    return Table("projects", table_columns("projects"), rows, last)


def _holdouts(projects: Sequence[ProjectStanding], named: Named) -> Section:
    """Who has not signed, as numbers; where most are missing first."""
    missing = [
        one
        for one in projects
        if one.signing.due > one.signing.signed or one.buildings.get("unsigned", 0)
    ]
    missing.sort(key=lambda one: (one.signing.signed - one.signing.due, one.id))
    rows: list[list[Cell]] = [
        [
            number, named.town(one.town), one.document["name"], *_signing(one),
        ]
        for number, one in enumerate(missing, start=1)
    ]  # fmt: skip
    columns = table_columns("holdouts")
    names = [column.id for column in columns]
    sums = {
        name: _sum_of(rows, names.index(name))
        for name in ("due", "signed", "households", "buildings")
    }
    last: list[Cell] = ["", said("total"), "", *sums.values(), "", "", ""]
    if sums["due"]:
        last[names.index("rate")] = sums["signed"] / sums["due"]
    table = Table("holdouts", columns, rows, last if rows else None)
    told = () if rows else (sentence(_REPORT, "no_holdouts"),)
    return Section("holdouts", section_title(_REPORT, "holdouts"), told, table)


def _signing(one: ProjectStanding) -> list[Cell]:
    signing = one.signing
    # The fewest that make the share: 0.8 of 5 is 4, though not in floating point.
    needed = -int(-round(signing.gate * signing.due, 6) // 1)
    return [
        signing.due, signing.signed, signing.due - signing.signed, one.buildings.get("unsigned", 0),
        signing.rate, signing.gate, max(0, needed - signing.signed),
    ]  # fmt: skip


def _coordination(
    projects: Sequence[ProjectStanding],
    named: Named,
    rules: LightRules,
    orders: Mapping[str, Sequence[str]],
) -> Section:
    rows: list[list[Cell]] = []
    for one in projects:
        if one.light != "green" or one.orders.open or one.document.get("note"):
            rows.append([
                len(rows) + 1, named.town(one.town), one.document["name"], one.light,
                _matter(one, rules, orders.get(one.id, ())), one.orders.open, one.orders.overdue,
            ])  # fmt: skip
    told = sentence(_REPORT, "coordination" if rows else "no_coordination")
    table = Table("coordination", table_columns("coordination"), rows)
    return Section("coordination", section_title(_REPORT, "coordination"), (told,), table)


def _matter(one: ProjectStanding, rules: LightRules, orders: Iterable[str]) -> Title:
    """Why a project has its light, the first reasons in full; what is ordered; what was noted of it."""
    reasons = [
        reason_text(reason, one, rules)
        for reason in one.reasons
        if reason.light == one.light != "green"
    ]
    parts = reasons[:_REASONS]
    if len(reasons) > _REASONS:
        parts.append(sentence(_REPORT, "more", count=len(reasons) - _REASONS))
    parts += [sentence(_REPORT, "ordered", title=title) for title in orders]
    if note := str(one.document.get("note", "")):
        parts.append({"en": note, "zh": note})
    return {
        language: between.join(part[language] for part in parts)
        for language, between in (("en", "; "), ("zh", "；"))
    }


def _town(rank: Cell, town: Cell, standing: TownStanding, area: Counts) -> list[Cell]:
    signing = standing.signing
    return [
        rank, town, standing.projects, area.plan, area.actual, area.cumulative, area.annual,
        area.share, signing.rate, signing.due - signing.signed,
        standing.buildings.get("unsigned", 0), *(standing.lights[light] for light in LIGHTS),
    ]  # fmt: skip


def _sum(values: Iterable[float | None]) -> float | None:
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _sum_of(rows: Sequence[Sequence[Cell]], at: int) -> float:
    return sum(cell for row in rows if isinstance(cell := row[at], int))


def _area(value: float | None) -> str:
    return figure(value or 0.0, metrics()[AREA].shown)


def _share(value: float | None) -> str:
    return "—" if value is None else figure(value, kinds()["share"])
