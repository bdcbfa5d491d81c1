"""What a run found, unit by unit: values, maps, evidence, and the years side by side."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray

from analysis.checkup.comparison import compare
from analysis.checkup.formulas import Total
from analysis.checkup.indicator import Indicator
from analysis.checkup.measured import By, Evidence, Measured
from analysis.checkup.metric_plane import MetricPlane
from analysis.checkup.packed import unpack
from analysis.checkup.problems import met
from cim_core.city import City
from cim_core.errors import NotFound
from cim_core.kept import kept
from cim_core.store.checkup import Run
from cim_core.store.features import FeatureRow, Query
from server.checkup.told import Document, indicator_of, input_entry, value_entry
from server.checkup.unit_shapes import KnownUnits, unpack_units

MOST_FEATURES = 500
"""Features that are named as evidence; `total` says how many there are."""

MOST_TOLD = 20_000
"""Units, or problems, that one answer has at most: some 20 MB."""

_FINE = 6
"""Decimals of degrees of buildings and of what is not served: a tenth of a metre."""
_COARSE = 2e-5
"""Degrees, two metres: to so much the outlines of larger units are shown, as a map of 1:5,000 does."""


def units_of_run(city: City, run: Run, code: str, by: str | None) -> "UnitValues":
    """The values of an indicator for units of a kind: its first beside the district if not told.

    Raises `NotFound`.
    """
    entry = run.indicator(code)
    kinds: list[By] = entry["by"]
    told = next((kind for kind in kinds if kind != "district"), None) if by is None else by
    if told not in kinds or told not in run.document["units"]:
        raise NotFound(
            f"the indicator {code!r} of the check-up {run.id!r} is told of {', '.join(kinds)}; give one of these "
            "as by"
        )
    values = _values(city, entry["digest"])[told]
    return UnitValues(indicator_of(entry), known_units(city, run, told), values)


def known_units(city: City, run: Run, by: By) -> KnownUnits:
    """The units of a kind as a run has them."""
    return _unpacked_units(_Packed(city, run.document["units"][by]["digest"]))


class UnitValues:
    """The values of an indicator for all units of a kind."""

    def __init__(self, indicator: Indicator, units: KnownUnits, measured: Measured) -> None:
        self.indicator, self.units, self.measured = indicator, units, measured

    def rows(self, places: Sequence[int] | None = None) -> list[Document]:
        """One entry for each unit, or for those at some places, in the order of the units."""
        ids, names = self.units.ids, self.units.names
        return [
            {
                "id": ids[at], "name": dict(names[at]), "layer": self.units.layer,
                **value_entry(self.indicator, self.measured, at),
            }
            for at in (range(len(ids)) if places is None else places)
        ]  # fmt: skip

    def document(self, places: Sequence[int]) -> Document:
        """The units at some places as JSON; `total` says how many there are."""
        return {"by": self.units.by, "units": self.rows(places), "total": len(self.units.ids)}

    def within(self, box: tuple[float, float, float, float] | None) -> list[int]:
        """The places of the units that meet a box of degrees; all of them without one."""
        if box is None:
            return list(range(len(self.units.ids)))
        met_by = shapely.intersects(self.units.shapes, shapely.box(*box))
        return [int(at) for at in np.flatnonzero(met_by)]

    def collection(self, places: Sequence[int]) -> Document:
        """The units at some places with their outlines, as GeoJSON."""
        grid = 10.0**-_FINE if self.units.by == "building" else _COARSE
        shapes = shapely.transform(
            self.units.shapes[list(places)],
            lambda points: np.round(np.round(points / grid) * grid, _FINE),
        )
        return {
            "type": "FeatureCollection", "by": self.units.by,
            "features": [
                {
                    "type": "Feature", "id": row["id"],
                    "geometry": shapely.geometry.mapping(shape),
                    "properties": {
                        name: row[name] for name in (
                            "id", "name", "value", "numerator", "denominator", "surveyed", "status", "met",
                        )
                    },
                }
                for row, shape in zip(self.rows(places), shapes, strict=True)
            ],
        }  # fmt: skip

    def at(self, unit: str) -> int:
        """The place of a unit; raises `NotFound`."""
        if unit not in self.units.ids:
            raise NotFound(f"there is no {self.units.by} with the id {unit!r} in this check-up")
        return self.units.ids.index(unit)


def evidence(city: City, run: Run, code: str, by: str | None, unit: str | None) -> Document:
    """What speaks for a value, of all units or of one: features, and what is not served."""
    entry = run.indicator(code)
    found = units_of_run(city, run, code, by or "district")
    at = None if unit is None else found.at(unit)
    features, total = _features(city, run, found.measured.evidence, at)
    if at is not None and "building" in entry["by"] and found.units.by != "building":
        buildings = _failing_buildings(
            units_of_run(city, run, code, "building"), found.units.shapes[at]
        )
        formula = found.indicator.formula
        if buildings and isinstance(formula, Total) and formula.about is not None:
            features, total = [], 0  # findings about these houses, each of which is told once
        features += buildings[: MOST_FEATURES - len(features)]
        total += len(buildings)
    layers = set(entry["layers"])
    inputs = [
        one for one in run.document["inputs"] if one["layers"] and layers.issuperset(one["layers"])
    ]
    return {
        "features": features, "total": total,
        "unserved": _unserved(city, run, found.measured, at),
        "inputs": [input_entry(one) for one in inputs], "receipt": run.document["receipt"],
    }  # fmt: skip


def compared(city: City, old: str, new: str) -> Document:
    """Two runs side by side; raises `NotFound`."""
    runs = [city.checkups.run(key) for key in (old, new)]
    entries = [run.document["indicators"] for run in runs]
    return {
        "from": old, "to": new,
        "changes": [one.document() for one in compare(entries[0], entries[1])],
    }  # fmt: skip


def _features(
    city: City, run: Run, every: Sequence[Evidence], at: int | None
) -> tuple[list[Document], int]:
    """The features that speak against a value, all or those in one unit, and how many there are.

    They are told of as they were, if that version of their layer is still kept.
    """
    versions = {one["layer"]: one["version"] for one in run.document["inputs"]}
    found: list[Document] = []
    total = 0
    for one in every:
        if one.layer and not city.sight.wholly([one.layer]):
            continue
        inside = range(len(one.ids)) if at is None else np.flatnonzero(one.units == at).tolist()
        total += len(inside)
        told = inside[: MOST_FEATURES - len(found)]
        rows = _rows(city, one.layer, versions.get(one.layer), [one.ids[place] for place in told])
        for place in told:
            key = one.ids[place]
            about = _about(rows.get(key), float(one.values[place]))
            found.append({"layer": one.layer, "id": key, **about})
    return found, total


def _failing_buildings(found: UnitValues, inside: shapely.Geometry) -> list[Document]:
    """The buildings of a place that miss the target themselves, as features of the evidence."""
    if not len(found.measured.value):  # nothing says where buildings are
        return []
    units, values = found.units, found.measured.value
    shapely.prepare(inside)
    here = np.flatnonzero(shapely.intersects(inside, shapely.point_on_surface(units.shapes)))
    return [
        {
            "layer": units.layer, "id": units.ids[at], "name": units.names[at]["zh"], "class": None,
            "value": float(values[at]), "bbox": _box(units.shapes[at]),
        }
        for at in here.tolist()
        if met(found.indicator, float(values[at]), found.measured.status[at], units.by) is False
    ]  # fmt: skip


def _about(row: FeatureRow | None, value: float) -> Document:
    outline = row.footprint if row is not None else None
    return {
        "name": row.feature.name if row is not None else None,
        "class": row.feature.feature_class if row is not None else None,
        "value": value if isfinite(value) else None,
        "bbox": _box(outline) if outline is not None else None,
    }


def _box(shape: Any) -> list[float]:
    return [round(side, _FINE) for side in shape.bounds]


def _rows(
    city: City, layer: str, version: int | None, ids: Sequence[str]
) -> Mapping[str, FeatureRow]:
    """Features of a layer's version by id; none where that is not kept any more."""
    if version is None or not ids:
        return {}
    try:
        city.layers.version(layer, version)
    except NotFound:
        return {}
    query = Query(ids=tuple(ids))
    rows = city.features.find(layer, version, query, after=None, limit=len(ids))
    return {row.feature.id: row for row in rows}


def _unserved(city: City, run: Run, measured: Measured, at: int | None) -> Document | None:
    """What is not served, in degrees: of a unit, or of all."""
    if measured.unserved is None:
        return None
    shapes: NDArray[np.object_] = (
        measured.unserved if at is None else measured.unserved[at : at + 1]
    )
    whole = shapely.union_all(shapes)
    if whole.is_empty:
        return None
    name = run.document["plane"]
    only = np.empty(1, object)
    only[0] = whole
    [degrees] = MetricPlane(name, city.projection(name)).degrees(only)
    fine = shapely.transform(degrees, lambda points: np.round(points, _FINE))
    mapped: Document = shapely.geometry.mapping(fine)
    return mapped


def _values(city: City, digest: str) -> Mapping[By, Measured]:
    return _unpacked(_Packed(city, digest))


class _Packed:
    """Packed content of a city, equal to any of the same digest."""

    def __init__(self, city: City, digest: str) -> None:
        self._city, self.digest = city, digest

    def body(self) -> bytes:
        found = self._city.checkups.packed(self.digest)
        if found is None:
            raise NotFound("this check-up was removed meanwhile; GET /checkup lists them")
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Packed) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[object, ...]:
        return self._city.folder, self.digest


@kept(64)
def _unpacked(packed: _Packed) -> Mapping[By, Measured]:
    return unpack(packed.body())


@kept(16)
def _unpacked_units(packed: _Packed) -> KnownUnits:
    return unpack_units(packed.body())
