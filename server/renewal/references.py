"""What a document of renewal names must be there: towns, units, stages, metrics, and its neighbours."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cim_core.city import City
from cim_core.errors import InvalidInput, NotFound
from cim_core.renewal.documents import Kind
from cim_core.renewal.stages import templates
from cim_core.renewal.words import metrics

Document = Mapping[str, Any]


def check_references(city: City, kind: Kind, document: Document, change: Document) -> None:
    """Raise `InvalidInput` for what a change of a document names and is not there.

    What the change does not touch is not looked at: nobody corrects a date in vain because a unit
    is no more.
    """
    if kind == "project":
        _check_project(city, document, change)
    checks: Mapping[str, Callable[[Any], None]] = {
        "unit": lambda unit: _check_units(city, [unit]),
        "cooperating": lambda units: _check_units(city, units),
        "metric": lambda metric: _check_metrics([metric]),
        "stage": lambda stage: _check_stages(_template_of(city, document), [stage]),
        "task": lambda task: check_neighbours(city, "task", [task], document["project"]),
        "building": lambda one: check_neighbours(city, "building", [one], document["project"]),
        "evidence": lambda ids: check_neighbours(city, "evidence", ids, document["project"]),
    }
    for name, check in checks.items():
        if kind != "evidence" and change.get(name):
            check(change[name])
    if kind == "order" and isinstance(unit := change.get("unit"), str):
        _check_answering(city, unit, document["project"])


def check_neighbours(city: City, kind: Kind, ids: Any, project: str) -> None:
    """Raise `InvalidInput` for what is not of the same project."""
    for key in _texts(ids):
        try:
            found = city.renewal.get(kind, key).project
        except NotFound:
            found = None
        if found != project:
            raise InvalidInput(
                f"there is no {kind} {key[:80]!r} in the project {project!r}; correct it"
            )


def _check_project(city: City, document: Document, change: Document) -> None:
    if "town" in change:
        _check_towns(city, [change["town"]])
    if "template" in change:
        _check_templates([change["template"]])
    if isinstance(stages := change.get("stages"), dict):
        _check_stages(
            document.get("template"), [key for key, dates in stages.items() if dates is not None]
        )
    if isinstance(targets := change.get("targets"), list):
        _check_metrics([one.get("metric") for one in targets if isinstance(one, dict)])


def _check_towns(city: City, towns: Iterable[Any]) -> None:
    known = [town.id for town in city.office.people.towns()]
    for town in _texts(towns):
        if town not in known:
            raise InvalidInput(
                f"there is no town {town[:80]!r} in this city's office; take of {', '.join(known)}"
            )


def _check_answering(city: City, unit: str, project: str) -> None:
    """An order is for a unit that sees its project: another town could never answer it."""
    people, town = city.office.people, city.renewal.get("project", project).document["town"]
    if unit not in (town, *(one.id for one in people.departments())):
        raise InvalidInput(
            f"an order of this project is for its town, {town!r}, or for a department; {unit[:80]!r} could not "
            "answer it"
        )


def _check_units(city: City, units: Any) -> None:
    people = city.office.people
    known = [*(town.id for town in people.towns()), *(one.id for one in people.departments())]
    for unit in _texts(units):
        if unit not in known:
            raise InvalidInput(
                f"{unit[:80]!r} is no town and no department of this city's office; GET /renewal lists "
                "the units"
            )


def _check_templates(given: Iterable[Any]) -> None:
    for template in _texts(given):
        if template not in templates():
            raise InvalidInput(
                f"there are no stages {template[:80]!r}; take of {', '.join(templates())}"
            )


def _check_stages(template: Any, stages: Iterable[Any]) -> None:
    if not isinstance(template, str) or template not in templates():
        return
    known = [stage.id for stage in templates()[template].stages]
    for stage in _texts(stages):
        if stage not in known:
            raise InvalidInput(
                f"{template} has no stage {stage[:80]!r}; take of {', '.join(known)}"
            )


def _check_metrics(given: Iterable[Any]) -> None:
    for metric in _texts(given):
        if metric not in metrics():
            raise InvalidInput(
                f"there is no metric {metric[:80]!r}; take of {', '.join(metrics())}"
            )


def _template_of(city: City, document: Document) -> str:
    template: str = city.renewal.get("project", document["project"]).document["template"]
    return template


def _texts(given: Any) -> list[str]:
    """The texts in a list; whatever else is in it is for the document's own check to refuse."""
    return [one for one in given if isinstance(one, str)] if isinstance(given, list) else []
