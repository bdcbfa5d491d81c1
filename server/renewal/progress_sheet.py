"""The workbook in which towns report progress, made for them with what there is already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from cim_core.city import City
from cim_core.errors import InvalidInput
from cim_core.renewal.events import Subject
from cim_core.renewal.words import Metric, Period, metrics, titles
from server.renewal.workbook import Column, SheetOut, write_workbook

KIND = "renewal-progress"
ABOUT = "_cim"
"""The hidden sheet that says what the workbook is."""
PROJECT, METRIC, VERSION = "project", "metric", "version"
"""The headers of the hidden columns: ids, and which version of a record the row began with."""

_SPARE = 20
_COLUMNS = (
    Column(PROJECT, hidden=True),
    Column(METRIC, hidden=True),
    Column(VERSION, hidden=True),
    Column("街镇 Town", 18),
    Column("项目 Project", 34, choices="projects"),
    Column("指标 Metric", 44, choices="metrics"),
    Column("单位 Unit", 16),
    Column("本期计划 Planned", 14, open=True),
    Column("本期完成 Done", 14, open=True),
    Column("说明 Note", 40, open=True),
)
PLACES = {
    name: place
    for place, name in enumerate(
        (PROJECT, METRIC, VERSION, "town", "project-title", "metric-title", "unit", "plan", "actual", "note")
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The days a record of progress is of, first and last included."""

    period: Period
    start: date
    end: date

    def fields(self) -> dict[str, str]:
        """The same as documents have it."""
        return {
            "period": self.period,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
        }


def span_of(period: Period, day: date) -> Span:
    """The week (Monday to Sunday) or the month a day lies in; raises `InvalidInput`.

    >>> span_of("week", date(2025, 3, 5)).end.isoformat(), span_of("month", date(2024, 2, 5)).end.day
    ('2025-03-09', 29)
    """
    if not 1990 <= day.year < 2200:  # so far from all days there are that none is added up to
        raise InvalidInput(f"{day} is no day that progress is reported of; give one of our time")
    if period == "week":
        start = day - timedelta(days=day.weekday())
        return Span(period, start, start + timedelta(days=6))
    start = day.replace(day=1)
    return Span(period, start, (start + timedelta(days=31)).replace(day=1) - timedelta(days=1))


def project_choice(key: str, document: Mapping[str, Any]) -> str:
    """A project as it is chosen in the sheet."""
    return f"{document['name']} ({key})"


def metric_choice(metric: Metric) -> str:
    """A metric as it is chosen in the sheet, with its unit.

    >>> metric_choice(metrics()["investment"])
    '完成投资 Investment (亿元)'
    """
    return f"{metric.title['zh']} {metric.title['en']} ({metric.shown.unit['zh']})"


def column_title(name: str) -> str:
    """The header of a column by its name in `PLACES`."""
    return _COLUMNS[PLACES[name]].title


def _records(city: City, span: Span) -> dict[tuple[str, str], Subject]:
    """What is recorded for just these days, by project and metric; the one changed last of several."""
    found = city.renewal.reported(span.start, span.end)
    found.sort(key=lambda record: (record.changed, record.id))
    return {
        (record.project, record.document["metric"]): record
        for record in found
        if all(record.document[name] == value for name, value in span.fields().items())
    }


def progress_sheet(
    city: City, span: Span, projects: Sequence[Subject], towns: Mapping[str, Mapping[str, str]]
) -> bytes:
    """The workbook for some projects and days: a row for each metric a project has a target or a record of.

    `towns` are what towns are called, by id.
    """
    rows: list[Sequence[object]] = []
    found = _records(city, span)
    for project in sorted(projects, key=lambda one: (one.document["town"], one.id)):
        town = towns.get(project.document["town"], {})
        title = " ".join(dict.fromkeys(town[name] for name in ("zh", "en") if town.get(name)))
        wanted = {target["metric"] for target in project.document.get("targets", ())}
        for metric in metrics().values():
            record = found.get((project.id, metric.id))
            if record is None and metric.id not in wanted:
                continue
            said = record.document if record else {}
            rows.append((
                project.id, metric.id, record.version if record else 0,
                title or project.document["town"], project_choice(project.id, project.document),
                metric_choice(metric), " / ".join(dict.fromkeys(metric.shown.unit[name] for name in ("zh", "en"))),
                _shown(said.get("plan"), metric), _shown(said.get("actual"), metric), said.get("note"),
            ))  # fmt: skip
    word = titles("periods")[span.period]
    table = SheetOut(
        "进度 Progress", _COLUMNS, rows, spare=_SPARE, protected=True,
        heading=(
            "三旧改造进度填报表 Renewal progress",
            f"{word['zh']} {word['en']}: {span.start} – {span.end}",
            "只填写黄色单元格，数值按指标所注单位 Fill in the yellow cells only, in the unit named with the metric",
        ),
    )  # fmt: skip
    about = [("kind", KIND), *span.fields().items()]
    hidden = SheetOut(ABOUT, (Column("key"), Column("value")), about, hidden=True)
    choices = {
        "projects": [project_choice(one.id, one.document) for one in projects],
        "metrics": [metric_choice(metric) for metric in metrics().values()],
    }
    return write_workbook([table, hidden], choices)


def _shown(value: float | None, metric: Metric) -> float | None:
    """A stored value as it is shown, without what dividing adds to it."""
    return None if value is None else float(f"{value / metric.shown.factor:.12g}")
