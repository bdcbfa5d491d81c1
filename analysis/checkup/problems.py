"""What the check-up found wrong: the units that fail a target, with what speaks for it.

A problem has its place, its evidence, the department that answers for it, and the renewal projects
whose ground it lies on (体检发现问题 → 更新解决问题).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any

import numpy as np
import shapely
import shapely.geometry

from analysis.checkup.examine import Examined
from analysis.checkup.formulas import Gap, Total
from analysis.checkup.indicator import Indicator
from analysis.checkup.measured import By, Evidence, Measured, Status, Units
from analysis.checkup.scene import Scene

_TOLD: Sequence[By] = ("estate", "community", "town", "district")
"""The units whose failing is a problem, the smallest first: only those of the first that an indicator
is told of are named, since a town fails with its communities. Buildings and cells are evidence."""
_EVIDENCE_KEPT = 200
"""Features named with a problem; the evidence panel has them all."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A unit that fails the target of an indicator.

    unit, name
        The unit's id and name; empty for the whole district.
    place
        (lon, lat) of a point inside, of what is not served where that is known.
    features
        The evidence inside: (layer, id) each, the worst first.
    projects
        The renewal projects whose boundary meets the unit, or what of it is not served.
    """

    code: str
    by: By
    unit: str
    name: Mapping[str, str]
    value: float
    target: float
    numerator: float
    denominator: float
    department: Mapping[str, str]
    place: tuple[float, float]
    features: tuple[tuple[str, str], ...]
    projects: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """It as JSON."""
        return {
            "code": self.code, "by": self.by, "unit": self.unit, "name": dict(self.name),
            "value": self.value, "target": self.target, "numerator": self.numerator,
            "denominator": self.denominator, "department": dict(self.department),
            "place": list(self.place), "projects": list(self.projects),
            "features": [{"layer": layer, "id": key} for layer, key in self.features],
        }  # fmt: skip


def met(
    indicator: Indicator, value: float, status: Status = "ready", by: By = "district"
) -> bool | None:
    """Whether a value of a unit meets the target.

    None without a target for units of the kind, without a value, or for a proxy. A value is judged as
    it is shown, with the decimals of its indicator. A partial one is judged only as far as what is not
    known can change nothing: a sum can only grow by it.
    """
    if indicator.target is None or indicator.proxy or isnan(value):
        return None
    if indicator.direction == "none" or not judged(indicator, by):
        return None
    held, higher = indicator.target.value, indicator.direction == "higher"
    shown = round(value, indicator.decimals)
    found = shown >= held if higher else shown <= held
    if status == "ready":
        return found
    grows = isinstance(indicator.formula, Total | Gap)
    return found if grows and found == higher else None


def judged(indicator: Indicator, by: By) -> bool:
    """Whether the target is for units of a kind: one of the city's level holds for the whole only."""
    return by == "district" or indicator.level != "city"


def problems(examined: Examined, scene: Scene) -> list[Problem]:
    """All problems of a run, by code and unit.

    Each indicator is told of its smallest units that its target is for and a department is given work
    by: estate before community before town before the whole district.
    """
    projects = _Projects(scene)
    found: list[Problem] = []
    for indicator in examined.set.indicators:
        values = examined.values[indicator.code]
        by = next((by for by in _TOLD if by in values and judged(indicator, by)), None)
        if indicator.target is None or indicator.proxy or by is None:
            continue
        found += _failing(indicator, values[by], examined.units[by], scene, projects)
    return found


def _failing(
    indicator: Indicator, measured: Measured, units: Units, scene: Scene, projects: "_Projects"
) -> Iterator[Problem]:
    assert indicator.target is not None
    said = zip(measured.value.tolist(), measured.status, strict=True)
    fails = [met(indicator, value, status, units.by) is False for value, status in said]
    for i in np.flatnonzero(fails):
        unit = units.shapes[i]
        unserved = measured.unserved[i] if measured.unserved is not None else None
        lacking = unit if unserved is None or unserved.is_empty else unserved
        place = _degrees(shapely.point_on_surface(lacking), scene)
        features = [found for one in measured.evidence for found in _worst(one, int(i))]
        yield Problem(
            indicator.code, units.by, units.ids[i], units.names[i], float(measured.value[i]),
            indicator.target.value, float(measured.numerator[i]), float(measured.denominator[i]),
            {"en": indicator.department.en, "zh": indicator.department.zh},
            place, tuple(features[:_EVIDENCE_KEPT]), projects.meeting(lacking),
        )  # fmt: skip


def _worst(evidence: Evidence, unit: int) -> list[tuple[str, str]]:
    """The features of a unit that speak against it: (layer, id) each, the worst first."""
    rows = np.flatnonzero(evidence.units == unit)
    rows = rows[np.argsort(-evidence.values[rows], kind="stable")]
    return [(evidence.layer, evidence.ids[row]) for row in rows.tolist()]


def _degrees(spot: shapely.Point, scene: Scene) -> tuple[float, float]:
    """Longitude and latitude of a point, to the centimetre."""
    [found] = scene.lon_lat(np.array([spot], object))
    return round(float(found.x), 7), round(float(found.y), 7)


class _Projects:
    """The boundaries of the renewal projects of a city, as far as they are seen."""

    def __init__(self, scene: Scene) -> None:
        found = [
            (subject.id, shapely.geometry.shape(boundary))
            for subject in scene.city.renewal.find("project")
            if (boundary := subject.document.get("boundary"))
        ]
        self._ids = [key for key, _ in found]
        shapes = np.array([shape for _, shape in found], object)
        self._tree = shapely.STRtree(scene.plane.laid_out(shapes))

    def meeting(self, ground: shapely.Geometry) -> tuple[str, ...]:
        hits = self._tree.query(ground, predicate="intersects")
        return tuple(self._ids[hit] for hit in np.sort(hits))
