"""What an IFC file says of its elements: identity, structure, property sets with units."""

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.util.unit
from ifcopenshell import entity_instance

from cim_core.feature import Feature, Instance, Property, PropertySet, Value

TILE_ATTRIBUTES = ("storey", "type")
"""The attributes that travel with the tiles, to filter and colour by."""

_SUPERSCRIPTS = str.maketrans("23", "²³")
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_SYMBOLS = {
    "WATT": "W", "KELVIN": "K", "DEGREE_CELSIUS": "°C", "DEGREE": "°", "RADIAN": "rad", "STERADIAN": "sr",
    "HOUR": "h", "MINUTE": "min", "DAY": "d", "PERCENT": "%", "LUX": "lx", "LUMEN": "lm",
}  # fmt: skip


class Structure:
    """Who holds whom in a file, walked once: containment, aggregation, nesting, voids, fillings."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self._parent: dict[int, entity_instance] = {}
        self._systems: dict[int, list[str]] = defaultdict(list)
        for relation, one, many in (
            ("IfcRelFillsElement", "RelatingOpeningElement", "RelatedBuildingElement"),
            ("IfcRelVoidsElement", "RelatingBuildingElement", "RelatedOpeningElement"),
            ("IfcRelNests", "RelatingObject", "RelatedObjects"),
            ("IfcRelContainedInSpatialStructure", "RelatingStructure", "RelatedElements"),
            ("IfcRelAggregates", "RelatingObject", "RelatedObjects"),
        ):
            for item in model.by_type(relation):
                children = getattr(item, many)
                holder = getattr(item, one)
                for child in children if isinstance(children, tuple) else (children,):
                    if child is not None and holder is not None:
                        self._parent[child.id()] = holder
        self._holders = {holder.id() for holder in self._parent.values()}
        for item in model.by_type("IfcRelAssignsToGroup"):
            group = item.RelatingGroup
            if group is not None and group.is_a("IfcSystem"):
                for member in item.RelatedObjects:
                    self._systems[member.id()].append(str(group.Name or group.GlobalId))

    def parent(self, element: entity_instance) -> entity_instance | None:
        """What holds an element: a door in a wall on a storey is held by the storey."""
        return self._parent.get(element.id())

    def holds(self, element: entity_instance) -> bool:
        """Whether anything is in an element, or may be: a storey, a stair made of flights."""
        return element.id() in self._holders or element.is_a("IfcSpatialStructureElement")

    def storey(self, element: entity_instance) -> str | None:
        """The GlobalId of the storey an element is on; None outside all storeys."""
        seen: set[int] = set()
        step: entity_instance | None = element
        while step is not None and step.id() not in seen:
            if step.is_a("IfcBuildingStorey") and step is not element:
                return str(step.GlobalId)
            seen.add(step.id())
            step = self._parent.get(step.id())
        return None

    def systems(self, element: entity_instance) -> list[str]:
        """The names of the systems an element is part of."""
        return sorted(set(self._systems.get(element.id(), ())))


class ElementReader:
    """Reads elements of one file; units and shared property values are looked up once."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self._model = model
        self.structure = Structure(model)
        self._properties: dict[int, Property] = {}
        self._length = ifcopenshell.util.unit.calculate_unit_scale(model)
        ifcopenshell.util.unit.cache_units(model)

    def feature(
        self, element: entity_instance, feature_id: str, instances: tuple[Instance, ...]
    ) -> Feature:
        """Everything an element says of itself, with the geometry it was given."""
        parent = self.structure.parent(element)
        return Feature(
            id=feature_id,
            feature_class=element.is_a(),
            name=str(element.Name or ""),
            parent=str(parent.GlobalId) if parent is not None else None,
            attributes=self._attributes(element),
            property_sets=self.property_sets(element),
            instances=instances,
        )

    def property_sets(self, element: entity_instance) -> tuple[PropertySet, ...]:
        """All property sets and quantities of an element, those of its type included."""
        found = ifcopenshell.util.element.get_psets(element, verbose=True)
        quantities = ifcopenshell.util.element.get_psets(element, qtos_only=True).keys()
        return tuple(
            PropertySet(
                str(name),
                "quantity" if name in quantities else "property",
                tuple(self._property(str(key), v) for key, v in values.items() if key != "id"),
            )
            for name, values in found.items()
        )

    def _attributes(self, element: entity_instance) -> Mapping[str, Value]:
        element_type = ifcopenshell.util.element.get_type(element)
        attributes: dict[str, Value] = {
            "type": str(element_type.Name or "") if element_type is not None else None,
            "storey": self.structure.storey(element),
            "system": list(self.structure.systems(element)),
            "material": [
                str(material.Name)
                for material in ifcopenshell.util.element.get_materials(element)
                if getattr(material, "Name", None)
            ],
            "predefined_type": ifcopenshell.util.element.get_predefined_type(element),
            "description": getattr(element, "Description", None),
            "object_type": getattr(element, "ObjectType", None),
            "long_name": getattr(element, "LongName", None),
            "tag": getattr(element, "Tag", None),
        }
        if element.is_a("IfcBuildingStorey") and element.Elevation is not None:
            attributes["elevation"] = round(element.Elevation * self._length, 6)
        return {key: value for key, value in attributes.items() if value not in (None, "", [])}

    def _property(self, name: str, verbose: Any) -> Property:
        if not isinstance(verbose, dict):  # a predefined property set has bare values
            return Property(name, plain(verbose), None)
        step = int(verbose["id"])
        if step not in self._properties:
            value = plain(verbose["value"])
            self._properties[step] = Property(name, value, self._unit(step, value))
        known = self._properties[step]
        return known if known.name == name else Property(name, known.value, known.unit)

    def _unit(self, step: int, value: Value) -> str | None:
        if isinstance(value, str | bool | None):
            return None
        definition = self._model.by_id(step)
        if definition.is_a("IfcComplexProperty") or definition.is_a("IfcPropertyTableValue"):
            return None
        unit = ifcopenshell.util.unit.get_property_unit(definition, self._model, use_cache=True)
        return unit_symbol(unit) if unit is not None else None


def unit_symbol(unit: entity_instance) -> str | None:
    """A unit as people write it: "m²", "W/(m²·K)", or its name where it has no symbol.

    >>> model = ifcopenshell.file(schema="IFC4")
    >>> unit_symbol(model.create_entity("IfcSIUnit", None, "AREAUNIT", None, "SQUARE_METRE"))
    'm²'
    """
    if unit.is_a("IfcMonetaryUnit"):
        return str(unit.Currency)
    if unit.is_a("IfcDerivedUnit"):
        return _derived_symbol(unit)
    known = _SYMBOLS.get(str(getattr(unit, "Name", "")).upper())
    if known is not None:
        return known
    symbol = str(ifcopenshell.util.unit.get_unit_symbol(unit))
    if symbol and "?" not in symbol:
        return symbol.translate(_SUPERSCRIPTS)
    return str(getattr(unit, "Name", "") or "").lower() or None


def _derived_symbol(unit: entity_instance) -> str | None:
    """Above and below the line, as W/(m²·K); the unit's own name where a part has no symbol."""
    parts: dict[bool, list[str]] = {True: [], False: []}
    for element in unit.Elements:
        symbol = unit_symbol(element.Unit)
        if symbol is None:
            return str(unit.UserDefinedType or unit.UnitType).lower()
        size = abs(element.Exponent)
        raised = symbol if size == 1 else f"{symbol}{str(size).translate(_POWERS)}"
        parts[element.Exponent > 0].append(raised)
    above = "·".join(parts[True]) or "1"
    below = "·".join(parts[False])
    if not below:
        return above
    return f"{above}/({below})" if len(parts[False]) > 1 else f"{above}/{below}"


def plain(value: Any) -> Value:
    """An IFC value as text, number, truth value, list or dict, as it can be stored and served."""
    match value:
        case entity_instance():
            bare = value.id() == 0
            name = getattr(value, "Name", None) or f"{value.is_a()} #{value.id()}"
            return plain(value.wrappedValue) if bare else str(name)
        case tuple() | list():
            return [plain(item) for item in value]
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case None | str() | int() | float():
            return value if not isinstance(value, float) or math.isfinite(value) else None
        case _:
            return str(value)
