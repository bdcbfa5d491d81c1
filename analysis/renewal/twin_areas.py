"""Floor areas of renewal projects as the twin has them: footprint × storeys of each building.

They stand beside what was reported. A building whose area the twin cannot tell is named, not guessed.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import numpy as np

from analysis.renewal.remembered import remembered
from analysis.renewal.twin_buildings import Named, TwinBuilding, twin_buildings
from analysis.renewal.twin_tables import floor_height
from cim_core.city import City
from cim_core.renewal.ledger import Ledger
from cim_core.renewal.records import StateRows
from cim_core.renewal.words import titles

How = Literal["storeys", "model", "surveyed", "height", "unknown"]
"""From where storeys are: the feature's attribute, the model's floors, the project's survey, or the
feature's height divided by that of a storey."""


@dataclass(frozen=True, slots=True)
class BuildingArea:
    """The floor area of a building of a project, m²; None where the twin cannot tell."""

    floor_area: float | None
    how: How
    demolished: bool


@dataclass(slots=True)
class TwinAreas:
    """The floor areas of a project's buildings, m².

    demolished, existing
        Of what was demolished, also where something stands there again, and of what still stands.
    unknown, estimated
        The buildings that the twin cannot tell of, which are in neither sum, and those whose storeys
        follow from their height only.
    """

    demolished: float = 0.0
    existing: float = 0.0
    unknown: list[str] = field(default_factory=list)
    estimated: list[str] = field(default_factory=list)
    by_building: dict[str, BuildingArea] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the demolished area is that of all that was demolished."""
        return not any(self.by_building[one].demolished for one in self.unknown)

    def take(self, building: str, area: BuildingArea) -> None:
        """Count one more building."""
        self.by_building[building] = area
        if area.floor_area is None:
            self.unknown.append(building)
            return
        if area.how == "height":
            self.estimated.append(building)
        if area.demolished:
            self.demolished += area.floor_area
        else:
            self.existing += area.floor_area


def floor_areas(
    city: City, ledger: Ledger, at: date, known: int | None = None
) -> Mapping[str, TwinAreas]:
    """The floor areas of every project that had buildings on a day, by project.

    What of the twin is not seen is unknown. Kept as long as the ledger is, and the layers stay as they
    are: do not change it.
    """
    key = ("twin areas", at, known, city.layers.state())
    return remembered(ledger, key, lambda: _floor_areas(city, ledger, at, known))


def _floor_areas(
    city: City, ledger: Ledger, at: date, known: int | None
) -> Mapping[str, TwinAreas]:
    rows = ledger.buildings(at, known)
    demolished = was_demolished(rows)
    twins = of_rows(city, rows)
    found: defaultdict[str, TwinAreas] = defaultdict(TwinAreas)
    for place, building in enumerate(rows.ids):
        twin = twins.get((rows.layers[place], rows.features[place]))
        area, how = floor_area_of(twin, float(rows.storeys[place]))
        project = ledger.projects[int(rows.projects[place])]
        found[project].take(building, BuildingArea(area, how, bool(demolished[place])))
    return found


def was_demolished(rows: StateRows) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Which of some buildings, (n,), were demolished, also where something stands there again."""
    order = tuple(titles("building_states"))
    found: np.ndarray[tuple[int], np.dtype[np.bool_]] = rows.states >= order.index("demolished")
    return found


def of_rows(
    city: City, rows: StateRows, places: Iterable[int] | None = None
) -> dict[Named, TwinBuilding]:
    """The twin's buildings that rows, or some of them, name, by layer and feature."""
    chosen = range(len(rows.ids)) if places is None else places
    return twin_buildings(city, {(rows.layers[place], rows.features[place]) for place in chosen})


def floor_area_of(twin: TwinBuilding | None, surveyed: float | None) -> tuple[float | None, How]:
    """The floor area of a building, m², and where its storeys are from; `surveyed` may be NaN."""
    if twin is None:
        return None, "unknown"
    if twin.floor_area is not None:
        return twin.floor_area, "model" if twin.modelled else "storeys"
    if surveyed is not None and np.isfinite(surveyed):
        return twin.footprint * surveyed, "surveyed"
    if twin.height is not None:
        return twin.footprint * max(1, round(twin.height / floor_height())), "height"
    return None, "unknown"
