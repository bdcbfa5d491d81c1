"""The table of projects as a file for spreadsheet programs, in the units people see."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from analysis.renewal.projects import DEMOLISHED, ProjectStanding
from cim_core.renewal.words import Metric, Title, metrics, titles
from server.spreadsheet import as_csv

Language = Literal["en", "zh"]


def project_table(
    projects: Iterable[tuple[ProjectStanding, Mapping[str, Any]]],
    towns: Mapping[str, Title],
    language: Language,
) -> bytes:
    """Projects, each with its entry in lists, as CSV."""
    heads = _heads()
    area = metrics()[DEMOLISHED]
    columns = [
        *(
            heads[name][language]
            for name in ("id", "name", "town", "type", "mode", "stage", "light")
        ),
        *(heads[name][language] for name in ("points", "due", "signed", "rate")),
        *(
            f"{_head(metric.title, metric, language)} {heads[what][language]}"
            for metric in metrics().values()
            for what in ("planned", "actual")
        ),
        *(_head(heads[f"demolished_{who}"], area, language) for who in ("twin", "reported")),
        *(heads[name][language] for name in ("orders_open", "orders_overdue", "reasons")),
    ]
    return as_csv(columns, (_row(one, entry, towns, language) for one, entry in projects))


def _row(
    project: ProjectStanding,
    entry: Mapping[str, Any],
    towns: Mapping[str, Title],
    language: Language,
) -> list[object]:
    stage = next((one.title[language] for one in project.stages if one.id == project.stage), "")
    town = towns.get(project.town, {}).get(language, project.town)
    rate, area = project.signing.rate, metrics()[DEMOLISHED]
    demolished = entry["demolished"]
    return [
        project.id, entry["name"], town, titles("project_types")[entry["type"]][language],
        titles("modes")[entry["mode"]][language], stage, _heads()["lights"][project.light][language],
        None if project.points is None else round(project.points, 2),
        project.signing.due, project.signing.signed, None if rate is None else round(100 * rate, 2),
        *(
            _shown(value, metric)
            for metric in metrics().values()
            for value in _of(project, metric)
        ),
        _shown(demolished["twin"], area), _shown(demolished["reported"], area),
        project.orders.open, project.orders.overdue,
        "; ".join(reason["text"][language] for reason in entry["reasons"]),
    ]  # fmt: skip


def _of(project: ProjectStanding, metric: Metric) -> tuple[float | None, float | None]:
    standing = project.metrics.get(metric.id)
    return (None, None) if standing is None else (standing.planned, standing.actual)


def _shown(value: float | None, metric: Metric) -> float | None:
    return None if value is None else round(value / metric.shown.factor, metric.shown.decimals)


def _head(title: Title, metric: Metric, language: Language) -> str:
    return f"{title[language]} ({metric.shown.unit[language]})"


@cache
def _heads() -> dict[str, Any]:
    return tomllib.loads(
        files("server.renewal").joinpath("project_table.toml").read_text(encoding="utf-8")
    )
