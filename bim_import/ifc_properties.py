"""What an IFC file says of its elements: identity, structure, attributes, property sets."""

from collections import defaultdict
from collections.abc import Mapping

import ifcopenshell
import ifcopenshell.util.element
import ifcopenshell.util.unit
from ifcopenshell import entity_instance

from bim_import.ifc_property_sets import PropertySetReader
from cim_core.feature import Feature, Instance, Value

TILE_ATTRIBUTES = ("storey", "type")
"""The attributes that travel with the tiles, to filter and colour by."""


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
    """Reads elements of one file; what many of them share is read once."""

    def __init__(self, model: ifcopenshell.file) -> None:
        self.structure = Structure(model)
        self._property_sets = PropertySetReader(model)
        self._length = ifcopenshell.util.unit.calculate_unit_scale(model)

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
            property_sets=self._property_sets.property_sets(element),
            instances=instances,
        )

    def _attributes(self, element: entity_instance) -> Mapping[str, Value]:
        element_type = self._property_sets.type_of(element)
        attributes: dict[str, Value] = {
            "type": str(element_type.Name or "") if element_type is not None else None,
            "storey": self.structure.storey(element),
            "system": list(self.structure.systems(element)),
            "material": [
                str(material.Name)
                for material in ifcopenshell.util.element.get_materials(element)
                if getattr(material, "Name", None)
            ],
            "predefined_type": _predefined_type(element, element_type),
            "description": getattr(element, "Description", None),
            "object_type": getattr(element, "ObjectType", None),
            "long_name": getattr(element, "LongName", None),
            "tag": getattr(element, "Tag", None),
        }
        if element.is_a("IfcBuildingStorey") and element.Elevation is not None:
            attributes["elevation"] = round(element.Elevation * self._length, 6)
        return {key: value for key, value in attributes.items() if value not in (None, "", [])}


def _predefined_type(element: entity_instance, element_type: entity_instance | None) -> str | None:
    """The predefined type, or the user's own word where there is none; the type's comes first."""
    if element_type is not None:
        of_type = _own_word(element_type, "ElementType") or getattr(
            element_type, "ProcessType", None
        )
        if of_type and of_type != "NOTDEFINED":
            return str(of_type)
    return _own_word(element, "ObjectType")


def _own_word(element: entity_instance, attribute: str) -> str | None:
    predefined = getattr(element, "PredefinedType", None)
    own = not predefined or predefined == "USERDEFINED"
    word = getattr(element, attribute, None) if own else predefined
    return None if word is None else str(word)
