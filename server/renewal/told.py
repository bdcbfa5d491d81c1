"""Renewal as the API tells it: how projects and towns stand, in plain JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from analysis.renewal.progress_series import Series
from analysis.renewal.projects import MetricStanding, ProjectStanding
from analysis.renewal.remembered import remembered
from analysis.renewal.schedule import StageStanding
from analysis.renewal.towns import SummedMetric, TownStanding
from analysis.renewal.twin_areas import TwinAreas
from cim_core.city import City
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import LightRules, city_lights
from cim_core.renewal.stages import templates
from cim_core.renewal.words import metrics, titles
from server.access.access import Access
from server.renewal.asked import rights_of, town_titles, units
from server.renewal.reasons import reason_text

_WORDS = (
    "project_types", "modes", "parcel_uses", "building_states", "household_states", "order_states",
    "periods",
)  # fmt: skip
_PLAIN = ("name", "type", "mode", "town", "template")
_TEXTS = ("village", "entity", "partner", "lead")
_OPTIONAL = (
    "land_area", "floor_area_existing", "floor_area_planned", "far", "investment", "approval", "boundary",
)  # fmt: skip


def overview(city: City, access: Access, ledger: Ledger) -> dict[str, Any]:
    """The words of renewal, its rules, its towns and units, and what somebody may do of it."""
    rules, span = city_lights(city.folder), campaign_span(ledger)
    return {
        "words": {group: titles(group) for group in _WORDS},
        "metrics": [
            {
                "id": metric.id, "title": metric.title, "unit": metric.unit,
                "shown": asdict(metric.shown), "source": metric.source,
            }
            for metric in metrics().values()
        ],
        "templates": [
            {
                "id": template.id, "title": template.title, "types": template.types,
                "modes": template.modes, "source": template.source,
                "stages": [asdict(stage) for stage in template.stages],
            }
            for template in templates().values()
        ],
        "lights": _lights_document(rules),
        "towns": [{"id": town, "title": title} for town, title in town_titles(city).items()],
        "units": units(city),
        "span": None if span is None else dict(zip(("from", "to"), span, strict=True)),
        "revision": ledger.revision,
        "rights": rights_of(access),
    }  # fmt: skip


def campaign_span(ledger: Ledger) -> tuple[date, date] | None:
    """From the first day of any project to the last effective day; None without projects.

    What was told of days before the first project, by a slip of the pen perhaps, has nothing to show.
    """

    def make() -> tuple[date, date] | None:
        begins = [event.effective for event in ledger.events if event.kind == "project"]
        return (min(begins), max(event.effective for event in ledger.events)) if begins else None

    return remembered(ledger, "campaign span", make)


def _lights_document(rules: LightRules) -> dict[str, Any]:
    return {
        "rules": [
            {
                "id": rule.id, "title": rule.title, "light": rule.light, "text": rule.text,
                "source": rule.source, "confidence": rule.confidence,
            }
            for rule in rules.rules.values()
        ],
        "numbers": asdict(rules.numbers),
        "signing": asdict(rules.signing),
        "rank": asdict(rules.rank),
    }  # fmt: skip


def project_entry(
    project: ProjectStanding, version: int, areas: TwinAreas | None, rules: LightRules
) -> dict[str, Any]:
    """A project as lists have it; `version` is what changes of it must name."""
    document = project.document
    return {
        "id": project.id,
        "version": version,
        **{name: document[name] for name in _PLAIN},
        **{name: document.get(name, "") for name in _TEXTS},
        **{name: document.get(name) for name in _OPTIONAL},
        "stage": project.stage,
        "light": project.light,
        "reasons": [
            {"rule": one.rule, "light": one.light, "text": reason_text(one, project, rules)}
            for one in project.reasons
        ],
        "signing": asdict(project.signing),
        "metrics": {key: _metric_entry(one) for key, one in project.metrics.items()},
        "buildings": project.buildings,
        "households": project.households,
        "share_planned": project.share_planned,
        "share_actual": project.share_actual,
        "points": project.points,
        "orders": asdict(project.orders),
        "demolished": demolished_entry(project.floor_area_demolished_reported, areas),
    }


def demolished_entry(reported: float, areas: TwinAreas | None) -> dict[str, Any]:
    """The demolished floor area as reported and as the twin has it, m², and by how much they differ.

    `twin` is None where the twin knows none of the buildings that were demolished, `difference`
    (reported less twin) where it does not know all of them.
    """
    whole = areas is not None and areas.whole
    twin = areas.demolished if areas is not None and (whole or areas.demolished) else None
    difference = reported - twin if whole and twin is not None else None
    return {"twin": twin, "reported": reported, "difference": difference, "whole": whole}


def summed_entry(standing: TownStanding) -> dict[str, Any]:
    """Some projects together."""
    return {
        "projects": standing.projects,
        "lights": standing.lights,
        "metrics": {key: _metric_entry(one) for key, one in standing.metrics.items()},
        "signing": asdict(standing.signing),
        "buildings": standing.buildings,
        "households": standing.households,
        "share_planned": standing.share_planned,
        "share_actual": standing.share_actual,
        "points": standing.points,
        "orders": {"open": standing.orders_open, "overdue": standing.orders_overdue},
    }


def town_entry(standing: TownStanding, known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A town with its rank; one the office no longer knows is called by its id."""
    either = {
        "id": standing.town,
        "title": dict.fromkeys(("en", "zh"), standing.town),
        "boundary": None,
    }
    return {
        **known.get(standing.town, either),
        **summed_entry(standing),
        "rank": standing.rank,
    }


def stage_entry(stage: StageStanding) -> dict[str, Any]:
    """A stage of a project on a day."""
    return asdict(stage)


def parcels_entry(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parcels of a project as GeoJSON features."""
    return [
        {
            "type": "Feature",
            "id": parcel["id"],
            "geometry": parcel.get("geometry"),
            "properties": {key: value for key, value in parcel.items() if key != "geometry"},
        }
        for parcel in document.get("parcels", ())
    ]


def tasks_entry(ledger: Ledger, project: str, at: date, known: int | None) -> list[dict[str, Any]]:
    """The tasks of a project, with the versions that changes of them must name."""
    newest = versions(ledger)
    found = ledger.documents("task", at, known, project)
    return [
        {"id": key, "version": newest["task", key], **task.document} for key, task in found.items()
    ]


def series_entry(found: Mapping[str, Series]) -> dict[str, Any]:
    """The metrics of a project week by week."""
    return {metric: asdict(one) for metric, one in found.items()}


def versions(ledger: Ledger) -> Mapping[tuple[str, str], int]:
    """The newest version of every subject, by kind and id; a change of it must name that."""
    return remembered(
        ledger,
        "versions",
        lambda: {(event.kind, event.id): event.version for event in ledger.events},
    )


def chosen(
    projects: Iterable[ProjectStanding],
    wanted: Mapping[str, str | None],
    units_of: Mapping[str, set[str]],
) -> list[ProjectStanding]:
    """The projects that are as wanted, by the names of the parameters of `GET /renewal/projects`.

    units_of
        Who has to do with each project.
    """
    text = (wanted["q"] or "").casefold()
    return [
        project
        for project in projects
        if all(
            wanted[name] in (None, project.document.get(name)) for name in ("town", "type", "mode")
        )
        and wanted["stage"] in (None, project.stage)
        and wanted["light"] in (None, project.light)
        and (wanted["unit"] is None or wanted["unit"] in units_of.get(project.id, ()))
        and text in _searched(project)
    ]


def units_of(ledger: Ledger, at: date, known: int | None) -> dict[str, set[str]]:
    """The units that have to do with each project: its town, and those of its tasks and orders."""
    found: dict[str, set[str]] = {}
    for kind in ("project", "task", "order"):
        for one in ledger.documents(kind, at, known).values():
            if unit := one.document.get("town" if kind == "project" else "unit"):
                found.setdefault(one.project, set()).add(unit)
    return found


def _searched(project: ProjectStanding) -> str:
    named = (project.document.get(name, "") for name in ("name", *_TEXTS))
    return "\n".join((project.id, *named)).casefold()


def _metric_entry(one: MetricStanding | SummedMetric) -> dict[str, Any]:
    return asdict(one)
