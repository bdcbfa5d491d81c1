"""The author of one sample building: places, elements, types, openings and spaces.

Everything is given in metres; the author writes project units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import cos, radians, sin
from random import Random
from typing import Literal

import ifcopenshell
import ifcopenshell.api.aggregate
import ifcopenshell.api.feature
import ifcopenshell.api.material
import ifcopenshell.api.root
import ifcopenshell.api.style
import ifcopenshell.api.type

from sample_data.georeference import Position, compound_angle, georeference
from sample_data.ids import stamp
from sample_data.palette import MATERIALS
from sample_data.project import open_model, settle
from sample_data.psets import OWN_SET, PropertyWriter, Value, discipline
from sample_data.shapes import ShapeWriter
from sample_data.solids import Box, Solid

Entity = ifcopenshell.entity_instance


@dataclass(frozen=True)
class At:
    """A place in the parent's frame: metres and degrees counter-clockwise about z."""

    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    turn: float = 0.0


@dataclass
class Storey:
    """A storey with its floor level and floor-to-floor height (m)."""

    entity: Entity
    name: str
    elevation: float
    height: float
    elements: list[Entity] = field(default_factory=list)
    spaces: list[Entity] = field(default_factory=list)


class Author:
    """Writes one building.

    `schema` and `millimetres` choose the dialect; `seed` feeds the GlobalIds and `random`.
    """

    def __init__(
        self,
        schema: Literal["IFC2X3", "IFC4"],
        project_name: str,
        position: Position,
        seed: int,
        millimetres: bool = False,
    ) -> None:
        opened = open_model(schema, project_name, millimetres)
        self.file, self.project, self.model = opened.file, opened.project, opened.model
        self.axis, self.position, self.seed = opened.axis, position, seed
        self.old = schema == "IFC2X3"
        self.random = Random(seed)  # noqa: S311 - variation must repeat, not be secret
        self.per_metre = 1000.0 if millimetres else 1.0
        self.shapes = ShapeWriter(self.file, opened.body, self.per_metre)
        self.properties = PropertyWriter(self.file, opened.units)
        self.storeys: list[Storey] = []
        self.materials: dict[str, Entity] = {}
        self._typed: dict[int, list[Entity]] = {}
        self._made: dict[int, list[Entity]] = {}
        self._layered: dict[int, list[Entity]] = {}
        self.model.TrueNorth = self.shapes.direction(*position.true_north())
        georeference(self.file, position, opened.units["metre"], 1 / self.per_metre)

    def site(self, name: str, building: str, ground: Sequence[Solid]) -> None:
        """Create site and building; `ground` is the site's own geometry."""
        self.site_entity = self._root("IfcSite", name)
        self.building = self._root("IfcBuilding", building)
        # Joined before they are placed: the api replaces placements, and ours share points.
        join = ifcopenshell.api.aggregate.assign_object
        join(self.file, products=[self.site_entity], relating_object=self.project)
        join(self.file, products=[self.building], relating_object=self.site_entity)
        self.site_entity.ObjectPlacement = self.place(At())
        self.building.ObjectPlacement = self.place(At(), self.site_entity)
        self.site_entity.RefLatitude = compound_angle(self.position.latitude)
        self.site_entity.RefLongitude = compound_angle(self.position.longitude)
        self.site_entity.RefElevation = self.shapes.length(self.position.height)
        self.site_entity.Representation = self._definition([self.shapes.shape(ground)])

    def storey(self, name: str, elevation: float, height: float) -> Storey:
        """Create the next storey upwards."""
        entity = self._root("IfcBuildingStorey", name)
        entity.Elevation = self.shapes.length(elevation)
        entity.ObjectPlacement = self.place(At(z=elevation), self.building)
        self.storeys.append(Storey(entity, name, elevation, height))
        return self.storeys[-1]

    def place(self, at: At, parent: Entity | None = None) -> Entity:
        """Return a new IfcLocalPlacement relative to the parent's."""
        angle = radians(at.turn)
        ref = (round(cos(angle), 12), round(sin(angle), 12), 0.0)
        return self.file.create_entity(
            "IfcLocalPlacement",
            PlacementRelTo=parent.ObjectPlacement if parent else None,
            RelativePlacement=self.shapes.frame((at.x, at.y, at.z), ref=ref),
        )

    def element(
        self,
        ifc_class: str,
        name: str,
        home: Storey | Entity,
        at: At,
        body: Sequence[Solid] = (),
        kind: Entity | None = None,
        material: str = "",
        **attributes: object,
    ) -> Entity:
        """Create an element at a place in its home, with own solids or those of its type.

        A storey as home contains the element; an entity as home is only the parent of the
        placement, and the caller relates the two.
        """
        parent = home.entity if isinstance(home, Storey) else home
        entity = self.file.create_entity(ifc_class, GlobalId="", Name=name, **attributes)
        entity.ObjectPlacement = self.place(at, parent)
        if isinstance(home, Storey):
            home.elements.append(entity)
        if body:
            entity.Representation = self._definition([self.shapes.shape(body)])
        elif kind is not None and kind.RepresentationMaps:
            entity.Representation = self._definition([self._mapped(kind.RepresentationMaps[0])])
        if kind is not None:
            self._typed.setdefault(kind.id(), []).append(entity)
        if material:
            self._made.setdefault(self.material(material).id(), []).append(entity)
        return entity

    def type(
        self,
        ifc_class: str,
        name: str,
        body: Sequence[Solid] = (),
        material: str = "",
        **attributes: object,
    ) -> Entity:
        """Create a type; with solids, its occurrences share them as mapped items."""
        entity = ifcopenshell.api.root.create_entity(self.file, ifc_class=ifc_class, name=name)
        for key, value in attributes.items():
            setattr(entity, key, value)
        if body:
            source = self.file.create_entity(
                "IfcRepresentationMap",
                MappingOrigin=self.shapes.frame((0.0, 0.0, 0.0)),
                MappedRepresentation=self.shapes.shape(body),
            )
            entity.RepresentationMaps = [source]
        if material:
            self._made.setdefault(self.material(material).id(), []).append(entity)
        return entity

    def layered(self, ifc_class: str, name: str, layers: list[tuple[str, float]]) -> Entity:
        """Create a wall or slab type with a material layer set of (material, metres)."""
        kind = "STANDARD" if self.old else "SOLIDWALL"
        entity = self.type(ifc_class, name, PredefinedType=kind)
        add = ifcopenshell.api.material
        layer_set = add.add_material_set(self.file, name=name, set_type="IfcMaterialLayerSet")
        for material, thickness in layers:
            layer = add.add_layer(self.file, layer_set=layer_set, material=self.material(material))
            layer.LayerThickness = self.shapes.length(thickness)
        add.assign_material(self.file, products=[entity], material=layer_set)
        return entity

    def material(self, name: str) -> Entity:
        """Return a palette material with its surface style, made on first use."""
        if name not in self.materials:
            stuff = MATERIALS[name]
            # IFC2X3 materials have no category.
            category = None if self.old else stuff.category
            material = ifcopenshell.api.material.add_material(
                self.file, name=name, category=category
            )
            ifcopenshell.api.style.assign_material_style(
                self.file,
                material=material,
                style=self.shapes.style(stuff.style),
                context=self.shapes.body,
            )
            self.materials[name] = material
        return self.materials[name]

    def note_usage(self, entity: Entity, usage: Entity) -> None:
        """Note that an element is built up from the layers of a material usage."""
        self._layered.setdefault(usage.id(), []).append(entity)

    def cut(self, host: Entity, box: Box, name: str) -> Entity:
        """Cut a box, given in the host's frame, out of the host and return the opening."""
        opening = self.file.create_entity("IfcOpeningElement", GlobalId="", Name=name)
        ifcopenshell.api.feature.add_feature(self.file, feature=opening, element=host)
        opening.ObjectPlacement = self.place(At(box.x, box.y, box.z), host)
        solid = self.shapes.box(Box(0.0, 0.0, 0.0, box.dx, box.dy, box.dz, ""))
        shape = self.shapes.representation("Body", "SweptSolid", [solid])
        opening.Representation = self._definition([shape])
        if not self.old:
            opening.PredefinedType = "OPENING"
        return opening

    def fill(self, opening: Entity, filling: Entity) -> None:
        """Relate a door or window to the opening it fills."""
        ifcopenshell.api.feature.add_filling(self.file, opening=opening, element=filling)

    def parts(self, whole: Entity, parts: Sequence[Entity]) -> None:
        """Aggregate parts, already placed, into a whole."""
        self.file.create_entity(
            "IfcRelAggregates", GlobalId="", RelatingObject=whole, RelatedObjects=list(parts)
        )

    def space(self, storey: Storey, number: str, title: str, box: Box, use: str) -> Entity:
        """Create a space from its clear box in the storey's frame."""
        entity = self.element(
            "IfcSpace",
            number,
            storey.entity,
            At(box.x, box.y, box.z),
            [Box(0.0, 0.0, 0.0, box.dx, box.dy, box.dz, box.style)],
            LongName=f"{title} {number}",
            CompositionType="ELEMENT",
        )
        setattr(entity, "InteriorOrExteriorSpace" if self.old else "PredefinedType", "INTERNAL")
        storey.spaces.append(entity)
        area = round(box.dx * box.dy, 3)
        values: dict[str, Value] = {"Reference": use, "NetPlannedArea": area}
        if self.old:
            values |= {"Category": use, "PubliclyAccessible": False}
        self.properties.add(entity, "Pset_SpaceCommon", values)
        self.properties.quantities(
            entity,
            "Qto_SpaceBaseQuantities",
            {
                "Height": self.shapes.length(box.dz),
                "NetPerimeter": self.shapes.length(2 * (box.dx + box.dy)),
                "NetFloorArea": area,
                "NetVolume": area * box.dz,
            },
        )
        return entity

    def finish(self, file_name: str, key: str) -> ifcopenshell.file:
        """Write the collected relations and make the file reproducible."""
        self._deliver()
        levels = [storey.entity for storey in self.storeys]
        self.parts(self.building, levels)
        for storey in self.storeys:
            self.parts(storey.entity, storey.spaces)
            self.file.create_entity(
                "IfcRelContainedInSpatialStructure",
                GlobalId="",
                Name=storey.name,
                RelatedElements=storey.elements,
                RelatingStructure=storey.entity,
            )
        for number, entities in self._typed.items():
            ifcopenshell.api.type.assign_type(
                self.file,
                related_objects=entities,
                relating_type=self.file.by_id(number),
                should_map_representations=False,
            )
        for number, entities in self._made.items():
            ifcopenshell.api.material.assign_material(
                self.file, products=entities, material=self.file.by_id(number)
            )
        for number, entities in self._layered.items():
            self.file.create_entity(
                "IfcRelAssociatesMaterial",
                GlobalId="",
                RelatedObjects=entities,
                RelatingMaterial=self.file.by_id(number),
            )
        self.properties.write()
        settle(self.file, file_name)
        stamp(self.file, key, self.seed)
        return self.file

    def _deliver(self) -> None:
        """Note discipline and section of every contained element, and the building's life."""
        self.properties.add(self.building, OWN_SET, {"设计使用年限 DesignLifeYears": 50})
        for storey in self.storeys:
            for entity in storey.elements:
                values: dict[str, Value] = {
                    "专业 Discipline": discipline(entity),
                    "施工段 WorkSection": storey.name[:2],
                }
                self.properties.add(entity, OWN_SET, values)

    def _root(self, ifc_class: str, name: str) -> Entity:
        return ifcopenshell.api.root.create_entity(self.file, ifc_class=ifc_class, name=name)

    def _definition(self, representations: list[Entity]) -> Entity:
        return self.file.create_entity("IfcProductDefinitionShape", Representations=representations)

    def _mapped(self, source: Entity) -> Entity:
        target = self.file.create_entity(
            "IfcCartesianTransformationOperator3D", LocalOrigin=self.shapes.point(0.0, 0.0, 0.0)
        )
        item = self.file.create_entity("IfcMappedItem", MappingSource=source, MappingTarget=target)
        return self.shapes.representation("Body", "MappedRepresentation", [item])
