"""IfcMapConversion and its stand-ins: from a model's coordinates to a map's."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.util.geolocation
import ifcopenshell.util.unit
import numpy as np
from ifcopenshell import entity_instance

from cim_core.frame import Projection
from cim_core.mesh import Floats

_SAME = 0.01
"""Two scales that differ by less are the same unit; grid and height factors stay far below."""

_UNIT_NAMES = {
    "METRE": 1.0, "METER": 1.0, "M": 1.0, "MILLIMETRE": 1e-3, "MILLIMETER": 1e-3, "MM": 1e-3,
    "FOOT": 0.3048, "FEET": 0.3048, "FT": 0.3048, "INTERNATIONAL FOOT": 0.3048,
    "US SURVEY FOOT": 1200 / 3937, "U.S. SURVEY FOOT": 1200 / 3937, "USFT": 1200 / 3937,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MapConversion:
    """A coordinate operation of a model, in the file's own numbers.

    project_unit, map_unit
        Metres per unit of the model and of the map; `map_unit` is None where the file is silent.
    wcs
        (4, 4), the context's own coordinate system in model metres.
    """

    method: str
    source: str
    crs: str | None
    eastings: float
    northings: float
    height: float
    abscissa: float
    ordinate: float
    scale: float
    factors: tuple[float, float, float]
    project_unit: float
    map_unit: float | None
    wcs: Floats
    warnings: tuple[str, ...] = ()

    def unit_candidates(self, system: Projection) -> Iterator["MapConversion"]:
        """The readings of an unstated map unit: the map's own first, then the model's."""
        if self.map_unit is not None:
            yield self
            return
        yield replace(self, map_unit=system.unit)
        if abs(self.project_unit / system.unit - 1) > _SAME:
            warning = f"{self.source} names no MapUnit; its numbers were taken in the model's unit"
            yield replace(self, map_unit=self.project_unit, warnings=(*self.warnings, warning))

    def onto(self, system: Projection) -> Callable[[Floats], Floats]:
        """(n, 3) model metres → (n, 3) longitude, latitude, ellipsoidal height."""
        unit = self.map_unit if self.map_unit is not None else system.unit
        length = float(np.hypot(self.abscissa, self.ordinate)) or 1.0
        cos, sin = (
            (self.abscissa / length, self.ordinate / length)
            if self.abscissa or self.ordinate
            else (1.0, 0.0)
        )
        turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
        size = self._pure_scale(unit) * np.array(self.factors)
        shift = np.array([self.eastings, self.northings, self.height]) * unit
        into_axes = np.array([1 / system.unit, 1 / system.unit, 1.0])
        inverse = np.linalg.inv(self.wcs)

        def to_geographic(points: Floats) -> Floats:
            local = points @ inverse[:3, :3].T + inverse[:3, 3]
            return system.to_geographic((((local * size) @ turn.T) + shift) * into_axes)

        return to_geographic

    def _pure_scale(self, map_unit: float) -> float:
        """The scale without the change of units.

        The standard means Scale to hold the change of units as well; many programs write 1, or only
        the grid factor. Both are told apart by their size.
        """
        units = self.project_unit / map_unit
        if abs(self.scale / units - 1) < _SAME or abs(self.scale - 1) >= _SAME:
            return self.scale / units
        return self.scale


def read_map_conversion(model: ifcopenshell.file) -> tuple[MapConversion | None, list[str]]:
    """The coordinate operation of a file, None without one; and what was wrong with it."""
    warnings: list[str] = []
    project_unit = ifcopenshell.util.unit.calculate_unit_scale(model)
    wcs = ifcopenshell.util.geolocation.get_wcs(model)
    matrix = np.eye(4) if wcs is None else np.array(wcs, np.float64)
    matrix[:3, 3] *= project_unit
    if model.schema != "IFC2X3":
        for operation in model.by_type("IfcCoordinateOperation"):
            found = _from_entity(operation, project_unit, matrix)
            if found is not None:
                return found, warnings
            warnings.append(f"the {operation.is_a()} of the file is not one that can be used")
    return _from_property_sets(model, project_unit, matrix, warnings), warnings


def _from_entity(
    operation: entity_instance, project_unit: float, wcs: Floats
) -> MapConversion | None:
    target = operation.TargetCRS
    if target is None:
        return None
    unit = getattr(target, "MapUnit", None)
    map_unit = ifcopenshell.util.unit.get_unit_scale(unit) if unit is not None else None
    crs = str(target.Name).strip() if target.Name else None
    if operation.is_a("IfcMapConversion"):
        factors = tuple(float(getattr(operation, f"Factor{axis}", 1.0) or 1.0) for axis in "XYZ")
        return MapConversion(
            "map-conversion", operation.is_a(), crs,
            float(operation.Eastings), float(operation.Northings),
            float(operation.OrthogonalHeight or 0.0),
            float(operation.XAxisAbscissa or 0.0), float(operation.XAxisOrdinate or 0.0),
            float(operation.Scale or 1.0), (factors[0], factors[1], factors[2]),
            project_unit, map_unit, wcs,
        )  # fmt: skip
    if operation.is_a("IfcRigidOperation") and operation.FirstCoordinate.is_a("IfcLengthMeasure"):
        return MapConversion(
            "map-conversion", operation.is_a(), crs,
            float(operation.FirstCoordinate.wrappedValue),
            float(operation.SecondCoordinate.wrappedValue),
            float(operation.Height or 0.0), 1.0, 0.0, 1.0, (1.0, 1.0, 1.0),
            project_unit, map_unit, wcs,
        )  # fmt: skip
    return None


def _from_property_sets(
    model: ifcopenshell.file, project_unit: float, wcs: Floats, warnings: list[str]
) -> MapConversion | None:
    for holder in (*model.by_type("IfcSite"), *model.by_type("IfcProject")):
        psets = {
            str(name).lower(): {str(key).lower(): value for key, value in values.items()}
            for name, values in ifcopenshell.util.element.get_psets(holder).items()
        }
        conversion = psets.get("epset_mapconversion")
        if conversion is None:
            continue
        crs = psets.get("epset_projectedcrs", {})
        try:
            return MapConversion(
                "property-set", "ePSet_MapConversion", str(crs["name"]).strip() if crs.get("name") else None,
                _number(conversion, "eastings"), _number(conversion, "northings"),
                _number(conversion, "orthogonalheight"), _number(conversion, "xaxisabscissa"),
                _number(conversion, "xaxisordinate"), _number(conversion, "scale") or 1.0,
                (1.0, 1.0, 1.0), project_unit, _unit_by_name(crs.get("mapunit"), warnings), wcs,
            )  # fmt: skip
        except ValueError as error:
            warnings.append(f"ePSet_MapConversion was not used: {error}")
    return None


def _number(values: Mapping[str, Any], key: str) -> float:
    value = values.get(key)
    return 0.0 if value in (None, "") else float(value)


def _unit_by_name(name: Any, warnings: list[str]) -> float | None:
    if name in (None, ""):
        return None
    known = _UNIT_NAMES.get(str(name).strip().upper())
    if known is None:
        warnings.append(
            f"the MapUnit {name!r} of ePSet_ProjectedCRS is not known; the map's own was taken"
        )
    return known
