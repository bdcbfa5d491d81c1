"""What the check report looks at: a campaign as it stood on a day, read once for all rules."""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Literal

import numpy as np
import shapely

from analysis.areas import square_metres
from analysis.renewal.twin_areas import TwinAreas, floor_areas, of_rows, was_demolished
from analysis.renewal.twin_buildings import Named, TwinBuilding
from cim_core.city import City
from cim_core.renewal.documents import Kind, Order, Project, Task, read_document
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.lights import city_lights
from cim_core.renewal.outlines import outline
from cim_core.renewal.records import ProgressRows, StateRows
from cim_core.renewal.words import Title, metrics, titles

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class CheckRule:
    """A rule of `checks.toml`.

    text
        By language, with the values of a finding in braces.
    limits
        From where on it is a finding; m², shares from 0 to 1, days, years.
    """

    id: str
    severity: Severity
    title: Title
    text: Title
    limits: Mapping[str, float]
    source: str
    confidence: str


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule found: of which project, about what, and the values its text is made of.

    A value by language, {"en": …, "zh": …}, is told in the language of the text.
    """

    project: str
    kind: Kind
    subject: str
    values: Mapping[str, Any]


Check = Callable[["Examined", CheckRule], Iterator[Found]]


@cache
def check_rules() -> Mapping[str, CheckRule]:
    """The rules by id, in their order."""
    text = files("analysis.renewal").joinpath("checks.toml").read_text(encoding="utf-8")
    return {
        row["id"]: CheckRule(
            row["id"], row["severity"], row["title"], row["text"], row.get("limits", {}),
            row.get("source", "own"), row.get("confidence", "own"),
        )
        for row in tomllib.loads(text)["rule"]
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signing:
    """How many households of a project are to sign, and how many have."""

    due: int
    signed: int

    @property
    def rate(self) -> float:
        """From 0 to 1; 1 where nobody has to sign."""
        return self.signed / self.due if self.due else 1.0


class Examined:
    """A campaign on a day, as far as the city is seen."""

    def __init__(self, city: City, at: date) -> None:
        self.city = city
        self.at = at
        self.ledger: Ledger = city.renewal.ledger()

    @cached_property
    def projects(self) -> Mapping[str, Project]:
        """The projects, by id."""
        found: Mapping[str, Project] = self._read("project")
        return found

    @cached_property
    def tasks(self) -> Mapping[str, Task]:
        """The tasks, by id."""
        found: Mapping[str, Task] = self._read("task")
        return found

    @cached_property
    def orders(self) -> Mapping[str, Order]:
        """The supervision orders, by id."""
        found: Mapping[str, Order] = self._read("order")
        return found

    @cached_property
    def buildings(self) -> StateRows:
        """The buildings of projects that are there."""
        return self.ledger.buildings(self.at)

    @cached_property
    def households(self) -> StateRows:
        """Their households, without anything personal."""
        return self.ledger.households(self.at)

    @cached_property
    def progress(self) -> ProgressRows:
        """The records of progress."""
        return self.ledger.progress(self.at)

    @cached_property
    def gate(self) -> float:
        """The share of the households that must have signed before anything is demolished."""
        return city_lights(self.city.folder).numbers.signing_gate

    @cached_property
    def towns(self) -> tuple[tuple[str, bytes | None], ...] | None:
        """The city's towns: ids and boundaries as WKB, degrees; None for a city without an office."""
        office = self.city.office
        if not office.exists:
            return None
        return tuple((one.id, shapely.to_wkb(one.boundary)) for one in office.people.towns())

    @cached_property
    def units(self) -> frozenset[str] | None:
        """The ids of towns and departments; None for a city without an office."""
        if self.towns is None:
            return None
        departments = {one.id for one in self.city.office.people.departments()}
        return frozenset(departments | {town for town, _ in self.towns})

    @cached_property
    def boundaries(self) -> Mapping[str, shapely.Geometry]:
        """The outlines of projects that have one, degrees."""
        return {
            key: outline(project.boundary, "boundary")
            for key, project in self.projects.items()
            if project.boundary is not None
        }

    @cached_property
    def parcels(self) -> Mapping[str, Mapping[str, shapely.Geometry]]:
        """The outlines of parcels that have one, degrees, by project and parcel."""
        return {
            key: {
                parcel.id: outline(parcel.geometry, parcel.id)
                for parcel in project.parcels
                if parcel.geometry is not None
            }
            for key, project in self.projects.items()
        }

    @cached_property
    def land(self) -> Mapping[str, Mapping[str, float | None]]:
        """The areas of parcels by their papers, else by their outlines, m², by project and parcel."""
        found: dict[str, dict[str, float | None]] = {}
        for key, project in self.projects.items():
            shapes = self.parcels[key]
            measured = dict(zip(shapes, square_metres(list(shapes.values())).tolist(), strict=True))
            found[key] = {
                parcel.id: parcel.land_area or measured.get(parcel.id) for parcel in project.parcels
            }
        return found

    @cached_property
    def areas(self) -> Mapping[str, TwinAreas]:
        """What the twin says of floor areas, by project."""
        return floor_areas(self.city, self.ledger, self.at)

    @cached_property
    def twins(self) -> Mapping[Named, TwinBuilding]:
        """The buildings of the twin that those of projects are, by layer and feature."""
        return of_rows(self.city, self.buildings)

    @cached_property
    def signing(self) -> Mapping[str, Signing]:
        """The signing of the households of every project that has any."""
        rows, count = self.households, len(self.ledger.projects)
        due = np.bincount(rows.projects, minlength=count)
        signed = np.bincount(rows.projects[rows.states > 0], minlength=count)
        return {
            project: Signing(int(due[place]), int(signed[place]))
            for place, project in enumerate(self.ledger.projects)
            if due[place]
        }

    @cached_property
    def reported(self) -> Mapping[tuple[str, str], float]:
        """What was reported in all, by project and metric."""
        found: dict[tuple[str, str], float] = {}
        rows, names = self.progress, tuple(metrics())
        for project, metric, actual in zip(
            rows.projects.tolist(), rows.metrics.tolist(), rows.actuals.tolist(), strict=True
        ):
            key = (self.ledger.projects[project], names[metric])
            found[key] = found.get(key, 0.0) + actual
        return found

    @cached_property
    def demolishing(self) -> frozenset[str]:
        """The projects in which something was demolished, by a building's state or by what was reported."""
        rows = self.buildings
        by_state = {
            self.ledger.projects[place] for place in rows.projects[was_demolished(rows)].tolist()
        }
        by_report = {
            project
            for (project, metric), value in self.reported.items()
            if metric in ("floor-area-demolished", "buildings-demolished") and value > 0
        }
        return frozenset(by_state | by_report)

    def building_name(self, place: int) -> str:
        """What people call the building of a row."""
        return self.buildings.names[place] or self.buildings.ids[place]

    def _read(self, kind: Literal["project", "task", "order"]) -> Any:
        found = self.ledger.documents(kind, self.at)
        return {key: read_document(kind, one.document) for key, one in sorted(found.items())}


def word(group: str, place: int) -> Title:
    """The title of a state by its place."""
    one = tuple(titles(group).values())[place]
    return {"en": one["en"], "zh": one["zh"]}
