"""Property sets and quantities of the elements of an IFC file, with units.

Every definition is read once, however many elements share it, and the attributes of the one class
that makes up nearly all properties by number, which is several times faster than by name.
"""

from collections import defaultdict
from typing import Any, Literal

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.util.unit
from ifcopenshell import entity_instance

from bim_import.ifc_values import plain, unit_symbol
from cim_core.feature import Property, PropertySet

_NAME, _NOMINAL_VALUE, _UNIT = 0, 2, 3
"""The attributes of an IfcPropertySingleValue by number."""


class PropertySetReader:
    """Reads the property sets of elements of one file."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self._model = model
        self._types: dict[int, entity_instance] = {}
        for relation in model.by_type("IfcRelDefinesByType"):
            for element in relation.RelatedObjects or ():
                self._types.setdefault(element.id(), relation.RelatingType)
        self._given: dict[int, list[entity_instance]] = defaultdict(list)
        for relation in model.by_type("IfcRelDefinesByProperties"):
            given = relation.RelatingPropertyDefinition
            for element in relation.RelatedObjects or ():
                self._given[element.id()] += _definitions(given)
        self._read: dict[int, PropertySet] = {}
        self._alike: dict[tuple[object, ...], PropertySet] = {}
        self._units: dict[object, str | None] = {}
        self._same: dict[tuple[object, ...], Property] = {}
        ifcopenshell.util.unit.cache_units(model)

    def type_of(self, element: entity_instance) -> entity_instance | None:
        """The type an element is of; None if it is of none."""
        return self._types.get(element.id())

    def property_sets(self, element: entity_instance) -> tuple[PropertySet, ...]:
        """All property sets and quantities of an element, those of its type included.

        What the element says itself outranks what its type says.
        """
        element_type = self.type_of(element)
        given = list(element_type.HasPropertySets or ()) if element_type is not None else []
        given += self._given.get(element.id(), ())
        found: dict[str, list[PropertySet]] = {}
        for definition in map(self._definition, given):
            found.setdefault(definition.name, []).append(definition)
        return tuple(_merged(name, several) for name, several in found.items())

    def _definition(self, definition: entity_instance) -> PropertySet:
        step = definition.id()
        if step not in self._read:
            if definition.is_a() == "IfcPropertySet":
                properties = [self._property(item) for item in definition.HasProperties or ()]
            else:
                found = ifcopenshell.util.element.get_property_definition(definition, verbose=True)
                properties = [
                    self._verbose(str(name), value) for name, value in found.items() if name != "id"
                ]
            by_name = {item.name: item for item in properties}  # of two by one name, the later
            several = tuple(by_name.values())
            kind: Literal["property", "quantity"] = (
                "quantity" if definition.is_a("IfcElementQuantity") else "property"
            )
            # As with properties, equal ones are one object.
            key = (str(definition.Name), kind, *map(id, several))
            made = PropertySet(str(definition.Name), kind, several)
            self._read[step] = self._alike.setdefault(key, made)
        return self._read[step]

    def _property(self, item: entity_instance) -> Property:
        if item.is_a() != "IfcPropertySingleValue":
            [(name, verbose)] = ifcopenshell.util.element.get_properties([item], True).items()
            return self._verbose(str(name), verbose)
        # Equal properties are one object: a large model repeats few of them many times.
        name, nominal = str(item.get_argument(_NAME)), item.get_argument(_NOMINAL_VALUE)
        value = None if nominal is None else plain(nominal.get_argument(0))
        unit = None
        if not isinstance(value, str | bool | None):
            unit = self._unit(item, item.get_argument(_UNIT), nominal.is_a())
        if isinstance(value, list | dict):
            return Property(name, value, unit)
        # True equals 1 and 1 equals 1.0, but they are not the same value.
        return self._same.setdefault((name, type(value), value, unit), Property(name, value, unit))

    def _verbose(self, name: str, verbose: Any) -> Property:
        """A property of any class, as the library describes it."""
        if not isinstance(verbose, dict):  # a predefined property set has bare values
            return Property(name, plain(verbose))
        value = plain(verbose["value"])
        if isinstance(value, str | bool | None):
            return Property(name, value)
        item = self._model.by_id(int(verbose["id"]))
        if item.is_a() in ("IfcComplexProperty", "IfcPropertyTableValue"):
            return Property(name, value)
        # The unit of a quantity follows from its class, that of another property from itself.
        measure = item.is_a() if item.is_a("IfcPhysicalSimpleQuantity") else item.id()
        return Property(name, value, self._unit(item, getattr(item, "Unit", None), measure))

    def _unit(
        self, item: entity_instance, given: entity_instance | None, measure: object
    ) -> str | None:
        """The symbol of the unit a property gives, or of the project's for its measure."""
        key = measure if given is None else given.id()
        if key not in self._units:
            unit = given or ifcopenshell.util.unit.get_property_unit(item, self._model, True)
            self._units[key] = unit_symbol(unit) if unit is not None else None
        return self._units[key]


def _definitions(given: entity_instance | None) -> list[entity_instance]:
    if given is None:
        return []
    return list(given.wrappedValue) if given.is_a("IfcPropertySetDefinitionSet") else [given]


def _merged(name: str, several: list[PropertySet]) -> PropertySet:
    if len(several) == 1:
        return several[0]
    kind: Literal["property", "quantity"] = (
        "quantity" if any(item.kind == "quantity" for item in several) else "property"
    )
    properties = {item.name: item for one in several for item in one.properties}
    return PropertySet(name, kind, tuple(properties.values()))
