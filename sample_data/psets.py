"""Property sets and quantities with the measure types of the buildingSMART templates."""

from __future__ import annotations

from functools import lru_cache

import ifcopenshell
import ifcopenshell.util.pset

Entity = ifcopenshell.entity_instance
Value = str | bool | int | float

# Properties beside the standard sets, with their measures, as Chinese delivery rules ask for them.
OWN_SET = "CIM_构件信息"
OWN_MEASURES = {
    "专业 Discipline": "IfcLabel",
    "施工段 WorkSection": "IfcLabel",
    "设计使用年限 DesignLifeYears": "IfcInteger",
}

_QUANTITIES = {
    "length": ("IfcQuantityLength", "LengthValue"),
    "area": ("IfcQuantityArea", "AreaValue"),
    "volume": ("IfcQuantityVolume", "VolumeValue"),
    "count": ("IfcQuantityCount", "CountValue"),
}


@lru_cache
def measures(schema: str, pset: str) -> dict[str, tuple[str, str]]:
    """Return the measure type and template kind of each property of a standard set.

    Raises KeyError if the schema does not define the set: better a failed build than a
    property set that looks standard and is not.
    """
    template = ifcopenshell.util.pset.get_template(schema).get_by_name(pset)
    if template is None:
        raise KeyError(f"{pset} is not a {schema} property set")
    return {
        prop.Name: (prop.PrimaryMeasureType, prop.TemplateType)
        for prop in template.HasPropertyTemplates
    }


def kind_of_quantity(name: str) -> str:
    """Return length, area, volume or count from a quantity's standard name."""
    for word in ("Area", "Volume", "Number"):
        if word in name:
            return {"Number": "count"}.get(word, word.lower())
    return "length"


def discipline(entity: Entity) -> str:
    """Return the discipline an element belongs to: structure, services or architecture."""
    kinds = {
        "结构 Structure": ("IfcColumn", "IfcBeam", "IfcSlab", "IfcStair"),
        "机电 Services": ("IfcDistributionElement",),
    }
    for name, classes in kinds.items():
        if any(entity.is_a(kind) for kind in classes):
            return name
    return "建筑 Architecture"


class PropertyWriter:
    """Collects properties and quantities and writes them when the model is complete.

    Equal property sets are written once and related to all their objects, as authoring tools do.
    """

    def __init__(self, file: ifcopenshell.file, units: dict[str, Entity]) -> None:
        self.file = file
        self.units = units
        self._sets: dict[tuple[str, tuple[tuple[str, Value], ...]], list[Entity]] = {}
        self._quantities: list[tuple[Entity, str, dict[str, float]]] = []

    def add(self, entity: Entity, pset: str, values: dict[str, Value]) -> None:
        """Note a property set for an object."""
        self._sets.setdefault((pset, tuple(values.items())), []).append(entity)

    def quantities(self, entity: Entity, name: str, values: dict[str, float]) -> None:
        """Note base quantities: lengths in project units, areas in m2, volumes in m3."""
        self._quantities.append((entity, name, values))

    def write(self) -> None:
        """Write everything noted so far."""
        for (pset, values), entities in self._sets.items():
            properties = [self._property(pset, name, value) for name, value in values]
            definition = self.file.create_entity(
                "IfcPropertySet", GlobalId="", Name=pset, HasProperties=properties
            )
            self._relate(definition, entities)
        for entity, name, numbers in self._quantities:
            # IFC2X3 has one name for all sets of base quantities.
            title = "BaseQuantities" if self.file.schema == "IFC2X3" else name
            items = [self._quantity(key, value) for key, value in numbers.items()]
            definition = self.file.create_entity(
                "IfcElementQuantity", GlobalId="", Name=title, Quantities=items
            )
            self._relate(definition, [entity])

    def _relate(self, definition: Entity, entities: list[Entity]) -> None:
        types = [e for e in entities if e.is_a("IfcTypeObject")]
        for entity in types:
            # Types own their sets; only occurrences are related to them.
            entity.HasPropertySets = [*(entity.HasPropertySets or ()), definition]
        if types:
            return
        self.file.create_entity(
            "IfcRelDefinesByProperties",
            GlobalId="",
            RelatedObjects=entities,
            RelatingPropertyDefinition=definition,
        )

    def _property(self, pset: str, name: str, value: Value) -> Entity:
        measure, kind = OWN_MEASURES.get(name, ""), "P_SINGLEVALUE"
        if not measure:
            measure, kind = measures(self.file.schema, pset)[name]
        nominal = self.file.create_entity(measure, value)
        if kind == "P_ENUMERATEDVALUE":
            return self.file.create_entity(
                "IfcPropertyEnumeratedValue", Name=name, EnumerationValues=[nominal]
            )
        if kind != "P_SINGLEVALUE":
            raise KeyError(f"{pset}.{name} is a {kind}, which the sample data does not use")
        return self.file.create_entity("IfcPropertySingleValue", Name=name, NominalValue=nominal)

    def _quantity(self, name: str, value: float) -> Entity:
        ifc_class, attribute = _QUANTITIES[kind_of_quantity(name)]
        unit = self.units.get(kind_of_quantity(name))
        return self.file.create_entity(
            ifc_class, Name=name, Unit=unit, **{attribute: round(value, 4)}
        )
