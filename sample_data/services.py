"""Building services: elements of a system joined by ports."""

from __future__ import annotations

from collections.abc import Sequence

import ifcopenshell
import ifcopenshell.api.system

from sample_data.author import At, Author, Storey
from sample_data.solids import Point, Rod, Solid

Entity = ifcopenshell.entity_instance


class Network:
    """One distribution system whose elements are joined in the direction of flow."""

    def __init__(self, author: Author, name: str, kind: str, medium: str) -> None:
        self.author, self.medium = author, medium
        self.system = ifcopenshell.api.system.add_system(author.file)
        self.system.Name = name
        if not author.old:
            self.system.PredefinedType = kind
        else:
            self.system.ObjectType = kind
        self.elements: list[Entity] = []

    def add(
        self,
        ifc_class: str,
        name: str,
        storey: Storey,
        at: At,
        kind: Entity,
        body: Sequence[Solid] = (),
    ) -> Entity:
        """Place an element of the system in a storey."""
        entity = self.author.element(ifc_class, name, storey, at, body, kind)
        self.elements.append(entity)
        return entity

    def pipe(
        self,
        ifc_class: str,
        name: str,
        storey: Storey,
        a: Point,
        b: Point,
        size: float,
        kind: Entity,
        style: str,
    ) -> Entity:
        """Place a straight round pipe of outer diameter `size` between two points (m)."""
        rod = Rod((0.0, 0.0, 0.0), (b[0] - a[0], b[1] - a[1], b[2] - a[2]), size / 2, style)
        entity = self.add(ifc_class, name, storey, At(*a), kind, [rod])
        reach = sum((q - p) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5
        self.author.properties.quantities(
            entity, "Qto_PipeSegmentBaseQuantities", {"Length": self.author.shapes.length(reach)}
        )
        return entity

    def join(self, upstream: Entity, downstream: Entity, at: Point, storey: Storey) -> None:
        """Connect two elements at a point of the storey (m) by a pair of ports."""
        api = ifcopenshell.api.system
        ports = []
        for element, side in ((upstream, "出 Out"), (downstream, "入 In")):
            port = api.add_port(self.author.file, element=element)
            port.Name = f"{element.Name} {side}"
            port.ObjectPlacement = self.author.place(At(*at), storey.entity)
            if not self.author.old:
                port.PredefinedType = self.medium
                port.SystemType = self.system.PredefinedType
            ports.append(port)
        api.connect_port(self.author.file, port1=ports[0], port2=ports[1], direction="SOURCE")

    def close(self) -> Entity:
        """Assign the elements to the system, which serves the building, and return it."""
        file = self.author.file
        ifcopenshell.api.system.assign_system(file, products=self.elements, system=self.system)
        file.create_entity(
            "IfcRelServicesBuildings",
            GlobalId="",
            RelatingSystem=self.system,
            RelatedBuildings=[self.author.building],
        )
        return self.system
