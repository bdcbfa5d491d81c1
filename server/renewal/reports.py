"""Renewal reports: which there are, what is asked of one, and what it is handed out as."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import shapely

from analysis.drawing_png import chinese_font
from analysis.renewal.projects import ProjectStanding
from analysis.renewal.standing import Campaign, campaign
from analysis.renewal.towns import together
from analysis.renewal.twin_areas import floor_areas
from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.renewal.lights import city_lights
from cim_core.renewal.orders import runs
from cim_core.renewal.words import Period, Title
from cim_core.renewal.working_days import city_days
from server.renewal import demolition_report, supervision_list
from server.renewal.asked import CHINA, town_entries, town_titles, units
from server.renewal.demolition_report import Days, Named
from server.renewal.letter import write_letter
from server.renewal.report import (
    LIGHTS,
    Form,
    Language,
    Place,
    Report,
    ReportId,
    Section,
    colored,
    day_text,
    said,
    title_of,
)
from server.renewal.report_book import write_book
from server.renewal.report_pdf import as_pdf
from server.renewal.supervision_list import order_of
from tiles.map_picture import Area, draw_plan

MEDIA_TYPES: Mapping[Form, str] = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_LONGEST_SCOPE = 6
"""Towns that are named in the head of a report of some of them."""
_EVER = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a report.

    end
        The last day that counts, of the week (from Monday on) or the month it lies in.
    known
        The moment whose knowledge is to be shown, milliseconds since 1970; None for all there is.
    town
        The id of the town that it is to be of; None for all that are seen.
    """

    report: ReportId
    period: Period
    end: date
    known: int | None = None
    town: str | None = None

    @property
    def start(self) -> date:
        """The first day of the period."""
        return _monday(self.end) if self.period == "week" else self.end.replace(day=1)

    @property
    def name(self) -> str:
        """What a file of it is called, without an ending."""
        return f"{self.report}-{self.period}-{self.end}"


def last_whole(period: Period, today: date) -> date:
    """The last day of the latest week or month that is over by the end of today.

    >>> last_whole("week", date(2025, 3, 9)).isoformat(), last_whole("week", date(2025, 3, 10)).isoformat()
    ('2025-03-09', '2025-03-09')
    >>> last_whole("month", date(2025, 3, 30)).isoformat()
    '2025-02-28'
    """
    tomorrow = today + timedelta(days=1)
    first = _monday(tomorrow) if period == "week" else tomorrow.replace(day=1)
    return first - timedelta(days=1)


def make_report(city: City, asked: Asked) -> Report:
    """A report of what is seen of a city; raises `NotFound` for a town that is not."""
    titles, every = town_titles(city), city.sight.towns is None and asked.town is None
    names: dict[str, Title] = {one["id"]: one["title"] for one in units(city)}
    if asked.town is not None:
        if asked.town not in titles:
            raise NotFound(f"there is no town {asked.town!r} here; GET /renewal/towns lists them")
        titles = {asked.town: titles[asked.town]}
    places: Sequence[Place]
    if asked.report == "demolition":
        sections, places = _demolition(city, asked, titles)
    else:
        sections, places = _supervision(city, asked, names), ()
    end = day_text(asked.end)
    return Report(
        asked.report, asked.period, asked.start, asked.end, asked.known, city.renewal.revision,
        title_of(asked.report, asked.period), _scope(every, titles),
        said("period", **{"from": day_text(asked.start), "to": end}),
        said("made", at=end) if asked.known is None else said("known", at=end, known=_moment(asked.known)),
        sections, places,
    )  # fmt: skip


def written(city: City, report: Report, form: Form, language: Language) -> bytes:
    """A report as a file.

    Raises `MissingDependency` for a PDF where there is no LibreOffice, `TooMany` while it is busy, and
    `InvalidInput` for a template of the city that cannot be filled in.
    """
    picture = _picture(city, report.places, language) if report.places else None
    if form == "xlsx":
        return write_book(report, language, picture)
    letter = write_letter(report, language, city.folder, picture)
    return as_pdf(letter) if form == "pdf" else letter


def _demolition(
    city: City, asked: Asked, titles: Mapping[str, Title]
) -> tuple[Sequence[Section], Sequence[Place]]:
    ledger, rules = city.renewal.ledger(), city_lights(city.folder)
    period, year, ever = (
        campaign(ledger, asked.end, asked.known, rules=rules, since=since)
        for since in (asked.start, asked.end.replace(month=1, day=1), _EVER)
    )
    ranks = {one.town: one.rank for one in period.towns}  # among all, even of a report of one
    period, year, ever = (
        _of_town(one, asked.town, rules.numbers.signing_gate) for one in (period, year, ever)
    )
    named = Named(lambda town: titles.get(town, town), ranks, _stage)
    told = {one.id for one in period.projects}
    areas = floor_areas(city, ledger, asked.end, asked.known)
    twin = {key: one for key, one in areas.items() if key in told}
    orders: dict[str, list[str]] = {}
    for order in ledger.documents("order", asked.end, asked.known).values():
        if runs(order.document):
            orders.setdefault(order.project, []).append(order.document["title"])
    sections = demolition_report.sections(
        Days(period, year, ever), asked.start, named, rules, twin, orders
    )
    return sections, demolition_report.places(period)


def _of_town(stood: Campaign, town: str | None, gate: float) -> Campaign:
    """The part of a campaign that was a town's on its day; all of it for None."""
    if town is None:
        return stood
    projects = tuple(one for one in stood.projects if one.town == town)
    return replace(
        stood,
        projects=projects,
        towns=tuple(one for one in stood.towns if one.town == town),
        totals=together(projects, gate),
    )


def _supervision(city: City, asked: Asked, names: Mapping[str, Title]) -> Sequence[Section]:
    ledger, days = city.renewal.ledger(), city_days(city.folder)
    projects = ledger.documents("project", asked.end, asked.known)

    def unit(name: str) -> Title | str:
        return names.get(name, name)

    orders = []
    for order in ledger.documents("order", asked.end, asked.known).values():
        if order.project in projects:
            project = projects[order.project].document
            if asked.town not in (None, project["town"]):
                continue
            town = unit(project["town"])
            orders.append(order_of(order.document, project["name"], town, asked.end, days))
    return supervision_list.sections(orders, asked.start, asked.end, unit)


def _scope(every: bool, titles: Mapping[str, Title]) -> Title:
    """Of which towns a report is."""
    if every or len(titles) > _LONGEST_SCOPE:
        return said("all_towns" if every else "towns", count=str(len(titles)))
    return {
        language: between.join(title[language] for title in titles.values())
        for language, between in (("en", ", "), ("zh", "、"))
    }


def _stage(project: ProjectStanding) -> Title | None:
    """What the stage is called that a project is in."""
    return next((one.title for one in project.stages if one.id == project.stage), None)


def _picture(city: City, places: Sequence[Place], language: Language) -> bytes:
    """The projects by light over their towns, as PNG."""
    font = chinese_font()
    spoken: Language = language if font else "en"  # without a font, what Latin letters can say
    towns = [one for one in town_entries(city) if one["boundary"]]
    areas = [
        Area(shapely.geometry.shape(one["boundary"]), None, one["title"].get(spoken, ""))
        for one in towns
    ]
    areas += [
        Area(
            shapely.geometry.shape(one.boundary),
            colored("light", one.light)["color"],
            str(one.number),
        )
        for one in places
    ]
    lights = [one.light for one in places]
    legend = [
        (
            colored("light", light)["color"],
            f"{colored('light', light)[spoken]} {lights.count(light)}",
        )
        for light in LIGHTS
    ]
    return draw_plan(areas, legend, font)


def _moment(known: int) -> Title:
    """A moment as people write it, where the days of the records are counted."""
    moment = datetime.fromtimestamp(known / 1000, UTC).astimezone(CHINA)
    return {
        language: f"{text} {moment:%H:%M}" for language, text in day_text(moment.date()).items()
    }


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
